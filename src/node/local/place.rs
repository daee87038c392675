//! Where nodes are found, and how one is started when there is none.
//!
//! The service's socket is asked first, then the user's own, `node.sock` in a directory that only the user can enter.
//! Beside it are two lock files. `node.lock` is held by the node as long as it lives, and only its holder may touch the
//! socket: a socket without a living node is stale and is replaced. `start.lock` is held by whoever starts a node, so
//! that two first starters end with one: the second finds the first one's. Both are `flock`s, which end with their
//! process however it ends, and waiting for them takes no time of anybody.

use std::env;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::fcntl::{Flock, FlockArg};

use super::LocalError;

/// The socket of the machine's service.
pub const SERVICE_SOCKET: &str = "/run/mailslot/mailslot.sock";
/// The environment variable that names another socket, which is then the only one that is asked.
pub const SOCKET_VARIABLE: &str = "MAILSLOT_SOCKET";
/// The environment variable that names the program to start a user's node with.
pub const PROGRAM_VARIABLE: &str = "MAILSLOT_PROGRAM";
/// Connections that may wait to be taken.
const BACKLOG: i32 = 1024;
/// What a started node writes once it can be connected to.
pub const READY: &[u8] = b"ready\n";

/// The sockets to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The service's socket.
    service: PathBuf,
    /// Whether no other is asked.
    only: bool,
    /// Where the user's is.
    user: PathBuf,
}

impl Places {
    /// As the environment says: `MAILSLOT_SOCKET`, else [`SERVICE_SOCKET`] and the user's own in
    /// `$XDG_RUNTIME_DIR/mailslot`, or in `/tmp/mailslot-UID` where there is no such directory of this user.
    pub fn from_environment() -> Self {
        let chosen = env::var_os(SOCKET_VARIABLE).filter(|path| !path.is_empty());
        let only = chosen.is_some();
        let service = chosen.map_or_else(|| PathBuf::from(SERVICE_SOCKET), PathBuf::from);
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        // `su` leaves that of the user before, where a node of this one has no place.
        let own = |path: &PathBuf| {
            let found = path.metadata();
            found.is_ok_and(|found| found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw())
        };
        let user = match runtime.filter(|path| path.is_absolute() && own(path)) {
            Some(path) => path.join("mailslot"),
            None => PathBuf::from(format!("/tmp/mailslot-{}", nix::unistd::geteuid())),
        };
        Self { service, only, user }
    }

    /// Only the user's own, in this directory; it is made if it is not there.
    pub fn in_directory(directory: impl Into<PathBuf>) -> Self {
        Self { service: PathBuf::new(), only: false, user: directory.into() }
    }

    /// Only this socket.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self { service: socket.into(), only: true, user: PathBuf::new() }
    }

    /// Connects to each node that there is, the service's first; none if there is none.
    pub(super) fn connect(&self) -> impl Iterator<Item = Result<(UnixStream, PathBuf), LocalError>> {
        let service = (!self.service.as_os_str().is_empty()).then_some(&self.service);
        let service = service.and_then(|path| match UnixStream::connect(path) {
            Ok(stream) => Some(Ok((stream, path.clone()))),
            Err(source) if self.only => Some(Err(LocalError::Connect { path: path.clone(), source })),
            // No service, or one for others.
            Err(_) => None,
        });
        // Lazily: most calls need only the first.
        let user = (!self.only).then_some(()).into_iter().filter_map(|()| self.connect_user().transpose());
        service.into_iter().chain(user)
    }

    pub(super) fn none(&self) -> LocalError {
        LocalError::NoNode { service: self.service.clone() }
    }

    /// Whether a node may be started where none is.
    pub(super) const fn starts(&self) -> bool {
        !self.only
    }

    fn connect_user(&self) -> Result<Option<(UnixStream, PathBuf)>, LocalError> {
        if !self.user.exists() {
            return Ok(None);
        }
        check_directory(&self.user)?;
        let path = self.user.join("node.sock");
        match UnixStream::connect(&path) {
            Ok(stream) => Ok(Some((stream, path))),
            Err(error) if is_absence(&error) => Ok(None),
            Err(source) => Err(LocalError::Connect { path, source }),
        }
    }

    /// Connects to the user's own node, and starts it with `program` if it does not run.
    pub(super) fn connect_or_start(&self, program: &Path) -> Result<(UnixStream, PathBuf), LocalError> {
        make_directory(&self.user)?;
        let _start = lock(&self.user.join("start.lock"), FlockArg::LockExclusive)?;
        if let Some(found) = self.connect_user()? {
            return Ok(found);
        }
        start(program, &self.user)?;
        let reason = "it said that it was ready, and is gone".to_owned();
        self.connect_user()?.ok_or_else(|| LocalError::Start { program: program.to_owned(), reason })
    }
}

/// Whether no node listens there.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// The program that can be a node: `MAILSLOT_PROGRAM`, else `mailslot` as the shell finds it.
pub(super) fn program() -> PathBuf {
    let chosen = env::var_os(PROGRAM_VARIABLE).filter(|path| !path.is_empty());
    chosen.map_or_else(|| PathBuf::from("mailslot"), PathBuf::from)
}

/// Runs `program node`, which leaves a node behind and ends; waits until that node says that it is ready.
fn start(program: &Path, directory: &Path) -> Result<(), LocalError> {
    let failed = |reason: String| LocalError::Start { program: program.to_owned(), reason };
    let mut child = Command::new(program)
        .arg("node")
        .arg("--directory")
        .arg(directory)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut said = Vec::new();
    if let Some(out) = &mut child.stdout {
        // Either the word, or the end of all that hold the pipe.
        let limit = u64::try_from(READY.len()).unwrap_or(u64::MAX);
        out.take(limit).read_to_end(&mut said).map_err(|error| failed(error.to_string()))?;
    }
    if said == READY {
        // The child itself ends at once; the node is not its child any more.
        child.wait().map_err(|error| failed(error.to_string()))?;
        return Ok(());
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    let words = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("it ended with {}: {}", output.status, words.trim())))
}

/// What a user's node holds as long as it lives: the lock and the socket.
#[derive(Debug)]
pub struct Seat {
    pub(super) socket: PathBuf,
    pub(super) listener: UnixListener,
    /// Released by the operating system with the process, after the socket is gone.
    _lock: Flock<File>,
}

impl Seat {
    /// Takes the seat of the user's node in `directory`, replacing a stale socket. Waits for a node that is ending.
    ///
    /// # Errors
    /// [`LocalError::Unsafe`], [`LocalError::File`].
    pub fn take(directory: &Path) -> Result<Self, LocalError> {
        make_directory(directory)?;
        let lock = lock(&directory.join("node.lock"), FlockArg::LockExclusive)?;
        let socket = directory.join("node.sock");
        let listener = bind(&socket)?;
        Ok(Self { socket, listener, _lock: lock })
    }

    /// Frees the place: later connects find nothing, and earlier ones that nobody has taken are refused.
    pub(super) fn leave(self) {
        // Without the socket nobody would come any more; a failure leaves a stale one, which the next node replaces.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Listens at `socket`, which must be the caller's to replace.
pub(super) fn bind(socket: &Path) -> Result<UnixListener, LocalError> {
    let failed = |operation, source| LocalError::File { operation, path: socket.to_owned(), source };
    remove_socket(socket)?;
    let listener = UnixListener::bind(socket).map_err(|error| failed("listen at", error))?;
    listener.set_nonblocking(true).map_err(|error| failed("set up", error))?;
    Ok(listener)
}

/// Removes a stale socket, and nothing else.
fn remove_socket(socket: &Path) -> Result<(), LocalError> {
    check_replaceable(socket)?;
    match std::fs::remove_file(socket) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(LocalError::File { operation: "replace the stale socket", path: socket.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// A path that was given by mistake may be that of anything.
fn check_replaceable(socket: &Path) -> Result<(), LocalError> {
    let failed = |source| LocalError::File { operation: "replace", path: socket.to_owned(), source };
    match socket.symlink_metadata() {
        Ok(found) if found.file_type().is_socket() => Ok(()),
        Ok(_) => Err(failed(io::Error::new(io::ErrorKind::AlreadyExists, "it is no socket"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// What the service has as long as it lives: its socket, and the lock beside it, which says that it lives. Dropping it
/// takes the socket away.
#[derive(Debug)]
pub struct ServicePlace {
    pub(super) listener: UnixListener,
    pub(super) kept: Kept,
}

/// The socket's name, and the lock.
#[derive(Debug)]
pub(super) struct Kept {
    socket: PathBuf,
    _lock: Flock<File>,
}

impl ServicePlace {
    /// Listens at `socket` with the permissions `mode`, which say who may connect, replacing what a dead service left
    /// there. At no moment may anybody connect whom the mode does not admit. For a directory that nobody else can write
    /// to. Who connects before [`Server::listen_at`](super::Server::listen_at) waits for it.
    ///
    /// # Errors
    /// [`LocalError::File`]: also if a service lives there, one of the service manager's among them, which has no lock,
    /// or if what is there is no socket. [`LocalError::Unsafe`]: another has made the directory in which it begins.
    pub fn take(socket: &Path, mode: u32) -> Result<Self, LocalError> {
        let failed = |operation, source| LocalError::File { operation, path: socket.to_owned(), source };
        let living = || failed("listen at", io::Error::new(io::ErrorKind::AddrInUse, "another service does"));
        check_replaceable(socket)?;
        let beside = |ending: &str| {
            let mut name = socket.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let lock = lock(&beside(".lock"), FlockArg::LockExclusiveNonblock).map_err(|error| match error {
            LocalError::File { source, .. } if source.kind() == io::ErrorKind::WouldBlock => living(),
            error => error,
        })?;
        match is_living(socket) {
            Ok(false) => {}
            Ok(true) => return Err(living()),
            Err(source) => return Err(failed("see who listens at", source)),
        }
        // It has its mode before its name, and nobody else reaches it before: who finds a socket may connect later, once
        // somebody listens, whatever its mode is then.
        let private = beside(".new");
        let new = private.join("s");
        make_directory(&private)?;
        remove_socket(&new)?;
        let listener = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)
            .map_err(|source| failed("listen at", source))?;
        let address = socket2::SockAddr::unix(&new).map_err(|source| failed("listen at", source))?;
        listener.bind(&address).map_err(|source| failed("listen at", source))?;
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&new, permissions).map_err(|source| failed("set the mode of", source))?;
        std::fs::rename(&new, socket).map_err(|source| failed("listen at", source))?;
        std::fs::remove_dir(&private).map_err(|source| failed("listen at", source))?;
        let kept = Kept { socket: socket.to_owned(), _lock: lock };
        listener.listen(BACKLOG).map_err(|source| failed("listen at", source))?;
        listener.set_nonblocking(true).map_err(|source| failed("set up", source))?;
        Ok(Self { listener: UnixListener::from(OwnedFd::from(listener)), kept })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Nobody else has put one there: the lock is still held.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Whether somebody listens there; does not wait for an answer.
fn is_living(socket: &Path) -> io::Result<bool> {
    let probe = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
    probe.set_nonblocking(true)?;
    match probe.connect(&socket2::SockAddr::unix(socket)?) {
        Ok(()) => Ok(true),
        // It does not take connections as fast as they come, and lives.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(error) if is_absence(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn lock(path: &Path, how: FlockArg) -> Result<Flock<File>, LocalError> {
    let failed = |source| LocalError::File { operation: "lock", path: path.to_owned(), source };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(nix::fcntl::OFlag::O_NOFOLLOW.bits())
        .open(path)
        .map_err(failed)?;
    let mut file = file;
    loop {
        match Flock::lock(file, how) {
            Ok(lock) => return Ok(lock),
            Err((back, nix::errno::Errno::EINTR)) => file = back,
            Err((_, errno)) => return Err(failed(errno.into())),
        }
    }
}

fn make_directory(path: &Path) -> Result<(), LocalError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(LocalError::File { operation: "make", path: path.to_owned(), source: error });
        }
        _ => {}
    }
    check_directory(path)
}

/// In `/tmp` anybody may have made it first.
fn check_directory(path: &Path) -> Result<(), LocalError> {
    let found = path.symlink_metadata();
    let found =
        found.map_err(|source| LocalError::File { operation: "see", path: path.to_owned(), source })?;
    let bad = |reason: String| Err(LocalError::Unsafe { path: path.to_owned(), reason });
    if !found.is_dir() {
        return bad("it is no directory".to_owned());
    }
    if found.uid() != nix::unistd::geteuid().as_raw() {
        return bad(format!("it belongs to user {}", found.uid()));
    }
    if found.permissions().mode() & 0o077 != 0 {
        return bad(format!("others may enter it (mode {:o})", found.permissions().mode() & 0o7777));
    }
    Ok(())
}

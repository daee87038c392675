//! The service's socket, through which programs of this machine share its slots, names and ports.

use std::os::unix::net::UnixListener;

use anyhow::Context;
use listenfd::ListenFd;
use mailslot::node::Node;
use mailslot::node::local::{Server, ServerLimits, ServicePlace};
use tokio::task::JoinHandle;

use crate::cli::ServiceArgs;

/// A socket that can be listened at, before there is a node.
pub(super) enum Place {
    /// The service manager has made it, and keeps it.
    Given(UnixListener),
    /// The one of the settings.
    Taken(ServicePlace),
}

/// The socket, as long as the service runs.
pub(super) struct Socket(JoinHandle<()>);

/// Where programs of this machine are to find the service: the service manager's socket, else the one of the settings,
/// if any. That of a service that runs is left alone.
pub(super) fn place(args: &ServiceArgs) -> anyhow::Result<Option<Place>> {
    let mut given = ListenFd::from_env();
    match given.len() {
        0 => {}
        1 => {
            let socket = given.take_unix_listener(0).context("the service manager's socket")?;
            return Ok(socket.map(Place::Given));
        }
        more => anyhow::bail!("the service manager gives {more} sockets; one Unix socket can be used"),
    }
    let Some(path) = &args.socket else { return Ok(None) };
    let mode = args.socket_mode;
    let place = ServicePlace::take(path, mode)?;
    tracing::info!(socket = %path.display(), mode = format!("{mode:04o}"), "programs of this machine come by a socket");
    Ok(Some(Place::Taken(place)))
}

impl Place {
    /// Lets programs of this machine use `node` until the socket is closed.
    pub(super) fn open(self, node: Node) -> Socket {
        let server = Server::of_service(node, ServerLimits::default());
        let task = match self {
            Self::Given(listener) => {
                tracing::info!("programs of this machine come by the service manager's socket");
                tokio::spawn(until_it_fails(server.serve(listener)))
            }
            Self::Taken(place) => tokio::spawn(until_it_fails(server.listen_at(place))),
        };
        Socket(task)
    }
}

async fn until_it_fails(serving: impl Future<Output = std::io::Error>) {
    let error = serving.await;
    tracing::error!(%error, "no more programs of this machine can come");
}

impl Socket {
    /// Takes no more programs. What listens takes its socket away itself, while nobody else can have that place.
    pub(super) async fn close(self) {
        self.0.abort();
        // It was aborted, or has failed and said so.
        _ = self.0.await;
    }
}

//! The sockets of one interface.
//!
//! Each port has one socket per address that packets come for: the interface's own, its subnet's broadcast address and,
//! on Linux, 255.255.255.255. So a packet's kind and interface are known from where it arrived; broadcasts still
//! come when another program (nmbd) has the port too, and that program loses nothing but what is for the same address.
//! One socket on 0.0.0.0 would need IP_PKTINFO for the same, and gets no unicast at all beside an nmbd. Only the socket
//! on 255.255.255.255 needs it, since all interfaces share that address.

use core::net::{Ipv4Addr, SocketAddrV4};
use core::task::{Context, Poll};
use std::io;
use std::sync::Once;

use socket2::{Domain, Protocol, Socket, Type};
#[cfg(any(target_os = "linux", target_os = "android"))]
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::{Interface, NodeError};

/// Asked of the operating system for each socket, in bytes. The default of Linux, 208 KiB, loses datagrams in bursts.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Datagrams received at a time.
pub(super) const BATCH: usize = 32;

/// Room for one datagram, in bytes.
const DATAGRAM: usize = 1 << 16;

/// Which service a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Names,
    Datagrams,
}

impl Service {
    const fn name(self) -> &'static str {
        match self {
            Self::Names => "name service",
            Self::Datagrams => "datagram service",
        }
    }
}

/// A socket and what arrives on it.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) socket: UdpSocket,
    pub(super) service: Service,
    /// What arrives was sent to a broadcast address.
    pub(super) broadcast: bool,
    /// What the operating system granted, in bytes.
    pub(super) receive_buffer: usize,
    /// The interface whose packets are taken; `None`: all are this interface's.
    #[cfg_attr(
        not(any(target_os = "linux", target_os = "android")),
        expect(dead_code, reason = "the socket on 255.255.255.255 is Linux's alone")
    )]
    only: Option<u32>,
}

/// Binds all sockets of `service` on `interface`; the first is the one to send from. Port 0 is any free one.
pub(super) fn bind(service: Service, interface: &Interface, port: u16) -> Result<Vec<Port>, NodeError> {
    let first = open(service, interface.address, port)?;
    let port = match first.local_addr() {
        Ok(address) => address.port(),
        Err(_) => port,
    };
    let mut ports = vec![Port::new(first, service, false, None)];
    if interface.broadcast != interface.address {
        let socket = open(service, interface.broadcast, port)?;
        ports.push(Port::new(socket, service, true, None));
    }
    if cfg!(any(target_os = "linux", target_os = "android")) && !interface.address.is_loopback() {
        let socket = open(service, Ipv4Addr::BROADCAST, port)?;
        tell_interface(&socket).map_err(|source| NodeError::Socket {
            operation: "IP_PKTINFO",
            address: SocketAddrV4::new(Ipv4Addr::BROADCAST, port),
            source,
        })?;
        ports.push(Port::new(socket, service, true, Some(interface.index)));
    }
    Ok(ports)
}

fn open(service: Service, address: Ipv4Addr, port: u16) -> Result<UdpSocket, NodeError> {
    let address = SocketAddrV4::new(address, port);
    let failed = |operation| move |source| NodeError::Socket { operation, address, source };
    let socket =
        Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).map_err(failed("a new socket"))?;
    // Without it nmbd does not start while this runs, and this does not start beside nmbd.
    socket.set_reuse_address(true).map_err(failed("SO_REUSEADDR"))?;
    socket.set_broadcast(true).map_err(failed("SO_BROADCAST"))?;
    socket.set_nonblocking(true).map_err(failed("non-blocking"))?;
    enlarge_receive_buffer(&socket);
    socket.bind(&address.into()).map_err(|source| {
        let in_use = source.kind() == io::ErrorKind::AddrInUse;
        let holder = if in_use { holder(port) } else { None };
        NodeError::Bind { service: service.name(), address, holder, source }
    })?;
    UdpSocket::from_std(socket.into()).map_err(failed("registration with tokio"))
}

/// Asks for [`RECEIVE_BUFFER`] and takes what the operating system gives; says once if that is less.
fn enlarge_receive_buffer(socket: &Socket) {
    static TOLD: Once = Once::new();
    if force_receive_buffer(socket) || socket.set_recv_buffer_size(RECEIVE_BUFFER).is_ok() {
        let granted = socket.recv_buffer_size().unwrap_or(0);
        if granted >= RECEIVE_BUFFER {
            return;
        }
        TOLD.call_once(|| {
            tracing::info!(
                asked = RECEIVE_BUFFER,
                granted,
                "a small receive buffer: bursts may lose datagrams; sysctl net.core.rmem_max sets the bound"
            );
        });
    }
}

/// Beyond the bound, for which Linux asks CAP_NET_ADMIN.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn force_receive_buffer(socket: &Socket) -> bool {
    use nix::sys::socket::{setsockopt, sockopt::RcvBufForce};
    setsockopt(socket, RcvBufForce, &RECEIVE_BUFFER).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
const fn force_receive_buffer(_socket: &Socket) -> bool {
    false
}

/// Who has a UDP port, as far as /proc shows it to this user.
///
/// The kernel hands its tables out in parts, and leaves entries out when others come and go in between: what is not
/// there is looked for again.
fn holder(port: u16) -> Option<String> {
    (0..3).find_map(|_| holder_in_table(port))
}

fn holder_in_table(port: u16) -> Option<String> {
    let table = std::fs::read_to_string("/proc/net/udp").ok()?;
    let wanted = format!(":{port:04X}");
    let mut holders = Vec::new();
    for line in table.lines().skip(1) {
        let mut columns = line.split_whitespace().skip(1);
        if !columns.next().is_some_and(|local| local.ends_with(&wanted)) {
            continue;
        }
        let mut columns = columns.skip(5);
        let (Some(user), Some(inode)) = (columns.next(), columns.nth(1)) else { continue };
        let holder = process_with(&format!("socket:[{inode}]")).unwrap_or_else(|| format!("user {user}"));
        if !holders.contains(&holder) {
            holders.push(holder);
        }
    }
    (!holders.is_empty()).then(|| holders.join(", "))
}

fn process_with(file: &str) -> Option<String> {
    (0..3).find_map(|_| find_process_with(file))
}

/// The process that has this file open.
fn find_process_with(file: &str) -> Option<String> {
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        if process.file_name().to_str().is_none_or(|id| id.parse::<u32>().is_err()) {
            continue;
        }
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let has = |entry: std::fs::DirEntry| {
            std::fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == file)
        };
        if files.flatten().any(has) {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (process {})", name.trim(), process.file_name().to_string_lossy()));
        }
    }
    None
}

impl Port {
    fn new(socket: UdpSocket, service: Service, broadcast: bool, only: Option<u32>) -> Self {
        let receive_buffer = socket2::SockRef::from(&socket).recv_buffer_size().unwrap_or(0);
        Self { socket, service, broadcast, receive_buffer, only }
    }

    /// Whether there may be something to receive.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        // An error is the receive call's to report.
        self.socket.poll_recv_ready(cx).map(drop)
    }

    /// Takes at most [`BATCH`] datagrams off the socket. Says how many there were; 0 when there is none.
    ///
    /// # Errors
    /// What the operating system says.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn receive(&self, mut take: impl FnMut(SocketAddrV4, &[u8])) -> io::Result<usize> {
        let mut count = 0;
        let result = self.socket.try_io(Interest::READABLE, || {
            count = receive(&self.socket, self.only, &mut take)?;
            // Fewer than there is room for: the socket is empty, and says so when there is more again.
            if count < BATCH { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match result {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) fn receive(&self, mut take: impl FnMut(SocketAddrV4, &[u8])) -> io::Result<usize> {
        let mut bytes = vec![0; DATAGRAM];
        for count in 0..BATCH {
            match self.socket.try_recv_from(&mut bytes) {
                Ok((length, std::net::SocketAddr::V4(peer))) => {
                    take(peer, bytes.get(..length).unwrap_or_default())
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(count),
                Err(error) => return Err(error),
            }
        }
        Ok(BATCH)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn tell_interface(socket: &UdpSocket) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt::Ipv4PacketInfo};
    Ok(setsockopt(socket, Ipv4PacketInfo, &true)?)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn receive(
    socket: &UdpSocket,
    only: Option<u32>,
    take: &mut impl FnMut(SocketAddrV4, &[u8]),
) -> io::Result<usize> {
    use core::cell::RefCell;
    use std::io::IoSliceMut;
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg};

    struct Place {
        headers: MultiHeaders<SockaddrIn>,
        /// [`BATCH`] times [`DATAGRAM`]; what is not used is never touched and costs no memory.
        bytes: Vec<u8>,
    }

    thread_local! {
        static PLACE: RefCell<Place> = RefCell::new(Place {
            headers: MultiHeaders::preallocate(BATCH, None),
            bytes: vec![0; BATCH * DATAGRAM],
        });
    }

    PLACE.with_borrow_mut(|Place { headers, bytes }| {
        // The room for control messages shrinks to what a call left in it, so it is never used twice.
        let mut fresh;
        let headers = match only {
            None => headers,
            Some(_) => {
                fresh = MultiHeaders::preallocate(BATCH, Some(nix::cmsg_space!(nix::libc::in_pktinfo)));
                &mut fresh
            }
        };
        let mut rooms = bytes.chunks_exact_mut(DATAGRAM);
        let mut slices: [[IoSliceMut<'_>; 1]; BATCH] =
            core::array::from_fn(|_| [IoSliceMut::new(rooms.next().unwrap_or_default())]);
        let received =
            recvmmsg(socket.as_raw_fd(), headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
        let mut count = 0;
        for message in received {
            count += 1;
            let on = |message: ControlMessageOwned| match message {
                ControlMessageOwned::Ipv4PacketInfo(info) => u32::try_from(info.ipi_ifindex).ok(),
                _ => None,
            };
            if let Some(index) = only
                && message.cmsgs().ok().and_then(|mut messages| messages.find_map(on)) != Some(index)
            {
                continue;
            }
            let Some(peer) = message.address else { continue };
            take(peer.into(), message.iovs().next().unwrap_or_default());
        }
        Ok(count)
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn tell_interface(_socket: &UdpSocket) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;

    /// What `port` takes when it is there.
    async fn take(port: &Port) -> Vec<Vec<u8>> {
        core::future::poll_fn(|cx| port.poll_ready(cx)).await;
        let mut taken = Vec::new();
        port.receive(|_, bytes| taken.push(bytes.to_vec())).expect("received");
        taken
    }

    fn port(only: Option<u32>) -> (Port, SocketAddrV4) {
        let socket = open(Service::Datagrams, Ipv4Addr::LOCALHOST, 0).expect("any free port");
        if only.is_some() {
            tell_interface(&socket).expect("IP_PKTINFO");
        }
        let Ok(std::net::SocketAddr::V4(address)) = socket.local_addr() else { panic!("IPv4") };
        (Port::new(socket, Service::Datagrams, true, only), address)
    }

    /// The loopback interface is the first of all.
    #[tokio::test]
    async fn only_what_arrived_on_the_interface_is_taken() {
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let (any, to_any) = port(None);
        let (ours, to_ours) = port(Some(1));
        let (others, to_others) = port(Some(u32::MAX));
        for round in 0..3 {
            for to in [to_any, to_ours, to_others] {
                peer.send_to(&[round], to).expect("sent");
            }
            assert_eq!(take(&any).await, [[round]]);
            assert_eq!(take(&ours).await, [[round]]);
            assert!(take(&others).await.is_empty());
        }
    }

    #[tokio::test]
    async fn more_than_a_batch_comes_in_several() {
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let (port, to) = port(None);
        let all: Vec<Vec<u8>> = (0..BATCH + 1).map(|length| vec![7; length]).collect();
        for bytes in &all {
            peer.send_to(bytes, to).expect("sent");
        }
        let mut taken = take(&port).await;
        assert_eq!(taken.len(), BATCH);
        taken.extend(take(&port).await);
        assert_eq!(taken, all);
    }
}

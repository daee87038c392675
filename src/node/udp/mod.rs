//! The sockets of one interface.
//!
//! Each port has one socket per address that packets come for: the interface's own, its subnet's broadcast address and,
//! on Linux, 255.255.255.255. So a packet's kind and interface are known from where it arrived; broadcasts still
//! come when another program (nmbd) has the port too, and that program loses nothing but what is for the same address.
//! One socket on 0.0.0.0 would need IP_PKTINFO for the same, and gets no unicast at all beside an nmbd. Only the socket
//! on 255.255.255.255 needs it, since all interfaces share that address.

mod holder;
mod receive;

use core::net::{Ipv4Addr, SocketAddrV4};
use std::io;
use std::net::UdpSocket;
use std::sync::{Arc, Once};

use socket2::{Domain, Protocol, Socket, Type};

use super::{Interface, NodeError};
use crate::service::Transmit;

use holder::holder;
pub(super) use receive::{BATCH, Receiver};

/// Asked of the operating system for each socket, in bytes. The default of Linux, 208 KiB, loses datagrams in bursts.
const RECEIVE_BUFFER: usize = 4 << 20;

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

/// A socket and what arrives on it. It never blocks.
#[derive(Debug)]
pub(super) struct Port {
    socket: Arc<UdpSocket>,
    pub(super) service: Service,
    /// What arrives was sent to a broadcast address.
    pub(super) broadcast: bool,
    /// What the operating system granted, in bytes.
    pub(super) receive_buffer: usize,
    /// The interface whose packets are taken; `None`: all are this interface's.
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
    Ok(socket.into())
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

#[cfg(any(target_os = "linux", target_os = "android"))]
fn tell_interface(socket: &UdpSocket) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt::Ipv4PacketInfo};
    Ok(setsockopt(socket, Ipv4PacketInfo, &true)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn tell_interface(_socket: &UdpSocket) -> io::Result<()> {
    Ok(())
}

impl Port {
    fn new(socket: UdpSocket, service: Service, broadcast: bool, only: Option<u32>) -> Self {
        let receive_buffer = socket2::SockRef::from(&socket).recv_buffer_size().unwrap_or(0);
        Self { socket: Arc::new(socket), service, broadcast, receive_buffer, only }
    }

    pub(super) fn local_addr(&self) -> Option<SocketAddrV4> {
        match self.socket.local_addr() {
            Ok(std::net::SocketAddr::V4(address)) => Some(address),
            _ => None,
        }
    }

    /// Sends one datagram, and waits for room if the operating system has none.
    pub(super) async fn send_to(&self, bytes: &[u8], destination: SocketAddrV4) -> io::Result<usize> {
        // Who sends without end lets the other tasks of its thread run, the node's among them.
        tokio::task::coop::consume_budget().await;
        match self.socket.send_to(bytes, destination) {
            // It is rare, so tokio does not watch the socket for it: it would wake up after each packet that was sent.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let socket = tokio::net::UdpSocket::from_std(self.socket.try_clone()?)?;
                socket.send_to(bytes, destination).await
            }
            result => result,
        }
    }

    /// Sends the first of these datagrams, and those after it that the operating system takes in the same call. Says
    /// how many.
    ///
    /// # Errors
    /// What became of the first.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) async fn send_some(&self, datagrams: &[Transmit]) -> io::Result<usize> {
        match datagrams {
            [] => Ok(0),
            [one] => self.send_to(&one.bytes, one.destination).await.map(|_| 1),
            [first, ..] => match send_many(&self.socket, datagrams) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.send_to(&first.bytes, first.destination).await.map(|_| 1)
                }
                result => result,
            },
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) async fn send_some(&self, datagrams: &[Transmit]) -> io::Result<usize> {
        match datagrams {
            [] => Ok(0),
            [first, ..] => self.send_to(&first.bytes, first.destination).await.map(|_| 1),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn send_many(socket: &UdpSocket, datagrams: &[Transmit]) -> io::Result<usize> {
    use std::io::IoSlice;
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, sendmmsg};

    let slices: Vec<[IoSlice<'_>; 1]> = datagrams.iter().map(|one| [IoSlice::new(&one.bytes)]).collect();
    let addresses: Vec<Option<SockaddrIn>> =
        datagrams.iter().map(|one| Some(one.destination.into())).collect();
    let mut headers = MultiHeaders::preallocate(datagrams.len(), None);
    let flags = MsgFlags::MSG_DONTWAIT;
    let sent = sendmmsg(socket.as_raw_fd(), &mut headers, &slices, &addresses, [], flags)?;
    Ok(sent.count())
}

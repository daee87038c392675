//! Receiving: many datagrams in one call, and no wake-up that nobody wants.

use core::net::SocketAddrV4;
use core::task::{Context, Poll};
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;

use tokio::io::Interest;
#[cfg(unix)]
use tokio::io::unix::AsyncFd;

use super::{Port, Service};

/// Datagrams received at a time.
pub(in super::super) const BATCH: usize = 32;

/// Room for one datagram, in bytes.
const DATAGRAM: usize = 1 << 16;

/// The receiving end of a [`Port`]. It is its own so that tokio watches the socket for nothing but what arrives.
#[derive(Debug)]
pub(in super::super) struct Receiver {
    socket: Arc<UdpSocket>,
    pub(in super::super) service: Service,
    /// What arrives was sent to a broadcast address.
    pub(in super::super) broadcast: bool,
    only: Option<u32>,
    /// `None` while nobody wants to know.
    watch: Option<Watch>,
}

#[cfg(unix)]
type Watch = AsyncFd<Arc<UdpSocket>>;
#[cfg(not(unix))]
type Watch = tokio::net::UdpSocket;

#[cfg(unix)]
#[expect(
    deprecated,
    reason = "its successor is unsafe; the Arc keeps the descriptor open as long as it is watched"
)]
fn watch(socket: &Arc<UdpSocket>) -> io::Result<Watch> {
    AsyncFd::with_interest(Arc::clone(socket), Interest::READABLE)
}

#[cfg(not(unix))]
fn watch(socket: &Arc<UdpSocket>) -> io::Result<Watch> {
    Watch::from_std(socket.try_clone()?)
}

impl Receiver {
    /// # Errors
    /// tokio cannot watch the socket.
    pub(in super::super) fn new(port: &Port) -> io::Result<Self> {
        let Port { socket, service, broadcast, only, .. } = port;
        let watch = Some(watch(socket)?);
        Ok(Self { socket: Arc::clone(socket), service: *service, broadcast: *broadcast, only: *only, watch })
    }

    /// From now on nothing that arrives wakes anybody.
    pub(in super::super) fn rest(&mut self) {
        self.watch = None;
    }

    /// What arrives, and what has arrived meanwhile, is told of again.
    ///
    /// # Errors
    /// tokio cannot watch the socket.
    pub(in super::super) fn wake(&mut self) -> io::Result<()> {
        if self.watch.is_none() {
            self.watch = Some(watch(&self.socket)?);
        }
        Ok(())
    }

    /// Whether there may be something to receive.
    pub(in super::super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        // An error is the receive call's to report.
        match &self.watch {
            #[cfg(unix)]
            Some(watch) => watch.poll_read_ready(cx).map(drop),
            #[cfg(not(unix))]
            Some(watch) => watch.poll_recv_ready(cx).map(drop),
            None => Poll::Pending,
        }
    }

    /// Takes at most [`BATCH`] datagrams off the socket. Says how many there were; 0 when there is none.
    ///
    /// # Errors
    /// What the operating system says.
    pub(in super::super) fn receive(&self, mut take: impl FnMut(SocketAddrV4, &[u8])) -> io::Result<usize> {
        let mut count = 0;
        let mut receive = || {
            count = receive(&self.socket, self.only, &mut take)?;
            // Fewer than there is room for: the socket is empty, and says so when there is more again.
            if count < BATCH { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        };
        let result = match &self.watch {
            #[cfg(unix)]
            Some(watch) => watch.try_io(Interest::READABLE, |_| receive()),
            #[cfg(not(unix))]
            Some(watch) => watch.try_io(Interest::READABLE, receive),
            None => receive(),
        };
        match result {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }
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
fn receive(
    socket: &UdpSocket,
    _only: Option<u32>,
    take: &mut impl FnMut(SocketAddrV4, &[u8]),
) -> io::Result<usize> {
    let mut bytes = vec![0; DATAGRAM];
    for count in 0..BATCH {
        match socket.recv_from(&mut bytes) {
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

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use core::net::Ipv4Addr;

    use super::super::{open, tell_interface};
    use super::*;

    /// What `port` takes when it is there.
    async fn take(port: &Receiver) -> Vec<Vec<u8>> {
        core::future::poll_fn(|cx| port.poll_ready(cx)).await;
        let mut taken = Vec::new();
        port.receive(|_, bytes| taken.push(bytes.to_vec())).expect("received");
        taken
    }

    fn port(only: Option<u32>) -> (Receiver, SocketAddrV4) {
        let socket = open(Service::Datagrams, Ipv4Addr::LOCALHOST, 0).expect("any free port");
        if only.is_some() {
            tell_interface(&socket).expect("IP_PKTINFO");
        }
        let port = Port::new(socket, Service::Datagrams, true, only);
        let address = port.local_addr().expect("IPv4");
        (Receiver::new(&port).expect("watched"), address)
    }

    /// The loopback interface is the first of all.
    #[tokio::test]
    async fn only_what_arrived_on_the_interface_is_taken() {
        let peer = UdpSocket::bind("127.0.0.1:0").expect("a socket");
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
        let peer = UdpSocket::bind("127.0.0.1:0").expect("a socket");
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

    #[tokio::test]
    async fn a_socket_at_rest_wakes_nobody_and_loses_nothing() {
        let peer = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let (mut port, to) = port(None);
        port.rest();
        peer.send_to(b"1", to).expect("sent");
        let ready = core::future::poll_fn(|cx| Poll::Ready(port.poll_ready(cx).is_ready())).await;
        assert!(!ready);
        let mut taken = 0;
        assert_eq!(port.receive(|_, _| taken += 1).expect("received"), 1);
        assert_eq!((port.receive(|_, _| taken += 1).expect("nothing there"), taken), (0, 1));
        peer.send_to(b"2", to).expect("sent");
        port.wake().expect("watched");
        assert_eq!(take(&port).await, [b"2"]);
    }
}

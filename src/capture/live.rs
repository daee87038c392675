//! Live capture on a network interface, through pnet's datalink channel. No type of pnet leaves this file.

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::time::{Instant, SystemTime};

use super::error::CaptureError;
use super::frame::{Frame, LinkType, Timestamp};

/// A network interface of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// Its name, for [`LiveCapture::open`].
    pub name: String,
    /// What the system says about it; often nothing.
    pub description: String,
    /// The system's number for it.
    pub index: u32,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether it leads back to this machine.
    pub loopback: bool,
    /// Its hardware address, if there is one that is not zero.
    pub hardware_address: Option<[u8; 6]>,
    /// Its addresses.
    pub addresses: Vec<InterfaceAddress>,
}

/// An address of an interface. Prints as `10.0.0.1/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InterfaceAddress {
    /// The address.
    pub address: IpAddr,
    /// Number of leading bits that are the same in its network.
    pub prefix: u8,
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// The interfaces of this machine, in the system's order. Needs no rights. Empty on systems where there is no live
/// capture (Windows).
pub fn interfaces() -> Vec<Interface> {
    system::interfaces()
}

/// How [`LiveCapture::open`] listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveOptions {
    /// Whether to ask the interface for frames to other stations as well.
    pub promiscuous: bool,
    /// How long [`LiveCapture::next_frame`] waits for a frame, in whole milliseconds.
    pub timeout: Duration,
}

impl Default for LiveOptions {
    /// Promiscuous; a quarter of a second.
    fn default() -> Self {
        Self { promiscuous: true, timeout: Duration::from_millis(250) }
    }
}

/// Gives the frames of an interface as they come, in both directions.
///
/// * The time of a frame is this machine's clock when it is taken, not that of the interface.
/// * On Linux, Ethernet, loopback and interfaces without a link header (tun) are known. VLAN tags that the
///   kernel took off are not put back.
/// * The loopback shows each frame twice, on its way out and in; the second is dropped
///   ([`Self::duplicates`]).
/// * In the instant in which it opens, Linux may already queue frames of other interfaces.
///
/// ```no_run
/// use mailslot::capture::{CaptureError, LiveCapture, LiveOptions};
///
/// # fn stopped() -> bool { true }
/// let mut live = LiveCapture::open("eth0", LiveOptions::default())?;
/// while !stopped() {
///     if let Some(frame) = live.next_frame()? {
///         println!("{}: {} bytes", frame.number, frame.bytes.len());
///     }
/// }
/// # Ok::<(), CaptureError>(())
/// ```
pub struct LiveCapture {
    interface: String,
    link: LinkType,
    receiver: system::Receiver,
    frames: u64,
    duplicates: u64,
    /// On the loopback: the frames of which the second copy is still to come.
    once: Option<SeenOnce>,
}

impl fmt::Debug for LiveCapture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveCapture")
            .field("interface", &self.interface)
            .field("link", &self.link)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

impl LiveCapture {
    /// Begins to listen on the interface called `name`.
    ///
    /// # Errors
    ///
    /// [`CaptureError::NoInterface`], [`CaptureError::UnknownLink`] if its frames could not be read,
    /// [`CaptureError::NotPermitted`] if the process lacks `CAP_NET_RAW` (on Linux), [`CaptureError::Live`] for
    /// what else the system says.
    pub fn open(name: &str, options: LiveOptions) -> Result<Self, CaptureError> {
        let all = interfaces();
        let Some(interface) = all.iter().find(|interface| interface.name == name) else {
            let known: Vec<_> = all.iter().map(|interface| interface.name.as_str()).collect();
            return Err(CaptureError::NoInterface { name: name.to_owned(), known: known.join(", ") });
        };
        let link = link_type(interface, system::hardware_type(name))
            .map_err(|hardware| CaptureError::UnknownLink { interface: name.to_owned(), hardware })?;
        let receiver = system::open(name, options).map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => CaptureError::NotPermitted { interface: name.to_owned() },
            _ => CaptureError::Live { interface: name.to_owned(), source },
        })?;
        let once = interface.loopback.then(SeenOnce::default);
        Ok(Self { interface: name.to_owned(), link, receiver, frames: 0, duplicates: 0, once })
    }

    /// The next frame; `None` if none came within [`LiveOptions::timeout`], or only the second copy of one, or a
    /// signal. It is meant to be called again then.
    ///
    /// # Errors
    ///
    /// [`CaptureError::Live`] if the interface gives nothing more, for example because it went down.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        let bytes = match system::receive(&mut self.receiver) {
            Ok(bytes) => bytes,
            Err(error) if is_pause(error.kind()) => return Ok(None),
            Err(source) => {
                let source = explained(&self.interface, source);
                return Err(CaptureError::Live { interface: self.interface.clone(), source });
            }
        };
        let time = now();
        if self.once.as_mut().is_some_and(|once| once.is_second(Instant::now(), bytes)) {
            self.duplicates += 1;
            return Ok(None);
        }
        self.frames += 1;
        Ok(Some(Frame { number: self.frames, ..Frame::new(time, self.link, bytes) }))
    }

    /// The interface's name.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// The link type of all its frames.
    pub const fn link(&self) -> LinkType {
        self.link
    }

    /// Frames given so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Second copies dropped so far.
    pub const fn duplicates(&self) -> u64 {
        self.duplicates
    }
}

/// Whether an error only means that nothing came.
const fn is_pause(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// What the system means where it only says that the socket gives no frames.
fn explained(name: &str, error: io::Error) -> io::Error {
    match interfaces().iter().find(|interface| interface.name == name) {
        None => io::Error::new(io::ErrorKind::NotFound, "the interface is gone"),
        Some(interface) if !interface.up => {
            io::Error::new(io::ErrorKind::NetworkDown, "the interface is down")
        }
        Some(_) => error,
    }
}

/// The wall clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
}

/// What the frames of an interface begin with, by its hardware type (Linux: `ARPHRD_…` of `if_arp.h`) where the
/// system tells it. The error is that type.
const fn link_type(interface: &Interface, hardware: Option<u32>) -> Result<LinkType, u32> {
    match hardware {
        // Ethernet; the loopback, which has an Ethernet header of zeros.
        Some(1 | 772) => Ok(LinkType::ETHERNET),
        // No header (tun); raw IP.
        Some(65_534 | 519) => Ok(LinkType::RAW),
        Some(other) => Err(other),
        None if interface.loopback || interface.hardware_address.is_some() => Ok(LinkType::ETHERNET),
        None => Err(0),
    }
}

/// Frames that were seen once and will be a second time.
#[derive(Debug, Default)]
struct SeenOnce {
    /// When, the length, and a hash of the bytes.
    frames: VecDeque<(Instant, usize, u64)>,
}

impl SeenOnce {
    /// Most frames that are under way at a time.
    const FRAMES: usize = 1024;
    /// The copies follow each other within microseconds. If one was lost, a later frame with the same bytes must
    /// not be taken for it.
    const WITHIN: Duration = Duration::from_millis(500);

    fn is_second(&mut self, now: Instant, frame: &[u8]) -> bool {
        while self.frames.front().is_some_and(|(at, ..)| now.duration_since(*at) > Self::WITHIN) {
            self.frames.pop_front();
        }
        let mut hasher = DefaultHasher::new();
        frame.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(index) =
            self.frames.iter().position(|(_, len, seen)| (*len, *seen) == (frame.len(), hash))
        {
            self.frames.remove(index);
            return true;
        }
        if self.frames.len() >= Self::FRAMES {
            self.frames.pop_front();
        }
        self.frames.push_back((now, frame.len(), hash));
        false
    }
}

#[cfg(unix)]
mod system {
    use std::io;

    use pnet_datalink::{Channel, Config, DataLinkReceiver};

    use super::{Interface, InterfaceAddress, LiveOptions};
    use crate::capture::MAX_RECORD_LEN;

    pub(super) type Receiver = Box<dyn DataLinkReceiver>;

    pub(super) fn interfaces() -> Vec<Interface> {
        pnet_datalink::interfaces()
            .into_iter()
            .map(|interface| Interface {
                index: interface.index,
                up: interface.is_up(),
                loopback: interface.is_loopback(),
                hardware_address: interface.mac.map(|mac| mac.octets()).filter(|mac| *mac != [0; 6]),
                addresses: interface
                    .ips
                    .iter()
                    .map(|network| InterfaceAddress { address: network.ip(), prefix: network.prefix() })
                    .collect(),
                name: interface.name,
                description: interface.description,
            })
            .collect()
    }

    /// The hardware type of an interface, if the system tells it.
    pub(super) fn hardware_type(name: &str) -> Option<u32> {
        if cfg!(any(target_os = "linux", target_os = "android")) {
            std::fs::read_to_string(format!("/sys/class/net/{name}/type")).ok()?.trim().parse().ok()
        } else {
            None
        }
    }

    pub(super) fn open(name: &str, options: LiveOptions) -> io::Result<Receiver> {
        let interface = pnet_datalink::interfaces()
            .into_iter()
            .find(|interface| interface.name == name)
            .ok_or(io::ErrorKind::NotFound)?;
        let config = Config {
            read_timeout: Some(options.timeout),
            promiscuous: options.promiscuous,
            // Segmentation offload makes frames that are longer than the wire's.
            read_buffer_size: MAX_RECORD_LEN,
            ..Config::default()
        };
        match pnet_datalink::channel(&interface, config)? {
            Channel::Ethernet(_, receiver) => Ok(receiver),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    pub(super) fn receive(receiver: &mut Receiver) -> io::Result<&[u8]> {
        receiver.next()
    }
}

#[cfg(not(unix))]
mod system {
    use core::convert::Infallible;
    use std::io;

    use super::{Interface, LiveOptions};

    pub(super) type Receiver = Infallible;

    pub(super) fn interfaces() -> Vec<Interface> {
        Vec::new()
    }

    pub(super) fn hardware_type(_: &str) -> Option<u32> {
        None
    }

    pub(super) fn open(_: &str, _: LiveOptions) -> io::Result<Receiver> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn receive(receiver: &mut Receiver) -> io::Result<&[u8]> {
        match *receiver {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_copies_are_recognised() {
        let mut once = SeenOnce::default();
        let start = Instant::now();
        let mut second = |after, frame: &[u8]| once.is_second(start + Duration::from_millis(after), frame);
        // One after the other, interleaved, and the same frame again.
        assert_eq!(
            [second(0, b"a"), second(0, b"a"), second(0, b"a"), second(0, b"a")],
            [false, true, false, true]
        );
        assert_eq!(
            [second(1, b"a"), second(1, b"b"), second(1, b"a"), second(1, b"b")],
            [false, false, true, true]
        );
        // A copy that was lost.
        assert_eq!([second(10, b"c"), second(511, b"c"), second(512, b"c")], [false, false, true]);
        // Bounded.
        for number in 0..2000_u32 {
            second(600, &number.to_be_bytes());
        }
        assert_eq!([second(600, &0_u32.to_be_bytes()), second(600, &1999_u32.to_be_bytes())], [false, true]);
        assert!(once.frames.len() <= SeenOnce::FRAMES);
    }

    #[test]
    fn link_types() {
        let mut interface = Interface {
            name: String::new(),
            description: String::new(),
            index: 1,
            up: true,
            loopback: false,
            hardware_address: None,
            addresses: Vec::new(),
        };
        assert_eq!(link_type(&interface, Some(1)), Ok(LinkType::ETHERNET));
        assert_eq!(link_type(&interface, Some(772)), Ok(LinkType::ETHERNET));
        assert_eq!(link_type(&interface, Some(65_534)), Ok(LinkType::RAW));
        assert_eq!((link_type(&interface, Some(803)), link_type(&interface, None)), (Err(803), Err(0)));
        interface.loopback = true;
        assert_eq!(link_type(&interface, None), Ok(LinkType::ETHERNET));
    }
}

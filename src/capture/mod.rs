//! Captures: from a file or an interface to the UDP datagrams and TCP streams in it, and back to a file.
//!
//! ```text
//! pcap, pcapng (any std::io::Read)          an interface (Unix)
//!   ▼ Reader::next_frame                      ▼ LiveCapture::next_frame
//! Frame { number, time, link, bytes }  ──► Writer::write        pcap, pcapng (any std::io::Write)
//!   ▼ Packet::parse                 Ethernet, VLAN, Linux cooked, loopback, raw IP, 802.11; IPv4; UDP, TCP
//! Packet::Udp ──────────────┐  Packet::Fragment          Packet::Tcp     Packet::Other
//!                           │       ▼ Defragmenter::insert    ▼ TcpReassembler::push
//!                           │    Reassembled               TcpEvent::{Data, Gap, End}
//!                           ▼       ▼ Reassembled::udp
//!                         UdpDatagram { source, destination, payload, missing }
//! ```
//!
//! The payload of a datagram to or from port 138 is what [`crate::wire`] decodes next, and so are the bytes of
//! streams to or from the ports 139 and 445.
//!
//! Everything is bounded: a record by [`MAX_RECORD_LEN`], the half-assembled datagrams by [`DefragLimits`], the
//! streams by [`TcpLimits`]. The only time is the frames' own; only [`LiveCapture`] looks at a clock, to give it
//! to them.
//!
//! ```
//! use mailslot::capture::{CaptureError, Defragmenter, Packet, Reader};
//!
//! fn datagrams(file: impl std::io::Read) -> Result<usize, CaptureError> {
//!     let mut reader = Reader::new(file)?;
//!     let mut defragmenter = Defragmenter::default();
//!     let mut count = 0;
//!     loop {
//!         let frame = match reader.next_frame() {
//!             Ok(Some(frame)) => frame,
//!             Ok(None) => return Ok(count),
//!             Err(error) if error.is_recoverable() => {
//!                 eprintln!("{error}");
//!                 continue;
//!             }
//!             Err(error) => return Err(error),
//!         };
//!         match Packet::parse(frame.link, frame.bytes) {
//!             Ok(Packet::Udp(datagram)) => {
//!                 println!("{}: {} bytes", datagram.source, datagram.payload.len());
//!                 count += 1;
//!             }
//!             Ok(Packet::Fragment(fragment)) => {
//!                 if let Some(whole) = defragmenter.insert(frame.time, &fragment) {
//!                     count += usize::from(whole.udp().is_ok());
//!                 }
//!             }
//!             Ok(_) => {}
//!             Err(error) => eprintln!("frame {}: {error}", frame.number),
//!         }
//!     }
//! }
//!
//! // A classic capture without records.
//! let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
//! assert_eq!(datagrams(file.as_slice())?, 0);
//! file.truncate(20);
//! assert!(datagrams(file.as_slice()).is_err());
//! # Ok::<(), CaptureError>(())
//! ```
//!
//! Sources: draft-ietf-opsawg-pcap (classic pcap), draft-ietf-opsawg-pcapng, the tcpdump group's list of link
//! types, RFC 791 (IPv4), RFC 815 (reassembly), RFC 768 (UDP), RFC 9293 (TCP).

mod blocks;
mod defrag;
mod error;
mod frame;
mod half;
mod input;
mod link;
mod live;
mod order;
mod packet;
mod reader;
mod tcp;
mod wifi;
mod writer;

pub use defrag::{DefragCounters, DefragLimits, Defragmenter, Reassembled};
pub use error::{CaptureError, FileStart};
pub use frame::{Frame, LinkType, Timestamp};
pub use link::MAX_VLAN_TAGS;
pub use live::{Interface, InterfaceAddress, LiveCapture, LiveOptions, interfaces};
pub use packet::{Ipv4Fragment, OtherKind, Packet, TcpFlags, TcpSegment, UdpDatagram};
pub use reader::{Format, MAX_BLOCK_LEN, MAX_INTERFACES, MAX_RECORD_LEN, Reader};
pub use tcp::{
    TcpArrivals, TcpCounters, TcpData, TcpDirection, TcpEnd, TcpEndReason, TcpEvent, TcpGap, TcpGapReason,
    TcpLimits, TcpReassembler, TcpStart,
};
pub use writer::Writer;

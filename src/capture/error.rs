//! Errors of captures: what is wrong with the file or the interface, not with the frames.

use core::fmt;
use std::io;

use super::frame::LinkType;

/// A capture file cannot be read or written, a record of it cannot be given, or an interface not be listened to.
///
/// `record` is the 1-based number of the packet record that is concerned, or would come next when a block
/// without a packet is; 0 is the file header. `offset` is the position of that record's or block's first byte
/// in the file, in bytes (in what the reader was given: after decompression, if there is one).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The first bytes are those of neither pcap nor pcapng.
    #[error("not a capture: {start}")]
    NotACapture {
        /// The first bytes.
        start: FileStart,
    },
    /// The file is a capture in a form that is not supported.
    #[error("{what} 0x{value:x} is not supported")]
    Unsupported {
        /// What was found, for example `pcap version`.
        what: &'static str,
        /// Its value.
        value: u32,
    },
    /// Reading failed.
    #[error("cannot read record {record} at byte {offset}")]
    Io {
        /// Number of the record.
        record: u64,
        /// Where the record begins, in bytes.
        offset: u64,
        /// What the source said.
        source: io::Error,
    },
    /// The file ends in the middle of a record. All whole records before it were given.
    #[error("the file ends inside {} at byte {offset}: {needed} bytes needed, {have} there", Place(*.record))]
    Truncated {
        /// Number of the record that is cut.
        record: u64,
        /// Where the record begins, in bytes.
        offset: u64,
        /// Length of the whole record in bytes, or of its header if that is cut.
        needed: u64,
        /// Bytes of it that are there.
        have: u64,
    },
    /// A record is longer than the reader takes. It is skipped; reading goes on behind it.
    #[error("record {record} at byte {offset} is skipped: {len} bytes long, at most {max} are read")]
    TooLong {
        /// Number of the record.
        record: u64,
        /// Where the record begins, in bytes.
        offset: u64,
        /// Its length in bytes.
        len: u64,
        /// The largest length that is read, in bytes.
        max: u64,
    },
    /// A pcapng packet names an interface that no block describes. It is skipped; reading goes on behind it.
    #[error("record {record} at byte {offset} is skipped: interface {interface} is not described")]
    UnknownInterface {
        /// Number of the record.
        record: u64,
        /// Where the record begins, in bytes.
        offset: u64,
        /// The interface's number in its section.
        interface: u32,
    },
    /// A pcapng packet block's length of captured bytes does not fit its block. It is skipped; reading goes on
    /// behind it.
    #[error(
        "record {record} at byte {offset} is skipped: {len} captured bytes, its block has space for {max}"
    )]
    BadRecord {
        /// Number of the record.
        record: u64,
        /// Where the record begins, in bytes.
        offset: u64,
        /// Captured length that the record states, in bytes.
        len: u64,
        /// Bytes that its block has for them.
        max: u64,
    },
    /// The structure of the file is damaged so that the next record cannot be found.
    #[error("{} at byte {offset}: {field} is {value}, expected {expected}", Place(*.record))]
    Malformed {
        /// Number of the record.
        record: u64,
        /// Where the record or block begins, in bytes.
        offset: u64,
        /// The field that is wrong.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What it must be.
        expected: &'static str,
    },
    /// Writing failed. The file may end anywhere.
    #[error("cannot write record {record}: {source}")]
    Write {
        /// Number of the record.
        record: u64,
        /// What the sink said.
        source: io::Error,
    },
    /// A classic file cannot hold the frame: it has one link type for all. The frame is not written.
    #[error("record {record} is not written: it is {frame}, the file {file}; pcapng holds both")]
    MixedLinkTypes {
        /// Number that the record would have.
        record: u64,
        /// The link type of the file.
        file: LinkType,
        /// That of the frame.
        frame: LinkType,
    },
    /// The format has no space for a frame's field. The frame is not written.
    #[error("record {record} is not written: {field} is {value}, expected {expected}")]
    NotWritable {
        /// Number that the record would have.
        record: u64,
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What fits.
        expected: &'static str,
    },
    /// There is no interface of this name.
    #[error("there is no interface {name:?}; there are: {known}")]
    NoInterface {
        /// The name.
        name: String,
        /// The names there are, with commas between them.
        known: String,
    },
    /// The system does not let this process listen.
    #[error("cannot listen on {interface}: {}", NEEDED)]
    NotPermitted {
        /// The interface.
        interface: String,
    },
    /// The interface's link layer is not known.
    #[error("cannot listen on {interface}: its link layer (hardware type {hardware}) is not known")]
    UnknownLink {
        /// The interface.
        interface: String,
        /// Its number in the system's list (on Linux `ARPHRD_…`), 0 if the system does not tell.
        hardware: u32,
    },
    /// Listening fails, for example because the interface went down.
    #[error("cannot listen on {interface}: {source}")]
    Live {
        /// The interface.
        interface: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What listening needs here.
const NEEDED: &str = if cfg!(any(target_os = "linux", target_os = "android")) {
    "this needs CAP_NET_RAW: run as root, or once `sudo setcap cap_net_raw+ep $(command -v mailslot)`"
} else {
    "this needs the rights of root, or access to /dev/bpf*"
};

impl CaptureError {
    /// Whether only one record is lost and reading or writing can go on; otherwise the reader gives nothing
    /// more.
    pub const fn is_recoverable(&self) -> bool {
        matches!(
            self,
            Self::TooLong { .. }
                | Self::UnknownInterface { .. }
                | Self::BadRecord { .. }
                | Self::MixedLinkTypes { .. }
                | Self::NotWritable { .. }
        )
    }
}

/// "record 7", or the file header.
struct Place(u64);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("the file header"),
            number => write!(f, "record {number}"),
        }
    }
}

/// The first bytes of a file that is no capture, at most eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStart {
    bytes: [u8; 8],
    len: usize,
}

impl FileStart {
    pub(super) fn new(start: &[u8]) -> Self {
        let mut bytes = [0; 8];
        let len = start.len().min(bytes.len());
        bytes.iter_mut().zip(start).for_each(|(to, from)| *to = *from);
        Self { bytes, len }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// What such a file usually is.
    fn hint(&self) -> Option<&'static str> {
        match self.as_bytes() {
            [0x1f, 0x8b, ..] => Some("gzip"),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Some("xz"),
            [b'B', b'Z', b'h', ..] => Some("bzip2"),
            [b'P', b'K', 3, 4, ..] => Some("zip"),
            [b's', b'n', b'o', b'o', b'p', ..] => Some("snoop"),
            [b'G', b'M', b'B', b'U', ..] => Some("Microsoft Network Monitor"),
            _ => None,
        }
    }
}

impl fmt::Display for FileStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.len == 0 {
            return f.write_str("the file is empty");
        }
        f.write_str("the file starts with")?;
        for byte in self.as_bytes() {
            write!(f, " {byte:02x}")?;
        }
        match self.hint() {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

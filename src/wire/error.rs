//! Errors of the wire layer: bytes that are wrong, and values that cannot become bytes.

use core::fmt;

/// The layer a [`DecodeError`] or [`ValueError`] belongs to.
///
/// Ordered from the outside in, as the bytes are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Layer {
    /// The link layer of a capture: Ethernet, VLAN, Linux cooked, loopback.
    Link,
    /// IPv4 (RFC 791).
    Ipv4,
    /// UDP (RFC 768).
    Udp,
    /// TCP (RFC 9293).
    Tcp,
    /// A NetBIOS name in its first- and second-level encoding (RFC 1001 §14, RFC 1002 §4.1).
    NetbiosName,
    /// The NetBIOS name service (RFC 1002 §4.2).
    Nbns,
    /// The NetBIOS datagram service (RFC 1002 §4.4).
    Nbdgm,
    /// The NetBIOS session service (RFC 1002 §4.3), and the length prefix of port 445.
    Nbss,
    /// The SMB1 header (MS-CIFS 2.2.3).
    Smb,
    /// `SMB_COM_TRANSACTION` (MS-CIFS 2.2.4.33).
    Transaction,
    /// `TRANS_MAILSLOT_WRITE` (MS-MAIL 2.2.1).
    Mailslot,
    /// A browser frame (MS-BRWS 2.2).
    Browser,
    /// A LAN Manager announcement on `\MAILSLOT\LANMAN`.
    Lanman,
    /// A domain controller locator message (MS-ADTS 6.3.1, MS-NRPC 2.2.1.5.1).
    Netlogon,
    /// A messenger text (MS-MSRP 2.2).
    Messenger,
    /// A Remote Administration Protocol request or answer (MS-RAP 2.5).
    Rap,
    /// The local protocol between the processes of one machine ([`crate::wire::local`]).
    Local,
}

impl Layer {
    /// The name used in messages and as the JSON key `error.layer`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Ipv4 => "ipv4",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::NetbiosName => "netbios_name",
            Self::Nbns => "nbns",
            Self::Nbdgm => "nbdgm",
            Self::Nbss => "nbss",
            Self::Smb => "smb",
            Self::Transaction => "transaction",
            Self::Mailslot => "mailslot",
            Self::Browser => "browser",
            Self::Lanman => "lanman",
            Self::Netlogon => "netlogon",
            Self::Messenger => "messenger",
            Self::Rap => "rap",
            Self::Local => "local",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The field needs more bytes than there are.
    Truncated {
        /// Bytes the field needs.
        needed: usize,
        /// Bytes that are there from the field's first byte on.
        have: usize,
    },
    /// A fixed field has another value, or one outside its range.
    BadValue {
        /// The value found.
        value: u32,
        /// What the specification asks for.
        expected: &'static str,
    },
    /// A length, count or offset points outside the bytes it must stay in.
    OutOfBounds {
        /// The end (or start) that the field asks for.
        needed: usize,
        /// The bound it must keep.
        have: usize,
    },
    /// A string has no terminating NUL before the end of its space.
    Unterminated,
    /// A string or list is longer than the specification allows.
    TooLong {
        /// Length found, in bytes.
        have: usize,
        /// Largest length allowed, in bytes.
        max: usize,
    },
    /// A label pointer where RFC 1002 allows none: in session and datagram packets, and where another pointer
    /// points.
    PointerNotAllowed,
    /// The transaction is sound but its name is not below `\MAILSLOT\`.
    NotAMailslot,
}

impl DecodeErrorKind {
    /// The word used as the JSON key `error.kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated { .. } => "truncated",
            Self::BadValue { .. } => "bad_value",
            Self::OutOfBounds { .. } => "out_of_bounds",
            Self::Unterminated => "unterminated",
            Self::TooLong { .. } => "too_long",
            Self::PointerNotAllowed => "pointer_not_allowed",
            Self::NotAMailslot => "not_a_mailslot",
        }
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { needed, have } => write!(f, "needs {needed} bytes, has {have}"),
            Self::BadValue { value, expected } => write!(f, "is 0x{value:x}, expected {expected}"),
            Self::OutOfBounds { needed, have } => write!(f, "reaches {needed}, the bound is {have}"),
            Self::Unterminated => f.write_str("has no terminating NUL"),
            Self::TooLong { have, max } => write!(f, "is {have} bytes long, at most {max} are allowed"),
            Self::PointerNotAllowed => f.write_str("is a label pointer, which is not allowed here"),
            Self::NotAMailslot => f.write_str("is not below \\MAILSLOT\\"),
        }
    }
}

/// The bytes are wrong: which layer, which field, where, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{layer}: {field} at offset {offset} {kind}")]
#[non_exhaustive]
pub struct DecodeError {
    /// The layer that refused the bytes.
    pub layer: Layer,
    /// The field's name in its specification, in snake_case.
    pub field: &'static str,
    /// Offset of the field's first byte, in bytes from the start of the unit given to the outermost
    /// `decode`; whoever decodes a part of something larger adds the part's place with [`Self::at`].
    pub offset: usize,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

impl DecodeError {
    /// An error at `offset`.
    pub const fn new(layer: Layer, field: &'static str, offset: usize, kind: DecodeErrorKind) -> Self {
        Self { layer, field, offset, kind }
    }

    /// The same error seen from a unit in which the decoded part begins at `base`.
    #[must_use]
    pub const fn at(mut self, base: usize) -> Self {
        self.offset = self.offset.saturating_add(base);
        self
    }
}

/// A value that cannot be put on the wire. Only constructors return it; encoding never fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{layer}: {field} {reason}")]
#[non_exhaustive]
pub struct ValueError {
    /// The layer the value was meant for.
    pub layer: Layer,
    /// The field's name in its specification, in snake_case.
    pub field: &'static str,
    /// Why the value does not fit.
    pub reason: ValueErrorReason,
}

impl ValueError {
    pub(crate) const fn new(layer: Layer, field: &'static str, reason: ValueErrorReason) -> Self {
        Self { layer, field, reason }
    }

    pub(crate) const fn too_long(layer: Layer, field: &'static str, have: usize, max: usize) -> Self {
        Self::new(layer, field, ValueErrorReason::TooLong { have, max })
    }
}

/// Why a value does not fit its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueErrorReason {
    /// Longer than the field can say.
    TooLong {
        /// Length given, in bytes.
        have: usize,
        /// Largest length that fits, in bytes.
        max: usize,
    },
    /// Empty where something is required.
    Empty,
    /// Holds a byte or character the field cannot carry.
    BadCharacter {
        /// The character's position in what was given.
        position: usize,
    },
    /// Has no form that the field accepts.
    BadForm(&'static str),
}

impl fmt::Display for ValueErrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { have, max } => write!(f, "is {have} bytes long, at most {max} fit"),
            Self::Empty => f.write_str("is empty"),
            Self::BadCharacter { position } => {
                write!(f, "has a character at position {position} that cannot be encoded")
            }
            Self::BadForm(what) => write!(f, "must be {what}"),
        }
    }
}

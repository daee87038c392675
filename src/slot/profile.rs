//! Which Windows to behave like.

/// The system whose mailslot rules a sender, a registry or a receiver keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Profile {
    /// The NT line with its documented faults left out: what fits travels as a datagram, the rest to one
    /// computer over a session.
    #[default]
    Nt,
    /// Windows NT 4 as documented: a message of 425 or 426 bytes is cut to 424, and so is every datagram that
    /// is received.
    Nt4,
    /// Windows 95, 98 and Me: everything by datagram; names cut to 8.3; slots take at most 4,093 bytes.
    Win9x,
}

impl Profile {
    /// Largest message a slot made under this profile takes, in bytes; 0 if there is none of its own.
    ///
    /// Windows 95 makes slots with a ceiling of 4,093 bytes (KB Q170581).
    pub const fn slot_ceiling(self) -> u32 {
        match self {
            Self::Win9x => WIN9X_SLOT_CEILING,
            Self::Nt | Self::Nt4 => 0,
        }
    }

    /// Where a received datagram is cut, in bytes of message, if it is.
    ///
    /// "Windows NT will accept the first 424 bytes and truncate the remaining data" (book chapter, 19.1.2).
    pub const fn receive_cut(self) -> Option<usize> {
        match self {
            Self::Nt4 => Some(super::route::MAX_DATAGRAM_DATA),
            Self::Nt | Self::Win9x => None,
        }
    }

    /// Whether messages can come in over an SMB session (book chapter, Table 19-1: not on Windows 9x).
    pub const fn receives_sessions(self) -> bool {
        !matches!(self, Self::Win9x)
    }

    /// The name in options and output: `nt`, `nt4`, `win9x`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nt => "nt",
            Self::Nt4 => "nt4",
            Self::Win9x => "win9x",
        }
    }
}

/// Largest message a slot made by Windows 95 takes, in bytes (KB Q170581).
pub const WIN9X_SLOT_CEILING: u32 = 4093;

impl core::fmt::Display for Profile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl core::str::FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        [Self::Nt, Self::Nt4, Self::Win9x]
            .into_iter()
            .find(|p| p.name().eq_ignore_ascii_case(s))
            .ok_or(UnknownProfile)
    }
}

/// The word is none of `nt`, `nt4`, `win9x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile; the profiles are nt, nt4 and win9x")]
#[non_exhaustive]
pub struct UnknownProfile;

//! The size split: which way a message goes, by its length and destination. Pure; one table.
//!
//! Every number that decides is here under a name.

use super::error::MailslotError;
use super::path::SlotName;
use super::profile::Profile;

// Two more are not needed to route: 360, which every server guarantees to take (MS-MAIL 2.2.1), and 400, the broadcast
// limit of the old `CreateMailslot` page.

/// Largest message sent as a datagram by the NT line, in bytes: the limit every receiver honours (Win32 "About
/// Mailslots"; book chapter, Table 19-1). What 512 bytes leave for a name of 5 to 8 characters.
pub const MAX_DATAGRAM_DATA: usize = 424;
/// Largest message that the NT 4 redirector still sends as a (cut) datagram, in bytes (book chapter, 19.1.2:
/// 425 and 426 are truncated to 424).
pub const NT4_LAST_CUT: usize = 426;
/// Most user data in one NetBIOS datagram, in bytes (RFC 1001 17.1.2; MS-MAIL appendix A <2>).
pub const MAX_USER_DATA: usize = 512;
/// Largest message of one transaction, in bytes: `DataCount` has 16 bits (MS-CIFS 2.2.4.33).
pub const MAX_TRANSACTION_DATA: usize = 65_535;
/// Most SMB bytes in one UDP datagram without NetBIOS scope: 65,535 less 20 (IP), 8 (UDP) and 82 (NetBIOS header
/// and names).
pub const MAX_UDP_SMB: usize = 65_425;
/// Where the slot name starts in the SMB message: header 32, word count 1, 17 words, byte count 2 (MS-MAIL 2.2.1).
pub const NAME_OFFSET: usize = 69;
/// MS-MAIL 2.1's bound for name, NUL, padding and data together: 512 − 69 bytes.
pub const MAX_NAME_AND_DATA: usize = MAX_USER_DATA - NAME_OFFSET;

/// Whether the data begins at a multiple of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Alignment {
    /// Padded to four bytes, as the redirector writes and MS-MAIL 2.2.1 asks; the layout of application writes.
    #[default]
    Aligned,
    /// Directly after the name's NUL, as the kernel's browser driver writes.
    Unaligned,
}

/// Where a message goes, as far as the split cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Destination {
    /// A slot of this machine: no wire.
    Local,
    /// One computer.
    Computer,
    /// A domain, or `*`.
    Group,
}

/// Which ways a message may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Via {
    /// The one that the profile has for it.
    #[default]
    Any,
    /// A datagram only.
    Datagram,
    /// A session only.
    Session,
}

/// The way a message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Route {
    /// Into this machine's registry.
    Local,
    /// One NetBIOS datagram, class 2.
    Datagram {
        /// Whether it goes to a group name.
        group: bool,
        /// How many bytes of the message go.
        bytes: usize,
        /// Whether the message was cut to that (profile `nt4`, 425 and 426 bytes).
        truncated: bool,
    },
    /// An SMB session: a class-1 transaction. Unverified against a live NT 4.
    Session,
}

/// The offset of the data from the start of the SMB message, in bytes, for a slot name of `name_len` bytes after
/// `\MAILSLOT\`.
pub const fn data_offset(name_len: usize, alignment: Alignment) -> usize {
    let end = NAME_OFFSET + r"\MAILSLOT\".len() + name_len + 1;
    match alignment {
        Alignment::Aligned => end.next_multiple_of(4),
        Alignment::Unaligned => end,
    }
}

/// Largest message that *fits* a datagram of the NT line, in bytes: the smaller of 424 and 512 − `data_offset`;
/// `None` if not even an empty message does.
pub const fn datagram_capacity(data_offset: usize) -> Option<usize> {
    match MAX_USER_DATA.checked_sub(data_offset) {
        Some(room) if room < MAX_DATAGRAM_DATA => Some(room),
        Some(_) => Some(MAX_DATAGRAM_DATA),
        None => None,
    }
}

/// Decides how a message of `len` bytes travels to the slot `name`.
///
/// Sources: MS-MAIL 2.1 and appendix A <2>, the book chapter's Table 19-1, Win32 `CreateMailslot`; where those
/// differ, the limit every receiver honours is taken.
///
/// # Errors
///
/// [`MailslotError::TooLongForGroup`] (53) if it does not fit a datagram to a domain or `*`,
/// [`MailslotError::TooLongToSend`] (87) if nothing carries it, [`MailslotError::BadName`] (123) if the name
/// cannot be written on the wire. Nothing is to be sent then.
pub fn plan(
    name: &SlotName,
    to: Destination,
    len: usize,
    profile: Profile,
    alignment: Alignment,
) -> Result<Route, MailslotError> {
    let group = match to {
        Destination::Local => return Ok(Route::Local),
        Destination::Computer => false,
        Destination::Group => true,
    };
    let offset = data_offset(name_on_wire_len(name, profile)?, alignment);
    if len > MAX_TRANSACTION_DATA {
        return Err(MailslotError::TooLongToSend { size: len, max: MAX_TRANSACTION_DATA });
    }
    let whole = Route::Datagram { group, bytes: len, truncated: false };
    if matches!(profile, Profile::Win9x) {
        // Never a session; IP fragmentation does the rest.
        let max = MAX_UDP_SMB.saturating_sub(offset);
        return if len <= max { Ok(whole) } else { Err(MailslotError::TooLongToSend { size: len, max }) };
    }
    let capacity = datagram_capacity(offset);
    match (capacity, group) {
        (Some(max), _) if len <= max => Ok(whole),
        (_, true) => Err(MailslotError::TooLongForGroup { size: len, max: capacity.unwrap_or(0) }),
        (Some(max), false) if matches!(profile, Profile::Nt4) && len <= NT4_LAST_CUT => {
            Ok(Route::Datagram { group, bytes: max, truncated: true })
        }
        _ => Ok(Route::Session),
    }
}

/// Decides as [`plan`] does, for a message that may go no way but `via`.
///
/// # Errors
///
/// Those of [`plan`]; [`MailslotError::TooLongForDatagram`] (87), [`MailslotError::NoSessionToGroup`] (53), and
/// [`MailslotError::NoSuchWay`] (50) for a session with the profile `win9x`, which has none, and for any wire to a slot
/// of this machine.
pub fn plan_via(
    name: &SlotName,
    to: Destination,
    len: usize,
    profile: Profile,
    alignment: Alignment,
    via: Via,
) -> Result<Route, MailslotError> {
    let way = match via {
        Via::Any => return plan(name, to, len, profile, alignment),
        Via::Datagram => "datagram",
        Via::Session => "session",
    };
    match (via, to) {
        (_, Destination::Local) => {
            let reason = r"\\.\ is this computer, and no wire leads there";
            Err(MailslotError::NoSuchWay { way, reason })
        }
        (Via::Session, Destination::Group) => Err(MailslotError::NoSessionToGroup),
        (Via::Session, _) if matches!(profile, Profile::Win9x) => {
            Err(MailslotError::NoSuchWay { way, reason: "the profile win9x has none" })
        }
        _ => match plan(name, to, len, profile, alignment)? {
            Route::Session if via == Via::Datagram => {
                let offset = data_offset(name_on_wire_len(name, profile)?, alignment);
                let max = datagram_capacity(offset).unwrap_or(0);
                Err(MailslotError::TooLongForDatagram { size: len, max })
            }
            _ if via == Via::Session => Ok(Route::Session),
            route => Ok(route),
        },
    }
}

fn name_on_wire_len(name: &SlotName, profile: Profile) -> Result<usize, MailslotError> {
    let cut;
    let name = if matches!(profile, Profile::Win9x) {
        cut = name.cut_to_8_3();
        &cut
    } else {
        name
    };
    Ok(name.to_wire()?.len() - r"\MAILSLOT\".len())
}

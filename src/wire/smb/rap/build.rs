//! Answers as they are made: both blocks, laid out as Windows or Samba does.

use bytes::BufMut;

use super::answer::{ResponseParameters, ServerDetails, ServerEntry, ShareDetails, ShareEntry, ShareType};
use super::{SERVER_DESC, SHARE_DESC, Status, descriptor};
use crate::wire::browser::{ServerType, Version};
use crate::wire::error::{Layer, ValueError};
use crate::wire::oem::OemZ;

/// Where the strings of an answer go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StringLayout {
    /// Windows: filled from the end of the receive buffer, the first entry's string last; pointers count in that
    /// buffer, and the converter is what is left of it.
    Backward,
    /// Samba: in the order of the entries, with this converter (Samba: 0).
    Forward(u16),
}

/// An answer: both blocks of the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The parameter block; its entries are those that were written.
    pub parameters: ResponseParameters<'static>,
    /// The data block.
    pub data: Vec<u8>,
}

/// Answers NetServerEnum2 or 3: as many of `entries` as fit `receive_buffer_size` bytes. Entries without details
/// have version 0.0, no type and no comment at level 1.
///
/// The status is ERROR_MORE_DATA when not all fit, NERR_BufTooSmall when none does; `available` counts them all
/// (65,535 at most).
///
/// # Errors
/// A level other than 0 and 1; a comment with a NUL.
pub fn answer_servers<'a>(
    level: u16,
    layout: StringLayout,
    receive_buffer_size: u16,
    entries: impl IntoIterator<Item = ServerEntry<'a>>,
) -> Result<Answer, ValueError> {
    descriptor(&SERVER_DESC, level)?;
    answer(layout, receive_buffer_size, entries, |entry, fixed| {
        fixed.put_slice(entry.name.as_bytes());
        if level == 0 {
            return Ok(None);
        }
        let none =
            ServerDetails { version: Version::new(0, 0), server_type: ServerType::empty(), comment: &[] };
        let details = entry.details.unwrap_or(none);
        fixed.put_u8(details.version.major);
        fixed.put_u8(details.version.minor);
        fixed.put_u32_le(details.server_type.bits());
        OemZ::new(Layer::Rap, "comment", details.comment, usize::MAX).map(|comment| Some(comment.text()))
    })
}

/// Answers NetShareEnum, as [`answer_servers`]. Entries without details are directories without a remark at
/// level 1.
///
/// # Errors
/// A level other than 0 and 1; a remark with a NUL.
pub fn answer_shares<'a>(
    level: u16,
    layout: StringLayout,
    receive_buffer_size: u16,
    entries: impl IntoIterator<Item = ShareEntry<'a>>,
) -> Result<Answer, ValueError> {
    let [level0, level1, _] = SHARE_DESC;
    descriptor(&[level0, level1], level)?;
    answer(layout, receive_buffer_size, entries, |entry, fixed| {
        fixed.put_slice(&entry.name);
        if level == 0 {
            return Ok(None);
        }
        let none = ShareDetails { pad: 0, share_type: ShareType::DISK, remark: &[] };
        let details = entry.details.unwrap_or(none);
        fixed.put_u8(details.pad);
        fixed.put_u16_le(details.share_type.0);
        OemZ::new(Layer::Rap, "remark", details.remark, usize::MAX).map(|remark| Some(remark.text()))
    })
}

/// Lays out entries and strings. `fixed` appends an entry but for its pointer and gives its string, if it has one.
fn answer<'a, T>(
    layout: StringLayout,
    receive_buffer_size: u16,
    entries: impl IntoIterator<Item = T>,
    fixed: impl Fn(&T, &mut Vec<u8>) -> Result<Option<&'a [u8]>, ValueError>,
) -> Result<Answer, ValueError> {
    let room = usize::from(receive_buffer_size);
    let mut data = Vec::new();
    let mut strings: Vec<&[u8]> = Vec::new();
    // Where the pointers go.
    let mut pointers = Vec::new();
    let (mut used, mut written, mut available) = (0, 0_u16, 0_u16);
    let mut full = false;
    for entry in entries {
        available = available.saturating_add(1);
        if full {
            continue;
        }
        let start = data.len();
        let string = fixed(&entry, &mut data)?;
        let size = data.len() - start + string.map_or(0, |string| 4 + string.len() + 1);
        if size > room - used {
            data.truncate(start);
            full = true;
            continue;
        }
        used += size;
        written = written.saturating_add(1);
        if let Some(string) = string {
            pointers.push(data.len());
            strings.push(string);
            data.put_u32_le(0);
        }
    }
    let converter = match layout {
        // All that was taken fits the 16 bits of the room.
        StringLayout::Backward => u16::try_from(room - used).unwrap_or_default(),
        StringLayout::Forward(converter) => converter,
    };
    if layout == StringLayout::Backward {
        strings.reverse();
        pointers.reverse();
    }
    for (place, string) in pointers.into_iter().zip(strings) {
        let offset = u16::try_from(data.len()).unwrap_or_default();
        let pointer = u32::from(offset.wrapping_add(converter)).to_le_bytes();
        if let Some(field) = data.get_mut(place..place + pointer.len()) {
            field.copy_from_slice(&pointer);
        }
        data.put_slice(string);
        data.put_u8(0);
    }
    let status = match (full, written) {
        (false, _) => Status::SUCCESS,
        (true, 0) => Status::BUFFER_TOO_SMALL,
        (true, _) => Status::MORE_DATA,
    };
    let parameters = ResponseParameters::new(status, converter, written, available);
    Ok(Answer { parameters, data })
}

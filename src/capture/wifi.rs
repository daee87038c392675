//! 802.11 data frames, bare or behind a radiotap header: what monitor mode captures. All little-endian.
//!
//! ```text
//! radiotap   version   pad   length (2)   present (4)+   fields ...
//! 802.11     frame_control (2)   duration (2)   addresses (18)   sequence_control (2)   [address 4 (6)]   [qos (2)]
//!            [ht_control (4)]   AA AA 03 oui (3) ether_type (2)
//! ```
//!
//! Encrypted frames, fragments and aggregates (A-MSDU) are not read; neither are frames without data.

use super::link::network;
use super::packet::{OtherKind, Packet, truncated};
use crate::wire::{DecodeError, Layer};

const RADIOTAP_HEADER: usize = 8;
/// Bits of `present`: time, flags, another word follows.
const TSFT: u32 = 1;
const FLAGS: u32 = 1 << 1;
const EXTENDED: u32 = 1 << 31;
/// Flag: the 802.11 header is padded to a multiple of 4.
const DATA_PAD: u8 = 0x20;

const HEADER: usize = 24;
const SNAP: [u8; 3] = [0xaa, 0xaa, 3];
const SNAP_HEADER: usize = 8;

/// A radiotap header and an 802.11 frame.
pub(super) fn radiotap(frame: &[u8]) -> Result<Packet<'_>, DecodeError> {
    let Some(&[_, _, length0, length1, ..]) = frame.first_chunk::<RADIOTAP_HEADER>() else {
        return Err(truncated(Layer::Link, "radiotap_header", 0, RADIOTAP_HEADER, frame.len()));
    };
    let length = usize::from(u16::from_le_bytes([length0, length1]));
    let Some(header) = frame.get(..length) else {
        return Err(truncated(Layer::Link, "radiotap_header", 0, length, frame.len()));
    };
    let padded = flags(header).is_some_and(|flags| flags & DATA_PAD != 0);
    ieee802_11(frame, length, padded)
}

/// The field Flags of a radiotap header, if it is there.
fn flags(header: &[u8]) -> Option<u8> {
    let mut words = header.get(4..)?.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
    let first = words.next()?;
    let mut at = RADIOTAP_HEADER;
    let mut word = first;
    while word & EXTENDED != 0 {
        word = words.next()?;
        at += 4;
    }
    if first & TSFT != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    if first & FLAGS != 0 { header.get(at).copied() } else { None }
}

/// The 802.11 frame that begins at `at`.
pub(super) fn ieee802_11(frame: &[u8], at: usize, padded: bool) -> Result<Packet<'_>, DecodeError> {
    let other = Ok(Packet::Other(OtherKind::Ieee80211));
    let rest = frame.get(at..).unwrap_or_default();
    let Some(&[control, flags]) = rest.first_chunk::<2>() else {
        return Err(truncated(Layer::Link, "frame_control", at, 2, rest.len()));
    };
    let subtype = control >> 4;
    let is_data = control & 0x0f == 0x08 && subtype & 4 == 0;
    let [four_addresses, more_fragments, protected, order] =
        [flags & 3 == 3, flags & 4 != 0, flags & 0x40 != 0, flags & 0x80 != 0];
    if !is_data || protected || more_fragments {
        return other;
    }
    let has_qos = subtype & 8 != 0;
    let qos_at = HEADER + if four_addresses { 6 } else { 0 };
    let mut length = qos_at + if has_qos { 2 } else { 0 } + if has_qos && order { 4 } else { 0 };
    if padded {
        length = length.next_multiple_of(4);
    }
    let Some((header, body)) = rest.split_at_checked(length) else {
        return Err(truncated(Layer::Link, "ieee802_11_header", at, length, rest.len()));
    };
    let is_fragment = header.get(22).is_some_and(|number| number & 0x0f != 0);
    let is_aggregate = has_qos && header.get(qos_at).is_some_and(|qos| qos & 0x80 != 0);
    if is_fragment || is_aggregate {
        return other;
    }
    match body.first_chunk::<SNAP_HEADER>() {
        Some(&[a, b, c, _, _, _, high, low]) if [a, b, c] == SNAP => {
            network(frame, at + length + SNAP_HEADER, u16::from_be_bytes([high, low]))
        }
        Some(_) => other,
        None => Err(truncated(Layer::Link, "snap_header", at + length, SNAP_HEADER, body.len())),
    }
}

//! `SMB_COM_TRANSACTION` in a session, and what it carries (MS-CIFS 2.2.4.33, 2.2.4.34).

use super::command::{Context, aligned_text, ends};
use super::fields::Fields;
use super::{rap, smb, text};
use crate::wire::codec::Decode;
use crate::wire::oem::CodePage;
use crate::wire::smb::rap::ResponseParameters;
use crate::wire::smb::{MAILSLOT_PREFIX, PIPE_LANMAN, SmbStr, TransactionFlags};

/// Parameters or data of one message.
#[derive(Clone, Copy, Default)]
struct Piece {
    total: usize,
    count: usize,
    /// From the SMB signature.
    offset: usize,
}

impl Piece {
    const fn is_whole(self) -> bool {
        self.count == self.total
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Parameters,
    Data,
}

impl Kind {
    const fn field(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::Data => "data",
        }
    }
}

/// A request behind its WordCount, which is at least 14.
pub(super) fn request(f: &mut Fields<'_>, word_count: u8, context: Context) {
    let setup = word_count.saturating_sub(14);
    let name = peek_name(f, word_count, context.unicode);
    let mut parameters = Piece { total: f.u16_le("total_parameter_count").into(), ..Piece::default() };
    let mut data = Piece { total: f.u16_le("total_data_count").into(), ..Piece::default() };
    f.u16_le("max_parameter_count");
    f.u16_le("max_data_count");
    f.u8("max_setup_count");
    f.u8("reserved1");
    let flags = TransactionFlags::from_bits_retain(f.hex_u16_le("flags"));
    f.flags_of(&flags);
    let timeout = f.u32_le("timeout");
    f.mean(Some(text::milliseconds(timeout)));
    f.u16_le("reserved2");
    parameters.count = f.u16_le("parameter_count").into();
    parameters.offset = f.u16_le("parameter_offset").into();
    data.count = f.u16_le("data_count").into();
    data.offset = f.u16_le("data_offset").into();
    f.u8("setup_count");
    f.u8("reserved3");
    let is_write = setup > 0 && f.peek().starts_with(&[1, 0]);
    let slot = name
        .and_then(|name| name.strip_prefix_ignore_ascii_case(MAILSLOT_PREFIX))
        .filter(|slot| is_write && !slot.is_empty());
    for index in 0..setup {
        match index {
            0 if slot.is_some() => smb::opcode(f),
            1 if slot.is_some() => _ = f.u16_le("priority"),
            2 if slot.is_some() => smb::class(f),
            _ => _ = f.hex_u16_le("setup"),
        }
    }
    byte_count(f);
    if ends(f, context.unicode) {
        aligned_text(f, "name", context.unicode);
    } else {
        f.bytes("name", f.left());
        return f.stop();
    }
    let is_rap = name.is_some_and(|name| name.eq_ignore_ascii_case(PIPE_LANMAN));
    pieces(f, parameters, data, |f, kind| match kind {
        Kind::Data if data.is_whole() && slot.is_some() => {
            let slot = slot.map(|slot| slot.decode(CodePage::default())).unwrap_or_default();
            smb::message(slot.as_bytes(), f);
        }
        Kind::Parameters if parameters.is_whole() && is_rap => rap::request(f),
        kind => f.rest(kind.field()),
    });
}

/// The name of a request whose fixed words come next.
fn peek_name<'a>(f: &Fields<'a>, word_count: u8, unicode: bool) -> Option<SmbStr<'a>> {
    let words = usize::from(word_count).saturating_mul(2).saturating_add(2);
    let padding = if unicode { f.offset().saturating_add(words) % 2 } else { 0 };
    let rest = f.peek().get(words.saturating_add(padding)..)?;
    let end = if unicode { text::utf16_nul(rest) } else { memchr::memchr(0, rest) }?;
    let text = rest.get(..end)?;
    if unicode { SmbStr::utf16(text).ok() } else { SmbStr::oem(text).ok() }
}

/// An answer behind its WordCount, which is at least 10.
pub(super) fn response(f: &mut Fields<'_>, word_count: u8, context: Context) {
    let mut parameters = Piece { total: f.u16_le("total_parameter_count").into(), ..Piece::default() };
    let mut data = Piece { total: f.u16_le("total_data_count").into(), ..Piece::default() };
    f.u16_le("reserved1");
    span(f, &mut parameters, PARAMETERS);
    span(f, &mut data, DATA);
    f.u8("setup_count");
    f.u8("reserved2");
    for _ in 10..word_count {
        f.hex_u16_le("setup");
    }
    byte_count(f);
    let block = f.slice(parameters.offset, parameters.count).filter(|block| !block.is_empty());
    let read = block.and_then(|block| ResponseParameters::decode(block).ok());
    pieces(f, parameters, data, |f, kind| match (kind, context.answers, &read) {
        (Kind::Parameters, Some((function, _)), _) => rap::parameters(Some(function), f),
        (Kind::Data, Some((function, level)), Some(read)) => rap::data(function, level, read, f),
        (kind, ..) => f.rest(kind.field()),
    });
}

/// A further part of a request behind its WordCount, which is 8.
pub(super) fn secondary(f: &mut Fields<'_>) {
    let mut parameters = Piece { total: f.u16_le("total_parameter_count").into(), ..Piece::default() };
    let mut data = Piece { total: f.u16_le("total_data_count").into(), ..Piece::default() };
    span(f, &mut parameters, PARAMETERS);
    span(f, &mut data, DATA);
    byte_count(f);
    pieces(f, parameters, data, |f, kind| f.rest(kind.field()));
}

const PARAMETERS: [&str; 3] = ["parameter_count", "parameter_offset", "parameter_displacement"];
const DATA: [&str; 3] = ["data_count", "data_offset", "data_displacement"];

fn span(f: &mut Fields<'_>, piece: &mut Piece, [count, offset, displacement]: [&'static str; 3]) {
    piece.count = f.u16_le(count).into();
    piece.offset = f.u16_le(offset).into();
    f.u16_le(displacement);
}

/// ByteCount, which counts for nothing in transactions.
fn byte_count(f: &mut Fields<'_>) {
    let byte_count = usize::from(f.u16_le("byte_count"));
    let follow = f.left();
    f.mean((byte_count != follow).then(|| format!("{follow} bytes follow")));
}

/// Parameters and data where they stand, in the order of their offsets. `show` takes all bytes of one.
fn pieces(f: &mut Fields<'_>, parameters: Piece, data: Piece, mut show: impl FnMut(&mut Fields<'_>, Kind)) {
    let mut pieces = [(parameters, Kind::Parameters), (data, Kind::Data)];
    pieces.sort_by_key(|(piece, _)| piece.offset);
    for (piece, kind) in pieces.into_iter().filter(|(piece, _)| piece.count > 0) {
        match piece.offset.checked_sub(f.offset()) {
            Some(padding) if padding <= f.left() => {
                f.up_to("padding", padding);
                f.within(piece.count, |f| show(f, kind));
            }
            // A damaged offset.
            _ if f.is_damaged() => {}
            // Both in one place: the codec takes that, a sender would not write it.
            _ => {
                let end = piece.offset.saturating_add(piece.count);
                f.up_to(kind.field(), end.saturating_sub(f.offset()));
                f.mean(Some("shares bytes with what stands before"));
            }
        }
    }
}

//! The messages of an SMB session: commands and their chains (MS-CIFS 2.2.4, MS-SMB 2.2.4).

use super::fields::Fields;
use super::messenger;
use super::smb::{self, Head};
use super::text;
use super::transaction;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::smb::{
    Capabilities, Command, MAX_CHAIN, NO_DIALECT, SecurityMode, SessionAction, SmbMessage, TreeConnectFlags,
    rap,
};

/// What the answer to a remote administration call answers: it does not say itself.
pub(super) type Answers = Option<(rap::Function, u16)>;

/// What the header says of all commands of a message.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub(super) response: bool,
    pub(super) unicode: bool,
    pub(super) answers: Answers,
}

/// The command that follows: its number and its place, from the SMB signature.
#[derive(Clone, Copy)]
struct Next {
    command: Command,
    offset: usize,
}

/// A message.
pub(super) fn fields(answers: Answers, f: &mut Fields<'_>) {
    f.layer(
        Layer::Smb,
        |bytes| SmbMessage::decode(bytes).err(),
        |f| {
            // Lengths that reach too far: what they count is shown as far as it is there. Offsets that lead
            // nowhere: what stands in front of their targets is known.
            f.reads_past(&[
                "byte_count",
                "challenge_length",
                "password_length",
                "oem_password_length",
                "security_blob_length",
                "text_length",
                "andx_command",
                "andx_offset",
                "setup_count",
                "parameter_count",
                "parameter_offset",
                "parameter_displacement",
                "data_count",
                "data_offset",
                "data_displacement",
            ]);
            let mut head = Head::default();
            f.group("header", |f| head = smb::header(f));
            let context = Context { response: head.is_reply(), unicode: head.is_unicode(), answers };
            let kind = if context.response { "response" } else { "request" };
            f.title(&format!("{} {kind}", head.command));
            let mut command = head.command;
            for _ in 0..MAX_CHAIN {
                let mut next = None;
                f.group(group(command), |f| next = block(f, command, context));
                if f.is_damaged() {
                    return f.stop();
                }
                let Some(Next { command: chained, offset }) = next else { return };
                f.pad_to(offset);
                command = chained;
            }
        },
    );
}

const fn group(command: Command) -> &'static str {
    match command {
        Command::NEGOTIATE => "negotiate",
        Command::SESSION_SETUP_ANDX => "session_setup_andx",
        Command::TREE_CONNECT_ANDX => "tree_connect_andx",
        Command::TREE_DISCONNECT => "tree_disconnect",
        Command::LOGOFF_ANDX => "logoff_andx",
        Command::TRANSACTION => "transaction",
        Command::TRANSACTION_SECONDARY => "transaction_secondary",
        Command::SEND_MESSAGE => "send_message",
        Command::SEND_START_MB_MESSAGE => "send_start_mb_message",
        Command::SEND_TEXT_MB_MESSAGE => "send_text_mb_message",
        Command::SEND_END_MB_MESSAGE => "send_end_mb_message",
        _ => "command",
    }
}

/// Words, ByteCount and bytes.
fn block(f: &mut Fields<'_>, command: Command, context: Context) -> Option<Next> {
    let Context { response, unicode, .. } = context;
    let known = matches!(
        (command, response),
        (
            Command::NEGOTIATE
                | Command::SESSION_SETUP_ANDX
                | Command::TREE_CONNECT_ANDX
                | Command::LOGOFF_ANDX
                | Command::TRANSACTION
                | Command::SEND_START_MB_MESSAGE,
            _
        ) | (
            Command::TREE_DISCONNECT
                | Command::TRANSACTION_SECONDARY
                | Command::SEND_MESSAGE
                | Command::SEND_TEXT_MB_MESSAGE
                | Command::SEND_END_MB_MESSAGE,
            false
        )
    );
    let no_words = response && f.peek().first() == Some(&0);
    if !known && !no_words {
        raw(f);
        return None;
    }
    let word_count = f.u8("word_count");
    if usize::from(word_count).saturating_mul(2) > f.left() {
        f.bytes("words", usize::from(word_count).saturating_mul(2));
        return None;
    }
    match (command, response, word_count) {
        (_, true, 0) => {}
        (Command::NEGOTIATE, false, 0) => {
            own(f, None, |f| {
                while f.more() {
                    f.u8("buffer_format");
                    f.oem_nul("dialect");
                }
            });
            return None;
        }
        (Command::SEND_MESSAGE | Command::SEND_START_MB_MESSAGE, false, 0) => {
            own(f, None, |f| {
                messenger::names(f);
                if command == Command::SEND_MESSAGE {
                    messenger::text(f);
                }
            });
            return None;
        }
        (Command::SEND_START_MB_MESSAGE, true, 1) | (Command::SEND_END_MB_MESSAGE, false, 1) => {
            f.u16_le("message_group_id");
        }
        (Command::SEND_TEXT_MB_MESSAGE, false, 1) => {
            f.u16_le("message_group_id");
            own(f, None, messenger::text);
            return None;
        }
        (Command::NEGOTIATE, true, 1 | 13 | 17) => {
            negotiate_response(f, word_count, unicode);
            return None;
        }
        (Command::SESSION_SETUP_ANDX, false, 10 | 12 | 13) => {
            return session_setup_request(f, word_count, unicode);
        }
        (Command::SESSION_SETUP_ANDX, true, 3 | 4) => {
            return session_setup_response(f, word_count, unicode);
        }
        (Command::TREE_CONNECT_ANDX, false, 4) => return tree_connect_request(f, unicode),
        (Command::TREE_CONNECT_ANDX, true, 2 | 3 | 7) => {
            return tree_connect_response(f, word_count, unicode);
        }
        (Command::LOGOFF_ANDX, _, 2) => {
            let next = andx(f);
            own(f, next, |f| f.rest("bytes"));
            return next;
        }
        (Command::TRANSACTION, false, 14..) => {
            transaction::request(f, word_count, context);
            return None;
        }
        (Command::TRANSACTION, true, 10..) => {
            transaction::response(f, word_count, context);
            return None;
        }
        (Command::TRANSACTION_SECONDARY, false, 8) => {
            transaction::secondary(f);
            return None;
        }
        _ => _ = f.up_to("words", usize::from(word_count).saturating_mul(2)),
    }
    own(f, None, |f| f.rest("bytes"));
    None
}

/// ByteCount and the bytes it counts, up to the next command at most.
fn own(f: &mut Fields<'_>, next: Option<Next>, body: impl FnOnce(&mut Fields<'_>)) {
    let byte_count = f.u16_le("byte_count").into();
    let to_next = next.and_then(|next| next.offset.checked_sub(f.offset())).unwrap_or(usize::MAX);
    f.within(to_next.min(byte_count), body);
}

/// A command of which only the shape is known, if it is that.
fn raw(f: &mut Fields<'_>) {
    let words = f.peek().first().map_or(0, |&count| usize::from(count).saturating_mul(2));
    if f.left() < words.saturating_add(3) {
        return f.rest("bytes");
    }
    f.u8("word_count");
    f.up_to("words", words);
    own(f, None, |f| f.rest("bytes"));
}

/// The two words that lead to the next command.
fn andx(f: &mut Fields<'_>) -> Option<Next> {
    let command = Command(f.hex_u8("andx_command"));
    let none = command == Command::NONE;
    f.mean(if none { Some("no command follows".to_owned()) } else { smb::command_name(command) });
    f.u8("andx_reserved");
    let offset = f.u16_le("andx_offset").into();
    (!none).then_some(Next { command, offset })
}

fn negotiate_response(f: &mut Fields<'_>, word_count: u8, unicode: bool) {
    let index = f.u16_le("dialect_index");
    f.mean((index == NO_DIALECT).then_some("none of the dialects"));
    match word_count {
        13 => {
            let mode = f.hex_u16_le("security_mode");
            let [low, _] = mode.to_le_bytes();
            f.flags_of(&SecurityMode::from_bits_retain(low));
            f.u16_le("max_buffer_size");
            f.u16_le("max_mpx_count");
            f.u16_le("max_number_vcs");
            f.hex_u16_le("raw_mode");
            f.hex_u32_le("session_key");
            let time = f.hex_u16_le("server_time");
            f.mean(Some(text::dos_time(time)));
            let date = f.hex_u16_le("server_date");
            f.mean(Some(text::dos_date(date)));
            time_zone(f);
            let length = f.u16_le("challenge_length").into();
            f.u16_le("reserved");
            own(f, None, |f| {
                f.up_to("challenge", length);
                f.oem_z("primary_domain");
            });
        }
        17 => {
            let mode = SecurityMode::from_bits_retain(f.hex_u8("security_mode"));
            f.mean(Some(if mode.contains(SecurityMode::USER_SECURITY) {
                "user level security"
            } else {
                "share level security"
            }));
            f.flags_of(&mode);
            f.u16_le("max_mpx_count");
            f.u16_le("max_number_vcs");
            f.u32_le("max_buffer_size");
            f.u32_le("max_raw_size");
            f.hex_u32_le("session_key");
            let capabilities = capabilities(f);
            let time = f.u64_le("system_time");
            f.mean((time != 0).then(|| text::filetime(time)));
            time_zone(f);
            let length = f.u8("challenge_length").into();
            own(f, None, |f| {
                if capabilities.contains(Capabilities::EXTENDED_SECURITY) {
                    let guid = f.bytes("server_guid", 16);
                    f.show(|| text::hex(guid, ""));
                    f.rest("security_blob");
                } else {
                    f.up_to("challenge", length);
                    f.smb_text("domain", unicode);
                }
            });
        }
        _ => own(f, None, |f| f.rest("bytes")),
    }
}

fn capabilities(f: &mut Fields<'_>) -> Capabilities {
    let capabilities = Capabilities::from_bits_retain(f.hex_u32_le("capabilities"));
    f.flags_of(&capabilities);
    capabilities
}

fn time_zone(f: &mut Fields<'_>) {
    let minutes = f.i16_le("server_time_zone");
    // It says how far west.
    let sign = if minutes > 0 { '-' } else { '+' };
    let east = minutes.unsigned_abs();
    f.mean(Some(format!("min, UTC{sign}{:02}:{:02}", east / 60, east % 60)));
}

fn session_setup_request(f: &mut Fields<'_>, word_count: u8, unicode: bool) -> Option<Next> {
    let next = andx(f);
    f.u16_le("max_buffer_size");
    f.u16_le("max_mpx_count");
    f.u16_le("vc_number");
    f.hex_u32_le("session_key");
    let first = f.u16_le(match word_count {
        10 => "password_length",
        12 => "security_blob_length",
        _ => "oem_password_length",
    });
    let second = if word_count == 13 { f.u16_le("unicode_password_length") } else { 0 };
    f.u32_le("reserved");
    if word_count != 10 {
        capabilities(f);
    }
    own(f, next, |f| {
        if word_count == 12 {
            f.up_to("security_blob", first.into());
        } else {
            f.up_to(if word_count == 10 { "password" } else { "oem_password" }, first.into());
            f.up_to("unicode_password", second.into());
            aligned_text(f, "account_name", unicode);
            aligned_text(f, "primary_domain", unicode);
        }
        aligned_text(f, "native_os", unicode);
        aligned_text(f, "native_lan_man", unicode);
    });
    next
}

fn session_setup_response(f: &mut Fields<'_>, word_count: u8, unicode: bool) -> Option<Next> {
    let next = andx(f);
    let action = SessionAction::from_bits_retain(f.hex_u16_le("action"));
    f.flags_of(&action);
    let blob = if word_count == 4 { f.u16_le("security_blob_length").into() } else { 0 };
    own(f, next, |f| {
        f.up_to("security_blob", blob);
        aligned_text(f, "native_os", unicode);
        aligned_text(f, "native_lan_man", unicode);
        aligned_text(f, "primary_domain", unicode);
    });
    next
}

fn tree_connect_request(f: &mut Fields<'_>, unicode: bool) -> Option<Next> {
    let next = andx(f);
    let flags = TreeConnectFlags::from_bits_retain(f.hex_u16_le("flags"));
    f.flags_of(&flags);
    let password = f.u16_le("password_length").into();
    own(f, next, |f| {
        f.up_to("password", password);
        if ends(f, unicode) {
            aligned_text(f, "path", unicode);
        } else {
            f.rest("path");
        }
        f.oem_z("service");
    });
    next
}

fn tree_connect_response(f: &mut Fields<'_>, word_count: u8, unicode: bool) -> Option<Next> {
    let next = andx(f);
    if word_count > 2 {
        let support = f.hex_u16_le("optional_support");
        f.flags(support.into(), [("SEARCH_BITS", 1), ("SHARE_IS_IN_DFS", 2)]);
    }
    if word_count == 7 {
        f.hex_u32_le("maximal_share_access_rights");
        f.hex_u32_le("guest_maximal_share_access_rights");
    }
    own(f, next, |f| {
        f.oem_z("service");
        aligned_text(f, "native_file_system", unicode);
    });
    next
}

/// A string on a multiple of 2 where it is Unicode.
pub(super) fn aligned_text(f: &mut Fields<'_>, field: &'static str, unicode: bool) {
    if unicode {
        f.align();
    }
    f.smb_text(field, unicode);
}

/// Whether the string that follows has its terminator. Codecs find a missing one in front of the padding.
pub(super) fn ends(f: &Fields<'_>, unicode: bool) -> bool {
    let rest = f.peek();
    if !unicode {
        return memchr::memchr(0, rest).is_some();
    }
    rest.get(f.offset() % 2..).and_then(text::utf16_nul).is_some()
}

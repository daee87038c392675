//! The messages of an SMB1 session (MS-CIFS 2.2.4, MS-SMB 2.2.4).

use super::fields::Fields;
use super::{rap, smb};
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::smb::{
    Capabilities, Command, Flags2, Header, MAILSLOT_PREFIX, MAX_CHAIN, PIPE_LANMAN, SecurityMode,
    SessionAction, SmbMessage, TransactionFlags, TreeConnectFlags,
};

/// What decides the layout of a message's blocks.
#[derive(Clone, Copy)]
struct Form {
    reply: bool,
    unicode: bool,
}

pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Smb,
        |bytes| SmbMessage::decode(bytes).err(),
        |f| {
            let header = Header::split(f.peek()).map_or(Header::new(Command(0)), |(header, _)| header);
            f.group("header", |f| _ = smb::header(f));
            let form = Form { reply: header.is_reply(), unicode: header.flags2.contains(Flags2::UNICODE) };
            let direction = if form.reply { "response" } else { "request" };
            f.title(&format!("{} {direction}", header.command));
            let mut next = Some(header.command);
            for _ in 0..MAX_CHAIN {
                let Some(command) = next.filter(|_| f.more()) else { return };
                next = chain(f, command, form);
            }
        },
    );
}

/// One command; gives the one that follows it in the message, if there is one, and goes there.
fn chain(f: &mut Fields<'_>, command: Command, form: Form) -> Option<Command> {
    let mut andx = None;
    f.group(command.name().unwrap_or("command"), |f| andx = block(f, command, form));
    let (next, offset) = andx.filter(|(next, _)| *next != Command::NONE)?;
    f.pad_to(offset);
    Some(next)
}

/// What the words say of the rest.
#[derive(Default)]
struct Words {
    /// The chained command and its offset.
    next: Option<(Command, usize)>,
    /// Lengths of what the bytes begin with: a challenge, passwords, a security blob.
    lengths: [usize; 2],
    extended_security: bool,
    parameters: Part,
    data: Part,
    total_data: usize,
    /// The first setup word.
    opcode: u16,
}

/// WordCount, words, ByteCount, bytes; gives the chained command and its offset.
fn block(f: &mut Fields<'_>, command: Command, form: Form) -> Option<(Command, usize)> {
    let is_known = matches!(
        command,
        Command::NEGOTIATE
            | Command::SESSION_SETUP_ANDX
            | Command::TREE_CONNECT_ANDX
            | Command::TREE_DISCONNECT
            | Command::LOGOFF_ANDX
            | Command::TRANSACTION
            | Command::TRANSACTION_SECONDARY
    );
    let has_no_words = form.reply && f.peek().first() == Some(&0);
    let is_raw_reply =
        form.reply && matches!(command, Command::TREE_DISCONNECT | Command::TRANSACTION_SECONDARY);
    if !has_no_words && (!is_known || is_raw_reply) {
        f.rest("body");
        return None;
    }
    let count = f.u8("word_count");
    let length = usize::from(count) * 2;
    let mut words = Words::default();
    if length > f.left() {
        f.bytes("words", length);
        return None;
    }
    let has_form = has_form(command, form, count);
    f.within(length, |f| {
        if has_form {
            read_words(f, command, form, &mut words, count);
        }
        f.rest("words");
    });
    let length = usize::from(f.u16_le("byte_count"));
    match command {
        _ if has_no_words => f.within(length, |f| f.rest("bytes")),
        // ByteCount counts for nothing in a transaction.
        Command::TRANSACTION | Command::TRANSACTION_SECONDARY => transaction_bytes(f, command, form, &words),
        _ => f.within(length, |f| {
            read_bytes(f, command, form, count, &words);
            f.rest("bytes");
        }),
    }
    words.next
}

/// Whether the command has a form with so many words.
fn has_form(command: Command, form: Form, count: u8) -> bool {
    match (command, form.reply) {
        (Command::NEGOTIATE, true) => matches!(count, 1 | 13 | 17),
        (Command::SESSION_SETUP_ANDX, false) => matches!(count, 10 | 12 | 13),
        (Command::SESSION_SETUP_ANDX, true) => matches!(count, 3 | 4),
        (Command::TREE_CONNECT_ANDX, false) => count == 4,
        (Command::TREE_CONNECT_ANDX, true) => matches!(count, 2 | 3 | 7),
        (Command::LOGOFF_ANDX, _) => count == 2,
        (Command::TRANSACTION, false) => count >= 14,
        (Command::TRANSACTION, true) => count >= 10,
        (Command::TRANSACTION_SECONDARY, _) => count == 8,
        _ => false,
    }
}

fn read_words(f: &mut Fields<'_>, command: Command, form: Form, words: &mut Words, count: u8) {
    match (command, form.reply) {
        (Command::NEGOTIATE, true) => negotiate_words(f, count, words),
        (Command::SESSION_SETUP_ANDX, false) => session_setup_words(f, count, words),
        (Command::SESSION_SETUP_ANDX, true) => {
            words.next = Some(andx(f));
            let action = SessionAction::from_bits_retain(f.hex_u16_le("action"));
            f.flags_of(&action);
            if count == 4 {
                words.lengths = [f.u16_le("security_blob_length").into(), 0];
            }
        }
        (Command::TREE_CONNECT_ANDX, false) => {
            words.next = Some(andx(f));
            let flags = TreeConnectFlags::from_bits_retain(f.hex_u16_le("flags"));
            f.flags_of(&flags);
            words.lengths = [f.u16_le("password_length").into(), 0];
        }
        (Command::TREE_CONNECT_ANDX, true) => {
            words.next = Some(andx(f));
            if count > 2 {
                f.hex_u16_le("optional_support");
            }
            if count == 7 {
                f.hex_u32_le("maximal_share_access_rights");
                f.hex_u32_le("guest_maximal_share_access_rights");
            }
        }
        (Command::LOGOFF_ANDX, _) => words.next = Some(andx(f)),
        (Command::TRANSACTION, false) => transaction_request_words(f, words),
        (Command::TRANSACTION, true) => {
            f.u16_le("total_parameter_count");
            f.u16_le("total_data_count");
            f.u16_le("reserved1");
            parts_words(f, words);
            f.u8("setup_count");
            f.u8("reserved2");
            setup(f);
        }
        (Command::TRANSACTION_SECONDARY, _) => {
            f.u16_le("total_parameter_count");
            f.u16_le("total_data_count");
            parts_words(f, words);
        }
        _ => {}
    }
}

fn read_bytes(f: &mut Fields<'_>, command: Command, form: Form, count: u8, words: &Words) {
    let [first, second] = words.lengths;
    match (command, form.reply) {
        (Command::NEGOTIATE, false) => {
            while f.more() {
                f.hex_u8("buffer_format");
                f.oem_to_nul("dialect");
            }
        }
        (Command::NEGOTIATE, true) if count == 17 && words.extended_security => {
            f.bytes("server_guid", 16);
            f.rest("security_blob");
        }
        (Command::NEGOTIATE, true) if count == 17 => {
            f.bytes("challenge", first);
            // It follows unaligned.
            f.string_unaligned("domain", form.unicode);
        }
        (Command::NEGOTIATE, true) if count == 13 => {
            f.bytes("challenge", first);
            f.oem_z("primary_domain");
        }
        (Command::SESSION_SETUP_ANDX, false) => {
            if count == 12 {
                f.bytes("security_blob", first);
            } else {
                f.bytes("oem_password", first);
                f.bytes("unicode_password", second);
                f.string("account_name", form.unicode);
                f.string("primary_domain", form.unicode);
            }
            f.string("native_os", form.unicode);
            f.string("native_lan_man", form.unicode);
        }
        (Command::SESSION_SETUP_ANDX, true) => {
            f.bytes("security_blob", first);
            f.string("native_os", form.unicode);
            f.string("native_lan_man", form.unicode);
            f.string("primary_domain", form.unicode);
        }
        (Command::TREE_CONNECT_ANDX, false) => {
            f.bytes("password", first);
            f.string_to_nul("path", form.unicode);
            f.oem_z("service");
        }
        (Command::TREE_CONNECT_ANDX, true) => {
            f.oem_z("service");
            f.string("native_file_system", form.unicode);
        }
        _ => {}
    }
}

fn andx(f: &mut Fields<'_>) -> (Command, usize) {
    let next = Command(f.hex_u8("andx_command"));
    f.mean(if next == Command::NONE { Some("none") } else { next.name() });
    f.u8("andx_reserved");
    (next, f.u16_le("andx_offset").into())
}

fn capabilities(f: &mut Fields<'_>) -> Capabilities {
    let capabilities = Capabilities::from_bits_retain(f.hex_u32_le("capabilities"));
    f.flags_of(&capabilities);
    capabilities
}

fn negotiate_words(f: &mut Fields<'_>, count: u8, words: &mut Words) {
    f.u16_le("dialect_index");
    match count {
        17 => {
            let mode = SecurityMode::from_bits_retain(f.hex_u8("security_mode"));
            f.flags_of(&mode);
            f.u16_le("max_mpx_count");
            f.u16_le("max_number_vcs");
            f.u32_le("max_buffer_size");
            f.u32_le("max_raw_size");
            f.hex_u32_le("session_key");
            words.extended_security = capabilities(f).contains(Capabilities::EXTENDED_SECURITY);
            f.u64_le("system_time");
            f.mean(Some("100 ns since 1601"));
            f.bytes("server_time_zone", 2);
            words.lengths = [f.u8("challenge_length").into(), 0];
        }
        13 => {
            f.hex_u16_le("security_mode");
            f.u16_le("max_buffer_size");
            f.u16_le("max_mpx_count");
            f.u16_le("max_number_vcs");
            f.hex_u16_le("raw_mode");
            f.hex_u32_le("session_key");
            f.u16_le("server_time");
            f.u16_le("server_date");
            f.bytes("server_time_zone", 2);
            words.lengths = [f.u16_le("challenge_length").into(), 0];
            f.u16_le("reserved");
        }
        _ => {}
    }
}

fn session_setup_words(f: &mut Fields<'_>, count: u8, words: &mut Words) {
    words.next = Some(andx(f));
    f.u16_le("max_buffer_size");
    f.u16_le("max_mpx_count");
    f.u16_le("vc_number");
    f.hex_u32_le("session_key");
    words.lengths = match count {
        12 => [f.u16_le("security_blob_length").into(), 0],
        13 => [f.u16_le("oem_password_length").into(), f.u16_le("unicode_password_length").into()],
        _ => [f.u16_le("password_length").into(), 0],
    };
    f.u32_le("reserved");
    if count != 10 {
        capabilities(f);
    }
}

/// Parameters or data of a transaction: where they stand.
#[derive(Clone, Copy, Default)]
struct Part {
    count: usize,
    offset: usize,
}

/// What a transaction's bytes are.
#[derive(Clone, Copy)]
enum Content {
    Opaque,
    /// The data are a message to a slot.
    Mailslot,
    /// The parameters are a RAP request.
    Rap,
}

fn part(f: &mut Fields<'_>, [count, offset]: [&'static str; 2]) -> Part {
    let count = f.u16_le(count).into();
    Part { count, offset: f.u16_le(offset).into() }
}

/// Counts, offsets and displacements of an answer or a secondary request.
fn parts_words(f: &mut Fields<'_>, words: &mut Words) {
    words.parameters = part(f, ["parameter_count", "parameter_offset"]);
    f.u16_le("parameter_displacement");
    words.data = part(f, ["data_count", "data_offset"]);
    f.u16_le("data_displacement");
}

fn setup(f: &mut Fields<'_>) {
    while f.left() >= 2 && f.more() {
        f.u16_le("setup");
    }
}

fn transaction_request_words(f: &mut Fields<'_>, words: &mut Words) {
    f.u16_le("total_parameter_count");
    words.total_data = f.u16_le("total_data_count").into();
    f.u16_le("max_parameter_count");
    f.u16_le("max_data_count");
    f.u8("max_setup_count");
    f.u8("reserved1");
    let flags = TransactionFlags::from_bits_retain(f.hex_u16_le("flags"));
    f.flags_of(&flags);
    f.u32_le("timeout");
    f.mean(Some("ms"));
    f.u16_le("reserved2");
    words.parameters = part(f, ["parameter_count", "parameter_offset"]);
    words.data = part(f, ["data_count", "data_offset"]);
    f.u8("setup_count");
    f.u8("reserved3");
    words.opcode = f.peek().first_chunk::<2>().map_or(0, |word| u16::from_le_bytes(*word));
    setup(f);
}

fn transaction_bytes(f: &mut Fields<'_>, command: Command, form: Form, words: &Words) {
    if form.reply || command == Command::TRANSACTION_SECONDARY {
        return parts(f, words, |f, is_data| f.rest(if is_data { "data" } else { "parameters" }));
    }
    let name = f.string_to_nul("name", form.unicode);
    let slot = name
        .get(..MAILSLOT_PREFIX.len())
        .filter(|start| words.opcode == 1 && start.as_bytes().eq_ignore_ascii_case(MAILSLOT_PREFIX))
        .and_then(|start| name.get(start.len()..))
        .filter(|slot| !slot.is_empty());
    let content = match slot {
        Some(_) if words.total_data == words.data.count => Content::Mailslot,
        None if name.as_bytes().eq_ignore_ascii_case(PIPE_LANMAN) => Content::Rap,
        _ => Content::Opaque,
    };
    parts(f, words, |f, is_data| match content {
        Content::Mailslot if is_data => smb::message(slot.unwrap_or_default().as_bytes(), f),
        Content::Rap if !is_data => rap::request(f),
        _ => f.rest(if is_data { "data" } else { "parameters" }),
    });
}

/// Parameters and data, in the order of their offsets; `body` is told whether it is the data.
fn parts(f: &mut Fields<'_>, words: &Words, body: impl Fn(&mut Fields<'_>, bool)) {
    let mut both = [(words.parameters, false), (words.data, true)];
    both.sort_by_key(|(part, _)| part.offset);
    for (part, is_data) in both {
        // One that begins inside the other was shown with it.
        if part.count > 0 && part.offset >= f.offset() {
            f.pad_to(part.offset);
            f.within(part.count, |f| body(f, is_data));
        }
    }
}

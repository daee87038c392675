//! The SMB header, `SMB_COM_TRANSACTION`, and the mailslot write inside it (MS-CIFS 2.2.3.1, 2.2.4.33; MS-MAIL 2.2.1).

use super::fields::Fields;
use super::{browser, lanman, messenger, netlogon, text};
use crate::wire::browser::{BROWSE, LANMAN};
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::messenger::MESSNGR;
use crate::wire::netlogon::is_netlogon_slot;
use crate::wire::smb::{
    Class, Command, Flags, Flags2, MAILSLOT_PREFIX, MailslotWrite, NtStatus, TransactionFlags,
};

/// A mailslot write.
pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Smb,
        |bytes| MailslotWrite::decode(bytes).err(),
        |f| {
            // These stand in front of fields whose places they do not change.
            f.reads_past(&["command", "total_data_count", "data_offset", "data_count"]);
            let mut head = Head::default();
            f.group("header", |f| head = header(f));
            if head.command != Command::TRANSACTION {
                return f.stop();
            }
            let mut data = Data::default();
            f.group("transaction", |f| data = words(f));
            let mut name: &[u8] = &[];
            f.group("mailslot", |f| name = write(f));
            f.pad_to(data.offset);
            let slot = name.get(MAILSLOT_PREFIX.len()..).unwrap_or_default();
            f.within(data.count, |f| message(slot, f));
        },
    );
}

/// What the header says of what follows it.
pub(super) struct Head {
    pub(super) command: Command,
    flags: Flags,
    flags2: Flags2,
}

impl Default for Head {
    fn default() -> Self {
        Self { command: Command(0), flags: Flags::empty(), flags2: Flags2::empty() }
    }
}

impl Head {
    /// Whether the message is an answer.
    pub(super) const fn is_reply(&self) -> bool {
        self.flags.contains(Flags::REPLY)
    }

    /// Whether strings are UTF-16.
    pub(super) const fn is_unicode(&self) -> bool {
        self.flags2.contains(Flags2::UNICODE)
    }
}

/// The 32 bytes that every SMB begins with.
pub(super) fn header(f: &mut Fields<'_>) -> Head {
    // They tell what the status is.
    let flags2 = f.peek().get(10..).and_then(|rest| rest.first_chunk()).copied().map(u16::from_le_bytes);
    let flags2 = Flags2::from_bits_retain(flags2.unwrap_or_default());
    f.bytes("protocol", 4);
    let command = Command(f.hex_u8("command"));
    f.mean(command_name(command));
    let status = NtStatus(f.hex_u32_le("status"));
    f.mean(match status {
        NtStatus(0) => None,
        status if flags2.contains(Flags2::NT_STATUS) => status.name().map(|name| format!("STATUS_{name}")),
        status => Some(status.dos().to_string()),
    });
    let flags = Flags::from_bits_retain(f.hex_u8("flags"));
    f.flags_of(&flags);
    let flags2 = Flags2::from_bits_retain(f.hex_u16_le("flags2"));
    f.flags_of(&flags2);
    f.u16_le("pid_high");
    f.bytes("security_features", 8);
    f.u16_le("reserved");
    f.u16_le("tid");
    f.u16_le("pid_low");
    f.u16_le("uid");
    f.u16_le("mid");
    Head { command, flags, flags2 }
}

/// A command's name in MS-CIFS.
pub(super) fn command_name(command: Command) -> Option<String> {
    command.name().map(|name| format!("SMB_COM_{name}"))
}

/// Where a transaction's data stand.
#[derive(Default)]
struct Data {
    /// From the SMB signature, in bytes.
    offset: usize,
    count: usize,
}

fn words(f: &mut Fields<'_>) -> Data {
    f.u8("word_count");
    f.u16_le("total_parameter_count");
    f.u16_le("total_data_count");
    f.u16_le("max_parameter_count");
    f.u16_le("max_data_count");
    f.u8("max_setup_count");
    f.u8("reserved1");
    let flags = TransactionFlags::from_bits_retain(f.hex_u16_le("flags"));
    f.flags_of(&flags);
    let timeout = f.u32_le("timeout");
    f.mean(Some(text::milliseconds(timeout)));
    f.u16_le("reserved2");
    f.u16_le("parameter_count");
    f.u16_le("parameter_offset");
    let count = f.u16_le("data_count").into();
    let offset = f.u16_le("data_offset").into();
    f.u8("setup_count");
    f.u8("reserved3");
    Data { offset, count }
}

/// Setup words, ByteCount and slot name; gives the name.
fn write<'a>(f: &mut Fields<'a>) -> &'a [u8] {
    opcode(f);
    f.u16_le("priority");
    class(f);
    let byte_count = usize::from(f.u16_le("byte_count"));
    let follow = f.left();
    f.mean((byte_count != follow).then(|| format!("{follow} bytes follow")));
    f.oem_z("name")
}

/// The first setup word of a transaction on a mailslot.
pub(super) fn opcode(f: &mut Fields<'_>) {
    let opcode = f.u16_le("opcode");
    f.mean((opcode == 1).then_some("TRANS_MAILSLOT_WRITE"));
}

/// The third.
pub(super) fn class(f: &mut Fields<'_>) {
    let class = Class(f.u16_le("class"));
    f.mean(match class {
        Class::RELIABLE => Some("reliable"),
        Class::UNRELIABLE => Some("unreliable"),
        _ => None,
    });
}

/// A message to `slot`, which takes all bytes that are left.
pub(super) fn message(slot: &[u8], f: &mut Fields<'_>) {
    if slot.eq_ignore_ascii_case(BROWSE) {
        browser::fields(f);
    } else if slot.eq_ignore_ascii_case(LANMAN) {
        lanman::fields(f);
    } else if is_netlogon_slot(slot) {
        netlogon::fields(f);
    } else if slot.eq_ignore_ascii_case(MESSNGR) {
        messenger::fields(f);
    } else {
        f.rest("data");
    }
}

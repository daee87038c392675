//! Messenger texts: messages to `\MAILSLOT\MESSNGR`, and the parts of the SMB commands (MS-MSRP 2.2.3, 3.2.4.4).

use super::fields::Fields;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::messenger::{LINE_BREAK, MessengerMessage};

/// A message to the slot.
pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Messenger,
        |bytes| MessengerMessage::decode(bytes).err(),
        |f| {
            f.oem_nul("from");
            f.oem_nul("to");
            let text = f.oem_z("text");
            if memchr::memchr(LINE_BREAK, text).is_some() {
                f.mean(Some("\\x14 is a line break"));
            }
        },
    );
}

/// Sender and receiver in an SMB command.
pub(super) fn names(f: &mut Fields<'_>) {
    f.u8("from_buffer_format");
    f.oem_nul("from");
    f.u8("to_buffer_format");
    f.oem_nul("to");
}

/// A text, or a block of one, in an SMB command.
pub(super) fn text(f: &mut Fields<'_>) {
    f.u8("text_buffer_format");
    let length = f.u16_le("text_length").into();
    f.up_to("text", length);
}

//! Messenger texts (MS-MSRP 3.2.4.4).

use super::fields::Fields;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;
use crate::wire::messenger::MessengerMessage;

pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Messenger,
        |bytes| MessengerMessage::decode(bytes).err(),
        |f| {
            f.oem_to_nul("from");
            f.oem_to_nul("to");
            f.oem_z("text");
        },
    );
}

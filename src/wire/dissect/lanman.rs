//! The older announcements on `\MAILSLOT\LANMAN`.

use super::browser::{announcement, server_type};
use super::fields::Fields;
use crate::wire::browser::LanmanFrame;
use crate::wire::codec::Decode;
use crate::wire::error::Layer;

pub(super) fn fields(f: &mut Fields<'_>) {
    f.layer(
        Layer::Lanman,
        |bytes| LanmanFrame::decode(bytes).err(),
        |f| {
            // Only the codec tells the two forms apart.
            let frame = LanmanFrame::decode(f.peek());
            if let Some(name) = frame.as_ref().ok().and_then(LanmanFrame::name) {
                f.title(name);
            }
            if let Ok(LanmanFrame::HostAnnouncement { .. }) = frame {
                f.hex_u8("opcode");
                f.mean(Some("HostAnnouncement"));
                return announcement(f, "comment");
            }
            let frame_type = f.u16_le("type");
            f.mean(match frame_type {
                1 => Some("announcement"),
                2 => Some("request"),
                _ => None,
            });
            match frame_type {
                1 => {
                    server_type(f);
                    f.u8("os_version_major");
                    f.u8("os_version_minor");
                    f.u16_le("interval");
                    f.mean(Some("s"));
                    f.oem_z("server_name");
                    f.oem_z("comment");
                }
                2 => _ = f.oem_z("response_name"),
                _ => f.rest("data"),
            }
        },
    );
}

//! The holes of others on these ports (`wire.md` §11), each as a test that ours has not got it.

use mailslot::wire::browser::{Announcement, BrowserFrame, ServerType, Version};
use mailslot::wire::name::{NetbiosName, ScopedName, Suffix};
use mailslot::wire::nbdgm::Datagram;
use mailslot::wire::smb::{HeaderLayout, MailslotWrite, NAME_OFFSET};
use mailslot::wire::{Decode, DecodeErrorKind, Encode};

use crate::frames::case;

/// MS06-063: a transaction whose name has no end.
#[test]
fn cve_2006_3942_unterminated_transaction_name() {
    let mut bytes = case("smb", "app-unique").bytes;
    for byte in &mut bytes[NAME_OFFSET..] {
        *byte |= 0x20;
    }
    refused!(MailslotWrite<'_>, &bytes, Mailslot, "name", NAME_OFFSET, DecodeErrorKind::Unterminated);
}

/// MS06-035: the peer's maximum counts decided how large a reply buffer was. Here they decide nothing.
#[test]
fn cve_2006_1314_maximum_counts() {
    let mut bytes = case("smb", "app-unique").bytes;
    bytes[37..42].copy_from_slice(&[0xff; 5]);
    let write = canonical!(MailslotWrite<'_>, &bytes);
    assert_eq!(write.words().max_data_count, 0xffff);
    assert_eq!((write.data().len(), write.encoded_len()), (26, bytes.len()));
}

/// MS11-019: a server name longer than the frame's space for it.
#[test]
fn cve_2011_0654_election_name() {
    let frame = |name: &[u8]| [b"\x08\x01\x20\x0f\x01\x10\x01\0\0\0\0\0\0\0".as_slice(), name].concat();
    canonical!(BrowserFrame<'_>, &frame(&[b'A'; 16]));
    for length in [17, 18, 255, 256, 65_000] {
        let kind = DecodeErrorKind::TooLong { have: length, max: 16 };
        refused!(BrowserFrame<'_>, &frame(&vec![b'A'; length]), Browser, "server_name", 14, kind);
    }
    // The frame ends before the name begins: no length to compute below zero.
    for length in 1..14 {
        assert!(BrowserFrame::decode(&frame(b"")[..length]).is_err());
    }
    canonical!(BrowserFrame<'_>, &frame(b""));
}

/// nmbd wrote a name of any length into a field of fixed length.
#[test]
fn cve_2014_3560_name_length() {
    for length in (0..=255).filter(|length| *length != 0x20) {
        let bytes = [&[length], [b'A'; 255].as_slice()].concat();
        assert!(ScopedName::decode(&bytes).is_err(), "{length}");
    }
    // A name that a frame gives in 16 bytes without a NUL ends with them.
    let bytes = case("browser", "host-announcement-16-byte-name").bytes;
    let BrowserFrame::HostAnnouncement(frame) = canonical!(BrowserFrame<'_>, &bytes) else { panic!() };
    assert_eq!(frame.server_name.text(), b"SIXTEEN-BYTES-XX");
}

/// nmbd looped without end on a packet that led it in circles.
#[test]
fn cve_2014_0244_circles() {
    // Pointers at themselves, at each other, and as scopes of each other.
    let letters = b"\x20EGFCEFEECACACACACACACACACACACACA".as_slice();
    let packets: [&[u8]; 4] = [
        b"\xc0\x00",
        b"\xc0\x02\xc0\x00",
        &[letters, b"\xc0\x00"].concat(),
        &[letters, b"\xc0\x23", letters, b"\xc0\x00"].concat(),
    ];
    for packet in packets {
        for offset in 0..=packet.len() {
            let _ = ScopedName::decode_in_packet(packet, offset, "rr_name");
        }
        assert!(ScopedName::decode_in_packet(packet, 0, "rr_name").is_err());
    }
    // A list of nothing but ends.
    let list = [b"\x0a\xff\0\0\0\0".as_slice(), &[0; 1000]].concat();
    let BrowserFrame::GetBackupListResponse(frame) = canonical!(BrowserFrame<'_>, &list) else { panic!() };
    assert_eq!(frame.backup_servers.iter().count(), 0);
}

/// An empty packet made the name server spin.
#[test]
fn cve_2020_14303_empty_packet() {
    let kind = DecodeErrorKind::Truncated { needed: 1, have: 0 };
    refused!(Datagram<'_>, b"", Nbdgm, "msg_type", 0, kind);
    assert!(MailslotWrite::decode(b"").is_err() && BrowserFrame::decode(b"").is_err());
}

/// Paddings that carried old memory to the network. Ours are the same whatever was encoded before.
#[test]
fn cve_2003_0661_padding() {
    let name = NetbiosName::new("A", Suffix::SERVER).unwrap();
    assert_eq!(name.as_bytes(), b"A              \x20");
    for (layout, padding) in [
        (HeaderLayout::Bowser, b"".as_slice()),
        (HeaderLayout::Samba, b""),
        (HeaderLayout::Redirector, b"\0"),
        (HeaderLayout::Win9x, b"\x42"),
    ] {
        assert_eq!(MailslotWrite::new(layout, br"\MAILSLOT\foo", b"x").unwrap().padding(), padding);
    }
    let frame = Announcement::new(b"A", Version::new(6, 1), ServerType::SERVER, 0, b"").unwrap();
    assert_eq!(frame.server_name.as_bytes(), b"A\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    // An encoder appends; what stood in the buffer stays before it.
    let mut out = vec![0xee; 4];
    BrowserFrame::HostAnnouncement(frame).encode(&mut out);
    assert_eq!(out.len(), 4 + 33);
    assert!(out.starts_with(&[0xee; 4]) && !out[4..].contains(&0xee));
}

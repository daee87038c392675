//! Browser frames and LAN Manager frames: what is built comes back, what senders do wrong is read, what is damaged
//! is named.

use std::sync::LazyLock;

use mailslot::wire::browser::{
    Announcement, AnnouncementRequest, BrowserFrame, Criteria, ElectionOs, ElectionRoles,
    GetBackupListRequest, GetBackupListResponse, LanmanAnnouncement, LanmanFrame, NameFrame, Opcode,
    RequestElection, ResetOptions, ResetStateRequest, ServerType, Version,
};
use mailslot::wire::oem::OemZ;
use mailslot::wire::{Decode, DecodeErrorKind, Encode, Layer, ValueErrorReason};
use proptest::prelude::*;

use crate::frames::{Case, case, cases};

static FRAMES: LazyLock<Vec<Case>> = LazyLock::new(|| cases("browser"));

/// The opcodes that MS-BRWS has.
const OPCODES: [u8; 10] = [0x01, 0x02, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f];

/// A string without NUL, of at most `max` bytes.
fn text(max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1..=255_u8, 0..=max)
}

fn any_version() -> impl Strategy<Value = Version> {
    any::<(u8, u8)>().prop_map(|(major, minor)| Version::new(major, minor))
}

/// Bytes that often look like a frame: a known opcode or type first.
fn nearly_a_frame() -> impl Strategy<Value = Vec<u8>> {
    (0..0x12_u8, prop::collection::vec(any::<u8>(), 0..80))
        .prop_map(|(opcode, rest)| [&[opcode], rest.as_slice()].concat())
}

fn criteria() -> Criteria {
    Criteria::new(ElectionOs::WORKSTATION, Version::new(15, 1), ElectionRoles::NBNS)
}

proptest! {
    #[test]
    fn announcements_round_trip(
        name in text(15),
        versions in (any_version(), any_version()),
        numbers in any::<(u8, u32, u32, u16)>(),
        comment in text(42),
    ) {
        let (update_count, server_type, periodicity, signature) = numbers;
        let server_type = ServerType::from_bits_retain(server_type);
        let mut frame = Announcement::new(&name, versions.0, server_type, periodicity, &comment).unwrap();
        prop_assert_eq!(frame.server_name.text(), name.as_slice());
        prop_assert_eq!(frame.comment.text(), comment.as_slice());
        round_trip!(BrowserFrame<'_>, BrowserFrame::HostAnnouncement(frame));
        frame.update_count = update_count;
        frame.browser_version = versions.1;
        frame.signature = signature;
        for frame in [
            BrowserFrame::HostAnnouncement(frame),
            BrowserFrame::DomainAnnouncement(frame),
            BrowserFrame::LocalMasterAnnouncement(frame),
        ] {
            prop_assert_eq!(round_trip!(BrowserFrame<'_>, frame).len(), 32 + comment.len() + 1);
        }
    }

    #[test]
    fn small_frames_round_trip(
        name in text(15),
        numbers in any::<(u8, u8, u32, u32, u32)>(),
    ) {
        let (byte, options, number, uptime, unused) = numbers;
        let mut request = AnnouncementRequest::new(&name).unwrap();
        request.reserved = byte;
        prop_assert_eq!(request.response_name(), name.as_slice());
        round_trip!(BrowserFrame<'_>, BrowserFrame::AnnouncementRequest(request));
        let mut election = RequestElection::new(Criteria(number), uptime, &name).unwrap();
        election.version = byte;
        election.unused = unused;
        round_trip!(BrowserFrame<'_>, BrowserFrame::RequestElection(election));
        let backups = GetBackupListRequest::new(byte, number);
        round_trip!(BrowserFrame<'_>, BrowserFrame::GetBackupListRequest(backups));
        let frame = NameFrame::new(&name).unwrap();
        round_trip!(BrowserFrame<'_>, BrowserFrame::BecomeBackup(frame));
        round_trip!(BrowserFrame<'_>, BrowserFrame::MasterAnnouncement(frame));
        let reset = ResetStateRequest::new(ResetOptions::from_bits_retain(options));
        round_trip!(BrowserFrame<'_>, BrowserFrame::ResetStateRequest(reset));
    }

    #[test]
    fn backup_lists_round_trip(
        token: u32,
        names in prop::collection::vec(prop::collection::vec(1..=255_u8, 1..=15), 0..=255),
    ) {
        let frame = GetBackupListResponse::new(token, names.iter().map(Vec::as_slice)).unwrap();
        prop_assert_eq!(usize::from(frame.backup_server_count), names.len());
        prop_assert!(frame.backup_servers.iter().eq(names.iter()));
        round_trip!(BrowserFrame<'_>, BrowserFrame::GetBackupListResponse(frame));
    }

    #[test]
    fn criteria_are_their_parts(number: u32, os: u8, version in any_version(), roles: u8) {
        let criteria = Criteria(number);
        let again = Criteria::new(criteria.os(), criteria.browser_version(), criteria.roles());
        prop_assert_eq!(again, criteria);
        let made = Criteria::new(ElectionOs(os), version, ElectionRoles::from_bits_retain(roles));
        prop_assert_eq!((made.os().0, made.browser_version(), made.roles().bits()), (os, version, roles));
    }

    #[test]
    fn lanman_frames_round_trip(
        name in text(15),
        comment in text(42),
        version in any_version(),
        numbers in any::<(u32, u16)>(),
    ) {
        let server_type = ServerType::from_bits_retain(numbers.0);
        // The one comment that cannot be written has the signature of a HostAnnouncement in it.
        if let Ok(frame) = LanmanAnnouncement::new(&name, version, server_type, numbers.1, &comment) {
            round_trip!(LanmanFrame<'_>, LanmanFrame::Announcement(frame));
        }
        let name = OemZ::new(Layer::Lanman, "name", &name, 15).unwrap();
        round_trip!(LanmanFrame<'_>, LanmanFrame::Request(name));
    }

    #[test]
    fn arbitrary_bytes_keep_the_law(bytes in nearly_a_frame()) {
        lossless!(BrowserFrame<'_>, &bytes);
        lossless!(LanmanFrame<'_>, &bytes);
    }

    #[test]
    fn real_frames_with_other_bytes_keep_the_law(
        index: prop::sample::Index,
        patches in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = index.get(&FRAMES).bytes.clone();
        for (place, value) in patches {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        lossless!(BrowserFrame<'_>, &bytes);
        lossless!(LanmanFrame<'_>, &bytes);
    }
}

#[test]
fn the_goldens_have_every_opcode() {
    let mut seen: Vec<u8> = FRAMES.iter().map(|case| case.bytes[0]).collect();
    seen.sort_unstable();
    seen.dedup();
    assert!(OPCODES.iter().all(|opcode| seen.contains(opcode)), "{seen:02x?}");
}

#[test]
fn every_opcode_is_known_and_others_are_kept() {
    for opcode in 0..=255 {
        let bytes = [&[opcode], [0; 40].as_slice()].concat();
        let frame = canonical!(BrowserFrame<'_>, &bytes);
        let known = OPCODES.contains(&opcode);
        assert_eq!(frame.opcode(), Opcode(opcode));
        assert_eq!(frame.opcode().name().is_some(), known, "{opcode:#x}");
        assert_eq!(matches!(frame, BrowserFrame::Unknown { .. }), !known, "{opcode:#x}");
    }
    assert_eq!(Opcode(0x42).to_string(), "0x42");
}

#[test]
fn the_request_of_nmbd_has_a_nul_before_the_name() {
    let bytes = case("browser", "nmbd-announcement-request").bytes;
    assert_eq!(bytes, b"\x02\x01\0LMB2");
    let BrowserFrame::AnnouncementRequest(frame) = canonical!(BrowserFrame<'_>, &bytes) else { panic!() };
    assert_eq!((frame.response_name(), frame.name.text()), (b"LMB2".as_slice(), b"".as_slice()));
    for (bytes, name) in [
        (b"\x02\x00PC\0".as_slice(), b"PC".as_slice()),
        (b"\x02\x00PC", b"PC"),
        (b"\x02\x00\0PC\0", b"PC"),
        (b"\x02\x00\0\0PC", b""),
        (b"\x02\x00", b""),
    ] {
        let BrowserFrame::AnnouncementRequest(frame) = canonical!(BrowserFrame<'_>, bytes) else { panic!() };
        assert_eq!(frame.response_name(), name, "{bytes:?}");
    }
}

#[test]
fn an_election_frame_that_cannot_win_has_no_name() {
    let bytes = case("browser", "nmbd-election-cannot-win").bytes;
    let BrowserFrame::RequestElection(frame) = canonical!(BrowserFrame<'_>, &bytes) else { panic!() };
    assert_eq!((frame.version, frame.criteria, frame.uptime), (0, Criteria(0), 0));
    assert_eq!(frame.server_name().text(), b"");
}

#[test]
fn the_criteria_of_real_senders_are_read_in_parts() {
    let parts = |number| {
        let criteria = Criteria(number);
        (criteria.os(), criteria.browser_version(), criteria.roles())
    };
    let (os, version, roles) = parts(0x1001_0f20);
    assert_eq!((os, version, roles), (ElectionOs::WORKSTATION, Version::new(15, 1), ElectionRoles::NBNS));
    let (os, version, roles) = parts(0x0104_1500);
    assert_eq!((os, version, roles), (ElectionOs::WFW, Version::new(21, 4), ElectionRoles::empty()));
    let (os, _, roles) = parts(0x1401_0f02);
    assert_eq!((os.0, os.meaning(), roles), (20, None, ElectionRoles::DOMAIN_CONTROLLER));
    assert!(Criteria(0x2001_0f00) > Criteria(0x1001_0fff));
}

#[test]
fn the_count_of_a_backup_list_is_not_trusted() {
    let names = |case_name| {
        let bytes = case("browser", case_name).bytes;
        let BrowserFrame::GetBackupListResponse(frame) = BrowserFrame::decode(&bytes).unwrap() else {
            panic!()
        };
        let names = frame.backup_servers.iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        (frame.backup_server_count, names)
    };
    let both = || vec![b"PC1".to_vec(), b"PC2".to_vec()];
    assert_eq!(names("backup-list-response-count-lies"), (255, both()));
    assert_eq!(names("backup-list-response-unterminated"), (2, both()));
    assert_eq!(names("backup-list-response-empty"), (0, Vec::new()));
    // The list ends at its first empty name.
    let BrowserFrame::GetBackupListResponse(frame) =
        canonical!(BrowserFrame<'_>, b"\x0a\x03\0\0\0\0PC1\0\0PC2\0")
    else {
        panic!()
    };
    assert_eq!(frame.backup_servers.iter().count(), 1);
}

#[test]
fn old_memory_behind_a_name_is_kept() {
    let mut bytes = case("browser", "win7-domainannounce").bytes;
    bytes[6 + 10..6 + 16].copy_from_slice(b"MEMORY");
    let BrowserFrame::DomainAnnouncement(frame) = canonical!(BrowserFrame<'_>, &bytes) else { panic!() };
    assert_eq!(frame.server_name.text(), b"WORKGROUP");
    assert_eq!(frame.server_name.tail(), b"MEMORY");
    assert_eq!((frame.browser_version, frame.signature), (Version::new(0xfe, 7), 0));
}

#[test]
fn a_comment_may_be_missing_or_long_or_without_nul() {
    let head = case("browser", "win10-hostannounce-1min").bytes[..32].to_vec();
    let long = [b'x'; 100];
    let long_with_tail = [long.as_slice(), b"\0tail"].concat();
    for (behind, text, tail) in [
        (b"".as_slice(), b"".as_slice(), b"".as_slice()),
        (b"abc", b"abc", b""),
        (b"abc\0", b"abc", b"\0"),
        (&long_with_tail, &long, b"\0tail"),
    ] {
        let bytes = [head.as_slice(), behind].concat();
        let BrowserFrame::HostAnnouncement(frame) = canonical!(BrowserFrame<'_>, &bytes) else { panic!() };
        assert_eq!((frame.comment.text(), frame.comment.tail()), (text, tail));
    }
}

#[test]
fn server_type_bits_without_a_name_are_kept() {
    let mut bytes = case("browser", "win10-hostannounce-1min").bytes;
    bytes[24..28].copy_from_slice(&[0xff; 4]);
    let BrowserFrame::HostAnnouncement(frame) = canonical!(BrowserFrame<'_>, &bytes) else { panic!() };
    assert_eq!(frame.server_type.bits(), u32::MAX);
}

#[test]
fn every_cut_field_is_named() {
    let announcement: &[(&str, usize, usize)] = &[
        ("update_count", 1, 1),
        ("periodicity", 2, 4),
        ("server_name", 6, 16),
        ("os_version_major", 22, 1),
        ("os_version_minor", 23, 1),
        ("server_type", 24, 4),
        ("browser_version_major", 28, 1),
        ("browser_version_minor", 29, 1),
        ("signature", 30, 2),
    ];
    let election: &[_] = &[("version", 1, 1), ("criteria", 2, 4), ("uptime", 6, 4), ("unused", 10, 4)];
    let frames: [(u8, &[_]); 8] = [
        (0x01, announcement),
        (0x0c, announcement),
        (0x0f, announcement),
        (0x02, &[("reserved", 1, 1)]),
        (0x08, election),
        (0x09, &[("requested_count", 1, 1), ("token", 2, 4)]),
        (0x0a, &[("backup_server_count", 1, 1), ("token", 2, 4)]),
        (0x0e, &[("options", 1, 1)]),
    ];
    refused!(BrowserFrame<'_>, b"", Browser, "opcode", 0, DecodeErrorKind::Truncated { needed: 1, have: 0 });
    for (opcode, fields) in frames {
        let bytes = [&[opcode], [0; 31].as_slice()].concat();
        let mut length = 1;
        for &(field, at, needed) in fields {
            assert_eq!(length, at, "{opcode:#x} {field}");
            for have in 0..needed {
                let error = BrowserFrame::decode(&bytes[..at + have]).unwrap_err();
                let kind = DecodeErrorKind::Truncated { needed, have };
                let told = (error.layer, error.field, error.offset, error.kind);
                assert_eq!(told, (Layer::Browser, field, at, kind), "{opcode:#x}");
            }
            length += needed;
        }
        // With its last fixed field the frame is whole.
        canonical!(BrowserFrame<'_>, &bytes[..length]);
    }
}

#[test]
fn what_cannot_be_written_cannot_be_built() {
    let long = |have, max| ValueErrorReason::TooLong { have, max };
    let nul = ValueErrorReason::BadCharacter { position: 1 };
    let version = Version::new(10, 0);
    let announcement = |name, comment| {
        Announcement::new(name, version, ServerType::SERVER, 60_000, comment).unwrap_err().reason
    };
    assert_eq!(announcement(b"SIXTEEN-BYTES-XX", b""), long(16, 15));
    assert_eq!(announcement(b"PC1", &[b'x'; 43]), long(43, 42));
    assert_eq!(announcement(b"P\0C", b""), nul);
    assert_eq!(announcement(b"PC1", b"x\0"), nul);
    let name = b"SIXTEEN-BYTES-XX";
    assert_eq!(AnnouncementRequest::new(name).unwrap_err().reason, long(16, 15));
    assert_eq!(NameFrame::new(name).unwrap_err().reason, long(16, 15));
    assert_eq!(RequestElection::new(criteria(), 0, name).unwrap_err().reason, long(16, 15));
    let list = |names: &[&[u8]]| GetBackupListResponse::new(0, names.iter().copied()).unwrap_err().reason;
    assert_eq!(list(&[name]), long(16, 15));
    assert_eq!(list(&[b"PC1", b""]), ValueErrorReason::Empty);
    assert_eq!(list(&[b"A".as_slice(); 256]), long(256, 255));
}

#[test]
fn a_host_announcement_on_lanman_is_told_by_its_signature() {
    let bytes = case("lanman", "host-announcement").bytes;
    let LanmanFrame::HostAnnouncement { frame, .. } = canonical!(LanmanFrame<'_>, &bytes) else { panic!() };
    assert_eq!(frame.server_name.text(), b"MSEDGEWIN10");
    let mut other = bytes;
    other[30] = 0;
    assert!(matches!(canonical!(LanmanFrame<'_>, &other), LanmanFrame::Announcement(_)));
}

#[test]
fn a_lanman_comment_that_would_look_like_a_host_announcement_is_refused() {
    // The frame's bytes 30 and 31: 10 fixed, a name of 3 and its NUL, 16 of comment.
    let comment = [[b'x'; 16].as_slice(), b"\x55\xaa"].concat();
    let make = |name| LanmanAnnouncement::new(name, Version::new(6, 1), ServerType::SERVER, 15, &comment);
    assert!(matches!(make(b"PC1").unwrap_err().reason, ValueErrorReason::BadForm(_)));
    round_trip!(LanmanFrame<'_>, LanmanFrame::Announcement(make(b"PC12").unwrap()));
}

#[test]
fn cut_lanman_frames_are_named() {
    let bytes = case("lanman", "nmbd-lanman").bytes;
    let fields = [
        ("type", 0, 2),
        ("server_type", 2, 4),
        ("os_version_major", 6, 1),
        ("os_version_minor", 7, 1),
        ("interval", 8, 2),
    ];
    for (field, at, needed) in fields {
        for have in 0..needed {
            let kind = DecodeErrorKind::Truncated { needed, have };
            let error = LanmanFrame::decode(&bytes[..at + have]).unwrap_err();
            assert_eq!(
                (error.layer, error.field, error.offset, error.kind),
                (Layer::Lanman, field, at, kind)
            );
        }
    }
    let LanmanFrame::Announcement(frame) = canonical!(LanmanFrame<'_>, &bytes[..12]) else { panic!() };
    assert_eq!((frame.server_name(), frame.comment()), (b"OL".as_slice(), None));
}

#[test]
fn frames_in_wire_md_are_written_byte_for_byte() {
    let name = b"MSEDGEWIN10";
    let types = ServerType::WORKSTATION | ServerType::SERVER | ServerType::NT;
    let frame = Announcement::new(name, Version::new(10, 0), types, 60_000, b"").unwrap();
    let host = BrowserFrame::HostAnnouncement(frame);
    assert_eq!(host.to_bytes(), case("browser", "win10-hostannounce-1min").bytes);
    let election = RequestElection::new(criteria(), 201_364, b"8FD12EDD2DC1462").unwrap();
    let election = BrowserFrame::RequestElection(election);
    assert_eq!(election.to_bytes(), case("browser", "election-win7").bytes);
    let response = GetBackupListResponse::new(1, [b"WIN98-1".as_slice()]).unwrap();
    let response = BrowserFrame::GetBackupListResponse(response);
    assert_eq!(response.to_bytes(), case("browser", "win98-getbackuplistresponse").bytes);
    let become_backup = BrowserFrame::BecomeBackup(NameFrame::new(b"T40").unwrap());
    assert_eq!(become_backup.to_bytes(), case("browser", "becomebackup").bytes);
}

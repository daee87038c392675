//! SMB1 session messages: real dialogues, what each constructor writes, older forms, chains, what is damaged.

use mailslot::wire::smb::{
    AndX, Body, Capabilities, Class, Command, DosError, Flags, Flags2, HEADER_LEN, Header, Logoff, MAX_CHAIN,
    NO_DIALECT, NT_LM_012, NegotiateCore, NegotiateNt, NegotiateRequest, NegotiateResponse, NtStatus,
    NtWords, Part, Piece, Protocol, SERVICE_ANY, SERVICE_IPC, SecurityMode, SessionAction,
    SessionSetupRequest, SessionSetupResponse, SessionSetupWords, SmbMessage, SmbStr, TransactionFlags,
    TransactionRequest, TransactionResponse, TransactionSecondary, TreeConnectFlags, TreeConnectRequest,
    TreeConnectResponse, utf16,
};
use mailslot::wire::{Decode, DecodeErrorKind, Encode, ValueErrorReason};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::frames::case;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn string(string: SmbStr<'_>) -> String {
    string.decode(Default::default())
}

fn part(part: Part) -> Value {
    json!([part.total, part.count, part.offset, part.displacement])
}

fn andx(andx: AndX) -> Value {
    json!([andx.command.0, andx.reserved, andx.offset])
}

/// A message as the `.json` of the golden frames shows it.
pub(crate) fn show_message(message: &SmbMessage<'_>) -> Value {
    let header = message.header();
    json!({
        "command": header.command.0,
        "status": header.status.0,
        "flags": header.flags.bits(),
        "flags2": header.flags2.bits(),
        "tid": header.tid,
        "pid_low": header.pid_low,
        "uid": header.uid,
        "mid": header.mid,
        "body": show_body(message.body()),
        "trailing": hex::encode(message.body().trailing()),
    })
}

fn show_body(body: &Body<'_>) -> Value {
    match body {
        Body::Empty(body) | Body::TreeDisconnectRequest(body) => {
            json!({ "empty": hex::encode(body.bytes()) })
        }
        Body::NegotiateRequest(body) => json!({ "dialects": body.dialects().map(text).collect::<Vec<_>>() }),
        Body::NegotiateResponse(NegotiateResponse::Nt(body)) => {
            let words = body.words();
            json!({
                "dialect_index": words.dialect_index,
                "security_mode": words.security_mode.bits(),
                "max_mpx_count": words.max_mpx_count,
                "max_number_vcs": words.max_number_vcs,
                "max_buffer_size": words.max_buffer_size,
                "max_raw_size": words.max_raw_size,
                "session_key": words.session_key,
                "capabilities": words.capabilities.bits(),
                "system_time": words.system_time,
                "server_time_zone": words.server_time_zone,
                "server_guid": body.server_guid().map(hex::encode),
                "security_blob": body.security_blob().map(hex::encode),
            })
        }
        Body::SessionSetupRequest(body) => json!({
            "andx": andx(body.andx()),
            "max_buffer_size": body.words().max_buffer_size,
            "max_mpx_count": body.words().max_mpx_count,
            "vc_number": body.words().vc_number,
            "session_key": body.words().session_key,
            "capabilities": body.capabilities().map(|capabilities| capabilities.bits()),
            "security_blob": body.security_blob().map(hex::encode),
            "native_os": string(body.native_os()),
            "native_lan_man": string(body.native_lan_man()),
        }),
        Body::SessionSetupResponse(body) => json!({
            "andx": andx(body.andx()),
            "action": body.action().bits(),
            "security_blob": body.security_blob().map(hex::encode),
            "native_os": string(body.native_os()),
            "native_lan_man": string(body.native_lan_man()),
            "primary_domain": string(body.primary_domain()),
        }),
        Body::TreeConnectRequest(body) => json!({
            "andx": andx(body.andx()),
            "flags": body.flags().bits(),
            "password": hex::encode(body.password()),
            "path": string(body.path()),
            "service": text(body.service()),
        }),
        Body::TreeConnectResponse(body) => json!({
            "andx": andx(body.andx()),
            "optional_support": body.optional_support(),
            "access_rights": body.access_rights().map(|(rights, guest)| [rights, guest]),
            "service": text(body.service()),
            "native_file_system": string(body.native_file_system()),
        }),
        Body::TransactionRequest(body) => json!({
            "name": string(body.name()),
            "unicode": body.name().is_unicode(),
            "max_counts": [
                body.words().max_parameter_count,
                body.words().max_data_count,
                u16::from(body.words().max_setup_count),
            ],
            "flags": body.words().flags.bits(),
            "timeout": body.words().timeout,
            "setup": body.setup().collect::<Vec<_>>(),
            "parameter_part": part(body.parameter_part()),
            "data_part": part(body.data_part()),
            "parameters": hex::encode(body.parameters()),
            "data": hex::encode(body.data()),
        }),
        Body::TransactionResponse(body) => json!({
            "setup": body.setup().collect::<Vec<_>>(),
            "parameter_part": part(body.parameter_part()),
            "data_part": part(body.data_part()),
            "parameters": hex::encode(body.parameters()),
            "data": hex::encode(body.data()),
        }),
        Body::SendStartRequest(body) => json!({ "from": text(body.from()), "to": text(body.to()) }),
        Body::SendTextRequest(body) => {
            json!({ "message_group_id": body.message_group_id(), "text": text(body.text()) })
        }
        Body::SendEndRequest(body) => json!({ "message_group_id": body.message_group_id() }),
        Body::Raw(raw) => json!({ "raw": hex::encode(raw.bytes()) }),
        other => panic!("{other:?}"),
    }
}

fn header(unicode: bool) -> Header {
    let mut header = Header::new(Command(0));
    header.flags = Flags::CASE_INSENSITIVE | Flags::CANONICALIZED_PATHS;
    header.flags2 = Flags2::LONG_NAMES | Flags2::NT_STATUS;
    header.flags2.set(Flags2::UNICODE, unicode);
    header.mid = 7;
    header
}

fn oem(text: &str) -> SmbStr<'_> {
    SmbStr::oem(text.as_bytes()).unwrap()
}

/// A message whose header, command and block are written by hand.
fn by_hand(command: Command, reply: bool, flags2: u16, block: &[u8]) -> Vec<u8> {
    let mut header = header(false);
    header.command = command;
    header.flags.set(Flags::REPLY, reply);
    header.flags2 = Flags2::from_bits_retain(flags2);
    [header.to_bytes().as_slice(), block].concat()
}

/// The dialogue of a write over a session (`wire.md` §9.2), in OEM and in UTF-16.
#[test]
fn a_whole_dialogue_by_constructors() {
    for unicode in [false, true] {
        let form = |text: &str| if unicode { utf16(text) } else { text.as_bytes().to_vec() };
        let (os, path, slot) = (form("Unix"), form(r"\\PC7\IPC$"), form(r"\MAILSLOT\foo"));
        let domain = form("WORKGROUP");
        let of = |bytes| if unicode { SmbStr::utf16(bytes) } else { SmbStr::oem(bytes) }.unwrap();
        let words = SessionSetupWords::default();
        let nt = NtWords {
            security_mode: SecurityMode::USER_SECURITY | SecurityMode::ENCRYPT_PASSWORDS,
            max_buffer_size: 16_644,
            capabilities: Capabilities::UNICODE | Capabilities::STATUS32 | Capabilities::NT_SMBS,
            ..NtWords::default()
        };
        let plain = NegotiateNt::plain(nt, b"challeng", of(&domain)).unwrap();
        let extended = NegotiateNt::extended(nt, *b"0123456789abcdef", b"blob").unwrap();
        let rights = Some((0x1f_01ff, 0));
        let bodies: Vec<Body<'_>> = vec![
            NegotiateRequest::new(&[NT_LM_012]).unwrap().into(),
            NegotiateResponse::Core(NegotiateCore::new(NO_DIALECT)).into(),
            NegotiateResponse::Nt(plain).into(),
            NegotiateResponse::Nt(extended).into(),
            SessionSetupRequest::anonymous(words, nt.capabilities, of(&os), of(&os)).unwrap().into(),
            SessionSetupRequest::extended(words, nt.capabilities, b"odd", of(&os), of(&os)).unwrap().into(),
            SessionSetupResponse::new(SessionAction::GUEST, None, of(&os), of(&os), of(&os)).unwrap().into(),
            SessionSetupResponse::new(SessionAction::empty(), Some(b"blob"), of(&os), of(&os), of(&os))
                .unwrap()
                .into(),
            TreeConnectRequest::new(TreeConnectFlags::EXTENDED_RESPONSE, of(&path), SERVICE_ANY)
                .unwrap()
                .into(),
            TreeConnectResponse::new(1, None, SERVICE_IPC, of(&[])).unwrap().into(),
            TreeConnectResponse::new(1, rights, SERVICE_IPC, of(&[])).unwrap().into(),
            TransactionRequest::mailslot_write(of(&slot), 3, Piece::whole(&[0xca; 500])).unwrap().into(),
            TransactionResponse::new(&[], Piece::whole(&[0, 0]), Piece::EMPTY).unwrap().into(),
            TransactionSecondary::new(Piece::EMPTY, Piece::of(&[7; 900], 500, 400)).unwrap().into(),
            TransactionRequest::rap(unicode, b"parameters", 0xffff).unwrap().into(),
            Body::empty(Command::TRANSACTION),
            Body::tree_disconnect(),
            Body::LogoffRequest(Logoff::new()),
            Body::LogoffResponse(Logoff::new()),
        ];
        for body in bodies {
            let message = SmbMessage::new(header(unicode), body.clone()).unwrap();
            let bytes = round_trip!(SmbMessage<'_>, message);
            let read = canonical!(SmbMessage<'_>, &bytes);
            assert_eq!(read.header().is_reply(), body.is_response());
            assert_eq!((read.header().command, read.header().mid), (body.command(), 7));
            assert!(read.chained().next().is_none() && read.body().trailing().is_empty());
            match read.body() {
                Body::NegotiateResponse(NegotiateResponse::Nt(nt)) if nt.is_extended() => {
                    assert_eq!(nt.security_blob(), Some(b"blob".as_slice()));
                    assert_eq!((nt.challenge(), nt.domain()), (None, None));
                }
                Body::NegotiateResponse(NegotiateResponse::Nt(nt)) => {
                    assert_eq!(nt.challenge(), Some(b"challeng".as_slice()));
                    assert_eq!(nt.domain().map(string).as_deref(), Some("WORKGROUP"));
                }
                Body::SessionSetupRequest(setup) => {
                    assert_eq!(
                        (string(setup.native_os()), string(setup.native_lan_man())),
                        ("Unix".into(), "Unix".into())
                    );
                    if setup.security_blob().is_none() {
                        assert_eq!(setup.oem_password(), Some([0].as_slice()));
                        assert_eq!(setup.unicode_password(), Some([].as_slice()));
                        assert!(setup.account_name().unwrap().is_empty());
                    }
                }
                Body::SessionSetupResponse(setup) => assert_eq!(string(setup.primary_domain()), "Unix"),
                Body::TreeConnectRequest(connect) => {
                    assert_eq!(string(connect.path()), r"\\PC7\IPC$");
                    assert_eq!((connect.password(), connect.service()), ([0].as_slice(), SERVICE_ANY));
                    assert_eq!(connect.path().is_unicode(), unicode);
                }
                Body::TreeConnectResponse(connect) => assert_eq!(connect.service(), SERVICE_IPC),
                _ => {}
            }
            damaged!(SmbMessage<'_>, &bytes, lossless);
        }
    }
}

/// The captured writes, in the three forms of the name and the class that the lab has.
#[test]
fn mailslot_writes_over_a_session_are_seen() {
    let frames = [
        ("transaction-request-smbd-14", 2, false, 10),
        ("transaction-request-smbd-32", 1, false, 10),
        ("transaction-request-smbd-87", 1, true, 500),
    ];
    for (frame, class, unicode, length) in frames {
        let bytes = case("smb_session", frame).bytes;
        let message = canonical!(SmbMessage<'_>, &bytes);
        let Body::TransactionRequest(request) = message.body() else { panic!("{message:?}") };
        let write = request.as_mailslot_write().unwrap();
        assert_eq!(
            (write.class, write.slot.is_unicode(), write.data),
            (Class(class), unicode, &vec![b'A'; length][..])
        );
        assert!(write.slot.eq_ignore_ascii_case(b"FOO") && !write.slot.eq_ignore_ascii_case(b"FO"));
        assert_eq!((string(write.name), usize::from(write.total)), (r"\MAILSLOT\foo".into(), length));
    }
    let bytes = case("smb_session", "transaction-request-smbd-177").bytes;
    let message = canonical!(SmbMessage<'_>, &bytes);
    let Body::TransactionRequest(request) = message.body() else { panic!("{message:?}") };
    assert!(request.as_mailslot_write().is_none());
}

#[test]
fn a_write_in_parts() {
    let data: Vec<u8> = (0..60_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let name = oem(r"\MAILSLOT\foo");
    let first = TransactionRequest::mailslot_write(name, 0, Piece::of(&data, 0, 4000)).unwrap();
    assert!(!first.data_part().is_whole());
    assert_eq!((first.data(), first.as_mailslot_write().unwrap().total), (&data[..4000], 60_000));
    assert_eq!(first.words().flags, TransactionFlags::NO_RESPONSE);
    let mut whole = first.data().to_vec();
    while whole.len() < data.len() {
        let piece = Piece::of(&data, whole.len(), 4000);
        let secondary = TransactionSecondary::new(Piece::EMPTY, piece).unwrap();
        let bytes = round_trip!(SmbMessage<'_>, SmbMessage::new(header(false), secondary).unwrap());
        let message = SmbMessage::decode(&bytes).unwrap();
        let Body::TransactionSecondary(part) = message.body() else { panic!() };
        assert_eq!(usize::from(part.data_part().displacement), whole.len());
        whole.extend(part.data());
    }
    assert_eq!(whole, data);
    // A first request begins at the beginning; a part stays inside its whole; one message has 16-bit lengths.
    assert!(TransactionRequest::mailslot_write(name, 0, Piece::of(&data, 1, 10)).is_err());
    let mut beyond = Piece::of(&data, 10, 10);
    beyond.total = 19;
    assert!(TransactionSecondary::new(Piece::EMPTY, beyond).is_err());
    assert!(TransactionRequest::mailslot_write(name, 0, Piece::whole(&[0; 65_535])).is_err());
    assert!(TransactionRequest::mailslot_write(oem(r"\PIPE\foo"), 0, Piece::EMPTY).is_err());
    assert!(TransactionRequest::mailslot_write(oem(r"\MAILSLOT\"), 0, Piece::EMPTY).is_err());
    assert!(TransactionRequest::new(name, &[0; 242], Piece::EMPTY, Piece::EMPTY).is_err());
    TransactionRequest::new(name, &[0; 241], Piece::EMPTY, Piece::EMPTY).unwrap();
}

#[test]
fn errors_answer_any_command() {
    let bytes = case("smb_session", "transaction-request-smbd-14").bytes;
    let request = SmbMessage::decode(&bytes).unwrap();
    let answer = SmbMessage::status(request.header(), NtStatus::NOT_SUPPORTED);
    let made = round_trip!(SmbMessage<'_>, answer);
    let captured = case("smb_session", "transaction-response-smbd-15").bytes;
    assert!(matches!(canonical!(SmbMessage<'_>, &captured).body(), Body::Empty(_)));
    assert_eq!(made[HEADER_LEN..], captured[HEADER_LEN..]);
    assert!(answer.header().is_error() && !answer.is_interim());
    assert!(SmbMessage::status(request.header(), NtStatus::SUCCESS).is_interim());
    assert_eq!(NtStatus::NOT_SUPPORTED.to_string(), "NOT_SUPPORTED (0xc00000bb)");
    for command in 0..=255 {
        let bytes = by_hand(Command(command), true, 0, &[0, 0, 0]);
        let message = canonical!(SmbMessage<'_>, &bytes);
        assert!(matches!(message.body(), Body::Empty(_)), "{message:?}");
        // A request of an unknown command, and one with nothing behind its header.
        law!(SmbMessage<'_>, &by_hand(Command(command), false, 0, &[]));
    }
    let raw = by_hand(Command(0x2d), false, 0, &[9, 1, 2, 3]);
    let message = canonical!(SmbMessage<'_>, &raw);
    let Body::Raw(body) = message.body() else { panic!("{message:?}") };
    assert_eq!(
        (body.command(), body.bytes(), body.word_count()),
        (Command(0x2d), [9, 1, 2, 3].as_slice(), Some(9))
    );
}

#[test]
fn dos_errors_are_the_same_four_bytes() {
    let error = DosError::new(1, 2);
    let status = NtStatus::from_dos(error);
    assert_eq!((status.0.to_le_bytes(), status.dos()), ([1, 0, 2, 0], error));
    assert_eq!(error.to_string(), "ERRDOS 2");
    let mut header = Header::new(Command::TRANSACTION);
    header.status = status;
    assert!(header.is_error());
    header.flags2 = Flags2::NT_STATUS;
    assert!(!header.is_error());
}

#[test]
fn older_forms_are_read() {
    // A core answer that accepts nothing, and a LAN Manager one.
    let core = by_hand(Command::NEGOTIATE, true, 0, &[1, 0xff, 0xff, 0, 0]);
    let message = canonical!(SmbMessage<'_>, &core);
    let Body::NegotiateResponse(response) = message.body() else { panic!() };
    assert_eq!(response.dialect_index(), NO_DIALECT);
    let lanman = by_hand(
        Command::NEGOTIATE, true, 0,
        b"\x0d\x02\0\x03\0\x04\x11\x32\0\x01\0\0\0\x78\x56\x34\x12\0\x60\x21\x58\xc4\xff\x08\0\0\0\x0b\0challengWG\0",
    );
    let message = canonical!(SmbMessage<'_>, &lanman);
    let Body::NegotiateResponse(NegotiateResponse::Lanman(response)) = message.body() else { panic!() };
    assert_eq!((response.challenge(), response.primary_domain()), (b"challeng".as_slice(), b"WG".as_slice()));
    assert_eq!((response.words().max_buffer_size, response.words().server_time_zone), (4356, -60));
    damaged!(SmbMessage<'_>, &lanman, lossless);
    // SESSION_SETUP_ANDX of 10 words.
    let setup = by_hand(
        Command::SESSION_SETUP_ANDX,
        false,
        0,
        b"\x0a\xff\0\0\0\x04\x11\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\x11\0pw\0USER\0WG\0DOS\0LM",
    );
    let message = canonical!(SmbMessage<'_>, &setup);
    let Body::SessionSetupRequest(setup) = message.body() else { panic!() };
    assert_eq!((setup.oem_password(), setup.unicode_password()), (Some(b"pw\0".as_slice()), None));
    let names = [
        setup.account_name().unwrap(),
        setup.primary_domain().unwrap(),
        setup.native_os(),
        setup.native_lan_man(),
    ];
    assert_eq!(names.map(string), ["USER", "WG", "DOS", "LM"]);
    assert_eq!(setup.capabilities(), None);
    // TREE_CONNECT_ANDX answered with two words.
    let connect = by_hand(Command::TREE_CONNECT_ANDX, true, 0, b"\x02\xff\0\0\0\x04\0IPC\0");
    let message = canonical!(SmbMessage<'_>, &connect);
    let Body::TreeConnectResponse(connect) = message.body() else { panic!() };
    assert_eq!(
        (connect.service(), connect.optional_support(), connect.access_rights()),
        (SERVICE_IPC, None, None)
    );
}

/// LOGOFF_ANDX (2 words, no bytes) followed by itself `links` times, then by the end.
fn chain(links: usize) -> Vec<u8> {
    let mut blocks = Vec::new();
    for link in 0..=links {
        let next = u16::try_from(HEADER_LEN + (link + 1) * 8).unwrap().to_le_bytes();
        let command = if link == links { 0xff } else { 0x74 };
        // One byte between the blocks.
        blocks.extend([2, command, 0, next[0], next[1], 0, 0, 0xee]);
    }
    by_hand(Command::LOGOFF_ANDX, false, 0, &blocks)
}

#[test]
fn chains_go_forward_and_end() {
    for links in 0..MAX_CHAIN {
        let bytes = chain(links);
        let message = canonical!(SmbMessage<'_>, &bytes);
        assert_eq!(message.chained().count(), links);
        assert!(message.chained().all(|body| body.command() == Command::LOGOFF_ANDX));
        damaged!(SmbMessage<'_>, &bytes, lossless);
    }
    let kind = DecodeErrorKind::BadValue { value: 0x74, expected: "0xff after eight commands" };
    refused!(SmbMessage<'_>, &chain(MAX_CHAIN), Smb, "andx_command", HEADER_LEN + 7 * 8 + 1, kind);
    // Backwards, at itself, into its own words, out of the message.
    for (offset, kind) in [
        (0, DecodeErrorKind::BadValue { value: 0, expected: "an offset behind this command's words" }),
        (32, DecodeErrorKind::BadValue { value: 32, expected: "an offset behind this command's words" }),
        (38, DecodeErrorKind::BadValue { value: 38, expected: "an offset behind this command's words" }),
        (255, DecodeErrorKind::OutOfBounds { needed: 255, have: 48 }),
    ] {
        let mut bytes = chain(1);
        bytes[HEADER_LEN + 3] = offset;
        refused!(SmbMessage<'_>, &bytes, Smb, "andx_offset", HEADER_LEN + 3, kind);
    }
    // What follows a damaged link is told with its own place.
    let mut bytes = chain(1);
    bytes[HEADER_LEN + 8] = 3;
    let kind = DecodeErrorKind::Truncated { needed: 2, have: 1 };
    refused!(SmbMessage<'_>, &bytes, Smb, "byte_count", HEADER_LEN + 8 + 7, kind);
    // A body of a chain cannot begin a message of its own.
    let bytes = chain(1);
    let second = SmbMessage::decode(&bytes).unwrap().chained().next().unwrap();
    let error = SmbMessage::new(header(false), second).unwrap_err();
    assert_eq!(error.reason, ValueErrorReason::BadForm("the first of its message"));
}

/// Session setup, tree connect and a transaction in one message, as Windows 9x sends the first two.
#[test]
fn a_chain_of_different_commands() {
    let setup = b"\x0d\x75\0\x5a\0\x04\x11\x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x05\0\0\0\x1b\0\0USER\0WG\0Windows\0Windows 4\0";
    let connect = b"\x04\xff\0\0\0\0\0\x01\0\x12\0\0\\\\PC7\\IPC$\0?????\0";
    let mut bytes = by_hand(Command::SESSION_SETUP_ANDX, false, 0, setup);
    let at = u8::try_from(bytes.len()).unwrap();
    bytes[HEADER_LEN + 3] = at;
    bytes.extend(connect);
    let message = canonical!(SmbMessage<'_>, &bytes);
    let Body::SessionSetupRequest(setup) = message.body() else { panic!() };
    assert_eq!(setup.andx().command, Command::TREE_CONNECT_ANDX);
    let Some(Body::TreeConnectRequest(connect)) = message.chained().next() else { panic!() };
    assert_eq!((string(connect.path()), connect.service()), (r"\\PC7\IPC$".into(), SERVICE_ANY));
    damaged!(SmbMessage<'_>, &bytes, lossless);
}

#[test]
fn refusals_name_their_field() {
    let bounds = |needed, have| DecodeErrorKind::OutOfBounds { needed, have };
    let value = |value, expected| DecodeErrorKind::BadValue { value, expected };
    let truncated = |needed, have| DecodeErrorKind::Truncated { needed, have };
    let message = |command, reply, block: &[u8]| by_hand(command, reply, 0, block);
    let negotiate = |block: &[u8]| message(Command::NEGOTIATE, false, block);
    refused!(SmbMessage<'_>, &negotiate(&[]), Smb, "word_count", 32, truncated(1, 0));
    refused!(SmbMessage<'_>, &negotiate(&[1, 0]), Smb, "words", 33, truncated(2, 1));
    refused!(SmbMessage<'_>, &negotiate(&[0, 9]), Smb, "byte_count", 33, truncated(2, 1));
    refused!(SmbMessage<'_>, &negotiate(&[0, 1, 0]), Smb, "byte_count", 33, bounds(1, 0));
    refused!(SmbMessage<'_>, &negotiate(&[1, 0, 0, 0, 0]), Smb, "word_count", 32, value(1, "0"));
    refused!(SmbMessage<'_>, &negotiate(b"\0\x02\0\x03A"), Smb, "buffer_format", 35, value(3, "2"));
    refused!(
        SmbMessage<'_>,
        &negotiate(b"\0\x04\0\x02\0\x02A"),
        Smb,
        "dialect",
        38,
        DecodeErrorKind::Unterminated
    );
    let answer = message(Command::NEGOTIATE, true, &[2, 0, 0, 0, 0, 0, 0]);
    refused!(SmbMessage<'_>, &answer, Smb, "word_count", 32, value(2, "1, 13 or 17"));
    let mut answer = case("smb_session", "negotiate-response-nmbd-72").bytes;
    answer[HEADER_LEN + 35] = 15;
    refused!(SmbMessage<'_>, &answer, Smb, "server_guid", 69, truncated(16, 15));
    let mut setup = case("smb_session", "session-setup-request-nmbd-73").bytes;
    setup[HEADER_LEN + 15..HEADER_LEN + 17].copy_from_slice(&[98, 0]);
    refused!(SmbMessage<'_>, &setup, Smb, "security_blob_length", 47, bounds(98, 97));
    let mut connect = case("smb_session", "tree-connect-request-nmbd-77").bytes;
    connect[HEADER_LEN + 7] = 30;
    refused!(SmbMessage<'_>, &connect, Smb, "password_length", 39, bounds(30, 29));
    let connect = message(Command::TREE_CONNECT_ANDX, false, b"\x04\xff\0\0\0\0\0\x01\0\x03\0\0\\\\");
    refused!(SmbMessage<'_>, &connect, Smb, "path", 44, DecodeErrorKind::Unterminated);
    // Transactions: words and name, parts, totals, displacements.
    let good = case("smb_session", "transaction-request-smbd-14").bytes;
    let patched = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    let end = good.len();
    refused!(SmbMessage<'_>, &patched(59, 4), Transaction, "setup_count", 59, bounds(4, 3));
    refused!(SmbMessage<'_>, &patched(55, 11), Transaction, "data_count", 55, bounds(11, 10));
    refused!(
        SmbMessage<'_>,
        &patched(57, 82),
        Transaction,
        "data_offset",
        57,
        value(82, "an offset behind the name and the words")
    );
    refused!(SmbMessage<'_>, &patched(57, 84), Transaction, "data_count", 55, bounds(end + 1, end));
    refused!(SmbMessage<'_>, &patched(58, 1), Transaction, "data_offset", 57, bounds(0x153, end));
    refused!(SmbMessage<'_>, &patched(51, 1), Transaction, "parameter_count", 51, bounds(1, 0));
    refused!(SmbMessage<'_>, &patched(32, 13), Smb, "word_count", 32, value(13, "14 and the setup words"));
    let secondary = SmbMessage::new(
        header(false),
        TransactionSecondary::new(Piece::EMPTY, Piece::of(&[1; 20], 10, 10)).unwrap(),
    );
    let mut secondary = secondary.unwrap().to_bytes();
    secondary[HEADER_LEN + 15] = 11;
    refused!(SmbMessage<'_>, &secondary, Transaction, "data_displacement", 47, bounds(21, 20));
    let answer = message(Command::TRANSACTION, true, &[9; 21]);
    refused!(SmbMessage<'_>, &answer, Smb, "word_count", 32, value(9, "0, or 10 and the setup words"));
}

/// ByteCount counts for nothing in a transaction, as in a datagram.
#[test]
fn a_wrong_byte_count_is_kept() {
    let mut bytes = case("smb_session", "transaction-request-smbd-32").bytes;
    for wrong in [0, 1, 0xffff_u16] {
        bytes[67..69].copy_from_slice(&wrong.to_le_bytes());
        let message = canonical!(SmbMessage<'_>, &bytes);
        let Body::TransactionRequest(request) = message.body() else { panic!() };
        assert_eq!(request.as_mailslot_write().unwrap().data, b"AAAAAAAAAA");
    }
}

/// MS06-063: a transaction whose name has no end, in either form.
#[test]
fn cve_2006_3942_unterminated_name_on_a_session() {
    for frame in ["transaction-request-smbd-32", "transaction-request-smbd-87"] {
        let mut bytes = case("smb_session", frame).bytes;
        for byte in &mut bytes[69..] {
            *byte |= 0x20;
        }
        refused!(SmbMessage<'_>, &bytes, Transaction, "name", 69, DecodeErrorKind::Unterminated);
    }
}

/// MS06-035: an answer to a class-1 write was as long as the peer's maximum counts said. Ours is as long as what it
/// holds, whatever the request asks for.
#[test]
fn cve_2006_1314_answers_are_sized_by_what_they_hold() {
    for max in [0, 1, 0xffff_u16] {
        let write = TransactionRequest::mailslot_write(oem(r"\MAILSLOT\foo"), 0, Piece::whole(b"text"));
        let write = write.unwrap().with_max_counts(max, max, 0xff).with_flags(TransactionFlags::empty());
        let request = SmbMessage::new(header(false), write).unwrap();
        let body = TransactionResponse::new(&[], Piece::whole(&[0, 0]), Piece::EMPTY).unwrap();
        let answer = SmbMessage::new(request.header().reply(NtStatus::SUCCESS), body).unwrap();
        let bytes = round_trip!(SmbMessage<'_>, answer);
        assert_eq!(bytes.len(), HEADER_LEN + 1 + 20 + 2 + 1 + 2);
    }
}

#[test]
fn protocols_are_told_by_their_first_bytes() {
    assert_eq!(Protocol::of(b"\xffSMBr"), Some(Protocol::Smb1));
    assert_eq!(Protocol::of(b"\xfeSMB@"), Some(Protocol::Smb2));
    assert_eq!(Protocol::of(b"\xfdSMB"), Some(Protocol::Smb3Transform));
    assert_eq!((Protocol::of(b"\xffSM"), Protocol::of(b"GET / HTTP")), (None, None));
}

#[test]
fn strings_of_both_forms() {
    let wide = utf16(r"\MailSlot\Bräu");
    let string = SmbStr::utf16(&wide).unwrap();
    let slot = string.strip_prefix_ignore_ascii_case(br"\MAILSLOT\").unwrap();
    assert_eq!((slot.decode(Default::default()), slot.is_unicode()), ("Bräu".to_owned(), true));
    assert!(
        SmbStr::utf16(b"A\0B").is_err() && SmbStr::utf16(b"A\0\0\0").is_err() && SmbStr::oem(b"A\0").is_err()
    );
    // A unit that only looks like the letter.
    assert!(!SmbStr::utf16(b"A\x01").unwrap().eq_ignore_ascii_case(b"A"));
    assert!(SmbStr::oem(b"\x84").unwrap().decode(Default::default()) == "ä");
    let mixed =
        SessionSetupRequest::anonymous(SessionSetupWords::default(), Capabilities::empty(), string, oem("x"));
    assert!(matches!(mixed.unwrap_err().reason, ValueErrorReason::BadForm(_)));
}

/// Any body that a constructor makes, in any header.
fn any_message() -> impl Strategy<Value = SmbMessage<'static>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..80);
    let pieces = (bytes(), bytes(), prop::collection::vec(any::<u16>(), 0..4));
    let header = (any::<u32>(), any::<u8>(), any::<u16>(), any::<[u16; 4]>());
    (0..12, any::<bool>(), "[a-z]{0,9}", pieces, header).prop_map(|(kind, unicode, text, pieces, fields)| {
        let (a, b, setup) = &pieces;
        let wide = utf16(&text);
        let name = if unicode { SmbStr::utf16(&wide) } else { SmbStr::oem(text.as_bytes()) }.unwrap();
        let words = SessionSetupWords::default();
        let nt = NtWords { capabilities: Capabilities::from_bits_retain(fields.0), ..NtWords::default() };
        let body: Body<'static> = match kind {
            0 => NegotiateRequest::new(&[text.as_bytes(), NT_LM_012]).unwrap().into(),
            1 => NegotiateResponse::Nt(NegotiateNt::plain(nt, a, name).unwrap()).into(),
            2 => NegotiateResponse::Nt(NegotiateNt::extended(nt, [7; 16], a).unwrap()).into(),
            3 => SessionSetupRequest::anonymous(words, nt.capabilities, name, name).unwrap().into(),
            4 => SessionSetupRequest::extended(words, nt.capabilities, a, name, name).unwrap().into(),
            5 => SessionSetupResponse::new(SessionAction::empty(), Some(a), name, name, name).unwrap().into(),
            6 => TreeConnectRequest::new(TreeConnectFlags::empty(), name, text.as_bytes()).unwrap().into(),
            7 => TreeConnectResponse::new(1, None, text.as_bytes(), name).unwrap().into(),
            8 => TransactionRequest::new(name, setup, Piece::whole(a), Piece::whole(b)).unwrap().into(),
            9 => TransactionResponse::new(setup, Piece::whole(a), Piece::whole(b)).unwrap().into(),
            10 => TransactionSecondary::new(Piece::of(a, 1, 9), Piece::of(b, 3, 40)).unwrap().into(),
            _ => Body::empty(Command(text.len().to_le_bytes()[0])),
        };
        let mut header = Header::new(Command(0));
        header.status = NtStatus(fields.0);
        header.flags = Flags::from_bits_retain(fields.1);
        header.flags2 = Flags2::from_bits_retain(fields.2);
        [header.tid, header.uid, header.mid, header.pid_low] = fields.3;
        SmbMessage::new(header, body).unwrap()
    })
}

proptest! {
    #[test]
    fn messages_round_trip(message in any_message()) {
        let bytes = round_trip!(SmbMessage<'_>, message);
        lossless!(SmbMessage<'_>, &bytes);
        // Bytes behind the message are kept.
        lossless!(SmbMessage<'_>, &[bytes.as_slice(), b"more"].concat());
    }

    #[test]
    fn arbitrary_blocks_keep_the_law(
        command in prop::sample::select(vec![0x25_u8, 0x26, 0x71, 0x72, 0x73, 0x74, 0x75, 0xa2]),
        reply: bool,
        flags2: u16,
        word_count in prop::sample::select(vec![0_u8, 1, 2, 3, 4, 7, 8, 10, 12, 13, 14, 16, 17]),
        block in prop::collection::vec(prop_oneof![Just(0_u8), 0..80_u8, any::<u8>()], 0..120),
    ) {
        lossless!(SmbMessage<'_>, &by_hand(Command(command), reply, flags2, &[&[word_count], block.as_slice()].concat()));
    }

    #[test]
    fn strings_show_what_they_hold(text in "\\PC{0,20}", prefix in "[A-Za-z\\\\]{0,6}") {
        let whole = format!("{prefix}{text}");
        let wide = utf16(&whole);
        let string = SmbStr::utf16(&wide).unwrap();
        prop_assert_eq!(string.decode(Default::default()), whole);
        let upper = prefix.to_ascii_uppercase();
        let rest = string.strip_prefix_ignore_ascii_case(upper.as_bytes()).unwrap();
        prop_assert_eq!(rest.decode(Default::default()), text);
    }
}

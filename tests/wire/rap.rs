//! RAP: the requests' exact bytes, the answers of Windows and Samba read and made again, full buffers, damage.

use mailslot::wire::browser::{ServerType, Version};
use mailslot::wire::oem::FixedName;
use mailslot::wire::smb::rap::{
    Function, Request, ResponseParameters, ServerEntry, ServerEnum, ShareEnum, ShareType, Status,
    StringLayout, answer_servers, answer_shares, servers, shares,
};
use mailslot::wire::{Decode, DecodeError, DecodeErrorKind, Encode, Layer};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::frames::{case, cases};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A request as the `.json` of the golden frames shows it.
pub(crate) fn show_request(request: &Request<'_>) -> Value {
    match request {
        Request::ServerEnum(request) => json!({
            "function": request.function().0,
            "param_desc": text(request.param_desc()),
            "data_desc": text(request.data_desc()),
            "level": request.level(),
            "receive_buffer_size": request.receive_buffer_size(),
            "server_type": request.server_type().bits(),
            "domain": request.domain().map(text),
            "first_name": request.first_name().map(text),
        }),
        Request::ShareEnum(request) => json!({
            "function": 0,
            "data_desc": text(request.data_desc()),
            "level": request.level(),
            "receive_buffer_size": request.receive_buffer_size(),
        }),
        Request::Unknown(request) => json!({
            "function": request.function().0,
            "bytes": hex::encode(request.bytes()),
        }),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn show_parameters(parameters: &ResponseParameters<'_>) -> Value {
    json!({
        "status": parameters.status().0,
        "converter": parameters.converter(),
        "entries": parameters.entries(),
        "available": parameters.available(),
    })
}

fn read_servers<'a>(
    level: u16,
    parameters: &ResponseParameters<'_>,
    data: &'a [u8],
) -> Vec<Result<ServerEntry<'a>, DecodeError>> {
    servers(level, parameters, data).unwrap().collect()
}

fn fixed(name: &[u8]) -> FixedName {
    FixedName::new(Layer::Rap, "name", name).unwrap()
}

#[test]
fn requests_have_the_descriptors_of_ms_rap() {
    let all = ServerType::from_bits_retain(0xffff_ffff);
    let domains = ServerType::from_bits_retain(0x8000_0000);
    let cases: [(Request<'_>, Vec<u8>); 4] = [
        (
            Request::ServerEnum(ServerEnum::new(1, 0x1800, all, None).unwrap()),
            case("rap", "netserverenum2-req-params").bytes,
        ),
        (
            Request::ServerEnum(ServerEnum::new(1, 0xffff, domains, Some(b"LABDOM")).unwrap()),
            case("rap", "netserverenum2-nmbd-79").bytes,
        ),
        (Request::ShareEnum(ShareEnum::new(1, 4096).unwrap()), case("rap", "netshareenum-req-params").bytes),
        (
            Request::ServerEnum(ServerEnum::page(0, 512, all, b"WG", b"PC7").unwrap()),
            b"\xd7\0WrLehDzz\0B16\0\0\0\0\x02\xff\xff\xff\xffWG\0PC7\0".to_vec(),
        ),
    ];
    for (request, bytes) in cases {
        assert_eq!(hex::encode(round_trip!(Request<'_>, request)), hex::encode(&bytes));
        assert_eq!(canonical!(Request<'_>, &bytes), request);
        damaged!(Request<'_>, &bytes, lossless);
    }
    assert!(ServerEnum::new(2, 512, all, None).is_err());
    assert!(ServerEnum::new(1, 512, all, Some(b"SEVENTEEN-LETTERS")).is_err());
    assert!(ServerEnum::page(1, 512, all, b"A\0B", b"").is_err());
    assert_eq!(ShareEnum::new(2, 512).unwrap().data_desc(), b"B13BWzWWWzB9B");
    assert!(ShareEnum::new(3, 512).is_err());
}

#[test]
fn other_functions_and_descriptors_are_kept() {
    let Request::Unknown(unknown) = canonical!(Request<'_>, b"\x3f\0WrLh\0B13\0\x01\0") else { panic!() };
    assert_eq!(unknown.function(), Function(0x3f));
    assert_eq!(unknown.descriptors(), Some((b"WrLh".as_slice(), b"B13".as_slice())));
    let odd = b"\x68\0WrLehD\0B16\0\x01\0\0\x10\xff\xff\xff\xff";
    assert!(matches!(canonical!(Request<'_>, odd), Request::Unknown(_)));
    // A level with the descriptor of another one is kept, and told.
    let odd = b"\0\0WrLeh\0B13\0\x01\0\0\x10and more";
    let Request::ShareEnum(request) = canonical!(Request<'_>, odd) else { panic!() };
    assert!(!request.descriptors_agree());
    // No NUL behind the domain.
    let Request::ServerEnum(request) = canonical!(Request<'_>, b"\x68\0WrLehDz\0B16\0\0\0\0\x10\0\0\0\0WG")
    else {
        panic!()
    };
    assert_eq!(request.domain(), Some(b"WG".as_slice()));
}

#[test]
fn refusals_name_their_field() {
    let truncated = |needed, have| DecodeErrorKind::Truncated { needed, have };
    refused!(Request<'_>, b"\x68", Rap, "opcode", 0, truncated(2, 1));
    refused!(Request<'_>, b"\x68\0WrL", Rap, "param_desc", 2, DecodeErrorKind::Unterminated);
    refused!(Request<'_>, b"\0\0WrLeh\0B1", Rap, "data_desc", 8, DecodeErrorKind::Unterminated);
    refused!(Request<'_>, b"\0\0WrLeh\0B13\0\x01", Rap, "level", 12, truncated(2, 1));
    refused!(Request<'_>, b"\0\0WrLeh\0B13\0\x01\0", Rap, "receive_buffer_size", 14, truncated(2, 0));
    let page = b"\xd7\0WrLehDzz\0B16\0\0\0\0\x02\0\0\0\0WG";
    refused!(Request<'_>, page, Rap, "domain", 23, DecodeErrorKind::Unterminated);
    refused!(ResponseParameters<'_>, &[0; 5], Rap, "entry_count", 4, truncated(2, 1));
    refused!(ResponseParameters<'_>, &[0; 6], Rap, "available", 6, truncated(2, 0));
    let parameters = ResponseParameters::new(Status::SUCCESS, 0, 1, 1);
    let error = servers(2, &parameters, &[]).map(Iterator::count).unwrap_err();
    assert_eq!(
        (error.field, error.kind),
        ("level", DecodeErrorKind::BadValue { value: 2, expected: "0 or 1" })
    );
}

#[test]
fn a_server_without_the_function_counts_nothing() {
    let parameters = canonical!(ResponseParameters<'_>, b"\x5e\x08\0\0");
    assert_eq!((parameters.status(), parameters.entries(), parameters.available()), (Status(0x85e), 0, 0));
    assert!(!parameters.status().has_entries());
}

/// MS-RAP 4.2. Its prose says 12 servers; the bytes have 11.
#[test]
fn windows_server_list_is_read_and_made_again() {
    let bytes = case("rap_parameters", "netserverenum2").bytes;
    let parameters = canonical!(ResponseParameters<'_>, &bytes);
    let data = case("rap_data", "netserverenum2").bytes;
    let entries: Vec<_> = read_servers(1, &parameters, &data).into_iter().map(Result::unwrap).collect();
    let shown: Vec<_> = entries
        .iter()
        .map(|entry| {
            let details = entry.details.unwrap();
            let version = (details.version.major, details.version.minor);
            (text(entry.name.text()), version, details.server_type.bits(), text(details.comment))
        })
        .collect();
    let digits = "123456789012345678901234567890123456789012345678";
    let expected = [
        ("BRUCCO-OFF3", (5, 2), 0x82_9203, ""),
        ("SMBNT4SRV", (4, 0), 0x1_9003, ""),
        ("SMBWFW311", (1, 51), 0x1_2003, digits),
        ("SMBWIN2000", (5, 0), 0x202_9003, ""),
        ("SMBWIN2003", (5, 2), 0x82_9003, ""),
        ("SMBWIN2003IA64", (5, 2), 0x82_9003, ""),
        ("SMBWIN98SE", (4, 0), 0x41_2003, "WINSE FILE SYSTEM"),
        ("SMBWIN98SE-UM", (4, 0), 0x41_2003, "WINSE FILE SYSTEM"),
        ("SMBWINXP", (5, 1), 0x1003, ""),
        ("SPSMBDC1", (5, 0), 0x282_9003, ""),
        ("SPSMBDC2", (5, 2), 0x84_102b, ""),
    ];
    let expected =
        expected.map(|(name, version, bits, comment)| (name.to_owned(), version, bits, comment.to_owned()));
    assert_eq!(shown, expected);
    let made = answer_servers(1, StringLayout::Backward, 6144, entries).unwrap();
    assert_eq!(hex::encode(made.data), hex::encode(&data));
    assert_eq!(hex::encode(made.parameters.to_bytes()), hex::encode(&bytes));
}

/// MS-RAP 4.1.
#[test]
fn windows_share_list_is_read_and_made_again() {
    let bytes = case("rap_parameters", "netshareenum").bytes;
    let parameters = canonical!(ResponseParameters<'_>, &bytes);
    let data = case("rap_data", "netshareenum").bytes;
    let entries: Vec<_> = shares(1, &parameters, &data).unwrap().map(Result::unwrap).collect();
    let shown: Vec<_> = entries
        .iter()
        .map(|entry| {
            let details = entry.details.unwrap();
            (text(entry.text()), details.share_type, text(details.remark))
        })
        .collect();
    let expected = [
        ("C$", ShareType::DISK, "Default share"),
        ("IPC$", ShareType::IPC, "Remote IPC"),
        ("ADMIN$", ShareType::DISK, "Remote Admin"),
        ("D$", ShareType::DISK, "Default share"),
    ];
    assert_eq!(shown, expected.map(|(name, kind, remark)| (name.to_owned(), kind, remark.to_owned())));
    let made = answer_shares(1, StringLayout::Backward, 4096, entries).unwrap();
    assert_eq!(hex::encode(made.data), hex::encode(&data));
    assert_eq!(hex::encode(made.parameters.to_bytes()), hex::encode(&bytes));
}

#[test]
fn samba_server_lists_are_read_and_made_again() {
    for (frame, names) in [("netserverenum2-nmbd-80", ["LABDOM"]), ("netserverenum2-nmbd-82", ["PDC1"])] {
        let bytes = case("rap_parameters", frame).bytes;
        let parameters = canonical!(ResponseParameters<'_>, &bytes);
        let data = case("rap_data", frame).bytes;
        let entries: Vec<_> = read_servers(1, &parameters, &data).into_iter().map(Result::unwrap).collect();
        assert_eq!(entries.iter().map(|entry| text(entry.name.text())).collect::<Vec<_>>(), names);
        let made = answer_servers(1, StringLayout::Forward(0), 0xffff, entries).unwrap();
        assert_eq!(hex::encode(made.data), hex::encode(&data));
        assert_eq!(hex::encode(made.parameters.to_bytes()), hex::encode(&bytes));
    }
}

#[test]
fn a_full_buffer_says_more_data() {
    let list = || {
        (0..5_u8).map(|n| {
            ServerEntry::new(fixed(&[b'A' + n])).with_details(Version::new(5, 1), ServerType::NT, b"four")
        })
    };
    let one = 26 + 5;
    for layout in [StringLayout::Backward, StringLayout::Forward(0), StringLayout::Forward(0xfff0)] {
        for room in 0..=6 * one {
            let answer = answer_servers(1, layout, room, list()).unwrap();
            let fit = (room / one).min(5);
            let status = match fit {
                5 => Status::SUCCESS,
                0 => Status::BUFFER_TOO_SMALL,
                _ => Status::MORE_DATA,
            };
            let parameters = answer.parameters;
            assert_eq!((parameters.status(), parameters.entries(), parameters.available()), (status, fit, 5));
            assert!(answer.data.len() <= usize::from(room));
            let read = read_servers(1, &parameters, &answer.data);
            assert_eq!(read.len(), usize::from(fit));
            assert!(read.into_iter().zip(list()).all(|(read, entry)| read == Ok(entry)));
        }
    }
    // Level 0 has no strings.
    let answer = answer_servers(0, StringLayout::Forward(0), 40, list()).unwrap();
    assert_eq!((answer.data.len(), answer.parameters.entries()), (32, 2));
    let empty = answer_servers(1, StringLayout::Backward, 0, []).unwrap();
    assert_eq!(empty.parameters.status(), Status::SUCCESS);
    assert!(answer_servers(2, StringLayout::Backward, 512, list()).is_err());
    assert!(answer_shares(2, StringLayout::Backward, 512, []).is_err());
}

#[test]
fn counts_and_pointers_are_not_trusted() {
    let data = case("rap_data", "netserverenum2").bytes;
    // More entries than there is room for: all whole ones, whatever they hold.
    let many = ResponseParameters::new(Status::SUCCESS, 5765, u16::MAX, u16::MAX);
    let read = read_servers(1, &many, &data);
    assert_eq!(read.len(), data.len() / 26);
    assert!(read[..11].iter().all(Result::is_ok));
    assert_eq!(read_servers(1, &many, &data[..25]).len(), 0);
    // A converter one too large: the last string begins one earlier, the first reaches out.
    let wrong = ResponseParameters::new(Status::SUCCESS, 0x17ff - 379, 11, 11);
    let read = read_servers(1, &wrong, &data);
    let kind = DecodeErrorKind::OutOfBounds { needed: 379, have: 379 };
    assert_eq!(read[0], Err(DecodeError::new(Layer::Rap, "comment", 22, kind)));
    assert!(read[1].is_ok());
    // Below the converter: 16 bits wrap round, and the offset is far out.
    let below = ResponseParameters::new(Status::SUCCESS, u16::MAX, 11, 11);
    assert!(read_servers(1, &below, &data).iter().all(Result::is_err));
    // The high half of a pointer has no meaning; a string without NUL ends with the data.
    let mut entry = [0; 26].to_vec();
    entry[22..26].copy_from_slice(&[26, 0, 0xad, 0xde]);
    entry.extend(b"no end");
    let one = ResponseParameters::new(Status::SUCCESS, 0, 1, 1);
    let read = read_servers(1, &one, &entry);
    assert_eq!(read[0].unwrap().details.unwrap().comment, b"no end");
}

#[test]
fn damaged_data_never_panics() {
    for case in cases("rap_data") {
        let parameters = ResponseParameters::new(Status::SUCCESS, 5765, 11, 11);
        let mut data = case.bytes.clone();
        for level in [0, 1] {
            for length in 0..data.len() {
                read_servers(level, &parameters, &data[..length]);
                shares(level, &parameters, &data[..length]).unwrap().for_each(drop);
            }
            for bit in 0..data.len() * 8 {
                data[bit / 8] ^= 1 << (bit % 8);
                for error in read_servers(level, &parameters, &data).into_iter().filter_map(Result::err) {
                    assert!(error.offset < data.len());
                }
                data[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}

proptest! {
    #[test]
    fn lists_round_trip(
        entries in prop::collection::vec(("[A-Z]{1,15}", any::<[u8; 2]>(), any::<u32>(), "[a-z]{0,48}"), 0..40),
        room: u16,
        converter: u16,
        backward: bool,
    ) {
        let list = || entries.iter().map(|(name, [major, minor], bits, comment)| {
            let server_type = ServerType::from_bits_retain(*bits);
            let entry = ServerEntry::new(fixed(name.as_bytes()));
            entry.with_details(Version::new(*major, *minor), server_type, comment.as_bytes())
        });
        let layout = if backward { StringLayout::Backward } else { StringLayout::Forward(converter) };
        let answer = answer_servers(1, layout, room, list()).unwrap();
        let bytes = round_trip!(ResponseParameters<'_>, answer.parameters);
        let parameters = ResponseParameters::decode(&bytes).unwrap();
        let read = read_servers(1, &parameters, &answer.data);
        prop_assert_eq!(read.len(), usize::from(parameters.entries()));
        prop_assert!(read.into_iter().zip(list()).all(|(read, entry)| read == Ok(entry)));
        prop_assert!(answer.data.len() <= room.into());
    }

    #[test]
    fn requests_round_trip(
        level in 0..2_u16, size: u16, bits: u32, domain in "[A-Z]{0,16}", first in "[A-Z]{0,16}", kind in 0..3,
    ) {
        let server_type = ServerType::from_bits_retain(bits);
        let request = match kind {
            0 => ServerEnum::new(level, size, server_type, None),
            1 => ServerEnum::new(level, size, server_type, Some(domain.as_bytes())),
            _ => ServerEnum::page(level, size, server_type, domain.as_bytes(), first.as_bytes()),
        };
        let request = request.unwrap();
        prop_assert!(request.descriptors_agree());
        round_trip!(Request<'_>, Request::ServerEnum(request));
    }

    #[test]
    fn arbitrary_bytes_keep_the_law(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        lossless!(Request<'_>, &bytes);
        lossless!(ResponseParameters<'_>, &bytes);
        lossless!(Request<'_>, &[b"\x68\0WrLehDz\0", bytes.as_slice()].concat());
        lossless!(Request<'_>, &[b"\xd7\0WrLehDzz\0B16BBDz\0", bytes.as_slice()].concat());
    }
}

//! Locator messages: what each constructor writes, what senders do otherwise, what is damaged, and the rules that
//! other implementations' holes taught.

use std::net::Ipv4Addr;

use mailslot::wire::netlogon::{
    DbChange, DbChangeInfo, DbIndex, DcFlags, DnsNames, Guid, Lm20Response, LogonRequest, NetlogonMessage,
    NtVersion, Opcode, PrimaryQuery, PrimaryResponse, SamLogonRequest, SamResponse, SamResponseEx, Sid,
    SiteNames, Utf16Str, is_netlogon_slot, reply_slot,
};
use mailslot::wire::smb::utf16;
use mailslot::wire::{Decode, DecodeErrorKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::frames::case;

type Message<'a> = NetlogonMessage<'a>;

/// A message as the `.json` of the golden frames shows it.
pub(crate) fn show_netlogon(message: &Message<'_>) -> Value {
    let text = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
    let name = |name: mailslot::wire::netlogon::CompressedName<'_>| name.to_string();
    let mut shown = match message {
        Message::PrimaryQuery(query) => json!({
            "computer": text(query.computer_name()),
            "mailslot": text(query.mailslot_name()),
            "pad": u8::from(query.is_padded()),
            "ucomputer": query.unicode_computer_name().map(|name| name.to_string()),
            "nt_version": query.nt_version().map(|version| version.bits()),
            "tokens": [query.tokens().lm_nt_token(), query.tokens().lm20_token()],
            "trailing": hex::encode(query.tokens().trailing()),
        }),
        Message::PrimaryResponse(response) => json!({
            "primary_dc": text(response.primary_dc_name()),
            "pad": u8::from(response.is_padded()),
            "uprimary_dc": response.unicode_primary_dc_name().to_string(),
            "udomain": response.unicode_domain_name().to_string(),
            "nt_version": response.nt_version.bits(),
            "tokens": [response.tokens().lm_nt_token(), response.tokens().lm20_token()],
            "trailing": hex::encode(response.tokens().trailing()),
        }),
        Message::SamLogonRequest(request) => json!({
            "request_count": request.request_count,
            "computer": request.unicode_computer_name().to_string(),
            "user": request.unicode_user_name().to_string(),
            "mailslot": text(request.mailslot_name()),
            "aac": request.allowable_account_control_bits,
            "pad": hex::encode(request.padding()),
            "sid": request.domain_sid().map(Sid::to_string),
            "nt_version": request.nt_version.bits(),
            "tokens": [request.tokens().lm_nt_token(), request.tokens().lm20_token()],
            "trailing": hex::encode(request.tokens().trailing()),
        }),
        Message::SamLogonResponse(response)
        | Message::SamPauseResponse(response)
        | Message::SamUserUnknown(response) => json!({
            "server": response.unicode_logon_server().to_string(),
            "user": response.unicode_user_name().to_string(),
            "domain": response.unicode_domain_name().to_string(),
            "directory": response.directory().map(|directory| json!({
                "guid": directory.domain_guid().to_string(),
                "null_guid": directory.null_guid().to_string(),
                "forest": name(directory.dns_forest_name()),
                "domain": name(directory.dns_domain_name()),
                "host": name(directory.dns_host_name()),
                "ip": directory.dc_ip_address().to_string(),
                "flags": directory.flags().bits(),
            })),
            "nt_version": response.nt_version().bits(),
            "tokens": [response.tokens().lm_nt_token(), response.tokens().lm20_token()],
            "trailing": hex::encode(response.tokens().trailing()),
        }),
        Message::SamLogonResponseEx(response)
        | Message::SamPauseResponseEx(response)
        | Message::SamUserUnknownEx(response) => json!({
            "sbz": response.sbz,
            "flags": response.flags.bits(),
            "guid": response.domain_guid.to_string(),
            "forest": name(response.dns_forest_name()),
            "domain": name(response.dns_domain_name()),
            "host": name(response.dns_host_name()),
            "nb_domain": name(response.netbios_domain_name()),
            "nb_name": name(response.netbios_computer_name()),
            "user": name(response.user_name()),
            "dc_site": name(response.dc_site_name()),
            "client_site": name(response.client_site_name()),
            "sock_addr": response.dc_sock_addr().map(|address| {
                json!([address.family, address.port, address.address.to_string(), hex::encode(address.zero)])
            }),
            "next_site": response.next_closest_site_name().map(name),
            "nt_version": response.nt_version().bits(),
            "tokens": [response.tokens().lm_nt_token(), response.tokens().lm20_token()],
            "trailing": hex::encode(response.tokens().trailing()),
        }),
        other => panic!("{other:?}"),
    };
    shown["op"] = message.opcode().0.into();
    shown["name"] = message.opcode().name().into();
    shown
}

fn u(bytes: &[u8]) -> Utf16Str<'_> {
    Utf16Str::new(bytes).unwrap()
}

const GETDC: &[u8] = br"\MAILSLOT\NET\GETDC359";

const TESTDOMAIN: DnsNames<'_> =
    DnsNames { forest: "testdomain.local", domain: "testdomain.local", host: "TestDC1.testdomain.local" };

const SITES: SiteNames<'_> = SiteNames {
    netbios_domain: "TESTDOMAIN",
    netbios_computer: "TESTDC1",
    user: "",
    dc_site: "Default-First-Site-Name",
    client_site: "Default-First-Site-Name",
    next_closest_site: None,
};

/// Samba's encoder brings NtVersion to a multiple of 4; the bytes are what its `ndr_pack` gives.
#[test]
fn an_aligned_primary_response_is_read_and_kept() {
    let bytes =
        hex::decode("0c00504443310000500044004300310000004c004100420044004f000000000001000000ffffffff")
            .unwrap();
    let message = canonical!(Message<'_>, &bytes);
    let Message::PrimaryResponse(response) = message else { panic!("{message:?}") };
    assert!(response.is_aligned());
    assert_eq!(response.nt_version, NtVersion::V1);
    assert_eq!(response.tokens().lm_nt_token(), Some(0xffff));
    damaged!(Message<'_>, &bytes);
}

/// Windows' own answers, from the constructors: also compressed as Windows compresses.
#[test]
fn constructors_write_what_windows_writes() {
    let guid = Guid(hex::decode("77d20bf7a6a4ec4c8cc3b47b86d121c6").unwrap().try_into().unwrap());
    let address = Some(Ipv4Addr::new(192, 168, 116, 143));
    let flags = DcFlags::from_bits_retain(0xf3fd);
    let response = SamResponseEx::new(flags, guid, TESTDOMAIN, SITES, address).unwrap();
    let bytes = round_trip!(Message<'_>, Message::SamLogonResponseEx(response));
    assert_eq!(hex::encode(bytes), hex::encode(case("netlogon", "cap-samresp-ex").bytes));

    let computer = utf16("DFIR-WIN7-X64");
    let version = NtVersion::V1 | NtVersion::V5 | NtVersion::V5EX_WITH_IP;
    let request = SamLogonRequest::new(u(&computer), u(b""), br"\MAILSLOT\NET\GETDC479", version).unwrap();
    let bytes = round_trip!(Message<'_>, Message::SamLogonRequest(request));
    assert_eq!(hex::encode(bytes), hex::encode(case("netlogon", "cap-samreq-bowser").bytes));

    let version = version | NtVersion::IP;
    let query =
        PrimaryQuery::new(b"DFIR-WIN7-X64", br"\MAILSLOT\NET\GETDC042", u(&computer), version).unwrap();
    let bytes = round_trip!(Message<'_>, Message::PrimaryQuery(query));
    assert_eq!(hex::encode(bytes), hex::encode(case("netlogon", "cap-primary-query-1b").bytes));

    let (computer, user) = (utf16("CLIENT1"), utf16("CLIENT1$"));
    let version = NtVersion::from_bits_retain(11);
    let mut request =
        SamLogonRequest::new(u(&computer), u(&user), br"\MAILSLOT\NET\GETDC123", version).unwrap();
    request.request_count = 1;
    request.allowable_account_control_bits = 0x80;
    let request = request.with_domain_sid(Sid::new(5, &[21, 1111, 2222, 3333]).unwrap());
    let bytes = round_trip!(Message<'_>, Message::SamLogonRequest(request));
    assert_eq!(hex::encode(bytes), hex::encode(case("netlogon", "sam-logon-request-sid").bytes));
}

/// Answers without an address, with one, and with a next closest site, in all combinations: what is there is what
/// NtVersion says.
#[test]
fn extended_answers_say_what_they_hold() {
    for (address, site, version) in [
        (None, None, 5),
        (Some(Ipv4Addr::new(10, 0, 0, 1)), None, 13),
        (None, Some("Sixteen-letters-"), 0x15),
        (Some(Ipv4Addr::new(255, 255, 255, 255)), Some("Default-First-Site-Name"), 0x1d),
        (Some(Ipv4Addr::UNSPECIFIED), Some(""), 0x1d),
    ] {
        let names = SiteNames { next_closest_site: site, ..SITES };
        let response =
            SamResponseEx::new(DcFlags::PDC, Guid([0xff; 16]), TESTDOMAIN, names, address).unwrap();
        assert_eq!(response.nt_version().bits(), version);
        for message in [Message::SamPauseResponseEx(response.clone()), Message::SamUserUnknownEx(response)] {
            let bytes = round_trip!(Message<'_>, message);
            damaged!(Message<'_>, &bytes, lossless);
            let read = Message::decode(&bytes).unwrap();
            let (Message::SamPauseResponseEx(read) | Message::SamUserUnknownEx(read)) = &read else {
                panic!()
            };
            assert_eq!(read.dc_sock_addr().map(|there| there.address), address);
            assert_eq!(read.next_closest_site_name().map(|name| name.to_string()).as_deref(), site);
        }
    }
}

/// Opcode 0x17 is an answer; 0x19 is the user that is not known.
#[test]
fn opcode_0x17_is_an_answer() {
    let Message::SamLogonResponseEx(_) = Message::decode(&case("netlogon", "cap-samresp-ex").bytes).unwrap()
    else {
        panic!()
    };
    assert_eq!(Opcode(0x17).name(), Some("LOGON_SAM_LOGON_RESPONSE_EX"));
    assert_eq!(Opcode(0x19).name(), Some("LOGON_SAM_USER_UNKNOWN_EX"));
}

#[test]
fn nt5_answers_are_told_from_nt4_ones() {
    let (server, user, domain) = (utf16(r"\\DC1"), utf16("PC$"), utf16("LABDOM"));
    let nt40 = SamResponse::nt40(u(&server), u(&user), u(&domain));
    let bytes = round_trip!(Message<'_>, Message::SamLogonResponse(nt40.clone()));
    damaged!(Message<'_>, &bytes, lossless);
    // A GUID that looks like NtVersion and tokens.
    for guid in [Guid([0xff; 16]), Guid([1, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0])] {
        for dns in [DnsNames::default(), TESTDOMAIN] {
            let address = Ipv4Addr::new(10, 0, 0, 1);
            let nt5 = nt40.clone().with_directory(guid, dns, address, DcFlags::DS).unwrap();
            let bytes = round_trip!(Message<'_>, Message::SamUserUnknown(nt5));
            damaged!(Message<'_>, &bytes, lossless);
            let Message::SamUserUnknown(read) = Message::decode(&bytes).unwrap() else { panic!() };
            let directory = read.directory().unwrap();
            assert_eq!(directory.dns_host_name().to_string(), dns.host);
            assert_eq!(directory.dc_ip_address(), address);
            assert_eq!(read.nt_version().bits(), 3);
        }
    }
}

/// The SID stands at a multiple of 4, or not: what came is kept.
#[test]
fn sids_with_and_without_padding() {
    let padded = case("netlogon", "sam-logon-request-sid").bytes;
    let at = padded.len() - 8 - 24 - 3;
    let unpadded = [&padded[..at], &padded[at + 3..]].concat();
    let Message::SamLogonRequest(request) = canonical!(Message<'_>, &unpadded) else { panic!() };
    assert_eq!(request.domain_sid().unwrap().to_string(), "S-1-5-21-1111-2222-3333");
    assert_eq!(request.padding(), b"");
    damaged!(Message<'_>, &unpadded, lossless);
    // smbtorture's SID of zeros.
    let mut zeros = padded;
    zeros[at..at + 27].fill(0);
    let Message::SamLogonRequest(request) = canonical!(Message<'_>, &zeros) else { panic!() };
    assert_eq!(request.padding(), [0; 3]);
    assert!(!request.domain_sid().unwrap().is_valid());
}

fn db_change<'a>(names: [&'a [u8]; 2], unicode: [Utf16Str<'a>; 2], sid: Option<Sid>) -> Message<'a> {
    let databases = [DbIndex::SAM, DbIndex::BUILTIN, DbIndex(7)].map(|db_index| DbChangeInfo {
        db_index,
        serial: 0x1_0000_0000,
        time: 125_911_584_000_000_000,
    });
    Message::DbChange(DbChange::new(names, unicode, &databases, sid).unwrap())
}

#[test]
fn db_changes_with_both_alignments() {
    let (dc, domain) = (utf16("PDC1"), utf16("LABDOM"));
    let sid = Sid::new(5, &[21, 1, 2, 3]).unwrap();
    for names in [[b"PDC1".as_slice(), b"LABDOM"], [b"PDC", b"LABDOM"]] {
        let message = db_change(names, [u(&dc), u(&domain)], Some(sid));
        let bytes = round_trip!(Message<'_>, message);
        damaged!(Message<'_>, &bytes, lossless);
        let at = bytes.len() - 8 - 24;
        let gap = at.next_multiple_of(4) - at;
        let padded = [&bytes[..at], &[0; 3][..gap], &bytes[at..]].concat();
        let Message::DbChange(read) = canonical!(Message<'_>, &padded) else { panic!() };
        assert_eq!((read.domain_sid(), read.sid_padding().len()), (Some(&sid), gap));
        assert_eq!(read.databases().len(), 3);
        assert_eq!(read.message_token, u32::MAX);
    }
    round_trip!(Message<'_>, db_change([b"", b""], [u(b""), u(b"")], None));
}

#[test]
fn lan_manager_forms() {
    let request = LogonRequest::new(b"WFW1", b"ANNE", br"\MAILSLOT\TEMP\NETLOGON", 1).unwrap();
    let bytes = round_trip!(Message<'_>, Message::LogonRequest(request));
    assert_eq!(bytes, b"\0\0WFW1\0ANNE\0\\MAILSLOT\\TEMP\\NETLOGON\0\x01\xff\xff\xff\xff");
    damaged!(Message<'_>, &bytes, lossless);
    // One token only.
    let Message::LogonRequest(read) = canonical!(Message<'_>, &bytes[..bytes.len() - 2]) else { panic!() };
    assert_eq!((read.tokens().lm_nt_token(), read.tokens().lm20_token()), (None, Some(0xffff)));

    let bytes = round_trip!(Message<'_>, Message::Lm20Response(Lm20Response::new(br"\\PDC1").unwrap()));
    assert_eq!(bytes, b"\x06\0\\\\PDC1\0\xff\xff");

    for computer in [b"WFW1".as_slice(), b"WFW11"] {
        let query = PrimaryQuery::lm20(computer, GETDC).unwrap();
        let bytes = round_trip!(Message<'_>, Message::PrimaryQuery(query));
        let Message::PrimaryQuery(read) = Message::decode(&bytes).unwrap() else { panic!() };
        assert_eq!((read.unicode_computer_name(), read.tokens().lm20_token()), (None, Some(0xffff)));
    }
}

/// Opcodes without a known layout keep their bytes and, where there is one, their name.
#[test]
fn other_opcodes_are_kept() {
    for (opcode, name) in [(8, Some("PDC_START")), (0x16, Some("SAM_INTERROGATE")), (0x1a, None)] {
        let bytes = [opcode, 0, 1, 2, 3];
        let message = canonical!(Message<'_>, &bytes);
        assert_eq!((message.opcode(), message.opcode().name()), (Opcode(opcode.into()), name));
        let Message::Other { data, .. } = message else { panic!() };
        assert_eq!(data, [1, 2, 3]);
    }
}

#[test]
fn refused_with_layer_field_and_offset() {
    use DecodeErrorKind::{BadValue, OutOfBounds, TooLong, Truncated, Unterminated};
    refused!(Message<'_>, b"\x12", Netlogon, "opcode", 0, Truncated { needed: 2, have: 1 });
    refused!(Message<'_>, b"\x12\0\0\0A", Netlogon, "unicode_computer_name", 4, Unterminated);
    refused!(Message<'_>, b"\x07\0PC\0\\MAILSLOT", Netlogon, "mailslot_name", 5, Unterminated);
    let long = [b"\x07\0PC\0".as_slice(), &[b'A'; 257], b"\0\xff\xff"].concat();
    refused!(Message<'_>, &long, Netlogon, "mailslot_name", 5, TooLong { have: 257, max: 256 });
    let sid =
        |size: &[u8; 4], rest: &[u8]| [b"\x12\0\0\0\0\0\0\0A\0\0\0\0\0".as_slice(), size, rest].concat();
    let kind = BadValue { value: 69, expected: "at most 68" };
    refused!(Message<'_>, &sid(b"\x45\0\0\0", &[0; 99]), Netlogon, "domain_sid_size", 14, kind);
    let kind = Truncated { needed: 24, have: 4 };
    refused!(Message<'_>, &sid(b"\x18\0\0\0", &[1, 1, 0, 0]), Netlogon, "domain_sid", 18, kind);
    refused!(
        Message<'_>,
        &sid(b"\0\0\0\0", &[11]),
        Netlogon,
        "nt_version",
        18,
        Truncated { needed: 4, have: 1 }
    );
    let change = [b"\x0a\0".as_slice(), &[0; 16], b"\0\0\0\0\0\0\xff\xff\xff\xff"].concat();
    let kind = OutOfBounds { needed: 0xffff_ffff * 20, have: 0 };
    refused!(Message<'_>, &change, Netlogon, "db_count", 24, kind);
}

/// An extended answer whose first name is `name`.
fn with_name(name: &[u8]) -> Vec<u8> {
    let ending = [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 255, 255, 255, 255];
    [b"\x17\0".as_slice(), &[0; 22], name, &ending].concat()
}

/// Pointers lead backwards, into names, and not for long.
#[test]
fn cve_2014_0244_pointers_that_lead_in_circles() {
    let expected = "an offset within the names before";
    for (pointer, value) in [([0xc0, 24], 24), ([0xc0, 26], 26), ([0xc0, 0], 0), ([0xff, 0xff], 0x3fff)] {
        let kind = DecodeErrorKind::BadValue { value, expected };
        refused!(Message<'_>, &with_name(&pointer), Netlogon, "dns_forest_name", 24, kind);
    }
    // A label and a pointer to it: a circle.
    let kind = DecodeErrorKind::BadValue { value: 24, expected };
    refused!(Message<'_>, &with_name(b"\x01a\xc0\x18"), Netlogon, "dns_forest_name", 26, kind);
    let kind =
        DecodeErrorKind::BadValue { value: 0x40, expected: "a label of at most 63 bytes, or a pointer" };
    refused!(Message<'_>, &with_name(b"\x40"), Netlogon, "dns_forest_name", 24, kind);
    // Each name points to the one before: seven pointers, and the name is as long as its labels together.
    let chain: Vec<u8> = (0u8..7)
        .flat_map(|index| [1, b'b', 0xc0, 24 + 3 * index.min(1) + 4 * index.saturating_sub(1)])
        .collect();
    let bytes =
        [b"\x17\0".as_slice(), &[0; 22], b"\x01a\0", &chain, &[5, 0, 0, 0, 255, 255, 255, 255]].concat();
    let Message::SamLogonResponseEx(read) = canonical!(Message<'_>, &bytes) else { panic!() };
    assert_eq!(read.client_site_name().to_string(), "b.b.b.b.b.b.b.a");
}

/// A name that a pointer makes longer than a name can be.
#[test]
fn names_are_at_most_255_bytes() {
    let label = [[63].as_slice(), &[b'a'; 63]].concat();
    let three = label.repeat(3);
    let bytes = [
        b"\x17\0".as_slice(),
        &[0; 22],
        &three,
        b"\0",
        &label,
        b"\xc0\x18",
        &[0; 6],
        &[5, 0, 0, 0, 255, 255, 255, 255],
    ]
    .concat();
    let kind = DecodeErrorKind::TooLong { have: 257, max: 255 };
    refused!(Message<'_>, &bytes, Netlogon, "dns_domain_name", 24 + 3 * 64 + 1, kind);
}

#[test]
fn names_that_cannot_be_written() {
    let of = |forest: &str| {
        SamResponseEx::new(
            DcFlags::empty(),
            Guid::default(),
            DnsNames { forest, ..DnsNames::default() },
            SiteNames::default(),
            None,
        )
    };
    for name in [".", "a.", ".a", "a..b", "a\0b", &"a".repeat(64), &"a.".repeat(130)] {
        assert_eq!(of(name).unwrap_err().field, "dns_forest_name", "{name:?}");
    }
    assert!(of(&["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)].join(".")).is_ok());
}

/// nmbd put a request's strings, whatever their length, into buffers of its own. Here they stay where they are.
#[test]
fn cve_2007_4572_long_strings_of_a_request() {
    for length in [1, 16, 255, 256, 1024, 30_000] {
        let text = vec![b'A'; length];
        let bytes = [b"\x07\0".as_slice(), &text, b"\0", &text, b"\0\xff\xff"].concat();
        if length <= 256 {
            canonical!(Message<'_>, &bytes);
        } else {
            assert!(Message::decode(&bytes).is_err(), "{length}");
        }
        // Cut anywhere, it ends where the bytes do.
        for end in (0..bytes.len()).step_by(1 + length / 64) {
            if let Err(error) = Message::decode(&bytes[..end]) {
                assert!(error.offset <= end, "{error}");
            }
        }
    }
}

/// nmbd copied the slot's name of a request into its answer's header, whatever its length.
#[test]
fn cve_2007_6015_long_reply_slots() {
    let long = [br"\MAILSLOT\NET\GETDC".as_slice(), &[b'7'; 60]].concat();
    assert!(LogonRequest::new(b"", b"", &long, 0).is_err());
    assert!(PrimaryQuery::lm20(b"", &long).is_err());
    assert!(SamLogonRequest::new(u(b""), u(b""), &long, NtVersion::V1).is_err());
    assert_eq!(reply_slot(&long), None);
    assert_eq!(reply_slot(&long[..64]).map(<[u8]>::len), Some(54));
    assert_eq!(reply_slot(br"\mailslot\NET\GETDC359"), Some(br"NET\GETDC359".as_slice()));
    for bad in [br"\PIPE\LANMAN".as_slice(), br"\MAILSLOT\", b"", b"\\MAILSLOT\\A\nB"] {
        assert_eq!(reply_slot(bad), None);
    }
    // It is read all the same, so that it can be shown.
    let bytes = [b"\x07\0\0".as_slice(), &long, b"\0\xff\xff"].concat();
    canonical!(Message<'_>, &bytes);
}

#[test]
fn slots() {
    for slot in [
        "NET\\NETLOGON",
        "net\\ntlogon",
        "NET\\GETDC359",
        "Net\\GetDCB00630A",
        "NET\\GETDC",
        "TEMP\\NETLOGON",
    ] {
        assert!(is_netlogon_slot(slot.as_bytes()), "{slot}");
    }
    for slot in ["BROWSE", "NETLOGON", "NET\\NETLOGON2", "NET\\GETD", ""] {
        assert!(!is_netlogon_slot(slot.as_bytes()), "{slot}");
    }
}

#[test]
fn sids_and_guids_in_words() {
    assert_eq!(Sid::new(5, &[32, 544]).unwrap().to_string(), "S-1-5-32-544");
    assert_eq!(Sid::new(0x0123_4567_89ab, &[]).unwrap().to_string(), "S-1-0x0123456789ab");
    assert!(Sid::new(5, &[0; 16]).is_err());
    let guid = Guid(std::array::from_fn(|index| u8::try_from(index).unwrap()));
    assert_eq!(guid.to_string(), "03020100-0504-0706-0809-0a0b0c0d0e0f");
}

fn dns() -> impl Strategy<Value = String> {
    prop::collection::vec("[a-cé-]{1,6}", 0..4).prop_map(|labels| labels.join("."))
}

proptest! {
    #[test]
    fn whatever_is_built_comes_back(
        texts in prop::array::uniform4("[A-Z$é]{0,6}"),
        names in prop::array::uniform8(dns()),
        next in prop::option::of(dns()),
        address in prop::option::of(any::<u32>()),
        guid in any::<[u8; 16]>(),
        sid in prop::option::of(prop::collection::vec(any::<u32>(), 0..=15)),
        numbers in any::<[u32; 3]>(),
    ) {
        let wide = texts.clone().map(|text| utf16(&text));
        let [a, b, c, _] = wide.each_ref().map(|bytes| u(bytes));
        let oem = texts.each_ref().map(|text| text.as_bytes());
        let version = NtVersion::from_bits_retain(numbers[0]);
        let flags = DcFlags::from_bits_retain(numbers[1]);
        let sid = sid.map(|parts| Sid::new(u64::from(numbers[2]), &parts).unwrap());
        let address = address.map(Ipv4Addr::from);
        let [forest, domain, host, netbios_domain, netbios_computer, user, dc_site, client_site] =
            names.each_ref().map(String::as_str);
        let dns = DnsNames { forest, domain, host };
        let next_closest_site = next.as_deref();
        let sites =
            SiteNames { netbios_domain, netbios_computer, user, dc_site, client_site, next_closest_site };

        let request = SamLogonRequest::new(a, b, GETDC, version).unwrap();
        let request = sid.map_or(request, |sid| request.with_domain_sid(sid));
        let nt40 = SamResponse::nt40(a, b, c);
        let nt5 = nt40.clone()
            .with_directory(Guid(guid), dns, address.unwrap_or(Ipv4Addr::LOCALHOST), flags)
            .unwrap();
        let ex = SamResponseEx::new(flags, Guid(guid), dns, sites, address).unwrap();
        prop_assert_eq!(ex.client_site_name().to_string(), client_site);
        for message in [
            Message::SamLogonRequest(request),
            Message::PrimaryQuery(PrimaryQuery::new(oem[0], GETDC, a, version).unwrap()),
            Message::PrimaryQuery(PrimaryQuery::lm20(oem[0], GETDC).unwrap()),
            Message::PrimaryResponse(PrimaryResponse::new(oem[0], a, b).unwrap()),
            Message::LogonRequest(LogonRequest::new(oem[0], oem[1], GETDC, 3).unwrap()),
            Message::Lm20Response(Lm20Response::new(oem[0]).unwrap()),
            Message::SamPauseResponse(nt40),
            Message::SamLogonResponse(nt5),
            Message::SamUserUnknownEx(ex),
            db_change([oem[0], oem[1]], [a, b], sid),
        ] {
            let bytes = round_trip!(Message<'_>, message);
            lossless!(Message<'_>, &bytes);
        }
    }

    #[test]
    fn any_bytes(opcode in 0u8..0x1b, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [&[opcode, 0], bytes.as_slice()].concat();
        lossless!(Message<'_>, &bytes);
    }
}

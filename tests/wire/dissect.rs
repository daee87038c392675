//! The dissector against the codecs: over every frame, every prefix of it and every flipped bit, the tree shows
//! the damage that the codec names, and its fields cover all bytes.

use std::net::Ipv4Addr;

use mailslot::wire::browser::{
    BROWSE, BrowserFrame, Criteria, ElectionOs, ElectionRoles, GetBackupListRequest, GetBackupListResponse,
    LANMAN, LanmanFrame, NameFrame, RequestElection, ResetOptions, ResetStateRequest, Version,
};
use mailslot::wire::dissect::{self, Kind, MAX_NODES, Node, Tree, Value};
use mailslot::wire::messenger::{MESSNGR, MessengerMessage};
use mailslot::wire::name::{NetbiosName, Scope, ScopedName, Suffix};
use mailslot::wire::nbdgm::{Body, Content, Datagram, ErrorCode, Flags, Header, LengthForm, MsgType};
use mailslot::wire::netlogon::{
    DbChange, DbChangeInfo, DbIndex, DcFlags, DnsNames, Guid, LogonRequest, NetlogonMessage, NtVersion,
    PrimaryQuery, PrimaryResponse, SamLogonRequest, SamResponse, SamResponseEx, Sid, SiteNames, Utf16Str,
    is_netlogon_slot,
};
use mailslot::wire::oem::CodePage;
use mailslot::wire::smb::rap::{self, Function, ResponseParameters};
use mailslot::wire::smb::{
    Body as SmbBody, Command, Flags2, Header as SmbHeader, HeaderLayout, MailslotWrite, PIPE_LANMAN, Part,
    Piece, Protocol, SendEndRequest, SendMessageRequest, SendStartRequest, SendStartResponse,
    SendTextRequest, SmbMessage, SmbStr, TransactionRequest, TreeConnectFlags, TreeConnectRequest, utf16,
};
use mailslot::wire::{Decode, DecodeError, DecodeErrorKind, Encode, Layer, nbns, nbss};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::frames::cases;

/// UDP payloads of `vectors.jsonl`.
const DATAGRAMS: [&str; 5] = [
    // dgm-win7-hostannounce-hnode
    "\
     110ec2f40a000509008a00bb000020454f46474643444a4341434143414341434143414341434143414341434143410020464745\
     4a4548454a454d4542454f46454650454846434550464646414341424e00ff534d42250000000000000000000000000000000000\
     0000000000000000000011000021000000000000000000e803000000000000000021005600030001000000020032005c4d41494c\
     534c4f545c42524f57534500010080fc0a004e5652390000000000000000000000000601071001000f0155aa00",
    // dgm-samba-election
    "\
     110a44da0a4d0001008a00ae00002045494550464446454542434143414341434143414341434143414341434141410020454d45\
     424543464845484341434143414341434143414341434143414341424f00ff534d42250000000000000000000000000000000000\
     00000000000000000000110000140000000000000000000000000000000000000014005600030001000100020025005c4d41494c\
     534c4f545c42524f5753450008010a0f01417017000000000000484f53544100",
    // dgm-samba-announcementrequest-quirk
    "\
     110a44e20a4d0001008a00a200002045494550464446454542434143414341434143414341434143414341434141410020454d45\
     424543464845484341434143414341434143414341434143414341424f00ff534d42250000000000000000000000000000000000\
     00000000000000000000110000080000000000000000000000000000000000000008005600030001000100020019005c4d41494c\
     534c4f545c42524f57534500020100484f535441",
    // dgm-samba-lanman-announce
    "\
     110a44d80a4d0001008a00b800002045494550464446454542434143414341434143414341434143414341434141410020454d45\
     424543464845484341434143414341434143414341434143414341414100ff534d42250000000000000000000000000000000000\
     000000000000000000001100001e000000000000000000000000000000000000001e00560003000100010002002f005c4d41494c\
     534c4f545c4c414e4d414e000100039a810006010f00484f535441004c414220434f4d4d454e54204100",
    // cap-dgm-length-plus-14-oki
    "\
     11024563ac1f1349008a00d70000204550454c454a434e4442444645464447454345444341434143414341434141410020464845\
     504643454c45484643455046464641434143414341434143414341424e00ff534d42250000000000000000000000000000000000\
     000000000000000000001100002f000000000000000000000000000000000000002f005600030001000000020040005c4d41494c\
     534c4f545c42524f57534500010060ea00004f4b492d3135453642430000000000000400032241000f0155aa4368616e64726127\
     73206375626500",
];

/// SMB messages of `vectors.jsonl`.
const MESSAGES: [&str; 3] = [
    // smb-ms-mail-frame1
    "\
     ff534d4225000000001804000000000000000000000000000000fffe000000001100002400020000000000020000000000000000\
     00680024006800030001000000020047005c4d41494c534c4f545c74657374315c73616d706c655f6d61696c736c6f7400000000\
     cacacacacacacacacacacacacacacacacacacacacacacacacacacacacacacacacacacaca",
    // smb-win98-domainannounce
    "\
     ff534d42250000000000000000000000000000000000000000000000000000001100002700000000000000000000000000000000\
     00000027005600030001000100020038005c4d41494c534c4f545c42524f575345000c00c0d40100574f524b47524f5550000000\
     00000000040000204080000000004d444a52393800",
    // smb-win98-getbackuplistresponse
    "\
     ff534d42250000000000000000000000000000000000000000000000000000001100000e00000000000000000000000000000000\
     0000000e00560003000100010002001f005c4d41494c534c4f545c42524f575345000a010100000057494e39382d3100",
];

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn page() -> CodePage {
    CodePage::default()
}

// ── what the codecs say, layer by layer ──

fn error_of_message(slot: &[u8], bytes: &[u8]) -> Option<DecodeError> {
    match slot.to_ascii_uppercase().as_slice() {
        BROWSE => BrowserFrame::decode(bytes).err(),
        LANMAN => LanmanFrame::decode(bytes).err(),
        MESSNGR => MessengerMessage::decode(bytes).err(),
        slot if is_netlogon_slot(slot) => NetlogonMessage::decode(bytes).err(),
        _ => None,
    }
}

fn error_of_smb(bytes: &[u8]) -> Option<DecodeError> {
    match MailslotWrite::decode(bytes) {
        Ok(write) => {
            let at = usize::from(write.words().data_offset);
            error_of_message(write.slot(), write.data()).map(|error| error.at(at))
        }
        Err(error) => Some(error),
    }
}

fn error_of_datagram(bytes: &[u8]) -> Option<DecodeError> {
    match Datagram::decode(bytes) {
        Ok(datagram) => {
            let content = datagram.content().filter(|_| !datagram.is_fragment())?;
            let data = content.user_data;
            let begins_like_smb = !data.is_empty() && data.iter().zip(b"\xffSMB").all(|(a, b)| a == b);
            let at = bytes.len() - datagram.trailing().len() - data.len();
            begins_like_smb.then(|| error_of_smb(data)).flatten().map(|error| error.at(at))
        }
        Err(error) => Some(error),
    }
}

fn error_of_name_service(bytes: &[u8]) -> Option<DecodeError> {
    nbns::Packet::decode(bytes).err()
}

/// The call that the answers among the frames are taken to answer.
const CALL: (Function, u16) = (Function::NET_SERVER_ENUM2, 1);

fn error_of_session(bytes: &[u8]) -> Option<DecodeError> {
    let packet = match nbss::Packet::decode(bytes) {
        Ok(packet) => packet,
        Err(error) => return Some(error),
    };
    match packet.body() {
        nbss::Body::Message(message) if Protocol::of(message) == Some(Protocol::Smb1) => {
            error_of_session_message(message).map(|error| error.at(nbss::HEADER_LEN))
        }
        _ => None,
    }
}

fn error_of_session_message(bytes: &[u8]) -> Option<DecodeError> {
    let message = match SmbMessage::decode(bytes) {
        Ok(message) => message,
        Err(error) => return Some(error),
    };
    let chained: Vec<_> = message.chained().collect();
    core::iter::once(message.body()).chain(&chained).find_map(error_of_body)
}

fn error_of_body(body: &SmbBody<'_>) -> Option<DecodeError> {
    // Of two parts in one place, the second has no meaning.
    let alone = |part: Part, other: Part, first: bool| {
        let before = other.offset < part.offset || (other.offset == part.offset && !first);
        part.count > 0 && !(other.count > 0 && before && other.offset + other.count > part.offset)
    };
    match body {
        SmbBody::TransactionRequest(request) => {
            let (parameters, data) = (request.parameter_part(), request.data_part());
            if let Some(write) = request.as_mailslot_write() {
                let slot = write.slot.decode(page());
                let read = data.is_whole() && alone(data, parameters, false);
                let error = read.then(|| error_of_message(slot.as_bytes(), write.data)).flatten();
                return error.map(|error| error.at(data.offset.into()));
            }
            let is_rap = request.name().eq_ignore_ascii_case(PIPE_LANMAN);
            let read = is_rap && parameters.is_whole() && alone(parameters, data, true);
            let error = read.then(|| rap::Request::decode(request.parameters()).err()).flatten();
            error.map(|error| error.at(parameters.offset.into()))
        }
        SmbBody::TransactionResponse(response) => {
            let (parameters, data) = (response.parameter_part(), response.data_part());
            if parameters.count == 0 {
                return None;
            }
            match ResponseParameters::decode(response.parameters()) {
                Err(error) if alone(parameters, data, true) => Some(error.at(parameters.offset.into())),
                Ok(read) if alone(data, parameters, false) => {
                    error_of_servers(&read, response.data()).map(|error| error.at(data.offset.into()))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn error_of_servers(parameters: &ResponseParameters<'_>, data: &[u8]) -> Option<DecodeError> {
    rap::servers(1, parameters, data).unwrap().find_map(Result::err)
}

// ── the laws ──

/// How often fields cover each byte.
fn cover(tree: &Tree<'_>) -> Vec<usize> {
    let mut cover = vec![0; tree.bytes().len()];
    for (_, node) in tree.walk().filter(|(_, node)| node.kind == Kind::Field) {
        for count in &mut cover[node.span.clone()] {
            *count += 1;
        }
    }
    cover
}

fn in_order(nodes: &[Node]) -> bool {
    // A node of an error alone has no bytes, and may point back.
    let placed: Vec<_> = nodes
        .iter()
        .filter(|node| !matches!(node.kind, Kind::Jump | Kind::Part) && !node.span.is_empty())
        .collect();
    placed.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start)
        && nodes.iter().all(|node| {
            let inside = |child: &Node| {
                child.kind == Kind::Jump
                    || child.error.is_some() && child.span.is_empty()
                    || node.span.start <= child.span.start && child.span.end <= node.span.end
            };
            node.children.iter().all(inside) && in_order(&node.children)
        })
}

fn holds(tree: &Tree<'_>, expected: Option<DecodeError>) {
    let shown = || format!("{expected:?}\n{tree}\n{}", hex::encode(tree.bytes()));
    assert!(cover(tree).iter().all(|&count| count == 1), "{:?}\n{}", cover(tree), shown());
    assert!(in_order(tree.nodes()), "{}", shown());
    match expected {
        Some(expected) => {
            let (_, node) = tree
                .walk()
                .find(|(_, node)| node.error == Some(expected))
                .unwrap_or_else(|| panic!("no such error: {}", shown()));
            assert_eq!(node.field, expected.field, "{}", shown());
            assert!(node.span.start <= expected.offset && expected.offset <= node.span.end, "{}", shown());
            // The codec's field is a field of the tree too, not only the error's place.
            let nothing = matches!(
                expected.kind,
                DecodeErrorKind::Truncated { have: 0, .. } | DecodeErrorKind::Unterminated
            );
            // A pointer leads to bytes that are shown as another name's.
            let names = matches!(expected.layer, Layer::NetbiosName | Layer::Netlogon);
            assert!(!node.span.is_empty() || nothing || names, "{}", shown());
        }
        None => {
            assert_eq!(tree.errors().next(), None, "{}", shown());
            for (_, node) in tree.walk() {
                assert_ne!(node.field, "unread", "{}", shown());
            }
        }
    }
    for (_, node) in tree.walk().filter(|(_, node)| node.meaning.as_deref() == Some("cut")) {
        assert_ne!(node.error, None, "{}", shown());
    }
}

type Dissect = fn(&[u8], CodePage) -> Tree<'_>;
type Verdict = fn(&[u8]) -> Option<DecodeError>;

/// The laws for `bytes`, all their prefixes and every `step`th flipped bit; gives how many there were.
fn laws_by(step: usize, bytes: &[u8], dissect: Dissect, error: Verdict) -> usize {
    let mut variants = 0;
    for length in 0..=bytes.len() {
        let tree = dissect(&bytes[..length], page());
        holds(&tree, error(&bytes[..length]));
        assert!(tree.to_string().chars().all(|character| character == '\n' || !character.is_control()));
        variants += 1;
    }
    let mut flipped = bytes.to_vec();
    for bit in (0..bytes.len() * 8).step_by(step) {
        flipped[bit / 8] ^= 1 << (bit % 8);
        holds(&dissect(&flipped, page()), error(&flipped));
        flipped[bit / 8] ^= 1 << (bit % 8);
        variants += 1;
    }
    let mut longer = bytes.to_vec();
    longer.extend(b"\x00behind");
    holds(&dissect(&longer, page()), error(&longer));
    variants + 1
}

fn laws(bytes: &[u8], dissect: Dissect, error: Verdict) -> usize {
    laws_by(1, bytes, dissect, error)
}

// ── frames ──

fn browser_frames() -> Vec<Vec<u8>> {
    let roles = ElectionRoles::MASTER | ElectionRoles::PREFERRED | ElectionRoles::from_bits_retain(0x40);
    let criteria = Criteria::new(ElectionOs::SERVER, Version::new(15, 1), roles);
    let names: [&[u8]; 3] = [b"PC7", b"PC8", b"A"];
    let frames = [
        BrowserFrame::RequestElection(RequestElection::new(criteria, 77_000, b"PC7").unwrap()),
        BrowserFrame::GetBackupListRequest(GetBackupListRequest::new(4, 0x1234_5678)),
        BrowserFrame::GetBackupListResponse(GetBackupListResponse::new(7, names).unwrap()),
        BrowserFrame::BecomeBackup(NameFrame::new(b"PC7").unwrap()),
        BrowserFrame::MasterAnnouncement(NameFrame::new(b"PC7").unwrap()),
        BrowserFrame::ResetStateRequest(ResetStateRequest::new(ResetOptions::CLEAR_ALL)),
    ];
    let mut frames: Vec<_> = frames.iter().map(Encode::to_bytes).collect();
    let announcement =
        b"\x01\x80\xfc\x0a\x00PC7\0\0\0\0\0\0\0\0\0\0old\x0a\x00\x03\x90\x80\x00\x0f\x01\x55\xaaa comment\0";
    for opcode in [1, 12, 15] {
        frames.push([&[opcode], &announcement[..]].concat());
    }
    frames.push(b"\x02\x00PC7\0".to_vec());
    frames.push(b"\x02\x01\x00HOSTA".to_vec());
    frames.push(b"\x42unknown".to_vec());
    frames
}

fn lanman_frames() -> Vec<Vec<u8>> {
    vec![
        b"\x01\x00\x03\x9a\x81\x00\x06\x01\x0f\x00HOSTA\0LAB COMMENT A\0".to_vec(),
        b"\x02\x00HOSTA\0".to_vec(),
        b"\x03\x00other".to_vec(),
        // A HostAnnouncement, told by its signature.
        b"\x01\x80\xfc\x0a\x00\x00PC7\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\x00\x03\x90\x80\x00\x0f\x01\x55\xaac\0"
            .to_vec(),
    ]
}

/// Every message of the locator.
fn netlogon_messages() -> Vec<Vec<u8>> {
    let [pc, domain, user] = ["PC7", "LAB", "alice"].map(utf16);
    let [pc, domain, user] = [&pc, &domain, &user].map(|text| Utf16Str::new(text).unwrap());
    let slot = br"\MAILSLOT\NET\GETDC551";
    let sid = Sid::new(5, &[21, 1, 2, 3]).unwrap();
    let guid = Guid(*b"0123456789abcdef");
    let flags = DcFlags::PDC | DcFlags::LDAP | DcFlags::DNS_FOREST;
    let dns = DnsNames { forest: "lab.example", domain: "ad.lab.example", host: "dc1.ad.lab.example" };
    let sites = SiteNames {
        netbios_domain: "LAB",
        netbios_computer: "DC1",
        user: "alice",
        dc_site: "Site-1",
        client_site: "Site-1",
        next_closest_site: Some("Site-2"),
    };
    let address = Ipv4Addr::new(10, 0, 0, 9);
    let response = SamResponse::nt40(pc, user, domain);
    let ex = |address, sites| SamResponseEx::new(flags, guid, dns, sites, address).unwrap();
    let info = DbChangeInfo { db_index: DbIndex::LSA, serial: 7, time: 133_444_736_000_000_000 };
    let request = SamLogonRequest::new(pc, user, slot, NtVersion::V1 | NtVersion::GC).unwrap();
    [
        NetlogonMessage::LogonRequest(LogonRequest::new(b"PC7", b"ALICE", slot, 1).unwrap()),
        NetlogonMessage::PrimaryQuery(PrimaryQuery::new(b"PC7", slot, pc, NtVersion::V1).unwrap()),
        NetlogonMessage::PrimaryQuery(PrimaryQuery::lm20(b"PC77", slot).unwrap()),
        NetlogonMessage::PrimaryResponse(PrimaryResponse::new(b"PC7", pc, domain).unwrap()),
        NetlogonMessage::DbChange(
            DbChange::new([b"DC1", b"LAB"], [pc, domain], &[info, info], Some(sid)).unwrap(),
        ),
        NetlogonMessage::SamLogonRequest(request),
        NetlogonMessage::SamLogonRequest(request.with_domain_sid(sid)),
        NetlogonMessage::SamLogonResponse(response.clone()),
        NetlogonMessage::SamUserUnknown(response.with_directory(guid, dns, address, flags).unwrap()),
        NetlogonMessage::SamLogonResponseEx(ex(Some(address), sites)),
        NetlogonMessage::SamPauseResponseEx(ex(None, SiteNames { next_closest_site: None, ..sites })),
    ]
    .iter()
    .map(Encode::to_bytes)
    .chain([b"\x06\x00\\\\DC1\x00\xff\xff".to_vec(), b"\x08\x00PDC1".to_vec()])
    .collect()
}

/// Messenger commands, and transactions that carry messages, each behind an SMB header.
fn session_messages() -> Vec<Vec<u8>> {
    let header = SmbHeader::new(Command(0));
    let message = |body: SmbBody<'_>| SmbMessage::new(header, body).unwrap().to_bytes();
    let unicode = SmbHeader { flags2: Flags2::UNICODE, ..header };
    let slot = utf16(r"\MAILSLOT\browse");
    let write =
        TransactionRequest::mailslot_write(SmbStr::utf16(&slot).unwrap(), 3, Piece::whole(b"\x0bPC7\0"));
    let texts = TransactionRequest::mailslot_write(
        SmbStr::oem(br"\MAILSLOT\messngr").unwrap(),
        0,
        Piece::whole(b"ALICE\0PC7\0two\x14lines\0"),
    );
    // A logoff, two bytes of padding, and a tree connect chained to it.
    let connect =
        TreeConnectRequest::new(TreeConnectFlags::empty(), SmbStr::oem(br"\\PC7\IPC$").unwrap(), b"IPC");
    let mut chain = SmbHeader::new(Command::LOGOFF_ANDX).to_bytes();
    chain.extend([2, Command::TREE_CONNECT_ANDX.0, 0, 41, 0, 0, 0, 0xaa, 0xaa]);
    chain.extend(&message(connect.unwrap().into())[32..]);
    vec![
        message(SendMessageRequest::new(b"ALICE", b"PC7", b"hello").unwrap().into()),
        message(SendStartRequest::new(b"ALICE", b"PC7").unwrap().into()),
        message(SendStartResponse::new(9).into()),
        message(SendTextRequest::new(9, b"hello").unwrap().into()),
        message(SendEndRequest::new(9).into()),
        chain,
        SmbMessage::new(unicode, write.unwrap()).unwrap().to_bytes(),
        message(texts.unwrap().into()),
    ]
}

/// All seven kinds of the datagram service, and fragments.
fn datagrams() -> Vec<Vec<u8>> {
    let header = |msg_type| Header {
        msg_type,
        flags: Flags::FIRST,
        dgm_id: 0x9a3b,
        source_ip: Ipv4Addr::new(10, 0, 0, 5),
        source_port: 138,
    };
    let name = |text, suffix| ScopedName::from(NetbiosName::new(text, suffix).unwrap());
    let source_name = name("PC7", Suffix::WORKSTATION);
    let scoped = ScopedName::new(source_name.name, Scope::from_labels(b"\x03lab\x05corpx").unwrap());
    let group = name("WORKGROUP", Suffix::BROWSER_ELECTIONS);
    let write =
        MailslotWrite::new(HeaderLayout::Win9x, br"\MAILSLOT\BROWSE", b"\x0bPC7\0").unwrap().to_bytes();
    let data = MailslotWrite::new(HeaderLayout::Redirector, br"\MAILSLOT\x", b"hello").unwrap().to_bytes();
    let direct = |length_form, destination_name, user_data| Body::Direct {
        length_form,
        content: Content { source_name, destination_name, user_data },
    };
    let exact = LengthForm::Exact;
    let more = Header { flags: Flags::FIRST | Flags::MORE, ..header(MsgType::DIRECT_GROUP) };
    let fragment = Body::Fragment { length_form: exact, packet_offset: 7, bytes: b"the rest" };
    [
        (header(MsgType::DIRECT_UNIQUE), direct(exact, scoped, &data)),
        (header(MsgType::DIRECT_GROUP), direct(LengthForm::CountsHeader, group, &write)),
        (header(MsgType::BROADCAST), direct(exact, NetbiosName::WILDCARD.into(), b"not an SMB")),
        (more, direct(exact, group, &write[..20])),
        (header(MsgType::DIRECT_GROUP), fragment),
        (header(MsgType::ERROR), Body::Error(ErrorCode::DESTINATION_NAME_NOT_PRESENT)),
        (header(MsgType::QUERY_REQUEST), Body::Query(group)),
        (header(MsgType::POSITIVE_QUERY_RESPONSE), Body::Query(scoped)),
        (header(MsgType::NEGATIVE_QUERY_RESPONSE), Body::Query(group)),
    ]
    .into_iter()
    .map(|(header, body)| Datagram::new(header, body).unwrap().to_bytes())
    .collect()
}

#[test]
fn browser_trees_agree_with_the_codec() {
    for frame in browser_frames() {
        laws(&frame, dissect::browser, |bytes| BrowserFrame::decode(bytes).err());
    }
}

#[test]
fn lanman_trees_agree_with_the_codec() {
    for frame in lanman_frames() {
        laws(&frame, dissect::lanman, |bytes| LanmanFrame::decode(bytes).err());
    }
}

#[test]
fn smb_trees_agree_with_the_codec() {
    for frame in MESSAGES {
        laws(&unhex(frame), dissect::smb, error_of_smb);
    }
}

#[test]
fn datagram_trees_agree_with_the_codec() {
    for frame in DATAGRAMS.into_iter().map(unhex).chain(datagrams()) {
        laws(&frame, dissect::datagram, error_of_datagram);
    }
}

/// The laws for all golden frames of a layer.
fn golden_laws(layer: &str, step: usize, dissect: Dissect, error: Verdict) {
    let mut variants = 0;
    for case in cases(layer) {
        // The largest hold nothing but more of the same.
        let step = if case.bytes.len() > 600 { 97 } else { step };
        variants += laws_by(step, &case.bytes, dissect, error);
    }
    eprintln!("{layer}: {variants} variants");
}

#[test]
fn name_service_goldens_keep_the_laws() {
    golden_laws("nbns", 1, dissect::name_service, error_of_name_service);
}

#[test]
fn datagram_goldens_keep_the_laws() {
    golden_laws("nbdgm", 11, dissect::datagram, error_of_datagram);
    golden_laws("smb", 11, dissect::smb, error_of_smb);
}

#[test]
fn browser_goldens_keep_the_laws() {
    golden_laws("browser", 1, dissect::browser, |bytes| BrowserFrame::decode(bytes).err());
    golden_laws("lanman", 1, dissect::lanman, |bytes| LanmanFrame::decode(bytes).err());
}

#[test]
fn session_goldens_keep_the_laws() {
    let session: Dissect = |bytes, page| dissect::session(bytes, Some(CALL), page);
    let message: Dissect = |bytes, page| dissect::session_message(bytes, Some(CALL), page);
    golden_laws("nbss", 1, session, error_of_session);
    golden_laws("smb_session", 1, message, error_of_session_message);
}

#[test]
fn locator_trees_agree_with_the_codec() {
    golden_laws("netlogon", 1, dissect::netlogon, |bytes| NetlogonMessage::decode(bytes).err());
    for message in netlogon_messages() {
        NetlogonMessage::decode(&message).unwrap();
        laws(&message, dissect::netlogon, |bytes| NetlogonMessage::decode(bytes).err());
    }
}

#[test]
fn messenger_trees_agree_with_the_codecs() {
    golden_laws("messenger", 1, dissect::messenger, |bytes| MessengerMessage::decode(bytes).err());
    laws(b"ALICE\0PC7\0two\x14lines\0", dissect::messenger, |bytes| MessengerMessage::decode(bytes).err());
    let message: Dissect = |bytes, page| dissect::session_message(bytes, Some(CALL), page);
    for bytes in session_messages() {
        assert_eq!(error_of_session_message(&bytes), None);
        laws(&bytes, message, error_of_session_message);
    }
}

#[test]
fn rap_goldens_keep_the_laws() {
    golden_laws("rap", 1, dissect::rap_request, |bytes| rap::Request::decode(bytes).err());
    golden_laws("rap_parameters", 1, dissect::rap_response_parameters, |bytes| {
        ResponseParameters::decode(bytes).err()
    });
    // Whatever the entries are.
    const PARAMETERS: ResponseParameters<'_> = ResponseParameters::new(rap::Status::SUCCESS, 0, 6, 6);
    golden_laws(
        "rap_data",
        1,
        |bytes, page| dissect::rap_data(CALL.0, CALL.1, &PARAMETERS, bytes, page),
        |bytes| error_of_servers(&PARAMETERS, bytes),
    );
}

/// The reference vectors, where they are at hand.
#[test]
fn trees_of_the_reference_vectors_agree_with_the_codecs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors.jsonl");
    let Ok(lines) = std::fs::read_to_string(path) else {
        eprintln!("skipped: no {path}");
        return;
    };
    let mut frames = 0;
    let mut variants = 0;
    for line in lines.lines() {
        let vector: serde_json::Value = serde_json::from_str(line).unwrap();
        let bytes = unhex(vector["hex"].as_str().unwrap());
        variants += match vector["layer"].as_str() {
            Some("udp138") => laws_by(5, &bytes, dissect::datagram, error_of_datagram),
            Some("smb1") => laws_by(5, &bytes, dissect::smb, error_of_smb),
            _ => continue,
        };
        frames += 1;
    }
    eprintln!("{frames} frames, {variants} variants");
    assert!(frames >= 30, "{frames}");
}

proptest! {
    /// More damage than one bit.
    #[test]
    fn trees_of_any_bytes_agree_with_the_codecs(
        frame in 0_usize..64,
        edits in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        more in vec(any::<u8>(), 0..80),
    ) {
        let mut frames: Vec<_> = DATAGRAMS.into_iter().map(unhex).chain(datagrams()).collect();
        let mut bytes = frames.swap_remove(frame % frames.len());
        for (at, byte) in edits {
            *at.get_mut(&mut bytes) = byte;
        }
        bytes.truncate(cut.index(2 * bytes.len()));
        bytes.extend(&more);
        holds(&dissect::datagram(&bytes, page()), error_of_datagram(&bytes));
        holds(&dissect::smb(&more, page()), error_of_smb(&more));
        holds(&dissect::browser(&more, page()), BrowserFrame::decode(&more).err());
        holds(&dissect::lanman(&more, page()), LanmanFrame::decode(&more).err());
    }
}

proptest! {
    /// More damage than one bit, in what is not a datagram.
    #[test]
    fn trees_of_any_packets_agree_with_the_codecs(
        frame in any::<prop::sample::Index>(),
        edits in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        more in vec(any::<u8>(), 0..80),
    ) {
        let damage = |layer: &str, others: Vec<Vec<u8>>| {
            let mut frames: Vec<_> = cases(layer).into_iter().map(|case| case.bytes).chain(others).collect();
            let mut bytes = frames.swap_remove(frame.index(frames.len()));
            for (at, byte) in &edits {
                *at.get_mut(&mut bytes) = *byte;
            }
            bytes.truncate(cut.index(2 * bytes.len()));
            bytes.extend(&more);
            bytes
        };
        let bytes = damage("nbns", Vec::new());
        holds(&dissect::name_service(&bytes, page()), error_of_name_service(&bytes));
        let bytes = damage("smb_session", session_messages());
        holds(&dissect::session_message(&bytes, Some(CALL), page()), error_of_session_message(&bytes));
        let bytes = damage("nbss", Vec::new());
        holds(&dissect::session(&bytes, None, page()), error_of_session(&bytes));
        let bytes = damage("netlogon", netlogon_messages());
        holds(&dissect::netlogon(&bytes, page()), NetlogonMessage::decode(&bytes).err());
    }
}

/// The lines of a tree that show these fields, without their places and bytes.
fn shown(tree: &Tree<'_>, fields: &[&str]) -> Vec<String> {
    let nodes = tree.walk().map(|(_, node)| node).filter(|node| fields.contains(&node.field));
    nodes
        .map(|node| format!("{} {} {}", node.field, node.value, node.meaning.as_deref().unwrap_or_default()))
        .collect()
}

#[test]
fn meanings_are_in_words() {
    let entry = nbns::AddrEntry::new(nbns::NbFlags::new(nbns::NodeType::H, true), Ipv4Addr::new(10, 0, 0, 5));
    let group = NetbiosName::new("LAB", Suffix::DOMAIN_CONTROLLERS).unwrap();
    let claim = nbns::Packet::registration(1, group, entry, 300_000, nbns::Cast::Broadcast).to_bytes();
    let tree = dissect::name_service(&claim, page());
    assert_eq!(
        shown(&tree, &["opcode", "rr_name", "pointer", "ttl", "nb_flags", "nb_address"]),
        [
            "opcode 0x5 registration",
            "rr_name LAB<1c> domain controllers",
            "pointer 12 the name stands there",
            "ttl 300000 s (3 d 11 h 20 min)",
            "nb_flags 0xe000 group name, H node",
            "nb_address 10.0.0.5 ",
        ]
    );

    let message = netlogon_messages().swap_remove(9);
    let tree = dissect::netlogon(&message, page());
    assert_eq!(
        shown(&tree, &["opcode", "domain_guid", "dns_host_name", "client_site_name", "sin_addr"]),
        [
            "opcode 0x0017 LOGON_SAM_LOGON_RESPONSE_EX",
            "domain_guid 33323130-3534-3736-3839-616263646566 ",
            "dns_host_name dc1.ad.lab.example ",
            "client_site_name Site-1 ",
            "sin_addr 10.0.0.9 ",
        ]
    );

    let chain = session_messages().swap_remove(5);
    let tree = dissect::session_message(&chain, None, page());
    assert_eq!(
        shown(&tree, &["andx_command", "path", "service", "padding"]),
        [
            "andx_command 0x75 SMB_COM_TREE_CONNECT_ANDX",
            "padding  ",
            "andx_command 0xff no command follows",
            r"path \\PC7\IPC$ ",
            "service IPC ",
        ]
    );

    let message = session_messages().swap_remove(6);
    let tree = dissect::session_message(&message, None, page());
    assert_eq!(
        shown(&tree, &["command", "opcode", "class", "name"]),
        [
            "command 0x25 SMB_COM_TRANSACTION",
            "opcode 1 TRANS_MAILSLOT_WRITE",
            "class 1 reliable",
            r"name \MAILSLOT\browse ",
            "opcode 0x0b BecomeBackup",
            "name PC7 ",
        ]
    );
}

/// Two servers share a comment, and a third's pointer leads out of the data.
#[test]
fn strings_that_entries_share_are_shown_once() {
    let mut data = Vec::new();
    for (name, pointer) in [(b'A', 78_u16), (b'B', 80), (b'C', 500)] {
        data.push(name);
        data.extend([0; 15]);
        data.extend([5, 0, 3, 0, 0, 0]);
        data.extend(u32::from(pointer + 1000).to_le_bytes());
    }
    data.extend(b"a comment\0");
    let parameters = ResponseParameters::new(rap::Status::SUCCESS, 1000, 3, 3);
    let tree = dissect::rap_data(CALL.0, CALL.1, &parameters, &data, page());
    holds(&tree, error_of_servers(&parameters, &data));
    assert_eq!(
        shown(&tree, &["text", "comment"]),
        [
            "comment 0x00000436 ",
            "text \"a comment\" at 78 of the data",
            "comment 0x00000438 ",
            "text \"comment\" at 80 of the data",
            "comment 0x000005dc ",
            "text a comment ",
        ]
    );
    assert_eq!(tree.errors().map(|error| (error.field, error.offset)).collect::<Vec<_>>(), [("comment", 74)]);
}

#[test]
fn other_slots_have_their_bytes() {
    let tree = dissect::message(b"x", b"hello", page());
    assert_eq!(tree.nodes().len(), 1);
    assert_eq!(tree.nodes()[0].value, Value::Text("hello".to_owned()));
    let tree = dissect::message(b"browse", b"\x0bPC7\0", page());
    assert_eq!(tree, dissect::browser(b"\x0bPC7\0", page()));
}

#[test]
fn a_tree_is_bounded() {
    let mut frame = b"\x0a\xff\0\0\0\0".to_vec();
    frame.extend(b"A\0".repeat(30_000));
    let tree = dissect::browser(&frame, page());
    // What closes the tree is not counted.
    assert_eq!(tree.walk().count(), MAX_NODES + 1);
    let last = tree.nodes().last().unwrap();
    assert_eq!((last.field, last.span.end), ("limit", frame.len()));
    assert!(cover(&tree).iter().all(|&count| count == 1));
}

#[test]
fn nothing_reaches_the_terminal_but_text() {
    let tree = dissect::browser(b"\x0b\x1b]0;owned\x07\x9b2J\xf0\r\n\0", CodePage::new(850).unwrap());
    let text = tree.to_string();
    assert!(text.contains(r#""\x1b]0;owned\x07ø2J\xad\x0d\x0a""#), "{text}");
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
}

#[test]
fn a_tree_can_be_moved_to_its_place_in_a_frame() {
    let bytes = b"\x08\x01\x00";
    let tree = dissect::browser(bytes, page()).at(42);
    assert_eq!(tree.errors().next(), BrowserFrame::decode(bytes).err().map(|error| error.at(42)));
    assert!(tree.to_string().starts_with("0042"));
    assert!(tree.to_string().contains("0044  00 "), "{tree}");
}

#[test]
fn people_read_a_tree_line_by_line() {
    let text = dissect::datagram(&unhex(DATAGRAMS[1]), page()).to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..12],
        [
            "0000                           nbdgm",
            "0000  11                         msg_type                   0x11 direct_group",
            "0001  0a                         flags                      0x0a M node",
            "                                   FIRST                    0x2",
            "                                   M_NODE                   0x8",
            "0002  44 da                      dgm_id                     17626",
            "0004  0a 4d 00 01                source_ip                  10.77.0.1",
            "0008  00 8a                      source_port                138",
            "0010  00 ae                      dgm_length                 174",
            "0012  00 00                      packet_offset              0",
            "0014  20 45 49 45 50 46 +28      source_name                HOSTA<00> workstation or workgroup",
            "0048  20 45 4d 45 42 45 +28      destination_name           LABWG<1e> browser elections",
        ],
        "{text}"
    );
    assert_eq!(
        lines[lines.len() - 10..],
        [
            "0168                               browser                  RequestElection",
            "0168  08                             opcode                 0x08 RequestElection",
            "0169  01                             version                1",
            "0170  0a 0f 01 41                    criteria               0x41010f0a",
            "                                       roles                0x0a DOMAIN_CONTROLLER | PREFERRED",
            "                                       browser_version      15.1",
            "                                       os                   0x41",
            "0174  70 17 00 00                    uptime                 6000 ms (6 s)",
            "0178  00 00 00 00                    unused                 0",
            "0182  48 4f 53 54 41 00              server_name            \"HOSTA\"",
        ],
        "{text}"
    );
}

/// The value of the first field of that name below the first node named `group`.
fn value(tree: &Tree<'_>, group: &str, field: &str) -> u64 {
    let (_, group) = tree.walk().find(|(_, node)| node.field == group).unwrap();
    let node = group.children.iter().find(|node| node.field == field).unwrap();
    match &node.value {
        Value::Number(number) => *number,
        Value::Shown(text) => u64::from_str_radix(text.strip_prefix("0x").unwrap(), 16).unwrap(),
        value => panic!("{value:?}"),
    }
}

#[test]
fn values_are_those_of_the_codec() {
    let mut bytes = unhex(MESSAGES[0]);
    // Other bytes in every field that may have any.
    for at in (5..32).chain(33..35).chain(37..55).chain(60..61).chain(63..69) {
        bytes[at] = u8::try_from(at).unwrap() | 0x80;
    }
    let write = MailslotWrite::decode(&bytes).unwrap();
    let tree = dissect::smb(&bytes, page());
    let (header, words) = (write.header(), write.words());
    let fields: [(&str, &str, u64); 28] = [
        ("header", "command", header.command.0.into()),
        ("header", "status", header.status.0.into()),
        ("header", "flags", header.flags.bits().into()),
        ("header", "flags2", header.flags2.bits().into()),
        ("header", "pid_high", header.pid_high.into()),
        ("header", "reserved", header.reserved.into()),
        ("header", "tid", header.tid.into()),
        ("header", "pid_low", header.pid_low.into()),
        ("header", "uid", header.uid.into()),
        ("header", "mid", header.mid.into()),
        ("transaction", "word_count", words.word_count.into()),
        ("transaction", "total_parameter_count", words.total_parameter_count.into()),
        ("transaction", "total_data_count", words.total_data_count.into()),
        ("transaction", "max_parameter_count", words.max_parameter_count.into()),
        ("transaction", "max_data_count", words.max_data_count.into()),
        ("transaction", "max_setup_count", words.max_setup_count.into()),
        ("transaction", "reserved1", words.reserved1.into()),
        ("transaction", "flags", words.flags.bits().into()),
        ("transaction", "timeout", words.timeout.into()),
        ("transaction", "reserved2", words.reserved2.into()),
        ("transaction", "parameter_count", words.parameter_count.into()),
        ("transaction", "parameter_offset", words.parameter_offset.into()),
        ("transaction", "data_count", words.data_count.into()),
        ("transaction", "data_offset", words.data_offset.into()),
        ("transaction", "setup_count", words.setup_count.into()),
        ("mailslot", "priority", write.priority().into()),
        ("mailslot", "class", write.class().0.into()),
        ("mailslot", "byte_count", write.byte_count().into()),
    ];
    for (group, field, expected) in fields {
        assert_eq!(value(&tree, group, field), expected, "{field}\n{tree}");
    }

    let frame = &browser_frames()[6];
    let BrowserFrame::HostAnnouncement(announcement) = BrowserFrame::decode(frame).unwrap() else { panic!() };
    let tree = dissect::browser(frame, page());
    for (field, expected) in [
        ("update_count", announcement.update_count.into()),
        ("periodicity", u64::from(announcement.periodicity)),
        ("os_version_major", announcement.os_version.major.into()),
        ("os_version_minor", announcement.os_version.minor.into()),
        ("server_type", announcement.server_type.bits().into()),
        ("browser_version_major", announcement.browser_version.major.into()),
        ("browser_version_minor", announcement.browser_version.minor.into()),
        ("signature", announcement.signature.into()),
    ] {
        assert_eq!(value(&tree, "browser", field), expected, "{field}\n{tree}");
    }
    let flags = tree.walk().find(|(_, node)| node.field == "server_type").unwrap().1.children.iter();
    let names: Vec<_> = flags.map(|flag| flag.field).collect();
    assert_eq!(names, ["WORKSTATION", "SERVER", "NT", "SERVER_NT", "DFS"]);

    let frame = &lanman_frames()[0];
    let LanmanFrame::Announcement(announcement) = LanmanFrame::decode(frame).unwrap() else { panic!() };
    let tree = dissect::lanman(frame, page());
    assert_eq!(value(&tree, "lanman", "server_type"), u64::from(announcement.server_type.bits()));
    assert_eq!(value(&tree, "lanman", "interval"), u64::from(announcement.interval));
    let tree_of = |frame: &[u8]| dissect::lanman(frame, page()).nodes()[0].children[0].field;
    assert_eq!(
        lanman_frames().iter().map(|frame| tree_of(frame)).collect::<Vec<_>>(),
        ["type", "type", "type", "opcode"]
    );
}

/// The lines around the damage.
fn around_damage(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.lines().collect();
    let at = lines.iter().position(|line| line.contains("^^")).unwrap();
    lines[at - 1..lines.len().min(at + 2)].to_vec()
}

#[test]
fn damage_is_marked_where_it_is() {
    // DataOffset leads out of the message; what stands between it and the data is still shown.
    let mut frame = unhex(DATAGRAMS[0]);
    frame[139] = 0xff;
    let text = dissect::datagram(&frame, page()).to_string();
    assert_eq!(
        around_damage(&text),
        [
            "0139  ff 00                          data_offset            255",
            "      ^^ offset 139: data_offset reaches 255, the bound is 119",
            "0141  03                             setup_count            3",
        ],
        "{text}"
    );
    assert!(
        text.ends_with("0168  01 00 80 fc 0a 00 +27        unread                   33 bytes\n"),
        "{text}"
    );

    // A letter of the name.
    let mut frame = unhex(DATAGRAMS[0]);
    frame[18] = b'Z';
    let text = dissect::datagram(&frame, page()).to_string();
    assert_eq!(
        around_damage(&text),
        [
            "0014  20 45 4f 46                source_name",
            "                  ^^ offset 18: source_name is 0x5a, expected a letter from A to P",
            "0018  5a 46 43 44 4a 43 +177     unread                     183 bytes",
        ],
        "{text}"
    );

    // A datagram that a capture has cut: its names and the message, as far as they go.
    let frame = &unhex(DATAGRAMS[0])[..174];
    let text = dissect::datagram(frame, page()).to_string();
    let errors: Vec<_> = dissect::datagram(frame, page()).errors().map(|error| error.field).collect();
    assert_eq!(errors, ["dgm_length", "data_count", "server_name"], "{text}");
    assert!(text.contains("NVR9<20>"), "{text}");
}

#[cfg(feature = "serde")]
#[test]
fn programs_read_a_tree_as_json() {
    let mut frame = b"\x08\x01\x05\x0f\x01\x20\0\0\0\0\0\0\0\0PC7\0".to_vec();
    let json = serde_json::to_value(dissect::browser(&frame, page()).at(100)).unwrap();
    let layer = &json[0];
    assert_eq!((&layer["kind"], &layer["field"]), (&"layer".into(), &"browser".into()));
    assert_eq!((&layer["offset"], &layer["length"]), (&100.into(), &18.into()));
    let criteria = serde_json::json!({
        "kind": "field", "field": "criteria", "offset": 102, "length": 4, "bytes": "050f0120", "value": "0x20010f05",
        "children": [
            {"kind": "part", "field": "roles", "offset": 102, "length": 1, "value": "0x05", "meaning": "BACKUP | MASTER"},
            {"kind": "part", "field": "browser_version", "offset": 103, "length": 2, "value": "15.1"},
            {"kind": "part", "field": "os", "offset": 105, "length": 1, "value": "0x20", "meaning": "Windows server"},
        ],
    });
    assert_eq!(layer["children"][2], criteria);
    assert_eq!(layer["children"][3]["value"], 0);

    frame.truncate(9);
    let json = serde_json::to_value(dissect::browser(&frame, page())).unwrap();
    let error = serde_json::json!({
        "layer": "browser", "field": "uptime", "offset": 6, "kind": "truncated",
        "message": "browser: uptime at offset 6 needs 4 bytes, has 3",
    });
    assert_eq!(json[0]["children"][3]["error"], error);
}

fn fields_of<'t>(tree: &'t Tree<'_>) -> Vec<&'t str> {
    tree.walk().filter(|(_, node)| node.kind == Kind::Field).map(|(_, node)| node.field).collect()
}

#[test]
fn nothing_is_read_into_bytes_of_unknown_meaning() {
    // Another command: the header is known, its words are not.
    let mut message = unhex(MESSAGES[0]);
    message[4] = 0xd0;
    let tree = dissect::smb(&message, page());
    assert_eq!(tree.errors().map(|error| error.field).collect::<Vec<_>>(), ["command"]);
    assert_eq!(fields_of(&tree)[11..], ["mid", "unread"], "{tree}");

    // Names behind the empty one that ends the list.
    let tree = dissect::browser(b"\x0a\x02\0\0\0\0A\0B\0\0old\0", page());
    let fields = ["opcode", "backup_server_count", "token", "backup_server", "backup_server", "trailing"];
    assert_eq!(fields_of(&tree), fields, "{tree}");
}

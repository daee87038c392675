//! The dissector against the codecs: over every frame, every prefix of it and every flipped bit, the tree shows
//! the damage that the codec names, and its fields cover all bytes.

use std::net::Ipv4Addr;

use mailslot::wire::browser::{
    BROWSE, BrowserFrame, Criteria, ElectionOs, ElectionRoles, GetBackupListRequest, GetBackupListResponse,
    LANMAN, LanmanFrame, NameFrame, RequestElection, ResetOptions, ResetStateRequest, Version,
};
use mailslot::wire::dissect::{self, Kind, MAX_NODES, Node, Tree, Value};
use mailslot::wire::name::{NetbiosName, Scope, ScopedName, Suffix};
use mailslot::wire::nbdgm::{Body, Content, Datagram, ErrorCode, Flags, Header, LengthForm, MsgType};
use mailslot::wire::oem::CodePage;
use mailslot::wire::smb::{HeaderLayout, MailslotWrite};
use mailslot::wire::{Decode, DecodeError, Encode};

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
    assert!(tree.to_string().chars().all(|character| character == '\n' || !character.is_control()));
    match expected {
        Some(expected) => {
            let (_, node) = tree
                .walk()
                .find(|(_, node)| node.error == Some(expected))
                .unwrap_or_else(|| panic!("no such error: {}", shown()));
            assert_eq!(node.field, expected.field, "{}", shown());
            assert!(node.span.start <= expected.offset && expected.offset <= node.span.end, "{}", shown());
        }
        None => {
            assert_eq!(tree.errors().next(), None, "{}", shown());
            for (_, node) in tree.walk() {
                assert_ne!(node.field, "unread", "{}", shown());
                assert_ne!(node.meaning.as_deref(), Some("cut"), "{}", shown());
            }
        }
    }
}

/// The laws for `bytes`, all their prefixes and all their flipped bits; gives how many there were.
fn laws(
    bytes: &[u8],
    dissect: fn(&[u8], CodePage) -> Tree<'_>,
    error: fn(&[u8]) -> Option<DecodeError>,
) -> usize {
    for length in 0..=bytes.len() {
        holds(&dissect(&bytes[..length], page()), error(&bytes[..length]));
    }
    let mut flipped = bytes.to_vec();
    for bit in 0..bytes.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        holds(&dissect(&flipped, page()), error(&flipped));
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
    let mut longer = bytes.to_vec();
    longer.extend(b"\x00behind");
    holds(&dissect(&longer, page()), error(&longer));
    9 * bytes.len() + 2
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
    let announcement = b"\x01\x80\xfc\x0a\x00PC7\0\0\0\0\0\0\0\0\0\0\0old\x0a\x00\x03\x90\x80\x00\x0f\x01\x55\xaaa comment\0";
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
            Some("udp138") => laws(&bytes, dissect::datagram, error_of_datagram),
            Some("smb1") => laws(&bytes, dissect::smb, error_of_smb),
            _ => continue,
        };
        frames += 1;
    }
    eprintln!("{frames} frames, {variants} variants");
    assert!(frames >= 30, "{frames}");
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

//! Name service packets: what each constructor writes, what senders do otherwise, what is damaged, and the rules
//! that other implementations' holes taught.

use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use mailslot::wire::name::{NameForm, NetbiosName, PacketName, Scope, ScopedName, Suffix};
use mailslot::wire::nbns::{
    AddrEntries, AddrEntry, Cast, Counts, Flags, NameEntry, NameFlags, NbFlags, NmFlags, NodeStatus,
    NodeType, Opcode, Packet, PacketKind, Rcode, Rdata, ResourceRecord, RrClass, RrType, Statistics,
    WINDOWS_TTL,
};
use mailslot::wire::{Decode, DecodeErrorKind, Encode, Layer, ValueErrorReason};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::frames::{case, cases};

/// A packet as the `.json` of the golden frames shows it.
pub(crate) fn show_packet(packet: &Packet<'_>) -> Value {
    let Counts { qdcount, ancount, nscount, arcount, .. } = packet.counts();
    json!({
        "name_trn_id": packet.header().name_trn_id,
        "flags": packet.header().flags.0,
        "counts": [qdcount, ancount, nscount, arcount],
        "kind": packet.kind().name(),
        "question": packet.question().map(|question| json!({
            "name": show_name(question.name()),
            "type": question.question_type().0,
            "class": question.question_class().0,
        })),
        "answer": packet.answer().map(show_record),
        "authority": packet.authority().map(show_record),
        "additional": packet.additional().map(show_record),
        "trailing": hex::encode(packet.trailing()),
    })
}

fn show_record(record: &ResourceRecord<'_>) -> Value {
    let rdata = match record.rdata() {
        Rdata::Nb(entries) => {
            let show = |entry: AddrEntry| json!([entry.flags.bits(), entry.address.to_string()]);
            json!({ "addr_entries": entries.iter().map(show).collect::<Vec<_>>() })
        }
        Rdata::NodeStatus(status) => {
            let show = |entry: NameEntry| json!([hex::encode(entry.name.as_bytes()), entry.flags.bits()]);
            json!({ "node_status": {
                "num_names": status.num_names(),
                "partial": status.is_partial(),
                "names": status.names().map(show).collect::<Vec<_>>(),
                "statistics": hex::encode(status.statistics_bytes()),
            }})
        }
        Rdata::Null => json!("null"),
        Rdata::A(address) => json!({ "a": address.to_string() }),
        Rdata::Ns(name) => json!({ "ns": show_name(name) }),
        Rdata::Wack(flags) => json!({ "wack": flags.0 }),
        Rdata::Other(bytes) => json!({ "other": hex::encode(bytes) }),
        other => panic!("{other:?}"),
    };
    json!({
        "name": show_name(record.name()),
        "type": record.rr_type().0,
        "class": record.rr_class().0,
        "ttl": record.ttl(),
        "rdata": rdata,
    })
}

fn show_name(name: &PacketName<'_>) -> Value {
    let form = match name.form() {
        NameForm::Full => json!("full"),
        NameForm::Pointer(target) => json!(["pointer", target]),
        NameForm::ScopePointer(target) => json!(["scope_pointer", target]),
        other => panic!("{other:?}"),
    };
    let label = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
    let ScopedName { name, scope } = name.name();
    json!({
        "bytes": hex::encode(name.as_bytes()),
        "suffix": name.suffix().0,
        "scope": scope.labels().map(label).collect::<Vec<_>>(),
        "form": form,
    })
}

fn name(text: &str, suffix: u8) -> NetbiosName {
    NetbiosName::new(text, Suffix(suffix)).unwrap()
}

fn fred() -> NetbiosName {
    name("fred", 0x20)
}

fn owner(node_type: NodeType, group: bool, address: [u8; 4]) -> AddrEntry {
    AddrEntry::new(NbFlags::new(node_type, group), address.into())
}

fn me() -> AddrEntry {
    owner(NodeType::H, false, [10, 0, 0, 5])
}

fn one_name() -> NodeStatus<'static> {
    let entry = NameEntry { name: fred(), flags: NameFlags::ACTIVE };
    NodeStatus::new([entry], &Statistics::default()).unwrap()
}

/// Every constructor, with the flags word and the counts of its figure in RFC 1002.
fn constructed() -> Vec<(Packet<'static>, u16, [u16; 4], PacketKind)> {
    use Cast::{Broadcast, Unicast};
    use PacketKind as Kind;
    const ASKS: [u16; 4] = [1, 0, 0, 0];
    const CLAIMS: [u16; 4] = [1, 0, 0, 1];
    const ANSWERS: [u16; 4] = [0, 1, 0, 0];
    let negative = |response: Result<Packet<'static>, _>| response.unwrap();
    vec![
        (Packet::query(1, fred(), Unicast), 0x0100, ASKS, Kind::QueryRequest),
        (Packet::query(1, fred(), Broadcast), 0x0110, ASKS, Kind::QueryRequest),
        (Packet::node_status(1, NetbiosName::WILDCARD, Unicast), 0x0000, ASKS, Kind::NodeStatusRequest),
        (Packet::node_status(1, fred(), Broadcast), 0x0010, ASKS, Kind::NodeStatusRequest),
        (Packet::registration(1, fred(), me(), 9, Unicast), 0x2900, CLAIMS, Kind::RegistrationRequest),
        (Packet::registration(1, fred(), me(), 9, Broadcast), 0x2910, CLAIMS, Kind::RegistrationRequest),
        (Packet::overwrite(1, fred(), me(), 9, Unicast), 0x2800, CLAIMS, Kind::OverwriteRequest),
        (Packet::overwrite(1, fred(), me(), 9, Broadcast), 0x2810, CLAIMS, Kind::OverwriteRequest),
        (
            Packet::multihomed_registration(1, fred(), me(), 9),
            0x7900,
            CLAIMS,
            Kind::MultihomedRegistrationRequest,
        ),
        (Packet::refresh(1, fred(), me(), 9, Unicast), 0x4000, CLAIMS, Kind::RefreshRequest),
        (Packet::refresh(1, fred(), me(), 9, Broadcast), 0x4010, CLAIMS, Kind::RefreshRequest),
        (Packet::release(1, fred(), me(), Unicast), 0x3000, CLAIMS, Kind::ReleaseRequest),
        (Packet::release(1, fred(), me(), Broadcast), 0x3010, CLAIMS, Kind::ReleaseRequest),
        (Packet::positive_query_response(1, fred(), 9, me()), 0x8500, ANSWERS, Kind::PositiveQueryResponse),
        (
            Packet::positive_query_response(1, fred(), 9, me()).with(NmFlags::RA),
            0x8580,
            ANSWERS,
            Kind::PositiveQueryResponse,
        ),
        (
            negative(Packet::negative_query_response(1, fred(), Rcode::NAM_ERR)),
            0x8503,
            ANSWERS,
            Kind::NegativeQueryResponse,
        ),
        (
            negative(Packet::negative_query_response(1, fred(), Rcode::NAM_ERR)).with_ancount_0(),
            0x8503,
            [0; 4],
            Kind::NegativeQueryResponse,
        ),
        (
            Packet::redirect(1, fred(), 9, name("wins", 0), Ipv4Addr::new(10, 0, 0, 9)),
            0x8100,
            [0, 0, 1, 1],
            Kind::Redirect,
        ),
        (Packet::node_status_response(1, fred(), one_name()), 0x8400, ANSWERS, Kind::NodeStatusResponse),
        (
            Packet::positive_registration_response(1, fred(), 9, me()),
            0xad80,
            ANSWERS,
            Kind::PositiveRegistrationResponse,
        ),
        (
            negative(Packet::negative_registration_response(1, fred(), Rcode::ACT_ERR, me())),
            0xad86,
            ANSWERS,
            Kind::NegativeRegistrationResponse,
        ),
        (Packet::end_node_challenge(1, fred(), 9, me()), 0xad00, ANSWERS, Kind::EndNodeChallenge),
        (Packet::name_conflict_demand(1, fred()), 0xad87, ANSWERS, Kind::NameConflictDemand),
        (Packet::positive_release_response(1, fred(), me()), 0xb400, ANSWERS, Kind::PositiveReleaseResponse),
        (
            negative(Packet::negative_release_response(1, fred(), Rcode::ACT_ERR, me())),
            0xb406,
            ANSWERS,
            Kind::NegativeReleaseResponse,
        ),
        (Packet::wack(1, fred(), 9, Flags::REGISTRATION), 0xbc00, ANSWERS, Kind::Wack),
    ]
}

#[test]
fn each_constructor_writes_the_flags_word_and_counts_of_its_figure() {
    for (packet, flags, counts, kind) in constructed() {
        let bytes = round_trip!(Packet<'_>, packet);
        let words = bytes[..12].chunks(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        let [questions, answers, authorities, additionals] = counts;
        let expected = [1, flags, questions, answers, authorities, additionals];
        assert_eq!(words.collect::<Vec<_>>(), expected, "{kind}");
        assert_eq!(packet.kind(), kind);
        assert_eq!(packet.name().unwrap().scope, Scope::NONE);
        assert!(packet.trailing().is_empty());
        damaged!(Packet<'_>, &bytes, lossless);
    }
}

#[test]
fn each_kind_has_a_constructor_and_a_golden_frame() {
    let goldens: Vec<String> = cases("nbns")
        .iter()
        .map(|case| Packet::decode(&case.bytes).unwrap().kind().name().to_owned())
        .collect();
    for (_, _, _, kind) in constructed() {
        assert!(goldens.iter().any(|golden| golden == kind.name()), "{kind}");
    }
}

/// The packets of real senders, made by the constructors.
#[test]
fn constructors_write_what_real_senders_write() {
    let same = |golden: &str, packet: Packet<'_>| {
        assert_eq!(hex::encode(packet.to_bytes()), hex::encode(case("nbns", golden).bytes), "{golden}");
    };
    let (b, h) = (NodeType::B, NodeType::H);
    let any = NetbiosName::WILDCARD;
    let ttl = WINDOWS_TTL;
    let msedge = owner(b, false, [10, 0, 2, 15]);
    let registration = Packet::registration(0x9c29, name("msedgewin10", 0), msedge, ttl, Cast::Broadcast);
    same("win10-registration-bcast", registration);
    let workgroup = owner(b, true, [10, 0, 2, 15]);
    let demand = Packet::overwrite(0x9c2a, name("workgroup", 0), workgroup, ttl, Cast::Broadcast);
    same("win10-overwrite-demand-group", demand);
    let osx = owner(h, false, [10, 0, 0, 227]);
    same("osx-release", Packet::release(0x457f, name("lp-rkerur-osx", 0), osx, Cast::Broadcast));
    let win98 = owner(b, false, [192, 168, 239, 129]);
    same("win98-registration-unicast", Packet::registration(4, name("mdjr98", 3), win98, ttl, Cast::Unicast));
    same("nodestatus-request", Packet::node_status(0x5e93, any, Cast::Unicast));
    let ticklab = owner(h, true, [192, 168, 23, 129]);
    same("refresh-opcode8", Packet::refresh(0x801d, name("ticklab", 0), ticklab, ttl, Cast::Unicast));
    let potato = [[192, 168, 1, 65], [192, 168, 1, 66]].map(|address| owner(b, false, address));
    let potato = AddrEntries::new(potato).unwrap();
    let response = Packet::positive_query_response(0x2f53, name("potato", 0), 259_200, potato);
    same("positive-query-2addr", response.with(NmFlags::RA));
    same("wack", Packet::wack(0, name("sarah", 0), 2, Flags(0x2910)));
    let bytes = case("nbns", "negative-query-ancount0").bytes;
    let nobody = Packet::decode(&bytes).unwrap();
    let response = Packet::negative_query_response(0x47ab, *nobody.name().unwrap(), Rcode::NAM_ERR).unwrap();
    same("negative-query-ancount0", response.with_ancount_0());
    let names = [("win-vb75fk4k1s0", 0, 0x0400), ("win-vb75fk4k1s0", 0x20, 0x0400), ("workgroup", 0, 0x8400)];
    let names = names.map(|(text, suffix, flags)| NameEntry {
        name: name(text, suffix),
        flags: NameFlags::from_bits_retain(flags),
    });
    let statistics = Statistics { unit_id: [0x00, 0x15, 0x5d, 0x01, 0x23, 0x08], ..Statistics::default() };
    let status = NodeStatus::new(names, &statistics).unwrap();
    same("windows-nodestatus-response", Packet::node_status_response(0xf973, names[0].name, status));
    let bytes = case("nbns", "negative-registration-act").bytes;
    let taken = Packet::decode(&bytes).unwrap();
    let owner = owner(b, false, [192, 168, 1, 7]);
    let response =
        Packet::negative_registration_response(0x8a18, *taken.name().unwrap(), Rcode::ACT_ERR, owner);
    same("negative-registration-act", response.unwrap());
}

fn any_name() -> impl Strategy<Value = NetbiosName> {
    any::<[u8; 16]>().prop_map(NetbiosName::from_bytes)
}

/// The labels of a scope, of up to 221 bytes.
fn any_labels() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=54), 0..=4).prop_map(|labels| {
        let length = |label: &Vec<u8>| u8::try_from(label.len()).unwrap();
        labels.iter().flat_map(|label| [&[length(label)], label.as_slice()].concat()).collect()
    })
}

fn any_entry() -> impl Strategy<Value = AddrEntry> {
    (any::<u16>(), any::<u32>())
        .prop_map(|(flags, ip)| AddrEntry::new(NbFlags::from_bits_retain(flags), Ipv4Addr::from(ip)))
}

fn any_cast() -> impl Strategy<Value = Cast> {
    prop_oneof![Just(Cast::Unicast), Just(Cast::Broadcast)]
}

/// The arguments of all constructors.
type Arguments = (u16, NetbiosName, Vec<u8>, Vec<AddrEntry>, u32, Cast, u8, Vec<(NetbiosName, u16)>, [u8; 6]);

fn arguments() -> impl Strategy<Value = Arguments> {
    let entries = prop::collection::vec(any_entry(), 1..30);
    let names = prop::collection::vec((any_name(), any::<u16>()), 0..40);
    (
        any::<u16>(),
        any_name(),
        any_labels(),
        entries,
        any::<u32>(),
        any_cast(),
        1..=15_u8,
        names,
        any::<[u8; 6]>(),
    )
}

proptest! {
    #[test]
    fn what_is_built_comes_back(
        (id, name, labels, entries, ttl, cast, rcode, names, unit_id) in arguments(),
        flags: u16,
    ) {
        let name = ScopedName::new(name, Scope::from_labels(&labels).unwrap());
        let (entry, rcode) = (entries[0], Rcode(rcode));
        let entries = AddrEntries::new(entries).unwrap();
        let statistics = Statistics { unit_id, number_good_sends: ttl, ..Statistics::default() };
        let names = names.into_iter().map(|(name, flags)| NameEntry {
            name,
            flags: NameFlags::from_bits_retain(flags),
        });
        let names: Vec<_> = names.collect();
        let status = NodeStatus::new(names.clone(), &statistics).unwrap();
        prop_assert_eq!(status.names().collect::<Vec<_>>(), names);
        prop_assert_eq!(status.statistics(), Some(statistics));
        prop_assert!(!status.is_partial());
        for packet in [
            Packet::query(id, name, cast),
            Packet::node_status(id, name, cast),
            Packet::registration(id, name, entry, ttl, cast),
            Packet::overwrite(id, name, entry, ttl, cast),
            Packet::multihomed_registration(id, name, entry, ttl),
            Packet::refresh(id, name, entry, ttl, cast),
            Packet::release(id, name, entry, cast),
            Packet::positive_query_response(id, name, ttl, entries),
            Packet::negative_query_response(id, name, rcode).unwrap(),
            Packet::negative_query_response(id, name, rcode).unwrap().with_ancount_0(),
            Packet::redirect(id, name, ttl, name, entry.address),
            Packet::node_status_response(id, name, status),
            Packet::positive_registration_response(id, name, ttl, entry),
            Packet::negative_registration_response(id, name, rcode, entry).unwrap(),
            Packet::end_node_challenge(id, name, ttl, entry),
            Packet::name_conflict_demand(id, name),
            Packet::positive_release_response(id, name, entry),
            Packet::negative_release_response(id, name, rcode, entry).unwrap(),
            Packet::wack(id, name, ttl, Flags(flags)),
        ] {
            prop_assert_ne!(packet.kind(), PacketKind::Other);
            prop_assert_eq!(packet.name(), Some(&name));
            let packet = packet.with(NmFlags::from_bits_retain(flags));
            let bytes = round_trip!(Packet<'_>, packet);
            prop_assert!(packet.to_bytes() == bytes && packet.kind() != PacketKind::Other);
        }
    }

    #[test]
    fn arbitrary_bytes_keep_the_law(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        lossless!(Packet<'_>, &bytes);
    }

    #[test]
    fn arbitrary_bytes_behind_a_sound_beginning_keep_the_law(
        flags: u16,
        counts in prop::array::uniform4(0..=1_u8),
        named in any::<bool>(),
        bytes in prop::collection::vec(prop_oneof![Just(0xc0_u8), Just(12), Just(0x20), Just(0), any::<u8>()], 0..90),
    ) {
        let mut packet = vec![0, 0];
        packet.extend(flags.to_be_bytes());
        packet.extend(counts.iter().flat_map(|count| [0, *count]));
        if named {
            packet.extend(ScopedName::from(fred()).to_bytes());
        }
        packet.extend(bytes);
        lossless!(Packet<'_>, &packet);
    }
}

#[test]
fn flags_words_are_taken_apart() {
    let word = Flags(0xad86);
    assert!(word.is_response());
    assert_eq!((word.opcode(), word.rcode()), (Opcode::REGISTRATION, Rcode::ACT_ERR));
    assert_eq!(word.nm_flags(), NmFlags::AA | NmFlags::RD | NmFlags::RA);
    assert_eq!(word.with_rcode(Rcode(0xf3)), Flags(0xad83));
    // Only NM_FLAGS can be set: never R, OPCODE or RCODE.
    assert_eq!(Flags(0).with(NmFlags::from_bits_retain(0xffff)), Flags(0x07f0));
    for word in 0..=u16::MAX {
        let flags = Flags(word);
        let again = u16::from(flags.is_response()) << 15
            | u16::from(flags.opcode().0) << 11
            | flags.nm_flags().bits()
            | u16::from(flags.rcode().0);
        assert_eq!(again, word);
    }
}

#[test]
fn node_types_are_read_and_written() {
    let words = [(NodeType::B, 0x0000), (NodeType::P, 0x2000), (NodeType::M, 0x4000), (NodeType::H, 0x6000)];
    for (node_type, word) in words {
        assert_eq!(NbFlags::new(node_type, false).bits(), word);
        assert_eq!(NbFlags::new(node_type, true).bits(), word | 0x8000);
        // Samba's AD DC sets bits that are none of NB_FLAGS'.
        assert_eq!(NbFlags::from_bits_retain(word | 0x9fff).node_type(), node_type);
        assert_eq!(NameFlags::from_bits_retain(word | 0x0400).node_type(), node_type);
    }
}

#[test]
fn what_cannot_be_a_packet_is_not_built() {
    for rcode in [0, 16, 255].map(Rcode) {
        for refused in [
            Packet::negative_query_response(1, fred(), rcode),
            Packet::negative_registration_response(1, fred(), rcode, me()),
            Packet::negative_release_response(1, fred(), rcode, me()),
        ] {
            let error = refused.unwrap_err();
            assert_eq!((error.layer, error.field), (Layer::Nbns, "rcode"));
        }
    }
    let error = AddrEntries::new([]).unwrap_err();
    assert_eq!((error.field, error.reason), ("addr_entry", ValueErrorReason::Empty));
    assert!(AddrEntries::new([me(); 10_922]).is_ok());
    let error = AddrEntries::new([me(); 10_923]).unwrap_err();
    assert_eq!(error.reason, ValueErrorReason::TooLong { have: 65_538, max: 65_535 });
    let entry = NameEntry { name: fred(), flags: NameFlags::ACTIVE };
    assert!(NodeStatus::new([entry; 255], &Statistics::default()).is_ok());
    let error = NodeStatus::new([entry; 256], &Statistics::default()).unwrap_err();
    assert_eq!((error.field, error.reason), ("num_names", ValueErrorReason::TooLong { have: 256, max: 255 }));
}

#[test]
fn as_many_names_fit_a_small_response_as_promised() {
    let entry = NameEntry { name: fred(), flags: NameFlags::ACTIVE };
    let length = |names| {
        let status = NodeStatus::new(vec![entry; names], &Statistics::default()).unwrap();
        Packet::node_status_response(1, fred(), status).encoded_len()
    };
    assert!(length(NodeStatus::MAX_NAMES_IN_576) <= 576);
    assert!(length(NodeStatus::MAX_NAMES_IN_576 + 1) > 576);
}

#[test]
fn statistics_are_read_by_their_fields() {
    let bytes = case("nbns", "node-status-long-statistics").bytes;
    let packet = Packet::decode(&bytes).unwrap();
    let Some(Rdata::NodeStatus(status)) = packet.answer().map(ResourceRecord::rdata) else { panic!() };
    let statistics = status.statistics().unwrap();
    assert_eq!(Statistics::LEN, 46);
    assert_eq!(status.unit_id(), Some([0, 1, 2, 3, 4, 5]));
    assert_eq!((statistics.jumpers, statistics.test_result), (6, 7));
    assert_eq!(statistics.version_number, 0x0809);
    assert_eq!(statistics.period_of_statistics, 0x0a0b);
    assert_eq!(statistics.number_of_crcs, 0x0c0d);
    assert_eq!(statistics.number_alignment_errors, 0x0e0f);
    assert_eq!(statistics.number_of_collisions, 0x1011);
    assert_eq!(statistics.number_send_aborts, 0x1213);
    assert_eq!(statistics.number_good_sends, 0x1415_1617);
    assert_eq!(statistics.number_good_receives, 0x1819_1a1b);
    assert_eq!(statistics.number_retransmits, 0x1c1d);
    assert_eq!(statistics.number_no_resource_conditions, 0x1e1f);
    assert_eq!(statistics.number_free_command_blocks, 0x2021);
    assert_eq!(statistics.total_number_command_blocks, 0x2223);
    assert_eq!(statistics.max_total_number_command_blocks, 0x2425);
    assert_eq!(statistics.number_pending_sessions, 0x2627);
    assert_eq!(statistics.max_number_pending_sessions, 0x2829);
    assert_eq!(statistics.max_total_sessions_possible, 0x2a2b);
    assert_eq!(statistics.session_data_packet_size, 0x2c2d);
    assert_eq!(status.statistics_bytes().len(), 60);
}

#[test]
fn a_node_status_may_end_anywhere_behind_its_count() {
    let whole = Packet::node_status_response(1, fred(), one_name()).to_bytes();
    let rdlength_at = 12 + 34 + 8;
    for length in 1..=65_u8 {
        let mut bytes = whole[..rdlength_at + 2 + usize::from(length)].to_vec();
        bytes[rdlength_at + 1] = length;
        let packet = canonical!(Packet<'_>, &bytes);
        let Some(Rdata::NodeStatus(status)) = packet.answer().map(ResourceRecord::rdata) else { panic!() };
        assert_eq!(packet.kind(), PacketKind::NodeStatusResponse);
        assert_eq!((status.num_names(), status.names().count()), (1, usize::from(length >= 19)));
        assert_eq!(status.is_partial(), length < 19);
        assert_eq!(status.statistics().is_some(), length == 65);
        assert_eq!(status.unit_id().is_some(), length >= 25);
    }
}

/// FRED<20> with its header: this flags word, these counts, and what is given behind the name.
fn packet(flags: u16, counts: [u16; 4], behind: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x12, 0x34];
    packet.extend(flags.to_be_bytes());
    packet.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    packet.extend(ScopedName::from(fred()).to_bytes());
    packet.extend(behind);
    packet
}

#[test]
fn every_damage_is_named() {
    use DecodeErrorKind::{BadValue, OutOfBounds, Truncated};
    let whole = Packet::registration(1, fred(), me(), 9, Cast::Unicast).to_bytes();
    let two = |have| Truncated { needed: 2, have };
    for (length, field, offset) in [
        (0, "name_trn_id", 0),
        (1, "name_trn_id", 0),
        (2, "flags", 2),
        (5, "qdcount", 4),
        (6, "ancount", 6),
        (9, "nscount", 8),
        (11, "arcount", 10),
        (46, "question_type", 46),
        (49, "question_class", 48),
        (52, "rr_type", 52),
        (55, "rr_class", 54),
        (60, "rdlength", 60),
    ] {
        let error = Packet::decode(&whole[..length]).unwrap_err();
        assert_eq!((error.layer, error.field, error.offset), (Layer::Nbns, field, offset), "{length}");
        assert_eq!(error.kind, two(length - offset));
    }
    refused!(Packet<'_>, &whole[..58], Nbns, "ttl", 56, Truncated { needed: 4, have: 2 });
    refused!(Packet<'_>, &whole[..66], Nbns, "rdlength", 60, OutOfBounds { needed: 6, have: 4 });
    refused!(Packet<'_>, &whole[..12], NetbiosName, "question_name", 12, Truncated { needed: 34, have: 0 });
    refused!(Packet<'_>, &whole[..51], NetbiosName, "rr_name", 50, two(1));

    let expected = "a multiple of 6, above 0";
    for rdlength in [0, 1, 5, 7] {
        let mut rdata = b"\0\x20\0\x01\0\0\0\0\0".to_vec();
        rdata.push(rdlength);
        rdata.extend(vec![0; rdlength.into()]);
        let bytes = packet(0x8500, [0, 1, 0, 0], &rdata);
        refused!(Packet<'_>, &bytes, Nbns, "rdlength", 54, BadValue { value: rdlength.into(), expected });
    }
    let bytes = packet(0x8400, [0, 1, 0, 0], b"\0\x21\0\x01\0\0\0\0\0\0");
    refused!(Packet<'_>, &bytes, Nbns, "num_names", 56, Truncated { needed: 1, have: 0 });
}

#[test]
fn at_most_one_of_each_part_is_read() {
    let fields = [("qdcount", 4), ("ancount", 6), ("nscount", 8), ("arcount", 10)];
    for (index, (field, offset)) in fields.into_iter().enumerate() {
        for count in [2, 255, 256, u16::MAX] {
            let mut counts = [0; 4];
            counts[index] = count;
            let error = Packet::decode(&packet(0x0100, counts, b"\0\x20\0\x01")).unwrap_err();
            assert_eq!((error.layer, error.field, error.offset), (Layer::Nbns, field, offset));
            let kind = DecodeErrorKind::BadValue { value: count.into(), expected: "0 or 1" };
            assert_eq!(error.kind, kind);
        }
    }
}

#[test]
fn pointers_go_backwards_one_hop() {
    use DecodeErrorKind::{OutOfBounds, PointerNotAllowed};
    let claim = |pointer: [u8; 2]| {
        let record = b"\0\x20\0\x01\0\0\0\0\0\x06\0\0\x0a\0\0\x05";
        packet(0x2900, [1, 0, 0, 1], &[b"\0\x20\0\x01".as_slice(), &pointer, record].concat())
    };
    let sound = claim([0xc0, 12]);
    assert_eq!(canonical!(Packet<'_>, &sound).kind(), PacketKind::RegistrationRequest);
    let refused = |pointer| {
        let error = Packet::decode(&claim(pointer)).unwrap_err();
        assert_eq!((error.layer, error.field), (Layer::NetbiosName, "rr_name"));
        (error.offset, error.kind)
    };
    // To itself, forwards, and as far as a pointer can.
    assert_eq!(refused([0xc0, 50]), (50, OutOfBounds { needed: 50, have: 50 }));
    assert_eq!(refused([0xc0, 52]), (50, OutOfBounds { needed: 52, have: 50 }));
    assert_eq!(refused([0xff, 0xff]), (50, OutOfBounds { needed: 0x3fff, have: 50 }));
    // Into the header, and between the letters: no label of 32 there.
    assert_eq!(refused([0xc0, 0]).0, 0);
    assert_eq!(refused([0xc0, 13]).0, 13);
    // Onto another pointer: the A record's name points at the NS record's data, which is a pointer.
    let ns = b"\0\x02\0\x01\0\0\0\0\0\x02\xc0\x0c";
    let a = b"\xc0\x38\0\x01\0\x01\0\0\0\0\0\x04\x0a\0\0\x09";
    let two_hops = packet(0x8100, [0, 0, 1, 1], &[ns.as_slice(), a].concat());
    refused!(Packet<'_>, &two_hops, NetbiosName, "rr_name", 56, PointerNotAllowed);
}

#[test]
fn a_name_that_runs_into_its_own_pointer_is_refused() {
    // 32 letters should follow at 57, and the pointer to them stands at 58.
    let mut bytes = packet(0x8100, [0, 0, 1, 1], b"\x12\x34\0\x01\0\0\0\0\0\x02\x20A");
    bytes.extend(b"\xc0\x38\0\x01\0\x01\0\0\0\0\0\x04\x0a\0\0\x09");
    let kind = DecodeErrorKind::Truncated { needed: 32, have: 1 };
    refused!(Packet<'_>, &bytes, NetbiosName, "rr_name", 57, kind);
}

#[test]
fn parts_of_no_kind_are_kept() {
    // A question of another type, one without a question, an opcode of nobody, a WACK that is a request.
    for (flags, counts, behind) in [
        (0x0100, [1, 0, 0, 0], b"\0\xff\0\x01".as_slice()),
        (0x0100, [0, 0, 0, 0], b""),
        (0x1000, [1, 0, 0, 0], b"\0\x20\0\x01"),
        (0x3800, [0, 1, 0, 0], b"\0\x0a\0\x01\0\0\0\x05\0\x02\x29\0"),
        (0x9400, [0, 1, 0, 0], b"\0\x20\0\x01\0\0\0\0\0\x06\0\0\x0a\0\0\x05"),
        // Responses without their record, or with another.
        (0x8500, [1, 0, 0, 0], b"\0\x20\0\x01"),
        (0xad80, [0, 1, 0, 0], b"\0\x0a\0\x01\0\0\0\0\0\0"),
        (0xbc00, [0, 1, 0, 0], b"\0\x20\0\x01\0\0\0\0\0\x06\0\0\x0a\0\0\x05"),
        (0xb400, [0, 1, 0, 0], b"\0\x0a\0\x01\0\0\0\0\0\0"),
        (0x8100, [0, 0, 1, 0], b"\0\x02\0\x01\0\0\0\0\0\x02\xc0\x0c"),
        // A claim whose record is of another type.
        (0x2900, [1, 0, 0, 1], b"\0\x20\0\x01\xc0\x0c\0\x0a\0\x01\0\0\0\0\0\0"),
    ] {
        let bytes = packet(flags, counts, behind);
        let packet = canonical!(Packet<'_>, &bytes);
        assert_eq!(packet.kind(), PacketKind::Other, "{}", hex::encode(&bytes));
    }
}

#[test]
fn data_in_another_form_than_its_type_has_is_kept() {
    let null = packet(0x8503, [0, 1, 0, 0], b"\0\x0a\0\x01\0\0\0\0\0\x02\x29\0");
    let a = packet(
        0x8100,
        [0, 0, 1, 1],
        b"\0\x02\0\x01\0\0\0\0\0\x05\x03lab\0\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x02\x0a\0",
    );
    for bytes in [&null, &a] {
        let packet = canonical!(Packet<'_>, bytes);
        for record in [packet.answer(), packet.authority(), packet.additional()].into_iter().flatten() {
            assert!(matches!(record.rdata(), Rdata::Other(_)), "{record:?}");
        }
    }
    assert_eq!(Packet::decode(&null).unwrap().answer().unwrap().rr_type(), RrType::NULL);
    assert_eq!(Packet::decode(&null).unwrap().answer().unwrap().rr_class(), RrClass::IN);
}

#[test]
fn a_record_that_no_count_announces_is_read_in_responses_alone() {
    let record = b"\0\x0a\0\x01\0\0\0\0\0\0";
    let uncounted = |flags| packet(flags, [0; 4], record);
    let bytes = uncounted(0x8503);
    let response = canonical!(Packet<'_>, &bytes);
    assert!(response.is_uncounted() && response.trailing().is_empty());
    assert_eq!(response.name(), Some(&fred().into()));
    let bytes = uncounted(0x0100);
    let request = canonical!(Packet<'_>, &bytes);
    assert!(!request.is_uncounted() && request.answer().is_none());
    assert_eq!(request.trailing(), &bytes[12..]);
    // What is no record stays what it is, and a response without one needs none.
    let cut = &uncounted(0x8503)[..bytes.len() - 1];
    let response = canonical!(Packet<'_>, cut);
    assert_eq!((response.kind(), response.trailing()), (PacketKind::NegativeQueryResponse, &cut[12..]));
    // A count that says 1 is believed.
    let counted = packet(0x8503, [0, 1, 0, 0], &record[..9]);
    assert!(Packet::decode(&counted).is_err());
    // The form is for responses with one record.
    let query = Packet::query(1, fred(), Cast::Unicast);
    assert_eq!(query.clone().with_ancount_0(), query);
}

#[test]
fn bytes_behind_the_end_are_kept() {
    for golden in cases("nbns") {
        let bytes = [golden.bytes.as_slice(), &[0; 54]].concat();
        let packet = canonical!(Packet<'_>, &bytes);
        assert!(packet.trailing().ends_with(&[0; 54]), "{}", golden.name);
    }
}

#[test]
fn cve_2020_14303_an_empty_packet_is_refused() {
    let kind = DecodeErrorKind::Truncated { needed: 2, have: 0 };
    refused!(Packet<'_>, b"", Nbns, "name_trn_id", 0, kind);
}

#[test]
fn cve_2026_3238_a_claim_without_its_parts_is_refused() {
    let expected = "1 in a registration, refresh or release";
    let kind = DecodeErrorKind::BadValue { value: 0, expected };
    let question = b"\0\x20\0\x01";
    for opcode in [5, 6, 8, 9, 15] {
        let flags = opcode << 11;
        refused!(Packet<'_>, &packet(flags, [0; 4], b""), Nbns, "qdcount", 4, kind);
        refused!(Packet<'_>, &packet(flags, [0, 0, 0, 1], question), Nbns, "qdcount", 4, kind);
        refused!(Packet<'_>, &packet(flags, [1, 0, 0, 0], question), Nbns, "arcount", 10, kind);
        // The record in another section does not count.
        refused!(Packet<'_>, &packet(flags, [1, 1, 0, 0], question), Nbns, "arcount", 10, kind);
    }
}

/// nmbd copied a name of the wire into 16 bytes; here it is 16 bytes, whatever the wire says.
#[test]
fn cve_2014_3560_a_name_is_32_letters_or_none() {
    for length in (0..=255).filter(|length| *length != 0x20) {
        let mut bytes = Packet::query(1, fred(), Cast::Unicast).to_bytes();
        bytes[12] = length;
        assert_eq!(Packet::decode(&bytes).unwrap_err().layer, Layer::NetbiosName, "{length}");
    }
}

/// nmbd went round for ever: every name, list and pointer ends, in the bytes that are there.
#[test]
fn cve_2014_0244_no_packet_leads_round_in_circles() {
    for target in 0..=80 {
        let mut bytes =
            packet(0x2900, [1, 0, 0, 1], b"\0\x20\0\x01\xc0\0\0\x20\0\x01\0\0\0\0\0\x06\0\0\x0a\0\0\x05");
        bytes[51] = target;
        assert_eq!(Packet::decode(&bytes).is_ok(), target == 12);
    }
    let entries = packet(0x8500, [0, 1, 0, 0], b"\0\x20\0\x01\0\0\0\0\xff\xff\0\0\0\0\0\0");
    assert!(Packet::decode(&entries).is_err());
    let names = packet(0x8400, [0, 1, 0, 0], b"\0\x21\0\x01\0\0\0\0\0\x01\xff");
    let packet = Packet::decode(&names).unwrap();
    let Some(Rdata::NodeStatus(status)) = packet.answer().map(ResourceRecord::rdata) else { panic!() };
    assert_eq!((status.num_names(), status.names().count()), (255, 0));
}

/// No field of what is built comes from memory that nobody wrote: names are padded, flags and spaces zero.
#[test]
fn cve_2003_0661_nothing_but_the_packet_is_written() {
    for (packet, ..) in constructed() {
        let mut dirty = vec![0xaa; 3];
        packet.encode(&mut dirty);
        assert_eq!(dirty[3..], packet.to_bytes());
    }
    let short = Packet::node_status_response(1, name("a", 0), one_name()).to_bytes();
    assert!(short.ends_with(&[0; 46]));
}

/// What MS00-047 needs to tell a demand from an answer is there: the transaction, and the kind.
#[test]
fn ms00_047_a_conflict_demand_is_told_from_a_refusal() {
    let demand = Packet::name_conflict_demand(7, fred());
    assert_eq!((demand.kind(), demand.header().name_trn_id), (PacketKind::NameConflictDemand, 7));
    assert_eq!(demand.addr_entries().unwrap().iter().next().unwrap().address, Ipv4Addr::UNSPECIFIED);
    let refusal = Packet::negative_registration_response(7, fred(), Rcode::ACT_ERR, me()).unwrap();
    assert_eq!(refusal.kind(), PacketKind::NegativeRegistrationResponse);
}

/// What a program prints and complains of; `None`, said aloud, where it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            Some(String::from_utf8_lossy(&text).into_owned())
        }
        Err(error) => {
            eprintln!("SKIPPED: {program}: {error}");
            None
        }
    }
}

/// Samba's own decoder, which encodes again and compares.
#[test]
fn samba_takes_every_packet_that_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("packet");
    for (packet, _, _, kind) in constructed() {
        fs::write(&file, packet.to_bytes()).unwrap();
        let path = file.to_str().unwrap();
        let arguments = ["nbt", "nbt_name_packet", "struct", path, "--validate"];
        let Some(text) = run("ndrdump", &arguments) else { return };
        assert!(text.contains("dump OK"), "{kind}: {text}");
        // Samba pads the two bytes of a WACK to four when it writes them; its own server's have two.
        assert!(!text.contains("WARNING") || kind == PacketKind::Wack, "{kind}: {text}");
    }
}

/// tshark finds nothing malformed and nothing to remark.
#[test]
fn tshark_reads_every_packet_that_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name).to_str().unwrap().to_owned();
    let (text, pcap) = (path("packets.txt"), path("packets.pcap"));
    let packets = constructed();
    let dump = |bytes: Vec<u8>| {
        let hex = bytes.iter().map(|byte| format!(" {byte:02x}")).collect::<String>();
        format!("000000{hex}\n")
    };
    let dumps = packets.iter().map(|(packet, ..)| dump(packet.to_bytes())).collect::<String>();
    fs::write(&text, dumps).unwrap();
    if run("text2pcap", &["-q", "-u", "137,137", &text, &pcap]).is_none() {
        return;
    }
    let fields = ["-e", "nbns.flags", "-e", "_ws.expert.message", "-e", "_ws.malformed"];
    let arguments = [["-r", &pcap, "-T", "fields", "-E", "separator=|"].as_slice(), &fields].concat();
    let Some(text) = run("tshark", &arguments) else { return };
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("0x")).collect();
    assert_eq!(lines.len(), packets.len(), "{text}");
    for (line, (_, flags, _, kind)) in lines.into_iter().zip(packets) {
        assert!(line.starts_with(&format!("0x{flags:04x}")) && line.ends_with("||"), "{kind}: {line}");
    }
}

//! The NetBIOS name service, UDP 137 (RFC 1002 §4.2, MS-NBTE 2.2). Big-endian.
//!
//! ```text
//!  0  name_trn_id (2)   2  flags (2)   4  qdcount (2)   6  ancount (2)   8  nscount (2)   10  arcount (2)
//! 12  question   answer   authority   additional            each there or not, as its count says
//! ```
//!
//! Nothing here is authenticated: addresses are what the sender wrote, and any host can send any response. Take
//! a response only for an own open request, with its transaction, name and responder (BadTunnel, MS00-047).

mod header;
mod node_status;
mod record;

use core::fmt;
use core::net::Ipv4Addr;

use bytes::BufMut;

pub use header::{Counts, Flags, Header, NmFlags, Opcode, Rcode};
pub use node_status::{NameEntry, NameFlags, NodeStatus, Statistics};
pub use record::{
    AddrEntries, AddrEntry, NbFlags, NodeType, Question, Rdata, ResourceRecord, RrClass, RrType,
};

use super::codec::{Decode, Encode};
use super::error::{DecodeError, DecodeErrorKind, Layer, ValueError, ValueErrorReason};
use super::name::{PacketName, ScopedName};
use header::{HEADER_LEN, QUESTION_AT};

/// The UDP port of the name service: requests go to it, responses come from it.
pub const PORT: u16 = 137;

/// TTL that Windows asks for in registrations and refreshes, in seconds.
pub const WINDOWS_TTL: u32 = 300_000;

/// What a packet is for, from its flags word and its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum PacketKind {
    /// Who owns this name? (§4.2.12)
    QueryRequest,
    /// These nodes do (§4.2.13).
    PositiveQueryResponse,
    /// Nobody does (§4.2.14).
    NegativeQueryResponse,
    /// Ask another name server (§4.2.15).
    Redirect,
    /// Which names do you have? (§4.2.17)
    NodeStatusRequest,
    /// These (§4.2.18).
    NodeStatusResponse,
    /// May I have this name? (§4.2.2)
    RegistrationRequest,
    /// I may have this name with several addresses; here is one (MS-NBTE 2.2.2).
    MultihomedRegistrationRequest,
    /// I have this name: registration with RD clear (§4.2.3).
    OverwriteRequest,
    /// The name is yours (§4.2.5). Answers refreshes too.
    PositiveRegistrationResponse,
    /// The name is not yours (§4.2.6). Answers refreshes too.
    NegativeRegistrationResponse,
    /// The name may be yours, ask this owner yourself (§4.2.7).
    EndNodeChallenge,
    /// Your name is in conflict: RCODE 7 (§4.2.8). A negative registration response with CFT_ERR has the same
    /// flags word; whether it answers an open request tells them apart.
    NameConflictDemand,
    /// I still have this name (§4.2.4).
    RefreshRequest,
    /// I give this name up, or: give it up (§4.2.9).
    ReleaseRequest,
    /// Released (§4.2.10).
    PositiveReleaseResponse,
    /// Not released (§4.2.11).
    NegativeReleaseResponse,
    /// Wait, the answer takes longer (§4.2.16).
    Wack,
    /// None of these: an unknown opcode or type, or a part is missing that the kind cannot do without.
    Other,
}

impl PacketKind {
    /// The kind in snake_case, as in the JSON key `nbns.kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueryRequest => "query_request",
            Self::PositiveQueryResponse => "positive_query_response",
            Self::NegativeQueryResponse => "negative_query_response",
            Self::Redirect => "redirect",
            Self::NodeStatusRequest => "node_status_request",
            Self::NodeStatusResponse => "node_status_response",
            Self::RegistrationRequest => "registration_request",
            Self::MultihomedRegistrationRequest => "multihomed_registration_request",
            Self::OverwriteRequest => "overwrite_request",
            Self::PositiveRegistrationResponse => "positive_registration_response",
            Self::NegativeRegistrationResponse => "negative_registration_response",
            Self::EndNodeChallenge => "end_node_challenge",
            Self::NameConflictDemand => "name_conflict_demand",
            Self::RefreshRequest => "refresh_request",
            Self::ReleaseRequest => "release_request",
            Self::PositiveReleaseResponse => "positive_release_response",
            Self::NegativeReleaseResponse => "negative_release_response",
            Self::Wack => "wack",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for PacketKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a request goes to all nodes of the subnet or to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cast {
    /// To a name server, or to the node meant: B is clear.
    Unicast,
    /// To the subnet: B is set.
    Broadcast,
}

impl Cast {
    const fn flags(self, flags: Flags) -> Flags {
        match self {
            Self::Unicast => flags,
            Self::Broadcast => flags.with(NmFlags::B),
        }
    }
}

/// One packet of the name service: a UDP payload on port 137.
///
/// Whatever decodes is encoded byte for byte as it came. Accepted beyond RFC 1002, and kept: any flags word;
/// unknown opcodes, types and classes; refreshes with opcode 9; H nodes; a response whose counts are 0 although
/// a record follows ([`Self::is_uncounted`]: negative answers of WINS, as figure 4.2.14 has them); WACKs of type
/// NB or NULL; names in requests in full (OKI printers, `b6300a.cap`) or as any backward pointer; bytes behind the last
/// part ([`Self::trailing`]: Windows sends up to 54 behind a node status). Refused: more than one question or
/// record of a kind; a registration, refresh or release without its question or its record (CVE-2026-3238);
/// addresses that do not fill RDLENGTH.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Packet<'a> {
    header: Header,
    question: Option<Question<'a>>,
    answer: Option<ResourceRecord<'a>>,
    authority: Option<ResourceRecord<'a>>,
    additional: Option<ResourceRecord<'a>>,
    /// The answer is there although ANCOUNT is 0.
    uncounted: bool,
    trailing: &'a [u8],
}

/// Requests.
impl<'a> Packet<'a> {
    /// NAME QUERY REQUEST, flags 0x0100.
    pub fn query(name_trn_id: u16, name: impl Into<ScopedName<'a>>, cast: Cast) -> Self {
        Self::asking(name_trn_id, cast.flags(Flags::QUERY), name.into(), RrType::NB)
    }

    /// NODE STATUS REQUEST, flags 0x0000; for [`super::name::NetbiosName::WILDCARD`] every node answers.
    pub fn node_status(name_trn_id: u16, name: impl Into<ScopedName<'a>>, cast: Cast) -> Self {
        Self::asking(name_trn_id, cast.flags(Flags::NODE_STATUS), name.into(), RrType::NBSTAT)
    }

    /// NAME REGISTRATION REQUEST, flags 0x2900. `ttl` in seconds: Windows asks for [`WINDOWS_TTL`].
    pub fn registration(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        entry: AddrEntry,
        ttl: u32,
        cast: Cast,
    ) -> Self {
        Self::claiming(name_trn_id, cast.flags(Flags::REGISTRATION), name.into(), ttl, entry)
    }

    /// NAME OVERWRITE REQUEST (unicast) or DEMAND (broadcast), flags 0x2800. `ttl` in seconds.
    pub fn overwrite(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        entry: AddrEntry,
        ttl: u32,
        cast: Cast,
    ) -> Self {
        Self::claiming(name_trn_id, cast.flags(Flags::OVERWRITE), name.into(), ttl, entry)
    }

    /// MULTIHOMED NAME REGISTRATION REQUEST to a name server, flags 0x7900. `ttl` in seconds.
    pub fn multihomed_registration(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        entry: AddrEntry,
        ttl: u32,
    ) -> Self {
        Self::claiming(name_trn_id, Flags::MULTIHOMED_REGISTRATION, name.into(), ttl, entry)
    }

    /// NAME REFRESH REQUEST, flags 0x4000. `ttl` in seconds.
    pub fn refresh(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        entry: AddrEntry,
        ttl: u32,
        cast: Cast,
    ) -> Self {
        Self::claiming(name_trn_id, cast.flags(Flags::REFRESH), name.into(), ttl, entry)
    }

    /// NAME RELEASE REQUEST (unicast) or DEMAND (broadcast), flags 0x3000, TTL 0.
    pub fn release(name_trn_id: u16, name: impl Into<ScopedName<'a>>, entry: AddrEntry, cast: Cast) -> Self {
        Self::claiming(name_trn_id, cast.flags(Flags::RELEASE), name.into(), 0, entry)
    }

    const fn empty(name_trn_id: u16, flags: Flags) -> Self {
        Self {
            header: Header { name_trn_id, flags },
            question: None,
            answer: None,
            authority: None,
            additional: None,
            uncounted: false,
            trailing: &[],
        }
    }

    fn asking(name_trn_id: u16, flags: Flags, name: ScopedName<'a>, question_type: RrType) -> Self {
        let question = Question::new(PacketName::full(name), question_type);
        Self { question: Some(question), ..Self::empty(name_trn_id, flags) }
    }

    fn claiming(name_trn_id: u16, flags: Flags, name: ScopedName<'a>, ttl: u32, entry: AddrEntry) -> Self {
        let rr_name = PacketName::pointer(name, QUESTION_AT);
        let record = ResourceRecord::new(rr_name, RrType::NB, ttl, Rdata::Nb(entry.into()));
        Self { additional: Some(record), ..Self::asking(name_trn_id, flags, name, RrType::NB) }
    }
}

/// Responses, and demands in the form of responses. `name_trn_id` is that of the request.
impl<'a> Packet<'a> {
    /// POSITIVE NAME QUERY RESPONSE of an end node, flags 0x8500. `ttl` in seconds. A name server adds
    /// [`NmFlags::RA`] with [`Self::with`].
    pub fn positive_query_response(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        ttl: u32,
        entries: impl Into<AddrEntries<'a>>,
    ) -> Self {
        let rdata = Rdata::Nb(entries.into());
        Self::answering(name_trn_id, Flags::QUERY_RESPONSE, name.into(), RrType::NB, ttl, rdata)
    }

    /// NEGATIVE NAME QUERY RESPONSE, flags 0x8500 and RCODE, with a NULL record that ANCOUNT counts, as Samba
    /// writes it; for the form of WINS see [`Self::with_ancount_0`].
    ///
    /// # Errors
    /// An RCODE outside 1 to 15.
    pub fn negative_query_response(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        rcode: Rcode,
    ) -> Result<Self, ValueError> {
        let flags = Flags::QUERY_RESPONSE.with_rcode(negative(rcode)?);
        Ok(Self::answering(name_trn_id, flags, name.into(), RrType::NULL, 0, Rdata::Null))
    }

    /// REDIRECT NAME QUERY RESPONSE, flags 0x8100: ask the name server `nbns` at `address`. `ttl` in seconds.
    pub fn redirect(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        ttl: u32,
        nbns: impl Into<ScopedName<'a>>,
        address: Ipv4Addr,
    ) -> Self {
        let nbns = PacketName::full(nbns.into());
        let authority = ResourceRecord::new(PacketName::full(name.into()), RrType::NS, ttl, Rdata::Ns(nbns));
        let additional = ResourceRecord::new(nbns, RrType::A, ttl, Rdata::A(address));
        Self {
            authority: Some(authority),
            additional: Some(additional),
            ..Self::empty(name_trn_id, Flags::REDIRECT)
        }
    }

    /// NODE STATUS RESPONSE, flags 0x8400, TTL 0.
    pub fn node_status_response(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        status: NodeStatus<'a>,
    ) -> Self {
        let rdata = Rdata::NodeStatus(status);
        Self::answering(name_trn_id, Flags::NODE_STATUS_RESPONSE, name.into(), RrType::NBSTAT, 0, rdata)
    }

    /// POSITIVE NAME REGISTRATION RESPONSE, flags 0xAD80, to registrations and refreshes of all opcodes. `ttl`
    /// in seconds: until then the name must be refreshed.
    pub fn positive_registration_response(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        ttl: u32,
        entry: AddrEntry,
    ) -> Self {
        Self::answering_claim(name_trn_id, Flags::REGISTRATION_RESPONSE, name.into(), ttl, entry)
    }

    /// NEGATIVE NAME REGISTRATION RESPONSE, flags 0xAD80 and RCODE, with the owner's entry and TTL 0.
    ///
    /// # Errors
    /// An RCODE outside 1 to 15.
    pub fn negative_registration_response(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        rcode: Rcode,
        owner: AddrEntry,
    ) -> Result<Self, ValueError> {
        let flags = Flags::REGISTRATION_RESPONSE.with_rcode(negative(rcode)?);
        Ok(Self::answering_claim(name_trn_id, flags, name.into(), 0, owner))
    }

    /// END-NODE CHALLENGE REGISTRATION RESPONSE, flags 0xAD00: the claimant must ask `owner` itself. `ttl` in
    /// seconds.
    pub fn end_node_challenge(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        ttl: u32,
        owner: AddrEntry,
    ) -> Self {
        Self::answering_claim(name_trn_id, Flags::END_NODE_CHALLENGE, name.into(), ttl, owner)
    }

    /// NAME CONFLICT DEMAND, flags 0xAD87, with TTL, flags and address 0.
    pub fn name_conflict_demand(name_trn_id: u16, name: impl Into<ScopedName<'a>>) -> Self {
        let nobody = AddrEntry::new(NbFlags::empty(), Ipv4Addr::UNSPECIFIED);
        Self::answering_claim(name_trn_id, Flags::NAME_CONFLICT_DEMAND, name.into(), 0, nobody)
    }

    /// POSITIVE NAME RELEASE RESPONSE, flags 0xB400, with the entry of the request and TTL 0.
    pub fn positive_release_response(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        entry: AddrEntry,
    ) -> Self {
        Self::answering_claim(name_trn_id, Flags::RELEASE_RESPONSE, name.into(), 0, entry)
    }

    /// NEGATIVE NAME RELEASE RESPONSE, flags 0xB400 and RCODE, with the entry of the request and TTL 0.
    ///
    /// # Errors
    /// An RCODE outside 1 to 15.
    pub fn negative_release_response(
        name_trn_id: u16,
        name: impl Into<ScopedName<'a>>,
        rcode: Rcode,
        entry: AddrEntry,
    ) -> Result<Self, ValueError> {
        let flags = Flags::RELEASE_RESPONSE.with_rcode(negative(rcode)?);
        Ok(Self::answering_claim(name_trn_id, flags, name.into(), 0, entry))
    }

    /// WAIT FOR ACKNOWLEDGEMENT RESPONSE, flags 0xBC00, type NB: the request with the flags word `request`
    /// has its answer within `ttl` seconds.
    pub fn wack(name_trn_id: u16, name: impl Into<ScopedName<'a>>, ttl: u32, request: Flags) -> Self {
        Self::answering(name_trn_id, Flags::WACK, name.into(), RrType::NB, ttl, Rdata::Wack(request))
    }

    fn answering(
        name_trn_id: u16,
        flags: Flags,
        name: ScopedName<'a>,
        rr_type: RrType,
        ttl: u32,
        rdata: Rdata<'a>,
    ) -> Self {
        let record = ResourceRecord::new(PacketName::full(name), rr_type, ttl, rdata);
        Self { answer: Some(record), ..Self::empty(name_trn_id, flags) }
    }

    fn answering_claim(
        name_trn_id: u16,
        flags: Flags,
        name: ScopedName<'a>,
        ttl: u32,
        entry: AddrEntry,
    ) -> Self {
        Self::answering(name_trn_id, flags, name, RrType::NB, ttl, Rdata::Nb(entry.into()))
    }

    /// The same packet with `flags` set too.
    #[must_use]
    pub const fn with(mut self, flags: NmFlags) -> Self {
        self.header.flags = self.header.flags.with(flags);
        self
    }

    /// The same response with ANCOUNT 0 although the record is there, as figure 4.2.14 prints negative query
    /// responses and WINS writes them. Packets without an answer stay as they are.
    #[must_use]
    pub const fn with_ancount_0(mut self) -> Self {
        self.uncounted = self.answer.is_some()
            && self.header.flags.is_response()
            && self.authority.is_none()
            && self.additional.is_none();
        self
    }
}

fn negative(rcode: Rcode) -> Result<Rcode, ValueError> {
    if (1..=15).contains(&rcode.0) {
        Ok(rcode)
    } else {
        Err(ValueError::new(
            Layer::Nbns,
            "rcode",
            ValueErrorReason::BadForm("1 to 15 in a negative response"),
        ))
    }
}

/// What a packet holds.
impl<'a> Packet<'a> {
    /// Transaction and flags word.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The four counts as they stand on the wire.
    pub fn counts(&self) -> Counts {
        Counts {
            qdcount: self.question.is_some().into(),
            ancount: (self.answer.is_some() && !self.uncounted).into(),
            nscount: self.authority.is_some().into(),
            arcount: self.additional.is_some().into(),
        }
    }

    /// Whether [`Self::answer`] is there although ANCOUNT is 0.
    pub const fn is_uncounted(&self) -> bool {
        self.uncounted
    }

    /// The question.
    pub const fn question(&self) -> Option<&Question<'a>> {
        self.question.as_ref()
    }

    /// The answer record.
    pub const fn answer(&self) -> Option<&ResourceRecord<'a>> {
        self.answer.as_ref()
    }

    /// The authority record: the name server's name in a redirect.
    pub const fn authority(&self) -> Option<&ResourceRecord<'a>> {
        self.authority.as_ref()
    }

    /// The additional record: the claim in a registration, refresh or release, the name server's address in a
    /// redirect.
    pub const fn additional(&self) -> Option<&ResourceRecord<'a>> {
        self.additional.as_ref()
    }

    /// Bytes behind the last part; not part of the packet, kept so that the payload can be written again.
    pub const fn trailing(&self) -> &'a [u8] {
        self.trailing
    }

    /// The name the packet is about: the question's, or the first record's.
    pub fn name(&self) -> Option<&ScopedName<'a>> {
        let record = || self.answer.as_ref().or(self.authority.as_ref()).or(self.additional.as_ref());
        let name = self.question.as_ref().map(Question::name);
        name.or_else(|| record().map(ResourceRecord::name)).map(PacketName::name)
    }

    /// The owners that a response names, or the one that a registration, refresh or release speaks for.
    pub fn addr_entries(&self) -> Option<&AddrEntries<'a>> {
        [&self.answer, &self.additional].into_iter().flatten().find_map(|record| match record.rdata() {
            Rdata::Nb(entries) => Some(entries),
            _ => None,
        })
    }

    /// What the packet is for. All but [`PacketKind::Other`] promise the parts that their figure in RFC 1002
    /// shows; only [`PacketKind::NegativeQueryResponse`] may have no record.
    pub fn kind(&self) -> PacketKind {
        let flags = self.header.flags;
        if flags.is_response() { self.response_kind(flags) } else { self.request_kind(flags) }
    }

    fn request_kind(&self, flags: Flags) -> PacketKind {
        let opcode = flags.opcode();
        if opcode.is_claim() {
            return match self.additional.as_ref().map(ResourceRecord::rdata) {
                Some(Rdata::Nb(_)) => match opcode {
                    Opcode::RELEASE => PacketKind::ReleaseRequest,
                    Opcode::MULTIHOMED_REGISTRATION => PacketKind::MultihomedRegistrationRequest,
                    Opcode::REGISTRATION if flags.nm_flags().contains(NmFlags::RD) => {
                        PacketKind::RegistrationRequest
                    }
                    Opcode::REGISTRATION => PacketKind::OverwriteRequest,
                    _ => PacketKind::RefreshRequest,
                },
                _ => PacketKind::Other,
            };
        }
        match (opcode, self.question.as_ref().map(Question::question_type)) {
            (Opcode::QUERY, Some(RrType::NB)) => PacketKind::QueryRequest,
            (Opcode::QUERY, Some(RrType::NBSTAT)) => PacketKind::NodeStatusRequest,
            _ => PacketKind::Other,
        }
    }

    fn response_kind(&self, flags: Flags) -> PacketKind {
        let opcode = flags.opcode();
        let positive = flags.rcode() == Rcode::NONE;
        match (opcode, self.answer.as_ref().map(ResourceRecord::rdata)) {
            (Opcode::QUERY, _) if !positive => PacketKind::NegativeQueryResponse,
            (Opcode::QUERY, Some(Rdata::Nb(_))) => PacketKind::PositiveQueryResponse,
            (Opcode::QUERY, Some(Rdata::NodeStatus(_))) => PacketKind::NodeStatusResponse,
            (Opcode::QUERY, None) if self.is_redirect() => PacketKind::Redirect,
            (Opcode::WACK, Some(Rdata::Wack(_))) => PacketKind::Wack,
            (Opcode::RELEASE, Some(Rdata::Nb(_))) if positive => PacketKind::PositiveReleaseResponse,
            (Opcode::RELEASE, Some(Rdata::Nb(_))) => PacketKind::NegativeReleaseResponse,
            (opcode, Some(Rdata::Nb(_))) if opcode.is_claim() => match flags.rcode() {
                Rcode::NONE if flags.nm_flags().contains(NmFlags::RA) => {
                    PacketKind::PositiveRegistrationResponse
                }
                Rcode::NONE => PacketKind::EndNodeChallenge,
                Rcode::CFT_ERR => PacketKind::NameConflictDemand,
                _ => PacketKind::NegativeRegistrationResponse,
            },
            _ => PacketKind::Other,
        }
    }

    fn is_redirect(&self) -> bool {
        let authority = self.authority.as_ref().map(ResourceRecord::rr_type);
        let additional = self.additional.as_ref().map(ResourceRecord::rdata);
        authority == Some(RrType::NS) && matches!(additional, Some(Rdata::A(_)))
    }
}

impl<'a> Decode<'a> for Packet<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let Some((head, _)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(truncated_header(bytes));
        };
        let (header, counts) = header::read(*head);
        let flags = header.flags;
        let has_question = at_most_one("qdcount", 4, counts.qdcount)?;
        let has_answer = at_most_one("ancount", 6, counts.ancount)?;
        let has_authority = at_most_one("nscount", 8, counts.nscount)?;
        let has_additional = at_most_one("arcount", 10, counts.arcount)?;
        if !flags.is_response() && flags.opcode().is_claim() {
            let expected = "1 in a registration, refresh or release";
            if !has_question {
                return Err(bad_count("qdcount", 4, counts.qdcount, expected));
            }
            if !has_additional {
                return Err(bad_count("arcount", 10, counts.arcount, expected));
            }
        }

        let mut at = HEADER_LEN;
        let question = has_question.then(|| Question::read(bytes, &mut at)).transpose()?;
        let mut record = |there: bool| there.then(|| ResourceRecord::read(bytes, &mut at, flags)).transpose();
        let mut answer = record(has_answer)?;
        let authority = record(has_authority)?;
        let additional = record(has_additional)?;

        let mut uncounted = false;
        if flags.is_response() && answer.is_none() && authority.is_none() && additional.is_none() {
            let mut end = at;
            if let Ok(record) = ResourceRecord::read(bytes, &mut end, flags) {
                answer = Some(record);
                uncounted = true;
                at = end;
            }
        }
        let trailing = bytes.get(at..).unwrap_or_default();
        Ok(Self { header, question, answer, authority, additional, uncounted, trailing })
    }
}

fn at_most_one(field: &'static str, at: usize, count: u16) -> Result<bool, DecodeError> {
    match count {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(bad_count(field, at, count, "0 or 1")),
    }
}

#[cold]
fn bad_count(field: &'static str, at: usize, count: u16, expected: &'static str) -> DecodeError {
    let kind = DecodeErrorKind::BadValue { value: count.into(), expected };
    DecodeError::new(Layer::Nbns, field, at, kind)
}

#[cold]
fn truncated_header(bytes: &[u8]) -> DecodeError {
    let (field, at) = match bytes.len() {
        0..2 => ("name_trn_id", 0),
        2..4 => ("flags", 2),
        4..6 => ("qdcount", 4),
        6..8 => ("ancount", 6),
        8..10 => ("nscount", 8),
        _ => ("arcount", 10),
    };
    let kind = DecodeErrorKind::Truncated { needed: 2, have: bytes.len() - at };
    DecodeError::new(Layer::Nbns, field, at, kind)
}

impl Encode for Packet<'_> {
    fn encoded_len(&self) -> usize {
        let records = [&self.answer, &self.authority, &self.additional].into_iter().flatten();
        HEADER_LEN
            + self.question.as_ref().map_or(0, Encode::encoded_len)
            + records.map(Encode::encoded_len).sum::<usize>()
            + self.trailing.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        header::write(self.header, self.counts(), out);
        if let Some(question) = &self.question {
            question.encode(out);
        }
        for record in [&self.answer, &self.authority, &self.additional].into_iter().flatten() {
            record.encode(out);
        }
        out.put_slice(self.trailing);
    }
}

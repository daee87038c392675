//! RDATA of a node status response (RFC 1002 §4.2.18).
//!
//! ```text
//!  0  num_names    1  names, 18 bytes each: name (16), name_flags (2)    1 + 18n  statistics (46)
//! ```

use std::borrow::Cow;

use bitflags::bitflags;
use bytes::BufMut;

use super::record::NodeType;
use crate::wire::codec::Encode;
use crate::wire::error::{Layer, ValueError};
use crate::wire::name::NetbiosName;

bitflags! {
    /// NAME_FLAGS. Unknown bits are kept.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize))]
    pub struct NameFlags: u16 {
        /// G: a group name.
        const GROUP = 0x8000;
        /// ONT: M node. With [`Self::P_NODE`]: H node.
        const M_NODE = 0x4000;
        /// ONT: P node.
        const P_NODE = 0x2000;
        /// DRG: the name is being released.
        const DEREGISTER = 0x1000;
        /// CNF: the name is in conflict.
        const CONFLICT = 0x0800;
        /// ACT: the name is active. Set in every name by all senders.
        const ACTIVE = 0x0400;
        /// PRM: the permanent node name.
        const PERMANENT = 0x0200;
        const _ = !0;
    }
}

impl NameFlags {
    /// ONT, the owner's node type.
    pub const fn node_type(self) -> NodeType {
        NodeType::from_ont(self.bits())
    }
}

/// One name of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NameEntry {
    /// The name, without scope.
    pub name: NetbiosName,
    /// NAME_FLAGS.
    pub flags: NameFlags,
}

/// Length of a [`NameEntry`], in bytes.
const ENTRY_LEN: usize = 18;

/// RDATA of a node status response.
///
/// Accepted and kept: statistics of any length, none at all included; a list that ends before NUM_NAMES names
/// ([`Self::is_partial`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NodeStatus<'a>(Cow<'a, [u8]>);

impl<'a> NodeStatus<'a> {
    /// The most names that fit a response of 576 bytes (RFC 1002 §4.2.18) without a scope. A responder that
    /// leaves names out for it sets [`super::NmFlags::TC`].
    pub const MAX_NAMES_IN_576: usize = 26;

    /// A node's names and statistics.
    ///
    /// # Errors
    /// More than 255 names.
    pub fn new(
        names: impl IntoIterator<Item = NameEntry>,
        statistics: &Statistics,
    ) -> Result<NodeStatus<'static>, ValueError> {
        let mut rdata = vec![0];
        let mut count = 0;
        for entry in names {
            rdata.put_slice(entry.name.as_bytes());
            rdata.put_u16(entry.flags.bits());
            count += 1;
        }
        let num_names =
            u8::try_from(count).map_err(|_| ValueError::too_long(Layer::Nbns, "num_names", count, 255))?;
        if let Some(first) = rdata.first_mut() {
            *first = num_names;
        }
        statistics.write(&mut rdata);
        Ok(NodeStatus(rdata.into()))
    }

    /// The RDATA as it is; `None` without the byte of NUM_NAMES.
    pub(super) fn from_rdata(rdata: &'a [u8]) -> Option<Self> {
        (!rdata.is_empty()).then_some(Self(rdata.into()))
    }

    /// NUM_NAMES as the sender wrote it.
    pub fn num_names(&self) -> u8 {
        self.0.first().copied().unwrap_or(0)
    }

    /// The names: NUM_NAMES of them, or as many as there are whole ones.
    pub fn names(&self) -> impl Iterator<Item = NameEntry> {
        let list = self.0.get(1..).unwrap_or_default();
        list.as_chunks::<ENTRY_LEN>().0.iter().take(self.num_names().into()).map(|entry| {
            let [name @ .., flags0, flags1] = *entry;
            NameEntry {
                name: NetbiosName::from_bytes(name),
                flags: NameFlags::from_bits_retain(u16::from_be_bytes([flags0, flags1])),
            }
        })
    }

    /// Whether the list ends before NUM_NAMES names.
    pub fn is_partial(&self) -> bool {
        self.0.len() < self.names_end()
    }

    /// STATISTICS as it stands there, of whatever length; empty when the list is partial.
    pub fn statistics_bytes(&self) -> &[u8] {
        self.0.get(self.names_end()..).unwrap_or_default()
    }

    /// STATISTICS by its fields, when its 46 bytes are there.
    pub fn statistics(&self) -> Option<Statistics> {
        Statistics::read(self.statistics_bytes())
    }

    /// UNIT_ID, the node's MAC address, when its 6 bytes are there. Samba writes zeros.
    pub fn unit_id(&self) -> Option<[u8; 6]> {
        self.statistics_bytes().first_chunk().copied()
    }

    fn names_end(&self) -> usize {
        1 + ENTRY_LEN * usize::from(self.num_names())
    }
}

impl Encode for NodeStatus<'_> {
    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_slice(&self.0);
    }
}

macro_rules! statistics {
    ($($(#[$doc:meta])* $field:ident: $number:ty,)*) => {
        /// STATISTICS, 46 bytes. Windows fills in [`Self::unit_id`] alone, nmbd nothing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub struct Statistics {
            /// UNIT_ID: the MAC address.
            pub unit_id: [u8; 6],
            $($(#[$doc])* pub $field: $number,)*
        }

        impl Statistics {
            /// Length of the block, in bytes.
            pub const LEN: usize = 6 $(+ size_of::<$number>())*;

            /// The fields behind UNIT_ID: name, and length in bytes.
            pub(in crate::wire) const FIELDS: &'static [(&'static str, usize)] =
                &[$((stringify!($field), size_of::<$number>()),)*];

            /// Reads the block from the beginning of `bytes`; `None` if it is not whole.
            fn read(bytes: &[u8]) -> Option<Self> {
                let (&unit_id, rest) = bytes.split_first_chunk()?;
                $(
                    let (&field, rest) = rest.split_first_chunk()?;
                    let $field = <$number>::from_be_bytes(field);
                )*
                let _ = rest;
                Some(Self { unit_id, $($field,)* })
            }

            fn write(&self, out: &mut impl BufMut) {
                out.put_slice(&self.unit_id);
                $(out.put_slice(&self.$field.to_be_bytes());)*
            }
        }
    };
}

statistics! {
    /// JUMPERS.
    jumpers: u8,
    /// TEST_RESULT.
    test_result: u8,
    /// VERSION_NUMBER.
    version_number: u16,
    /// PERIOD_OF_STATISTICS.
    period_of_statistics: u16,
    /// NUMBER_OF_CRCs.
    number_of_crcs: u16,
    /// NUMBER_ALIGNMENT_ERRORS.
    number_alignment_errors: u16,
    /// NUMBER_OF_COLLISIONS.
    number_of_collisions: u16,
    /// NUMBER_SEND_ABORTS.
    number_send_aborts: u16,
    /// NUMBER_GOOD_SENDS.
    number_good_sends: u32,
    /// NUMBER_GOOD_RECEIVES.
    number_good_receives: u32,
    /// NUMBER_RETRANSMITS.
    number_retransmits: u16,
    /// NUMBER_NO_RESOURCE_CONDITIONS.
    number_no_resource_conditions: u16,
    /// NUMBER_FREE_COMMAND_BLOCKS.
    number_free_command_blocks: u16,
    /// TOTAL_NUMBER_COMMAND_BLOCKS.
    total_number_command_blocks: u16,
    /// MAX_TOTAL_NUMBER_COMMAND_BLOCKS.
    max_total_number_command_blocks: u16,
    /// NUMBER_PENDING_SESSIONS.
    number_pending_sessions: u16,
    /// MAX_NUMBER_PENDING_SESSIONS.
    max_number_pending_sessions: u16,
    /// MAX_TOTAL_SESSIONS_POSSIBLE.
    max_total_sessions_possible: u16,
    /// SESSION_DATA_PACKET_SIZE.
    session_data_packet_size: u16,
}

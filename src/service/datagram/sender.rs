//! The sending half: names, flags and DGM_ID around user data.

use core::net::Ipv4Addr;

use crate::wire::name::{NetbiosName, Scope, ScopedName, scope_labels};
use crate::wire::nbdgm::{Body, Content, Datagram, Flags, Header, LengthForm, MsgType};
use crate::wire::nbns::NodeType;
use crate::wire::smb::{HeaderLayout, MailslotWrite};
use crate::wire::{Encode, ValueError};

/// Makes the datagrams of one node on one interface.
///
/// They are never fragments: user data of more than 512 bytes (Windows 9x) is left to IP, as Windows does.
#[derive(Debug)]
pub struct Sender {
    flags: Flags,
    source_ip: Ipv4Addr,
    source_port: u16,
    scope: Vec<u8>,
    next_id: u16,
}

/// From whom to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "what a datagram says of its ends")]
pub struct Addressing {
    /// The sender's name.
    pub source: NetbiosName,
    /// The receiver's name.
    pub destination: NetbiosName,
    /// Whether that is a group's: the datagram is of type 0x11, else 0x10. `*` is a group's in any case.
    pub group: bool,
}

impl Sender {
    /// A sender whose datagrams name `source_ip` and `source_port`. DGM_ID counts from `first_id`, which should be
    /// random: a restarted node must not repeat what its peers still remember.
    pub const fn new(node_type: NodeType, source_ip: Ipv4Addr, source_port: u16, first_id: u16) -> Self {
        let snt = match node_type {
            NodeType::B => Flags::empty(),
            NodeType::P => Flags::P_NODE,
            NodeType::M => Flags::M_NODE,
            NodeType::H => Flags::P_NODE.union(Flags::M_NODE),
        };
        let flags = Flags::FIRST.union(snt);
        Self { flags, source_ip, source_port, scope: Vec::new(), next_id: first_id }
    }

    /// Sets the scope of all names, in dotted form; empty text is no scope.
    ///
    /// # Errors
    /// An empty label, one of more than 63 bytes, or more than 221 bytes in all.
    pub fn set_scope(&mut self, dotted: &str) -> Result<(), ValueError> {
        self.scope = scope_labels(dotted)?;
        Ok(())
    }

    /// The bytes of a datagram with this user data.
    ///
    /// # Errors
    /// Names and user data are longer than DGM_LENGTH can say.
    pub fn datagram(&mut self, addressing: Addressing, user_data: &[u8]) -> Result<Vec<u8>, ValueError> {
        let Addressing { source, destination, group } = addressing;
        let group = group || destination.is_wildcard();
        let header = Header {
            msg_type: if group { MsgType::DIRECT_GROUP } else { MsgType::DIRECT_UNIQUE },
            flags: self.flags,
            dgm_id: self.next_id,
            source_ip: self.source_ip,
            source_port: self.source_port,
        };
        let scope = Scope::from_labels(&self.scope).unwrap_or_default();
        let content = Content {
            source_name: ScopedName::new(source, scope),
            destination_name: ScopedName::new(destination, scope),
            user_data,
        };
        let datagram = Datagram::new(header, Body::Direct { length_form: LengthForm::Exact, content })?;
        self.next_id = self.next_id.wrapping_add(1);
        Ok(datagram.to_bytes())
    }

    /// The bytes of a datagram with a mailslot write of class 2 to `slot` (`\MAILSLOT\…`, one byte per character).
    ///
    /// # Errors
    /// Those of [`MailslotWrite::new`] and [`Self::datagram`].
    pub fn mailslot_write(
        &mut self,
        addressing: Addressing,
        layout: HeaderLayout,
        slot: &[u8],
        data: &[u8],
    ) -> Result<Vec<u8>, ValueError> {
        self.datagram(addressing, &MailslotWrite::new(layout, slot, data)?.to_bytes())
    }
}

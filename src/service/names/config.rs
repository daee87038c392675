//! What a node is told about itself and its network.

use core::net::Ipv4Addr;

use super::NodeType;
use super::timers::Timers;
use crate::wire::ValueError;
use crate::wire::name::{NetbiosName, Scope, scope_labels};
use crate::wire::nbns::{PORT, WINDOWS_TTL};

/// An address and how many of its bits are the network's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subnet {
    address: Ipv4Addr,
    prefix: u8,
}

impl Subnet {
    /// The subnet of a node at `address`. A `prefix` above 32 is taken as 32.
    pub const fn new(address: Ipv4Addr, prefix: u8) -> Self {
        Self { address, prefix: if prefix > 32 { 32 } else { prefix } }
    }

    /// The node's address.
    pub const fn address(self) -> Ipv4Addr {
        self.address
    }

    /// How many bits are the network's, 0 to 32.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    const fn host_bits(self) -> u32 {
        match u32::MAX.checked_shr(self.prefix as u32) {
            Some(bits) => bits,
            None => 0,
        }
    }

    /// Whether `address` is on this subnet.
    pub const fn contains(self, address: Ipv4Addr) -> bool {
        (self.address.to_bits() ^ address.to_bits()) & !self.host_bits() == 0
    }

    /// The address with all host bits set.
    pub const fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address.to_bits() | self.host_bits())
    }
}

/// The settings of one [`super::NameService`], that is, of one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// How names are registered and found. MS-NBTE: [`NodeType::H`] where a name server is known, else
    /// [`NodeType::B`].
    pub node_type: NodeType,
    /// The address that registrations and answers name; another than the interface's behind NAT.
    pub address: Ipv4Addr,
    /// The interface's own address and what is on-link: only from there are requests answered.
    pub subnet: Subnet,
    /// Where broadcasts are sent.
    pub broadcast: Ipv4Addr,
    /// Further addresses of this machine: claims that come from them, or for them, are its own.
    pub own_addresses: Vec<Ipv4Addr>,
    /// Name servers (WINS), the first asked first. Their requests are answered wherever they are.
    pub wins: Vec<Ipv4Addr>,
    /// Other subnets whose requests are answered, too: those of the local masters that a domain master serves. None:
    /// whoever is answered across a router can be made to flood a third (TA14-017A).
    pub answered: Vec<Subnet>,
    /// The UDP port where requests are sent: 137.
    pub name_port: u16,
    /// TTL of registrations and answers, in seconds: 300,000.
    pub ttl: u32,
    /// UNIT_ID of node status answers: the interface's MAC address.
    pub unit_id: [u8; 6],
    /// The name that node status answers show as the permanent node name. None; Windows shows none either.
    pub permanent: Option<NetbiosName>,
    /// Times and counts.
    pub timers: Timers,
    scope: Vec<u8>,
}

impl Config {
    /// A B node at `address` on a subnet with `prefix` bits of network.
    pub const fn new(address: Ipv4Addr, prefix: u8) -> Self {
        let subnet = Subnet::new(address, prefix);
        Self {
            node_type: NodeType::B,
            address,
            subnet,
            broadcast: subnet.broadcast(),
            own_addresses: Vec::new(),
            wins: Vec::new(),
            answered: Vec::new(),
            name_port: PORT,
            ttl: WINDOWS_TTL,
            unit_id: [0; 6],
            permanent: None,
            timers: Timers::DEFAULT,
            scope: Vec::new(),
        }
    }

    /// The scope of all names; none at first.
    pub fn scope(&self) -> Scope<'_> {
        Scope::from_labels(&self.scope).unwrap_or_default()
    }

    /// Sets the scope, in dotted form; empty text is no scope.
    ///
    /// # Errors
    /// An empty label, one of more than 63 bytes, or more than 221 bytes in all.
    pub fn set_scope(&mut self, dotted: &str) -> Result<(), ValueError> {
        self.scope = scope_labels(dotted)?;
        Ok(())
    }

    /// Whether `address` is one of this machine.
    pub(super) fn is_own(&self, address: Ipv4Addr) -> bool {
        address == self.address || address == self.subnet.address() || self.own_addresses.contains(&address)
    }
}

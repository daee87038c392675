//! The interfaces of this machine that a node can be on.

use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;
use std::io;

use super::NodeError;
use crate::service::names::Subnet;

/// One IPv4 address of an interface, with its subnet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Interface {
    /// The operating system's name for it.
    pub name: String,
    /// The operating system's number for it; 0 if it has none.
    pub index: u32,
    /// The address.
    pub address: Ipv4Addr,
    /// How many bits of the address are the network's.
    pub prefix: u8,
    /// The broadcast address, as configured.
    pub broadcast: Ipv4Addr,
}

impl Interface {
    /// Whether `address` can be reached without a router.
    pub const fn is_on_link(&self, address: Ipv4Addr) -> bool {
        Subnet::new(self.address, self.prefix).contains(address)
    }

    /// The MAC address; zeros where the operating system does not say.
    pub(super) fn mac(&self) -> [u8; 6] {
        let mut mac = [0; 6];
        let Ok(text) = std::fs::read_to_string(format!("/sys/class/net/{}/address", self.name)) else {
            return mac;
        };
        for (byte, digits) in mac.iter_mut().zip(text.trim().split(':')) {
            *byte = u8::from_str_radix(digits, 16).unwrap_or(0);
        }
        mac
    }
}

/// `eth0 192.0.2.7/24`
impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.name, self.address, self.prefix)
    }
}

/// An interface, as a user names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InterfaceChoice {
    /// All addresses of the interface with this name.
    Name(String),
    /// The interface with this address.
    Address(Ipv4Addr),
}

impl InterfaceChoice {
    fn is(&self, interface: &Interface) -> bool {
        match self {
            Self::Name(name) => *name == interface.name,
            Self::Address(address) => *address == interface.address,
        }
    }

    /// Whether the interface may come up later: it is there and has no address yet.
    fn may_come(&self) -> bool {
        let known = std::path::Path::new("/sys/class/net");
        match self {
            Self::Name(name) => !known.exists() || known.join(name).exists(),
            Self::Address(_) => false,
        }
    }
}

impl fmt::Display for InterfaceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.pad(name),
            Self::Address(address) => fmt::Display::fmt(address, f),
        }
    }
}

/// An IPv4 address, else a name.
impl FromStr for InterfaceChoice {
    type Err = core::convert::Infallible;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(s.parse().map_or_else(|_| Self::Name(s.to_owned()), Self::Address))
    }
}

/// What the operating system has.
struct Found {
    interface: Interface,
    /// It is up, no loopback, and has a broadcast address.
    usual: bool,
}

fn list() -> io::Result<Vec<Found>> {
    let found = if_addrs::get_if_addrs()?.into_iter().filter_map(|found| {
        let if_addrs::IfAddr::V4(v4) = &found.addr else { return None };
        // A pulled cable and an interface that was switched off are `Unknown` on Unix.
        let up = found.is_oper_up();
        let usual = up && !found.is_loopback() && v4.broadcast.is_some();
        let broadcast = v4.broadcast.unwrap_or_else(|| Subnet::new(v4.ip, v4.prefixlen).broadcast());
        let (name, index) = (found.name.clone(), found.index.unwrap_or(0));
        let interface = Interface { name, index, address: v4.ip, prefix: v4.prefixlen, broadcast };
        Some(Found { interface, usual })
    });
    Ok(found.collect())
}

/// The interfaces that `choices` name and that have an address now; without choices all that are up, no loopback, and
/// have a broadcast address.
pub(super) fn choose(choices: &[InterfaceChoice]) -> Result<Vec<Interface>, NodeError> {
    let found = list().map_err(|source| NodeError::Interfaces { source })?;
    for choice in choices {
        if !found.iter().any(|found| choice.is(&found.interface)) && !choice.may_come() {
            let available: Vec<String> = found.iter().map(|found| found.interface.to_string()).collect();
            let available = available.join(", ");
            return Err(NodeError::NoSuchInterface { wanted: choice.to_string(), available });
        }
    }
    let wanted = |found: &Found| {
        if choices.is_empty() {
            found.usual
        } else {
            choices.iter().any(|choice| choice.is(&found.interface))
        }
    };
    Ok(found.into_iter().filter(wanted).map(|found| found.interface).collect())
}

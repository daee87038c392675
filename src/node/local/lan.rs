//! The network, asked through the node of this machine.

use core::net::Ipv4Addr;

use bytes::Bytes;

use super::asked::Asked;
use super::channel::Channel;
use super::info::NodeInfo;
use super::{AskError, LocalError, network};
use crate::node::{Interface, NodeStatus, OwnName, SendError};
use crate::service::names::{QueryTarget, Resolution};
use crate::slot::MailslotError;
use crate::wire::Decode;
use crate::wire::local::{AskTarget, Body, FailureCode, Frame};
use crate::wire::name::NetbiosName;

/// The LAN as the node of this machine is on it, made by [`Client::lan`](super::Client::lan): who has a name, what names
/// a computer has, what names and interfaces the node itself has.
///
/// It is one connection, on which any number of tasks may ask at once; the node answers each when it knows, and refuses
/// more than 128 at a time (256 of one user, with its messages to the network) with [`MailslotError::LimitReached`]. How long
/// it asks is the node's affair: a question that is given up here counts until the node has its end, or this connection has.
/// Needs a tokio runtime; the calls of [`Client`](super::Client) with the same names need none.
///
/// ```no_run
/// # async fn look() -> Result<(), Box<dyn std::error::Error>> {
/// use mailslot::node::local::Client;
/// use mailslot::service::names::QueryTarget;
///
/// let lan = Client::new().lan()?;
/// let found = lan.lookup("PC7<20>".parse()?, QueryTarget::Default).await?;
/// for address in found.addresses {
///     println!("{address}: {} names", lan.node_status(address).await?.names.len());
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Lan {
    channel: Channel,
    node: NodeInfo,
}

/// What is asked, and how its answer is read.
pub(super) struct Question<T> {
    body: Body<'static>,
    /// What a node cannot that does not know the request.
    what: &'static str,
    name: NetbiosName,
    address: Ipv4Addr,
    take: fn(&Body<'_>) -> Option<T>,
}

impl Lan {
    pub(super) fn new(asked: Asked) -> Result<Self, LocalError> {
        let (stream, node) = asked.into_parts();
        let socket = &node.socket;
        let failed = |source| LocalError::File { operation: "use", path: socket.clone(), source };
        Ok(Self { channel: Channel::new(stream).map_err(failed)?, node })
    }

    /// The node.
    pub const fn node(&self) -> &NodeInfo {
        &self.node
    }

    /// Asks who has `name`, as [`Node::lookup`](crate::node::Node::lookup) does.
    ///
    /// # Errors
    /// [`AskError::Node`] with the errors of that; [`AskError::NotOnLan`]; what is wrong with the node.
    pub async fn lookup(&self, name: NetbiosName, target: QueryTarget) -> Result<Resolution, AskError> {
        self.ask(lookup(name, target)).await
    }

    /// Asks on one subnet, as [`Node::lookup_on_subnet`](crate::node::Node::lookup_on_subnet) does.
    ///
    /// # Errors
    /// [`AskError::Node`] with the errors of that; [`AskError::NotOnLan`]; what is wrong with the node.
    pub async fn lookup_on_subnet(
        &self,
        name: NetbiosName,
        broadcast: Ipv4Addr,
    ) -> Result<Resolution, AskError> {
        self.ask(lookup_on_subnet(name, broadcast)).await
    }

    /// Asks the computer at `address` for its names, as [`Node::node_status`](crate::node::Node::node_status) does.
    ///
    /// # Errors
    /// [`AskError::Node`] with the errors of that; [`AskError::NotOnLan`]; what is wrong with the node.
    pub async fn node_status(&self, address: Ipv4Addr) -> Result<NodeStatus, AskError> {
        self.ask(node_status(address)).await
    }

    /// The node's own names on all its interfaces, as they are now.
    ///
    /// # Errors
    /// [`AskError::NotOnLan`]; what is wrong with the node.
    pub async fn names(&self) -> Result<Vec<OwnName>, AskError> {
        self.ask(names()).await
    }

    /// The interfaces that the node is on now.
    ///
    /// # Errors
    /// [`AskError::NotOnLan`]; what is wrong with the node.
    pub async fn interfaces(&self) -> Result<Vec<Interface>, AskError> {
        self.ask(interfaces()).await
    }

    async fn ask<T>(&self, question: Question<T>) -> Result<T, AskError> {
        let answer = self.channel.request(question.body.clone())?.await?;
        question.answered(&answer)
    }

    pub(super) fn ask_blocking<T>(&self, question: Question<T>) -> Result<T, AskError> {
        let answer = self.channel.request(question.body.clone())?.wait()?;
        question.answered(&answer)
    }
}

pub(super) fn lookup(name: NetbiosName, target: QueryTarget) -> Question<Resolution> {
    let (target, address) = match target {
        QueryTarget::Default => (AskTarget::DEFAULT, Ipv4Addr::UNSPECIFIED),
        QueryTarget::Broadcast => (AskTarget::BROADCAST, Ipv4Addr::UNSPECIFIED),
        QueryTarget::Server(address) => (AskTarget::SERVER, address),
    };
    resolve(name, target, address)
}

pub(super) fn lookup_on_subnet(name: NetbiosName, broadcast: Ipv4Addr) -> Question<Resolution> {
    resolve(name, AskTarget::SUBNET, broadcast)
}

fn resolve(name: NetbiosName, target: AskTarget, address: Ipv4Addr) -> Question<Resolution> {
    let body = Body::Resolve { target, address: address.octets(), name: *name.as_bytes() };
    Question { body, what: "look names up for others", name, address, take: network::resolution }
}

pub(super) fn node_status(address: Ipv4Addr) -> Question<NodeStatus> {
    let body = Body::GetStatus { address: address.octets() };
    let (what, name) = ("ask computers for their names", NetbiosName::WILDCARD);
    Question { body, what, name, address, take: network::node_status }
}

pub(super) fn names() -> Question<Vec<OwnName>> {
    about_itself(Body::GetNames, "tell its names", network::own_names)
}

pub(super) fn interfaces() -> Question<Vec<Interface>> {
    about_itself(Body::GetInterfaces, "tell its interfaces", network::interfaces)
}

fn about_itself<T>(body: Body<'static>, what: &'static str, take: fn(&Body<'_>) -> Option<T>) -> Question<T> {
    Question { body, what, name: NetbiosName::WILDCARD, address: Ipv4Addr::UNSPECIFIED, take }
}

impl<T> Question<T> {
    fn answered(&self, answer: &Bytes) -> Result<T, AskError> {
        let body = Frame::decode(answer).map_err(LocalError::from)?.into_body();
        match body {
            Body::Failed(failure) => Err(match failure.code {
                FailureCode::BAD_REQUEST => LocalError::Older { what: self.what }.into(),
                FailureCode::NO_NETWORK => AskError::NotOnLan,
                FailureCode::LIMIT_REACHED => {
                    let max = usize::try_from(failure.a).unwrap_or(usize::MAX);
                    MailslotError::LimitReached { what: "questions to the node", max }.into()
                }
                FailureCode::NAME_NOT_FOUND => {
                    let source = network::resolve_error(failure.a);
                    AskError::Node(SendError::NameNotFound { name: self.name, source })
                }
                FailureCode::NO_SUBNET => {
                    let available = String::from_utf8_lossy(failure.text).into_owned();
                    AskError::Node(SendError::NoSubnet { broadcast: self.address, available })
                }
                FailureCode::NO_INTERFACE => AskError::Node(SendError::NoNetwork),
                FailureCode::ENDING => AskError::Node(SendError::ShutDown),
                FailureCode(code) => {
                    AskError::Gone { reason: format!("it refuses the question (code {code})") }
                }
            }),
            body => (self.take)(&body).ok_or_else(|| {
                let reason = "its answer does not belong to the question".to_owned();
                AskError::Gone { reason }
            }),
        }
    }
}

//! What a connection has the node do on the network: messages to send, names to find. It takes time, and nothing else of
//! the connection waits for it.

use core::future::Future;
use core::net::Ipv4Addr;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::connection::{Connection, bad_request, name_of, refused};
use super::server::AskCount;
use super::{convert, network};
use crate::node::{Node, NodeStatus, SendError, Sent, Way};
use crate::service::names::{QueryTarget, Resolution};
use crate::slot::{OpenOptions, SlotPath, Target};
use crate::wire::ValueError;
use crate::wire::local::{
    AskTarget, Body, Failure, FailureCode, MAX_ADDRESSES, TargetKind, Way as WireWay, interfaces_list,
    names_list, node_names_list,
};
use crate::wire::name::NetbiosName;

/// Messages to the network that may be under way for one connection; the next request waits for one of them.
pub(super) const SENDS: usize = 64;
/// Questions to the network that may be under way for one connection; one more is refused, so that nothing waits for
/// computers that are silent.
const ASKS: usize = 128;

pub(super) type Sending = Pin<Box<dyn Future<Output = (u32, Result<Sent, SendError>)> + Send>>;

/// A question that is under way.
pub(super) struct Asking {
    id: u32,
    answer: Pin<Box<dyn Future<Output = Result<Answer, SendError>> + Send>>,
    _count: AskCount,
}

enum Answer {
    Name(Resolution),
    Status(NodeStatus),
}

/// Messages.
impl Connection {
    pub(super) fn send(
        &mut self,
        id: u32,
        target: TargetKind,
        host: &[u8],
        name: &[u8],
        data: &[u8],
    ) -> Result<(), Failure<'static>> {
        let name = name_of(name)?;
        let host = core::str::from_utf8(host).map_err(|_| bad_request())?;
        let target = match target {
            TargetKind::LOCAL => Target::Local,
            TargetKind::EVERYONE => Target::Everyone,
            TargetKind::NAMED => Target::Named(host.to_owned()),
            TargetKind(_) => return Err(bad_request()),
        };
        let is_here = match &target {
            Target::Named(host) => crate::node::builder::is_this_host(host),
            Target::Local => true,
            Target::Everyone => false,
        };
        let node = self.shared.node.clone().filter(|_| target != Target::Local);
        let Some(node) = node else {
            if !is_here && target != Target::Everyone {
                return Err(Failure::new(FailureCode::NO_NETWORK, 0, 0));
            }
            let (writer, owner) = self.open(name, OpenOptions::default())?;
            let bytes = writer.write(data).map_err(refused)?;
            if let Some(owner) = owner {
                owner.wrote(self.peer);
            }
            let (way, destination, addresses) = (Way::Local, None, Vec::new());
            self.answer_sent(id, &Sent { way, destination, addresses, bytes, truncated: false, local: true });
            return Ok(());
        };
        // Its name may have to be asked for.
        let count = self.counted.begin_question()?;
        let (path, data) = (SlotPath::new(target, name), data.to_vec());
        self.sends.push(Box::pin(async move {
            let _count = count;
            (id, node.write(&path, &data).await)
        }));
        Ok(())
    }

    pub(super) fn poll_sends(&mut self, cx: &mut Context<'_>) {
        let mut at = 0;
        while let Some(send) = self.sends.get_mut(at) {
            let Poll::Ready((id, result)) = send.as_mut().poll(cx) else {
                at += 1;
                continue;
            };
            drop(self.sends.swap_remove(at));
            match result {
                Ok(sent) => self.answer_sent(id, &sent),
                Err(error) => {
                    let text = error.to_string();
                    let (code, a) = (FailureCode::SEND, error.win32().code().into());
                    self.fail(id, Failure { code, a, b: 0, text: network::cut(&text) });
                }
            }
        }
    }

    fn answer_sent(&mut self, id: u32, sent: &Sent) {
        let way = match sent.way {
            Way::Local => WireWay::LOCAL,
            Way::Unique => WireWay::UNIQUE,
            Way::Group => WireWay::GROUP,
            Way::Session139 => WireWay::SESSION_139,
            Way::Session445 => WireWay::SESSION_445,
        };
        // More than 255 members are not named one by one.
        let addresses: Vec<u8> =
            sent.addresses.iter().take(255).copied().flat_map(convert::address_bytes).collect();
        let body = Body::Sent {
            way,
            truncated: sent.truncated,
            local: sent.local,
            bytes: convert::number(sent.bytes),
            destination: sent.destination.map_or([0; 16], |name| *name.as_bytes()),
            addresses: &addresses,
        };
        self.answer(id, body);
    }
}

/// Questions.
impl Connection {
    fn node(&self) -> Result<Node, Failure<'static>> {
        self.shared.node.clone().ok_or(Failure::new(FailureCode::NO_NETWORK, 0, 0))
    }

    pub(super) fn tell_names(&mut self, id: u32) -> Result<(), Failure<'static>> {
        let names = self.node()?.names();
        self.shared.count_question("names");
        let names: Vec<_> = names.iter().map(network::listed_name).collect();
        let mut bytes = Vec::new();
        self.answer_list(id, names_list(&names, &mut bytes).map(Body::Names));
        Ok(())
    }

    pub(super) fn tell_interfaces(&mut self, id: u32) -> Result<(), Failure<'static>> {
        let interfaces = self.node()?.interfaces();
        self.shared.count_question("interfaces");
        let interfaces: Vec<_> = interfaces.iter().map(network::listed_interface).collect();
        let mut bytes = Vec::new();
        self.answer_list(id, interfaces_list(&interfaces, &mut bytes).map(Body::Interfaces));
        Ok(())
    }

    fn answer_list(&mut self, id: u32, body: Result<Body<'_>, ValueError>) {
        match body {
            Ok(body) => self.answer(id, body),
            // A table of some hundreds fits.
            Err(error) => self.unanswerable(&error),
        }
    }

    pub(super) fn resolve(
        &mut self,
        id: u32,
        target: AskTarget,
        address: [u8; 4],
        name: [u8; 16],
    ) -> Result<(), Failure<'static>> {
        let node = self.node()?;
        let (name, address) = (NetbiosName::from_bytes(name), Ipv4Addr::from(address));
        let target = match target {
            AskTarget::DEFAULT => Some(QueryTarget::Default),
            AskTarget::BROADCAST => Some(QueryTarget::Broadcast),
            AskTarget::SERVER => Some(QueryTarget::Server(address)),
            AskTarget::SUBNET => None,
            AskTarget(_) => return Err(bad_request()),
        };
        self.ask(id, "lookup", async move {
            let found = match target {
                Some(target) => node.lookup(name, target).await,
                None => node.lookup_on_subnet(name, address).await,
            };
            found.map(Answer::Name)
        })
    }

    pub(super) fn status(&mut self, id: u32, address: [u8; 4]) -> Result<(), Failure<'static>> {
        let node = self.node()?;
        let address = Ipv4Addr::from(address);
        self.ask(id, "status", async move { node.node_status(address).await.map(Answer::Status) })
    }

    fn ask(
        &mut self,
        id: u32,
        kind: &'static str,
        answer: impl Future<Output = Result<Answer, SendError>> + Send + 'static,
    ) -> Result<(), Failure<'static>> {
        if self.asks.len() >= ASKS {
            return Err(super::server::limit(ASKS));
        }
        let count = self.counted.begin_question()?;
        self.shared.count_question(kind);
        self.asks.push(Asking { id, answer: Box::pin(answer), _count: count });
        Ok(())
    }

    pub(super) fn poll_asks(&mut self, cx: &mut Context<'_>) {
        let mut at = 0;
        while let Some(asking) = self.asks.get_mut(at) {
            let Poll::Ready(result) = asking.answer.as_mut().poll(cx) else {
                at += 1;
                continue;
            };
            let id = self.asks.swap_remove(at).id;
            match result {
                Ok(Answer::Name(found)) => {
                    // The node keeps fewer of one name.
                    let owners = found.addresses.get(..MAX_ADDRESSES).unwrap_or(&found.addresses);
                    let owners = network::address_list(owners);
                    self.answer(id, network::resolved(&found, &owners));
                }
                Ok(Answer::Status(status)) => {
                    let names = network::listed_node_names(&status);
                    let (peer, partial, unit_id) =
                        (convert::address_bytes(status.peer), status.partial, status.unit_id);
                    let mut bytes = Vec::new();
                    let names = node_names_list(&names, &mut bytes);
                    self.answer_list(id, names.map(|names| Body::Status { peer, partial, unit_id, names }));
                }
                Err(error) => {
                    let mut text = String::new();
                    let failure = network::failure(&error, &mut text);
                    self.fail(id, failure);
                }
            }
        }
    }
}

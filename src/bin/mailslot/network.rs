//! Who asks the LAN for a command that only asks: the service's node, if it runs, else a node of the command's own.

use std::net::Ipv4Addr;
#[cfg(unix)]
use std::sync::Arc;

#[cfg(unix)]
use mailslot::node::local::{AskError, Lan};
use mailslot::node::{Interface, Node, NodeStatus, SendError};
use mailslot::service::names::{QueryTarget, Resolution};
use mailslot::wire::name::NetbiosName;

use crate::Outcome;
use crate::lan::{self, Interrupt, LanArgs, Role};
#[cfg(unix)]
use crate::machine;

/// A clone asks the same.
#[derive(Debug, Clone)]
pub(crate) enum Network {
    /// A node of the command's own, without names.
    Own(Node),
    /// The service's, over its socket.
    #[cfg(unix)]
    Service(Arc<Lan>),
}

/// Where a name is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Anywhere(QueryTarget),
    /// The subnet with this broadcast address.
    Subnet(Ipv4Addr),
}

/// An answer of the network, or that there is none; and outside it what makes further questions useless.
pub(crate) type Asked<T> = anyhow::Result<Result<T, SendError>>;

/// Lets `ask` ask until it has all answers, or Ctrl-C.
pub(crate) fn with(
    args: &LanArgs,
    ask: impl AsyncFnOnce(&Network) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    // A command with LAN options is a computer of its own.
    #[cfg(unix)]
    let service = if args.given.any() { None } else { machine::service_lan(&machine::client())? };
    #[cfg(not(unix))]
    let service: Option<core::convert::Infallible> = None;
    let builder = if service.is_none() { Some(args.builder(Role::Guest)?) } else { None };
    lan::runtime()?.block_on(async {
        let mut interrupt = Interrupt::new()?;
        let network = match (builder, service) {
            (Some(builder), _) => Network::Own(builder.start().await?),
            #[cfg(unix)]
            (None, Some(lan)) => Network::Service(Arc::new(lan)),
            (None, _) => anyhow::bail!("there is no network to ask"),
        };
        let result = tokio::select! {
            result = ask(&network) => result,
            () = interrupt.wait() => Ok(Outcome::Failed),
        };
        match network {
            Network::Own(node) => node.shutdown().await?,
            #[cfg(unix)]
            Network::Service(_) => {}
        }
        result
    })
}

impl Network {
    pub(crate) async fn lookup(&self, name: NetbiosName, place: Where) -> Asked<Resolution> {
        match (self, place) {
            (Self::Own(node), Where::Anywhere(target)) => own(node.lookup(name, target).await),
            (Self::Own(node), Where::Subnet(broadcast)) => own(node.lookup_on_subnet(name, broadcast).await),
            #[cfg(unix)]
            (Self::Service(lan), Where::Anywhere(target)) => service(lan.lookup(name, target).await),
            #[cfg(unix)]
            (Self::Service(lan), Where::Subnet(broadcast)) => {
                service(lan.lookup_on_subnet(name, broadcast).await)
            }
        }
    }

    pub(crate) async fn node_status(&self, address: Ipv4Addr) -> Asked<NodeStatus> {
        match self {
            Self::Own(node) => own(node.node_status(address).await),
            #[cfg(unix)]
            Self::Service(lan) => service(lan.node_status(address).await),
        }
    }

    pub(crate) async fn interfaces(&self) -> anyhow::Result<Vec<Interface>> {
        match self {
            Self::Own(node) => Ok(node.interfaces()),
            #[cfg(unix)]
            Self::Service(lan) => Ok(lan.interfaces().await?),
        }
    }
}

fn own<T>(result: Result<T, SendError>) -> Asked<T> {
    match result {
        // Whoever is asked for next, the option is as wrong.
        Err(error @ SendError::NoSubnet { .. }) => Err(error.into()),
        result => Ok(result),
    }
}

#[cfg(unix)]
fn service<T>(result: Result<T, AskError>) -> Asked<T> {
    match result {
        Ok(answer) => Ok(Ok(answer)),
        Err(AskError::Node(error)) => own(Err(error)),
        Err(error) => Err(error.into()),
    }
}

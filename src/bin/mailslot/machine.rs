//! The node that programs of this machine share: the service's, or the user's own.

use anyhow::Result;
use mailslot::node::local::{Client, Lan, LocalError, NodeInfo, PROGRAM_VARIABLE};

/// The machine's slots. A user's node, where one is started, is this program.
pub(crate) fn client() -> Client {
    let client = Client::new();
    let chosen = std::env::var_os(PROGRAM_VARIABLE).is_some_and(|program| !program.is_empty());
    match std::env::current_exe() {
        Ok(program) if !chosen => client.program(program),
        _ => client,
    }
}

/// The service's node, if it runs, is for this user, and is on a network.
pub(crate) fn service(client: &Client) -> Result<Option<NodeInfo>> {
    if_usable(client.node(), |node| node)
}

/// The network of the service's node, where [`service`] gives the node.
pub(crate) fn service_lan(client: &Client) -> Result<Option<Lan>> {
    if_usable(client.lan(), Lan::node)
}

fn if_usable<T>(found: Result<T, LocalError>, node: impl Fn(&T) -> &NodeInfo) -> Result<Option<T>> {
    match found {
        Ok(found) if node(&found).is_service && node(&found).computer.is_some() => Ok(Some(found)),
        Ok(_) | Err(LocalError::NoNode { .. } | LocalError::Unsafe { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

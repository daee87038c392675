//! Where the slots of a listener are: on a node of its own, which joins the LAN, or on the one that the programs of
//! this machine share.

use mailslot::node::{Node, SlotReader};
use mailslot::slot::CreateOptions;
use mailslot::wire::name::NetbiosName;

use crate::cli::ListenArgs;
use crate::lan::{self, OwnSlot};
#[cfg(unix)]
use crate::machine;
use crate::output::note;
use crate::text;
#[cfg(unix)]
use mailslot::node::local::{Admit, Client, NodeInfo};

#[derive(Debug)]
pub(super) struct Places {
    /// Whether slots that are given by their path are on the machine's node.
    #[cfg(unix)]
    paths_are_shared: bool,
    /// Whether slots that are given by their name alone are, too: on that of the service.
    names_are_shared: bool,
    /// Whether any slot is on a node of its own.
    on_lan: bool,
    #[cfg(unix)]
    client: Client,
    #[cfg(unix)]
    service: Option<NodeInfo>,
}

impl Places {
    #[cfg(unix)]
    pub(super) fn choose(args: &ListenArgs) -> anyhow::Result<Self> {
        let client = machine::client();
        let paths_are_shared = !args.lan.given.on_command_line;
        let service = if paths_are_shared { machine::service(&client)? } else { None };
        let names_are_shared = service.is_some() && !args.lan.given.any();
        let mut places = Self { paths_are_shared, names_are_shared, on_lan: false, client, service };
        places.on_lan = !args.slots.iter().all(|slot| places.is_shared(slot));
        Ok(places)
    }

    #[cfg(not(unix))]
    pub(super) fn choose(_args: &ListenArgs) -> anyhow::Result<Self> {
        Ok(Self { names_are_shared: false, on_lan: true })
    }

    /// Whether a node of its own is needed.
    pub(super) const fn on_lan(&self) -> bool {
        self.on_lan
    }

    /// Whether the slot is on the machine's node.
    pub(super) const fn is_shared(&self, slot: &OwnSlot) -> bool {
        #[cfg(unix)]
        if slot.by_path {
            return self.paths_are_shared;
        }
        #[cfg(not(unix))]
        let _ = slot;
        self.names_are_shared
    }

    pub(super) fn create(
        &self,
        slot: &OwnSlot,
        node: Option<&Node>,
        options: CreateOptions,
    ) -> anyhow::Result<SlotReader> {
        #[cfg(unix)]
        if self.is_shared(slot) {
            return Ok(self.client.create(&slot.path, options, Admit::Default)?);
        }
        match node {
            Some(node) => Ok(node.create(&slot.path, options)?),
            None => anyhow::bail!("the node is gone"),
        }
    }

    /// Says what is listened to, and as whom.
    pub(super) fn announce(&self, args: &ListenArgs, node: Option<&Node>) {
        #[cfg(unix)]
        {
            let shared = names(args, |slot| self.is_shared(slot));
            match self.service.as_ref().and_then(|info| Some((info, info.computer?, info.workgroup?))) {
                _ if shared.is_empty() => {}
                Some((info, computer, workgroup)) => note(format_args!(
                    "listening as {} in {} by the service (process {}): {shared}",
                    base(computer),
                    base(workgroup),
                    info.pid
                )),
                None => note(format_args!("listening on this machine alone: {shared}")),
            }
        }
        if let Some(node) = node {
            note(format_args!(
                "listening as {} in {} on {}: {}",
                base(node.name()),
                base(node.workgroup()),
                lan::interfaces(node),
                names(args, |slot| !self.is_shared(slot))
            ));
        }
    }
}

fn names(args: &ListenArgs, wanted: impl Fn(&OwnSlot) -> bool) -> String {
    let names = args.slots.iter().filter(|slot| wanted(slot));
    let names: Vec<_> = names.map(|slot| text::safe(&slot.path.name.to_string()).to_string()).collect();
    names.join(", ")
}

fn base(name: NetbiosName) -> String {
    name.base().escape_ascii().to_string()
}

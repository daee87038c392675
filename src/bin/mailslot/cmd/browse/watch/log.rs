//! Elections and masters, as they were heard of.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use mailslot::service::browser::{ServerName, timers};
use mailslot::wire::browser::{BrowserFrame, Criteria, RequestElection};
use mailslot::wire::name::NetbiosName;

/// Workgroups whose master is remembered.
const MASTERS: usize = 1024;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A candidate stands in an election.
    Candidate { name: Option<ServerName>, criteria: Criteria, uptime: u32 },
    /// Somebody wants an election and cannot win it.
    Called { name: Option<ServerName> },
    /// A local master announced itself: another one than before, or the same after an election.
    Master { name: ServerName, before: Option<ServerName> },
    /// The local master said goodbye.
    MasterLeft { name: ServerName },
    /// A master made a computer a backup browser.
    Backup { name: ServerName },
    /// Somebody wants browsers to be reset.
    Reset { name: Option<ServerName> },
}

/// What happened, when, and how often.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// When first.
    pub(super) at: Duration,
    /// When last.
    pub(super) last: Duration,
    /// How often.
    pub(super) count: u32,
    pub(super) workgroup: ServerName,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    most: usize,
    /// Entries that made room for others.
    pub(super) forgotten: u64,
    masters: BTreeMap<ServerName, ServerName>,
}

impl Log {
    pub(super) const fn new(most: usize) -> Self {
        Self { entries: VecDeque::new(), most, forgotten: 0, masters: BTreeMap::new() }
    }

    /// The latest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev()
    }

    /// Takes a browser frame in that was sent by `source` to `destination`.
    pub(super) fn frame(
        &mut self,
        now: Duration,
        source: &NetbiosName,
        destination: &NetbiosName,
        frame: &BrowserFrame<'_>,
    ) {
        let workgroup = ServerName::from(destination);
        let sender = || ServerName::from_wire(source.base());
        match frame {
            BrowserFrame::RequestElection(frame) => {
                let name = ServerName::from_wire(frame.server_name().text()).or_else(sender);
                self.add(now, workgroup, election(name, frame));
            }
            BrowserFrame::LocalMasterAnnouncement(frame) => {
                let Some(name) = ServerName::from_wire(frame.server_name.text()) else { return };
                if frame.server_type.is_empty() {
                    self.goodbye(now, workgroup, name);
                } else {
                    self.master(now, workgroup, name, true);
                }
            }
            BrowserFrame::DomainAnnouncement(frame) => {
                let workgroup = ServerName::from_wire(frame.server_name.text());
                let master = ServerName::from_wire(frame.comment.text());
                if let (Some(workgroup), Some(master)) = (workgroup, master) {
                    self.master(now, workgroup, master, false);
                }
            }
            BrowserFrame::BecomeBackup(frame) => {
                if let Some(name) = ServerName::from_wire(frame.name.text()) {
                    self.add(now, workgroup, What::Backup { name });
                }
            }
            BrowserFrame::ResetStateRequest(_) => self.add(now, workgroup, What::Reset { name: sender() }),
            _ => {}
        }
    }

    /// `name` says goodbye.
    pub(super) fn goodbye(&mut self, now: Duration, workgroup: ServerName, name: ServerName) {
        if self.masters.get(&workgroup) == Some(&name) {
            self.masters.remove(&workgroup);
            self.add(now, workgroup, What::MasterLeft { name });
        }
    }

    fn master(&mut self, now: Duration, workgroup: ServerName, name: ServerName, itself: bool) {
        let before = self.masters.get(&workgroup).copied();
        let elected = itself
            && self
                .entries()
                .take_while(|entry| now.saturating_sub(entry.last) < 2 * timers::ELECTION_WATCH)
                .find(|entry| entry.workgroup == workgroup)
                .is_some_and(|entry| matches!(entry.what, What::Candidate { .. } | What::Called { .. }));
        if before == Some(name) && !elected {
            return;
        }
        if before.is_some() || self.masters.len() < MASTERS {
            self.masters.insert(workgroup, name);
        }
        self.add(now, workgroup, What::Master { name, before });
    }

    /// One line for what is said several times in one election.
    fn add(&mut self, now: Duration, workgroup: ServerName, what: What) {
        let recent = self
            .entries
            .iter_mut()
            .rev()
            .take_while(|entry| now.saturating_sub(entry.last) < timers::ELECTION_QUIET)
            .filter(|entry| entry.workgroup == workgroup)
            .take_while(|entry| {
                // What comes behind a master's announcement is about the next election.
                is_of_one(&entry.what, &what) || !matches!(entry.what, What::Master { .. })
            })
            .find(|entry| is_of_one(&entry.what, &what));
        if let Some(entry) = recent {
            (entry.last, entry.what) = (now, what);
            entry.count = entry.count.saturating_add(1);
            return;
        }
        if self.entries.len() >= self.most {
            self.entries.pop_front();
            self.forgotten += 1;
        }
        self.entries.push_back(Entry { at: now, last: now, count: 1, workgroup, what });
    }
}

fn election(name: Option<ServerName>, frame: &RequestElection<'_>) -> What {
    if frame.criteria == Criteria(0) && frame.uptime == 0 {
        return What::Called { name };
    }
    What::Candidate { name, criteria: frame.criteria, uptime: frame.uptime }
}

/// Whether the two are one thing said twice; a candidate's uptime grows meanwhile.
fn is_of_one(one: &What, other: &What) -> bool {
    match (one, other) {
        (
            What::Candidate { name, criteria, .. },
            What::Candidate { name: other_name, criteria: other_criteria, .. },
        ) => (name, criteria) == (other_name, other_criteria),
        (one, other) => one == other,
    }
}

//! A computer makes itself known: announcements by their schedules, and the goodbye (MS-BRWS 3.2, 3.3.6).

use core::time::Duration;

use super::{Browser, DropReason, LanmanAnnounce, Slot, Target};
use crate::wire::Encode;
use crate::wire::browser::{
    AnnouncementRequest, BrowserFrame, DOMAIN_OS_VERSION, LanmanAnnouncement, LanmanFrame, ServerType,
};
use crate::wire::name::{NetbiosName, Suffix};

/// A row of periods, of which the last repeats.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    step: usize,
    pub(super) due: Option<Duration>,
}

impl Schedule {
    /// Begins anew, at once.
    pub(super) fn start(&mut self, now: Duration) {
        *self = Self { step: 0, due: Some(now) };
    }

    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    /// What is due comes at `at`, if not sooner.
    pub(super) fn hasten(&mut self, at: Duration) {
        self.due = self.due.map(|due| due.min(at));
    }

    /// If it is due at `now`: the period until it is due again.
    pub(super) fn step(&mut self, now: Duration, periods: &[Duration]) -> Option<Duration> {
        self.due.filter(|due| *due <= now)?;
        let period = periods.get(self.step).or_else(|| periods.last()).copied()?;
        self.step = (self.step + 1).min(periods.len());
        self.due = Some(now.saturating_add(period));
        Some(period)
    }
}

impl Browser {
    /// Announces what is due.
    pub(super) fn announcements_due(&mut self) {
        let timers = self.config.timers;
        if self.role.is_master() {
            if let Some(period) = self.announce.step(self.now, &timers.local_master) {
                self.announce_local_master(period, None);
            }
            if let Some(period) = self.announce_domain.step(self.now, &timers.domain) {
                self.announce_domain(period);
            }
        } else if let Some(period) = self.announce.step(self.now, &timers.host) {
            self.announce_host(period, None);
        }
        if self.announces_lanman()
            && let Some(period) = self.announce_lanman.step(self.now, &[timers.lanman])
        {
            self.announce_lanman(period, None);
        }
    }

    pub(super) fn announcements_at(&self) -> Option<Duration> {
        let lanman = self.announce_lanman.due.filter(|_| self.announces_lanman());
        self.announce.due.into_iter().chain(self.announce_domain.due).chain(lanman).min()
    }

    const fn announces_lanman(&self) -> bool {
        match self.config.lanman {
            LanmanAnnounce::No => false,
            LanmanAnnounce::Auto => self.lanman_heard,
            LanmanAnnounce::Yes => true,
        }
    }

    /// What this computer is now: begins its announcements anew, and corrects its own entry in the list.
    pub(super) fn announce_anew(&mut self) {
        self.announce.start(self.now);
        if self.role.is_master() {
            self.announce_domain.start(self.now);
        } else {
            self.announce_domain.stop();
        }
        self.keep_own_entry();
    }

    fn announce_host(&mut self, period: Duration, leaving: Option<ServerType>) {
        let server_type = leaving.unwrap_or_else(|| self.config.server_type(self.role()));
        let (name, version) = (self.config.computer, self.config.os_version);
        let comment = self.config.comment();
        let Ok(frame) = self.config.announcement(name, version, server_type, period, comment) else { return };
        let frame = BrowserFrame::HostAnnouncement(frame).to_bytes();
        self.stats.announced += 1;
        self.write_group(Suffix::LOCAL_MASTER_BROWSER, frame);
    }

    fn announce_local_master(&mut self, period: Duration, leaving: Option<ServerType>) {
        let server_type = leaving.unwrap_or_else(|| self.config.server_type(self.role()));
        let (name, version) = (self.config.computer, self.config.os_version);
        let comment = self.config.comment();
        let Ok(frame) = self.config.announcement(name, version, server_type, period, comment) else { return };
        let frame = BrowserFrame::LocalMasterAnnouncement(frame).to_bytes();
        self.stats.announced += 1;
        self.write_group(Suffix::BROWSER_ELECTIONS, frame);
    }

    fn announce_domain(&mut self, period: Duration) {
        let server_type = ServerType::DOMAIN_ENUM | (self.config.server_type & ServerType::NT);
        let (workgroup, master) = (self.config.workgroup, self.config.computer);
        let frame =
            self.config.announcement(workgroup, DOMAIN_OS_VERSION, server_type, period, master.as_bytes());
        let Ok(frame) = frame else { return };
        let frame = BrowserFrame::DomainAnnouncement(frame).to_bytes();
        self.stats.announced += 1;
        self.write(Target::Group(NetbiosName::MSBROWSE), Slot::Browse, frame);
    }

    fn announce_lanman(&mut self, period: Duration, leaving: Option<ServerType>) {
        let server_type = leaving.unwrap_or_else(|| self.config.server_type(self.role()));
        let interval = u16::try_from(period.as_secs()).unwrap_or(u16::MAX);
        let (name, version) = (self.config.computer, self.config.os_version);
        let new = |comment| {
            let frame = LanmanAnnouncement::new(name.as_bytes(), version, server_type, interval, comment);
            frame.map(|frame| LanmanFrame::Announcement(frame).to_bytes())
        };
        // A comment that would make it look like a HostAnnouncement is left out.
        let Ok(frame) = new(self.config.comment()).or_else(|_| new(b"")) else { return };
        self.stats.announced += 1;
        self.write(Target::Group(self.config.group(Suffix::WORKSTATION)), Slot::Lanman, frame);
    }

    /// Server type 0 where the others would see this computer.
    pub(super) fn say_goodbye(&mut self) {
        let none = Some(ServerType::empty());
        if self.role.is_master() {
            self.announce_local_master(Duration::ZERO, none);
        }
        self.announce_host(Duration::ZERO, none);
        if self.announces_lanman() {
            self.announce_lanman(Duration::ZERO, none);
        }
    }

    /// AnnouncementRequest: a host answers some time within 30 s, so that not all do at once. A master answers at
    /// once, since FindMaster waits no longer than 1.5 s.
    pub(super) fn announcement_requested(&mut self, destination: &NetbiosName) -> Result<(), DropReason> {
        let to_masters = *destination == NetbiosName::MSBROWSE;
        let suffixes = [Suffix::WORKSTATION, Suffix::LOCAL_MASTER_BROWSER, Suffix::BROWSER_ELECTIONS];
        if !to_masters && !suffixes.iter().any(|suffix| *destination == self.config.group(*suffix)) {
            return Err(DropReason::OtherGroup);
        }
        if !self.role.is_master() {
            if to_masters || destination.suffix() == Suffix::LOCAL_MASTER_BROWSER {
                return Err(DropReason::NotMaster);
            }
            let at = self
                .now
                .saturating_add(self.random_time(Duration::ZERO, self.config.timers.announcement_request));
            self.announce.hasten(at);
            return Ok(());
        }
        if self
            .master_answered
            .is_some_and(|at| self.now < at.saturating_add(self.config.timers.master_answers))
        {
            return Err(DropReason::AnswersLimited);
        }
        self.master_answered = Some(self.now);
        if !to_masters {
            self.announce.hasten(self.now);
        }
        // The workgroup's masters, and those who ask for everything.
        if destination.suffix() != Suffix::LOCAL_MASTER_BROWSER {
            self.announce_domain.hasten(self.now);
        }
        Ok(())
    }

    /// Asks the hosts of the workgroup to announce themselves. To suffix 00 (MS-BRWS 2.2.2), where those hear it, too,
    /// that are no browsers and are not in the group 1e.
    pub(super) fn request_announcements(&mut self, suffix: Suffix) {
        let Ok(frame) = AnnouncementRequest::new(self.config.computer.as_bytes()) else { return };
        let frame = BrowserFrame::AnnouncementRequest(frame).to_bytes();
        self.write_group(suffix, frame);
    }

    pub(super) fn write_group(&mut self, suffix: Suffix, frame: Vec<u8>) {
        self.write(Target::Group(self.config.group(suffix)), Slot::Browse, frame);
    }

    /// The first sign of LAN Manager on this LAN.
    pub(super) fn hear_lanman(&mut self) {
        if !self.lanman_heard {
            self.lanman_heard = true;
            self.announce_lanman.start(self.now);
        }
    }
}

//! A crowd of computers of all kinds on one subnet, whom MS-BRWS names as their master, and by when.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use mailslot::service::Limits;
use mailslot::service::browser::timers::{
    DOMAIN_ANNOUNCEMENTS, ELECTION_COUNT, ELECTION_DELAY_POTENTIAL, ELECTION_ROUND, ELECTION_WATCH, FETCH,
    FIND_MASTER, FIND_MASTER_COUNT, HOST_ANNOUNCEMENTS, LIST_EXCHANGE, LOCAL_MASTER_ANNOUNCEMENTS,
    PERIODS_TO_EXPIRY,
};
use mailslot::service::browser::{
    Config, Controller, DropReason, LanmanAnnounce, Maintain, Role, ServerList, ServerName,
};
use mailslot::wire::browser::{ElectionOs, ServerType, Version};
use mailslot::wire::name::NetbiosName;

use super::browsers::{CLAIM, Neighbourhood};
use super::lan::Weather;

/// By when something has to be so, from the times of MS-BRWS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// How late a packet may be.
    latency: Duration,
    /// Where packets are lost, an election may have to be held once more.
    elections: u32,
}

fn last<const N: usize>(schedule: [Duration; N]) -> Duration {
    schedule[N - 1]
}

impl Times {
    fn of(weather: Weather) -> Self {
        Self { latency: weather.delay.1, elections: if weather.loss > 0 { 2 } else { 1 } }
    }

    /// From the first frame that calls for an election until its winner is master: the longest delay, the rounds of the
    /// strongest, and the name (3.3.5.8).
    pub(crate) fn election(self) -> Duration {
        let one = ELECTION_DELAY_POTENTIAL[1] + ELECTION_COUNT * ELECTION_ROUND + CLAIM + 3 * self.latency;
        self.elections * one
    }

    /// From the start of all: nobody answers to FindMaster (3.3.2).
    pub(crate) fn start(self) -> Duration {
        FIND_MASTER_COUNT * FIND_MASTER + self.election()
    }

    /// Until a backup misses its master: it does not get the list (3.3.2). `fetch`: how long it is until that is known.
    pub(crate) fn missed_by_a_backup(self, fetch: Duration) -> Duration {
        LIST_EXCHANGE + fetch + self.start()
    }

    /// Until everybody misses the master: its announcements do not come any more (3.3.6).
    pub(crate) fn missed_by_all(self) -> Duration {
        PERIODS_TO_EXPIRY * last(LOCAL_MASTER_ANNOUNCEMENTS) + self.start()
    }

    /// Until one of two masters gives way: each announces itself (3.3.5.2).
    pub(crate) fn two_masters(self) -> Duration {
        last(LOCAL_MASTER_ANNOUNCEMENTS) + self.election()
    }

    /// Until a lost election is held again whose winner did not come, or a made-up master is found out.
    pub(crate) fn lie(self) -> Duration {
        ELECTION_WATCH + FETCH + self.start()
    }

    /// Until a new master knows all, and all backups what it knows (3.2.6, 3.3.2).
    pub(crate) fn lists(self) -> Duration {
        last(HOST_ANNOUNCEMENTS).max(last(DOMAIN_ANNOUNCEMENTS)) + LIST_EXCHANGE + FETCH
    }

    /// Until a computer or workgroup that is gone is in no list: the master's (3.3.6), and the copies that are fetched of
    /// it (3.3.2).
    pub(crate) fn forgotten(self) -> Duration {
        let longest = last(HOST_ANNOUNCEMENTS).max(last(DOMAIN_ANNOUNCEMENTS));
        PERIODS_TO_EXPIRY * longest + LIST_EXCHANGE + FETCH
    }
}

/// Where computers can hear each other, and the workgroup.
pub(crate) type Place = (u32, ServerName);

/// What a list says of one computer.
type Entry = (String, Version, ServerType, Vec<u8>);

pub(crate) struct Crowd {
    pub(crate) net: Neighbourhood,
    pub(crate) times: Times,
    seed: u64,
}

/// The seed and the size tell how to have the failure again.
impl Drop for Crowd {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}, {} machines, at {:?}", self.seed, self.net.lan.len(), self.net.lan.now());
        }
    }
}

impl Crowd {
    /// Computers that are switched on within a tenth of a second: Windows 9x and NT, servers, domain controllers, Samba
    /// with an os level, backups by choice, non-browsers; more than 9 of them in two workgroups.
    pub(crate) fn new(machines: usize, seed: u64, weather: Weather, limits: Limits) -> Self {
        let times = Times::of(weather);
        let mut crowd = Self { net: Neighbourhood::new(weather, seed), times, seed };
        let dice = crowd.net.lan.roll().to_be_bytes();
        // In some workgroups all are alike, and the name decides.
        let alike = dice[0].is_multiple_of(4);
        let primary = dice[1].is_multiple_of(3).then(|| usize::from(dice[2]) % machines);
        for number in 0..machines {
            let mut config = crowd.mixed(machines, number);
            if alike {
                (config.election_os, config.uptime) = (Some(ElectionOs::WORKSTATION), u32::MAX);
            }
            if primary == Some(number) {
                config.controller = Controller::Primary;
            }
            crowd.net.add(config, limits);
        }
        for which in 0..machines {
            crowd.net.start(which);
            crowd.net.lan.run_for(Duration::from_millis(100) / u32::try_from(machines).unwrap());
        }
        crowd
    }

    fn mixed(&mut self, machines: usize, number: usize) -> Config {
        let [a, b, c, d, e, f, g, h] = self.net.lan.roll().to_be_bytes();
        let workgroup = if machines > 9 && number % 2 == 1 { "SALES" } else { "WORKGROUP" };
        let (computer, workgroup): (NetbiosName, NetbiosName) =
            (format!("PC{number}").parse().unwrap(), workgroup.parse().unwrap());
        let mut config = Config::new(&computer, &workgroup);
        // Each workgroup has two that can be master.
        config.maintain = match a % 5 {
            _ if number < 4 => Maintain::Auto,
            0 => Maintain::Yes,
            1 => Maintain::No,
            _ => Maintain::Auto,
        };
        if a >= 230 {
            config.controller = Controller::Backup;
        }
        config.preferred = b >= 230;
        config.election_os = Some(match c % 4 {
            0 => ElectionOs::WFW,
            1 => ElectionOs::WORKSTATION,
            2 => ElectionOs::SERVER,
            _ => ElectionOs(d),
        });
        config.os_version = Version::new(e % 11, f % 3);
        if e % 11 < 5 {
            config.server_type = ServerType::WORKSTATION | ServerType::SERVER | ServerType::WINDOWS;
        }
        // Minutes apart, or the same.
        config.uptime = u32::from(g) * 300_000;
        config.uses_nbns = h & 1 == 1;
        config.lanman = if h & 6 == 6 { LanmanAnnounce::Yes } else { LanmanAnnounce::Auto };
        config.set_comment(format!("number {number}").as_bytes()).unwrap();
        config
    }

    pub(crate) fn roll(&mut self, below: usize) -> usize {
        usize::try_from(self.net.lan.roll() % u64::try_from(below).unwrap()).unwrap()
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        self.net.lan.run_for(time);
    }

    fn awake(&self) -> impl Iterator<Item = usize> {
        (0..self.net.lan.len()).filter(|which| self.net.lan.station(*which).is_awake())
    }

    fn place(&self, which: usize) -> Place {
        (self.net.part(which), self.net.browser(which).config().workgroup())
    }

    /// How strong a computer is in an election, as it is written in MS-BRWS 2.2.3 and 3.3.5.8.
    fn strength(&self, which: usize) -> (u32, u32, Reverse<Vec<u8>>) {
        let browser = self.net.browser(which);
        let (config, role) = (browser.config(), browser.role());
        let bits = [
            (config.controller == Controller::Primary, 0x80),
            (config.uses_nbns, 0x20),
            (config.preferred, 0x08),
            (role.is_master(), 0x04),
            (config.controller == Controller::Backup, 0x02),
            (role == Role::Backup, 0x01),
        ];
        let bits: u32 = bits.into_iter().filter(|(is_so, _)| *is_so).map(|(_, bit)| bit).sum();
        let criteria = u32::from(config.election_os.unwrap().0) << 24 | 0x01_0f00 | bits;
        // All run for the same time, so that what they ran before decides.
        (criteria, config.uptime, Reverse(config.computer().as_bytes().to_vec()))
    }

    /// Who wins where, if there is an election now; places without a browser are left out.
    pub(crate) fn strongest(&self) -> BTreeMap<Place, usize> {
        let mut strongest = BTreeMap::new();
        for which in self.awake().filter(|which| self.net.browser(*which).role() != Role::NonBrowser) {
            let best = strongest.entry(self.place(which)).or_insert(which);
            if self.strength(which) > self.strength(*best) {
                *best = which;
            }
        }
        strongest
    }

    /// The masters of each place.
    pub(crate) fn masters(&self) -> BTreeMap<Place, Vec<usize>> {
        let mut masters: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for which in self.net.masters() {
            masters.entry(self.place(which)).or_default().push(which);
        }
        masters
    }

    /// Every place with a browser has one master, who is it.
    #[track_caller]
    pub(crate) fn one_master_each(&self) -> BTreeMap<Place, usize> {
        let masters = self.masters();
        let one = self.strongest().into_keys().map(|place| match masters.get(&place).map(Vec::as_slice) {
            Some([master]) => (place, *master),
            masters => panic!("the masters of {place:?}: {masters:?}"),
        });
        one.collect()
    }

    #[track_caller]
    pub(crate) fn assert_masters(&self, expected: &BTreeMap<Place, usize>, when: &str) {
        let masters = self.one_master_each();
        let strength = |masters: &BTreeMap<Place, usize>| {
            masters.values().map(|which| (*which, self.strength(*which))).collect::<Vec<_>>()
        };
        assert_eq!(strength(&masters), strength(expected), "{when}");
    }

    /// What a computer says of itself, by its configuration and role (2.2.1).
    fn truth(&self, which: usize) -> Entry {
        let browser = self.net.browser(which);
        let (config, role) = (browser.config(), browser.role());
        let mut bits = config.server_type;
        bits.set(ServerType::POTENTIAL_BROWSER, role != Role::NonBrowser);
        bits.set(ServerType::BACKUP_BROWSER, role == Role::Backup);
        bits.set(ServerType::MASTER_BROWSER, role.is_master());
        bits.set(ServerType::DOMAIN_MASTER, role == Role::DomainMaster);
        bits.set(ServerType::DOMAIN_CTRL, config.controller == Controller::Primary);
        bits.set(ServerType::DOMAIN_BAKCTRL, config.controller == Controller::Backup);
        (config.computer().to_string(), config.os_version, bits, config.comment().to_vec())
    }

    fn entries(&self, list: &ServerList) -> Vec<Entry> {
        let entries = list.iter(self.net.lan.now());
        let entry = |server: mailslot::service::browser::Server<'_>| {
            (server.name.to_string(), server.version, server.server_type, server.comment.to_vec())
        };
        entries.map(entry).collect()
    }

    /// All that keep a list have the same one: all computers of their workgroup that they can hear, as these are, and
    /// all workgroups with their masters.
    #[track_caller]
    pub(crate) fn assert_lists(&self) {
        let masters = self.one_master_each();
        let mut servers: BTreeMap<Place, Vec<Entry>> = BTreeMap::new();
        for which in self.awake() {
            servers.entry(self.place(which)).or_default().push(self.truth(which));
        }
        servers.values_mut().for_each(|entries| entries.sort_by(|a, b| a.0.cmp(&b.0)));
        let mut lists = 0;
        for which in self.awake().filter(|which| self.net.browser(*which).role().keeps_list()) {
            let (browser, place) = (self.net.browser(which), self.place(which));
            let who = format!("the list of PC{which}, {}", browser.role());
            assert_eq!(self.entries(browser.servers()), servers[&place], "{who}");
            let here = masters.iter().filter(|((part, _), _)| *part == place.0);
            let mut domains: Vec<(String, Vec<u8>)> = here
                .map(|((_, workgroup), master)| (workgroup.to_string(), format!("PC{master}").into_bytes()))
                .collect();
            domains.sort();
            let seen: Vec<_> =
                self.entries(browser.domains()).into_iter().map(|entry| (entry.0, entry.3)).collect();
            assert_eq!(seen, domains, "{who}");
            lists += 1;
        }
        assert!(lists >= masters.len(), "every master has a list");
    }

    /// Every message that came is counted as taken, or as dropped for a reason; says how many were for `reason`.
    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        let stats = (0..self.net.lan.len()).map(|which| self.net.browser(which).stats());
        let dropped = stats.inspect(|stats| {
            let dropped: u64 = stats.drops().map(|(_, count)| count).sum();
            assert_eq!(stats.received, stats.accepted + dropped);
            let ended = stats.elections_won + stats.elections_lost;
            assert!(
                (ended..=ended + 1).contains(&stats.elections),
                "all but the one that is under way: {stats:?}"
            );
        });
        dropped.map(|stats| stats.dropped(reason)).sum()
    }
}

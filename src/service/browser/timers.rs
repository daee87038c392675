//! Times and counts of the browser service, each with its source.

use core::time::Duration;

const fn minutes<const N: usize>(minutes: [u64; N]) -> [Duration; N] {
    let mut times = [Duration::ZERO; N];
    let mut at = 0;
    while at < N {
        times[at] = Duration::from_secs(60 * minutes[at]);
        at += 1;
    }
    times
}

/// Between HostAnnouncements; the last for ever (MS-BRWS 3.2.6).
pub const HOST_ANNOUNCEMENTS: [Duration; 6] = minutes([1, 1, 2, 4, 8, 12]);

/// Between LocalMasterAnnouncements; the last for ever (MS-BRWS 3.3.6 <57>).
pub const LOCAL_MASTER_ANNOUNCEMENTS: [Duration; 5] = minutes([2, 2, 4, 8, 12]);

/// Between DomainAnnouncements; the last for ever (MS-BRWS 3.3.6).
pub const DOMAIN_ANNOUNCEMENTS: [Duration; 7] = minutes([1, 1, 5, 5, 10, 10, 15]);

/// Between announcements on `\MAILSLOT\LANMAN`: `lm interval` of Samba.
pub const LANMAN_ANNOUNCEMENTS: Duration = Duration::from_secs(60);

/// A host answers an AnnouncementRequest after up to this time (MS-BRWS 3.2.5.1).
pub const ANNOUNCEMENT_REQUEST_DELAY: Duration = Duration::from_secs(30);

/// An announcement that names a shorter period than a second, or none, is taken to come every 12 minutes.
pub const LONGEST_USUAL_PERIOD: Duration = Duration::from_secs(12 * 60);

/// No period is believed to be longer; the longest seen is 15 minutes, of printers.
pub const LONGEST_PERIOD: Duration = Duration::from_secs(60 * 60);

/// After how many of its periods a server is no longer in the list (MS-BRWS 3.3.6).
pub const PERIODS_TO_EXPIRY: u32 = 3;

/// Between the requests of FindMaster (MS-BRWS 3.3.2 <49>).
pub const FIND_MASTER: Duration = Duration::from_millis(1500);

/// How many requests FindMaster sends (MS-BRWS 3.3.2 <49>).
pub const FIND_MASTER_COUNT: u32 = 3;

/// Between GetBackupListRequests of a client (MS-BRWS 3.1.6 <30>).
pub const GET_BACKUP_LIST: Duration = Duration::from_secs(1);

/// How many GetBackupListRequests a client sends (MS-BRWS 3.1.6 <30>).
pub const GET_BACKUP_LIST_COUNT: u32 = 3;

/// How long a master waits before its first RequestElection (MS-BRWS 3.3.5.8).
pub const ELECTION_DELAY_MASTER: Duration = Duration::from_millis(100);

/// The same of a backup, at least and at most.
pub const ELECTION_DELAY_BACKUP: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];

/// The same of a potential browser, at least and at most.
pub const ELECTION_DELAY_POTENTIAL: [Duration; 2] = [Duration::from_millis(800), Duration::from_millis(3000)];

/// Between the RequestElections of one election, and after the last one (MS-BRWS 3.3.5.8).
pub const ELECTION_ROUND: Duration = Duration::from_secs(1);

/// An election is won when so many RequestElections went unbeaten (MS-BRWS 3.3.5.8).
pub const ELECTION_COUNT: u32 = 4;

/// An election is lost after more RequestElections than this without a result (MS-BRWS 3.3.5.8).
pub const ELECTION_LIMIT: u32 = 30;

/// Frames of elections that are no further apart than this are of the same one. nmbd waits 2 s between its own.
pub const ELECTION_QUIET: Duration = Duration::from_secs(30);

/// How long after a lost election its winner must have been heard of. No text has it; without it a frame of a stranger
/// that wins and then keeps silent would leave the workgroup without a master for 12 minutes. nmbd announces itself
/// 12 s after its last RequestElection; a master that stays one says nothing of itself, and is asked then.
pub const ELECTION_WATCH: Duration = Duration::from_secs(20);

/// Between MasterAnnouncements, and between the fetches of lists (MS-BRWS 3.3.2 <43> <44>).
pub const LIST_EXCHANGE: Duration = Duration::from_secs(12 * 60);

/// How long the driver may take to fetch a list.
pub const FETCH: Duration = Duration::from_secs(60);

/// How soon after a change of the list backups are promoted: the role monitor (MS-BRWS 3.3.6 <41>).
pub const ROLE_MONITOR: Duration = Duration::from_secs(1);

/// A master answers AnnouncementRequests no more often. No text has it; all hosts of a LAN may ask at once.
pub const MASTER_ANSWERS: Duration = Duration::from_secs(1);

/// The times of one browser. The defaults are the constants of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timers {
    /// [`HOST_ANNOUNCEMENTS`].
    pub host: [Duration; 6],
    /// [`LOCAL_MASTER_ANNOUNCEMENTS`].
    pub local_master: [Duration; 5],
    /// [`DOMAIN_ANNOUNCEMENTS`].
    pub domain: [Duration; 7],
    /// [`LANMAN_ANNOUNCEMENTS`].
    pub lanman: Duration,
    /// [`ANNOUNCEMENT_REQUEST_DELAY`].
    pub announcement_request: Duration,
    /// [`FIND_MASTER`].
    pub find_master: Duration,
    /// [`GET_BACKUP_LIST`].
    pub get_backup_list: Duration,
    /// [`ELECTION_DELAY_MASTER`].
    pub election_master: Duration,
    /// [`ELECTION_DELAY_BACKUP`].
    pub election_backup: [Duration; 2],
    /// [`ELECTION_DELAY_POTENTIAL`].
    pub election_potential: [Duration; 2],
    /// [`ELECTION_ROUND`].
    pub election_round: Duration,
    /// [`ELECTION_WATCH`].
    pub election_watch: Duration,
    /// [`LIST_EXCHANGE`].
    pub list_exchange: Duration,
    /// [`FETCH`].
    pub fetch: Duration,
    /// [`ROLE_MONITOR`].
    pub role_monitor: Duration,
    /// [`MASTER_ANSWERS`].
    pub master_answers: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Timers {
    pub(super) const DEFAULT: Self = Self {
        host: HOST_ANNOUNCEMENTS,
        local_master: LOCAL_MASTER_ANNOUNCEMENTS,
        domain: DOMAIN_ANNOUNCEMENTS,
        lanman: LANMAN_ANNOUNCEMENTS,
        announcement_request: ANNOUNCEMENT_REQUEST_DELAY,
        find_master: FIND_MASTER,
        get_backup_list: GET_BACKUP_LIST,
        election_master: ELECTION_DELAY_MASTER,
        election_backup: ELECTION_DELAY_BACKUP,
        election_potential: ELECTION_DELAY_POTENTIAL,
        election_round: ELECTION_ROUND,
        election_watch: ELECTION_WATCH,
        list_exchange: LIST_EXCHANGE,
        fetch: FETCH,
        role_monitor: ROLE_MONITOR,
        master_answers: MASTER_ANSWERS,
    };
}

/// When a server is no longer in the list that announced itself at `now` and says to do so every `period`.
pub fn expiry(now: Duration, period: Duration) -> Duration {
    let period =
        if period < Duration::from_secs(1) { LONGEST_USUAL_PERIOD } else { period.min(LONGEST_PERIOD) };
    now.saturating_add(period * PERIODS_TO_EXPIRY)
}

/// How many backups a master of `servers` servers wants, itself included in the count: none for itself alone, one for
/// up to 31, and one more for every 32, three at most (MS-BRWS 3.3.5.3 <51> <52>).
pub const fn backups_wanted(servers: usize) -> usize {
    match servers {
        0 | 1 => 0,
        2..32 => 1,
        32..64 => 2,
        _ => 3,
    }
}

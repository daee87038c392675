//! Times and counts of the name service, each with its source.

use core::time::Duration;

/// BCAST_REQ_RETRY_TIMEOUT: time between broadcasts of one request (RFC 1002 §6).
pub const BCAST_REQ_RETRY_TIMEOUT: Duration = Duration::from_millis(250);

/// BCAST_REQ_RETRY_COUNT: how often a request is broadcast (RFC 1002 §6; BcastNameQueryCount of Windows).
pub const BCAST_REQ_RETRY_COUNT: u32 = 3;

/// UCAST_REQ_RETRY_TIMEOUT: time between requests to one node or name server (RFC 1002 §6). Windows waits 1.5 s
/// (MS-NBTE).
pub const UCAST_REQ_RETRY_TIMEOUT: Duration = Duration::from_secs(5);

/// UCAST_REQ_RETRY_COUNT: how often a node or name server is asked (RFC 1002 §6).
pub const UCAST_REQ_RETRY_COUNT: u32 = 3;

/// CONFLICT_TIMER: how long after an answer other answers are expected (RFC 1002 §6). Here also how long after the
/// overwrite demand an objection to it still counts.
pub const CONFLICT_TIMER: Duration = Duration::from_secs(1);

/// INFINITE_TTL: a TTL of 0 is for ever (RFC 1002 §6).
pub const INFINITE_TTL: u32 = 0;

/// MAX_DATAGRAM_LENGTH: the largest packet sent, in bytes (RFC 1002 §6).
pub const MAX_DATAGRAM_LENGTH: usize = 576;

/// No name is refreshed more often (MS-NBTE 3.1.4.1). Also the time after which a silent name server is asked again.
pub const MIN_REFRESH: Duration = Duration::from_secs(5 * 60);

/// When a name is refreshed if the name server set no TTL: the initial refresh of Windows (MS-NBTE 3.1.4.1).
pub const INITIAL_REFRESH: Duration = Duration::from_secs(16 * 60);

/// How long an answer is remembered at most: CacheTimeout of Windows (NetBT registry documentation).
pub const CACHE_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// How long WACKs can put off one request in all. RFC 1002 §4.2.16 has no bound; Samba asks for 9 s.
pub const MAX_WACK: Duration = Duration::from_secs(60);

/// When a name that another has is claimed again. Ours: no specification says when. Long enough that a few thousand
/// nodes with one name in common cost their subnet next to nothing, short enough for a computer that was exchanged.
pub const RECLAIM: Duration = Duration::from_secs(60);

/// The times and counts of one node. The defaults are the constants of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timers {
    /// [`BCAST_REQ_RETRY_TIMEOUT`].
    pub broadcast_timeout: Duration,
    /// [`BCAST_REQ_RETRY_COUNT`]; 0 is taken as 1.
    pub broadcast_count: u32,
    /// [`UCAST_REQ_RETRY_TIMEOUT`].
    pub unicast_timeout: Duration,
    /// [`UCAST_REQ_RETRY_COUNT`]; 0 is taken as 1.
    pub unicast_count: u32,
    /// [`CONFLICT_TIMER`].
    pub conflict: Duration,
    /// [`MIN_REFRESH`].
    pub min_refresh: Duration,
    /// [`INITIAL_REFRESH`].
    pub initial_refresh: Duration,
    /// [`CACHE_TIMEOUT`].
    pub cache: Duration,
    /// [`MAX_WACK`].
    pub max_wack: Duration,
    /// [`RECLAIM`].
    pub reclaim: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Timers {
    pub(super) const DEFAULT: Self = Self {
        broadcast_timeout: BCAST_REQ_RETRY_TIMEOUT,
        broadcast_count: BCAST_REQ_RETRY_COUNT,
        unicast_timeout: UCAST_REQ_RETRY_TIMEOUT,
        unicast_count: UCAST_REQ_RETRY_COUNT,
        conflict: CONFLICT_TIMER,
        min_refresh: MIN_REFRESH,
        initial_refresh: INITIAL_REFRESH,
        cache: CACHE_TIMEOUT,
        max_wack: MAX_WACK,
        reclaim: RECLAIM,
    };

    /// When a name that a name server took for `ttl` seconds is refreshed: after half of it, as Windows does, but
    /// not before [`Self::min_refresh`].
    pub(super) fn refresh(&self, ttl: u32) -> Duration {
        match ttl {
            INFINITE_TTL => self.initial_refresh,
            ttl => Duration::from_secs(u64::from(ttl) / 2),
        }
        .max(self.min_refresh)
    }

    /// How long an answer with `ttl` seconds is remembered.
    pub(super) fn remember(&self, ttl: u32) -> Duration {
        match ttl {
            INFINITE_TTL => self.cache,
            ttl => Duration::from_secs(ttl.into()).min(self.cache),
        }
    }
}

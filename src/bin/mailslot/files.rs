//! How many files, and so connections, the program may have open.

use mailslot::node::local::ServerLimits;
use mailslot::service::Limits;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Files besides connections: ports, logs, the pipes of programs that are run.
const OTHERS: u64 = 256;

/// What all sessions and handles that the limits allow take.
pub(crate) fn needed() -> u64 {
    let connections = Limits::default().sessions + ServerLimits::default().connections;
    u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS)
}

/// Raises the limit on open files to what is needed, as far as this user may; how many may be open now.
pub(crate) fn raise_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    let wanted = needed().min(hard);
    if soft >= wanted || setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_err() {
        return soft;
    }
    wanted
}

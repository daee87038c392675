//! What the registry does beside the recorded cases: limits, counters, profiles, error codes.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use mailslot::slot::route::{Alignment, Destination, plan};
use mailslot::slot::{
    Account, CreateOptions, DropReason, Incoming, Limits, MESSAGE_COST, Mailslot, MailslotError,
    MailslotWriter, OpenOptions, Origin, PendingRead, Profile, ReadStart, ReadTimeout, Registry,
    RegistryConfig, SlotName, SlotPath, Win32Error,
};
use mailslot::wire::nbss::Framing;

fn path(name: &str) -> SlotPath {
    SlotPath::parse(&format!(r"\\.\mailslot\{name}")).unwrap()
}

fn incoming(size: usize) -> Incoming {
    let origin = Origin::Datagram { source: *b"SENDER         \0", destination: *b"RECEIVER       \0" };
    Incoming { data: Bytes::from(vec![7; size]), origin, at: Duration::from_secs(3), peer: None }
}

fn with_profile(profile: Profile) -> Registry {
    Registry::with_config(RegistryConfig { profile, ..RegistryConfig::default() })
}

#[test]
fn handles_go_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Registry>();
    shared::<Mailslot>();
    shared::<MailslotWriter>();
    shared::<PendingRead>();
    shared::<MailslotError>();
}

#[test]
fn every_limit_is_kept_counted_and_told() {
    let limits = Limits {
        slots: 2,
        messages_per_slot: 3,
        bytes_per_slot: 10,
        bytes: usize::MAX,
        pending_reads_per_slot: 1,
        name_units: 4,
    };
    let registry = Registry::new(limits);
    let waits =
        CreateOptions { read_timeout: ReadTimeout::FOREVER, max_message_size: 8, ..Default::default() };
    let server = registry.create(&path("a"), waits).unwrap();
    let long = registry.create(&path("abcde"), waits).unwrap_err();
    assert_eq!(long, MailslotError::NameTooLong { units: 5, max: 4 });
    let other = registry.create(&path("abcd"), waits).unwrap();
    let full = registry.create(&path("b"), waits).unwrap_err();
    assert_eq!(full, MailslotError::LimitReached { what: "mailslots", max: 2 });
    drop(other);
    assert!(registry.create(&path("b"), waits).is_ok());

    let writer = registry.open(&path("A"), OpenOptions::default()).unwrap();
    assert_eq!(writer.write(&[0; 9]), Err(MailslotError::OverMaxMessageSize { size: 9, max: 8 }));
    assert_eq!(
        registry.deliver(&path("a").name, incoming(9)),
        Err(DropReason::OverMaxMessageSize { size: 9, max: 8 })
    );
    assert_eq!(writer.write(&[0; 8]), Ok(8));
    assert_eq!(writer.write(&[0; 3]), Err(MailslotError::QueueFull { limit: "bytes_per_slot" }));
    assert_eq!(registry.deliver(&path("a").name, incoming(3)), Err(DropReason::QueueBytes { max: 10 }));
    assert_eq!(registry.deliver(&path("a").name, incoming(2)).unwrap().bytes, 2);
    assert_eq!(writer.write(b""), Ok(0));
    assert_eq!(writer.write(b""), Err(MailslotError::QueueFull { limit: "messages_per_slot" }));
    assert_eq!(registry.deliver(&path("a").name, incoming(0)), Err(DropReason::QueueMessages { max: 3 }));
    assert_eq!(registry.deliver(&path("none").name, incoming(0)), Err(DropReason::NoSlot));
    let stats = server.stats();
    assert_eq!((stats.accepted, stats.accepted_bytes), (3, 10));
    let drops = stats.drops;
    assert_eq!((drops.over_max_message_size, drops.queue_bytes, drops.queue_messages), (2, 2, 2));
    assert_eq!(registry.stats().drops.no_slot, 1);
    assert_eq!(registry.stats().drops.total(), 7);

    for _ in 0..3 {
        server.try_read().unwrap();
    }
    let Ok(ReadStart::Pending(_waits)) = server.start_read(Duration::ZERO, 8) else {
        panic!("nothing to wait for")
    };
    let error = server.start_read(Duration::ZERO, 8).unwrap_err();
    assert_eq!(error, MailslotError::LimitReached { what: "pending reads per slot", max: 1 });
}

/// An owner's slots are counted together, and all of them; what is read, lost or closed makes room again.
#[test]
fn slots_are_bounded_together() {
    let limits = Limits { bytes: 4 * MESSAGE_COST + 100, ..Limits::default() };
    let registry = Registry::new(limits);
    let owner = Account::new(2, 2 * MESSAGE_COST + 50);
    let first = registry.create_for(&path("a"), CreateOptions::default(), &owner).unwrap();
    let second = registry.create_for(&path("b"), CreateOptions::default(), &owner).unwrap();
    let third = registry.create_for(&path("c"), CreateOptions::default(), &owner).unwrap_err();
    assert_eq!(third, MailslotError::LimitReached { what: "mailslots of one owner", max: 2 });
    assert_eq!(third.win32().code(), 1450);
    // A name that is in use costs nothing.
    registry.create_for(&path("a"), CreateOptions::default(), &owner).unwrap_err();
    let other = registry.create(&path("c"), CreateOptions::default()).unwrap();
    let write = |name: &str, size: usize| {
        let writer = registry.open(&path(name), OpenOptions::default()).unwrap();
        writer.write(&vec![0; size])
    };
    let full = |limit| Err(MailslotError::QueueFull { limit });
    assert_eq!(write("a", 40), Ok(40));
    assert_eq!(write("b", 11), full("bytes_per_owner"));
    assert_eq!(write("b", 10), Ok(10));
    assert_eq!(write("a", 0), full("bytes_per_owner"), "an empty one is not for nothing");
    assert_eq!(
        registry.deliver(&path("a").name, incoming(0)),
        Err(DropReason::OwnerBytes { max: owner.max_bytes() })
    );
    assert_eq!((owner.slots(), owner.bytes()), (2, 2 * MESSAGE_COST + 50));
    assert_eq!(write("c", 51 + MESSAGE_COST), full("bytes"));
    assert_eq!(write("c", 50), Ok(50));
    assert_eq!(write("c", 0), Ok(0));
    assert_eq!(write("c", 0), full("bytes"));
    first.try_read().unwrap();
    assert_eq!(write("c", 40), Ok(40), "what was read makes room");
    assert_eq!(write("a", 0), full("bytes"));
    assert_eq!(owner.bytes(), MESSAGE_COST + 10, "what all slots have no room for is not the owner's");
    drop(other);
    assert_eq!(write("a", 40), Ok(40), "what is closed makes room");
    drop((first, second));
    assert_eq!((owner.slots(), owner.bytes()), (0, 0));
    registry.create_for(&path("c"), CreateOptions::default(), &owner).unwrap();
    let drops = registry.stats().drops;
    assert_eq!((drops.owner_bytes, drops.total_bytes), (3, 3));
}

/// What a read was given is counted until it is asked for, the slot's again, or lost: many reads that nobody asks are no
/// way to more.
#[test]
fn what_lies_in_reads_is_counted() {
    let registry = Registry::new(Limits { bytes: MESSAGE_COST, ..Limits::default() });
    let waits = CreateOptions { read_timeout: ReadTimeout::FOREVER, ..Default::default() };
    let owner = Account::new(2, MESSAGE_COST);
    let server = registry.create_for(&path("a"), waits, &owner).unwrap();
    let writer = registry.open(&path("a"), OpenOptions::default()).unwrap();
    let start = || match server.start_read(Duration::ZERO, 8) {
        Ok(ReadStart::Pending(read)) => read,
        other => panic!("{other:?}"),
    };
    let full = Err(MailslotError::QueueFull { limit: "bytes_per_owner" });
    let mut reads = [start(), start()];
    writer.write(b"").unwrap();
    assert_eq!(writer.write(b""), full);
    assert!(reads[0].try_finish().is_ready());
    writer.write(b"").unwrap();
    assert_eq!(writer.write(b""), full);
    drop(reads);
    assert_eq!(writer.write(b""), full, "it is back in the queue");
    server.try_read().unwrap();
    assert_eq!(owner.bytes(), 0);
    let read = start();
    writer.write(b"").unwrap();
    drop(server);
    assert_eq!((owner.slots(), owner.bytes()), (0, MESSAGE_COST), "the read still has it");
    drop(read);
    assert_eq!(owner.bytes(), 0);
    let other = registry.create(&path("b"), waits).unwrap();
    registry.open(&path("b"), OpenOptions::default()).unwrap().write(b"").unwrap();
    other.try_read().unwrap();
}

#[test]
fn a_message_tells_where_it_came_from() {
    let registry = Registry::default();
    let server = registry.create(&path("x"), CreateOptions::default()).unwrap();
    registry.open(&path("x"), OpenOptions::default()).unwrap().write(b"near").unwrap();
    let sent = incoming(3);
    registry.deliver(&SlotName::from_wire(br"\MailSlot\X").unwrap(), sent.clone()).unwrap();
    let (near, far) = (server.try_read().unwrap(), server.try_read().unwrap());
    assert_eq!((near.origin, near.at), (Origin::Local, None));
    assert_eq!((far.origin, far.at, far.data), (sent.origin, Some(sent.at), sent.data));
}

#[test]
fn counters_outlive_their_slot() {
    let registry = Registry::default();
    let server = registry.create(&path("x"), CreateOptions::default()).unwrap();
    let writer = registry.open(&path("x"), OpenOptions::default()).unwrap();
    for _ in 0..3 {
        writer.write(b"abc").unwrap();
    }
    server.try_read().unwrap();
    drop(server);
    assert!(writer.is_gone() && writer.info().is_err() && !registry.contains(&path("x").name));
    // A slot of the same name is another one.
    let again = registry.create(&path("X"), CreateOptions::default()).unwrap();
    assert_eq!(writer.write(b"late"), Err(MailslotError::Gone { name: "x".to_owned() }));
    assert_eq!(again.info().message_count, 0);
    let stats = registry.stats();
    assert_eq!((stats.accepted, stats.accepted_bytes, stats.read, stats.read_bytes), (3, 9, 1, 3));
    assert_eq!((stats.drops.unread_at_close, stats.drops.write_after_close), (2, 1));
    assert_eq!(again.stats(), mailslot::slot::Stats::default());
}

/// CVE-2026-21253: a handle outlived its slot. A handle here is one of its slot and of no other that has the name later.
#[test]
fn cve_2026_21253_a_handle_does_not_outlive_its_slot() {
    let registry = Registry::default();
    let waits = CreateOptions { read_timeout: ReadTimeout::FOREVER, ..CreateOptions::default() };
    let old = registry.create(&path("x"), waits).unwrap();
    let writer = registry.open(&path("x"), OpenOptions::default()).unwrap();
    let Ok(ReadStart::Pending(pending)) = old.start_read(Duration::ZERO, 100) else {
        panic!("nothing is there")
    };
    drop(old);
    let new = registry.create(&path("x"), waits).unwrap();
    for _ in 0..2 {
        assert_eq!(writer.write(b"for the old one"), Err(MailslotError::Gone { name: "x".to_owned() }));
    }
    drop((writer, pending));
    assert_eq!(new.info().message_count, 0);
    registry.open(&path("x"), OpenOptions::default()).unwrap().write(b"for the new one").unwrap();
    assert_eq!(new.try_read().unwrap().data, b"for the new one"[..]);
    assert_eq!(new.stats().accepted, 1);
}

#[test]
fn a_reader_that_closes_keeps_no_memory_of_the_slot() {
    let registry = Registry::default();
    let payload = Bytes::from(vec![1; 100]);
    let server = registry.create(&path("x"), CreateOptions::default()).unwrap();
    let writer = registry.open(&path("x"), OpenOptions::default()).unwrap();
    writer.write_bytes(payload.clone()).unwrap();
    assert!(!payload.is_unique());
    drop(server);
    assert!(payload.is_unique(), "a writer that is still open keeps unread messages");
}

#[test]
fn remote_paths_are_not_the_registrys() {
    let registry = Registry::default();
    let far = SlotPath::parse(r"\\host\mailslot\x").unwrap();
    assert!(matches!(registry.open(&far, OpenOptions::default()), Err(MailslotError::RemoteOpen { .. })));
    let error = registry.create(&far, CreateOptions::default()).unwrap_err();
    assert!(error.to_string().contains(r"'\\host\mailslot\x'"), "{error}");
}

#[test]
fn windows_9x_cuts_names_and_slots() {
    let registry = with_profile(Profile::Win9x);
    for (asked, given) in [(0, 4093), (100, 100), (4093, 4093), (65_535, 4093)] {
        let options = CreateOptions { max_message_size: asked, ..Default::default() };
        assert_eq!(registry.create(&path("x"), options).unwrap().info().max_message_size, given);
    }
    let server = registry.create(&path("Mymailslot"), CreateOptions::default()).unwrap();
    assert_eq!(server.name().to_string(), "Mymailsl");
    let again = registry.create(&path("mymailSLAP"), CreateOptions::default()).unwrap_err();
    assert_eq!(again, MailslotError::AlreadyExists { name: "mymailSL".to_owned() });
    let writer = registry.open(&path("Mymailslot"), OpenOptions::default()).unwrap();
    assert!(writer.write(&[0; 4093]).is_ok() && writer.write(&[0; 4094]).is_err());
    // A message from NT does not arrive, because the names do not match (book chapter, 19.4.1).
    assert_eq!(registry.deliver(&path("Mymailslot").name, incoming(1)), Err(DropReason::NoSlot));
    assert!(registry.deliver(&path("Mymailslot").name.cut_to_8_3(), incoming(1)).is_ok());
    let session = Origin::Session { framing: Framing::Session, source: [0; 16], destination: [0; 16] };
    let by_session = Incoming { origin: session, ..incoming(500) };
    assert_eq!(registry.deliver(&path("Mymailsl").name, by_session), Err(DropReason::SessionNotSupported));
    assert_eq!(registry.stats().drops.session_not_supported, 1);
}

#[test]
fn nt4_cuts_what_it_receives_by_datagram_only() {
    let registry = with_profile(Profile::Nt4);
    let server = registry.create(&path("x"), CreateOptions::default()).unwrap();
    for (size, kept) in [(424, 424), (425, 424), (1000, 424)] {
        let delivered = registry.deliver(&path("x").name, incoming(size)).unwrap();
        assert_eq!((delivered.bytes, delivered.truncated), (kept, size > kept));
    }
    let session = Origin::Session { framing: Framing::Session, source: [0; 16], destination: [0; 16] };
    let whole = Incoming { origin: session, ..incoming(1000) };
    assert_eq!(registry.deliver(&path("x").name, whole).unwrap().bytes, 1000);
    let got: Vec<_> =
        (0..4).map(|_| server.try_read().unwrap()).map(|m| (m.data.len(), m.truncated)).collect();
    assert_eq!(got, [(424, false), (424, true), (424, true), (1000, false)]);
    assert_eq!(server.stats().truncated, 2);
    assert_eq!("NT4".parse(), Ok(Profile::Nt4));
    assert!("nt5".parse::<Profile>().is_err());
}

#[test]
fn error_codes_have_their_names() {
    assert_eq!(Win32Error::ERROR_SEM_TIMEOUT.to_string(), "ERROR_SEM_TIMEOUT (121)");
    assert_eq!(Win32Error::new(4711).to_string(), "4711");
    assert_eq!(Win32Error::ERROR_REMOTE_MAILSLOTS_DEPRECATED.code(), 3025);
    assert_eq!(Win32Error::ERROR_INSUFFICIENT_BUFFER.ntstatus(), Some(0xC000_0023));
    // 3 and 6 stand for several NTSTATUS values; the error knows which.
    assert_eq!(Win32Error::ERROR_PATH_NOT_FOUND.ntstatus(), None);
    assert_eq!(SlotPath::parse(r"\\mailslot\x").unwrap_err().ntstatus(), Some(0xC000_003A));
    assert_eq!(MailslotError::EmptyPath.ntstatus(), None);
    let too_long =
        plan(&path("x").name, Destination::Group, 500, Profile::Nt, Alignment::Aligned).unwrap_err();
    assert_eq!(too_long.win32(), Win32Error::ERROR_BAD_NETPATH);
    assert!(too_long.to_string().contains("500 bytes"), "{too_long}");
    let texts: HashSet<String> = [
        MailslotError::Timeout,
        MailslotError::Aborted,
        MailslotError::WrongEnd,
        MailslotError::NothingPending,
        MailslotError::NotTheServer,
        MailslotError::BufferTooSmall { needed: 2, have: 1 },
    ]
    .map(|error| error.to_string())
    .into();
    assert_eq!(texts.len(), 6);
}

#[test]
fn a_read_by_the_wrong_end_says_so() {
    use mailslot::slot::Access;
    let registry = Registry::default();
    let server = registry.create(&path("x"), CreateOptions::default()).unwrap();
    let open = |access| registry.open(&path("x"), OpenOptions { access, ..Default::default() }).unwrap();
    let both = open(Access::GENERIC_READ | Access::GENERIC_WRITE);
    assert_eq!(both.read(&mut [0; 8]), Err(MailslotError::WrongEnd));
    assert_eq!(both.write(b"x"), Ok(1));
    let reads = open(Access::GENERIC_READ);
    assert_eq!(reads.write(b"x"), Err(MailslotError::AccessDenied { access: "write" }));
    assert_eq!(server.info(), reads.info().unwrap());
    assert_eq!(reads.set_info(ReadTimeout::NONE).unwrap_err().win32(), Win32Error::ERROR_INVALID_HANDLE);
}

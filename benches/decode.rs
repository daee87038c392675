//! Decoding one frame of each kind, from the datagram to what the mailslot carries, and encoding it again.
//!
//! Names: `decode/<what the frame is>`, over golden frames of `testdata/frames/nbdgm`.

#[path = "../tests/support/frames.rs"]
mod frames;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mailslot::wire::browser::{BROWSE, BrowserFrame, LANMAN, LanmanFrame};
use mailslot::wire::nbdgm::Datagram;
use mailslot::wire::smb::MailslotWrite;
use mailslot::wire::{Decode, DecodeError, Encode};

/// What is measured, and the frame it is measured with.
const FRAMES: [(&str, &str); 18] = [
    ("HostAnnouncement", "win10-hostannounce-1min"),
    ("AnnouncementRequest", "announcementrequest-to-1d"),
    ("RequestElection", "election-win7"),
    ("GetBackupListRequest", "getbackuplistreq-1b"),
    ("GetBackupListResponse", "getbackuplistresp"),
    ("BecomeBackup", "becomebackup"),
    ("DomainAnnouncement", "win7-domainannounce"),
    ("MasterAnnouncement", "masterannounce"),
    ("LocalMasterAnnouncement", "win7-localmaster"),
    ("lanman", "samba-lanman-announce"),
    ("application 0 bytes", "app-0-bytes"),
    ("application 26 bytes", "app-unique"),
    ("application 424 bytes", "app-424-bytes"),
    ("application with scopes", "app-scope"),
    ("error", "error-82"),
    ("query", "query-request"),
    ("first fragment", "fragment-first"),
    ("later fragment", "fragment-last"),
];

/// Reads a datagram as far down as there is something to read.
fn decode(bytes: &[u8]) -> Result<(), DecodeError> {
    let datagram = Datagram::decode(bytes)?;
    let Some(content) = datagram.content() else {
        black_box(datagram);
        return Ok(());
    };
    if datagram.is_fragment() {
        black_box(content);
        return Ok(());
    }
    let write = MailslotWrite::decode(content.user_data)?;
    if write.is_slot(BROWSE) {
        black_box(BrowserFrame::decode(write.data())?);
    } else if write.is_slot(LANMAN) {
        black_box(LanmanFrame::decode(write.data())?);
    }
    black_box(write);
    Ok(())
}

fn decode_frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for (what, name) in FRAMES {
        let case = frames::case("nbdgm", name);
        decode(&case.bytes).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        group.throughput(Throughput::Bytes(case.bytes.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(what), |b| {
            b.iter(|| decode(black_box(&case.bytes)));
        });
    }
    group.finish();
}

/// ResetStateRequest, which no datagram of the goldens carries, and every other frame by itself.
fn decode_browser_frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("browser");
    for name in ["reset-stop-master", "win10-hostannounce-1min", "election-win7", "getbackuplistresp"] {
        let case = frames::case("browser", name);
        group.throughput(Throughput::Bytes(case.bytes.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| BrowserFrame::decode(black_box(&case.bytes)).map(black_box).is_ok());
        });
    }
    group.finish();
}

fn encode_frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    for name in ["win10-hostannounce-1min", "app-424-bytes"] {
        let case = frames::case("nbdgm", name);
        let datagram = Datagram::decode(&case.bytes).expect("a golden frame");
        let mut out = Vec::with_capacity(case.bytes.len());
        group.throughput(Throughput::Bytes(case.bytes.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| {
                out.clear();
                black_box(&datagram).encode(&mut out);
                black_box(out.len())
            });
        });
    }
    group.finish();
}

/// All goldens in turn: the mix that a busy listener sees, more or less.
fn decode_all(c: &mut Criterion) {
    let cases: Vec<_> =
        frames::cases("nbdgm").into_iter().filter(|case| decode(&case.bytes).is_ok()).collect();
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(cases.len() as u64));
    group.bench_function("all goldens", |b| {
        b.iter(|| cases.iter().filter(|case| decode(black_box(&case.bytes)).is_ok()).count());
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(30);
    targets = decode_frames, decode_browser_frames, encode_frames, decode_all
}
criterion_main!(benches);

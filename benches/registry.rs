//! Write to read through a mailslot, beside tokio's channels carrying the same `Bytes`, copied the same way.
//!
//! `registry/424/1w` over `tokio_mpsc/424/1w` is the ratio; it is printed at the end of each pair. Writers are tasks
//! of a runtime with two workers; the reader is the task that blocks on it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mailslot::slot::{CreateOptions, Limits, OpenOptions, ReadTimeout, Registry, SlotPath};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// Messages of one round, over all writers.
const MESSAGES: usize = 16_000;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime")
}

fn registry_round(rt: &Runtime, size: usize, writers: usize) -> Duration {
    let limits = Limits { messages_per_slot: MESSAGES, ..Limits::default() };
    let path = SlotPath::parse(r"\\.\mailslot\bench").expect("a path");
    let registry = Registry::new(limits);
    let options = CreateOptions { read_timeout: ReadTimeout::FOREVER, ..CreateOptions::default() };
    let slot = registry.create(&path, options).expect("a slot");
    let payload = vec![7; size];
    let begun = Instant::now();
    rt.block_on(async {
        for _ in 0..writers {
            let writer = registry.open(&path, OpenOptions::default()).expect("a writer");
            let payload = payload.clone();
            tokio::spawn(async move {
                for _ in 0..MESSAGES / writers {
                    writer.write(&payload).expect("room");
                }
            });
        }
        for _ in 0..MESSAGES {
            black_box(slot.recv(Duration::ZERO, usize::MAX).await.expect("a message"));
        }
    });
    begun.elapsed()
}

fn mpsc_round(rt: &Runtime, size: usize, writers: usize) -> Duration {
    let payload = vec![7; size];
    let begun = Instant::now();
    rt.block_on(async {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        for _ in 0..writers {
            let (sender, payload) = (sender.clone(), payload.clone());
            tokio::spawn(async move {
                for _ in 0..MESSAGES / writers {
                    sender.send(Bytes::copy_from_slice(&payload)).expect("a receiver");
                }
            });
        }
        for _ in 0..MESSAGES {
            black_box(receiver.recv().await.expect("a message"));
        }
    });
    begun.elapsed()
}

fn bounded_round(rt: &Runtime, size: usize, writers: usize) -> Duration {
    let payload = vec![7; size];
    let begun = Instant::now();
    rt.block_on(async {
        let (sender, mut receiver) = mpsc::channel(1024);
        for _ in 0..writers {
            let (sender, payload) = (sender.clone(), payload.clone());
            tokio::spawn(async move {
                for _ in 0..MESSAGES / writers {
                    sender.send(Bytes::copy_from_slice(&payload)).await.expect("a receiver");
                }
            });
        }
        for _ in 0..MESSAGES {
            black_box(receiver.recv().await.expect("a message"));
        }
    });
    begun.elapsed()
}

type Round = fn(&Runtime, usize, usize) -> Duration;

const ROUNDS: [(&str, Round); 3] =
    [("registry", registry_round), ("tokio_mpsc", mpsc_round), ("tokio_mpsc_1024", bounded_round)];

fn write_to_read(c: &mut Criterion) {
    let rt = runtime();
    for size in [64, 424] {
        for writers in [1, 8] {
            for (name, round) in ROUNDS {
                let mut group = c.benchmark_group(name);
                group.throughput(Throughput::Elements(MESSAGES as u64));
                group.bench_function(BenchmarkId::new(size.to_string(), format!("{writers}w")), |b| {
                    b.iter_custom(|times| (0..times).map(|_| round(&rt, size, writers)).sum());
                });
                group.finish();
            }
            ratios(&rt, size, writers);
        }
    }
}

/// The medians of rounds taken in turn, so that the machine's other load meets all alike.
fn ratios(rt: &Runtime, size: usize, writers: usize) {
    let mut times = ROUNDS.map(|_| Vec::new());
    for _ in 0..31 {
        for ((_, round), times) in ROUNDS.iter().zip(&mut times) {
            times.push(round(rt, size, writers));
        }
    }
    let [slot, unbounded, bounded] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    });
    println!(
        "{size} bytes, {writers} writers: {:.2} million/s; throughput is {:.2} of tokio mpsc, {:.2} of tokio mpsc \
         bounded to 1024",
        MESSAGES as f64 / slot / 1e6,
        unbounded / slot,
        bounded / slot
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(10);
    targets = write_to_read
}
criterion_main!(benches);

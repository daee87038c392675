//! Operations on a registry beside the model of the property test: both tell the same after each.

#![no_main]

use libfuzzer_sys::fuzz_target;
#[path = "../../tests/slot/world.rs"]
mod world;

use world::{Op, World};

/// More operations than the property test does at a time, few enough for a short run.
const MAX_OPS: usize = 300;

// Input: operations of (which, what it is done to, a size or time).
fuzz_target!(|data: &[u8]| {
    let mut world = World::new();
    for [which, what, amount] in data.as_chunks::<3>().0.iter().take(MAX_OPS) {
        world.apply(&operation(*which, *what, *amount));
        world.compare();
    }
});

fn operation(which: u8, what: u8, amount: u8) -> Op {
    let (index, name, size) = (usize::from(what & 7), usize::from(what % 3), usize::from(amount & 63));
    let timeout = match amount & 3 {
        0 => 0,
        1 => u32::MAX,
        _ => u32::from(amount >> 2),
    };
    match which & 15 {
        0 => Op::Create { name, max: u32::from(what >> 4), timeout },
        1 => Op::Open(name),
        2 => Op::Duplicate(index),
        3 => Op::CloneWriter(index),
        4 => Op::CloseServer(index),
        5 => Op::CloseWriter(index),
        6 => Op::Write { writer: index, size },
        7 => Op::Deliver { name, size },
        8 => Op::TryRead(index),
        9 => Op::StartRead { server: index, capacity: size },
        10 => Op::Poll(index),
        11 => Op::Cancel(index),
        12 => Op::Abandon(index),
        13 => Op::CancelReads(index),
        14 => Op::SetInfo { server: index, timeout },
        _ => Op::Pass(u64::from(amount & 15)),
    }
}

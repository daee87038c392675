//! Random operations on a registry beside its model.

use proptest::prelude::*;

use crate::world::{Op, World};

fn op() -> impl Strategy<Value = Op> {
    let index = || 0..4_usize;
    let timeout = || prop::sample::select(vec![0, 5, 10, u32::MAX]);
    let size = || prop::sample::select(vec![0, 1, 2, 8, 9, 30, 50]);
    prop_oneof![
        3 => (0..3_usize, prop::sample::select(vec![0, 8]), timeout())
            .prop_map(|(name, max, timeout)| Op::Create { name, max, timeout }),
        3 => (0..3_usize).prop_map(Op::Open),
        1 => index().prop_map(Op::Duplicate),
        1 => index().prop_map(Op::CloneWriter),
        1 => index().prop_map(Op::CloseServer),
        1 => index().prop_map(Op::CloseWriter),
        6 => (index(), size()).prop_map(|(writer, size)| Op::Write { writer, size }),
        3 => (0..3_usize, size()).prop_map(|(name, size)| Op::Deliver { name, size }),
        2 => index().prop_map(Op::TryRead),
        6 => (index(), size()).prop_map(|(server, capacity)| Op::StartRead { server, capacity }),
        2 => index().prop_map(Op::Poll),
        2 => index().prop_map(Op::Cancel),
        2 => index().prop_map(Op::Abandon),
        1 => index().prop_map(Op::CancelReads),
        1 => (index(), timeout()).prop_map(|(server, timeout)| Op::SetInfo { server, timeout }),
        3 => (0..12_u64).prop_map(Op::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_registry_is_its_model(ops in prop::collection::vec(op(), 1..80)) {
        let mut world = World::new();
        for op in &ops {
            world.apply(op);
            world.compare();
        }
    }
}

//! A session's receiving end to which anything is said: never a panic, everything bounded by its limits and counted,
//! every answer sound, nothing left behind.

#![no_main]

use core::time::Duration;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use mailslot::service::session::{CloseReason, Gate, Server, ServerConfig, ServerEvent};
use mailslot::service::{Limits, Machine};
use mailslot::wire::Decode;
use mailslot::wire::nbss::{self, Framing, Next};
use mailslot::wire::smb::{NtStatus, SmbMessage};

// Input: the port's rules and what slots say, then (what, seconds that pass, length (2 bytes), bytes).
fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    let limits = limits();
    let gate = Gate::new(limits);
    let mut answered = 0;
    let counted = allocation_counter::measure(|| answered = run(&gate, limits, first, rest));
    // What is held, the messages that the driver has, and the answers to one input, whatever lengths the bytes name; and
    // the driver's answers to calls.
    let bound = 2 * limits.session_bytes + 8 * data.len() + (64 << 10) + 4 * answered;
    assert!(counted.bytes_max <= bound as u64, "{} bytes for {}", counted.bytes_max, data.len());
    let stats = gate.stats();
    assert_eq!((stats.open, stats.held, stats.accepted), (0, 0, 1));
    assert_eq!(stats.closed.values().sum::<u64>(), 1);
});

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.session_bytes = 4096;
    limits.session_transactions = 2;
    limits.session_pieces = 3;
    limits.session_ids = 3;
    limits.session_name_bytes = 64;
    limits
}

/// How many bytes of answers to calls the driver had.
fn run(gate: &Gate, limits: Limits, first: u8, mut rest: &[u8]) -> usize {
    let mut all_answered = 0;
    let framing = if first & 1 == 0 { Framing::Session } else { Framing::Direct };
    let config = ServerConfig {
        names: vec!["PC7<20>".parse().expect("a name")],
        domain: "LAB".to_owned(),
        challenge: [7; 8],
        system_time: 1,
    };
    let admission = gate.admit([10, 0, 0, 1].into()).expect("the first");
    let mut now = Duration::ZERO;
    let mut server = Server::new(now, Arc::new(config), admission, framing);
    while let Some((&[what, passed, high, low], after)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([high, low])).min(after.len());
        let (bytes, next) = after.split_at(length);
        rest = next;
        now += Duration::from_secs(passed.into());
        if server.poll_timeout().is_some_and(|at| at <= now) {
            server.handle_timeout(now);
            assert!(server.poll_timeout().is_none_or(|at| at > now));
        }
        if what == 0xff {
            server.close(CloseReason::Shutdown);
        } else {
            server.handle_input(now, bytes);
        }
        let (mut written, mut answered) = (0, 0);
        while let Some(event) = server.poll_event() {
            match event {
                ServerEvent::Write(write) => {
                    written += write.data.len();
                    assert!(write.name().as_bytes().len() <= limits.session_name_bytes);
                    let refuse = first & 2 != 0;
                    let result =
                        if refuse { Err(NtStatus::OBJECT_NAME_NOT_FOUND) } else { Ok(write.data.len()) };
                    server.answer(write.id, result);
                    // A second answer is none.
                    server.answer(write.id, result);
                }
                ServerEvent::Call(call) => {
                    // Little, so that the bound on what is allocated means something; or what takes several messages.
                    let most = if first & 8 == 0 { 200 } else { 65_535 };
                    let data = vec![2; usize::from(call.max_data).min(most)];
                    answered += data.len();
                    all_answered += data.len();
                    let refuse = first & 4 != 0;
                    let blocks = (&[1; 8][..], &data[..]);
                    server
                        .answer_call(call.id, if refuse { Err(NtStatus::NOT_SUPPORTED) } else { Ok(blocks) });
                }
                ServerEvent::Closed(reason) => assert!(!reason.name().is_empty() && server.is_closed()),
                _ => {}
            }
        }
        // A message is made of bytes that came.
        assert!(written <= bytes.len() + limits.session_bytes);
        assert!(gate.stats().held <= limits.session_bytes);
        let output = server.take_output();
        // Each answer is to at least the 36 bytes of a request, or to the end of what came before.
        assert!(
            output.len() <= 12 * bytes.len() + 1024 + 2 * answered,
            "{} bytes to {}",
            output.len(),
            bytes.len()
        );
        see(framing, &output);
        if server.is_closed() {
            assert_eq!(server.poll_timeout(), None);
            server.handle_input(now, bytes);
            assert!(server.take_output().is_empty() && server.poll_event().is_none());
        }
    }
    all_answered
}

/// All that is said is whole packets, and messages that are answers.
fn see(framing: Framing, mut output: &[u8]) {
    while !output.is_empty() {
        let Ok(Next::Packet(length)) = nbss::next_packet(framing, output) else { panic!("no packet") };
        let (packet, after) = output.split_at(length);
        output = after;
        if let nbss::Body::Message(message) = nbss::Packet::decode(packet).expect("a packet").body() {
            let message = SmbMessage::decode(message).expect("a message");
            assert!(message.header().is_reply());
        }
    }
}

//! Answers every name query with its own address and does nothing else: no names, no checks. It shows what is left of
//! a rate when the answering costs nothing. For `benches/lab/answers.sh`.
//!
//!     responder ADDRESS

use std::net::{IpAddr, UdpSocket};

/// Bytes of a query for one name without a scope: header, name, type and class.
const QUERY: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address: IpAddr = std::env::args().nth(1).ok_or("responder ADDRESS")?.parse()?;
    let IpAddr::V4(own) = address else { return Err("an IPv4 address".into()) };
    let socket = UdpSocket::bind((address, 137))?;
    let mut query = [0; QUERY];
    let mut answer = Vec::new();
    loop {
        let (length, peer) = socket.recv_from(&mut query)?;
        let [id0, id1, flags, ..] = query;
        if length < QUERY || flags & 0x80 != 0 {
            continue;
        }
        // RFC 1002 §4.2.13: one answer, authoritative; NB, IN, 300 s, 6 bytes.
        answer.clear();
        answer.extend_from_slice(&[id0, id1, 0x85, 0x80, 0, 0, 0, 1, 0, 0, 0, 0]);
        answer.extend(query.iter().skip(12).take(34));
        answer.extend_from_slice(&[0, 0x20, 0, 1, 0, 0, 1, 0x2C, 0, 6, 0, 0]);
        answer.extend_from_slice(&own.octets());
        socket.send_to(&answer, peer)?;
    }
}

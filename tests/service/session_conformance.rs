//! Dialogues of sessions, step by step: what others have said on the wire, and what is said to it here.
//!
//! `testdata/conformance/session_server/<case>/` and `session_client/<case>/`: `setup` is what the machine is and where
//! the inputs are from, then `NN-input` and `NN-output` in the order in which things happen. An input is a packet in hex,
//! or a word; behind `#` stands where it is from. An output is what is said, and a packet of it in hex. `MAILSLOT_BLESS`
//! writes the outputs; what each says is in `setup`, by hand.

use std::collections::VecDeque;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mailslot::service::session::{
    Client, ClientEvent, ConnectFailure, Gate, Outgoing, Server, ServerConfig, ServerEvent,
};
use mailslot::service::{Limits, Machine};
use mailslot::wire::Decode;
use mailslot::wire::nbss::{self, Framing, Next, next_packet};
use mailslot::wire::smb::{NtStatus, Protocol, SmbMessage};

use crate::session_support::{client_config, name, server_config};

/// What a machine says, as lines of text: what it is, and its bytes.
type Said = Vec<String>;

/// `TRANSACTION request`, `TRANSACTION response NOT_SUPPORTED`, `positive response`.
fn packets(framing: Framing, mut bytes: &[u8], said: &mut Said) {
    while !bytes.is_empty() {
        let Ok(Next::Packet(length)) = next_packet(framing, bytes) else { panic!("{}", hex::encode(bytes)) };
        let (packet, rest) = bytes.split_at(length);
        bytes = rest;
        let decoded = nbss::Packet::decode(packet).expect("a packet");
        let mut what = match decoded.body() {
            nbss::Body::Message(message) => {
                let message = SmbMessage::decode(message).expect("a message");
                let (header, mut text) = (message.header(), String::new());
                let bodies = std::iter::once(message.body().clone()).chain(message.chained());
                for body in bodies {
                    let _ = write!(text, "{} ", body.command());
                }
                if header.is_reply() {
                    let status =
                        header.status.name().map_or_else(|| header.status.to_string(), str::to_owned);
                    format!("{text}response {status}")
                } else {
                    format!("{text}request")
                }
            }
            _ => decoded.packet_type().to_string(),
        };
        if let nbss::Body::Negative(code) = decoded.body() {
            let _ = write!(what, " {:02x}", code.0);
        }
        said.push(format!("{what}\n{}\n", hex::encode(packet)));
    }
}

struct Case {
    folder: PathBuf,
    setup: Vec<String>,
}

impl Case {
    fn lines(&self, word: &str) -> impl Iterator<Item = &str> {
        self.setup.iter().filter_map(move |line| line.strip_prefix(word)?.strip_prefix(' '))
    }

    /// Gives the inputs to `tell`, and compares what it says with the outputs between them.
    fn run(&self, first: Said, mut tell: impl FnMut(&str, &[u8]) -> Said) {
        let bless = std::env::var_os("MAILSLOT_BLESS").is_some();
        let mut files: Vec<PathBuf> =
            fs::read_dir(&self.folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.retain(|file| !file.ends_with("setup"));
        files.sort();
        let steps: Vec<(PathBuf, String)> =
            files.into_iter().map(|file| (file.clone(), fs::read_to_string(file).unwrap())).collect();
        if bless {
            steps.iter().for_each(|(file, _)| fs::remove_file(file).unwrap());
        }
        let mut says = String::new();
        let mut said: VecDeque<String> = first.into();
        let mut number = 0;
        for (file, text) in steps {
            if file.to_string_lossy().ends_with("-output") {
                if !bless {
                    let one = said.pop_front();
                    assert_eq!(one.as_deref(), Some(text.as_str()), "{}", file.display());
                }
                continue;
            }
            assert!(bless || said.is_empty(), "{}: before it {said:?}", file.display());
            if bless {
                self.write(&mut number, &mut said);
                number += 1;
                fs::write(self.folder.join(format!("{number:02}-input")), &text).unwrap();
            }
            let input = text.lines().next().expect("a line");
            said = tell(input, &hex::decode(input).unwrap_or_default()).into();
            for one in &said {
                says.push_str(one.lines().next().expect("a line"));
                says.push('\n');
            }
        }
        if bless {
            self.write(&mut number, &mut said);
        }
        assert!(said.is_empty(), "{}: at the end {said:?}", self.folder.display());
        // What is said in all, as the setup has it.
        let wanted: Vec<&str> = self.lines("says").collect();
        let got: Vec<&str> = says.lines().collect();
        assert_eq!(got, wanted, "{}", self.folder.display());
    }

    fn write(&self, number: &mut usize, said: &mut VecDeque<String>) {
        for one in said.drain(..) {
            *number += 1;
            fs::write(self.folder.join(format!("{number:02}-output")), one).unwrap();
        }
    }
}

fn cases(machine: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/conformance").join(machine);
    let mut folders: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|case| case.unwrap().path()).collect();
    folders.sort();
    let setup = |folder: &PathBuf| {
        fs::read_to_string(folder.join("setup")).unwrap().lines().map(str::to_owned).collect()
    };
    folders.into_iter().map(|folder| Case { setup: setup(&folder), folder }).collect()
}

/// A server whose slots are those of the setup: `slot NAME BYTES MESSAGES`.
#[test]
fn the_server_answers_what_others_have_said() {
    let cases = cases("session_server");
    assert!(cases.len() >= 12);
    for case in cases {
        let framing = match case.lines("port").next() {
            Some("139") => Framing::Session,
            _ => Framing::Direct,
        };
        let mut slots: Vec<(String, usize, usize)> = case
            .lines("slot")
            .map(|line| {
                let mut words = line.split(' ');
                let mut number = || words.next_back().expect("a number").parse().expect("a number");
                let (messages, bytes) = (number(), number());
                (words.next().expect("a name").to_owned(), bytes, messages)
            })
            .collect();
        let config = Arc::new(ServerConfig { names: vec![name("LMB1<20>")], ..(*server_config()).clone() });
        let gate = Gate::new(Limits::default());
        let admission = gate.admit([10, 99, 0, 14].into()).expect("let in");
        let mut server = Server::new(Duration::ZERO, config, admission, framing);
        case.run(Said::new(), |_, data| {
            let mut said = Said::new();
            server.handle_input(Duration::ZERO, data);
            while let Some(event) = server.poll_event() {
                match event {
                    ServerEvent::Write(write) => {
                        let name = write.name().decode(Default::default());
                        let slot = slots.iter_mut().find(|slot| slot.0 == name);
                        let result = match slot {
                            None => Err(NtStatus::OBJECT_NAME_NOT_FOUND),
                            Some((_, bytes, messages)) if *messages > 0 && write.data.len() <= *bytes => {
                                *messages -= 1;
                                Ok(write.data.len())
                            }
                            Some(_) => Err(NtStatus::INSUFF_SERVER_RESOURCES),
                        };
                        if result.is_ok() {
                            said.push(format!("message {name}\n{}\n", hex::encode(&write.data)));
                        }
                        server.answer(write.id, result);
                    }
                    // As a node without a browser service does.
                    ServerEvent::Call(call) => server.answer_call(call.id, Err(NtStatus::NOT_SUPPORTED)),
                    ServerEvent::Closed(reason) => said.push(format!("closed {}\n", reason.name())),
                    _ => {}
                }
            }
            packets(framing, &server.take_output(), &mut said);
            said
        });
    }
}

/// A client with one message, `write NAME BYTES`, by the ports of `ports`.
#[test]
fn the_client_says_what_others_have_answered() {
    let cases = cases("session_client");
    assert!(cases.len() >= 8);
    for case in cases {
        let framings: Vec<Framing> = case
            .lines("ports")
            .flat_map(|line| line.split(' '))
            .map(|port| if port == "139" { Framing::Session } else { Framing::Direct })
            .collect();
        let write = case.lines("write").next().expect("a message");
        let (to, length) = write.split_once(' ').expect("a length");
        let outgoing = Outgoing {
            name: to.as_bytes().to_vec(),
            data: vec![b'x'; length.parse().expect("a number")].into(),
            priority: 0,
            one_way: false,
        };
        let mut client = Client::new(Duration::ZERO, client_config(&framings), Limits::default());
        client.write(Duration::ZERO, outgoing);
        let mut framing = Framing::Direct;
        let mut say = |client: &mut Client| {
            let mut said = Said::new();
            let mut next = framing;
            while let Some(event) = client.poll_event() {
                match event {
                    ClientEvent::Connect(target) => {
                        next = target.framing;
                        said.push(format!("connect {}\n", target.address));
                    }
                    ClientEvent::Written { result: Ok(()), .. } => said.push("written\n".to_owned()),
                    ClientEvent::Written { result: Err(error), .. } => {
                        said.push(format!("not written: {error}\n"));
                    }
                    ClientEvent::Closed(_) => said.push("closed\n".to_owned()),
                    _ => {}
                }
            }
            packets(framing, &client.take_output(), &mut said);
            framing = next;
            said
        };
        let first = say(&mut client);
        case.run(first, |word, data| {
            match word {
                "connected" => client.connected(Duration::ZERO),
                "refused" => client.connect_failed(Duration::ZERO, ConnectFailure::Refused),
                "end" => client.disconnected_at(Duration::ZERO),
                "silence" => {
                    let at = client.poll_timeout().expect("it waits");
                    client.handle_timeout(at);
                }
                _ => {
                    assert!(Protocol::of(&data[4..]).is_some() || data[0] != 0);
                    client.handle_input(Duration::ZERO, data);
                }
            }
            say(&mut client)
        });
    }
}

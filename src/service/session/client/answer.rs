//! What a client makes of the server's answers.

use core::net::SocketAddrV4;
use core::time::Duration;

use super::{Client, Event, Phase, Target};
use crate::service::session::writes::largest_message;
use crate::service::session::{SessionError, Status, Step, any_server, ntlmssp, put_message};
use crate::wire::nbss::{self, Framing, NegativeCode};
use crate::wire::smb::{
    Body, Capabilities, Flags2, Header, Logoff, NegotiateResponse, NtStatus, Protocol, SmbMessage,
};
use crate::wire::{Decode, Encode};

impl Client {
    pub(super) fn packet(&mut self, now: Duration, bytes: &[u8]) {
        let packet = match nbss::Packet::decode(bytes) {
            Ok(packet) => packet,
            Err(source) => return self.damaged(now, source),
        };
        match packet.body() {
            nbss::Body::Keepalive => {}
            nbss::Body::Message(message) if self.phase != Phase::Step(Step::Call) => {
                self.message(now, message)
            }
            body if self.phase == Phase::Step(Step::Call) => self.called_answer(now, body),
            _ => self.unexpected(now),
        }
    }

    fn called_answer(&mut self, now: Duration, body: &nbss::Body<'_>) {
        let address = self.target.address;
        match body {
            nbss::Body::Positive => self.negotiate(now),
            nbss::Body::Negative(
                NegativeCode::NOT_LISTENING_ON_CALLED | NegativeCode::CALLED_NOT_PRESENT,
            ) if self.called != any_server() => {
                // The name may be one that only the name service knows by.
                self.called = any_server();
                self.connect(now, self.target);
            }
            nbss::Body::Negative(code) => self.fail(now, SessionError::Negative { address, code: *code }),
            nbss::Body::Retarget { ip, port, .. } => {
                let to = SocketAddrV4::new(*ip, *port);
                let near = self.config.subnet.is_some_and(|subnet| subnet.contains(*ip));
                if self.retargeted || !near || *port == 0 {
                    return self.fail(now, SessionError::Retarget { address, to });
                }
                self.retargeted = true;
                self.connect(now, Target { address: to, framing: Framing::Session });
            }
            _ => self.unexpected(now),
        }
    }

    fn message(&mut self, now: Duration, bytes: &[u8]) {
        if Protocol::of(bytes) != Some(Protocol::Smb1) {
            let error = SessionError::NoSmb1 { address: self.target.address };
            return self.fail(now, error);
        }
        let message = match SmbMessage::decode(bytes) {
            Ok(message) => message,
            Err(source) => return self.damaged(now, source.at(nbss::HEADER_LEN)),
        };
        let header = message.header();
        if !header.is_reply() {
            self.stray_answers += 1;
            return;
        }
        if self.phase == Phase::Ready {
            return self.write_answer(now, &message);
        }
        if header.mid != self.last_mid {
            self.stray_answers += 1;
            return;
        }
        match (self.phase, message.body()) {
            (Phase::TreeDisconnect, _) => {
                self.phase = Phase::Logoff;
                self.request(Ok(Body::LogoffRequest(Logoff::new())));
            }
            (Phase::Logoff, _) => self.over(None),
            (Phase::Step(Step::SessionSetup), Body::SessionSetupResponse(body)) if self.extended => {
                let more = header.status == NtStatus::MORE_PROCESSING_REQUIRED;
                if !more {
                    return self.logged_on(now, header);
                }
                self.uid = header.uid;
                self.rounds += 1;
                match ntlmssp::check_challenge(body.security_blob().unwrap_or_default()) {
                    Ok(()) if self.rounds == 1 => self.set_up(now, &ntlmssp::authenticate()),
                    Ok(()) => self.unexpected(now),
                    Err(source) => self.damaged(now, source),
                }
            }
            _ if header.status != NtStatus::SUCCESS => {
                let (address, step, status) = (self.target.address, self.at(), status(header));
                self.fail(now, SessionError::Refused { address, step, status });
            }
            (Phase::Step(Step::Negotiate), Body::NegotiateResponse(body)) => self.negotiated(now, body),
            (Phase::Step(Step::SessionSetup), Body::SessionSetupResponse(_)) => self.logged_on(now, header),
            (Phase::Step(Step::TreeConnect), Body::TreeConnectResponse(_)) => {
                self.tid = header.tid;
                self.phase = Phase::Ready;
                self.events.push_back(Event::Ready(self.target));
                self.pump(now);
            }
            _ => self.unexpected(now),
        }
    }

    fn negotiated(&mut self, now: Duration, body: &NegotiateResponse<'_>) {
        let NegotiateResponse::Nt(nt) = body else {
            let error = SessionError::NoSmb1 { address: self.target.address };
            return self.fail(now, error);
        };
        let words = nt.words();
        if words.dialect_index != 0 {
            return self.unexpected(now);
        }
        self.extended = nt.is_extended();
        self.rounds = 0;
        self.unicode = words.capabilities.contains(Capabilities::UNICODE);
        self.session_key = words.session_key;
        self.largest = largest_message(words.max_buffer_size);
        self.max_in_flight = usize::from(words.max_mpx_count).min(self.limits.session_writes).max(1);
        self.set_up(now, &ntlmssp::negotiate());
    }

    fn logged_on(&mut self, now: Duration, header: &Header) {
        if header.status != NtStatus::SUCCESS {
            let (address, status) = (self.target.address, status(header));
            return self.fail(now, SessionError::Refused { address, step: Step::SessionSetup, status });
        }
        self.uid = header.uid;
        self.connect_tree(now);
    }

    fn write_answer(&mut self, now: Duration, message: &SmbMessage<'_>) {
        let header = message.header();
        if self.calls.contains_key(&header.mid) {
            return self.call_answer(now, message);
        }
        let Some(write) = self.in_flight.get_mut(&header.mid) else {
            // smbd answers one-way writes, too.
            self.stray_answers += 1;
            return;
        };
        if header.status == NtStatus::SUCCESS && !write.is_sent() {
            if !message.is_interim() {
                return self.unexpected(now);
            }
            write.deadline = now.saturating_add(self.limits.session_step);
            return self.send_rest(now, header.mid);
        }
        let id = write.id;
        self.in_flight.remove(&header.mid);
        let (address, step) = (self.target.address, Step::Write);
        let result = match header.status {
            NtStatus::SUCCESS => Ok(()),
            _ => Err(SessionError::Refused { address, step, status: status(header) }),
        };
        self.events.push_back(Event::Written { id, result });
        self.pump(now);
    }

    fn send_rest(&mut self, now: Duration, mid: u16) {
        let header = self.header_of(mid);
        let Some(write) = self.in_flight.get_mut(&mid) else { return };
        while let Some(body) = write.further(self.largest) {
            match body.and_then(|body| SmbMessage::new(header, body)) {
                Ok(message) => put_message(&mut self.output, &message.to_bytes()),
                Err(source) => return self.fail(now, SessionError::BadMessage { source }),
            }
        }
        if write.message.one_way {
            let id = write.id;
            self.in_flight.remove(&mid);
            self.events.push_back(Event::Written { id, result: Ok(()) });
            self.pump(now);
        }
    }
}

/// The status of an answer in the form that its Flags2 names.
pub(super) const fn status(header: &Header) -> Status {
    if header.flags2.contains(Flags2::NT_STATUS) {
        Status::Nt(header.status)
    } else {
        Status::Dos(header.status.dos())
    }
}

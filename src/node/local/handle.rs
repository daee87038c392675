//! Handles of slots that are in another process.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use bytes::Bytes;

use super::asked::Asked;
use super::channel::Channel;
use super::{LocalError, convert};
use crate::node::Clock;
use crate::slot::{Access, Info, MailslotError, Message, ReadTimeout, SlotName, Stats};
use crate::wire::local::{Body, FailureCode, Frame};
use crate::wire::{Decode, DecodeError};

/// A handle on the other side of a socket.
#[derive(Debug)]
pub(in crate::node) struct Remote {
    channel: Channel,
    clock: Clock,
    name: SlotName,
    access: Access,
    place: PathBuf,
}

/// What became of the messages that were posted since the last flush.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Flushed {
    /// Messages that were refused. None of them was queued, and the slot counts them by reason.
    pub refused: u64,
    /// Why the first was.
    pub first: Option<MailslotError>,
}

impl Remote {
    /// A connection that [`Body::Opened`] has made a handle.
    pub(super) fn new(
        stream: UnixStream,
        place: PathBuf,
        name: SlotName,
        access: u32,
    ) -> Result<Self, LocalError> {
        let channel = Channel::new(stream).map_err(|source| LocalError::File {
            operation: "use",
            path: place.clone(),
            source,
        })?;
        let access = Access::from_bits_retain(access);
        Ok(Self { channel, clock: Clock::start(), name, access, place })
    }

    pub(in crate::node) const fn name(&self) -> &SlotName {
        &self.name
    }

    pub(in crate::node) const fn clock(&self) -> Clock {
        self.clock
    }

    fn read_body(&self, timeout: Option<ReadTimeout>, capacity: usize, count: usize) -> Body<'static> {
        let (capacity, count) = (convert::number(capacity), convert::number(count));
        Body::Read { timeout: timeout.map(ReadTimeout::as_millis), capacity, count }
    }

    pub(in crate::node) async fn recv(
        &self,
        timeout: Option<ReadTimeout>,
        capacity: usize,
        count: usize,
    ) -> Result<Vec<Message>, MailslotError> {
        self.messages(&self.channel.request(self.read_body(timeout, capacity, count))?.await?, capacity)
    }

    pub(in crate::node) fn recv_blocking(
        &self,
        timeout: Option<ReadTimeout>,
        capacity: usize,
        count: usize,
    ) -> Result<Vec<Message>, MailslotError> {
        self.messages(&self.channel.request(self.read_body(timeout, capacity, count))?.wait()?, capacity)
    }

    /// None is longer than `capacity`: a C program's buffer has no more.
    fn messages(&self, answer: &Bytes, capacity: usize) -> Result<Vec<Message>, MailslotError> {
        match self.decode(answer)? {
            Body::Messages(list) if list.iter().any(|listed| listed.data.len() > capacity) => {
                Err(unexpected())
            }
            Body::Messages(list) => {
                let now = self.clock.now();
                Ok(list.iter().map(|listed| convert::message(&listed, answer, now)).collect())
            }
            _ => Err(unexpected()),
        }
    }

    /// Ends the reads that wait.
    pub(in crate::node) fn cancel_reads(&self) -> Result<(), MailslotError> {
        self.call(Body::Cancel { read: None }, |body| matches!(body, Body::Done).then_some(()))
    }

    pub(in crate::node) fn info(&self) -> Result<Info, MailslotError> {
        self.call(Body::GetInfo, |body| match body {
            Body::Info { max_message_size, next_size, message_count, read_timeout } => {
                Some(convert::info(max_message_size, next_size, message_count, read_timeout))
            }
            _ => None,
        })
    }

    pub(in crate::node) fn set_info(&self, read_timeout: ReadTimeout) -> Result<(), MailslotError> {
        let read_timeout = read_timeout.as_millis();
        self.call(Body::SetInfo { read_timeout }, |body| matches!(body, Body::Done).then_some(()))
    }

    pub(in crate::node) fn stats(&self) -> Result<Stats, MailslotError> {
        self.call(Body::GetStats, |body| match body {
            Body::Stats { counters } => Some(convert::stats(counters)),
            _ => None,
        })
    }

    /// Another handle to the same slot, on a connection of its own.
    pub(in crate::node) fn duplicate(&self) -> Result<Self, LocalError> {
        let access = self.access.bits();
        let token = self.call(Body::Duplicate { access }, |body| match body {
            Body::Duplicated { token } => Some(token),
            _ => None,
        })?;
        let mut asked = Asked::at(&self.place)?;
        let (name, access) = asked.open(Body::Attach { token }, &self.name)?;
        let (stream, node) = asked.into_parts();
        Self::new(stream, node.socket, name, access)
    }

    /// Closes the handle, for all that use it.
    pub(in crate::node) fn close(&self) {
        self.channel.close();
    }

    /// The descriptor, to be passed to another process; the caller then lets go of this one.
    pub(in crate::node) fn idle_fd(&self) -> Option<OwnedFd> {
        self.channel.idle_fd()
    }

    pub(in crate::node) async fn write(&self, data: &[u8]) -> Result<usize, MailslotError> {
        self.written(data, &self.channel.request(Body::Write { data })?.await?)
    }

    pub(in crate::node) fn write_blocking(&self, data: &[u8]) -> Result<usize, MailslotError> {
        self.written(data, &self.channel.request(Body::Write { data })?.wait()?)
    }

    fn written(&self, data: &[u8], answer: &Bytes) -> Result<usize, MailslotError> {
        match self.decode(answer)? {
            Body::Written { .. } => Ok(data.len()),
            _ => Err(unexpected()),
        }
    }

    pub(in crate::node) async fn post(&self, data: &[u8]) -> Result<(), MailslotError> {
        self.channel.post(Body::Post { data })?;
        self.channel.sent().await
    }

    pub(in crate::node) fn post_blocking(&self, data: &[u8]) -> Result<(), MailslotError> {
        self.channel.post(Body::Post { data })?;
        self.channel.wait_sent()
    }

    pub(in crate::node) async fn flush(&self) -> Result<Flushed, MailslotError> {
        self.flushed(&self.channel.request(Body::Flush)?.await?)
    }

    pub(in crate::node) fn flush_blocking(&self) -> Result<Flushed, MailslotError> {
        self.flushed(&self.channel.request(Body::Flush)?.wait()?)
    }

    fn flushed(&self, answer: &Bytes) -> Result<Flushed, MailslotError> {
        match self.decode(answer)? {
            Body::Flushed { refused, first } => {
                let first = (first.code != FailureCode::NONE).then(|| convert::error(&first, &self.name));
                Ok(Flushed { refused, first })
            }
            _ => Err(unexpected()),
        }
    }

    /// A request that the node answers at once.
    fn call<T>(&self, body: Body<'_>, take: impl Fn(Body<'_>) -> Option<T>) -> Result<T, MailslotError> {
        let answer = self.channel.request(body)?.wait()?;
        take(self.decode(&answer)?).ok_or_else(unexpected)
    }

    fn decode<'a>(&self, answer: &'a [u8]) -> Result<Body<'a>, MailslotError> {
        match Frame::decode(answer).map(Frame::into_body).map_err(wrong)? {
            Body::Failed(failure) => Err(convert::error(&failure, &self.name)),
            body => Ok(body),
        }
    }
}

fn wrong(error: DecodeError) -> MailslotError {
    MailslotError::NodeGone { reason: format!("its answer is wrong: {error}") }
}

fn unexpected() -> MailslotError {
    MailslotError::NodeGone { reason: "its answer does not belong to the request".to_owned() }
}

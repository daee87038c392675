//! Reads that go on while their caller does something else.
//!
//! A read is sent before the call returns, so that reads are served in the order of their calls. A question that the
//! node answers at once follows it: once that answer is here, a message that was there already is here too.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use core_slots::slot::{MailslotError, Message};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::handles::Object;

/// One thread waits for all reads of the process.
static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let runtime =
        Builder::new_multi_thread().worker_threads(1).thread_name("libmailslot").enable_all().build();
    runtime.ok()
});

/// What became of a read at the call.
pub(crate) enum Started {
    Complete(Result<Message, Failure>),
    Pending,
}

/// The reads of a handle that can be cancelled one by one: the address of each `OVERLAPPED`, and how to tell it.
#[derive(Debug, Default)]
pub(crate) struct Cancellable(Mutex<Vec<(usize, oneshot::Sender<()>)>>);

impl Cancellable {
    fn lock(&self) -> MutexGuard<'_, Vec<(usize, oneshot::Sender<()>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a read, and forgets those that are over.
    fn add(&self, at: usize, tell: oneshot::Sender<()>) {
        let mut reads = self.lock();
        reads.retain(|(_, told)| !told.is_closed());
        reads.push((at, tell));
    }

    /// Cancels the read at this address.
    pub(crate) fn cancel(&self, at: usize) -> Result<(), Failure> {
        let mut reads = self.lock();
        reads.retain(|(_, told)| !told.is_closed());
        let found = reads.iter().position(|(other, _)| *other == at);
        let (_, told) = reads.swap_remove(found.ok_or(MailslotError::NothingPending)?);
        drop(reads);
        told.send(()).map_err(|()| MailslotError::NothingPending.into())
    }
}

type Reading = Pin<Box<dyn Future<Output = Result<Message, Failure>> + Send>>;

/// Begins a read; `done` is told the end of one that is pending.
pub(crate) fn start(
    object: &Arc<Object>,
    capacity: usize,
    at: usize,
    done: impl FnOnce(Result<Message, Failure>) + Send + 'static,
) -> Result<Started, Failure> {
    let runtime = RUNTIME.as_ref().ok_or_else(|| Failure::system("no runtime for reads".to_owned()))?;
    let _entered = runtime.enter();
    let mailslot = object.mailslot()?;
    let reader = Arc::clone(object);
    let mut reading: Reading = Box::pin(async move {
        let mailslot = reader.mailslot()?;
        let reader = mailslot.server()?;
        reader.reader().recv_up_to(capacity).await.map_err(|error| mailslot.failed(error))
    });
    let mut look = Context::from_waker(Waker::noop());
    if let Poll::Ready(result) = reading.as_mut().poll(&mut look) {
        return Ok(Started::Complete(result));
    }
    // If the node is gone, the read says so itself.
    let _ = mailslot.info();
    if let Poll::Ready(result) = reading.as_mut().poll(&mut look) {
        return Ok(Started::Complete(result));
    }
    let (tell, mut told) = oneshot::channel();
    mailslot.cancellable.add(at, tell);
    runtime.spawn(async move {
        let result = poll_fn(|cx| {
            if let Poll::Ready(result) = reading.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            match Pin::new(&mut told).poll(cx) {
                Poll::Ready(Ok(())) => Poll::Ready(Err(Failure::aborted())),
                _ => Poll::Pending,
            }
        })
        .await;
        // A message that comes now goes to the next read.
        drop(reading);
        drop(told);
        done(result);
    });
    Ok(Started::Pending)
}

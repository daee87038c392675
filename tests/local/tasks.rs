//! The same handles in tasks of a runtime.

use core::time::Duration;

use mailslot::node::local::Admit;
use mailslot::slot::{MailslotError, OpenOptions};

use crate::{Machine, forever, path};

/// A read that is dropped loses nothing, whenever that happens.
#[tokio::test]
async fn a_dropped_read_loses_nothing() {
    let machine = Machine::new();
    let soda = machine.client().create(&path("soda"), forever(), Admit::Default).expect("new");
    let writer = machine.client().open(&path("soda"), OpenOptions::default()).expect("it is there");
    for number in 0..300_u32 {
        let mut read = Box::pin(soda.recv());
        // One poll: the read is at the node, or on its way there.
        core::future::poll_fn(|cx| {
            let _ = read.as_mut().poll(cx);
            core::task::Poll::Ready(())
        })
        .await;
        if number % 2 == 0 {
            writer.write(&number.to_le_bytes()).await.expect("room");
        } else {
            writer.post(&number.to_le_bytes()).await.expect("a node");
        }
        if number % 3 == 0 {
            assert_eq!(&read.await.expect("a message").data[..], number.to_le_bytes());
        } else {
            drop(read);
            // The answer may have come for the dropped one.
            assert_eq!(&soda.recv().await.expect("a message").data[..], number.to_le_bytes());
        }
    }
}

/// Messages that come for a read that was dropped go to the next ones, whatever those take: one at a time, in order, and
/// none that is longer than the read has room for.
#[tokio::test]
async fn what_a_dropped_read_leaves_fits_the_next_one() {
    let machine = Machine::new();
    let soda = machine.client().create(&path("soda"), forever(), Admit::Default).expect("new");
    let writer = machine.client().open(&path("soda"), OpenOptions::default()).expect("it is there");
    let mut read;
    loop {
        for message in [&b"a long message"[..], b"two", b"three"] {
            writer.write(message).await.expect("room");
        }
        read = Box::pin(soda.recv_many(3));
        let ready =
            core::future::poll_fn(|cx| core::task::Poll::Ready(read.as_mut().poll(cx).is_ready())).await;
        if !ready {
            break;
        }
    }
    // Answered after the read, so that the messages are on their way here.
    while soda.info().expect("a node").message_count > 0 {}
    drop(read);
    let too_long = soda.recv_up_to(4).await.expect_err("no room");
    assert_eq!(too_long, MailslotError::BufferTooSmall { needed: 14, have: 4 });
    assert_eq!(&soda.recv_up_to(14).await.expect("room").data[..], b"a long message");
    assert_eq!(&soda.recv().await.expect("the next").data[..], b"two");
    assert_eq!(&soda.recv_up_to(5).await.expect("room").data[..], b"three");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_and_threads_share_a_handle() {
    let machine = Machine::new();
    let soda =
        std::sync::Arc::new(machine.client().create(&path("soda"), forever(), Admit::Default).expect("new"));
    let writer = machine.client().open(&path("soda"), OpenOptions::default()).expect("it is there");
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let soda = soda.clone();
            tokio::spawn(async move {
                let mut count = 0;
                while soda.recv().await.expect("a message").data[..] != *b"end" {
                    count += 1;
                }
                count
            })
        })
        .collect();
    for number in 0..300_u32 {
        writer.post(&number.to_le_bytes()).await.expect("a node");
        if number % 10 == 0 {
            soda.info().expect("a node");
        }
    }
    for _ in 0..3 {
        writer.write(b"end").await.expect("room");
    }
    let mut total = 0;
    for task in tasks {
        total += task.await.expect("no panic");
    }
    assert_eq!(total, 300);
}

#[tokio::test]
async fn time_outs_and_ends_wake_tasks() {
    let machine = Machine::new();
    let soda = machine.client().create(&path("soda"), forever(), Admit::Default).expect("new");
    let timeout = soda.recv_timeout(Duration::from_millis(1)).await;
    assert_eq!(timeout.expect_err("empty"), MailslotError::Timeout);
    let (read, cancelled) = tokio::join!(soda.recv(), async { soda.cancel_reads() });
    assert_eq!(cancelled, Ok(()));
    assert_eq!(read.expect_err("cancelled"), MailslotError::Aborted);
    let many = tokio::join!(soda.recv_many(8), async {
        let writer = machine.client().open(&path("soda"), OpenOptions::default()).expect("it is there");
        writer.write(b"1").await.expect("room");
        writer.write(b"2").await.expect("room");
    });
    let many = many.0.expect("a message");
    assert_eq!(&many[0].data[..], b"1");
}

/// An answer that fills what the node keeps for a connection does not keep it from the next request.
#[tokio::test]
async fn long_messages_leave_the_handle_usable() {
    let machine = Machine::new();
    let soda = machine.client().create(&path("soda"), forever(), Admit::Default).expect("new");
    let writer = machine.client().open(&path("soda"), OpenOptions::default()).expect("it is there");
    let all = async {
        for size in [200_000, 262_145, 300_000, 1 << 20, 1 << 24].repeat(3) {
            writer.write(&vec![7; size]).await.expect("room");
            assert_eq!(soda.recv().await.expect("a message").data.len(), size);
            assert_eq!(soda.recv_timeout(Duration::ZERO).await.expect_err("empty"), MailslotError::Timeout);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("the node answers");
}

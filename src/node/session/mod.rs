//! Sessions in real time: the ports that listen, and the sessions to others, kept while they are warm.

mod listen;
mod pool;

use std::cell::RefCell;

use tokio::net::TcpStream;

pub(super) use listen::{Administration, Context, Listening};
pub(super) use pool::Pool;

/// Most bytes taken off a connection at a time.
const READ: usize = 64 << 10;

thread_local! {
    /// One for all connections of a thread: a session that is silent takes no buffer.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// What a connection had.
enum Read {
    /// Nothing yet.
    Nothing,
    Bytes,
    /// Its end, or an error.
    End,
}

/// Takes what a connection has, and gives it to `take`.
fn read(stream: &TcpStream, take: impl FnOnce(&[u8])) -> Read {
    BUFFER.with_borrow_mut(|buffer| match stream.try_read(buffer) {
        Ok(0) => Read::End,
        Ok(length) => {
            take(buffer.get(..length).unwrap_or_default());
            Read::Bytes
        }
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Read::Nothing,
        Err(_) => Read::End,
    })
}

/// Sends all of `bytes`.
async fn send(stream: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

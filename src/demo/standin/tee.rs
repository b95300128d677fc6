//! Keeps the bytes that come over a connection, so that tests can hold them to the last one. Owns
//! nothing else, and changes nothing of what is read or written.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::listener::lock;

/// A connection whose incoming bytes are also kept.
pub(super) struct Tee {
    stream: TcpStream,
    taken: Taken,
}

/// What came and has not been drained yet. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Taken(Arc<Mutex<Vec<u8>>>);

impl Tee {
    pub(super) fn new(stream: TcpStream) -> (Self, Taken) {
        let taken = Taken::default();
        (Self { stream, taken: taken.clone() }, taken)
    }
}

impl Taken {
    /// What came since the last time. After a request has been read to its end that is the request, as
    /// long as the client waits for its answer before it sends the next.
    pub(super) fn drain(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.0))
    }
}

impl AsyncRead for Tee {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = buffer.filled().get(before..).unwrap_or_default();
        lock(&self.taken.0).extend_from_slice(came);
        polled
    }
}

impl AsyncWrite for Tee {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

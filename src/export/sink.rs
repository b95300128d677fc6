//! Where a copy is written, and how it leaves: gathered into pieces, which wait in a short queue until
//! the client takes them, so that a copy is never in memory as a whole. A copy that is not written to
//! its end ends in an error, so that nobody takes it for whole.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use sea_orm::DbErr;
use tokio::sync::mpsc;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

/// What leaves at once, in bytes.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for the client.
const WAITING: usize = 2;

/// Why a copy was not written to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// Nobody takes it any more.
    Gone,
    Database(DbErr),
    Write(io::Error),
}

impl From<DbErr> for Broken {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<zip::result::ZipError> for Broken {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Write(error.into())
    }
}

enum Piece {
    Bytes(Bytes),
    End,
}

/// Takes what is written.
pub(super) struct Sink {
    file: File,
    gathered: Gathered,
    pieces: mpsc::Sender<Piece>,
}

enum File {
    Plain,
    Zip(Box<ZipWriter<StreamWriter<Gathered>>>),
}

/// What was written and has not left.
#[derive(Clone, Default)]
struct Gathered(Arc<Mutex<Vec<u8>>>);

impl Gathered {
    fn with<T>(&self, look: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Gathered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|gathered| gathered.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            File::Plain => self.gathered.write(bytes),
            File::Zip(zip) => zip.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    /// One document, and what its reader gets.
    pub fn plain() -> (Self, impl Stream<Item = io::Result<Bytes>> + Send + 'static) {
        Self::new(|_| File::Plain)
    }

    /// A ZIP archive of several.
    pub fn zip() -> (Self, impl Stream<Item = io::Result<Bytes>> + Send + 'static) {
        Self::new(|gathered| File::Zip(Box::new(ZipWriter::new_stream(gathered))))
    }

    fn new(
        file: impl FnOnce(Gathered) -> File,
    ) -> (Self, impl Stream<Item = io::Result<Bytes>> + Send + 'static) {
        let (pieces, taken) = mpsc::channel(WAITING);
        let gathered = Gathered::default();
        (Self { file: file(gathered.clone()), gathered, pieces }, read(taken))
    }

    /// Begins the next file of a ZIP archive.
    pub fn begin(&mut self, name: &str) -> Result<(), Broken> {
        if let File::Zip(zip) = &mut self.file {
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            zip.start_file(name, options)?;
        }
        Ok(())
    }

    /// Lets what has gathered leave, once it is enough. Waits while the client is behind.
    pub async fn pass_on(&mut self) -> Result<(), Broken> {
        match self.gathered.with(|gathered| gathered.len()) {
            PIECE.. => self.send().await,
            _ => Ok(()),
        }
    }

    /// Ends it: from here on it is whole.
    pub async fn finish(mut self) -> Result<(), Broken> {
        if let File::Zip(zip) = std::mem::replace(&mut self.file, File::Plain) {
            zip.finish()?;
        }
        self.send().await?;
        self.pieces.send(Piece::End).await.map_err(|_| Broken::Gone)
    }

    async fn send(&mut self) -> Result<(), Broken> {
        let mut rest = Bytes::from(self.gathered.with(std::mem::take));
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PIECE));
            self.pieces.send(Piece::Bytes(piece)).await.map_err(|_| Broken::Gone)?;
        }
        Ok(())
    }
}

/// The pieces as they come; an error where they stop before the end.
fn read(taken: mpsc::Receiver<Piece>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    unfold(Some(taken), async |taken| {
        let mut taken = taken?;
        match taken.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(taken))),
            Some(Piece::End) => None,
            None => Some((Err(io::ErrorKind::ConnectionAborted.into()), None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_copy_that_is_not_finished_ends_in_an_error() {
        for finished in [true, false] {
            let (mut sink, pieces) = Sink::plain();
            let writer = tokio::spawn(async move {
                sink.write_all(&vec![b'x'; 3 * PIECE + 1]).unwrap();
                sink.pass_on().await.unwrap();
                if finished {
                    sink.finish().await.unwrap();
                }
            });
            let pieces: Vec<io::Result<Bytes>> = pieces.collect().await;
            writer.await.unwrap();
            let bytes: usize = pieces.iter().flatten().map(Bytes::len).sum();
            assert_eq!(bytes, 3 * PIECE + 1);
            assert_eq!(pieces.last().unwrap().is_ok(), finished);
        }
    }

    #[tokio::test]
    async fn no_more_than_a_few_pieces_wait_for_the_client() {
        let (mut sink, pieces) = Sink::plain();
        let (passed, mut counted) = mpsc::unbounded_channel();
        let writer = tokio::spawn(async move {
            loop {
                sink.write_all(&[b'x'; PIECE]).unwrap();
                if sink.pass_on().await.is_err() {
                    return;
                }
                passed.send(()).unwrap();
            }
        });
        for _ in 0..WAITING {
            counted.recv().await.unwrap();
        }
        tokio::task::yield_now().await;
        assert!(counted.try_recv().is_err(), "the next one waits");
        drop(pieces);
        writer.await.unwrap();
    }
}

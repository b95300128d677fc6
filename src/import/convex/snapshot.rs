//! The ZIP archive of an export: which tables it has, and the lines of one table, some at a time. Nothing of
//! it is written anywhere, and however it was made it takes no more memory than a few lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;
use zip::ZipArchive;

/// What the file with a table's rows is called.
const DOCUMENTS: &str = "/documents.jsonl";
/// The longest line: a document of Convex has at most 1 MiB, JSON may write some bytes as six.
const MAX_LINE: usize = 8 << 20;
/// What the tables may come to when unpacked, all together.
const MAX_UNPACKED: u64 = 16 << 30;
/// A table that unpacks to more than this, and to so many times of what it is packed, is no table.
const SUSPECT_FROM: u64 = 64 << 20;
const MAX_RATIO: u64 = 200;
/// Bytes of lines that wait to be worked on, about.
const PORTION: usize = 1 << 20;

/// Why the export cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("{0}")]
    File(io::Error),
    #[error("is not a ZIP archive, or not a whole one")]
    NotZip,
    #[error("{0}: is damaged")]
    Damaged(String),
    #[error("{0}: unpacks to more than any export would")]
    Bomb(String),
}

/// An export.
#[derive(Debug, Clone)]
pub struct Snapshot {
    path: PathBuf,
    /// Bytes that may still be unpacked.
    left: Arc<AtomicU64>,
    tables: Vec<String>,
}

/// A line, and its number in its file from 1 on.
#[derive(Debug)]
pub struct Line {
    pub number: u64,
    /// Nothing where it is too long.
    pub text: Option<Vec<u8>>,
}

impl Snapshot {
    /// # Errors
    /// The file is not there or is no ZIP archive.
    pub async fn open(path: &Path) -> Result<Self, SnapshotError> {
        let own = path.to_owned();
        let tables = blocking(move || {
            let archive = archive(&own)?;
            let names = archive.file_names().filter_map(Result::ok);
            let mut tables: Vec<String> = names
                .filter_map(|name| name.strip_suffix(DOCUMENTS).map(str::to_owned))
                // Convex's own, and parts of the app with tables of their own.
                .filter(|name| !name.starts_with('_') && !name.contains('/'))
                .collect();
            tables.sort();
            Ok(tables)
        })
        .await?;
        Ok(Self { path: path.to_owned(), left: Arc::new(AtomicU64::new(MAX_UNPACKED)), tables })
    }

    /// The tables that it has, in the order of their names.
    pub fn tables(&self) -> &[String] {
        &self.tables
    }

    /// The lines of a table, in portions; an error is the last of them.
    pub fn lines(&self, table: &str) -> mpsc::Receiver<Result<Vec<Line>, SnapshotError>> {
        let (sender, receiver) = mpsc::channel(2);
        let (path, left, name) = (self.path.clone(), self.left.clone(), format!("{table}{DOCUMENTS}"));
        tokio::task::spawn_blocking(move || {
            if let Err(error) = read(&path, &left, &name, &sender) {
                let _ = sender.blocking_send(Err(error));
            }
        });
        receiver
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SnapshotError> + Send + 'static,
) -> Result<T, SnapshotError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(SnapshotError::File(io::Error::other(error))))
}

fn archive(path: &Path) -> Result<ZipArchive<BufReader<File>>, SnapshotError> {
    let file = File::open(path).map_err(SnapshotError::File)?;
    ZipArchive::new(BufReader::new(file)).map_err(|_| SnapshotError::NotZip)
}

/// Gives the lines of one file away until nobody wants them any more.
fn read(
    path: &Path,
    left: &AtomicU64,
    name: &str,
    sender: &mpsc::Sender<Result<Vec<Line>, SnapshotError>>,
) -> Result<(), SnapshotError> {
    let mut archive = archive(path)?;
    let damaged = || SnapshotError::Damaged(name.to_owned());
    let file = archive.by_name(name).map_err(|_| damaged())?;
    let most = SUSPECT_FROM.max(file.compressed_size().saturating_mul(MAX_RATIO));
    let mut reader = BufReader::with_capacity(64 << 10, Bounded { inner: file, read: 0, most, left });
    let (mut portion, mut size) = (Vec::new(), 0);
    for number in 1.. {
        let text = match line(&mut reader) {
            Ok(Some(text)) => text,
            Ok(None) => break,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(SnapshotError::Bomb(name.to_owned()));
            }
            Err(_) => return Err(damaged()),
        };
        if text.as_ref().is_some_and(|text| text.iter().all(u8::is_ascii_whitespace)) {
            continue;
        }
        // A line weighs something even if there is nothing in it.
        size += 64 + text.as_ref().map_or(0, Vec::len);
        portion.push(Line { number, text });
        if size >= PORTION {
            size = 0;
            if sender.blocking_send(Ok(std::mem::take(&mut portion))).is_err() {
                return Ok(());
            }
        }
    }
    let _ = sender.blocking_send(Ok(portion));
    Ok(())
}

/// The next line without its end; of one that is too long nothing is kept.
fn line(reader: &mut impl BufRead) -> io::Result<Option<Option<Vec<u8>>>> {
    let (mut text, mut is_whole, mut is_there) = (Vec::new(), true, false);
    loop {
        let part = reader.fill_buf()?;
        if part.is_empty() {
            return Ok(is_there.then_some(is_whole.then_some(text)));
        }
        is_there = true;
        let end = part.iter().position(|byte| *byte == b'\n');
        let (taken, used) = (end.unwrap_or(part.len()), end.map_or(part.len(), |end| end + 1));
        if text.len() + taken > MAX_LINE {
            is_whole = false;
            text = Vec::new();
        }
        if is_whole {
            text.extend_from_slice(part.get(..taken).unwrap_or_default());
        }
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(is_whole.then_some(text)));
        }
    }
}

/// Reads no more than a table may have.
struct Bounded<'a, R> {
    inner: R,
    read: u64,
    most: u64,
    left: &'a AtomicU64,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let more = count as u64;
        self.read += more;
        let enough =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(more));
        if enough.is_err() || self.read > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(count)
    }
}

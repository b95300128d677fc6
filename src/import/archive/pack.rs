//! What an archive comes packed in: as it is, or in a ZIP file of which `archive.json` alone is read. A
//! ZIP file is looked at as a whole before anything is unpacked: names, sizes, ways of packing.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use super::faults::Faults;

/// Bytes of an upload.
pub const MAX_PACKED: usize = 64 * 1024 * 1024;
/// Bytes of the archive itself.
pub const MAX_UNPACKED: u64 = 512 * 1024 * 1024;
/// Bytes of one part of an upload.
pub const PART: usize = 1024 * 1024;

/// Files in one ZIP file.
const MAX_FILES: usize = 100;
/// How many times its packed size a file may have, if it is large at all. Text that a person wrote packs
/// ten times.
const MAX_RATIO: u64 = 200;
const LARGE: u64 = 8 * 1024 * 1024;
/// The file that is read.
const NAME: &str = "archive.json";
/// Endings of the files that may stand beside it.
const BESIDE: [&str; 4] = [".csv", ".txt", ".md", ".html"];
/// What stands before each file's line in a ZIP file's list.
const FILE_MARK: &[u8] = b"PK\x01\x02";

/// How an upload is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Zip,
}

/// An upload in memory, in parts of [`PART`] bytes.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    parts: Vec<Vec<u8>>,
    length: usize,
}

impl Packed {
    /// Adds bytes at the end; tells whether there was room for them.
    #[must_use]
    pub fn add(&mut self, mut bytes: &[u8]) -> bool {
        if self.length + bytes.len() > MAX_PACKED {
            return false;
        }
        self.length += bytes.len();
        while !bytes.is_empty() {
            if self.parts.last().is_none_or(|part| part.len() == PART) {
                self.parts.push(Vec::with_capacity(bytes.len().min(PART)));
            }
            let Some(part) = self.parts.last_mut() else { return false };
            let (now, rest) = bytes.split_at(bytes.len().min(PART - part.len()));
            part.extend_from_slice(now);
            bytes = rest;
        }
        true
    }

    pub fn parts(&self) -> &[Vec<u8>] {
        &self.parts
    }

    /// As it is packed, to judge by its first bytes.
    pub fn form(&self) -> Form {
        match self.parts.first().is_some_and(|part| part.starts_with(b"PK")) {
            true => Form::Zip,
            false => Form::Json,
        }
    }

    fn reader(&self) -> Reader<'_> {
        Reader { packed: self, position: 0 }
    }

    /// How often `mark`, which is short, stands in it.
    fn count(&self, mark: &[u8]) -> usize {
        let within = |part: &Vec<u8>| part.windows(mark.len()).filter(|window| *window == mark).count();
        let across = |pair: &[Vec<u8>]| match pair {
            [one, two] => {
                let end = one.get(one.len().saturating_sub(mark.len() - 1)..).unwrap_or_default();
                let begin = two.get(..two.len().min(mark.len() - 1)).unwrap_or_default();
                let seam = [end, begin].concat();
                seam.windows(mark.len()).filter(|window| *window == mark).count()
            }
            _ => 0,
        };
        self.parts.iter().map(within).sum::<usize>() + self.parts.windows(2).map(across).sum::<usize>()
    }

    /// Hands the archive itself to `read`. What is wrong with the packing is a fault.
    pub fn open(&self, faults: &mut Faults, read: impl FnOnce(&mut dyn Read, &mut Faults)) {
        match self.form() {
            Form::Json => read(&mut BufReader::new(self.reader()), faults),
            Form::Zip => {
                if let Err(message) = self.unzip(faults, read) {
                    faults.add("", message);
                }
            }
        }
    }

    fn unzip(
        &self,
        faults: &mut Faults,
        read: impl FnOnce(&mut dyn Read, &mut Faults),
    ) -> Result<(), String> {
        // Counted before the list is read, which takes memory for each.
        if self.count(FILE_MARK) > MAX_FILES {
            return Err(format!("the ZIP file holds more than {MAX_FILES} files"));
        }
        let broken = |_| BROKEN;
        let mut zip = ZipArchive::new(BufReader::new(self.reader())).map_err(broken)?;
        if zip.has_duplicate_names() {
            return Err("the ZIP file holds two files of one name".into());
        }
        let mut archive = None;
        for index in 0..zip.len() {
            let file = zip.by_index_raw(index).map_err(broken)?;
            let name = std::str::from_utf8(file.name_raw())
                .map_err(|_| "a file in the ZIP file has no readable name")?;
            if file.is_symlink() {
                return Err("the ZIP file holds a link".into());
            }
            let plain = !name.contains(['/', '\\', ':', '\0']) && !name.starts_with('.');
            if !plain || file.is_dir() {
                return Err("the ZIP file holds a folder, or a file that lies outside of it".into());
            }
            if file.encrypted() {
                return Err("the ZIP file is encrypted".into());
            }
            if !matches!(file.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
                return Err("the ZIP file is packed in another way than Deflate".into());
            }
            if file.size() > MAX_UNPACKED {
                return Err(TOO_LARGE.into());
            }
            if file.size() > LARGE && file.size() / MAX_RATIO > file.compressed_size() {
                return Err(format!(
                    "a file in the ZIP file unpacks to more than {MAX_RATIO} times its size"
                ));
            }
            if name == NAME {
                archive = Some((index, file.size()));
            } else if !BESIDE.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending)) {
                return Err(format!("the ZIP file holds a file that is neither {NAME} nor a table of it"));
            }
        }
        let (index, size) = archive.ok_or_else(|| format!("the ZIP file holds no {NAME}"))?;
        let file = zip.by_index(index).map_err(broken)?;
        // One byte more than it says, to notice it.
        let mut reader = BufReader::new(file.take(size + 1));
        read(&mut reader, faults);
        let mut said = reader.into_inner();
        match io::copy(&mut said, &mut io::sink()) {
            Ok(_) if said.limit() > 0 => Ok(()),
            Ok(_) => Err("a file in the ZIP file is larger than it says".into()),
            Err(_) if faults.is_empty() => Err(BROKEN.into()),
            Err(_) => Ok(()),
        }
    }
}

const BROKEN: &str = "is not a whole ZIP file";
/// What is said of an archive that is.
pub const TOO_LARGE: &str = "is larger than 512 MiB when unpacked";

/// Reads the parts one after the other.
struct Reader<'a> {
    packed: &'a Packed,
    position: usize,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let part = self.packed.parts.get(self.position / PART);
        let rest = part.and_then(|part| part.get(self.position % PART..)).unwrap_or_default();
        let bytes = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..bytes), rest.get(..bytes)) {
            to.copy_from_slice(from);
        }
        self.position += bytes;
        Ok(bytes)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let outside = || io::Error::from(io::ErrorKind::InvalidInput);
        let from = |base: usize, by: i64| i64::try_from(base).ok().and_then(|base| base.checked_add(by));
        let target = match to {
            SeekFrom::Start(at) => i64::try_from(at).ok(),
            SeekFrom::End(by) => from(self.packed.length, by),
            SeekFrom::Current(by) => from(self.position, by),
        };
        let target = target.and_then(|at| usize::try_from(at).ok()).ok_or_else(outside)?;
        self.position = target;
        Ok(target as u64)
    }
}

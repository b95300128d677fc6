//! Reads the operator's folder: `policies/<name>/<version>.md` and `announcements/<id>.md`. Everything is
//! bounded, and what cannot be right is refused with the file and the key that are at fault. It reads and
//! checks; what holds today is for others to say.

use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use chrono::{DateTime, NaiveDate};

use super::front_matter::{Fault, Head, split};
use super::{Announcement, Policy, Set, Version};
use crate::clock::Millis;

const MAX_POLICIES: usize = 20;
const MAX_VERSIONS: usize = 50;
const MAX_ANNOUNCEMENTS: usize = 200;
/// The largest file, in bytes.
const MAX_FILE: u64 = 256 * 1024;
/// All files together, in bytes: they are held in memory.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// In characters.
const MAX_TITLE: usize = 200;
/// What a name, a version and an id may be long, in characters.
const MAX_NAME: usize = 40;

/// A file that cannot be right: its place in the folder, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// Relative to the operator's folder.
    pub file: String,
    pub fault: Fault,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if let Some(key) = &self.fault.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.fault.reason)
    }
}

/// Everything in `folder`, in order.
pub fn read(folder: &Path) -> Result<Set, FileError> {
    let mut reader = Reader { folder, bytes: 0 };
    Ok(Set { policies: reader.policies()?, announcements: reader.announcements()? })
}

struct Reader<'a> {
    folder: &'a Path,
    bytes: usize,
}

impl Reader<'_> {
    fn policies(&mut self) -> Result<Vec<Policy>, FileError> {
        let names = self.names("policies", MAX_POLICIES, false)?;
        names.into_iter().map(|name| self.policy(name)).collect()
    }

    fn policy(&mut self, name: String) -> Result<Policy, FileError> {
        let place = format!("policies/{name}");
        let mut versions: Vec<Version> = Vec::new();
        for version in self.names(&place, MAX_VERSIONS, true)? {
            let file = format!("{place}/{version}.md");
            let (title, text, effective) = self.file(&file, |head| day(head, "effective"))?;
            if versions.iter().any(|other| other.effective == effective) {
                let fault = Fault::key("effective", "is that of another version, too");
                return Err(FileError { file, fault });
            }
            versions.push(Version { version, title, text, effective });
        }
        if versions.is_empty() {
            return Err(FileError { file: place, fault: Fault::file("holds no version") });
        }
        versions.sort_by_key(|version| version.effective);
        Ok(Policy { name, versions })
    }

    fn announcements(&mut self) -> Result<Vec<Announcement>, FileError> {
        let mut found = Vec::new();
        for id in self.names("announcements", MAX_ANNOUNCEMENTS, true)? {
            let file = format!("announcements/{id}.md");
            let (title, text, (published, expires)) = self.file(&file, |head| {
                let published = moment("published", &head.need("published")?)?;
                let expires = head.take("expires").map(|value| moment("expires", &value)).transpose()?;
                if expires.is_some_and(|expires| expires <= published) {
                    return Err(Fault::key("expires", "must be after published"));
                }
                Ok((published, expires))
            })?;
            found.push(Announcement { id, title, text, published, expires });
        }
        // Newest first.
        found.sort_by(|a, b| (b.published, &b.id).cmp(&(a.published, &a.id)));
        Ok(found)
    }

    /// The names in a folder, which need not be there: of its `.md` files without their ending, or of
    /// its folders. What begins with a dot is somebody else's.
    fn names(&self, place: &str, most: usize, files: bool) -> Result<Vec<String>, FileError> {
        let wrong = |name: &str, reason: &str| FileError { file: name.into(), fault: Fault::file(reason) };
        let path = self.folder.join(place);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&path).map_err(|_| wrong(place, "cannot be read"))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|_| wrong(place, "cannot be read"))?;
            let own = entry.file_name().to_string_lossy().into_owned();
            if own.starts_with('.') {
                continue;
            }
            let at = format!("{place}/{own}");
            let name = if files { own.strip_suffix(".md") } else { Some(own.as_str()) };
            // Through links, as some put files in place.
            let (is_file, name) = (entry.path().is_file(), name.filter(|name| is_name(name)));
            let Some(name) = name.filter(|_| is_file == files) else {
                let reason = match files {
                    true => "must be a file named `<name>.md`",
                    false => "must be a folder with the name of a policy",
                };
                return Err(wrong(
                    &at,
                    &format!("{reason}: {MAX_NAME} letters, digits, `-`, `_`, `.` at most"),
                ));
            };
            if names.len() == most {
                return Err(wrong(place, &format!("holds more than {most}")));
            }
            names.push(name.to_owned());
        }
        names.sort();
        Ok(names)
    }

    /// One file: its title, its text, and what `own` makes of the rest of its head.
    fn file<T>(
        &mut self,
        file: &str,
        own: impl FnOnce(&mut Head) -> Result<T, Fault>,
    ) -> Result<(String, String, T), FileError> {
        let at = |fault| FileError { file: file.to_owned(), fault };
        let bytes = load(&self.folder.join(file)).map_err(at)?;
        self.bytes += bytes.len();
        if self.bytes > MAX_BYTES {
            return Err(at(Fault::file(format!("all files together hold more than {MAX_BYTES} bytes"))));
        }
        let content = String::from_utf8(bytes).map_err(|_| at(Fault::file("is not UTF-8")))?;
        let (mut head, text) = split(&content).map_err(at)?;
        let title = title(&mut head).map_err(at)?;
        let rest = own(&mut head).map_err(at)?;
        head.end().map_err(at)?;
        Ok((title, text, rest))
    }
}

fn load(path: &Path) -> Result<Vec<u8>, Fault> {
    let unreadable = |_| Fault::file("cannot be read");
    let mut bytes = Vec::new();
    fs::File::open(path)
        .map_err(unreadable)?
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Fault::file(format!("holds more than {MAX_FILE} bytes")));
    }
    Ok(bytes)
}

fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(fits) && !name.starts_with('.')
}

fn title(head: &mut Head) -> Result<String, Fault> {
    let title = head.need("title")?;
    if title.chars().count() > MAX_TITLE {
        return Err(Fault::key("title", format!("must be at most {MAX_TITLE} characters")));
    }
    Ok(title)
}

/// The beginning of a day in UTC.
fn day(head: &mut Head, key: &str) -> Result<Millis, Fault> {
    date(&head.need(key)?).ok_or_else(|| Fault::key(key, "must be a date, YYYY-MM-DD"))
}

/// A day's beginning, or a time.
fn moment(key: &str, value: &str) -> Result<Millis, Fault> {
    let time = || DateTime::parse_from_rfc3339(value).ok().map(|time| time.timestamp_millis());
    date(value)
        .or_else(time)
        .ok_or_else(|| Fault::key(key, "must be a date, YYYY-MM-DD, or a time as in RFC 3339"))
}

fn date(value: &str) -> Option<Millis> {
    let day = NaiveDate::parse_from_str(value, "%Y-%m-%d").ok()?;
    Some(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

#[cfg(test)]
#[path = "files_test.rs"]
mod tests;

//! The head of a file: lines of `key: value` between two lines of `---`; what follows is the text, as it
//! is. Knows no file and no key.

use std::collections::BTreeMap;

/// What is wrong with a file, and with which key of its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub key: Option<String>,
    pub reason: String,
}

impl Fault {
    pub fn file(reason: impl Into<String>) -> Self {
        Self { key: None, reason: reason.into() }
    }

    pub fn key(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: Some(key.into()), reason: reason.into() }
    }
}

/// The head of a file; each key is taken out once.
#[derive(Debug)]
pub struct Head(BTreeMap<String, String>);

/// Parts a file into its head and its text.
pub fn split(file: &str) -> Result<(Head, String), Fault> {
    const NEVER_CLOSED: &str = "the head does not end with a line of ---";
    let file = file.strip_prefix('\u{feff}').unwrap_or(file).replace("\r\n", "\n");
    let rest = file.strip_prefix("---\n").ok_or_else(|| Fault::file("does not begin with a line of ---"))?;
    let mut keys = BTreeMap::new();
    let mut read = 0;
    for line in rest.split_inclusive('\n') {
        read += line.len();
        let line = line.trim();
        if line == "---" {
            let text = rest.get(read..).unwrap_or_default().trim();
            if text.is_empty() {
                return Err(Fault::file("has no text below its head"));
            }
            return Ok((Head(keys), text.to_owned()));
        }
        if line.is_empty() {
            continue;
        }
        let (key, value) =
            line.split_once(':').ok_or_else(|| Fault::file("a line of the head is not `key: value`"))?;
        let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
        if value.is_empty() {
            return Err(Fault::key(key, "has no value"));
        }
        if keys.insert(key.clone(), value).is_some() {
            return Err(Fault::key(key, "is there twice"));
        }
    }
    Err(Fault::file(NEVER_CLOSED))
}

impl Head {
    pub fn take(&mut self, key: &str) -> Option<String> {
        self.0.remove(key)
    }

    pub fn need(&mut self, key: &str) -> Result<String, Fault> {
        self.take(key).ok_or_else(|| Fault::key(key, "is missing"))
    }

    /// Fails where a key is left that nobody has taken: a slip of the pen must not go unseen.
    pub fn end(self) -> Result<(), Fault> {
        match self.0.into_keys().next() {
            Some(key) => Err(Fault::key(key, "is not known")),
            None => Ok(()),
        }
    }
}

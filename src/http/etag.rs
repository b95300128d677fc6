//! Entity tags: `"<revision>.<hash of the body>"`. `If-None-Match` compares all of it, because a body
//! can change without its revision (the title of a media item); `If-Match` compares the revision,
//! which is what a lost update is about. Shapes: RFC 9110, section 8.8.3.

use std::fmt;

use aws_lc_rs::digest;

use crate::error::{Error, Result};
use crate::expected::Expected;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag {
    revision: i64,
    hash: u64,
}

impl ETag {
    pub fn new(revision: i64, body: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, body);
        let hash = digest.as_ref().iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte));
        Self { revision, hash }
    }

    /// Whether an `If-None-Match` header names this tag. Weak tags count, as the RFC wants here.
    pub fn is_in(&self, header: &str) -> bool {
        names(header, &self.to_string())
    }
}

/// Whether an `If-None-Match` header names `own`, a tag with its quotes.
pub fn names(header: &str, own: &str) -> bool {
    let bare = own.trim_matches('"');
    header.trim() == "*" || tags(header).any(|(_, tag)| tag == bare)
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}.{:016x}\"", self.revision, self.hash)
    }
}

/// A longer list of tags helps nobody.
const MAX_TAGS: usize = 16;

/// Reads an `If-Match` header. Weak tags never match (RFC 9110, section 13.1.1).
pub fn expected(header: Option<&str>) -> Result<Expected> {
    let Some(header) = header else { return Ok(Expected::Anything) };
    if header.trim() == "*" {
        return Ok(Expected::Existing);
    }
    let strong = tags(header).filter(|(weak, _)| !weak);
    let revisions: Vec<i64> =
        strong.filter_map(|(_, tag)| tag.split('.').next()?.parse().ok()).take(MAX_TAGS + 1).collect();
    if revisions.len() > MAX_TAGS {
        let message = format!("must hold at most {MAX_TAGS} ETags");
        return Err(Error::invalid("invalid_parameter", "/header/If-Match", message));
    }
    Ok(Expected::Revisions(revisions))
}

/// The tags of a list, without their quotes, and whether they are weak. The contract's pattern was
/// checked before: every second piece between quotes is a tag, which may hold commas.
fn tags(header: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut pieces = header.split('"');
    std::iter::from_fn(move || {
        let before = pieces.next()?;
        Some((before.trim_end().ends_with("W/"), pieces.next()?))
    })
}

#[cfg(test)]
#[path = "etag_test.rs"]
mod tests;

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
        let own = self.to_string();
        header.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == own)
    }
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
    let wrong = || Error::invalid("invalid_parameter", "/header/If-Match", "must be * or a list of ETags");
    let mut revisions = Vec::new();
    for tag in header.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        let weak = tag.starts_with("W/");
        let inner = tag.trim_start_matches("W/").strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        let inner = inner.ok_or_else(wrong)?;
        if let Some(revision) = inner.split('.').next().and_then(|text| text.parse().ok())
            && !weak
        {
            revisions.push(revision);
        }
        if revisions.len() > MAX_TAGS {
            return Err(wrong());
        }
    }
    Ok(Expected::Revisions(revisions))
}

#[cfg(test)]
#[path = "etag_test.rs"]
mod tests;

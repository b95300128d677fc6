//! Entity tags: `"<revision>.<hash of the body>"`. `If-None-Match` compares all of it, because a body
//! can change without its revision (the title of a media item); `If-Match` compares the revision,
//! which is what a lost update is about. Shapes: RFC 9110, section 8.8.3.

use std::fmt;

use aws_lc_rs::digest;

use crate::error::{Error, Result};

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

/// The revisions that an `If-Match` header allows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expected {
    /// No header: write whatever is there.
    #[default]
    Anything,
    /// `*`: something must be there.
    Existing,
    /// One of these revisions must be there.
    Revisions(Vec<i64>),
}

/// A longer list of tags helps nobody.
const MAX_TAGS: usize = 16;

impl Expected {
    /// Reads an `If-Match` header. Weak tags never match (RFC 9110, section 13.1.1).
    pub fn parse(header: Option<&str>) -> Result<Self> {
        let Some(header) = header else { return Ok(Self::Anything) };
        if header.trim() == "*" {
            return Ok(Self::Existing);
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
        Ok(Self::Revisions(revisions))
    }

    /// Whether a write may go on where `revision` (none: nothing) stands.
    pub fn allows(&self, revision: Option<i64>) -> Result<()> {
        let allowed = match (self, revision) {
            (Self::Anything, _) | (Self::Existing, Some(_)) => true,
            (Self::Existing, None) | (Self::Revisions(_), None) => false,
            (Self::Revisions(revisions), Some(revision)) => revisions.contains(&revision),
        };
        if allowed { Ok(()) } else { Err(Error::RevisionConflict) }
    }
}

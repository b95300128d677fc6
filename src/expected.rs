//! What a write was based on: the precondition that keeps one device from undoing another's change.

use crate::error::{Error, Result};

/// What must stand where a write goes (`If-Match` on the wire).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expected {
    /// No precondition: write whatever is there.
    #[default]
    Anything,
    /// `*`: something must be there.
    Existing,
    /// One of these revisions must be there.
    Revisions(Vec<i64>),
}

impl Expected {
    /// Whether a write may go on where `revision` (none: nothing) stands.
    pub fn allows(&self, revision: Option<i64>) -> Result<()> {
        let allowed = match (self, revision) {
            (Self::Anything, _) | (Self::Existing, Some(_)) => true,
            (Self::Existing, None) | (Self::Revisions(_), None) => false,
            (Self::Revisions(revisions), Some(revision)) => revisions.contains(&revision),
        };
        if allowed { Ok(()) } else { Err(Error::RevisionConflict) }
    }

    /// Whether deleting what is not there is fine: it is, unless something was expected there.
    pub fn allows_absence(&self) -> Result<()> {
        self.allows(None)
    }
}

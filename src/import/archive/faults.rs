//! What is wrong with an archive: all of it counted, the first of it listed.

use crate::error::Violation;

/// Faults that are listed.
pub const MAX_LISTED: usize = 1_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    pub listed: Vec<Violation>,
    pub count: u64,
    /// It is of a version that is not read here.
    pub unsupported_version: bool,
}

impl Faults {
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.push(Violation::new(pointer, message));
    }

    pub fn push(&mut self, violation: Violation) {
        self.count += 1;
        if self.listed.len() < MAX_LISTED {
            self.listed.push(violation);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

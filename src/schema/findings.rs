//! The violations found so far, bounded in number and in size: more would help nobody, and an error answer
//! must not be larger than what it answers.

use crate::error::Violation;

/// Violations reported for one value.
pub const MAX_VIOLATIONS: usize = 100;
/// Bytes of all of them as they are sent. Together with the rest of a problem document less than 32 KiB.
const MAX_BYTES: usize = 24 * 1024;
/// Characters shown of a name that the sender chose.
const MAX_NAME: usize = 64;

#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Violation>,
    bytes: usize,
}

impl Findings {
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.push(Violation::new(pointer, message));
    }

    pub fn push(&mut self, violation: Violation) {
        self.insert(self.list.len(), violation);
    }

    /// Adds a violation before those from `index` on; nothing when the findings are full.
    pub fn insert(&mut self, index: usize, violation: Violation) {
        if self.is_full() {
            return;
        }
        self.bytes += size(&violation);
        self.list.insert(index.min(self.list.len()), violation);
    }

    /// Drops what was found from `length` on.
    pub fn truncate(&mut self, length: usize) {
        let dropped: usize = self.list.drain(length.min(self.list.len())..).map(|one| size(&one)).sum();
        self.bytes -= dropped;
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether no more is taken, so that there is no use in looking further.
    pub fn is_full(&self) -> bool {
        self.list.len() >= MAX_VIOLATIONS || self.bytes >= MAX_BYTES
    }

    pub fn into_list(self) -> Vec<Violation> {
        self.list
    }
}

/// Bytes of a violation as it is sent: escapes make it up to six times as long as its text.
fn size(violation: &Violation) -> usize {
    serde_json::to_vec(violation).map_or(0, |json| json.len() + 1)
}

/// A name that the sender chose, as part of a pointer (RFC 6901): cut, with `~` and `/` escaped.
pub fn shown(name: &str) -> String {
    let mut shown = String::new();
    for (index, letter) in name.chars().enumerate() {
        match letter {
            _ if index == MAX_NAME => {
                shown.push('…');
                break;
            }
            '~' => shown.push_str("~0"),
            '/' => shown.push_str("~1"),
            letter => shown.push(letter),
        }
    }
    shown
}

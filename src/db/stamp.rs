//! Who wrote which field of a row last, and when: what decides between two devices that changed the
//! same row without knowing of each other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Millis;

/// Whose write it is, for the stamps: a mutation of a device with the time it was made there, or a call
/// of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Author {
    pub made_at: Millis,
    pub mutation: Option<Uuid>,
}

/// The last write of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp(pub i64, pub Millis, #[serde(default)] pub Option<Uuid>);

impl Stamp {
    /// The revision that the write took.
    pub fn revision(&self) -> i64 {
        self.0
    }

    pub fn author(&self) -> Author {
        Author { made_at: self.1, mutation: self.2 }
    }
}

/// The stamps of one row by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamps(BTreeMap<String, Stamp>);

impl Stamps {
    /// What [`Stamps::to_text`] made; anything else is no stamps.
    pub fn parse(text: Option<&str>) -> Self {
        Self(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
    }

    pub fn to_text(&self) -> Option<String> {
        serde_json::to_string(&self.0).ok()
    }

    pub fn get(&self, field: &str) -> Option<&Stamp> {
        self.0.get(field)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Stamp> {
        self.0.values()
    }

    pub fn set(&mut self, field: &str, revision: i64, author: Author) {
        self.0.insert(field.to_owned(), Stamp(revision, author.made_at, author.mutation));
    }
}

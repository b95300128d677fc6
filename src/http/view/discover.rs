//! What is found without a search, on the wire.

use poem_openapi::{Enum, Object};
use serde::Serialize;

use super::media::{MediaItem, SourceReport};
use crate::catalog;

/// A list that is the same for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum DiscoverList {
    /// What is talked about just now.
    Trending,
    /// What most have looked at.
    Popular,
    /// What is still to come.
    Upcoming,
}

impl From<DiscoverList> for catalog::Chart {
    fn from(list: DiscoverList) -> Self {
        match list {
            DiscoverList::Trending => Self::Trending,
            DiscoverList::Popular => Self::Popular,
            DiscoverList::Upcoming => Self::Upcoming,
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, Object, Serialize)]
pub struct DiscoverAnswer {
    pub items: Vec<MediaItem>,
    pub source: SourceReport,
}

/// The titles that a code stands for: one or none as a rule.
#[derive(Debug, Clone, Object, Serialize)]
pub struct LookupAnswer {
    pub items: Vec<MediaItem>,
}

//! The catalog itself: searches and lookups over all sources.

use std::sync::Arc;

use super::answer::{Answer, SearchAnswer, SourceState, State, Timing, Unavailable};
use super::day_share::DayShare;
use super::item::MediaItem;
use super::language::Language;
use super::media_id::{Kind, MediaId};
use super::search_text::SearchText;
use super::stats::Stats;
use crate::config;

/// Looks titles up. Cheap to clone; clones share caches, limits and connections.
#[derive(Clone)]
pub struct Catalog(Arc<Inner>);

struct Inner {
    #[expect(dead_code, reason = "first version of the signatures")]
    timing: Timing,
}

/// The settings of a source cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{source_name}: {reason}")]
pub struct CatalogError {
    pub source_name: &'static str,
    pub reason: &'static str,
}

impl Catalog {
    pub fn new(sources: &config::Sources) -> Result<Self, CatalogError> {
        Self::with_timing(sources, Timing::default())
    }

    pub fn with_timing(_sources: &config::Sources, timing: Timing) -> Result<Self, CatalogError> {
        Ok(Self(Arc::new(Inner { timing })))
    }

    pub async fn search(
        &self,
        _text: &SearchText,
        kinds: &[Kind],
        _language: Language,
        _page: u32,
        _books_share: &DayShare,
    ) -> SearchAnswer {
        let state =
            |kind: &Kind| SourceState { source: kind.source(), state: State::NotConfigured, has_more: false };
        SearchAnswer { items: Vec::new(), sources: kinds.iter().map(state).collect() }
    }

    pub async fn media(
        &self,
        _id: &MediaId,
        _language: Language,
        _books_share: &DayShare,
    ) -> Result<Answer, Unavailable> {
        Err(Unavailable { retry_after_seconds: 1 })
    }

    pub async fn media_many(
        &self,
        ids: &[MediaId],
        _language: Language,
        _books_share: &DayShare,
    ) -> Vec<(MediaId, Result<Answer, Unavailable>)> {
        ids.iter().map(|id| (id.clone(), Err(Unavailable { retry_after_seconds: 1 }))).collect()
    }

    pub fn peek(&self, _id: &MediaId, _language: Language) -> Option<Arc<MediaItem>> {
        None
    }

    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}

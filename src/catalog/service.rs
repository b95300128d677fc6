//! The catalog's face: searches and details over all sources.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::future::{join, join_all};
use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

use super::answer::{Answer, SearchAnswer, SourceState, State, Timing, Unavailable};
use super::cache::{Page, Value};
use super::day_share::DayShare;
use super::desk::{Desk, Got};
use super::failure::{CatalogError, Failure};
use super::item::MediaItem;
use super::language::Language;
use super::media_id::{Kind, MediaId, SourceName};
use super::picture::{Cover, CoverSize, Picture};
use super::request::{LAST_PAGE, Lookup, PictureLookup};
use super::search_text::SearchText;
use super::stats::Stats;
use crate::config;

/// The most ids that [`Catalog::media_many`] takes.
pub const MAX_IDS: usize = 100;

/// Lookups that one call of [`Catalog::media_many`] has under way at once.
const AT_ONCE: usize = 8;

/// Looks titles up. Cheap to clone; clones share caches, allowances and connections.
#[derive(Clone)]
pub struct Catalog(Arc<Desk>);

impl Catalog {
    /// Prepares clients for the sources that have credentials; connects to none of them.
    pub fn new(sources: &config::Sources) -> Result<Self, CatalogError> {
        Self::with_timing(sources, &Timing::default())
    }

    /// As [`Catalog::new`], with other patience and another clock.
    pub fn with_timing(sources: &config::Sources, timing: &Timing) -> Result<Self, CatalogError> {
        Ok(Self(Arc::new(Desk::new(sources, timing)?)))
    }

    /// Searches the sources of `kinds` (all, if empty) at once and under one deadline. `page` counts
    /// from 1 to 50. A source that is late goes on and fills the cache.
    pub async fn search(
        &self,
        text: &SearchText,
        kinds: &[Kind],
        language: Language,
        page: u32,
        books_share: &DayShare,
    ) -> SearchAnswer {
        let kinds = if kinds.is_empty() { &Kind::ALL[..] } else { kinds };
        let page = page.clamp(1, LAST_PAGE);
        let deadline = Instant::now() + self.0.search_deadline;
        let needed = SourceName::ALL.into_iter().filter(|source| kinds.iter().any(|k| k.source() == *source));
        let searches = needed.map(|source| async move {
            let nothing = Arc::new(Page { items: Vec::new(), has_more: false });
            let found = match Lookup::search(source, text, kinds, language, page) {
                Some(lookup) => self.0.get(&lookup, books_share, deadline).await,
                None => Ok(Got { value: Value::Page(nothing.clone()), stale: false }),
            };
            match found {
                Ok(Got { value: Value::Page(page), .. }) => (source, State::Ok, page),
                Ok(_) => (source, State::Failed, nothing),
                Err(failure) => (source, failure.state(), nothing),
            }
        });
        let found = join_all(searches).await;
        let lists: Vec<&[Arc<MediaItem>]> = found.iter().map(|(_, _, page)| page.items.as_slice()).collect();
        SearchAnswer {
            items: merged(text, &lists),
            sources: found
                .iter()
                .map(|(source, state, page)| SourceState {
                    source: *source,
                    state: *state,
                    has_more: page.has_more,
                })
                .collect(),
        }
    }

    /// The details of one title: from the cache if they are less than a day old, else from its
    /// source, else from the cache up to a week old. Waits at most 5 seconds.
    pub async fn media(
        &self,
        id: &MediaId,
        language: Language,
        books_share: &DayShare,
    ) -> Result<Answer, Unavailable> {
        let deadline = Instant::now() + self.0.lookup_deadline;
        self.0.detail(id, language, books_share, deadline).await
    }

    /// The details of up to [`MAX_IDS`] titles, in the order of `ids`; what is beyond is left out.
    /// Games come in one request. Waits at most 5 seconds for all together.
    pub async fn media_many(
        &self,
        ids: &[MediaId],
        language: Language,
        books_share: &DayShare,
    ) -> Vec<(MediaId, Result<Answer, Unavailable>)> {
        let deadline = Instant::now() + self.0.lookup_deadline;
        let ids = ids.get(..MAX_IDS).unwrap_or(ids);
        let distinct: HashSet<MediaId> = ids.iter().cloned().collect();
        let (games, others): (Vec<_>, Vec<_>) = distinct.into_iter().partition(|id| id.kind() == Kind::Game);
        let others = stream::iter(others)
            .map(|id| async move {
                let answer = self.0.detail(&id, language, books_share, deadline).await;
                (id, answer)
            })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>();
        let (games, others) = join(self.0.games(games, deadline), others).await;
        let answers: HashMap<MediaId, _> = games.into_iter().chain(others).collect();
        let unasked = Unavailable { retry_after_seconds: 1 };
        ids.iter().map(|id| (id.clone(), answers.get(id).cloned().unwrap_or(Err(unasked)))).collect()
    }

    /// A cover of its source, or `None` if the source has none such. Waits at most 5 seconds.
    pub async fn picture(&self, cover: &Cover, size: CoverSize) -> Result<Option<Arc<Picture>>, Unavailable> {
        let deadline = Instant::now() + self.0.lookup_deadline;
        let lookup = Lookup::Picture(PictureLookup { cover: cover.clone(), size });
        match self.0.get(&lookup, &DayShare::new(), deadline).await?.value {
            Value::Picture(picture) => Ok(Some(picture)),
            Value::NoPicture => Ok(None),
            _ => Err(Failure::UNAVAILABLE.into()),
        }
    }

    /// What is known of a title without asking anybody, at most a week old.
    pub fn peek(&self, id: &MediaId, language: Language) -> Option<Arc<MediaItem>> {
        match self.0.cache.get(&Lookup::detail(id, language))? {
            (Value::Item(item), _) => Some(item),
            _ => None,
        }
    }

    /// Ends what the cache does later by itself, so that a test can weigh it.
    #[cfg(test)]
    pub(super) fn settle(&self) {
        self.0.cache.settle();
    }

    /// All counters, for the metrics page; sources without credentials have none.
    pub fn stats(&self) -> Stats {
        let (cache_entries, cache_bytes) = self.0.cache.size();
        let read = |source| Some(self.0.counters(source)?.read(source));
        let pictures = |source| Some(self.0.picture_counters(source)?.read(source));
        Stats {
            sources: SourceName::ALL.into_iter().filter_map(read).collect(),
            pictures: SourceName::ALL.into_iter().filter_map(pictures).collect(),
            cache_bytes,
            cache_entries,
        }
    }
}

/// The first of each list, then the second of each, and so on; but exact titles before all others.
fn merged(text: &SearchText, lists: &[&[Arc<MediaItem>]]) -> Vec<Arc<MediaItem>> {
    let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
    let by_rank = (0..longest).flat_map(|rank| lists.iter().filter_map(move |list| list.get(rank)));
    let (mut items, others): (Vec<_>, Vec<_>) = by_rank.cloned().partition(|item| {
        text.is_title(&item.title) || item.original_title.as_deref().is_some_and(|title| text.is_title(title))
    });
    items.extend(others);
    items
}

#[cfg(test)]
#[path = "service_test.rs"]
mod tests;

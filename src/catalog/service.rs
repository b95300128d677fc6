//! The catalog's face: searches, details, titles by a code and lists, over all sources.

use std::collections::{HashMap, HashSet};
use std::slice;
use std::sync::Arc;

use chrono::Days;
use futures_util::future::{join, join_all};
use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

use super::answer::{Answer, Answers, SearchAnswer, SourceState, State, Timing, Unavailable};
use super::cache::{Page, Value};
use super::chart::{Chart, ChartAnswer};
use super::code::Code;
use super::desk::{Desk, Got};
use super::failure::{CatalogError, Failure};
use super::fair_share::FairShare;
use super::item::MediaItem;
use super::language::Language;
use super::media_id::{Kind, MediaId, SourceName};
use super::picture::{Cover, CoverSize, Picture};
use super::request::{GoogleBooksLookup, IgdbLookup, LAST_PAGE, Lookup, PictureLookup, TmdbLookup};
use super::search_text::SearchText;
use super::season::Season;
use super::stats::Stats;
use super::wire::Wire;
use crate::config;

/// The most ids that [`Catalog::media_many`] takes.
pub const MAX_IDS: usize = 100;

/// Lookups that one call of [`Catalog::media_many`] has under way at once.
const AT_ONCE: usize = 8;

/// How far back a list is looked for that begins at a day: as long as answers are kept.
const EARLIER_DAYS: u64 = 7;

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
        share: &FairShare,
    ) -> SearchAnswer {
        let kinds = if kinds.is_empty() { &Kind::ALL[..] } else { kinds };
        let page = page.clamp(1, LAST_PAGE);
        let deadline = Instant::now() + self.0.search_deadline;
        let needed = SourceName::ALL.into_iter().filter(|source| kinds.iter().any(|k| k.source() == *source));
        let searches = needed.map(|source| async move {
            let nothing = Arc::new(Page { items: Vec::new(), has_more: false });
            let found = match Lookup::search(source, text, kinds, language, page) {
                Some(lookup) => self.0.get(&lookup, share, deadline).await,
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
        share: &FairShare,
    ) -> Result<Answer, Unavailable> {
        let deadline = Instant::now() + self.0.lookup_deadline;
        self.0.detail(id, language, share, deadline).await
    }

    /// One season of a series with its episodes. Waits at most 5 seconds.
    pub async fn season(
        &self,
        id: &MediaId,
        number: u32,
        language: Language,
        share: &FairShare,
    ) -> Result<Answer<Season>, Unavailable> {
        let deadline = Instant::now() + self.0.lookup_deadline;
        match Lookup::season(id, number, language) {
            Some(lookup) => self.0.season(&lookup, share, deadline).await,
            None => Ok(Answer::Unknown),
        }
    }

    /// The details of up to [`MAX_IDS`] titles, in the order of `ids`; what is beyond is left out.
    /// Games come in one request. Waits at most 5 seconds for all together.
    pub async fn media_many(&self, ids: &[MediaId], language: Language, share: &FairShare) -> Answers {
        let deadline = Instant::now() + self.0.lookup_deadline;
        self.titles(ids, language, share, deadline).await
    }

    async fn titles(
        &self,
        ids: &[MediaId],
        language: Language,
        share: &FairShare,
        deadline: Instant,
    ) -> Answers {
        let ids = ids.get(..MAX_IDS).unwrap_or(ids);
        let distinct: HashSet<MediaId> = ids.iter().cloned().collect();
        let (games, others): (Vec<_>, Vec<_>) = distinct.into_iter().partition(|id| id.kind() == Kind::Game);
        let others = stream::iter(others)
            .map(|id| async move {
                let answer = self.0.detail(&id, language, share, deadline).await;
                (id, answer)
            })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>();
        let (games, others) = join(self.0.games(games, share, deadline), others).await;
        let answers: HashMap<MediaId, _> = games.into_iter().chain(others).collect();
        let unasked = Unavailable { retry_after_seconds: 1 };
        ids.iter().map(|id| (id.clone(), answers.get(id).cloned().unwrap_or(Err(unasked)))).collect()
    }

    /// The titles that `code` stands for: one or none as a rule. Fails where the source cannot say
    /// which; what it can then not say of one of them stands with that one. Waits at most 5 seconds.
    pub async fn find(
        &self,
        code: &Code,
        language: Language,
        share: &FairShare,
    ) -> Result<Answers, Unavailable> {
        let deadline = Instant::now() + self.0.lookup_deadline;
        let lookup = match code {
            Code::Title(id) => {
                return Ok(self.titles(slice::from_ref(id), language, share, deadline).await);
            }
            Code::Imdb(id) => Lookup::Tmdb(TmdbLookup::FindImdb(id.clone())),
            Code::Tvdb(id) => Lookup::Tmdb(TmdbLookup::FindTvdb(*id)),
            Code::Slug(slug) => Lookup::Igdb(IgdbLookup::Slug { slug: slug.clone() }),
            Code::Isbn(isbn) => Lookup::GoogleBooks(GoogleBooksLookup::Isbn { isbn: isbn.clone() }),
        };
        let Got { value, stale } = self.0.get(&lookup, share, deadline).await?;
        match value {
            Value::Titles(ids) => Ok(self.titles(&ids, language, share, deadline).await),
            Value::Page(page) => {
                let found = |item: &Arc<MediaItem>| {
                    (item.id.clone(), Ok(Answer::Found { item: item.clone(), stale }))
                };
                Ok(page.items.iter().map(found).collect())
            }
            _ => Err(Failure::UNAVAILABLE.into()),
        }
    }

    /// A cover of its source, or `None` if the source has none such. Waits at most 5 seconds.
    pub async fn picture(&self, cover: &Cover, size: CoverSize) -> Result<Option<Arc<Picture>>, Unavailable> {
        let deadline = Instant::now() + self.0.lookup_deadline;
        let lookup = Lookup::Picture(PictureLookup { cover: cover.clone(), size });
        match self.0.get(&lookup, &FairShare::new(), deadline).await?.value {
            Value::Picture(picture) => Ok(Some(picture)),
            Value::NoPicture => Ok(None),
            _ => Err(Failure::UNAVAILABLE.into()),
        }
    }

    /// A page of a list that is the same for everybody. `page` counts from 1 to 50. While the source
    /// is away the list of one of the last days serves.
    pub async fn chart(
        &self,
        kind: Kind,
        chart: Chart,
        language: Language,
        page: u32,
        share: &FairShare,
    ) -> ChartAnswer {
        let (today, page) = (self.0.today(), page.clamp(1, LAST_PAGE));
        let deadline = Instant::now() + self.0.search_deadline;
        let found = match Lookup::chart(kind, chart, today, language, page) {
            None => Err(State::NotOffered),
            Some(lookup) => match self.0.get(&lookup, share, deadline).await {
                Ok(Got { value: Value::Page(page), .. }) => Ok(page),
                Ok(_) => Err(State::Failed),
                Err(failure) => (1..=EARLIER_DAYS)
                    .filter_map(|days| today.checked_sub_days(Days::new(days)))
                    .filter_map(|day| Lookup::chart(kind, chart, day, language, page))
                    .find_map(|lookup| self.0.kept_page(&lookup))
                    .ok_or_else(|| failure.state()),
            },
        };
        let report = |state, has_more| SourceState { source: kind.source(), state, has_more };
        match found {
            Ok(page) => ChartAnswer { items: page.items.clone(), source: report(State::Ok, page.has_more) },
            Err(state) => ChartAnswer { items: Vec::new(), source: report(state, false) },
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
        let read = |wire: &Wire, source| wire.counters.read(source, wire.gate.breaker.state());
        let titles = |source| Some(read(self.0.wire(source)?, source));
        let pictures = |source| Some(read(self.0.picture_wire(source)?, source));
        Stats {
            sources: SourceName::ALL.into_iter().filter_map(titles).collect(),
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

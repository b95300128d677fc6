//! The catalog itself: searches and lookups over all sources, each answered from the cache, by a
//! flight under way, or by a new one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, join, join_all};
use futures_util::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, SearchAnswer, SourceState, State, Timing, Unavailable};
use super::cache::{Cache, Games, Genres, Page, Value};
use super::day_share::DayShare;
use super::failure::{CatalogError, Failure};
use super::flight::{Boarded, Flights, Outcome};
use super::google_books::GoogleBooks;
use super::igdb::Igdb;
use super::item::MediaItem;
use super::language::Language;
use super::media_id::{Kind, MediaId, SourceName};
use super::request::{IgdbLookup, LAST_PAGE, Lookup, TmdbLookup, TmdbScope};
use super::search_text::SearchText;
use super::stats::{Counters, Stats};
use super::tmdb::Tmdb;
use super::wire::Wire;
use crate::config;

/// The most ids that [`Catalog::media_many`] takes.
pub const MAX_IDS: usize = 100;

/// Lookups that one call of [`Catalog::media_many`] has under way at once.
const AT_ONCE: usize = 8;

/// Looks titles up. Cheap to clone; clones share caches, allowances and connections.
#[derive(Clone)]
pub struct Catalog(Arc<Inner>);

struct Inner {
    cache: Arc<Cache>,
    flights: Arc<Flights>,
    tmdb: Option<Tmdb>,
    igdb: Option<Igdb>,
    google_books: Option<GoogleBooks>,
    search_deadline: Duration,
    lookup_deadline: Duration,
}

/// An answer that is fresh, or an older one because there is no fresh one.
struct Got {
    value: Value,
    stale: bool,
}

impl Catalog {
    /// Prepares clients for the sources that have credentials; connects to none of them.
    pub fn new(sources: &config::Sources) -> Result<Self, CatalogError> {
        Self::with_timing(sources, Timing::default())
    }

    /// As [`Catalog::new`], with other patience and another clock.
    #[expect(clippy::needless_pass_by_value, reason = "callers make one for the purpose")]
    pub fn with_timing(sources: &config::Sources, timing: Timing) -> Result<Self, CatalogError> {
        let share = sources.share;
        let cache = Arc::new(Cache::new(sources.cache_bytes, timing.clock.clone()));
        Ok(Self(Arc::new(Inner {
            flights: Flights::new(cache.clone()),
            cache,
            tmdb: sources.tmdb.as_ref().map(|config| Tmdb::new(config, share, &timing)).transpose()?,
            igdb: sources.igdb.as_ref().map(|config| Igdb::new(config, share, &timing)).transpose()?,
            google_books: sources
                .google_books
                .as_ref()
                .map(|config| GoogleBooks::new(config, share, &timing))
                .transpose()?,
            search_deadline: timing.search_deadline,
            lookup_deadline: timing.lookup_deadline,
        })))
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
        SearchAnswer {
            items: merged(text, found.iter().map(|(_, _, page)| page.items.as_slice()).collect()),
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
        let distinct: HashSet<&MediaId> = ids.iter().collect();
        let (games, others): (Vec<&MediaId>, Vec<&MediaId>) =
            distinct.into_iter().partition(|id| id.kind() == Kind::Game);
        let others = stream::iter(others)
            .map(|id| self.0.detail(id, language, books_share, deadline).map(move |answer| (id, answer)))
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>();
        let (games, others) = join(self.0.games(&games, deadline), others).await;
        let answers: HashMap<&MediaId, _> = games.into_iter().chain(others).collect();
        let unasked = Unavailable { retry_after_seconds: 1 };
        ids.iter().map(|id| (id.clone(), answers.get(id).cloned().unwrap_or(Err(unasked)))).collect()
    }

    /// What is known of a title without asking anybody, at most a week old.
    pub fn peek(&self, id: &MediaId, language: Language) -> Option<Arc<MediaItem>> {
        match self.0.cache.get(&Lookup::detail(id, language))? {
            (Value::Item(item), _) => Some(item),
            _ => None,
        }
    }

    /// All counters, for the metrics page.
    pub fn stats(&self) -> Stats {
        let (cache_entries, cache_bytes) = self.0.cache.size();
        let configured = SourceName::ALL.into_iter().filter_map(|source| {
            let counters = self.0.counters(source)?;
            Some(counters.read(source))
        });
        Stats { sources: configured.collect(), cache_bytes, cache_entries }
    }
}

impl Inner {
    fn wire(&self, source: SourceName) -> Option<&Wire> {
        match source {
            SourceName::Tmdb => self.tmdb.as_ref().map(|tmdb| &tmdb.wire),
            SourceName::Igdb => self.igdb.as_ref().map(|igdb| &igdb.wire),
            SourceName::GoogleBooks => self.google_books.as_ref().map(|google_books| &google_books.wire),
        }
    }

    fn counters(&self, source: SourceName) -> Option<&Counters> {
        self.wire(source).map(|wire| &wire.counters)
    }

    /// The answer to `lookup`, waiting no longer than to `deadline`.
    async fn get(
        self: &Arc<Self>,
        lookup: &Lookup,
        share: &DayShare,
        deadline: Instant,
    ) -> Result<Got, Failure> {
        let counters = self.counters(lookup.source()).ok_or(Failure::NotConfigured)?;
        let kept = match self.cache.get(lookup) {
            Some((value, true)) => {
                counters.cache_hits.add_one();
                return Ok(Got { value, stale: false });
            }
            Some((value, false)) => Some(value),
            None => None,
        };
        counters.cache_misses.add_one();
        let outcome = match self.board(lookup, Some(share)) {
            Ok(Boarded::Landed(value)) => Ok(value),
            Ok(Boarded::Flying(flight)) => {
                timeout_at(deadline, flight.landing()).await.unwrap_or(Err(Failure::TimedOut))
            }
            Err(failure) => Err(failure),
        };
        match (outcome, kept) {
            (Ok(value), _) => Ok(Got { value, stale: false }),
            (Err(_), Some(value)) => {
                counters.stale_served.add_one();
                Ok(Got { value, stale: true })
            }
            (Err(failure), None) => Err(failure),
        }
    }

    /// Joins or starts the flight for `lookup`; who starts one at Google pays for it.
    fn board(self: &Arc<Self>, lookup: &Lookup, share: Option<&DayShare>) -> Result<Boarded, Failure> {
        let permit = || match (self.google_books.as_ref(), lookup, share) {
            (Some(google_books), Lookup::GoogleBooks(_), Some(share)) => google_books.charge(share),
            _ => self.wire(lookup.source()).ok_or(Failure::NotConfigured)?.gate.check_open(),
        };
        self.flights.board(lookup, permit, || self.clone().fetch(lookup.clone()))
    }

    /// Asks the source. Boxed, because a flight may start another.
    fn fetch(self: Arc<Self>, lookup: Lookup) -> BoxFuture<'static, Outcome> {
        async move {
            match (&lookup, &self.tmdb, &self.igdb, &self.google_books) {
                (Lookup::Tmdb(lookup), Some(tmdb), ..) => self.fetch_tmdb(tmdb, lookup).await,
                (Lookup::Igdb(lookup), _, Some(igdb), _) => match igdb.fetch(lookup).await? {
                    Value::Games(games) => Ok(one_or_many(games)),
                    page => Ok(page),
                },
                (Lookup::GoogleBooks(lookup), _, _, Some(google_books)) => google_books.fetch(lookup).await,
                _ => Err(Failure::NotConfigured),
            }
        }
        .boxed()
    }

    async fn fetch_tmdb(self: &Arc<Self>, tmdb: &Tmdb, lookup: &TmdbLookup) -> Outcome {
        if let TmdbLookup::Search { scope, language, .. } = lookup {
            for kind in scope.kinds() {
                // On its way beside the search, which does not wait for it.
                let _ = self.board(&genres(*kind, *language), None);
            }
        }
        let names = |kind| match lookup {
            TmdbLookup::Search { language, .. } => self.genre_names(kind, *language),
            _ => None,
        };
        let value = tmdb.fetch(lookup, names).await?;
        match (value, in_default_language(lookup)) {
            (Value::Item(item), Some(default)) if item.overview.is_none() => {
                Ok(Value::Item(self.with_default_overview(item, &default).await))
            }
            (value, _) => Ok(value),
        }
    }

    /// A missing overview is better read in English than not at all.
    async fn with_default_overview(
        self: &Arc<Self>,
        item: Arc<MediaItem>,
        default: &Lookup,
    ) -> Arc<MediaItem> {
        let outcome = match self.board(default, None) {
            Ok(Boarded::Landed(value)) => Ok(value),
            Ok(Boarded::Flying(flight)) => flight.landing().await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(Value::Item(english)) if english.overview.is_some() => {
                let mut item = Arc::unwrap_or_clone(item);
                item.overview.clone_from(&english.overview);
                Arc::new(item)
            }
            _ => item,
        }
    }

    fn genre_names(&self, kind: Kind, language: Language) -> Option<Arc<Genres>> {
        match self.cache.get(&genres(kind, language))? {
            (Value::Genres(names), _) => Some(names),
            _ => None,
        }
    }

    async fn detail(
        self: &Arc<Self>,
        id: &MediaId,
        language: Language,
        share: &DayShare,
        deadline: Instant,
    ) -> Result<Answer, Unavailable> {
        match self.get(&Lookup::detail(id, language), share, deadline).await {
            Ok(Got { value: Value::Item(item), stale }) => Ok(Answer::Found { item, stale }),
            Ok(Got { value: Value::Unknown, .. }) => Ok(Answer::Unknown),
            Ok(_) => Err(Failure::UNAVAILABLE.into()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Details of games; those that are not fresh in the cache are asked for together.
    async fn games<'a>(
        self: &Arc<Self>,
        ids: &[&'a MediaId],
        deadline: Instant,
    ) -> Vec<(&'a MediaId, Result<Answer, Unavailable>)> {
        let nobody = DayShare::new();
        let mut cold: Vec<u64> = ids
            .iter()
            .filter_map(|id| id.number())
            .filter(|number| self.cache.fresh(&Lookup::game(*number)).is_none())
            .collect();
        cold.sort_unstable();
        let together = Lookup::Igdb(IgdbLookup::Games { ids: cold.as_slice().into() });
        let outcome = match cold.len() {
            0 | 1 => None,
            _ => Some(self.get(&together, &nobody, deadline).await),
        };
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            let is_cold = id.number().is_some_and(|number| cold.contains(&number));
            let answer = match &outcome {
                Some(outcome) if is_cold => self.one_of(id, outcome.as_ref()),
                _ => self.detail(id, Language::DEFAULT, &nobody, deadline).await,
            };
            answers.push((*id, answer));
        }
        answers
    }

    /// One game out of an answer for many, or what is kept of it if there is no answer.
    fn one_of(&self, id: &MediaId, outcome: Result<&Got, &Failure>) -> Result<Answer, Unavailable> {
        let failure = match outcome {
            Ok(Got { value: Value::Games(games), .. }) => {
                let game = games.iter().find(|(number, _)| Some(*number) == id.number());
                return Ok(match game.and_then(|(_, game)| game.clone()) {
                    Some(item) => Answer::Found { item, stale: false },
                    None => Answer::Unknown,
                });
            }
            Ok(_) => Failure::UNAVAILABLE,
            Err(failure) => *failure,
        };
        match self.cache.get(&Lookup::detail(id, Language::DEFAULT)) {
            Some((Value::Item(item), _)) => {
                if let Some(counters) = self.counters(SourceName::Igdb) {
                    counters.stale_served.add_one();
                }
                Ok(Answer::Found { item, stale: true })
            }
            _ => Err(failure.into()),
        }
    }
}

/// A single game is answered like any other title.
fn one_or_many(games: Arc<Games>) -> Value {
    match games.as_slice() {
        [(_, Some(game))] => Value::Item(game.clone()),
        [(_, None)] => Value::Unknown,
        _ => Value::Games(games),
    }
}

fn genres(kind: Kind, language: Language) -> Lookup {
    Lookup::Tmdb(TmdbLookup::Genres { kind, language })
}

/// The same details in the default language, if `lookup` is for details in another one.
fn in_default_language(lookup: &TmdbLookup) -> Option<Lookup> {
    let default = Language::DEFAULT;
    match lookup {
        TmdbLookup::Movie { id, language } if *language != default => {
            Some(Lookup::Tmdb(TmdbLookup::Movie { id: *id, language: default }))
        }
        TmdbLookup::Tv { id, language } if *language != default => {
            Some(Lookup::Tmdb(TmdbLookup::Tv { id: *id, language: default }))
        }
        _ => None,
    }
}

impl TmdbScope {
    fn kinds(self) -> &'static [Kind] {
        match self {
            TmdbScope::Movie => &[Kind::Movie],
            TmdbScope::Tv => &[Kind::Tv],
            TmdbScope::Both => &[Kind::Movie, Kind::Tv],
        }
    }
}

/// The first of each list, then the second of each, and so on; but exact titles before all others.
fn merged(text: &SearchText, lists: Vec<&[Arc<MediaItem>]>) -> Vec<Arc<MediaItem>> {
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

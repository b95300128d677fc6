//! Answers single lookups: from the cache, from a flight under way, from a new flight, or, when all
//! else fails, with what is kept from earlier. It decides who asks which source, and knows no HTTP.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use tokio::time::{Instant, timeout, timeout_at};

use super::answer::{Answer, Answers, Timing, Unavailable};
use super::cache::{Cache, Games, Genres, Page, Value};
use super::failure::{CatalogError, Failure};
use super::fair_share::{Claim, FairShare};
use super::flight::{Boarded, Flights, Outcome};
use super::gate::Clock;
use super::google_books::GoogleBooks;
use super::igdb::Igdb;
use super::item::MediaItem;
use super::language::Language;
use super::media_id::{Kind, MediaId, SourceName};
use super::picture::Pictures;
use super::request::{IgdbLookup, Lookup, PictureLookup, TmdbLookup, TmdbScope};
use super::season::Season;
use super::stats::Counters;
use super::tmdb::Tmdb;
use super::wire::Wire;
use crate::config;

pub(super) struct Desk {
    pub(super) cache: Arc<Cache>,
    flights: Arc<Flights>,
    /// Apart, so that many pictures at once keep nobody from looking a title up.
    picture_flights: Arc<Flights>,
    tmdb: Option<Tmdb>,
    igdb: Option<Igdb>,
    google_books: Option<GoogleBooks>,
    pictures: Pictures,
    clock: Clock,
    genre_patience: Duration,
    pub(super) search_deadline: Duration,
    pub(super) lookup_deadline: Duration,
}

/// An answer that is fresh, or an older one because there is no fresh one.
pub(super) struct Got {
    pub(super) value: Value,
    pub(super) stale: bool,
}

impl Desk {
    /// Prepares clients for the sources that have credentials; connects to none of them.
    pub(super) fn new(sources: &config::Sources, timing: &Timing) -> Result<Self, CatalogError> {
        let config::Sources { tmdb, igdb, google_books, share, cache_bytes } = sources;
        let cache = Arc::new(Cache::new(*cache_bytes, timing.clock.clone()));
        Ok(Self {
            flights: Flights::new(cache.clone()),
            picture_flights: Flights::new(cache.clone()),
            cache,
            tmdb: tmdb.as_ref().map(|config| Tmdb::new(config, *share, timing)).transpose()?,
            igdb: igdb.as_ref().map(|config| Igdb::new(config, *share, timing)).transpose()?,
            google_books: google_books
                .as_ref()
                .map(|config| GoogleBooks::new(config, *share, timing))
                .transpose()?,
            pictures: Pictures::new(sources, timing)?,
            clock: timing.clock.clone(),
            genre_patience: timing.genre_patience,
            search_deadline: timing.search_deadline,
            lookup_deadline: timing.lookup_deadline,
        })
    }

    /// The day it is, in UTC.
    pub(super) fn today(&self) -> NaiveDate {
        DateTime::from_timestamp_millis((self.clock)()).unwrap_or_default().date_naive()
    }

    pub(super) fn wire(&self, source: SourceName) -> Option<&Wire> {
        match source {
            SourceName::Tmdb => self.tmdb.as_ref().map(|tmdb| &tmdb.wire),
            SourceName::Igdb => self.igdb.as_ref().map(|igdb| &igdb.wire),
            SourceName::GoogleBooks => self.google_books.as_ref().map(|google_books| &google_books.wire),
        }
    }

    /// The wire that a lookup takes; pictures have their own.
    fn wire_of(&self, lookup: &Lookup) -> Option<&Wire> {
        match lookup {
            Lookup::Picture(_) => self.pictures.wire(lookup.source()),
            _ => self.wire(lookup.source()),
        }
    }

    pub(super) fn picture_wire(&self, source: SourceName) -> Option<&Wire> {
        self.pictures.wire(source)
    }

    pub(super) fn counters(&self, source: SourceName) -> Option<&Counters> {
        self.wire(source).map(|wire| &wire.counters)
    }

    /// The answer to `lookup`, waiting no longer than to `deadline`.
    pub(super) async fn get(
        self: &Arc<Self>,
        lookup: &Lookup,
        share: &FairShare,
        deadline: Instant,
    ) -> Result<Got, Failure> {
        let counters = self.wire_of(lookup).map(|wire| &wire.counters).ok_or(Failure::NotConfigured)?;
        let kept = match self.cache.get(lookup) {
            Some((value, true)) => {
                counters.cache_hits.add_one();
                return Ok(Got { value, stale: false });
            }
            Some((value, false)) => Some(value),
            None => None,
        };
        counters.cache_misses.add_one();
        let outcome = match self.board_before(deadline, lookup, share) {
            Ok(Boarded::Landed(value)) => Ok(value),
            Ok(Boarded::Flying(flight)) => {
                timeout_at(deadline, flight.landing()).await.unwrap_or(Err(Failure::TimedOut))
            }
            Err(failure) => {
                if matches!(failure, Failure::RateLimited { .. }) {
                    counters.rate_limited.add_one();
                }
                Err(failure)
            }
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

    /// Whoever has no time left to wait starts nothing.
    fn board_before(
        self: &Arc<Self>,
        deadline: Instant,
        lookup: &Lookup,
        share: &FairShare,
    ) -> Result<Boarded, Failure> {
        if Instant::now() >= deadline {
            return Err(Failure::TimedOut);
        }
        self.board(lookup, &share.claim(lookup.cost()), true)
    }

    /// Joins or starts the flight for `lookup`; who starts one at Google pays for it if it is `charged`.
    fn board(self: &Arc<Self>, lookup: &Lookup, claim: &Claim, charged: bool) -> Result<Boarded, Failure> {
        let permit = || match (self.google_books.as_ref(), lookup) {
            (Some(google_books), Lookup::GoogleBooks(_)) if charged => google_books.charge(&claim.share),
            _ => self.wire_of(lookup).ok_or(Failure::NotConfigured)?.gate.check_open(),
        };
        let flights =
            if matches!(lookup, Lookup::Picture(_)) { &self.picture_flights } else { &self.flights };
        flights.board(lookup, claim, permit, || self.clone().fetch(lookup.clone(), claim.clone()))
    }

    /// Asks the source. Boxed, because a flight may start another.
    fn fetch(self: Arc<Self>, lookup: Lookup, claim: Claim) -> BoxFuture<'static, Outcome> {
        async move {
            match (&lookup, &self.tmdb, &self.igdb, &self.google_books) {
                (Lookup::Tmdb(lookup), Some(tmdb), ..) => self.fetch_tmdb(tmdb, lookup, &claim).await,
                (Lookup::Igdb(lookup), _, Some(igdb), _) => match igdb.fetch(lookup, &claim).await? {
                    Value::Games(games) => Ok(one_or_many(games)),
                    page => Ok(page),
                },
                (Lookup::GoogleBooks(lookup), _, _, Some(google_books)) => {
                    google_books.fetch(lookup, &claim).await
                }
                (Lookup::Picture(lookup), ..) => self.fetch_picture(lookup, &claim).await,
                _ => Err(Failure::NotConfigured),
            }
        }
        .boxed()
    }

    /// A source that shows a picture for what it has no picture of has none.
    async fn fetch_picture(self: &Arc<Self>, lookup: &PictureLookup, claim: &Claim) -> Outcome {
        let found = self.pictures.fetch(lookup, claim).await?;
        let (Value::Picture(picture), Some(blank)) = (&found, lookup.blank()) else { return Ok(found) };
        match self.beside(&Lookup::Picture(blank), claim).await {
            Ok(Value::Picture(blank)) if blank.digest == picture.digest => Ok(Value::NoPicture),
            _ => Ok(found),
        }
    }

    async fn fetch_tmdb(self: &Arc<Self>, tmdb: &Tmdb, lookup: &TmdbLookup, claim: &Claim) -> Outcome {
        let (kinds, language) = match lookup {
            TmdbLookup::Search { scope, language, .. } => (scope.kinds(), *language),
            TmdbLookup::Chart { kind, language, .. } => (slice::from_ref(kind), *language),
            _ => (&[][..], Language::DEFAULT),
        };
        // Hits say the numbers of their genres only. The names are asked for once a day; a page that
        // is kept without them would lack them for as long as it is kept.
        let lists: Vec<_> = kinds.iter().map(|kind| genres(*kind, language)).collect();
        let names = lists.iter().map(|list| self.beside(list, claim));
        let _ = timeout(self.genre_patience, join_all(names)).await;
        let value = tmdb.fetch(lookup, claim, |kind| self.genre_names(kind, language)).await?;
        match (value, in_default_language(lookup)) {
            (Value::Item(item), Some(default)) if item.overview.is_none() => {
                Ok(Value::Item(self.with_default_overview(item, &default, claim).await))
            }
            (Value::Page(page), Some(default)) => Ok(Value::Page(self.with_kept_overviews(page, &default))),
            (Value::Season(season), Some(default)) if season.lacks_text() => {
                Ok(Value::Season(self.with_default_texts(season, &default, claim).await))
            }
            (value, _) => Ok(value),
        }
    }

    /// The same for hits, as far as the English text is at hand: nobody is asked for it.
    fn with_kept_overviews(&self, page: Arc<Page>, default: &Lookup) -> Arc<Page> {
        let kept = match self.cache.get(default) {
            Some((Value::Page(page), _)) => page.items.clone(),
            _ => Vec::new(),
        };
        let english = |id: &MediaId| {
            let hit = kept.iter().find(|item| item.id == *id).and_then(|item| item.overview.clone());
            hit.or_else(|| match self.cache.get(&Lookup::detail(id, Language::DEFAULT))? {
                (Value::Item(item), _) => item.overview.clone(),
                _ => None,
            })
        };
        let mut items = page.items.clone();
        for item in items.iter_mut().filter(|item| item.overview.is_none()) {
            if let Some(overview) = english(&item.id) {
                Arc::make_mut(item).overview = Some(overview);
            }
        }
        Arc::new(Page { items, has_more: page.has_more })
    }

    /// A missing overview is better read in English than not at all.
    async fn with_default_overview(
        self: &Arc<Self>,
        item: Arc<MediaItem>,
        default: &Lookup,
        claim: &Claim,
    ) -> Arc<MediaItem> {
        match self.beside(default, claim).await {
            Ok(Value::Item(english)) if english.overview.is_some() => {
                let mut item = Arc::unwrap_or_clone(item);
                item.overview.clone_from(&english.overview);
                Arc::new(item)
            }
            _ => item,
        }
    }

    /// A page that is kept, however old, counted as served in place of a fresh one.
    pub(super) fn kept_page(&self, lookup: &Lookup) -> Option<Arc<Page>> {
        let (Value::Page(page), _) = self.cache.get(lookup)? else { return None };
        if let Some(counters) = self.counters(lookup.source()) {
            counters.stale_served.add_one();
        }
        Some(page)
    }

    /// The same for a season and its episodes.
    async fn with_default_texts(
        self: &Arc<Self>,
        season: Arc<Season>,
        default: &Lookup,
        claim: &Claim,
    ) -> Arc<Season> {
        match self.beside(default, claim).await {
            Ok(Value::Season(english)) => {
                let mut season = Arc::unwrap_or_clone(season);
                season.fill_texts(&english);
                Arc::new(season)
            }
            _ => season,
        }
    }

    /// What another flight needs to be complete, at that flight's place in the queue.
    async fn beside(self: &Arc<Self>, lookup: &Lookup, claim: &Claim) -> Outcome {
        match self.board(lookup, &claim.further(), false)? {
            Boarded::Landed(value) => Ok(value),
            Boarded::Flying(flight) => flight.landing().await,
        }
    }

    pub(super) fn genre_names(&self, kind: Kind, language: Language) -> Option<Arc<Genres>> {
        match self.cache.get(&genres(kind, language))? {
            (Value::Genres(names), _) => Some(names),
            _ => None,
        }
    }

    pub(super) async fn detail(
        self: &Arc<Self>,
        id: &MediaId,
        language: Language,
        share: &FairShare,
        deadline: Instant,
    ) -> Result<Answer, Unavailable> {
        match self.get(&Lookup::detail(id, language), share, deadline).await {
            Ok(Got { value: Value::Item(item), stale }) => Ok(Answer::Found { item, stale }),
            Ok(Got { value: Value::Unknown, .. }) => Ok(Answer::Unknown),
            Ok(_) => Err(Failure::UNAVAILABLE.into()),
            Err(failure) => Err(failure.into()),
        }
    }

    pub(super) async fn season(
        self: &Arc<Self>,
        lookup: &Lookup,
        share: &FairShare,
        deadline: Instant,
    ) -> Result<Answer<Season>, Unavailable> {
        match self.get(lookup, share, deadline).await {
            Ok(Got { value: Value::Season(item), stale }) => Ok(Answer::Found { item, stale }),
            Ok(Got { value: Value::Unknown, .. }) => Ok(Answer::Unknown),
            Ok(_) => Err(Failure::UNAVAILABLE.into()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Details of games; those that are not fresh in the cache are asked for together. The request
    /// counts as many turns as it names games.
    pub(super) async fn games(
        self: &Arc<Self>,
        ids: Vec<MediaId>,
        share: &FairShare,
        deadline: Instant,
    ) -> Answers {
        let mut cold: Vec<u64> = ids
            .iter()
            .filter_map(MediaId::number)
            .filter(|number| self.cache.fresh(&Lookup::game(*number)).is_none())
            .collect();
        cold.sort_unstable();
        let together = Lookup::Igdb(IgdbLookup::Games { ids: cold.as_slice().into() });
        let outcome = match cold.len() {
            0 | 1 => None,
            _ => Some(self.get(&together, share, deadline).await),
        };
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            let is_cold = id.number().is_some_and(|number| cold.contains(&number));
            let answer = match &outcome {
                Some(outcome) if is_cold => self.one_of(&id, outcome.as_ref()),
                _ => self.detail(&id, Language::DEFAULT, share, deadline).await,
            };
            answers.push((id, answer));
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

/// The same in the default language, if `lookup` is for titles in another one.
fn in_default_language(lookup: &TmdbLookup) -> Option<Lookup> {
    let mut default = lookup.clone();
    let language = match &mut default {
        TmdbLookup::Movie { language, .. }
        | TmdbLookup::Tv { language, .. }
        | TmdbLookup::Season { language, .. }
        | TmdbLookup::Search { language, .. }
        | TmdbLookup::Chart { language, .. } => language,
        TmdbLookup::Genres { .. } | TmdbLookup::FindImdb(_) | TmdbLookup::FindTvdb(_) => return None,
    };
    let other = std::mem::replace(language, Language::DEFAULT) != Language::DEFAULT;
    other.then_some(Lookup::Tmdb(default))
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

#[cfg(test)]
#[path = "desk_test.rs"]
mod tests;

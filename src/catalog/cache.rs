//! Keeps the sources' answers in memory, bounded by weight. An answer is fresh for a time that
//! depends on what it is, and kept longer, to serve when its source does not answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;

use super::gate::Clock;
use super::item::MediaItem;
use super::media_id::{MediaId, SourceName};
use super::picture::Picture;
use super::request::{GoogleBooksLookup, IgdbLookup, Lookup, PictureLookup, TmdbLookup};
use super::season::Season;
use crate::clock::Millis;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long an answer serves that is no longer fresh.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a picture is fresh: the name of another picture would be another.
const PICTURE: Duration = Duration::from_secs(30 * 24 * 3600);

/// A guess at what an entry costs besides its content, in bytes.
const OVERHEAD: usize = 256;

/// What a source said. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Page(Arc<Page>),
    Item(Arc<MediaItem>),
    Season(Arc<Season>),
    /// The source has no such title.
    Unknown,
    Genres(Arc<Genres>),
    /// The titles that a code stands for.
    Titles(Arc<[MediaId]>),
    Picture(Arc<Picture>),
    /// The source has no picture of that name.
    NoPicture,
    /// Several games at once; never kept under one key.
    Games(Arc<Games>),
}

/// Names of TMDB's genres by their ids, in one language.
pub(super) type Genres = HashMap<u64, String>;

/// For each id asked for the game, or `None` if the source has no such game.
pub(super) type Games = Vec<(u64, Option<Arc<MediaItem>>)>;

/// One page of search results.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) items: Vec<Arc<MediaItem>>,
    pub(super) has_more: bool,
}

/// What a page of results belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Search,
    Chart,
    /// What one code stands for, which hardly changes.
    Code,
}

impl Value {
    fn fresh_for(&self, of: Sort) -> Duration {
        match self {
            Value::NoPicture => HOUR,
            _ if self.is_nothing() => 10 * MINUTE,
            Value::Picture(_) => PICTURE,
            Value::Page(_) if of == Sort::Search => 30 * MINUTE,
            Value::Page(_) if of == Sort::Chart => 6 * HOUR,
            _ => DAY,
        }
    }

    /// "There is nothing" is not worth repeating when it is old.
    fn kept_for(&self, of: Sort) -> Duration {
        if self.is_nothing() { self.fresh_for(of) } else { KEPT }
    }

    fn is_nothing(&self) -> bool {
        match self {
            Value::Page(page) => page.items.is_empty(),
            Value::Titles(ids) => ids.is_empty(),
            Value::Unknown | Value::NoPicture => true,
            Value::Item(_) | Value::Season(_) | Value::Genres(_) | Value::Games(_) | Value::Picture(_) => {
                false
            }
        }
    }

    fn weight(&self) -> usize {
        match self {
            Value::Page(page) => page.items.iter().map(|item| item.weight()).sum(),
            Value::Item(item) => item.weight(),
            Value::Picture(picture) => size_of::<Picture>() + picture.bytes.len(),
            Value::Season(season) => season.weight(),
            Value::Unknown | Value::NoPicture => 0,
            Value::Titles(ids) => ids.iter().map(|id| 16 + id.as_str().len()).sum(),
            Value::Genres(names) => names.values().map(|name| 48 + name.capacity()).sum(),
            Value::Games(games) => {
                games.iter().filter_map(|(_, game)| game.as_ref()).map(|g| g.weight()).sum()
            }
        }
    }
}

#[derive(Clone)]
struct Entry {
    value: Value,
    fresh_until: Millis,
    kept_for: Duration,
}

struct KeptFor;

impl Expiry<Lookup, Entry> for KeptFor {
    fn expire_after_create(&self, _: &Lookup, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.kept_for)
    }

    /// Without this a renewed entry would die when the one before it would have.
    fn expire_after_update(
        &self,
        _: &Lookup,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.kept_for)
    }
}

pub(super) struct Cache {
    entries: moka::sync::Cache<Lookup, Entry>,
    clock: Clock,
}

impl Cache {
    /// A cache of at most about `bytes`.
    pub(super) fn new(bytes: u64, clock: Clock) -> Self {
        let entries = moka::sync::Cache::builder()
            .max_capacity(bytes)
            .weigher(|lookup: &Lookup, entry: &Entry| {
                let weight = OVERHEAD + lookup.weight() + entry.value.weight();
                u32::try_from(weight).unwrap_or(u32::MAX)
            })
            .expire_after(KeptFor)
            .build();
        Self { entries, clock }
    }

    /// What is kept, and whether it is fresh.
    pub(super) fn get(&self, lookup: &Lookup) -> Option<(Value, bool)> {
        let entry = self.entries.get(lookup)?;
        Some((entry.value, (self.clock)() < entry.fresh_until))
    }

    pub(super) fn fresh(&self, lookup: &Lookup) -> Option<Value> {
        self.get(lookup).filter(|(_, fresh)| *fresh).map(|(value, _)| value)
    }

    /// Keeps an answer. Several games at once are kept one by one, and the games of a page, which
    /// are as complete as details, are kept as details, too.
    pub(super) fn insert(&self, lookup: Lookup, value: Value) {
        match &value {
            Value::Games(games) => {
                for (id, game) in games.iter() {
                    let found = game.clone().map_or(Value::Unknown, Value::Item);
                    self.insert_one(Lookup::game(*id), found);
                }
                return;
            }
            Value::Page(page) if lookup.source() == SourceName::Igdb => {
                for game in &page.items {
                    if let Some(id) = game.id.number() {
                        self.insert_one(Lookup::game(id), Value::Item(game.clone()));
                    }
                }
            }
            _ => {}
        }
        self.insert_one(lookup, value);
    }

    fn insert_one(&self, lookup: Lookup, value: Value) {
        let fresh_for = Millis::try_from(value.fresh_for(lookup.sort()).as_millis()).unwrap_or(Millis::MAX);
        let fresh_until = (self.clock)().saturating_add(fresh_for);
        let kept_for = value.kept_for(lookup.sort());
        self.entries.insert(lookup, Entry { value, fresh_until, kept_for });
    }

    #[cfg(test)]
    pub(super) fn settle(&self) {
        self.entries.run_pending_tasks();
    }

    /// Entries and their weight in bytes; both lag a little.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.entries.entry_count(), self.entries.weighted_size())
    }
}

impl Lookup {
    fn weight(&self) -> usize {
        match self {
            Lookup::Tmdb(TmdbLookup::Search { text, .. }) => text.as_str().len(),
            Lookup::Tmdb(_) => 0,
            Lookup::Igdb(IgdbLookup::Search { text, .. }) => text.as_str().len(),
            Lookup::Igdb(IgdbLookup::Games { ids }) => ids.len() * 8,
            Lookup::GoogleBooks(GoogleBooksLookup::Search { text, .. }) => text.as_str().len(),
            Lookup::GoogleBooks(GoogleBooksLookup::Volume { id }) => id.as_str().len(),
            Lookup::Picture(PictureLookup { cover, .. }) => cover.as_str().len(),
            Lookup::Igdb(IgdbLookup::Slug { slug }) => slug.as_str().len(),
            Lookup::GoogleBooks(GoogleBooksLookup::Isbn { isbn }) => isbn.as_str().len(),
            Lookup::Igdb(IgdbLookup::Chart { .. }) => 0,
        }
    }

    fn sort(&self) -> Sort {
        match self {
            Lookup::Tmdb(TmdbLookup::Chart { .. }) | Lookup::Igdb(IgdbLookup::Chart { .. }) => Sort::Chart,
            Lookup::Igdb(IgdbLookup::Slug { .. }) | Lookup::GoogleBooks(GoogleBooksLookup::Isbn { .. }) => {
                Sort::Code
            }
            _ => Sort::Search,
        }
    }
}

#[cfg(test)]
#[path = "cache_test.rs"]
mod tests;

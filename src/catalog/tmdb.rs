//! TMDB: movies and series. Turns its answers into ours and its errors into faults.

mod detail;
mod season;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::Value as Json;

use super::answer::Timing;
use super::cache::{Genres, Page, Value};
use super::failure::{CatalogError, Failure};
use super::fair_share::Claim;
use super::field;
use super::gate::Allowance;
use super::item::{CoverRef, MediaItem};
use super::media_id::{Kind, MediaId, SourceName};
use super::request::{self, LAST_PAGE, TmdbLookup, TmdbScope};
use super::wire::{Fault, Reply, Wire, base_url, credential};
use crate::config;

/// TMDB speaks of about 40 requests a second; this stays below with all its bursts.
const ALLOWANCE: Allowance = Allowance { per_second: 25.0, burst: 10, open: 32, per_day: None };

/// For a 429 that does not say how long.
const DEFAULT_PAUSE: Duration = Duration::from_secs(5);

/// The most titles that one id is taken to stand for.
const MAX_FOUND: usize = 10;

/// Codes of TMDB's own that say "there is no such title".
const NOT_FOUND: [u64; 4] = [6, 21, 34, 37];

pub(super) struct Tmdb {
    pub(super) wire: Wire,
    base: Url,
    authorization: HeaderValue,
}

impl Tmdb {
    pub(super) fn new(config: &config::Tmdb, share: f64, timing: &Timing) -> Result<Self, CatalogError> {
        let source = SourceName::Tmdb;
        Ok(Self {
            wire: Wire::new(source, &config.base_url, ALLOWANCE, share, timing)?,
            base: base_url(source, &config.base_url)?,
            authorization: credential(source, &format!("Bearer {}", config.access_token.expose()))?,
        })
    }

    /// Asks TMDB. `genres` names what genre ids of hits mean, where that is at hand.
    pub(super) async fn fetch(
        &self,
        lookup: &TmdbLookup,
        claim: &Claim,
        genres: impl Fn(Kind) -> Option<Arc<Genres>>,
    ) -> Result<Value, Failure> {
        let build = || request::tmdb(&self.base, &self.authorization, lookup);
        self.wire.exchange(claim, 2, build, |reply| judge(lookup, reply, &genres)).await
    }
}

fn judge(
    lookup: &TmdbLookup,
    reply: &Reply,
    genres: impl Fn(Kind) -> Option<Arc<Genres>>,
) -> Result<Value, Fault> {
    let not_found = match lookup {
        TmdbLookup::Movie { .. } | TmdbLookup::Tv { .. } | TmdbLookup::Season { .. } => Some(Value::Unknown),
        TmdbLookup::FindImdb(_) | TmdbLookup::FindTvdb(_) => Some(Value::Titles(Arc::new([]))),
        _ => None,
    };
    match reply.status.as_u16() {
        200 => {
            let body = reply.json()?;
            // "Entry not found" comes with a success status.
            let not_found = not_found.filter(|_| says_not_found(&body));
            not_found.or_else(|| parse(lookup, &body, genres)).ok_or(Fault::Lasting)
        }
        404 if reply.json().is_ok_and(|body| says_not_found(&body)) => not_found.ok_or(Fault::Lasting),
        401 => Err(Fault::Refused),
        _ => Err(reply.fault(DEFAULT_PAUSE)),
    }
}

fn says_not_found(body: &Json) -> bool {
    body.get("success") == Some(&Json::Bool(false))
        && field::id(body, "status_code").is_some_and(|code| NOT_FOUND.contains(&code))
}

fn parse(lookup: &TmdbLookup, body: &Json, genres: impl Fn(Kind) -> Option<Arc<Genres>>) -> Option<Value> {
    match lookup {
        TmdbLookup::Search { scope, page, .. } => page_of(*scope, *page, body, genres),
        TmdbLookup::Chart { kind: Kind::Tv, page, .. } => page_of(TmdbScope::Tv, *page, body, genres),
        TmdbLookup::Chart { page, .. } => page_of(TmdbScope::Movie, *page, body, genres),
        TmdbLookup::FindImdb(_) | TmdbLookup::FindTvdb(_) => found(body),
        TmdbLookup::Movie { id, .. } => detail::movie(*id, body),
        TmdbLookup::Tv { id, .. } => detail::series(*id, body),
        TmdbLookup::Season { number, .. } => season::parse(*number, body),
        TmdbLookup::Genres { .. } => {
            body.get("genres")?.as_array()?;
            let named = |row| Some((field::id(row, "id")?, field::line(row, "name")?));
            Some(Value::Genres(Arc::new(
                field::rows(body, "genres").iter().take(100).filter_map(named).collect(),
            )))
        }
    }
}

fn page_of(
    scope: TmdbScope,
    page: u32,
    body: &Json,
    genres: impl Fn(Kind) -> Option<Arc<Genres>>,
) -> Option<Value> {
    let rows = body.get("results")?.as_array()?;
    let (movie_genres, tv_genres) = (genres(Kind::Movie), genres(Kind::Tv));
    let mut items: Vec<Arc<MediaItem>> = Vec::new();
    for row in rows.iter().take(100) {
        let kind = match (scope, row.get("media_type").and_then(Json::as_str)) {
            (TmdbScope::Movie, _) | (TmdbScope::Both, Some("movie")) => Kind::Movie,
            (TmdbScope::Tv, _) | (TmdbScope::Both, Some("tv")) => Kind::Tv,
            // Persons, and what may be added one day.
            (TmdbScope::Both, _) => continue,
        };
        let names = if kind == Kind::Tv { &tv_genres } else { &movie_genres };
        let Some(mut item) = field::id(row, "id").and_then(|id| described(kind, id, row)) else { continue };
        if let Some(names) = names {
            let ids = field::rows(row, "genre_ids").iter().filter_map(Json::as_u64);
            item.genres = field::distinct(ids.filter_map(|id| names.get(&id).cloned()));
        }
        // Rows move between pages and may come twice.
        if !is_adult(row) && !items.iter().any(|other| other.id == item.id) {
            items.push(Arc::new(item));
        }
    }
    let pages = field::id(body, "total_pages").unwrap_or(0).min(u64::from(LAST_PAGE));
    let has_more = u64::from(page) < pages && !rows.is_empty();
    Some(Value::Page(Arc::new(Page { items, has_more })))
}

/// The titles that another register's id stands for. An episode, and a season, stands for its series.
fn found(body: &Json) -> Option<Value> {
    body.as_object()?;
    let lists = [
        ("movie_results", Kind::Movie, "id"),
        ("tv_results", Kind::Tv, "id"),
        ("tv_season_results", Kind::Tv, "show_id"),
        ("tv_episode_results", Kind::Tv, "show_id"),
    ];
    let mut ids: Vec<MediaId> = Vec::new();
    for (list, kind, key) in lists {
        for row in field::rows(body, list).iter().filter(|row| !is_adult(row)) {
            let id = field::id(row, key).and_then(|id| MediaId::new(kind, &id.to_string()).ok());
            ids.extend(id.filter(|id| ids.len() < MAX_FOUND && !ids.contains(id)));
        }
    }
    Some(Value::Titles(ids.into()))
}

fn is_adult(row: &Json) -> bool {
    row.get("adult") == Some(&Json::Bool(true))
}

/// What hits and details have in common; `None` without any title.
fn described(kind: Kind, id: u64, row: &Json) -> Option<MediaItem> {
    let (title, original, date) = match kind {
        Kind::Tv => ("name", "original_name", "first_air_date"),
        _ => ("title", "original_title", "release_date"),
    };
    let original_title = field::line(row, original);
    // A title that is not translated may come back empty.
    let title = field::line(row, title).or_else(|| original_title.clone())?;
    let mut item = MediaItem::new(MediaId::new(kind, &id.to_string()).ok()?, title);
    item.original_title = original_title;
    item.release_date = field::date(row, date);
    item.overview = field::paragraphs(row, "overview");
    item.cover =
        row.get("poster_path").and_then(Json::as_str).and_then(|path| CoverRef::new(SourceName::Tmdb, path));
    Some(item)
}

#[cfg(test)]
#[path = "tmdb_test.rs"]
mod tests;

//! TMDB: movies and series. Turns its answers into ours and its errors into faults.

mod season;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::Value as Json;

use super::answer::Timing;
use super::cache::{Genres, Page, Value};
use super::failure::{CatalogError, Failure};
use super::field;
use super::gate::Allowance;
use super::item::{CoverRef, MediaItem, Role};
use super::media_id::{Kind, MediaId, SourceName};
use super::request::{self, LAST_PAGE, TmdbLookup, TmdbScope};
use super::wire::{Fault, Reply, Wire, base_url, credential};
use crate::config;

/// TMDB speaks of about 40 requests a second; this stays below with all its bursts.
const ALLOWANCE: Allowance = Allowance { per_second: 25.0, burst: 10, open: 32, per_day: None };

/// For a 429 that does not say how long.
const DEFAULT_PAUSE: Duration = Duration::from_secs(5);

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
        genres: impl Fn(Kind) -> Option<Arc<Genres>>,
    ) -> Result<Value, Failure> {
        let build = || request::tmdb(&self.base, &self.authorization, lookup);
        self.wire.exchange(2, build, |reply| judge(lookup, reply, &genres)).await
    }
}

fn judge(
    lookup: &TmdbLookup,
    reply: &Reply,
    genres: impl Fn(Kind) -> Option<Arc<Genres>>,
) -> Result<Value, Fault> {
    let is_detail =
        matches!(lookup, TmdbLookup::Movie { .. } | TmdbLookup::Tv { .. } | TmdbLookup::Season { .. });
    match reply.status.as_u16() {
        200 => {
            let body = reply.json()?;
            // "Entry not found" comes with a success status.
            if is_detail && says_not_found(&body) {
                return Ok(Value::Unknown);
            }
            parse(lookup, &body, genres).ok_or(Fault::Lasting)
        }
        404 if is_detail && reply.json().is_ok_and(|body| says_not_found(&body)) => Ok(Value::Unknown),
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
        TmdbLookup::Movie { id, .. } => detail(Kind::Movie, *id, body),
        TmdbLookup::Tv { id, .. } => detail(Kind::Tv, *id, body),
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
        let adult = row.get("adult") == Some(&Json::Bool(true));
        // Rows move between pages and may come twice.
        if !adult && !items.iter().any(|other| other.id == item.id) {
            items.push(Arc::new(item));
        }
    }
    let pages = field::id(body, "total_pages").unwrap_or(0).min(u64::from(LAST_PAGE));
    let has_more = u64::from(page) < pages && !rows.is_empty();
    Some(Value::Page(Arc::new(Page { items, has_more })))
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

fn detail(kind: Kind, id: u64, body: &Json) -> Option<Value> {
    field::id(body, "id")?;
    let mut item = described(kind, id, body)?;
    item.genres = field::names(body, "genres");
    let nothing = Json::Null;
    if kind == Kind::Tv {
        item.season_count = field::count(body, "number_of_seasons");
        item.episode_count = field::count(body, "number_of_episodes");
        item.seasons = season::summaries(body);
        // The series' own list is empty for most series today.
        let listed =
            field::rows(body, "episode_run_time").iter().filter_map(Json::as_u64).find(|time| *time > 0);
        let last = field::count(body.get("last_episode_to_air").unwrap_or(&nothing), "runtime");
        item.runtime_minutes = listed.and_then(|time| u32::try_from(time).ok()).or(last);
        for person in field::rows(body, "created_by") {
            field::add_creator(&mut item.creators, field::line(person, "name"), Role::Creator);
        }
    } else {
        item.runtime_minutes = field::count(body, "runtime");
        let crew = field::rows(body.get("credits").unwrap_or(&nothing), "crew");
        for (jobs, role) in
            [(&["Director"][..], Role::Director), (&["Screenplay", "Writer"][..], Role::Writer)]
        {
            let with_job = crew
                .iter()
                .filter(|row| row.get("job").and_then(Json::as_str).is_some_and(|job| jobs.contains(&job)));
            for person in with_job {
                field::add_creator(&mut item.creators, field::line(person, "name"), role);
            }
        }
    }
    let ids = body.get("external_ids").unwrap_or(&nothing);
    item.external_ids.imdb_id =
        field::numbered(ids, "imdb_id", "tt").or_else(|| field::numbered(body, "imdb_id", "tt"));
    item.external_ids.wikidata_id = field::numbered(ids, "wikidata_id", "Q");
    item.external_ids.tvdb_id = field::id(ids, "tvdb_id").map(|id| id.to_string());
    Some(Value::Item(Arc::new(item)))
}

#[cfg(test)]
#[path = "tmdb_test.rs"]
mod tests;

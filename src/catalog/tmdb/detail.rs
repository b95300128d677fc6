//! Reads TMDB's details of a movie or a series.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{described, season};
use crate::catalog::cache::Value;
use crate::catalog::field;
use crate::catalog::item::{Creator, MediaItem, Role, SeriesStatus};
use crate::catalog::media_id::Kind;

pub(super) fn movie(id: u64, body: &Json) -> Option<Value> {
    let mut item = common(Kind::Movie, id, body)?;
    item.runtime_minutes = field::count(body, "runtime");
    for (jobs, role) in [(&["Director"][..], Role::Director), (&["Screenplay", "Writer"][..], Role::Writer)] {
        let crew = credits(body, "crew").iter();
        let with_job =
            crew.filter(|row| row.get("job").and_then(Json::as_str).is_some_and(|job| jobs.contains(&job)));
        add(&mut item.creators, with_job, role);
    }
    add_cast(&mut item.creators, body);
    add(&mut item.creators, field::rows(body, "production_companies").iter(), Role::Studio);
    Some(Value::Item(Arc::new(item)))
}

pub(super) fn series(id: u64, body: &Json) -> Option<Value> {
    let mut item = common(Kind::Tv, id, body)?;
    item.season_count = field::count(body, "number_of_seasons");
    item.episode_count = field::count(body, "number_of_episodes");
    item.seasons = season::summaries(body);
    item.series_status = body.get("status").and_then(Json::as_str).and_then(status);
    // The series' own list is empty for most series today.
    let listed = field::rows(body, "episode_run_time").iter().filter_map(Json::as_u64).find(|time| *time > 0);
    let last = body.get("last_episode_to_air").and_then(|episode| field::count(episode, "runtime"));
    item.runtime_minutes = listed.and_then(|time| u32::try_from(time).ok()).or(last);
    add(&mut item.creators, field::rows(body, "created_by").iter(), Role::Creator);
    add_cast(&mut item.creators, body);
    add(&mut item.creators, field::rows(body, "networks").iter(), Role::Network);
    add(&mut item.creators, field::rows(body, "production_companies").iter(), Role::Studio);
    Some(Value::Item(Arc::new(item)))
}

/// What both have in common; `None` without any title.
fn common(kind: Kind, id: u64, body: &Json) -> Option<MediaItem> {
    field::id(body, "id")?;
    let mut item = described(kind, id, body)?;
    item.genres = field::names(body, "genres");
    let nothing = Json::Null;
    let ids = body.get("external_ids").unwrap_or(&nothing);
    item.external_ids.imdb_id =
        field::numbered(ids, "imdb_id", "tt").or_else(|| field::numbered(body, "imdb_id", "tt"));
    item.external_ids.wikidata_id = field::numbered(ids, "wikidata_id", "Q");
    item.external_ids.tvdb_id = field::id(ids, "tvdb_id").map(|id| id.to_string());
    Some(item)
}

fn status(text: &str) -> Option<SeriesStatus> {
    Some(match text {
        // A pilot that may become a series.
        "Planned" | "Pilot" => SeriesStatus::Planned,
        "In Production" => SeriesStatus::InProduction,
        "Returning Series" => SeriesStatus::Returning,
        "Ended" => SeriesStatus::Ended,
        "Canceled" | "Cancelled" => SeriesStatus::Canceled,
        _ => return None,
    })
}

fn credits<'a>(body: &'a Json, part: &str) -> &'a [Json] {
    body.get("credits").map_or(&[], |credits| field::rows(credits, part))
}

/// The cast comes in the order of the titles.
fn add_cast(creators: &mut Vec<Creator>, body: &Json) {
    for row in credits(body, "cast") {
        field::add_actor(creators, field::line(row, "name"), field::line(row, "character"));
    }
}

fn add<'a>(creators: &mut Vec<Creator>, rows: impl Iterator<Item = &'a Json>, role: Role) {
    for row in rows {
        field::add_creator(creators, field::line(row, "name"), role);
    }
}

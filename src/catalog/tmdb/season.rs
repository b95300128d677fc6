//! Seasons and their episodes, as TMDB tells them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::catalog::cache::Value;
use crate::catalog::field;
use crate::catalog::item::CoverRef;
use crate::catalog::media_id::SourceName;
use crate::catalog::season::{Episode, MAX_EPISODES, MAX_NUMBER, MAX_SEASONS, Season, SeasonSummary};

/// The seasons that a series lists, by number; a number is not always one more than the one before.
pub(super) fn summaries(series: &Json) -> Vec<SeasonSummary> {
    let mut seasons = BTreeMap::new();
    for row in field::rows(series, "seasons").iter().take(MAX_SEASONS) {
        let Some(number) = number(row, "season_number") else { continue };
        seasons.entry(number).or_insert_with(|| SeasonSummary {
            number,
            title: field::line(row, "name"),
            air_date: field::date(row, "air_date"),
            episode_count: field::count(row, "episode_count"),
            cover: cover(row),
        });
    }
    seasons.into_values().collect()
}

/// One season; `None` if the body is none.
pub(super) fn parse(asked: u32, body: &Json) -> Option<Value> {
    body.as_object()?;
    if number(body, "season_number").is_some_and(|number| number != asked) {
        return None;
    }
    let mut episodes = BTreeMap::new();
    for row in field::rows(body, "episodes").iter().take(MAX_EPISODES) {
        let Some((id, number)) = field::id(row, "id").zip(number(row, "episode_number")) else { continue };
        episodes.entry(number).or_insert_with(|| Episode {
            id,
            number,
            title: field::line(row, "name"),
            overview: field::paragraphs(row, "overview"),
            air_date: field::date(row, "air_date").and_then(|date| date.parse().ok()),
            runtime_minutes: field::count(row, "runtime"),
        });
    }
    Some(Value::Season(Arc::new(Season {
        number: asked,
        title: field::line(body, "name"),
        overview: field::paragraphs(body, "overview"),
        air_date: field::date(body, "air_date"),
        cover: cover(body),
        episodes: episodes.into_values().collect(),
    })))
}

fn cover(row: &Json) -> Option<CoverRef> {
    CoverRef::new(SourceName::Tmdb, row.get("poster_path")?.as_str()?)
}

/// A number from 0 on: the specials are season 0, and some series begin with an episode 0.
fn number(row: &Json, key: &str) -> Option<u32> {
    let number = u32::try_from(row.get(key)?.as_u64()?).ok()?;
    (number <= MAX_NUMBER).then_some(number)
}

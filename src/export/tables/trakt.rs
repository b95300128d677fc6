//! The CSV that Trakt's importer takes, for movies, series and their episodes.

use entity::account;

use super::{Shelf, day, of_ten, put, row, source_id};
use crate::archive::format::Entry;
use crate::catalog::Kind;
use crate::db::Snapshot;
use crate::export::sink::{Broken, Sink};

const TRAKT: [&str; 6] = ["tmdb_id", "type", "watched_at", "watchlisted_at", "rating", "rated_at"];

/// Noon, so that the day is the same in nearly every time zone: Trakt takes no days.
fn noon(day: Option<&str>) -> String {
    day.map_or_else(|| "unknown".to_owned(), |day| format!("{day}T12:00:00Z"))
}

pub(super) async fn write(own: &account::Model, moment: &Snapshot, sink: &mut Sink) -> Result<(), Broken> {
    sink.begin("trakt.csv")?;
    put(sink, &TRAKT)?;
    let mut movies = Shelf::new(own, Kind::Movie);
    while let Some(entry) = movies.next(moment).await? {
        let times = movies.times(moment, &entry).await?;
        let mut watched: Vec<String> = times.iter().map(|event| noon(day(event))).collect();
        if watched.is_empty() && entry.status == "completed" {
            watched.push(noon(None));
        }
        title(&entry, "movie", &watched, sink)?;
        sink.pass_on().await?;
    }
    let mut series = Shelf::new(own, Kind::Tv);
    let mut episodes = series.episodes();
    while let Some(entry) = series.next(moment).await? {
        // A series is watched by its episodes: a time of its own would mark all of them.
        title(&entry, "show", &[], sink)?;
        while let Some((_, episode)) = episodes.next_of(moment, &entry.media_id).await? {
            if let Some(id) = episode.source_episode_id {
                let time = noon(episode.watched_on.as_ref().map(|day| day.0.as_str()));
                let values = [("tmdb_id", id.to_string()), ("type", "episode".into()), ("watched_at", time)];
                let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
                put(sink, &row(&TRAKT, &values))?;
            }
            sink.pass_on().await?;
        }
        sink.pass_on().await?;
    }
    Ok(())
}

/// The rows of one title: one for each time it was watched, the last with the rating; one without a time,
/// where it was not and something else is said of it.
fn title(entry: &Entry, kind: &str, watched: &[String], sink: &mut Sink) -> Result<(), Broken> {
    let is = [("tmdb_id", source_id(&entry.media_id)), ("type", kind)];
    let (last, earlier) = match watched.split_last() {
        Some((last, earlier)) => (last.as_str(), earlier),
        None => ("", watched),
    };
    for time in earlier {
        put(sink, &row(&TRAKT, &[&is[..], &[("watched_at", time)]].concat()))?;
    }
    let rating = of_ten(entry.rating);
    let rated_at = if rating.is_empty() { "" } else { entry.updated_at.0.as_str() };
    let wanted = entry.status == "backlog" && watched.is_empty();
    let wanted_at = if wanted { entry.added_at.0.as_str() } else { "" };
    if wanted || !watched.is_empty() || !rating.is_empty() {
        let says = [
            ("watched_at", last),
            ("watchlisted_at", wanted_at),
            ("rating", &rating),
            ("rated_at", rated_at),
        ];
        put(sink, &row(&TRAKT, &[&is[..], &says].concat()))?;
    }
    Ok(())
}

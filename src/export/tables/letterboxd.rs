//! Letterboxd's import format: a diary of what was watched, and a watchlist.

use entity::account;

use super::{Shelf, day, foreign, of_ten, put, row, source_id, year};
use crate::archive::format::Entry;
use crate::catalog::{Kind, MediaItem};
use crate::db::Snapshot;
use crate::export::sink::{Broken, Sink};

const DIARY: [&str; 9] =
    ["tmdbID", "imdbID", "Title", "Year", "Rating10", "WatchedDate", "Rewatch", "Tags", "Review"];

/// What Letterboxd knows a movie by.
fn movie(entry: &Entry, title: Option<&MediaItem>) -> [(&'static str, String); 4] {
    let imdb = title.and_then(|title| title.external_ids.imdb_id.as_deref());
    [
        ("tmdbID", source_id(&entry.media_id)),
        ("imdbID", imdb.unwrap_or_default()),
        ("Title", entry.title.as_deref().unwrap_or_default()),
        ("Year", year(entry.release_date.as_ref())),
    ]
    .map(|(name, value)| (name, foreign(value).into_owned()))
}

fn of<'a>(values: &'a [(&'static str, String); 4]) -> [(&'a str, &'a str); 4] {
    values.each_ref().map(|(name, value)| (*name, value.as_str()))
}

pub(super) async fn diary(own: &account::Model, moment: &Snapshot, sink: &mut Sink) -> Result<(), Broken> {
    sink.begin("letterboxd.csv")?;
    put(sink, &DIARY)?;
    let mut movies = Shelf::new(own, Kind::Movie);
    while let Some((entry, title)) = movies.next_titled(moment).await? {
        let review = movies.review(moment, &entry).await?;
        let times = movies.times(moment, &entry).await?;
        let mut days: Vec<&str> = times.iter().map(|event| day(event).unwrap_or_default()).collect();
        if days.is_empty() {
            if entry.status != "completed" {
                continue;
            }
            days.push("");
        }
        let rating = of_ten(entry.rating);
        let (last, movie) = (days.len() - 1, movie(&entry, title.as_ref()));
        for (index, day) in days.iter().enumerate() {
            let mut values: Vec<(&str, &str)> = of(&movie).to_vec();
            values.extend([("WatchedDate", *day), ("Rewatch", if index > 0 { "true" } else { "false" })]);
            if index == last {
                let text = review.as_ref().map(|review| review.body.as_str());
                values.extend([("Rating10", rating.as_str()), ("Review", text.unwrap_or_default())]);
            }
            put(sink, &row(&DIARY, &values))?;
        }
        sink.pass_on().await?;
    }
    Ok(())
}

const WATCHLIST: [&str; 4] = ["tmdbID", "imdbID", "Title", "Year"];

pub(super) async fn watchlist(
    own: &account::Model,
    moment: &Snapshot,
    sink: &mut Sink,
) -> Result<(), Broken> {
    sink.begin("letterboxd-watchlist.csv")?;
    put(sink, &WATCHLIST)?;
    let mut movies = Shelf::new(own, Kind::Movie);
    while let Some((entry, title)) = movies.next_titled(moment).await? {
        let seen = !movies.times(moment, &entry).await?.is_empty();
        if entry.status == "backlog" && !seen {
            put(sink, &row(&WATCHLIST, &of(&movie(&entry, title.as_ref()))))?;
            sink.pass_on().await?;
        }
    }
    Ok(())
}

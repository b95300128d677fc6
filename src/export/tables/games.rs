//! Games, for which no importer has set a standard: columns of our own.

use entity::account;

use super::{Shelf, foreign, put, source_id};
use crate::archive::format::Date;
use crate::catalog::Kind;
use crate::db::Snapshot;
use crate::export::sink::{Broken, Sink};

const GAMES: [&str; 18] = [
    "igdb_id",
    "title",
    "release_date",
    "status",
    "rating",
    "favorite",
    "progress_unit",
    "progress_current",
    "progress_total",
    "started_on",
    "finished_on",
    "times_finished",
    "review_title",
    "review",
    "spoiler",
    "added_at",
    "updated_at",
    "media_id",
];

pub(super) async fn write(own: &account::Model, moment: &Snapshot, sink: &mut Sink) -> Result<(), Broken> {
    sink.begin("games.csv")?;
    put(sink, &GAMES)?;
    let mut games = Shelf::new(own, Kind::Game);
    while let Some(entry) = games.next(moment).await? {
        let review = games.review(moment, &entry).await?;
        let times = games.times(moment, &entry).await?;
        let number = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
        let date = |date: &Option<Date>| date.as_ref().map(|date| date.0.clone()).unwrap_or_default();
        let text = |text: &Option<String>| foreign(text.as_deref().unwrap_or_default()).into_owned();
        let progress = entry.progress.as_ref();
        let review = review.as_ref();
        put(
            sink,
            &[
                source_id(&entry.media_id).to_owned(),
                text(&entry.title),
                text(&entry.release_date),
                entry.status.clone(),
                number(entry.rating),
                entry.favorite.to_string(),
                progress.map(|progress| progress.unit.clone()).unwrap_or_default(),
                number(progress.map(|progress| progress.current)),
                number(progress.and_then(|progress| progress.total)),
                date(&entry.started_on),
                date(&entry.finished_on),
                times.len().to_string(),
                review.and_then(|review| review.title.clone()).unwrap_or_default(),
                review.map(|review| review.body.clone()).unwrap_or_default(),
                review.map(|review| review.spoiler.to_string()).unwrap_or_default(),
                entry.added_at.0.clone(),
                entry.updated_at.0.clone(),
                entry.media_id.clone(),
            ],
        )?;
        sink.pass_on().await?;
    }
    Ok(())
}

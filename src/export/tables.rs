//! Writes the CSV files of a ZIP archive, each in the columns that others read: Letterboxd's import format,
//! the CSV of Trakt's importer, what Goodreads exports, and columns of our own for games. `readme.txt`
//! tells the person what goes where and how ratings are rounded.

use entity::account;
use sea_orm::Value;
use uuid::Uuid;

use super::rows::{Entries, Episodes, History, Reviews, Rows};
use super::sink::{Broken, Sink};
use crate::account::language;
use crate::archive::format::{Date, Entry, HistoryEvent, Review};
use crate::catalog::{Kind, MediaItem, Role};
use crate::db::Snapshot;
use crate::media;

/// Titles looked up at once.
const TITLES: usize = 100;

pub(super) async fn write(
    own: &account::Model,
    moment: &Snapshot<'_>,
    sink: &mut Sink,
) -> Result<(), Broken> {
    letterboxd(own, moment, sink).await?;
    letterboxd_watchlist(own, moment, sink).await?;
    trakt(own, moment, sink).await?;
    goodreads(own, moment, sink).await?;
    games(own, moment, sink).await
}

/// All columns of one row, in the order of `names`; the rest stay empty.
fn row<const N: usize>(names: &[&str; N], values: &[(&str, &str)]) -> [String; N] {
    names.map(|name| {
        let value = values.iter().find(|(known, _)| *known == name);
        value.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
    })
}

/// As RFC 4180 has it: comma, quotes where they are needed, CR LF.
fn put(sink: &mut Sink, fields: &[impl AsRef<[u8]>]) -> Result<(), Broken> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).buffer_capacity(1024).from_writer(sink);
    writer.write_record(fields).map_err(std::io::Error::from)?;
    Ok(writer.flush()?)
}

/// The entries of one kind with their titles, in the order of their ids.
struct OfKind {
    entries: Rows<Entries>,
    prefix: String,
    language: crate::catalog::Language,
    ready: std::collections::VecDeque<(Entry, Option<MediaItem>)>,
}

impl OfKind {
    fn new(own: &account::Model, kind: Kind) -> Self {
        let (language, prefix) = (language(own), format!("{}:", kind.as_str()));
        let entries = Rows::behind(own.id, language.as_str(), &prefix, Vec::new());
        Self { entries, prefix, language, ready: std::collections::VecDeque::new() }
    }

    async fn next(&mut self, moment: &Snapshot<'_>) -> Result<Option<(Entry, Option<MediaItem>)>, Broken> {
        if self.ready.is_empty() {
            let mut page = Vec::with_capacity(TITLES);
            while page.len() < TITLES
                && let Some(entry) = self.entries.next(moment).await?
                && entry.media_id.starts_with(&self.prefix)
            {
                page.push(entry);
            }
            let ids: Vec<&str> = page.iter().map(|entry| entry.media_id.as_str()).collect();
            let mut titles = media::items(moment, &ids, self.language).await?;
            self.ready.extend(page.into_iter().map(|entry| {
                let title = titles.remove(&entry.media_id);
                (entry, title)
            }));
        }
        Ok(self.ready.pop_front())
    }
}

/// What hangs on the entries of one kind begins here.
fn behind(own: &account::Model, kind: Kind, rest: Vec<Value>) -> (Uuid, String, Vec<Value>) {
    (own.id, format!("{}:", kind.as_str()), rest)
}

fn reviews(own: &account::Model, kind: Kind) -> Rows<Reviews> {
    let (id, prefix, rest) = behind(own, kind, Vec::new());
    Rows::behind(id, "", &prefix, rest)
}

fn history(own: &account::Model, kind: Kind) -> Rows<History> {
    let (id, prefix, rest) = behind(own, kind, vec![Uuid::nil().into()]);
    Rows::behind(id, "", &prefix, rest)
}

/// The times that an entry was finished: those without a date first, then from the oldest on.
async fn times(
    history: &mut Rows<History>,
    moment: &Snapshot<'_>,
    media_id: &str,
) -> Result<Vec<HistoryEvent>, Broken> {
    let mut times = Vec::new();
    while let Some((_, event)) = history.next_of(moment, media_id).await? {
        times.push(event);
    }
    times.sort_by(|a, b| day(a).cmp(&day(b)));
    Ok(times)
}

/// The day of an event, if it is known to the day.
fn day(event: &HistoryEvent) -> Option<&str> {
    event.finished_on.as_ref().filter(|_| event.precision == "day").map(|date| date.0.as_str())
}

/// A rating out of ten: to the nearest, halves up, and at least 1.
fn of_ten(rating: Option<i32>) -> String {
    rating.map(|rating| ((rating + 5) / 10).clamp(1, 10).to_string()).unwrap_or_default()
}

/// The same out of five; 0 is none.
fn of_five(rating: Option<i32>) -> String {
    rating.map_or(0, |rating| ((rating + 10) / 20).clamp(1, 5)).to_string()
}

/// The source's own id of a title.
fn source_id(media_id: &str) -> &str {
    media_id.rsplit(':').next().unwrap_or_default()
}

fn year(date: Option<&String>) -> &str {
    date.and_then(|date| date.get(..4)).unwrap_or_default()
}

const LETTERBOXD: [&str; 9] =
    ["tmdbID", "imdbID", "Title", "Year", "Rating10", "WatchedDate", "Rewatch", "Tags", "Review"];

/// What Letterboxd knows a movie by.
fn movie<'a>(entry: &'a Entry, title: Option<&'a MediaItem>) -> [(&'static str, &'a str); 4] {
    let imdb = title.and_then(|title| title.external_ids.imdb_id.as_deref());
    [
        ("tmdbID", source_id(&entry.media_id)),
        ("imdbID", imdb.unwrap_or_default()),
        ("Title", entry.title.as_deref().unwrap_or_default()),
        ("Year", year(entry.release_date.as_ref())),
    ]
}

async fn letterboxd(own: &account::Model, moment: &Snapshot<'_>, sink: &mut Sink) -> Result<(), Broken> {
    sink.begin("letterboxd.csv")?;
    put(sink, &LETTERBOXD)?;
    let mut movies = OfKind::new(own, Kind::Movie);
    let (mut reviews, mut history) = (reviews(own, Kind::Movie), history(own, Kind::Movie));
    while let Some((entry, title)) = movies.next(moment).await? {
        let review = reviews.next_of(moment, &entry.media_id).await?.map(|(_, review)| review);
        let times = times(&mut history, moment, &entry.media_id).await?;
        let mut days: Vec<&str> = times.iter().map(|event| day(event).unwrap_or_default()).collect();
        if days.is_empty() {
            if entry.status != "completed" {
                continue;
            }
            days.push("");
        }
        let rating = of_ten(entry.rating);
        let last = days.len() - 1;
        for (index, day) in days.iter().enumerate() {
            let mut values = movie(&entry, title.as_ref()).to_vec();
            values.extend([("WatchedDate", *day), ("Rewatch", if index > 0 { "true" } else { "false" })]);
            if index == last {
                let text = review.as_ref().map(|review| review.body.as_str());
                values.extend([("Rating10", rating.as_str()), ("Review", text.unwrap_or_default())]);
            }
            put(sink, &row(&LETTERBOXD, &values))?;
        }
        sink.pass_on().await?;
    }
    Ok(())
}

const LETTERBOXD_WATCHLIST: [&str; 4] = ["tmdbID", "imdbID", "Title", "Year"];

async fn letterboxd_watchlist(
    own: &account::Model,
    moment: &Snapshot<'_>,
    sink: &mut Sink,
) -> Result<(), Broken> {
    sink.begin("letterboxd-watchlist.csv")?;
    put(sink, &LETTERBOXD_WATCHLIST)?;
    let mut movies = OfKind::new(own, Kind::Movie);
    let mut history = history(own, Kind::Movie);
    while let Some((entry, title)) = movies.next(moment).await? {
        let seen = !times(&mut history, moment, &entry.media_id).await?.is_empty();
        if entry.status == "backlog" && !seen {
            put(sink, &row(&LETTERBOXD_WATCHLIST, &movie(&entry, title.as_ref())))?;
            sink.pass_on().await?;
        }
    }
    Ok(())
}

const TRAKT: [&str; 6] = ["tmdb_id", "type", "watched_at", "watchlisted_at", "rating", "rated_at"];

/// Noon, so that the day is the same in nearly every time zone: Trakt takes no days.
fn noon(day: Option<&str>) -> String {
    day.map_or_else(|| "unknown".to_owned(), |day| format!("{day}T12:00:00Z"))
}

async fn trakt(own: &account::Model, moment: &Snapshot<'_>, sink: &mut Sink) -> Result<(), Broken> {
    sink.begin("trakt.csv")?;
    put(sink, &TRAKT)?;
    for kind in [Kind::Movie, Kind::Tv] {
        let prefix = format!("{}:", kind.as_str());
        let mut entries: Rows<Entries> = Rows::behind(own.id, language(own).as_str(), &prefix, Vec::new());
        let mut history = history(own, kind);
        let mut episodes: Rows<Episodes> = Rows::behind(own.id, "", &prefix, vec![0.into(), 0.into()]);
        while let Some(entry) = entries.next(moment).await? {
            if !entry.media_id.starts_with(&prefix) {
                break;
            }
            let own_type = if kind == Kind::Movie { "movie" } else { "show" };
            let mut watched: Vec<String> = Vec::new();
            if kind == Kind::Movie {
                let times = times(&mut history, moment, &entry.media_id).await?;
                watched.extend(times.iter().map(|event| noon(day(event))));
                if watched.is_empty() && entry.status == "completed" {
                    watched.push(noon(None));
                }
            }
            let rating = of_ten(entry.rating);
            let rated_at = if rating.is_empty() { "" } else { &entry.updated_at.0 };
            let backlog = entry.status == "backlog" && watched.is_empty();
            let wanted_at = if backlog { entry.added_at.0.as_str() } else { "" };
            let mut values = vec![
                ("tmdb_id", source_id(&entry.media_id)),
                ("type", own_type),
                ("watchlisted_at", wanted_at),
                ("rating", &rating),
                ("rated_at", rated_at),
            ];
            let last = watched.pop();
            // The rating is in one row only.
            for time in &watched {
                let plain = [values[0], values[1], ("watched_at", time.as_str())];
                put(sink, &row(&TRAKT, &plain))?;
            }
            if last.is_some() || backlog || !rating.is_empty() {
                values.extend(last.as_deref().map(|time| ("watched_at", time)));
                put(sink, &row(&TRAKT, &values))?;
            }
            while kind == Kind::Tv
                && let Some((_, episode)) = episodes.next_of(moment, &entry.media_id).await?
            {
                let Some(id) = episode.source_episode_id else { continue };
                let (id, time) =
                    (id.to_string(), noon(episode.watched_on.as_ref().map(|day| day.0.as_str())));
                let values = [("tmdb_id", id.as_str()), ("type", "episode"), ("watched_at", time.as_str())];
                put(sink, &row(&TRAKT, &values))?;
                sink.pass_on().await?;
            }
            sink.pass_on().await?;
        }
    }
    Ok(())
}

const GOODREADS: [&str; 24] = [
    "Book Id",
    "Title",
    "Author",
    "Author l-f",
    "Additional Authors",
    "ISBN",
    "ISBN13",
    "My Rating",
    "Average Rating",
    "Publisher",
    "Binding",
    "Number of Pages",
    "Year Published",
    "Original Publication Year",
    "Date Read",
    "Date Added",
    "Bookshelves",
    "Bookshelves with positions",
    "Exclusive Shelf",
    "My Review",
    "Spoiler",
    "Private Notes",
    "Read Count",
    "Owned Copies",
];

/// Goodreads' shelf of a status; the last is one that its readers make themselves.
fn shelf(status: &str) -> &'static str {
    match status {
        "in_progress" => "currently-reading",
        "completed" => "read",
        "dropped" => "did-not-finish",
        _ => "to-read",
    }
}

/// "Frank Herbert" as "Herbert, Frank".
fn last_name_first(name: &str) -> String {
    name.rsplit_once(' ').map_or_else(|| name.to_owned(), |(first, last)| format!("{last}, {first}"))
}

async fn goodreads(own: &account::Model, moment: &Snapshot<'_>, sink: &mut Sink) -> Result<(), Broken> {
    sink.begin("goodreads.csv")?;
    put(sink, &GOODREADS)?;
    let mut books = OfKind::new(own, Kind::Book);
    let (mut reviews, mut history) = (reviews(own, Kind::Book), history(own, Kind::Book));
    while let Some((entry, title)) = books.next(moment).await? {
        let review = reviews.next_of(moment, &entry.media_id).await?.map(|(_, review)| review);
        let times = times(&mut history, moment, &entry.media_id).await?;
        let read_on = times.iter().filter_map(day).next_back().unwrap_or_default().replace('-', "/");
        let read_count = times.len().max(usize::from(entry.status == "completed")).to_string();
        let title = title.as_ref();
        let authors: Vec<&str> = title.map(authors).unwrap_or_default();
        let (author, others) = authors.split_first().map_or(("", String::new()), |(a, b)| (a, b.join(", ")));
        let ids = title.map(|title| &title.external_ids);
        let added_on = entry.added_at.0.get(..10).unwrap_or_default().replace('-', "/");
        let pages = title.and_then(|title| title.page_count).map(|n| n.to_string()).unwrap_or_default();
        let (rating, by_last_name) = (of_five(entry.rating), last_name_first(author));
        let values = [
            ("Title", entry.title.as_deref().unwrap_or_default()),
            ("Author", author),
            ("Author l-f", &by_last_name),
            ("Additional Authors", &others),
            ("ISBN", ids.and_then(|ids| ids.isbn_10.as_deref()).unwrap_or_default()),
            ("ISBN13", ids.and_then(|ids| ids.isbn_13.as_deref()).unwrap_or_default()),
            ("My Rating", &rating),
            ("Number of Pages", &pages),
            ("Year Published", year(entry.release_date.as_ref())),
            ("Date Read", &read_on),
            ("Date Added", &added_on),
            ("Bookshelves", shelf(&entry.status)),
            ("Exclusive Shelf", shelf(&entry.status)),
            ("My Review", review.as_ref().map(|review| review.body.as_str()).unwrap_or_default()),
            ("Spoiler", if review.as_ref().is_some_and(|review| review.spoiler) { "true" } else { "" }),
            ("Read Count", &read_count),
        ];
        put(sink, &row(&GOODREADS, &values))?;
        sink.pass_on().await?;
    }
    Ok(())
}

fn authors(title: &MediaItem) -> Vec<&str> {
    let authors = title.creators.iter().filter(|creator| creator.role == Role::Author);
    authors.map(|creator| creator.name.as_str()).collect()
}

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

async fn games(own: &account::Model, moment: &Snapshot<'_>, sink: &mut Sink) -> Result<(), Broken> {
    sink.begin("games.csv")?;
    put(sink, &GAMES)?;
    let prefix = format!("{}:", Kind::Game.as_str());
    let mut entries: Rows<Entries> = Rows::behind(own.id, language(own).as_str(), &prefix, Vec::new());
    let (mut reviews, mut history) = (reviews(own, Kind::Game), history(own, Kind::Game));
    while let Some(entry) = entries.next(moment).await? {
        if !entry.media_id.starts_with(&prefix) {
            break;
        }
        let review: Option<Review> =
            reviews.next_of(moment, &entry.media_id).await?.map(|(_, review)| review);
        let times = times(&mut history, moment, &entry.media_id).await?;
        let number = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
        let date = |date: &Option<Date>| date.as_ref().map(|date| date.0.clone()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_go_to_the_nearest_step() {
        let ten = [(1, "1"), (3, "1"), (14, "1"), (15, "2"), (84, "8"), (85, "9"), (95, "10"), (100, "10")];
        for (rating, expected) in ten {
            assert_eq!(of_ten(Some(rating)), expected, "{rating}");
        }
        let five = [(1, "1"), (29, "1"), (30, "2"), (89, "4"), (90, "5"), (100, "5")];
        for (rating, expected) in five {
            assert_eq!(of_five(Some(rating)), expected, "{rating}");
        }
        assert_eq!((of_ten(None).as_str(), of_five(None).as_str()), ("", "0"));
        // What came from another scale goes back to it as it was.
        assert!((1..=10).all(|n| of_ten(Some(n * 10)) == n.to_string()));
        assert!((1..=5).all(|n| of_five(Some(n * 20)) == n.to_string()));
    }

    #[test]
    fn names_are_turned_round() {
        assert_eq!(last_name_first("Ursula K. Le Guin"), "Guin, Ursula K. Le");
        assert_eq!(last_name_first("Homer"), "Homer");
    }
}

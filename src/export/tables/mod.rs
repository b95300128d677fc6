//! Writes the CSV files of a ZIP archive, each in the columns that others read: Letterboxd's import format,
//! the CSV of Trakt's importer, what Goodreads exports, and columns of our own for games. `readme.txt`
//! tells the person what goes where and how ratings are rounded.

mod games;
mod goodreads;
mod letterboxd;
mod trakt;

use std::borrow::Cow;
use std::collections::VecDeque;

use entity::account;
use uuid::Uuid;

use super::cursor::Rows;
use super::rows::{Entries, Episodes, History, Reviews};
use super::sink::{Broken, Sink};
use crate::account::language;
use crate::archive::format::{Entry, HistoryEvent, Review};
use crate::catalog::{Kind, Language, MediaItem};
use crate::db::Snapshot;
use crate::media;

/// Titles looked up at once.
const TITLES: usize = 100;

pub(super) async fn write(own: &account::Model, moment: &Snapshot, sink: &mut Sink) -> Result<(), Broken> {
    letterboxd::diary(own, moment, sink).await?;
    letterboxd::watchlist(own, moment, sink).await?;
    trakt::write(own, moment, sink).await?;
    goodreads::write(own, moment, sink).await?;
    games::write(own, moment, sink).await
}

/// All columns of one row, in the order of `names`; the rest stay empty.
fn row<const N: usize>(names: &[&str; N], values: &[(&str, &str)]) -> [String; N] {
    names.map(|name| {
        let value = values.iter().find(|(known, _)| *known == name);
        value.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
    })
}

/// Characters that begin a formula in spreadsheets, the full-width forms of some of them included, or that
/// they skip before one (OWASP, "CSV Injection").
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'];

/// A text that came from a source, which nobody here has written or read: one that a spreadsheet would take
/// for a formula gets an apostrophe before it. The person's own words stay as they are; `readme.txt` tells
/// them of both.
fn foreign(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// As RFC 4180 has it: comma, quotes where they are needed, CR LF.
fn put(sink: &mut Sink, fields: &[impl AsRef<[u8]>]) -> Result<(), Broken> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).buffer_capacity(1024).from_writer(sink);
    writer.write_record(fields).map_err(std::io::Error::from)?;
    Ok(writer.flush()?)
}

/// The entries of one kind in the order of their ids, and what hangs on them.
struct Shelf {
    own: Uuid,
    language: Language,
    prefix: String,
    entries: Rows<Entries>,
    reviews: Rows<Reviews>,
    history: Rows<History>,
    /// Entries whose titles have been looked up.
    titled: VecDeque<(Entry, Option<MediaItem>)>,
}

impl Shelf {
    fn new(own: &account::Model, kind: Kind) -> Self {
        let (id, language, prefix) = (own.id, language(own), format!("{}:", kind.as_str()));
        Self {
            entries: Rows::behind(id, language.as_str(), &prefix, Vec::new()),
            reviews: Rows::behind(id, "", &prefix, Vec::new()),
            history: Rows::behind(id, "", &prefix, vec![Uuid::nil().into()]),
            titled: VecDeque::new(),
            own: id,
            language,
            prefix,
        }
    }

    fn episodes(&self) -> Rows<Episodes> {
        Rows::behind(self.own, "", &self.prefix, vec![0.into(), 0.into()])
    }

    async fn next(&mut self, moment: &Snapshot) -> Result<Option<Entry>, Broken> {
        let next = self.entries.next(moment).await?;
        Ok(next.filter(|entry| entry.media_id.starts_with(&self.prefix)))
    }

    /// The next entry with all that is known of its title.
    async fn next_titled(&mut self, moment: &Snapshot) -> Result<Option<(Entry, Option<MediaItem>)>, Broken> {
        if self.titled.is_empty() {
            let mut page = Vec::with_capacity(TITLES);
            while page.len() < TITLES
                && let Some(entry) = self.next(moment).await?
            {
                page.push(entry);
            }
            let ids: Vec<&str> = page.iter().map(|entry| entry.media_id.as_str()).collect();
            let mut titles = media::items(moment, &ids, self.language).await?;
            self.titled.extend(page.into_iter().map(|entry| {
                let title = titles.remove(&entry.media_id);
                (entry, title)
            }));
        }
        Ok(self.titled.pop_front())
    }

    async fn review(&mut self, moment: &Snapshot, entry: &Entry) -> Result<Option<Review>, Broken> {
        Ok(self.reviews.next_of(moment, &entry.media_id).await?.map(|(_, review)| review))
    }

    /// The times that the entry was finished: those whose day is not known first, then from the oldest on.
    async fn times(&mut self, moment: &Snapshot, entry: &Entry) -> Result<Vec<HistoryEvent>, Broken> {
        let mut times = Vec::new();
        while let Some((_, event)) = self.history.next_of(moment, &entry.media_id).await? {
            times.push(event);
        }
        times.sort_by(|a, b| day(a).cmp(&day(b)));
        Ok(times)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_sources_begin_no_formula() {
        for text in ["=1+1", "+1", "-30-", "@Suicide", "\t=1", "\r=1", "\u{FF1D}1"] {
            assert_eq!(foreign(text), format!("'{text}"));
        }
        for text in ["", "The Matrix", "'Round Midnight", "1-2-3", "8\u{BD}"] {
            assert_eq!(foreign(text), text);
        }
    }

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
}

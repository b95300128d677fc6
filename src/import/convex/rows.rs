//! What a document says, as a row of the archive: pure functions of the document, the mapping and the title
//! that it is about. Bounds are the archive's own and checked with it.

use entity::value::Precision;
use uuid::Uuid;

use super::document::Reader;
use super::mapping::{
    Comments, Entries, Episodes, History, ListItems, Lists, ProgressFields, Reviews, STATUSES, UNITS, meaning,
};
use crate::archive::format::{
    Anchor, Comment, Date, Entry, Episode, HistoryEvent, List, ListItem, Progress, Review, Timestamp,
};
use crate::catalog::{Kind, MediaId};
use crate::error::Violation;
use crate::import::checked;
use crate::library::history::finish_id;

/// The UUID namespace of what had another id at Convex: UUIDv5 over the document's `_id`.
const NAMESPACE: Uuid = uuid::uuid!("6f6d6e69-7472-5163-8b63-6f6e76657801");

/// The id that something is taken under, whenever and however often it is.
pub fn id(document: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, document.as_bytes())
}

/// An entry without what hangs on it.
pub fn entry(reader: &mut Reader, part: &Entries, media_id: &MediaId) -> Option<Entry> {
    let status = status(reader, part);
    let rating = rating(reader, part);
    let favorite = reader.flag(&part.favorite).unwrap_or(false);
    let progress = match media_id.kind() {
        // It follows from the watched episodes.
        Kind::Tv => None,
        kind => progress(reader, &part.progress, kind),
    };
    let started_on = reader.day(&part.started_on).map(|day| Date(day.to_string()));
    let finished_on = reader.day(&part.finished_on).map(|day| Date(day.to_string()));
    let (added_at, updated_at) = (reader.moment(&part.added_at), reader.moment(&part.updated_at));
    Some(Entry {
        started_on,
        finished_on,
        rating,
        favorite,
        progress,
        ..bare_entry(media_id, &status?, added_at?, updated_at?)
    })
}

/// An entry of which nothing is known but its status.
pub fn bare_entry(media_id: &MediaId, status: &str, added_at: Timestamp, updated_at: Timestamp) -> Entry {
    Entry {
        media_id: media_id.to_string(),
        title: None,
        release_date: None,
        status: status.to_owned(),
        status_set_by: "person".to_owned(),
        rating: None,
        favorite: false,
        progress: None,
        started_on: None,
        finished_on: None,
        added_at,
        updated_at,
        review: None,
        comments: Vec::new(),
        history: Vec::new(),
        episodes: Vec::new(),
        pending_episodes: Vec::new(),
    }
}

fn status(reader: &mut Reader, part: &Entries) -> Option<String> {
    let Some(word) = reader.text(&part.status) else {
        let usual = part.without_status.clone();
        return usual.or_else(|| reader.wrong(&part.status, "is missing"));
    };
    let meant = meaning(&word, &part.statuses, &STATUSES);
    meant.or_else(|| reader.wrong(&part.status, "is no status that the mapping knows"))
}

fn rating(reader: &mut Reader, part: &Entries) -> Option<i32> {
    let given = reader.number(&part.rating)?;
    if given == 0.0 {
        return None;
    }
    let rating = (given * 100.0 / part.rating_scale).round();
    if (1.0..=100.0).contains(&rating) {
        Some(rating as i32)
    } else {
        reader.wrong(&part.rating, "is not on the mapping's scale")
    }
}

fn progress(reader: &mut Reader, part: &ProgressFields, kind: Kind) -> Option<Progress> {
    reader.find(&part.current)?;
    let current = reader.whole(&part.current);
    let total = reader.whole(&part.total);
    let unit = match reader.text(&part.unit) {
        Some(word) => meaning(&word, &part.units, &UNITS),
        None => part.usual.get(kind.as_str()).cloned(),
    };
    let unit = unit.or_else(|| reader.wrong(&part.unit, "is no unit that the mapping knows"));
    Some(Progress { unit: unit?, current: current?, total })
}

pub fn review(reader: &mut Reader, part: &Reviews) -> Option<Review> {
    let body = reader.required(&part.body);
    let title = reader.text(&part.title);
    let spoiler = reader.flag(&part.spoiler).unwrap_or(false);
    let (created_at, updated_at) = (reader.moment(&part.created_at), reader.moment(&part.updated_at));
    Some(Review { title, body: body?, spoiler, created_at: created_at?, updated_at: updated_at? })
}

pub fn comment(reader: &mut Reader, part: &Comments) -> Option<Comment> {
    let body = reader.required(&part.body);
    let anchor = anchor(reader, part);
    let (created_at, updated_at) = (reader.moment(&part.created_at), reader.moment(&part.updated_at));
    let id = id(reader.id());
    Some(Comment { id, body: body?, anchor, created_at: created_at?, updated_at: updated_at? })
}

fn anchor(reader: &mut Reader, part: &Comments) -> Option<Anchor> {
    let of = |kind: &str, season, number| Anchor { kind: kind.to_owned(), season, number };
    if let Some(number) = reader.whole(&part.episode) {
        return Some(of("episode", reader.whole(&part.season), number));
    }
    if let Some(number) = reader.whole(&part.page) {
        return Some(of("page", None, number));
    }
    reader.whole(&part.percent).map(|number| of("percent", None, number))
}

/// An event of a day has the id that completing the title on that day gives it, so that the two are one.
pub fn event(reader: &mut Reader, part: &History, media_id: &MediaId) -> Option<HistoryEvent> {
    let finished = reader.date(&part.finished_on);
    let (created_at, updated_at) = (reader.moment(&part.created_at), reader.moment(&part.updated_at));
    let (id, precision) = match finished {
        Some((day, Precision::Day)) => (finish_id(media_id, day), "day"),
        Some((_, Precision::Month)) => (id(reader.id()), "month"),
        Some(_) => (id(reader.id()), "year"),
        None => (id(reader.id()), "unknown"),
    };
    Some(HistoryEvent {
        id,
        finished_on: finished.map(|(date, _)| Date(date.to_string())),
        precision: precision.to_owned(),
        created_at: created_at?,
        updated_at: updated_at?,
    })
}

/// The event that completing an entry made, where the app kept no history of its own.
pub fn event_of(entry: &Entry, media_id: &MediaId) -> Option<HistoryEvent> {
    let date = entry.finished_on.clone().filter(|_| entry.status == "completed")?;
    Some(HistoryEvent {
        id: finish_id(media_id, date.0.parse().ok()?),
        finished_on: Some(date),
        precision: "day".to_owned(),
        created_at: entry.updated_at.clone(),
        updated_at: entry.updated_at.clone(),
    })
}

pub fn episode(reader: &mut Reader, part: &Episodes) -> Option<Episode> {
    let mut needed = |field| {
        let before = reader.find(field).is_none();
        if before { reader.wrong(field, "is missing") } else { reader.whole(field) }
    };
    let (season, number) = (needed(&part.season), needed(&part.episode));
    let watched_on = reader.day(&part.watched_on).map(|day| Date(day.to_string()));
    let (created_at, updated_at) = (reader.moment(&part.created_at), reader.moment(&part.updated_at));
    Some(Episode {
        season: season?,
        number: number?,
        source_episode_id: None,
        watched_on,
        created_at: created_at?,
        updated_at: updated_at?,
    })
}

/// A list without its items.
pub fn list(reader: &mut Reader, part: &Lists) -> Option<List> {
    let name = reader.required(&part.name);
    let description = reader.text(&part.description);
    let (created_at, updated_at) = (reader.moment(&part.created_at), reader.moment(&part.updated_at));
    let (id, items) = (id(reader.id()), Vec::new());
    Some(List { id, name: name?, description, created_at: created_at?, updated_at: updated_at?, items })
}

pub fn item(reader: &mut Reader, part: &ListItems, media_id: &MediaId) -> Option<ListItem> {
    let note = reader.text(&part.note);
    let (added_at, updated_at) = (reader.moment(&part.added_at), reader.moment(&part.updated_at));
    let media_id = media_id.to_string();
    Some(ListItem { media_id, title: None, note, added_at: added_at?, updated_at: updated_at? })
}

/// What the archive's own bounds say against an entry, or against the one thing that hangs on it.
pub fn entry_faults(entry: &Entry) -> Vec<String> {
    checked::check_entry(entry, "").err().map(reasons).unwrap_or_default()
}

pub fn list_faults(list: &List) -> Vec<String> {
    checked::check_list(list, "").err().map(reasons).unwrap_or_default()
}

/// The field and what is wrong with it.
pub fn reasons(violations: Vec<Violation>) -> Vec<String> {
    let field = |pointer: &str| -> String {
        let parts = pointer.split('/').filter(|part| {
            !part.is_empty()
                && !["review", "comments", "history", "episodes", "items"].contains(part)
                && part.parse::<u32>().is_err()
        });
        parts.collect::<Vec<_>>().join(".")
    };
    violations
        .into_iter()
        .map(|violation| match field(&violation.pointer) {
            field if field.is_empty() => violation.message,
            field => format!("{field}: {}", violation.message),
        })
        .collect()
}

//! Writes one mutation to what stands there: per kind the fields that win go through the very function
//! that a call would use, so that the same rules hold.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate};
use entity::value::{Precision, StatusSetBy, TombstoneKind};
use entity::{comment, history_event, library_entry, list, list_item, review, watched_episode};
use sea_orm::{EntityTrait, QueryResult};
use uuid::Uuid;

use super::merge::{Standing, Writer};
use super::mutation::{Action, Fields, Lost, Mutation};
use super::{Key, Kind};
use crate::account::{self, Locale};
use crate::catalog::MediaId;
use crate::db::{Author, Change, rows};
use crate::error::{Error, Result};
use crate::expected::Expected;
use crate::library::{self, entry, episode, page, rules};
use crate::list::{self as lists, item, order};
use crate::media::Place;

/// What a mutation that was not refused came to.
pub(super) enum Applied {
    /// It is so now. `wanted` is a title that is still to be looked up.
    Done { revision: Option<i64>, lost: Vec<Lost>, wanted: Option<MediaId> },
    /// A later change stands there, or the thing is gone.
    Conflict { lost: Vec<Lost> },
}

impl Applied {
    fn done(revision: i64, lost: Vec<Lost>) -> Self {
        Self::Done { revision: Some(revision), lost, wanted: None }
    }
}

/// The mutation at hand.
struct Hand<'a> {
    mutation: &'a Mutation,
    writer: Writer<'a>,
    /// The calendar day of the write.
    day: NaiveDate,
}

pub(super) async fn apply(
    change: &mut Change,
    key: &Key,
    mutation: &Mutation,
    own: &HashSet<Uuid>,
    locale: Locale,
) -> Result<Applied> {
    // A device's clock may be ahead; it wins nothing by that.
    let author = Author { made_at: mutation.made_at.min(change.now()), mutation: Some(mutation.id) };
    let writer = Writer { author, base: mutation.base, own };
    change.write_as(author);
    match &mutation.action {
        Action::Delete => delete(change, key, writer).await,
        Action::Write { create, fields } => {
            fields.check(key.kind())?;
            let zone: chrono_tz::Tz = change.account().time_zone.parse().unwrap_or(chrono_tz::UTC);
            let made_at = DateTime::from_timestamp_millis(author.made_at).unwrap_or_default();
            let day = fields.on.unwrap_or_else(|| made_at.with_timezone(&zone).date_naive());
            let hand = Hand { mutation, writer, day };
            let mut fields = Fields::clone(fields);
            match write(change, key, &hand, *create, &mut fields, locale).await {
                // What it hangs on is gone.
                Err(Error::NotFound) => Ok(Applied::Conflict { lost: Vec::new() }),
                outcome => outcome,
            }
        }
    }
}

/// Takes the fields that lose out of `fields`; `None` if nothing is left to write.
fn contest(hand: &Hand<'_>, standing: &Standing<'_>, fields: &mut Fields, group: bool) -> Option<Vec<Lost>> {
    let named = fields.named();
    let mut losing: Vec<&str> =
        named.iter().filter(|field| !hand.writer.wins(standing, field)).copied().collect();
    // Fields that mean something only together are won or lost together.
    if group && !losing.is_empty() {
        losing.clone_from(&named);
    }
    let lost: Vec<Lost> = losing.iter().map(|field| fields.lose(field)).collect();
    (lost.is_empty() || !fields.named().is_empty()).then_some(lost)
}

async fn write(
    change: &mut Change,
    key: &Key,
    hand: &Hand<'_>,
    create: bool,
    fields: &mut Fields,
    locale: Locale,
) -> Result<Applied> {
    let account = change.account_id();
    match key {
        Key::Settings => {
            let own = change.account().clone();
            let standing = Standing {
                stamps: own.stamps.as_deref(),
                revision: own.settings_revision,
                updated_at: own.updated_at,
            };
            let Some(lost) = contest(hand, &standing, fields, false) else { return all_lost(hand) };
            let patch = account::Patch {
                language: fields.language.clone(),
                time_zone: fields.time_zone.clone().flatten(),
                progress_sets_status: fields.progress_sets_status.flatten(),
            };
            let settings = account::update_in(change, &Expected::Anything, patch).await?;
            Ok(Applied::done(settings.settings_revision, lost))
        }
        Key::Entry(id) => write_entry(change, id, hand, create, fields, locale).await,
        Key::Review(id) => {
            let found = review::Entity::find_by_id((account, id.to_string())).one(change.tx()).await?;
            let standing = found.as_ref().map(|row| standing(&row.stamps, row.revision, row.updated_at));
            let Some(lost) = enter(hand, standing, create, fields, false) else {
                return all_lost(hand);
            };
            let old = found.as_ref();
            let text = library::review::Text {
                title: fields.title.clone().unwrap_or_else(|| old.and_then(|row| row.title.clone())),
                body: body(fields, old.map(|row| &row.body))?,
                spoiler: fields.spoiler.flatten().unwrap_or_else(|| old.is_some_and(|row| row.spoiler)),
            };
            let (row, _) = library::review::write(change, id, &Expected::Anything, text).await?;
            Ok(Applied::done(row.revision, lost))
        }
        Key::Comment(id, child) => {
            let found =
                comment::Entity::find_by_id((account, id.to_string(), *child)).one(change.tx()).await?;
            let standing = found.as_ref().map(|row| standing(&row.stamps, row.revision, row.updated_at));
            let Some(lost) = enter(hand, standing, create, fields, false) else {
                return all_lost(hand);
            };
            let old = found.as_ref();
            let text = library::comment::Text {
                body: body(fields, old.map(|row| &row.body))?,
                anchor: fields.anchor.unwrap_or_else(|| old.and_then(library::comment::anchor)),
            };
            let (row, _) = library::comment::write(change, id, *child, &Expected::Anything, text).await?;
            Ok(Applied::done(row.revision, lost))
        }
        Key::HistoryEvent(id, child) => {
            let key = (account, id.to_string(), *child);
            let found = history_event::Entity::find_by_id(key).one(change.tx()).await?;
            let standing = found.as_ref().map(|row| standing(&row.stamps, row.revision, row.updated_at));
            let Some(lost) = enter(hand, standing, create, fields, true) else {
                return all_lost(hand);
            };
            let old = found.as_ref();
            let finished = library::history::Finished {
                on: fields.finished_on.unwrap_or_else(|| page::date(old?.finished_on.as_deref())),
                precision: fields
                    .precision
                    .flatten()
                    .or(old.map(|row| row.finished_precision))
                    .unwrap_or(Precision::Day),
            };
            let (row, _) = library::history::write(change, id, *child, &Expected::Anything, finished).await?;
            Ok(Applied::done(row.revision, lost))
        }
        Key::Episode(id, place) => {
            let found = find_episode(change, id, *place).await?;
            let standing = found.as_ref().map(|row| standing(&row.stamps, row.revision, row.updated_at));
            let Some(lost) = enter(hand, standing, create, fields, false) else {
                return all_lost(hand);
            };
            let entry = library_entry::Entity::find_by_id((account, id.to_string())).one(change.tx()).await?;
            let keeps_status = entry.is_some_and(|row| {
                !hand.writer.wins(&self::standing(&row.stamps, row.revision, row.updated_at), "status")
            });
            let mark = episode::Write { watched_on: fields.watched_on, on: Some(hand.day), keeps_status };
            let (row, _) = episode::write_in(change, id, *place, &Expected::Anything, mark).await?;
            Ok(Applied::done(row.revision, lost))
        }
        Key::List(id) => {
            let found = list::Entity::find_by_id((account, *id)).one(change.tx()).await?;
            let standing = found.as_ref().map(|row| standing(&row.stamps, row.revision, row.updated_at));
            let Some(lost) = enter(hand, standing, create, fields, false) else {
                return all_lost(hand);
            };
            let name = fields.name.clone().flatten();
            if found.is_none() && name.is_none() {
                return Err(missing("name"));
            }
            let write = lists::Write { name, description: fields.description.clone() };
            let (list, _) = lists::write_in(change, *id, &Expected::Anything, write).await?;
            Ok(Applied::done(list.row.revision, lost))
        }
        Key::ListItem(list, id) => {
            let found =
                list_item::Entity::find_by_id((account, *list, id.to_string())).one(change.tx()).await?;
            let standing = found.as_ref().map(|row| standing(&row.stamps, row.revision, row.updated_at));
            let Some(lost) = enter(hand, standing, create, fields, false) else {
                return all_lost(hand);
            };
            let place = anchored(change, *list, id, fields.position.clone().flatten()).await?;
            let write = item::Write { note: fields.note.clone(), place };
            let create = if create { entry::Create::Allowed } else { entry::Create::Refused };
            let written =
                item::write_in(change, (*list, id), locale.language, &Expected::Anything, create, write)
                    .await?;
            let wanted = written.wanted.then(|| id.clone());
            Ok(Applied::Done { revision: Some(written.item.row.revision), lost, wanted })
        }
    }
}

async fn write_entry(
    change: &mut Change,
    id: &MediaId,
    hand: &Hand<'_>,
    create: bool,
    fields: &mut Fields,
    locale: Locale,
) -> Result<Applied> {
    let found = page::one(change.tx(), change.account_id(), id, locale).await?;
    let mut keeps_status = false;
    let mut status = None;
    let standing = found.as_ref().map(|entry| {
        let row = &entry.row;
        let standing = standing(&row.stamps, row.revision, row.updated_at);
        // The person's own word on the status beats what progress made of it, whichever came later; and
        // what progress would make of it gives way to a later word.
        if row.status_set_by == StatusSetBy::Progress {
            status = fields.status.take();
        }
        keeps_status = !hand.writer.wins(&standing, "status");
        standing
    });
    let entered = enter(hand, standing, create, fields, false);
    fields.status = fields.status.or(status);
    let Some(lost) = entered.or_else(|| status.map(|_| Vec::new()).filter(|_| found.is_some())) else {
        return all_lost(hand);
    };
    let write = rules::Write {
        status: fields.status.flatten(),
        rating: fields.rating,
        favorite: fields.favorite.flatten(),
        progress: fields.progress,
        started_on: fields.started_on,
        finished_on: fields.finished_on,
        on: Some(hand.day),
        keeps_status,
    };
    let create = if create { entry::Create::Allowed } else { entry::Create::Refused };
    let written = entry::write_in(change, id, locale, &Expected::Anything, create, &write).await?;
    let wanted = written.wanted.then(|| id.clone());
    Ok(Applied::Done { revision: Some(written.entry.row.revision), lost, wanted })
}

fn standing(stamps: &Option<String>, revision: i64, updated_at: i64) -> Standing<'_> {
    Standing { stamps: stamps.as_deref(), revision, updated_at }
}

/// Whether a write may go on, and what it loses: nothing where it makes the thing; `None` where it must
/// not make it, or where all is lost.
fn enter(
    hand: &Hand<'_>,
    standing: Option<Standing<'_>>,
    create: bool,
    fields: &mut Fields,
    group: bool,
) -> Option<Vec<Lost>> {
    match standing {
        Some(standing) => contest(hand, &standing, fields, group),
        None => create.then(Vec::new),
    }
}

/// Nothing of the mutation is written: every field that it names is given back.
fn all_lost(hand: &Hand<'_>) -> Result<Applied> {
    let Action::Write { fields, .. } = &hand.mutation.action else {
        return Ok(Applied::Conflict { lost: Vec::new() });
    };
    let mut fields = Fields::clone(fields);
    let lost = fields.named().into_iter().map(|field| fields.lose(field)).collect();
    Ok(Applied::Conflict { lost })
}

fn body(fields: &Fields, old: Option<&String>) -> Result<String> {
    let body = fields.body.clone().flatten().or_else(|| old.cloned());
    body.filter(|body| !body.is_empty()).ok_or_else(|| missing("body"))
}

fn missing(field: &str) -> Error {
    Error::invalid("invalid_mutation", format!("/set/{field}"), "is required")
}

async fn find_episode(change: &Change, id: &MediaId, place: Place) -> Result<Option<watched_episode::Model>> {
    let key = (change.account_id(), id.to_string(), place.season, place.number);
    Ok(watched_episode::Entity::find_by_id(key).one(change.tx()).await?)
}

/// Where an item goes: beside its anchor, or to the end where that has vanished.
async fn anchored(
    change: &Change,
    list: Uuid,
    id: &MediaId,
    place: Option<order::Place>,
) -> Result<order::Place> {
    let Some(place) = place else { return Ok(order::Place::AsIs) };
    let anchor = match &place {
        order::Place::Before(anchor) | order::Place::After(anchor) => anchor,
        order::Place::AsIs | order::Place::End => return Ok(place),
    };
    let key = (change.account_id(), list, anchor.to_string());
    let stands = anchor != id && list_item::Entity::find_by_id(key).one(change.tx()).await?.is_some();
    Ok(if stands { place } else { order::Place::End })
}

/// Deletes what nobody else has changed since the device knew it; what hangs on it counts as part of it.
async fn delete(change: &mut Change, key: &Key, writer: Writer<'_>) -> Result<Applied> {
    if *key == Key::Settings {
        return Err(Error::invalid("invalid_mutation", "/kind", "settings cannot be deleted"));
    }
    let parts = parts(change, key).await?;
    if parts.is_empty() {
        return Ok(Applied::Done { revision: None, lost: Vec::new(), wanted: None });
    }
    for part in &parts {
        let (revision, stamps): (i64, Option<String>) =
            (part.try_get_by_index(0)?, part.try_get_by_index(1)?);
        let standing = Standing { stamps: stamps.as_deref(), revision, updated_at: 0 };
        if writer.is_behind(&standing) {
            return Ok(Applied::Conflict { lost: Vec::new() });
        }
    }
    let anything = &Expected::Anything;
    match key {
        Key::Settings => {}
        Key::Entry(id) => entry::remove(change, id, anything).await?,
        Key::Review(id) => library::review::remove(change, id, anything).await?,
        Key::Comment(id, child) => library::comment::remove(change, id, *child, anything).await?,
        Key::HistoryEvent(id, child) => library::history::remove(change, id, *child, anything).await?,
        Key::Episode(id, place) => episode::remove(change, id, *place, anything).await?,
        Key::List(id) => lists::remove(change, *id, anything).await?,
        Key::ListItem(list, id) => item::remove(change, *list, id, anything).await?,
    }
    let revision = tombstone(change, key).await?;
    Ok(Applied::Done { revision, lost: Vec::new(), wanted: None })
}

/// Revision and stamps of a thing and of all that hangs on it; none where nothing is.
async fn parts(change: &Change, key: &Key) -> Result<Vec<QueryResult>> {
    const OF_MEDIA: &str = "account_id = $1 AND media_id = $2";
    let select = |table: &str, rest: &str| format!("SELECT revision, stamps FROM {table} WHERE {rest}");
    let media = |id: &MediaId| sea_orm::Value::from(id.as_str());
    let (sql, rest): (String, Vec<sea_orm::Value>) = match key {
        Key::Settings => return Ok(Vec::new()),
        Key::Entry(id) => {
            let tables = ["library_entry", "review", "comment", "history_event", "watched_episode"];
            (tables.map(|table| select(table, OF_MEDIA)).join(" UNION ALL "), vec![media(id)])
        }
        Key::Review(id) => (select("review", OF_MEDIA), vec![media(id)]),
        Key::Comment(id, child) => {
            (select("comment", &format!("{OF_MEDIA} AND id = $3")), vec![media(id), (*child).into()])
        }
        Key::HistoryEvent(id, child) => {
            (select("history_event", &format!("{OF_MEDIA} AND id = $3")), vec![media(id), (*child).into()])
        }
        Key::Episode(id, place) => (
            select("watched_episode", &format!("{OF_MEDIA} AND season = $3 AND number = $4")),
            vec![media(id), place.season.into(), place.number.into()],
        ),
        Key::List(id) => {
            let list = select("list", "account_id = $1 AND id = $2");
            let items = select("list_item", "account_id = $1 AND list_id = $2");
            (format!("{list} UNION ALL {items}"), vec![(*id).into()])
        }
        Key::ListItem(list, id) => (
            select("list_item", "account_id = $1 AND list_id = $2 AND media_id = $3"),
            vec![(*list).into(), media(id)],
        ),
    };
    let values = std::iter::once(change.account_id().into()).chain(rest);
    Ok(rows(change.tx(), &sql, values).await?)
}

/// The revision of the tombstone that stands where something was just deleted.
async fn tombstone(change: &Change, key: &Key) -> Result<Option<i64>> {
    let kind = match key.kind() {
        Kind::Settings => return Ok(None),
        Kind::Entry => TombstoneKind::Entry,
        Kind::Review => TombstoneKind::Review,
        Kind::Comment => TombstoneKind::Comment,
        Kind::HistoryEvent => TombstoneKind::HistoryEvent,
        Kind::Episode => TombstoneKind::Episode,
        Kind::List => TombstoneKind::List,
        Kind::ListItem => TombstoneKind::ListItem,
    };
    let id = (change.account_id(), kind, key.to_string());
    let found = entity::tombstone::Entity::find_by_id(id).one(change.tx()).await?;
    Ok(found.map(|row| row.revision))
}

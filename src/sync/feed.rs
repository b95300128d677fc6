//! The feed: everything that an account owns, once, in the order of its last changes, deletions as
//! tombstones.
//!
//! A page is read in one snapshot, and it ends at a revision: all up to there was in it or before it.
//! Since the changes of one account commit in the order of their revisions (`db::change` says why),
//! nothing can ever appear behind a cursor that was handed out. What is changed between two pages leaves
//! its old place and comes again, or for the first time, at the end. The cost of a page is that of
//! its own rows: they are found by their revisions, in an index of each table.

use std::ops::RangeInclusive;
use std::time::Duration;

use entity::value::TombstoneKind;
use entity::{account, comment, history_event, review, tombstone, watched_episode};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use super::cursor::Cursor;
use super::key::Kind;
use crate::account::Locale;
use crate::catalog::Cover;
use crate::db::{Db, row, rows};
use crate::error::{Error, Result};
use crate::library::{entry, page as library};
use crate::list::{self, item};

/// The most changes that a page may hold.
pub const MAX_PAGE: usize = 1_000;
/// What the texts of a page may weigh at most, in KiB, so that a page of long reviews is shorter.
const MAX_WEIGHT: usize = 4_096;
/// How long a page may take. It is the bound on how long a snapshot stays open.
const PATIENCE: Duration = Duration::from_secs(10);

/// One page of the feed.
#[derive(Debug)]
pub struct Page {
    pub changes: Vec<Change>,
    /// Where to go on, now or whenever there is more.
    pub cursor: String,
    pub has_more: bool,
    /// The account's revision in the moment that the page shows.
    pub head: i64,
}

/// The last change of one thing.
#[derive(Debug)]
pub struct Change {
    pub revision: i64,
    pub kind: Kind,
    /// As [`super::Key`] writes it.
    pub key: String,
    /// None: it was deleted.
    pub thing: Option<Thing>,
}

impl Change {
    /// The cover of the title that it is about.
    pub fn cover(&self) -> Option<Cover> {
        match self.thing.as_ref()? {
            Thing::Entry(entry) => entry.cover(),
            Thing::ListItem(item) => item.cover(),
            _ => None,
        }
    }
}

/// A thing as it is.
#[derive(Debug)]
pub enum Thing {
    Settings(Box<account::Model>),
    Entry(Box<entry::Entry>),
    Review(review::Model),
    Comment(comment::Model),
    HistoryEvent(history_event::Model),
    Episode(watched_episode::Model),
    List(list::List),
    ListItem(Box<item::Item>),
}

/// Reads the page behind `cursor`, from the beginning without one. `limit` is at most [`MAX_PAGE`].
pub async fn page(db: &Db, account: Uuid, cursor: Option<&str>, limit: usize) -> Result<Page> {
    let epoch = db.epoch().await?;
    let read = async {
        let snapshot = db.read().snapshot().await?;
        let page = read(&snapshot, epoch, account, cursor, limit).await?;
        snapshot.end().await?;
        Ok(page)
    };
    // Boxed, because it is far larger than what waits around it.
    tokio::time::timeout(PATIENCE, Box::pin(read)).await.unwrap_or(Err(Error::Busy))
}

/// The same through what shows one moment to several statements.
pub async fn read(
    moment: &impl ConnectionTrait,
    epoch: Uuid,
    account: Uuid,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page> {
    let own = row(moment, ACCOUNT, [account.into()]).await?.ok_or(Error::AccountErased)?;
    let own = account::Model::from_query_result(&own, "")?;
    let after = match cursor {
        Some(text) => Cursor::read(text, "/query/cursor", epoch, &own)?,
        None => Cursor::start(epoch, &own),
    };
    let next = Next::find(moment, account, &after, limit.clamp(1, MAX_PAGE)).await?;
    let head = own.revision;
    let end = next.end.unwrap_or(head);
    let changes = changes(moment, own, &after, &next, end).await?;
    let cursor = Cursor { revision: end, ..after }.to_text(account);
    Ok(Page { changes, cursor, has_more: next.end.is_some(), head })
}

const ACCOUNT: &str = "SELECT * FROM account WHERE id = $1 AND erased_at IS NULL";

/// What the next page is made of.
struct Next {
    /// The last revision of the page; none where it is the last page.
    end: Option<i64>,
    kinds: Vec<Kind>,
    tombstones: bool,
}

/// The word for tombstones where others name a kind.
const TOMBSTONE: &str = "tombstone";

/// Every kind with its table, and what a row of it may weigh, in KiB.
const KINDS: [(&str, Kind, &str, usize); 7] = [
    ("entry", Kind::Entry, "library_entry", 1),
    ("review", Kind::Review, "review", 80),
    ("comment", Kind::Comment, "comment", 20),
    ("history_event", Kind::HistoryEvent, "history_event", 1),
    ("episode", Kind::Episode, "watched_episode", 1),
    ("list", Kind::List, "list", 9),
    ("list_item", Kind::ListItem, "list_item", 5),
];

/// Finds the next revisions: of each table at most as many as the page may hold, from its index.
fn next_revisions() -> String {
    let mut parts: Vec<String> = KINDS
        .iter()
        .map(|(word, _, table, _)| {
            format!(
                "SELECT '{word}' AS kind, revision FROM (SELECT revision FROM {table} \
                 WHERE account_id = $1 AND revision > $2 ORDER BY revision LIMIT $4) AS part"
            )
        })
        .collect();
    parts.push(format!(
        "SELECT '{TOMBSTONE}' AS kind, revision FROM (SELECT revision FROM tombstone \
         WHERE account_id = $1 AND revision > $3 ORDER BY revision LIMIT $4) AS part"
    ));
    parts.push(
        "SELECT 'settings' AS kind, settings_revision FROM account WHERE id = $1 AND settings_revision > $2"
            .to_owned(),
    );
    format!("{} ORDER BY revision LIMIT $4", parts.join(" UNION ALL "))
}

impl Next {
    async fn find(
        moment: &impl ConnectionTrait,
        account: Uuid,
        after: &Cursor,
        limit: usize,
    ) -> Result<Self> {
        // One more tells whether there is more.
        let bound = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let values = [account.into(), after.revision.into(), after.deletions_after().into(), bound.into()];
        let found = rows(moment, &next_revisions(), values).await?;
        let (mut kinds, mut tombstones, mut weight) = (Vec::new(), false, 0);
        for (index, row) in found.iter().enumerate() {
            let (word, revision): (String, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let known = KINDS.iter().find(|(known, ..)| *known == word);
            weight += known.map_or(1, |(.., weight)| *weight);
            if index == limit || (weight > MAX_WEIGHT && index > 0) {
                return Ok(Self { end: Some(revision - 1), kinds, tombstones });
            }
            match known {
                Some((_, kind, ..)) if !kinds.contains(kind) => kinds.push(*kind),
                Some(_) => {}
                None if word == TOMBSTONE => tombstones = true,
                None => kinds.push(Kind::Settings),
            }
        }
        Ok(Self { end: None, kinds, tombstones })
    }
}

/// The rows of the page, in the order of their revisions.
async fn changes(
    moment: &impl ConnectionTrait,
    own: account::Model,
    after: &Cursor,
    next: &Next,
    end: i64,
) -> Result<Vec<Change>> {
    let (id, locale) = (own.id, Locale::of(&own, None));
    let revisions = after.revision + 1..=end;
    let mut changes = Vec::new();
    for kind in &next.kinds {
        match kind {
            Kind::Settings => changes.push(Thing::Settings(Box::new(own.clone()))),
            Kind::Entry => {
                let found = library::changed(moment, id, &revisions, locale).await?;
                changes.extend(found.into_iter().map(|entry| Thing::Entry(Box::new(entry))));
            }
            Kind::Review => {
                changes.extend(changed::<review::Entity>(moment, id, &revisions).await?.map(Thing::Review));
            }
            Kind::Comment => {
                changes.extend(changed::<comment::Entity>(moment, id, &revisions).await?.map(Thing::Comment));
            }
            Kind::HistoryEvent => {
                let found = changed::<history_event::Entity>(moment, id, &revisions).await?;
                changes.extend(found.map(Thing::HistoryEvent));
            }
            Kind::Episode => {
                let found = changed::<watched_episode::Entity>(moment, id, &revisions).await?;
                changes.extend(found.map(Thing::Episode));
            }
            Kind::List => {
                changes.extend(list::changed(moment, id, &revisions).await?.into_iter().map(Thing::List));
            }
            Kind::ListItem => {
                let found = item::changed(moment, id, &revisions, locale.language).await?;
                changes.extend(found.into_iter().map(|item| Thing::ListItem(Box::new(item))));
            }
        }
    }
    let mut changes: Vec<Change> = changes.into_iter().map(Change::from).collect();
    if next.tombstones {
        let deleted = changed::<tombstone::Entity>(moment, id, &(after.deletions_after() + 1..=end)).await?;
        changes.extend(deleted.map(Change::from));
    }
    changes.sort_unstable_by_key(|change| change.revision);
    Ok(changes)
}

/// A table with rows of an account, each with the revision of its last change.
trait Revised: EntityTrait {
    const ACCOUNT: Self::Column;
    const REVISION: Self::Column;
}

macro_rules! revised {
    ($($table:ident),+) => {
        $(impl Revised for $table::Entity {
            const ACCOUNT: Self::Column = $table::Column::AccountId;
            const REVISION: Self::Column = $table::Column::Revision;
        })+
    };
}

revised!(review, comment, history_event, watched_episode, tombstone);

async fn changed<E: Revised>(
    moment: &impl ConnectionTrait,
    account: Uuid,
    revisions: &RangeInclusive<i64>,
) -> Result<std::vec::IntoIter<E::Model>> {
    let found = E::find()
        .filter(E::ACCOUNT.eq(account))
        .filter(E::REVISION.gte(*revisions.start()))
        .filter(E::REVISION.lte(*revisions.end()))
        .all(moment)
        .await?;
    Ok(found.into_iter())
}

impl From<Thing> for Change {
    fn from(thing: Thing) -> Self {
        let (revision, kind, key) = match &thing {
            Thing::Settings(row) => (row.settings_revision, Kind::Settings, "settings".to_owned()),
            Thing::Entry(entry) => (entry.row.revision, Kind::Entry, entry.row.media_id.clone()),
            Thing::Review(row) => (row.revision, Kind::Review, row.media_id.clone()),
            Thing::Comment(row) => (row.revision, Kind::Comment, format!("{}/{}", row.media_id, row.id)),
            Thing::HistoryEvent(row) => {
                (row.revision, Kind::HistoryEvent, format!("{}/{}", row.media_id, row.id))
            }
            Thing::Episode(row) => {
                (row.revision, Kind::Episode, format!("{}/{}/{}", row.media_id, row.season, row.number))
            }
            Thing::List(list) => (list.row.revision, Kind::List, list.row.id.to_string()),
            Thing::ListItem(item) => {
                (item.row.revision, Kind::ListItem, format!("{}/{}", item.row.list_id, item.row.media_id))
            }
        };
        Self { revision, kind, key, thing: Some(thing) }
    }
}

impl From<tombstone::Model> for Change {
    fn from(row: tombstone::Model) -> Self {
        let kind: TombstoneKind = row.kind;
        Self { revision: row.revision, kind: kind.into(), key: row.key, thing: None }
    }
}

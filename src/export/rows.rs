//! A person's rows as an archive has them, table by table. Each is taken apart field by field: a column
//! that is new does not build until somebody has said what becomes of it.

use entity::{
    comment, consent, export, history_event, idempotency_key, import, list, pending_episodes, review,
    sync_mutation, tombstone, watched_episode,
};
use sea_orm::{DbErr, FromQueryResult, QueryResult, Value};
use uuid::Uuid;

use super::cursor::{Below, Table};
use crate::archive::format::{
    Anchor, Comment, Consent, Date, Deleted, Device, Entry, Episode, Export, HistoryEvent, IdempotencyKey,
    Import, List, ListItem, Mutation, PendingEpisodes, Progress, Review, Timestamp,
};

fn date(text: Option<String>) -> Option<Date> {
    text.map(Date)
}

fn name(value: impl Into<Value>) -> String {
    match value.into() {
        Value::String(Some(name)) => name,
        _ => String::new(),
    }
}

/// The entries, without what hangs on them.
pub(super) struct Entries;

impl Table for Entries {
    type Row = Entry;
    const SELECT: &'static str = "SELECT e.media_id, COALESCE(t.title, m.title), m.release_date, e.status, \
        e.status_set_by, e.rating, e.favorite, e.progress_unit, e.progress_current, e.progress_total, \
        e.started_on, e.finished_on, e.added_at, e.updated_at FROM library_entry e \
        LEFT JOIN media m ON m.id = e.media_id \
        LEFT JOIN media_text t ON t.media_id = e.media_id AND t.language = $2";
    const IN_LANGUAGE: bool = true;
    const KEY: &'static [&'static str] = &["media_id"];

    fn read(row: &QueryResult) -> Result<(Entry, Vec<Value>), DbErr> {
        let unit: Option<String> = row.try_get_by_index(7)?;
        let current: Option<i32> = row.try_get_by_index(8)?;
        let total = row.try_get_by_index(9)?;
        let (added_at, updated_at): (i64, i64) = (row.try_get_by_index(12)?, row.try_get_by_index(13)?);
        let entry = Entry {
            media_id: row.try_get_by_index(0)?,
            title: row.try_get_by_index(1)?,
            release_date: row.try_get_by_index(2)?,
            status: row.try_get_by_index(3)?,
            status_set_by: row.try_get_by_index(4)?,
            rating: row.try_get_by_index(5)?,
            favorite: row.try_get_by_index(6)?,
            progress: unit.zip(current).map(|(unit, current)| Progress { unit, current, total }),
            started_on: date(row.try_get_by_index(10)?),
            finished_on: date(row.try_get_by_index(11)?),
            added_at: added_at.into(),
            updated_at: updated_at.into(),
            review: None,
            comments: Vec::new(),
            history: Vec::new(),
            episodes: Vec::new(),
            pending_episodes: Vec::new(),
        };
        let key = vec![entry.media_id.as_str().into()];
        Ok((entry, key))
    }
}

/// The lists, without their items.
pub(super) struct Lists;

impl Table for Lists {
    type Row = List;
    const SELECT: &'static str = "SELECT e.* FROM list e";
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &QueryResult) -> Result<(List, Vec<Value>), DbErr> {
        let list::Model {
            account_id: _,
            id,
            name,
            description,
            revision: _,
            created_at,
            updated_at,
            stamps: _,
        } = list::Model::from_query_result(row, "")?;
        let list = List {
            id,
            name,
            description,
            created_at: created_at.into(),
            updated_at: updated_at.into(),
            items: Vec::new(),
        };
        Ok((list, vec![id.into()]))
    }
}

/// The items of all lists, each with the list it is in.
pub(super) struct ListItems;

impl Table for ListItems {
    type Row = (Uuid, ListItem);
    const SELECT: &'static str = "SELECT e.list_id, e.position, e.media_id, COALESCE(t.title, m.title), \
        e.note, e.added_at, e.updated_at FROM list_item e \
        LEFT JOIN media m ON m.id = e.media_id \
        LEFT JOIN media_text t ON t.media_id = e.media_id AND t.language = $2";
    const IN_LANGUAGE: bool = true;
    const KEY: &'static [&'static str] = &["list_id", "position", "media_id"];

    fn read(row: &QueryResult) -> Result<(Self::Row, Vec<Value>), DbErr> {
        let list: Uuid = row.try_get_by_index(0)?;
        let position: Vec<u8> = row.try_get_by_index(1)?;
        let (added_at, updated_at): (i64, i64) = (row.try_get_by_index(5)?, row.try_get_by_index(6)?);
        let item = ListItem {
            media_id: row.try_get_by_index(2)?,
            title: row.try_get_by_index(3)?,
            note: row.try_get_by_index(4)?,
            added_at: added_at.into(),
            updated_at: updated_at.into(),
        };
        let key = vec![list.into(), position.into(), item.media_id.as_str().into()];
        Ok(((list, item), key))
    }
}

impl Below for ListItems {
    type Parent = Uuid;

    fn parent(row: &Self::Row) -> &Uuid {
        &row.0
    }
}

/// The devices with what they are reached by.
pub(super) struct Devices;

impl Table for Devices {
    type Row = Device;
    const SELECT: &'static str = "SELECT e.id, e.model, e.os_version, e.app_version, p.token, \
        p.environment, p.registered_at, e.created_at, e.updated_at FROM device e \
        LEFT JOIN push_token p ON p.account_id = e.account_id AND p.device_id = e.id";
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &QueryResult) -> Result<(Device, Vec<Value>), DbErr> {
        let registered_at: Option<i64> = row.try_get_by_index(6)?;
        let (created_at, updated_at): (i64, i64) = (row.try_get_by_index(7)?, row.try_get_by_index(8)?);
        let device = Device {
            id: row.try_get_by_index(0)?,
            model: row.try_get_by_index(1)?,
            os_version: row.try_get_by_index(2)?,
            app_version: row.try_get_by_index(3)?,
            push_token: row.try_get_by_index(4)?,
            push_environment: row.try_get_by_index(5)?,
            push_registered_at: registered_at.map(Timestamp::from),
            created_at: created_at.into(),
            updated_at: updated_at.into(),
        };
        let key = vec![device.id.into()];
        Ok((device, key))
    }
}

/// A table whose rows the entity reads.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $name:ident, $sql:literal, $page:literal,
        [$($key:ident),+], $row:ty, $model:pat => $made:expr
    ) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl Table for $name {
            type Row = $row;
            const SELECT: &'static str = concat!("SELECT e.* FROM ", $sql, " e");
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
            const PAGE: usize = $page;

            fn read(row: &QueryResult) -> Result<($row, Vec<Value>), DbErr> {
                let model = FromQueryResult::from_query_result(row, "")?;
                let $model = model;
                let key = vec![$($key.clone().into()),+];
                Ok(($made, key))
            }
        }
    };
}

table! {
    Reviews, "review", 50, [media_id], (String, Review),
    review::Model {
        account_id: _, media_id, title, body, spoiler, revision: _, created_at, updated_at, stamps: _,
    } => {
        let (created_at, updated_at) = (created_at.into(), updated_at.into());
        (media_id, Review { title, body, spoiler, created_at, updated_at })
    }
}

table! {
    Comments, "comment", 200, [media_id, id], (String, Comment),
    comment::Model {
        account_id: _, media_id, id, body, anchor_kind, anchor_season, anchor_number, revision: _,
        created_at, updated_at, stamps: _,
    } => {
        let anchor = anchor_kind.zip(anchor_number).map(|(kind, number)| Anchor {
            kind: name(kind),
            season: anchor_season,
            number,
        });
        let (created_at, updated_at) = (created_at.into(), updated_at.into());
        (media_id, Comment { id, body, anchor, created_at, updated_at })
    }
}

table! {
    History, "history_event", 500, [media_id, id], (String, HistoryEvent),
    history_event::Model {
        account_id: _, media_id, id, finished_on, finished_precision, revision: _, created_at, updated_at,
        stamps: _,
    } => {
        let event = HistoryEvent {
            id,
            finished_on: date(finished_on),
            precision: name(finished_precision),
            created_at: created_at.into(),
            updated_at: updated_at.into(),
        };
        (media_id, event)
    }
}

table! {
    Episodes, "watched_episode", 500, [media_id, season, number], (String, Episode),
    watched_episode::Model {
        account_id: _, media_id, season, number, source_episode_id, watched_on, revision: _, created_at,
        updated_at, stamps: _,
    } => {
        let episode = Episode {
            season,
            number,
            source_episode_id,
            watched_on: date(watched_on),
            created_at: created_at.into(),
            updated_at: updated_at.into(),
        };
        (media_id, episode)
    }
}

table! {
    /// The key's last part is when the mark was made, in the order of the account's changes.
    Pending, "pending_episodes", 500, [media_id, revision], (String, PendingEpisodes),
    pending_episodes::Model {
        account_id: _, media_id, revision, watched, season, first, last, aired_by, watched_on,
    } => {
        let (aired_by, watched_on) = (date(aired_by), date(watched_on));
        (media_id, PendingEpisodes { watched, season, first, last, aired_by, watched_on })
    }
}

macro_rules! of_title {
    ($($name:ident),+) => {
        $(impl Below for $name {
            type Parent = str;

            fn parent(row: &Self::Row) -> &str {
                &row.0
            }
        })+
    };
}

of_title!(Reviews, Comments, History, Episodes, Pending);

table! {
    Consents, "consent", 500, [policy, revision], Consent,
    consent::Model { account_id: _, policy, revision, version, decision, decided_at } => {
        Consent { policy, version, decision: name(decision), decided_at: decided_at.into() }
    }
}

table! {
    Deletions, "tombstone", 500, [kind, key], Deleted,
    tombstone::Model { account_id: _, kind, key, revision: _, deleted_at } => {
        Deleted { kind: name(kind), key, deleted_at: deleted_at.into() }
    }
}

table! {
    Mutations, "sync_mutation", 500, [id], Mutation,
    sync_mutation::Model { account_id: _, id, outcome, code, lost, revision: _, applied_at } => {
        Mutation { id, outcome, code, lost, applied_at: applied_at.into() }
    }
}

table! {
    Exports, "export", 500, [id], Export,
    export::Model { account_id: _, id, format, created_at, expires_at } => {
        Export { id, format, created_at: created_at.into(), expires_at: expires_at.into() }
    }
}

table! {
    /// What an import reports is about an archive that the person has.
    Imports, "import", 20, [id], Import,
    import::Model { account_id: _, id, state, position: _, report: _, created_at, updated_at } => {
        Import { id, state: name(state), created_at: created_at.into(), updated_at: updated_at.into() }
    }
}

table! {
    Keys, "idempotency_key", 500, [key], IdempotencyKey,
    idempotency_key::Model { account_id: _, key, operation, request: _, result: _, created_at } => {
        IdempotencyKey { key, operation, created_at: created_at.into() }
    }
}

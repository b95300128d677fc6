//! poem + rusqlite: one connection per thread of the runtime, statements prepared once, called where the
//! request is handled, because a page takes less time than handing it to another thread.

use std::cell::RefCell;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row};
use uuid::Uuid;

use super::wire::{self, Entry, Progress, Summary};
use super::{ACCOUNT, LANGUAGE, LANGUAGE_COLUMN, PAGE, Pages, ROWS};
use crate::Result;

pub struct Threads {
    path: String,
    account: String,
    page: String,
}

thread_local! {
    static CONNECTION: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

impl Threads {
    pub fn new(url: &str) -> Self {
        let path = url.trim_start_matches("sqlite://").split('?').next().unwrap_or_default();
        // To SQLite `$1` is a name like any other; `?1` is the first parameter.
        let numbered = |sql: &str| sql.replace('$', "?");
        Self { path: path.to_owned(), account: numbered(ACCOUNT), page: numbered(PAGE) }
    }

    fn with<T>(&self, run: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        CONNECTION.with_borrow_mut(|slot| {
            let connection = match slot.take() {
                Some(connection) => connection,
                None => self.open()?,
            };
            Ok(run(slot.insert(connection))?)
        })
    }

    pub(super) fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.execute_batch("PRAGMA mmap_size = 268435456; PRAGMA cache_size = -65536")?;
        Ok(connection)
    }
}

impl Pages for Threads {
    async fn account(&self, id: Uuid) -> Result<Option<String>> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&self.account)?;
            let language = |row: &Row<'_>| row.get::<_, Option<String>>(LANGUAGE_COLUMN);
            let found = statement.query_row([id.as_bytes().as_slice()], language).optional()?;
            Ok(found.map(|language| language.unwrap_or_else(|| LANGUAGE.to_owned())))
        })
    }

    async fn page(&self, account: Uuid, language: &str) -> Result<Vec<Entry>> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&self.page)?;
            statement.query_map((account.as_bytes().as_slice(), language, ROWS), entry)?.collect()
        })
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let unit: Option<String> = row.get(7)?;
    let progress = match unit {
        Some(unit) => Some(Progress { unit, current: row.get(8)?, total: row.get(9)? }),
        None => None,
    };
    let title: Option<String> = row.get(17)?;
    let media = match title {
        Some(title) => Some(Summary {
            cover: wire::cover(row.get::<_, Option<String>>(23)?.as_deref()),
            title,
            release_date: row.get(18)?,
            runtime_minutes: row.get(19)?,
            page_count: row.get(20)?,
            season_count: row.get(21)?,
            episode_count: row.get(22)?,
        }),
        None => None,
    };
    let kind: String = row.get(2)?;
    let (schedule, watched) = (row.get::<_, Option<String>>(24)?, row.get::<_, Option<String>>(25)?);
    let following = (kind == "tv").then(|| wire::follow(schedule.as_deref(), watched.as_deref()));
    let (progress, caught_up, next_episode) = match following {
        Some((progress, caught_up, next)) => (Some(progress), Some(caught_up), next),
        None => (progress, None, None),
    };
    Ok(Entry {
        media_id: row.get(1)?,
        kind,
        status: row.get(3)?,
        status_set_by: row.get(4)?,
        rating: row.get(5)?,
        favorite: row.get(6)?,
        progress,
        caught_up,
        next_episode,
        started_on: row.get(10)?,
        finished_on: row.get(11)?,
        revision: row.get(13)?,
        added_at: row.get(14)?,
        updated_at: row.get(15)?,
        media_state: row.get(16)?,
        media,
    })
}

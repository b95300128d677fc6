//! The room between the rows of SQLite's pages, overwritten. `secure_delete` overwrites a row where it is
//! deleted; but when SQLite shares rows out anew between neighbouring pages, copies of rows that moved
//! away stay in the free room of the page that they left. They are nobody's rows any more, so that no deletion
//! ever reaches them. This looks at every page and overwrites its free room, through SQLite's own
//! `sqlite_dbpage` (built in by `.cargo/config.toml`), in transactions of their own, a few pages each.
//!
//! The form of a page is that of SQLite's file format, sections 1.6 and 2.

use sea_orm::{DatabaseBackend, DbErr, Statement, Value};

use super::transaction::Transaction;
use super::{Db, Reader, row, rows};

/// Pages looked at by one statement: a mebibyte.
const BATCH: u32 = 256;
/// Above so many pages (128 GiB) the first byte of a page that holds no rows could be taken for that of one
/// that does.
const MAX_PAGES: u32 = 1 << 25;
/// The header of the file, before the first page's own.
const FILE_HEADER: usize = 100;

impl Db {
    /// Overwrites the free room of every page; tells how many pages had something in it. Writers wait for a
    /// few pages at a time. On PostgreSQL there is nothing to do.
    pub async fn scrub(&self) -> Result<u64, DbErr> {
        let Some(connection) = &self.cutter else { return Ok(0) };
        let scrubbed = scrub(connection).await;
        connection.release();
        scrubbed
    }
}

async fn scrub(connection: &Reader) -> Result<u64, DbErr> {
    let pages = row(connection, "PRAGMA page_count", []).await?;
    let pages: u32 = pages.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
    let vacuum = row(connection, "PRAGMA auto_vacuum", []).await?;
    let vacuum: i32 = vacuum.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
    if pages >= MAX_PAGES || vacuum != 0 {
        return Err(DbErr::Custom("the file is too large to be wiped, or vacuums itself".into()));
    }
    let (mut first, mut scrubbed) = (1, 0);
    while first <= pages {
        let last = pages.min(first + BATCH - 1);
        let dirty = dirty(connection, first, last).await?;
        if !dirty.is_empty() {
            scrubbed += overwrite(connection, &dirty).await?;
        }
        first = last + 1;
    }
    Ok(scrubbed)
}

/// The pages from `first` to `last` that have something in their free room.
async fn dirty(connection: &Reader, first: u32, last: u32) -> Result<Vec<u32>, DbErr> {
    let sql = "WITH RECURSIVE n(i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM n WHERE i < $2) \
               SELECT n.i, p.data FROM n JOIN sqlite_dbpage p ON p.pgno = n.i";
    let mut dirty = Vec::new();
    for page in rows(connection, sql, [first.into(), last.into()]).await? {
        let (number, mut content): (u32, Vec<u8>) = (page.try_get_by_index(0)?, page.try_get_by_index(1)?);
        if clean(number, &mut content) {
            dirty.push(number);
        }
    }
    Ok(dirty)
}

/// Overwrites the free room of these pages as they are now, when nobody else writes.
async fn overwrite(connection: &Reader, pages: &[u32]) -> Result<u64, DbErr> {
    let Some(connection) = connection.take().await? else { return Ok(0) };
    let mut tx = Transaction::begin(connection, "BEGIN IMMEDIATE").await?;
    let mut overwritten = 0;
    for number in pages {
        let page =
            tx.query_one(statement("SELECT data FROM sqlite_dbpage WHERE pgno = $1", [(*number).into()]));
        let page = page.await?;
        let Some(page) = page else { continue };
        let mut content: Vec<u8> = page.try_get_by_index(0)?;
        if clean(*number, &mut content) {
            let sql = "UPDATE sqlite_dbpage SET data = $2 WHERE pgno = $1";
            tx.execute(statement(sql, [(*number).into(), content.into()])).await?;
            overwritten += 1;
        }
    }
    tx.end("COMMIT").await?;
    Ok(overwritten)
}

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DatabaseBackend::Sqlite, sql, values)
}

/// Overwrites the free room of a page that holds rows; whether there was anything in it. What does not have
/// the form of such a page is left alone.
fn clean(number: u32, page: &mut [u8]) -> bool {
    let Some(free) = free_room(number, page) else { return false };
    let mut changed = false;
    for part in free {
        for byte in page.get_mut(part).into_iter().flatten() {
            changed |= *byte != 0;
            *byte = 0;
        }
    }
    changed
}

/// Where a page that holds rows has room: between the pointers to its rows and the rows, and in the blocks
/// that deleted rows left, each without the four bytes that link it to the next.
fn free_room(number: u32, page: &[u8]) -> Option<Vec<std::ops::Range<usize>>> {
    let header = if number == 1 { FILE_HEADER } else { 0 };
    let pointers = header
        + match page.get(header)? {
            // Inner pages of an index and of a table, leaves of an index and of a table.
            2 | 5 => 12,
            10 | 13 => 8,
            _ => return None,
        };
    let number_at = |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
    let rows = match number_at(header + 5)? {
        0 => 65_536,
        at => at,
    };
    let end_of_pointers = pointers + 2 * number_at(header + 3)?;
    if end_of_pointers > rows || rows > page.len() {
        return None;
    }
    let (mut free, mut block, mut after) = (Vec::new(), number_at(header + 1)?, rows);
    free.push(end_of_pointers..rows);
    while block != 0 {
        let (next, size) = (number_at(block)?, number_at(block + 2)?);
        // The blocks are in order and do not touch; anything else is no page that we understand.
        if block < after || size < 4 || block + size > page.len() {
            return None;
        }
        free.push(block + 4..block + size);
        after = block + size;
        block = next;
    }
    Some(free)
}

#[cfg(test)]
#[path = "scrub_test.rs"]
mod tests;

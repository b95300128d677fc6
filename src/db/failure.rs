//! What a failed statement means to its caller. The text of a database error may quote a value of a row,
//! so that it is judged here and shown nowhere.

use std::borrow::Cow;

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{DbErr, RuntimeErr, sqlx};

use super::{disk_space, write_queue};

/// Returns whether the statement failed only because of other statements under way: every connection is
/// taken, or a lock is held. Nothing was changed.
pub fn is_busy(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return true;
    }
    match code_of(error).as_deref() {
        // PostgreSQL: deadlock detected, could not serialize, lock not available, statement time-out.
        Some("40P01" | "40001" | "55P03" | "57014") => return true,
        // SQLite: SQLITE_BUSY and SQLITE_LOCKED with their extended codes.
        Some("5" | "261" | "517" | "773" | "6" | "262" | "518") => return true,
        _ => {}
    }
    let text = error.to_string();
    ["database is locked", "deadlock detected"].iter().any(|busy| text.contains(busy))
}

/// Returns whether nothing more can be stored: the disk is full, or so full that ordinary writes are
/// refused. Nothing was changed.
pub fn is_storage_full(error: &DbErr) -> bool {
    match error {
        DbErr::Custom(text) => text == disk_space::REFUSAL,
        // SQLITE_FULL; PostgreSQL: disk full.
        _ => matches!(code_of(error).as_deref(), Some("13" | "53100")),
    }
}

/// Returns whether the database cannot be reached or has cut the connection. A statement that was under
/// way may or may not have taken effect.
pub fn is_unavailable(error: &DbErr) -> bool {
    if let DbErr::Custom(text) = error {
        return text == write_queue::NOT_COMMITTED;
    }
    match sqlx_error(error) {
        Some(
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed,
        ) => true,
        Some(sqlx::Error::Database(inner)) => inner.code().is_some_and(|code| is_outage(&code)),
        // Anything else while connecting: no request causes it and none can be served.
        _ => matches!(error, DbErr::Conn(_)),
    }
}

/// Returns whether the SQLSTATE says that PostgreSQL ended the session or takes none (PostgreSQL 17,
/// appendix A): class 08 (connection), 53300 (too many connections), 57P01 to 57P05 (shutdown, crash,
/// starting, database dropped, idle time-out), 25P03 and 25P04 (time-outs of a transaction).
///
/// SQLite's codes are shorter numbers whose last byte is the primary one: SQLITE_READONLY (8), SQLITE_IOERR
/// (10), SQLITE_CANTOPEN (14).
fn is_outage(code: &str) -> bool {
    if code.len() < 5 {
        return !code.starts_with('0')
            && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 8 | 10 | 14));
    }
    code.len() == 5 && (code.starts_with("08") || code.starts_with("57P"))
        || ["53300", "25P03", "25P04"].contains(&code)
}

/// Names the kind of a database error in words that can hold nothing of a row.
pub fn error_kind(error: &DbErr) -> &'static str {
    if is_unavailable(error) {
        return "connection lost";
    }
    match error {
        DbErr::ConnectionAcquire(_) => "no connection",
        DbErr::Exec(_) => "statement failed",
        DbErr::Query(_) => "query failed",
        DbErr::Type(_) | DbErr::TryIntoErr { .. } => "row not readable",
        DbErr::Migration(_) => "migration failed",
        _ => "other",
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(inner))
        | DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner)) => Some(inner),
        _ => None,
    }
}

fn code_of(error: &DbErr) -> Option<Cow<'_, str>> {
    match sqlx_error(error)? {
        sqlx::Error::Database(inner) => DatabaseError::code(inner.as_ref()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "failure_test.rs"]
mod tests;

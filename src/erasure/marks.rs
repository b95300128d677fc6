//! Erasure marks outside the database: a backup that is put back brings erased people back with it, so the
//! marks are written down beside it and applied again as the last step of the restore.
//!
//! One JSON object a line; the first names the format. A line has Clerk's own id of the person only while
//! Clerk has not confirmed.

use std::io::{BufRead, Read as _, Write};

use entity::value::{ClerkState, ErasureReason};
use entity::{account, clerk_deletion, receipt as row};
use sea_orm::{
    ActiveEnum as _, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{at_clerk, clear, receipt};
use crate::account as accounts;
use crate::clock::Millis;
use crate::db::Db;
use crate::error::{Error, Result};

const FORMAT: &str = "omnitrack-erasure-marks";
const VERSION: u32 = 1;
/// Marks read at once.
const BATCH: u64 = 500;
/// The longest line that is looked at, in bytes.
const MAX_LINE: usize = 4_096;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// An erasure, as a line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    account_id: Uuid,
    erased_at: Millis,
    receipt_id: Uuid,
    reason: String,
    asked_at: Millis,
    clerk: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clerk_done_at: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
}

/// Why marks could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum MarksError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Nothing of the line is repeated: it may hold an id of Clerk's.
    #[error("line {line}: {wrong}")]
    Line { line: usize, wrong: &'static str },
    #[error("{0}")]
    Domain(#[from] Error),
}

impl From<sea_orm::DbErr> for MarksError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Domain(error.into())
    }
}

/// What applying a file did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Accounts that were there again, or had no mark.
    pub erased: u64,
    /// Accounts that had their mark.
    pub marked: u64,
}

/// Writes all marks; tells how many.
pub async fn write(db: &Db, to: &mut impl Write) -> Result<u64, MarksError> {
    line(to, &Header { format: FORMAT.into(), version: VERSION })?;
    let (mut written, mut after) = (0, None::<Uuid>);
    loop {
        let mut query = account::Entity::find()
            .filter(account::Column::ErasedAt.is_not_null())
            .order_by_asc(account::Column::Id)
            .limit(BATCH);
        if let Some(after) = after {
            query = query.filter(account::Column::Id.gt(after));
        }
        let page = query.all(db.read()).await?;
        let Some(last) = page.last().map(|mark| mark.id) else { break };
        after = Some(last);
        for mark in page {
            if let Some(mark) = describe(db, mark).await? {
                line(to, &mark)?;
                written += 1;
            }
        }
    }
    to.flush()?;
    Ok(written)
}

fn line(to: &mut impl Write, value: &impl Serialize) -> Result<(), MarksError> {
    serde_json::to_writer(&mut *to, value).map_err(std::io::Error::from)?;
    Ok(to.write_all(b"\n")?)
}

async fn describe(db: &Db, mark: account::Model) -> Result<Option<Mark>, MarksError> {
    let (Some(erased_at), Some(receipt_id)) = (mark.erased_at, mark.receipt_id) else { return Ok(None) };
    let Some(receipt) = row::Entity::find_by_id(receipt_id).one(db.read()).await? else { return Ok(None) };
    let waiting = clerk_deletion::Entity::find_by_id(mark.id).one(db.read()).await?;
    Ok(Some(Mark {
        account_id: mark.id,
        erased_at,
        receipt_id,
        reason: receipt.reason.to_value(),
        asked_at: receipt.asked_at,
        clerk: receipt.clerk.to_value(),
        clerk_done_at: receipt.clerk_done_at,
        user_id: waiting.map(|order| order.user_id),
    }))
}

/// Applies a file of marks to a database that was put back, and begins another history, so that devices
/// read everything anew. The whole file is read before anything is done. May be repeated.
pub async fn apply(db: &Db, from: impl BufRead) -> Result<Applied, MarksError> {
    let marks = read(from)?;
    let mut applied = Applied::default();
    for mark in marks {
        match apply_one(db, &mark).await? {
            true => applied.erased += 1,
            false => applied.marked += 1,
        }
    }
    db.begin_epoch().await?;
    Ok(applied)
}

fn read(mut from: impl BufRead) -> Result<Vec<Mark>, MarksError> {
    let mut marks = Vec::new();
    let mut text = String::new();
    for number in 1.. {
        let wrong = |wrong| MarksError::Line { line: number, wrong };
        text.clear();
        let length = from.by_ref().take(MAX_LINE as u64 + 1).read_line(&mut text)?;
        if length == 0 {
            return if number == 1 { Err(wrong("the file is empty")) } else { Ok(marks) };
        }
        if length > MAX_LINE {
            return Err(wrong("is too long"));
        }
        if number == 1 {
            let header: Header =
                serde_json::from_str(&text).map_err(|_| wrong("is not the header of erasure marks"))?;
            if header.format != FORMAT || header.version != VERSION {
                return Err(wrong("is not a format that this version knows"));
            }
            continue;
        }
        let mark: Mark = serde_json::from_str(&text).map_err(|_| wrong("is not an erasure mark"))?;
        if mark.reason().is_none() || mark.clerk().is_none() {
            return Err(wrong("has a word that this version does not know"));
        }
        marks.push(mark);
    }
    Ok(marks)
}

impl Mark {
    fn reason(&self) -> Option<ErasureReason> {
        ErasureReason::try_from_value(&self.reason).ok()
    }

    fn clerk(&self) -> Option<ClerkState> {
        ClerkState::try_from_value(&self.clerk).ok()
    }
}

/// Whether there was something to do.
async fn apply_one(db: &Db, mark: &Mark) -> Result<bool> {
    match accounts::open(db, mark.account_id).await {
        Ok(_) => {}
        Err(Error::AccountErased) => return Ok(false),
        Err(error) => return Err(error),
    }
    let change = db.erasing_change(mark.account_id).await?;
    clear(&change, |_| true).await?;
    // What was noted before belongs to the history that is over.
    if let Some(noted) = change.account().receipt_id {
        receipt::delete(change.tx(), noted).await?;
    }
    receipt::delete(change.tx(), mark.receipt_id).await?;
    let clerk = mark.clerk().unwrap_or(ClerkState::NotConfigured);
    let row = row::Model {
        id: mark.receipt_id,
        erased_at: Some(mark.erased_at),
        clerk_done_at: mark.clerk_done_at,
        ..receipt::new(mark.reason().unwrap_or(ErasureReason::Request), mark.asked_at, clerk)
    };
    receipt::insert(change.tx(), &row).await?;
    if let Some(user_id) = mark.user_id.clone() {
        let order = clerk_deletion::Model {
            account_id: mark.account_id,
            user_id,
            receipt_id: mark.receipt_id,
            attempts: 0,
            next_attempt_at: change.now() + at_clerk::FIRST_ATTEMPT_AFTER,
        };
        clerk_deletion::Entity::insert(order.into_active_model()).exec_without_returning(change.tx()).await?;
    }
    change.erase(mark.receipt_id).await?;
    Ok(true)
}

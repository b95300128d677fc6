//! Applying an import that was kept: batch by batch, each in one transaction together with how far it has
//! come. Ended anywhere, at whichever instance, the next one goes on where it was. A batch is applied only where
//! the import stands at its beginning, and the account's row lets one at a time look: so of two who work on one
//! import the slower one finds that it is too late, and no batch is applied twice.

use std::ops::ControlFlow;

use entity::value::ImportState;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::apply::{self, Fate, Wanted};
use super::archive::read::{self, Numbered, Row};
use super::archive::{Faults, Packed};
use super::report::Report;
use super::{checked, store};
use crate::account;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::media;

/// Entries and lists of one batch, and rows: so many that the disk is not what is waited for, so few that
/// the person's own writes hardly wait.
const BATCH: usize = 200;
const BATCH_ROWS: usize = 2_000;

/// Rows of the archive that follow each other.
struct Batch {
    from: u64,
    to: u64,
    rows: Vec<Numbered>,
    /// How many rows of the database that comes to.
    weight: usize,
}

/// Applies what is left of an import; `titles` is told of what the library then holds. An import that is gone,
/// has ended or is worked on by somebody else is none of ours.
pub async fn run(db: &Db, account: Uuid, id: Uuid, titles: &media::Wanted) -> Result<()> {
    let row = match store::get(db, account, id).await {
        Ok(row) if row.state == ImportState::Applying => row,
        Ok(_) | Err(Error::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    let packed = store::packed(db, account, id).await?;
    let mut position = u64::try_from(row.position).unwrap_or_default();
    let (batches, mut next) = mpsc::channel(1);
    let reading = spawn_blocking(move || read_on(&packed, position, &batches));
    while let Some(batch) = next.recv().await {
        position = batch.to;
        match apply_batch(db, account, id, batch, titles).await {
            Ok(true) => {}
            Ok(false) | Err(Error::AccountErased) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    let faults = reading.await.map_err(|_| Error::Busy)?;
    match finish(db, account, id, position, &faults).await {
        Err(Error::AccountErased) => Ok(()),
        finished => finished,
    }
}

/// Reads the archive from `position` on and hands batches over until nobody takes them.
fn read_on(packed: &Packed, position: u64, batches: &mpsc::Sender<Batch>) -> Faults {
    let mut faults = Faults::default();
    let empty = |from| Batch { from, to: from, rows: Vec::new(), weight: 0 };
    let mut batch = empty(position);
    packed.open(&mut faults, |reader, faults| {
        read::read(reader, faults, position, &mut |row| {
            batch.to = row.number + 1;
            batch.weight += weight(&row.row);
            batch.rows.push(row);
            if batch.rows.len() < BATCH && batch.weight < BATCH_ROWS {
                return ControlFlow::Continue(());
            }
            let full = std::mem::replace(&mut batch, empty(0));
            batch.from = full.to;
            batch.to = full.to;
            match batches.blocking_send(full) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
    });
    if !batch.rows.is_empty() {
        // Whoever does not take it will not finish the import either.
        let _ = batches.blocking_send(batch);
    }
    faults
}

fn weight(row: &Row) -> usize {
    match row {
        Row::Settings(_) => 1,
        Row::Entry(entry) => entry.rows(),
        Row::List(list) => 1 + list.items.len(),
    }
}

/// Applies one batch; tells whether the import is still ours.
async fn apply_batch(db: &Db, account: Uuid, id: Uuid, batch: Batch, titles: &media::Wanted) -> Result<bool> {
    let mut change = db.change(account).await?;
    let Some(row) = store::find(&change, id).await? else { return Ok(false) };
    if row.state != ImportState::Applying || u64::try_from(row.position) != Ok(batch.from) {
        return Ok(false);
    }
    let mut report = Report::of(&row);
    let mut wanted = Wanted::default();
    let (mut entries, mut lists) = (Vec::new(), Vec::new());
    let (mut entry_places, mut list_places) = (Vec::new(), Vec::new());
    let mut settings_taken = false;
    for Numbered { pointer, row, .. } in batch.rows {
        match row {
            Row::Settings(settings) => {
                let fate = apply::settings_in(&mut change, &settings).await?;
                settings_taken = fate == Fate::Taken;
                report.settings(&pointer, fate);
            }
            Row::Entry(entry) => {
                let entry: checked::Entry = *entry;
                entries.push(entry);
                entry_places.push(pointer);
            }
            Row::List(list) => {
                lists.push(list);
                list_places.push(pointer);
            }
        }
    }
    let fates = apply::entries_in(&mut change, &entries, &mut wanted).await?;
    entry_places.iter().zip(&fates).for_each(|(pointer, fate)| report.entry(pointer, fate));
    let fates = apply::lists_in(&mut change, &lists, &mut wanted).await?;
    list_places.iter().zip(&fates).for_each(|(pointer, fate)| report.list(pointer, fate));
    let position = i64::try_from(batch.to).unwrap_or(i64::MAX);
    store::update(&mut change, entity::import::Model { position, report: report.to_text(), ..row }).await?;
    let language = account::language(change.account());
    change.commit().await?;
    wanted.queue(db, language).await;
    if settings_taken {
        titles.add_library(db, account, language).await;
    }
    Ok(true)
}

/// Ends an import of which everything was applied. What was found wrong after all is only counted: the
/// check had found it right.
async fn finish(db: &Db, account: Uuid, id: Uuid, position: u64, faults: &Faults) -> Result<()> {
    let mut change = db.change(account).await?;
    let Some(row) = store::find(&change, id).await? else { return Ok(()) };
    if row.state != ImportState::Applying || u64::try_from(row.position) != Ok(position) {
        return Ok(());
    }
    let report = Report { refused: faults.count, ..Report::of(&row) };
    let state = if faults.is_empty() { ImportState::Done } else { ImportState::Failed };
    store::end(&mut change, entity::import::Model { report: report.to_text(), ..row }, state).await?;
    change.commit().await?;
    Ok(())
}

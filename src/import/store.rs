//! The rows of imports: the archive in parts until it has been applied, then what became of it for a
//! while.

use entity::value::ImportState;
use entity::{import, import_part};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::archive::{Counts, Packed};
use super::report::Report;
use crate::account::idempotency;
use crate::clock::{self, Millis};
use crate::db::{Change, Db, Kept, execute, row, rows};
use crate::error::{Error, Result};

/// Imports whose reports are kept of one account.
const KEPT: i64 = 100;
/// Rows looked at to find the accounts that have something to forget.
const BATCH: i64 = 500;
/// The reports of imports that have ended.
const REPORTS: Kept = Kept { table: "import", key: "id", time: "updated_at", only: "state <> 'applying'" };
/// An import that nobody has worked on for so long is taken up by whoever sees it.
const STALE: Millis = 15_000;
/// An import that cannot be applied for so long is given up.
const PATIENCE: Millis = 24 * 3_600_000;

/// Where a page ended: creation time and id of its last import.
pub type Position = (Millis, Uuid);

/// Keeps an archive that was checked, to be applied; tells whether it was kept before, by a request with the
/// same key.
///
/// # Errors
/// [`Error::LimitReached`] while another import of the account is applied; see [`idempotency::seen`].
pub async fn create(
    db: &Db,
    account: Uuid,
    packed: &Packed,
    counts: Counts,
    request: Option<&idempotency::Request<'_>>,
) -> Result<(import::Model, bool)> {
    let mut change = db.change(account).await?;
    if let Some(request) = request
        && let Some(id) = idempotency::seen(&change, request).await?
    {
        // Its report may be gone before the key is.
        return Ok((find(&change, id).await?.ok_or(Error::Deleted)?, true));
    }
    let own = || [account.into()];
    let under_way = "SELECT 1 FROM import WHERE account_id = $1 AND state = 'applying'";
    if row(change.tx(), under_way, own()).await?.is_some() {
        return Err(Error::LimitReached { what: "import at a time", limit: 1 });
    }
    execute(
        change.tx(),
        "DELETE FROM import WHERE account_id = $1 AND id IN (SELECT id FROM import WHERE account_id = $1 \
         ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3)",
        [account.into(), BATCH.into(), (KEPT - 1).into()],
    )
    .await?;
    let made = import::Model {
        account_id: account,
        id: Uuid::now_v7(),
        state: ImportState::Applying,
        position: 0,
        report: Report { archive: counts, ..Report::default() }.to_text(),
        created_at: change.now(),
        updated_at: change.now(),
    };
    let active = made.clone().into_active_model().reset_all();
    import::Entity::insert(active).exec_without_returning(change.tx()).await?;
    for (number, content) in (0_i32..).zip(packed.parts()) {
        let part =
            import_part::Model { account_id: account, import_id: made.id, number, content: content.clone() };
        let active = part.into_active_model().reset_all();
        import_part::Entity::insert(active).exec_without_returning(change.tx()).await?;
    }
    if let Some(request) = request {
        idempotency::keep(&mut change, request, made.id).await?;
    }
    // No device needs to hear of it.
    change.keep();
    change.commit().await?;
    Ok((made, false))
}

/// The account's imports, oldest first.
pub async fn list(
    db: &Db,
    account: Uuid,
    after: Option<Position>,
    limit: u64,
) -> Result<(Vec<import::Model>, Option<Position>)> {
    let mut query = import::Entity::find()
        .filter(import::Column::AccountId.eq(account))
        .order_by_asc(import::Column::CreatedAt)
        .order_by_asc(import::Column::Id)
        .limit(limit + 1);
    if let Some((created_at, id)) = after {
        let later = import::Column::CreatedAt.gt(created_at);
        let beside = import::Column::CreatedAt.eq(created_at).and(import::Column::Id.gt(id));
        query = query.filter(later.or(beside));
    }
    let mut found = query.all(db.read()).await?;
    let more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let end = found.last().filter(|_| more).map(|row| (row.created_at, row.id));
    Ok((found, end))
}

pub async fn get(db: &Db, account: Uuid, id: Uuid) -> Result<import::Model> {
    import::Entity::find_by_id((account, id)).one(db.read()).await?.ok_or(Error::NotFound)
}

/// An import as it stands inside a change.
pub(super) async fn find(change: &Change, id: Uuid) -> Result<Option<import::Model>> {
    Ok(import::Entity::find_by_id((change.account_id(), id)).one(change.tx()).await?)
}

/// Writes an import that has got on.
pub(super) async fn update(change: &mut Change, row: import::Model) -> Result<()> {
    // Later than when it was made: that it was taken up can be seen by it.
    let updated_at = Ord::max(change.now(), row.created_at + 1);
    let active = import::Model { updated_at, ..row }.into_active_model().reset_all();
    import::Entity::update(active).exec_without_returning(change.tx()).await?;
    change.keep();
    Ok(())
}

/// Ends an import: its archive goes, its report stays for a while.
pub(super) async fn end(change: &mut Change, row: import::Model, state: ImportState) -> Result<()> {
    execute(
        change.tx(),
        "DELETE FROM import_part WHERE account_id = $1 AND import_id = $2",
        [change.account_id().into(), row.id.into()],
    )
    .await?;
    update(change, import::Model { state, ..row }).await
}

/// The archive of an import. Parts are read one by one, none of them twice.
pub(super) async fn packed(db: &Db, account: Uuid, id: Uuid) -> Result<Packed> {
    let mut packed = Packed::default();
    for number in 0_i32.. {
        let part = import_part::Entity::find_by_id((account, id, number)).one(db.read()).await?;
        match part {
            Some(part) if packed.add(&part.content) => {}
            _ => break,
        }
    }
    Ok(packed)
}

/// Takes up an import that nobody works on. Of several instances one gets it; if one that was thought to be
/// gone goes on all the same, the two find out by its position.
pub async fn claim(db: &Db) -> Result<Option<(Uuid, Uuid)>> {
    let now = clock::now();
    let waiting = rows(
        db.read(),
        "SELECT account_id, id, updated_at FROM import WHERE state = 'applying' \
         AND (updated_at = created_at OR updated_at < $1) ORDER BY updated_at LIMIT 10",
        [(now - STALE).into()],
    )
    .await?;
    for row in waiting {
        let (account, id, seen): (Uuid, Uuid, Millis) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        let Some(mut change) = db.change_unless_erased(account).await? else { continue };
        let Some(row) = find(&change, id).await? else { continue };
        if row.state != ImportState::Applying || row.updated_at != seen {
            continue;
        }
        if now - row.created_at > PATIENCE {
            end(&mut change, row, ImportState::Failed).await?;
            change.commit().await?;
            continue;
        }
        update(&mut change, row).await?;
        change.commit().await?;
        return Ok(Some((account, id)));
    }
    Ok(None)
}

/// Removes the reports of imports that ended before `before`; tells how many.
pub async fn forget(db: &Db, before: Millis) -> Result<u64> {
    db.forget(&REPORTS, before).await
}

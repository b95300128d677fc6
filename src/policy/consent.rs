//! What an account decided about policies. Each decision is a row of its own and stays; the latest of a
//! policy is the one that holds. To withdraw is as easy as to accept.

use std::collections::BTreeMap;

use entity::value::Decision;
use entity::{consent, policy_version};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use crate::db::Db;
use crate::error::{Error, Result};
use crate::expected::Expected;

/// Decisions that are kept of one account. Beyond them what was accepted can still be withdrawn.
pub const MAX_DECISIONS: u64 = 1_000;

/// The decisions, newest first, below the revision `after`.
pub async fn list(
    db: &Db,
    account: Uuid,
    after: Option<i64>,
    limit: u64,
) -> Result<(Vec<consent::Model>, Option<i64>)> {
    let mut found = consent::Entity::find()
        .filter(consent::Column::AccountId.eq(account))
        .filter(consent::Column::Revision.lt(after.unwrap_or(i64::MAX)))
        .order_by_desc(consent::Column::Revision)
        .limit(limit + 1)
        .all(db.read())
        .await?;
    let more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let end = found.last().filter(|_| more).map(|row| row.revision);
    Ok((found, end))
}

/// The decision that holds, by policy.
pub async fn latest(db: &Db, account: Uuid) -> Result<BTreeMap<String, consent::Model>> {
    let rows = consent::Entity::find()
        .filter(consent::Column::AccountId.eq(account))
        .order_by_asc(consent::Column::Revision)
        .all(db.read())
        .await?;
    // Of several the last stays.
    Ok(rows.into_iter().map(|row| (row.policy.clone(), row)).collect())
}

/// Records a decision; tells it, and whether it is the first about this policy. Repeating the latest
/// changes nothing.
///
/// # Errors
/// [`Error::NotFound`] for a policy that is neither in the operator's files nor was ever served, and
/// a violation for a version that was never served: nobody can have read it.
pub async fn decide(
    db: &Db,
    account: Uuid,
    policy: &str,
    is_known: bool,
    expected: &Expected,
    (version, decision): (String, Decision),
) -> Result<(consent::Model, bool)> {
    let mut change = db.change(account).await?;
    let served = policy_version::Entity::find()
        .filter(policy_version::Column::Policy.eq(policy))
        .all(change.tx())
        .await?;
    if served.is_empty() && !is_known {
        return Err(Error::NotFound);
    }
    let own = || {
        consent::Entity::find()
            .filter(consent::Column::AccountId.eq(account))
            .filter(consent::Column::Policy.eq(policy))
    };
    let before = own().order_by_desc(consent::Column::Revision).one(change.tx()).await?;
    expected.allows(before.as_ref().map(|row| row.revision))?;
    if !served.iter().any(|row| row.version == version) {
        return Err(Error::invalid("unknown_version", "/version", "is not a version that was ever served"));
    }
    if let Some(row) = &before
        && (&row.version, row.decision) == (&version, decision)
    {
        return Ok((row.clone(), false));
    }
    let withdraws = before.as_ref().is_some_and(|row| row.decision == Decision::Accepted);
    if !(withdraws && decision == Decision::Withdrawn) {
        let count =
            consent::Entity::find().filter(consent::Column::AccountId.eq(account)).count(change.tx()).await?;
        if count >= MAX_DECISIONS {
            return Err(Error::LimitReached { what: "decisions", limit: MAX_DECISIONS });
        }
    }
    let row = consent::Model {
        account_id: account,
        policy: policy.to_owned(),
        revision: change.next_revision(),
        version,
        decision,
        decided_at: change.now(),
    };
    consent::Entity::insert(row.clone().into_active_model().reset_all())
        .exec_without_returning(change.tx())
        .await?;
    change.commit().await?;
    Ok((row, before.is_none()))
}

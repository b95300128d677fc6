//! The one review of an entry.

use entity::review;
use entity::value::TombstoneKind;
use sea_orm::ExprTrait;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::require_entry;
use crate::catalog::MediaId;
use crate::db::{Change, Counted, Db, text_bytes};
use crate::error::{Error, Result};
use crate::expected::Expected;

/// The text of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub title: Option<String>,
    pub body: String,
    pub spoiler: bool,
}

pub async fn get(db: &Db, account: Uuid, id: &MediaId) -> Result<review::Model> {
    review::Entity::find_by_id((account, id.to_string())).one(db.read()).await?.ok_or(Error::NotFound)
}

/// Writes the review of an entry that exists; tells it as it is then, and whether it is new.
pub async fn put(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    expected: &Expected,
    text: Text,
) -> Result<(review::Model, bool)> {
    let mut change = db.change(account).await?;
    let written = write(&mut change, id, expected, text).await?;
    change.commit().await?;
    Ok(written)
}

/// The same inside a change.
pub async fn write(
    change: &mut Change,
    id: &MediaId,
    expected: &Expected,
    text: Text,
) -> Result<(review::Model, bool)> {
    let account = change.account_id();
    require_entry(change, id).await?;
    let before = review::Entity::find_by_id((account, id.to_string())).one(change.tx()).await?;
    expected.allows(before.as_ref().map(|row| row.revision))?;
    if let Some(row) = &before
        && (&row.title, &row.body, row.spoiler) == (&text.title, &text.body, text.spoiler)
    {
        return Ok((row.clone(), false));
    }
    let created = before.is_none();
    let length = text_bytes([Some(text.body.as_str()), text.title.as_deref()]);
    change.replace_text(before.as_ref().map_or(0, text_of), length)?;
    let revision = change.next_revision();
    let old = before.as_ref();
    let fields = [
        ("title", old.is_none_or(|row| row.title != text.title)),
        ("body", old.is_none_or(|row| row.body != text.body)),
        ("spoiler", old.is_none_or(|row| row.spoiler != text.spoiler)),
    ];
    let stamps = change.stamps(old.and_then(|row| row.stamps.as_deref()), revision, &fields);
    let row = review::Model {
        account_id: account,
        media_id: id.to_string(),
        title: text.title,
        body: text.body,
        spoiler: text.spoiler,
        revision,
        created_at: before.map_or(change.now(), |row| row.created_at),
        updated_at: change.now(),
        stamps,
    };
    let active = row.clone().into_active_model().reset_all();
    if created {
        review::Entity::insert(active).exec_without_returning(change.tx()).await?;
        change.unbury(TombstoneKind::Review, id.to_string()).await?;
    } else {
        review::Entity::update(active).exec(change.tx()).await?;
    }
    Ok((row, created))
}

fn text_of(row: &review::Model) -> u64 {
    text_bytes([Some(row.body.as_str()), row.title.as_deref()])
}

pub async fn delete(db: &Db, account: Uuid, id: &MediaId, expected: &Expected) -> Result<()> {
    let mut change = db.change(account).await?;
    remove(&mut change, id, expected).await?;
    change.commit().await?;
    Ok(())
}

/// The same inside a change.
pub async fn remove(change: &mut Change, id: &MediaId, expected: &Expected) -> Result<()> {
    let account = change.account_id();
    let found = review::Entity::find_by_id((account, id.to_string())).one(change.tx()).await?;
    let Some(row) = found else { return expected.allows_absence() };
    expected.allows(Some(row.revision))?;
    review::Entity::delete_many()
        .filter(review::Column::AccountId.eq(account).and(review::Column::MediaId.eq(id.as_str())))
        .exec(change.tx())
        .await?;
    change.count_removed(Counted::TextBytes, text_of(&row));
    change.bury(TombstoneKind::Review, id.to_string()).await
}

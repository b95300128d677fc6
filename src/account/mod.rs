//! The account: its row, made at first sight of a valid token, and its settings.

pub mod device;
pub mod holdings;
pub mod idempotency;
pub mod profile;

use chrono::NaiveDate;
use entity::account;
use sea_orm::{ActiveModelTrait, EntityTrait, FromQueryResult, IntoActiveModel};
use uuid::Uuid;

use crate::catalog::Language;
use crate::clock;
use crate::db::{Change, Db, row};
use crate::error::{Error, Result, Violation};
use crate::expected::Expected;

/// The revision of settings that were never changed.
pub const UNCHANGED: i64 = 1;

/// What a settings write says: absent keeps, `Some(None)` clears.
#[derive(Debug, Default, Clone)]
pub struct Patch {
    pub language: Option<Option<String>>,
    pub time_zone: Option<String>,
    pub progress_sets_status: Option<bool>,
}

/// The account's row, made now if this is the first time. Of several first sights at once all see
/// the same row. An erased account stays erased: its mark conflicts with the insert.
pub async fn open(db: &Db, id: Uuid) -> Result<account::Model> {
    if let Some(account) = find(db, id).await? {
        return Ok(account);
    }
    row(
        db.shared(),
        "INSERT INTO account (id, revision, settings_revision, language, time_zone, progress_sets_status, \
         created_at, updated_at) VALUES ($1, 1, 1, NULL, 'UTC', TRUE, $2, $2) ON CONFLICT (id) DO NOTHING",
        [id.into(), clock::now().into()],
    )
    .await?;
    find(db, id).await?.ok_or(Error::NotFound)
}

async fn find(db: &Db, id: Uuid) -> Result<Option<account::Model>> {
    let found = row(db.read(), "SELECT * FROM account WHERE id = $1", [id.into()]).await?;
    let Some(found) = found else { return Ok(None) };
    let account = account::Model::from_query_result(&found, "")?;
    if account.erased_at.is_some() { Err(Error::AccountErased) } else { Ok(Some(account)) }
}

/// The language that titles are shown in when a call names none.
pub fn language(account: &account::Model) -> Language {
    account.language.as_deref().and_then(Language::parse).unwrap_or(Language::DEFAULT)
}

/// The calendar day of a write: the one it names, else today in the account's time zone.
pub fn day(account: &account::Model, on: Option<NaiveDate>) -> NaiveDate {
    on.unwrap_or_else(|| {
        let zone: chrono_tz::Tz = account.time_zone.parse().unwrap_or(chrono_tz::UTC);
        let now = chrono::DateTime::from_timestamp_millis(clock::now()).unwrap_or_default();
        now.with_timezone(&zone).date_naive()
    })
}

/// How titles are shown to an account: in which language, and on which day of its calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locale {
    pub language: Language,
    pub today: NaiveDate,
}

impl Locale {
    /// The account's own, or another language for this once.
    pub fn of(account: &account::Model, named: Option<Language>) -> Self {
        Self { language: named.unwrap_or_else(|| language(account)), today: day(account, None) }
    }
}

/// Changes settings; tells the account as it is then.
pub async fn update(db: &Db, id: Uuid, expected: &Expected, patch: Patch) -> Result<account::Model> {
    let mut change = db.change(id).await?;
    let after = update_in(&mut change, expected, patch).await?;
    change.commit().await?;
    Ok(after)
}

/// The same inside a change.
pub async fn update_in(change: &mut Change, expected: &Expected, patch: Patch) -> Result<account::Model> {
    let patch = check(patch)?;
    let before = change.account().clone();
    expected.allows(Some(before.settings_revision))?;
    let after = account::Model {
        language: patch.language.unwrap_or_else(|| before.language.clone()),
        time_zone: patch.time_zone.unwrap_or_else(|| before.time_zone.clone()),
        progress_sets_status: patch.progress_sets_status.unwrap_or(before.progress_sets_status),
        ..before.clone()
    };
    if after == before {
        return Ok(after);
    }
    let revision = change.next_revision();
    let fields = [
        ("language", after.language != before.language),
        ("time_zone", after.time_zone != before.time_zone),
        ("progress_sets_status", after.progress_sets_status != before.progress_sets_status),
    ];
    let stamps = change.stamps(before.stamps.as_deref(), revision, &fields);
    let after = account::Model { settings_revision: revision, updated_at: change.now(), stamps, ..after };
    let row = after.clone().into_active_model().reset_all();
    account::Entity::update(row).exec_without_returning(change.tx()).await?;
    change.adopt(after.clone());
    Ok(after)
}

/// Brings names to the form they are kept in, or says everything that is wrong with them.
pub fn check(patch: Patch) -> Result<Patch> {
    let mut violations = Vec::new();
    let patch = normal(patch, &mut violations);
    if violations.is_empty() { Ok(patch) } else { Err(invalid(violations)) }
}

fn invalid(violations: Vec<Violation>) -> Error {
    Error::Invalid { code: "invalid_settings", violations }
}

/// The form that settings are kept in; what is wrong with them is added to `violations`.
fn normal(patch: Patch, violations: &mut Vec<Violation>) -> Patch {
    let language = patch.language.map(|language| {
        language.and_then(|name| {
            let known = Language::nearest(&name);
            if known.is_none() {
                violations.push(Violation::new("/language", "is not a language that titles are shown in"));
            }
            known.map(|language| language.as_str().to_owned())
        })
    });
    if let Some(zone) = &patch.time_zone
        && zone.parse::<chrono_tz::Tz>().is_err()
    {
        violations.push(Violation::new("/time_zone", "is not an IANA time zone name"));
    }
    Patch { language, ..patch }
}

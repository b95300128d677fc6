//! The account on the wire.

use entity::account;
use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;
use uuid::Uuid;

use super::clearable;
use crate::account::{self as domain};
use crate::http::text::Timestamp;

/// A person's account and its settings.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Account {
    /// The account's id. It is derived from the Clerk user id and says nothing about the person.
    pub id: Uuid,
    /// The language that titles are shown in; absent means en-US.
    pub language: Option<String>,
    /// IANA name: decides the calendar day of a write that names none.
    pub time_zone: String,
    /// Whether progress on a backlog entry that had none moves it to `in_progress`.
    pub progress_sets_status: bool,
    /// The revision at which the settings last changed.
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<account::Model> for Account {
    fn from(row: account::Model) -> Self {
        Self {
            id: row.id,
            language: row.language,
            time_zone: row.time_zone,
            progress_sets_status: row.progress_sets_status,
            revision: row.settings_revision,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// Settings to change: what is absent stays as it is.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct AccountPatch {
    /// A BCP 47 tag: titles are shown in the nearest language that they are kept in; null for the
    /// default.
    #[oai(nullable, validator(min_length = 1, max_length = 35))]
    pub language: MaybeUndefined<String>,
    /// An IANA time zone name.
    #[oai(validator(min_length = 1, max_length = 64))]
    pub time_zone: Option<String>,
    /// Whether progress on a backlog entry that had none moves it to `in_progress`.
    pub progress_sets_status: Option<bool>,
}

impl From<AccountPatch> for domain::Patch {
    fn from(patch: AccountPatch) -> Self {
        Self {
            language: clearable(patch.language),
            time_zone: patch.time_zone,
            progress_sets_status: patch.progress_sets_status,
        }
    }
}

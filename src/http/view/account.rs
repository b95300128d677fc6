//! The account on the wire.

use entity::account;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object};
use serde::Serialize;
use uuid::Uuid;

use super::clearable;
use crate::account::holdings;
use crate::account::profile::{Names, Shown};
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
    /// When the account's deletion takes effect; present only where one was asked for and can be taken back.
    pub deletion_due_at: Option<Timestamp>,
    /// How much is held about the person; absent in the feed of changes.
    pub holdings: Option<Holdings>,
    /// What Clerk says of the person just now; present only where it was asked for.
    pub profile: Option<Profile>,
}

impl Account {
    /// With what is held about the person.
    pub fn with(row: account::Model, holdings: holdings::Holdings) -> Self {
        Self { holdings: Some(holdings.into()), ..row.into() }
    }
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
            deletion_due_at: row.deletion_due_at.map(Timestamp),
            holdings: None,
            profile: None,
        }
    }
}

/// How much is held about the person, by kind.
#[derive(Debug, Clone, Object, Serialize)]
pub struct Holdings {
    pub entries: i64,
    pub reviews: i64,
    pub comments: i64,
    pub history_events: i64,
    pub watched_episodes: i64,
    pub lists: i64,
    pub list_items: i64,
    pub devices: i64,
    pub consents: i64,
    /// Copies that were asked for and whose links are not forgotten yet.
    pub exports: i64,
    pub imports: i64,
}

impl From<holdings::Holdings> for Holdings {
    fn from(held: holdings::Holdings) -> Self {
        Self {
            entries: held.entries,
            reviews: held.reviews,
            comments: held.comments,
            history_events: held.history_events,
            watched_episodes: held.watched_episodes,
            lists: held.lists,
            list_items: held.list_items,
            devices: held.devices,
            consents: held.consents,
            exports: held.exports,
            imports: held.imports,
        }
    }
}

/// What an answer may hold besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum AccountPart {
    Profile,
}

/// Whether Clerk told the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ProfileState {
    /// It is as Clerk has it now.
    Ok,
    /// Clerk does not answer just now.
    Unavailable,
    /// This service was given no access to Clerk's users.
    NotConfigured,
}

/// The person's profile as Clerk has it. It is asked for anew each time and kept nowhere.
#[serde_with::skip_serializing_none]
#[derive(Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Profile {
    pub state: ProfileState,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub username: Option<String>,
    /// The primary one first; may be empty, and always is unless `state` is `ok`.
    #[oai(skip_serializing_if_is_none = false)]
    pub email_addresses: Vec<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[profile]")
    }
}

impl From<Shown> for Profile {
    fn from(shown: Shown) -> Self {
        let without = |state| Self {
            state,
            first_name: None,
            last_name: None,
            username: None,
            email_addresses: Vec::new(),
        };
        match shown {
            Shown::Profile(profile) => Self {
                state: ProfileState::Ok,
                first_name: profile.first_name,
                last_name: profile.last_name,
                username: profile.username,
                email_addresses: profile.email_addresses,
            },
            Shown::Unavailable => without(ProfileState::Unavailable),
            Shown::NotConfigured => without(ProfileState::NotConfigured),
        }
    }
}

/// Settings and names to change: what is absent stays as it is.
#[derive(Clone, Object)]
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
    /// Corrected in Clerk, where it stays; blanks around it are dropped, and null clears it.
    #[oai(nullable, validator(min_length = 1, max_length = 200))]
    pub first_name: MaybeUndefined<String>,
    /// The same.
    #[oai(nullable, validator(min_length = 1, max_length = 200))]
    pub last_name: MaybeUndefined<String>,
}

impl AccountPatch {
    pub fn domain(self) -> (domain::Patch, Names) {
        let settings = domain::Patch {
            language: clearable(self.language),
            time_zone: self.time_zone,
            progress_sets_status: self.progress_sets_status,
        };
        (settings, Names { first: clearable(self.first_name), last: clearable(self.last_name) })
    }
}

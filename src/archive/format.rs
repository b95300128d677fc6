//! The shape of an archive, as JSON. Its schema is published in `openapi.yaml` under the name `Archive`.
//!
//! The members stand in the order in which they are declared, so that a reader knows what an archive
//! is before its first row. Times are RFC 3339 in UTC with milliseconds, dates are the person's own calendar
//! days, names of statuses and units are those of the API. What is absent is unknown or was never said.
//! Rows are held to the same bounds as the API's. A new version may add members; one that takes any away or gives it
//! another meaning gets another number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::library::MAX_PER_ENTRY;
use crate::library::episode::{MAX_MARKS, MAX_PENDING};
use crate::list::MAX_ITEMS;

/// What `format` says.
pub const FORMAT: &str = "omnitrack-archive";

/// The version that is written, and the latest that is read.
pub const VERSION: i32 = 1;

/// Everything that is held of one person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// `omnitrack-archive`.
    pub format: String,
    pub version: i32,
    pub exported_at: Timestamp,
    pub facts: Facts,
    pub profile: Profile,
    pub account: Account,
    pub devices: Vec<Device>,
    pub consents: Vec<Consent>,
    /// In the order of their media ids.
    pub library: Vec<Entry>,
    /// In the order of their ids.
    pub lists: Vec<List>,
    pub records: Records,
}

/// RFC 3339 in UTC with milliseconds: `2026-08-14T18:03:27.512Z`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Timestamp(pub String);

/// A day on the person's calendar: `2026-08-14`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Date(pub String);

/// What a person is to be told with a copy of their data (GDPR, Article 15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Who runs the service, where they have said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    pub purposes: Vec<String>,
    pub categories: Vec<String>,
    /// Who else gets what.
    pub recipients: Vec<String>,
    /// Where data comes from that the person did not give.
    pub origins: Vec<String>,
    pub retention: Vec<String>,
    pub rights: Vec<String>,
    pub automated_decisions: String,
    pub transfers: String,
}

/// What Clerk says of the person at the moment of the export. It is not kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub state: ProfileState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email_addresses: Vec<String>,
}

/// Whether Clerk answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProfileState {
    Ok,
    /// Clerk did not answer: ask again later.
    Unavailable,
    /// The service has no access to Clerk's profiles.
    NotConfigured,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    pub time_zone: String,
    pub progress_sets_status: bool,
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A device that was registered. An import leaves devices out: each registers itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    pub id: Uuid,
    pub model: String,
    pub os_version: String,
    pub app_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_environment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_registered_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A decision about a policy. An import leaves decisions out: they are made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    pub policy: String,
    pub version: String,
    /// `accepted` or `withdrawn`.
    pub decision: String,
    pub decided_at: Timestamp,
}

/// A title in the library with everything said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// `{kind}:{source}:{id at the source}`.
    pub media_id: String,
    /// What the title is called, for the reader; not read by an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it came out, as exactly as is known; for the reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_date: Option<String>,
    pub status: String,
    pub status_set_by: String,
    /// 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<i32>,
    pub favorite: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_on: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<Date>,
    pub added_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    #[schemars(length(max = MAX_PER_ENTRY))]
    pub comments: Vec<Comment>,
    #[schemars(length(max = MAX_PER_ENTRY))]
    pub history: Vec<HistoryEvent>,
    #[schemars(length(max = MAX_MARKS))]
    pub episodes: Vec<Episode>,
    /// Marks over many episodes that wait until the episodes are known, in the order in which they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_PENDING))]
    pub pending_episodes: Vec<PendingEpisodes>,
}

/// As the person said it. That of a series follows from its episodes and is not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    pub unit: String,
    pub current: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub body: String,
    pub spoiler: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comment {
    pub id: Uuid,
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a comment is about: an episode (`season` and `number`), a page or a percentage (`number`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<i32>,
    pub number: i32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryEvent {
    pub id: Uuid,
    /// The first day of the period that `precision` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<Date>,
    pub precision: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An episode that was watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Episode {
    pub season: i32,
    pub number: i32,
    /// The source's own id of the episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_episode_id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched_on: Option<Date>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PendingEpisodes {
    pub watched: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aired_by: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched_on: Option<Date>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    pub id: Uuid,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// In the person's own order.
    #[schemars(length(max = MAX_ITEMS))]
    pub items: Vec<ListItem>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListItem {
    pub media_id: String,
    /// What the title is called, for the reader; not read by an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub added_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What the service notes to do its work. None of it is read by an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// Things that were deleted, by their names alone.
    pub deleted: Vec<Deleted>,
    /// What became of the changes that devices sent.
    pub mutations: Vec<Mutation>,
    pub exports: Vec<Export>,
    pub imports: Vec<Import>,
    pub idempotency_keys: Vec<IdempotencyKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deleted {
    pub kind: String,
    pub key: String,
    pub deleted_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    pub id: Uuid,
    pub outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Names of the fields that were not written, with commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    pub applied_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Export {
    pub id: Uuid,
    pub format: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    pub id: Uuid,
    pub state: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdempotencyKey {
    pub key: String,
    pub operation: String,
    pub created_at: Timestamp,
}

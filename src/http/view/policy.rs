//! Policies, decisions and announcements on the wire.

use entity::{consent, value};
use poem_openapi::Object;
use serde::Serialize;

use super::wire_enum;
use crate::http::text::Timestamp;
use crate::policy::notice::{Dated, Stand};
use crate::policy::{self as domain};

wire_enum! {
    /// What a person said of a policy.
    Decision mirrors value::Decision { Accepted, Withdrawn }
}

/// All policies, by name.
#[derive(Debug, Clone, Object, Serialize)]
pub struct PolicyList {
    pub items: Vec<Policy>,
}

/// Something that people are asked to agree to.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Policy {
    pub name: String,
    /// The version that holds; absent while none does yet.
    pub current: Option<PolicyVersion>,
    /// The version that is announced.
    pub upcoming: Option<PolicyVersion>,
    /// The account's latest decision about this policy, of whichever version.
    pub decision: Option<Consent>,
}

/// One version of a policy.
#[derive(Debug, Clone, Object, Serialize)]
pub struct PolicyVersion {
    pub version: String,
    pub title: String,
    /// Markdown.
    pub text: String,
    /// When it was first shown to anybody. A change takes effect no sooner than 14 days later.
    pub first_served_at: Timestamp,
    pub takes_effect_at: Timestamp,
}

impl From<Dated<'_>> for PolicyVersion {
    fn from(dated: Dated<'_>) -> Self {
        Self {
            version: dated.version.version.clone(),
            title: dated.version.title.clone(),
            text: dated.version.text.clone(),
            first_served_at: Timestamp(dated.first_served_at.unwrap_or(dated.takes_effect_at)),
            takes_effect_at: Timestamp(dated.takes_effect_at),
        }
    }
}

impl Policy {
    pub fn new(policy: &domain::Policy, stand: Stand<'_>, decision: Option<consent::Model>) -> Self {
        Self {
            name: policy.name.clone(),
            current: stand.current.map(PolicyVersion::from),
            upcoming: stand.upcoming.map(PolicyVersion::from),
            decision: decision.map(Consent::from),
        }
    }
}

/// A decision about one version of a policy.
#[derive(Debug, Clone, Object, Serialize)]
pub struct Consent {
    pub policy: String,
    pub version: String,
    pub decision: Decision,
    pub revision: i64,
    pub decided_at: Timestamp,
}

impl From<consent::Model> for Consent {
    fn from(row: consent::Model) -> Self {
        Self {
            policy: row.policy,
            version: row.version,
            decision: row.decision.into(),
            revision: row.revision,
            decided_at: Timestamp(row.decided_at),
        }
    }
}

/// One page of decisions, newest first.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct ConsentPage {
    pub items: Vec<Consent>,
    /// Where to go on; absent on the last page.
    pub next_cursor: Option<String>,
}

/// What the person says of a policy.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ConsentWrite {
    /// One that was shown: the current, the upcoming, or an earlier one.
    #[oai(validator(min_length = 1, max_length = 40))]
    pub version: String,
    pub decision: Decision,
}

/// News for everybody who uses the app.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Announcement {
    pub id: String,
    pub title: String,
    /// Markdown.
    pub text: String,
    pub published_at: Timestamp,
    /// When it goes out of date.
    pub expires_at: Option<Timestamp>,
}

impl From<&domain::Announcement> for Announcement {
    fn from(one: &domain::Announcement) -> Self {
        Self {
            id: one.id.clone(),
            title: one.title.clone(),
            text: one.text.clone(),
            published_at: Timestamp(one.published),
            expires_at: one.expires.map(Timestamp),
        }
    }
}

/// One page of announcements, newest first.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct AnnouncementPage {
    pub items: Vec<Announcement>,
    /// Where to go on; absent on the last page.
    pub next_cursor: Option<String>,
}

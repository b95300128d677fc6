//! Mutations that a device sends, and what becomes of them, on the wire.

use poem_openapi::{Enum, Object};
use serde::Serialize;
use uuid::Uuid;

use super::entry::{Progress, Status};
use super::feed::{Change, ThingKind};
use super::note::{CommentAnchor, DatePrecision};
use super::wire_enum;
use crate::error::{Result, Violation};
use crate::http::problem::{Problem, ViolationBody};
use crate::http::text::{Date, MediaId, Timestamp};
use crate::schema::Findings;
use crate::sync::{self, Action, Fields, Judged, Mutation, Refusal};

wire_enum! {
    /// What became of a mutation.
    MutationOutcome mirrors sync::Outcome { Applied, Conflict, Rejected }
}

/// The fields that a mutation sets; which of them there are depends on the kind. What is out of bounds
/// rejects this mutation, not the batch.
#[derive(Debug, Clone, Default, Object)]
#[oai(deny_unknown_fields)]
pub struct MutationFieldsWrite {
    /// Of an entry.
    pub status: Option<Status>,
    /// Of an entry: 1 to 100.
    pub rating: Option<i32>,
    /// Of an entry.
    pub favorite: Option<bool>,
    /// Of an entry that is not of a series.
    pub progress: Option<Progress>,
    /// Of an entry.
    pub started_on: Option<Date>,
    /// Of an entry or a history event.
    pub finished_on: Option<Date>,
    /// Of a history event; won or lost together with `finished_on`.
    pub precision: Option<DatePrecision>,
    /// Of a review: at most 200 characters.
    pub title: Option<String>,
    /// Of a review (at most 20,000 characters) or a comment (at most 5,000).
    pub body: Option<String>,
    /// Of a review.
    pub spoiler: Option<bool>,
    /// Of a comment.
    pub anchor: Option<CommentAnchor>,
    /// Of an episode.
    pub watched_on: Option<Date>,
    /// Of a list: at most 200 characters.
    pub name: Option<String>,
    /// Of a list: at most 2,000 characters.
    pub description: Option<String>,
    /// Of an item of a list: at most 1,000 characters.
    pub note: Option<String>,
    /// Of an item of a list: directly before this other item. One that has vanished means the end.
    pub before: Option<MediaId>,
    /// Of an item of a list: directly after this other item. One that has vanished means the end.
    pub after: Option<MediaId>,
    /// Of the settings.
    pub language: Option<String>,
    /// Of the settings.
    pub time_zone: Option<String>,
    /// Of the settings.
    pub progress_sets_status: Option<bool>,
    /// The day on the phone's calendar, for what a write fills in by itself; without it the day of `made_at` in
    /// the account's time zone.
    pub on: Option<Date>,
}

/// A field that can be cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ClearableField {
    Rating,
    Progress,
    StartedOn,
    FinishedOn,
    Title,
    Anchor,
    WatchedOn,
    Description,
    Note,
    Language,
}

impl ClearableField {
    fn name(self) -> &'static str {
        match self {
            Self::Rating => "rating",
            Self::Progress => "progress",
            Self::StartedOn => "started_on",
            Self::FinishedOn => "finished_on",
            Self::Title => "title",
            Self::Anchor => "anchor",
            Self::WatchedOn => "watched_on",
            Self::Description => "description",
            Self::Note => "note",
            Self::Language => "language",
        }
    }
}

/// One change that a device made.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct MutationWrite {
    /// Chosen by the device; the same mutation has the same id however often it is sent.
    pub id: Uuid,
    /// When it was made, by the device's clock. A time to come counts as now.
    pub made_at: Timestamp,
    pub kind: ThingKind,
    /// The key as in the changes: a media id, a UUID, or several of them with slashes.
    #[oai(validator(min_length = 1, max_length = 120))]
    pub key: String,
    /// The revision up to which the device knew the account, or this thing, when it made the change.
    #[oai(validator(minimum(value = "0")))]
    pub base_revision: i64,
    /// Make the thing if it is not there, also if it once was deleted.
    #[oai(default)]
    pub create: bool,
    /// Delete the thing; nothing is set or cleared then.
    #[oai(default)]
    pub delete: bool,
    pub set: Option<MutationFieldsWrite>,
    #[oai(default, validator(max_items = 20))]
    pub clear: Vec<ClearableField>,
}

impl MutationWrite {
    fn domain(self, index: usize) -> std::result::Result<Mutation, Vec<Violation>> {
        let at = |place: &str| format!("/mutations/{index}{place}");
        let mut violations = Vec::new();
        let mut fields = match self.set {
            Some(_) if self.delete => {
                violations.push(Violation::new(at("/set"), "cannot be given with delete"));
                Fields::default()
            }
            Some(set) => set.domain(&at, &mut violations),
            None => Fields::default(),
        };
        for field in self.clear {
            let name = field.name();
            if self.delete || fields.named().contains(&name) {
                violations.push(Violation::new(at("/clear"), format!("{name} cannot be cleared here, too")));
            }
            fields.clear(name);
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        let action = match self.delete {
            true => Action::Delete,
            false => Action::Write { create: self.create, fields: Box::new(fields) },
        };
        Ok(Mutation {
            id: self.id,
            made_at: self.made_at.0,
            kind: self.kind.into(),
            key: self.key,
            base: self.base_revision,
            action,
        })
    }
}

impl MutationFieldsWrite {
    fn domain(self, at: &dyn Fn(&str) -> String, violations: &mut Vec<Violation>) -> Fields {
        let position = match super::list::place(self.before, self.after) {
            Ok(crate::list::order::Place::AsIs) => None,
            Ok(place) => Some(Some(place)),
            Err(_) => {
                violations.push(Violation::new(at("/set/before"), "cannot be given with after"));
                None
            }
        };
        let anchor = match self.anchor.map(|anchor| anchor.domain()).transpose() {
            Ok(anchor) => anchor.map(Some),
            Err(_) => {
                violations.push(Violation::new(at("/set/anchor"), "does not fit its kind"));
                None
            }
        };
        Fields {
            status: self.status.map(|status| Some(status.into())),
            rating: self.rating.map(Some),
            favorite: self.favorite.map(Some),
            progress: self.progress.map(|progress| Some(progress.into())),
            started_on: self.started_on.map(|date| Some(date.0)),
            finished_on: self.finished_on.map(|date| Some(date.0)),
            precision: self.precision.map(|precision| Some(precision.into())),
            title: self.title.map(Some),
            body: self.body.map(Some),
            spoiler: self.spoiler.map(Some),
            anchor,
            watched_on: self.watched_on.map(|date| Some(date.0)),
            name: self.name.map(Some),
            description: self.description.map(Some),
            note: self.note.map(Some),
            position,
            language: self.language.map(Some),
            time_zone: self.time_zone.map(Some),
            progress_sets_status: self.progress_sets_status.map(Some),
            on: self.on.map(|date| date.0),
        }
    }
}

/// What a device did while nobody heard of it, in the order in which it did it.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct MutationBatchWrite {
    /// The cursor that the device has: of another database, or too old, it is of no use any more.
    #[oai(validator(min_length = 1, max_length = 2000))]
    pub cursor: String,
    #[oai(validator(min_items = 1, max_items = 500))]
    pub mutations: Vec<MutationWrite>,
    /// Apply all of them or none; without it as many as can be.
    #[oai(default)]
    pub all_or_nothing: bool,
}

impl MutationBatchWrite {
    /// The mutations, or what is wrong with any of them, as much as a body's violations are reported.
    pub fn domain(mutations: Vec<MutationWrite>) -> Result<Vec<Mutation>> {
        let (mut good, mut findings) = (Vec::with_capacity(mutations.len()), Findings::default());
        for (index, mutation) in mutations.into_iter().enumerate() {
            match mutation.domain(index) {
                Ok(mutation) => good.push(mutation),
                Err(wrong) => wrong.into_iter().for_each(|one| findings.push(one)),
            }
        }
        match findings.is_empty() {
            true => Ok(good),
            false => {
                let violations = findings.into_list();
                Err(crate::error::Error::Invalid { code: "invalid_mutation", violations })
            }
        }
    }
}

/// A field that was not written because a later write stands there.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct LostField {
    pub field: String,
    /// The text that was not written, whole.
    pub text: Option<String>,
}

/// Why a mutation was rejected.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct MutationProblem {
    /// The stable word to switch on.
    pub code: String,
    /// Absent in the answer to a mutation that came before.
    pub title: Option<String>,
    pub errors: Option<Vec<ViolationBody>>,
}

/// What became of one mutation.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct MutationResult {
    pub id: Uuid,
    pub outcome: MutationOutcome,
    /// It was sent before, and this is what was said then.
    pub duplicate: bool,
    /// The revision that it took, or that already said the same; absent if nothing stands there.
    pub revision: Option<i64>,
    /// The fields that were not written because a later write stands there.
    pub lost: Vec<LostField>,
    pub problem: Option<MutationProblem>,
    /// Of a conflict: what stands there now; absent if nothing does.
    pub current: Option<Change>,
}

impl MutationResult {
    /// What became of a mutation, and what stands there if that was a conflict.
    pub fn new(judged: Judged, current: Option<Change>) -> Self {
        let problem = judged.refusal.map(|refusal| match refusal {
            Refusal::Earlier(code) => MutationProblem { code, title: None, errors: None },
            Refusal::Now(error) => {
                let problem = Problem::from(error);
                let violation = |v: Violation| ViolationBody { pointer: v.pointer, message: v.message };
                MutationProblem {
                    code: problem.code.to_owned(),
                    title: Some(problem.title.to_owned()),
                    errors: (!problem.errors.is_empty())
                        .then(|| problem.errors.into_iter().map(violation).collect()),
                }
            }
        });
        Self {
            id: judged.id,
            outcome: judged.outcome.into(),
            duplicate: judged.duplicate,
            revision: judged.revision,
            lost: judged
                .lost
                .into_iter()
                .map(|lost| LostField { field: lost.field, text: lost.text })
                .collect(),
            problem,
            current,
        }
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Object, Serialize)]
pub struct MutationResults {
    /// One for each mutation, in their order.
    pub results: Vec<MutationResult>,
    /// The account's revision afterwards.
    pub revision: i64,
}

//! What a device did while nobody heard of it.

use chrono::NaiveDate;
use entity::value::{Precision, Status};
use uuid::Uuid;

use super::Key;
use crate::clock::Millis;
use crate::error::{Error, Result, Violation};
use crate::library::comment::Anchor;
use crate::library::rules::Progress;
use crate::list::order::Place;
use crate::sync::Kind;

/// One change that a device made, with what it knew when it made it.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// Chosen by the device: the same mutation has the same id however often it is sent.
    pub id: Uuid,
    /// By the device's clock.
    pub made_at: Millis,
    pub kind: Kind,
    pub key: String,
    /// The revision up to which the device knew the account.
    pub base: i64,
    pub action: Action,
}

#[derive(Debug, Clone)]
pub enum Action {
    Delete,
    Write {
        /// Makes the key if it is not there, also if it once was.
        create: bool,
        fields: Box<Fields>,
    },
}

/// Each field is named once; the rest follows.
macro_rules! fields {
    ($($name:ident: $type:ty,)+) => {
        /// The fields that a mutation writes: `None` leaves a field alone, `Some(None)` clears it.
        #[derive(Debug, Clone, Default)]
        pub struct Fields {
            $(pub $name: Option<Option<$type>>,)+
            /// The day on the phone's calendar; without it the day of `made_at` in the account's time zone.
            pub on: Option<NaiveDate>,
        }

        impl Fields {
            /// The names of the fields that are written.
            pub fn named(&self) -> Vec<&'static str> {
                let named = [$((stringify!($name), self.$name.is_some()),)+];
                named.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
            }

            /// Clears the field of this name; `false` if there is none.
            pub fn clear(&mut self, field: &str) -> bool {
                $(if field == stringify!($name) {
                    self.$name = Some(None);
                    return true;
                })+
                false
            }

            fn leave_alone(&mut self, field: &str) {
                $(if field == stringify!($name) {
                    self.$name = None;
                })+
            }

            fn is_cleared(&self, field: &str) -> bool {
                $(if field == stringify!($name) {
                    return matches!(self.$name, Some(None));
                })+
                false
            }
        }
    };
}

fields! {
    status: Status,
    rating: i32,
    favorite: bool,
    progress: Progress,
    started_on: NaiveDate,
    finished_on: NaiveDate,
    precision: Precision,
    title: String,
    body: String,
    spoiler: bool,
    anchor: Anchor,
    watched_on: NaiveDate,
    name: String,
    description: String,
    note: String,
    position: Place,
    language: String,
    time_zone: String,
    progress_sets_status: bool,
}

impl Fields {
    /// Leaves a field alone after all; gives its text if it has one.
    pub fn lose(&mut self, field: &str) -> Lost {
        let text = self.text(field).map(str::to_owned);
        self.leave_alone(field);
        Lost { field: field.to_owned(), text }
    }

    /// Refuses fields that things of this kind do not have, fields that cannot be cleared, and texts that
    /// are longer than this kind's may be.
    pub fn check(&self, kind: Kind) -> Result<()> {
        let (own, clearable, longest): (&[&str], &[&str], &[(&str, usize)]) = match kind {
            Kind::Entry => (
                &["status", "rating", "favorite", "progress", "started_on", "finished_on"],
                &["rating", "progress", "started_on", "finished_on"],
                &[],
            ),
            Kind::Review => (&["title", "body", "spoiler"], &["title"], &[("title", 200), ("body", 20_000)]),
            Kind::Comment => (&["body", "anchor"], &["anchor"], &[("body", 5_000)]),
            Kind::HistoryEvent => (&["finished_on", "precision"], &["finished_on"], &[]),
            Kind::Episode => (&["watched_on"], &["watched_on"], &[]),
            Kind::List => {
                (&["name", "description"], &["description"], &[("name", 200), ("description", 2_000)])
            }
            Kind::ListItem => (&["note", "position"], &["note"], &[("note", 1_000)]),
            Kind::Settings => (&["language", "time_zone", "progress_sets_status"], &["language"], &[]),
        };
        let mut violations = Vec::new();
        for field in self.named() {
            let place = if self.is_cleared(field) { "/clear".to_owned() } else { format!("/set/{field}") };
            if !own.contains(&field) {
                violations.push(Violation::new(place, "is not a field of this kind"));
            } else if self.is_cleared(field) && !clearable.contains(&field) {
                violations.push(Violation::new(place, format!("{field} cannot be cleared")));
            }
        }
        for (field, most) in longest {
            let length = self.text(field).map_or(1, |text| text.chars().count());
            if !(1..=*most).contains(&length) {
                let message = format!("must have 1 to {most} characters");
                violations.push(Violation::new(format!("/set/{field}"), message));
            }
        }
        if self.rating.flatten().is_some_and(|rating| !(1..=100).contains(&rating)) {
            violations.push(Violation::new("/set/rating", "must be 1 to 100"));
        }
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid { code: "invalid_mutation", violations })
        }
    }

    fn text(&self, field: &str) -> Option<&str> {
        let text = match field {
            "title" => &self.title,
            "body" => &self.body,
            "name" => &self.name,
            "description" => &self.description,
            "note" => &self.note,
            _ => return None,
        };
        text.as_ref()?.as_deref()
    }
}

/// What became of a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was written, or said what was so already.
    Applied,
    /// Somebody else was there before: nothing was written.
    Conflict,
    /// It cannot be written, ever.
    Rejected,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Conflict => "conflict",
            Self::Rejected => "rejected",
        }
    }

    pub fn parse(text: &str) -> Self {
        match text {
            "applied" => Self::Applied,
            "conflict" => Self::Conflict,
            _ => Self::Rejected,
        }
    }
}

/// A field that was not written because a later write stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub field: String,
    /// The text that was not written, whole: nothing a person wrote goes without a word.
    pub text: Option<String>,
}

/// What the device is told of one mutation.
#[derive(Debug)]
pub struct Judged {
    pub id: Uuid,
    pub outcome: Outcome,
    /// It came before, and this is what was said then.
    pub duplicate: bool,
    /// Of the row as it is after this mutation.
    pub revision: Option<i64>,
    pub lost: Vec<Lost>,
    /// Why it was rejected; of a duplicate only the code is kept.
    pub refusal: Option<Refusal>,
    /// What it was about, for the current state of a conflict.
    pub key: Option<Key>,
}

#[derive(Debug)]
pub enum Refusal {
    Now(Error),
    Earlier(String),
}

//! What a write makes of an entry: a pure function, so that the same rules hold for a call, for a
//! synchronised batch and for an import. The person's own word wins.

use chrono::NaiveDate;
use entity::value::{ProgressUnit, Status, StatusSetBy};

use crate::catalog::Kind;
use crate::error::Violation;

/// How far a person has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub unit: ProgressUnit,
    pub current: i32,
    pub total: Option<i32>,
}

/// The part of an entry that writes are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub status: Status,
    pub status_set_by: StatusSetBy,
    pub rating: Option<i32>,
    pub favorite: bool,
    pub progress: Option<Progress>,
    pub started_on: Option<NaiveDate>,
    pub finished_on: Option<NaiveDate>,
}

/// What a write says: `None` keeps what is there, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Write {
    pub status: Option<Status>,
    pub rating: Option<Option<i32>>,
    pub favorite: Option<bool>,
    pub progress: Option<Option<Progress>>,
    pub started_on: Option<Option<NaiveDate>>,
    pub finished_on: Option<Option<NaiveDate>>,
    /// The day on the phone's calendar, if the write names it.
    pub on: Option<NaiveDate>,
}

/// What a write led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub state: State,
    /// The entry moved into `completed`: one history event for this day.
    pub finished: Option<NaiveDate>,
}

/// Applies `write` to the state it meets (none: the entry is new). `day` is the person's calendar
/// day; `progress_sets_status` is the account's setting.
pub fn apply(before: Option<&State>, write: &Write, day: NaiveDate, progress_sets_status: bool) -> Outcome {
    let fresh = State {
        status: Status::Backlog,
        status_set_by: StatusSetBy::Person,
        rating: None,
        favorite: false,
        progress: None,
        started_on: None,
        finished_on: None,
    };
    let old = before.unwrap_or(&fresh);
    let mut state = State {
        status: write.status.unwrap_or(old.status),
        status_set_by: if write.status.is_some() { StatusSetBy::Person } else { old.status_set_by },
        rating: write.rating.unwrap_or(old.rating),
        favorite: write.favorite.unwrap_or(old.favorite),
        progress: write.progress.unwrap_or(old.progress),
        started_on: write.started_on.unwrap_or(old.started_on),
        finished_on: write.finished_on.unwrap_or(old.finished_on),
    };
    let first_progress =
        old.progress.is_none() && state.progress.is_some_and(|progress| progress.current > 0);
    if progress_sets_status && write.status.is_none() && state.status == Status::Backlog && first_progress {
        begin(&mut state);
    }
    let moved_into = |status| state.status == status && before.is_none_or(|before| before.status != status);
    let (starts, finishes) = (moved_into(Status::InProgress), moved_into(Status::Completed));
    // A date that the write itself clears stays clear: the person's word.
    if starts && write.started_on.is_none() {
        state.started_on = state.started_on.or(Some(day));
    }
    if finishes && write.finished_on.is_none() {
        state.finished_on = state.finished_on.or(Some(day));
    }
    let finished = finishes.then(|| state.finished_on.unwrap_or(day));
    Outcome { state, finished }
}

/// What the first watched episode does: progress on a backlog entry that had none moves it to
/// `in_progress`, and only that.
pub fn start_by_progress(state: &mut State, day: NaiveDate) {
    if state.status == Status::Backlog {
        begin(state);
        state.started_on = state.started_on.or(Some(day));
    }
}

fn begin(state: &mut State) {
    state.status = Status::InProgress;
    state.status_set_by = StatusSetBy::Progress;
}

/// Everything that is wrong with a write to a title of this kind, beyond what the contract's schema
/// says already.
pub fn check(kind: Kind, write: &Write) -> Vec<Violation> {
    let mut violations = Vec::new();
    let Some(Some(progress)) = write.progress else { return violations };
    if progress.unit == ProgressUnit::Episodes {
        violations.push(Violation::new("/progress/unit", "episodes are counted for tv only"));
    }
    if progress.unit == ProgressUnit::Pages && kind != Kind::Book {
        violations.push(Violation::new("/progress/unit", "pages are counted for books only"));
    }
    if progress.unit == ProgressUnit::Percent && progress.total.is_some_and(|total| total != 100) {
        violations.push(Violation::new("/progress/total", "must be 100 for percent"));
    }
    let total = match progress.unit {
        ProgressUnit::Percent => Some(100),
        _ => progress.total,
    };
    if total.is_some_and(|total| progress.current > total) {
        violations.push(Violation::new("/progress/current", "must not be more than the total"));
    }
    violations
}

#[cfg(test)]
#[path = "rules_test.rs"]
mod tests;

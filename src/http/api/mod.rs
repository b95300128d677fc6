//! The operations: each parses, makes one call into the domain, and shows a view. No SQL, no rules.

pub mod account;
pub mod comment;
pub mod entry;
pub mod episode;
pub mod feed;
pub mod history;
pub mod list;
pub mod list_item;
pub mod media;
pub mod review;

use poem_openapi::Tags;

use super::page;
use super::problem::{Fail, Problem, Statuses};
use crate::error::Error;

/// The product areas.
#[derive(Tags)]
pub enum Area {
    /// Titles of all four kinds, looked up anonymously.
    Catalog,
    /// What the account says of titles: status, rating, progress, dates.
    Library,
    /// Which episodes of series the account has seen.
    Episodes,
    /// One review per entry. Private.
    Reviews,
    /// Dated notes on an entry. Private.
    Comments,
    /// Each time an entry was finished.
    History,
    /// The account's own ordered collections.
    Lists,
    /// The account and its settings.
    Account,
    /// How devices stay the same.
    Sync,
}

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident: $list:expr;)+) => {
        $($(#[$doc])* pub struct $name;
        impl Statuses for $name { const LIST: &'static [u16] = $list; })+
    };
}

statuses! {
    /// Nothing beyond what every operation can answer.
    Common: &[];
    /// A read that goes on where another ended.
    Resume: &[410];
    /// A read of something that may not be there.
    Absent: &[404];
    /// A write to something that must be there.
    Edit: &[404, 412, 422];
    /// A change of what is always there.
    Settings: &[412, 422];
    /// A deletion.
    Delete: &[412];
    /// A write that makes what is not there.
    Put: &[409, 412, 422];
    /// The same below something that must be there.
    PutBelow: &[404, 409, 412, 422];
    /// The same under an id that may have been used before.
    PutOnce: &[404, 409, 410, 412, 422];
}

/// How many rows a page holds.
pub fn limit(limit: Option<i32>) -> u64 {
    u64::try_from(limit.unwrap_or(page::DEFAULT_LIMIT).clamp(1, page::MAX_LIMIT)).unwrap_or(1)
}

/// Adds the current state to a refused write.
pub async fn refused<S, T, F>(error: Error, current: F) -> Fail<S>
where
    T: serde::Serialize,
    F: Future<Output = crate::error::Result<T>>,
{
    if !matches!(error, Error::RevisionConflict) {
        return error.into();
    }
    let current = match current.await {
        Ok(view) => serde_json::to_value(view).ok(),
        Err(_) => None,
    };
    Problem { current, ..Problem::from(Error::RevisionConflict) }.into()
}

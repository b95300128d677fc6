//! The operations: each parses, makes one call into the domain, and shows a view. No SQL, no rules.

pub mod account;
pub mod comment;
pub mod deletion;
pub mod device;
pub mod discover;
pub mod entry;
pub mod episode;
pub mod export;
pub mod history;
pub mod image;
pub mod import;
pub mod list;
pub mod list_item;
pub mod media;
pub mod policy;
pub mod review;
pub mod sync;

use poem_openapi::Tags;

use super::page;
use super::problem::{Fail, Problem, Statuses};
use super::view::media::Cover;
use crate::app::App;
use crate::catalog;
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
    /// What keeps the account's devices the same.
    Sync,
    /// The account and its settings.
    Account,
    /// What the account is used on, and where each is reached.
    Devices,
    /// What people are asked to agree to, what they decided, and announcements.
    Policies,
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
    /// A read by parameters that are judged beyond their form.
    Judged: &[422];
    /// A copy asked for by the person alone, at most so many, under a key that may be past.
    Export: &[403, 409, 410, 422];
    /// An archive taken back: one at a time, under a key that may be past.
    Import: &[409, 410, 422];
    /// A read for the person alone.
    Personal: &[403];
    /// A write to something that must be there.
    Edit: &[404, 409, 412, 422];
    /// A change of what is always there, with a part at Clerk.
    Settings: &[403, 412, 422, 501];
    /// A deletion.
    Delete: &[412];
    /// A write that makes what is not there.
    Put: &[409, 412, 422];
    /// A batch of writes.
    Push: &[410, 422];
    /// The same below something that must be there.
    PutBelow: &[404, 409, 412, 422];
    /// The same under an id that may have been used before.
    PutOnce: &[404, 409, 410, 412, 422];
}

/// How many rows a page holds.
pub fn limit(limit: Option<i32>) -> u64 {
    u64::try_from(limit.unwrap_or(page::DEFAULT_LIMIT).clamp(1, page::MAX_LIMIT)).unwrap_or(1)
}

/// These covers as answers show them, in their order.
pub async fn covers(
    app: &App,
    covers: impl IntoIterator<Item = Option<catalog::Cover>>,
) -> Vec<Option<Cover>> {
    let known = app.covers.known(&app.db, covers).await;
    known.iter().map(|known| Cover::new(known.as_ref()?)).collect()
}

/// One cover as an answer shows it.
pub async fn cover(app: &App, one: Option<catalog::Cover>) -> Option<Cover> {
    covers(app, [one]).await.pop()?
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

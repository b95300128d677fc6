//! The person's profile, which stays at Clerk: read there when it is asked for, corrected there, and kept
//! nowhere here.

use entity::account;

use super::Patch;
use crate::clerk::{Profile, Session, Users, UsersError};
use crate::db::Db;
use crate::error::{Error, Result, Violation};
use crate::expected::Expected;

/// What Clerk says just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    Profile(Profile),
    /// Clerk does not answer, or knows nobody by that id.
    Unavailable,
    NotConfigured,
}

/// Corrections of the names: `None` keeps, `Some(None)` clears.
#[derive(Debug, Default, Clone)]
pub struct Names {
    pub first: Option<Option<String>>,
    pub last: Option<Option<String>>,
}

/// Seconds after which to try again, where Clerk names none.
const RETRY_AFTER: u64 = 5;

pub async fn show(users: &Users, session: &Session) -> Shown {
    match users.get(&session.user_id).await {
        Ok(profile) => Shown::Profile(profile),
        Err(UsersError::NotConfigured) => Shown::NotConfigured,
        Err(error) => {
            warn(error);
            Shown::Unavailable
        }
    }
}

/// Corrects names at Clerk and changes settings here; tells the account as it is then. Clerk is asked
/// only when everything else is right, and where it refuses, nothing is changed here. A device that
/// changes settings in that very moment gets its way: then the names are corrected, and the answer is
/// [`Error::RevisionConflict`].
///
/// # Errors
/// [`Error::Impersonated`]: only the person may say what they are called.
pub async fn update(
    db: &Db,
    users: &Users,
    (account, session): (&account::Model, &Session),
    expected: &Expected,
    patch: Patch,
    names: Names,
) -> Result<account::Model> {
    if names.first.is_none() && names.last.is_none() {
        return super::update(db, account.id, expected, patch).await;
    }
    if session.impersonated {
        return Err(Error::Impersonated);
    }
    let mut violations = Vec::new();
    let patch = super::normal(patch, &mut violations);
    let first = trimmed(names.first, "/first_name", &mut violations);
    let last = trimmed(names.last, "/last_name", &mut violations);
    if !violations.is_empty() {
        return Err(super::invalid(violations));
    }
    expected.allows(Some(account.settings_revision))?;
    users.rename(&session.user_id, first, last).await.map_err(refused)?;
    super::update(db, account.id, expected, patch).await
}

fn trimmed(
    name: Option<Option<String>>,
    pointer: &str,
    violations: &mut Vec<Violation>,
) -> Option<Option<String>> {
    let name = name.map(|name| name.map(|name| name.trim().to_owned()));
    if name.as_ref().is_some_and(|name| name.as_ref().is_some_and(String::is_empty)) {
        violations.push(Violation::new(pointer, "must hold more than blanks; null clears it"));
    }
    name
}

fn refused(error: UsersError) -> Error {
    warn(error);
    match error {
        UsersError::NotConfigured => Error::ClerkNotConfigured,
        UsersError::Invalid { first_name, last_name } => {
            let pointers = [("/first_name", first_name), ("/last_name", last_name)];
            let refused = pointers.into_iter().filter(|(_, refused)| *refused);
            let violation = |(pointer, _)| Violation::new(pointer, "is not a name that Clerk takes");
            super::invalid(refused.map(violation).collect())
        }
        UsersError::RateLimited { retry_after_seconds } => {
            Error::ClerkUnavailable { retry_after_seconds: retry_after_seconds.unwrap_or(RETRY_AFTER) }
        }
        UsersError::NotFound | UsersError::Unavailable | UsersError::Refused => {
            Error::ClerkUnavailable { retry_after_seconds: RETRY_AFTER }
        }
    }
}

/// What the operator should hear of; it names nobody.
fn warn(error: UsersError) {
    match error {
        UsersError::Refused => tracing::warn!("clerk refuses the secret key"),
        UsersError::Unavailable | UsersError::RateLimited { .. } => {
            tracing::warn!(%error, "clerk could not be asked");
        }
        UsersError::NotConfigured | UsersError::NotFound | UsersError::Invalid { .. } => {}
    }
}

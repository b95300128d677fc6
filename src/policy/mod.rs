//! What people are asked to agree to, and what is announced to them: read from the operator's files, dated
//! by when it was first served, and what each account decided. It knows nothing of what a policy says.

pub mod consent;
mod files;
mod front_matter;
pub mod notice;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use entity::policy_version;
use sea_orm::EntityTrait;

use crate::clock::Millis;
use crate::config::ConfigError;
use crate::db::{Db, execute};
use crate::error::Result;
pub use files::FileError;
use notice::{Served, Stand};

/// One version of a policy, as the operator wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub version: String,
    pub title: String,
    /// Markdown.
    pub text: String,
    /// When it takes effect at the earliest.
    pub effective: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub name: String,
    /// At least one, in the order in which they take effect.
    pub versions: Vec<Version>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    pub id: String,
    pub title: String,
    /// Markdown.
    pub text: String,
    /// Not shown before.
    pub published: Millis,
    /// Not shown from then on.
    pub expires: Option<Millis>,
}

/// All that the operator provides.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Set {
    /// By name.
    pub policies: Vec<Policy>,
    /// Newest first.
    pub announcements: Vec<Announcement>,
}

/// The operator's files, as they were last found right. Clones share them.
#[derive(Clone)]
pub struct Policies(Arc<Inner>);

struct Inner {
    folder: Option<PathBuf>,
    set: RwLock<Arc<Set>>,
}

impl Policies {
    /// Reads the folder; without one there is nothing to show.
    ///
    /// # Errors
    /// The folder or a file in it cannot be right.
    pub fn open(folder: Option<PathBuf>) -> Result<Self, ConfigError> {
        let wrong = |reason| ConfigError { name: "OMNITRACK_POLICIES", reason };
        let set = match &folder {
            Some(folder) if !folder.is_dir() => return Err(wrong("is not a folder".to_owned())),
            Some(folder) => files::read(folder).map_err(|error| wrong(error.to_string()))?,
            None => Set::default(),
        };
        Ok(Self(Arc::new(Inner { folder, set: RwLock::new(Arc::new(set)) })))
    }

    /// What the files said when they were last right.
    pub fn set(&self) -> Arc<Set> {
        Arc::clone(&self.0.set.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the folder again, and tells whether anything is new. Blocks on the disk.
    ///
    /// # Errors
    /// A file that cannot be right: then everything stays as it was.
    pub fn reload(&self) -> Result<bool, FileError> {
        let Some(folder) = &self.0.folder else { return Ok(false) };
        let fresh = files::read(folder)?;
        if fresh == *self.set() {
            return Ok(false);
        }
        *self.0.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(true)
    }
}

/// A page of what is announced at `now`, newest first: those after `after`.
pub fn announcements<'a>(
    set: &'a Set,
    now: Millis,
    after: Option<&(Millis, String)>,
    limit: usize,
) -> (Vec<&'a Announcement>, Option<(Millis, String)>) {
    let mut shown: Vec<&Announcement> = set
        .announcements
        .iter()
        .filter(|one| one.published <= now && one.expires.is_none_or(|expires| expires > now))
        .filter(|one| after.is_none_or(|(at, id)| (*at, id) > (one.published, &one.id)))
        .take(limit + 1)
        .collect();
    let more = shown.len() > limit;
    shown.truncate(limit);
    let end = shown.last().filter(|_| more).map(|one| (one.published, one.id.clone()));
    (shown, end)
}

/// How every policy stands at `now`, in the order of the set. What is shown for the first time is served
/// from now on, and the database keeps since when: one row, however many instances.
pub async fn serve<'a>(db: &Db, set: &'a Set, now: Millis) -> Result<Vec<Stand<'a>>> {
    let mut served = served(db).await?;
    let mut stands = Vec::with_capacity(set.policies.len());
    for policy in &set.policies {
        // The first version of all, then the one after it, and then there is none left to note.
        for _ in 0..2 {
            let own = own(&served, &policy.name);
            let stand = Stand::of(policy, &own, now);
            let Some(fresh) = stand.shown().find(|dated| dated.first_served_at.is_none()) else { break };
            // Later than the first of all, so that the two are told apart for ever.
            let first = own.iter().map(|served| served.at).min();
            let at = first.map_or(now, |first| now.max(first + 1));
            note(db, &policy.name, &fresh.version.version, at).await?;
            served = self::served(db).await?;
        }
        stands.push(Stand::of(policy, &own(&served, &policy.name), now));
    }
    Ok(stands)
}

fn own(served: &[policy_version::Model], policy: &str) -> Vec<Served> {
    let own = served.iter().filter(|row| row.policy == policy);
    own.map(|row| Served { version: row.version.clone(), at: row.first_served_at }).collect()
}

async fn served(db: &Db) -> Result<Vec<policy_version::Model>> {
    Ok(policy_version::Entity::find().all(db.read()).await?)
}

async fn note(db: &Db, policy: &str, version: &str, at: Millis) -> Result<()> {
    let sql = "INSERT INTO policy_version (policy, version, first_served_at) VALUES ($1, $2, $3) \
               ON CONFLICT (policy, version) DO NOTHING";
    execute(db.shared(), sql, [policy.into(), version.into(), at.into()]).await?;
    Ok(())
}

#[cfg(test)]
#[path = "mod_test.rs"]
mod tests;

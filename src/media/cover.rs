//! What was seen of covers, whoever asked for them first: a thumbhash to show until the picture is
//! there, or that the source has none. Read for every title that is shown, so that it is kept in
//! memory, and in a table for other instances and later starts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use sea_orm::Value;
use tokio::sync::Semaphore;

use super::thumbhash;
use crate::catalog::{Cover, Picture, SourceName};
use crate::clock::{self, Millis};
use crate::db::{Db, error_kind, execute, rows};
use crate::error::Result;

/// Covers remembered at once; the least used go first.
const MAX_KNOWN: u64 = 10_000;
/// How long memory is believed: of what was seen, and of what nobody has seen yet, since another
/// instance may see it.
const SEEN_FOR: Duration = Duration::from_secs(3600);
const UNSEEN_FOR: Duration = Duration::from_secs(30);
/// After so long a source is asked again for a picture that it did not have.
const MISSING_FOR: Millis = 7 * 24 * 3_600_000;
/// Pictures decoded at once.
const DECODERS: usize = 2;

/// What is known of a cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nobody has fetched it yet.
    Unseen,
    /// It was fetched. Its thumbhash is in base64; a picture that could not be read has none.
    Seen(Option<Arc<str>>),
    /// The source has no such picture.
    Missing,
}

/// What is known of covers. Clones share it.
#[derive(Clone)]
pub struct Covers {
    known: moka::sync::Cache<Cover, Known>,
    decoders: Arc<Semaphore>,
}

impl Default for Covers {
    fn default() -> Self {
        let known = moka::sync::Cache::builder().max_capacity(MAX_KNOWN).expire_after(Believed).build();
        Self { known, decoders: Arc::new(Semaphore::new(DECODERS)) }
    }
}

struct Believed;

impl Expiry<Cover, Known> for Believed {
    fn expire_after_create(&self, _: &Cover, known: &Known, _: Instant) -> Option<Duration> {
        Some(if *known == Known::Unseen { UNSEEN_FOR } else { SEEN_FOR })
    }

    fn expire_after_update(
        &self,
        cover: &Cover,
        known: &Known,
        now: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(cover, known, now)
    }
}

impl Covers {
    /// What is known of each of these covers. Where that cannot be read it counts as nothing: a title
    /// is shown without a thumbhash rather than not at all.
    pub async fn known(&self, db: &Db, covers: impl IntoIterator<Item = Cover>) -> HashMap<Cover, Known> {
        let (mut found, mut cold) = (HashMap::new(), Vec::new());
        for cover in covers {
            match self.known.get(&cover) {
                Some(known) => drop(found.insert(cover, known)),
                None => cold.push(cover),
            }
        }
        if cold.is_empty() {
            return found;
        }
        match read(db, &cold).await {
            Ok(mut kept) => {
                for cover in cold {
                    let kept = kept.remove(&cover).unwrap_or(Known::Unseen);
                    // It may have been met while this was read.
                    let known = self.known.entry(cover.clone()).or_insert(kept).into_value();
                    found.insert(cover, known);
                }
            }
            Err(error) => tracing::warn!(kind = error_kind(&error), "covers not read"),
        }
        found
    }

    /// Whether somebody has fetched this cover.
    pub async fn is_seen(&self, db: &Db, cover: &Cover) -> bool {
        matches!(self.known(db, [cover.clone()]).await.get(cover), Some(Known::Seen(_)))
    }

    /// Learns from a small picture that was just fetched, or from its absence. A failure loses nothing:
    /// whoever fetches it next is learnt from.
    pub async fn meet(&self, db: &Db, cover: &Cover, picture: Option<&Picture>) {
        let is_news = |known: Option<Known>| {
            !matches!((picture, known), (Some(_), Some(Known::Seen(_))) | (None, Some(Known::Missing)))
        };
        // Told by memory alone in all but a few cases.
        if !is_news(self.known.get(cover)) {
            return;
        }
        // The permit is never refused: nobody closes the semaphore.
        let _permit = self.decoders.acquire().await;
        // Of many who fetched it at once, the others waited for the first.
        if !is_news(self.known(db, [cover.clone()]).await.remove(cover)) {
            return;
        }
        let news = match picture {
            Some(picture) => {
                let picture = picture.clone();
                let made = tokio::task::spawn_blocking(move || thumbhash::of(&picture)).await;
                Known::Seen(made.ok().flatten().map(Arc::from))
            }
            None => Known::Missing,
        };
        match keep(db, cover, &news).await {
            Ok(()) => self.known.insert(cover.clone(), news),
            Err(error) => tracing::warn!(%error, "cover not kept"),
        }
    }
}

async fn read(db: &Db, covers: &[Cover]) -> Result<HashMap<Cover, Known>, sea_orm::DbErr> {
    // The key of a row is source and name: both parts are narrowed, and pairs that nobody asked for are
    // simply not looked at.
    let mut values: Vec<Value> = SourceName::ALL.iter().map(|source| source.as_str().into()).collect();
    let mut names = Vec::with_capacity(covers.len());
    for cover in covers {
        values.push(cover.as_str().into());
        names.push(format!("${}", values.len()));
    }
    let sql = format!(
        "SELECT source, image, thumbhash, missing FROM cover WHERE source IN ($1, $2, $3) AND image IN ({})",
        names.join(", ")
    );
    let mut found = HashMap::new();
    for row in rows(db.read(), &sql, values).await? {
        let (source, image): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let thumbhash: Option<String> = row.try_get_by_index(2)?;
        let known = match row.try_get_by_index(3)? {
            true => Known::Missing,
            false => Known::Seen(thumbhash.map(Arc::from)),
        };
        let cover = source.parse().ok().and_then(|source: SourceName| Cover::new(source, &image));
        found.extend(cover.map(|cover| (cover, known)));
    }
    Ok(found)
}

async fn keep(db: &Db, cover: &Cover, known: &Known) -> Result<()> {
    let thumbhash = match known {
        Known::Seen(thumbhash) => thumbhash.as_deref(),
        Known::Missing | Known::Unseen => None,
    };
    execute(
        db.shared(),
        "INSERT INTO cover (source, image, thumbhash, missing, seen_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (source, image) DO UPDATE SET thumbhash = excluded.thumbhash, \
         missing = excluded.missing, seen_at = excluded.seen_at",
        [
            cover.source().as_str().into(),
            cover.as_str().into(),
            thumbhash.into(),
            (*known == Known::Missing).into(),
            clock::now().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Forgets old absences: the source may have a picture by now.
pub(super) async fn sweep(db: &Db) -> Result<()> {
    let before = clock::now() - MISSING_FOR;
    execute(db.shared(), "DELETE FROM cover WHERE missing AND seen_at < $1", [before.into()]).await?;
    Ok(())
}

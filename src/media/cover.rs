//! What was seen of covers, whoever asked for them first: a thumbhash to show until the picture is
//! there, or that the source has none. Read for every title that is shown, so that it is kept in
//! memory, and in a table for other instances and later starts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use sea_orm::Value;
use tokio::sync::Semaphore;

use super::{address, thumbhash};
use crate::catalog::{Cover, CoverSize, Picture, SourceName};
use crate::clock::{self, Millis};
use crate::db::{Db, error_kind, execute, rows};
use crate::error::Result;
use crate::secret::Signer;

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
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    /// Where it is, in the order of [`CoverSize::ALL`].
    pub addresses: [String; 3],
    pub sight: Sight,
}

/// What was seen of a cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Nobody has fetched it yet.
    Unseen,
    /// It was fetched. Its thumbhash is in base64; a picture that could not be read has none.
    Seen(Option<String>),
    /// The source has no such picture.
    Missing,
}

/// What is known of covers. Clones share it.
#[derive(Clone)]
pub struct Covers {
    signer: Signer,
    known: moka::sync::Cache<Cover, Arc<Known>>,
    decoders: Arc<Semaphore>,
}

struct Believed;

impl Expiry<Cover, Arc<Known>> for Believed {
    fn expire_after_create(&self, _: &Cover, known: &Arc<Known>, _: Instant) -> Option<Duration> {
        Some(if known.sight == Sight::Unseen { UNSEEN_FOR } else { SEEN_FOR })
    }

    fn expire_after_update(
        &self,
        cover: &Cover,
        known: &Arc<Known>,
        now: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(cover, known, now)
    }
}

impl Covers {
    /// Covers at addresses that `signer` signs.
    pub fn new(signer: Signer) -> Self {
        let known = moka::sync::Cache::builder().max_capacity(MAX_KNOWN).expire_after(Believed).build();
        Self { signer, known, decoders: Arc::new(Semaphore::new(DECODERS)) }
    }

    /// The picture that the parts of an address name; `None` unless it is one of ours.
    pub fn find(&self, source: &str, size: &str, image: &str, signature: &str) -> Option<(Cover, CoverSize)> {
        address::read(&self.signer, source, size, image, signature)
    }

    /// What is known of each of these covers, in their order. What cannot be read counts as not seen: a
    /// title is shown without a thumbhash rather than not at all.
    pub async fn known(
        &self,
        db: &Db,
        covers: impl IntoIterator<Item = Option<Cover>>,
    ) -> Vec<Option<Arc<Known>>> {
        let covers: Vec<Option<Cover>> = covers.into_iter().collect();
        let mut found: Vec<Option<Arc<Known>>> =
            covers.iter().map(|cover| self.known.get(cover.as_ref()?)).collect();
        let pairs = covers.iter().zip(&found);
        let cold: Vec<&Cover> =
            pairs.filter_map(|(cover, found)| cover.as_ref().filter(|_| found.is_none())).collect();
        if cold.is_empty() {
            return found;
        }
        let kept = read(db, &cold).await.inspect_err(|error| {
            tracing::warn!(kind = error_kind(error), "covers not read");
        });
        for (cover, found) in covers.into_iter().zip(&mut found) {
            let (Some(cover), None) = (cover, &found) else { continue };
            let sight = kept.as_ref().ok().and_then(|kept| kept.get(&cover)).unwrap_or(&Sight::Unseen);
            let known = self.with_addresses(&cover, sight.clone());
            *found = Some(match kept {
                // It may have been met while this was read.
                Ok(_) => self.known.entry(cover).or_insert(known).into_value(),
                Err(_) => known,
            });
        }
        found
    }

    /// Whether somebody has fetched this cover.
    pub async fn is_seen(&self, db: &Db, cover: &Cover) -> bool {
        let known = self.known(db, [Some(cover.clone())]).await;
        known.iter().flatten().any(|known| matches!(known.sight, Sight::Seen(_)))
    }

    /// Learns from a small picture that was just fetched, or from its absence. A failure loses nothing:
    /// whoever fetches it next is learnt from.
    pub async fn meet(&self, db: &Db, cover: &Cover, picture: Option<&Picture>) {
        let is_news = |known: Option<&Known>| match known.map(|known| &known.sight) {
            Some(Sight::Seen(_)) => picture.is_none(),
            Some(Sight::Missing) => picture.is_some(),
            Some(Sight::Unseen) | None => true,
        };
        // Told by memory alone in all but a few cases.
        if !is_news(self.known.get(cover).as_deref()) {
            return;
        }
        // The permit is never refused: nobody closes the semaphore.
        let _permit = self.decoders.acquire().await;
        // Of many who fetched it at once, the others waited for the first.
        let known = self.known(db, [Some(cover.clone())]).await;
        if !known.iter().flatten().all(|known| is_news(Some(known))) {
            return;
        }
        let sight = match picture {
            Some(picture) => {
                let picture = picture.clone();
                let made = tokio::task::spawn_blocking(move || thumbhash::of(&picture)).await;
                Sight::Seen(made.ok().flatten())
            }
            None => Sight::Missing,
        };
        match keep(db, cover, &sight).await {
            Ok(()) => self.known.insert(cover.clone(), self.with_addresses(cover, sight)),
            Err(error) => tracing::warn!(%error, "cover not kept"),
        }
    }

    fn with_addresses(&self, cover: &Cover, sight: Sight) -> Arc<Known> {
        Arc::new(Known { addresses: address::write(&self.signer, cover), sight })
    }
}

async fn read(db: &Db, covers: &[&Cover]) -> Result<HashMap<Cover, Sight>, sea_orm::DbErr> {
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
        let sight = match row.try_get_by_index(3)? {
            true => Sight::Missing,
            false => Sight::Seen(thumbhash),
        };
        let cover = source.parse().ok().and_then(|source: SourceName| Cover::new(source, &image));
        found.extend(cover.map(|cover| (cover, sight)));
    }
    Ok(found)
}

async fn keep(db: &Db, cover: &Cover, sight: &Sight) -> Result<()> {
    let thumbhash = match sight {
        Sight::Seen(thumbhash) => thumbhash.as_deref(),
        Sight::Missing | Sight::Unseen => None,
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
            (*sight == Sight::Missing).into(),
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

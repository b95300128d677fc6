//! Filling in titles that people refer to and that no source has been asked about yet. A write only
//! says that a title is wanted, after its commit; the loop in `job` does the rest, and a sweep finds
//! what a crash lost.

use std::sync::Arc;

use entity::media_wanted;
use futures_util::stream::{self, StreamExt};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Set};
use tokio::sync::Notify;
use uuid::Uuid;

use super::cover::{self, Covers};
use super::store;
use crate::catalog::{Answer, Catalog, Cover, CoverSize, DayShare, Language, MediaId, MediaItem};
use crate::clock::{self, Millis};
use crate::db::{Db, execute, rows};
use crate::error::Result;

/// Titles taken up in one round, and accounts stamped in one go.
const BATCH: u64 = 50;
/// Titles looked up at once.
const AT_ONCE: usize = 8;
/// The first pause after a failure; it doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Millis = 5_000;
const MAX_PAUSE: Millis = 6 * 3_600_000;

/// Tells the loop that something is wanted.
#[derive(Clone, Default)]
pub struct Wanted {
    wake: Arc<Notify>,
}

impl Wanted {
    /// Queues a title after the write that refers to it was committed. A failure here loses nothing:
    /// the sweep finds the row that waits.
    pub async fn add(&self, db: &Db, media_id: &MediaId, language: Language) {
        if let Err(error) = queue(db, media_id.as_str(), language).await {
            tracing::warn!(kind = crate::db::error_kind(&error), "title not queued; the sweep will find it");
        }
        self.wake.notify_one();
    }

    /// Resolves when something was added since the last time.
    pub async fn added(&self) {
        self.wake.notified().await;
    }
}

async fn queue(db: &Db, media_id: &str, language: Language) -> Result<(), sea_orm::DbErr> {
    let row = media_wanted::ActiveModel {
        media_id: Set(media_id.to_owned()),
        language: Set(language.as_str().to_owned()),
        attempts: Set(0),
        next_attempt_at: Set(clock::now()),
    };
    media_wanted::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([media_wanted::Column::MediaId, media_wanted::Column::Language])
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(db.shared())
        .await?;
    Ok(())
}

/// Works off what is due, at most one batch; tells how many titles it took up.
pub async fn fill(db: &Db, catalog: &Catalog, covers: &Covers, share: &DayShare) -> Result<usize> {
    let due = media_wanted::Entity::find()
        .filter(media_wanted::Column::NextAttemptAt.lte(clock::now()))
        .order_by(media_wanted::Column::NextAttemptAt, Order::Asc)
        .limit(BATCH)
        .all(db.read())
        .await?;
    let count = due.len();
    let work = due.into_iter().map(|wanted| async move {
        if take_up(db, &wanted).await? { fill_one(db, catalog, covers, share, &wanted).await } else { Ok(()) }
    });
    // One title that fails does not stop the others; the first failure is told.
    let outcomes: Vec<Result<()>> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
    outcomes.into_iter().collect::<Result<()>>()?;
    Ok(count)
}

/// Takes a title up under a compare-and-set, so that of several instances one asks the source.
async fn take_up(db: &Db, wanted: &media_wanted::Model) -> Result<bool> {
    let pause = (FIRST_PAUSE << wanted.attempts.clamp(0, 20)).min(MAX_PAUSE);
    let taken = execute(
        db.shared(),
        "UPDATE media_wanted SET attempts = attempts + 1, next_attempt_at = $1 \
         WHERE media_id = $2 AND language = $3 AND attempts = $4",
        [
            (clock::now() + pause).into(),
            wanted.media_id.clone().into(),
            wanted.language.clone().into(),
            wanted.attempts.into(),
        ],
    )
    .await?;
    Ok(taken == 1)
}

async fn fill_one(
    db: &Db,
    catalog: &Catalog,
    covers: &Covers,
    share: &DayShare,
    wanted: &media_wanted::Model,
) -> Result<()> {
    let key = (wanted.media_id.clone(), wanted.language.clone());
    let (Ok(id), Some(language)) = (wanted.media_id.parse::<MediaId>(), Language::parse(&wanted.language))
    else {
        media_wanted::Entity::delete_by_id(key).exec(db.shared()).await?;
        return Ok(());
    };
    let found = match catalog.media(&id, language, share).await {
        Ok(Answer::Found { item, .. }) => {
            store::remember(db, &item, language).await?;
            Some(item)
        }
        Ok(Answer::Unknown) => {
            store::remember_unknown(db, &id).await?;
            None
        }
        Err(_unavailable) => return Ok(()),
    };
    announce(db, &wanted.media_id).await?;
    if let Some(item) = found {
        meet_cover(db, catalog, covers, &item).await;
    }
    media_wanted::Entity::delete_by_id(key).exec(db.shared()).await?;
    Ok(())
}

/// Fetches the small picture once, so that its thumbhash is known before a phone asks for it. Without
/// it nothing is lost: the phone's own request does the same.
async fn meet_cover(db: &Db, catalog: &Catalog, covers: &Covers, item: &MediaItem) {
    let Some(cover) = Cover::of(item) else { return };
    if !covers.is_seen(db, &cover).await
        && let Ok(picture) = catalog.picture(&cover, CoverSize::Small).await
    {
        covers.meet(db, &cover, picture.as_deref()).await;
    }
}

/// The first filling is a change of every row that waited for it.
async fn announce(db: &Db, media_id: &str) -> Result<()> {
    loop {
        let waiting = rows(
            db.read(),
            "SELECT account_id FROM library_entry WHERE media_id = $1 AND awaits_media \
             UNION SELECT account_id FROM list_item WHERE media_id = $1 AND awaits_media LIMIT $2",
            [media_id.into(), (BATCH as i64).into()],
        )
        .await?;
        if waiting.is_empty() {
            return Ok(());
        }
        for row in waiting {
            announce_to(db, row.try_get_by_index(0)?, media_id).await?;
        }
    }
}

async fn announce_to(db: &Db, account: Uuid, media_id: &str) -> Result<()> {
    let mut change = match db.change(account).await {
        Ok(change) => change,
        // Erased in between: its rows are gone with it.
        Err(crate::error::Error::AccountErased) => return Ok(()),
        Err(error) => return Err(error),
    };
    let waits = rows(
        change.tx(),
        "SELECT 1 FROM library_entry WHERE account_id = $1 AND media_id = $2 AND awaits_media",
        [account.into(), media_id.into()],
    )
    .await?;
    if !waits.is_empty() {
        let revision = change.next_revision();
        execute(
            change.tx(),
            "UPDATE library_entry SET awaits_media = FALSE, revision = $3 WHERE account_id = $1 AND media_id = $2",
            [account.into(), media_id.into(), revision.into()],
        )
        .await?;
    }
    let lists = rows(
        change.tx(),
        "SELECT list_id FROM list_item WHERE account_id = $1 AND media_id = $2 AND awaits_media",
        [account.into(), media_id.into()],
    )
    .await?;
    for list in lists {
        let list: Uuid = list.try_get_by_index(0)?;
        let revision = change.next_revision();
        execute(
            change.tx(),
            "UPDATE list_item SET awaits_media = FALSE, revision = $4 \
             WHERE account_id = $1 AND list_id = $2 AND media_id = $3",
            [account.into(), list.into(), media_id.into(), revision.into()],
        )
        .await?;
    }
    change.commit().await?;
    Ok(())
}

/// Finds rows that wait for a title which nobody has queued (a crash between commit and queue), and
/// titles that were filled without their rows being told. Forgets absences of covers that are old.
pub async fn sweep(db: &Db) -> Result<()> {
    cover::sweep(db).await?;
    let lost = rows(
        db.read(),
        "SELECT w.media_id, m.id IS NOT NULL FROM \
         (SELECT media_id FROM library_entry WHERE awaits_media \
          UNION SELECT media_id FROM list_item WHERE awaits_media) w \
         LEFT JOIN media m ON m.id = w.media_id \
         WHERE NOT EXISTS (SELECT 1 FROM media_wanted q WHERE q.media_id = w.media_id) \
         ORDER BY w.media_id LIMIT 1000",
        [],
    )
    .await?;
    for row in lost {
        let (media_id, known): (String, bool) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        if known {
            announce(db, &media_id).await?;
        } else {
            queue(db, &media_id, Language::DEFAULT).await?;
        }
    }
    Ok(())
}

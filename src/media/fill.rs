//! Looking up titles that people refer to: those that no source has been asked about yet, those that
//! are not known in a language somebody reads, and those that are due for another look. A write only
//! says that a title is wanted, after its commit; the loop in `job` does the rest, and a sweep finds
//! what a crash lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::media_wanted;
use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Set};
use tokio::sync::Notify;
use uuid::Uuid;

use super::cover::{self, Covers};
use super::fair_order::{self, Clocks, Wish};
use super::{language_kept, season, store};
use crate::catalog::{
    Answer, Catalog, Cover, CoverSize, FairShare, Kind, Language, MediaId, MediaItem, Season, SeasonSummary,
    SourceName,
};
use crate::clock::{self, Millis};
use crate::db::{Db, execute, rows};
use crate::error::Result;

/// Titles that one write may refer to as single wishes.
const MAX_SINGLE: usize = 10;
/// Titles queued by one statement.
const QUEUED_AT_ONCE: usize = 500;
/// Titles, and seasons of one title, looked up at once.
const AT_ONCE: usize = 4;
/// The first pause after a failure; it doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Millis = 5_000;
const MAX_PAUSE: Millis = 6 * 3_600_000;
/// A season that is over and complete is looked at again when this old.
const SEASON_KEPT: Millis = 60 * 24 * 3_600_000;

/// Queues titles for the loops that look them up, and wakes these.
#[derive(Clone, Default)]
pub struct Wanted {
    /// One for each source, in the order of [`SourceName::ALL`].
    wake: Arc<[Notify; SourceName::ALL.len()]>,
    clocks: Clocks,
}

impl Wanted {
    /// Queues a title after the write of `account` that refers to it was committed. A failure here loses
    /// nothing: the sweep finds the row that waits.
    pub async fn add(&self, db: &Db, account: Uuid, media_id: &MediaId, language: Language) {
        self.add_many(db, account, std::slice::from_ref(media_id), language).await;
    }

    /// Queues titles that one write of `account` refers to, like [`Wanted::add`]. Each is charged to the
    /// account's place in the queue; many at once come after single ones.
    pub async fn add_many(&self, db: &Db, account: Uuid, ids: &[MediaId], language: Language) {
        let wish = if ids.len() > MAX_SINGLE { Wish::Bulk } else { Wish::Single };
        let places = self.clocks.places(account, wish, clock::now(), ids.iter().map(MediaId::source));
        if let Err(error) = queue_at(db, ids, &places, language).await {
            tracing::warn!(%error, "titles not queued; the sweep will find them");
        }
        for source in SourceName::ALL.into_iter().filter(|source| ids.iter().any(|id| id.source() == *source))
        {
            self.wake(source);
        }
    }

    /// Queues what the library and the lists of an account hold that is not known in its language, after
    /// that language was changed.
    pub async fn add_library(&self, db: &Db, account: Uuid, language: Language) {
        let missing = rows(
            db.read(),
            "SELECT w.media_id FROM \
             (SELECT media_id FROM library_entry WHERE account_id = $1 AND kind IN ('movie', 'tv') \
              UNION SELECT media_id FROM list_item WHERE account_id = $1 \
              AND (media_id LIKE 'movie:%' OR media_id LIKE 'tv:%')) w \
             WHERE NOT EXISTS (SELECT 1 FROM media_text t WHERE t.media_id = w.media_id AND t.language = $2)",
            [account.into(), language.as_str().into()],
        )
        .await;
        match missing {
            Ok(missing) => {
                let id = |row: sea_orm::QueryResult| row.try_get_by_index::<String>(0).ok()?.parse().ok();
                let ids: Vec<MediaId> = missing.into_iter().filter_map(id).collect();
                self.add_many(db, account, &ids, language).await;
            }
            Err(error) => {
                let error = crate::error::Error::from(error);
                tracing::warn!(%error, "titles not queued in the account's new language");
            }
        }
    }

    /// Resolves when a title of this source was added since the last time.
    pub async fn added(&self, source: SourceName) {
        if let Some(wake) = self.wake.get(source as usize) {
            wake.notified().await;
        }
    }

    fn wake(&self, source: SourceName) {
        if let Some(wake) = self.wake.get(source as usize) {
            wake.notify_one();
        }
    }
}

/// Queues many titles at once, after the write that refers to them was committed.
pub async fn queue_many(db: &Db, ids: &[MediaId], language: Language) -> Result<()> {
    let places = fair_order::bulk_places(clock::now(), ids.iter().map(MediaId::source));
    queue_at(db, ids, &places, language).await
}

/// Queues titles at their places. One that is queued already keeps the better of both places.
async fn queue_at(db: &Db, ids: &[MediaId], places: &[Millis], language: Language) -> Result<()> {
    let now = clock::now();
    let mut placed: Vec<(&MediaId, Millis)> = ids.iter().zip(places.iter().copied()).collect();
    // In one order, so that two writers do not wait for each other's rows; each title once, since one
    // statement cannot touch a row twice.
    placed.sort_unstable();
    placed.dedup_by_key(|(id, _)| *id);
    for part in placed.chunks(QUEUED_AT_ONCE) {
        let rows = part.iter().map(|(id, place)| media_wanted::ActiveModel {
            media_id: Set(id.to_string()),
            language: Set(language_kept(id, language).as_str().to_owned()),
            attempts: Set(0),
            next_attempt_at: Set(now),
            fair_order: Set(*place),
        });
        let better = Expr::cust("media_wanted.fair_order > excluded.fair_order");
        media_wanted::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::columns([media_wanted::Column::MediaId, media_wanted::Column::Language])
                    .update_column(media_wanted::Column::FairOrder)
                    .action_and_where(better)
                    .to_owned(),
            )
            .exec_without_returning(db.shared())
            .await?;
    }
    Ok(())
}

/// What one batch came to.
#[derive(Default)]
pub struct Filled {
    /// Titles that are new or have changed: those who wait for them have to be told.
    pub told: Vec<MediaId>,
    /// Their covers.
    pub covers: Vec<Cover>,
    /// Titles of which all is known, to be taken off the queue when everybody was told.
    pub complete: Vec<(MediaId, Language)>,
    /// Whether there was anything to do.
    pub more: bool,
}

/// What the background lookups at one source draw on: single wishes and those of many at once have shares
/// of their own, so that neither the turns nor Google's day go to the many alone.
#[derive(Default)]
pub struct Shares {
    single: Background,
    bulk: Background,
}

struct Background(FairShare);

impl Default for Background {
    fn default() -> Self {
        Self(FairShare::background())
    }
}

/// Works off what is due at one source, at most one batch, in the order that is fair to accounts.
pub async fn fill(db: &Db, catalog: &Catalog, source: SourceName, shares: &Shares) -> Result<Filled> {
    let now = clock::now();
    let of_source = Kind::ALL.into_iter().filter(|kind| kind.source() == source);
    let prefixes = of_source.fold(Condition::any(), |any, kind| {
        any.add(media_wanted::Column::MediaId.starts_with(format!("{kind}:")))
    });
    let due = media_wanted::Entity::find()
        .filter(media_wanted::Column::NextAttemptAt.lte(now))
        .filter(prefixes)
        .order_by(media_wanted::Column::FairOrder, Order::Asc)
        .limit(batch(source))
        .all(db.read())
        .await?;
    let mut together: BTreeMap<(bool, Language), Vec<MediaId>> = BTreeMap::new();
    let mut filled = Filled::default();
    for wanted in &due {
        if !take_up(db, wanted).await? {
            continue;
        }
        filled.more = true;
        match (wanted.media_id.parse(), Language::parse(&wanted.language)) {
            (Ok(id), Some(language)) => {
                let bulk = fair_order::is_bulk(source, wanted.fair_order, now);
                together.entry((bulk, language)).or_default().push(id);
            }
            _ => take_off(db, &wanted.media_id, &wanted.language).await?,
        }
    }
    for ((bulk, language), ids) in together {
        let Background(share) = if bulk { &shares.bulk } else { &shares.single };
        let answers = catalog.media_many(&ids, language, share).boxed().await;
        let found = answers.iter().filter_map(|(_, answer)| match answer {
            Ok(Answer::Found { item, .. }) => Cover::of(item),
            _ => None,
        });
        filled.covers.extend(found);
        let work: Vec<_> = answers
            .into_iter()
            .map(|(id, answer)| {
                async move { (id.clone(), keep(db, catalog, &id, language, answer.ok(), share).await) }
                    .boxed()
            })
            .collect();
        // One title that fails does not stop the others; it is tried again after its pause.
        let mut outcomes = stream::iter(work).buffer_unordered(AT_ONCE);
        while let Some(outcome) = outcomes.next().await {
            let (id, kept) = outcome;
            match kept {
                Ok(Kept::Nothing) => {}
                Ok(Kept::Part) => filled.told.push(id),
                Ok(Kept::All) => {
                    filled.told.push(id.clone());
                    filled.complete.push((id, language));
                }
                Err(error) => tracing::warn!(%error, "a title could not be kept"),
            }
        }
    }
    Ok(filled)
}

/// Fetches the small pictures once, so that their thumbhashes are known before a phone asks for them.
/// Without it nothing is lost: a phone's own request does the same.
pub async fn meet_covers(db: &Db, catalog: &Catalog, covers: &Covers, found: &[Cover]) {
    for cover in found {
        if !covers.is_seen(db, cover).await
            && let Ok(picture) = catalog.picture(cover, CoverSize::Small).await
        {
            covers.meet(db, cover, picture.as_deref()).await;
        }
    }
}

/// Titles taken up in one round: few where a source answers slowly, since whoever comes meanwhile waits
/// for the end of the round; many where one request asks for all.
const fn batch(source: SourceName) -> u64 {
    match source {
        SourceName::Tmdb => 16,
        SourceName::Igdb => 50,
        SourceName::GoogleBooks => 5,
    }
}

/// Takes a title up under a compare-and-set, so that of several instances one asks the source.
async fn take_up(db: &Db, wanted: &media_wanted::Model) -> Result<bool> {
    let pause = (FIRST_PAUSE << wanted.attempts.clamp(0, 20)).min(MAX_PAUSE);
    let now = clock::now();
    // One that fails stays behind those that wait for the first time.
    let place = wanted.fair_order.max(now).saturating_add(pause);
    let taken = execute(
        db.shared(),
        "UPDATE media_wanted SET attempts = attempts + 1, next_attempt_at = $1, fair_order = $5 \
         WHERE media_id = $2 AND language = $3 AND attempts = $4",
        [
            (now + pause).into(),
            wanted.media_id.clone().into(),
            wanted.language.clone().into(),
            wanted.attempts.into(),
            place.into(),
        ],
    )
    .await?;
    Ok(taken == 1)
}

/// Takes a title off the queue.
pub async fn done(db: &Db, id: &MediaId, language: Language) -> Result<()> {
    take_off(db, id.as_str(), language.as_str()).await
}

async fn take_off(db: &Db, media_id: &str, language: &str) -> Result<()> {
    media_wanted::Entity::delete_by_id((media_id.to_owned(), language.to_owned())).exec(db.shared()).await?;
    Ok(())
}

/// How much of a title is known now.
enum Kept {
    Nothing,
    /// The title, but not all of its seasons: it stays wanted.
    Part,
    All,
}

/// Keeps an answer.
async fn keep(
    db: &Db,
    catalog: &Catalog,
    id: &MediaId,
    language: Language,
    answer: Option<Answer>,
    share: &FairShare,
) -> Result<Kept> {
    let item = match answer {
        Some(Answer::Found { item, stale: false }) => item,
        // What is old is better than nothing, but nothing new.
        Some(Answer::Found { item, stale: true }) if !store::is_known(db.read(), id).await? => item,
        Some(Answer::Unknown) => {
            store::remember_unknown(db, id).await?;
            return Ok(Kept::All);
        }
        Some(Answer::Found { .. }) | None => return Ok(Kept::Nothing),
    };
    store::remember(db, &item, language).await?;
    let complete = id.kind() != Kind::Tv || keep_seasons(db, catalog, &item, language, share).await?;
    Ok(if complete { Kept::All } else { Kept::Part })
}

/// Looks up the seasons that are new, running or old; tells whether all are known now.
async fn keep_seasons(
    db: &Db,
    catalog: &Catalog,
    series: &MediaItem,
    language: Language,
    share: &FairShare,
) -> Result<bool> {
    // A list that could not be read is not a series without seasons.
    if series.seasons.is_empty() && series.season_count.is_some() {
        return Ok(false);
    }
    let kept = season::kept(db.read(), &series.id, language).await?;
    let newest = series.seasons.iter().map(|season| season.number).max();
    let wanted = series.seasons.iter().filter(|listed| {
        let kept = kept.get(&listed.number);
        Some(listed.number) == newest || kept.is_none_or(|kept| is_outdated(kept, listed))
    });
    let lookups: Vec<_> = wanted
        .map(|listed| {
            async {
                match catalog.season(&series.id, listed.number, language, share).await {
                    Ok(Answer::Found { item, stale: false }) => Some(Arc::unwrap_or_clone(item)),
                    Ok(Answer::Unknown) => Some(Season::empty(listed)),
                    Ok(Answer::Found { .. }) | Err(_) => None,
                }
            }
            .boxed()
        })
        .collect();
    let found: Vec<Option<Season>> = stream::iter(lookups).buffered(AT_ONCE).collect().await;
    let complete = found.iter().all(Option::is_some);
    let fresh: Vec<Season> = found.into_iter().flatten().collect();
    season::remember_seasons(db, series, language, &fresh).await?;
    Ok(complete)
}

fn is_outdated(kept: &season::Kept, listed: &SeasonSummary) -> bool {
    let now = clock::now();
    let today = chrono::DateTime::from_timestamp_millis(now).unwrap_or_default().date_naive();
    let running = |episode: &crate::catalog::Episode| episode.air_date.is_none_or(|day| day >= today);
    usize::try_from(listed.episode_count.unwrap_or(0)) != Ok(kept.season.episodes.len())
        || kept.season.episodes.iter().any(running)
        || now - kept.refreshed_at > SEASON_KEPT
}

/// Finds rows that wait for a title which nobody has queued (a crash between commit and queue); gives
/// the titles that were filled without their rows being told. Forgets absences of covers that are old.
pub async fn sweep(db: &Db) -> Result<Vec<MediaId>> {
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
    let (mut untold, mut unqueued) = (Vec::new(), Vec::new());
    for row in lost {
        let (media_id, known): (String, bool) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let Ok(id) = media_id.parse::<MediaId>() else { continue };
        if known {
            untold.push(id);
        } else {
            unqueued.push(id);
        }
    }
    queue_many(db, &unqueued, Language::DEFAULT).await?;
    Ok(untold)
}

//! Watched episodes of a series: one, a range, a season, or all that have aired. What an account says
//! is kept by place (season and number), with the source's own id of the episode beside it, so that
//! the mark follows the episode when the source numbers a season anew. How far the account has come
//! is derived from the marks and the schedule, never written.

mod mark;
mod pending;
mod settle;
mod watched;

use chrono::NaiveDate;
use entity::watched_episode;
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

pub use mark::key;
pub use pending::MAX_PENDING;
pub use settle::{settle, settle_all, settle_in};
pub use watched::{Following, Watched, follow};

use self::mark::Marks;
use crate::account;
use crate::catalog::{Kind, MediaId};
use crate::db::{Change, Db};
use crate::error::{Error, Result};
use crate::expected::Expected;
use crate::media::Place;

/// Marks that one entry may have.
pub const MAX_MARKS: usize = 30_000;

/// Which episodes a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// None: every season but the specials.
    pub season: Option<i32>,
    pub first: Option<i32>,
    pub last: Option<i32>,
}

impl Span {
    fn one(place: Place) -> Self {
        Self { season: Some(place.season), first: Some(place.number), last: Some(place.number) }
    }

    fn holds(self, place: Place) -> bool {
        self.season.map_or(!place.is_special(), |season| season == place.season)
            && self.first.is_none_or(|first| first <= place.number)
            && self.last.is_none_or(|last| place.number <= last)
    }

    /// Refuses a range that ends before it begins; `last` is where the caller gave its end.
    pub fn check(self, last: &str) -> Result<()> {
        match (self.first, self.last) {
            (Some(first), Some(end)) if first > end => {
                Err(Error::invalid("invalid_range", last, "must not come before the first"))
            }
            _ => Ok(()),
        }
    }
}

/// What a mark on one episode says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Write {
    /// `None` keeps the day that is there, or takes the day of the write; `Some(None)`: not known.
    pub watched_on: Option<Option<NaiveDate>>,
    /// The day on the phone's calendar, if the write names it.
    pub on: Option<NaiveDate>,
    /// A first mark does not set the status: the person has said something else since.
    pub keeps_status: bool,
}

/// The marks of an entry that exists, in the order of their places.
pub async fn list(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    after: Option<(i32, i32)>,
    limit: u64,
) -> Result<(Vec<watched_episode::Model>, Option<(i32, i32)>)> {
    let mut query = own(account, id)
        .order_by_asc(watched_episode::Column::Season)
        .order_by_asc(watched_episode::Column::Number)
        .limit(limit + 1);
    if let Some((season, number)) = after {
        let later = watched_episode::Column::Season.gt(season);
        let beside =
            watched_episode::Column::Season.eq(season).and(watched_episode::Column::Number.gt(number));
        query = query.filter(later.or(beside));
    }
    let mut found = query.all(db.read()).await?;
    if found.is_empty() {
        super::entry_exists(db, account, id).await?;
    }
    let more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let end = found.last().filter(|_| more).map(|row| (row.season, row.number));
    Ok((found, end))
}

/// The marks that an account has in one season: none where it has no entry.
pub async fn of_season(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    season: i32,
) -> Result<Vec<watched_episode::Model>> {
    let in_season = own(account, id).filter(watched_episode::Column::Season.eq(season));
    Ok(in_season.all(db.read()).await?)
}

fn own(account: Uuid, id: &MediaId) -> sea_orm::Select<watched_episode::Entity> {
    watched_episode::Entity::find().filter(
        watched_episode::Column::AccountId.eq(account).and(watched_episode::Column::MediaId.eq(id.as_str())),
    )
}

pub async fn get(db: &Db, account: Uuid, id: &MediaId, place: Place) -> Result<watched_episode::Model> {
    let key = (account, id.to_string(), place.season, place.number);
    watched_episode::Entity::find_by_id(key).one(db.read()).await?.ok_or(Error::NotFound)
}

/// Marks one episode as watched; tells the mark and whether it is new. The person's own word counts
/// for episodes, too, that have not aired or that no source knows.
pub async fn put(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    place: Place,
    expected: &Expected,
    write: Write,
) -> Result<(watched_episode::Model, bool)> {
    let mut change = db.change(account).await?;
    let written = write_in(&mut change, id, place, expected, write).await?;
    change.commit().await?;
    Ok(written)
}

/// The same inside a change.
pub async fn write_in(
    change: &mut Change,
    id: &MediaId,
    place: Place,
    expected: &Expected,
    write: Write,
) -> Result<(watched_episode::Model, bool)> {
    require_series(id)?;
    let mut marks = Marks::open(change, id).await?;
    marks.keeps_status = write.keeps_status;
    let before = mark::find(change, id, place).await?;
    expected.allows(before.as_ref().map(|row| row.revision))?;
    let day = account::day(change.account(), write.on);
    let watched_on = match (write.watched_on, &before) {
        (Some(given), _) => given.map(|date| date.to_string()),
        (None, Some(row)) => row.watched_on.clone(),
        (None, None) => Some(day.to_string()),
    };
    let (row, created) = match before {
        Some(row) if row.watched_on == watched_on => (row, false),
        Some(row) => (mark::redate(change, row, watched_on).await?, false),
        None => {
            let mut added = marks.add(change, &[place], watched_on).await?;
            (added.pop().ok_or(Error::NotFound)?, true)
        }
    };
    marks.close(change, day).await?;
    Ok((row, created))
}

/// Takes the mark off one episode. What is not there is gone already.
pub async fn delete(db: &Db, account: Uuid, id: &MediaId, place: Place, expected: &Expected) -> Result<()> {
    let mut change = db.change(account).await?;
    remove(&mut change, id, place, expected).await?;
    change.commit().await?;
    Ok(())
}

/// The same inside a change.
pub async fn remove(change: &mut Change, id: &MediaId, place: Place, expected: &Expected) -> Result<()> {
    match mark::find(change, id, place).await? {
        Some(row) => expected.allows(Some(row.revision))?,
        None => expected.allows_absence()?,
    }
    take_back(change, id, Span::one(place)).await
}

/// A mark on many episodes.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    pub span: Span,
    /// Only what aired up to this day.
    pub aired_by: NaiveDate,
    /// The day that new marks get; none when unknown.
    pub watched_on: Option<NaiveDate>,
}

/// Marks every episode of a span that aired up to a day. Repeated on another day it has the same effect.
/// Where the episodes are not known yet it is done as soon as they are. `expected` is of the entry.
pub async fn put_many(db: &Db, account: Uuid, id: &MediaId, expected: &Expected, mark: Mark) -> Result<()> {
    require_series(id)?;
    mark.span.check("/last")?;
    let mut change = db.change(account).await?;
    let mut marks = Marks::open(&change, id).await?;
    expected.allows(Some(marks.entry_revision()))?;
    let watched_on = mark.watched_on.map(|date| date.to_string());
    match marks.aired(mark.span, mark.aired_by) {
        Some(places) => {
            marks.add(&mut change, &places, watched_on).await?;
            marks.close(&mut change, mark.aired_by).await?;
        }
        None => pending::queue_mark(&mut change, id, mark.span, mark.aired_by, watched_on).await?,
    }
    change.commit().await?;
    Ok(())
}

/// Takes the marks off every episode of `span`. `expected` is of the entry.
pub async fn delete_many(
    db: &Db,
    account: Uuid,
    id: &MediaId,
    expected: &Expected,
    span: Span,
) -> Result<()> {
    span.check("/query/last")?;
    let mut change = db.change(account).await?;
    match Marks::open(&change, id).await {
        Ok(marks) => expected.allows(Some(marks.entry_revision()))?,
        Err(Error::NotFound) => return expected.allows_absence(),
        Err(error) => return Err(error),
    }
    take_back(&mut change, id, span).await?;
    change.commit().await?;
    Ok(())
}

/// What is marked goes at once; what was asked for and is not done yet will be taken back when it is.
async fn take_back(change: &mut Change, id: &MediaId, span: Span) -> Result<()> {
    let mut marks = match Marks::open(change, id).await {
        Err(Error::NotFound) => return Ok(()),
        marks => marks?,
    };
    marks.remove(change, span).await?;
    let day = account::day(change.account(), None);
    marks.close(change, day).await?;
    pending::queue_removal(change, id, span).await
}

/// Episodes are kept of series only.
fn require_series(id: &MediaId) -> Result<()> {
    if id.kind() == Kind::Tv {
        Ok(())
    } else {
        Err(Error::invalid("not_a_series", "/path/media_id", "only series have episodes"))
    }
}

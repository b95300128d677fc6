//! When the episodes of a series air: the facts that progress is derived from. Kept as one compact
//! text per series, because every page of the library reads it.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::catalog::Season;

/// The most episodes kept of one series; the longest one of television has some 20,000.
const MAX_SLOTS: usize = 30_000;

/// An episode's place in its series. Places are compared by season, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// 0 holds the specials.
    pub season: i32,
    pub number: i32,
}

impl Place {
    /// Specials never count.
    pub fn is_special(self) -> bool {
        self.season == 0
    }
}

/// One episode of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub place: Place,
    /// When it aired or will air; none where nobody knows.
    pub airs_on: Option<NaiveDate>,
    /// The source's own id, which stays when the source numbers anew.
    pub source_id: i64,
}

impl Slot {
    pub fn has_aired(&self, by: NaiveDate) -> bool {
        self.airs_on.is_some_and(|day| day <= by)
    }
}

/// All episodes of a series in the order of their places, no place twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule(Vec<Slot>);

impl Schedule {
    /// The schedule of a series with these seasons. An episode without a date has aired when the next
    /// one that has a date did.
    pub fn of<'a>(seasons: impl IntoIterator<Item = &'a Season>) -> Self {
        let place = |season: &Season, number: u32| {
            Some(Place { season: i32::try_from(season.number).ok()?, number: i32::try_from(number).ok()? })
        };
        let mut slots: Vec<Slot> = seasons
            .into_iter()
            .flat_map(|season| season.episodes.iter().map(move |episode| (season, episode)))
            .filter_map(|(season, episode)| {
                Some(Slot {
                    place: place(season, episode.number)?,
                    airs_on: episode.air_date,
                    source_id: i64::try_from(episode.id).ok()?,
                })
            })
            .collect();
        slots.sort_by_key(|slot| slot.place);
        slots.dedup_by_key(|slot| slot.place);
        slots.truncate(MAX_SLOTS);
        let mut next = None;
        for slot in slots.iter_mut().rev().filter(|slot| !slot.place.is_special()) {
            slot.airs_on = slot.airs_on.or(next);
            next = slot.airs_on;
        }
        Self(slots)
    }

    pub fn slots(&self) -> &[Slot] {
        &self.0
    }

    pub fn at(&self, place: Place) -> Option<&Slot> {
        self.0.binary_search_by_key(&place, |slot| slot.place).ok().and_then(|at| self.0.get(at))
    }

    /// Where the source now has the episode that it calls `source_id`.
    pub fn places_by_source_id(&self) -> HashMap<i64, Place> {
        self.0.iter().map(|slot| (slot.source_id, slot.place)).collect()
    }

    /// The first day after `day` on which an episode airs.
    pub fn next_airing(&self, day: NaiveDate) -> Option<NaiveDate> {
        self.0.iter().filter_map(|slot| slot.airs_on).filter(|airs_on| *airs_on > day).min()
    }

    /// The last day up to `day` on which an episode aired.
    pub fn last_airing(&self, day: NaiveDate) -> Option<NaiveDate> {
        self.0.iter().filter_map(|slot| slot.airs_on).filter(|airs_on| *airs_on <= day).max()
    }

    /// Four numbers an episode: season, number, days since 1970 (null: not known), the source's id.
    pub fn to_text(&self) -> String {
        let day = |date: NaiveDate| i64::from(date.to_epoch_days());
        let numbers: Vec<Option<i64>> = self
            .0
            .iter()
            .flat_map(|slot| {
                let Place { season, number } = slot.place;
                [Some(season.into()), Some(number.into()), slot.airs_on.map(day), Some(slot.source_id)]
            })
            .collect();
        serde_json::to_string(&numbers).unwrap_or_else(|_| "[]".into())
    }

    /// What [`Schedule::to_text`] made; anything else is an empty schedule.
    pub fn parse(text: &str) -> Self {
        let numbers: Vec<Option<i64>> = serde_json::from_str(text).unwrap_or_default();
        let slot = |four: &[Option<i64>]| {
            let [season, number, day, source_id] = *four else { return None };
            let place = Place { season: i32::try_from(season?).ok()?, number: i32::try_from(number?).ok()? };
            let airs_on = day.and_then(|day| NaiveDate::from_epoch_days(i32::try_from(day).ok()?));
            Some(Slot { place, airs_on, source_id: source_id? })
        };
        Self(numbers.chunks_exact(4).filter_map(slot).collect())
    }
}

#[cfg(test)]
#[path = "schedule_test.rs"]
mod tests;

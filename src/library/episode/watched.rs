//! Which episodes of a series an account has seen, in a form that is small enough to travel with
//! every row of the library, and what follows from it: pure functions of the facts.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::MAX_MARKS;
use crate::media::{Place, Schedule, Slot};

/// A set of places, kept as ranges of numbers within a season: sorted, apart, none empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched(Vec<Range>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    season: i32,
    first: i32,
    last: i32,
}

impl Watched {
    /// Three numbers a range: season, first, last. `None` for the empty set.
    pub fn to_text(&self) -> Option<String> {
        let numbers: Vec<i32> =
            self.0.iter().flat_map(|range| [range.season, range.first, range.last]).collect();
        if numbers.is_empty() { None } else { serde_json::to_string(&numbers).ok() }
    }

    /// What [`Watched::to_text`] made; anything else is the empty set.
    pub fn parse(text: &str) -> Self {
        let numbers: Vec<i32> = serde_json::from_str(text).unwrap_or_default();
        let range = |three: &[i32]| match *three {
            [season, first, last] => Some(Range { season, first, last }),
            _ => None,
        };
        Self(numbers.chunks_exact(3).filter_map(range).collect())
    }

    pub fn places(&self) -> BTreeSet<Place> {
        let numbers = |range: &Range| {
            let season = range.season;
            (range.first..=range.last).map(move |number| (season, number))
        };
        let pairs = self.0.iter().flat_map(numbers).take(MAX_MARKS);
        pairs.map(|(season, number)| Place { season, number }).collect()
    }

    pub fn contains(&self, place: Place) -> bool {
        let after =
            self.0.partition_point(|range| (range.season, range.first) <= (place.season, place.number));
        let before = after.checked_sub(1).and_then(|at| self.0.get(at));
        before.is_some_and(|range| range.season == place.season && place.number <= range.last)
    }

    /// How many episodes but the specials are in it.
    pub fn count(&self) -> i32 {
        let regular = self.0.iter().filter(|range| range.season != 0);
        regular.map(|range| range.last - range.first + 1).sum()
    }
}

impl FromIterator<Place> for Watched {
    fn from_iter<T: IntoIterator<Item = Place>>(places: T) -> Self {
        let mut places: Vec<Place> = places.into_iter().collect();
        places.sort_unstable();
        let mut ranges: Vec<Range> = Vec::new();
        for Place { season, number } in places {
            match ranges.last_mut() {
                Some(range) if range.season == season && number <= range.last.saturating_add(1) => {
                    range.last = number;
                }
                _ => ranges.push(Range { season, first: number, last: number }),
            }
        }
        Self(ranges)
    }
}

/// How far an account has come in a series. Specials never count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Following {
    pub watched: i32,
    /// Episodes that have aired, and what was seen before it did; none while the episodes are not known.
    pub aired: Option<i32>,
    /// Every episode that has aired is watched.
    pub caught_up: bool,
    pub next: Option<Slot>,
}

/// Derives from the facts how far the account has come on the calendar day `today`.
///
/// Next is the first aired episode behind the last one watched, else the first that was left out,
/// else the first that is still to air.
pub fn follow(schedule: Option<&Schedule>, watched: &Watched, today: NaiveDate) -> Following {
    let Some(schedule) = schedule else {
        return Following { watched: watched.count(), aired: None, caught_up: false, next: None };
    };
    let (mut seen, mut aired) = (0, 0);
    let (mut left_out, mut behind, mut upcoming) = (None, None, None);
    for slot in schedule.slots().iter().filter(|slot| !slot.place.is_special()) {
        if watched.contains(slot.place) {
            seen += 1;
            aired += 1;
            // What was found behind an earlier one was left out, seen from here.
            behind = None;
        } else if slot.has_aired(today) {
            aired += 1;
            left_out = left_out.or(Some(*slot));
            behind = behind.or(Some(*slot));
        } else if slot.airs_on.is_some() {
            upcoming = upcoming.or(Some(*slot));
        }
    }
    Following {
        watched: seen,
        aired: Some(aired),
        caught_up: aired > 0 && seen == aired,
        next: behind.or(left_out).or(upcoming),
    }
}

#[cfg(test)]
#[path = "watched_test.rs"]
mod tests;

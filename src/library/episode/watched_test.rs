use std::collections::BTreeSet;

use chrono::Days;
use proptest::prelude::*;

use super::*;
use crate::catalog::{Episode, Season};

fn first_day() -> NaiveDate {
    "2020-01-01".parse().unwrap()
}

fn place(season: i32, number: i32) -> Place {
    Place { season, number }
}

/// Episodes of seasons 0 to 2; each airs so many days after the first day, or on a day nobody knows.
fn schedule(days: &[(u32, u32, Option<u64>)]) -> Schedule {
    let episode = |(id, (_, number, day)): (u64, &(u32, u32, Option<u64>))| Episode {
        id: id + 1,
        number: *number,
        title: None,
        overview: None,
        air_date: day.map(|day| first_day() + Days::new(day)),
        runtime_minutes: None,
    };
    let season = |number| Season {
        number,
        title: None,
        overview: None,
        air_date: None,
        cover: None,
        episodes: (0..).zip(days).filter(|(_, row)| row.0 == number).map(episode).collect(),
    };
    Schedule::of(&[season(0), season(1), season(2)])
}

fn next(following: Following) -> Option<(i32, i32)> {
    following.next.map(|slot| (slot.place.season, slot.place.number))
}

#[test]
fn what_is_next_is_behind_what_was_seen_last() {
    let schedule =
        schedule(&[(0, 1, Some(0)), (1, 1, Some(0)), (1, 2, Some(7)), (1, 3, Some(14)), (2, 1, Some(400))]);
    let on = |day: u64| first_day() + Days::new(day);
    let of = |places: &[(i32, i32)]| {
        places.iter().map(|(season, number)| place(*season, *number)).collect::<Watched>()
    };
    let nothing = follow(Some(&schedule), &of(&[]), on(7));
    assert_eq!(
        (nothing.watched, nothing.aired, nothing.caught_up, next(nothing)),
        (0, Some(2), false, Some((1, 1)))
    );
    let skipped = follow(Some(&schedule), &of(&[(1, 2)]), on(14));
    assert_eq!((skipped.watched, skipped.aired, next(skipped)), (1, Some(3), Some((1, 3))));
    let left_out = follow(Some(&schedule), &of(&[(1, 2), (1, 3)]), on(14));
    assert_eq!((left_out.caught_up, next(left_out)), (false, Some((1, 1))));
    let all = follow(Some(&schedule), &of(&[(1, 1), (1, 2), (1, 3)]), on(14));
    assert_eq!((all.caught_up, next(all)), (true, Some((2, 1))));
    let preview = follow(Some(&schedule), &of(&[(1, 1), (1, 2), (1, 3)]), on(7));
    assert_eq!((preview.watched, preview.aired, preview.caught_up), (3, Some(3), true));
    let specials = follow(Some(&schedule), &of(&[(0, 1)]), on(0));
    assert_eq!((specials.watched, specials.aired, specials.caught_up), (0, Some(1), false));
}

#[test]
fn without_a_schedule_only_marks_are_counted() {
    let watched: Watched = [place(0, 1), place(1, 4), place(1, 5)].into_iter().collect();
    let following = follow(None, &watched, first_day());
    assert_eq!(following, Following { watched: 2, aired: None, caught_up: false, next: None });
    let empty = follow(Some(&Schedule::default()), &watched, first_day());
    assert_eq!((empty.watched, empty.aired, empty.caught_up), (0, Some(0), false));
}

fn places() -> impl Strategy<Value = BTreeSet<Place>> {
    prop::collection::btree_set((0..4i32, 0..40i32).prop_map(|(season, number)| place(season, number)), 0..80)
}

proptest! {
    #[test]
    fn the_compact_form_is_the_set(places in places()) {
        let watched: Watched = places.iter().copied().collect();
        let read = watched.to_text().map(|text| Watched::parse(&text)).unwrap_or_default();
        prop_assert_eq!(&read, &watched);
        prop_assert_eq!(read.places(), places.clone());
        prop_assert_eq!(watched.count() as usize, places.iter().filter(|place| place.season > 0).count());
        for season in 0..4 {
            for number in 0..41 {
                prop_assert_eq!(watched.contains(place(season, number)), places.contains(&place(season, number)));
            }
        }
    }

    /// Against a plain reading of the rules.
    #[test]
    fn following_is_what_the_facts_say(
        rows in prop::collection::btree_map((0..3u32, 1..8u32), prop::option::of(0..60u64), 0..20),
        seen in places(),
        today in 0..60u64,
    ) {
        let days: Vec<_> = rows.iter().map(|((season, number), day)| (*season, *number, *day)).collect();
        let schedule = schedule(&days);
        let today = first_day() + Days::new(today);
        let watched: Watched = seen.iter().copied().collect();
        let following = follow(Some(&schedule), &watched, today);
        let regular: Vec<&Slot> = schedule.slots().iter().filter(|slot| slot.place.season > 0).collect();
        let is_seen = |slot: &Slot| seen.contains(&slot.place);
        let counts: Vec<_> = regular.iter().filter(|slot| is_seen(slot) || slot.has_aired(today)).collect();
        let count = counts.iter().filter(|slot| is_seen(slot)).count();
        prop_assert_eq!(following.watched as usize, count);
        prop_assert_eq!(following.aired.map(|aired| aired as usize), Some(counts.len()));
        prop_assert_eq!(following.caught_up, !counts.is_empty() && count == counts.len());
        let last = regular.iter().filter(|slot| is_seen(slot)).map(|slot| slot.place).max();
        let open: Vec<&&Slot> = regular.iter().filter(|slot| !is_seen(slot) && slot.airs_on.is_some()).collect();
        let behind = open.iter().find(|slot| slot.has_aired(today) && Some(slot.place) > last);
        let expected = behind.or_else(|| open.iter().find(|slot| slot.has_aired(today))).or_else(|| open.first());
        prop_assert_eq!(following.next.map(|slot| slot.place), expected.map(|slot| slot.place));
    }
}

use super::*;
use crate::catalog::{Episode, Season};

const NOW: Millis = 1_700_000_000_000;

fn day(offset: i64) -> NaiveDate {
    DateTime::from_timestamp_millis(NOW + offset * DAY).unwrap().date_naive()
}

fn airing(offset: i64) -> Schedule {
    let episode = Episode {
        id: 1,
        number: 1,
        title: None,
        overview: None,
        air_date: Some(day(offset)),
        runtime_minutes: None,
    };
    Schedule::of(&[Season {
        number: 1,
        title: None,
        overview: None,
        air_date: None,
        cover: None,
        episodes: vec![episode],
    }])
}

#[test]
fn what_happens_to_a_title_decides_when_it_is_looked_at_again() {
    let released = |offset: i64| period(Kind::Movie, Some(&day(offset).to_string()), None, NOW) / DAY;
    assert_eq!(
        [released(-1), released(10), released(80), released(400), released(-89), released(-4000)],
        [2, 2, 7, 7, 7, 60]
    );
    assert_eq!(period(Kind::Game, None, None, NOW) / DAY, 60);
    assert_eq!(period(Kind::Book, Some("1999"), None, NOW) / DAY, 60);
    let series = |offset: i64| period(Kind::Tv, Some("2001-01-01"), Some(&airing(offset)), NOW) / DAY;
    assert_eq!([series(-3), series(9), series(-400), series(100)], [1, 1, 21, 21]);
}

#[test]
fn titles_that_came_together_do_not_stay_together() {
    let times: std::collections::BTreeSet<Millis> = (0..50).map(|_| jittered(NOW, 10 * DAY)).collect();
    assert!(times.len() > 40);
    assert!(times.iter().all(|time| (NOW + 8 * DAY..=NOW + 12 * DAY).contains(time)));
}

/// The longest way round, with the source's answer kept a day, stays far below the term.
#[test]
fn nothing_is_asked_for_so_late_that_the_term_ends() {
    let longest = period(Kind::Movie, None, None, NOW) / 5 * 6;
    assert!(2 * longest + DAY < TERM);
}

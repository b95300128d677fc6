use super::*;
use crate::catalog::Episode;

fn season(number: u32, days: &[Option<&str>]) -> Season {
    let episode = |(at, day): (u32, &Option<&str>)| Episode {
        id: u64::from(number * 100 + at),
        number: at,
        title: None,
        overview: None,
        air_date: day.map(|day| day.parse().unwrap()),
        runtime_minutes: None,
    };
    Season {
        number,
        title: None,
        overview: None,
        air_date: None,
        cover: None,
        episodes: (1..).zip(days).map(episode).collect(),
    }
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn an_episode_without_a_date_aired_when_the_next_one_did() {
    let seasons = [
        season(2, &[Some("2021-01-01"), None]),
        season(1, &[None, Some("2020-01-08"), None]),
        season(0, &[None, Some("1999-01-01")]),
    ];
    let schedule = Schedule::of(&seasons);
    let days: Vec<_> =
        schedule.slots().iter().map(|slot| (slot.place.season, slot.place.number, slot.airs_on)).collect();
    assert_eq!(
        days,
        [
            (0, 1, None),
            (0, 2, Some(date("1999-01-01"))),
            (1, 1, Some(date("2020-01-08"))),
            (1, 2, Some(date("2020-01-08"))),
            (1, 3, Some(date("2021-01-01"))),
            (2, 1, Some(date("2021-01-01"))),
            (2, 2, None),
        ]
    );
}

#[test]
fn a_schedule_survives_its_text() {
    let schedule =
        Schedule::of(&[season(0, &[None]), season(2019, &[Some("2019-02-03"), None, Some("1969-07-20")])]);
    assert_eq!(Schedule::parse(&schedule.to_text()), schedule);
    assert_eq!(schedule.at(Place { season: 2019, number: 2 }).map(|slot| slot.source_id), Some(201_902));
    assert_eq!(schedule.places_by_source_id().get(&201_901), Some(&Place { season: 2019, number: 1 }));
    for text in ["", "{}", "[1]", "[1,2,3]", "[null,null,null,null]", "[1,1,99999999999,1]"] {
        assert!(Schedule::parse(text).slots().iter().all(|slot| slot.airs_on.is_none()), "{text}");
    }
}

#[test]
fn it_knows_what_airs_around_a_day() {
    let schedule = Schedule::of(&[season(1, &[Some("2020-01-01"), Some("2020-01-08"), Some("2020-01-15")])]);
    assert_eq!(schedule.last_airing(date("2020-01-08")), Some(date("2020-01-08")));
    assert_eq!(schedule.next_airing(date("2020-01-08")), Some(date("2020-01-15")));
    assert_eq!(schedule.next_airing(date("2020-01-15")), None);
}

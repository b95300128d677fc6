use super::*;

const DAY: Millis = 24 * 3600 * 1000;

/// A policy whose versions are named by the day they take effect at the earliest.
fn policy(days: &[i64]) -> Policy {
    let version = |day: &i64| Version {
        version: day.to_string(),
        title: String::new(),
        text: String::new(),
        effective: day * DAY,
    };
    Policy { name: "privacy".into(), versions: days.iter().map(version).collect() }
}

fn served(days: &[(&str, i64)]) -> Vec<Served> {
    days.iter().map(|(version, day)| Served { version: (*version).into(), at: day * DAY }).collect()
}

/// The version that holds and the one that is announced on a day, each with the day it takes effect.
fn stand(versions: &[i64], first_served: &[(&str, i64)], now: i64) -> [Option<(String, i64)>; 2] {
    let policy = policy(versions);
    let stand = Stand::of(&policy, &served(first_served), now * DAY);
    [stand.current, stand.upcoming].map(|dated| {
        let dated = dated?;
        assert_eq!(dated.takes_effect_at % DAY, 0);
        Some((dated.version.version.clone(), dated.takes_effect_at / DAY))
    })
}

fn on(version: &str, day: i64) -> Option<(String, i64)> {
    Some((version.to_owned(), day))
}

#[test]
fn a_first_version_takes_effect_at_once() {
    assert_eq!(stand(&[100], &[], 100), [on("100", 100), None]);
    assert_eq!(stand(&[100], &[], 5000), [on("100", 100), None], "long in effect elsewhere");
    assert_eq!(stand(&[100], &[], 99), [None, on("100", 100)], "it names its own day");
    assert_eq!(stand(&[100], &[("100", 99)], 99), [None, on("100", 100)]);
    assert_eq!(stand(&[100], &[("100", 99)], 100), [on("100", 100), None]);
}

#[test]
fn a_change_is_announced_for_fourteen_days() {
    let first = ("100", 100);
    assert_eq!(stand(&[100, 200], &[first], 205), [on("100", 100), on("200", 219)], "not served yet");
    let announced = [first, ("200", 205)];
    for day in [205, 206, 218] {
        assert_eq!(stand(&[100, 200], &announced, day), [on("100", 100), on("200", 219)]);
    }
    assert_eq!(stand(&[100, 200], &announced, 219), [on("200", 219), None]);
    let policy = policy(&[100, 200]);
    let just_before = Stand::of(&policy, &served(&announced), 219 * DAY - 1);
    assert_eq!(just_before.current.map(|dated| dated.version.effective), Some(100 * DAY));
}

#[test]
fn a_longer_notice_is_the_operators_to_give() {
    let announced = [("100", 100), ("300", 205)];
    assert_eq!(stand(&[100, 300], &announced, 219), [on("100", 100), on("300", 300)]);
    assert_eq!(stand(&[100, 300], &announced, 300), [on("300", 300), None]);
}

#[test]
fn at_the_first_sight_of_a_folder_what_holds_elsewhere_is_the_first() {
    assert_eq!(stand(&[100, 200, 300], &[], 250), [on("200", 200), on("300", 300)]);
    // And stays it once it was served; what came before it is past.
    assert_eq!(stand(&[100, 200, 300], &[("200", 250)], 250), [on("200", 200), on("300", 300)]);
    assert_eq!(stand(&[100, 200, 260], &[("200", 250)], 250), [on("200", 200), on("260", 264)]);
}

#[test]
fn to_take_the_old_file_away_shortens_no_notice() {
    assert_eq!(stand(&[200], &[("100", 100)], 205), [None, on("200", 219)]);
    assert_eq!(stand(&[200], &[("100", 100), ("200", 205)], 218), [None, on("200", 219)]);
    // And to take an announced one away leaves the first as it is.
    assert_eq!(stand(&[100], &[("100", 100), ("200", 100)], 100), [on("100", 100), None]);
}

#[test]
fn changes_come_one_after_the_other() {
    let announced = [("100", 100), ("200", 190)];
    assert_eq!(stand(&[100, 200, 210], &announced, 195), [on("100", 100), on("200", 204)]);
    assert_eq!(stand(&[100, 200, 210], &announced, 204), [on("200", 204), on("210", 218)]);
    let all = [("100", 100), ("200", 190), ("210", 204)];
    assert_eq!(stand(&[100, 200, 210], &all, 218), [on("210", 218), None]);
}

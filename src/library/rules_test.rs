use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn status(status: Status) -> Write {
    Write { status: Some(status), ..Write::default() }
}

#[test]
fn completing_fills_the_date_and_tells_once() {
    let today = day("2026-03-01");
    let first = apply(None, &status(Status::Completed), today, true);
    assert_eq!(first.finished, Some(today));
    assert_eq!(first.state.finished_on, Some(today));
    let again = apply(Some(&first.state), &status(Status::Completed), day("2026-03-02"), true);
    assert_eq!((again.finished, again.state), (None, first.state));
}

#[test]
fn a_date_given_with_the_status_is_the_date_of_the_event() {
    let write = Write { finished_on: Some(Some(day("2019-05-05"))), ..status(Status::Completed) };
    assert_eq!(apply(None, &write, day("2026-03-01"), true).finished, Some(day("2019-05-05")));
}

#[test]
fn first_progress_starts_a_backlog_entry_unless_told_otherwise() {
    let progress = Some(Some(Progress { unit: ProgressUnit::Pages, current: 12, total: Some(300) }));
    let write = Write { progress, ..Write::default() };
    let backlog = apply(None, &status(Status::Backlog), day("2026-03-01"), true).state;
    let moved = apply(Some(&backlog), &write, day("2026-03-02"), true).state;
    assert_eq!((moved.status, moved.status_set_by), (Status::InProgress, StatusSetBy::Progress));
    assert_eq!(moved.started_on, Some(day("2026-03-02")));
    let kept = apply(Some(&backlog), &write, day("2026-03-02"), false).state;
    assert_eq!(kept.status, Status::Backlog);
    // the person put it back: more progress does not argue
    let back = apply(Some(&moved), &status(Status::Backlog), day("2026-03-03"), true).state;
    let more = Write {
        progress: Some(Some(Progress { unit: ProgressUnit::Pages, current: 20, total: None })),
        ..write
    };
    assert_eq!(apply(Some(&back), &more, day("2026-03-04"), true).state.status, Status::Backlog);
}

fn statuses() -> impl Strategy<Value = Option<Status>> {
    prop::option::of(prop::sample::select(vec![
        Status::Backlog,
        Status::InProgress,
        Status::Completed,
        Status::Dropped,
    ]))
}

fn dates() -> impl Strategy<Value = Option<Option<NaiveDate>>> {
    prop::option::of(prop::option::of(
        (2000i32..2030).prop_map(|year| NaiveDate::from_ymd_opt(year, 6, 15).unwrap_or_default()),
    ))
}

prop_compose! {
    fn writes()(
        status in statuses(),
        rating in prop::option::of(prop::option::of(1..=100)),
        favorite in prop::option::of(any::<bool>()),
        current in prop::option::of(prop::option::of(0..500)),
        started_on in dates(),
        finished_on in dates(),
    ) -> Write {
        let progress = current.map(|current| {
            current.map(|current| Progress { unit: ProgressUnit::Minutes, current, total: None })
        });
        Write { status, rating, favorite, progress, started_on, finished_on, on: None, keeps_status: false }
    }
}

proptest! {
    /// A write that is repeated, on the same day or a later one, adds nothing.
    #[test]
    fn repeating_a_write_changes_nothing(before in prop::option::of(writes()), write in writes(), on: bool) {
        let (today, later) = (day("2026-03-01"), day("2026-03-05"));
        let start = before.map(|first| apply(None, &first, today, on).state);
        let once = apply(start.as_ref(), &write, today, on).state;
        let twice = apply(Some(&once), &write, later, on);
        prop_assert_eq!(twice.finished, None);
        prop_assert_eq!(twice.state, once);
    }

    /// Whatever the write says stands afterwards.
    #[test]
    fn the_persons_word_wins(before in prop::option::of(writes()), write in writes(), on: bool) {
        let today = day("2026-03-01");
        let start = before.map(|first| apply(None, &first, today, on).state);
        let after = apply(start.as_ref(), &write, today, on).state;
        if let Some(status) = write.status {
            prop_assert_eq!((after.status, after.status_set_by), (status, StatusSetBy::Person));
        }
        prop_assert!(write.rating.is_none_or(|rating| after.rating == rating));
        prop_assert!(write.started_on.is_none_or(|date| after.started_on == date));
        prop_assert!(write.finished_on.is_none_or(|date| after.finished_on == date));
    }
}

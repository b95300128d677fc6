use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;

use super::*;

struct Bench {
    breaker: Breaker,
    time: Arc<AtomicI64>,
}

fn bench() -> Bench {
    let time = Arc::new(AtomicI64::new(1_780_340_400_000));
    let read = time.clone();
    Bench { breaker: Breaker::new(Arc::new(move || read.load(Ordering::SeqCst))), time }
}

impl Bench {
    fn pass(&self, pause: Duration) {
        self.time.fetch_add(pause.as_millis() as i64, Ordering::SeqCst);
    }

    fn tell(&self, evidence: Evidence) -> bool {
        self.breaker.enter().ok().unwrap().tell(evidence)
    }

    fn open(&self) {
        let opened: Vec<bool> = (0..RUN).map(|_| self.tell(Evidence::Fails)).collect();
        assert_eq!(opened.iter().filter(|opened| **opened).count(), 1);
        assert_eq!(self.breaker.state(), BreakerState::Open);
    }

    fn seconds_left(&self) -> u64 {
        match self.breaker.check() {
            Ok(()) => 0,
            Err(Failure::Unavailable { retry_after_seconds }) => retry_after_seconds,
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_run_of_failures_opens_it_and_an_answer_breaks_the_run() {
    let bench = bench();
    for _ in 1..RUN {
        assert!(!bench.tell(Evidence::Fails));
    }
    // What shows nothing does not break the run either.
    bench.tell(Evidence::None);
    bench.tell(Evidence::Works);
    bench.open();
    assert_eq!(bench.seconds_left(), 5);
    assert_eq!(bench.breaker.enter().err(), Some(Failure::Unavailable { retry_after_seconds: 5 }));
}

#[test]
fn after_the_pause_one_goes_through_and_its_success_closes() {
    let bench = bench();
    bench.open();
    bench.pass(FIRST_PAUSE - Duration::from_millis(1));
    assert_eq!(bench.seconds_left(), 1);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.breaker.state(), BreakerState::HalfOpen);
    let probe = bench.breaker.enter().ok().unwrap();
    assert_eq!(bench.breaker.enter().err(), Some(Failure::Unavailable { retry_after_seconds: 1 }));
    assert!(!probe.tell(Evidence::Works));
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
    // And the run begins anew.
    bench.open();
    assert_eq!(bench.seconds_left(), 5);
}

#[test]
fn each_failed_probe_doubles_the_pause_up_to_a_bound() {
    let bench = bench();
    bench.open();
    for seconds in [10, 20, 40, 80, 160, 160, 160] {
        bench.pass(LONGEST_PAUSE);
        assert!(bench.tell(Evidence::Fails));
        assert_eq!(bench.seconds_left(), seconds);
    }
    bench.pass(LONGEST_PAUSE);
    bench.tell(Evidence::Works);
    bench.open();
    assert_eq!(bench.seconds_left(), 5, "an answer forgets how long it took");
}

#[test]
fn a_probe_that_shows_nothing_makes_room_for_another() {
    let bench = bench();
    bench.open();
    bench.pass(FIRST_PAUSE);
    for _ in 0..3 {
        assert!(!bench.tell(Evidence::None));
        assert_eq!(bench.breaker.state(), BreakerState::HalfOpen);
    }
    drop(bench.breaker.enter().ok().unwrap());
    assert!(bench.tell(Evidence::Fails));
    assert_eq!(bench.seconds_left(), 10);
}

#[test]
fn late_news_change_nothing() {
    let bench = bench();
    let (late_failure, late_success) =
        (bench.breaker.enter().ok().unwrap(), bench.breaker.enter().ok().unwrap());
    bench.open();
    assert!(!late_failure.tell(Evidence::Fails));
    assert!(!late_success.tell(Evidence::Works));
    assert_eq!(bench.seconds_left(), 5);
}

proptest! {
    /// Whatever happened before: no pause is longer than the bound, and a source that works again is
    /// let back in by the first answer.
    #[test]
    fn it_never_stays_open_for_good(told in proptest::collection::vec((0..3_u8, 0..400_u64), 0..200)) {
        let bench = bench();
        for (evidence, seconds) in told {
            if let Ok(trial) = bench.breaker.enter() {
                trial.tell(match evidence { 0 => Evidence::Works, 1 => Evidence::Fails, _ => Evidence::None });
            }
            prop_assert!(bench.seconds_left() <= LONGEST_PAUSE.as_secs());
            bench.pass(Duration::from_secs(seconds));
        }
        bench.pass(LONGEST_PAUSE);
        bench.tell(Evidence::Works);
        prop_assert_eq!(bench.breaker.state(), BreakerState::Closed);
    }
}

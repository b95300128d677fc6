use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

const WIDE: Allowance = Allowance { per_second: 1000.0, burst: 1000, open: 100, per_day: None };

fn gate(allowance: Allowance, share: f64) -> (Gate, Arc<AtomicI64>) {
    // Noon in California.
    let time = Arc::new(AtomicI64::new(1_780_340_400_000));
    let read = time.clone();
    (Gate::new(allowance, share, Arc::new(move || read.load(Ordering::SeqCst))), time)
}

#[test]
fn turns_come_at_an_even_pace_after_the_burst() {
    let pace = Pace::new(4.0, 1);
    let waits: Vec<_> = (0..12).map(|_| pace.reserve(MAX_WAIT)).collect();
    assert_eq!(waits[0], Some(Duration::ZERO));
    // The eighth waits for nearly two seconds; what comes later is refused and takes no turn.
    assert!(waits[8].is_some_and(|wait| wait > Duration::from_millis(1500)));
    assert_eq!(waits.iter().filter(|wait| wait.is_some()).count(), 9);
    let burst = Pace::new(0.001, 3);
    assert_eq!((0..5).filter(|_| burst.reserve(MAX_WAIT).is_some()).count(), 3);
}

#[tokio::test]
async fn a_closed_gate_says_for_how_long() {
    let (gate, time) = gate(WIDE, 1.0);
    assert!(gate.enter().await.is_ok());
    gate.close(Duration::from_millis(1500), true);
    gate.close(Duration::from_millis(10), false);
    assert_eq!(gate.check_open(), Err(Failure::RateLimited { retry_after_seconds: 2 }));
    time.fetch_add(1500, Ordering::SeqCst);
    assert!(gate.enter().await.is_ok());
    gate.close(Duration::from_secs(3), false);
    assert_eq!(gate.enter().await.err(), Some(Failure::Unavailable { retry_after_seconds: 3 }));
}

#[tokio::test]
async fn a_day_has_so_many_calls_and_the_next_day_as_many() {
    let (gate, time) = gate(Allowance { per_day: Some(4), ..WIDE }, 0.5);
    assert_eq!(gate.day_limit(), Some(2));
    assert!(gate.enter().await.is_ok());
    assert!(gate.enter().await.is_ok());
    assert_eq!(gate.enter().await.err(), Some(Failure::RateLimited { retry_after_seconds: 12 * 3600 }));
    time.fetch_add(12 * 3_600_000, Ordering::SeqCst);
    assert!(gate.enter().await.is_ok());
}

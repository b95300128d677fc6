use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::catalog::fair_share::FairShare;

const WIDE: Allowance = Allowance { per_second: 1000.0, burst: 1000, open: 100, per_day: None };

fn claim() -> Claim {
    FairShare::new().claim(1)
}

fn gate(allowance: Allowance, share: f64) -> (Gate, Arc<AtomicI64>) {
    // Noon in California.
    let time = Arc::new(AtomicI64::new(1_780_340_400_000));
    let read = time.clone();
    (Gate::new(allowance, share, Arc::new(move || read.load(Ordering::SeqCst))), time)
}

#[tokio::test]
async fn a_closed_gate_says_for_how_long() {
    let (gate, time) = gate(WIDE, 1.0);
    assert!(gate.enter(&claim()).await.is_ok());
    gate.close(Duration::from_millis(1500), true);
    gate.close(Duration::from_millis(10), false);
    assert_eq!(gate.check_open(), Err(Failure::RateLimited { retry_after_seconds: 2 }));
    time.fetch_add(1500, Ordering::SeqCst);
    assert!(gate.enter(&claim()).await.is_ok());
    gate.close(Duration::from_secs(3), false);
    assert_eq!(gate.enter(&claim()).await.err(), Some(Failure::Unavailable { retry_after_seconds: 3 }));
}

#[tokio::test]
async fn a_day_has_so_many_calls_and_the_next_day_as_many() {
    let (gate, time) = gate(Allowance { per_day: Some(4), ..WIDE }, 0.5);
    assert_eq!(gate.day_limit(), Some(2));
    assert!(gate.enter(&claim()).await.is_ok());
    assert!(gate.enter(&claim()).await.is_ok());
    assert_eq!(
        gate.enter(&claim()).await.err(),
        Some(Failure::RateLimited { retry_after_seconds: 12 * 3600 })
    );
    time.fetch_add(12 * 3_600_000, Ordering::SeqCst);
    assert!(gate.enter(&claim()).await.is_ok());
}

#[tokio::test]
async fn the_last_fifth_of_a_day_is_for_shares_that_have_used_little() {
    let (gate, time) = gate(Allowance { per_day: Some(1000), ..WIDE }, 1.0);
    let day = |time: &AtomicI64| pacific_day(time.load(Ordering::SeqCst));
    let heavy = FairShare::new();
    for _ in 0..800 {
        heavy.count().take(day(&time), u32::MAX);
        assert!(gate.enter(&heavy.claim(1)).await.is_ok());
    }
    let until_midnight = Failure::RateLimited { retry_after_seconds: 12 * 3600 };
    assert_eq!(gate.enter(&heavy.claim(1)).await.err(), Some(until_midnight));
    assert_eq!(gate.check_open(), Ok(()), "the source is there for the others");
    let light = FairShare::new();
    for _ in 0..10 {
        light.count().take(day(&time), u32::MAX);
        assert!(gate.enter(&light.claim(1)).await.is_ok());
    }
    light.count().take(day(&time), u32::MAX);
    assert_eq!(gate.enter(&light.claim(1)).await.err(), Some(until_midnight));
    for _ in 0..190 {
        assert!(gate.enter(&claim()).await.is_ok());
    }
    assert_eq!(gate.enter(&claim()).await.err(), Some(until_midnight));
    assert_eq!(gate.check_open(), Err(until_midnight));
    time.fetch_add(12 * 3_600_000, Ordering::SeqCst);
    assert!(gate.enter(&heavy.claim(1)).await.is_ok());
}

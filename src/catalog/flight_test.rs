use tokio::sync::Notify;

use super::*;
use crate::catalog::fair_share::FairShare;
use crate::fair_queue::Priority;

fn claim() -> Claim {
    FairShare::new().claim(1)
}

fn flights() -> Arc<Flights> {
    Flights::new(Arc::new(Cache::new(1 << 20, Arc::new(|| 0))))
}

fn fly(flights: &Arc<Flights>, fetch: impl Future<Output = Outcome> + Send + 'static) -> Flying {
    match flights.board(&Lookup::game(1), &claim(), || Ok(()), || fetch).unwrap() {
        Boarded::Flying(flying) => flying,
        Boarded::Landed(_) => panic!("landed already"),
    }
}

#[tokio::test]
async fn whoever_comes_later_joins_and_whoever_leaves_stops_nothing() {
    let flights = flights();
    let go = Arc::new(Notify::new());
    let wait = go.clone();
    let first = fly(&flights, async move {
        wait.notified().await;
        Ok(Value::Unknown)
    });
    let second = fly(&flights, async { panic!("a second flight for the same lookup") });
    drop(first);
    go.notify_one();
    assert!(matches!(second.landing().await, Ok(Value::Unknown)));
    let landed =
        flights.board(&Lookup::game(1), &claim(), || panic!("no permit is needed"), || async { panic!() });
    assert!(matches!(landed, Ok(Boarded::Landed(Value::Unknown))));
}

#[tokio::test]
async fn a_crash_is_a_failure_and_clears_the_way() {
    let flights = flights();
    let crashed = fly(&flights, async { panic!("on purpose") });
    assert!(matches!(crashed.landing().await, Err(Failure::Unavailable { .. })));
    while !lock(&flights.open).is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(fly(&flights, async { Ok(Value::Unknown) }).landing().await.is_ok());
}

#[tokio::test]
async fn there_is_a_bound_on_what_is_under_way() {
    let flights = flights();
    let board = |id| flights.board(&Lookup::game(id), &claim(), || Ok(()), std::future::pending);
    for id in 1..=MAX_OPEN as u64 {
        assert!(board(id).is_ok());
    }
    assert!(matches!(board(MAX_OPEN as u64 + 1), Err(Failure::RateLimited { .. })));
    assert!(matches!(board(1), Ok(Boarded::Flying(_))));
}

#[tokio::test]
async fn a_refused_permit_starts_nothing() {
    let flights = flights();
    let refused = flights.board(
        &Lookup::game(1),
        &claim(),
        || Err(Failure::RateLimited { retry_after_seconds: 9 }),
        || async { panic!("a flight without a permit") },
    );
    assert!(matches!(refused, Err(Failure::RateLimited { retry_after_seconds: 9 })));
    assert!(lock(&flights.open).is_empty());
}

#[tokio::test]
async fn a_person_who_joins_a_background_flight_raises_it() {
    let flights = flights();
    let background = FairShare::background().claim(1);
    let board = |claim| flights.board(&Lookup::game(1), claim, || Ok(()), std::future::pending);
    assert!(board(&background).is_ok());
    assert_eq!(background.turn.priority(), Priority::Background);
    assert!(board(&claim()).is_ok());
    assert_eq!(background.turn.priority(), Priority::Interactive);
}

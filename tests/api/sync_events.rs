//! The stream that tells a device that something has changed.

use std::time::{Duration, Instant};

use omnitrack::http;
use omnitrack::sync::Events;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::events::Event;
use crate::support::persona::Persona;

const EVENTS: &str = "/v1/sync/events";
const NEVER: Duration = Duration::from_secs(3600);

/// The service with other streams, for the same people.
fn with(t: &TestApp, change: impl FnOnce(&mut Events)) -> impl Fn(&Persona) -> Persona {
    let mut app = t.app.clone();
    // Nothing but what a test is about may make a stream speak.
    app.events.heartbeat = NEVER;
    change(&mut app.events);
    move |who| who.at(http::endpoint(&app))
}

async fn head(who: &Persona) -> i64 {
    who.get("/v1/sync/head").send().await.expect(200).json()["revision"].as_i64().unwrap()
}

/// A change, and the account's revision after it.
async fn write(who: &Persona, rating: i64) -> i64 {
    let body = json!({ "status": "backlog", "rating": rating });
    let made = who.put("/v1/library/movie:tmdb:603", body).send().await;
    made.json()["revision"].as_i64().unwrap()
}

both! {
    async fn a_change_is_told_to_its_own_account(t: TestApp) {
        t.stop_jobs().await;
        let seen_by = with(&t, |_| ());
        let (alice, bob) = (seen_by(&t.alice), seen_by(&t.bob));
        let mut own = alice.get(EVENTS).listen().await;
        let mut bobs = bob.get(EVENTS).listen().await;
        assert_eq!(own.revision().await, head(&alice).await, "where it begins");
        assert_eq!(bobs.revision().await, head(&bob).await);
        for rating in 1..4 {
            let revision = write(&alice, rating).await;
            assert_eq!(own.next().await, Some(Event::Revision(revision)));
        }
        // What changes nothing is not told, nor is what others change.
        write(&alice, 3).await;
        let revision = write(&bob, 9).await;
        assert_eq!(bobs.next().await, Some(Event::Revision(revision)));
        let revision = write(&alice, 4).await;
        assert_eq!(own.next().await, Some(Event::Revision(revision)));
    }

    async fn who_comes_back_is_told_only_what_is_new(t: TestApp) {
        t.stop_jobs().await;
        let alice = with(&t, |_| ())(&t.alice);
        let before = write(&alice, 1).await;
        let now = write(&alice, 2).await;
        let resumed = |last: i64| alice.get(EVENTS).header("last-event-id", &last.to_string());
        let mut behind = resumed(before).listen().await;
        assert_eq!(behind.next().await, Some(Event::Revision(now)));
        let mut ahead = resumed(now + 100).listen().await;
        assert_eq!(ahead.next().await, Some(Event::Revision(now)), "the database was put back");
        let mut level = resumed(now).listen().await;
        assert_eq!(level.next().await, Some(Event::Beat), "nothing is new");
        let next = write(&alice, 3).await;
        for mut stream in [behind, ahead, level] {
            assert_eq!(stream.next().await, Some(Event::Revision(next)));
        }
        alice.get(EVENTS).header("last-event-id", "x").send().await.expect(400);
    }

    async fn a_lost_announcement_is_made_good_by_the_heartbeat(t: TestApp) {
        t.stop_jobs().await;
        let alice = with(&t, |events| events.heartbeat = Duration::from_millis(20))(&t.alice);
        let mut stream = alice.get(EVENTS).listen().await;
        let first = stream.revision().await;
        assert_eq!(stream.next().await, Some(Event::Beat), "a quiet stream is alive");
        // Behind the service's back nothing is announced.
        t.sql("UPDATE account SET revision = revision + 5").await;
        assert_eq!(stream.revision().await, first + 5);
    }

    async fn an_erased_account_ends_its_streams(t: TestApp) {
        t.stop_jobs().await;
        let alice = with(&t, |events| events.heartbeat = Duration::from_millis(20))(&t.alice);
        let quiet = with(&t, |_| ())(&t.bob);
        let mut told = quiet.get(EVENTS).listen().await;
        told.revision().await;
        t.app.db.heads().end(account(&quiet).await);
        told.expect_bye().await;

        let mut found_out = alice.get(EVENTS).listen().await;
        found_out.revision().await;
        t.sql("UPDATE account SET erased_at = 1").await;
        found_out.expect_bye().await;
        alice.get(EVENTS).send().await.expect_problem(401, "account_erased");
        assert_eq!(t.app.db.heads().listeners(), 0);
    }

    async fn a_stream_ends_after_its_time_and_when_the_service_stops(t: TestApp) {
        t.stop_jobs().await;
        let alice = with(&t, |events| events.lifetime = Duration::from_millis(50))(&t.alice);
        let mut brief = alice.get(EVENTS).listen().await;
        brief.revision().await;
        brief.expect_bye().await;

        let stop = tokio_util::sync::CancellationToken::new();
        let alice = with(&t, |events| events.stop = stop.clone())(&t.alice);
        let mut stopped = alice.get(EVENTS).listen().await;
        stopped.revision().await;
        stop.cancel();
        stopped.expect_bye().await;
        // One that begins while the service stops does not hold it up either.
        alice.get(EVENTS).listen().await.expect_bye().await;
    }

    async fn streams_are_bounded(t: TestApp) {
        t.stop_jobs().await;
        let seen_by = with(&t, |events| events.bounds.per_instance = 11);
        let (alice, bob) = (seen_by(&t.alice), seen_by(&t.bob));
        let mut streams = Vec::new();
        for _ in 0..10 {
            streams.push(alice.get(EVENTS).listen().await);
        }
        let refused = alice.get(EVENTS).send().await.expect_problem(429, "too_many_streams");
        assert!(refused.header("retry-after").is_some());
        streams.push(bob.get(EVENTS).listen().await);
        bob.get(EVENTS).send().await.expect_problem(503, "busy");
        drop(streams.remove(3));
        streams.push(alice.get(EVENTS).listen().await);
        drop(streams);
        assert_eq!(t.app.db.heads().listeners(), 0);
    }

    async fn the_head_is_where_the_feed_ends(t: TestApp) {
        t.stop_jobs().await;
        let revision = write(&t.alice, 1).await;
        let found = t.alice.get("/v1/sync/head").send().await.expect(200);
        assert_eq!(found.json(), json!({ "revision": revision }));
        let again = t.alice.get("/v1/sync/head").header("if-none-match", &found.etag()).send().await;
        assert_eq!(again.expect(304).etag(), found.etag());
        write(&t.alice, 2).await;
        t.alice.get("/v1/sync/head").header("if-none-match", &found.etag()).send().await.expect(200);
    }
}

#[tokio::test]
async fn a_change_at_one_instance_is_told_at_the_other() {
    let Some(t) = TestApp::postgres().await else { return };
    let other = t.another(|app| app.events.heartbeat = NEVER).await;
    let there = other.seen_by(&t.alice);
    let mut stream = there.get(EVENTS).listen().await;
    let mut told = stream.revision().await;
    // The instances begin to hear each other a moment after their start: until then announcements are lost.
    let mut rating = 0;
    while told < head(&t.alice).await || rating == 0 {
        rating += 1;
        write(&t.alice, rating % 100).await;
        if let Ok(revision) = tokio::time::timeout(Duration::from_millis(200), stream.revision()).await {
            told = revision;
        }
    }
    let mut quickest = NEVER;
    for _ in 0..5 {
        rating += 1;
        let expected = write(&t.alice, rating % 100).await;
        let written = Instant::now();
        while stream.revision().await < expected {}
        quickest = quickest.min(written.elapsed());
    }
    assert!(quickest < Duration::from_secs(1), "{quickest:?}");

    t.app.db.heads().end(account(&t.alice).await);
    while stream.event().await != Some(Event::Bye) {}
    assert_eq!(stream.next().await, None);
}

async fn account(who: &Persona) -> uuid::Uuid {
    who.get("/v1/account").send().await.expect(200).json()["id"].as_str().unwrap().parse().unwrap()
}

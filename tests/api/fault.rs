//! Sources that are ill, as the person sees it: the other sources' titles in time, what was known
//! before instead of nothing, and a state that says how it is.

use std::time::{Duration, Instant};

use bytes::Bytes;
use omnitrack::demo::standin::{Fault, Source};
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::both;
use crate::support::persona::Persona;
use crate::support::titles::{BOOK, GAME, MOVIE};

/// A search waits two and a half seconds; what remains is for the machine.
const IN_TIME: Duration = Duration::from_secs(4);

/// What each source does wrong, and how a search calls it.
fn faults() -> Vec<(Fault, &'static str)> {
    let limited = |retry_after: &str| {
        let headers = vec![("retry-after".to_owned(), retry_after.to_owned())];
        Fault::StatusWithHeaders(429, headers, Bytes::from_static(b"{}"))
    };
    vec![
        (Fault::Hang, "timed_out"),
        (Fault::HangAfterHeaders, "timed_out"),
        (Fault::Slow(Duration::from_secs(60)), "timed_out"),
        (Fault::Close, "failed"),
        (Fault::Html, "failed"),
        (Fault::EndlessBody, "failed"),
        (Fault::json(500, &json!({})), "failed"),
        (Fault::json(200, &json!("nonsense")), "failed"),
        (limited("30"), "rate_limited"),
        (limited("Fri, 31 Dec 9999 23:59:59 GMT"), "rate_limited"),
        (limited("now and then"), "rate_limited"),
    ]
}

fn state(answer: &Answer, source: &str) -> Value {
    let body = answer.json();
    let sources = body["sources"].as_array().expect("sources").clone();
    sources.into_iter().find(|report| report["source"] == source).expect("the source")["state"].clone()
}

/// A search, which must be answered in time.
async fn search(who: &Persona, words: &str) -> Answer {
    let started = Instant::now();
    let answer = who.get(&format!("/v1/search?q={words}")).send().await.expect(200);
    assert!(started.elapsed() < IN_TIME, "{words}: {:?}", started.elapsed());
    answer
}

both! {
    async fn the_others_titles_come_in_time(t: TestApp) {
        let sources = [
            (Source::Tmdb, "tmdb", GAME, "witcher"),
            (Source::Igdb, "igdb", MOVIE, "matrix"),
            // Who cannot sign in cannot ask.
            (Source::Twitch, "igdb", MOVIE, "matrix"),
            (Source::GoogleBooks, "google_books", MOVIE, "matrix"),
        ];
        for (number, (fault, expected)) in faults().into_iter().enumerate() {
            // Each fault falls on another source: all of them on all is for the catalog's own tests.
            let (source, name, title, words) = sources[number % sources.len()];
            t = t.restart(|_| ()).await;
            t.stand_ins.fault(source, Some(fault.clone()));
            let answer = search(&t.alice, words).await;
            // A sign-in that is refused for its number is no allowance of IGDB's that is used up.
            let refused = if source == Source::Twitch && expected == "rate_limited" { "failed" } else { expected };
            for other in ["tmdb", "igdb", "google_books"] {
                let wanted = if other == name { refused } else { "ok" };
                assert_eq!(state(&answer, other), wanted, "{source:?} {fault:?}");
            }
            assert!(answer.items().iter().any(|item| item["id"] == title), "{source:?} {fault:?}: {}", answer.text());
            t.stand_ins.fault(source, None);
        }
    }

    async fn what_was_kept_is_shown_whatever_ails_the_source(t: TestApp) {
        for id in [MOVIE, GAME, BOOK] {
            t.alice.put(&format!("/v1/library/{id}"), json!({ "status": "backlog" })).send().await.expect(201);
            t.filled(id).await;
        }
        let faults = [Fault::Close, Fault::Html, Fault::HangAfterHeaders, Fault::google_day_quota()];
        for fault in faults {
            // The cache knows nothing any more; the tables do.
            t = t.restart(|_| ()).await;
            for source in [Source::Tmdb, Source::Igdb, Source::GoogleBooks] {
                t.stand_ins.fault(source, Some(fault.clone()));
            }
            let started = Instant::now();
            let batch = t.alice.get(&format!("/v1/media?ids={MOVIE},{GAME},{BOOK},movie:tmdb:27205")).send().await;
            let batch = batch.expect(200).json();
            assert!(started.elapsed() < Duration::from_secs(8), "{fault:?}");
            let ids: Vec<_> = batch["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
            assert_eq!(ids, [MOVIE, GAME, BOOK], "{fault:?}");
            assert_eq!(batch["missing"], json!([{ "id": "movie:tmdb:27205", "reason": "source_unavailable" }]));
            let (one, never) = (format!("/v1/media/{BOOK}"), "/v1/media/movie:tmdb:155");
            let (one, never) = tokio::join!(t.alice.get(&one).send(), t.alice.get(never).send());
            assert_eq!(one.expect(200).json()["entry"]["status"], "backlog");
            let never = never.expect_problem(503, "source_unavailable");
            let seconds: u64 = never.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=90_000).contains(&seconds), "{fault:?}: {seconds}");
        }
    }

    async fn a_storm_is_seen_in_the_metrics_and_by_nobody_else(t: TestApp) {
        t.stand_ins.fault(Source::Tmdb, Some(Fault::json(500, &json!({}))));
        for number in 1..=8 {
            let path = format!("/v1/media/movie:tmdb:{number}");
            t.alice.get(&path).send().await.expect_problem(503, "source_unavailable");
        }
        let asked = t.stand_ins.requests(Source::Tmdb).len();
        assert!((10..15).contains(&asked), "{asked} requests for eight titles: the breaker opens");
        let answer = search(&t.alice, "witcher").await;
        assert_eq!(state(&answer, "tmdb"), "failed");
        assert_eq!(state(&answer, "igdb"), "ok");
        let metrics = t.anon.get("/metrics").send().await.expect(200).text();
        for line in [
            "omnitrack_source_breaker_opened_total{source=\"tmdb\"} 1",
            "omnitrack_source_breaker_state{source=\"tmdb\"} 2",
            "omnitrack_source_breaker_opened_total{source=\"igdb\"} 0",
            "omnitrack_source_breaker_state{source=\"igdb\"} 0",
        ] {
            assert!(metrics.lines().any(|own| own == line), "{line}\n{metrics}");
        }
    }

    async fn a_token_revoked_in_mid_life_is_noticed_by_nobody(t: TestApp) {
        t.alice.get(&format!("/v1/media/{GAME}")).send().await.expect(200);
        t.stand_ins.revoke_tokens();
        let searches = ["zelda", "quest", "hades", "doom"].map(|words| search(&t.alice, words));
        for answer in futures_util::future::join_all(searches).await {
            assert_eq!(state(&answer, "igdb"), "ok");
        }
        assert_eq!(t.stand_ins.minted(), 2, "one new token for all");
    }
}

//! What one account asks of the sources and of Clerk holds up no other account.

use futures_util::future::join_all;
use omnitrack::demo::standin::Source;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::cursor::cursor;
use crate::support::persona::Persona;
use crate::support::titles::{BOOK, MOVIE};

/// Adds titles to the library in one batch.
async fn push(who: &Persona, batch: u64, titles: impl Iterator<Item = String>) {
    let mutations: Vec<Value> = titles
        .enumerate()
        .map(|(number, title)| {
            json!({
                "id": format!("00000000-0000-4000-8000-{batch:06}{number:06}"),
                "made_at": "2026-01-01T00:00:00.000Z",
                "kind": "entry", "key": title, "base_revision": 0, "set": { "status": "backlog" },
            })
        })
        .collect();
    let body = json!({ "cursor": cursor(who).await, "mutations": mutations });
    who.post("/v1/sync", body).send().await.expect(200);
}

/// How many requests a source got before the first one whose target has `part`.
fn before(t: &TestApp, source: Source, part: &str) -> usize {
    let requests = t.stand_ins.requests(source);
    requests.iter().position(|request| request.target.contains(part)).expect("it was asked for")
}

both! {
    async fn two_thousand_made_up_ids_leave_others_titles_first(t: TestApp) {
        let mut t = t;
        t.stop_jobs().await;
        for batch in 0..4 {
            let titles = (0..500).map(|number| format!("movie:tmdb:{}", 900_000_000 + batch * 500 + number));
            push(&t.alice, batch, titles).await;
        }
        for number in 0..60 {
            let path = format!("/v1/library/movie:tmdb:{}", 800_000_000 + number);
            t.alice.put(&path, json!({ "status": "backlog" })).send().await.expect(201);
        }
        t.bob.put(&format!("/v1/library/{MOVIE}"), json!({ "status": "backlog" })).send().await.expect(201);
        t.start_jobs();
        t.filled(MOVIE).await;
        let waited = before(&t, Source::Tmdb, "/movie/603");
        assert!(waited <= 32, "{waited} requests came before the other account's");
    }

    async fn many_books_do_not_hold_up_movies(t: TestApp) {
        let mut t = t;
        t.stop_jobs().await;
        push(&t.alice, 9, (0..300).map(|number| format!("book:google_books:made-up-{number}"))).await;
        t.bob.put(&format!("/v1/library/{MOVIE}"), json!({ "status": "backlog" })).send().await.expect(201);
        t.bob.put(&format!("/v1/library/{BOOK}"), json!({ "status": "backlog" })).send().await.expect(201);
        t.start_jobs();
        t.filled(MOVIE).await;
        t.filled(BOOK).await;
        let waited = before(&t, Source::GoogleBooks, BOOK.rsplit(':').next().unwrap());
        assert!(waited <= 10, "{waited} requests came before the other account's");
    }

    async fn three_hundred_calls_for_a_profile_reach_clerk_a_few_times(t: TestApp) {
        let before = t.stand_ins.requests(Source::Clerk).iter().filter(|r| r.target.contains("/users/")).count();
        for _ in 0..6 {
            let calls = (0..10).map(|_| t.alice.get("/v1/account?include=profile").send());
            for answer in join_all(calls).await {
                answer.expect(200);
            }
        }
        let sent = t.stand_ins.requests(Source::Clerk).iter().filter(|r| r.target.contains("/users/")).count();
        assert!((1..=11).contains(&(sent - before)), "{}", sent - before);
        // Another account and the deletion of this one are not held up.
        let profile = t.bob.get("/v1/account?include=profile").send().await.expect(200).json();
        assert_eq!(profile["profile"]["state"], "ok");
        t.alice.delete("/v1/account").send().await.expect(202);
        assert!(t.stand_ins.requests(Source::Clerk).iter().any(|request| request.method == "DELETE"));
    }

    async fn hidden_addresses_and_numbers_leave_for_no_source(t: TestApp) {
        let sources = [Source::Tmdb, Source::Igdb, Source::GoogleBooks];
        for text in [
            "alice%40example.com",
            "alice @example.com",
            "alice(at)example.com",
            "alice at example dot com",
            "alice&#64;example.com",
            "a l i c e @ e x a m p l e . c o m",
            "alice@[192.168.0.1]",
            "anna maria schmidt 0151 23456789",
        ] {
            let query = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
            let answer = t.alice.get(&format!("/v1/search?q={query}")).send().await;
            assert_eq!(answer.expect_problem(400, "personal_data_in_query").pointers(), ["/query/q"], "{text}");
        }
        for address in [
            "https://www.igdb.com/games/alice-at-example-dot-com",
            "https://www.igdb.com/games/anna-maria-schmidt-0151-23456789",
            "https://books.google.com/books?id=alice_at_example_dot_com",
        ] {
            let query = percent_encoding::utf8_percent_encode(address, percent_encoding::NON_ALPHANUMERIC);
            t.alice.get(&format!("/v1/media/lookup?url={query}")).send().await.expect_problem(422, "unknown_address");
        }
        assert!(sources.into_iter().all(|source| t.stand_ins.requests(source).is_empty()));
        for title in ["4 8 15 16 23 42", "90210 90210"] {
            t.alice.get(&format!("/v1/search?q={}&kind=movie", title.replace(' ', "+"))).send().await.expect(200);
        }
    }
}

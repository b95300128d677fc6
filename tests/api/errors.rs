//! What is refused, and how: all violations at once, each with its place, always as a problem document.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use omnitrack::config::Secret;
use omnitrack::http::PLAIN;
use omnitrack::http::contract::Contract;
use omnitrack::http::edge::Edge;
use poem::endpoint::{BoxEndpoint, make};
use poem::http::Method;
use poem::{EndpointExt as _, Response};
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::log;
use crate::support::operations::document;
use crate::support::titles::{MOVIE, SERIES};

const LIST: &str = "/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
const MIB: usize = 1024 * 1024;

both! {
    async fn a_body_that_is_not_json(t: TestApp) {
        for body in ["", "{", "{\"name\": \"x\"} more", "\u{feff}{}", "{\"name\": \"\\ud800\"}"] {
            let answer = t.alice.request(Method::PUT, LIST).body(body, "application/json").send().await;
            answer.expect_problem(400, "malformed_json");
        }
        let deep = "[".repeat(100_000);
        let answer = t.alice.request(Method::PUT, LIST).body(deep, "application/json").send().await;
        answer.expect_problem(400, "malformed_json");
        let latin = b"{\"name\": \"caf\xe9\"}".to_vec();
        let answer = t.alice.request(Method::PUT, LIST).body(latin, "application/json").send().await;
        answer.expect_problem(400, "malformed_json");
        t.alice.get(LIST).send().await.expect(404);
    }

    async fn a_body_of_another_type(t: TestApp) {
        let call = || t.alice.request(Method::PUT, LIST);
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"] {
            call().body("{\"name\":\"x\"}", kind).send().await.expect_problem(415, "unsupported_media_type");
        }
        call().send().await.expect_problem(415, "unsupported_media_type");
        call().body("{\"name\":\"x\"}", "Application/JSON; charset=utf-8").send().await.expect(201);
    }

    async fn a_body_over_one_mebibyte(t: TestApp) {
        let path = format!("/v1/library/{MOVIE}/review");
        let body = |size: usize| {
            let frame = "{\"body\":\"\"}".len();
            format!("{{\"body\":\"{}\"}}", "x".repeat(size - frame))
        };
        let put = |size| t.alice.request(Method::PUT, &path).body(body(size), "application/json").send();
        put(MIB).await.expect_problem(422, "invalid_body");
        put(MIB + 1).await.expect_problem(413, "body_too_large");
    }

    async fn everything_that_is_wrong_with_a_body_at_once(t: TestApp) {
        let body = json!({
            "status": "watched", "rating": 101, "favorite": "yes", "surprise": 1,
            "progress": { "unit": "episodes", "current": -1, "total": 0, "of": 1 },
            "finished_on": "2026-02-30",
        });
        let answer = t.alice.put(&format!("/v1/library/{MOVIE}"), body).send().await;
        let answer = answer.expect_problem(422, "invalid_body");
        let places = [
            "/favorite",
            "/finished_on",
            "/progress/current",
            "/progress/of",
            "/progress/total",
            "/rating",
            "/status",
            "/surprise",
        ];
        assert_eq!(answer.pointers(), places);
        t.alice.get(&format!("/v1/library/{MOVIE}")).send().await.expect(404);
    }

    async fn values_that_no_column_can_hold(t: TestApp) {
        let answer = t.alice.put(LIST, json!({ "name": "a\u{0}b", "description": "\u{0}" })).send().await;
        assert_eq!(answer.expect_problem(422, "invalid_body").pointers(), ["/description", "/name"]);
        let path = format!("/v1/library/{MOVIE}");
        for rating in ["99999999999", "1e400", "9223372036854775808", "1.5", "-0.0", "\"7\""] {
            let body = format!("{{\"status\":\"backlog\",\"rating\":{rating}}}");
            let answer = t.alice.request(Method::PUT, &path).body(body, "application/json").send().await;
            assert!([400, 422].contains(&answer.status), "{rating}: {} {}", answer.status, answer.text());
        }
        for query in ["text=%00", "text=a%00b", "cursor=%00"] {
            t.alice.get(&format!("/v1/library?{query}")).send().await.expect(400);
        }
        // What is not UTF-8 is no text at all; whatever is made of it, it is not a fault of ours.
        let answer = t.alice.get("/v1/library?text=%FF").send().await;
        assert!([200, 400].contains(&answer.status), "{}", answer.status);
        t.alice.get("/v1/library/%FF").send().await.expect(400);
        t.alice.get("/v1/library/movie%3Atmdb%3A603%00").send().await.expect(400);
    }

    async fn every_parameter_that_is_wrong_at_once(t: TestApp) {
        let query = "limit=0&min_rating=x&max_rating=101&sort=size&status=backlog,seen&favorite=2\
                     &language=english\
                     &updated_since=yesterday&colour=red";
        let answer = t.alice.get(&format!("/v1/library?{query}")).send().await;
        let places = [
            "/query/colour",
            "/query/favorite",
            "/query/language",
            "/query/limit",
            "/query/max_rating",
            "/query/min_rating",
            "/query/sort",
            "/query/status/1",
            "/query/updated_since",
        ];
        assert_eq!(answer.expect_problem(400, "invalid_parameter").pointers(), places);
        let answer = t.alice.get("/v1/library?limit=1&limit=2").send().await;
        assert_eq!(answer.expect_problem(400, "invalid_parameter").pointers(), ["/query/limit"]);
        let answer = t.alice.get("/v1/search").send().await;
        assert_eq!(answer.expect_problem(400, "invalid_parameter").pointers(), ["/query/q"]);
        let answer = t.alice.put(&format!("{LIST}?force=true"), json!({ "name": "x" })).send().await;
        assert_eq!(answer.expect_problem(400, "invalid_parameter").pointers(), ["/query/force"]);
        t.alice.get(LIST).send().await.expect(404);
    }

    async fn ids_that_cannot_be(t: TestApp) {
        for id in
            ["603", "movie:imdb:603", "movie:tmdb:0", "movie:tmdb:-1", "film:tmdb:603", "tv:igdb:1", "%20"]
        {
            let answer = t.alice.get(&format!("/v1/library/{id}")).send().await;
            assert_eq!(
                answer.expect_problem(400, "invalid_parameter").pointers()[0],
                "/path/media_id",
                "{id}"
            );
        }
        for id in ["1", "7f1f6a5263a34a529d3c0c4de1f7a001", "urn:uuid:7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001"] {
            let answer = t.alice.get(&format!("/v1/lists/{id}")).send().await;
            assert_eq!(answer.expect_problem(400, "invalid_parameter").pointers(), ["/path/list_id"], "{id}");
        }
        // Two at once.
        let answer = t.alice.get("/v1/library/x/comments/y").send().await;
        assert_eq!(answer.expect(400).pointers(), ["/path/comment_id", "/path/media_id"]);
    }

    async fn cursors_that_are_not_ours(t: TestApp) {
        for number in 1..=3 {
            let path = format!("/v1/library/movie:tmdb:{number}");
            t.alice.put(&path, json!({ "status": "backlog" })).send().await.expect(201);
        }
        let page = t.alice.get("/v1/library?limit=2&sort=title").send().await.expect(200);
        let cursor = page.next_cursor().expect("a second page");
        let ask = |query: String| t.alice.get(&format!("/v1/library?{query}")).send();
        ask(format!("limit=2&sort=title&cursor={cursor}")).await.expect(200);
        // The number of rows is no part of the question.
        ask(format!("limit=1&sort=title&cursor={cursor}")).await.expect(200);
        for other in ["", "&sort=rating", "&sort=title&order=asc", "&sort=title&status=backlog"] {
            ask(format!("limit=2{other}&cursor={cursor}")).await.expect_problem(400, "invalid_cursor");
        }
        for wrong in ["x", "%20", "AAAA", "e30", &cursor[..cursor.len() - 4]] {
            let answer = ask(format!("limit=2&sort=title&cursor={wrong}")).await;
            assert_eq!(answer.expect_problem(400, "invalid_cursor").pointers(), ["/query/cursor"], "{wrong}");
        }
        t.alice.get(&format!("/v1/lists?cursor={cursor}")).send().await.expect_problem(400, "invalid_cursor");
    }

    async fn forged_cursors_reach_no_statement(t: TestApp) {
        for number in 1..=3 {
            let path = format!("/v1/library/movie:tmdb:{number}");
            t.alice.put(&path, json!({ "status": "backlog" })).send().await.expect(201);
        }
        for sort in ["title", "rating", "updated_at"] {
            let page = t.alice.get(&format!("/v1/library?limit=1&sort={sort}")).send().await.expect(200);
            let genuine = URL_SAFE_NO_PAD.decode(page.next_cursor().expect("a second page")).unwrap();
            // Of the other type of the sort key, a text that PostgreSQL does not store, numbers out of range.
            let keys = [r#"["x","y"]"#, r#"[1,"y"]"#, r#"["\u0000","\u0000"]"#, r#"[9223372036854775807,""]"#];
            for (key, kept) in keys.into_iter().flat_map(|key| [0, 4, 8, 16].map(|kept| (key, kept))) {
                let forged = URL_SAFE_NO_PAD.encode([&genuine[..kept], key.as_bytes()].concat());
                let path = format!("/v1/library?limit=1&sort={sort}&cursor={forged}");
                t.alice.get(&path).send().await.expect_problem(400, "invalid_cursor");
            }
        }
    }

    async fn conditions_that_cannot_be_read(t: TestApp) {
        t.alice.put(LIST, json!({ "name": "x" })).send().await.expect(201);
        for wrong in ["1", "\"1", "W/1", "yes, no"] {
            let answer = t.alice.put(LIST, json!({ "name": "y" })).header("if-match", wrong).send().await;
            let answer = answer.expect_problem(400, "invalid_parameter");
            assert_eq!(answer.pointers(), ["/header/If-Match"], "{wrong}");
        }
        assert_eq!(t.alice.get(LIST).send().await.expect(200).json()["name"], "x");
    }

    async fn progress_of_a_series_is_derived(t: TestApp) {
        let body = json!({ "status": "in_progress", "progress": { "unit": "episodes", "current": 3 } });
        let answer = t.alice.put(&format!("/v1/library/{SERIES}"), body).send().await;
        assert_eq!(answer.expect_problem(422, "progress_is_derived").pointers(), ["/progress"]);
    }

    async fn one_account_asks_too_much_and_the_other_does_not(t: TestApp) {
        // Two at once, then one every seven and a half seconds.
        let t = t.restart(|config| config.limits.account = 8).await;
        let ask = || t.alice.get("/v1/account").send();
        assert_eq!(ask().await.expect(200).header("ratelimit-policy"), Some("\"account\";q=2;w=15"));
        assert!(ask().await.expect(200).header("ratelimit").unwrap().starts_with("\"account\";r=0;t="));
        let refused = ask().await.expect_problem(429, "rate_limited");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=8).contains(&wait), "{wait}");
        assert_eq!(refused.header("ratelimit"), Some(&*format!("\"account\";r=0;t={wait}")));
        t.bob.get("/v1/account").send().await.expect(200);
    }

    async fn searches_have_a_limit_of_their_own(t: TestApp) {
        let t = t.restart(|config| config.limits.search = 4).await;
        let answer = t.alice.get("/v1/search?q=dune").send().await.expect(200);
        let policies = answer.header("ratelimit-policy").unwrap();
        assert!(policies.starts_with("\"account\";") && policies.contains(", \"search\";q=1;"), "{policies}");
        t.alice.get("/v1/search?q=dune").send().await.expect_problem(429, "rate_limited");
        t.alice.get("/v1/account").send().await.expect(200);
        t.bob.get("/v1/search?q=dune").send().await.expect(200);
    }

    async fn guessing_tokens_is_limited_by_address(t: TestApp) {
        let t = t.restart(|config| config.limits.address = 4).await;
        let guess = || t.anon.get("/v1/account").header("authorization", "Bearer guess").send();
        guess().await.expect_problem(401, "unauthorized");
        guess().await.expect_problem(429, "rate_limited");
        t.anon.get("/no/such/path").send().await.expect_problem(429, "rate_limited");
        // Whoever has an account is not counted by address.
        t.alice.get("/v1/account").send().await.expect(200);
    }

    async fn metrics_without_a_token_are_for_this_machine_alone(t: TestApp) {
        let mut far = t.anon.clone();
        far.address = ([192, 0, 2, 1], 50_000).into();
        t.anon.get("/metrics").send().await.expect(200);
        far.get("/metrics").send().await.expect_problem(401, "unauthorized");
        let t = t.restart(|config| config.metrics_token = Some(Secret::new("a token of the operator's"))).await;
        let mut far = t.anon.clone();
        far.address = ([192, 0, 2, 1], 50_000).into();
        for who in [&t.anon, &far] {
            who.get("/metrics").send().await.expect_problem(401, "unauthorized");
            let with = who.get("/metrics").header("authorization", "Bearer a token of the operator's");
            with.send().await.expect(200);
        }
        let t = t
            .restart(|config| {
                config.metrics_token = None;
                config.behind_proxy = true;
            })
            .await;
        // Through the proxy everybody seems to come from this machine.
        let through = t.anon.get("/metrics").header("x-forwarded-for", "192.0.2.1");
        through.send().await.expect_problem(401, "unauthorized");
        t.anon.get("/metrics").send().await.expect(200);
    }

    async fn behind_a_proxy_the_address_is_what_the_proxy_says(t: TestApp) {
        let t = t
            .restart(|config| {
                config.limits.address = 4;
                config.behind_proxy = true;
            })
            .await;
        let ask =
            |forwarded: &'static str| t.anon.get("/v1/account").header("x-forwarded-for", forwarded).send();
        ask("192.0.2.1").await.expect(401);
        ask("192.0.2.2").await.expect(401);
        ask("192.0.2.2").await.expect(429);
        // What the client made up stands before what the proxy added.
        ask("198.51.100.7, 192.0.2.2").await.expect(429);
        // One network of IPv6 is one client.
        ask("2001:db8::1").await.expect(401);
        ask("2001:db8::2").await.expect(429);
        ask("2001:db8:0:1::1").await.expect(401);
    }
}

/// The edge of `app` around something else.
pub fn edge(t: &TestApp, inner: BoxEndpoint<'static, Response>) -> Edge<BoxEndpoint<'static, Response>> {
    Edge::new(inner, t.app.clone(), Arc::new(Contract::new(document().clone(), &PLAIN)))
}

#[tokio::test]
async fn a_panic_is_a_problem_and_its_message_goes_nowhere() {
    let t = TestApp::sqlite().await;
    let panics = make(|request| async move {
        let typed = request.uri().query().map(str::to_owned);
        assert!(typed.is_none(), "what somebody typed: {typed:?}");
        Ok::<_, poem::Error>(Response::default())
    });
    let alice = t.alice.at(edge(&t, panics.map_to_response().boxed()));
    let answer = alice.get("/healthz?canary-in-a-panic").send().await.expect_problem(500, "internal");
    assert!(!answer.text().contains("canary"), "{}", answer.text());
    let log = log::text();
    assert!(log.contains("panic at=tests/api/errors.rs:"), "the place is logged");
    assert!(!log.contains("canary-in-a-panic"), "the message is not");
}

#[tokio::test]
async fn what_takes_too_long_is_told_to_come_back() {
    let t = TestApp::sqlite().await;
    let never = make(|_| std::future::pending::<poem::Result<Response>>());
    let edge = edge(&t, never.map_to_response().boxed()).with_timeout(Duration::from_millis(1));
    let answer = t.alice.at(edge).get("/v1/account").send().await.expect_problem(503, "timed_out");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

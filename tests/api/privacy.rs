//! Canaries: texts that occur nowhere else, put into everything that is a person's own and into
//! everything that a phone sends along. None may turn up at a source, in the log, or in the metrics.

use omnitrack::demo::standin::{Fault, Source};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::log;
use crate::support::persona::Call;
use crate::support::titles::{BOOK, GAME, MOVIE, SERIES};

const SOURCES: [Source; 4] = [Source::Tmdb, Source::Twitch, Source::Igdb, Source::GoogleBooks];

/// All that a source ever sees of a request besides its address: what we are, what we accept, and our
/// own credentials.
const HEADERS: [&str; 8] = [
    "accept",
    "accept-encoding",
    "authorization",
    "client-id",
    "content-length",
    "content-type",
    "host",
    "user-agent",
];

/// What a phone, or a proxy before us, may send along.
const SENT_ALONG: [(&str, &str); 12] = [
    ("user-agent", "canary-user-agent"),
    ("accept-language", "x-canary-accept-language"),
    ("x-forwarded-for", "203.0.113.77"),
    ("forwarded", "for=203.0.113.78"),
    ("x-real-ip", "203.0.113.79"),
    ("cookie", "session=canary-cookie"),
    ("referer", "https://canary-referer.example/"),
    ("origin", "https://canary-origin.example"),
    ("traceparent", "00-c0ffee00c0ffee00c0ffee00c0ffee00-c0ffee00c0ffee00-01"),
    ("tracestate", "vendor=canary-tracestate"),
    ("x-request-id", "canary-request-id"),
    ("x-custom", "canary-custom-header"),
];

/// Makes the database say in an error what it was given.
const SPILL_SQLITE: &str =
    "CREATE TRIGGER spill BEFORE INSERT ON review BEGIN SELECT RAISE(ABORT, NEW.body); END";
const SPILL_POSTGRES: &str = "CREATE FUNCTION spill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '%', NEW.body; END $$;
    CREATE TRIGGER spill BEFORE INSERT ON review FOR EACH ROW EXECUTE FUNCTION spill()";

/// The values above, as something to look for.
const TRACES: [&str; 5] = ["canary", "203.0.113.7", "c0ffee", "user_", "sess_"];

fn sent_along(call: Call) -> Call {
    SENT_ALONG.into_iter().fold(call, |call, (name, value)| call.header(name, value))
}

/// Fails where one of `texts` occurs in `place`.
#[track_caller]
fn absent(texts: &[&str], place: &str, name: &str) {
    for text in texts {
        if let Some(at) = place.find(text) {
            let line = place[..at].rfind('\n').map_or(0, |at| at + 1);
            let line = place[line..].lines().next().unwrap_or_default();
            panic!("{text:?} occurs in {name}: {line}");
        }
    }
}

/// Everything that came to the sources, as one text.
fn seen_by_sources(t: &TestApp) -> String {
    let requests = SOURCES.into_iter().flat_map(|source| t.stand_ins.requests(source));
    let texts = requests.map(|request| {
        let headers: Vec<String> =
            request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let body = String::from_utf8_lossy(&request.body);
        format!("{} {} [{}] {body}", request.method, request.target, headers.join("; "))
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// Log and metrics, wherever they are looked for.
#[track_caller]
fn quiet(t: &TestApp, texts: &[&str]) {
    absent(texts, &log::text(), "the log");
    absent(texts, &t.app.metrics.encode(), "the metrics");
}

/// A life with every personal text there is.
async fn live(t: &TestApp) {
    let uuid = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a00";
    let mut writes = Vec::new();
    for (number, id) in [MOVIE, SERIES, GAME, BOOK].into_iter().enumerate() {
        let entry = format!("/v1/library/{id}");
        writes.extend([
            (entry.clone(), json!({ "status": "completed", "rating": 90, "on": "2024-05-06" })),
            (
                format!("{entry}/review"),
                json!({ "title": "canary-review-title", "body": "canary-review-body" }),
            ),
            (format!("{entry}/comments/{uuid}{number}"), json!({ "body": "canary-comment" })),
        ]);
    }
    let list = format!("/v1/lists/{uuid}9");
    writes.push((
        list.clone(),
        json!({ "name": "canary-list-name", "description": "canary-list-description" }),
    ));
    writes.push((format!("{list}/items/{MOVIE}"), json!({ "note": "canary-note" })));
    for (path, body) in writes {
        sent_along(t.alice.put(&path, body)).send().await.expect(201);
    }
    for id in [MOVIE, SERIES, GAME, BOOK] {
        t.filled(id).await;
        sent_along(t.alice.get(&format!("/v1/media/{id}"))).send().await.expect(200);
    }
    for path in
        ["/v1/library?text=canary-filter", "/v1/search?q=dune&page=2", "/v1/media?ids=movie:tmdb:1,tv:tmdb:2"]
    {
        let answer = sent_along(t.alice.get(path)).send().await.expect(200);
        assert_ne!(answer.header("x-request-id"), Some("canary-request-id"), "an inbound id is ignored");
    }
}

both! {
    async fn nothing_of_the_person_leaves_or_is_logged(t: TestApp) {
        live(&t).await;
        let token = t.alice.token.clone().unwrap();
        let account = t.alice.get("/v1/account").send().await.expect(200).json()["id"].clone();
        let signature = token.rsplit('.').next().unwrap();
        let claims = token.split('.').nth(1).unwrap();
        let mut texts = TRACES.to_vec();
        texts.extend([signature, claims, account.as_str().unwrap()]);
        let seen = seen_by_sources(&t);
        assert!(seen.contains("/3/movie/603") && seen.contains("/books/v1/volumes"), "{seen}");
        absent(&texts, &seen, "what sources saw");
        quiet(&t, &texts);
        let clerk: Vec<_> = t.stand_ins.requests(Source::Clerk);
        assert!(clerk.iter().all(|request| request.target == "/.well-known/jwks.json"), "{clerk:?}");
        assert!(log::text().contains("route=\"/v1/library/{media_id}/review\""), "the log names routes");
    }

    async fn a_source_sees_the_same_headers_whoever_asks(t: TestApp) {
        live(&t).await;
        for source in SOURCES {
            let requests = t.stand_ins.requests(source);
            assert!(!requests.is_empty(), "{source:?} was not asked");
            for request in requests {
                let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
                names.retain(|name| !HEADERS.contains(name));
                assert!(names.is_empty(), "{source:?} sees {names:?}");
                if let Some(agent) = request.header("user-agent") {
                    assert!(agent.starts_with("OmniTrack"), "{agent}");
                }
            }
        }
    }

    async fn what_is_searched_for_is_not_logged(t: TestApp) {
        let search = "/v1/search?q=zyzzyva+quokka&kind=movie,game,book";
        t.alice.get(search).send().await.expect(200);
        assert!(seen_by_sources(&t).contains("zyzzyva"), "the sources are asked for it");
        quiet(&t, &["zyzzyva", "quokka"]);
        // Nor where it fails, in whatever way.
        for fault in
            [Fault::Status(500, "text/plain".into(), "canary-upstream".into()), Fault::Close, Fault::Html]
        {
            SOURCES.into_iter().for_each(|source| t.stand_ins.fault(source, Some(fault.clone())));
            let answer = t.alice.get("/v1/search?q=zyzzyva+numbat").send().await.expect(200);
            absent(&["canary", "502 Bad", "http://"], &answer.text(), "the answer");
        }
        t.alice.get("/v1/search?q=zyzzyva&page=zyzzyva").send().await.expect(400);
        quiet(&t, &["zyzzyva", "numbat", "canary"]);
    }

    async fn text_that_holds_personal_data_goes_nowhere(t: TestApp) {
        t.alice.get("/v1/search?q=dune").send().await.expect(200);
        let before = seen_by_sources(&t);
        for text in [
            "jane.doe%40example.org",
            "films+of+jane@example.org",
            "%2B49+170+1234567",
            "https://x.example/me",
        ] {
            let answer = t.alice.get(&format!("/v1/search?q={text}")).send().await;
            let answer = answer.expect_problem(400, "personal_data_in_query");
            assert_eq!(answer.pointers(), ["/query/q"]);
            absent(&["jane", "1234567", "x.example"], &answer.text(), "the answer");
        }
        assert_eq!(seen_by_sources(&t), before, "no source was asked");
        quiet(&t, &["jane", "1234567", "x.example"]);
    }

    async fn refusals_repeat_nothing_of_what_was_sent(t: TestApp) {
        let path = format!("/v1/library/{MOVIE}/review");
        let refused = [
            t.alice.put(&path, json!({ "body": 7, "canary-field": "canary-value" })).send().await.expect(422),
            t.alice
                .put(&path, json!({ "title": "canary-title".repeat(50), "body": "x" }))
                .send()
                .await
                .expect(422),
            t.alice.put(&path, json!({})).body("{\"body\": canary-bare}", "application/json").send().await,
            t.alice.get("/v1/library?sort=canary-sort&cursor=canary-cursor").send().await.expect(400),
            t.alice.get("/v1/canary-path").send().await.expect(404),
            t.alice
                .put(&path, json!({ "body": "x" }))
                .header("if-match", "canary-etag")
                .send()
                .await
                .expect(400),
        ];
        for answer in refused {
            // The pointer names the field, which is the sender's to know.
            absent(
                &["canary-value", "canary-title", "canary-bare", "canary-sort"],
                &answer.text(),
                "the answer",
            );
        }
        quiet(&t, &["canary"]);
    }

    async fn a_failing_database_is_logged_without_what_it_was_given(t: TestApp) {
        t.alice.put(&format!("/v1/library/{MOVIE}"), json!({ "status": "backlog" })).send().await.expect(201);
        let spill = if t.is_sqlite() { SPILL_SQLITE } else { SPILL_POSTGRES };
        t.app.db.shared().execute_unprepared(spill).await.unwrap();
        let write = t.alice.put(&format!("/v1/library/{MOVIE}/review"), json!({ "body": "canary-lost" }));
        let answer = write.send().await.expect_problem(500, "internal");
        absent(&["canary", "INSERT"], &answer.text(), "the answer");
        assert!(log::text().contains("database error kind="), "it is logged");
        quiet(&t, &["canary", "INSERT", "SELECT"]);
    }
}

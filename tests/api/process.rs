//! The real program as an operator runs it: starts, stops, kills, several at once, wrong settings.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use omnitrack::demo::standin::StandIns;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::support::archive;
use crate::support::database::Database;
use crate::support::process::{BINARY, Service, client};

fn token(stand_ins: &StandIns, name: &str) -> String {
    stand_ins.token(name, Duration::from_secs(600))
}

async fn put(client: &Client, service_url: String, token: &str, body: &Value) -> reqwest::Result<StatusCode> {
    let response = client.put(service_url).bearer_auth(token).json(body).send().await?;
    let status = response.status();
    // Acknowledged means that the whole answer arrived.
    response.bytes().await?;
    Ok(status)
}

async fn acknowledged_writes_survive(db: Database) {
    let stand_ins = StandIns::start().expect("stand-ins");
    let token = token(&stand_ins, "alice");
    let mut service = Service::start(&stand_ins, db.url.expose());
    let acknowledged = Arc::new(AtomicU64::new(0));
    let base = service.url("/v1/library/movie:tmdb:");
    let writers: Vec<_> = (0..4u64)
        .map(|writer| {
            let (base, token, acknowledged) = (base.clone(), token.clone(), acknowledged.clone());
            tokio::spawn(async move {
                let client = client();
                let mut written = Vec::new();
                for number in (1..).map(|n| n * 4 + writer) {
                    let body = json!({ "status": "backlog", "rating": number % 100 + 1 });
                    match put(&client, format!("{base}{number}"), &token, &body).await {
                        Ok(status) => assert_eq!(status, StatusCode::CREATED),
                        Err(_) => break,
                    }
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                    written.push(number);
                }
                written
            })
        })
        .collect();
    while acknowledged.load(Ordering::Relaxed) < 60 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    service.kill();
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.expect("a writer"));
    }
    assert!(written.len() >= 60);

    let service = Service::start(&stand_ins, db.url.expose());
    let client = client();
    for number in written {
        let url = service.url(&format!("/v1/library/movie:tmdb:{number}"));
        let answer = client.get(url).bearer_auth(&token).send().await.expect("an answer");
        let entry: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
        assert_eq!(entry["rating"], number % 100 + 1, "{entry}");
    }
}

/// Killed twice in the middle of applying an archive, the program goes on where it was.
async fn an_import_goes_on_after_a_kill(db: Database) {
    let stand_ins = StandIns::start().expect("stand-ins");
    let token = token(&stand_ins, "alice");
    let titles = 12_000;
    let library = (1..=titles).map(|n| {
        let mut entry = archive::entry(&format!("movie:tmdb:{n}"));
        entry["comments"] = json!([archive::comment("7f1f6a52-63a3-4a52-9d3c-0c4de1f7a002", "mine")]);
        entry
    });
    let body = archive::archive(library.collect(), vec![]).to_string();
    let client = client();
    let mut service = Service::start(&stand_ins, db.url.expose());
    let sent = client.post(service.url(archive::IMPORTS)).bearer_auth(&token);
    let sent = sent.header("content-type", "application/json").body(body).send().await.expect("an answer");
    assert_eq!(sent.status(), StatusCode::ACCEPTED);
    let begun: Value = serde_json::from_str(&sent.text().await.expect("a body")).expect("JSON");
    let path = format!("{}/{}", archive::IMPORTS, begun["id"].as_str().expect("an id"));
    let look = async |service: &Service| -> Value {
        let answer = client.get(service.url(&path)).bearer_auth(&token).send().await.expect("an answer");
        serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON")
    };
    let taken = |import: &Value| import["report"]["taken"]["entries"].as_i64().expect("a number");
    let mut before = 0;
    for _ in 0..2 {
        let mut import = look(&service).await;
        while taken(&import) == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
            import = look(&service).await;
        }
        service.kill();
        service = Service::start(&stand_ins, db.url.expose());
        let after = look(&service).await;
        before = taken(&after);
        assert!(before >= taken(&import) && before < titles, "killed in the middle: {before}");
        assert_eq!(after["state"], "applying");
    }
    let finished = async {
        loop {
            let import = look(&service).await;
            if import["state"] != "applying" {
                return import;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(120), finished).await.expect("it ends");
    assert_eq!(done["state"], "done");
    let report = &done["report"];
    assert_eq!((taken(&done), &report["left"]["entries"]), (titles, &json!(0)), "{report}");
    assert_eq!((&report["taken"]["comments"], &report["left"]["comments"]), (&json!(titles), &json!(0)));
}

async fn several_instances_start_at_once(db: Database) {
    let stand_ins = Arc::new(StandIns::start().expect("stand-ins"));
    let url = db.url.expose().to_owned();
    let starts: Vec<_> = (0..3)
        .map(|_| {
            let (stand_ins, url) = (stand_ins.clone(), url.clone());
            tokio::task::spawn_blocking(move || Service::start(&stand_ins, &url))
        })
        .collect();
    let mut services = Vec::new();
    for start in starts {
        services.push(start.await.expect("every instance starts"));
    }
    // One person's first sight at all of them at once, and a write through each.
    let token = token(&stand_ins, "alice");
    let firsts: Vec<_> = services
        .iter()
        .map(|service| {
            let (url, token) = (service.url("/v1/account"), token.clone());
            tokio::spawn(async move { client().get(url).bearer_auth(token).send().await })
        })
        .collect();
    for first in firsts {
        assert_eq!(first.await.expect("a task").expect("an answer").status(), StatusCode::OK);
    }
    let client = client();
    for (number, service) in (1..).zip(&services) {
        let url = service.url(&format!("/v1/library/movie:tmdb:{number}"));
        let status = put(&client, url, &token, &json!({ "status": "backlog" })).await.expect("an answer");
        assert_eq!(status, StatusCode::CREATED);
    }
    let answer = client.get(services[0].url("/v1/library")).bearer_auth(&token).send().await.expect("a page");
    let page: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
    assert_eq!(page["items"].as_array().map(Vec::len), Some(3), "{page}");
}

mod sqlite {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn acknowledged_writes_survive() {
        super::acknowledged_writes_survive(Database::sqlite()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_import_goes_on_after_a_kill() {
        super::an_import_goes_on_after_a_kill(Database::sqlite()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn several_instances_start_at_once() {
        super::several_instances_start_at_once(Database::sqlite_empty()).await;
    }
}

mod postgres {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn acknowledged_writes_survive() {
        let Some(db) = Database::postgres() else { return };
        super::acknowledged_writes_survive(db).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_import_goes_on_after_a_kill() {
        let Some(db) = Database::postgres() else { return };
        super::an_import_goes_on_after_a_kill(db).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn several_instances_start_at_once() {
        let Some(db) = Database::postgres_empty() else { return };
        super::several_instances_start_at_once(db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_is_finished_when_told_to_stop() {
    use omnitrack::demo::standin::{Fault, Source};
    let stand_ins = StandIns::start().expect("stand-ins");
    let db = Database::sqlite();
    let mut service = Service::start(&stand_ins, db.url.expose());
    stand_ins.fault(Source::Tmdb, Some(Fault::Slow(Duration::from_millis(700))));
    let request = tokio::spawn({
        let (url, token) = (service.url("/v1/media/movie:tmdb:603"), token(&stand_ins, "alice"));
        async move { client().get(url).bearer_auth(token).send().await }
    });
    stand_ins.arrived(Source::Tmdb, 1).await;
    service.terminate();
    let answer = request.await.expect("a task").expect("an answer in spite of the stop");
    assert_eq!(answer.status(), StatusCode::OK);
    let status = tokio::task::spawn_blocking(move || service.ended()).await.expect("a task");
    assert!(status.expect("the end").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_say_goodbye_and_do_not_hold_up_the_stop() {
    let stand_ins = StandIns::start().expect("stand-ins");
    let db = Database::sqlite();
    let mut service = Service::start(&stand_ins, db.url.expose());
    let token = token(&stand_ins, "alice");
    let mut streams = Vec::new();
    for _ in 0..3 {
        let url = service.url("/v1/sync/events");
        let mut stream = client().get(url).bearer_auth(&token).send().await.expect("a stream");
        let first = stream.chunk().await.expect("an event").expect("an event");
        assert!(first.starts_with(b"event: revision\n"), "{first:?}");
        streams.push(stream);
    }
    service.terminate();
    for stream in streams {
        let rest = stream.text().await.expect("an orderly end");
        assert!(rest.contains("event: bye\n"), "{rest}");
    }
    // The streams are over at once: the grace period, which is longer than this, is not used up.
    let ended = tokio::task::spawn_blocking(move || service.ended());
    let status = tokio::time::timeout(Duration::from_secs(10), ended).await.expect("a quick end");
    assert!(status.expect("a task").expect("the end").success());
}

#[test]
fn a_wrong_setting_stops_the_start_with_one_line_that_names_it() {
    for (name, value) in [
        ("OMNITRACK_LISTEN", "0.0.0.0:8080"),
        ("DATABASE_URL", "mysql://somewhere"),
        ("DATABASE_URL", "postgres://somewhere"),
        ("DATABASE_URL", "postgres://localhost/db"),
        ("OMNITRACK_SECRET_KEY", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("CLERK_WEBHOOK_SIGNING_SECRET", "whsec_"),
        ("CLERK_API_URL", "http://localhost:80@evil.example"),
        ("OMNITRACK_SECRET_KEY", "too short"),
        ("OMNITRACK_TLS_CERT", "/nowhere.pem"),
        ("CLERK_PUBLISHABLE_KEY", "pk_live_?"),
    ] {
        let mut command = Command::new(BINARY);
        command.env_clear().env("CLERK_ISSUER", "https://clerk.example.com").env(name, value);
        let output = command.output().expect("the program runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{name}");
        assert_eq!(text.lines().count(), 1, "{text}");
        let named = match (name, value) {
            ("OMNITRACK_TLS_CERT", _) => "OMNITRACK_TLS_KEY",
            ("DATABASE_URL", "postgres://localhost/db") => "OMNITRACK_SECRET_KEY",
            _ => name,
        };
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn the_demonstration_does_not_start_beside_a_real_clerk() {
    let output = Command::new(BINARY)
        .arg("demo")
        .env("CLERK_SECRET_KEY", "sk_live_x")
        .output()
        .expect("the program runs");
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("CLERK_SECRET_KEY"), "{text}");
    assert!(!text.contains("sk_live_x"), "{text}");
}

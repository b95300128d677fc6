//! The account itself: how much is held about the person, and the profile that stays at Clerk.

use omnitrack::db::{rows, sqlite_file};
use omnitrack::demo::standin::{Fault, Source};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::log;
use crate::support::persona::Persona;
use crate::support::titles::{MOVIE, SERIES};

const UUID: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a00";
const WITH_PROFILE: &str = "/v1/account?include=profile";

async fn profile(who: &Persona) -> Value {
    who.get(WITH_PROFILE).send().await.expect(200).json()["profile"].clone()
}

async fn account(who: &Persona) -> Value {
    who.get("/v1/account").send().await.expect(200).json()
}

/// All that the database keeps, as text.
async fn kept(t: &TestApp) -> String {
    if t.is_sqlite() {
        let file = sqlite_file(&t.app.config.database_url).unwrap();
        let read = |ending: &str| std::fs::read(format!("{}{ending}", file.display())).unwrap();
        return [read(""), read("-wal")].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    }
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
    let mut text = String::new();
    for table in rows(t.app.db.read(), tables, []).await.unwrap() {
        let table: String = table.try_get_by_index(0).unwrap();
        let content = format!("SELECT CAST(t AS text) FROM \"{table}\" t");
        for row in rows(t.app.db.read(), &content, []).await.unwrap() {
            text += &row.try_get_by_index::<String>(0).unwrap();
        }
    }
    text
}

/// Requests to the users of Clerk's Backend API.
fn asked(t: &TestApp) -> Vec<String> {
    let requests = t.stand_ins.requests(Source::Clerk).into_iter();
    requests.filter(|sent| sent.target.starts_with("/v1/users")).map(|sent| sent.method).collect()
}

both! {
    async fn holdings_count_what_is_held_by_kind(t: TestApp) {
        let none = account(&t.alice).await["holdings"].clone();
        assert!(none.as_object().unwrap().values().all(|count| count == 0) && none.as_object().unwrap().len() == 11);
        let entry = format!("/v1/library/{SERIES}");
        for (path, body) in [
            (entry.clone(), json!({ "status": "in_progress" })),
            (format!("/v1/library/{MOVIE}"), json!({ "status": "backlog" })),
            (format!("{entry}/review"), json!({ "body": "Mine" })),
            (format!("{entry}/comments/{UUID}1"), json!({ "body": "One" })),
            (format!("{entry}/comments/{UUID}2"), json!({ "body": "Two" })),
            (format!("{entry}/history/{UUID}3"), json!({ "precision": "unknown" })),
            (format!("{entry}/episodes/1/1"), json!({})),
            (format!("{entry}/episodes/1/2"), json!({})),
            (format!("{entry}/episodes/1/3"), json!({})),
            (format!("/v1/lists/{UUID}4"), json!({ "name": "List" })),
            (format!("/v1/lists/{UUID}4/items/{SERIES}"), json!({})),
            (format!("/v1/account/devices/{UUID}5"), json!({ "model": "x", "os_version": "1", "app_version": "1" })),
        ] {
            t.alice.put(&path, body).send().await.expect(201);
        }
        let expected = json!({
            "entries": 2, "reviews": 1, "comments": 2, "history_events": 1, "watched_episodes": 3, "lists": 1,
            "list_items": 1, "devices": 1, "consents": 0, "exports": 0, "imports": 0,
        });
        assert_eq!(account(&t.alice).await["holdings"], expected);
        assert_eq!(account(&t.bob).await["holdings"], none, "nobody counts another's");
    }

    async fn the_etag_covers_the_holdings(t: TestApp) {
        let before = t.alice.get("/v1/account").send().await.expect(200).etag();
        let again = || t.alice.get("/v1/account").header("If-None-Match", &before).send();
        again().await.expect(304);
        t.alice.put(&format!("/v1/library/{MOVIE}"), json!({ "status": "backlog" })).send().await.expect(201);
        again().await.expect(200);
        // What a write is based on are the settings.
        let patch = t.alice.patch("/v1/account", json!({ "time_zone": "Asia/Tokyo" })).header("If-Match", &before);
        let changed = patch.send().await.expect(200);
        let fresh = t.alice.get("/v1/account").header("If-None-Match", &changed.etag()).send().await;
        fresh.expect(304);
    }

    async fn the_profile_is_clerks_word_of_this_moment(t: TestApp) {
        let answer = t.alice.get(WITH_PROFILE).header("If-None-Match", "*").send().await.expect(200);
        let shown = json!({
            "state": "ok", "first_name": "Alice", "last_name": "Example", "email_addresses": ["alice@example.org"],
        });
        assert_eq!(answer.json()["profile"], shown);
        assert_eq!(answer.json()["holdings"]["entries"], 0);
        assert_eq!((answer.header("cache-control"), answer.header("etag")), (Some("no-store"), None));
        t.stand_ins.put_user(json!({ "object": "user", "id": "user_alice", "username": "al", "first_name": "", "email_addresses": [] }));
        assert_eq!(profile(&t.alice).await, json!({ "state": "ok", "username": "al", "email_addresses": [] }));
        assert_eq!(asked(&t), ["GET", "GET"], "nothing is kept, and nobody else asks");
        account(&t.alice).await;
        assert_eq!(asked(&t).len(), 2, "only where it is asked for");
        t.alice.get("/v1/account?include=nothing").send().await.expect(400);
    }

    async fn an_outage_of_clerk_costs_the_profile_alone(t: TestApp) {
        // Its keys are there already.
        account(&t.alice).await;
        for fault in [
            Fault::clerk_internal(), Fault::Html, Fault::Close, Fault::EndlessBody,
            Fault::json(401, &json!({ "errors": [{ "code": "clerk_key_invalid" }] })), Fault::Hang,
        ] {
            t.stand_ins.fault(Source::Clerk, Some(fault));
            let answer = t.alice.get(WITH_PROFILE).send().await.expect(200);
            assert_eq!(answer.json()["profile"], json!({ "state": "unavailable", "email_addresses": [] }));
            assert_eq!((answer.header("cache-control"), answer.header("etag")), (Some("no-store"), None));
            assert_eq!(answer.json()["time_zone"], "UTC");
        }
        t.stand_ins.fault(Source::Clerk, None);
        assert_eq!(profile(&t.alice).await["state"], "ok");
        t.stand_ins.fault(Source::Clerk, Some(Fault::clerk_too_many(30)));
        assert_eq!(profile(&t.alice).await["state"], "unavailable");
        // The pause that Clerk asks for holds for everybody.
        t.stand_ins.fault(Source::Clerk, None);
        let before = asked(&t).len();
        assert_eq!(profile(&t.bob).await["state"], "unavailable");
        assert_eq!(asked(&t).len(), before);
    }

    async fn a_name_is_corrected_at_clerk_and_kept_nowhere(t: TestApp) {
        let before = account(&t.alice).await;
        let names = json!({ "first_name": "  Zyxwvu ", "last_name": "Qponml" });
        let answer = t.alice.patch("/v1/account", names).send().await.expect(200);
        assert_eq!(answer.json(), before, "a name is no setting");
        assert_eq!(profile(&t.alice).await["first_name"], "Zyxwvu");
        let both = json!({ "last_name": null, "time_zone": "Asia/Tokyo" });
        let answer = t.alice.patch("/v1/account", both).send().await.expect(200);
        assert_eq!(answer.json()["time_zone"], "Asia/Tokyo");
        let shown = profile(&t.alice).await;
        assert_eq!((&shown["first_name"], &shown["last_name"]), (&json!("Zyxwvu"), &Value::Null));
        t.stand_ins.put_user(json!({ "id": "user_alice", "first_name": "Zyxwvu", "email_addresses": [{ "id": "idn_1", "email_address": "zyxwvu@example.org" }] }));
        profile(&t.alice).await;
        for place in [kept(&t).await, log::text()] {
            let place = place.to_lowercase();
            assert!(place.contains("asia/tokyo") || place.contains("/v1/account"), "it is the right place");
            for text in ["zyxwvu", "qponml", "user_alice"] {
                assert!(!place.contains(text), "{text}");
            }
        }
    }

    async fn what_is_wrong_is_said_before_clerk_is_asked(t: TestApp) {
        let patch = |body: Value| t.alice.patch("/v1/account", body);
        let wrong = patch(json!({ "first_name": " ", "last_name": "\t", "time_zone": "Mars/Olympus", "language": "xx-nowhere" }));
        let wrong = wrong.send().await.expect_problem(422, "invalid_settings");
        assert_eq!(wrong.pointers(), ["/first_name", "/language", "/last_name", "/time_zone"]);
        let long = patch(json!({ "first_name": "é".repeat(201) })).send().await.expect(422);
        assert_eq!(long.pointers(), ["/first_name"]);
        patch(json!({ "first_name": "" })).send().await.expect(422);
        patch(json!({ "username": "x" })).send().await.expect(422);
        let stale = patch(json!({ "first_name": "Ada" })).header("If-Match", "\"999.0\"").send().await;
        let stale = stale.expect_problem(412, "revision_conflict");
        assert_eq!(stale.json()["current"], account(&t.alice).await);
        assert_eq!(asked(&t), [""; 0]);
        patch(json!({ "first_name": "é".repeat(200) })).send().await.expect(200);
        assert_eq!(asked(&t), ["PATCH"]);
    }

    async fn where_clerk_refuses_nothing_is_changed(t: TestApp) {
        let before = account(&t.alice).await;
        let patch = || t.alice.patch("/v1/account", json!({ "first_name": "Ada", "time_zone": "Asia/Tokyo" })).send();
        for (fault, retry_after) in [
            (Fault::clerk_internal(), "5"), (Fault::Close, "5"),
            (Fault::json(403, &json!({ "errors": [] })), "5"), (Fault::Hang, "5"),
        ] {
            t.stand_ins.fault(Source::Clerk, Some(fault));
            let refused = patch().await.expect_problem(503, "clerk_unavailable");
            assert_eq!(refused.header("retry-after"), Some(retry_after));
        }
        let invalid = json!({ "errors": [{ "code": "form_param_invalid", "meta": { "param_name": "first_name" } }] });
        t.stand_ins.fault(Source::Clerk, Some(Fault::json(422, &invalid)));
        assert_eq!(patch().await.expect_problem(422, "invalid_settings").pointers(), ["/first_name"]);
        assert_eq!(account(&t.alice).await, before);
        t.stand_ins.fault(Source::Clerk, None);
        assert_eq!(patch().await.expect(200).json()["time_zone"], "Asia/Tokyo");
        assert_eq!(profile(&t.alice).await["first_name"], "Ada");
        t.stand_ins.fault(Source::Clerk, Some(Fault::clerk_too_many(42)));
        let name = json!({ "first_name": "Eve" });
        let refused = t.alice.patch("/v1/account", name).send().await.expect_problem(503, "clerk_unavailable");
        assert_eq!(refused.header("retry-after"), Some("42"));
    }

    async fn nobody_changes_a_name_in_the_persons_name(t: TestApp) {
        let support = t.impersonated("alice");
        account(&support).await;
        let refused = support.patch("/v1/account", json!({ "first_name": "Mallory" })).send().await;
        refused.expect_problem(403, "impersonated");
        support.patch("/v1/account", json!({ "last_name": null, "time_zone": "Asia/Tokyo" })).send().await.expect(403);
        assert_eq!(account(&t.alice).await["time_zone"], "UTC");
        assert_eq!(profile(&t.alice).await["first_name"], "Alice");
        support.patch("/v1/account", json!({ "time_zone": "Asia/Tokyo" })).send().await.expect(200);
    }

    async fn without_a_key_the_profile_is_not_configured(t: TestApp) {
        let t = t.restart(|config| config.clerk.backend.secret_key = None).await;
        assert_eq!(profile(&t.alice).await, json!({ "state": "not_configured", "email_addresses": [] }));
        let patch = t.alice.patch("/v1/account", json!({ "first_name": "Ada", "time_zone": "Asia/Tokyo" }));
        patch.send().await.expect_problem(501, "clerk_not_configured");
        assert_eq!(account(&t.alice).await["time_zone"], "UTC");
        assert_eq!(asked(&t), [""; 0]);
    }
}

//! The end of an account: everything is gone, at once and for good, here and at Clerk.

use std::collections::BTreeSet;
use std::time::Duration;

use omnitrack::clerk::account_id;
use omnitrack::db::{execute, row};
use omnitrack::demo::standin::{Fault, Source};
use omnitrack::erasure::TABLES;
use poem::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::coverage::{call, furnish};
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::persona::Persona;
use crate::support::titles::{MOVIE, SERIES};
use crate::support::{both, operations, rows};

const ACCOUNT: &str = "/v1/account";
const PATIENCE: Duration = Duration::from_secs(30);

/// Alice's account in the database.
fn alices() -> Uuid {
    account_id("user_alice")
}

async fn receipt(t: &TestApp, id: &Value) -> Value {
    t.anon.get(&format!("/v1/deletions/{}", id.as_str().unwrap())).send().await.expect(200).json()
}

/// Waits until the receipt says so.
async fn told(t: &TestApp, id: &Value, member: &str, value: impl Fn(&Value) -> bool) -> Value {
    let look = async {
        loop {
            let receipt = receipt(t, id).await;
            if value(&receipt[member]) {
                return receipt;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("the receipt says so in time")
}

async fn delete(who: &Persona) -> Answer {
    who.delete(ACCOUNT).send().await
}

/// A row in every table that an account may have rows in, whoever writes there.
async fn furnish_everything(t: &TestApp, who: &Persona) {
    furnish(who).await;
    who.delete(&format!("/v1/library/{SERIES}/comments/{}", "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a002"))
        .send()
        .await
        .expect(204);
    let batch = json!({
        "cursor": who.get("/v1/sync").send().await.expect(200).json()["cursor"],
        "mutations": [{ "id": "5b1c7e2a-0f4d-4c9b-8a37-2e6d90c1b4aa", "made_at": "2026-01-01T00:00:00.000Z",
            "kind": "comment", "key": format!("{SERIES}/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a0ff"), "base_revision": 1,
            "create": true, "set": { "body": "Said again" } }],
    });
    who.post("/v1/sync", batch).send().await.expect(200);
    let account = account_id("user_alice");
    for sql in [
        "INSERT INTO device (account_id, id, model, os_version, app_version, revision, created_at, updated_at) \
         VALUES ($1, $1, 'iPhone17,1', '26.1', '1.0', 1, 1, 1)",
        "INSERT INTO push_token (token, environment, account_id, device_id, registered_at) \
         VALUES ('token', 'sandbox', $1, $1, 1)",
        "INSERT INTO consent (account_id, policy, revision, version, decision, decided_at) \
         VALUES ($1, 'privacy', 1, '1', 'accepted', 1)",
        "INSERT INTO export (account_id, id, format, created_at, expires_at) VALUES ($1, $1, 'zip', 1, 9000000000000)",
        "INSERT INTO import (account_id, id, state, position, report, created_at, updated_at) \
         VALUES ($1, $1, 'done', 0, '{}', 1, 1)",
        "INSERT INTO import_part (account_id, import_id, number, content) VALUES ($1, $1, 0, $2)",
        "INSERT INTO idempotency_key (account_id, key, operation, request, result, created_at) \
         VALUES ($1, 'key', 'createExport', $2, $1, 9000000000000)",
        "INSERT INTO pending_episodes (account_id, media_id, revision, watched) VALUES ($1, 'tv:tmdb:1399', 99, TRUE)",
    ] {
        let mut values = vec![account.into()];
        if sql.contains("$2") {
            values.push(vec![1_u8, 2, 3].into());
        }
        execute(t.app.db.shared(), sql, values).await.unwrap();
    }
    if !t.is_sqlite() {
        return;
    }
    let filled: BTreeSet<String> =
        rows::of_account(t, account).await.into_iter().map(|(name, _)| name).collect();
    let mut expected: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    expected.remove("clerk_deletion");
    assert_eq!(filled, expected, "every table has a row of alice's");
}

both! {
    async fn the_list_of_tables_is_the_databases_own(t: TestApp) {
        let listed: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
        assert_eq!(rows::tables_with(&t, "account_id").await, listed);
    }

    async fn everything_is_gone_at_once_here_and_at_clerk(t: TestApp) {
        t.stop_jobs().await;
        furnish_everything(&t, &t.alice).await;
        furnish(&t.bob).await;
        let bobs = rows::of_account(&t, account_id("user_bob")).await;
        let answer = delete(&t.alice).await.expect(202).json();
        assert_eq!(answer["state"], "erased");
        assert_eq!(answer["clerk"], "done");
        assert_eq!(answer["reason"], "person");
        assert_eq!(rows::of_account(&t, alices()).await, []);
        assert!(t.stand_ins.user("user_alice").is_none(), "Clerk has deleted her");
        assert_eq!(rows::of_account(&t, account_id("user_bob")).await, bobs, "nobody else is touched");
        t.bob.get(ACCOUNT).send().await.expect(200);
        // The token lives on, and the mark is all that answers.
        t.alice.get(ACCOUNT).send().await.expect_problem(401, "account_erased");
        assert_eq!(delete(&t.alice).await.expect(202).json()["id"], answer["id"]);
        assert_eq!(receipt(&t, &answer["id"]).await["erased_at"], answer["erased_at"]);
        let left = "SELECT COALESCE(language, '') || time_zone FROM account WHERE id = $1 AND created_at = 0 \
                    AND updated_at = 0 AND revision = 0 AND stamps IS NULL AND erased_at IS NOT NULL";
        let left = row(t.app.db.read(), left, [alices().into()]).await.unwrap().expect("a mark");
        assert_eq!(left.try_get_by_index::<String>(0).unwrap(), "UTC");
    }

    async fn a_receipt_is_shown_to_whoever_has_its_number(t: TestApp) {
        let id = delete(&t.alice).await.expect(202).json()["id"].clone();
        assert_eq!(receipt(&t, &id).await["clerk"], "done");
        let text = receipt(&t, &id).await.to_string();
        assert!(!text.contains("alice") && !text.contains(&alices().to_string()), "{text}");
        let other = "/v1/deletions/0f3c9c52-1b7e-4a39-8a0e-5d2f6b7c8d01";
        t.anon.get(other).send().await.expect_problem(404, "not_found");
        t.anon.get("/v1/deletions/alice").send().await.expect(400);
        // Where SQLite keeps the files, the bytes are wiped within minutes.
        if t.is_sqlite() {
            told(&t, &id, "wiped_at", Value::is_string).await;
        } else {
            assert!(receipt(&t, &id).await.get("wiped_at").is_none());
        }
    }

    async fn no_request_brings_it_back_at_any_instance(t: TestApp) {
        furnish(&t.alice).await;
        let there = t.another(|_| ()).await;
        there.seen_by(&t.alice).get(ACCOUNT).send().await.expect(200);
        // While Clerk still has the user.
        t.stand_ins.fault(Source::Clerk, Some(Fault::clerk_internal()));
        let answer = delete(&t.alice).await.expect(202).json();
        assert_eq!(answer["clerk"], "pending");
        for who in [t.alice.clone(), there.seen_by(&t.alice)] {
            for operation in operations::all().iter().filter(|operation| operation.secured) {
                let answer = call(&who, operation).await;
                if operation.id == "deleteAccount" {
                    answer.expect(202);
                } else {
                    answer.expect_problem(401, "account_erased");
                }
            }
        }
        assert_eq!(
            rows::of_account(&t, alices()).await.into_iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["clerk_deletion"],
        );
    }

    async fn writes_at_another_instance_lose_against_the_deletion(t: TestApp) {
        let there = t.another(|_| ()).await;
        let writer = there.seen_by(&t.alice);
        writer.put(&format!("/v1/library/{MOVIE}"), json!({ "status": "backlog" })).send().await.expect(201);
        let writes = tokio::spawn(async move {
            let mut refused = 0;
            for number in 1..10_000 {
                let path = format!("/v1/library/movie:tmdb:{number}");
                let answer = writer.put(&path, json!({ "status": "dropped", "rating": 3 })).send().await;
                match answer.status {
                    200 | 201 => assert_eq!(refused, 0, "a write went through after one was refused"),
                    // Two processes may meet on one SQLite file.
                    503 => {}
                    _ => {
                        answer.expect_problem(401, "account_erased");
                        refused += 1;
                    }
                }
                if refused == 5 {
                    return;
                }
            }
        });
        let mut answer = delete(&t.alice).await;
        while answer.status == 503 {
            answer = delete(&t.alice).await;
        }
        answer.expect(202);
        writes.await.unwrap();
        assert_eq!(rows::of_account(&t, alices()).await, []);
    }

    async fn clerk_is_asked_until_it_confirms(t: TestApp) {
        t.alice.get(ACCOUNT).send().await.expect(200);
        for fault in [Fault::clerk_internal(), Fault::Close, Fault::Html, Fault::clerk_too_many(0)] {
            let name = format!("person{}", Uuid::new_v4().simple());
            let who = t.persona(&name);
            who.get(ACCOUNT).send().await.expect(200);
            t.stand_ins.fault(Source::Clerk, Some(fault));
            let id = delete(&who).await.expect(202).json()["id"].clone();
            assert_eq!(receipt(&t, &id).await["clerk"], "pending");
            assert!(t.stand_ins.user(&format!("user_{name}")).is_some());
            t.stand_ins.fault(Source::Clerk, None);
            // Not to wait for the pauses between attempts.
            t.sql("UPDATE clerk_deletion SET next_attempt_at = 0").await;
            let done = told(&t, &id, "clerk", |state| state == "done").await;
            assert!(done["clerk_done_at"].is_string(), "{done}");
            assert!(t.stand_ins.user(&format!("user_{name}")).is_none());
            let waiting = row(t.app.db.shared(), "SELECT 1 FROM clerk_deletion", []).await.unwrap();
            assert!(waiting.is_none(), "Clerk's id of the person is not kept any longer");
        }
    }

    async fn an_attempt_that_fails_is_put_off_and_not_forgotten(t: TestApp) {
        t.stop_jobs().await;
        t.alice.get(ACCOUNT).send().await.expect(200);
        t.stand_ins.fault(Source::Clerk, Some(Fault::clerk_too_many(120)));
        delete(&t.alice).await.expect(202);
        let order = "SELECT attempts, next_attempt_at FROM clerk_deletion";
        let order = row(t.app.db.shared(), order, []).await.unwrap().expect("an order");
        let wait = order.try_get_by_index::<i64>(1).unwrap() - omnitrack::clock::now();
        assert_eq!(order.try_get_by_index::<i32>(0).unwrap(), 1);
        assert!((100_000..=120_000).contains(&wait), "as long as Clerk said: {wait} ms");
        // Not due: nobody asks.
        let asked = t.stand_ins.requests(Source::Clerk).len();
        assert_eq!(omnitrack::erasure::at_clerk::round(&t.app.db, &t.app.users).await.unwrap(), 0);
        assert_eq!(t.stand_ins.requests(Source::Clerk).len(), asked);
    }

    async fn who_is_gone_at_clerk_already_is_done(t: TestApp) {
        t.alice.get(ACCOUNT).send().await.expect(200);
        let secret = omnitrack::config::Secret::new("user_alice");
        t.app.users.delete(&secret).await.unwrap();
        assert_eq!(delete(&t.alice).await.expect(202).json()["clerk"], "done");
    }

    async fn without_access_to_clerk_the_receipt_says_so(t: TestApp) {
        let t = t.restart(|config| config.clerk.backend.secret_key = None).await;
        furnish(&t.alice).await;
        let answer = delete(&t.alice).await.expect(202).json();
        assert_eq!(answer["clerk"], "not_configured");
        assert_eq!(rows::of_account(&t, alices()).await, [], "nor is Clerk's id kept");
        t.alice.get(ACCOUNT).send().await.expect_problem(401, "account_erased");
    }

    async fn somebody_else_in_the_persons_name_may_not(t: TestApp) {
        furnish(&t.alice).await;
        let support = t.impersonated("alice");
        support.get(ACCOUNT).send().await.expect(200);
        delete(&support).await.expect_problem(403, "impersonated");
        support.request(Method::POST, "/v1/account/restore").send().await.expect_problem(403, "impersonated");
        t.alice.get(&format!("/v1/library/{SERIES}")).send().await.expect(200);
    }

    async fn open_streams_end(t: TestApp) {
        let mut own = t.alice.get("/v1/sync/events").listen().await;
        let mut bobs = t.bob.get("/v1/sync/events").listen().await;
        own.revision().await;
        let begun = bobs.revision().await;
        delete(&t.alice).await.expect(202);
        own.expect_bye().await;
        t.bob.put(&format!("/v1/library/{MOVIE}"), json!({ "status": "backlog" })).send().await.expect(201);
        assert!(bobs.revision().await > begun, "other streams go on");
    }

    async fn a_new_account_at_clerk_is_a_new_account_here(t: TestApp) {
        furnish(&t.alice).await;
        delete(&t.alice).await.expect(202);
        // Clerk gives whoever signs up again an id of its own.
        let again = t.persona("alice_again");
        let library = again.get("/v1/library").send().await.expect(200);
        assert_eq!(library.items(), Vec::<Value>::new());
        assert_eq!(again.get("/v1/lists").send().await.expect(200).items(), Vec::<Value>::new());
    }

    async fn days_of_grace(t: TestApp) {
        let t = t.restart(|config| config.retention.grace_days = 30).await;
        furnish(&t.alice).await;
        let before = rows::of_account(&t, alices()).await;
        let mut stream = t.alice.get("/v1/sync/events").listen().await;
        stream.revision().await;
        let asked = delete(&t.alice).await.expect(202).json();
        assert_eq!(asked["state"], "scheduled");
        assert_eq!(asked["clerk"], "pending");
        stream.expect_bye().await;
        assert!(t.stand_ins.user("user_alice").is_some(), "Clerk hears nothing of it");
        for operation in operations::all().iter().filter(|operation| operation.secured) {
            if ["deleteAccount", "restoreAccount", "getAccount", "createExport", "listExports"]
                .contains(&operation.id.as_str())
            {
                continue;
            }
            let refused = call(&t.alice, operation).await.expect_problem(403, "account_deletion_pending");
            assert_eq!(refused.json()["due_at"], asked["due_at"], "{}", operation.id);
        }
        t.alice.get(ACCOUNT).send().await.expect(200);
        assert_eq!(delete(&t.alice).await.expect(202).json(), asked, "asked again it says the same");
        assert_eq!(receipt(&t, &asked["id"]).await, asked);
        // Taken back.
        let restore = || t.alice.request(Method::POST, "/v1/account/restore").send();
        restore().await.expect(200);
        restore().await.expect(200);
        t.anon.get(&format!("/v1/deletions/{}", asked["id"].as_str().unwrap())).send().await.expect(404);
        t.alice.get("/v1/library").send().await.expect(200);
        assert_eq!(rows::of_account(&t, alices()).await, before, "as if nothing had been");
        // At once after all.
        delete(&t.alice).await.expect(202);
        let now = t.alice.delete("/v1/account?now=true").send().await.expect(202).json();
        assert_eq!((&now["state"], &now["clerk"]), (&json!("erased"), &json!("done")));
        assert_eq!(rows::of_account(&t, alices()).await, []);
        restore().await.expect_problem(401, "account_erased");
    }

    async fn when_the_days_of_grace_are_over(t: TestApp) {
        let t = t.restart(|config| config.retention.grace_days = 1).await;
        furnish(&t.alice).await;
        furnish(&t.bob).await;
        let asked = delete(&t.alice).await.expect(202).json();
        delete(&t.bob).await.expect(202);
        t.sql(&format!(
            "UPDATE account SET deletion_due_at = 1 WHERE deletion_due_at IS NOT NULL AND id = {}",
            literal(&t, alices())
        ))
        .await;
        let done = told(&t, &asked["id"], "clerk", |state| state == "done").await;
        assert_eq!(done["state"], "erased");
        assert_eq!(rows::of_account(&t, alices()).await, []);
        t.alice.get(ACCOUNT).send().await.expect_problem(401, "account_erased");
        t.bob.get("/v1/library").send().await.expect_problem(403, "account_deletion_pending");
    }

    async fn marks_and_receipts_go_when_their_time_is_over(t: TestApp) {
        use omnitrack::erasure::retention::{forget_marks, forget_receipts};
        t.stop_jobs().await;
        let (db, now) = (t.app.db.clone(), omnitrack::clock::now() + 1_000);
        let alices = delete(&t.alice).await.expect(202).json()["id"].clone();
        t.stand_ins.fault(Source::Clerk, Some(Fault::clerk_internal()));
        let bobs = delete(&t.bob).await.expect(202).json()["id"].clone();
        assert_eq!(forget_marks(&db, now - 100_000).await.unwrap(), 0, "too early");
        assert_eq!(forget_receipts(&db, now).await.unwrap(), 0, "a mark names it");
        // Bob's stays until Clerk has confirmed.
        assert_eq!(forget_marks(&db, now).await.unwrap(), 1);
        assert_eq!(forget_receipts(&db, now).await.unwrap(), 1);
        t.anon.get(&format!("/v1/deletions/{}", alices.as_str().unwrap())).send().await.expect(404);
        assert_eq!(receipt(&t, &bobs).await["clerk"], "pending");
        t.bob.get(ACCOUNT).send().await.expect_problem(401, "account_erased");
    }

    async fn one_instance_at_a_time_has_a_lease(t: TestApp) {
        let there = t.another(|_| ()).await;
        let hour = Duration::from_secs(3600);
        let own = t.app.db.lease("something", hour).await.unwrap().expect("nobody has it");
        assert!(there.app.db.lease("something", hour).await.unwrap().is_none());
        assert!(there.app.db.lease("else", hour).await.unwrap().is_some());
        own.done(Duration::ZERO).await.unwrap();
        // Who dies with it has it until its time is over.
        let lost = there.app.db.lease("something", Duration::ZERO).await.unwrap();
        assert!(lost.is_some());
        assert!(t.app.db.lease("something", hour).await.unwrap().is_some());
    }

    async fn the_page_for_people_lists_what_is_removed(t: TestApp) {
        let page = t.anon.get("/account-deletion").send().await.expect(200).text();
        for table in TABLES {
            assert!(page.contains(table.holds), "{}", table.name);
        }
        assert!(page.contains("at once and cannot be taken back"));
        let t = t.restart(|config| config.retention.grace_days = 14).await;
        let page = t.anon.get("/account-deletion").send().await.expect(200).text();
        assert!(page.contains("after 14 days"));
    }
}

/// An id as SQL has it.
pub fn literal(t: &TestApp, id: Uuid) -> String {
    if t.is_sqlite() { format!("X'{}'", id.simple()) } else { format!("'{id}'") }
}

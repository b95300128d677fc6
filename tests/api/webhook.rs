//! What Clerk tells by itself: only with its signature, and only the deletion of a user counts.

use omnitrack::clerk::account_id;
use omnitrack::demo::standin::CLERK_WEBHOOK_SIGNING_SECRET;
use poem::http::Method;
use serde_json::{Value, json};
use svix::webhooks::Webhook;

use crate::coverage::furnish;
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::{both, log, rows};

const DOOR: &str = "/webhooks/clerk";

fn now() -> i64 {
    omnitrack::clock::now() / 1000
}

fn deleted(user: &str) -> Value {
    json!({
        "data": { "deleted": true, "id": user, "object": "user" },
        "event_attributes": { "http_request": { "client_ip": "203.0.113.9", "user_agent": "canary-agent" } },
        "object": "event", "timestamp": 1_661_861_640_000_i64, "type": "user.deleted",
    })
}

/// A message as it comes, signed over `signed` and sent with `sent`.
async fn deliver(t: &TestApp, id: &str, at: i64, signed: &str, sent: &str) -> Answer {
    let signature =
        Webhook::new(CLERK_WEBHOOK_SIGNING_SECRET).unwrap().sign(id, at, signed.as_bytes()).unwrap();
    let call = t.anon.request(Method::POST, DOOR).body(sent, "application/json");
    call.header("svix-id", id)
        .header("svix-timestamp", &at.to_string())
        .header("svix-signature", &signature)
        .send()
        .await
}

async fn tell(t: &TestApp, id: &str, event: &Value) -> Answer {
    let text = event.to_string();
    deliver(t, id, now(), &text, &text).await
}

async fn is_there(t: &TestApp) -> bool {
    t.alice.get("/v1/account").send().await.status == 200
}

both! {
    async fn a_user_deleted_at_clerk_is_erased_here(t: TestApp) {
        furnish(&t.alice).await;
        furnish(&t.bob).await;
        let bobs = rows::of_account(&t, account_id("user_bob")).await;
        tell(&t, "msg_1", &deleted("user_alice")).await.expect(204);
        t.alice.get("/v1/account").send().await.expect_problem(401, "account_erased");
        assert_eq!(rows::of_account(&t, account_id("user_alice")).await, []);
        assert_eq!(rows::of_account(&t, account_id("user_bob")).await, bobs);
        let again = t.alice.delete("/v1/account").send().await.expect(202).json();
        assert_eq!((&again["reason"], &again["clerk"]), (&json!("clerk"), &json!("done")));
        // Sent again, under the same id and another one.
        tell(&t, "msg_1", &deleted("user_alice")).await.expect(204);
        tell(&t, "msg_2", &deleted("user_alice")).await.expect(204);
        assert_eq!(t.alice.delete("/v1/account").send().await.expect(202).json()["id"], again["id"]);
    }

    async fn a_user_that_was_never_seen_does_not_come_later(t: TestApp) {
        tell(&t, "msg_1", &deleted("user_alice")).await.expect(204);
        t.alice.get("/v1/account").send().await.expect_problem(401, "account_erased");
    }

    async fn what_comes_after_the_person_asked_confirms_it(t: TestApp) {
        use omnitrack::demo::standin::{Fault, Source};
        t.stop_jobs().await;
        t.alice.get("/v1/account").send().await.expect(200);
        t.stand_ins.fault(Source::Clerk, Some(Fault::clerk_internal()));
        let asked = t.alice.delete("/v1/account").send().await.expect(202).json();
        assert_eq!(asked["clerk"], "pending");
        tell(&t, "msg_1", &deleted("user_alice")).await.expect(204);
        let now = t.anon.get(&format!("/v1/deletions/{}", asked["id"].as_str().unwrap())).send().await;
        let now = now.expect(200).json();
        assert_eq!((&now["clerk"], &now["reason"]), (&json!("done"), &json!("person")));
        assert_eq!(rows::of_account(&t, account_id("user_alice")).await, [], "nor is Clerk's id kept");
    }

    async fn a_deletion_in_its_days_of_grace_is_carried_out(t: TestApp) {
        let t = t.restart(|config| config.retention.grace_days = 7).await;
        let asked = t.alice.delete("/v1/account").send().await.expect(202).json();
        tell(&t, "msg_1", &deleted("user_alice")).await.expect(204);
        let done = t.alice.delete("/v1/account").send().await.expect(202).json();
        assert_eq!((&done["id"], &done["state"], &done["clerk"]), (&asked["id"], &json!("erased"), &json!("done")));
    }

    async fn what_is_not_signed_by_clerk_counts_for_nothing(t: TestApp) {
        assert!(is_there(&t).await);
        let text = deleted("user_alice").to_string();
        let refused = [
            // Another body than the one that was signed.
            deliver(&t, "msg_1", now(), &deleted("user_bob").to_string(), &text).await,
            // Rewritten: what was signed are the bytes.
            deliver(&t, "msg_1", now(), &text, &format!("{text} ")).await,
            // Too old, too new: five minutes are allowed.
            deliver(&t, "msg_1", now() - 310, &text, &text).await,
            deliver(&t, "msg_1", now() + 310, &text, &text).await,
            t.anon.request(Method::POST, DOOR).body(text.clone(), "application/json").send().await,
        ];
        for answer in refused {
            answer.expect_problem(400, "invalid_signature");
        }
        // A session token opens nothing here.
        t.alice.request(Method::POST, DOOR).body(text.clone(), "application/json").send().await.expect(400);
        let large = " ".repeat(64 * 1024 + 1);
        deliver(&t, "msg_1", now(), &large, &large).await.expect_problem(413, "body_too_large");
        assert!(is_there(&t).await);
        deliver(&t, "msg_1", now() - 290, &text, &text).await.expect(204);
        assert!(!is_there(&t).await, "the same with a signature that fits");
    }

    async fn all_else_is_acknowledged_and_ignored(t: TestApp) {
        assert!(is_there(&t).await);
        let user = json!({ "id": "user_alice", "first_name": "canary-name", "email_addresses": [] });
        for (number, text) in [
            json!({ "type": "user.created", "data": user, "object": "event" }).to_string(),
            json!({ "type": "user.updated", "data": user, "object": "event" }).to_string(),
            json!({ "type": "session.ended", "data": { "id": "sess_1" } }).to_string(),
            json!({ "type": "something.new" }).to_string(),
            json!({ "type": "user.deleted", "data": { "object": "user", "deleted": true } }).to_string(),
            json!({ "type": "user.deleted", "data": { "id": "org_alice" } }).to_string(),
            json!({ "type": "user.deleted", "data": { "id": 7 } }).to_string(),
            "canary-no-json".to_owned(),
        ]
        .into_iter()
        .enumerate()
        {
            deliver(&t, &format!("msg_{number}"), now(), &text, &text).await.expect(204);
        }
        assert!(is_there(&t).await);
        let log = log::text();
        assert!(!log.contains("canary-n") && !log.contains("canary-agent") && !log.contains("203.0.113.9"));
    }

    async fn without_a_secret_nothing_is_accepted(t: TestApp) {
        let t = t.restart(|config| config.clerk.webhook_secret = None).await;
        assert!(is_there(&t).await);
        let answer = tell(&t, "msg_1", &deleted("user_alice")).await;
        answer.expect_problem(503, "webhooks_not_configured");
        assert!(is_there(&t).await);
    }
}

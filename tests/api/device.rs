//! Devices, and the push token that belongs to one of them in all the world.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::persona::Persona;

const DEVICES: &str = "/v1/account/devices";
const PHONE: &str = "/v1/account/devices/c2a6e0f4-3b0d-4a7e-8f55-91d7a3b60c01";
const TABLET: &str = "/v1/account/devices/c2a6e0f4-3b0d-4a7e-8f55-91d7a3b60c02";
const TOKEN: &str = "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad";

fn device(push: Value) -> Value {
    json!({ "model": "iPhone17,1", "os_version": "26.1", "app_version": "3.2.0", "push": push })
}

fn push(token: &str) -> Value {
    json!({ "token": token, "environment": "production" })
}

async fn token_of(who: &Persona, path: &str) -> Value {
    who.get(path).send().await.expect(200).json()["push"]["token"].clone()
}

/// The number of the account's last change.
async fn head(who: &Persona) -> Value {
    who.get("/v1/sync/head").send().await.expect(200).json()["revision"].clone()
}

/// Who has a token, as the table says: one row for each.
async fn tokens(t: &TestApp) -> usize {
    omnitrack::db::rows(t.app.db.read(), "SELECT token FROM push_token", []).await.unwrap().len()
}

both! {
    async fn a_device_registers_changes_and_is_forgotten(t: TestApp) {
        t.alice.get(PHONE).send().await.expect_problem(404, "not_found");
        let made = t.alice.put(PHONE, device(push(TOKEN))).send().await.expect(201);
        assert_eq!((&made.json()["model"], &made.json()["push"]), (&json!("iPhone17,1"), &push(TOKEN)));
        let revision = head(&t.alice).await;
        assert_eq!(made.json()["revision"], revision);
        let same = t.alice.put(PHONE, device(push(TOKEN))).send().await.expect(200);
        assert_eq!((same.json(), same.etag()), (made.json(), made.etag()));
        assert_eq!(head(&t.alice).await, revision, "nothing has changed");
        t.alice.get(PHONE).header("If-None-Match", &made.etag()).send().await.expect(304);

        let moved = t.alice.put(PHONE, device(json!({ "token": TOKEN, "environment": "sandbox" }))).send().await.expect(200);
        assert_eq!(moved.json()["push"]["environment"], "sandbox");
        let stale = t.alice.put(PHONE, device(Value::Null)).header("If-Match", &made.etag()).send().await;
        let stale = stale.expect_problem(412, "revision_conflict");
        assert_eq!(stale.json()["current"], moved.json());
        let silent = t.alice.put(PHONE, device(Value::Null)).header("If-Match", &moved.etag()).send().await.expect(200);
        assert_eq!((silent.json().get("push"), tokens(&t).await), (None, 0));

        t.alice.put(PHONE, device(push("another"))).send().await.expect(200);
        t.alice.delete(PHONE).header("If-Match", &made.etag()).send().await.expect(412);
        t.alice.delete(PHONE).send().await.expect(204);
        assert_eq!(tokens(&t).await, 0, "the token goes with it");
        t.alice.delete(PHONE).send().await.expect(204);
        t.alice.delete(PHONE).header("If-Match", "*").send().await.expect(412);
        t.alice.get(PHONE).send().await.expect(404);
        t.alice.put(PHONE, device(Value::Null)).send().await.expect(201);
    }

    async fn what_a_device_says_is_held_to_its_form(t: TestApp) {
        let put = |body: Value| t.alice.put(PHONE, body).send();
        for (body, pointers) in [
            (device(json!({ "token": TOKEN })), vec!["/push/environment"]),
            (device(json!({ "environment": "sandbox" })), vec!["/push/token"]),
            (device(json!({ "token": "", "environment": "sandbox" })), vec!["/push/token"]),
            (device(json!({ "token": "x".repeat(513), "environment": "sandbox" })), vec!["/push/token"]),
            (device(json!({ "token": "tökén", "environment": "sandbox" })), vec!["/push/token"]),
            (device(json!({ "token": "x", "environment": "beta" })), vec!["/push/environment"]),
            (device(json!({ "token": "x", "environment": "sandbox", "more": 1 })), vec!["/push/more"]),
            (json!({ "model": "é".repeat(101), "os_version": "", "name": "Alice's" }), vec!["/app_version", "/model", "/name", "/os_version"]),
        ] {
            assert_eq!(put(body).await.expect(422).pointers(), pointers);
        }
        t.alice.put("/v1/account/devices/phone", device(Value::Null)).send().await.expect(400);
        assert_eq!(t.alice.get(DEVICES).send().await.expect(200).items(), [] as [Value; 0]);
        put(device(push(&"x".repeat(512)))).await.expect(201);
    }

    async fn a_token_is_taken_over_by_who_registers_it_last(t: TestApp) {
        t.alice.put(PHONE, device(push(TOKEN))).send().await.expect(201);
        t.alice.put(TABLET, device(push(TOKEN))).send().await.expect(201);
        assert_eq!((token_of(&t.alice, PHONE).await, token_of(&t.alice, TABLET).await), (Value::Null, json!(TOKEN)));
        // Under the very same id, as after signing out and in as somebody else.
        let seen = t.alice.get(TABLET).send().await.expect(200);
        let revision = head(&t.alice).await;
        t.bob.put(TABLET, device(push(TOKEN))).send().await.expect(201);
        assert_eq!((token_of(&t.alice, TABLET).await, token_of(&t.bob, TABLET).await), (Value::Null, json!(TOKEN)));
        t.alice.get(TABLET).header("If-None-Match", &seen.etag()).send().await.expect(200);
        assert_eq!(head(&t.alice).await, revision, "bob writes nothing of alice's");
        assert_eq!(tokens(&t).await, 1);
        // Alice's tablet has none to lose.
        t.alice.delete(TABLET).send().await.expect(204);
        assert_eq!(token_of(&t.bob, TABLET).await, TOKEN);
        t.alice.put(TABLET, device(push(TOKEN))).send().await.expect(201);
        t.alice.put(TABLET, device(push("new"))).send().await.expect(200);
        assert_eq!((token_of(&t.bob, TABLET).await, tokens(&t).await), (Value::Null, 1));
    }

    async fn two_accounts_that_register_a_token_at_once_end_with_one_owner(t: TestApp) {
        for round in 0..20 {
            let token = format!("token-{round}");
            let calls = [(&t.alice, PHONE), (&t.bob, PHONE), (&t.alice, TABLET), (&t.bob, TABLET)].map(|(who, path)| {
                tokio::spawn(who.put(path, device(push(&token))).send())
            });
            for call in calls {
                let answer = call.await.unwrap();
                assert!([200, 201].contains(&answer.status), "{}", answer.text());
            }
            let mut owners = 0;
            for (who, path) in [(&t.alice, PHONE), (&t.bob, PHONE), (&t.alice, TABLET), (&t.bob, TABLET)] {
                owners += usize::from(token_of(who, path).await == token.as_str());
            }
            assert_eq!(owners, 1, "{token}");
        }
        assert!(tokens(&t).await <= 4, "one a device at most");
    }

    async fn devices_are_listed_oldest_first_and_bounded(t: TestApp) {
        let path = |number: usize| format!("{DEVICES}/c2a6e0f4-3b0d-4a7e-8f55-91d7a3b60d{number:02}");
        for number in 0..50 {
            t.alice.put(&path(number), device(push(&format!("t{number}")))).send().await.expect(201);
        }
        let full = t.alice.put(&path(50), device(Value::Null)).send().await.expect_problem(409, "limit_reached");
        assert_eq!(full.json()["detail"], "at most 50 devices");
        t.alice.put(&path(0), device(Value::Null)).send().await.expect(200);
        let first = t.alice.get(&format!("{DEVICES}?limit=20")).send().await.expect(200);
        let rest = format!("{DEVICES}?limit=30&cursor={}", first.next_cursor().unwrap());
        let rest = t.alice.get(&rest).send().await.expect(200);
        assert_eq!(rest.next_cursor(), None);
        let models: Vec<Value> = first.items().into_iter().chain(rest.items()).map(|one| one["id"].clone()).collect();
        assert_eq!(models, (0..50).map(|number| json!(path(number).rsplit('/').next())).collect::<Vec<_>>());
        assert_eq!(t.bob.get(DEVICES).send().await.expect(200).items(), [] as [Value; 0]);
        t.alice.delete(&path(7)).send().await.expect(204);
        t.alice.put(&path(50), device(Value::Null)).send().await.expect(201);
        t.alice.get(&format!("{DEVICES}?cursor=made-up")).send().await.expect_problem(400, "invalid_cursor");
    }
}

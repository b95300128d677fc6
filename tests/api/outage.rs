//! Outages of Clerk and of the database: each says what it is, none signs anybody out, and every answer
//! comes within the time-out.

use std::time::Duration;

use omnitrack::demo::standin::{Fault, Source};
use omnitrack::http;
use poem::EndpointExt as _;
use sea_orm::{ConnectionTrait as _, Database, TransactionTrait as _};
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::persona::Persona;

/// How long a recovery is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Repeats a call that may fail with 503, and with nothing else, until it succeeds. Returns how often it
/// failed.
async fn recovered(who: &Persona, path: &str, code: &str) -> usize {
    let repeated = async {
        for failures in 0.. {
            let answer = who.get(path).send().await;
            if answer.status == 200 {
                return failures;
            }
            assert!(answer.expect_problem(503, code).header("retry-after").is_some());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        0
    };
    tokio::time::timeout(PATIENCE, repeated).await.expect("it recovers")
}

both! {
    async fn clerk_keys_out_of_reach_sign_nobody_out(t: TestApp) {
        t.alice.get("/v1/account").send().await.expect(200);
        t.anon.get("/readyz").send().await.expect(200);
        t.stand_ins.fault(Source::Clerk, Some(Fault::json(502, &json!({}))));
        let t = t.restart(|_| ()).await;
        let answer = t.alice.get("/v1/account").send().await.expect_problem(503, "clerk_unavailable");
        assert_eq!(answer.header("retry-after"), Some("5"));
        let ready = t.anon.get("/readyz").send().await.expect_problem(503, "not_ready");
        assert_eq!(ready.json()["detail"], "clerk keys not fetched");
        t.anon.get("/healthz").send().await.expect(200);
        // What cannot be a token under any key is still refused.
        let mut nonsense = t.anon.clone();
        nonsense.token = Some("nonsense".to_owned());
        nonsense.get("/v1/account").send().await.expect_problem(401, "unauthorized");

        t.stand_ins.fault(Source::Clerk, None);
        recovered(&t.anon, "/readyz", "not_ready").await;
        t.alice.get("/v1/account").send().await.expect(200);
    }
}

#[tokio::test]
async fn the_time_out_holds_while_a_key_is_looked_up() {
    let t = TestApp::sqlite().await;
    t.stand_ins.fault(Source::Clerk, Some(Fault::Hang));
    let t = t.restart(|_| ()).await;
    // The fetch itself would be given up after five seconds, with another code.
    let impatient = http::endpoint(&t.app).with_timeout(Duration::from_millis(50));
    let alice = t.alice.at(impatient.map_to_response());
    alice.get("/v1/account").send().await.expect_problem(503, "timed_out");
}

#[tokio::test]
async fn the_time_out_holds_while_the_account_is_looked_up() {
    let Some(t) = TestApp::postgres().await else { return };
    t.alice.get("/v1/account").send().await.expect(200);
    let other = Database::connect(t.app.config.database_url.expose()).await.unwrap();
    let lock = other.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE account IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let impatient = http::endpoint(&t.app).with_timeout(Duration::from_millis(50));
    let alice = t.alice.at(impatient.map_to_response());
    let answer = tokio::time::timeout(PATIENCE, alice.get("/v1/account").send()).await.expect("an answer");
    assert!(answer.expect_problem(503, "timed_out").header("retry-after").is_some());
    lock.rollback().await.unwrap();
    recovered(&t.alice, "/v1/account", "busy").await;
}

#[tokio::test]
async fn connections_that_the_database_cuts_are_an_outage() {
    let Some(mut t) = TestApp::postgres().await else { return };
    t.stop_jobs().await;
    t.alice.get("/v1/account").send().await.expect(200);
    let other = Database::connect(t.app.config.database_url.expose()).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    other.execute_unprepared(cut).await.unwrap();
    let failures = recovered(&t.alice, "/v1/account", "database_unavailable").await;
    assert!((1..=16).contains(&failures), "at most one for each connection: {failures}");

    t.alice.put("/v1/library/movie:tmdb:603", json!({ "status": "backlog" })).send().await.expect(201);
    other.execute_unprepared(cut).await.unwrap();
    for number in 1..40 {
        let path = format!("/v1/library/movie:tmdb:{number}");
        let answer = t.alice.put(&path, json!({ "status": "backlog" })).send().await;
        if answer.status != 201 {
            answer.expect_problem(503, "database_unavailable");
        }
    }
    t.alice.put("/v1/library/movie:tmdb:99", json!({ "status": "backlog" })).send().await.expect(201);
}

//! Changes of one account wait for each other and not for the connections of all.

use std::time::Duration;

use omnitrack::db::rows;
use serde_json::json;

use crate::support::app::TestApp;

const PATIENCE: Duration = Duration::from_secs(20);

fn entry(number: u32) -> String {
    format!("/v1/library/movie:tmdb:{number}")
}

/// On PostgreSQL changes of one account would wait for its row, each with a connection.
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_one_account_take_one_connection() {
    let Some(t) = TestApp::postgres().await else { return };
    t.alice.put(&entry(1), json!({ "status": "backlog" })).send().await.expect(201);
    t.bob.put(&entry(1), json!({ "status": "backlog" })).send().await.expect(201);
    let held = t.app.db.shared().begin().await.unwrap();
    rows(&held, "SELECT id FROM account ORDER BY created_at, id LIMIT 1 FOR UPDATE", []).await.unwrap();
    let alice_first = rows(&held, "SELECT id FROM account ORDER BY created_at, id", []).await.unwrap().len();
    assert!(alice_first >= 2);
    // Whoever of the two is held has thirty writes that wait.
    let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                 AND datname = current_database() AND query LIKE 'UPDATE account%'";
    let mut calls = Vec::new();
    for number in 2..32 {
        for who in [&t.alice, &t.bob] {
            let who = who.clone();
            calls.push(tokio::spawn(async move {
                who.put(&entry(number), json!({ "status": "backlog" })).send().await.status
            }));
        }
    }
    let waiting = async {
        while rows(t.app.db.read(), waits, []).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("a change waits for the row");
    let someone = t.persona("carol");
    for number in 1..=20 {
        someone.put(&entry(number), json!({ "status": "backlog" })).send().await.expect(201);
    }
    assert_eq!(rows(t.app.db.read(), waits, []).await.unwrap().len(), 1, "one connection waits");
    held.rollback().await.unwrap();
    for call in calls {
        let status = call.await.unwrap();
        assert!(status == 201 || status == 503, "{status}");
    }
}

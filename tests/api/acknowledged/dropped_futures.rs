//! Requests whose future is dropped at each await point of the write path, in process, beside writers whose
//! requests are answered.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use super::ledger::{Findings, Ledger};
use super::traffic::Traffic;
use super::writer::path;
use crate::support::app::TestApp;
use crate::support::both;
use crate::support::persona::{Call, Persona};
use crate::support::process::Service;

/// No request of these takes so many steps.
const MOST_POLLS: usize = 2_000;

/// When a future is dropped.
#[derive(Debug, Clone, Copy)]
enum Drops {
    /// At once after this many polls: what it waits for is under way.
    Waiting,
    /// When it is woken after this many polls: what it waited for is done, and nobody takes the result.
    Woken,
}

/// Polls a request so many times and drops it; whether it was answered before.
async fn polled(call: Call, polls: usize, drops: Drops) -> bool {
    let mut answer = pin!(call.send());
    let mut done = 0;
    poll_fn(|context| {
        if done == polls {
            return Poll::Ready(false);
        }
        done += 1;
        match answer.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if done == polls && matches!(drops, Drops::Waiting) => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The writes whose futures are dropped; the last one ends the account.
fn doomed(who: &Persona, turn: usize) -> Vec<Call> {
    let entry = format!("/v1/library/movie:tmdb:{}", 1000 + turn);
    let id = uuid::Uuid::new_v4();
    vec![
        who.put(&entry, json!({ "status": "completed", "rating": 1 + turn % 100 })),
        who.put(&format!("{entry}/review"), json!({ "body": format!("review {turn}") })),
        who.put(&format!("{entry}/comments/{id}"), json!({ "body": "a comment" })),
        who.put(&format!("/v1/lists/{id}"), json!({ "name": "a list" })),
        who.put("/v1/library/tv:tmdb:1399/episodes/1/1", json!({})),
        who.patch("/v1/account", json!({ "progress_sets_status": turn.is_multiple_of(2) })),
        who.delete(&entry),
        who.delete("/v1/account"),
    ]
}

/// Drops each write after every number of polls until it is answered first; gives how many were dropped.
async fn drop_everywhere(t: &TestApp) -> usize {
    let mut dropped = 0;
    for drops in [Drops::Waiting, Drops::Woken] {
        let mut left = vec![true; doomed(&t.alice, 0).len()];
        for polls in 1..MOST_POLLS {
            // A person of their own, since the last of the writes ends the account.
            let who = t.persona(&format!("unlucky{drops:?}{polls}"));
            for (number, call) in doomed(&who, polls).into_iter().enumerate() {
                if left[number] {
                    let waited = tokio::time::timeout(PATIENCE, polled(call, polls, drops)).await;
                    left[number] = !waited.expect("a dropped request holds up nobody");
                    dropped += usize::from(left[number]);
                }
            }
            if !left.contains(&true) {
                break;
            }
        }
        assert!(!left.contains(&true), "every write is answered in the end");
    }
    dropped
}

/// Writes until told to stop, and remembers what was acknowledged.
async fn write(
    who: Persona,
    mut ledger: Ledger,
    acknowledged: Arc<AtomicUsize>,
    stop: CancellationToken,
) -> Ledger {
    for title in 1.. {
        if stop.is_cancelled() {
            break;
        }
        ledger.sent(title, Some(70));
        let call = who.put(&path(title), json!({ "status": "backlog", "rating": 70 }));
        let answer = tokio::time::timeout(PATIENCE, call.send()).await.expect("writers are not held up");
        if (200..300).contains(&answer.status) {
            ledger.confirmed(title, Some(70));
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }
    ledger
}

both! {
    async fn dropped_futures_do_not_undo_writes_of_others(t: TestApp) {
        t.stop_jobs().await;
        let (stop, acknowledged) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let mut writers = Vec::new();
        for number in 0..3 {
            let name = format!("writer{number}");
            let token = t.stand_ins.token(&name, Duration::from_secs(3600));
            let ledger = Ledger::new(&name, token);
            writers.push(tokio::spawn(write(t.persona(&name), ledger, acknowledged.clone(), stop.clone())));
        }
        let dropped = drop_everywhere(&t).await;
        stop.cancel();
        let mut ledgers = Vec::new();
        for writer in writers {
            ledgers.push(writer.await.expect("a writer"));
        }
        println!("{dropped} futures dropped, {} writes acknowledged", acknowledged.load(Ordering::Relaxed));
        let service = Service::start(&t.stand_ins, t.app.config.database_url.expose());
        let traffic = Traffic::new(service.address);
        let mut findings = Findings::default();
        for ledger in ledgers {
            ledger.check(&traffic, true, &mut findings).await;
        }
        findings.expect_nothing_lost("futures dropped");
        // And the service that they were dropped in still writes.
        let token = t.alice.token.clone().unwrap();
        t.alice.put(&path(1), json!({ "status": "backlog" })).send().await.expect(201);
        let seen = traffic.send(Method::GET, &path(1), &token, None).await.expect("an answer");
        assert_eq!(seen.status, 200);
    }
}

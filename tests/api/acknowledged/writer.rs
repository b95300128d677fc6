//! People who write and remember what was acknowledged to them.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::ledger::{Erasure, Ledger};
use super::traffic::{Reply, Traffic};

/// Mutations of one batch.
const BATCH: u32 = 3;

/// Writes entries of one account: one by one, changes and deletions of them, and batches of a device.
pub struct Writer {
    traffic: Traffic,
    ledger: Ledger,
    random: StdRng,
    titles: u32,
    stop: CancellationToken,
}

impl Writer {
    pub fn new(traffic: Traffic, ledger: Ledger, seed: u64, stop: CancellationToken) -> Self {
        Self { traffic, ledger, random: StdRng::seed_from_u64(seed), titles: 0, stop }
    }

    pub async fn run(mut self) -> Vec<Ledger> {
        while !self.stop.is_cancelled() {
            let answered = match self.random.random_range(0..10) {
                0 | 1 => self.again().await,
                2 => self.batch().await,
                _ => {
                    self.titles += 1;
                    self.put(self.titles).await
                }
            };
            if !answered {
                // Nobody listens, or the service failed: others shall have the processor meanwhile.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        vec![self.ledger]
    }

    async fn put(&mut self, title: u32) -> bool {
        let rating = self.random.random_range(1..=100);
        self.ledger.sent(title, Some(rating));
        let body = json!({ "status": "backlog", "rating": rating });
        let reply = self.traffic.write(Method::PUT, &path(title), &self.ledger.token, Some(&body)).await;
        let done = reply.is_some_and(|reply| reply.is_success());
        if done {
            self.ledger.confirmed(title, Some(rating));
        }
        done
    }

    /// Changes or deletes an entry that is there for certain.
    async fn again(&mut self) -> bool {
        let there: Vec<u32> =
            self.ledger.certain().into_iter().filter_map(|(title, state)| state.map(|_| title)).collect();
        let Some(title) = there.choose(&mut self.random).copied() else { return true };
        if self.random.random_bool(0.5) {
            return self.put(title).await;
        }
        self.ledger.sent(title, None);
        let reply = self.traffic.write(Method::DELETE, &path(title), &self.ledger.token, None).await;
        let done = reply.is_some_and(|reply| reply.is_success());
        if done {
            self.ledger.confirmed(title, None);
        }
        done
    }

    async fn batch(&mut self) -> bool {
        let token = self.ledger.token.clone();
        let first = self.traffic.send(Method::GET, "/v1/sync?limit=1", &token, None).await;
        let Some(page) = first.filter(Reply::is_success) else { return false };
        let new: Vec<(u32, i64)> =
            (1..=BATCH).map(|number| (self.titles + number, self.random.random_range(1..=100))).collect();
        self.titles += BATCH;
        let mutation = |(title, rating): &(u32, i64)| -> Value {
            json!({
                "id": uuid::Uuid::new_v4(), "made_at": "2026-01-01T00:00:00.000Z", "kind": "entry",
                "key": format!("movie:tmdb:{title}"), "base_revision": 0, "create": true,
                "set": { "status": "backlog", "rating": rating },
            })
        };
        let mutations: Vec<Value> = new.iter().map(mutation).collect();
        for (title, rating) in &new {
            self.ledger.sent(*title, Some(*rating));
        }
        let body = json!({ "cursor": page.json()["cursor"], "mutations": mutations });
        let reply = self.traffic.write(Method::POST, "/v1/sync", &token, Some(&body)).await;
        let Some(reply) = reply.filter(Reply::is_success) else { return false };
        let answer = reply.json();
        for ((title, rating), result) in new.into_iter().zip(answer["results"].as_array().expect("results")) {
            assert_eq!(result["outcome"], "applied", "{answer}");
            self.ledger.confirmed(title, Some(rating));
        }
        true
    }
}

/// People who write a little and then erase their account, one after the other.
pub struct Leaver {
    pub traffic: Traffic,
    pub people: Vec<Ledger>,
    pub stop: CancellationToken,
}

impl Leaver {
    pub async fn run(mut self) -> Vec<Ledger> {
        for ledger in &mut self.people {
            for title in 1..=3 {
                if self.stop.is_cancelled() {
                    return self.people;
                }
                ledger.sent(title, Some(50));
                let body = json!({ "status": "backlog", "rating": 50 });
                let reply = self.traffic.write(Method::PUT, &path(title), &ledger.token, Some(&body)).await;
                match reply {
                    Some(reply) if reply.is_success() => ledger.confirmed(title, Some(50)),
                    _ => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
            ledger.erasure = Erasure::Asked;
            let reply = self.traffic.write(Method::DELETE, "/v1/account", &ledger.token, None).await;
            if reply.is_some_and(|reply| reply.is_success() && reply.json()["state"] == "erased") {
                ledger.erasure = Erasure::Acknowledged;
            }
        }
        self.people
    }
}

pub fn path(title: u32) -> String {
    format!("/v1/library/movie:tmdb:{title}")
}

//! Requests over HTTP to wherever the program listens now, and how many of them were acknowledged.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::Value;

use super::PATIENCE;
use crate::support::process::client;

/// An answer that arrived as a whole.
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

#[derive(Clone)]
pub struct Traffic {
    client: Client,
    shared: Arc<Shared>,
}

struct Shared {
    address: Mutex<SocketAddr>,
    acknowledged: AtomicUsize,
    refused: AtomicUsize,
    cut: AtomicUsize,
    /// Answers that blame the writer.
    wrong: Mutex<Vec<String>>,
    /// How long the last answered write took: the measure for when clients are cut off.
    usual: Mutex<Duration>,
}

impl Traffic {
    pub fn new(address: SocketAddr) -> Self {
        let shared = Shared {
            address: Mutex::new(address),
            acknowledged: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            cut: AtomicUsize::new(0),
            wrong: Mutex::default(),
            usual: Mutex::new(Duration::from_millis(5)),
        };
        Self { client: client(), shared: Arc::new(shared) }
    }

    pub fn address(&self) -> SocketAddr {
        *self.shared.address.lock().unwrap()
    }

    /// Leads requests to another address from now on.
    pub fn moved(&self, address: SocketAddr) {
        *self.shared.address.lock().unwrap() = address;
    }

    /// Sends a request; `None` unless the whole answer arrived.
    pub async fn send(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Option<Reply> {
        let url = format!("http://{}{path}", self.address());
        let mut call = self.client.request(method, url).bearer_auth(token);
        if let Some(body) = body {
            call = call.header("content-type", "application/json").body(body.to_string());
        }
        let answer = call.send().await.ok()?;
        let status = answer.status().as_u16();
        Some(Reply { status, body: answer.bytes().await.ok()?.to_vec() })
    }

    /// Like [`Traffic::send`], and counts what became of the write. Only a success or a failure of the service
    /// is right: nothing that a writer sends is wrong.
    pub async fn write(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Option<Reply> {
        let asked = Instant::now();
        let reply = self.send(method, path, token, body).await?;
        if reply.is_success() {
            self.shared.acknowledged.fetch_add(1, Ordering::Relaxed);
            *self.shared.usual.lock().unwrap() = asked.elapsed();
        } else {
            if reply.status < 500 {
                let text = String::from_utf8_lossy(&reply.body);
                self.shared.wrong.lock().unwrap().push(format!("{path}: {} {text}", reply.status));
            }
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
        }
        Some(reply)
    }

    pub fn acknowledged(&self) -> usize {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// Writes that were answered with a failure.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Answers that blamed a writer, who did nothing wrong.
    pub fn wrong(&self) -> Vec<String> {
        self.shared.wrong.lock().unwrap().clone()
    }

    /// Requests whose client went away.
    pub fn cut(&self) -> usize {
        self.shared.cut.load(Ordering::Relaxed)
    }

    pub fn count_cut(&self) {
        self.shared.cut.fetch_add(1, Ordering::Relaxed);
    }

    /// A moment of the time that a write takes, or shortly after it.
    pub fn moment(&self, part: f64) -> Duration {
        self.shared.usual.lock().unwrap().mul_f64(1.3 * part)
    }

    /// Waits until the counts are as `enough` wants them. Whether they got there within [`PATIENCE`].
    pub async fn reaches(&self, enough: impl Fn(&Self) -> bool) -> bool {
        let reached = async {
            while !enough(self) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.is_ok()
    }
}

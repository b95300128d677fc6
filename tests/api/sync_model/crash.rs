//! The program is killed at any moment, most of all while it has a batch before it; the device repeats the
//! batch to the program started again.

use std::net::SocketAddr;
use std::time::Duration;

use rand::Rng as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::history::{History, MEDIA, batch};
use crate::support::persona::Persona;
use crate::support::process::Program;

/// The program, and what its deaths have met so far.
pub struct Crashes {
    program: Program,
    /// How long the last batch took that nobody disturbed.
    pub usual: Duration,
    /// Batches that were heard before the kill, and those that were not.
    pub heard: usize,
    pub unheard: usize,
}

/// When the program is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// With a part of the request before it: so much of the whole.
    Asked(f64),
    /// So long after the request, measured by how long an answer usually takes.
    Working(f64),
    /// When the answer begins.
    Answering,
}

impl Crashes {
    /// Titles are looked up beforehand: filling them in would change what is compared.
    pub async fn new(program: Program) -> Self {
        let first = program.persona("first");
        for id in MEDIA {
            let path = format!("/v1/library/{id}");
            first.put(&path, json!({ "status": "backlog" })).send().await.expect(201);
            while first.get(&path).send().await.expect(200).json()["media"].is_null() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Self { program, usual: Duration::from_millis(20), heard: 0, unheard: 0 }
    }

    pub fn persona(&self, name: &str) -> Persona {
        self.program.persona(name)
    }

    /// Kills the program at this moment of a request and starts it again; tells what came of the answer.
    async fn cut(&mut self, request: &[u8], moment: Moment) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.program.address()).await.unwrap();
        let mut answer = Vec::new();
        match moment {
            Moment::Asked(part) => {
                let length = (request.len() as f64 * part) as usize;
                stream.write_all(&request[..length]).await.unwrap();
            }
            Moment::Working(part) => {
                stream.write_all(request).await.unwrap();
                tokio::time::sleep(self.usual.mul_f64(part)).await;
            }
            Moment::Answering => {
                stream.write_all(request).await.unwrap();
                answer.push(stream.read_u8().await.unwrap());
            }
        }
        self.program.kill();
        // A reset instead of an end is as good.
        let _ = stream.read_to_end(&mut answer).await;
        self.program.start_again();
        answer
    }
}

/// A request as it is on the wire.
fn post(address: SocketAddr, who: &Persona, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let token = who.token.as_deref().unwrap_or_default();
    format!(
        "POST /v1/sync HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

impl History<'_> {
    fn moment(&mut self) -> Moment {
        let part = self.random.random_range(0.0..1.0);
        match self.random.random_range(0..6) {
            0 => Moment::Asked(part),
            1 => Moment::Answering,
            _ => Moment::Working(1.2 * part),
        }
    }

    async fn head(&mut self) -> i64 {
        self.anyone().get("/v1/sync/head").send().await.expect(200).json()["revision"].as_i64().unwrap()
    }

    /// The program is killed while it has a batch of this device before it, or nothing if the device has
    /// nothing to send. The device repeats the batch until it has the answer, and each repeat may meet
    /// the same end.
    pub(super) async fn crash(&mut self, device: usize) {
        let count = self.random.random_range(1..=4).min(self.devices[device].outbox.len());
        let cursor = self.devices[device].replica.cursor.clone().unwrap();
        let mutations = self.devices[device].outbox[..count].to_vec();
        let (before, who) = (self.head().await, self.anyone());
        let mut answered = false;
        loop {
            let (moment, again) = (self.moment(), self.random.random_bool(0.25));
            let crashes = self.crashes.as_mut().unwrap();
            if mutations.is_empty() {
                crashes.program.kill();
                return crashes.program.start_again();
            }
            let request = post(crashes.program.address(), &who, &batch(&mutations, &cursor));
            answered |= crashes.cut(&request, moment).await.starts_with(b"HTTP/1.1 200");
            if !again {
                break;
            }
        }
        let moved = self.head().await > before;
        let answer = who.post("/v1/sync", batch(&mutations, &cursor)).send().await.expect(200).json();
        let fresh = answer["results"].as_array().unwrap().iter().any(|result| result["duplicate"] == false);
        let heard = self.agree(&mutations, &answer, true);
        assert!(!fresh || !answered, "an answer had begun: {answer:#}");
        assert!(!fresh || !moved, "the account had moved on: {answer:#}");
        let crashes = self.crashes.as_mut().unwrap();
        *(if heard { &mut crashes.heard } else { &mut crashes.unheard }) += 1;
        self.devices[device].outbox.drain(..count);
    }
}

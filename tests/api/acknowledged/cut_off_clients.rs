//! Clients that close their socket, or reset their HTTP/2 stream, at any moment of a write.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::crowd::Crowd;
use super::traffic::Traffic;
use crate::support::database::Database;
use crate::support::process::Program;

const ROUNDS: usize = 4;
/// Of each round, before the kill.
const ACKNOWLEDGED: usize = 250;
const CUT: usize = 500;

/// A write that nobody will hear the answer of.
struct Doomed {
    method: &'static str,
    path: String,
    body: String,
}

/// Somebody whose connections break.
struct Unlucky {
    traffic: Traffic,
    tokens: Vec<String>,
    random: StdRng,
    stop: CancellationToken,
}

impl Unlucky {
    fn next(&mut self) -> (String, Doomed) {
        let title = self.random.random_range(1..=200);
        let token = self.tokens.last().cloned().unwrap_or_default();
        let put =
            |path: String, body: serde_json::Value| Doomed { method: "PUT", path, body: body.to_string() };
        let doomed = match self.random.random_range(0..12) {
            0 if self.tokens.len() > 1 => {
                self.tokens.pop();
                Doomed { method: "DELETE", path: "/v1/account".into(), body: String::new() }
            }
            1 | 2 => {
                let path = format!("/v1/library/movie:tmdb:{title}");
                Doomed { method: "DELETE", path, body: String::new() }
            }
            3 | 4 => put(format!("/v1/lists/{}", uuid::Uuid::new_v4()), json!({ "name": "a list" })),
            _ => put(
                format!("/v1/library/movie:tmdb:{title}"),
                json!({ "status": "backlog", "rating": self.random.random_range(1..=100) }),
            ),
        };
        (token, doomed)
    }

    fn moment(&mut self) -> Duration {
        self.traffic.moment(self.random.random_range(0.0..1.0))
    }

    /// Closes its socket before the answer.
    async fn close_sockets(mut self) {
        while !self.stop.is_cancelled() {
            let (token, doomed) = self.next();
            let moment = self.moment();
            if self.close_one(&token, &doomed, moment).await.is_ok() {
                self.traffic.count_cut();
            } else {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }

    async fn close_one(&self, token: &str, doomed: &Doomed, moment: Duration) -> std::io::Result<()> {
        let address = self.traffic.address();
        let mut socket = TcpStream::connect(address).await?;
        let Doomed { method, path, body } = doomed;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).await?;
        // Whatever comes first: the moment, or the answer.
        let _ = tokio::time::timeout(moment, socket.read_u8()).await;
        Ok(())
    }

    /// Resets its streams before the answer.
    async fn reset_streams(mut self) {
        while !self.stop.is_cancelled() {
            if self.reset_on_one_connection().await.is_none() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }

    async fn reset_on_one_connection(&mut self) -> Option<()> {
        let address = self.traffic.address();
        let io = TokioIo::new(TcpStream::connect(address).await.ok()?);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.ok()?;
        let connection = tokio::spawn(connection);
        for _ in 0..20 {
            let (token, doomed) = self.next();
            let request = Request::builder()
                .method(doomed.method)
                .uri(format!("http://{address}{}", doomed.path))
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .body(Full::new(Bytes::from(doomed.body)))
                .ok()?;
            let moment = self.moment();
            // A response future that is dropped resets its stream.
            match tokio::time::timeout(moment, sender.send_request(request)).await {
                Ok(Err(_)) => return None,
                Ok(Ok(_)) | Err(_) => self.traffic.count_cut(),
            }
        }
        connection.abort();
        Some(())
    }
}

fn unlucky(crowd: &Crowd, round: usize, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let somebody = |number: u64| Unlucky {
        traffic: crowd.traffic.clone(),
        tokens: (0..20).map(|turn| crowd.token(&format!("unlucky{round}n{number}t{turn}"))).collect(),
        random: StdRng::seed_from_u64(crowd.seed + 1000 * round as u64 + number),
        stop: stop.clone(),
    };
    let sockets = (0..4).map(|number| tokio::spawn(somebody(number).close_sockets()));
    let streams = (4..8).map(|number| tokio::spawn(somebody(number).reset_streams()));
    sockets.chain(streams).collect()
}

async fn what_others_wrote_is_kept(database: Database) {
    let mut crowd = Crowd::new(Program::start(database));
    let mut findings = super::ledger::Findings::default();
    for round in 1..=ROUNDS {
        let at_work = crowd.start();
        let unlucky = unlucky(&crowd, round, &at_work.stop);
        let (acknowledged, cut) = (crowd.traffic.acknowledged() + ACKNOWLEDGED, crowd.traffic.cut() + CUT);
        let enough = |traffic: &Traffic| traffic.acknowledged() >= acknowledged && traffic.cut() >= cut;
        let reached = crowd.traffic.reaches(enough).await;
        crowd.kill(at_work).await;
        for task in unlucky {
            task.await.expect("somebody unlucky");
        }
        findings = crowd.check().await;
        assert!(reached, "{findings:#?}: writes are no longer acknowledged");
    }
    println!("{} requests cut off", crowd.traffic.cut());
    findings.expect_nothing_lost("clients cut off, program killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_clients_do_not_undo_writes_of_others_on_sqlite() {
    what_others_wrote_is_kept(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_clients_do_not_undo_writes_of_others_on_postgres() {
    let Some(database) = Database::postgres() else { return };
    what_others_wrote_is_kept(database).await;
}

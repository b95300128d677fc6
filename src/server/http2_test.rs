//! HTTP/2 clients that leave unread what they ask for, that stay without asking, or that take every place.

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};

use super::*;

/// A client on one connection. What it does not read stays at the server.
struct Client {
    send: SendRequest<Bytes>,
    /// Ends when the connection does.
    driver: JoinHandle<()>,
}

impl Client {
    /// Connects; the server may send `window` bytes of each answer.
    async fn connect(server: &Running, window: u32) -> Self {
        let stream = server.connect().await;
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(window).initial_connection_window_size(16 * 1024 * 1024);
        let (send, connection) = builder.handshake::<_, Bytes>(stream).await.expect("HTTP/2");
        let driver = tokio::spawn(async move { drop(connection.await) });
        Self { send, driver }
    }

    fn ask(&mut self, path: &str) -> ResponseFuture {
        let request = hyper::Request::get(format!("http://localhost{path}")).body(()).expect("a request");
        self.send.send_request(request, true).expect("sent").0
    }

    async fn status(&mut self, path: &str) -> u16 {
        self.send = soon(self.send.clone().ready()).await.expect("ready");
        soon(self.ask(path)).await.expect("an answer").status().as_u16()
    }
}

/// A server whose budgets hold few answers of `/large`, each of them 1 MiB.
fn limited(times: Times) -> Running {
    let mebibytes = |count: usize| count * 1024 * 1024;
    start_with(times, None, 64, |server| {
        server.limits = Limits {
            connection: mebibytes(3),
            address: mebibytes(6),
            instance: mebibytes(12),
            connections_per_address: 8,
        };
    })
}

/// As many answers of `/large` as the client can ask for, none of which it reads.
async fn hoard(client: &mut Client) -> (usize, Vec<ResponseFuture>) {
    let mut answered = 0;
    let mut open = Vec::new();
    for _ in 0..20 {
        client.send = soon(client.send.clone().ready()).await.expect("ready");
        let mut response = client.ask("/large");
        match timeout(Duration::from_secs(5), &mut response).await {
            Ok(Ok(response)) if response.status() == 200 => answered += 1,
            _ => continue,
        }
        open.push(response);
    }
    (answered, open)
}

#[tokio::test]
async fn unread_answers_of_a_connection_and_an_address_are_bounded() {
    let server = limited(Times { room: Duration::from_millis(20), ..patient() });
    let mut clients = Vec::new();
    let mut answered = 0;
    for _ in 0..4 {
        // No window at all: the server can send no byte of a body.
        let mut client = Client::connect(&server, 0).await;
        let (of_connection, open) = hoard(&mut client).await;
        assert!(of_connection <= 3, "{of_connection}");
        answered += of_connection;
        clients.push((client, open));
    }
    assert!((4..=6).contains(&answered), "{answered}");
    // The writes of this address are still answered: they have happened.
    drop(clients);
    let mut client = Client::connect(&server, 0).await;
    eventually(async || client.status("/large").await == 200).await;
}

#[tokio::test]
async fn connection_with_an_answer_that_is_not_taken_is_closed() {
    let server = limited(Times { unsent: Duration::from_millis(100), ..patient() });
    let mut client = Client::connect(&server, 0).await;
    let response = soon(client.ask("/large")).await.expect("an answer");
    soon(client.driver).await.expect("closed");
    drop(response);
}

#[tokio::test]
async fn open_stream_that_says_nothing_is_not_closed() {
    let brief = Duration::from_millis(50);
    let server = limited(Times { unsent: brief, idle: brief, stall: brief, ..patient() });
    let mut client = Client::connect(&server, 1024).await;
    let mut body = soon(client.ask("/quiet")).await.expect("an answer").into_body();
    assert_eq!(soon(body.data()).await.expect("a word").expect("a word"), "now");
    // Others outlive every limit meanwhile.
    for _ in 0..3 {
        soon(Client::connect(&server, 0).await.driver_after("/").await).await.expect("closed");
    }
    assert!(!client.driver.is_finished());
    server.probe.gate.add_permits(1);
    assert_eq!(soon(body.data()).await.expect("a word").expect("a word"), "later");
}

impl Client {
    /// Asks once, and leaves the connection to itself.
    async fn driver_after(mut self, path: &str) -> JoinHandle<()> {
        self.status(path).await;
        self.driver
    }
}

#[tokio::test]
async fn connection_without_requests_is_closed_whatever_pings_come() {
    let server = limited(Times { idle: Duration::from_millis(100), ..patient() });
    let stream = server.connect().await;
    let (mut send, mut connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let mut pings = connection.ping_pong().expect("the first taker");
    let driver = tokio::spawn(async move { drop(connection.await) });
    let request = hyper::Request::get("http://localhost/").body(()).expect("a request");
    let (response, _) = send.send_request(request, true).expect("sent");
    let mut response = soon(response).await.expect("an answer");
    while soon(response.body_mut().data()).await.is_some() {}
    let pinging = tokio::spawn(async move {
        while pings.ping(h2::Ping::opaque()).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    soon(driver).await.expect("closed");
    soon(pinging).await.expect("no more pings");
}

#[tokio::test]
async fn one_address_cannot_take_every_connection() {
    let server = start_with(patient(), None, 64, |server| server.limits.connections_per_address = 2);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = server.connect().await;
        ask(&mut client, "/").await;
        answer(&mut client).await;
        held.push(client);
    }
    for _ in 0..5 {
        assert_eq!(rest(&mut server.connect().await).await, "");
    }
    held.pop();
    eventually(async || {
        let mut client = server.connect().await;
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        // A refused connection is reset.
        let _ = client.write_all(request).await;
        rest(&mut client).await.starts_with("HTTP/1.1 200 ")
    })
    .await;
}

/// Waits until `check` holds.
async fn eventually(mut check: impl AsyncFnMut() -> bool) {
    soon(async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use poem::http::StatusCode;
use poem::{Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::*;

#[path = "server/http2_test.rs"]
mod http2_test;
#[path = "server/request_test.rs"]
mod request_test;
#[path = "server/tls_test.rs"]
mod tls_test;

/// Long enough to fail a test rather than to hang it, and never reached otherwise.
const STUCK: Duration = Duration::from_secs(20);
const NEVER: Duration = Duration::from_secs(3600);

/// Times that end no test by accident.
fn patient() -> Times {
    Times {
        header: NEVER,
        handshake: NEVER,
        grace: NEVER,
        certificate_poll: Duration::from_millis(5),
        ..Times::default()
    }
}

/// What the endpoint of the tests does: `/` answers at once with the client's address, `/wait` once
/// the gate is opened; `/large` is 1 MiB if it fits, `/read` reads its body; `/endless` never ends; `/quiet` says a word, and another once the gate is opened.
struct Probe {
    hits: AtomicUsize,
    arrived: Notify,
    gate: Semaphore,
}

struct Running {
    addr: SocketAddr,
    probe: Arc<Probe>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

fn start(times: Times, tls: Option<&config::Tls>, max_connections: usize) -> Running {
    start_with(times, tls, max_connections, |_| ())
}

fn start_with(
    times: Times,
    tls: Option<&config::Tls>,
    max_connections: usize,
    change: impl FnOnce(&mut Server),
) -> Running {
    let mut server = Server::bind(([127, 0, 0, 1], 0).into(), tls, max_connections).expect("binds");
    server.times = times;
    change(&mut server);
    let addr = server.local_addr();
    let probe =
        Arc::new(Probe { hits: AtomicUsize::new(0), arrived: Notify::new(), gate: Semaphore::new(0) });
    let shutdown = CancellationToken::new();
    let seen = Arc::clone(&probe);
    let endpoint = poem::endpoint::make(move |mut request: Request| {
        let probe = Arc::clone(&seen);
        async move {
            if let Some(refusal) = request.extensions().get::<Refusal>() {
                let status = match refusal {
                    Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
                    Refusal::Host => StatusCode::BAD_REQUEST,
                };
                return Ok(Response::builder().status(status).finish());
            }
            probe.hits.fetch_add(1, Ordering::SeqCst);
            probe.arrived.notify_one();
            if request.uri().path() == "/wait" {
                probe.gate.acquire().await.expect("open").forget();
            }
            if request.uri().path() == "/endless" {
                let body = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 65_536]));
                return Ok(Response::builder().body(poem::Body::from_bytes_stream(body)));
            }
            if request.uri().path() == "/quiet" {
                let words = futures_util::stream::unfold(Some(probe), |probe| async {
                    let probe = probe?;
                    if probe.hits.fetch_add(1, Ordering::SeqCst) > 1 {
                        probe.gate.acquire().await.expect("open").forget();
                        return Some((Ok::<_, std::io::Error>("later"), None));
                    }
                    Some((Ok("now"), Some(probe)))
                });
                return Ok(Response::builder().body(poem::Body::from_bytes_stream(words)));
            }
            if request.uri().path() == "/large" {
                let mut response = Response::builder().body(vec![b'x'; 1024 * 1024]);
                let delivery = request.extensions().get::<Delivery>().expect("added by the server");
                let fits = delivery.fits(request.method(), &mut response);
                let busy = || Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).finish();
                return Ok(if fits { response } else { busy() });
            }
            if request.uri().path() == "/read" {
                request.take_body().into_vec().await.expect("a body");
            }
            let version = request.version();
            let body = format!("{} {} {version:?}", request.remote_addr(), request.scheme());
            Ok::<_, poem::Error>(Response::builder().body(body))
        }
    });
    let task = tokio::spawn(server.run(endpoint, shutdown.clone()));
    Running { addr, probe, shutdown, task }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.expect("connects")
    }

    async fn ended(self) {
        soon(self.task).await.expect("no panic");
    }
}

async fn soon<F: Future>(future: F) -> F::Output {
    timeout(STUCK, future).await.expect("it happens")
}

async fn ask(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("writes");
}

/// Reads one answer with a `Content-Length`, head and body.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.expect("a length").parse::<usize>().expect("a number") {
                return text;
            }
        }
        let mut buffer = [0; 1024];
        let read = soon(stream.read(&mut buffer)).await.expect("reads");
        assert_ne!(read, 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..read]).expect("text"));
    }
}

/// Waits until the server closes the connection, and returns what it still said.
async fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = soon(stream.read_to_end(&mut rest)).await;
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn the_endpoint_sees_the_clients_address() {
    let server = start(patient(), None, 8);
    let mut client = server.connect().await;
    ask(&mut client, "/").await;
    let text = answer(&mut client).await;
    let expected = format!("socket://{} http HTTP/1.1", client.local_addr().expect("connected"));
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with(&expected), "{text}");
}

#[tokio::test]
async fn who_does_not_finish_a_header_is_disconnected() {
    let server = start(Times { header: Duration::from_millis(50), ..patient() }, None, 8);
    let beginnings =
        ["", "G", "GET / HTTP/1.1\r\nHost: localhost\r\n", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
    for beginning in beginnings {
        let mut client = server.connect().await;
        client.write_all(beginning.as_bytes()).await.expect("writes");
        rest(&mut client).await;
    }
    assert_eq!(server.probe.hits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_slow_answer_is_not() {
    let server = start(Times { header: Duration::from_millis(50), ..patient() }, None, 8);
    let mut client = server.connect().await;
    ask(&mut client, "/wait").await;
    soon(server.probe.arrived.notified()).await;
    // Another connection outlives the limit meanwhile: the first one's answer is later than that.
    rest(&mut server.connect().await).await;
    server.probe.gate.add_permits(1);
    answer(&mut client).await;
    assert_eq!(rest(&mut client).await, "");
}

#[tokio::test]
async fn who_asks_and_does_not_read_is_disconnected() {
    let server = start(Times { stall: Duration::from_millis(50), ..patient() }, None, 1);
    let mut greedy = server.connect().await;
    ask(&mut greedy, "/endless").await;
    // Only one may be connected: this is answered once the other has been cut off.
    let mut next = server.connect().await;
    ask(&mut next, "/").await;
    answer(&mut next).await;
}

#[tokio::test]
async fn a_quiet_answer_is_not_cut_off() {
    let brief = Duration::from_millis(50);
    let server = start(Times { header: brief, stall: brief, ..patient() }, None, 8);
    let mut client = server.connect().await;
    ask(&mut client, "/quiet").await;
    let mut word = [0; 1024];
    let mut text = String::new();
    while !text.contains("now") {
        let read = soon(client.read(&mut word)).await.expect("reads");
        text.push_str(std::str::from_utf8(&word[..read]).expect("text"));
    }
    // Others outlive both limits meanwhile.
    for _ in 0..3 {
        rest(&mut server.connect().await).await;
    }
    server.probe.gate.add_permits(1);
    assert!(rest(&mut client).await.contains("later"));
}

#[tokio::test]
async fn too_many_or_too_long_headers_are_refused() {
    let server = start(patient(), None, 8);
    let request = |count: usize, length: usize| -> String {
        let lines: String = (2..count).map(|n| format!("x-{n}: {}\r\n", "x".repeat(length))).collect();
        format!("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lines}\r\n")
    };
    for (count, status) in [(MAX_HEADERS, "200"), (MAX_HEADERS + 1, "431")] {
        let mut client = server.connect().await;
        client.write_all(request(count, 1).as_bytes()).await.expect("writes");
        let text = rest(&mut client).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
    }
    // The server hangs up before it has read all, which may cost the client its 431.
    let mut client = server.connect().await;
    let _ = client.write_all(request(10, MAX_HEADER_BYTES as usize / 4).as_bytes()).await;
    rest(&mut client).await;
    assert_eq!(server.probe.hits.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_stop() {
    let server = start(patient(), None, 8);
    let mut idle = server.connect().await;
    ask(&mut idle, "/").await;
    answer(&mut idle).await;
    let mut silent = server.connect().await;
    // Answered on a connection made later, so that the silent one has been accepted.
    let mut later = server.connect().await;
    ask(&mut later, "/").await;
    answer(&mut later).await;

    server.shutdown.cancel();
    for client in [&mut idle, &mut silent, &mut later] {
        assert_eq!(rest(client).await, "");
    }
    server.ended().await;
}

#[tokio::test]
async fn a_request_under_way_is_finished_and_no_other_begun() {
    let server = start(patient(), None, 8);
    let mut client = server.connect().await;
    ask(&mut client, "/wait").await;
    soon(server.probe.arrived.notified()).await;

    server.shutdown.cancel();
    // The socket is closed as soon as the stop is noticed; from then on connecting is refused.
    soon(async {
        while TcpStream::connect(server.addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!server.task.is_finished());
    server.probe.gate.add_permits(1);
    assert!(answer(&mut client).await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(rest(&mut client).await, "");
    server.ended().await;
}

#[tokio::test]
async fn a_request_that_outlasts_the_grace_period_is_cut_off() {
    let server = start(Times { grace: Duration::from_millis(20), ..patient() }, None, 8);
    let mut client = server.connect().await;
    ask(&mut client, "/wait").await;
    soon(server.probe.arrived.notified()).await;
    server.shutdown.cancel();
    assert_eq!(rest(&mut client).await, "");
    server.ended().await;
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_one_to_end() {
    let server = start(patient(), None, 1);
    let mut first = server.connect().await;
    ask(&mut first, "/").await;
    answer(&mut first).await;
    let mut second = server.connect().await;
    ask(&mut second, "/").await;
    // While the first is served many times over, the second is not once.
    for _ in 0..50 {
        ask(&mut first, "/").await;
        answer(&mut first).await;
    }
    assert_eq!(server.probe.hits.load(Ordering::SeqCst), 51);
    drop(first);
    answer(&mut second).await;
}

#[tokio::test]
async fn the_stop_is_noticed_while_all_connections_are_taken() {
    let server = start(Times { grace: Duration::from_millis(20), ..patient() }, None, 1);
    let mut client = server.connect().await;
    ask(&mut client, "/wait").await;
    soon(server.probe.arrived.notified()).await;
    server.shutdown.cancel();
    server.ended().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let server = start(patient(), None, 1);
    let error = Server::bind(server.addr, None, 1).err().expect("taken");
    assert_eq!(error.name, "OMNITRACK_LISTEN");
    assert!(error.reason.starts_with(&format!("cannot listen on {}", server.addr)), "{error}");
}

//! One HTTP/1 server on loopback: accepts, records what comes, applies the fault that is set, and
//! otherwise lets the upstream's own code answer. Owns sockets, recording and faults; knows no upstream.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::exchange::{Received, Recorded, Reply};
use super::tee::{Taken, Tee};

/// Requests kept per stand-in; the oldest go first.
pub const RECORDED: usize = 10_000;
/// Bytes of one request's body.
const BODY: usize = 1 << 20;
/// Connections open at once.
const CONNECTIONS: usize = 4096;
/// Chunks of an endless body: 1 GiB, which no client reads.
const ENDLESS: usize = 65_536;

/// What a stand-in does instead of answering.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status, content type and body.
    Status(u16, String, Bytes),
    /// This status with these headers and this body.
    StatusWithHeaders(u16, Vec<(String, String)>, Bytes),
    /// No answer until the fault is changed or cleared; then the real one.
    Hang,
    /// 200 and headers at once, but never a body; the connection breaks when the fault is changed or cleared.
    HangAfterHeaders,
    /// A JSON string that does not end.
    EndlessBody,
    /// 502 with an HTML page, as an edge in front of an upstream sends it.
    Html,
    /// The real answer, this much later.
    Slow(Duration),
    /// The connection is closed without an answer.
    Close,
}

impl Fault {
    /// A JSON answer with this status.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::from(Reply::json(status, body))
    }
}

impl From<Reply> for Fault {
    fn from(reply: Reply) -> Self {
        Self::StatusWithHeaders(reply.status, reply.headers, reply.body)
    }
}

/// What answers where no fault is set.
pub(super) trait Answer: Send + Sync + 'static {
    fn answer(&self, request: &Received) -> Reply;
}

pub(super) struct Listener {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Arc<dyn Answer>,
    recorded: Mutex<VecDeque<Recorded>>,
    arrived: watch::Sender<usize>,
    fault: Mutex<Option<Active>>,
    /// Counts the changes of `fault`: what hangs waits for the next.
    changes: watch::Sender<u64>,
}

struct Active {
    fault: Fault,
    /// How often it still applies; `None` until changed.
    left: Option<usize>,
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

impl Listener {
    /// Takes a free port of loopback.
    pub(super) fn bind() -> io::Result<StdListener> {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// Serves until `stop`, which also cuts every open connection. Needs a Tokio runtime.
    pub(super) fn serve(
        listener: StdListener,
        answer: Arc<dyn Answer>,
        stop: CancellationToken,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let listener = TcpListener::from_std(listener)?;
        let shared = Arc::new(Shared {
            answer,
            recorded: Mutex::default(),
            arrived: watch::Sender::new(0),
            fault: Mutex::default(),
            changes: watch::Sender::new(0),
        });
        let address = listener.local_addr()?;
        runtime.spawn(accept(listener, Arc::clone(&shared), stop));
        Ok(Self { address, shared })
    }

    pub(super) fn requests(&self) -> Vec<Recorded> {
        lock(&self.shared.recorded).iter().cloned().collect()
    }

    pub(super) async fn arrived(&self, count: usize) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.shared.arrived.subscribe().wait_for(|seen| *seen >= count).await;
    }

    pub(super) fn fault(&self, fault: Option<Fault>, left: Option<usize>) {
        *lock(&self.shared.fault) = fault.map(|fault| Active { fault, left });
        self.shared.changes.send_modify(|changes| *changes += 1);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match (accepted, Arc::clone(&room).try_acquire_owned()) {
            (Ok((stream, _)), Ok(permit)) => {
                let (shared, stop) = (Arc::clone(&shared), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = converse(stream, shared) => {}
                    }
                    drop(permit);
                });
            }
            (Ok(_), Err(_)) => {}
            // Out of file handles: waiting a little keeps the loop from spinning.
            (Err(_), _) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let (stream, taken) = Tee::new(stream);
    let service = service_fn(move |request| exchange(Arc::clone(&shared), taken.clone(), request));
    // A connection that breaks is the client's business, and often the very thing under test.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

async fn exchange(
    shared: Arc<Shared>,
    taken: Taken,
    request: Request<Incoming>,
) -> Result<Response<Body>, Closed> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY).collect().await.map_err(|_| Closed)?.to_bytes();
    let received = Received::new(&parts, body);
    let (fault, mut changes) = shared.arrive(received.record(&parts, taken.drain()));
    match fault {
        None => {}
        Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(Fault::Hang) => {
            let _ = changes.changed().await;
        }
        Some(Fault::Close) => return Err(Closed),
        Some(Fault::Status(status, content_type, body)) => {
            return Ok(respond(Reply::new(status, &content_type, body)));
        }
        Some(Fault::StatusWithHeaders(status, headers, body)) => {
            return Ok(respond(Reply { status, headers, body }));
        }
        Some(Fault::Html) => {
            let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>";
            return Ok(respond(Reply::new(502, "text/html", page)));
        }
        Some(Fault::HangAfterHeaders) => {
            let broken = stream::once(async move {
                let _ = changes.changed().await;
                Err(io::Error::from(io::ErrorKind::ConnectionAborted))
            });
            return Ok(streamed(StreamBody::new(broken)));
        }
        Some(Fault::EndlessBody) => {
            let chunks = (0..ENDLESS).map(|at| {
                let chunk =
                    if at == 0 { Bytes::from_static(b"\"") } else { Bytes::from_static(&[b'a'; 16_384]) };
                Ok(Frame::data(chunk))
            });
            return Ok(streamed(StreamBody::new(stream::iter(chunks))));
        }
    }
    Ok(respond(shared.answer.answer(&received)))
}

impl Shared {
    /// Records the request and takes the fault that applies to it, with a view on its next change.
    fn arrive(&self, request: Recorded) -> (Option<Fault>, watch::Receiver<u64>) {
        // Taken first: whoever sees the request arrive may set the next fault at once.
        let taken = self.take_fault();
        let mut recorded = lock(&self.recorded);
        if recorded.len() == RECORDED {
            recorded.pop_front();
        }
        recorded.push_back(request);
        drop(recorded);
        self.arrived.send_modify(|count| *count += 1);
        taken
    }

    fn take_fault(&self) -> (Option<Fault>, watch::Receiver<u64>) {
        let mut current = lock(&self.fault);
        let fault = current.as_ref().map(|active| active.fault.clone());
        if let Some(left) = current.as_mut().and_then(|active| active.left.as_mut()) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                *current = None;
            }
        }
        (fault, self.changes.subscribe())
    }
}

fn respond(reply: Reply) -> Response<Body> {
    let full = Full::new(reply.body).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(full);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        // A header that is none is left out: tests write these by hand.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// 200 with a JSON content type and a body of unknown length.
fn streamed<S>(body: StreamBody<S>) -> Response<Body>
where
    S: futures_util::Stream<Item = io::Result<Frame<Bytes>>> + Send + 'static,
{
    let mut response = Response::new(UnsyncBoxBody::new(body));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

/// What the lock guards is whole after every step, so a panic elsewhere does not spoil it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "listener_test.rs"]
mod tests;

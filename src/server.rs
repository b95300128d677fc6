//! The accept loop: owns the sockets, TLS, the bounds on time and number of connections, and the
//! orderly stop. It hands every request to one poem endpoint and knows nothing of what it does.
//! It exists because the framework's own server bounds neither half-sent headers nor connections.

mod budget;
mod delivery;
mod request;
mod stall;
mod tls;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::http::uri::Scheme;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use poem::http::{HeaderValue, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::config::{self, ConfigError};
use budget::{Connection, Expiry, Instance, Limits};
use delivery::MeteredBody;
pub use delivery::{Delivery, Refusal};
use request::BodyWatch;
use stall::Stall;
use tls::Certificates;

/// Connections the kernel keeps waiting while all of ours are taken.
const BACKLOG: u32 = 1024;
/// Header lines of one HTTP/1 request.
const MAX_HEADERS: usize = 64;
/// Bytes of the header of one request, over either protocol.
const MAX_HEADER_BYTES: u32 = 32 * 1024;
/// Requests under way on one HTTP/2 connection: what RFC 9113, section 6.5.2 recommends as the least.
const MAX_STREAMS: u32 = 100;
/// Bytes of requests that one HTTP/2 stream, and all streams of a connection, may send ahead of their
/// being read.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// Bytes of one answer that HTTP/2 takes out of its body ahead of their being sent.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams that a client has reset before the server accepted them, and streams that the server had to
/// reset, after which the connection is closed (CVE-2023-44487, CVE-2025-8671).
const MAX_RESET_STREAMS: usize = 20;
const MAX_ERROR_STREAMS: usize = 64;

/// How long each wait may take.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// From the connection to its first request, and from one HTTP/1 request to the next: this bounds
    /// a half-sent header as well as an idle connection.
    header: Duration,
    handshake: Duration,
    /// How long a peer may leave what we write unread.
    stall: Duration,
    /// How long a client may take no byte of an answer that waits for it.
    unsent: Duration,
    /// How long a connection may be without a request, whatever else it sends.
    idle: Duration,
    /// How long a request waits until enough of the earlier answers of its connection is sent.
    room: Duration,
    /// How often an HTTP/2 peer is asked whether it is alive, and how long it may take to say so.
    ping: Duration,
    pong: Duration,
    /// What requests under way get when the server stops.
    grace: Duration,
    certificate_poll: Duration,
    /// Rest after a connection that could not be accepted, since the cause (no file descriptors
    /// left) is rarely gone at once.
    accept_pause: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            unsent: Duration::from_secs(45),
            idle: Duration::from_secs(60),
            room: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            pong: Duration::from_secs(10),
            grace: Duration::from_secs(20),
            certificate_poll: Duration::from_secs(5),
            accept_pause: Duration::from_millis(50),
        }
    }
}

/// A bound socket, ready to serve.
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    certificates: Option<Arc<Certificates>>,
    connections: Arc<Semaphore>,
    limits: Limits,
    times: Times,
}

impl Server {
    /// Takes the address and reads the certificate. Must be called within the runtime.
    ///
    /// # Errors
    /// The address is taken or not ours; the certificate or key cannot be read or do not belong
    /// together. The setting concerned is named.
    pub fn bind(
        listen: SocketAddr,
        tls: Option<&config::Tls>,
        max_connections: usize,
    ) -> Result<Self, ConfigError> {
        let certificates = tls.map(Certificates::load).transpose()?.map(Arc::new);
        let (listener, local_addr) = open(listen).map_err(|error| ConfigError {
            name: "OMNITRACK_LISTEN",
            reason: format!("cannot listen on {listen}: {error}"),
        })?;
        let connections = Arc::new(Semaphore::new(max_connections.clamp(1, Semaphore::MAX_PERMITS)));
        let (limits, times) = (Limits::default(), Times::default());
        Ok(Self { listener, local_addr, certificates, connections, limits, times })
    }

    /// Bounds each client address: its connections, and the memory of the instance that it may take. Not
    /// for a server behind a proxy, where all clients share one address.
    #[must_use]
    pub fn bound_addresses(self, connections: usize) -> Self {
        Self { limits: Limits::by_address(connections), ..self }
    }

    /// The address bound, with the port that was given out if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is cancelled. Then it accepts nothing more, closes idle connections at
    /// once, gives requests under way up to 20 seconds to finish, cuts off the rest and returns.
    pub async fn run<E: Endpoint + 'static>(self, endpoint: E, shutdown: CancellationToken) {
        let Self { listener, local_addr, certificates, connections, limits, times } = self;
        let context = Arc::new(Context {
            endpoint: Arc::new(endpoint),
            http: http(&times),
            local_addr,
            certificates: certificates.clone(),
            instance: Instance::new(limits),
            times,
            shutdown,
        });
        let mut open = JoinSet::new();
        tokio::select! {
            () = accept(&listener, &connections, &context, &mut open) => {}
            () = tls::watch(certificates, times.certificate_poll) => {}
        }
        drop(listener);
        let finished = timeout(times.grace, async { while open.join_next().await.is_some() {} }).await;
        if finished.is_err() {
            tracing::warn!(connections = open.len(), "connections cut off at the end of the grace period");
        }
    }
}

/// Resolves when the process is asked to stop, by SIGTERM or SIGINT.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = async |kind: SignalKind| match signal(kind) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(error) => {
            tracing::error!(%error, "a stop signal cannot be listened for");
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = stop(SignalKind::terminate()) => {}
        () = stop(SignalKind::interrupt()) => {}
    }
}

fn open(listen: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not wait for connections of the last run to fade away.
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    let listener = socket.listen(BACKLOG)?;
    let local_addr = listener.local_addr()?;
    Ok((listener, local_addr))
}

type Http = auto::Builder<TokioExecutor>;

fn http(times: &Times) -> Http {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(times.header)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES as usize);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
        .max_local_error_reset_streams(MAX_ERROR_STREAMS)
        .keep_alive_interval(times.ping)
        .keep_alive_timeout(times.pong);
    http
}

/// What every connection needs.
struct Context<E> {
    endpoint: Arc<E>,
    http: Http,
    local_addr: SocketAddr,
    certificates: Option<Arc<Certificates>>,
    instance: Arc<Instance>,
    times: Times,
    shutdown: CancellationToken,
}

/// Connections refused because their address has too many, since the last line that said so.
#[derive(Default)]
struct Refused {
    connections: u64,
    logged_at: Option<Instant>,
}

impl Refused {
    /// Counts one, and logs the number at most once a second.
    fn count(&mut self) {
        self.connections += 1;
        if self.logged_at.is_none_or(|at| at.elapsed() >= Duration::from_secs(1)) {
            tracing::warn!(connections = self.connections, "connections.refused");
            *self = Self { connections: 0, logged_at: Some(Instant::now()) };
        }
    }
}

/// Accepts until the shutdown, each connection in a task of `open`. While as many as allowed are
/// open, new ones wait in the kernel's queue.
async fn accept<E: Endpoint + 'static>(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
    context: &Arc<Context<E>>,
    open: &mut JoinSet<()>,
) {
    let mut failing = false;
    let mut refused = Refused::default();
    loop {
        let accepted = tokio::select! {
            () = context.shutdown.cancelled() => return,
            accepted = async {
                let permit = Arc::clone(connections).acquire_owned().await;
                (permit, listener.accept().await)
            } => accepted,
        };
        while open.try_join_next().is_some() {}
        match accepted {
            (Ok(permit), Ok((stream, peer))) => {
                failing = false;
                // An IPv4 client of an IPv6 socket is still that IPv4 client, for whoever counts addresses.
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                let Some(connection) = context.instance.connect(peer.ip()) else {
                    refused.count();
                    continue;
                };
                let context = Arc::clone(context);
                open.spawn(async move {
                    context.serve(stream, peer, connection).await;
                    drop(permit);
                });
            }
            // The semaphore is never closed.
            (Err(_), _) => return,
            (_, Err(error)) => {
                if !failing {
                    tracing::warn!(%error, "connections cannot be accepted");
                }
                failing = true;
                sleep(context.times.accept_pause).await;
            }
        }
    }
}

impl<E: Endpoint + 'static> Context<E> {
    async fn serve(&self, stream: TcpStream, peer: SocketAddr, budget: Arc<Connection>) {
        // Answers are written whole: waiting for more to send only delays them. Best effort.
        let _ = stream.set_nodelay(true);
        let Some(certificates) = &self.certificates else {
            return self.serve_http(stream, peer, budget, Scheme::HTTP).await;
        };
        let handshake = TlsAcceptor::from(certificates.current()).accept(stream);
        let encrypted = tokio::select! {
            encrypted = timeout(self.times.handshake, handshake) => encrypted,
            () = self.shutdown.cancelled() => return,
        };
        // A handshake that fails or takes too long is the client's affair.
        if let Ok(Ok(stream)) = encrypted {
            self.serve_http(stream, peer, budget, Scheme::HTTPS).await;
        }
    }

    async fn serve_http<I>(&self, io: I, peer: SocketAddr, budget: Arc<Connection>, scheme: Scheme)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let times = self.times;
        let asked = Arc::new(Notify::new());
        let service = service_fn(|request: hyper::Request<Incoming>| {
            asked.notify_one();
            let (endpoint, budget) = (Arc::clone(&self.endpoint), Arc::clone(&budget));
            let local = LocalAddr(self.local_addr.into());
            let request = poem::Request::from((request, local, RemoteAddr(peer.into()), scheme.clone()));
            // Boxed, because a connection keeps room for it as long as it is open, also between requests.
            Box::pin(async move { Ok::<_, Infallible>(exchange(&*endpoint, request, budget, times).await) })
        });
        let mut connection =
            pin!(self.http.serve_connection(TokioIo::new(Stall::new(io, times.stall)), service));
        // hyper's own timer starts only once it knows the protocol: a peer that never says enough to
        // tell is bounded here.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = asked.notified() => {}
            () = sleep(times.header) => return,
            () = self.shutdown.cancelled() => {}
        }
        let idle = tokio::select! {
            // An error here is a peer that broke off or spoke no HTTP: nobody to tell.
            _ = connection.as_mut() => return,
            () = self.shutdown.cancelled() => false,
            expiry = budget.expired(times.unsent, times.idle) => match expiry {
                Expiry::Stalled => return,
                Expiry::Idle => true,
            },
        };
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            _ = connection => {}
            // An idle client confirms the end as fast as it confirms a ping, or not at all. A request that
            // it sent before it learned of the end is still answered.
            _ = async {
                sleep(times.pong).await;
                budget.expired(times.unsent, times.pong).await
            }, if idle => {}
            Expiry::Stalled = budget.expired(times.unsent, NO_LIMIT) => {}
        }
    }
}

/// For a wait that something else ends.
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Has one request answered, within what its client may have the server hold.
async fn exchange<E: Endpoint>(
    endpoint: &E,
    mut request: Request,
    budget: Arc<Connection>,
    times: Times,
) -> hyper::Response<MeteredBody> {
    let open = budget.open_request();
    let reservation = timeout(times.room, budget.admit()).await.ok().flatten();
    if request::has_invalid_host(&request) {
        request.extensions_mut().insert(Refusal::Host);
    } else if reservation.is_none() {
        request.extensions_mut().insert(Refusal::Busy);
    }
    let delivery = Delivery::new(&budget, times.unsent, reservation);
    request.extensions_mut().insert(delivery.clone());
    let body = BodyWatch::new(&mut request);
    let mut response = endpoint.get_response(request).await;
    if body.is_unread() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    delivery.deliver(response, open)
}

#[cfg(test)]
#[path = "server_test.rs"]
mod tests;

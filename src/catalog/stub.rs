//! For tests: a source on loopback that records what it is sent and answers what it is told to, and
//! a catalog that knows no other source.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::answer::{Answer, Timing, Unavailable};
use super::fair_share::FairShare;
use super::language::Language;
use super::media_id::{MediaId, SourceName};
use super::search_text::SearchText;
use super::service::Catalog;
use super::stats::SourceStats;
use super::wire::Reply;
use crate::clock::Millis;
use crate::config::{self, Secret};

/// One request as it came in.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

pub(super) struct Says {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    hold: Option<Arc<Semaphore>>,
}

/// An answer as a source's module gets to see it.
#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
pub(super) fn reply(status: u16, body: impl ToString) -> Reply {
    let status = hyper::StatusCode::from_u16(status).unwrap();
    Reply { status, retry_after: None, content_type: None, body: body.to_string().into_bytes() }
}

#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
pub(super) fn says(status: u16, body: impl ToString) -> Says {
    Says { status, headers: Vec::new(), body: body.to_string().into(), hold: None }
}

/// Any bytes under any content type.
pub(super) fn shows(content_type: &str, body: impl Into<Bytes>) -> Says {
    Says { body: body.into(), ..says(200, "") }.header("content-type", content_type)
}

impl Says {
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Answers as soon as `hold` has a permit.
    pub(super) fn when(mut self, hold: &Arc<Semaphore>) -> Self {
        self.hold = Some(hold.clone());
        self
    }
}

pub(super) struct Stub {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stub {
    pub(super) async fn start(answer: impl Fn(&Seen) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (answer, record) = (Arc::new(answer), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, record) = (answer.clone(), record.clone());
                let service = service_fn(move |request: hyper::Request<Incoming>| {
                    let (answer, record) = (answer.clone(), record.clone());
                    async move {
                        let request = read(request).await;
                        let says = answer(&request);
                        record.lock().unwrap().push(request);
                        if let Some(hold) = says.hold {
                            let _ = hold.acquire().await;
                        }
                        let mut response = hyper::Response::builder().status(says.status);
                        for (name, value) in says.headers {
                            response = response.header(name, value);
                        }
                        response.body(Full::new(says.body))
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move {
                    let _ = connection.await;
                });
            }
        });
        Self { url, seen }
    }

    /// Answers all requests alike.
    pub(super) async fn constant(status: u16, body: impl ToString) -> Self {
        let body = body.to_string();
        Self::start(move |_| says(status, &body)).await
    }

    pub(super) fn address(&self) -> &str {
        &self.url
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.path).collect()
    }

    pub(super) fn count(&self, path: &str) -> usize {
        self.paths().iter().filter(|seen| *seen == path).count()
    }
}

async fn read(request: hyper::Request<Incoming>) -> Seen {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Seen {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// Builds a catalog over stubs; a source without one is not configured.
pub(super) struct Setup {
    pub(super) sources: config::Sources,
    pub(super) timing: Timing,
    pub(super) time: Arc<AtomicI64>,
}

impl Setup {
    /// Noon in California, generous deadlines, no pauses between retries.
    pub(super) fn new() -> Self {
        let time = Arc::new(AtomicI64::new(1_780_340_400_000));
        let read = time.clone();
        let timing = Timing {
            search_deadline: Duration::from_secs(30),
            lookup_deadline: Duration::from_secs(30),
            request_timeout: Duration::from_secs(10),
            genre_patience: Duration::from_secs(30),
            retry_pause: Duration::ZERO,
            clock: Arc::new(move || read.load(Ordering::SeqCst)),
        };
        let sources =
            config::Sources { tmdb: None, igdb: None, google_books: None, share: 1.0, cache_bytes: 16 << 20 };
        Self { sources, timing, time }
    }

    pub(super) fn tmdb(self, stub: &Stub) -> Self {
        self.tmdb_at(&stub.url)
    }

    pub(super) fn tmdb_at(mut self, url: &str) -> Self {
        self.sources.tmdb = Some(config::Tmdb {
            access_token: Secret::new("tmdb-secret"),
            base_url: format!("{url}/3"),
            image_base_url: format!("{url}/t/p"),
        });
        self
    }

    /// Twitch and IGDB are one stub: `/token` and `/v4/games`.
    pub(super) fn igdb(self, stub: &Stub) -> Self {
        self.igdb_at(&stub.url)
    }

    pub(super) fn igdb_at(mut self, url: &str) -> Self {
        self.sources.igdb = Some(config::Igdb {
            client_id: "client".into(),
            client_secret: Secret::new("twitch-secret"),
            token_url: format!("{url}/token"),
            base_url: format!("{url}/v4"),
            image_base_url: format!("{url}/upload"),
        });
        self
    }

    pub(super) fn google_books(self, stub: &Stub) -> Self {
        self.google_books_at(&stub.url)
    }

    pub(super) fn google_books_at(mut self, url: &str) -> Self {
        self.sources.google_books = Some(config::GoogleBooks {
            api_key: Secret::new("google-key"),
            base_url: format!("{url}/b"),
            image_base_url: format!("{url}/content"),
        });
        self
    }

    pub(super) fn catalog(&self) -> Catalog {
        Catalog::with_timing(&self.sources, &self.timing).unwrap()
    }

    /// Moves the clock that freshness and pauses are judged by.
    pub(super) fn pass(&self, span: Duration) {
        self.time.fetch_add(span.as_millis() as Millis, Ordering::SeqCst);
    }
}

pub(super) fn id(text: &str) -> MediaId {
    text.parse().unwrap()
}

pub(super) fn text(raw: &str) -> SearchText {
    SearchText::parse(raw).unwrap()
}

pub(super) fn token() -> Says {
    says(200, json!({"access_token": "t", "expires_in": 5_000_000}))
}

/// Answers sign-ins and any question for games.
pub(super) fn some_games(seen: &Seen) -> Says {
    match seen.path.as_str() {
        "/token" => token(),
        _ => says(200, json!([{"id": 1, "name": "One"}, {"id": 2, "name": "Two"}])),
    }
}

pub(super) fn stats(catalog: &Catalog, source: SourceName) -> SourceStats {
    catalog.stats().sources.into_iter().find(|stats| stats.source == source).unwrap()
}

pub(super) async fn title(catalog: &Catalog, media: &str) -> String {
    match catalog.media(&id(media), Language::DEFAULT, &FairShare::new()).await {
        Ok(Answer::Found { item, stale }) => format!("{}{}", item.title, if stale { " (stale)" } else { "" }),
        Ok(Answer::Unknown) => "unknown".into(),
        Err(Unavailable { retry_after_seconds }) => format!("unavailable for {retry_after_seconds}"),
    }
}

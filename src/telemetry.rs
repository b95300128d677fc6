//! Logs and metrics. Owns what may be written at all: our own events at the configured level, warnings
//! and errors of libraries, of a panic its place only; and metrics whose labels are chosen from what
//! the program itself knows. Nothing of a person can be a label: labels are `&'static str` or numbers.

mod line;

use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use poem::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};

use self::line::Bounded;
use crate::config;

/// The name of our crate: the level of its events is a setting, that of all others is not.
const OURS: &str = env!("CARGO_PKG_NAME");

/// Starts logging to standard output for the whole process. The first call wins.
pub fn init(log: &config::Log) {
    init_to(std::io::stdout, log);
}

/// Starts logging to `writer`, for whoever wants to see all that is logged. The first call wins.
pub fn init_to(writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static, log: &config::Log) {
    if tracing::subscriber::set_global_default(subscriber(writer, log)).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

fn subscriber(
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
    log: &config::Log,
) -> impl Subscriber + Send + Sync {
    let layer = fmt::layer().with_writer(Bounded::new(writer, log.json)).with_ansi(false);
    let layer = if log.json { layer.json().flatten_event(true).boxed() } else { layer.boxed() };
    // Below `warn`, libraries log addresses, headers and statements. `h2` warns with the bytes of a ping
    // that the client chose.
    let levels =
        Targets::new().with_default(Level::WARN).with_target("h2", Level::ERROR).with_target(OURS, log.level);
    tracing_subscriber::registry().with(layer.with_filter(levels))
}

/// Says where it happened and not what: the message may hold what somebody typed.
fn log_panic(panic: &PanicHookInfo<'_>) {
    match panic.location() {
        Some(at) => tracing::error!(at = format_args!("{}:{}", at.file(), at.line()), "panic"),
        None => tracing::error!("panic"),
    }
}

/// What `/metrics` shows. Clones share the numbers.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<Answer, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    source_requests: Family<SourceOutcome, Counter<u64, AtomicU64>>,
    breaker_opened: Family<OfSource, Counter<u64, AtomicU64>>,
    breaker_state: Family<OfSource, Gauge>,
    refused_tokens: Family<Refusal, Counter>,
    refused_requests: Family<RefusedRequest, Counter>,
    suppressed_lines: Counter<u64, AtomicU64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceOutcome {
    source: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSource {
    source: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusedRequest {
    status: u16,
    reason: &'static str,
}

/// Upper bounds of the duration buckets, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

impl Metrics {
    /// The media type of [`Metrics::encode`].
    pub const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    pub fn new() -> Self {
        let mut registry = Registry::with_prefix(OURS);
        let requests = Family::default();
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let in_flight = Gauge::default();
        let source_requests = Family::default();
        let (breaker_opened, breaker_state) = (Family::default(), Family::default());
        let refused_tokens = Family::default();
        let (refused_requests, suppressed_lines) = (Family::default(), Counter::default());
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from the request's header to the answer's",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register("http_requests_in_flight", "Requests under way", in_flight.clone());
        registry.register("source_requests", "Requests to sources by outcome", source_requests.clone());
        let help = "Times a source was left alone for a while because it failed again and again";
        registry.register("source_breaker_opened", help, breaker_opened.clone());
        let help = "Whether a source is asked: 0 yes, 1 by one request at a time, 2 no";
        registry.register("source_breaker_state", help, breaker_state.clone());
        registry.register("refused_tokens", "Session tokens refused by reason", refused_tokens.clone());
        let help = "Requests refused with a status below 500, by problem code";
        registry.register("refused_requests", help, refused_requests.clone());
        let help = "Log lines left out because one place of the code logged too many in a second";
        registry.register("log_lines_suppressed", help, suppressed_lines.clone());
        Self(Arc::new(Inner {
            registry,
            requests,
            durations,
            in_flight,
            source_requests,
            breaker_opened,
            breaker_state,
            refused_tokens,
            refused_requests,
            suppressed_lines,
        }))
    }

    /// Counts a request as under way for as long as the guard lives.
    pub fn enter(&self) -> InFlight {
        self.0.in_flight.inc();
        InFlight(self.0.in_flight.clone())
    }

    /// Counts an answer. `route` is the template (`/v1/library/{media_id}`), never the path.
    pub fn answered(&self, method: &Method, route: &'static str, status: u16, took: Duration) {
        let method = method_label(method);
        self.0.requests.get_or_create(&Answer { method, route, status }).inc();
        self.0.durations.get_or_create(&Route { route }).observe(took.as_secs_f64());
    }

    /// Sets how many requests to `source` have had `outcome` since the start, as the catalog counts
    /// them. A smaller number than the last one changes nothing: a counter never goes back.
    pub fn source_requests(&self, source: &'static str, outcome: &'static str, total: u64) {
        let counter = self.0.source_requests.get_or_create(&SourceOutcome { source, outcome });
        counter.inner().fetch_max(total, Ordering::Relaxed);
    }

    /// Sets how often the breaker of `source` has opened since the start, and how it stands: 0 closed,
    /// 1 half open, 2 open.
    pub fn source_breaker(&self, source: &'static str, opened: u64, state: i64) {
        let label = OfSource { source };
        self.0.breaker_opened.get_or_create(&label).inner().fetch_max(opened, Ordering::Relaxed);
        self.0.breaker_state.get_or_create(&label).set(state);
    }

    /// Counts a session token refused, by `clerk::Rejected::reason`.
    pub fn token_refused(&self, reason: &'static str) {
        self.0.refused_tokens.get_or_create(&Refusal { reason }).inc();
    }

    /// Counts a request that was refused, by its status and the code of the problem.
    pub fn request_refused(&self, status: u16, reason: &'static str) {
        self.0.refused_requests.get_or_create(&RefusedRequest { status, reason }).inc();
    }

    /// All metrics as OpenMetrics text, which Prometheus reads.
    pub fn encode(&self) -> String {
        self.0.suppressed_lines.inner().fetch_max(line::suppressed(), Ordering::Relaxed);
        let mut text = String::new();
        // Writing to a string cannot fail; a metric that could not be encoded would show as no text.
        match prometheus_client::encoding::text::encode(&mut text, &self.0.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// A request under way, until dropped.
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Returns the name of a method for logs and metrics. A client may make up methods, which must become
/// neither labels nor text in a log.
pub fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
#[path = "telemetry_test.rs"]
mod tests;

use std::io;
use std::sync::Mutex;

use tracing::{debug, error, info, trace, warn};

use super::*;

/// Collects what is written.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("whole").clone()).expect("text")
    }
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// All that is written while `act` runs on this thread.
fn logged(level: Level, json: bool, act: impl FnOnce()) -> String {
    let sink = Sink::default();
    let subscriber = subscriber(sink.clone(), &config::Log { level, json });
    tracing::subscriber::with_default(subscriber, act);
    sink.text()
}

#[test]
fn libraries_are_heard_from_warn_up_only_however_loud_we_are() {
    let text = logged(Level::TRACE, false, || {
        for_libraries();
        trace!("ours: trace");
        info!("ours: info");
    });
    assert!(!text.contains("quiet"), "{text}");
    for heard in ["loud: warn", "loud: error", "ours: trace", "ours: info"] {
        assert!(text.contains(heard), "{heard} in {text}");
    }
}

fn for_libraries() {
    trace!(target: "hyper::proto", "quiet: trace");
    debug!(target: "sqlx::query", "quiet: debug");
    info!(target: "poem", "quiet: info");
    info!(target: "log", "quiet: info");
    info!(target: "sea_orm_migration", "quiet: info");
    let span = tracing::info_span!(target: "h2", "quiet span");
    span.in_scope(|| warn!(target: "rustls", "loud: warn"));
    error!(target: "reqwest", "loud: error");
}

#[test]
fn our_own_level_is_the_one_set() {
    let act = || {
        debug!("ours: debug");
        info!("ours: info");
        warn!("ours: warn");
    };
    let text = logged(Level::INFO, false, act);
    assert!(text.contains("ours: info") && text.contains("ours: warn") && !text.contains("ours: debug"));
    let text = logged(Level::WARN, false, act);
    assert!(text.contains("ours: warn") && !text.contains("ours: info"));
}

#[test]
fn json_is_one_object_a_line() {
    let text = logged(Level::INFO, true, || {
        let _span = tracing::info_span!("request", request_id = "r1").entered();
        info!(status = 200, "answered");
        warn!("a \"quoted\"\nline");
    });
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["message"], "answered");
    assert_eq!(lines[0]["status"], 200);
    assert_eq!(lines[0]["level"], "INFO");
    assert_eq!(lines[0]["span"]["request_id"], "r1");
    assert_eq!(lines[1]["message"], "a \"quoted\"\nline");
}

#[test]
fn a_line_of_text_cannot_be_made_up_from_outside() {
    let text = logged(Level::INFO, false, || info!(value = "a\nFAKE INFO line\u{1b}[31m", "said"));
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn what_a_client_can_make_h2_say_is_not_logged() {
    let text = logged(Level::TRACE, false, || {
        warn!(target: "h2::proto::ping_pong", "recv PING ack that we never sent");
        error!(target: "h2::proto", "loud");
    });
    assert!(!text.contains("PING") && text.contains("loud"), "{text}");
}

#[test]
fn long_line_is_cut_and_stays_one_line() {
    let long = "é".repeat(30_000);
    let text = logged(Level::INFO, false, || info!(value = long, after = 1, "said"));
    assert!(text.len() <= line::MAX_LINE && text.ends_with("…\n"), "{} bytes", text.len());
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn long_json_line_is_shortened_and_stays_json() {
    let long = "é\"".repeat(30_000);
    let text = logged(Level::INFO, true, || info!(value = long, status = 200, "said"));
    assert!(text.len() <= line::MAX_LINE, "{} bytes", text.len());
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&value["message"], &value["status"]), (&"said".into(), &200.into()));
    assert!(value["value"].as_str().expect("text").starts_with("é\""));
}

#[test]
fn flood_of_one_warning_is_cut_off_and_counted() {
    let before = line::suppressed();
    let flood = 10 * line::MAX_WARNINGS;
    let text = logged(Level::INFO, false, || {
        for _ in 0..flood {
            warn!("flood");
        }
        warn!("another place");
    });
    // The flood may last into further seconds on a slow machine.
    let written = u64::try_from(text.matches("flood").count()).expect("a number");
    assert!(written < u64::from(flood) && text.contains("another place"), "{written}");
    assert!(line::suppressed() - before >= u64::from(flood) - written);
    assert!(!Metrics::new().encode().contains("log_lines_suppressed_total 0"));
}

#[test]
fn a_panic_logs_its_place_and_not_its_message() {
    let text = logged(Level::INFO, false, || {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));
        let outcome = std::panic::catch_unwind(|| panic!("review of {}", "alice@example.com"));
        std::panic::set_hook(before);
        assert!(outcome.is_err());
    });
    assert!(text.contains("panic at=src/telemetry_test.rs:"), "{text}");
    assert!(!text.contains("alice") && !text.contains("review"), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn requests_are_counted_by_template() {
    let metrics = Metrics::new();
    let route = "/v1/library/{media_id}";
    metrics.answered(&Method::GET, route, 200, Duration::from_millis(3));
    metrics.answered(&Method::GET, route, 200, Duration::from_millis(30));
    metrics.answered(&Method::PUT, route, 412, Duration::from_secs(30));
    let made_up = Method::from_bytes(b"ALICE").expect("a method");
    metrics.answered(&made_up, "unmatched", 405, Duration::ZERO);
    let text = metrics.encode();
    for line in [
        r#"omnitrack_http_requests_total{method="GET",route="/v1/library/{media_id}",status="200"} 2"#,
        r#"omnitrack_http_requests_total{method="PUT",route="/v1/library/{media_id}",status="412"} 1"#,
        r#"omnitrack_http_requests_total{method="other",route="unmatched",status="405"} 1"#,
        r#"omnitrack_http_request_duration_seconds_count{route="/v1/library/{media_id}"} 3"#,
        r#"omnitrack_http_request_duration_seconds_bucket{le="0.005",route="/v1/library/{media_id}"} 1"#,
        r#"omnitrack_http_request_duration_seconds_bucket{le="10.0",route="/v1/library/{media_id}"} 2"#,
        r#"omnitrack_http_request_duration_seconds_bucket{le="+Inf",route="/v1/library/{media_id}"} 3"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(!text.contains("ALICE"));
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn what_is_under_way_is_counted_while_it_is() {
    let metrics = Metrics::new();
    let shown = |metrics: &Metrics, number| {
        let line = format!("omnitrack_http_requests_in_flight {number}");
        let text = metrics.encode();
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    };
    shown(&metrics, 0);
    let (one, two) = (metrics.enter(), metrics.clone().enter());
    shown(&metrics, 2);
    drop(one);
    shown(&metrics, 1);
    drop(two);
    shown(&metrics, 0);
}

#[test]
fn the_numbers_of_sources_are_totals_that_never_go_back() {
    let metrics = Metrics::new();
    for total in [3, 5, 4] {
        metrics.source_requests("tmdb", "ok", total);
    }
    metrics.source_requests("igdb", "rate_limited", 0);
    metrics.token_refused("expired");
    let text = metrics.encode();
    for line in [
        r#"omnitrack_source_requests_total{source="tmdb",outcome="ok"} 5"#,
        r#"omnitrack_source_requests_total{source="igdb",outcome="rate_limited"} 0"#,
        r#"omnitrack_refused_tokens_total{reason="expired"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

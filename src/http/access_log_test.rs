use poem::http::Method;

use super::*;

fn entry(method: &Method, status: u16, authenticated: bool, probe: bool) -> Entry<'_> {
    Entry {
        request_id: "r",
        method,
        route: "/v1/account",
        status,
        problem: None,
        authenticated,
        probe,
        took: Duration::ZERO,
    }
}

#[test]
fn requests_that_anybody_can_repeat_are_summarized() {
    let summarized =
        |status, authenticated, probe| entry(&Method::GET, status, authenticated, probe).is_summarized();
    for status in [401, 405, 413, 429] {
        assert!(summarized(status, true, false) && summarized(status, false, false), "{status}");
    }
    for status in [400, 404, 415, 422] {
        assert!(summarized(status, false, false) && !summarized(status, true, false), "{status}");
    }
    assert!(summarized(200, false, true) && !summarized(503, false, true));
    assert!(!summarized(200, false, false) && !summarized(500, false, false));
}

#[tokio::test]
async fn summary_resets_its_counters_and_is_scheduled_again() {
    let (log, metrics) = (AccessLog::default(), Metrics::new());
    for _ in 0..2 {
        log.record(&metrics, &entry(&Method::GET, 429, false, false));
        log.record(&metrics, &entry(&Method::GET, 418, false, false));
        log.record(&metrics, &entry(&Method::GET, 200, false, true));
        assert!(log.0.scheduled.load(Ordering::SeqCst));
        assert_eq!(log.0.by_status[5].load(Ordering::SeqCst), 1);
        assert_eq!(log.0.other.load(Ordering::SeqCst), 1);
        assert_eq!(log.0.probes.load(Ordering::SeqCst), 1);
        while log.0.scheduled.load(Ordering::SeqCst) || log.0.by_status[5].load(Ordering::SeqCst) != 0 {
            tokio::time::sleep(PERIOD / 100).await;
        }
    }
}

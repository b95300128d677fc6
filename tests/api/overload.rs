//! Clients that want to do harm: floods of the log, answers that nobody reads, limits that hit others.

use std::time::Duration;

use bytes::Bytes;
use h2::client::ResponseFuture;
use omnitrack::demo::standin::StandIns;
use poem::http::Method;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::database::Database;
use crate::support::log;
use crate::support::process::{Service, client};

const MIB: usize = 1024 * 1024;

both! {
    async fn flood_of_refusals_is_summarized(t: TestApp) {
        let method = Method::from_bytes("FLOODED".repeat(4_300).as_bytes()).unwrap();
        let before = log::text();
        for _ in 0..200 {
            t.anon.request(method.clone(), "/v1/account").send().await.expect(405);
            t.anon.request(method.clone(), "/flooded-path").send().await.expect(404);
            t.anon.get("/v1/account").header("authorization", "Bearer flooded").send().await.expect(401);
        }
        // A line of a request that is logged after all of them.
        let id = t.alice.get("/v1/account").send().await.expect(200);
        let id = id.header("x-request-id").unwrap();
        let text = log::text();
        let lines = || text[before.len()..].lines();
        assert!(lines().any(|line| line.contains(id) && line.contains("method=\"GET\"")), "{id}");
        assert!(lines().all(|line| !line.to_lowercase().contains("flooded") && line.len() <= 4096));
        for status in [401, 404, 405] {
            let refused = |line: &str| line.contains(&format!("status={status} ")) && line.contains("unmatched");
            assert!(!lines().any(refused), "{status} has lines");
        }
        let metrics = t.app.metrics.encode();
        for (status, reason, number) in
            [(405, "method_not_allowed", 200), (404, "not_found", 200), (401, "unauthorized", 200)]
        {
            let line =
                format!("omnitrack_refused_requests_total{{status=\"{status}\",reason=\"{reason}\"}} {number}");
            assert!(metrics.lines().any(|found| found == line), "{line} in\n{metrics}");
        }
        summary_of_refusals().await;
    }

    async fn probes_are_not_limited_by_other_requests(t: TestApp) {
        let token = "a token for metrics";
        let t = t
            .restart(|config| {
                config.limits.address = 4;
                config.metrics_token = Some(omnitrack::config::Secret::new(token));
                // Without the header that it should send, the proxy is the only client there is.
                config.behind_proxy = true;
            })
            .await;
        t.anon.get("/no/such/path").send().await.expect(404);
        t.anon.get("/no/such/path").send().await.expect_problem(429, "rate_limited");
        let metrics = |token: &str| t.anon.get("/metrics").header("authorization", &format!("Bearer {token}"));
        for _ in 0..20 {
            t.anon.get("/healthz").send().await.expect(200);
            t.anon.get("/readyz").send().await.expect(200);
            metrics(token).send().await.expect(200);
        }
        // The token cannot be guessed at that rate.
        metrics("guess").send().await.expect_problem(429, "rate_limited");
    }

    async fn proxy_may_write_addresses_with_ports(t: TestApp) {
        let t = t
            .restart(|config| {
                config.limits.address = 4;
                config.behind_proxy = true;
            })
            .await;
        let ask = |forwarded: String| t.anon.get("/v1/account").header("x-forwarded-for", &forwarded).send();
        for (client, same) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("192.0.2.2", "192.0.2.2:4712"),
            ("[2001:db8:1::1]", "2001:db8:1::1"),
            ("[2001:db8:2::1]:4711", "[2001:db8:2::2]:4712"),
        ] {
            ask(client.to_owned()).await.expect(401);
            ask(same.to_owned()).await.expect(429);
        }
    }

    async fn networks_of_one_site_are_limited_together(t: TestApp) {
        let t = t
            .restart(|config| {
                config.limits.address = 4;
                config.behind_proxy = true;
            })
            .await;
        let mut let_in = 0;
        for network in 0..60 {
            let address = format!("2001:db8:7:{network:x}::1");
            let answer = t.anon.get("/v1/account").header("x-forwarded-for", &address).send().await;
            let_in += usize::from(answer.status == 401);
        }
        assert!((10..=40).contains(&let_in), "{let_in}");
        let other = t.anon.get("/v1/account").header("x-forwarded-for", "2001:db8:8::1").send().await;
        other.expect(401);
    }
}

/// Waits for a line that sums up refusals.
async fn summary_of_refusals() {
    let wait = async {
        while !log::text().lines().any(|line| line.contains("requests.summarized")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("a summary");
}

/// Everything that `streams` requests on a new connection get, none of it read: the client leaves no
/// window for any byte of a body.
async fn hoard(
    service: &Service,
    path: &str,
    token: Option<&str>,
    streams: usize,
) -> (tokio::task::JoinHandle<()>, Vec<h2::RecvStream>) {
    let stream = tokio::net::TcpStream::connect(service.address).await.expect("connects");
    let mut builder = h2::client::Builder::new();
    let builder = builder.initial_window_size(0).max_header_list_size(64 * 1024);
    let (send, connection) = builder.handshake::<_, Bytes>(stream).await.expect("HTTP/2");
    let driver = tokio::spawn(async move { drop(connection.await) });
    let mut asked: Vec<ResponseFuture> = Vec::new();
    for _ in 0..streams {
        let Ok(mut ready) = send.clone().ready().await else { break };
        let mut request = http::Request::get(format!("http://localhost{path}"));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let Ok((response, _)) = ready.send_request(request.body(()).expect("a request"), true) else { break };
        asked.push(response);
    }
    let mut unread = Vec::new();
    for response in asked {
        // What waits for room is not waited for here.
        if let Ok(Ok(response)) = tokio::time::timeout(Duration::from_secs(1), response).await {
            unread.push(response.into_body());
        }
    }
    (driver, unread)
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_answers_take_a_bounded_amount_of_memory() {
    let stand_ins = StandIns::start().expect("stand-ins");
    let db = Database::sqlite();
    let service = Service::start_with(&stand_ins, db.url.expose(), &[("OMNITRACK_RATE_ADDRESS", "1000000")]);
    let token = stand_ins.token("alice", Duration::from_secs(600));
    let http = client();
    let put = |path: &str, body| http.put(service.url(path)).bearer_auth(&token).json(&body).send();
    let entry = "/v1/library/movie:tmdb:603";
    assert_eq!(put(entry, json!({ "status": "backlog" })).await.expect("an answer").status(), 201);
    for number in 0..200 {
        let comment = format!("{entry}/comments/7f1f6a52-63a3-4a52-9d3c-0c4de1f7{number:04}");
        let body = json!({ "body": "long ".repeat(900) });
        assert_eq!(put(&comment, body).await.expect("an answer").status(), 201);
    }
    let page = format!("{entry}/comments?limit=200");
    for path in ["/docs", "/openapi.yaml"] {
        let answer = http.get(service.url(path)).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.bytes().await.expect("a body");
    }
    let idle = service.resident_bytes();
    let mut connections = Vec::new();
    for path in ["/docs", "/openapi.yaml", &page] {
        for _ in 0..6 {
            connections.push(hoard(&service, path, Some(&token), 100).await);
        }
        let grown = service.resident_bytes().saturating_sub(idle);
        assert!(grown <= 150 * MIB, "{path}: {} MiB above idle", grown / MIB);
        println!("{path}: {} MiB above idle", grown / MIB);
    }
    // This address has used up its budget; another one has not.
    drop(connections);
    let answer = http.get(service.url("/v1/account")).bearer_auth(&token).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn documents_are_compressed_and_revalidated() {
    let t = TestApp::sqlite().await;
    for path in ["/docs", "/openapi.yaml"] {
        let plain = t.anon.get(path).send().await.expect(200);
        let gzip = t.anon.get(path).header("accept-encoding", "gzip").send().await.expect(200);
        assert_eq!(gzip.header("content-encoding"), Some("gzip"));
        assert!(gzip.body.len() < plain.body.len() / 2, "{path}");
        let etag = gzip.header("etag").expect("a tag");
        assert_ne!(Some(etag), plain.header("etag"));
        let again = t.anon.get(path).header("accept-encoding", "gzip").header("if-none-match", etag);
        let again = again.send().await.expect(304);
        assert!(again.body.is_empty());
    }
}

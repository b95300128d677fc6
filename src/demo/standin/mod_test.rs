use reqwest::Client;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

/// Longer than anything here takes; it only keeps a broken test from waiting for ever.
const PATIENCE: Duration = Duration::from_secs(30);

fn client() -> Client {
    Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

impl StandIns {
    /// An address of that stand-in.
    pub(super) fn url(&self, source: Source, path: &str) -> String {
        format!("http://{}{path}", self.address(source))
    }
}

/// Status and JSON body of an answer.
pub(super) async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

/// A request to TMDB that is answered with 200.
fn genres(stand_ins: &StandIns) -> reqwest::RequestBuilder {
    client().get(stand_ins.url(Source::Tmdb, "/3/genre/movie/list")).bearer_auth(TMDB_ACCESS_TOKEN)
}

#[tokio::test]
async fn the_settings_keep_the_rules_and_lead_to_loopback() {
    let stand_ins = StandIns::start().unwrap();
    let (clerk, sources) = stand_ins.configure().unwrap();
    assert_eq!(clerk.issuer, stand_ins.url(Source::Clerk, ""));
    assert_eq!(sources.tmdb.unwrap().base_url, stand_ins.url(Source::Tmdb, "/3"));
    let igdb = sources.igdb.unwrap();
    assert_eq!(igdb.base_url, stand_ins.url(Source::Igdb, "/v4"));
    assert_eq!(igdb.token_url, stand_ins.url(Source::Twitch, "/oauth2/token"));
    assert_eq!(sources.google_books.unwrap().base_url, stand_ins.url(Source::GoogleBooks, "/books/v1"));
    for (name, value) in stand_ins.settings().into_iter().filter(|(name, _)| name.ends_with("_URL")) {
        assert!(value.starts_with("http://127.0.0.1:") && !value.ends_with('/'), "{name}");
    }
    assert!(Source::ALL.iter().all(|source| stand_ins.address(*source).ip().is_loopback()));
}

#[tokio::test]
async fn requests_are_kept_as_they_came_and_apart() {
    let stand_ins = StandIns::start().unwrap();
    let url = stand_ins.url(Source::Igdb, "/v4/games?x=%2Fy+z");
    let sent = client().post(url).header("x-first", "1").header("x-second", "Two").body("fields *;").send();
    let (sent, ()) = tokio::join!(sent, stand_ins.arrived(Source::Igdb, 1));
    assert_eq!(sent.unwrap().status(), 401);
    let recorded = stand_ins.requests(Source::Igdb);
    assert_eq!(recorded.len(), 1);
    assert_eq!((recorded[0].method.as_str(), recorded[0].target.as_str()), ("POST", "/v4/games?x=%2Fy+z"));
    assert_eq!(recorded[0].body, b"fields *;");
    let names: Vec<&str> = recorded[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    let at = |name: &str| names.iter().position(|found| *found == name).unwrap();
    assert!(at("x-first") < at("x-second"));
    assert_eq!(recorded[0].header("x-second"), Some("Two"));
    assert!(stand_ins.requests(Source::Tmdb).is_empty());
}

#[tokio::test]
async fn a_request_that_hangs_is_answered_once_the_fault_is_cleared() {
    let stand_ins = StandIns::start().unwrap();
    stand_ins.fault(Source::Tmdb, Some(Fault::Hang));
    let waiting = tokio::spawn(read(genres(&stand_ins)));
    stand_ins.arrived(Source::Tmdb, 1).await;
    stand_ins.fault(Source::Tmdb, None);
    assert_eq!(waiting.await.unwrap().0, 200);
}

#[tokio::test]
async fn dropping_ends_what_hangs_and_closes_the_ports() {
    let stand_ins = StandIns::start().unwrap();
    let addresses = Source::ALL.map(|source| stand_ins.address(source));
    stand_ins.fault(Source::Tmdb, Some(Fault::Hang));
    let waiting = tokio::spawn(genres(&stand_ins).send());
    stand_ins.arrived(Source::Tmdb, 1).await;
    drop(stand_ins);
    assert!(waiting.await.unwrap().is_err());
    for address in addresses {
        let refused = async { while TcpStream::connect(address).await.is_ok() {} };
        timeout(PATIENCE, refused).await.unwrap();
    }
}

#[tokio::test]
async fn headers_may_come_without_a_body() {
    let stand_ins = StandIns::start().unwrap();
    stand_ins.fault(Source::Tmdb, Some(Fault::HangAfterHeaders));
    let response = genres(&stand_ins).send().await.unwrap();
    assert_eq!(response.status(), 200);
    stand_ins.fault(Source::Tmdb, None);
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn a_body_may_not_end() {
    let stand_ins = StandIns::start().unwrap();
    stand_ins.fault(Source::Tmdb, Some(Fault::EndlessBody));
    let mut response = genres(&stand_ins).send().await.unwrap();
    let mut read = 0;
    while read < 8 << 20 {
        read += response.chunk().await.unwrap().unwrap().len();
    }
}

#[tokio::test]
async fn counted_faults_give_way_to_real_answers() {
    let stand_ins = StandIns::start().unwrap();
    stand_ins.fault_times(Source::Tmdb, Fault::json(500, &json!({})), 2);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(read(genres(&stand_ins)).await.0);
    }
    assert_eq!(statuses, [500, 500, 200]);
    stand_ins.fault_times(Source::Tmdb, Fault::Html, 0);
    assert_eq!(read(genres(&stand_ins)).await.0, 200);
}

#[tokio::test]
async fn other_faults_look_as_they_say() {
    let stand_ins = StandIns::start().unwrap();
    stand_ins.fault_times(Source::Tmdb, Fault::Html, 1);
    let page = genres(&stand_ins).send().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), page.headers()["content-type"].to_str().unwrap()),
        (502, "text/html")
    );

    stand_ins.fault_times(Source::Tmdb, Fault::Status(418, "text/plain".into(), "no".into()), 1);
    let short = genres(&stand_ins).send().await.unwrap();
    assert_eq!((short.status().as_u16(), short.text().await.unwrap().as_str()), (418, "no"));

    let headers = vec![("retry-after".into(), "7".into()), ("not a name".into(), "x".into())];
    stand_ins.fault_times(Source::Tmdb, Fault::StatusWithHeaders(429, headers, "{}".into()), 1);
    let later = genres(&stand_ins).send().await.unwrap();
    assert_eq!(later.headers()["retry-after"], "7");

    stand_ins.fault_times(Source::Tmdb, Fault::Close, 1);
    assert!(genres(&stand_ins).send().await.is_err());

    let (delay, begun) = (Duration::from_millis(20), std::time::Instant::now());
    stand_ins.fault_times(Source::Tmdb, Fault::Slow(delay), 1);
    assert_eq!(read(genres(&stand_ins)).await.0, 200);
    assert!(begun.elapsed() >= delay);
}

#[test]
fn a_start_without_a_runtime_is_an_error() {
    assert!(StandIns::start().is_err());
}

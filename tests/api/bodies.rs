//! Bounds on what clients send: bodies and parameters that cost more than they say, bodies that never end, and
//! the memory that all of them may take together.

use std::time::{Duration, Instant};

use omnitrack::demo::standin::StandIns;
use poem::http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::support::app::TestApp;
use crate::support::archive::IMPORTS;
use crate::support::both;
use crate::support::cursor::cursor;
use crate::support::database::Database;
use crate::support::persona::Persona;
use crate::support::process::{Service, client};
use crate::support::titles::MOVIE;

const LIST: &str = "/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
const SYNC: &str = "/v1/sync";
const MIB: usize = 1024 * 1024;
/// No error answer is larger.
const MAX_ANSWER: usize = 32 * 1024;

/// A batch of 4 MiB of the smallest mutations that are none.
fn empty_mutations() -> String {
    let (head, tail) = (r#"{"cursor":"x","mutations":["#, r#"{"":0}]}"#);
    let item = r#"{"":0},"#;
    let count = (4 * MIB - head.len() - tail.len()) / item.len();
    format!("{head}{}{tail}", item.repeat(count))
}

async fn id(who: &Persona) -> Uuid {
    who.get("/v1/account").send().await.expect(200).json()["id"].as_str().unwrap().parse().unwrap()
}

both! {
    async fn batch_of_empty_mutations_gets_a_short_answer(t: TestApp) {
        let call = t.alice.request(Method::POST, SYNC).body(empty_mutations(), "application/json");
        let refused = call.send().await.expect_problem(422, "invalid_body");
        assert_eq!(refused.json()["errors"].as_array().unwrap().len(), 100);
        assert!(refused.body.len() < MAX_ANSWER, "{} bytes", refused.body.len());
    }

    async fn mutations_that_contradict_themselves_get_a_short_answer(t: TestApp) {
        let cursor = cursor(&t.alice).await;
        let mutation = json!({
            "id": Uuid::nil(), "made_at": "2026-01-01T00:00:00.000Z", "kind": "entry", "key": MOVIE,
            "base_revision": 0, "delete": true, "clear": vec!["rating"; 20],
        });
        let batch = json!({ "cursor": cursor, "mutations": vec![mutation; 500] });
        let refused = t.alice.post(SYNC, batch).send().await.expect_problem(422, "invalid_mutation");
        assert_eq!(refused.json()["errors"].as_array().unwrap().len(), 100);
        assert!(refused.body.len() < MAX_ANSWER, "{} bytes", refused.body.len());
    }

    async fn parameters_without_end_get_a_short_answer(t: TestApp) {
        let unknown = (0..10_000).map(|n| format!("{n:x}")).collect::<Vec<_>>().join("&");
        let empty = "&=".repeat(15_000);
        let control = (0..40).map(|n| format!("{n}{}=1", "%01".repeat(300))).collect::<Vec<_>>().join("&");
        let list = format!("status={}", "x,".repeat(15_000));
        let long = format!("{}=1", "x".repeat(30_000));
        for query in [unknown, empty, control, list, long] {
            let refused = t.alice.get(&format!("/v1/library?{query}")).send().await;
            let refused = refused.expect_problem(400, "invalid_parameter");
            assert!(refused.body.len() < MAX_ANSWER, "{} bytes for {}", refused.body.len(), &query[..20]);
        }
        let many = (0..60).map(|n| format!("x{n}=1")).collect::<Vec<_>>().join("&");
        let refused = t.alice.get(&format!("/v1/library?{many}")).send().await.expect(400);
        assert!(refused.pointers().contains(&"/query".to_owned()), "{}", refused.text());
    }

    async fn field_that_is_given_twice_is_refused(t: TestApp) {
        let twice = r#"{"name":"one","name":"two"}"#;
        let refused = t.alice.request(Method::PUT, LIST).body(twice, "application/json").send().await;
        let refused = refused.expect_problem(422, "invalid_body").json();
        assert_eq!(refused["errors"], json!([{ "pointer": "/name", "message": "is a duplicate" }]));
        t.alice.get(LIST).send().await.expect(404);
    }

    async fn compressed_body_is_refused_with_what_is_accepted(t: TestApp) {
        for (method, path, kind) in [
            (Method::PUT, LIST, "application/json"),
            (Method::POST, SYNC, "application/json"),
            (Method::POST, IMPORTS, "application/zip"),
        ] {
            for coding in ["gzip", "br", "identity, gzip"] {
                let call = t.alice.request(method.clone(), path).body([31_u8, 139, 8], kind);
                let refused = call.header("content-encoding", coding).send().await;
                let refused = refused.expect_problem(415, "unsupported_content_encoding");
                assert_eq!(refused.header("accept-encoding"), Some("identity"), "{path} {coding}");
            }
        }
        let plain = t.alice.put(LIST, json!({ "name": "x" })).header("content-encoding", "identity");
        plain.send().await.expect(201);
    }

    async fn account_beyond_its_share_of_body_bytes_is_told_apart_from_a_busy_service(t: TestApp) {
        let write = |who: &Persona| who.put(LIST, json!({ "name": "x" })).send();
        let bodies = &t.app.bodies.accounts;
        let mut own = bodies.reserve(id(&t.alice).await).unwrap();
        // A quarter of the budget, less what the reservations cost themselves.
        own.grow(t.app.config.bodies.bytes / 4 - 1_024).unwrap();
        let refused = write(&t.alice).await.expect_problem(429, "rate_limited");
        assert!(refused.header("retry-after").is_some());
        write(&t.bob).await.expect(201);
        let mut others = Vec::new();
        for other in 1.. {
            let mut reservation = bodies.reserve(Uuid::from_u128(other)).unwrap();
            if reservation.grow(8 * MIB).is_err() {
                break;
            }
            others.push(reservation);
        }
        let big = json!({ "name": "x", "description": "x".repeat(1_000_000) });
        while t.bob.put(LIST, big.clone()).send().await.status != 503 {
            let mut more = bodies.reserve(Uuid::new_v4()).unwrap();
            more.grow(MIB / 2).unwrap();
            others.push(more);
        }
        let busy = t.bob.put(LIST, big).send().await.expect_problem(503, "busy");
        assert!(busy.header("retry-after").is_some());
        drop((own, others));
        assert_eq!(bodies.used(), 0, "nothing is kept of any request");
        write(&t.alice).await.expect(201);
    }

    async fn webhook_judges_its_headers_before_its_body(t: TestApp) {
        let mut anonymous = t.app.bodies.anonymous.reserve("127.0.0.1".parse().unwrap()).unwrap();
        anonymous.grow(t.app.config.bodies.bytes / 16 / 4 - 512).unwrap();
        let send = |time: i64, signature: &str| {
            let call = t.anon.request(Method::POST, "/webhooks/clerk").body("{}", "application/json");
            let call = call.header("svix-id", "msg_1").header("svix-timestamp", &time.to_string());
            call.header("svix-signature", signature).send()
        };
        let now = omnitrack::clock::now() / 1000;
        let shaped = format!("v1,{}=", "A".repeat(43));
        // No room for any body: what is refused by its headers does not notice.
        send(now - 400, &shaped).await.expect_problem(400, "invalid_signature");
        send(now, "v1,x").await.expect_problem(400, "invalid_signature");
        send(now, &shaped).await.expect_problem(429, "rate_limited");
        drop(anonymous);
        send(now, &shaped).await.expect_problem(400, "invalid_signature");
    }
}

/// A request that sends a part of its body and then nothing.
async fn begin(address: std::net::SocketAddr, head: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // Refused meanwhile: then the answer is there.
    let _ = stream.write_all(body).await;
    stream
}

async fn answer(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    let _ = read.expect("an answer in time");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn body_that_does_not_arrive_is_cut_off() {
    let t = TestApp::sqlite().await;
    let t = t.restart(|config| config.bodies.window = Duration::from_millis(100)).await;
    let server = omnitrack::server::Server::bind("127.0.0.1:0".parse().unwrap(), None, 16).unwrap();
    let (address, stop) = (server.local_addr(), tokio_util::sync::CancellationToken::new());
    tokio::spawn(server.run(omnitrack::http::endpoint(&t.app), stop.clone()));
    let token = t.alice.token.as_ref().unwrap();
    let head = format!(
        "PUT {LIST} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\nConnection: close\r\n\r\n"
    );
    for body in [&b""[..], b"{\"name\":"] {
        let answer = answer(begin(address, &head, body).await).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_too_slow"), "{answer}");
    }
    assert_eq!(t.app.bodies.accounts.used(), 0);
    stop.cancel();
}

/// The most memory that a program held since the last call, in bytes.
fn peak(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    std::fs::write(format!("/proc/{}/clear_refs", service.id()), "5").unwrap();
    kibibytes * 1024
}

/// The bound on memory under attack, beyond what the program takes when it has nothing to do.
const ABOVE_IDLE: u64 = 150 * 1024 * 1024;

/// The program, what it takes after some requests, and the tokens of so many people who have an account.
async fn warm(stand_ins: &StandIns, db: &Database, people: usize) -> (Service, u64, Vec<String>) {
    let service = Service::start(stand_ins, db.url.expose());
    let client = client();
    let mut tokens = Vec::new();
    for number in 0..people {
        let token = stand_ins.token(&format!("person{number}"), Duration::from_secs(600));
        let call = client.put(service.url(LIST)).bearer_auth(&token).json(&json!({ "name": "x" }));
        assert_eq!(call.send().await.unwrap().status(), 201);
        tokens.push(token);
    }
    peak(&service);
    let idle = peak(&service);
    (service, idle, tokens)
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_large_bodies_at_once_take_bounded_memory() {
    let (stand_ins, db) = (StandIns::start().unwrap(), Database::sqlite());
    let (service, idle, tokens) = warm(&stand_ins, &db, 8).await;
    let long = json!({ "cursor": "x", "mutations": [
        { "id": Uuid::nil(), "made_at": "2026-01-01T00:00:00.000Z", "kind": "review", "key": MOVIE,
          "base_revision": 0, "create": true, "set": { "body": "é".repeat(2 * MIB - 500) } },
    ] });
    // Both are refused: the one by its schema, the other by its cursor.
    for body in [empty_mutations(), long.to_string()] {
        let calls: Vec<_> = (0..16)
            .map(|number| {
                let call = client().post(service.url(SYNC)).bearer_auth(&tokens[number % tokens.len()]);
                let call = call.header("content-type", "application/json").body(body.clone());
                tokio::spawn(async move { call.send().await.unwrap().status().as_u16() })
            })
            .collect();
        let mut statuses = Vec::new();
        for call in calls {
            statuses.push(call.await.unwrap());
        }
        assert!(statuses.iter().all(|found| [422, 429, 503].contains(found)), "{statuses:?}");
        assert!(statuses.contains(&422), "{statuses:?}");
        let above = peak(&service).saturating_sub(idle);
        assert!(above < ABOVE_IDLE, "{} MiB above idle", above / 1024 / 1024);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn account_that_sends_slowly_neither_takes_the_memory_nor_stops_others() {
    let (stand_ins, db) = (StandIns::start().unwrap(), Database::sqlite());
    let (service, idle, tokens) = warm(&stand_ins, &db, 2).await;
    let head = format!(
        "POST {SYNC} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        tokens[0],
        4 * MIB
    );
    let body = vec![b' '; 4 * MIB - 1];
    let begun = (0..100).map(|_| begin(service.address, &head, &body));
    let streams = futures_util::future::join_all(begun).await;
    let write = client().put(service.url(LIST)).bearer_auth(&tokens[1]).json(&json!({ "name": "y" }));
    assert_eq!(write.send().await.unwrap().status(), 200);
    let above = peak(&service).saturating_sub(idle);
    assert!(above < ABOVE_IDLE / 2, "{} MiB above idle", above / 1024 / 1024);
    let began = Instant::now();
    let answers = futures_util::future::join_all(streams.into_iter().map(answer)).await;
    // Those that were let in are cut off, well before any request times out.
    let too_slow = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 408")).count();
    assert!((1..=4).contains(&too_slow), "{too_slow} were let in");
    assert!(began.elapsed() < Duration::from_secs(20));
    let write = client().put(service.url(LIST)).bearer_auth(&tokens[0]).json(&json!({ "name": "z" }));
    assert_eq!(write.send().await.unwrap().status(), 200);
}

/// The rows of an archive are parsed only where their schema bounds what they come to.
#[tokio::test(flavor = "multi_thread")]
async fn archive_of_one_endless_row_takes_bounded_memory() {
    let (stand_ins, db) = (StandIns::start().unwrap(), Database::sqlite());
    let (service, idle, tokens) = warm(&stand_ins, &db, 1).await;
    let mut entry = crate::support::archive::entry("tv:tmdb:1399");
    entry["pending_episodes"] = json!([{ "watched": true }]);
    let archive = crate::support::archive::archive(vec![entry], vec![]).to_string();
    let one = r#"{"watched":true}"#;
    let many = vec![one; 20 * MIB / (one.len() + 1)].join(",");
    let call = client().post(service.url(IMPORTS)).bearer_auth(&tokens[0]);
    let call = call.header("content-type", "application/json").body(archive.replacen(one, &many, 1));
    let refused = call.send().await.unwrap();
    assert_eq!(refused.status(), 422);
    let refused: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    assert_eq!(refused["errors"][0]["pointer"], "/library/0/pending_episodes");
    let above = peak(&service).saturating_sub(idle);
    assert!(above < ABOVE_IDLE / 2, "{} MiB above idle", above / 1024 / 1024);
}

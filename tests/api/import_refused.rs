//! Archives that are not taken: each is refused as a whole, with what is wrong and where, and changes
//! nothing.

use std::time::{Duration, Instant};

use omnitrack::http;
use omnitrack::server::Server;
use poem::EndpointExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::app::TestApp;
use crate::support::archive::{IMPORTS, THEN, archive, comment, dump, entry, list, zipped};
use crate::support::both;
use crate::support::persona::Persona;
use crate::support::titles::{BOOK, GAME, MOVIE, SERIES};

const LIST: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
const ID: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a002";

/// A bad archive: what it is sent as, where something is wrong, and a part of what is said of it.
struct Bad {
    name: &'static str,
    body: Vec<u8>,
    pointer: &'static str,
    says: &'static str,
}

fn bad(name: &'static str, body: impl Into<Vec<u8>>, pointer: &'static str, says: &'static str) -> Bad {
    Bad { name, body: body.into(), pointer, says }
}

/// A sound archive with one change.
fn with(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut movie = entry(MOVIE);
    movie["rating"] = 90.into();
    movie["review"] = json!({ "body": "x", "spoiler": false, "created_at": THEN, "updated_at": THEN });
    movie["comments"] = json!([comment(ID, "x")]);
    movie["history"] = json!([{ "id": ID, "precision": "day", "finished_on": "2024-02-03", "created_at": THEN, "updated_at": THEN }]);
    let mut series = entry(SERIES);
    series["episodes"] = json!([{ "season": 1, "number": 1, "created_at": THEN, "updated_at": THEN }]);
    series["pending_episodes"] = json!([{ "watched": true, "aired_by": "2024-01-01" }]);
    let mut book = entry(BOOK);
    book["progress"] = json!({ "unit": "pages", "current": 10, "total": 100 });
    let mut archive = archive(vec![movie, series, book], vec![list(LIST, &[MOVIE, GAME])]);
    change(&mut archive);
    archive.to_string().into_bytes()
}

/// The same with another value at a place.
fn set(pointer: &str, value: Value) -> Vec<u8> {
    with(|archive| {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = archive.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {pointer}"));
        match parent {
            Value::Array(items) if name == "-" => items.push(value),
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
            parent => parent[name] = value,
        }
    })
}

fn remove(name: &str) -> Vec<u8> {
    with(|archive| drop(archive.as_object_mut().unwrap().remove(name)))
}

fn unsound_json() -> Vec<Bad> {
    let sound = with(|_| ());
    let text = String::from_utf8(sound.clone()).unwrap();
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let many = |number: u128| comment(&uuid::Uuid::from_u128(number).to_string(), "x");
    let must_be_time = "must be a time";
    vec![
        bad("nothing", "", "", "is not whole"),
        bad("no JSON", "hello", "", "is not JSON"),
        bad("no object", "[]", "", "is not of the type"),
        bad("cut off", &sound[..sound.len() / 2], "", "is not whole"),
        bad("cut off by one", &sound[..sound.len() - 1], "", "is not whole"),
        bad("more behind it", format!("{text}{text}"), "", "is not JSON"),
        bad("no text", [&b"{\"format\":\""[..], &[0xff, 0xfe], b"\"}"].concat(), "", "is not JSON"),
        bad("another format", set("/format", json!("trakt")), "/format", "must be omnitrack-archive"),
        bad("no version", set("/version", json!("1")), "/version", "must be an integer"),
        bad("no library", remove("library"), "/library", "is required"),
        bad("no account", remove("account"), "/account", "is required"),
        bad("library of another type", set("/library", json!({})), "/library", "is not of the type"),
        bad("unknown member", set("/secrets", json!([])), "/secrets", "is not a known field"),
        bad("member twice", text.replacen("\"lists\":", "\"lists\":[],\"lists\":", 1), "/lists", "twice"),
        bad(
            "deep nesting",
            text.replacen("\"devices\":[]", &format!("\"devices\":{deep}"), 1),
            "",
            "is not JSON",
        ),
        bad("row of nothing", set("/library/-", Value::Null), "/library/3", "must not be null"),
        bad("row of another type", set("/library/-", json!(7)), "/library/3", "must be an object"),
        bad("unknown field", set("/library/0/stars", json!(5)), "/library/0/stars", "is not a known field"),
        bad(
            "rating as text",
            set("/library/0/rating", json!("90")),
            "/library/0/rating",
            "must be an integer",
        ),
        bad(
            "rating beyond",
            set("/library/0/rating", json!(101)),
            "/library/0/rating",
            "must be at most 100",
        ),
        bad(
            "rating far beyond",
            set("/library/0/rating", json!(99999999999_i64)),
            "/library/0/rating",
            "must be at most 2147483647",
        ),
        bad("unknown status", set("/library/0/status", json!("seen")), "/library/0/status", "must be one of"),
        bad(
            "no title of any source",
            set("/library/0/media_id", json!("movie:imdb:1")),
            "/library/0/media_id",
            "source",
        ),
        bad("title twice", set("/library/-", entry(MOVIE)), "/library/3/media_id", "twice"),
        bad(
            "no such day",
            set("/library/0/started_on", json!("2024-02-30")),
            "/library/0/started_on",
            "must be a date",
        ),
        bad(
            "no such time",
            set("/library/0/added_at", json!("yesterday")),
            "/library/0/added_at",
            must_be_time,
        ),
        bad("NUL", set("/library/0/review/body", json!("a\u{0}b")), "/library/0/review/body", "NUL"),
        bad("empty review", set("/library/0/review/body", json!("")), "/library/0/review/body", "at least 1"),
        bad(
            "long review",
            set("/library/0/review/body", json!("é".repeat(20_001))),
            "/library/0/review/body",
            "at most 20000",
        ),
        bad(
            "long comment",
            set("/library/0/comments/-", comment(&uuid::Uuid::nil().to_string(), &"x".repeat(5_001))),
            "/library/0/comments/1/body",
            "at most 5000",
        ),
        bad(
            "no UUID",
            set("/library/0/comments/-", comment("7", "x")),
            "/library/0/comments/1/id",
            "must be a UUID",
        ),
        bad(
            "comment twice",
            set("/library/0/comments/-", comment(ID, "x")),
            "/library/0/comments/1/id",
            "twice",
        ),
        bad(
            "1,001 comments",
            set("/library/0/comments", (1..=1_001).map(many).collect()),
            "/library/0/comments",
            "at most 1000",
        ),
        bad(
            "page of a movie",
            set(
                "/library/0/comments/0",
                json!({ "id": ID, "body": "x", "anchor": { "kind": "page", "number": 1 }, "created_at": THEN, "updated_at": THEN }),
            ),
            "/library/0/comments/0/anchor",
            "only a book",
        ),
        bad(
            "date of no precision",
            set("/library/0/history/0/precision", json!("unknown")),
            "/library/0/history/0/finished_on",
            "must be left out",
        ),
        bad(
            "episodes of a movie",
            set(
                "/library/0/episodes/-",
                json!({ "season": 1, "number": 1, "created_at": THEN, "updated_at": THEN }),
            ),
            "/library/0/episodes/0",
            "only series",
        ),
        bad(
            "episode beyond",
            set("/library/1/episodes/0/season", json!(100_000)),
            "/library/1/episodes/0/season",
            "at most 99999",
        ),
        bad(
            "progress of a series",
            set("/library/1/progress", json!({ "unit": "percent", "current": 5 })),
            "/library/1/progress",
            "is derived",
        ),
        bad(
            "mark of no day",
            set("/library/1/pending_episodes/0/watched", json!(false)),
            "/library/1/pending_episodes/0/aired_by",
            "goes with a mark",
        ),
        bad(
            "pages beyond the last",
            set("/library/2/progress/current", json!(101)),
            "/library/2/progress/current",
            "not be more",
        ),
        bad("list twice", set("/lists/-", list(LIST, &[])), "/lists/1/id", "twice"),
        bad(
            "item twice",
            set("/lists/0/items/-", list(LIST, &[MOVIE])["items"][0].clone()),
            "/lists/0/items/2/media_id",
            "twice",
        ),
        bad(
            "long note",
            set("/lists/0/items/0/note", json!("x".repeat(1_001))),
            "/lists/0/items/0/note",
            "at most 1000",
        ),
        bad(
            "no such time zone",
            set("/account/time_zone", json!("Mars/Base")),
            "/account/time_zone",
            "time zone",
        ),
        bad("no such language", set("/account/language", json!("tlh")), "/account/language", "language"),
    ]
}

fn unsound_zip() -> Vec<Bad> {
    let sound = with(|_| ());
    let good = zipped(&[("archive.json", &sound)]);
    let inner = zipped(&[("archive.json", &sound)]);
    let names: Vec<String> = (0..150).map(|n| format!("{n}.csv")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let patched = |from: &[u8], to: &[u8]| {
        let mut bytes = zipped(&[("archive.json", &sound), ("archivf.json", &sound)]);
        let mut at = 0;
        while let Some(found) = bytes[at..].windows(from.len()).position(|window| window == from) {
            bytes[at + found..at + found + to.len()].copy_from_slice(to);
            at += found + to.len();
        }
        bytes
    };
    // A field of every header of a file: at so many bytes behind `PK\1\2`, and behind `PK\3\4`.
    let field = |central: usize, local: usize, value: &[u8]| {
        let mut bytes = good.clone();
        for (mark, offset) in [(b"PK\x01\x02", central), (b"PK\x03\x04", local)] {
            let at = bytes.windows(4).position(|window| window == mark).unwrap() + offset;
            bytes[at..at + value.len()].copy_from_slice(value);
        }
        bytes
    };
    let mut link = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    link.add_symlink("archive.json", "/etc/passwd", zip::write::SimpleFileOptions::default()).unwrap();
    let link = link.finish().unwrap().into_inner();
    let bomb = zipped(&[("archive.json", &vec![b' '; 32 * 1024 * 1024])]);
    let beside = zipped(&[("archive.json", &sound), ("films.csv", &vec![b' '; 32 * 1024 * 1024])]);
    let mut broken = good.clone();
    let middle = good.len() / 3;
    broken[middle..middle + 40].fill(0x55);
    vec![
        bad("empty ZIP", zipped(&[]), "", "holds no archive.json"),
        bad("no archive.json", zipped(&[("films.csv", b"x")]), "", "holds no archive.json"),
        bad("a path out", zipped(&[("../archive.json", &sound)]), "", "lies outside"),
        bad("a path from the root", zipped(&[("/archive.json", &sound)]), "", "lies outside"),
        bad("a path of Windows", zipped(&[("..\\archive.json", &sound)]), "", "lies outside"),
        bad("a drive", zipped(&[("C:archive.json", &sound)]), "", "lies outside"),
        bad("a folder", zipped(&[("copy/archive.json", &sound)]), "", "folder"),
        bad("a link", link, "", "link"),
        bad("a name twice", patched(b"archivf.json", b"archive.json"), "", "two files of one name"),
        bad("150 files", zipped(&many), "", "more than 100 files"),
        bad("nested", zipped(&[("archive.json", &sound), ("inner.zip", &inner)]), "", "neither archive.json"),
        bad("encrypted", field(8, 6, &[1, 0]), "", "encrypted"),
        bad("packed otherwise", field(10, 8, &[12, 0]), "", "another way than Deflate"),
        bad(
            "too large by its own word",
            field(24, 22, &0x3000_0000_u32.to_le_bytes()),
            "",
            "larger than 512 MiB",
        ),
        bad("larger than it says", field(24, 22, &10_u32.to_le_bytes()), "", "is not whole"),
        bad("a bomb", bomb, "", "more than 200 times"),
        bad("a bomb beside it", beside, "", "more than 200 times"),
        bad("cut off ZIP", &good[..good.len() - 10], "", "not a whole ZIP file"),
        bad("cut off in the middle", &good[..good.len() / 2], "", "not a whole ZIP file"),
        bad("broken within", broken, "", "is not"),
        bad("nothing but the letters", "PK", "", "not a whole ZIP file"),
        bad("unsound JSON within", zipped(&[("archive.json", b"{}")]), "/library", "is required"),
    ]
}

both! {
    async fn what_is_unsound_changes_nothing(t: TestApp) {
        t.stop_jobs().await;
        let own = format!("/v1/library/{MOVIE}");
        t.alice.put(&own, json!({ "status": "backlog" })).send().await.expect(201);
        let before = dump(&t.app).await;
        let all: Vec<Bad> = unsound_json().into_iter().chain(unsound_zip()).collect();
        assert!(all.len() > 60);
        for Bad { name, body, pointer, says } in all {
            let kind = if body.starts_with(b"PK") { "application/zip" } else { "application/json" };
            let send = |query: &str| {
                t.alice.request(poem::http::Method::POST, &format!("{IMPORTS}{query}")).body(body.clone(), kind).send()
            };
            let refused = send("").await;
            assert_eq!(refused.status, 422, "{name}: {}", refused.text());
            let refused = refused.expect_problem(422, "invalid_archive").json();
            let found = |errors: &Value| {
                let errors = errors.as_array().unwrap();
                errors.iter().any(|one| one["pointer"] == pointer && one["message"].as_str().unwrap().contains(says))
            };
            assert!(found(&refused["errors"]), "{name}: {refused}");
            let check = send("?dry_run=true").await.expect(200).json();
            assert!(found(&check["errors"]) && check["valid"] == false, "{name}: {check}");
            assert_eq!(dump(&t.app).await, before, "{name}");
        }
    }

    async fn all_that_is_wrong_is_counted(t: TestApp) {
        let rows = (1..=1_500).map(|n| {
            let mut row = entry(&format!("movie:tmdb:{n}"));
            row["rating"] = 0.into();
            row["status"] = "seen".into();
            row
        });
        let archive = archive(rows.collect(), vec![]);
        let refused = t.alice.post(IMPORTS, archive.clone()).send().await.expect_problem(422, "invalid_archive").json();
        assert_eq!(refused["errors"].as_array().unwrap().len(), 1_000);
        assert!(refused["detail"].as_str().unwrap().starts_with("3000 things"), "{}", refused["detail"]);
        let check = t.alice.post(&format!("{IMPORTS}?dry_run=true"), archive).send().await.expect(200).json();
        assert_eq!(check["error_count"], 3_000);
    }

    async fn a_later_version_is_not_guessed_at(t: TestApp) {
        let mut later = archive(vec![json!({ "of": "the future" })], vec![]);
        later["version"] = 2.into();
        let refused = t.alice.post(IMPORTS, later).send().await.expect_problem(422, "unsupported_version");
        assert_eq!(refused.pointers(), ["/version"]);
    }

    async fn what_is_no_archive_at_all_is_not_read(t: TestApp) {
        let send = |body: Vec<u8>, kind: &str| {
            t.alice.request(poem::http::Method::POST, IMPORTS).body(body, kind).send()
        };
        send(b"a,b".to_vec(), "text/csv").await.expect_problem(415, "unsupported_media_type");
        send(vec![b' '; 64 * 1024 * 1024 + 1], "application/json").await.expect_problem(413, "body_too_large");
        let twice = format!("{IMPORTS}?dry_run=maybe");
        t.alice.post(&twice, json!({})).send().await.expect_problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn a_million_rows_are_refused_and_not_kept() {
    let mut t = TestApp::sqlite().await;
    t.stop_jobs().await;
    t.alice.get("/v1/account").send().await.expect(200);
    let before = dump(&t.app).await;
    let head = archive(vec![], vec![]).to_string();
    let (head, tail) = head.split_once("\"library\":[").unwrap();
    let mut body = format!("{head}\"library\":[");
    for number in 1..=200_001 {
        if number > 1 {
            body.push(',');
        }
        body.push_str(&entry(&format!("movie:tmdb:{number}")).to_string());
    }
    // From there on it is no row any more: nobody may look at it.
    body.push_str(&",{}".repeat(800_000));
    body.push_str(tail);
    let packed = zipped(&[("archive.json", body.as_bytes())]);
    let refused =
        t.alice.request(poem::http::Method::POST, IMPORTS).body(packed, "application/zip").send().await;
    let refused = refused.expect_problem(422, "invalid_archive").json();
    assert_eq!(
        refused["errors"],
        json!([{ "pointer": "/library", "message": "must have at most 200000 items" }])
    );
    assert_eq!(dump(&t.app).await, before);
}

/// The service behind a real socket, with less patience.
async fn served(stall: u64, whole: u64) -> (TestApp, std::net::SocketAddr, CancellationToken) {
    let t = TestApp::sqlite().await;
    let t = t
        .restart(|config| {
            config.uploads.stall = Duration::from_millis(stall);
            config.uploads.whole = Duration::from_millis(whole);
        })
        .await;
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), None, 16).unwrap();
    let (address, stop) = (server.local_addr(), CancellationToken::new());
    // Any other request may last far less than these uploads do.
    let endpoint = http::endpoint(&t.app).with_timeout(Duration::from_millis(400)).boxed();
    tokio::spawn(server.run(endpoint, stop.clone()));
    (t, address, stop)
}

/// Sends the head of an upload, then its pieces with a pause before each, then reads the answer.
async fn slowly(
    t: &TestApp,
    address: std::net::SocketAddr,
    length: usize,
    pieces: &[&[u8]],
    pause: u64,
) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {IMPORTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n",
        t.alice.token.as_ref().unwrap()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in pieces {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        if stream.write_all(piece).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    let _ = read.expect("an answer in time");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn an_upload_may_take_longer_than_any_other_request() {
    let (t, address, stop) = served(2_000, 20_000).await;
    let body = with(|_| ());
    let pieces: Vec<&[u8]> = body.chunks(body.len() / 10 + 1).collect();
    let answer = slowly(&t, address, body.len(), &pieces, 100).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    stop.cancel();
}

#[tokio::test]
async fn who_sends_nothing_more_is_cut_off() {
    let (t, address, stop) = served(200, 20_000).await;
    let body = with(|_| ());
    let began = Instant::now();
    let answer = slowly(&t, address, body.len(), &[&body[..100]], 10).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_too_slow"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(10));
    stop.cancel();
}

#[tokio::test]
async fn who_sends_a_little_for_ever_is_cut_off() {
    let (t, address, stop) = served(2_000, 500).await;
    let body = with(|_| ());
    let pieces: Vec<&[u8]> = body.chunks(body.len() / 40 + 1).collect();
    let answer = slowly(&t, address, body.len(), &pieces, 100).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    stop.cancel();
}

#[tokio::test]
async fn who_breaks_off_leaves_nothing() {
    let (t, address, stop) = served(2_000, 20_000).await;
    t.alice.get("/v1/account").send().await.expect(200);
    let before = dump(&t.app).await;
    let body = with(|_| ());
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {IMPORTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        t.alice.token.as_ref().unwrap(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() - 1]).await.unwrap();
    drop(stream);
    // Its slot and its bytes are free again.
    let waited = async {
        while t.app.imports.uploading() > 0 || t.app.imports.bytes.used() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.expect("the slot is free again");
    assert_eq!(dump(&t.app).await, before);
    stop.cancel();
}

/// The service whose uploads wait for no slot.
async fn impatient() -> TestApp {
    TestApp::sqlite().await.restart(|config| config.uploads.wait = Duration::ZERO).await
}

#[tokio::test]
async fn few_are_received_at_once() {
    let t = impatient().await;
    let mut slots = Vec::new();
    for other in 0..4 {
        slots.push(t.app.imports.slot(Uuid::from_u128(other)).await.unwrap());
    }
    let busy = t.alice.post(IMPORTS, archive(vec![], vec![])).send().await.expect_problem(503, "busy");
    assert!(busy.header("retry-after").is_some());
    drop(slots);
    t.alice.post(IMPORTS, archive(vec![], vec![])).send().await.expect(202);
}

#[tokio::test]
async fn one_upload_of_an_account_is_received_at_a_time() {
    let t = impatient().await;
    let account = t.alice.get("/v1/account").send().await.expect(200).json();
    let slot = t.app.imports.slot(account["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
    let send = |who: &Persona| who.post(&format!("{IMPORTS}?dry_run=true"), archive(vec![], vec![])).send();
    let refused = send(&t.alice).await.expect_problem(429, "too_many_transfers");
    assert!(refused.header("retry-after").is_some());
    send(&t.bob).await.expect(200);
    drop(slot);
    send(&t.alice).await.expect(200);
}

#[tokio::test]
async fn uploads_share_a_budget_of_bytes() {
    let t = impatient().await;
    let other = t.app.imports.bytes.reserve(Uuid::nil()).unwrap();
    let mut others: Vec<_> = vec![other];
    // One account cannot take all of it.
    assert_eq!(others[0].grow(64 * 1024 * 1024), Ok(()));
    assert!(others[0].grow(1024).is_err());
    others.push(t.app.imports.bytes.reserve(Uuid::max()).unwrap());
    assert_eq!(others[1].grow(32 * 1024 * 1024 - 2_000), Ok(()));
    let send = || t.alice.post(&format!("{IMPORTS}?dry_run=true"), archive(vec![], vec![])).send();
    send().await.expect_problem(503, "busy");
    others.clear();
    send().await.expect(200);
    assert_eq!(t.app.imports.bytes.used(), 0);
}

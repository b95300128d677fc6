//! The address of a copy and the download behind it: who may have it, how often it is made, when it ends.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use omnitrack::app::App;
use omnitrack::archive::format::Archive;
use omnitrack::db::rows;
use omnitrack::error::Error;
use omnitrack::secret::Secrets;
use omnitrack::server::Server;
use omnitrack::{account, export, http};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::persona::Persona;

const EXPORTS: &str = "/v1/account/exports";
const PATIENCE: Duration = Duration::from_secs(30);

async fn ask(who: &Persona) -> Value {
    who.post(EXPORTS, json!({ "format": "json" })).send().await.expect(201).json()
}

fn url(made: &Value) -> String {
    made["url"].as_str().unwrap().to_owned()
}

fn token(made: &Value) -> String {
    url(made).rsplit('/').next().unwrap().to_owned()
}

async fn count(t: &TestApp, table: &str) -> i64 {
    let found = rows(t.app.db.shared(), &format!("SELECT COUNT(*) FROM {table}"), []).await.unwrap();
    found[0].try_get_by_index(0).unwrap()
}

async fn id(who: &Persona) -> uuid::Uuid {
    who.get("/v1/account").send().await.expect(200).json()["id"].as_str().unwrap().parse().unwrap()
}

/// Gives the account entries with reviews of 20,000 characters: more than any buffer on the way holds.
async fn stock(t: &TestApp, who: &Persona, entries: usize) {
    let id = id(who).await;
    let (id, text) = if t.is_sqlite() {
        (format!("X'{}'", id.simple()), "hex(zeroblob(10000))")
    } else {
        (format!("'{id}'"), "repeat('00', 10000)")
    };
    let numbers = format!(
        "WITH RECURSIVE n (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM n WHERE n < {})",
        99 + entries
    );
    t.sql(&format!(
        "INSERT INTO library_entry (account_id, media_id, kind, status, status_set_by, rating, favorite, \
         awaits_media, revision, added_at, updated_at) {numbers} SELECT {id}, 'game:igdb:' || n, 'game', 'backlog', \
         'person', 1, FALSE, FALSE, n, n, n FROM n"
    ))
    .await;
    t.sql(&format!(
        "INSERT INTO review (account_id, media_id, body, spoiler, revision, created_at, updated_at) {numbers} \
         SELECT {id}, 'game:igdb:' || n, {text}, FALSE, n, n, n FROM n"
    ))
    .await;
}

/// Begins as soon as there is a place: what was given up a moment ago may still hold one.
async fn begin(app: &App, token: &str) -> impl Stream<Item = io::Result<Bytes>> + Unpin + use<> {
    let begun = Instant::now();
    loop {
        match app.exports.download(&app.db, &app.users, token).await {
            Ok(download) => return Box::pin(download.pieces),
            Err(Error::Busy | Error::TooManyTransfers) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

async fn rest(pieces: impl Stream<Item = io::Result<Bytes>>) -> io::Result<Vec<u8>> {
    let all = pieces.collect::<Vec<_>>();
    let parts = tokio::time::timeout(PATIENCE, all).await.expect("it ends");
    Ok(parts.into_iter().collect::<io::Result<Vec<Bytes>>>()?.concat())
}

both! {
    async fn an_address_works_without_a_token_and_says_nothing(t: TestApp) {
        let made = ask(&t.alice).await;
        assert_eq!(made["duplicate"], false);
        let (created, expires) = (made["created_at"].as_str().unwrap(), made["expires_at"].as_str().unwrap());
        let time = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap();
        assert_eq!(time(expires) - time(created), chrono::Duration::minutes(15));
        let found = t.anon.get(&url(&made)).send().await.expect(200);
        assert_eq!(found.header("cache-control"), Some("no-store"));
        let name = format!("attachment; filename=\"omnitrack-{}.json\"", &created[..10]);
        assert_eq!(found.header("content-disposition"), Some(name.as_str()));
        assert_eq!(found.json()["account"]["id"], id(&t.alice).await.to_string());
        let head = t.anon.request(poem::http::Method::HEAD, &url(&made)).send().await.expect(200);
        assert!(head.body.is_empty() && head.header("content-type") == Some("application/json"));
        // Whoever sees the address learns nothing of whose it is, and it is another each time.
        let listed = t.alice.get(EXPORTS).send().await.expect(200).items();
        assert_eq!((listed.len(), &listed[0]["id"]), (1, &made["id"]));
        assert_ne!(url(&listed[0]), url(&made));
        t.anon.get(&url(&listed[0])).send().await.expect(200);
        assert_eq!(t.bob.get(EXPORTS).send().await.expect(200).items(), Vec::<Value>::new());
    }

    async fn every_address_that_leads_nowhere_is_answered_alike(t: TestApp) {
        // What is past is forgotten by nobody but the test.
        t.stop_jobs().await;
        let made = ask(&t.alice).await;
        let mut wrong = vec!["x".to_owned(), "é".replace('é', "%C3%A9"), "bm90IGFuIGFkZHJlc3M".to_owned()];
        let right = token(&made);
        for at in [0, right.len() / 2, right.len() - 2] {
            let mut changed = right.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            wrong.push(String::from_utf8(changed).unwrap());
        }
        let mut answers = Vec::new();
        for token in wrong {
            answers.push(t.anon.get(&format!("/v1/exports/{token}")).send().await);
        }
        t.sql("UPDATE export SET expires_at = 1").await;
        answers.push(t.anon.get(&url(&made)).send().await);
        assert_eq!(t.alice.get(EXPORTS).send().await.expect(200).items(), Vec::<Value>::new());
        t.sql("UPDATE export SET expires_at = 99999999999999").await;
        t.anon.get(&url(&made)).send().await.expect(200);
        t.sql("UPDATE account SET erased_at = 1").await;
        answers.push(t.anon.get(&url(&made)).send().await);
        t.sql("DELETE FROM export").await;
        answers.push(t.anon.get(&url(&made)).send().await);
        let alike = |answer: &crate::support::answer::Answer| {
            let mut body = answer.clone().expect_problem(404, "not_found").json();
            body["request_id"] = json!("");
            body
        };
        assert!(answers.windows(2).all(|pair| alike(&pair[0]) == alike(&pair[1])));
    }

    async fn an_address_outlives_a_change_of_the_secret(t: TestApp) {
        let made = ask(&t.alice).await;
        let before = crate::support::app::SECRET;
        let t = t.restart(|config| config.secrets = Secrets::parse(&format!("the secret of today,{before}")).ok()).await;
        t.anon.get(&url(&made)).send().await.expect(200);
        let t = t.restart(|config| config.secrets = Secrets::parse("the secret of today").ok()).await;
        t.anon.get(&url(&made)).send().await.expect_problem(404, "not_found");
    }

    async fn nobody_takes_it_in_the_persons_name(t: TestApp) {
        ask(&t.alice).await;
        let support = t.impersonated("alice");
        support.post(EXPORTS, json!({ "format": "json" })).send().await.expect_problem(403, "impersonated");
        support.get(EXPORTS).send().await.expect_problem(403, "impersonated");
        assert_eq!(count(&t, "export").await, 1);
    }

    async fn a_key_makes_one_copy(t: TestApp) {
        // What is past is forgotten by nobody but the test.
        t.stop_jobs().await;
        let call = |key: &str, format: &str| {
            t.alice.post(EXPORTS, json!({ "format": format })).header("idempotency-key", key)
        };
        let first = call("a", "json").send().await.expect(201).json();
        let again = call("a", "json").send().await.expect(201).json();
        assert_eq!((&again["id"], &again["duplicate"]), (&first["id"], &json!(true)));
        t.anon.get(&url(&again)).send().await.expect(200);
        let reused = call("a", "zip").send().await.expect(422);
        assert_eq!(reused.json()["code"], "idempotency_key_reused");
        assert_ne!(call("b", "json").send().await.expect(201).json()["id"], first["id"]);
        assert_ne!(ask(&t.alice).await["id"], first["id"]);
        // Somebody else's key is another.
        let bobs = t.bob.post(EXPORTS, json!({ "format": "zip" })).header("idempotency-key", "a");
        assert_eq!(bobs.send().await.expect(201).json()["duplicate"], false);
        for unfit in [String::new(), "with blank".to_owned(), "x".repeat(256), "ü".to_owned()] {
            call(&unfit, "json").send().await.expect_problem(400, "invalid_parameter");
        }
        call(&"x".repeat(255), "json").send().await.expect(201);

        // What is past is forgotten, in this order or the other.
        let now = omnitrack::clock::now();
        assert_eq!(export::forget(&t.app.db, now).await.unwrap(), 0);
        t.sql("UPDATE export SET expires_at = 1").await;
        assert_eq!(export::forget(&t.app.db, now).await.unwrap(), 5);
        call("a", "json").send().await.expect_problem(410, "deleted");
        assert_eq!(account::idempotency::forget(&t.app.db, now + 1).await.unwrap(), 4);
        assert_eq!(call("a", "zip").send().await.expect(201).json()["duplicate"], false);
    }

    async fn a_key_makes_one_copy_also_at_two_instances_at_once(t: TestApp) {
        let other = t.another(|_| ()).await;
        let there = other.seen_by(&t.alice);
        id(&t.alice).await;
        for round in 0..5 {
            let key = format!("round {round}").replace(' ', "-");
            let calls = (0..8).map(|n| {
                let who = if n % 2 == 0 { &t.alice } else { &there };
                who.post(EXPORTS, json!({ "format": "json" })).header("idempotency-key", &key).send()
            });
            let answers = futures_util::future::join_all(calls).await;
            let made: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201).json()).collect();
            assert!(made.iter().all(|one| one["id"] == made[0]["id"]), "{made:?}");
            assert_eq!(made.iter().filter(|one| one["duplicate"] == false).count(), 1);
        }
        assert_eq!(count(&t, "export").await, 5);
    }

    async fn an_account_has_so_many_at_once(t: TestApp) {
        // What is past is forgotten by nobody but the test.
        t.stop_jobs().await;
        for _ in 0..20 {
            ask(&t.alice).await;
        }
        let more = t.alice.post(EXPORTS, json!({ "format": "zip" }));
        more.clone().send().await.expect_problem(409, "limit_reached");
        let mut seen = Vec::new();
        let mut page = t.alice.get(&format!("{EXPORTS}?limit=8")).send().await.expect(200);
        loop {
            seen.extend(page.items());
            let Some(cursor) = page.next_cursor() else { break };
            page = t.alice.get(&format!("{EXPORTS}?limit=8&cursor={cursor}")).send().await.expect(200);
        }
        assert_eq!(seen.len(), 20);
        assert!(seen.is_sorted_by_key(|one| one["id"].to_string()));
        t.sql("UPDATE export SET expires_at = 1").await;
        more.send().await.expect(201);
    }

    async fn a_copy_shows_one_moment_whatever_is_written_meanwhile(t: TestApp) {
        t.stop_jobs().await;
        stock(&t, &t.alice, 200).await;
        let made = ask(&t.alice).await;
        let mut pieces = begin(&t.app, &token(&made)).await;
        let first = pieces.next().await.unwrap().unwrap();
        // What is to come has not been read yet: it is far more than what waits on the way.
        t.sql("UPDATE library_entry SET rating = 2").await;
        t.sql("DELETE FROM review WHERE media_id > 'game:igdb:150'").await;
        t.sql("UPDATE account SET time_zone = 'Asia/Kabul'").await;
        let mut text = first.to_vec();
        text.extend(rest(pieces).await.unwrap());
        let read: Archive = serde_json::from_slice(&text).unwrap();
        assert_eq!(read.library.len(), 200);
        assert!(read.library.iter().all(|entry| entry.rating == Some(1) && entry.review.is_some()));
        assert_eq!(read.account.time_zone, "UTC");
        let now: Archive = serde_json::from_slice(&rest(begin(&t.app, &token(&made)).await).await.unwrap()).unwrap();
        assert!(now.library.iter().all(|entry| entry.rating == Some(2)));
        assert_eq!(now.library.iter().filter(|entry| entry.review.is_some()).count(), 51);
    }

    async fn an_erased_accounts_download_is_cut(t: TestApp) {
        t.stop_jobs().await;
        stock(&t, &t.alice, 200).await;
        stock(&t, &t.bob, 200).await;
        let (hers, his) = (ask(&t.alice).await, ask(&t.bob).await);
        // Found out where nobody tells, and told.
        for told in [false, true] {
            let mut app = t.app.clone();
            app.exports.look = if told { Duration::from_secs(3600) } else { Duration::from_millis(20) };
            let mut cut = begin(&app, &token(&hers)).await;
            let mut whole = begin(&app, &token(&his)).await;
            cut.next().await.unwrap().unwrap();
            whole.next().await.unwrap().unwrap();
            if told {
                t.alice.delete("/v1/account").send().await.expect(202);
            } else {
                t.sql("UPDATE account SET erased_at = 1 WHERE id IN (SELECT account_id FROM export ORDER BY id LIMIT 1)")
                    .await;
            }
            // Until then both wait for their clients.
            until_running(&app, 1).await;
            rest(cut).await.expect_err("it was cut");
            rest(whole).await.expect("another's goes on");
            t.anon.get(&url(&hers)).send().await.expect_problem(404, "not_found");
            if !told {
                t.sql("UPDATE account SET erased_at = NULL").await;
            }
        }
    }

    async fn download_waits_for_the_other_one_of_its_account_and_not_for_ever(t: TestApp) {
        t.stop_jobs().await;
        stock(&t, &t.alice, 100).await;
        let (first, second, bobs) = (ask(&t.alice).await, ask(&t.alice).await, ask(&t.bob).await);
        let mut app = t.app.clone();
        let running = begin(&app, &token(&first)).await;
        app.exports.wait = Duration::ZERO;
        let refused = app.exports.download(&app.db, &app.users, &token(&second)).await.err();
        assert!(matches!(refused, Some(Error::TooManyTransfers)), "{refused:?}");
        // Another account's is not held up by it, although the first account asked earlier.
        app.exports.wait = PATIENCE;
        let waiting = {
            let (app, second) = (app.clone(), token(&second));
            tokio::spawn(async move { rest(begin(&app, &second).await).await })
        };
        rest(begin(&app, &token(&bobs)).await).await.unwrap();
        assert!(!waiting.is_finished());
        rest(running).await.unwrap();
        waiting.await.unwrap().unwrap();
    }

    async fn who_is_too_slow_is_cut_off_and_others_wait_meanwhile(t: TestApp) {
        t.stop_jobs().await;
        let mut links = Vec::new();
        for who in [&t.alice, &t.bob] {
            stock(&t, who, 600).await;
            links.push(ask(who).await);
        }
        let made = &links[0];
        let mut app = t.app.clone();
        app.exports.patience = Duration::from_secs(3);
        app.exports.wait = Duration::ZERO;
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), None, 16).unwrap();
        let address = server.local_addr();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(server.run(http::endpoint(&app), shutdown.clone()));
        let mut slow = Vec::new();
        for link in &links {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4096).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            let request = format!("GET {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", url(link));
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut head = vec![0; 17];
            stream.read_exact(&mut head).await.unwrap();
            assert_eq!(head, b"HTTP/1.1 200 OK\r\n");
            slow.push(stream);
        }
        let anon = t.anon.at(http::endpoint(&app));
        let third = ask(&t.persona("carol")).await;
        let busy = anon.get(&url(&third)).send().await.expect_problem(503, "busy");
        assert!(busy.header("retry-after").is_some());
        anon.get(&url(made)).send().await.expect_problem(429, "too_many_transfers");
        until_running(&app, 0).await;
        for mut stream in slow {
            let mut got = Vec::new();
            let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut got)).await.expect("it is cut");
            assert!(ended.is_err() || !got.ends_with(b"0\r\n\r\n"), "it does not look whole");
            assert!(got.len() < 600 * 20_000, "{}", got.len());
        }
        // It may be begun again, and is whole for whoever takes it.
        let again = rest(begin(&t.app, &token(made)).await).await.unwrap();
        assert_eq!(serde_json::from_slice::<Archive>(&again).unwrap().library.len(), 600);
        shutdown.cancel();
        running.await.unwrap();
    }
}

/// Waits until no more than so many copies are written.
async fn until_running(app: &App, copies: usize) {
    let begun = Instant::now();
    while app.exports.running() > copies {
        assert!(begun.elapsed() < PATIENCE, "no slot is given back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

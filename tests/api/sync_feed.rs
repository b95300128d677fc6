//! The feed of changes: everything a person owns, in order, once, whatever is written meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use omnitrack::clock;
use omnitrack::db::{execute, row, rows};
use omnitrack::sync::{self, Cursor};
use poem::http::Method;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::persona::Persona;
use crate::support::replica::{Replica, shown};
use crate::support::titles::{BOOK, GAME, MOVIE, SERIES};

const TITLES: [&str; 4] = [MOVIE, SERIES, GAME, BOOK];

fn id(number: u32) -> String {
    format!("7f1f6a52-63a3-4a52-9d3c-0c4de1f7{number:04x}")
}

/// One write at random among few things, so that they meet often. What is refused is refused.
async fn write(who: &Persona, random: &mut StdRng) {
    let title = TITLES[random.random_range(0..TITLES.len())];
    let entry = format!("/v1/library/{title}");
    let list = format!("/v1/lists/{}", id(random.random_range(0..6)));
    let number = random.random_range(1..100);
    let child = id(random.random_range(100..140));
    let mark = format!("/v1/library/{SERIES}/episodes/1/{}", random.random_range(1..5));
    let text = format!("text {number}");
    let (method, path, body) = match random.random_range(0..24) {
        0..4 => (Method::PUT, entry, json!({ "status": "completed", "rating": number })),
        4 => (Method::PATCH, entry, json!({ "status": "in_progress" })),
        5 => (Method::DELETE, entry, Value::Null),
        6 | 7 => (Method::PUT, format!("{entry}/review"), json!({ "body": text })),
        8 => (Method::DELETE, format!("{entry}/review"), Value::Null),
        9 | 10 => (Method::PUT, format!("{entry}/comments/{child}"), json!({ "body": text })),
        11 => (Method::DELETE, format!("{entry}/comments/{child}"), Value::Null),
        12 => (
            Method::PUT,
            format!("{entry}/history/{child}"),
            json!({ "finished_on": "2020-03-01", "precision": "month" }),
        ),
        13 => (Method::DELETE, format!("{entry}/history/{child}"), Value::Null),
        14 | 15 => (Method::PUT, mark, json!({ "watched_on": format!("2020-01-{:02}", number % 28 + 1) })),
        16 => (Method::DELETE, mark, Value::Null),
        17 | 18 => (Method::PUT, list, json!({ "name": text })),
        19 if number < 30 => (Method::DELETE, list, Value::Null),
        19..22 => (Method::PUT, format!("{list}/items/{title}"), json!({ "note": text })),
        22 => (Method::DELETE, format!("{list}/items/{title}"), Value::Null),
        _ => (Method::PATCH, "/v1/account".into(), json!({ "progress_sets_status": number % 2 == 0 })),
    };
    let call = who.request(method, &path);
    let answer = if body.is_null() { call.send().await } else { call.json(&body).send().await };
    assert!(answer.status < 500, "{}", answer.text());
}

/// One of everything.
async fn furnish(who: &Persona) {
    let entry = format!("/v1/library/{SERIES}");
    for (path, body) in [
        (entry.clone(), json!({ "status": "completed", "on": "2020-03-01" })),
        (format!("{entry}/review"), json!({ "body": "All mine" })),
        (format!("{entry}/comments/{}", id(1)), json!({ "body": "Mine too" })),
        (format!("{entry}/episodes/1/2"), json!({ "watched_on": "2020-03-01" })),
        (format!("/v1/lists/{}", id(2)), json!({ "name": "My list" })),
        (format!("/v1/lists/{}/items/{MOVIE}", id(2)), json!({ "note": "My note" })),
    ] {
        who.put(&path, body).send().await.expect(201);
    }
}

async fn settings(t: &TestApp) -> (i64, i64) {
    let found =
        row(t.app.db.shared(), "SELECT revision, horizon FROM account ORDER BY erased_at IS NOT NULL", [])
            .await
            .unwrap()
            .unwrap();
    (found.try_get_by_index(0).unwrap(), found.try_get_by_index(1).unwrap())
}

async fn account(who: &Persona) -> Uuid {
    who.get("/v1/account").send().await.expect(200).json()["id"].as_str().unwrap().parse().unwrap()
}

fn sync_from(cursor: &str) -> String {
    format!("/v1/sync?cursor={cursor}")
}

both! {
    async fn everything_comes_once_as_it_is_now(t: TestApp) {
        t.stop_jobs().await;
        furnish(&t.alice).await;
        furnish(&t.bob).await;
        let mut phone = Replica::default();
        assert!(!phone.read(&t.alice, 1000).await);
        assert_eq!(phone.counted(), shown(&t.alice).await);
        let kinds: Vec<&str> = phone.things.keys().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["comment", "entry", "episode", "history_event", "list", "list_item", "review", "settings"]);
        // An end is a place to go on from as well.
        let end = phone.cursor.clone();
        assert!(!phone.read(&t.alice, 1000).await);
        assert_eq!(phone.cursor, end);
        t.alice.patch(&format!("/v1/library/{SERIES}"), json!({ "rating": 7 })).send().await.expect(200);
        let page = t.alice.get(&sync_from(&end.unwrap())).send().await.expect(200).json();
        assert_eq!(page["changes"].as_array().unwrap().len(), 1);
        assert_eq!((&page["changes"][0]["key"], &page["changes"][0]["entry"]["rating"]), (&json!(SERIES), &json!(7)));
        assert_eq!(page["head"], page["changes"][0]["revision"]);
    }

    async fn deletions_come_as_keys(t: TestApp) {
        t.stop_jobs().await;
        furnish(&t.alice).await;
        let (mut phone, mut slow) = (Replica::default(), Replica::default());
        phone.catch_up(&t.alice, 1000).await;
        slow.read(&t.alice, 1).await;
        let before = phone.things.len();
        t.alice.delete(&format!("/v1/library/{SERIES}")).send().await.expect(204);
        t.alice.delete(&format!("/v1/lists/{}", id(2))).send().await.expect(204);
        for device in [&mut phone, &mut slow] {
            device.catch_up(&t.alice, 2).await;
            assert_eq!(device.things.len(), 1, "the settings are left of {before}");
            assert_eq!(device.counted(), shown(&t.alice).await);
        }
        // A device that begins now need not hear of what it never had.
        let page = t.alice.get("/v1/sync").send().await.expect(200).json();
        assert_eq!(page["changes"].as_array().unwrap().len(), 1);
        // But of what it might have had it does.
        let mut new = Replica::default();
        t.alice.put(&format!("/v1/library/{SERIES}"), json!({ "status": "backlog" })).send().await.expect(201);
        t.alice.put(&format!("/v1/library/{SERIES}/review"), json!({ "body": "x" })).send().await.expect(201);
        assert!(new.read(&t.alice, 2).await);
        phone.catch_up(&t.alice, 1000).await;
        assert_eq!(phone.things.len(), 3, "the review is there again");
        t.alice.delete(&format!("/v1/library/{SERIES}")).send().await.expect(204);
        t.alice.put(&format!("/v1/library/{SERIES}"), json!({ "status": "backlog" })).send().await.expect(201);
        for device in [&mut phone, &mut slow, &mut new] {
            device.catch_up(&t.alice, 1).await;
            assert_eq!(device.counted(), shown(&t.alice).await);
        }
    }

    async fn a_replica_is_what_the_api_shows(t: TestApp) {
        t.stop_jobs().await;
        for seed in 0..6 {
            let who = t.persona(&format!("random-{seed}"));
            let mut random = StdRng::seed_from_u64(seed);
            let (mut diligent, mut slow, mut late) = (Replica::default(), Replica::default(), None);
            for step in 0..120 {
                write(&who, &mut random).await;
                if random.random_range(0..3) == 0 {
                    diligent.read(&who, random.random_range(1..20)).await;
                }
                if random.random_range(0..6) == 0 {
                    slow.read(&who, 1).await;
                }
                if step > 60 {
                    late.get_or_insert_with(Replica::default).read(&who, random.random_range(1..3)).await;
                }
            }
            let now = shown(&who).await;
            for (mut device, limit) in [(diligent, 7), (slow, 1), (late.unwrap(), 1000), (Replica::default(), 1)] {
                device.catch_up(&who, limit).await;
                assert_eq!(device.counted(), now, "seed {seed}");
            }
        }
    }

    async fn nothing_is_left_out_while_others_write(t: TestApp) {
        t.stop_jobs().await;
        t.alice.get("/v1/account").send().await.expect(200);
        let other = t.another(|_| ()).await;
        let there = other.seen_by(&t.alice);
        let done = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..6_u64)
            .map(|number| {
                let who = if number % 2 == 0 { t.alice.clone() } else { there.clone() };
                tokio::spawn(async move {
                    let mut random = StdRng::seed_from_u64(1000 + number);
                    for _ in 0..40 {
                        write(&who, &mut random).await;
                    }
                })
            })
            .collect();
        let readers: Vec<_> = [(t.alice.clone(), 1), (there.clone(), 7), (t.alice.clone(), 1000)]
            .into_iter()
            .map(|(who, limit)| {
                let done = done.clone();
                tokio::spawn(async move {
                    let mut device = Replica::default();
                    while !done.load(Ordering::Relaxed) {
                        device.read(&who, limit).await;
                    }
                    device.catch_up(&who, limit).await;
                    device
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
        let now = shown(&t.alice).await;
        for reader in readers {
            assert_eq!(reader.await.unwrap().counted(), now);
        }
    }

    async fn titles_come_with_the_rows(t: TestApp) {
        t.stop_jobs().await;
        let list = format!("/v1/lists/{}", id(2));
        for (path, body) in [
            (format!("/v1/library/{SERIES}"), json!({ "status": "backlog" })),
            (list.clone(), json!({ "name": "x" })),
            (format!("{list}/items/{SERIES}"), json!({})),
        ] {
            t.alice.put(&path, body).send().await.expect(201);
        }
        let mut phone = Replica::default();
        phone.catch_up(&t.alice, 1000).await;
        let title = |phone: &Replica, kind: &str| {
            let key = (kind.to_owned(), if kind == "entry" { SERIES.into() } else { format!("{}/{SERIES}", id(2)) });
            phone.things[&key]["media"].clone()
        };
        assert_eq!((title(&phone, "entry"), title(&phone, "list_item")), (Value::Null, Value::Null));
        t.start_jobs();
        t.filled(SERIES).await;
        t.settled(SERIES).await;
        // The first filling is a change of what waited for it.
        phone.catch_up(&t.alice, 1000).await;
        assert_eq!(title(&phone, "entry")["title"], "Game of Thrones");
        assert_eq!(title(&phone, "list_item")["title"], "Game of Thrones");
        assert_eq!(phone.counted(), shown(&t.alice).await);
        // What is learnt later is not; it comes with the next change of the row.
        t.stop_jobs().await;
        t.sql("UPDATE media SET title = 'Another'").await;
        t.sql("UPDATE media_text SET title = 'Another'").await;
        let page = t.alice.get(&sync_from(phone.cursor.as_ref().unwrap())).send().await.expect(200).json();
        assert_eq!(page["changes"], json!([]));
        t.alice.patch("/v1/account", json!({ "language": "de-DE" })).send().await.expect(200);
        t.alice.patch(&format!("/v1/library/{SERIES}"), json!({ "rating": 3 })).send().await.expect(200);
        phone.catch_up(&t.alice, 1000).await;
        assert_eq!(title(&phone, "entry")["title"], "Another");
    }

    async fn long_texts_make_short_pages(t: TestApp) {
        t.stop_jobs().await;
        for number in 1..=60 {
            let entry = format!("/v1/library/movie:tmdb:{number}");
            t.alice.put(&entry, json!({ "status": "backlog" })).send().await.expect(201);
            t.alice.put(&format!("{entry}/review"), json!({ "body": "ä".repeat(20_000) })).send().await.expect(201);
        }
        let mut phone = Replica::default();
        assert!(phone.read(&t.alice, 1000).await);
        assert!(phone.things.len() > 50, "{}", phone.things.len());
        phone.catch_up(&t.alice, 1000).await;
        assert_eq!(phone.things.len(), 121);
    }

    async fn a_cursor_that_cannot_be_gone_on_from_is_refused(t: TestApp) {
        t.stop_jobs().await;
        furnish(&t.alice).await;
        let first = t.alice.get("/v1/sync?limit=1").send().await.expect(200).json()["cursor"].clone();
        let last = t.alice.get("/v1/sync").send().await.expect(200).json()["cursor"].clone();
        let (first, last) = (sync_from(first.as_str().unwrap()), sync_from(last.as_str().unwrap()));
        for path in [&first, &last] {
            t.alice.get(path).send().await.expect(200);
        }
        let wrong = t.alice.get("/v1/sync?cursor=AAAA").send().await.expect_problem(400, "invalid_cursor");
        assert_eq!(wrong.pointers(), ["/query/cursor"]);
        t.bob.get(&last).send().await.expect_problem(400, "invalid_cursor");
        t.alice.get("/v1/sync?limit=0").send().await.expect(400);
        t.alice.get("/v1/sync?limit=1001").send().await.expect(400);

        // Tombstones that were made after it began are gone.
        let (head, _) = settings(&t).await;
        t.alice.delete(&format!("/v1/library/{SERIES}")).send().await.expect(204);
        t.sql(&format!("UPDATE account SET horizon = {head}")).await;
        t.alice.get(&first).send().await.expect(200);
        t.alice.get(&last).send().await.expect(200);
        t.sql(&format!("UPDATE account SET horizon = {}", head + 1)).await;
        t.alice.get(&first).send().await.expect_problem(410, "cursor_expired");
        t.alice.get(&last).send().await.expect_problem(410, "cursor_expired");
        // The database was put back to before.
        t.sql(&format!("UPDATE account SET horizon = 0, revision = {}", head - 1)).await;
        t.alice.get(&last).send().await.expect_problem(410, "cursor_expired");
        t.sql(&format!("UPDATE account SET revision = {head}")).await;
        t.alice.get(&last).send().await.expect(200);
        t.sql("DELETE FROM sync_epoch").await;
        let t = t.restart(|_| ()).await;
        t.alice.get(&last).send().await.expect_problem(410, "cursor_expired");
        let fresh = t.alice.get("/v1/sync").send().await.expect(200).json()["cursor"].clone();
        let t = t.restart(|_| ()).await;
        t.alice.get(&sync_from(fresh.as_str().unwrap())).send().await.expect(200);
    }

    async fn instances_that_start_together_agree_on_the_epoch(t: TestApp) {
        let mut others = Vec::new();
        for _ in 0..4 {
            others.push(t.another(|_| ()).await);
        }
        let asks = |db: omnitrack::db::Db| tokio::spawn(async move { db.epoch().await.unwrap() });
        let asked: Vec<_> = others.iter().map(|other| asks(other.app.db.clone())).collect();
        let own = t.app.db.epoch().await.unwrap();
        for epoch in asked {
            assert_eq!(epoch.await.unwrap(), own);
        }
    }

    async fn old_tombstones_are_forgotten_and_old_cursors_with_them(t: TestApp) {
        t.stop_jobs().await;
        furnish(&t.alice).await;
        let old = t.alice.get("/v1/sync").send().await.expect(200).json()["cursor"].clone();
        t.alice.delete(&format!("/v1/library/{SERIES}")).send().await.expect(204);
        let account = account(&t.alice).await;
        // More than are removed at once.
        let many = "INSERT INTO tombstone \
            WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1200) \
            SELECT a.id, 'entry', 'movie:tmdb:' || n, a.revision + n, 5 FROM n, account a WHERE a.id = $1";
        execute(t.app.db.shared(), many, [account.into()]).await.unwrap();
        t.sql("UPDATE account SET revision = revision + 1200").await;
        let (head, _) = settings(&t).await;
        t.sql("UPDATE tombstone SET deleted_at = 5").await;
        t.alice.delete(&format!("/v1/lists/{}", id(2))).send().await.expect(204);
        let (now, _) = settings(&t).await;
        assert!(now > head);
        for (mutation, at) in [("a1", 5), ("a2", 5), ("a3", clock::now())] {
            let mutation: Uuid = format!("7f1f6a52-63a3-4a52-9d3c-0c4de1f700{mutation}").parse().unwrap();
            let outcome = "INSERT INTO sync_mutation (account_id, id, outcome, applied_at) \
                VALUES ($1, $2, 'applied', $3)";
            let values = [account.into(), mutation.into(), at.into()];
            execute(t.app.db.shared(), outcome, values).await.unwrap();
        }
        // What is left of an erased account does not keep the job busy for ever.
        t.bob.get("/v1/account").send().await.expect(200);
        for sql in [
            "INSERT INTO tombstone SELECT id, 'entry', 'movie:tmdb:1', 1, 5 FROM account WHERE id <> $1",
            "UPDATE account SET erased_at = 9 WHERE id <> $1",
        ] {
            execute(t.app.db.shared(), sql, [account.into()]).await.unwrap();
        }

        assert_eq!(sync::forget(&t.app.db, 1000).await.unwrap(), 1200 + 3 + 2);
        assert_eq!(sync::forget(&t.app.db, 1000).await.unwrap(), 0);
        assert_eq!(settings(&t).await, (now, head), "no device needs to hear of it");
        assert_eq!(rows(t.app.db.shared(), "SELECT 1 FROM sync_mutation", []).await.unwrap().len(), 1);
        assert_eq!(rows(t.app.db.shared(), "SELECT 1 FROM tombstone", []).await.unwrap().len(), 2);
        t.alice.get(&sync_from(old.as_str().unwrap())).send().await.expect_problem(410, "cursor_expired");
        let cursor = Cursor { epoch: t.app.db.epoch().await.unwrap(), revision: head, began_at: 0 };
        let page = t.alice.get(&sync_from(&cursor.to_text(account))).send().await.expect(200).json();
        assert_eq!(page["changes"].as_array().unwrap().len(), 1);
        let mut new = Replica::default();
        new.catch_up(&t.alice, 1).await;
        assert_eq!(new.counted(), shown(&t.alice).await);
    }
}

/// The promise of the tombstone: no content. SQLite overwrites what is deleted.
#[tokio::test]
async fn a_deleted_text_is_nowhere_in_the_files() {
    let mut t = TestApp::sqlite().await;
    t.stop_jobs().await;
    let review = format!("/v1/library/{MOVIE}/review");
    t.alice.put(&format!("/v1/library/{MOVIE}"), json!({ "status": "backlog" })).send().await.expect(201);
    t.alice
        .put(&review, json!({ "title": "canary-title", "body": "canary-body ".repeat(500) }))
        .send()
        .await
        .expect(201);
    let url = t.app.config.database_url.expose().to_owned();
    let file = url.trim_start_matches("sqlite://").split('?').next().unwrap().to_owned();
    let found = |needle: &[u8]| {
        let names = [file.clone(), format!("{file}-wal")];
        let bytes: Vec<u8> = names.iter().flat_map(|name| std::fs::read(name).unwrap_or_default()).collect();
        bytes.windows(needle.len()).any(|window| window == needle)
    };
    let checkpoint = async || {
        assert!(t.app.db.cut_log().await.unwrap(), "nobody is in the way");
    };
    checkpoint().await;
    assert!(found(b"canary-title") && found(b"canary-body"), "it was there");
    // A page that was read leaves no old moment open.
    let mut phone = Replica::default();
    phone.catch_up(&t.alice, 1).await;
    t.alice.delete(&review).send().await.expect(204);
    phone.catch_up(&t.alice, 1).await;
    checkpoint().await;
    assert!(!found(b"canary-title") && !found(b"canary-body"));
    assert_eq!(phone.counted(), shown(&t.alice).await);
}

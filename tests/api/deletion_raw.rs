//! Deleted bytes are really gone: after an erasure no text of the person's stands in the raw files of
//! SQLite, its write-ahead log included, however often it was edited, moved and replaced before.

use std::path::PathBuf;
use std::time::Duration;

use omnitrack::db::sqlite_file;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::log;
use crate::support::persona::Persona;

/// In every text that alice writes.
const MARK: &str = "zqxjk";

/// The database's files, and which of `words` stand in them.
fn found(t: &TestApp, words: &[&str]) -> Vec<String> {
    let file = sqlite_file(&t.app.config.database_url).unwrap();
    let mut found = Vec::new();
    for ending in ["", "-wal", "-shm"] {
        let mut path = file.clone();
        path.as_mut_os_string().push(ending);
        found.extend(in_file(&path, words));
    }
    found
}

fn in_file(path: &PathBuf, words: &[&str]) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let stands = |word: &str| bytes.windows(word.len()).filter(|part| *part == word.as_bytes()).count();
    let counts = words.iter().map(|word| (word, stands(word))).filter(|(_, count)| *count > 0);
    counts.map(|(word, count)| format!("{word} {count} times in {}", path.display())).collect()
}

fn text(random: &mut StdRng, longest: usize) -> String {
    let words = random.random_range(1..longest / 10);
    (0..words).map(|_| format!("{MARK}{:04}", random.random_range(0..10_000))).collect::<Vec<_>>().join(" ")
}

async fn write(who: &Persona, path: &str, body: Value) {
    let status = who.put(path, body).send().await.status;
    assert!([200, 201].contains(&status), "{status}");
}

/// A life of edits: short and long texts that push each other around in the pages.
async fn live(who: &Persona, seed: u64, edits: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    for number in 1..=40 {
        write(who, &format!("/v1/library/movie:tmdb:{number}"), json!({ "status": "backlog" })).await;
    }
    for _ in 0..edits {
        let entry = format!("/v1/library/movie:tmdb:{}", random.random_range(1..=40));
        let comment = format!("00000000-0000-4000-8000-{:012}", random.random_range(0..1_000_000));
        match random.random_range(0..6) {
            0 | 1 => {
                let body = json!({ "title": text(&mut random, 190), "body": text(&mut random, 15_000) });
                write(who, &format!("{entry}/review"), body).await;
            }
            2 => {
                let body = json!({ "body": text(&mut random, 4_900) });
                write(who, &format!("{entry}/comments/{comment}"), body).await;
            }
            3 => {
                who.delete(&format!("{entry}/review")).send().await.expect(204);
            }
            4 => {
                let list =
                    format!("/v1/lists/00000000-0000-4000-8000-0000000000{:02}", random.random_range(0..20));
                write(
                    who,
                    &list,
                    json!({ "name": text(&mut random, 190), "description": text(&mut random, 1_900) }),
                )
                .await;
            }
            _ => {
                let body = json!({ "body": text(&mut random, 60) });
                write(who, &format!("{entry}/comments/{comment}"), body).await;
            }
        }
    }
}

#[tokio::test]
async fn no_text_of_the_person_stands_in_the_files_of_sqlite() {
    for seed in 1..=3 {
        let mut t = TestApp::sqlite().await;
        t.stop_jobs().await;
        // Somebody whose rows stand between hers, and stay.
        let neighbours = async {
            for number in 1..200 {
                let body = json!({ "body": format!("neighbour {number} {}", "n".repeat(number * 9)) });
                write(
                    &t.bob,
                    &format!("/v1/library/movie:tmdb:{}", number % 40 + 1),
                    json!({ "status": "backlog" }),
                )
                .await;
                write(&t.bob, &format!("/v1/library/movie:tmdb:{}/review", number % 40 + 1), body).await;
            }
        };
        tokio::join!(live(&t.alice, seed, 300), neighbours);
        // Something to be found, or the search proves nothing.
        assert!(!found(&t, &[MARK]).is_empty());
        let id = t.alice.delete("/v1/account").send().await.expect(202).json()["id"].clone();
        t.start_jobs();
        let path = format!("/v1/deletions/{}", id.as_str().unwrap());
        let wiped = async {
            while !t.anon.get(&path).send().await.expect(200).json()["wiped_at"].is_string() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wiped).await.expect("wiped within the three minutes");
        assert_eq!(found(&t, &[MARK, "user_alice"]), Vec::<String>::new(), "seed {seed}");
        assert!(!found(&t, &["neighbour"]).is_empty(), "others keep what is theirs");
    }
}

#[tokio::test]
async fn edited_and_deleted_texts_are_gone_from_the_files_without_an_erasure() {
    let mut t = TestApp::sqlite().await;
    t.stop_jobs().await;
    write(&t.alice, "/v1/library/movie:tmdb:603", json!({ "status": "backlog" })).await;
    for body in ["first-version of it", "second-version of it"] {
        write(&t.alice, "/v1/library/movie:tmdb:603/review", json!({ "body": body })).await;
    }
    assert!(!found(&t, &["first-version"]).is_empty());
    let wiped = omnitrack::erasure::wipe::wipe(&t.app.db).await.unwrap();
    assert_eq!(wiped, omnitrack::erasure::wipe::Wiped::Clean(0));
    assert_eq!(found(&t, &["first-version"]), Vec::<String>::new());
    t.alice.delete("/v1/library/movie:tmdb:603/review").send().await.expect(204);
    omnitrack::erasure::wipe::wipe(&t.app.db).await.unwrap();
    assert_eq!(found(&t, &["second-version"]), Vec::<String>::new());
}

#[tokio::test]
async fn a_reader_of_an_older_moment_puts_the_wiping_off_and_no_longer() {
    let mut t = TestApp::sqlite().await;
    t.stop_jobs().await;
    live(&t.alice, 9, 20).await;
    let snapshot = t.app.db.read().snapshot().await.unwrap();
    omnitrack::db::row(&snapshot, "SELECT COUNT(*) FROM review", []).await.unwrap();
    t.alice.delete("/v1/account").send().await.expect(202);
    assert_eq!(
        omnitrack::erasure::wipe::wipe(&t.app.db).await.unwrap(),
        omnitrack::erasure::wipe::Wiped::Busy
    );
    // Writers do not wait for it.
    write(&t.bob, "/v1/library/movie:tmdb:603", json!({ "status": "backlog" })).await;
    snapshot.end().await.unwrap();
    assert_eq!(
        omnitrack::erasure::wipe::wipe(&t.app.db).await.unwrap(),
        omnitrack::erasure::wipe::Wiped::Clean(1)
    );
    assert_eq!(found(&t, &[MARK]), Vec::<String>::new());
}

/// A value for a column of an account's row: marked wherever it can hold a text.
fn filler(table: &str, column: &str, kind: &str, account: &str) -> String {
    match (column, kind) {
        ("account_id", _) => account.to_owned(),
        ("media_id", _) => format!("'{MARK}-media'"),
        ("id" | "list_id" | "import_id" | "device_id" | "receipt_id" | "result", "blob") => {
            "X'00112233445566778899aabbccddeeff'".to_owned()
        }
        (_, "blob") => format!("CAST('{MARK}-{table}-{column}' AS BLOB)"),
        (_, "text") => format!("'{MARK}-{table}-{column}'"),
        _ => "1".to_owned(),
    }
}

#[tokio::test]
async fn nothing_of_any_column_of_any_table_is_left_anywhere() {
    let mut t = TestApp::sqlite().await;
    t.stop_jobs().await;
    t.alice.get("/v1/account").send().await.expect(200);
    let account = format!("X'{}'", omnitrack::clerk::account_id("user_alice").simple());
    let mut marks = 0;
    // Parents before their children.
    let mut tables: Vec<&str> = omnitrack::erasure::TABLES.iter().map(|table| table.name).collect();
    tables.reverse();
    for table in tables {
        let columns = format!("SELECT name, lower(type) FROM pragma_table_info('{table}')");
        let columns = omnitrack::db::rows(t.app.db.read(), &columns, []).await.unwrap();
        let columns: Vec<(String, String)> = columns
            .iter()
            .map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap()))
            .collect();
        assert!(!columns.is_empty(), "{table}");
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let values: Vec<String> =
            columns.iter().map(|(name, kind)| filler(table, name, kind, &account)).collect();
        marks += values.iter().filter(|value| value.contains(MARK)).count();
        t.sql(&format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", "))).await;
    }
    // An order to Clerk from before this life would be somebody else's.
    t.sql("UPDATE clerk_deletion SET next_attempt_at = 9223372036854775807").await;
    t.sql(&format!("UPDATE account SET language = '{MARK}-l', time_zone = '{MARK}-z', stamps = '{MARK}-s'"))
        .await;
    assert!(marks > 40, "{marks} columns are marked");
    assert!(!found(&t, &[MARK]).is_empty());
    t.alice.delete("/v1/account").send().await.expect(202);
    t.start_jobs();
    let unwiped = "SELECT 1 FROM receipt WHERE wiped_at IS NULL";
    let wiped = async {
        while omnitrack::db::row(t.app.db.shared(), unwiped, []).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wiped).await.expect("wiped in time");
    assert_eq!(found(&t, &[MARK, "user_alice"]), Vec::<String>::new());
    assert!(!log::text().contains(MARK), "the log");
    assert!(!t.app.metrics.encode().contains(MARK), "the metrics");
}

/// What is done to the pages must leave a sound database, while others write to it.
#[tokio::test]
async fn the_database_is_sound_after_its_free_room_was_overwritten() {
    let mut t = TestApp::sqlite().await;
    t.stop_jobs().await;
    live(&t.alice, 4, 150).await;
    live(&t.bob, 5, 150).await;
    let bobs = crate::support::rows::of_account(&t, omnitrack::clerk::account_id("user_bob")).await;
    t.alice.delete("/v1/account").send().await.expect(202);
    let carol = t.persona("carol");
    let scrubs = async {
        for _ in 0..20 {
            match t.app.db.scrub().await {
                Ok(_) => {}
                Err(error) => assert!(omnitrack::db::is_busy(&error), "{error}"),
            }
        }
    };
    tokio::join!(scrubs, live(&carol, 6, 150));
    assert_eq!(crate::support::rows::of_account(&t, omnitrack::clerk::account_id("user_bob")).await, bobs);
    let sound = omnitrack::db::row(t.app.db.shared(), "PRAGMA integrity_check", []).await.unwrap().unwrap();
    assert_eq!(sound.try_get_by_index::<String>(0).unwrap(), "ok");
    assert!(t.app.db.scrub().await.unwrap() < 200);
    assert_eq!(t.app.db.scrub().await.unwrap(), 0, "a page that is clean is not written again");
}

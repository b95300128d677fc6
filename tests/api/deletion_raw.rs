//! Deleted bytes are really gone: after an erasure no text of the person's stands in the raw files of
//! SQLite, its write-ahead log included, however often it was edited, moved and replaced before.

use std::path::PathBuf;
use std::time::Duration;

use omnitrack::db::sqlite_file;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::app::TestApp;
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

//! What the database is held to: its settings, its keys, tombstones, revisions, and writers that share
//! a commit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirEntry, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use omnitrack::config::Secret;
use omnitrack::db::{Db, rows};
use omnitrack::secret::Secrets;
use serde_json::json;

use crate::support::both;
use crate::support::log;

async fn texts(t: &crate::support::app::TestApp, sql: &str) -> Vec<String> {
    let found = rows(t.app.db.shared(), sql, []).await.unwrap();
    found.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test]
async fn sqlite_keeps_what_was_acknowledged_and_wipes_what_was_deleted() {
    let t = crate::support::app::TestApp::sqlite().await;
    assert_eq!(texts(&t, "PRAGMA journal_mode").await, ["wal"]);
    for (pragma, value) in [("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1)] {
        let found = rows(t.app.db.shared(), &format!("PRAGMA {pragma}"), []).await.unwrap();
        let found: i64 = found[0].try_get_by_index(0).unwrap();
        assert_eq!(found, value, "{pragma}");
    }
}

/// Files and their modes: the database and what lies beside it.
fn modes(folder: &Path) -> BTreeMap<String, u32> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mode = |entry: &DirEntry| entry.metadata().unwrap().permissions().mode() & 0o777;
    entries.map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry))).collect()
}

#[tokio::test]
async fn files_of_sqlite_are_their_owners_alone() {
    log::capture();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("omnitrack.db");
    let url = Secret::new(format!("sqlite://{}", file.display()));
    let db = Db::open(&url).await.unwrap();
    db.migrate(&url).await.unwrap();
    Secrets::kept_in(&folder.path().join("omnitrack.db.key")).unwrap();
    let expected =
        ["", "-shm", "-wal", ".key", ".migration-lock"].map(|end| (format!("omnitrack.db{end}"), 0o600));
    assert_eq!(modes(folder.path()), BTreeMap::from(expected));
    db.close().await.unwrap();

    // What is there already stays as it is, and is warned about.
    for file in ["omnitrack.db", "omnitrack.db.key"] {
        std::fs::set_permissions(folder.path().join(file), Permissions::from_mode(0o646)).unwrap();
    }
    Db::open(&url).await.unwrap().close().await.unwrap();
    Secrets::kept_in(&folder.path().join("omnitrack.db.key")).unwrap();
    assert_eq!(modes(folder.path())["omnitrack.db"], 0o646);
    let log = log::text();
    for file in ["file=\"database\" mode=0646", "file=\"secret key\" mode=0646"] {
        assert!(log.contains(file), "{file}");
    }
}

both! {
    async fn every_table_of_a_persons_own_begins_its_key_with_the_account(t: TestApp) {
        let (owned, keyed) = if t.is_sqlite() {
            (
                "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND c.name = 'account_id'",
                "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND c.name = 'account_id' AND c.pk = 1",
            )
        } else {
            (
                "SELECT CAST(table_name AS text) FROM information_schema.columns \
                 WHERE table_schema = 'public' AND column_name = 'account_id'",
                "SELECT CAST(u.table_name AS text) FROM information_schema.key_column_usage u \
                 JOIN information_schema.table_constraints k ON k.constraint_name = u.constraint_name \
                 WHERE k.constraint_type = 'PRIMARY KEY' AND u.column_name = 'account_id' \
                 AND u.ordinal_position = 1",
            )
        };
        let mut owned: BTreeSet<_> = texts(&t, owned).await.into_iter().collect();
        // A push token is one device's in all the world, whoever's that is.
        assert!(owned.remove("push_token"));
        let keyed: BTreeSet<_> = texts(&t, keyed).await.into_iter().collect();
        assert!(owned.len() >= 7, "{owned:?}");
        assert_eq!(owned, keyed);
    }

    async fn a_deletion_leaves_a_key_and_a_number_and_nothing_else(t: TestApp) {
        t.stop_jobs().await;
        let entry = "/v1/library/movie:tmdb:603";
        let comment = "0b7c7f4e-5d6a-4a7e-9a51-02f2b8a4d001";
        t.alice.put(entry, json!({ "status": "backlog" })).send().await.expect(201);
        t.alice.put(&format!("{entry}/comments/{comment}"), json!({ "body": "canary-text" })).send().await.expect(201);
        t.alice.delete(entry).send().await.expect(204);
        let left = texts(&t, "SELECT kind || ' ' || key FROM tombstone ORDER BY kind").await;
        assert_eq!(left, [format!("comment movie:tmdb:603/{comment}"), "entry movie:tmdb:603".into()]);
        let found = rows(t.app.db.shared(), "SELECT revision FROM account", []).await.unwrap();
        let head: i64 = found[0].try_get_by_index(0).unwrap();
        let found = rows(t.app.db.shared(), "SELECT MAX(revision) FROM tombstone", []).await.unwrap();
        let last: i64 = found[0].try_get_by_index(0).unwrap();
        assert_eq!(head, last, "the account's revision is the number of its latest change");
        // an entry that lives again keeps the old one's tombstone, which stands for what hung on that
        t.alice.put(entry, json!({ "status": "backlog" })).send().await.expect(201);
        assert_eq!(texts(&t, "SELECT kind FROM tombstone ORDER BY kind").await, ["comment", "entry"]);
    }

    async fn what_changes_nothing_takes_no_number(t: TestApp) {
        t.stop_jobs().await;
        let entry = "/v1/library/movie:tmdb:603";
        let made = t.alice.put(entry, json!({ "status": "backlog" })).send().await.expect(201);
        let stale = made.etag().replacen(|c: char| c.is_ascii_digit(), "9", 1);
        for _ in 0..3 {
            t.alice.put(entry, json!({ "status": "backlog" })).send().await.expect(200);
            t.alice.patch(entry, json!({})).send().await.expect(200);
            t.alice.patch(entry, json!({ "rating": 3 })).header("If-Match", &stale).send().await.expect(412);
            t.alice.delete("/v1/library/movie:tmdb:1").send().await.expect(204);
            t.alice.patch("/v1/account", json!({ "time_zone": "UTC" })).send().await.expect(200);
        }
        let found = rows(t.app.db.shared(), "SELECT revision FROM account", []).await.unwrap();
        let head: i64 = found[0].try_get_by_index(0).unwrap();
        assert_eq!(made.json()["revision"], head);
    }

    /// Writers that are refused, and writers that go away in the middle, do not harm those beside them.
    async fn writers_side_by_side_do_not_harm_each_other(t: TestApp) {
        t.stop_jobs().await;
        let people: Vec<_> = (0..4).map(|number| t.persona(&format!("person-{number}"))).collect();
        for person in &people {
            person.get("/v1/account").send().await.expect(200);
        }
        let mut tasks = Vec::new();
        for round in 0..60_u64 {
            let person = people[round as usize % people.len()].clone();
            let path = format!("/v1/library/movie:tmdb:{}", round + 1);
            tasks.push(tokio::spawn(async move {
                match round % 3 {
                    // refused inside its transaction
                    0 => {
                        let call = person.put(&path, json!({ "status": "backlog" })).header("If-Match", "*");
                        call.send().await.expect(412);
                        false
                    }
                    // gone after a moment, whatever it was doing then
                    1 => {
                        let call = person.put(&path, json!({ "status": "backlog" })).send();
                        let _ = tokio::time::timeout(Duration::from_micros(300 * (round % 12)), call).await;
                        false
                    }
                    _ => {
                        person.put(&path, json!({ "status": "backlog" })).send().await.expect(201);
                        true
                    }
                }
            }));
        }
        let mut written = 0;
        for task in tasks {
            written += u64::from(task.await.unwrap());
        }
        assert_eq!(written, 20);
        for round in (0..60_u64).filter(|round| round % 3 == 2) {
            let person = &people[round as usize % people.len()];
            person.get(&format!("/v1/library/movie:tmdb:{}", round + 1)).send().await.expect(200);
        }
        for round in (0..60_u64).filter(|round| round % 3 == 0) {
            let person = &people[round as usize % people.len()];
            person.get(&format!("/v1/library/movie:tmdb:{}", round + 1)).send().await.expect(404);
        }
    }
}

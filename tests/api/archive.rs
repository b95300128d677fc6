//! What is in a copy: everything that is held of the account, and nothing of anybody else.

use std::collections::{BTreeMap, BTreeSet};

use omnitrack::archive::format::Archive;
use omnitrack::db::rows;
use omnitrack::demo::standin::{Fault, Source};
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::both;
use crate::support::persona::Persona;

/// Asks for a copy, and downloads it.
pub async fn copy(t: &TestApp, who: &Persona, format: &str) -> Answer {
    let made = who.post("/v1/account/exports", json!({ "format": format })).send().await.expect(201);
    t.anon.get(made.json()["url"].as_str().unwrap()).send().await.expect(200)
}

/// The archive, which is held to its published schema on the way.
async fn archive(t: &TestApp, who: &Persona) -> Value {
    copy(t, who, "json").await.json()
}

/// Its name, what a test writes there, and how the archive shows it.
type Column = (&'static str, &'static str, &'static str);

/// Every table with rows of a person: its columns, what a test writes there (`#` a UUID, `%` bytes), and how
/// the archive shows it. What is not shown serves the service's own work and says why it is not.
const TABLES: [(&str, &[Column]); 17] = [
    (
        "account",
        &[
            ("id", "#A", r#""account":{"id":"$A""#),
            ("revision", "4101", r#""revision":4101"#),
            ("settings_revision", "4102", ""), // a number of synchronisation, as every `revision` below
            ("language", "'de-DE'", r#""language":"de-DE""#),
            ("time_zone", "'Asia/Kabul'", r#""time_zone":"Asia/Kabul""#),
            ("progress_sets_status", "FALSE", r#""progress_sets_status":false"#),
            ("created_at", "4103", r#""created_at":"1970-01-01T00:00:04.103Z""#),
            ("updated_at", "4104", r#""updated_at":"1970-01-01T00:00:04.104Z""#),
            ("erased_at", "NULL", ""), // nobody has a copy of an erased account
            ("horizon", "4105", ""),
            // Sums of the rows that the copy holds.
            ("entries", "1", ""),
            ("events", "2", ""),
            ("lists", "1", ""),
            ("list_items", "1", ""),
            ("text_bytes", "4106", ""),
            ("stamps", "'4106'", ""), // which numbers and times a field was written under; as all `stamps` below
            ("receipt_id", "NULL", ""), // there once a deletion was asked for, and shown by the account
            ("deletion_due_at", "NULL", ""),
        ],
    ),
    (
        "library_entry",
        &[
            ("account_id", "#A", ""),
            ("media_id", "'movie:tmdb:603'", r#""media_id":"movie:tmdb:603""#),
            ("kind", "'movie'", ""), // the first part of the media id
            ("status", "'dropped'", r#""status":"dropped""#),
            ("status_set_by", "'progress'", r#""status_set_by":"progress""#),
            ("rating", "71", r#""rating":71"#),
            ("favorite", "TRUE", r#""favorite":true"#),
            ("progress_unit", "'minutes'", r#""progress":{"unit":"minutes""#),
            ("progress_current", "4201", r#""current":4201"#),
            ("progress_total", "4202", r#""total":4202"#),
            ("started_on", "'1942-01-01'", r#""started_on":"1942-01-01""#),
            ("finished_on", "'1942-01-02'", r#""finished_on":"1942-01-02""#),
            ("awaits_media", "FALSE", ""), // whether anything is known of the title
            ("revision", "4203", ""),
            ("added_at", "4204", r#""added_at":"1970-01-01T00:00:04.204Z""#),
            ("updated_at", "4205", r#""updated_at":"1970-01-01T00:00:04.205Z""#),
            ("watched", "NULL", ""), // made from the episodes
            ("stamps", "NULL", ""),
        ],
    ),
    (
        "review",
        &[
            ("account_id", "#A", ""),
            ("media_id", "'movie:tmdb:603'", ""),
            ("title", "'mark-review-title'", r#""review":{"title":"mark-review-title""#),
            ("body", "'mark-review \"body\"'", r#""body":"mark-review \"body\"""#),
            ("spoiler", "TRUE", r#""spoiler":true"#),
            ("revision", "4301", ""),
            ("created_at", "4302", r#""created_at":"1970-01-01T00:00:04.302Z""#),
            ("updated_at", "4303", r#""updated_at":"1970-01-01T00:00:04.303Z""#),
            ("stamps", "NULL", ""),
        ],
    ),
    (
        "comment",
        &[
            ("account_id", "#A", ""),
            ("media_id", "'movie:tmdb:603'", ""),
            ("id", "#00000000-0000-0000-0000-000000000044", r#""id":"00000000-0000-0000-0000-000000000044""#),
            ("body", "'mark-comment'", r#""body":"mark-comment""#),
            ("anchor_kind", "'episode'", r#""anchor":{"kind":"episode""#),
            ("anchor_season", "4401", r#""season":4401"#),
            ("anchor_number", "4402", r#""number":4402"#),
            ("revision", "4403", ""),
            ("created_at", "4404", r#""created_at":"1970-01-01T00:00:04.404Z""#),
            ("updated_at", "4405", r#""updated_at":"1970-01-01T00:00:04.405Z""#),
            ("stamps", "NULL", ""),
        ],
    ),
    (
        "history_event",
        &[
            ("account_id", "#A", ""),
            ("media_id", "'movie:tmdb:603'", ""),
            ("id", "#00000000-0000-0000-0000-000000000045", r#""id":"00000000-0000-0000-0000-000000000045""#),
            ("finished_on", "'1945-01-01'", r#""finished_on":"1945-01-01""#),
            ("finished_precision", "'year'", r#""precision":"year""#),
            ("revision", "4501", ""),
            ("created_at", "4502", r#""created_at":"1970-01-01T00:00:04.502Z""#),
            ("updated_at", "4503", r#""updated_at":"1970-01-01T00:00:04.503Z""#),
            ("stamps", "NULL", ""),
        ],
    ),
    (
        "watched_episode",
        &[
            ("account_id", "#A", ""),
            ("media_id", "'movie:tmdb:603'", ""),
            ("season", "4601", r#""episodes":[{"season":4601"#),
            ("number", "4602", r#""number":4602"#),
            ("source_episode_id", "4603", r#""source_episode_id":4603"#),
            ("watched_on", "'1946-01-01'", r#""watched_on":"1946-01-01""#),
            ("revision", "4604", ""),
            ("created_at", "4605", r#""created_at":"1970-01-01T00:00:04.605Z""#),
            ("updated_at", "4606", r#""updated_at":"1970-01-01T00:00:04.606Z""#),
            ("stamps", "NULL", ""),
        ],
    ),
    (
        "pending_episodes",
        &[
            ("account_id", "#A", ""),
            ("media_id", "'movie:tmdb:603'", ""),
            ("revision", "4701", ""),
            ("watched", "TRUE", r#""pending_episodes":[{"watched":true"#),
            ("season", "4702", r#""season":4702"#),
            ("first", "4703", r#""first":4703"#),
            ("last", "4704", r#""last":4704"#),
            ("aired_by", "'1947-01-01'", r#""aired_by":"1947-01-01""#),
            ("watched_on", "'1947-01-02'", r#""watched_on":"1947-01-02""#),
        ],
    ),
    (
        "list",
        &[
            ("account_id", "#A", ""),
            (
                "id",
                "#00000000-0000-0000-0000-000000000048",
                r#""lists":[{"id":"00000000-0000-0000-0000-000000000048""#,
            ),
            ("name", "'mark-list'", r#""name":"mark-list""#),
            ("description", "'mark-description'", r#""description":"mark-description""#),
            ("revision", "4801", ""),
            ("created_at", "4802", r#""created_at":"1970-01-01T00:00:04.802Z""#),
            ("updated_at", "4803", r#""updated_at":"1970-01-01T00:00:04.803Z""#),
            ("stamps", "NULL", ""),
        ],
    ),
    (
        "list_item",
        &[
            ("account_id", "#A", ""),
            ("list_id", "#00000000-0000-0000-0000-000000000048", ""),
            ("media_id", "'tv:tmdb:49'", r#""items":[{"media_id":"tv:tmdb:49""#),
            ("position", "%80", ""), // the order of the items is that of the list
            ("note", "'mark-note'", r#""note":"mark-note""#),
            ("awaits_media", "FALSE", ""),
            ("revision", "4901", ""),
            ("added_at", "4902", r#""added_at":"1970-01-01T00:00:04.902Z""#),
            ("updated_at", "4903", r#""updated_at":"1970-01-01T00:00:04.903Z""#),
            ("stamps", "NULL", ""),
        ],
    ),
    (
        "tombstone",
        &[
            ("account_id", "#A", ""),
            ("kind", "'list'", r#""deleted":[{"kind":"list""#),
            ("key", "'mark-tombstone'", r#""key":"mark-tombstone""#),
            ("revision", "5001", ""),
            ("deleted_at", "5002", r#""deleted_at":"1970-01-01T00:00:05.002Z""#),
        ],
    ),
    (
        "sync_mutation",
        &[
            ("account_id", "#A", ""),
            ("id", "#00000000-0000-0000-0000-000000000051", r#""id":"00000000-0000-0000-0000-000000000051""#),
            ("outcome", "'mark-outcome'", r#""outcome":"mark-outcome""#),
            ("code", "'mark-code'", r#""code":"mark-code""#),
            ("lost", "'mark-lost'", r#""lost":"mark-lost""#),
            ("revision", "5101", ""),
            ("applied_at", "5102", r#""applied_at":"1970-01-01T00:00:05.102Z""#),
        ],
    ),
    (
        "device",
        &[
            ("account_id", "#A", ""),
            (
                "id",
                "#00000000-0000-0000-0000-000000000052",
                r#""devices":[{"id":"00000000-0000-0000-0000-000000000052""#,
            ),
            ("model", "'mark-model'", r#""model":"mark-model""#),
            ("os_version", "'mark-os'", r#""os_version":"mark-os""#),
            ("app_version", "'mark-app'", r#""app_version":"mark-app""#),
            ("revision", "5201", ""),
            ("created_at", "5202", r#""created_at":"1970-01-01T00:00:05.202Z""#),
            ("updated_at", "5203", r#""updated_at":"1970-01-01T00:00:05.203Z""#),
        ],
    ),
    (
        "push_token",
        &[
            ("token", "'mark-push'", r#""push_token":"mark-push""#),
            ("environment", "'sandbox'", r#""push_environment":"sandbox""#),
            ("account_id", "#A", ""),
            ("device_id", "#00000000-0000-0000-0000-000000000052", ""),
            ("registered_at", "5301", r#""push_registered_at":"1970-01-01T00:00:05.301Z""#),
        ],
    ),
    (
        "consent",
        &[
            ("account_id", "#A", ""),
            ("policy", "'mark-policy'", r#""consents":[{"policy":"mark-policy""#),
            ("revision", "5401", ""),
            ("version", "'mark-version'", r#""version":"mark-version""#),
            ("decision", "'withdrawn'", r#""decision":"withdrawn""#),
            ("decided_at", "5402", r#""decided_at":"1970-01-01T00:00:05.402Z""#),
        ],
    ),
    (
        "import",
        &[
            ("account_id", "#A", ""),
            ("id", "#00000000-0000-0000-0000-000000000055", r#""id":"00000000-0000-0000-0000-000000000055""#),
            ("state", "'failed'", r#""state":"failed""#),
            ("position", "5501", ""), // of an archive that the person has
            ("report", "'{}'", ""),
            ("created_at", "5502", r#""created_at":"1970-01-01T00:00:05.502Z""#),
            ("updated_at", "5503", r#""updated_at":"1970-01-01T00:00:05.503Z""#),
        ],
    ),
    (
        "idempotency_key",
        &[
            ("account_id", "#A", ""),
            ("key", "'mark-key'", r#""key":"mark-key""#),
            ("operation", "'mark-operation'", r#""operation":"mark-operation""#),
            ("request", "%00", ""), // a digest, and the id of what was made, which is there itself
            ("result", "#00000000-0000-0000-0000-000000000056", ""),
            ("created_at", "5601", r#""created_at":"1970-01-01T00:00:05.601Z""#),
        ],
    ),
    (
        "export",
        &[
            ("account_id", "#A", ""),
            ("id", "#00000000-0000-0000-0000-000000000057", r#""id":"00000000-0000-0000-0000-000000000057""#),
            ("format", "'zip'", r#""format":"zip""#),
            ("created_at", "5701", r#""created_at":"1970-01-01T00:00:05.701Z""#),
            ("expires_at", "5702", r#""expires_at":"1970-01-01T00:00:05.702Z""#),
        ],
    ),
];

/// Tables with an account's id that a copy leaves out: an archive that the person has sent, while it waits;
/// and the queue of what Clerk is to be told of accounts that are erased.
const WITHOUT: [&str; 2] = ["import_part", "clerk_deletion"];

/// All columns of all tables that name an account, and of the account.
async fn columns(t: &TestApp) -> BTreeMap<String, BTreeSet<String>> {
    let sql = if t.is_sqlite() {
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    } else {
        "SELECT CAST(table_name AS text), CAST(column_name AS text) FROM information_schema.columns \
         WHERE table_schema = 'public'"
    };
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(t.app.db.shared(), sql, []).await.unwrap() {
        let (table, column): (String, String) =
            (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
        tables.entry(table).or_default().insert(column);
    }
    tables.retain(|table, columns| {
        (table == "account" || columns.contains("account_id")) && !WITHOUT.contains(&table.as_str())
    });
    tables
}

fn literal(t: &TestApp, account: &str, value: &str) -> String {
    match (value.split_at(1), t.is_sqlite()) {
        (("#", id), true) => format!("X'{}'", id.replace('A', account).replace('-', "")),
        (("#", id), false) => format!("'{}'", id.replace('A', account)),
        (("%", bytes), true) => format!("X'{bytes}'"),
        (("%", bytes), false) => format!("'\\x{bytes}'"),
        _ => value.to_owned(),
    }
}

both! {
    async fn it_holds_every_column_of_every_table(t: TestApp) {
        t.stop_jobs().await;
        let expected = TABLES.iter().map(|(table, columns)| {
            (table.to_string(), columns.iter().map(|(column, ..)| column.to_string()).collect())
        });
        assert_eq!(columns(&t).await, expected.collect(), "a table or a column that a copy may lack");

        let account = t.alice.get("/v1/account").send().await.expect(200).json();
        let account = account["id"].as_str().unwrap();
        for (table, columns) in TABLES {
            let names: Vec<&str> = columns.iter().map(|(name, ..)| *name).collect();
            let values: Vec<String> = columns.iter().map(|(_, value, _)| literal(&t, account, value)).collect();
            if table == "account" {
                let sets: Vec<String> =
                    names.iter().zip(&values).skip(1).map(|(name, value)| format!("{name} = {value}")).collect();
                t.sql(&format!("UPDATE account SET {} WHERE id = {}", sets.join(", "), values[0])).await;
            } else {
                t.sql(&format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", "))).await;
            }
        }
        let text = copy(&t, &t.alice, "json").await.text();
        for (table, columns) in TABLES {
            for (column, _, shown) in columns.iter().filter(|(.., shown)| !shown.is_empty()) {
                let shown = shown.replace("$A", account);
                assert!(text.contains(&shown), "{table}.{column}: no {shown} in {text}");
            }
        }
        // It is what those who read archives read, with every part of it there.
        let read: Archive = serde_json::from_str(&text).unwrap();
        let (entry, records) = (&read.library[0], &read.records);
        assert_eq!((entry.history.len(), entry.comments.len(), entry.pending_episodes.len()), (1, 1, 1));
        // The one that this copy was asked for is among them.
        assert_eq!((records.exports.len(), records.imports.len(), records.deleted.len()), (2, 1, 1));
        // And nobody else's.
        let bobs = copy(&t, &t.bob, "json").await.text();
        assert!(!bobs.contains("mark-") && !bobs.contains("movie:tmdb:603"), "{bobs}");
    }

    async fn the_profile_is_what_clerk_says_now(t: TestApp) {
        let found = archive(&t, &t.alice).await;
        assert_eq!(
            found["profile"],
            json!({
                "state": "ok", "first_name": "Alice", "last_name": "Example",
                "email_addresses": ["alice@example.org"],
            })
        );
        t.stand_ins.fault(Source::Clerk, Some(Fault::json(500, &json!({}))));
        // The keys are known already.
        assert_eq!(archive(&t, &t.alice).await["profile"], json!({ "state": "unavailable" }));
        t.stand_ins.fault(Source::Clerk, None);
        let t = t.restart(|config| config.clerk.backend.secret_key = None).await;
        assert_eq!(archive(&t, &t.alice).await["profile"], json!({ "state": "not_configured" }));
    }

    async fn the_facts_are_those_of_the_settings(t: TestApp) {
        let t = t.restart(|config| {
            config.operator.controller = Some("Example Ltd.".into());
            config.operator.contact = Some("privacy@example.com".into());
            config.retention.tombstone_days = 17;
            config.retention.grace_days = 5;
            config.retention.backup_days = 33;
            config.retention.receipt_days = 1;
        })
        .await;
        let facts = &archive(&t, &t.alice).await["facts"];
        assert_eq!((&facts["controller"], &facts["contact"]), (&json!("Example Ltd."), &json!("privacy@example.com")));
        let retention = facts["retention"].to_string();
        for time in ["17 days", "5 days", "33 days", "1 day.", "15 minutes"] {
            assert!(retention.contains(time), "{time}: {retention}");
        }
        let recipients = facts["recipients"].to_string();
        for name in ["Clerk", "TMDB", "IGDB", "Google Books"] {
            assert!(recipients.contains(name), "{name}");
        }
    }

    async fn many_rows_come_in_their_order_and_none_is_left_out(t: TestApp) {
        t.stop_jobs().await;
        let account = t.alice.get("/v1/account").send().await.expect(200).json();
        let account = literal(&t, account["id"].as_str().unwrap(), "#A");
        let numbers = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1201)";
        t.sql(&format!(
            "INSERT INTO library_entry (account_id, media_id, kind, status, status_set_by, favorite, awaits_media, \
             revision, added_at, updated_at) {numbers} SELECT {account}, 'game:igdb:' || n, 'game', 'backlog', \
             'person', FALSE, FALSE, n, n, n FROM n"
        ))
        .await;
        for (media_id, marks) in [("game:igdb:1", 1201), ("game:igdb:999", 501), ("game:igdb:7", 3)] {
            t.sql(&format!(
                "INSERT INTO watched_episode (account_id, media_id, season, number, revision, created_at, \
                 updated_at) {numbers} SELECT {account}, '{media_id}', n / 100, n, n, n, n FROM n WHERE n <= {marks}"
            ))
            .await;
        }
        let read: Archive = serde_json::from_value(archive(&t, &t.alice).await).unwrap();
        let ids: Vec<&str> = read.library.iter().map(|entry| entry.media_id.as_str()).collect();
        assert!(ids.len() == 1201 && ids.is_sorted(), "{}", ids.len());
        let marks = |media_id: &str| {
            let entry = read.library.iter().find(|entry| entry.media_id == media_id).unwrap();
            let places: Vec<_> = entry.episodes.iter().map(|mark| (mark.season, mark.number)).collect();
            assert!(places.is_sorted());
            places.len()
        };
        assert_eq!((marks("game:igdb:1"), marks("game:igdb:999"), marks("game:igdb:7")), (1201, 501, 3));
        assert_eq!(read.library.iter().map(|entry| entry.episodes.len()).sum::<usize>(), 1705);
    }
}

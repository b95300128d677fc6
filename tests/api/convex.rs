//! `omnitrack import-convex`: an export made here, with junk in it, ends as the same library; again, and
//! after a kill, nothing comes twice; what cannot be taken is named, and never shown.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use omnitrack::db::{Db, rows};
use omnitrack::import::convex::{self, ConvexError, Mapping, Part, Summary};
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::database::Database;
use crate::support::process::{BINARY, Program};

/// A text that must not be seen in any report.
const SECRET: &str = "what nobody else may read";

/// An export in a folder of its own.
struct Export {
    folder: TempDir,
    file: PathBuf,
}

impl Export {
    /// Lines by table; the rest of what an export has is added.
    fn of(tables: &[(&str, Vec<String>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("snapshot.zip");
        let mut zip = ZipWriter::new(File::create(&file).unwrap());
        let mut add = |name: &str, text: &str| {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        };
        add("README.md", "# Welcome to your Convex snapshot export!");
        add("_tables/documents.jsonl", "{\"name\":\"users\",\"id\":10001}\n");
        add("_storage/documents.jsonl", "");
        for (table, lines) in tables {
            add(&format!("{table}/documents.jsonl"), &(lines.join("\n") + "\n"));
            add(&format!("{table}/generated_schema.jsonl"), "\"any\"\n");
        }
        zip.finish().unwrap();
        Self { folder, file }
    }

    fn mapping(&self, mapping: &Value) -> PathBuf {
        let file = self.folder.path().join("mapping.json");
        std::fs::write(&file, mapping.to_string()).unwrap();
        file
    }
}

/// A document, made at a moment in 2023 unless it says otherwise.
fn row(id: &str, fields: Value) -> String {
    let mut document = json!({ "_id": id, "_creationTime": 1_700_000_000_000.25 });
    for (name, value) in fields.as_object().unwrap() {
        document[name] = value.clone();
    }
    document.to_string()
}

fn mapping() -> Value {
    json!({
        "time_zone": "Europe/Berlin",
        "media": {
            "table": "titles",
            "media": { "kind": "type", "kinds": { "motion picture": "movie" }, "source_id": "ref" }
        },
        "entries": {
            "table": "shelf",
            "owner": "person",
            "media": { "id": "title" },
            "statuses": { "on hold": "dropped" },
            "rating_scale": 5
        }
    })
}

fn export() -> Export {
    Export::of(&[
        (
            "users",
            vec![
                row(
                    "u1",
                    json!({ "name": SECRET, "tokenIdentifier": "https://clerk.example.com|user_alice" }),
                ),
                row("u2", json!({ "clerkId": "user_bob" })),
                row("u3", json!({ "clerkId": "user_carol" })),
                row("u4", json!({ "clerkId": "nobody" })),
            ],
        ),
        (
            "titles",
            vec![
                row("m1", json!({ "type": "Motion-Picture", "ref": 603 })),
                row("m2", json!({ "type": "book", "ref": "zyTCAlFPjgYC" })),
                row("m3", json!({ "type": "series", "ref": "1399" })),
                row("m4", json!({ "type": "podcast", "ref": "1" })),
                row("m5", json!({ "type": "movie", "ref": "007" })),
            ],
        ),
        (
            "shelf",
            vec![
                row(
                    "e1",
                    json!({ "person": "u1", "title": "m1", "status": "Watched", "rating": 4.5, "favorite": true,
                            "finishedAt": 1_714_600_800_000.0, "addedAt": "2024-04-01T10:00:00Z" }),
                ),
                row(
                    "e2",
                    json!({ "person": "user_alice", "title": "m2", "status": "reading", "progress": 120,
                            "progressTotal": "400", "startedOn": "2024-03-01" }),
                ),
                row("e3", json!({ "person": "u1", "title": "m3", "status": "on_hold", "progress": 3 })),
                row(
                    "e4",
                    json!({ "person": "u2", "title": "game:igdb:1942", "status": "planned", "rating": 0 }),
                ),
                row("e5", json!({ "person": "u3", "title": "m1", "status": "watched" })),
                row("e6", json!({ "person": "u9", "title": "m1", "status": "watched" })),
                row("e7", json!({ "person": "u1", "title": "m4", "status": "watched" })),
                row("e8", json!({ "person": "u1", "title": "m1", "status": "dropped" })),
                row(
                    "e9",
                    json!({ "person": "u2", "title": "m1", "status": SECRET, "rating": 7, "startedOn": SECRET }),
                ),
                "not JSON, but ".to_owned() + SECRET,
                json!({ "_id": SECRET, "status": "watched" }).to_string(),
            ],
        ),
        (
            "reviews",
            vec![
                row("r1", json!({ "entryId": "e1", "body": SECRET, "hasSpoilers": true })),
                row("r2", json!({ "userId": "u2", "mediaId": "m1", "body": SECRET })),
                row("r3", json!({ "entryId": "e6", "body": SECRET })),
                row("r4", json!({ "entryId": "e5", "body": SECRET })),
                row("r5", json!({ "entryId": "e2", "body": "x".repeat(20_001) })),
            ],
        ),
        (
            "comments",
            vec![
                row(
                    "c1",
                    json!({ "entryId": "e2", "text": "so far", "page": 12, "createdAt": "2024-03-02T08:00:00Z" }),
                ),
                row("c2", json!({ "entryId": "e2", "text": "" })),
                row("c3", json!({ "userId": "u1", "mediaId": "m1", "text": "on page", "page": 3 })),
            ],
        ),
        (
            "history",
            vec![
                row("h1", json!({ "userId": "u1", "mediaId": "m1", "finishedOn": "2024-05-02" })),
                row("h2", json!({ "userId": "u1", "mediaId": "m1", "finishedOn": "2019" })),
                row("h3", json!({ "userId": "u1", "mediaId": "m1" })),
                row("h4", json!({ "userId": "u1", "mediaId": "m1", "finishedOn": "2024-05-02" })),
            ],
        ),
        (
            "episodes",
            vec![
                row("p1", json!({ "entryId": "e3", "season": 1, "episode": 1, "watchedAt": "2024-06-01" })),
                row("p2", json!({ "entryId": "e1", "season": 1, "episode": 1 })),
            ],
        ),
        (
            "lists",
            vec![
                row("l1", json!({ "userId": "u1", "name": "Best", "description": "of all" })),
                row(
                    "l2",
                    json!({ "userId": "u2", "name": "Mine", "items": ["m1", { "mediaId": "m2", "note": "n" }, "m9"] }),
                ),
                row("l3", json!({ "userId": "u2", "name": 5 })),
            ],
        ),
        (
            "listItems",
            vec![
                row("i1", json!({ "listId": "l1", "mediaId": "m2", "position": 2 })),
                row("i2", json!({ "listId": "l1", "mediaId": "m1", "position": 1, "note": "first" })),
                row("i3", json!({ "listId": "l9", "mediaId": "m1" })),
                row("i4", json!({ "listId": "l1", "mediaId": "m1", "position": 3 })),
            ],
        ),
        ("sessions", vec![row("s1", json!({ "token": SECRET }))]),
    ])
}

const REFUSED: [&str; 20] = [
    "users u4: clerkId: is no Clerk user id",
    "titles m4: type: is no kind that the mapping knows",
    "titles m5: ref: the id at tmdb must be a whole number from 1 to 2147483647 without leading zeros",
    "shelf e6: person: names no user",
    "shelf e7: title: names no title",
    "shelf e8: another row is about the same title",
    "shelf e9: status: is no status that the mapping knows; rating: is not on the mapping's scale; \
     startedOn: must be a date",
    "shelf line 10: the line is not a JSON object",
    "shelf line 11: _id is not an id",
    "reviews r2: the person has no entry of the title",
    "reviews r3: entryId: names no entry that was taken",
    "reviews r5: body: must have at most 20000 characters",
    "comments c2: body: is missing",
    "comments c3: anchor: only a book has pages",
    "episodes p2: only series have episodes",
    "lists l2[2]: mediaId: names no title",
    "lists l3: name: must be a text",
    "listItems i3: listId: names no list that was taken",
    "listItems i4: the title stands in the list already",
    "sessions: not read, the mapping does not name it",
];

async fn import(t: &TestApp, export: &Export, mapping: &Value) -> (Summary, String) {
    let mapping = Mapping::from_json(&mapping.to_string()).unwrap();
    let mut report = Vec::new();
    let summary = convex::run(&t.app.db, &export.file, &mapping, false, &mut report).await.unwrap();
    (summary, String::from_utf8(report).unwrap())
}

fn taken(summary: &Summary) -> u64 {
    let parts = Part::ALL.iter().filter(|part| !matches!(part, Part::Users | Part::Media));
    parts.map(|part| summary.of(*part).taken).sum()
}

/// Erases somebody who has an account, as far as an import can tell.
async fn erase(t: &TestApp, name: &str) {
    t.persona(name).get("/v1/account").send().await.expect(200);
    let id = omnitrack::clerk::account_id(&format!("user_{name}"));
    let id = if t.is_sqlite() { format!("X'{}'", id.simple()) } else { format!("'{id}'") };
    t.sql(&format!("UPDATE account SET erased_at = 1 WHERE id = {id}")).await;
}

both! {
    async fn an_export_ends_as_the_same_library(t: TestApp) {
        erase(&t, "carol").await;
        let export = export();
        let (summary, report) = import(&t, &export, &mapping()).await;
        let mut lines: Vec<&str> = report.lines().take_while(|line| !line.contains("taken    there")).collect();
        lines.sort_unstable();
        let mut expected = REFUSED.to_vec();
        expected.sort_unstable();
        assert_eq!(lines, expected);
        assert!(!report.contains(SECRET), "{report}");
        assert!(!report.contains("alice"), "{report}");
        let erased = (summary.of(Part::Entries).erased, summary.of(Part::Reviews).erased);
        assert_eq!((erased, summary.erased_accounts, summary.accounts), ((1, 1), 1, 2));
        assert_eq!(summary.derived_progress, 1);

        let alice = t.alice.clone();
        let movie = alice.get("/v1/library/movie:tmdb:603").send().await.expect(200).json();
        for (field, value) in [
            ("status", json!("completed")),
            ("status_set_by", json!("person")),
            ("rating", json!(90)),
            ("favorite", json!(true)),
            // 2024-05-01, 22:00 UTC is the next day in Berlin.
            ("finished_on", json!("2024-05-02")),
            ("added_at", json!("2024-04-01T10:00:00.000Z")),
            ("updated_at", json!("2024-04-01T10:00:00.000Z")),
        ] {
            assert_eq!(movie[field], value, "{field}");
        }
        let book = alice.get("/v1/library/book:google_books:zyTCAlFPjgYC").send().await.expect(200).json();
        assert_eq!(book["progress"], json!({ "unit": "pages", "current": 120, "total": 400 }));
        assert_eq!((&book["status"], &book["started_on"]), (&json!("in_progress"), &json!("2024-03-01")));
        assert_eq!(book["added_at"], "2023-11-14T22:13:20.000Z");
        let series = alice.get("/v1/library/tv:tmdb:1399").send().await.expect(200).json();
        assert_eq!(series["status"], "dropped");
        let watched = alice.get("/v1/library/tv:tmdb:1399/episodes").send().await.expect(200).items();
        assert_eq!(watched.len(), 1);
        assert_eq!(watched[0]["watched_on"], "2024-06-01");
        let review = alice.get("/v1/library/movie:tmdb:603/review").send().await.expect(200).json();
        assert_eq!((&review["body"], &review["spoiler"]), (&json!(SECRET), &json!(true)));
        let comments = alice.get("/v1/library/book:google_books:zyTCAlFPjgYC/comments").send().await.items();
        assert_eq!(comments.len(), 1);
        assert_eq!((&comments[0]["body"], &comments[0]["created_at"]), (&json!("so far"), &json!("2024-03-02T08:00:00.000Z")));
        assert_eq!(comments[0]["anchor"], json!({ "kind": "page", "page": 12 }));
        let history = alice.get("/v1/library/movie:tmdb:603/history").send().await.items();
        let dates: Vec<(&Value, &Value)> =
            history.iter().map(|event| (&event["finished_on"], &event["precision"])).collect();
        assert_eq!(
            dates,
            [(&json!("2024-05-02"), &json!("day")), (&json!("2019-01-01"), &json!("year")), (&Value::Null, &json!("unknown"))]
        );
        let lists = alice.get("/v1/lists").send().await.items();
        assert_eq!((&lists[0]["name"], &lists[0]["description"]), (&json!("Best"), &json!("of all")));
        let items = format!("/v1/lists/{}/items", lists[0]["id"].as_str().unwrap());
        let items: Vec<(String, Value)> = alice.get(&items).send().await.items().into_iter()
            .map(|item| (item["media_id"].as_str().unwrap().to_owned(), item["note"].clone()))
            .collect();
        assert_eq!(
            items,
            [("movie:tmdb:603".to_owned(), json!("first")), ("book:google_books:zyTCAlFPjgYC".to_owned(), Value::Null)]
        );
        let bob = t.bob.get("/v1/library").send().await.items();
        assert_eq!(bob.len(), 1);
        assert_eq!((&bob[0]["status"], &bob[0]["rating"]), (&json!("backlog"), &Value::Null));
        t.persona("carol").get("/v1/library").send().await.expect_problem(401, "account_erased");
    }

    async fn again_nothing_comes_twice_and_nothing_comes_back(t: TestApp) {
        erase(&t, "carol").await;
        let export = export();
        let (first, _) = import(&t, &export, &mapping()).await;
        for id in ["movie:tmdb:603", "book:google_books:zyTCAlFPjgYC", "tv:tmdb:1399", "game:igdb:1942"] {
            t.filled(id).await;
        }
        let head = || async { t.alice.get("/v1/sync/head").send().await.expect(200).json()["revision"].clone() };
        let before = head().await;
        let (second, _) = import(&t, &export, &mapping()).await;
        assert_eq!((taken(&first), taken(&second)), (16, 0));
        assert_eq!(head().await, before);
        assert_eq!(second.of(Part::Entries).there, 4);

        // What the person does meanwhile is the last word.
        t.alice.patch("/v1/library/tv:tmdb:1399", json!({ "status": "in_progress" })).send().await.expect(200);
        t.alice.delete("/v1/library/movie:tmdb:603").send().await.expect(204);
        let lists = t.alice.get("/v1/lists").send().await.items();
        let list = lists[0]["id"].as_str().unwrap();
        t.alice.delete(&format!("/v1/lists/{list}/items/movie:tmdb:603")).send().await.expect(204);
        let comments = "/v1/library/book:google_books:zyTCAlFPjgYC/comments";
        let comment = t.alice.get(comments).send().await.items()[0]["id"].as_str().unwrap().to_owned();
        t.alice.delete(&format!("{comments}/{comment}")).send().await.expect(204);
        let before = head().await;
        let (third, _) = import(&t, &export, &mapping()).await;
        assert_eq!(head().await, before);
        assert_eq!(taken(&third), 0);
        let deleted = [Part::Entries, Part::Reviews, Part::Comments, Part::History, Part::ListItems];
        assert_eq!(deleted.map(|part| third.of(part).deleted), [1, 1, 1, 3, 1]);
        let series = t.alice.get("/v1/library/tv:tmdb:1399").send().await.expect(200).json();
        assert_eq!(series["status"], "in_progress");
        t.alice.get("/v1/library/movie:tmdb:603").send().await.expect(404);
    }

    async fn a_mended_mapping_takes_what_was_refused(t: TestApp) {
        let export = Export::of(&[
            ("entries", vec![
                row("e1", json!({ "userId": "user_alice", "mediaId": "movie:tmdb:603", "status": "seen it", "finishedOn": "2024-05-02" })),
                row("e2", json!({ "userId": "user_alice", "type": "film", "tmdbId": "604", "review": "fine" })),
            ]),
            ("notes", vec![
                row("n1", json!({ "userId": "user_alice", "mediaId": "movie:tmdb:605", "text": "later" })),
            ]),
        ]);
        let (summary, report) = import(&t, &export, &json!({})).await;
        assert_eq!(taken(&summary), 0, "{report}");
        assert!(report.contains("entries e1: status: is no status that the mapping knows\n"), "{report}");
        assert!(report.contains("entries e2: status: is missing\n"), "{report}");
        let mended = json!({
            "without_entry": "backlog",
            "entries": { "statuses": { "seen it": "completed" }, "without_status": "backlog" },
            "reviews": { "table": "entries", "of": { "entry": "_id" }, "body": "review", "optional": true },
            "comments": { "table": "notes" },
            "history": null
        });
        let (summary, report) = import(&t, &export, &mended).await;
        assert_eq!(summary.refused(), 0, "{report}");
        assert_eq!((taken(&summary), summary.of(Part::Reviews).passed), (4, 1), "{report}");
        let mut ids: Vec<String> = t.alice.get("/v1/library").send().await.items().iter()
            .map(|entry| entry["media_id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        assert_eq!(ids, ["movie:tmdb:603", "movie:tmdb:604", "movie:tmdb:605"]);
        // Without a history of its own the app is taken to have finished it on that day.
        let history = t.alice.get("/v1/library/movie:tmdb:603/history").send().await.items();
        assert_eq!(history[0]["finished_on"], "2024-05-02");
    }

    async fn an_export_that_is_none_changes_nothing(t: TestApp) {
        let good = export();
        let bytes = std::fs::read(&good.file).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bad.zip");
        let try_it = async |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            convex::run(&t.app.db, &file, &Mapping::default(), false, Vec::new()).await.unwrap_err().to_string()
        };
        assert_eq!(try_it(&bytes[..bytes.len() / 2]).await, "export: is not a ZIP archive, or not a whole one");
        assert_eq!(try_it(b"no archive").await, "export: is not a ZIP archive, or not a whole one");
        // A table that is damaged after the others were read.
        let at = bytes.windows(24).position(|part| part == b"listItems/documents.jsonl".get(..24).unwrap()).unwrap();
        let mut damaged = bytes.clone();
        damaged[at + 40..at + 60].fill(0xff);
        assert_eq!(try_it(&damaged).await, "export: listItems/documents.jsonl: is damaged");
        let other = Export::of(&[("something", vec![row("x", json!({}))])]);
        let error = convex::run(&t.app.db, &other.file, &Mapping::default(), false, Vec::new()).await;
        assert!(matches!(error, Err(ConvexError::NoTable)));
        // One line of blanks without an end.
        let bomb = Export::of(&[
            ("entries", vec![row("e1", json!({ "userId": "user_alice", "mediaId": "movie:tmdb:603", "status": "done" }))]),
            ("reviews", vec![" ".repeat(80 << 20)]),
        ]);
        let error = convex::run(&t.app.db, &bomb.file, &Mapping::default(), false, Vec::new()).await;
        assert_eq!(error.unwrap_err().to_string(), "export: reviews/documents.jsonl: unpacks to more than any export would");
        assert_eq!(t.alice.get("/v1/library").send().await.items().len(), 0);
    }
}

#[test]
fn the_mapping_that_the_guide_shows_is_one() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/convex.md")).unwrap();
    let (_, rest) = guide.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let mapping = Mapping::from_json(example).unwrap();
    assert!(mapping.history.is_none() && mapping.comments.is_some());
    let error = Mapping::from_json("{\"entries\": {\"colour\": \"red\"}}").unwrap_err().to_string();
    assert!(error.contains("unknown field `colour`"), "{error}");
}

/// `import-convex` as an operator runs it.
fn command(database: &Database, export: &Export, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().env("DATABASE_URL", database.url.expose());
    command.arg("import-convex").arg(&export.file).args(arguments);
    command
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

fn done(database: &Database, export: &Export, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command(database, export, arguments).output().unwrap();
    (status.code(), text(&stdout), text(&stderr))
}

async fn count(database: &Database, table: &str) -> i64 {
    let db = Db::open(&database.url).await.unwrap();
    let found = rows(db.read(), &format!("SELECT COUNT(*) FROM {table}"), []).await.unwrap();
    let count = found[0].try_get_by_index(0).unwrap();
    db.close().await.unwrap();
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_says_what_became_of_it() {
    let database = Database::sqlite();
    let export = export();
    let mapping = export.mapping(&mapping());
    let mapping = mapping.to_str().unwrap();
    let (code, out, err) = done(&database, &export, &["--mapping", mapping, "--dry-run"]);
    assert_eq!((code, err.as_str()), (Some(3), ""), "{out}");
    assert!(out.contains("shelf e6: person: names no user\n"), "{out}");
    assert_eq!((count(&database, "account").await, count(&database, "library_entry").await), (0, 0));
    let (code, out, err) = done(&database, &export, &["--mapping", mapping]);
    assert_eq!((code, err.as_str()), (Some(3), ""), "{out}");
    // Carol is nobody's mark here.
    assert_eq!((count(&database, "account").await, count(&database, "library_entry").await), (3, 5));

    let clean = Export::of(&[(
        "entries",
        vec![row("e1", json!({ "userId": "user_dave", "mediaId": "movie:tmdb:603", "status": "done" }))],
    )]);
    let (code, out, _) = done(&database, &clean, &[]);
    assert_eq!(code, Some(0), "{out}");

    let wrong = export.mapping(&json!({ "entries": { "statuses": { "x": "finished" } } }));
    for (arguments, named) in [
        (["--mapping", wrong.to_str().unwrap()], "\"finished\" is no status"),
        (["--mapping", "/nowhere.json"], "/nowhere.json"),
    ] {
        let (code, out, err) = done(&database, &export, &arguments);
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(err.contains(named) && err.lines().count() == 1, "{err}");
    }
    let nowhere = Export { folder: tempfile::tempdir().unwrap(), file: Path::new("/nowhere.zip").to_owned() };
    let (code, _, err) = done(&database, &nowhere, &[]);
    assert_eq!((code, err.lines().count()), (Some(1), 1), "{err}");
    let empty = Database::sqlite_empty();
    let (code, _, err) = done(&empty, &clean, &[]);
    assert_eq!(code, Some(1));
    assert!(err.contains("omnitrack migrate"), "{err}");
}

/// Enough for a good many transactions.
const MANY: usize = 6000;

/// Killed in the middle beside a service that writes to the same account, and run again.
async fn a_kill_in_the_middle_loses_nothing(database: Database) {
    let url = database.url.clone();
    let program = Program::start(database);
    let alice = program.persona("alice");
    let entries = (1..=MANY).map(|number| {
        let title = format!("movie:tmdb:{}", 8_000_000 + number);
        row(
            &format!("e{number}"),
            json!({ "userId": "user_alice", "mediaId": title, "status": "done", "rating": 8 }),
        )
    });
    let comments = (1..=MANY)
        .step_by(10)
        .map(|number| row(&format!("c{number}"), json!({ "entryId": format!("e{number}"), "text": "well" })));
    let export = Export::of(&[("entries", entries.collect()), ("comments", comments.collect())]);
    let db = Db::open(&url).await.unwrap();
    let count = async |table: &str| -> i64 {
        let found = rows(db.read(), &format!("SELECT COUNT(*) FROM {table}"), []).await.unwrap();
        found[0].try_get_by_index(0).unwrap()
    };
    let command = || {
        let mut command = Command::new(BINARY);
        command.env_clear().env("DATABASE_URL", url.expose()).arg("import-convex").arg(&export.file);
        command.stdout(std::process::Stdio::null());
        command
    };
    let mut first = command().spawn().unwrap();
    while count("library_entry").await < 600 {
        assert!(first.try_wait().unwrap().is_none(), "it ended before it was killed");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let so_far = count("library_entry").await;
    assert!((600..MANY as i64).contains(&so_far), "{so_far}");

    let mut second = command().spawn().unwrap();
    let mut own = 0;
    while second.try_wait().unwrap().is_none() {
        own += 1;
        let path = format!("/v1/library/movie:tmdb:{own}");
        alice.put(&path, json!({ "status": "backlog" })).send().await.expect(201);
    }
    assert!(second.wait().unwrap().success());
    assert!(own > 0);
    assert_eq!(count("library_entry").await, MANY as i64 + own);
    assert_eq!(count("comment").await, MANY as i64 / 10);
    // Each row has a number of its own, so that every device hears of it.
    let revisions =
        rows(db.read(), "SELECT COUNT(DISTINCT revision), MAX(revision) FROM library_entry", []).await;
    let distinct: i64 = revisions.unwrap()[0].try_get_by_index(0).unwrap();
    assert_eq!(distinct, MANY as i64 + own);
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_loses_nothing_on_sqlite() {
    a_kill_in_the_middle_loses_nothing(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_loses_nothing_on_postgres() {
    let Some(database) = Database::postgres() else { return };
    a_kill_in_the_middle_loses_nothing(database).await;
}

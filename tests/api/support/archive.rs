//! Archives as people send them back: sound ones, of any content, and what the account holds afterwards.

use std::io::{Cursor, Write as _};

use omnitrack::app::App;
use omnitrack::db::rows;
use omnitrack::import::{run, store};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use uuid::Uuid;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::persona::Persona;

pub const IMPORTS: &str = "/v1/account/imports";
pub const THEN: &str = "2024-03-01T10:00:00.000Z";

/// An archive with these rows.
pub fn archive(library: Vec<Value>, lists: Vec<Value>) -> Value {
    json!({
        "format": "omnitrack-archive",
        "version": 1,
        "exported_at": THEN,
        "facts": {
            "purposes": [], "categories": [], "recipients": [], "origins": [], "retention": [], "rights": [],
            "automated_decisions": "", "transfers": "",
        },
        "profile": { "state": "not_configured" },
        "account": {
            "id": "5f2d8a90-4f3c-4b1e-9a57-1d6c0e8b2f43",
            "time_zone": "UTC",
            "progress_sets_status": true,
            "revision": 1,
            "created_at": THEN,
            "updated_at": THEN,
        },
        "devices": [],
        "consents": [],
        "library": library,
        "lists": lists,
        "records": { "deleted": [], "mutations": [], "exports": [], "imports": [], "idempotency_keys": [] },
    })
}

/// A title with nothing on it.
pub fn entry(media_id: &str) -> Value {
    json!({
        "media_id": media_id, "status": "backlog", "status_set_by": "person", "favorite": false,
        "added_at": THEN, "updated_at": THEN, "comments": [], "history": [], "episodes": [],
    })
}

pub fn list(id: &str, items: &[&str]) -> Value {
    let item = |media_id: &&str| json!({ "media_id": media_id, "added_at": THEN, "updated_at": THEN });
    let items: Vec<Value> = items.iter().map(item).collect();
    json!({ "id": id, "name": "A list", "created_at": THEN, "updated_at": THEN, "items": items })
}

pub fn comment(id: &str, body: &str) -> Value {
    json!({ "id": id, "body": body, "created_at": THEN, "updated_at": THEN })
}

/// A ZIP file with these files.
pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Applies everything that waits, as the jobs would, which must be stopped.
pub async fn apply_all(app: &App) {
    while let Some((account, id)) = store::claim(&app.db).await.unwrap() {
        run::run(&app.db, account, id, &app.wanted).await.unwrap();
    }
}

/// Sends an archive, has it applied, and tells the import as it is then. The jobs must be stopped.
pub async fn take(app: &App, who: &Persona, archive: &Value) -> Value {
    let begun = who.post(IMPORTS, archive.clone()).send().await.expect(202).json();
    apply_all(app).await;
    let id = begun["id"].as_str().unwrap();
    let done = who.get(&format!("{IMPORTS}/{id}")).send().await.expect(200).json();
    assert_eq!(done["state"], "done", "{done}");
    done
}

/// What the account takes along: its library and its lists, without what is there for the reader alone.
pub async fn exported(who: &Persona) -> (Value, Value) {
    let copy = who.post("/v1/account/exports", json!({ "format": "json" })).send().await.expect(201).json();
    let archive = who.get(copy["url"].as_str().unwrap()).send().await.expect(200).json();
    (plain(archive["library"].clone()), plain(archive["lists"].clone()))
}

/// The same rows in one order, without names of titles.
pub fn plain(mut rows: Value) -> Value {
    let key = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (text("media_id"), text("id"), row["season"].as_i64(), row["number"].as_i64())
    };
    for row in rows.as_array_mut().unwrap() {
        let row = row.as_object_mut().unwrap();
        if row.contains_key("status") {
            row.remove("title");
            row.remove("release_date");
        }
        for name in ["comments", "history", "episodes"] {
            if let Some(children) = row.get_mut(name) {
                children.as_array_mut().unwrap().sort_by_key(key);
            }
        }
        for item in row.get_mut("items").into_iter().flat_map(|items| items.as_array_mut().unwrap()) {
            item.as_object_mut().unwrap().remove("title");
        }
    }
    rows.as_array_mut().unwrap().sort_by_key(key);
    rows
}

/// Every table of a person's own.
const TABLES: [&str; 15] = [
    "account",
    "library_entry",
    "review",
    "comment",
    "history_event",
    "watched_episode",
    "pending_episodes",
    "list",
    "list_item",
    "tombstone",
    "sync_mutation",
    "device",
    "consent",
    "import",
    "import_part",
];

/// All rows of all tables of a person's own, as text.
pub async fn dump(app: &App) -> Vec<String> {
    let mut dump = Vec::new();
    for table in TABLES {
        let sql = if app.db.is_sqlite() {
            let columns = rows(app.db.read(), "SELECT name FROM pragma_table_info($1)", [table.into()]).await;
            let columns: Vec<String> = columns
                .unwrap()
                .iter()
                .map(|row| format!("quote(\"{}\")", row.try_get_by_index::<String>(0).unwrap()))
                .collect();
            format!("SELECT {} AS row FROM {table} ORDER BY 1", columns.join(" || ',' || "))
        } else {
            format!("SELECT t::text AS row FROM {table} t ORDER BY 1")
        };
        let found = rows(app.db.read(), &sql, []).await.unwrap();
        let text =
            |row: &sea_orm::QueryResult| format!("{table} {}", row.try_get_by_index::<String>(0).unwrap());
        dump.extend(found.iter().map(text));
    }
    dump
}

/// Any archive: as its own seed would have it.
pub struct Random(StdRng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub fn archive(&mut self) -> Value {
        let titles: Vec<String> = self.titles();
        let library = titles.iter().map(|media_id| self.entry(media_id)).collect();
        let lists = (0..self.0.random_range(0..4)).map(|_| self.list()).collect();
        archive(library, lists)
    }

    fn titles(&mut self) -> Vec<String> {
        let count = self.0.random_range(0..30);
        let mut titles: Vec<String> = (0..count).map(|_| self.title()).collect();
        titles.sort();
        titles.dedup();
        titles
    }

    /// One that no source has.
    fn title(&mut self) -> String {
        let number = self.0.random_range(1_000_000_000..1_000_000_100);
        let kind = ["movie:tmdb", "tv:tmdb", "game:igdb", "book:google_books"].choose(&mut self.0).unwrap();
        // An id of digits alone could be a phone number, which is not an id of a book.
        match *kind {
            "book:google_books" => format!("{kind}:nobody-{}", number % 100),
            kind => format!("{kind}:{number}"),
        }
    }

    fn some<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.0.random_bool(0.5).then(|| value(self))
    }

    fn number(&mut self, least: i32, most: i32) -> i32 {
        // The ends more often than chance would have it.
        match self.0.random_range(0..10) {
            0 => least,
            1 => most,
            _ => self.0.random_range(least..=most),
        }
    }

    fn text(&mut self, most: usize) -> String {
        let letters: Vec<char> = "ab ß字😀\"\\/\n\t\u{1}é,;".chars().collect();
        let length = match self.0.random_range(0..20) {
            0 => most,
            _ => self.0.random_range(1..=most.min(60)),
        };
        (0..length).map(|_| *letters.choose(&mut self.0).unwrap()).collect()
    }

    fn date(&mut self) -> String {
        let (year, month) = (self.number(1000, 9999), self.number(1, 12));
        format!("{year}-{month:02}-{:02}", self.number(1, 28))
    }

    fn time(&mut self) -> String {
        let millis = self.0.random_range(0..1_700_000_000_000_i64);
        omnitrack::http::text::Timestamp(millis).to_string()
    }

    fn id(&mut self) -> String {
        Uuid::from_u128(self.0.random()).to_string()
    }

    fn entry(&mut self, media_id: &str) -> Value {
        let kind = media_id.split(':').next().unwrap();
        let mut entry = json!({
            "media_id": media_id,
            "status": *["backlog", "in_progress", "completed", "dropped"].choose(&mut self.0).unwrap(),
            "status_set_by": *["person", "progress"].choose(&mut self.0).unwrap(),
            "favorite": self.0.random_bool(0.5),
            "added_at": self.time(),
            "updated_at": self.time(),
            "comments": (0..self.0.random_range(0..4)).map(|_| self.comment(kind)).collect::<Vec<_>>(),
            "history": (0..self.0.random_range(0..4)).map(|_| self.event()).collect::<Vec<_>>(),
            "episodes": [],
        });
        self.add(&mut entry, "rating", |random| json!(random.number(1, 100)));
        self.add(&mut entry, "started_on", |random| json!(random.date()));
        self.add(&mut entry, "finished_on", |random| json!(random.date()));
        self.add(&mut entry, "review", |random| {
            let mut review = json!({
                "body": random.text(20_000), "spoiler": random.0.random_bool(0.5),
                "created_at": random.time(), "updated_at": random.time(),
            });
            random.add(&mut review, "title", |random| json!(random.text(200)));
            review
        });
        if kind == "tv" {
            let places = |random: &mut Self| (random.number(0, 99_999), random.number(0, 99_999));
            let places: std::collections::BTreeSet<(i32, i32)> =
                (0..self.0.random_range(0..30)).map(|_| places(self)).collect();
            entry["episodes"] =
                places.into_iter().map(|(season, number)| self.episode(season, number)).collect();
            let pending: Vec<Value> = (0..self.0.random_range(0..3)).map(|_| self.pending()).collect();
            if !pending.is_empty() {
                entry["pending_episodes"] = pending.into();
            }
        } else {
            self.add(&mut entry, "progress", |random| random.progress(kind));
        }
        entry
    }

    fn add(&mut self, row: &mut Value, name: &str, value: impl FnOnce(&mut Self) -> Value) {
        if let Some(value) = self.some(value) {
            row[name] = value;
        }
    }

    fn progress(&mut self, kind: &str) -> Value {
        match (kind, self.0.random_range(0..3)) {
            ("book", 0) => {
                let total = self.number(1, 10_000_000);
                json!({ "unit": "pages", "current": self.number(0, total), "total": total })
            }
            (_, 1) => json!({ "unit": "percent", "current": self.number(0, 100) }),
            _ => json!({ "unit": "minutes", "current": self.number(0, 10_000_000) }),
        }
    }

    fn comment(&mut self, kind: &str) -> Value {
        let mut comment = json!({
            "id": self.id(), "body": self.text(5_000), "created_at": self.time(), "updated_at": self.time(),
        });
        self.add(&mut comment, "anchor", |random| match kind {
            "tv" => {
                json!({ "kind": "episode", "season": random.number(0, 100_000), "number": random.number(0, 100_000) })
            }
            "book" => json!({ "kind": "page", "number": random.number(0, 10_000_000) }),
            _ => json!({ "kind": "percent", "number": random.number(0, 100) }),
        });
        comment
    }

    fn event(&mut self) -> Value {
        let mut event = json!({ "id": self.id(), "created_at": self.time(), "updated_at": self.time() });
        let date = self.date();
        let (precision, date) = match self.0.random_range(0..4) {
            0 => ("day", Some(date)),
            1 => ("month", Some(format!("{}-01", &date[..7]))),
            2 => ("year", Some(format!("{}-01-01", &date[..4]))),
            _ => ("unknown", None),
        };
        event["precision"] = precision.into();
        if let Some(date) = date {
            event["finished_on"] = date.into();
        }
        event
    }

    fn episode(&mut self, season: i32, number: i32) -> Value {
        let mut episode = json!({
            "season": season, "number": number, "created_at": self.time(), "updated_at": self.time(),
        });
        self.add(&mut episode, "source_episode_id", |random| json!(random.number(0, i32::MAX)));
        self.add(&mut episode, "watched_on", |random| json!(random.date()));
        episode
    }

    fn pending(&mut self) -> Value {
        let watched = self.0.random_bool(0.5);
        let mut pending = json!({ "watched": watched });
        self.add(&mut pending, "season", |random| json!(random.number(0, 99_999)));
        self.add(&mut pending, "first", |random| json!(random.number(0, 50)));
        self.add(&mut pending, "last", |random| json!(random.number(50, 99_999)));
        if watched {
            pending["aired_by"] = self.date().into();
            self.add(&mut pending, "watched_on", |random| json!(random.date()));
        }
        pending
    }

    fn list(&mut self) -> Value {
        let mut list = json!({
            "id": self.id(), "name": self.text(200), "created_at": self.time(), "updated_at": self.time(),
        });
        self.add(&mut list, "description", |random| json!(random.text(2_000)));
        let mut titles = self.titles();
        titles.reverse();
        let item = |random: &mut Self, media_id: String| {
            let mut item =
                json!({ "media_id": media_id, "added_at": random.time(), "updated_at": random.time() });
            random.add(&mut item, "note", |random| json!(random.text(1_000)));
            item
        };
        list["items"] = titles.into_iter().map(|media_id| item(self, media_id)).collect();
        list
    }
}

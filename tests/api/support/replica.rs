//! What a device keeps of an account: made from the feed alone, to be held against what the API shows.

use std::collections::BTreeMap;

use omnitrack::sync::{Key, Kind};
use serde_json::{Value, json};

use super::persona::Persona;

/// Everything by kind and key.
pub type Things = BTreeMap<(String, String), Value>;

/// A device and how far it has read.
#[derive(Debug, Clone, Default)]
pub struct Replica {
    pub things: Things,
    pub cursor: Option<String>,
    last: i64,
}

/// What hangs on an entry.
const CHILDREN: [&str; 4] = ["review", "comment", "history_event", "episode"];

impl Replica {
    /// Reads one page; tells whether there is more.
    pub async fn read(&mut self, who: &Persona, limit: usize) -> bool {
        let path = match &self.cursor {
            Some(cursor) => format!("/v1/sync?limit={limit}&cursor={cursor}"),
            None => format!("/v1/sync?limit={limit}"),
        };
        let page = who.get(&path).send().await.expect(200).json();
        let changes = page["changes"].as_array().unwrap();
        assert!(changes.len() <= limit, "{} changes", changes.len());
        for change in changes {
            self.take(change);
        }
        let head = page["head"].as_i64().unwrap();
        assert!(self.last <= head);
        self.cursor = Some(page["cursor"].as_str().unwrap().to_owned());
        page["has_more"].as_bool().unwrap()
    }

    /// Reads to the end.
    pub async fn catch_up(&mut self, who: &Persona, limit: usize) {
        while self.read(who, limit).await {}
    }

    fn take(&mut self, change: &Value) {
        let revision = change["revision"].as_i64().unwrap();
        assert!(revision > self.last, "{revision} comes after {}", self.last);
        self.last = revision;
        let (kind, key) = (change["kind"].as_str().unwrap(), change["key"].as_str().unwrap());
        assert_eq!(Key::parse(named(kind), key).expect("a key").to_string(), key);
        let field = if kind == "list_item" { "item" } else { kind };
        let shown: Vec<&String> = change.as_object().unwrap().keys().collect();
        let name = (kind.to_owned(), key.to_owned());
        if change["deleted"] == true {
            assert_eq!(shown, ["revision", "kind", "key", "deleted"]);
            self.things.remove(&name);
            self.drop_children(kind, key);
        } else {
            assert_eq!(shown, ["revision", "kind", "key", "deleted", field]);
            assert_eq!(change[field]["revision"], revision);
            self.things.insert(name, without_thumbhash(change[field].clone()));
        }
    }

    fn drop_children(&mut self, kind: &str, key: &str) {
        let below = format!("{key}/");
        self.things.retain(|(child, name), _| match kind {
            "entry" => !CHILDREN.contains(&child.as_str()) || (name != key && !name.starts_with(&below)),
            "list" => child != "list_item" || !name.starts_with(&below),
            _ => true,
        });
    }

    /// The newest revision that it has read.
    pub fn newest(&self) -> i64 {
        self.last
    }

    /// What it holds, with the items of each list counted.
    pub fn counted(&self) -> Things {
        let mut things = self.things.clone();
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for (_, key) in things.keys().filter(|(kind, _)| kind == "list_item") {
            *counts.entry(key.split('/').next().unwrap().to_owned()).or_default() += 1;
        }
        for ((_, key), list) in things.iter_mut().filter(|((kind, _), _)| kind == "list") {
            list["item_count"] = json!(counts.get(key).copied().unwrap_or(0));
        }
        things
    }
}

fn named(kind: &str) -> Kind {
    match kind {
        "settings" => Kind::Settings,
        "entry" => Kind::Entry,
        "review" => Kind::Review,
        "comment" => Kind::Comment,
        "history_event" => Kind::HistoryEvent,
        "episode" => Kind::Episode,
        "list" => Kind::List,
        "list_item" => Kind::ListItem,
        other => panic!("a kind {other}"),
    }
}

async fn all(who: &Persona, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = who.get(&format!("{path}?limit=200{cursor}")).send().await.expect(200);
        items.extend(page.items());
        match page.next_cursor() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// Everything that the API shows of an account, as a device would keep it.
pub async fn shown(who: &Persona) -> Things {
    let mut things = Things::new();
    let mut keep = |kind: &str, key: String, thing: Value| {
        things.insert((kind.to_owned(), key), without_thumbhash(thing));
    };
    let mut settings = who.get("/v1/account").send().await.expect(200).json();
    // How much there is a device can count itself.
    settings.as_object_mut().unwrap().remove("holdings");
    keep("settings", "settings".into(), settings);
    for entry in all(who, "/v1/library").await {
        let id = entry["media_id"].as_str().unwrap().to_owned();
        let below = |noun: &str| format!("/v1/library/{id}/{noun}");
        let review = who.get(&below("review")).send().await;
        if review.status == 200 {
            keep("review", id.clone(), review.json());
        }
        for (kind, noun) in [("comment", "comments"), ("history_event", "history")] {
            for child in all(who, &below(noun)).await {
                keep(kind, format!("{id}/{}", child["id"].as_str().unwrap()), child);
            }
        }
        if id.starts_with("tv:") {
            for mark in all(who, &below("episodes")).await {
                keep("episode", format!("{id}/{}/{}", mark["season"], mark["episode"]), mark);
            }
        }
        keep("entry", id, entry);
    }
    for list in all(who, "/v1/lists").await {
        let id = list["id"].as_str().unwrap().to_owned();
        for item in all(who, &format!("/v1/lists/{id}/items")).await {
            keep("list_item", format!("{id}/{}", item["media_id"].as_str().unwrap()), item);
        }
        keep("list", id, list);
    }
    things
}

/// A thumbhash is known once somebody has seen the picture, which changes no row.
pub fn without_thumbhash(mut thing: Value) -> Value {
    if let Some(cover) = thing.pointer_mut("/media/cover").and_then(Value::as_object_mut) {
        cover.remove("thumbhash");
    }
    thing
}

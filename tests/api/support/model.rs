//! What synchronisation promises, said a second time and as plainly as possible: the rules of
//! `docs/sync.md` over maps. It is told in which order batches arrived, and says what must come of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

/// A thing is named by its kind and its key.
pub type Name = (String, String);

/// Who wrote a field, under which revision; of a call the id is empty, so that it loses ties.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    made_at: String,
    id: String,
    revision: i64,
}

#[derive(Debug, Clone, Default)]
struct Row {
    fields: Map<String, Value>,
    stamps: BTreeMap<String, Stamp>,
}

/// What must come of a mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: &'static str,
    pub duplicate: bool,
    pub lost: BTreeSet<String>,
}

/// One account.
#[derive(Debug, Default)]
pub struct Model {
    rows: BTreeMap<Name, Row>,
    /// Ids that a phone chose and that were deleted.
    buried: HashSet<Name>,
    judged: HashMap<String, Verdict>,
}

impl Model {
    /// Judges a mutation that follows `own` in its batch. `revision` is what the server says it took.
    pub fn push(&mut self, mutation: &Value, own: &HashSet<String>, revision: Option<i64>) -> Verdict {
        let id = mutation["id"].as_str().unwrap().to_owned();
        if let Some(earlier) = self.judged.get(&id) {
            return Verdict { duplicate: true, ..earlier.clone() };
        }
        let verdict = self.judge(mutation, &id, own, revision);
        self.judged.insert(id, verdict.clone());
        verdict
    }

    fn judge(&mut self, mutation: &Value, id: &str, own: &HashSet<String>, revision: Option<i64>) -> Verdict {
        let name = (text(&mutation["kind"]), text(&mutation["key"]));
        let base = mutation["base_revision"].as_i64().unwrap();
        let made_at = text(&mutation["made_at"]);
        let news = |stamp: &Stamp| stamp.revision > base && !own.contains(&stamp.id);
        let verdict = |outcome, lost| Verdict { outcome, duplicate: false, lost };
        if mutation["delete"] == true {
            let touched = self.parts(&name).any(|(_, row)| row.stamps.values().any(news));
            if touched {
                return verdict("conflict", BTreeSet::new());
            }
            self.delete(&name);
            return verdict("applied", BTreeSet::new());
        }
        let mut set = mutation["set"].as_object().cloned().unwrap_or_default();
        for field in mutation["clear"].as_array().into_iter().flatten() {
            set.insert(text(field), Value::Null);
        }
        let Some(row) = self.rows.get(&name) else {
            if mutation["create"] != true {
                return verdict("conflict", set.keys().cloned().collect());
            }
            if parent(&name).is_some_and(|parent| !self.rows.contains_key(&parent)) {
                return verdict("conflict", BTreeSet::new());
            }
            if self.buried.contains(&name) {
                return verdict("rejected", BTreeSet::new());
            }
            self.write(&name, &set, &made_at, id, revision.unwrap_or(0));
            return verdict("applied", BTreeSet::new());
        };
        let loses = |field: &String| {
            row.stamps
                .get(field)
                .is_some_and(|stamp| news(stamp) && (&made_at, id) <= (&stamp.made_at, stamp.id.as_str()))
        };
        let lost: BTreeSet<String> = set.keys().filter(|field| loses(field)).cloned().collect();
        set.retain(|field, _| !lost.contains(field));
        if set.is_empty() && !lost.is_empty() {
            return verdict("conflict", lost);
        }
        self.write(&name, &set, &made_at, id, revision.unwrap_or(0));
        verdict("applied", lost)
    }

    /// A call of the API at `made_at`, which took `revision`.
    pub fn call(&mut self, name: &Name, set: &Map<String, Value>, made_at: &str, revision: i64) {
        self.write(name, set, made_at, "", revision);
    }

    fn write(&mut self, name: &Name, set: &Map<String, Value>, made_at: &str, id: &str, revision: i64) {
        let is_new = !self.rows.contains_key(name);
        let row = self.rows.entry(name.clone()).or_default();
        let stamp = || Stamp { made_at: made_at.to_owned(), id: id.to_owned(), revision };
        // The fields that are not looked at here were written when the thing was made.
        if is_new && name.0 != "list" {
            row.stamps.insert("others".to_owned(), stamp());
        }
        for (field, default) in fields(&name.0) {
            let old = row.fields.get(*field).cloned().unwrap_or_else(|| json!(default));
            let new = set.get(*field).cloned().unwrap_or_else(|| old.clone());
            // What is so already is nobody's doing.
            if is_new || new != old {
                row.stamps.insert((*field).to_owned(), stamp());
            }
            row.fields.insert((*field).to_owned(), new);
        }
    }

    pub fn delete(&mut self, name: &Name) {
        let gone: Vec<Name> = self.parts(name).map(|(name, _)| name.clone()).collect();
        for name in gone {
            self.rows.remove(&name);
            if ["comment", "list"].contains(&name.0.as_str()) {
                self.buried.insert(name);
            }
        }
    }

    /// A thing and what hangs on it.
    fn parts<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = (&'a Name, &'a Row)> {
        self.rows.iter().filter(move |(own, _)| *own == name || parent(own).as_ref() == Some(name))
    }

    pub fn names(&self) -> BTreeSet<Name> {
        self.rows.keys().cloned().collect()
    }

    /// What must be shown of a thing: each field, null where there is nothing.
    pub fn fields(&self, name: &Name) -> Map<String, Value> {
        self.rows.get(name).map(|row| row.fields.clone()).unwrap_or_default()
    }
}

/// The fields of a kind, and what a new thing has in them.
fn fields(kind: &str) -> &'static [(&'static str, Option<&'static str>)] {
    match kind {
        "entry" => &[("status", Some("backlog")), ("rating", None), ("started_on", None)],
        "review" => &[("title", None), ("body", None)],
        "comment" => &[("body", None)],
        "list" => &[("name", None), ("description", None)],
        "list_item" => &[("note", None)],
        other => panic!("the model knows no {other}"),
    }
}

/// What a thing hangs on.
fn parent((kind, key): &Name) -> Option<Name> {
    let first = key.split('/').next().unwrap_or_default().to_owned();
    match kind.as_str() {
        "review" | "comment" => Some(("entry".into(), first)),
        "list_item" => Some(("list".into(), first)),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

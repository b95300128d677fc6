//! The first pass: every table from beginning to end, each document to the title and the person that it
//! belongs to. Nothing is written to the database yet.

use std::collections::BTreeSet;
use std::io::Write;

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::ConvexError;
use super::document::{Document, Reader, clerk_id, is_id};
use super::mapping::{Field, KINDS, Mapping, Media, Of, meaning};
use super::report::{Fate, Part, Report};
use super::rows;
use super::snapshot::Snapshot;
use super::stage::{Family, Key, Stage, Staged};
use crate::archive::format::{Entry, List, ListItem, Timestamp};
use crate::catalog::{Kind, MediaId};
use crate::clerk::account_id;

type Result<T, E = ConvexError> = std::result::Result<T, E>;

/// What became of a document in this pass.
enum Outcome {
    /// It waits to be applied.
    Kept,
    Settled(Fate),
    Refused(Vec<String>),
}

const PASSED: Result<Outcome> = Ok(Outcome::Settled(Fate::Passed));

pub struct Reading<'a, W> {
    mapping: &'a Mapping,
    stage: &'a Stage,
    report: &'a mut Report<W>,
    /// Documents so far.
    number: i64,
}

impl<'a, W: Write> Reading<'a, W> {
    pub fn new(mapping: &'a Mapping, stage: &'a Stage, report: &'a mut Report<W>) -> Self {
        Self { mapping, stage, report, number: 0 }
    }

    /// Reads the tables that the mapping names, in an order in which what is referred to comes first.
    pub async fn all(&mut self, snapshot: &Snapshot) -> Result<()> {
        let tables = self.mapping.tables();
        let there = |name: &str| snapshot.tables().iter().any(|table| table == name);
        if !tables.iter().any(|(_, name)| there(name)) {
            return Err(ConvexError::NoTable);
        }
        let named: BTreeSet<&str> = tables.iter().map(|(_, name)| *name).collect();
        for table in snapshot.tables().iter().filter(|table| !named.contains(table.as_str()) && is_id(table))
        {
            self.report.note(&format!("{table}: not read, the mapping does not name it"))?;
        }
        for (part, table) in tables {
            match there(table) {
                true => self.table(snapshot, part, table).await?,
                false => self.report.note(&format!("{table}: there is no such table"))?,
            }
        }
        Ok(())
    }

    async fn table(&mut self, snapshot: &Snapshot, part: Part, table: &str) -> Result<()> {
        let mut portions = snapshot.lines(table);
        while let Some(portion) = portions.recv().await {
            for line in portion? {
                self.number += 1;
                let parsed = match &line.text {
                    Some(text) => Document::parse(text),
                    None => Err("the line is too long"),
                };
                let (name, outcome) = match parsed {
                    Ok(document) => {
                        let outcome = self.document(part, &document).await?;
                        (document.id, outcome)
                    }
                    Err(reason) => {
                        (format!("line {}", line.number), Outcome::Refused(vec![reason.to_owned()]))
                    }
                };
                match outcome {
                    // Counted when it is applied.
                    Outcome::Kept => {}
                    Outcome::Settled(fate) => self.report.count(part, fate),
                    Outcome::Refused(reasons) => self.report.refuse(part, table, &name, &reasons)?,
                }
            }
        }
        Ok(())
    }

    async fn document(&mut self, part: Part, document: &Document) -> Result<Outcome> {
        let mapping = self.mapping;
        let mut reader = Reader::new(document, mapping.time_zone);
        match part {
            Part::Users => self.user(reader).await,
            Part::Media => self.titled(reader).await,
            Part::Entries => self.entry(reader).await,
            Part::Lists => self.list(reader).await,
            Part::ListItems => self.item(reader).await,
            Part::Reviews => {
                let Some(part) = &mapping.reviews else { return PASSED };
                if part.optional && reader.find(&part.body).is_none_or(|text| text == "") {
                    return PASSED;
                }
                let of = self.of(&mut reader, &part.of).await?;
                let review = rows::review(&mut reader, part);
                self.child(
                    Part::Reviews,
                    reader,
                    of,
                    review,
                    |_| String::new(),
                    |entry, review| {
                        entry.review = Some(review);
                    },
                )
                .await
            }
            Part::Comments => {
                let Some(part) = &mapping.comments else { return PASSED };
                if part.optional && reader.find(&part.body).is_none_or(|text| text == "") {
                    return PASSED;
                }
                let of = self.of(&mut reader, &part.of).await?;
                let comment = rows::comment(&mut reader, part);
                self.child(
                    Part::Comments,
                    reader,
                    of,
                    comment,
                    |comment| comment.id.to_string(),
                    |entry, row| {
                        entry.comments.push(row);
                    },
                )
                .await
            }
            Part::History => {
                let Some(part) = &mapping.history else { return PASSED };
                let of = self.of(&mut reader, &part.of).await?;
                let event = of.as_ref().and_then(|(_, id)| rows::event(&mut reader, part, id));
                self.child(
                    Part::History,
                    reader,
                    of,
                    event,
                    |event| event.id.to_string(),
                    |entry, row| {
                        entry.history.push(row);
                    },
                )
                .await
            }
            Part::Episodes => {
                let Some(part) = &mapping.episodes else { return PASSED };
                let of = self.of(&mut reader, &part.of).await?;
                let episode = rows::episode(&mut reader, part);
                let key = |row: &crate::archive::format::Episode| format!("{}/{}", row.season, row.number);
                self.child(Part::Episodes, reader, of, episode, key, |entry, row| entry.episodes.push(row))
                    .await
            }
        }
    }

    async fn user(&mut self, mut reader: Reader<'_>) -> Result<Outcome> {
        let Some(part) = &self.mapping.users else { return PASSED };
        let text = reader.required(&part.clerk_id);
        let id = text.and_then(|text| match clerk_id(&text) {
            Some(id) => Some(account_id(id)),
            None => reader.wrong(&part.clerk_id, "is no Clerk user id"),
        });
        let document = reader.id();
        match reader.finish(id) {
            Ok(account) => named(self.stage.name_person(document, account).await?),
            Err(reasons) => Ok(Outcome::Refused(reasons)),
        }
    }

    async fn titled(&mut self, mut reader: Reader<'_>) -> Result<Outcome> {
        let Some(part) = &self.mapping.media else { return PASSED };
        let id = self.title(&mut reader, &part.media).await?;
        let document = reader.id();
        match reader.finish(id) {
            Ok(id) => named(self.stage.name_title(document, &id).await?),
            Err(reasons) => Ok(Outcome::Refused(reasons)),
        }
    }

    async fn entry(&mut self, mut reader: Reader<'_>) -> Result<Outcome> {
        let Some(part) = &self.mapping.entries else { return PASSED };
        let owner = self.owner(&mut reader, &part.owner).await?;
        let id = self.title(&mut reader, &part.media).await?;
        let entry = id.as_ref().and_then(|id| rows::entry(&mut reader, part, id));
        let derived = id.as_ref().is_some_and(|id| id.kind() == Kind::Tv)
            && reader.find(&part.progress.current).is_some();
        let document = reader.id();
        let made = owner.zip(id).zip(entry);
        let ((account, id), entry) = match reader.finish(made) {
            Ok(made) => made,
            Err(reasons) => return Ok(Outcome::Refused(reasons)),
        };
        let faults = rows::entry_faults(&entry);
        if !faults.is_empty() {
            return Ok(Outcome::Refused(faults));
        }
        self.stage.name_entry(document, account, &id).await?;
        self.report.summary.derived_progress += u64::from(derived);
        if self.mapping.history.is_none()
            && let Some(event) = rows::event_of(&entry, &id)
        {
            let key = title_key(account, &id, Part::History, event.id.to_string());
            self.put(key, 0.0, "", &event).await?;
        }
        let key = title_key(account, &id, Part::Entries, String::new());
        match self.put(key, 0.0, document, &entry).await? {
            true => Ok(Outcome::Kept),
            false => Ok(Outcome::Refused(vec!["another row is about the same title".into()])),
        }
    }

    /// Something that hangs on a title.
    async fn child<T: Serialize + Clone>(
        &mut self,
        part: Part,
        reader: Reader<'_>,
        of: Option<(Uuid, MediaId)>,
        row: Option<T>,
        key: impl FnOnce(&T) -> String,
        attach: impl FnOnce(&mut Entry, T),
    ) -> Result<Outcome> {
        let document = reader.id();
        let ((account, id), row) = match reader.finish(of.zip(row)) {
            Ok(made) => made,
            Err(reasons) => return Ok(Outcome::Refused(reasons)),
        };
        let now = || Timestamp("2000-01-01T00:00:00.000Z".into());
        let mut probe = rows::bare_entry(&id, "backlog", now(), now());
        attach(&mut probe, row.clone());
        let faults = rows::entry_faults(&probe);
        if !faults.is_empty() {
            return Ok(Outcome::Refused(faults));
        }
        let key = title_key(account, &id, part, key(&row));
        match self.put(key, 0.0, document, &row).await? {
            true => Ok(Outcome::Kept),
            // Finished twice on a day, or watched twice: it is the same event, and the same mark.
            false if matches!(part, Part::History | Part::Episodes) => Ok(Outcome::Settled(Fate::There)),
            false => Ok(Outcome::Refused(vec!["another row is about the same".into()])),
        }
    }

    async fn list(&mut self, mut reader: Reader<'_>) -> Result<Outcome> {
        let Some(part) = &self.mapping.lists else { return PASSED };
        let owner = self.owner(&mut reader, &part.owner).await?;
        let list = rows::list(&mut reader, part);
        let held = match reader.find(&part.items) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(_) => reader.wrong(&part.items, "must be an array").unwrap_or_default(),
            None => &[],
        };
        let document = reader.id();
        let (account, list) = match reader.finish(owner.zip(list)) {
            Ok(made) => made,
            Err(reasons) => return Ok(Outcome::Refused(reasons)),
        };
        let faults = rows::list_faults(&list);
        if !faults.is_empty() {
            return Ok(Outcome::Refused(faults));
        }
        if !self.stage.name_list(document, account).await? {
            return named(false);
        }
        for (place, item) in held.iter().enumerate() {
            self.held_item(account, document, &list, place, item).await?;
        }
        let key = list_key(account, document, Part::Lists, String::new());
        self.put(key, 0.0, document, &list).await?;
        Ok(Outcome::Kept)
    }

    /// An item that stands in its list: a title, or an object that names one.
    async fn held_item(
        &mut self,
        account: Uuid,
        document: &str,
        list: &List,
        place: usize,
        item: &Value,
    ) -> Result<()> {
        let part = self.mapping.list_items.clone().unwrap_or_default();
        let fields = match item {
            Value::Object(fields) => fields.clone(),
            // As if it stood in the usual field.
            other => Map::from_iter([(part.media.id.name().to_owned(), other.clone())]),
        };
        let name = format!("{document}[{place}]");
        let held = Document { id: name.clone(), fields };
        let mut reader = Reader::new(&held, self.mapping.time_zone);
        let id = self.title(&mut reader, &part.media).await?;
        let note = reader.text(&part.note);
        let (table, title) = (self.mapping.lists.as_ref().map_or("", |lists| &lists.table), None);
        let (added_at, updated_at) = (list.created_at.clone(), list.updated_at.clone());
        let item =
            id.as_ref().map(|id| ListItem { media_id: id.to_string(), title, note, added_at, updated_at });
        let item = match reader.finish(item) {
            Ok(item) => item,
            Err(reasons) => return Ok(self.report.refuse(Part::ListItems, table, &name, &reasons)?),
        };
        let key = list_key(account, document, Part::ListItems, item.media_id.clone());
        if !self.put(key, place as f64, &name, &item).await? {
            let reasons = ["the title stands in the list already".to_owned()];
            self.report.refuse(Part::ListItems, table, &name, &reasons)?;
        }
        Ok(())
    }

    async fn item(&mut self, mut reader: Reader<'_>) -> Result<Outcome> {
        let Some(part) = &self.mapping.list_items else { return PASSED };
        let name = reader.required(&part.list);
        let list = match &name {
            Some(name) => match self.stage.list(name).await? {
                Some(account) => Some((account, name)),
                None => reader.wrong(&part.list, "names no list that was taken"),
            },
            None => None,
        };
        let id = self.title(&mut reader, &part.media).await?;
        let item = id.as_ref().and_then(|id| rows::item(&mut reader, part, id));
        let place = reader.number(&part.position).unwrap_or(0.0);
        let document = reader.id();
        let ((account, list), item) = match reader.finish(list.zip(item)) {
            Ok(made) => made,
            Err(reasons) => return Ok(Outcome::Refused(reasons)),
        };
        let time = item.added_at.clone();
        let (items, name) = (vec![item.clone()], "a list".to_owned());
        let id = rows::id(list);
        let faults = rows::list_faults(&List {
            id,
            name,
            description: None,
            created_at: time.clone(),
            updated_at: time,
            items,
        });
        if !faults.is_empty() {
            return Ok(Outcome::Refused(faults));
        }
        let key = list_key(account, list, Part::ListItems, item.media_id.clone());
        match self.put(key, place, document, &item).await? {
            true => Ok(Outcome::Kept),
            false => Ok(Outcome::Refused(vec!["the title stands in the list already".into()])),
        }
    }

    async fn put(&self, key: Key, place: f64, document: &str, row: &impl Serialize) -> Result<bool> {
        let content = serde_json::to_string(row).map_err(|_| ConvexError::Internal)?;
        let staged = Staged { key, place, number: self.number, document: document.to_owned(), content };
        Ok(self.stage.put(staged).await?)
    }

    /// Whose a row is.
    async fn owner(&self, reader: &mut Reader<'_>, field: &Field) -> Result<Option<Uuid>> {
        let Some(text) = reader.required(field) else { return Ok(None) };
        if let Some(id) = clerk_id(&text) {
            return Ok(Some(account_id(id)));
        }
        let found = self.stage.person(&text).await?;
        Ok(found.or_else(|| reader.wrong(field, "names no user")))
    }

    /// Which title a row is about.
    async fn title(&self, reader: &mut Reader<'_>, media: &Media) -> Result<Option<MediaId>> {
        if let Some(Value::String(text)) = reader.find(&media.id) {
            if let Ok(id) = text.parse() {
                return Ok(Some(id));
            }
            let found = self.stage.title(text).await?;
            return Ok(found.or_else(|| reader.wrong(&media.id, "names no title")));
        }
        let Some(word) = reader.text(&media.kind) else {
            return Ok(reader.wrong(&media.id, "is missing, and so is a kind with a source id"));
        };
        let kind = meaning(&word, &media.kinds, &KINDS).and_then(|kind| kind.parse::<Kind>().ok());
        let Some(kind) = kind else {
            return Ok(reader.wrong(&media.kind, "is no kind that the mapping knows"));
        };
        let Some(field) = media.source_id.field(kind.as_str()) else {
            return Ok(reader.wrong(&media.kind, "is of a kind for which the mapping names no source id"));
        };
        if reader.find(field).is_none() {
            return Ok(reader.wrong(field, "is missing"));
        }
        let Some(source_id) = reader.word(field) else { return Ok(None) };
        match MediaId::new(kind, &source_id) {
            Ok(id) => Ok(Some(id)),
            Err(error) => Ok(reader.wrong(field, &error.to_string())),
        }
    }

    /// Whose entry a row hangs on.
    async fn of(&self, reader: &mut Reader<'_>, of: &Of) -> Result<Option<(Uuid, MediaId)>> {
        if let Some(Value::String(text)) = reader.find(&of.entry) {
            let found = self.stage.entry(text).await?;
            return Ok(found.or_else(|| reader.wrong(&of.entry, "names no entry that was taken")));
        }
        let owner = self.owner(reader, &of.owner).await?;
        Ok(owner.zip(self.title(reader, &of.media).await?))
    }
}

/// Of something that others refer to.
fn named(is_first: bool) -> Result<Outcome> {
    Ok(match is_first {
        true => Outcome::Settled(Fate::Taken),
        false => Outcome::Refused(vec!["another row has the same _id".into()]),
    })
}

fn title_key(account: Uuid, id: &MediaId, part: Part, key: String) -> Key {
    Key { account, family: Family::Title, parent: id.to_string(), part: part as i32, key }
}

fn list_key(account: Uuid, list: &str, part: Part, key: String) -> Key {
    Key { account, family: Family::List, parent: list.to_owned(), part: part as i32, key }
}

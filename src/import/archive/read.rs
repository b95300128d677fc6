//! The rows of an archive, one after the other in the order in which they stand there. One row is in memory
//! at a time, however large the archive is.

use std::collections::HashSet;
use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::bounded::{Bounded, Budget, Excess};
use super::faults::Faults;
use super::pack::{MAX_UNPACKED, TOO_LARGE};
use crate::archive::{FORMAT, VERSION, format};
use crate::error::Violation;
use crate::import::checked::{self, at};
use crate::schema::Schemas;

/// Titles in one archive.
pub const MAX_ENTRIES: u64 = 200_000;
/// Lists in one archive.
pub const MAX_LISTS: u64 = 10_000;
/// Bytes of one row: a title with all its comments and marks, a list with all its items.
const MAX_ROW: u64 = 40 * 1024 * 1024;
/// Bytes of one thing of what is not read.
const MAX_SKIPPED: u64 = 1024 * 1024;

/// What an import reads of an archive.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    Settings(checked::Settings),
    Entry(Box<checked::Entry>),
    List(checked::List),
}

/// A row, which one it is of all, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered {
    pub number: u64,
    pub pointer: String,
    pub row: Row,
}

/// How many rows of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub settings: u64,
    pub entries: u64,
    pub reviews: u64,
    pub comments: u64,
    pub history_events: u64,
    pub episodes: u64,
    pub pending_episodes: u64,
    pub lists: u64,
    pub list_items: u64,
}

impl Counts {
    fn add(&mut self, row: &Row) {
        match row {
            Row::Settings(_) => self.settings += 1,
            Row::Entry(entry) => {
                self.entries += 1;
                self.reviews += u64::from(entry.review.is_some());
                self.comments += entry.comments.len() as u64;
                self.history_events += entry.history.len() as u64;
                self.episodes += entry.episodes.len() as u64;
                self.pending_episodes += entry.pending_episodes.len() as u64;
            }
            Row::List(list) => {
                self.lists += 1;
                self.list_items += list.items.len() as u64;
            }
        }
    }
}

/// Reads an archive to its end, or until `take` breaks off; the first `from` rows are passed over. What is
/// wrong is in `faults`; rows that are wrong are not handed on.
pub fn read(
    reader: &mut dyn Read,
    faults: &mut Faults,
    from: u64,
    take: &mut dyn FnMut(Numbered) -> ControlFlow<()>,
) -> Counts {
    let budget = Budget::new(MAX_UNPACKED);
    let mut reading = Reading {
        budget: &budget,
        faults,
        take,
        from,
        number: 0,
        counts: Counts::default(),
        pointer: String::new(),
        titles: HashSet::new(),
        lists: HashSet::new(),
        stopped: false,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(Bounded::new(reader, &budget));
    let read = deserializer.deserialize_map(Top(&mut reading)).and_then(|()| {
        budget.begin(MAX_SKIPPED);
        deserializer.end()
    });
    if let Err(error) = read
        && !reading.stopped
    {
        reading.explain(&error);
    }
    reading.counts
}

/// One reading under way.
struct Reading<'a> {
    budget: &'a Budget,
    faults: &'a mut Faults,
    take: &'a mut dyn FnMut(Numbered) -> ControlFlow<()>,
    from: u64,
    number: u64,
    counts: Counts,
    /// Where it is.
    pointer: String,
    titles: HashSet<String>,
    lists: HashSet<uuid::Uuid>,
    /// It was broken off, and whoever did it knows why.
    stopped: bool,
}

/// The rows of which there are many.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Many {
    Library,
    Lists,
}

impl Many {
    fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Lists => "lists",
        }
    }

    fn most(self) -> u64 {
        match self {
            Self::Library => MAX_ENTRIES,
            Self::Lists => MAX_LISTS,
        }
    }
}

impl Reading<'_> {
    /// Ends the reading for a reason that is told already.
    fn stop<E: serde::de::Error>(&mut self) -> E {
        self.stopped = true;
        E::custom("stopped")
    }

    /// Why the text could not be read to its end. Nothing of the text is repeated.
    fn explain(&mut self, error: &serde_json::Error) {
        use serde_json::error::Category;
        let place = || format!("line {}, column {}", error.line(), error.column());
        let pointer = self.pointer.clone();
        match (self.budget.excess(), error.classify()) {
            (Some(Excess::Whole), _) => self.faults.add("", TOO_LARGE),
            (Some(Excess::Part), _) => self.faults.add(pointer, "is larger than it can be"),
            (None, Category::Eof) => self.faults.add("", format!("is not whole: it ends at {}", place())),
            (None, Category::Io) => self.faults.add("", "is not whole: it cannot be unpacked to its end"),
            (None, Category::Syntax) => self.faults.add("", format!("is not JSON: {}", place())),
            (None, Category::Data) => {
                self.faults.add(pointer, format!("is not of the type that the format says: {}", place()));
            }
        }
    }

    fn check(&mut self, expected: Result<(), Vec<Violation>>) {
        for violation in expected.err().into_iter().flatten() {
            self.faults.push(violation);
        }
    }

    /// Parses a row that fits its schema, or reports how it differs. The schema comes first: it bounds how much
    /// memory the parsed row can take, which is many times its text where that is made of small items.
    fn parse<T: DeserializeOwned>(&mut self, text: &str, schemas: &Schemas) -> Option<T> {
        // The text was read as JSON before; should it not be after all, it cannot be parsed below.
        let found =
            schemas.check_json(schemas.document(), text.as_bytes(), &self.pointer).unwrap_or_default();
        let fits = found.is_empty();
        found.into_iter().for_each(|violation| self.faults.push(violation));
        if !fits {
            return None;
        }
        let row = serde_json::from_str(text).ok();
        if row.is_none() {
            self.faults.add(self.pointer.clone(), "is not as the format says");
        }
        row
    }

    fn settings(&mut self, text: &str) -> Option<Row> {
        static SCHEMA: LazyLock<Schemas> = LazyLock::new(schema_of::<format::Account>);
        let row: format::Account = self.parse(text, &SCHEMA)?;
        match checked::check_settings(&row, &self.pointer) {
            Ok(settings) => Some(Row::Settings(settings)),
            Err(violations) => {
                self.check(Err(violations));
                None
            }
        }
    }

    fn entry(&mut self, text: &str) -> Option<Row> {
        static SCHEMA: LazyLock<Schemas> = LazyLock::new(schema_of::<format::Entry>);
        let row: format::Entry = self.parse(text, &SCHEMA)?;
        if !self.titles.insert(row.media_id.clone()) {
            self.faults.add(at(&self.pointer, "media_id"), "stands here twice");
        }
        match checked::check_entry(&row, &self.pointer) {
            Ok(entry) => Some(Row::Entry(Box::new(entry))),
            Err(violations) => {
                self.check(Err(violations));
                None
            }
        }
    }

    fn list(&mut self, text: &str) -> Option<Row> {
        static SCHEMA: LazyLock<Schemas> = LazyLock::new(schema_of::<format::List>);
        let row: format::List = self.parse(text, &SCHEMA)?;
        if !self.lists.insert(row.id) {
            self.faults.add(at(&self.pointer, "id"), "stands here twice");
        }
        match checked::check_list(&row, &self.pointer) {
            Ok(list) => Some(Row::List(list)),
            Err(violations) => {
                self.check(Err(violations));
                None
            }
        }
    }

    /// Counts a row and hands it on.
    fn hand_on<E: serde::de::Error>(&mut self, row: Option<Row>) -> Result<(), E> {
        let number = self.number;
        self.number += 1;
        let Some(row) = row else { return Ok(()) };
        self.counts.add(&row);
        match (self.take)(Numbered { number, pointer: self.pointer.clone(), row }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(self.stop()),
        }
    }

    fn rows<'de, A: SeqAccess<'de>>(&mut self, many: Many, mut items: A) -> Result<(), A::Error> {
        for index in 0_u64.. {
            self.budget.begin(MAX_ROW);
            self.pointer = format!("/{}/{index}", many.name());
            let passed_over = self.number < self.from;
            if passed_over || index >= many.most() {
                if items.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(());
                }
                if index >= many.most() {
                    let message = format!("must have at most {} items", many.most());
                    self.faults.add(format!("/{}", many.name()), message);
                    return Err(self.stop());
                }
                self.number += 1;
                continue;
            }
            let Some(text) = items.next_element::<Box<RawValue>>()? else { return Ok(()) };
            let row = match many {
                Many::Library => self.entry(text.get()),
                Many::Lists => self.list(text.get()),
            };
            self.hand_on(row)?;
        }
        Ok(())
    }

    /// What kind of archive it is.
    fn head<E: serde::de::Error>(&mut self, name: &str, text: &str) -> Result<(), E> {
        if name == "format" {
            let known = serde_json::from_str::<String>(text).is_ok_and(|format| format == FORMAT);
            if !known {
                self.faults.add("/format", format!("must be {FORMAT}"));
                return Err(self.stop());
            }
            return Ok(());
        }
        match serde_json::from_str::<i32>(text) {
            Ok(version) if (1..=VERSION).contains(&version) => Ok(()),
            Ok(_) => {
                self.faults.unsupported_version = true;
                self.faults.add("/version", format!("the latest version that is read here is {VERSION}"));
                Err(self.stop())
            }
            Err(_) => {
                self.faults.add("/version", "must be an integer");
                Err(self.stop())
            }
        }
    }
}

fn schema_of<T: JsonSchema>() -> Schemas {
    Schemas::new(schemars::schema_for!(T).to_value())
}

/// The archive as a whole.
struct Top<'r, 'a>(&'r mut Reading<'a>);

/// What is read, and must be there.
const READ: [&str; 5] = ["format", "version", "account", "library", "lists"];
/// What is not read.
const SKIPPED: [&str; 6] = ["exported_at", "facts", "profile", "devices", "consents", "records"];

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let reading = self.0;
        let mut seen: Vec<String> = Vec::new();
        loop {
            reading.budget.begin(MAX_SKIPPED);
            let Some(name) = members.next_key::<String>()? else { break };
            reading.pointer = format!("/{}", name.chars().take(60).collect::<String>());
            if seen.contains(&name) {
                reading.faults.add(reading.pointer.clone(), "stands here twice");
                return Err(reading.stop());
            }
            match name.as_str() {
                "format" | "version" => {
                    let text: Box<RawValue> = members.next_value()?;
                    reading.head(&name, text.get())?;
                }
                "account" => {
                    let text: Box<RawValue> = members.next_value()?;
                    let row = if reading.number < reading.from { None } else { reading.settings(text.get()) };
                    reading.hand_on(row)?;
                }
                "library" => members.next_value_seed(Rows(reading, Many::Library))?,
                "lists" => members.next_value_seed(Rows(reading, Many::Lists))?,
                known if SKIPPED.contains(&known) => members.next_value_seed(Skipped(reading.budget))?,
                _ => {
                    reading.faults.add(reading.pointer.clone(), "is not a known field");
                    members.next_value_seed(Skipped(reading.budget))?;
                    // A few are enough to see that this is something else.
                    if seen.len() > 100 {
                        return Err(reading.stop());
                    }
                }
            }
            seen.push(name);
        }
        for name in READ.iter().filter(|name| !seen.iter().any(|seen| seen == **name)) {
            reading.faults.add(format!("/{name}"), "is required");
        }
        Ok(())
    }
}

struct Rows<'r, 'a>(&'r mut Reading<'a>, Many);

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        self.0.rows(self.1, items)
    }
}

/// Passes over what is not read, thing by thing.
struct Skipped<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for Skipped<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.begin(MAX_SKIPPED);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skipped<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Skipped(self.0))?.is_some() {
            self.0.begin(MAX_SKIPPED);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_key::<IgnoredAny>()?.is_some() {
            members.next_value_seed(Skipped(self.0))?;
            self.0.begin(MAX_SKIPPED);
        }
        Ok(())
    }
}

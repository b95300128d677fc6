//! Checks JSON against a schema and reports every violation with its JSON pointer. One streaming walker serves
//! request bodies, parameters, the rows of an archive, and the tests that hold answers to the contract. It
//! understands the schemas of the published contract (OpenAPI 3.0) and those that `schemars` derives.

mod findings;
mod text;
mod walk;

use std::collections::HashMap;

use regex::Regex;
use serde::de::value::{Error as ValueError, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer};
use serde_json::Value;

use crate::error::Violation;
pub use findings::{Findings, MAX_VIOLATIONS, shown};
use walk::Walk;

/// The schemas of one document, with its patterns compiled once.
pub struct Schemas {
    document: Value,
    patterns: HashMap<String, Regex>,
}

/// What a schema comes to once its references are followed.
#[derive(Debug, Clone, Copy)]
struct Resolved<'a> {
    schema: &'a Value,
    nullable: bool,
}

/// References that are followed one after the other. Schemas of ours need four.
const MAX_REFERENCES: usize = 8;

impl Schemas {
    pub fn new(document: Value) -> Self {
        let mut patterns = HashMap::new();
        collect_patterns(&document, &mut patterns);
        Self { document, patterns }
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Returns every way in which `value` differs from `schema`; empty when it fits. Fields that the schema
    /// does not name are allowed.
    pub fn check(&self, schema: &Value, value: &Value, pointer: &str) -> Vec<Violation> {
        self.check_value(schema, value, pointer, false)
    }

    /// Like [`Schemas::check`], but every field must be known. (`additionalProperties: false` is not published
    /// for what is answered as well: generated clients would refuse fields that are added later.)
    pub fn check_closed(&self, schema: &Value, value: &Value, pointer: &str) -> Vec<Violation> {
        self.check_value(schema, value, pointer, true)
    }

    fn check_value(&self, schema: &Value, value: &Value, pointer: &str, closed: bool) -> Vec<Violation> {
        let mut findings = Findings::default();
        // A value in memory has no syntax that could be wrong: the only error is that the findings are full.
        let _ = self.walk(schema, value, pointer, closed, &mut findings);
        findings.into_list()
    }

    /// Returns every way in which JSON text differs from `schema`, in which every field must be known and
    /// stand once. The text is read once and no value is built from it; reading stops when the findings are
    /// full, wherever the text ends.
    ///
    /// # Errors
    /// The text is not JSON, as far as it was read.
    pub fn check_json(
        &self,
        schema: &Value,
        json: &[u8],
        pointer: &str,
    ) -> Result<Vec<Violation>, serde_json::Error> {
        self.check_reader(schema, serde_json::Deserializer::from_slice(json), pointer)
    }

    fn check_reader<'de, R: serde_json::de::Read<'de>>(
        &self,
        schema: &Value,
        mut json: serde_json::Deserializer<R>,
        pointer: &str,
    ) -> Result<Vec<Violation>, serde_json::Error> {
        let mut findings = Findings::default();
        let walked = self.walk(schema, &mut json, pointer, true, &mut findings).and_then(|()| json.end());
        match walked {
            Err(error) if !findings.is_full() => Err(error),
            _ => Ok(findings.into_list()),
        }
    }

    /// Checks the text of a parameter, which the schema types: a number, a boolean, or a list with commas.
    pub fn check_text(&self, schema: &Value, text: &str, pointer: &str, findings: &mut Findings) {
        let Resolved { schema: leaf, .. } = self.follow(schema);
        let whole = |findings: &mut Findings| {
            let text: serde::de::value::StrDeserializer<'_, ValueError> = text.into_deserializer();
            self.walk(schema, text, pointer, true, findings)
        };
        // The only error is that the findings are full.
        let _ = match leaf["type"].as_str() {
            Some("integer") => match text.parse::<i64>() {
                Ok(number) => self.walk(schema, number.into_deserializer(), pointer, true, findings),
                Err(_) => whole(findings),
            },
            Some("number") => match text.parse::<f64>() {
                Ok(number) => self.walk(schema, number.into_deserializer(), pointer, true, findings),
                Err(_) => whole(findings),
            },
            Some("boolean") => match text.parse::<bool>() {
                Ok(flag) => self.walk(schema, flag.into_deserializer(), pointer, true, findings),
                Err(_) => whole(findings),
            },
            Some("array") => {
                let items = SeqDeserializer::<_, ValueError>::new(text.split(','));
                self.walk(schema, items, pointer, true, findings)
            }
            _ => whole(findings),
        };
    }

    fn walk<'de, D: Deserializer<'de>>(
        &self,
        schema: &Value,
        json: D,
        pointer: &str,
        closed: bool,
        findings: &mut Findings,
    ) -> Result<(), D::Error> {
        let mut pointer = pointer.to_owned();
        Walk::new(self, schema, closed, &mut pointer, findings).deserialize(json)
    }

    /// Follows a `$ref`.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                self.document.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null)
            }
            None => schema,
        }
    }

    /// Follows references, the single part of an `allOf`, and the part of an `anyOf` beside null.
    fn follow<'a>(&'a self, mut schema: &'a Value) -> Resolved<'a> {
        let mut nullable = false;
        for _ in 0..MAX_REFERENCES {
            nullable |= schema["nullable"] == true;
            schema = if schema.get("$ref").is_some() {
                self.resolve(schema)
            } else if let Some(part) = schema["allOf"].get(0) {
                part
            } else if let Some(options) = schema["anyOf"].as_array() {
                let is_null = |option: &&Value| option["type"] == "null";
                nullable |= options.iter().any(|option| is_null(&option));
                options.iter().find(|option| !is_null(option)).unwrap_or(&Value::Null)
            } else {
                break;
            };
        }
        nullable |= schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == "null"));
        Resolved { schema, nullable }
    }
}

impl<'a> Resolved<'a> {
    /// The type that is expected; empty where anything is.
    fn kind(&self) -> &'a str {
        match &self.schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).find(|one| *one != "null"),
            one => one.as_str(),
        }
        .unwrap_or_default()
    }
}

fn collect_patterns(value: &Value, patterns: &mut HashMap<String, Regex>) {
    match value {
        Value::Object(members) => {
            if let Some(pattern) = members.get("pattern").and_then(Value::as_str)
                && let Ok(regex) = Regex::new(pattern)
            {
                patterns.insert(pattern.to_owned(), regex);
            }
            members.values().for_each(|member| collect_patterns(member, patterns));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_patterns(item, patterns)),
        _ => {}
    }
}

#[cfg(test)]
#[path = "mod_test.rs"]
mod tests;

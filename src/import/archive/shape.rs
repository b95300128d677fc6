//! What of a row has not the shape that the format says, each thing with its place. The schema is made
//! from the very types that read the row; the text is walked once and nothing of it is kept, so that a
//! row made to be large when it is taken apart is not.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::faults::Faults;
use crate::import::checked::at;

/// Finds everything in `text` that is not as `schema` says. What is not JSON at all is not found here.
pub fn walk(schema: &Value, text: &str, pointer: &str, faults: &mut Faults) {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walk = Walk { root: schema, schema, pointer: pointer.to_owned(), faults };
    // An error ends the walk: what was found until then is reported.
    let _ = walk.deserialize(&mut deserializer);
}

struct Walk<'a> {
    root: &'a Value,
    schema: &'a Value,
    pointer: String,
    faults: &'a mut Faults,
}

/// What a schema comes to when references and alternatives with null are followed.
struct Expected<'a> {
    schema: &'a Value,
    nullable: bool,
}

impl<'a> Expected<'a> {
    fn of(root: &'a Value, mut schema: &'a Value) -> Self {
        let mut nullable = false;
        // References of a schema of ours do not go in circles; the bound is for the reader's peace.
        for _ in 0..8 {
            if let Some(reference) = schema["$ref"].as_str() {
                schema = root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
            } else if let Some(options) = schema["anyOf"].as_array() {
                let is_null = |option: &&Value| option["type"] == "null";
                nullable |= options.iter().any(|option| is_null(&option));
                schema = options.iter().find(|option| !is_null(option)).unwrap_or(&Value::Null);
            } else {
                break;
            }
        }
        nullable |= schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == "null"));
        Self { schema, nullable }
    }

    fn kind(&self) -> &'a str {
        match &self.schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).find(|one| *one != "null"),
            one => one.as_str(),
        }
        .unwrap_or_default()
    }
}

impl<'a> Walk<'a> {
    fn expected(&self) -> Expected<'a> {
        Expected::of(self.root, self.schema)
    }

    /// Refuses what is not of the kind that is expected; tells what is.
    fn is(&mut self, kind: &str) -> bool {
        let expected = self.expected().kind();
        if expected == kind {
            return true;
        }
        let message = match expected {
            "object" => "must be an object",
            "array" => "must be an array",
            "string" => "must be a string",
            "integer" => "must be an integer",
            "boolean" => "must be true or false",
            _ => "is not as the format says",
        };
        self.faults.add(self.pointer.clone(), message);
        false
    }

    fn integer(&mut self, number: Option<i64>) {
        if !self.is("integer") {
            return;
        }
        let range = match self.expected().schema["format"].as_str() {
            Some("int32") => i64::from(i32::MIN)..=i64::from(i32::MAX),
            _ => i64::MIN..=i64::MAX,
        };
        if !number.is_some_and(|number| range.contains(&number)) {
            self.faults.add(self.pointer.clone(), "is a number out of all bounds");
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(mut self, _: bool) -> Result<(), E> {
        self.is("boolean");
        Ok(())
    }

    fn visit_i64<E>(mut self, number: i64) -> Result<(), E> {
        self.integer(Some(number));
        Ok(())
    }

    fn visit_u64<E>(mut self, number: u64) -> Result<(), E> {
        self.integer(i64::try_from(number).ok());
        Ok(())
    }

    fn visit_f64<E>(mut self, _: f64) -> Result<(), E> {
        self.is("number");
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        let expected = self.expected();
        if !expected.nullable {
            self.faults.add(self.pointer, "must not be null");
        }
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        if self.is("string")
            && self.expected().schema["format"] == "uuid"
            && uuid::Uuid::try_parse(text).is_err()
        {
            self.faults.add(self.pointer, "must be a UUID");
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        if !self.is("array") {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let schema = &self.expected().schema["items"];
        for index in 0_u64.. {
            let pointer = at(&self.pointer, index);
            let item = Walk { root: self.root, schema, pointer, faults: self.faults };
            if items.next_element_seed(item)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        if !self.is("object") {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let schema = self.expected().schema;
        let properties = &schema["properties"];
        let mut seen: Vec<&str> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            let known = properties.as_object().and_then(|all| all.get_key_value(&name));
            let Some((known, property)) = known else {
                // The name is whoever sent it's own; a short part of it is enough to find it.
                let shown: String = name.chars().take(60).collect();
                self.faults.add(at(&self.pointer, escape(&shown)), "is not a known field");
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let pointer = at(&self.pointer, known);
            if seen.contains(&known.as_str()) {
                self.faults.add(pointer.clone(), "stands here twice");
            }
            seen.push(known);
            members.next_value_seed(Walk {
                root: self.root,
                schema: property,
                pointer,
                faults: self.faults,
            })?;
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !seen.contains(&name) {
                self.faults.add(at(&self.pointer, name), "is required");
            }
        }
        Ok(())
    }
}

/// RFC 6901: `~` and `/` in a member's name.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

//! The walker: visits each value of a JSON text once, as it is parsed, and keeps nothing of it. Depth is bounded
//! by the parser (128 levels), work by the text, memory by the findings.

use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::text::format_fault;
use super::{Findings, Resolved, Schemas, shown};
use crate::error::Violation;

/// One value that is about to be visited, and what is expected of it.
pub(super) struct Walk<'a, 'w> {
    schemas: &'a Schemas,
    expected: Resolved<'a>,
    closed: bool,
    pointer: &'w mut String,
    findings: &'w mut Findings,
}

/// How a value's type relates to the one that is expected.
#[derive(PartialEq, Eq)]
enum Type {
    Fits,
    /// Nothing is expected of it.
    Any,
    /// It was reported.
    Wrong,
}

impl<'a, 'w> Walk<'a, 'w> {
    pub(super) fn new(
        schemas: &'a Schemas,
        schema: &'a Value,
        closed: bool,
        pointer: &'w mut String,
        findings: &'w mut Findings,
    ) -> Self {
        Self { schemas, expected: schemas.follow(schema), closed, pointer, findings }
    }

    /// The walk of a part of this value. The pointer names the part already.
    fn part(&mut self, schema: &'a Value) -> Walk<'a, '_> {
        Walk::new(self.schemas, schema, self.closed, self.pointer, self.findings)
    }

    fn schema(&self) -> &'a Value {
        self.expected.schema
    }

    /// Reports a violation at the pointer. The error ends the walk when no more can be reported.
    fn report<E: serde::de::Error>(&mut self, message: impl Into<String>) -> Result<(), E> {
        self.insert(self.findings.len(), "", message)
    }

    /// Reports a violation of `name` below the pointer, before those from `index` on.
    fn insert<E: serde::de::Error>(
        &mut self,
        index: usize,
        name: &str,
        message: impl Into<String>,
    ) -> Result<(), E> {
        self.findings.insert(index, Violation::new(format!("{}{name}", self.pointer), message));
        if self.findings.is_full() { Err(E::custom("too many violations")) } else { Ok(()) }
    }

    fn must_be_one_of<E: serde::de::Error>(&mut self, names: &[Value]) -> Result<(), E> {
        let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
        self.report(format!("must be one of {}", names.join(", ")))
    }

    /// Judges the type of a value; reports one that is wrong.
    fn judge<E: serde::de::Error>(&mut self, kind: &str) -> Result<Type, E> {
        if let Some(names) = self.schema()["enum"].as_array()
            && kind != "string"
        {
            self.must_be_one_of(names)?;
            return Ok(Type::Wrong);
        }
        let message = match self.expected.kind() {
            "" => return Ok(Type::Any),
            expected if expected == kind => return Ok(Type::Fits),
            "number" if kind == "integer" => return Ok(Type::Any),
            "object" => "must be an object",
            "array" => "must be an array",
            "string" => "must be a string",
            "integer" => "must be an integer",
            "number" => "must be a number",
            "boolean" => "must be true or false",
            _ => "is not of a known type",
        };
        self.report(message)?;
        Ok(Type::Wrong)
    }

    /// Judges a whole number; `None` is one that no field can hold.
    fn integer<E: serde::de::Error>(&mut self, number: Option<i64>) -> Result<(), E> {
        if self.judge::<E>("integer")? != Type::Fits {
            return Ok(());
        }
        let Some(number) = number else { return self.report("must be an integer") };
        let schema = self.schema();
        let (low, high) = match schema["format"].as_str() {
            Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        let bound = |name: &str, default: i64| schema[name].as_f64().map_or(default, |bound| bound as i64);
        let (low, high) = (bound("minimum", low).max(low), bound("maximum", high).min(high));
        if number < low {
            self.report(format!("must be at least {low}"))
        } else if number > high {
            self.report(format!("must be at most {high}"))
        } else {
            Ok(())
        }
    }

    fn string<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        let schema = self.schema();
        let length = text.chars().count() as u64;
        if let Some(most) = schema["maxLength"].as_u64()
            && length > most
        {
            self.report(format!("must have at most {most} characters"))?;
        }
        if let Some(least) = schema["minLength"].as_u64()
            && length < least
        {
            self.report(format!("must have at least {least} characters"))?;
        }
        if text.contains('\0') {
            return self.report("must not contain the character NUL");
        }
        if let Some(message) = schema["format"].as_str().and_then(|format| format_fault(format, text)) {
            return self.report(message);
        }
        if let Some(pattern) = schema["pattern"].as_str()
            && let Some(regex) = self.schemas.patterns.get(pattern)
            && !regex.is_match(text)
        {
            return self.report(format!("must match {pattern}"));
        }
        Ok(())
    }

    /// Reports the fields that are missing, before what was found in those that are there.
    fn required<E: serde::de::Error>(&mut self, start: usize, seen: &[&str]) -> Result<(), E> {
        let required = self.schema()["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for (index, name) in required.filter(|name| !seen.contains(name)).enumerate() {
            self.insert(start + index, &format!("/{}", shown(name)), "is required")?;
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.findings.is_full() {
            return Err(D::Error::custom("too many violations"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: serde::de::Error>(mut self, _: bool) -> Result<(), E> {
        self.judge("boolean").map(drop)
    }

    fn visit_i64<E: serde::de::Error>(mut self, number: i64) -> Result<(), E> {
        self.integer(Some(number))
    }

    fn visit_u64<E: serde::de::Error>(mut self, number: u64) -> Result<(), E> {
        self.integer(i64::try_from(number).ok())
    }

    fn visit_f64<E: serde::de::Error>(mut self, _: f64) -> Result<(), E> {
        self.judge("number").map(drop)
    }

    fn visit_unit<E: serde::de::Error>(mut self) -> Result<(), E> {
        if self.expected.nullable || matches!(self.expected.kind(), "" | "null") {
            return Ok(());
        }
        self.report("must not be null")
    }

    fn visit_str<E: serde::de::Error>(mut self, text: &str) -> Result<(), E> {
        if let Some(names) = self.schema()["enum"].as_array() {
            return if names.iter().any(|name| name == text) { Ok(()) } else { self.must_be_one_of(names) };
        }
        match self.judge("string")? {
            Type::Fits => self.string(text),
            Type::Any | Type::Wrong => Ok(()),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        if self.judge::<A::Error>("array")? != Type::Fits {
            return skip_items(&mut items);
        }
        let schema = self.schema();
        let most = schema["maxItems"].as_u64();
        let (start, length) = (self.findings.len(), self.pointer.len());
        let mut count: u64 = 0;
        loop {
            if Some(count) == most {
                if items.next_element::<IgnoredAny>()?.is_none() {
                    break;
                }
                // What is wrong with the items does not matter where there are too many of them.
                self.findings.truncate(start);
                self.report::<A::Error>(format!("must have at most {count} items"))?;
                return skip_items(&mut items);
            }
            // Writing to a string cannot fail.
            let _ = write!(self.pointer, "/{count}");
            let visited = items.next_element_seed(self.part(&schema["items"]))?;
            self.pointer.truncate(length);
            if visited.is_none() {
                break;
            }
            count += 1;
        }
        match schema["minItems"].as_u64() {
            Some(least) if count < least => {
                self.insert(start, "", format!("must have at least {least} items"))
            }
            _ => Ok(()),
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        if self.judge::<A::Error>("object")? != Type::Fits {
            return skip_members(&mut members);
        }
        let schema = self.schema();
        let properties = schema["properties"].as_object();
        let closed = schema["additionalProperties"] == false || (self.closed && properties.is_some());
        let (start, length) = (self.findings.len(), self.pointer.len());
        let mut seen: Vec<&str> = Vec::new();
        while let Some(member) = members.next_key_seed(Name(schema))? {
            self.pointer.push('/');
            match member {
                Member::Known(name, _) if seen.contains(&name) => {
                    self.pointer.push_str(&shown(name));
                    self.report::<A::Error>("is a duplicate")?;
                    members.next_value::<IgnoredAny>()?;
                }
                Member::Known(name, property) => {
                    seen.push(name);
                    self.pointer.push_str(&shown(name));
                    members.next_value_seed(self.part(property))?;
                }
                Member::Unknown(name) => {
                    if closed {
                        self.pointer.push_str(&name);
                        self.report::<A::Error>("is not a known field")?;
                    }
                    members.next_value::<IgnoredAny>()?;
                }
            }
            self.pointer.truncate(length);
        }
        self.required(start, &seen)
    }
}

/// Passes over the rest of an array.
fn skip_items<'de, A: SeqAccess<'de>>(items: &mut A) -> Result<(), A::Error> {
    while items.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Passes over the rest of an object.
fn skip_members<'de, A: MapAccess<'de>>(members: &mut A) -> Result<(), A::Error> {
    while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// The name of a field of an object with this schema. One that is not known is kept as it is shown, since it
/// can be as long as the text.
struct Name<'a>(&'a Value);

enum Member<'a> {
    Known(&'a str, &'a Value),
    Unknown(String),
}

impl<'a, 'de> DeserializeSeed<'de> for Name<'a> {
    type Value = Member<'a>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member<'a>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Name<'a> {
    type Value = Member<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Member<'a>, E> {
        Ok(match self.0["properties"].as_object().and_then(|properties| properties.get_key_value(name)) {
            Some((known, property)) => Member::Known(known, property),
            None => Member::Unknown(shown(name)),
        })
    }
}

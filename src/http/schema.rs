//! Checks a JSON value against a schema of the published contract and reports every violation at
//! once, each with its JSON pointer. The same check serves request bodies, parameters, and the tests
//! that hold answers to the contract.

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

use crate::catalog::MediaId;
use crate::clock::parse_date;
use crate::error::Violation;

/// The schemas of one OpenAPI document, with its patterns compiled once.
pub struct Schemas {
    document: Value,
    patterns: HashMap<String, Regex>,
}

/// Violations reported for one value; more would help nobody.
const MAX_VIOLATIONS: usize = 100;

impl Schemas {
    pub fn new(document: Value) -> Self {
        let mut patterns = HashMap::new();
        collect_patterns(&document, &mut patterns);
        Self { document, patterns }
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Every way in which `value` differs from `schema`; empty when it fits. Fields that the schema does
    /// not name may be there.
    pub fn check(&self, schema: &Value, value: &Value, pointer: &str) -> Vec<Violation> {
        self.run(schema, value, pointer, false)
    }

    /// The same, and every field must be known. (`additionalProperties: false` is not published for
    /// what is answered as well: generated clients would refuse fields that are added later.)
    pub fn check_closed(&self, schema: &Value, value: &Value, pointer: &str) -> Vec<Violation> {
        self.run(schema, value, pointer, true)
    }

    fn run(&self, schema: &Value, value: &Value, pointer: &str, closed: bool) -> Vec<Violation> {
        let mut walk = Walk { schemas: self, closed, found: Vec::new() };
        walk.any(schema, value, pointer);
        walk.found.truncate(MAX_VIOLATIONS);
        walk.found
    }

    /// Checks the text of a parameter, which JSON types it according to its schema.
    pub fn check_text(&self, schema: &Value, text: &str, pointer: &str) -> Vec<Violation> {
        let schema = self.resolve(schema);
        let value = match schema["type"].as_str() {
            Some("integer") => text.parse::<i64>().ok().map(Value::from),
            Some("number") => text.parse::<f64>().ok().map(Value::from),
            Some("boolean") => text.parse::<bool>().ok().map(Value::from),
            Some("array") => {
                Some(Value::Array(text.split(',').map(|item| Value::from(item.to_owned())).collect()))
            }
            _ => None,
        };
        self.check(schema, &value.unwrap_or_else(|| Value::from(text)), pointer)
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
}

/// One check under way.
struct Walk<'a> {
    schemas: &'a Schemas,
    closed: bool,
    found: Vec<Violation>,
}

impl Walk<'_> {
    fn any(&mut self, schema: &Value, value: &Value, pointer: &str) {
        let schemas = self.schemas;
        let schema = schemas.resolve(schema);
        if self.found.len() >= MAX_VIOLATIONS || (value.is_null() && schema["nullable"] == true) {
            return;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.any(part, value, pointer);
        }
        if let Some(options) = schema["oneOf"].as_array() {
            self.one_of(schema, options, value, pointer);
            return;
        }
        if let Some(names) = schema["enum"].as_array()
            && !names.contains(value)
        {
            let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
            self.found.push(Violation::new(pointer, format!("must be one of {}", names.join(", "))));
            return;
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema, value, pointer),
            Some("array") => self.array(schema, value, pointer),
            Some("string") => self.string(schema, value, pointer),
            Some("integer") => self.integer(schema, value, pointer),
            Some("number") if !value.is_number() => {
                self.found.push(Violation::new(pointer, "must be a number"));
            }
            Some("boolean") if !value.is_boolean() => {
                self.found.push(Violation::new(pointer, "must be true or false"));
            }
            _ => {}
        }
    }

    fn one_of(&mut self, schema: &Value, options: &[Value], value: &Value, pointer: &str) {
        let Some(property) = schema["discriminator"]["propertyName"].as_str() else {
            if !options.iter().any(|option| self.schemas.run(option, value, pointer, self.closed).is_empty())
            {
                self.found.push(Violation::new(pointer, "fits none of the allowed shapes"));
            }
            return;
        };
        let mapping = &schema["discriminator"]["mapping"];
        match value[property].as_str().and_then(|name| mapping[name].as_str()) {
            Some(reference) => {
                let target = serde_json::json!({ "$ref": reference });
                self.any(&target, value, pointer);
            }
            None => {
                let names: Vec<_> =
                    mapping.as_object().into_iter().flatten().map(|(n, _)| n.as_str()).collect();
                self.found.push(Violation::new(
                    format!("{pointer}/{property}"),
                    format!("must be one of {}", names.join(", ")),
                ));
            }
        }
    }

    fn object(&mut self, schema: &Value, value: &Value, pointer: &str) {
        let Some(object) = value.as_object() else {
            self.found.push(Violation::new(pointer, "must be an object"));
            return;
        };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                self.found.push(Violation::new(format!("{pointer}/{}", escape(name)), "is required"));
            }
        }
        let properties = &schema["properties"];
        for (name, member) in object {
            let place = format!("{pointer}/{}", escape(name));
            match properties.get(name) {
                Some(property) => self.any(property, member, &place),
                None if schema["additionalProperties"] == false
                    || (self.closed && properties.is_object()) =>
                {
                    self.found.push(Violation::new(place, "is not a known field"));
                }
                None => {}
            }
        }
    }

    fn array(&mut self, schema: &Value, value: &Value, pointer: &str) {
        let Some(items) = value.as_array() else {
            self.found.push(Violation::new(pointer, "must be an array"));
            return;
        };
        if let Some(most) = schema["maxItems"].as_u64()
            && items.len() as u64 > most
        {
            self.found.push(Violation::new(pointer, format!("must have at most {most} items")));
            return;
        }
        if let Some(least) = schema["minItems"].as_u64()
            && (items.len() as u64) < least
        {
            self.found.push(Violation::new(pointer, format!("must have at least {least} items")));
        }
        for (index, item) in items.iter().enumerate() {
            self.any(&schema["items"], item, &format!("{pointer}/{index}"));
        }
    }

    fn string(&mut self, schema: &Value, value: &Value, pointer: &str) {
        let Some(text) = value.as_str() else {
            self.found.push(Violation::new(pointer, "must be a string"));
            return;
        };
        let length = text.chars().count() as u64;
        if let Some(most) = schema["maxLength"].as_u64()
            && length > most
        {
            self.found.push(Violation::new(pointer, format!("must have at most {most} characters")));
        }
        if let Some(least) = schema["minLength"].as_u64()
            && length < least
        {
            self.found.push(Violation::new(pointer, format!("must have at least {least} characters")));
        }
        if text.contains('\0') {
            self.found.push(Violation::new(pointer, "must not contain the character NUL"));
            return;
        }
        if let Some(message) = schema["format"].as_str().and_then(|format| format_fault(format, text)) {
            self.found.push(Violation::new(pointer, message));
            return;
        }
        if let Some(pattern) = schema["pattern"].as_str()
            && let Some(regex) = self.schemas.patterns.get(pattern)
            && !regex.is_match(text)
        {
            self.found.push(Violation::new(pointer, format!("must match {pattern}")));
        }
    }

    fn integer(&mut self, schema: &Value, value: &Value, pointer: &str) {
        let Some(number) = value.as_i64() else {
            self.found.push(Violation::new(pointer, "must be an integer"));
            return;
        };
        let (low, high) = match schema["format"].as_str() {
            Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        let bound = |name: &str, default: i64| schema[name].as_f64().map_or(default, |bound| bound as i64);
        let (low, high) = (bound("minimum", low).max(low), bound("maximum", high).min(high));
        if number < low {
            self.found.push(Violation::new(pointer, format!("must be at least {low}")));
        } else if number > high {
            self.found.push(Violation::new(pointer, format!("must be at most {high}")));
        }
    }
}

/// What is wrong with a text of a format that the contract names.
fn format_fault(format: &str, text: &str) -> Option<String> {
    match format {
        "uuid" if uuid::Uuid::try_parse(text).is_err() || text.len() != 36 => Some("must be a UUID".into()),
        "date" if parse_date(text).is_none() => Some("must be a date, YYYY-MM-DD".into()),
        "date-time" if chrono::DateTime::parse_from_rfc3339(text).is_err() => {
            Some("must be a time as in RFC 3339".into())
        }
        "media-id" => text.parse::<MediaId>().err().map(|error| error.to_string()),
        _ => None,
    }
}

/// RFC 6901: `~` and `/` in a member's name.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
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
#[path = "schema_test.rs"]
mod tests;

//! Conditions and projections over fully expanded JSON objects.

use serde_json::{Map, Value, json};

#[derive(Debug)]
pub(in super::super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare { field: String, operator: String, value: Operand },
}

#[derive(Debug)]
pub(in super::super) enum Operand {
    One(Literal),
    /// `( … )`: any of them.
    AnyOf(Vec<Literal>),
    /// `[ … ]`: all of them.
    AllOf(Vec<Literal>),
    /// `{ … }`: exactly these.
    Exactly(Vec<Literal>),
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Literal {
    Null,
    Number(f64),
    Flag(bool),
    /// A text, and whether anything may come before and after it.
    Text(String, bool, bool),
}

impl Condition {
    /// Whether an object, fully expanded, meets the condition.
    pub(in super::super) fn holds(&self, object: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(object)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(object)),
            Self::Not(part) => !part.holds(object),
            Self::Compare { field, operator, value } => {
                let found = values(object, field);
                match operator.as_str() {
                    "!=" => !equal(&found, value, false),
                    "!~" => !equal(&found, value, true),
                    "=" => equal(&found, value, false),
                    "~" => equal(&found, value, true),
                    _ => match value {
                        Operand::One(Literal::Number(bound)) => found
                            .iter()
                            .filter_map(|value| value.as_f64())
                            .any(|number| match operator.as_str() {
                                ">" => number > *bound,
                                ">=" => number >= *bound,
                                "<" => number < *bound,
                                _ => number <= *bound,
                            }),
                        _ => false,
                    },
                }
            }
        }
    }
}

fn equal(found: &[&Value], value: &Operand, loose: bool) -> bool {
    let has = |literal: &Literal| found.iter().any(|value| literal.matches(value, loose));
    match value {
        Operand::One(Literal::Null) => found.is_empty(),
        Operand::One(literal) => has(literal),
        Operand::AnyOf(list) => list.iter().any(has),
        Operand::AllOf(list) => list.iter().all(has),
        Operand::Exactly(list) => list.iter().all(has) && found.len() == list.len(),
    }
}

impl Literal {
    fn matches(&self, value: &Value, loose: bool) -> bool {
        match (self, value) {
            (Self::Number(number), Value::Number(found)) => found.as_f64() == Some(*number),
            (Self::Flag(flag), Value::Bool(found)) => flag == found,
            (Self::Text(text, before, after), Value::String(found)) => {
                let fold = |text: &str| if loose { text.to_lowercase() } else { text.to_owned() };
                let (text, found) = (fold(text), fold(found));
                match (before, after) {
                    (false, false) => found == text,
                    (false, true) => found.starts_with(&text),
                    (true, false) => found.ends_with(&text),
                    (true, true) => found.contains(&text),
                }
            }
            _ => false,
        }
    }
}

/// All scalars at a dotted path; an object stands for its id.
pub(in super::super) fn values<'a>(object: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('.')
        .fold(vec![object], |found, name| {
            found.into_iter().filter_map(|value| value.get(name)).flat_map(spread).collect()
        })
        .into_iter()
        .filter_map(|value| if value.is_object() { value.get("id") } else { Some(value) })
        .collect()
}

fn spread(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

/// What is left of a fully expanded object: its id, and of each field asked for either the id or, where
/// the path goes on, the parts asked for. Ids that stand in lists of objects stay ids.
pub(in super::super) fn project(object: &Value, fields: &[String]) -> Value {
    let Some(full) = object.as_object() else { return object.clone() };
    let mut out = Map::new();
    out.insert("id".into(), full.get("id").cloned().unwrap_or(json!(0)));
    for (name, value) in full {
        let below: Vec<String> = fields
            .iter()
            .filter_map(|field| field.split_once('.'))
            .filter(|(first, _)| first == name)
            .map(|(_, rest)| rest.to_owned())
            .collect();
        let asked = fields.iter().any(|field| field == name || field == "*");
        let shown = |value: &Value| match value {
            Value::Object(_) if below.is_empty() => value.get("id").cloned().unwrap_or_default(),
            Value::Object(_) => project(value, &below),
            _ => value.clone(),
        };
        if asked || !below.is_empty() {
            let value = match value {
                Value::Array(list) => Value::Array(list.iter().map(shown).collect()),
                value => shown(value),
            };
            out.insert(name.clone(), value);
        }
    }
    Value::Object(out)
}

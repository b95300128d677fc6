//! The schema of an archive in the contract, made from the types that write and read one. The names of its
//! parts begin with `Archive`, so that they are nothing else's.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::download::ARCHIVE;
use crate::archive::VERSION;
use crate::archive::format::Archive;

const SCHEMAS: &str = "#/components/schemas/";

/// What is a text of one form wherever it stands.
const TEXTS: [(&str, &str); 2] = [("Timestamp", "date-time"), ("Date", "date")];

/// Every schema that an archive is made of, by its name.
pub fn schemas() -> Map<String, Value> {
    let settings = SchemaSettings::openapi3().for_serialize().with(|settings| settings.meta_schema = None);
    let mut generator = SchemaGenerator::new(settings);
    generator.subschema_for::<Archive>();
    let parts = generator.take_definitions(true).into_iter();
    let parts = parts.filter(|(name, _)| !TEXTS.iter().any(|(text, _)| text == name));
    let mut schemas: Map<String, Value> = parts
        .map(|(name, mut schema)| {
            tidy(&mut schema);
            (part(&name), schema)
        })
        .collect();
    let version = format!("Of the format: what is described here is version {VERSION}.");
    if let Some(archive) = schemas.get_mut(ARCHIVE) {
        archive["properties"]["version"]["description"] = version.into();
    }
    schemas
}

fn part(name: &str) -> String {
    if name == ARCHIVE { name.to_owned() } else { format!("{ARCHIVE}{name}") }
}

/// Brings a schema to the form of the others: what is absent is never null, what is answered may grow.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for name in ["nullable", "additionalProperties", "default"] {
                members.remove(name);
            }
            // A choice between names, some of them described, is one list of names.
            let names: Option<Vec<Value>> = members.get("oneOf").and_then(Value::as_array).map(|choices| {
                choices.iter().filter_map(|choice| choice["enum"].as_array()).flatten().cloned().collect()
            });
            if let Some(names) = names.filter(|names| !names.is_empty()) {
                members.remove("oneOf");
                members.insert("type".into(), json!("string"));
                members.insert("enum".into(), names.into());
            }
            // What may be absent is one of itself and nothing.
            if let Some(Value::Array(choices)) = members.remove("anyOf") {
                let choices = choices.into_iter().filter(|choice| choice.get("$ref").is_some());
                members.insert("allOf".into(), choices.collect());
            }
            if let [("allOf", Value::Array(one))] =
                members.iter().map(|(name, value)| (name.as_str(), value)).collect::<Vec<_>>()[..]
                && let [one] = &one[..]
            {
                let reference = one.clone();
                *schema = reference;
                return tidy(schema);
            }
            members.values_mut().for_each(tidy);
            // A text of one form with a description is one thing.
            if let Some(text) = members.get_mut("allOf").and_then(|parts| parts.get_mut(0)).map(Value::take) {
                match text {
                    Value::Object(text) if !text.contains_key("$ref") => {
                        members.remove("allOf");
                        members.extend(text);
                    }
                    reference => drop(members.insert("allOf".into(), json!([reference]))),
                }
            }
            let Some(name) = members.get("$ref").and_then(Value::as_str) else { return };
            let name = name.rsplit('/').next().unwrap_or_default();
            *schema = match TEXTS.iter().find(|(text, _)| *text == name) {
                Some((_, format)) => json!({ "type": "string", "format": format }),
                None => json!({ "$ref": format!("{SCHEMAS}{}", part(name)) }),
            };
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_and_found_and_nothing_is_null() {
        let schemas = schemas();
        assert!(schemas.len() > 15 && schemas.keys().all(|name| name.starts_with(ARCHIVE)));
        let text = Value::Object(schemas.clone()).to_string();
        for word in ["nullable", "anyOf", "oneOf", "additionalProperties", "Timestamp", "\"null\""] {
            assert!(!text.contains(word), "{word}");
        }
        let mut references = text.split(SCHEMAS).skip(1).filter_map(|rest| rest.split('"').next());
        assert!(references.all(|name| schemas.contains_key(name)));
        assert_eq!(schemas["ArchiveHistoryEvent"]["properties"]["finished_on"]["format"], "date");
        assert_eq!(schemas["ArchiveProfileState"]["enum"], json!(["ok", "unavailable", "not_configured"]));
    }
}

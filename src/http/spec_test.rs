use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::App;
use crate::schema::Schemas;

fn document() -> Value {
    crate::http::document(&App::detached().unwrap())
}

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    each.collect()
}

/// The media types of what an operation takes and answers, with their places.
fn contents<'a>(operation: &'a Value, schemas: &'a Schemas) -> Vec<(String, &'a Value)> {
    let answers = operation["responses"].as_object().unwrap().iter();
    let mut found: Vec<_> =
        answers.map(|(status, answer)| (status.clone(), schemas.resolve(answer))).collect();
    found.extend(operation.get("requestBody").map(|body| ("body".to_owned(), body)));
    let media = |(place, answer): (String, &'a Value)| {
        answer["content"].as_object().into_iter().flatten().map(move |(_, media)| (place.clone(), media))
    };
    found.into_iter().flat_map(media).collect()
}

#[test]
fn every_operation_is_named_described_and_shown_by_examples_that_fit() {
    let schemas = Schemas::new(document());
    let mut ids = BTreeSet::new();
    for (place, operation) in operations(schemas.document()) {
        for text in ["operationId", "summary", "description"] {
            assert!(operation[text].as_str().is_some_and(|text| !text.is_empty()), "{place} has no {text}");
        }
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{place} belongs to one area");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{place} shares its id");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let place = format!("{place} {}", parameter["name"]);
            assert!(parameter["description"].as_str().is_some_and(|text| !text.is_empty()), "{place}");
            let example = parameter.get("example");
            assert!(example.is_some() || parameter["required"] != true, "{place} has no example");
            if let Some(example) = example {
                assert_eq!(schemas.check(&parameter["schema"], example, ""), [], "{place}");
            }
        }
        for (answer, media) in contents(operation, &schemas) {
            let example = media.get("example").unwrap_or_else(|| panic!("{place} {answer} has no example"));
            assert_eq!(schemas.check(&media["schema"], example, ""), [], "{place} {answer}");
        }
    }
}

#[test]
fn every_shape_has_a_name() {
    let schemas = Schemas::new(document());
    for (place, operation) in operations(schemas.document()) {
        for (answer, media) in contents(operation, &schemas) {
            // A text or a picture has no shape, and a generator makes nothing of its name.
            let named = media["schema"]["$ref"].is_string() || media["schema"]["type"] == "string";
            assert!(named, "{place} {answer} has a shape without a name");
        }
    }
    for (name, schema) in schemas.document()["components"]["schemas"].as_object().unwrap() {
        for (property, shape) in schema["properties"].as_object().into_iter().flatten() {
            for shape in [shape, &shape["items"]] {
                let nameless = shape.get("properties").is_some() || shape.get("enum").is_some();
                assert!(!nameless, "{name}.{property} has a shape without a name");
            }
        }
    }
}

#[test]
fn null_stands_beside_a_type_only() {
    fn walk(value: &Value, place: &str) {
        if value["nullable"] == true {
            assert!(value["type"].is_string(), "{place} may be null and has no type");
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            walk(member, &format!("{place}/{name}"));
        }
        for item in value.as_array().into_iter().flatten() {
            walk(item, place);
        }
    }
    walk(&document()["components"]["schemas"], "");
}

/// Calls `look` for each schema below a value, with its place.
fn each_schema(value: &Value, place: &str, look: &mut impl FnMut(&str, &Value)) {
    if value.get("type").is_some_and(Value::is_string) || value.get("allOf").is_some() {
        look(place, value);
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        each_schema(member, &format!("{place}/{name}"), look);
    }
    for item in value.as_array().into_iter().flatten() {
        each_schema(item, place, look);
    }
}

/// The walker reads each value once, so that it cannot try one schema after the other.
#[test]
fn every_schema_is_of_the_forms_that_the_check_understands() {
    let document = document();
    each_schema(&document, "", &mut |place, schema| {
        for keyword in ["oneOf", "anyOf", "not", "const", "patternProperties", "uniqueItems", "multipleOf"] {
            assert!(schema.get(keyword).is_none(), "{place} has {keyword}");
        }
        let parts = schema["allOf"].as_array().map_or(1, Vec::len);
        assert_eq!(parts, 1, "{place} has {parts} parts");
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required {
            assert!(schema["properties"].get(name).is_some(), "{place} requires {name} and does not have it");
        }
    });
    for keyword in ["\"oneOf\"", "\"anyOf\""] {
        assert!(!document["components"].to_string().contains(keyword), "{keyword}");
    }
}

/// Memory for a body is bounded by its schema: by lists that end and objects that are closed.
#[test]
fn every_body_is_bounded_by_its_schema() {
    let schemas = Schemas::new(document());
    let mut open: Vec<(String, Value)> = operations(schemas.document())
        .into_iter()
        .map(|(place, operation)| {
            (place, operation["requestBody"]["content"]["application/json"]["schema"].clone())
        })
        // An archive is read row by row.
        .filter(|(_, schema)| schema["$ref"].as_str().is_some_and(|name| !name.ends_with("/Archive")))
        .collect();
    let mut seen = BTreeSet::new();
    let mut arrays = 0;
    while let Some((place, schema)) = open.pop() {
        each_schema(
            &json!({ "type": "none", "schema": schemas.resolve(&schema) }),
            &place,
            &mut |place, schema| {
                if schema["type"] == "array" {
                    arrays += 1;
                    assert!(schema["maxItems"].is_u64(), "{place} is an array without an end");
                }
                if schema["type"] == "object" && schema.get("allOf").is_none() {
                    let closed = schema.get("properties").is_some()
                        && schema.get("additionalProperties") != Some(&json!(true));
                    assert!(closed, "{place} is an open object");
                }
            },
        );
        let mut references = Vec::new();
        refer(schemas.resolve(&schema), &mut references);
        for name in references {
            if seen.insert(name.clone()) {
                open.push((name.clone(), json!({ "$ref": name })));
            }
        }
    }
    assert!(seen.len() > 5 && arrays > 1, "{} schemas, {arrays} arrays", seen.len());
}

fn refer(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| refer(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| refer(item, found)),
        _ => {}
    }
}

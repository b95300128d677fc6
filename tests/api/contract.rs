//! The published contract: that the file is what the code serves, and that it is made as the
//! generators of clients need it.

use std::collections::BTreeSet;

use omnitrack::http::spec;
use omnitrack::schema::Schemas;
use poem::http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::conform;
use crate::support::operations::{self, document};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.yaml");

#[test]
fn the_file_is_what_the_code_serves() {
    let served = spec::to_yaml(document());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(FILE, &served).unwrap();
    }
    let file = std::fs::read_to_string(FILE).unwrap();
    let differs = served.lines().zip(file.lines()).position(|(served, file)| served != file);
    if let Some(line) = differs {
        let at = |text: &str| text.lines().nth(line).unwrap_or_default().to_owned();
        panic!(
            "openapi.yaml differs in line {}: {:?} instead of {:?}; UPDATE_OPENAPI=1 writes it anew",
            line + 1,
            at(&file),
            at(&served)
        );
    }
    assert_eq!(served.len(), file.len(), "openapi.yaml ends elsewhere; UPDATE_OPENAPI=1 writes it anew");
}

#[test]
fn every_operation_says_what_it_is() {
    let tags: BTreeSet<&str> =
        document()["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut ids = BTreeSet::new();
    for operation in operations::all() {
        let (spec, name) = (&operation.spec, format!("{} {}", operation.method, operation.template));
        assert!(
            operation.id.starts_with(|c: char| c.is_ascii_lowercase())
                && operation.id.chars().all(|c| c.is_ascii_alphanumeric()),
            "{name}: operation id {:?}",
            operation.id
        );
        assert!(ids.insert(operation.id.clone()), "{name}: {} is used twice", operation.id);
        let own: Vec<&str> = spec["tags"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(own.len() == 1 && tags.contains(own[0]), "{name}: tags {own:?}");
        for field in ["summary", "description"] {
            assert!(spec[field].as_str().is_some_and(|text| text.len() > 3), "{name}: no {field}");
        }
        assert!(!spec["summary"].as_str().unwrap().ends_with('.'), "{name}: the summary is a sentence");
        for parameter in spec["parameters"].as_array().into_iter().flatten() {
            let described = parameter["in"] != "query" || parameter["description"].is_string();
            assert!(described, "{name}: parameter {} is not described", parameter["name"]);
        }
    }
}

#[test]
fn every_operation_documents_its_failures() {
    for operation in operations::all() {
        let mut needed = vec![400, 429, 500, 503];
        if operation.secured {
            needed.push(401);
        }
        if operation.spec.get("requestBody").is_some() {
            needed.extend([413, 415, 422]);
        }
        // A kind is always there.
        if operation.method == Method::GET && operation.template.replace("{kind}", "").contains('{') {
            needed.push(404);
        }
        let takes_if_match = operation.spec["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|parameter| parameter["name"] == "If-Match");
        // In a batch each mutation says what it is based on; what a POST makes is based on nothing, and
        // the whole account ends whatever it is.
        let unconditional =
            ["pushChanges", "createExport", "createImport", "deleteAccount", "restoreAccount"]
                .contains(&operation.id.as_str());
        if operation.method != Method::GET && !unconditional {
            assert!(takes_if_match, "{}: a write without If-Match", operation.id);
            needed.push(412);
        }
        for status in needed {
            let response = &operation.spec["responses"][status.to_string()];
            let shared = response["$ref"].as_str().map(|name| name.trim_start_matches('#'));
            let response = shared.and_then(|name| document().pointer(name)).unwrap_or(response);
            assert_eq!(
                response["content"]["application/problem+json"]["schema"]["$ref"],
                "#/components/schemas/Problem",
                "{}: {status}",
                operation.id
            );
        }
        let good = operation.spec["responses"].as_object().unwrap().keys().any(|s| s.starts_with('2'));
        assert!(good, "{}: no success", operation.id);
    }
}

/// Calls `see` for every value of the document, with the path that leads there.
fn walk(value: &Value, path: &mut Vec<String>, see: &mut impl FnMut(&[String], &Value)) {
    see(path, value);
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, item)| (i.to_string(), item)).collect(),
        _ => return,
    };
    for (name, child) in children {
        path.push(name);
        walk(child, path, see);
        path.pop();
    }
}

#[test]
fn every_object_has_a_name() {
    let mut named = 0;
    walk(document(), &mut Vec::new(), &mut |path, value| {
        let inside_example = path.iter().any(|part| part == "example" || part == "examples");
        if inside_example || value["type"] != "object" {
            return;
        }
        let is_named = path.len() == 3 && path[..2] == ["components", "schemas"];
        // A nullable reference spells out the type of what it refers to.
        let refers = value.get("allOf").is_some() && value.get("properties").is_none();
        named += usize::from(is_named);
        assert!(is_named || refers, "an anonymous object at /{}", path.join("/"));
    });
    assert!(named > 20, "{named} named objects");
}

/// The named schemas that what clients send is made of.
fn written_schemas() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut open: Vec<Value> =
        operations::all().into_iter().map(|op| op.spec["requestBody"].clone()).collect();
    while let Some(value) = open.pop() {
        walk(&value, &mut Vec::new(), &mut |_, value| {
            let Some(name) = value["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) else {
                return;
            };
            if names.insert(name.to_owned()) {
                open.push(document()["components"]["schemas"][name].clone());
            }
        });
    }
    names
}

#[test]
fn what_can_be_cleared_is_marked_so_that_swift_can_send_null() {
    let mut marked = BTreeSet::new();
    for name in written_schemas() {
        let schema = &document()["components"]["schemas"][&name];
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let nullable = property["nullable"] == true;
            assert_eq!(property["x-null-encodable"] == true, nullable, "{name}.{field}");
            if nullable {
                marked.insert(format!("{name}.{field}"));
            }
        }
    }
    for field in [
        "LibraryEntryPatch.rating",
        "LibraryEntryPatch.progress",
        "LibraryEntryPatch.started_on",
        "LibraryEntryPatch.finished_on",
        "MediaListPatch.description",
        "ListItemPatch.note",
        "AccountPatch.language",
    ] {
        assert!(marked.contains(field), "{field} cannot be cleared: {marked:?}");
    }
}

#[test]
fn only_what_is_never_answered_is_closed() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas.iter().filter(|(_, schema)| schema["type"] == "object") {
        let written = name.ends_with("Write") || name.ends_with("Patch");
        // A generated client refuses what a closed answer does not name: it could never grow.
        assert_eq!(schema["additionalProperties"] == false, written, "{name}");
    }
}

#[test]
fn every_body_has_an_example() {
    let schemas = Schemas::new(document().clone());
    for operation in operations::all() {
        let successes = operation.spec["responses"].as_object().unwrap().iter();
        let answered = successes.filter(|(status, _)| status.starts_with('2')).map(|(_, answer)| answer);
        for body in answered.chain(operation.spec.get("requestBody")) {
            for (kind, content) in schemas.resolve(body)["content"].as_object().into_iter().flatten() {
                let shown = content.get("example").or_else(|| content.get("examples"));
                assert!(shown.is_some(), "{}: no example of {kind}", operation.id);
            }
        }
    }
}

#[test]
fn every_example_fits_its_schema() {
    let schemas = Schemas::new(document().clone());
    let mut checked = 0;
    walk(document(), &mut Vec::new(), &mut |path, value| {
        let is_property = path.last().is_some_and(|name| name == "properties");
        if is_property || !value.is_object() {
            return;
        }
        let schema = value.get("schema").unwrap_or(value);
        let named = value["examples"].as_object().into_iter().flatten().map(|(_, named)| &named["value"]);
        for example in value.get("example").into_iter().chain(named) {
            checked += 1;
            let found = schemas.check_closed(schema, example, "");
            assert!(found.is_empty(), "the example at /{} does not fit: {found:?}", path.join("/"));
        }
    });
    assert!(checked > 40, "{checked} examples");
}

/// The check that every other test leans on: it must be able to fail.
#[test]
fn an_answer_that_is_not_as_documented_is_found_out() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-request-id", "1"),
        ("ratelimit", "1"),
        ("ratelimit-policy", "1"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("etag", "\"1.0\""),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let list = json!({
        "id": "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001", "name": "x", "item_count": 0, "revision": 1,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    });
    let path = "/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
    let answer = |status: u16, body: &Value, headers: &HeaderMap| {
        let body = body.to_string().into_bytes();
        let answer = Answer { asked: "a test".into(), status, headers: headers.clone(), body };
        conform::faults(&Method::GET, path, &answer).len()
    };
    assert_eq!(answer(200, &list, &headers), 0);
    let with = |name: &str, value: Value| {
        let mut list = list.clone();
        list[name] = value;
        list
    };
    assert_eq!(answer(200, &with("secret", json!(1)), &headers), 1, "a field that is not documented");
    assert_eq!(answer(200, &with("description", json!(null)), &headers), 1, "null where none is meant");
    assert_eq!(answer(200, &with("created_at", json!("2026-01-01T00:00:00Z")), &headers), 1, "a short time");
    assert_eq!(answer(203, &list, &headers), 1, "a status that is not documented");
    assert!(answer(404, &list, &headers) > 0, "an error that is no problem document");
    for name in ["x-request-id", "ratelimit", "etag", "content-type"] {
        let mut fewer = headers.clone();
        fewer.remove(name);
        assert!(answer(200, &list, &fewer) > 0, "no {name}");
    }
}

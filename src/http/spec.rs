//! The contract as it is published. The web layer generates most of it; what it cannot say is added
//! here, in one function that feeds the file, the endpoint, the docs page and the checks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::problem::describe;
use super::{archive_schema, example, sse, yaml};

const SCHEMAS: &str = "#/components/schemas/";

/// Parameters that many operations share: what they are, and for those that must be given a value to
/// try. A form filled in with a condition or a filter would help nobody.
const PARAMETERS: [(&str, &str, Option<&str>); 22] = [
    ("media_id", "The title: `{kind}:{source}:{id at the source}`.", Some("movie:tmdb:603")),
    ("import_id", "The import.", Some("0198c2f0-4e6b-7a31-b1a9-c5d2e8f70643")),
    ("list_id", "The list.", Some("7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001")),
    ("comment_id", "The comment.", Some("0b9a6b0e-5d5e-4c0b-8a3c-6d1f0f2a7c01")),
    ("event_id", "The history event.", Some("4c4a3f0e-2b57-4f0c-9d53-8e0b1c6f2d01")),
    ("device_id", "The device, by the UUID that it chose.", Some("c2a6e0f4-3b0d-4a7e-8f55-91d7a3b60c01")),
    ("policy", "The policy, by its name.", Some("privacy")),
    ("source", "Where the picture is from.", Some("tmdb")),
    ("size", "How large it is: `small`, `medium` or `large`.", Some("small")),
    ("image", "The source's name of it.", Some("abc.jpg")),
    (
        "receipt_id",
        "The receipt that the deletion was answered with.",
        Some("0f3c9c52-1b7e-4a39-8a0e-5d2f6b7c8d01"),
    ),
    ("signature", "Proof that the address is one of ours.", Some("AAAAAAAAAAAAAAAAAAAAAA")),
    ("token", "The secret part of the address.", Some("bm90IGFuIGFkZHJlc3MgdGhhdCBsZWFkcyBhbnl3aGVyZQ")),
    ("kind", "What the titles are.", Some("movie")),
    ("list", "", Some("trending")),
    ("season", "", Some("1")),
    ("episode", "", Some("1")),
    ("q", "", Some("dune")),
    ("ids", "", Some("movie:tmdb:603")),
    (
        "Idempotency-Key",
        "Chosen by the client, new for each thing that it wants done: repeated with the same key, it is done \
         once. Visible ASCII characters.",
        None,
    ),
    ("If-Match", "The `ETag` that the write is based on: where the revision has moved on, 412.", None),
    ("If-None-Match", "The `ETag` that the client has: where it is still right, 304.", None),
];

/// What a condition is: `*` or a list of entity tags (RFC 9110, sections 8.8.3 and 13.1).
const ENTITY_TAGS: &str = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#;

/// The statuses of problems that any operation can answer; with a body; with a token.
const ANY: [u16; 4] = [400, 429, 500, 503];
const WITH_BODY: [u16; 4] = [408, 413, 415, 422];
const WITH_TOKEN: [u16; 2] = [401, 403];

/// Finishes the generated document.
pub fn finish(generated: &str) -> Value {
    let mut document: Value = serde_json::from_str(generated).unwrap_or_default();
    document["openapi"] = json!("3.0.3");
    tidy(&mut document);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.extend(archive_schema::schemas());
        schemas.sort_keys();
    }
    finish_schemas(&mut document);
    let mut statuses = BTreeSet::new();
    for path in members(&mut document["paths"]) {
        for operation in members(path) {
            // Said aloud: this one needs no token.
            if operation.get("security").is_none() {
                operation["security"] = json!([]);
            }
            finish_parameters(operation);
            finish_responses(operation, &mut statuses);
            add_examples(operation);
        }
    }
    document["components"]["responses"] = statuses
        .into_iter()
        .map(|status| (problem_name(status).to_owned(), problem_response(status)))
        .collect();
    document["components"]["headers"] = headers();
    document
}

/// The document as YAML, which is what the file at the root holds.
pub fn to_yaml(document: &Value) -> String {
    yaml::write(document)
}

fn members(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_object_mut().into_iter().flatten().map(|(_, member)| member)
}

/// Drops what says nothing and writes whole numbers as such.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, member| match name.as_str() {
                "deprecated" => *member != false,
                "explode" => *member != true,
                "default" => *member != json!([]),
                _ => true,
            });
            members.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Number(number) => {
            if let Some(float) = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e15)
                && number.is_f64()
            {
                *value = json!(float as i64);
            }
        }
        _ => {}
    }
}

/// What clients write names every field that it may have; what is answered may grow. Clearable fields
/// are marked so that generated Swift clients can send null.
fn finish_schemas(document: &mut Value) {
    let (mut written, mut answered) = (BTreeSet::new(), BTreeSet::new());
    let paths = document["paths"].as_object().into_iter().flatten();
    for (_, operation) in paths.filter_map(|(_, path)| path.as_object()).flatten() {
        reach(document, &operation["requestBody"], &mut written);
        reach(document, &operation["responses"], &mut answered);
    }
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let types: BTreeMap<String, Value> =
        schemas.iter().map(|(name, schema)| (format!("{SCHEMAS}{name}"), schema["type"].clone())).collect();
    for (name, schema) in schemas.iter_mut() {
        let written = written.contains(name);
        if written && !answered.contains(name) && schema["type"] == "object" {
            schema["additionalProperties"] = json!(false);
        }
        for property in schema.get_mut("properties").into_iter().flat_map(members) {
            finish_reference(property, &types);
            if written && property["nullable"] == true {
                property["x-null-encodable"] = json!(true);
            }
            if written {
                finish_text(property);
            }
        }
    }
}

/// Finds the names of all schemas that `from` refers to.
fn reach(document: &Value, from: &Value, found: &mut BTreeSet<String>) {
    match from {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            if let Some(name) = reference.and_then(|reference| reference.strip_prefix(SCHEMAS))
                && found.insert(name.to_owned())
            {
                reach(document, &document["components"]["schemas"][name], found);
            }
            members.values().for_each(|member| reach(document, member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| reach(document, item, found)),
        _ => {}
    }
}

/// In OpenAPI 3.0 nothing stands beside a `$ref`, so what is said of a referring property is generated
/// as a second part, which would be a type of its own. One that may be null needs its type spelled out.
fn finish_reference(property: &mut Value, types: &BTreeMap<String, Value>) {
    let Some(reference) = property["allOf"].get(0).cloned() else { return };
    let kind = reference["$ref"].as_str().and_then(|name| types.get(name)).cloned();
    property["allOf"] = json!([reference]);
    if property["nullable"] == true {
        property["type"] = kind.unwrap_or_else(|| json!("object"));
    }
}

/// A text that a person writes may hold anything but NUL, which PostgreSQL cannot keep.
fn finish_text(schema: &mut Value) {
    let formed = ["format", "pattern", "enum"].iter().any(|form| schema.get(form).is_some());
    if schema["type"] == "string" && !formed {
        schema["pattern"] = json!(r"^[^\x00]*$");
    }
}

fn finish_parameters(operation: &mut Value) {
    let mut parameters = operation["parameters"].as_array().into_iter().flatten();
    let is_of_series =
        parameters.any(|parameter| parameter["name"] == "season") || operation["tags"][0] == "Episodes";
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        finish_text(&mut parameter["schema"]);
        // An empty list would be a list of one empty text.
        if parameter["in"] == "query" && parameter["schema"]["type"] == "array" {
            parameter["schema"]["minItems"] = json!(1);
        }
        let Some((name, description, example)) =
            PARAMETERS.iter().find(|(name, ..)| parameter["name"] == *name)
        else {
            continue;
        };
        if parameter.get("description").is_none() {
            parameter["description"] = json!(description);
        }
        if let Some(example) = example
            && parameter["required"] == true
        {
            parameter["example"] = match parameter["schema"]["type"].as_str() {
                Some("array") => json!([example]),
                Some("integer") => json!(example.parse::<i64>().ok()),
                _ if is_of_series && *name == "media_id" => json!(example::SERIES),
                _ => json!(example),
            };
        }
        if description.starts_with("The `ETag`") {
            parameter["schema"]["format"] = json!("entity-tags");
            parameter["schema"]["pattern"] = json!(ENTITY_TAGS);
        }
    }
}

/// Adds the problems that the operation can answer whatever it does, and says each problem once for
/// the whole document.
fn finish_responses(operation: &mut Value, statuses: &mut BTreeSet<u16>) {
    let secured = operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty());
    let body = operation.get("requestBody").is_some();
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    let mut answers: BTreeMap<u16, Value> = std::mem::take(responses)
        .into_iter()
        .filter_map(|(status, response)| Some((status.parse().ok()?, response)))
        .collect();
    let shared = ANY.into_iter().chain(WITH_BODY.into_iter().filter(|_| body));
    for status in shared.chain(WITH_TOKEN.into_iter().filter(|_| secured)) {
        answers.entry(status).or_default();
    }
    for (status, mut response) in answers {
        if status < 400 {
            add_response_headers(status, &mut response);
        } else {
            statuses.insert(status);
            response = json!({ "$ref": format!("#/components/responses/{}", problem_name(status)) });
        }
        responses.insert(status.to_string(), response);
    }
}

fn problem_response(status: u16) -> Value {
    let mut response = json!({
        "description": describe(status),
        "content": { "application/problem+json": {
            "schema": { "$ref": format!("{SCHEMAS}Problem") },
            "example": example::problem(status),
        } },
    });
    add_response_headers(status, &mut response);
    response
}

fn add_response_headers(status: u16, response: &mut Value) {
    let Some(response) = response.as_object_mut() else { return };
    let headers = response.entry("headers").or_insert_with(|| Value::Object(Map::new()));
    let mut names = vec!["X-Request-Id", "RateLimit", "RateLimit-Policy"];
    match status {
        401 => names.push("WWW-Authenticate"),
        429 | 503 => names.push("Retry-After"),
        _ => {}
    }
    for name in names {
        headers[name] = json!({ "$ref": format!("#/components/headers/{name}") });
    }
}

fn headers() -> Value {
    let header = |description: &str, kind: &str, example: Value| json!({ "description": description, "schema": { "type": kind }, "example": example });
    json!({
        "X-Request-Id": header("Names this request in the service's logs.", "string", json!(example::REQUEST_ID)),
        "RateLimit": header("What is left of each limit that counted this request.", "string", json!("\"account\";r=299;t=15")),
        "RateLimit-Policy": header("The limits that counted this request.", "string", json!("\"account\";q=300;w=15")),
        "Retry-After": header("Seconds after which to try again.", "integer", json!(1)),
        "WWW-Authenticate": header("How to be let in (RFC 6750).", "string", json!("Bearer realm=\"omnitrack\"")),
    })
}

/// The body that is sent and the bodies that come back are shown by the example of their schema.
fn add_examples(operation: &mut Value) {
    if let Some(body) = operation.get_mut("requestBody") {
        add_example(body);
    }
    members(&mut operation["responses"]).for_each(add_example);
}

fn add_example(answer: &mut Value) {
    let Some(content) = answer.get_mut("content") else { return };
    for (kind, media) in content.as_object_mut().into_iter().flatten() {
        if kind == sse::CONTENT_TYPE {
            media["example"] = json!(sse::EXAMPLE);
        }
        let name = media["schema"]["$ref"].as_str().and_then(|name| name.strip_prefix(SCHEMAS));
        if let Some(example) = name.and_then(example::of) {
            media["example"] = example;
        } else if media["schema"]["format"] == "binary" {
            media["example"] = json!("the bytes of the file");
        }
    }
}

/// The names of the shared responses, which say what happened.
fn problem_name(status: u16) -> &'static str {
    match status {
        400 => "InvalidParameter",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        408 => "BodyTooSlow",
        409 => "LimitReached",
        410 => "Gone",
        412 => "RevisionConflict",
        413 => "BodyTooLarge",
        415 => "UnsupportedMediaType",
        422 => "InvalidInput",
        429 => "RateLimited",
        500 => "Internal",
        501 => "NotConfigured",
        503 => "Unavailable",
        _ => "Failed",
    }
}

#[cfg(test)]
#[path = "spec_test.rs"]
mod tests;

//! The contract as it is published. The web layer generates most of it; what it cannot say is added
//! here, in one function that feeds the file, the endpoint, the docs page and the checks.

use serde_json::{Map, Value, json};

use super::problem::describe;

/// Finishes the generated document.
pub fn finish(generated: &str) -> Value {
    let mut document: Value = serde_json::from_str(generated).unwrap_or_default();
    document["openapi"] = json!("3.0.3");
    tidy(&mut document);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        for (name, schema) in schemas.iter_mut() {
            let written = name.ends_with("Patch") || name.ends_with("Write");
            mark_nullable(schema, written);
            if written {
                schema["additionalProperties"] = json!(false);
            }
        }
    }
    for path in members(&mut document["paths"]) {
        for operation in members(path) {
            add_common_responses(operation);
        }
    }
    document["components"]["headers"] = headers();
    document
}

/// The document as YAML, which is what the file at the root holds.
pub fn to_yaml(document: &Value) -> String {
    serde_yaml_ng::to_string(document).unwrap_or_default()
}

fn members(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_object_mut().into_iter().flatten().map(|(_, member)| member)
}

/// Drops what says nothing and writes whole numbers as such.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, member| {
                !((name == "deprecated" && *member == false) || (name == "explode" && *member == true))
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

/// A nullable reference gets its type spelled out, without which OpenAPI 3.0 leaves it open whether
/// null is allowed. In what clients write, clearable fields are marked so that generated Swift
/// clients can send null.
fn mark_nullable(schema: &mut Value, written: bool) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (_, property) in properties.into_iter().flatten() {
        if property["nullable"] != true {
            continue;
        }
        if property.get("allOf").is_some() && property.get("type").is_none() {
            property["type"] = json!("object");
        }
        if written {
            property["x-null-encodable"] = json!(true);
        }
    }
}

/// Every operation can answer these, whatever it does.
fn add_common_responses(operation: &mut Value) {
    let secured = operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty());
    let mut statuses = vec![400, 429, 500, 503];
    if secured {
        statuses.push(401);
    }
    if operation.get("requestBody").is_some() {
        statuses.extend([413, 415, 422]);
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for status in statuses {
        let problem = json!({
            "description": describe(status),
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        });
        responses.entry(status.to_string()).or_insert(problem);
    }
    let mut sorted: Vec<(String, Value)> = std::mem::take(responses).into_iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (status, response) in &mut sorted {
        add_response_headers(status, response);
    }
    responses.extend(sorted);
}

fn add_response_headers(status: &str, response: &mut Value) {
    let Some(response) = response.as_object_mut() else { return };
    let headers = response.entry("headers").or_insert_with(|| Value::Object(Map::new()));
    let mut names = vec!["X-Request-Id", "RateLimit", "RateLimit-Policy"];
    match status {
        "401" => names.push("WWW-Authenticate"),
        "429" | "503" => names.push("Retry-After"),
        _ => {}
    }
    for name in names {
        headers[name] = json!({ "$ref": format!("#/components/headers/{name}") });
    }
}

fn headers() -> Value {
    let header =
        |description: &str, kind: &str| json!({ "description": description, "schema": { "type": kind } });
    json!({
        "X-Request-Id": header("Names this request in the service's logs.", "string"),
        "RateLimit": header("What is left of each limit that counted this request.", "string"),
        "RateLimit-Policy": header("The limits that counted this request.", "string"),
        "Retry-After": header("Seconds after which to try again.", "integer"),
        "WWW-Authenticate": header("How to be let in (RFC 6750).", "string"),
    })
}

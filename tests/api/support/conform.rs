//! Holds an answer to the contract: status, content type, body and headers as documented, and of an
//! error a problem document that agrees with the response it is in. Stricter than the service is with
//! what comes in: what the schema does not name must not be there.

use std::sync::OnceLock;

use omnitrack::http::PLAIN;
use omnitrack::http::contract::Contract;
use omnitrack::schema::Schemas;
use poem::http::Method;
use serde_json::{Value, json};

use super::answer::Answer;
use super::operations::document;

/// Times have one shape only, because Swift's parsers refuse a varying number of digits.
const TIME: &str = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$";

struct Rules {
    contract: Contract,
    strict: Schemas,
}

fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| {
        let mut strict = document().clone();
        fix_times(&mut strict);
        Rules { contract: Contract::new(document().clone(), &PLAIN), strict: Schemas::new(strict) }
    })
}

fn fix_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(fix_times);
            if members.get("format") == Some(&json!("date-time")) {
                members.insert("pattern".into(), json!(TIME));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fix_times),
        _ => {}
    }
}

/// What is wrong with the answer; nothing, one hopes.
pub fn faults(method: &Method, path: &str, answer: &Answer) -> Vec<String> {
    let mut faults = common(path, answer);
    let found = rules().contract.path(path);
    let operation = found.map(|found| found.operation(method));
    match (found, operation) {
        (Some(found), Some(Err(_))) => {
            faults.extend(one_of(answer, &[405, 429]));
            if answer.status == 405 && answer.header("allow") != Some(found.allow.as_str()) {
                faults.push(format!("Allow is not {:?}", found.allow));
            }
        }
        (Some(_), Some(Ok(Some(operation)))) => {
            let spec = document()["paths"][operation.template]
                .get(operation.method.as_str().to_lowercase())
                .unwrap_or(&Value::Null);
            faults.extend(documented(spec, method, answer));
        }
        (Some(_), _) => {
            faults.extend(one_of(answer, &[200, 204, 304, 400, 401, 408, 413, 415, 429, 500, 503]));
        }
        (None, _) => faults.extend(one_of(answer, &[404, 429])),
    }
    faults
}

fn one_of(answer: &Answer, statuses: &[u16]) -> Option<String> {
    (!statuses.contains(&answer.status)).then(|| format!("the status is none of {statuses:?}"))
}

/// What holds for every answer.
fn common(path: &str, answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    let mut needed = vec!["x-request-id", "cache-control", "x-content-type-options"];
    if !["/healthz", "/readyz", "/metrics"].contains(&path) {
        needed.extend(["ratelimit", "ratelimit-policy"]);
    }
    match answer.status {
        401 => needed.push("www-authenticate"),
        405 => needed.push("allow"),
        429 | 503 => needed.push("retry-after"),
        _ => {}
    }
    for name in needed {
        if answer.headers.get_all(name).iter().count() != 1 {
            faults.push(format!("{name} is not there exactly once"));
        }
    }
    if answer.status >= 400 && !answer.asked.starts_with("HEAD ") {
        faults.extend(problem(answer));
    }
    faults
}

fn problem(answer: &Answer) -> Vec<String> {
    if answer.header("content-type") != Some("application/problem+json") {
        return vec!["an error that is no problem document".into()];
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return vec!["a problem document that is not JSON".into()];
    };
    let mut faults = violations(&json!({ "$ref": "#/components/schemas/Problem" }), &body);
    let code = body["code"].as_str().unwrap_or_default();
    let agree = [
        ("status", json!(answer.status)),
        ("request_id", json!(answer.header("x-request-id"))),
        ("type", json!(format!("/problems/{code}"))),
    ];
    for (name, value) in agree {
        if body[name] != value {
            faults.push(format!("{name} of the problem is not {value}"));
        }
    }
    faults
}

fn documented(spec: &Value, method: &Method, answer: &Answer) -> Vec<String> {
    let Some(response) = spec["responses"].get(answer.status.to_string()) else {
        return vec![format!("the status is not documented for {}", spec["operationId"])];
    };
    let response = rules().contract.schemas().resolve(response);
    let mut faults = Vec::new();
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        // The headers that all answers share are written once, elsewhere.
        let needed = header["required"] == true || header.get("$ref").is_some();
        if needed && answer.header(name).is_none() {
            faults.push(format!("{name} is documented and absent"));
        }
    }
    let documented = response["content"].as_object();
    let Some(content) = documented.filter(|content| !content.is_empty()) else {
        if !answer.body.is_empty() || answer.header("content-type").is_some() {
            faults.push("a body where none is documented".into());
        }
        return faults;
    };
    let content_type = answer.header("content-type");
    let Some((content_type, content)) = content_type.and_then(|name| Some((name, content.get(name)?))) else {
        faults.push(format!("the content type is none of {:?}", content.keys()));
        return faults;
    };
    // The server cuts the body off, if there is one; events are looked at by who listens to them.
    let is_stream = content_type == "text/event-stream";
    if method == Method::HEAD || is_stream || content["schema"]["format"] == "binary" {
        return faults;
    }
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(body) => faults.extend(violations(&content["schema"], &body)),
        Err(error) => faults.push(format!("the body is not JSON: {error}")),
    }
    faults
}

fn violations(schema: &Value, body: &Value) -> Vec<String> {
    let found = rules().strict.check_closed(schema, body, "");
    found.into_iter().map(|violation| format!("{} {}", violation.pointer, violation.message)).collect()
}

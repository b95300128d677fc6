//! The published contract as the running service uses it: which operation a path and a method name,
//! whether it needs a token, what its parameters and its body must look like.

use std::borrow::Cow;
use std::sync::Arc;

use poem::http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;

use crate::error::Violation;
use crate::schema::{Findings, Schemas, shown};

/// Parameters of a query string that are looked at. No operation has a third as many.
const MAX_PARAMETERS: usize = 50;

pub struct Contract {
    schemas: Arc<Schemas>,
    router: matchit::Router<Path>,
}

/// A path template and what may be done there.
pub struct Path {
    /// With its parameters' names in braces: what logs and metrics call it.
    pub template: &'static str,
    /// The `Allow` header of a 405.
    pub allow: String,
    operations: Vec<Arc<Operation>>,
    /// The one method of a path outside the contract.
    plain: Option<Method>,
}

pub struct Operation {
    pub id: String,
    pub method: Method,
    pub template: &'static str,
    /// Whether a session token is needed.
    pub secured: bool,
    parameters: Vec<Parameter>,
    body: Option<Value>,
    schemas: Arc<Schemas>,
}

/// The path does not know the method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodNotAllowed;

struct Parameter {
    name: String,
    place: String,
    required: bool,
    schema: Value,
}

impl Contract {
    /// `plain` are the paths outside the contract, each with its method.
    pub fn new(document: Value, plain: &[(&'static str, Method)]) -> Self {
        let schemas = Arc::new(Schemas::new(document));
        let mut router = matchit::Router::new();
        let paths = schemas.document()["paths"].as_object().into_iter().flatten();
        let mut entries: Vec<Path> = paths.map(|(template, item)| path(template, item, &schemas)).collect();
        entries.extend(plain.iter().map(|(template, method)| Path {
            template,
            allow: if method == Method::GET { "GET, HEAD".into() } else { method.to_string() },
            operations: Vec::new(),
            plain: Some(method.clone()),
        }));
        for entry in entries {
            // Two templates that collide are a mistake of ours, seen by every test at once.
            if let Err(error) = router.insert(entry.template, entry) {
                tracing::error!(%error, "two paths of the contract collide");
            }
        }
        Self { schemas, router }
    }

    /// The path template that `path` belongs to.
    pub fn path(&self, path: &str) -> Option<&Path> {
        self.router.at(path).ok().map(|found| found.value)
    }

    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }
}

impl Path {
    /// Whether the path knows `method`, and the operation of the contract if it is one.
    pub fn operation(&self, method: &Method) -> Result<Option<&Arc<Operation>>, MethodNotAllowed> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        if let Some(plain) = &self.plain {
            return if method == plain { Ok(None) } else { Err(MethodNotAllowed) };
        }
        self.operations.iter().find(|operation| operation.method == *method).map(Some).ok_or(MethodNotAllowed)
    }
}

impl Operation {
    /// Checks all parameters: those of the path, the query string, and the headers that are parameters.
    pub fn check_parameters(&self, path: &str, query: &str, headers: &HeaderMap) -> Vec<Violation> {
        let mut findings = Findings::default();
        self.check_path_into(path, &mut findings);
        self.check_query(query, &mut findings);
        self.check_headers(headers, &mut findings);
        findings.into_list()
    }

    /// Checks the query string: known names only, each at most once, everything required, every
    /// value as its schema says.
    fn check_query(&self, query: &str, findings: &mut Findings) {
        let mut given: Vec<&str> = Vec::new();
        for (index, (name, value)) in query_pairs(query).enumerate() {
            if index == MAX_PARAMETERS {
                findings.add("/query", format!("must have at most {MAX_PARAMETERS} parameters"));
            }
            if index == MAX_PARAMETERS || findings.is_full() {
                return;
            }
            let Some(name) = name else {
                findings.add("/query", "must be UTF-8");
                continue;
            };
            let pointer = format!("/query/{}", shown(&name));
            let known = self.parameters.iter().find(|p| p.place == "query" && p.name == name);
            match (known, value) {
                (None, _) => findings.add(pointer, "is not a known parameter"),
                (Some(parameter), _) if given.contains(&parameter.name.as_str()) => {
                    findings.add(pointer, "is given twice");
                }
                (Some(parameter), value) => {
                    given.push(&parameter.name);
                    match value {
                        Some(value) => {
                            self.schemas.check_text(&parameter.schema, &value, &pointer, findings);
                        }
                        None => findings.add(pointer, "must be UTF-8"),
                    }
                }
            }
        }
        for parameter in self.parameters.iter().filter(|p| p.place == "query" && p.required) {
            if !given.contains(&parameter.name.as_str()) {
                findings.add(format!("/query/{}", parameter.name), "is required");
            }
        }
    }

    /// Checks the values that stand in the path.
    pub fn check_path(&self, path: &str) -> Vec<Violation> {
        let mut findings = Findings::default();
        self.check_path_into(path, &mut findings);
        findings.into_list()
    }

    fn check_path_into(&self, path: &str, findings: &mut Findings) {
        for (part, raw) in self.template.split('/').zip(path.split('/')) {
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else { continue };
            let pointer = format!("/path/{name}");
            let Ok(value) = percent_encoding::percent_decode_str(raw).decode_utf8() else {
                findings.add(pointer, "must be UTF-8");
                continue;
            };
            if let Some(parameter) = self.parameters.iter().find(|p| p.place == "path" && p.name == name) {
                self.schemas.check_text(&parameter.schema, &value, &pointer, findings);
            }
        }
    }

    /// Checks the headers that are parameters: each at most once, as its schema says.
    fn check_headers(&self, headers: &HeaderMap, findings: &mut Findings) {
        for parameter in self.parameters.iter().filter(|p| p.place == "header") {
            let pointer = format!("/header/{}", parameter.name);
            let mut values = headers.get_all(&parameter.name).iter();
            match (values.next().map(HeaderValue::to_str), values.next()) {
                (None, _) => {}
                (Some(Ok(value)), None) => {
                    self.schemas.check_text(&parameter.schema, value, &pointer, findings);
                }
                (Some(Ok(_)), Some(_)) => findings.add(pointer, "is given twice"),
                (Some(Err(_)), _) => findings.add(pointer, "must be ASCII"),
            }
        }
    }

    /// Checks the text of a request body, in which every field must be known and stand once. An operation
    /// without a schema accepts anything.
    ///
    /// # Errors
    /// The text is not JSON, as far as it was read.
    pub fn check_body(&self, json: &[u8]) -> Result<Vec<Violation>, serde_json::Error> {
        match &self.body {
            Some(schema) => self.schemas.check_json(schema, json, ""),
            None => Ok(Vec::new()),
        }
    }
}

/// The pairs of a query string, decoded as a form is: `+` is a blank. None for what is not UTF-8.
fn query_pairs(query: &str) -> impl Iterator<Item = (Option<String>, Option<String>)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(move |(name, value)| (decode(name), decode(value)))
}

fn path(template: &str, item: &Value, schemas: &Arc<Schemas>) -> Path {
    // The templates of the one contract live as long as the process: labels of metrics and logs.
    let template: &'static str = template.to_owned().leak();
    let mut operations = Vec::new();
    for (method, operation) in item.as_object().into_iter().flatten() {
        let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
        operations.push(Arc::new(Operation {
            id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
            method,
            template,
            secured: operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty()),
            parameters: operation["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
            body: operation["requestBody"]["content"]["application/json"].get("schema").cloned(),
            schemas: schemas.clone(),
        }));
    }
    let mut allow: Vec<&str> = operations.iter().map(|operation| operation.method.as_str()).collect();
    if allow.contains(&"GET") {
        allow.push("HEAD");
    }
    let allow = allow.join(", ");
    Path { template, allow, operations, plain: None }
}

fn parameter(parameter: &Value) -> Parameter {
    Parameter {
        name: parameter["name"].as_str().unwrap_or_default().to_owned(),
        place: parameter["in"].as_str().unwrap_or_default().to_owned(),
        required: parameter["required"] == true,
        schema: parameter["schema"].clone(),
    }
}

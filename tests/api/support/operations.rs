//! The operations of the published contract, for tests that walk over all of them.

use std::sync::OnceLock;

use omnitrack::app::App;
use poem::http::Method;
use serde_json::{Value, json};

/// The pages outside the contract.
pub const PAGES: [&str; 7] =
    ["/healthz", "/readyz", "/metrics", "/openapi.yaml", "/docs", "/privacy", "/account-deletion"];

pub struct Operation {
    pub id: String,
    pub method: Method,
    pub template: String,
    pub secured: bool,
    /// As the document has it.
    pub spec: Value,
}

/// The contract as the code makes it.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| omnitrack::http::document(&App::detached().unwrap()))
}

pub fn all() -> Vec<Operation> {
    let mut operations = Vec::new();
    for (template, item) in document()["paths"].as_object().unwrap() {
        for (method, spec) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            operations.push(Operation {
                id: spec["operationId"].as_str().unwrap_or_default().to_owned(),
                method,
                template: template.clone(),
                secured: spec["security"].as_array().is_some_and(|schemes| !schemes.is_empty()),
                spec: spec.clone(),
            });
        }
    }
    assert!(operations.len() > 20, "the document lists its operations");
    operations
}

/// What fills the parameters of a path.
pub struct Ids<'a>(pub &'a [(&'a str, &'a str)]);

impl Operation {
    /// A path of this operation, with the query that it cannot do without.
    pub fn path(&self, ids: &Ids<'_>) -> String {
        let mut path = self.template.clone();
        for (name, id) in ids.0 {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        path = path.replace("{kind}", "movie");
        assert!(!path.contains('{'), "{path}: this test has no id for a parameter of {}", self.id);
        let mut query: Vec<String> = self.spec["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true)
            .map(|parameter| match parameter["name"].as_str().unwrap() {
                "q" => "q=dune".to_owned(),
                "list" => "list=trending".to_owned(),
                "ids" => "ids=movie:tmdb:603".to_owned(),
                other => panic!("{}: this test has no value for the parameter {other}", self.id),
            })
            .collect();
        // One of four, none of which is needed by itself.
        query.extend((self.id == "lookupMedia").then(|| "imdb_id=tt0133093".to_owned()));
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// A body that this operation accepts, if it takes one.
    pub fn body(&self) -> Option<Value> {
        let schema = self.spec["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str()?;
        Some(match schema.rsplit('/').next().unwrap() {
            "LibraryEntryWrite" | "LibraryEntryPatch" => json!({ "status": "dropped", "rating": 7 }),
            "WatchedEpisodeWrite" => json!({ "watched_on": "2001-02-03" }),
            "AiredEpisodesWrite" | "SeasonEpisodesWrite" => json!({ "on": "2012-02-03" }),
            "MutationBatchWrite" => json!({
                "cursor": "none",
                "mutations": [{
                    "id": "5b1c7e2a-0f4d-4c9b-8a37-2e6d90c1b4ff", "made_at": "2026-01-01T00:00:00.000Z", "kind": "entry",
                    "key": "tv:tmdb:1399", "base_revision": 1, "set": { "rating": 7 },
                }],
            }),
            "Archive" => json!({
                "format": "omnitrack-archive", "version": 1, "exported_at": "2026-01-01T00:00:00.000Z",
                "facts": {
                    "purposes": [], "categories": [], "recipients": [], "origins": [], "retention": [], "rights": [],
                    "automated_decisions": "", "transfers": "",
                },
                "profile": { "state": "not_configured" },
                "account": {
                    "id": "5f2d8a90-4f3c-4b1e-9a57-1d6c0e8b2f43", "time_zone": "UTC", "progress_sets_status": true,
                    "revision": 1, "created_at": "2026-01-01T00:00:00.000Z",
                    "updated_at": "2026-01-01T00:00:00.000Z",
                },
                "devices": [], "consents": [], "library": [], "lists": [],
                "records": { "deleted": [], "mutations": [], "exports": [], "imports": [], "idempotency_keys": [] },
            }),
            "ExportWrite" => json!({ "format": "json" }),
            "ReviewWrite" => json!({ "body": "not mine" }),
            "CommentWrite" => json!({ "body": "not mine" }),
            "HistoryEventWrite" => json!({ "finished_on": "2001-02-03", "precision": "day" }),
            "MediaListWrite" | "MediaListPatch" => json!({ "name": "not mine" }),
            "ListItemWrite" | "ListItemPatch" => json!({ "note": "not mine" }),
            "ConsentWrite" => json!({ "version": "1", "decision": "withdrawn" }),
            "DeviceWrite" => json!({ "model": "not mine", "os_version": "1", "app_version": "1" }),
            "AccountPatch" => json!({ "time_zone": "Europe/Berlin" }),
            other => panic!("{}: this test has no body for {other}", self.id),
        })
    }
}

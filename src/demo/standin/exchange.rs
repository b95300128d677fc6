//! One request as a stand-in sees it and one answer as it gives it. Owns decoding of queries and forms
//! and the making of JSON, text and picture answers; knows no upstream.

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use serde_json::Value;

/// One request, kept for tests as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub method: String,
    /// Path and query as sent, undecoded.
    pub target: String,
    /// Names in lower case, as hyper gives them; repeated headers appear repeatedly.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// All of it, byte for byte as it came over the connection.
    pub raw: Vec<u8>,
}

impl Recorded {
    /// The first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

pub(super) struct Received {
    pub method: Method,
    /// Undecoded, so that an escaped slash stays one.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub(super) fn new(parts: &Parts, body: Bytes) -> Self {
        Self {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: decode(parts.uri.query().unwrap_or_default()),
            headers: parts.headers.clone(),
            body,
        }
    }

    pub(super) fn record(&self, parts: &Parts, raw: Vec<u8>) -> Recorded {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Recorded {
            method: parts.method.to_string(),
            target: parts.uri.path_and_query().map_or_else(|| self.path.clone(), ToString::to_string),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
                .collect(),
            body: self.body.to_vec(),
            raw,
        }
    }

    /// The query parameter of that name, the last one where it is repeated.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What follows `Bearer ` (with a capital B, as the upstreams want it).
    pub(super) fn bearer(&self) -> Option<&str> {
        self.header("authorization").and_then(|value| value.strip_prefix("Bearer "))
    }

    /// The parts of the path between slashes.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.split('/').skip(1).collect()
    }

    /// The body read as a form.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        decode(&String::from_utf8_lossy(&self.body))
    }
}

/// `a=b&c=d` with percent escapes, and `+` for a blank.
fn decode(text: &str) -> Vec<(String, String)> {
    let plain = |part: &str| {
        percent_encoding::percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Reply {
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type".into(), content_type.into())], body: body.into() }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A picture that may be kept for as long as `cache` says.
    pub(super) fn png(body: Vec<u8>, cache: &str) -> Self {
        Self::new(200, "image/png", body).with("cache-control", cache)
    }

    /// Adds a header, or replaces the one of that lower-case name.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self.headers.push((name.into(), value.into()));
        self
    }
}

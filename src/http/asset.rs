//! A document that is the same for everybody: kept once, compressed once, and sent from where it is kept.

use std::io::Write as _;

use aws_lc_rs::digest;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use poem::http::{HeaderMap, StatusCode, header};
use poem::{Request, Response};

use super::etag;

/// A document in the codings that it is sent in.
pub struct Asset {
    content_type: &'static str,
    plain: Representation,
    gzip: Option<Representation>,
}

struct Representation {
    body: Bytes,
    /// With its quotes. Each coding has its own (RFC 9110, section 8.8.1).
    etag: String,
}

impl Asset {
    /// Compresses `text`, which takes some milliseconds per megabyte.
    pub fn new(content_type: &'static str, text: String) -> Self {
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        let hash: String = digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let compressed = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes())?;
            encoder.finish()
        };
        // Writing to memory does not fail; if it did, the plain text would be sent.
        let gzip = compressed()
            .ok()
            .map(|body: Vec<u8>| Representation { body: body.into(), etag: format!("\"{hash}-gzip\"") });
        let plain = Representation { body: text.into(), etag: format!("\"{hash}\"") };
        Self { content_type, plain, gzip }
    }

    /// Returns the answer to `request`: the document in a coding that the client takes, or 304. The body
    /// is shared by all answers.
    pub fn respond(&self, request: &Request) -> Response {
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip(request.headers()));
        let chosen = gzip.unwrap_or(&self.plain);
        let mut response =
            Response::builder().header(header::VARY, "Accept-Encoding").header(header::ETAG, &chosen.etag);
        if gzip.is_some() {
            response = response.header(header::CONTENT_ENCODING, "gzip");
        }
        let known = request.header(header::IF_NONE_MATCH);
        if known.is_some_and(|known| etag::names(known, &chosen.etag)) {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response.content_type(self.content_type).body(chosen.body.clone())
    }
}

/// Whether `Accept-Encoding` names gzip, or anything, with a weight above zero (RFC 9110, section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let weights = values.flat_map(|value| value.split(',')).filter_map(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next()?;
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight: f32 = weight.map_or(Some(1.0), |weight| weight.parse().ok())?;
        Some((name.to_ascii_lowercase(), weight))
    });
    let weights: Vec<(String, f32)> = weights.take(16).collect();
    let of = |wanted: &[&str]| {
        weights.iter().find(|(name, _)| wanted.contains(&name.as_str())).map(|(_, weight)| *weight)
    };
    of(&["gzip", "x-gzip"]).or_else(|| of(&["*"])).is_some_and(|weight| weight > 0.0)
}

#[cfg(test)]
#[path = "asset_test.rs"]
mod tests;

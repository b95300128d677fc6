//! Pages: opaque cursors that hold the key of the last row, so that a page stays right while others
//! write. A cursor is bound to the question it belongs to.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

pub const DEFAULT_LIMIT: i32 = 50;
pub const MAX_LIMIT: i32 = 200;

/// Makes the cursor that goes on after `key`. `question` is everything that decides which rows are
/// shown and in which order.
pub fn encode(question: &str, key: &impl Serialize) -> String {
    let mut bytes = fingerprint(question).to_vec();
    // A key is a tuple of texts and numbers, which cannot fail.
    bytes.extend(serde_json::to_vec(key).unwrap_or_default());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor back. One that belongs to another question, or to none, is refused.
pub fn decode<K: DeserializeOwned>(question: &str, cursor: Option<&str>) -> Result<Option<K>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (mark, key) = bytes.split_at_checked(4)?;
        if mark != fingerprint(question) {
            return None;
        }
        serde_json::from_slice(key).ok()
    };
    match read() {
        Some(key) => Ok(Some(key)),
        None => Err(Error::invalid(
            "invalid_cursor",
            "/query/cursor",
            "is not a cursor of this question: begin again without one",
        )),
    }
}

fn fingerprint(question: &str) -> [u8; 4] {
    let digest = digest::digest(&digest::SHA256, question.as_bytes());
    let mut mark = [0; 4];
    mark.iter_mut().zip(digest.as_ref()).for_each(|(mark, byte)| *mark = *byte);
    mark
}

#[cfg(test)]
#[path = "page_test.rs"]
mod tests;

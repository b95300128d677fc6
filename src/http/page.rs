//! Pages: opaque cursors that hold the key of the last row, so that a page stays right while others
//! write. A cursor is bound to the question it belongs to and signed with the service's own secret: what a
//! client made up never becomes part of a statement. It stays valid over restarts and at every instance.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::secret::{PART, Signer};

pub const DEFAULT_LIMIT: i32 = 50;
pub const MAX_LIMIT: i32 = 200;

/// Makes and reads cursors. Cheap to clone.
#[derive(Clone)]
pub struct Cursors(Signer);

impl Cursors {
    pub fn new(signer: Signer) -> Self {
        Self(signer)
    }

    /// Makes the cursor that goes on after `key`. `question` is everything that decides which rows are
    /// shown and in which order.
    pub fn encode(&self, question: &str, key: &impl Serialize) -> String {
        // A key is a tuple of texts and numbers, which cannot fail.
        let key = serde_json::to_vec(key).unwrap_or_default();
        let signature = self.0.sign(&message(question, &key));
        URL_SAFE_NO_PAD.encode([signature.part(0), &key].concat())
    }

    /// Reads a cursor back.
    ///
    /// # Errors
    /// `invalid_cursor`: it was not made here, or for another question.
    pub fn decode<K: DeserializeOwned>(&self, question: &str, cursor: Option<&str>) -> Result<Option<K>> {
        let Some(cursor) = cursor else { return Ok(None) };
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let (given, key) = bytes.split_at_checked(PART)?;
            if !self.0.verifies(&message(question, key), 0, given) {
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
}

/// What is signed. The length keeps the end of a question from passing for the beginning of a key.
fn message(question: &str, key: &[u8]) -> Vec<u8> {
    let length = u64::try_from(question.len()).unwrap_or(u64::MAX).to_be_bytes();
    [&length, question.as_bytes(), key].concat()
}

#[cfg(test)]
#[path = "page_test.rs"]
mod tests;

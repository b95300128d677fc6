//! Copies on the wire.

use poem_openapi::Object;
use serde::Serialize;
use uuid::Uuid;

use super::wire_enum;
use crate::export;
use crate::http::text::Timestamp;

wire_enum! {
    /// What a copy is: `json`, one document; `zip`, the same document with tables that other services import.
    ExportFormat mirrors export::Format { Json, Zip }
}

/// What copy to make.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct ExportWrite {
    pub format: ExportFormat,
}

/// A copy of everything that is held of the account, to be downloaded for a while.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Export {
    pub id: Uuid,
    pub format: ExportFormat,
    pub created_at: Timestamp,
    /// From then on there is nothing at the address.
    pub expires_at: Timestamp,
    /// Where the copy is, relative to the server. It needs no token: whoever has it has the copy.
    pub url: String,
    /// Whether it was made before, by a request with the same `Idempotency-Key`. Absent in a list.
    pub duplicate: Option<bool>,
}

impl Export {
    pub fn new(link: export::Link, duplicate: Option<bool>) -> Self {
        Self {
            id: link.row.id,
            format: link.format().into(),
            created_at: Timestamp(link.row.created_at),
            expires_at: Timestamp(link.row.expires_at),
            url: format!("/v1/exports/{}", link.token),
            duplicate,
        }
    }
}

/// A page of copies, oldest first.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct ExportPage {
    pub items: Vec<Export>,
    /// Where the next page begins; absent on the last.
    pub next_cursor: Option<String>,
}

//! A file that is written while it is sent.

use std::io;

use bytes::Bytes;
use futures_util::Stream;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};

use super::text::Timestamp;
use crate::archive::format::Archive;
use crate::export::{Download, Format};

/// The name of the archive's schema in the contract.
pub const ARCHIVE: &str = "Archive";

/// A copy, to be saved as a file.
pub struct Attachment {
    format: Format,
    name: String,
    body: Body,
}

impl Attachment {
    pub fn new<S: Stream<Item = io::Result<Bytes>> + Send + 'static>(download: Download<S>) -> Self {
        let Download { format, asked_at, pieces } = download;
        let time = Timestamp(asked_at).to_string();
        let day = time.split('T').next().unwrap_or_default();
        let name = format!("omnitrack-{day}.{}", format.as_str());
        Self { format, name, body: Body::from_bytes_stream(pieces) }
    }
}

impl IntoResponse for Attachment {
    fn into_response(self) -> Response {
        let kind = match self.format {
            Format::Json => "application/json",
            Format::Zip => "application/zip",
        };
        let mut response = Response::builder().status(StatusCode::OK).content_type(kind).body(self.body);
        let headers = response.headers_mut();
        // Nothing on the way may keep it.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", self.name)) {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        response
    }
}

impl ApiResponse for Attachment {
    fn meta() -> MetaResponses {
        let zip = MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")));
        let disposition = MetaHeader {
            name: "Content-Disposition".into(),
            description: Some("That it is a file, and its name.".into()),
            required: true,
            deprecated: false,
            schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
        };
        let response = MetaResponse {
            description: "The copy.",
            status: Some(200),
            status_range: None,
            content: vec![
                // `spec` adds the schema, which is made from the archive's own types.
                MetaMediaType {
                    content_type: "application/json",
                    schema: MetaSchemaRef::Reference(ARCHIVE.into()),
                },
                MetaMediaType { content_type: "application/zip", schema: zip },
            ],
            headers: vec![disposition],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        // Holds the name's place until `spec` puts the schema there.
        registry.create_schema::<Archive, _>(ARCHIVE.into(), |_| MetaSchema::new("object"));
    }
}

//! A body that is too large to arrive within the time of an ordinary request: it may take minutes, and
//! is cut off when nothing comes any more. It is kept in memory, never in a file.

use futures_util::StreamExt;
use poem::http::StatusCode;
use poem::{Body, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use tokio::time::{Instant, timeout, timeout_at};

use super::download::ARCHIVE;
use super::problem::{Problem, Raised};
use crate::config::Uploads;
use crate::import::archive::{MAX_PACKED, Packed};

const TYPES: [&str; 2] = ["application/json", "application/zip"];

/// An archive on its way in.
pub struct Upload {
    body: Body,
    length: Option<usize>,
}

impl Upload {
    /// All of it, if it is not too large and keeps coming.
    pub async fn read(self, times: Uploads) -> Result<Packed, Problem> {
        // What is known to be too large is not waited for.
        if self.length.is_some_and(|length| length > MAX_PACKED) {
            return Err(too_large());
        }
        let end = Instant::now() + times.whole;
        let mut packed = Packed::default();
        let mut pieces = self.body.into_bytes_stream();
        loop {
            let next = timeout(times.stall, pieces.next());
            let piece = match timeout_at(end, next).await {
                Ok(Ok(None)) => return Ok(packed),
                Ok(Ok(Some(Ok(piece)))) => piece,
                Ok(Ok(Some(Err(_)))) => return Err(ended_early()),
                Ok(Err(_)) | Err(_) => return Err(too_slow()),
            };
            if !packed.add(&piece) {
                return Err(too_large());
            }
        }
    }
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large")
        .detail(format!("at most {MAX_PACKED} bytes"))
}

fn ended_early() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed_body", "The body cannot be read")
        .detail("the body ended early")
}

/// The body did not arrive in time.
pub fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "upload_timed_out", "The body took too long to arrive")
        .detail("nothing was changed: send it again")
}

impl<'a> ApiExtractor<'a> for Upload {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(_registry: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        let zip = MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")));
        let [json_type, zip_type] = TYPES;
        Some(MetaRequest {
            description: None,
            content: vec![
                // `spec` adds the schema, which is made from the archive's own types.
                MetaMediaType { content_type: json_type, schema: MetaSchemaRef::Reference(ARCHIVE.into()) },
                MetaMediaType { content_type: zip_type, schema: zip },
            ],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let kind = request.content_type().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !TYPES.iter().any(|known| kind.eq_ignore_ascii_case(known)) {
            let title = "The body must be JSON or a ZIP file";
            let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", title)
                .detail("send application/json or application/zip");
            return Err(Raised(Box::new(problem)).into());
        }
        let length = request.header("content-length").and_then(|length| length.parse().ok());
        Ok(Self { body: body.take()?, length })
    }
}

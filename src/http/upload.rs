//! A body that is too large to arrive within the time of an ordinary request: it may take minutes, and
//! is cut off when nothing comes any more. It is kept in memory, never in a file.

use poem::http::StatusCode;
use poem::{Body, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use tokio::time::timeout;
use uuid::Uuid;

use super::body::{self, Bounds, Unread};
use super::download::ARCHIVE;
use super::problem::{Problem, Raised};
use crate::admission::Reservation;
use crate::config::Uploads;
use crate::import::archive::{MAX_PACKED, Packed};

const TYPES: [&str; 2] = ["application/json", "application/zip"];

/// An archive on its way in.
pub struct Upload {
    body: Body,
    length: Option<usize>,
}

impl Upload {
    /// Reads all of it, paid for by the reservation, if it is not too large and keeps coming.
    pub async fn read(self, times: Uploads, reservation: &mut Reservation<Uuid>) -> Result<Packed, Problem> {
        let bounds = Bounds { bytes: MAX_PACKED, window: times.stall, least: times.least };
        let mut packed = Packed::default();
        // The bounds are those of `Packed`, which therefore has room for every piece.
        let take = |piece: &[u8]| {
            let _ = packed.add(piece);
        };
        let read = body::read(self.body, self.length, bounds, reservation, take);
        timeout(times.whole, read).await.unwrap_or(Err(Unread::TooSlow))?;
        Ok(packed)
    }
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
        body::refuse_compressed(request.headers()).map_err(|problem| Raised(Box::new(problem)))?;
        Ok(Self { body: body.take()?, length: body::declared_length(request) })
    }
}

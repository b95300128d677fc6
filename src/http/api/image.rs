//! Pictures: what `cover` of a title points to. Needs no token, since an image view cannot send one; an
//! address that this service has not signed leads nowhere.

use std::sync::Arc;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::param::{Header, Path};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::{ApiResponse, OpenApi};

use super::{Absent, Area};
use crate::app::App;
use crate::catalog::{self, PictureType, SourceName};
use crate::error::Error;
use crate::http::etag;
use crate::http::json::empty;
use crate::http::problem::Fail;

pub struct ImageApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/images", tag = "Area::Catalog")]
impl ImageApi {
    /// Show a cover
    ///
    /// The picture itself, at an address that `cover` of a title has: any other leads to 404, as does a
    /// picture that its source no longer has. Needs no token and may be kept for long.
    #[oai(path = "/:source/:size/:image/:signature", method = "get", operation_id = "getImage")]
    async fn get(
        &self,
        source: Path<String>,
        size: Path<String>,
        image: Path<String>,
        signature: Path<String>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Shown, Fail<Absent>> {
        let found = self.app.covers.find(&source.0, &size.0, &image.0, &signature.0);
        let (cover, size) = found.ok_or(Error::NotFound)?;
        let picture = self.app.picture(&cover, size).await?;
        Ok(Shown { picture, source: cover.source(), if_none_match: if_none_match.0 })
    }
}

/// A picture with its `ETag`, or 304 when the client has it already.
struct Shown {
    picture: Arc<catalog::Picture>,
    source: SourceName,
    if_none_match: Option<String>,
}

/// A picture is handed out as what it is and can do nothing, whatever hides in it.
const INERT: HeaderValue =
    HeaderValue::from_static("default-src 'none'; sandbox; base-uri 'none'; frame-ancestors 'none'");

/// TMDB and IGDB give another picture another name; Google names it by its book.
const fn cache_control(source: SourceName) -> HeaderValue {
    match source {
        SourceName::Tmdb | SourceName::Igdb => {
            HeaderValue::from_static("public, max-age=31536000, immutable")
        }
        SourceName::GoogleBooks => HeaderValue::from_static("public, max-age=2592000"),
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let digest: String = self.picture.digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let tag = format!("\"{digest}\"");
        let known = self.if_none_match.is_some_and(|header| etag::names(&header, &tag));
        let mut response = if known {
            empty(StatusCode::NOT_MODIFIED)
        } else {
            let builder = Response::builder().content_type(self.picture.kind.content_type());
            builder.body(self.picture.bytes.clone())
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, cache_control(self.source));
        headers.insert(header::CONTENT_SECURITY_POLICY, INERT);
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

impl ApiResponse for Shown {
    fn meta() -> MetaResponses {
        let text = |format: &'static str| {
            MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", format)))
        };
        let tag = || MetaHeader {
            name: "ETag".into(),
            description: Some("A hash of the picture.".into()),
            required: true,
            deprecated: false,
            schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
        };
        let content = PictureType::ALL
            .map(|kind| MetaMediaType { content_type: kind.content_type(), schema: text("binary") });
        let response = |status: u16, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: vec![tag()],
        };
        MetaResponses {
            responses: vec![
                response(200, "The picture.", content.into()),
                response(304, "Unchanged since the `ETag` in `If-None-Match`.", Vec::new()),
            ],
        }
    }

    fn register(_registry: &mut Registry) {}
}

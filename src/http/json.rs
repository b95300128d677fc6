//! JSON bodies. What comes in is held to the contract's own schema, so that every violation is
//! reported at once; what goes out is serialised straight from the view.

use poem::http::StatusCode;
use poem::{IntoResponse, Request, RequestBody, Response};
use poem_openapi::payload::{ParsePayload, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use super::contract::Operation;
use super::problem::{Problem, Raised};
use std::sync::Arc;

/// A request body of at most `LIMIT` bytes; 1 MiB unless said otherwise.
pub struct Json<T, const LIMIT: usize = BODY_LIMIT>(pub T);

/// The bound on a request body, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

impl<T: Type, const LIMIT: usize> Payload for Json<T, LIMIT> {
    const CONTENT_TYPE: &'static str = "application/json";

    fn check_content_type(content_type: &str) -> bool {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ParseFromJSON, const LIMIT: usize> ParsePayload for Json<T, LIMIT> {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let raised = |problem: Problem| poem::Error::from(Raised(Box::new(problem)));
        let bytes = body.take()?.into_bytes_limit(LIMIT).await.map_err(|error| match error {
            poem::error::ReadBodyError::PayloadTooLarge => raised(too_large(LIMIT)),
            _ => raised(malformed("the body ended early")),
        })?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
            // serde_json names the place and the kind of mistake, never the text.
            raised(malformed(&format!("line {}, column {}", error.line(), error.column())))
        })?;
        if let Some(operation) = request.extensions().get::<Arc<Operation>>() {
            let violations = operation.check_body(&value);
            if !violations.is_empty() {
                return Err(raised(invalid().errors(violations)));
            }
        }
        T::parse_from_json(Some(value))
            .map(Self)
            .map_err(|error| raised(invalid().detail(error.into_message())))
    }
}

pub(super) fn unsupported() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The body must be application/json",
    )
}

pub(super) fn too_large(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is larger than allowed")
        .detail(format!("at most {limit} bytes"))
}

fn malformed(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed_json", "The body is not JSON").detail(detail)
}

pub(super) fn invalid() -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", "The body is not valid")
}

impl<'a, T: ParseFromJSON, const LIMIT: usize> ApiExtractor<'a> for Json<T, LIMIT> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType { content_type: Self::CONTENT_TYPE, schema: T::schema_ref() }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if !request.content_type().is_some_and(Self::check_content_type) {
            return Err(Raised(Box::new(unsupported())).into());
        }
        <Self as ParsePayload>::from_request(request, body).await
    }
}

/// A JSON body that was serialised already.
pub fn response(status: StatusCode, body: Vec<u8>) -> Response {
    Response::builder().status(status).content_type("application/json").body(body)
}

/// Serialises a view. Views hold strings, numbers and lists only, which cannot fail.
pub fn bytes(view: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    if let Err(error) = serde_json::to_writer(&mut bytes, view) {
        tracing::error!(%error, "view not serialisable");
    }
    bytes
}

/// So that the edge can turn a text into a response without a body type of its own.
pub fn empty(status: StatusCode) -> Response {
    status.into_response()
}

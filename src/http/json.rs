//! JSON bodies. What comes in is held to the contract's own schema before anything is built from it, so that
//! every violation is reported at once and memory is bounded by the schema, not by the text; what goes out is
//! serialised straight from the view.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::{IntoResponse, Request, RequestBody, Response};
use poem_openapi::payload::{ParsePayload, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;
use uuid::Uuid;

use super::auth::Caller;
use super::body::{self, Bounds};
use super::contract::Operation;
use super::problem::{Problem, Raised};
use crate::admission::Reservation;
use crate::app::App;
use crate::config;

/// A request body of at most `LIMIT` bytes; 1 MiB unless said otherwise. Its bytes count against the budget of
/// the account until this is dropped.
pub struct Json<T, const LIMIT: usize = BODY_LIMIT>(pub T, #[allow(dead_code)] Reservation<Uuid>);

/// Characters shown of what the parser of a type says.
const MAX_DETAIL: usize = 300;

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
        let (text, reservation) = receive(request, body, LIMIT).await.map_err(raised)?;
        let value = checked(request, text).map_err(raised)?;
        T::parse_from_json(Some(value)).map(|parsed| Self(parsed, reservation)).map_err(|error| {
            // May quote a value.
            raised(invalid().detail(error.into_message().chars().take(MAX_DETAIL).collect::<String>()))
        })
    }
}

/// Reads the body of a signed-in caller within the bounds on bodies.
async fn receive(
    request: &Request,
    body: &mut RequestBody,
    limit: usize,
) -> Result<(Vec<u8>, Reservation<Uuid>), Problem> {
    body::refuse_compressed(request.headers())?;
    let caller = request.extensions().get::<Caller>().ok_or_else(Problem::unauthorized)?;
    let app = request.extensions().get::<App>().ok_or_else(Problem::internal)?;
    let config::Bodies { window, least, .. } = app.config.bodies;
    let bounds = Bounds { bytes: limit, window, least };
    let mut reservation = app.bodies.accounts.reserve(caller.id())?;
    let body = body.take().map_err(|_| Problem::internal())?;
    let text = body::collect(body, body::declared_length(request), bounds, &mut reservation).await?;
    Ok((text, reservation))
}

/// The value of a body that fits the operation's schema.
fn checked(request: &Request, text: Vec<u8>) -> Result<Value, Problem> {
    if let Some(operation) = request.extensions().get::<Arc<Operation>>() {
        let violations = operation.check_body(&text).map_err(|error| malformed(&error))?;
        if !violations.is_empty() {
            return Err(invalid().errors(violations));
        }
    }
    serde_json::from_slice(&text).map_err(|error| malformed(&error))
}

pub(super) fn unsupported() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The body must be application/json",
    )
}

/// serde_json names the place and the kind of mistake, never the text.
fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed_json", "The body is not JSON").detail(format!(
        "line {}, column {}",
        error.line(),
        error.column()
    ))
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

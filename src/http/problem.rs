//! Every error on the wire: a problem document (RFC 9457) with a stable `code` that clients switch
//! on. This is the one place that gives a domain error its HTTP status.

use std::marker::PhantomData;

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object};
use serde_json::Value;

use super::text::Timestamp;
use crate::clock::Millis;
use crate::db;
use crate::error::{Error, Violation};

/// A problem document as RFC 9457 describes it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, serde::Serialize)]
#[oai(rename = "Problem", skip_serializing_if_is_none)]
pub struct ProblemBody {
    /// Identifies the kind of problem: `/problems/` and the code.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: i32,
    /// What happened this time.
    pub detail: Option<String>,
    /// The stable name of the problem: switch on this.
    pub code: String,
    /// Names this request in the service's logs.
    pub request_id: String,
    /// Everything that is wrong with the input, each with its place.
    pub errors: Option<Vec<ViolationBody>>,
    /// What the resource looks like now (only with `revision_conflict`).
    pub current: Option<CurrentState>,
    /// When the account's deletion takes effect (only with `account_deletion_pending`).
    pub due_at: Option<Timestamp>,
}

/// One thing that is wrong with the input.
#[derive(Debug, Clone, Object, serde::Serialize)]
#[oai(rename = "Violation")]
pub struct ViolationBody {
    /// A JSON pointer into the body, or `/query/<name>`, `/path/<name>`, `/header/<name>`.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

pub use super::current::CurrentState;

/// A problem on its way out. The edge adds the request id.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub title: &'static str,
    pub detail: Option<String>,
    pub errors: Vec<Violation>,
    pub current: Option<Value>,
    pub due_at: Option<Millis>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        let (errors, headers) = (Vec::new(), Vec::new());
        Self { status, code, title, detail: None, errors, current: None, due_at: None, headers }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn errors(mut self, errors: Vec<Violation>) -> Self {
        self.errors = errors;
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// RFC 6750: what to do to be let in. The body is the same for every cause.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "A valid session token is needed")
            .header(header::WWW_AUTHENTICATE, "Bearer realm=\"omnitrack\"")
    }

    /// Parameters that are not as the contract says.
    pub fn invalid_parameters(errors: Vec<Violation>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", "A parameter is not valid").errors(errors)
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here")
    }

    pub fn busy(seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The service is busy")
            .detail("nothing was changed: try again")
            .header(header::RETRY_AFTER, &seconds.to_string())
    }

    /// The database cannot be reached or has cut the connection: what was sent to it may have arrived.
    pub fn database_unavailable() -> Self {
        let title = "The database is not available";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable", title)
            .detail("the request may or may not have taken effect: repeat it")
            .header(header::RETRY_AFTER, "2")
    }

    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side")
    }

    pub fn rate_limited(seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests")
            .header(header::RETRY_AFTER, &seconds.to_string())
    }

    /// What the client reads, with the id of the request it answers.
    pub fn body(self, request_id: &str) -> ProblemBody {
        ProblemBody {
            kind: format!("/problems/{}", self.code),
            title: self.title.to_owned(),
            status: i32::from(self.status.as_u16()),
            detail: self.detail,
            code: self.code.to_owned(),
            request_id: request_id.to_owned(),
            errors: (!self.errors.is_empty()).then(|| {
                let body = |v: Violation| ViolationBody { pointer: v.pointer, message: v.message };
                self.errors.into_iter().map(body).collect()
            }),
            current: self.current.map(CurrentState),
            due_at: self.due_at.map(Timestamp),
        }
    }

    /// The response, with the id of the request it answers.
    pub fn into_response(mut self, request_id: &str) -> Response {
        let (status, headers) = (self.status, std::mem::take(&mut self.headers));
        let body = serde_json::to_vec(&self.body(request_id)).unwrap_or_default();
        let mut response =
            Response::builder().status(status).content_type("application/problem+json").body(body);
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found(),
            Error::Deleted => Self::new(StatusCode::GONE, "deleted", "This id belonged to something deleted")
                .detail("choose a new id"),
            Error::RevisionConflict => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "revision_conflict",
                "It has changed since the revision in If-Match",
            ),
            Error::CursorExpired => {
                Self::new(StatusCode::GONE, "cursor_expired", "This cursor is of no use any more").detail(
                    "begin again without a cursor, drop what does not come, send what the server lacks",
                )
            }
            Error::AccountErased => Self { code: "account_erased", ..Self::unauthorized() },
            Error::DeletionPending { due_at } => Self {
                due_at: Some(due_at),
                ..Self::new(StatusCode::FORBIDDEN, "account_deletion_pending", "The account is to be deleted")
            }
            .detail("take the deletion back first, or wait until it is done"),
            Error::Impersonated => {
                Self::new(StatusCode::FORBIDDEN, "impersonated", "Only the person themselves may do this")
            }
            Error::Invalid { code, violations } => {
                let parameter = violations.iter().any(|v| {
                    ["/query/", "/path/", "/header/"].iter().any(|place| v.pointer.starts_with(place))
                });
                let status =
                    if parameter { StatusCode::BAD_REQUEST } else { StatusCode::UNPROCESSABLE_ENTITY };
                Self::new(status, code, "The input is not valid").errors(violations)
            }
            // draft-ietf-httpapi-idempotency-key-header-07, section 2.7.
            Error::IdempotencyKeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The Idempotency-Key was used for another request",
            )
            .errors(vec![Violation::new("/header/Idempotency-Key", "choose a new one for a new request")]),
            Error::LimitReached { what, limit } => {
                Self::new(StatusCode::CONFLICT, "limit_reached", "No more of these can be kept")
                    .detail(format!("at most {limit} {what}"))
            }
            Error::TooManyStreams => {
                let title = "The account has as many event streams open as it may";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", title)
                    .header(header::RETRY_AFTER, "60")
            }
            Error::TooManyTransfers => {
                let title = "Another transfer of the account is under way";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_transfers", title)
                    .detail("nothing was changed: wait until it has ended")
                    .header(header::RETRY_AFTER, "10")
            }
            Error::Busy => Self::busy(1),
            Error::ClerkUnavailable { retry_after_seconds } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "clerk_unavailable",
                "Clerk cannot be asked just now",
            )
            .detail("nothing was changed: try again")
            .header(header::RETRY_AFTER, &retry_after_seconds.to_string()),
            // Trying again would not help, which is what tells it from 503.
            Error::ClerkNotConfigured => Self::new(
                StatusCode::NOT_IMPLEMENTED,
                "clerk_not_configured",
                "This service was given no access to Clerk's users",
            ),
            Error::SourceUnavailable { retry_after_seconds } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "source_unavailable", "The source does not answer")
                    .header(header::RETRY_AFTER, &retry_after_seconds.to_string())
            }
            Error::Database(error) if db::is_busy(&error) => Self::busy(1),
            Error::Database(error) if db::is_storage_full(&error) => {
                tracing::error!("storage full");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "storage_full", "Storage full")
                    .detail("the service cannot store anything at the moment: send the request again later")
                    .header(header::RETRY_AFTER, "60")
            }
            Error::Database(error) if db::is_unavailable(&error) => {
                tracing::error!(kind = db::error_kind(&error), "database error");
                Self::database_unavailable()
            }
            Error::Database(error) => {
                // The text may quote a value of the person's: only the kind is logged.
                tracing::error!(kind = db::error_kind(&error), "database error");
                Self::internal()
            }
        }
    }
}

/// The statuses that one operation may answer beyond those that every operation shares.
pub trait Statuses: Send + Sync + 'static {
    const LIST: &'static [u16];
}

/// A failed operation, documented with exactly the statuses of `S`.
pub struct Fail<S>(Box<Problem>, PhantomData<S>);

impl<S, E: Into<Problem>> From<E> for Fail<S> {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()), PhantomData)
    }
}

impl<S: Statuses> From<Fail<S>> for poem::Error {
    fn from(fail: Fail<S>) -> Self {
        Raised(fail.0).into()
    }
}

/// Carries a problem through poem to the edge.
#[derive(Debug)]
pub struct Raised(pub Box<Problem>);

impl std::fmt::Display for Raised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code)
    }
}

impl std::error::Error for Raised {}

impl poem::error::ResponseError for Raised {
    fn status(&self) -> StatusCode {
        self.0.status
    }
}

impl<S> IntoResponse for Fail<S>
where
    S: Statuses,
{
    fn into_response(self) -> Response {
        poem::Error::from(self).into_response()
    }
}

/// What each status means, in the contract's words.
pub fn describe(status: u16) -> &'static str {
    match status {
        400 => "A parameter is not valid, or the body is not JSON.",
        401 => "A valid session token is needed.",
        403 => {
            "`account_deletion_pending`: the account is to be deleted at `due_at`; take that back first. `impersonated`: only the person themselves may do this."
        }
        404 => "It does not exist, or belongs to somebody else.",
        408 => "The body took too long to arrive: send it again.",
        409 => "The account keeps as many of these as it may.",
        410 => {
            "`deleted`: this id, or what was made under this key, is gone; choose a new one. `cursor_expired`: begin again without a cursor."
        }
        412 => "It has changed since the revision in `If-Match`; `current` shows how it is now.",
        413 => "The body is larger than allowed.",
        415 => {
            "`unsupported_media_type`: the body must be `application/json`, unless said otherwise. `unsupported_content_encoding`: the body must not be compressed."
        }
        422 => "The input was understood and is not valid.",
        429 => "Too many requests, open streams or transfers; `Retry-After` says when to come back.",
        500 => "Something went wrong on our side.",
        501 => "`clerk_not_configured`: this service was given no access to Clerk's users.",
        503 => {
            "Busy, or the database, a source or Clerk does not answer; `Retry-After` says when to come back."
        }
        _ => "An error.",
    }
}

impl<S: Statuses> ApiResponse for Fail<S> {
    fn meta() -> MetaResponses {
        let response = |status: &u16| MetaResponse {
            description: describe(*status),
            status: Some(*status),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: "application/problem+json",
                schema: ProblemBody::schema_ref(),
            }],
            headers: Vec::new(),
        };
        MetaResponses { responses: S::LIST.iter().map(response).collect() }
    }

    fn register(registry: &mut Registry) {
        ProblemBody::register(registry);
    }
}

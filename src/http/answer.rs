//! The shapes of successful answers: one resource with its `ETag`, a page, a value without one, and
//! nothing at all.

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use serde::Serialize;

use super::etag::ETag;
use super::json;

/// A resource with a revision: 200 with its `ETag`, or 304 when the client has it already.
pub struct Found<T> {
    view: T,
    revision: i64,
    if_none_match: Option<String>,
}

impl<T> Found<T> {
    pub fn new(view: T, revision: i64, if_none_match: Option<String>) -> Self {
        Self { view, revision, if_none_match }
    }
}

impl<T: Serialize + Type> IntoResponse for Found<T> {
    fn into_response(self) -> Response {
        let body = json::bytes(&self.view);
        let etag = ETag::new(self.revision, &body);
        let known = self.if_none_match.is_some_and(|header| etag.is_in(&header));
        let mut response =
            if known { json::empty(StatusCode::NOT_MODIFIED) } else { json::response(StatusCode::OK, body) };
        set_etag(&mut response, &etag);
        response
    }
}

impl<T: Serialize + Type> ApiResponse for Found<T> {
    fn meta() -> MetaResponses {
        let not_modified = MetaResponse {
            description: "Unchanged since the `ETag` in `If-None-Match`.",
            content: Vec::new(),
            ..with_etag::<T>(304, "")
        };
        MetaResponses { responses: vec![with_etag::<T>(200, "The resource."), not_modified] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// A resource as [`Found`] shows it, or with something in it that nobody may keep: then without an
/// `ETag`, never 304, and in no cache.
pub enum MaybeKept<T> {
    Found(Found<T>),
    NotKept(T),
}

impl<T: Serialize + Type> IntoResponse for MaybeKept<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Found(found) => found.into_response(),
            Self::NotKept(view) => {
                let mut response = json::response(StatusCode::OK, json::bytes(&view));
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                response
            }
        }
    }
}

impl<T: Serialize + Type> ApiResponse for MaybeKept<T> {
    fn meta() -> MetaResponses {
        let mut meta = Found::<T>::meta();
        let kept = meta.responses.iter_mut().filter(|response| response.status == Some(200));
        for header in kept.flat_map(|response| response.headers.iter_mut()) {
            header.required = false;
        }
        meta
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// A resource that was just written: 201 if the write made it, else 200.
pub struct Written<T> {
    pub view: T,
    pub revision: i64,
    pub created: bool,
}

impl<T: Serialize + Type> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        let body = json::bytes(&self.view);
        let etag = ETag::new(self.revision, &body);
        let mut response =
            json::response(if self.created { StatusCode::CREATED } else { StatusCode::OK }, body);
        set_etag(&mut response, &etag);
        response
    }
}

impl<T: Serialize + Type> ApiResponse for Written<T> {
    fn meta() -> MetaResponses {
        MetaResponses {
            responses: vec![
                with_etag::<T>(200, "It existed and is now as asked."),
                with_etag::<T>(201, "It was created."),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// A resource that existed and was changed: always 200.
pub struct Changed<T> {
    pub view: T,
    pub revision: i64,
}

impl<T: Serialize + Type> IntoResponse for Changed<T> {
    fn into_response(self) -> Response {
        Written { view: self.view, revision: self.revision, created: false }.into_response()
    }
}

impl<T: Serialize + Type> ApiResponse for Changed<T> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![with_etag::<T>(200, "It is now as asked.")] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// A value that has no revision: a page, a search answer, a media item.
pub struct Plain<T>(pub T);

impl<T: Serialize + Type> IntoResponse for Plain<T> {
    fn into_response(self) -> Response {
        json::response(StatusCode::OK, json::bytes(&self.0))
    }
}

impl<T: Serialize + Type> ApiResponse for Plain<T> {
    fn meta() -> MetaResponses {
        let response = MetaResponse { headers: Vec::new(), ..with_etag::<T>(200, "The answer.") };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// Something that was begun, and goes on after the answer.
pub struct Accepted<T>(pub T);

impl<T: Serialize + Type> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        json::response(StatusCode::ACCEPTED, json::bytes(&self.0))
    }
}

impl<T: Serialize + Type> ApiResponse for Accepted<T> {
    fn meta() -> MetaResponses {
        let response =
            MetaResponse { headers: Vec::new(), ..with_etag::<T>(202, "It has begun; how far it is.") };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// Something that a POST has made, now or when it came first.
pub struct Made<T>(pub T);

impl<T: Serialize + Type> IntoResponse for Made<T> {
    fn into_response(self) -> Response {
        json::response(StatusCode::CREATED, json::bytes(&self.0))
    }
}

impl<T: Serialize + Type> ApiResponse for Made<T> {
    fn meta() -> MetaResponses {
        let response = MetaResponse { headers: Vec::new(), ..with_etag::<T>(201, "It was made.") };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// It is gone, or was not there to begin with.
pub struct Gone;

impl IntoResponse for Gone {
    fn into_response(self) -> Response {
        json::empty(StatusCode::NO_CONTENT)
    }
}

impl ApiResponse for Gone {
    fn meta() -> MetaResponses {
        let response = MetaResponse {
            description: "It is gone, or was not there to begin with.",
            status: Some(204),
            status_range: None,
            content: Vec::new(),
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_registry: &mut Registry) {}
}

fn set_etag(response: &mut Response, etag: &ETag) {
    if let Ok(value) = HeaderValue::from_str(&etag.to_string()) {
        response.headers_mut().insert(header::ETAG, value);
    }
}

fn with_etag<T: Type>(status: u16, description: &'static str) -> MetaResponse {
    MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }],
        headers: vec![MetaHeader {
            name: "ETag".into(),
            description: Some("The resource's revision and a hash of this body.".into()),
            required: true,
            deprecated: false,
            schema: MetaSchemaRef::Inline(Box::new(poem_openapi::registry::MetaSchema::new("string"))),
        }],
    }
}

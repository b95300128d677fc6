//! Server-sent events, as the HTML standard has them.

use std::io;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;

use super::view::feed::SyncHead;
use crate::sync::Event;

pub const CONTENT_TYPE: &str = "text/event-stream";

/// A body that goes on until the events end.
pub struct EventStream(Body);

impl EventStream {
    pub fn new(events: impl Stream<Item = Event> + Send + 'static) -> Self {
        Self(Body::from_bytes_stream(events.map(|event| Ok::<_, io::Error>(text(event)))))
    }
}

fn text(event: Event) -> Bytes {
    match event {
        // The id is what a client that comes back sends as `Last-Event-ID`.
        Event::Revision(n) => format!("event: revision\nid: {n}\ndata: {{\"revision\":{n}}}\n\n").into(),
        Event::Heartbeat => Bytes::from_static(b":\n\n"),
        Event::Bye(n) => format!("event: bye\ndata: {{\"revision\":{n}}}\n\n").into(),
    }
}

/// What a stream looks like, for the contract.
pub const EXAMPLE: &str =
    "event: revision\nid: 17\ndata: {\"revision\":17}\n\n:\n\nevent: bye\ndata: {\"revision\":17}\n\n";

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        let mut response = Response::builder().status(StatusCode::OK).content_type(CONTENT_TYPE).body(self.0);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // Some proxies gather an answer before they pass it on, unless told not to.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    }
}

impl ApiResponse for EventStream {
    fn meta() -> MetaResponses {
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema {
            description: Some("Events `revision` and `bye`, each with a `SyncHead` as its data."),
            ..MetaSchema::new("string")
        }));
        let response = MetaResponse {
            description: "The events, as they come.",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType { content_type: CONTENT_TYPE, schema }],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        SyncHead::register(registry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn events_are_written_as_the_standard_has_them() {
        let events = [Event::Revision(17), Event::Heartbeat, Event::Bye(17)];
        let response = EventStream::new(futures_util::stream::iter(events)).into_response();
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.into_body().into_string().await.unwrap(), EXAMPLE);
    }
}

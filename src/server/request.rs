//! What the server looks at in a request before and after it is handled, which the endpoint cannot see.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, SizeHint};
use poem::Request;
use poem::http::{Version, header};

/// Whether the request breaks RFC 9112, section 3.2: several `Host` headers, or none with HTTP/1.1. With
/// HTTP/2 the authority stands in a field of its own.
pub(super) fn has_invalid_host(request: &Request) -> bool {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    match request.version() {
        Version::HTTP_11 => hosts != 1,
        Version::HTTP_09 | Version::HTTP_10 => hosts > 1,
        _ => false,
    }
}

/// Tells whether the body of an HTTP/1 request was read to its end. The connection cannot be used again
/// if it was not, and the client should learn that before it sends the next request.
pub(super) struct BodyWatch(Option<Arc<AtomicBool>>);

impl BodyWatch {
    /// Begins to watch the body of `request`.
    pub(super) fn new(request: &mut Request) -> Self {
        if request.version() > Version::HTTP_11 {
            return Self(None);
        }
        let body: BoxBody<Bytes, io::Error> = request.take_body().into();
        if body.is_end_stream() {
            request.set_body(body);
            return Self(None);
        }
        let ended = Arc::new(AtomicBool::new(false));
        request.set_body(BoxBody::new(WatchedBody { body, ended: Arc::clone(&ended) }));
        Self(Some(ended))
    }

    pub(super) fn is_unread(&self) -> bool {
        self.0.as_ref().is_some_and(|ended| !ended.load(Ordering::SeqCst))
    }
}

struct WatchedBody {
    body: BoxBody<Bytes, io::Error>,
    ended: Arc<AtomicBool>,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.ended.store(true, Ordering::SeqCst);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! The way of one answer to its client: what it counts as while it waits, and the body that counts what
//! has been sent.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, SizeHint};
use poem::Response;
use poem::http::Method;

use super::budget::{Connection, OpenRequest, Reservation, UnsentBytes};

/// Why a request is not to be handled. The server adds it to the request's extensions, and the endpoint
/// words the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The client has as many answers waiting as it may, or the instance has.
    Busy,
    /// An HTTP/1.1 request without a `Host` header, or a request with several.
    Host,
}

/// Room for a request and its answer. The server adds it to the request's extensions, so that a request
/// which is still handled when its client has gone keeps counting. Clones share it.
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

struct Inner {
    connection: Arc<Connection>,
    stall: Duration,
    /// Held until the request is handled.
    _reservation: Option<Reservation>,
    /// The answer's bytes, once they are charged.
    charged: Mutex<Option<UnsentBytes>>,
}

impl Delivery {
    pub(super) fn new(
        connection: &Arc<Connection>,
        stall: Duration,
        reservation: Option<Reservation>,
    ) -> Self {
        let connection = Arc::clone(connection);
        Self(Arc::new(Inner { connection, stall, _reservation: reservation, charged: Mutex::new(None) }))
    }

    /// Whether the answer fits into what may wait for the client; if so, its bytes are charged. If not,
    /// another answer must take its place. Always true for methods that change something, because the
    /// client must learn what has changed, and for bodies that are made while they are sent.
    pub fn fits(&self, method: &Method, response: &mut Response) -> bool {
        let body: BoxBody<Bytes, io::Error> = response.take_body().into();
        let bytes = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
        response.set_body(body);
        match bytes {
            Some(bytes @ 1..) if method.is_safe() => {
                let charged = self.0.connection.try_charge(bytes, self.0.stall);
                let fits = charged.is_some();
                *self.0.charged.lock().unwrap_or_else(PoisonError::into_inner) = charged;
                fits
            }
            _ => true,
        }
    }

    /// Returns the answer with a body that counts what is sent.
    pub(super) fn deliver(self, response: Response, request: OpenRequest) -> hyper::Response<MeteredBody> {
        let response: hyper::Response<BoxBody<Bytes, io::Error>> = response.into();
        let Inner { connection, stall, charged, .. } = &*self.0;
        let charged = charged.lock().unwrap_or_else(PoisonError::into_inner).take();
        response.map(|body| {
            let bytes = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
            let whole = bytes
                .filter(|bytes| *bytes > 0)
                .map(|bytes| Arc::new(charged.unwrap_or_else(|| connection.charge(bytes, *stall))));
            MeteredBody { body, whole, connection: Arc::clone(connection), stall: *stall, _request: request }
        })
    }
}

/// A body whose bytes count as unsent until the connection has written them. Its request counts as open
/// for as long as it lives.
pub(super) struct MeteredBody {
    body: BoxBody<Bytes, io::Error>,
    /// Charged in advance, for a body that is in memory as a whole.
    whole: Option<Arc<UnsentBytes>>,
    connection: Arc<Connection>,
    stall: Duration,
    _request: OpenRequest,
}

impl Body for MeteredBody {
    type Data = MeteredBytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<MeteredBytes>>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => return Poll::Ready(None),
        };
        let metered = frame.map_data(|bytes| {
            let unsent = match &self.whole {
                Some(whole) => Arc::clone(whole),
                None => Arc::new(self.connection.charge(bytes.len(), self.stall)),
            };
            MeteredBytes { bytes, unsent }
        });
        Poll::Ready(Some(Ok(metered)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A piece of a body, on its way through the buffers of HTTP.
pub(super) struct MeteredBytes {
    bytes: Bytes,
    unsent: Arc<UnsentBytes>,
}

impl Buf for MeteredBytes {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.unsent.sent(count);
    }
}

//! Who calls: somebody with a session token, or nobody. Calls go straight into the service's own
//! endpoint; no socket is involved.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::uri::Scheme;
use poem::http::{self, HeaderName, HeaderValue, Method, Uri};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Body, Endpoint, Request, RequestParts, Response};
use serde_json::Value;

use super::answer::Answer;
use super::conform;
use super::events::EventReader;

pub type Service = Arc<BoxEndpoint<'static, Response>>;

const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 50_000);

#[derive(Clone)]
pub struct Persona {
    service: Service,
    pub token: Option<String>,
    /// Where the calls come from.
    pub address: SocketAddr,
}

impl Persona {
    pub fn new(service: Service, token: Option<String>) -> Self {
        Self { service, token, address: LOOPBACK }
    }

    /// The same person, calling another service.
    pub fn at(&self, service: impl Endpoint<Output = Response> + 'static) -> Self {
        use poem::EndpointExt as _;
        Self { service: Arc::new(service.boxed()), ..self.clone() }
    }

    pub fn get(&self, path: &str) -> Call {
        self.request(Method::GET, path)
    }

    pub fn put(&self, path: &str, body: Value) -> Call {
        self.request(Method::PUT, path).json(&body)
    }

    pub fn post(&self, path: &str, body: Value) -> Call {
        self.request(Method::POST, path).json(&body)
    }

    pub fn patch(&self, path: &str, body: Value) -> Call {
        self.request(Method::PATCH, path).json(&body)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.request(Method::DELETE, path)
    }

    /// A call without a body. `path` is as on the wire: escaped, with its query.
    #[track_caller]
    pub fn request(&self, method: Method, path: &str) -> Call {
        let uri = path.parse().expect("a path as on the wire");
        let (headers, body) = (Vec::new(), Vec::new());
        let call = Call { service: self.service.clone(), address: self.address, method, uri, headers, body };
        match &self.token {
            Some(token) => call.header("authorization", &format!("Bearer {token}")),
            None => call,
        }
    }
}

/// A request on its way.
#[derive(Clone)]
#[must_use = "nothing happens until it is sent"]
pub struct Call {
    service: Service,
    address: SocketAddr,
    method: Method,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
}

impl Call {
    /// Adds a header; one that is there already stays.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = name.parse().expect("a header name");
        self.headers.push((name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value")));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.body(body.to_string(), "application/json")
    }

    /// Any bytes under any content type.
    pub fn body(mut self, body: impl Into<Vec<u8>>, content_type: &str) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sends it, and fails if the answer is not as the contract says. A stream of events is not listened
    /// to.
    pub async fn send(self) -> Answer {
        self.exchange().await.0
    }

    /// Sends it, and listens to the events that are the answer.
    pub async fn listen(self) -> EventReader {
        let (answer, body) = self.exchange().await;
        EventReader::new(body.unwrap_or_else(|| panic!("no events: {}", answer.text())))
    }

    async fn exchange(self) -> (Answer, Option<Body>) {
        let mut request = http::Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        for (name, value) in self.headers {
            request.headers_mut().append(name, value);
        }
        let (head, ()) = request.into_parts();
        let remote = RemoteAddr(self.address.into());
        let head = RequestParts::from((head, LocalAddr::default(), remote, Scheme::HTTP));
        let request = Request::from_parts(head, self.body.into());
        let response = self.service.call(request).await.expect("the edge answers everything");
        let (head, body) = response.into_parts();
        let endless = head.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let (body, events) = if endless {
            (Vec::new(), Some(body))
        } else {
            (body.into_vec().await.expect("a body that ends"), None)
        };
        let answer = Answer {
            asked: format!("{} {}", self.method, self.uri),
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        };
        let faults = conform::faults(&self.method, self.uri.path(), &answer);
        assert!(
            faults.is_empty(),
            "{}: {} is not as the contract says:\n  {}\n{}",
            answer.asked,
            answer.status,
            faults.join("\n  "),
            answer.text()
        );
        (answer, events)
    }
}

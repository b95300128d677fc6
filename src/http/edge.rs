//! The one middleware. In this order: the request's id, the operation, the caller, the rate limit,
//! the parameters, then the handler under a time-out; and on the way back every failure as a problem
//! document, the common headers, one log line and the metrics. Nothing of the person is logged.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response};
use tokio::time::timeout_at;
use uuid::Uuid;

use super::access_log::{AccessLog, Entry};
use super::auth::{Caller, bearer};
use super::client_address::client_address;
use super::contract::{Contract, MethodNotAllowed, Operation, Path};
use super::impersonation;
use super::limit::{self, Charge, Decision, Limits};
use super::problem::{Problem, Raised};
use crate::app::App;
use crate::clerk::Rejected;
use crate::error::Error;
use crate::server::{Delivery, Refusal};
use crate::{account, db, erasure};

/// How long a request may take until its answer begins.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// When to come back where a token cannot be verified for want of Clerk's keys.
const KEYS_RETRY_SECONDS: u64 = 5;

/// The operations that may lead to a request to a source.
const LOOKUPS: [&str; 6] =
    ["searchMedia", "getMedia", "listMedia", "getSeason", "lookupMedia", "discoverMedia"];

/// The operation whose body may take longer to arrive than any other request lasts.
const UPLOAD: &str = "createImport";

/// The operation that pictures are shown by. A page shows dozens of them at once, so that it has a limit
/// of its own; and since its addresses are made here, whatever is wrong with one, there is nothing there.
const IMAGE: &str = "getImage";

/// The operation that an erased account still answers, and always the same: its answer can get lost.
const DELETE: &str = "deleteAccount";

/// What an account whose deletion was asked for can still do.
const WHILE_PENDING: [&str; 5] = [DELETE, "restoreAccount", "getAccount", "createExport", "listExports"];

/// Whether a request comes from this machine; behind a proxy, what the proxy says. The edge leaves it with
/// each request.
#[derive(Debug, Clone, Copy)]
pub struct FromLoopback(pub bool);

/// Whom a request without a token comes from, as limits count it. The edge leaves it with each request.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// What monitoring systems ask. Neither the rate limit of an address nor the budgets of the server hold
/// for these: other people's requests would otherwise make the service look dead, above all behind a proxy
/// that names no client.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

pub struct Edge<E> {
    inner: Arc<E>,
    app: App,
    contract: Arc<Contract>,
    limits: Arc<Limits>,
    log: AccessLog,
    timeout: Duration,
}

impl<E> Edge<E> {
    pub fn new(inner: E, app: App, contract: Arc<Contract>) -> Self {
        let limits = Arc::new(Limits::new(&app.config.limits));
        let log = AccessLog::default();
        Self { inner: Arc::new(inner), app, contract, limits, log, timeout: REQUEST_TIMEOUT }
    }

    /// Another time-out, for tests of it.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

impl<E: Endpoint<Output = Response> + 'static> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let id = Uuid::now_v7().simple().to_string();
        let method = request.method().clone();
        let path = self.contract.path(request.uri().path());
        let route = path.map_or("unmatched", |path| path.template);
        let _under_way = self.app.metrics.enter();

        let probe = PROBES.contains(&route);
        let delivery = request.extensions().get::<Delivery>().cloned();
        let mut decisions = Vec::with_capacity(2);
        let handled = self.handle(request, path, &mut decisions);
        let answered = match AssertUnwindSafe(handled).catch_unwind().await {
            Ok(Ok(mut response)) => match delivery {
                Some(delivery) if !probe && !delivery.fits(&method, &mut response) => Err(Problem::busy(1)),
                _ => Ok(response),
            },
            Ok(Err(problem)) => Err(problem),
            Err(_) => Err(Problem::internal()),
        };
        let problem = answered.as_ref().err().map(|problem| problem.code);
        let mut response = answered.unwrap_or_else(|problem| problem.into_response(&id));
        self.add_headers(&mut response, &id, &decisions);

        let entry = Entry {
            request_id: &id,
            method: &method,
            route,
            status: response.status().as_u16(),
            problem,
            authenticated: decisions.iter().any(Decision::is_of_account),
            probe,
            took: started.elapsed(),
        };
        self.log.record(&self.app.metrics, &entry);
        Ok(response)
    }
}

impl<E: Endpoint<Output = Response> + 'static> Edge<E> {
    async fn handle(
        &self,
        mut request: Request,
        path: Option<&Path>,
        decisions: &mut Vec<Decision>,
    ) -> Result<Response, Problem> {
        let address = client_address(&request, self.app.config.behind_proxy);
        request.extensions_mut().insert(ClientAddress(limit::address_key(address)));
        request.extensions_mut().insert(FromLoopback(address.is_loopback()));
        // For everything that follows, the look-up of the caller included.
        let deadline = Instant::now() + self.timeout;
        let mut charge = None;
        let probe = path.is_some_and(|path| PROBES.contains(&path.template));
        if let Some(refusal) = request.extensions().get::<Refusal>()
            && !(probe && *refusal == Refusal::Busy)
        {
            let problem = refused(*refusal);
            return Err(self.count_address(address, decisions).err().unwrap_or(problem));
        }
        let operation = match self.find(&request, path) {
            Ok(operation) => operation,
            Err(problem) => return Err(self.count_address(address, decisions).err().unwrap_or(problem)),
        };
        match operation {
            Some(operation) if operation.secured => match self.caller(&request, operation, deadline).await {
                Ok(caller) => {
                    self.count_account(caller.id(), operation, decisions)?;
                    let counted = Charge::new(self.limits.clone(), caller.id());
                    request.extensions_mut().insert(counted.clone());
                    charge = Some(counted);
                    request.extensions_mut().insert(caller);
                }
                Err(problem) => {
                    let counted = self.count_address(address, decisions);
                    // An outage of ours or of Clerk's is not the client's doing: it must not be told to
                    // slow down.
                    if problem.status.is_client_error() {
                        counted?;
                    }
                    return Err(problem);
                }
            },
            Some(operation) if operation.id == IMAGE => {
                self.limits.image.count(address, decisions);
                refuse(decisions)?;
                if !operation.check_path(request.uri().path()).is_empty() {
                    return Err(Problem::not_found());
                }
            }
            None if probe => {}
            _ => self.count_address(address, decisions)?,
        }
        if let Some(operation) = operation {
            let (uri, headers) = (request.uri(), request.headers());
            let violations = operation.check_parameters(uri.path(), uri.query().unwrap_or_default(), headers);
            if !violations.is_empty() {
                return Err(Problem::invalid_parameters(violations));
            }
            request.extensions_mut().insert(operation.clone());
        }
        let arrives = match operation {
            Some(operation) if operation.id == UPLOAD => self.app.config.uploads.whole,
            _ => Duration::ZERO,
        };
        // An upload is looked at, too, when it has arrived: that has its own bounds.
        let answered = timeout_at((deadline + arrives).into(), self.perform(request)).await;
        if let Some(charge) = charge {
            charge.update(decisions);
        }
        match answered {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                let problem = problem_of(error);
                if probe && problem.status == StatusCode::UNAUTHORIZED {
                    // The token of `/metrics` must not be guessed at any rate.
                    self.count_address(address, decisions)?;
                }
                Err(problem)
            }
            Err(_) => Err(timed_out().detail("the request may or may not have taken effect: repeat it")),
        }
    }

    /// Calls the handler. What may write runs in a task of its own: once begun it runs to its end, even
    /// where the client closes the connection or the time-out passes, because a handler that is dropped
    /// between two statements would leave the rest of its work undone.
    async fn perform(&self, request: Request) -> poem::Result<Response> {
        let inner = Arc::clone(&self.inner);
        let account = request.extensions().get::<Caller>().map(Caller::id);
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let work = async move {
            match account {
                Some(account) => db::on_behalf_of(account, inner.call(request)).await,
                None => inner.call(request).await,
            }
        };
        if reads {
            return work.await;
        }
        // The task ends with an error where the handler panicked.
        self.app
            .writes
            .spawn(work)
            .await
            .unwrap_or_else(|_| Err(Raised(Box::new(Problem::internal())).into()))
    }

    fn find<'a>(
        &self,
        request: &Request,
        path: Option<&'a Path>,
    ) -> Result<Option<&'a Arc<Operation>>, Problem> {
        let path = path.ok_or_else(Problem::not_found)?;
        path.operation(request.method()).map_err(|MethodNotAllowed| {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Not a method of this path")
                .header(header::ALLOW, &path.allow)
        })
    }

    async fn caller(
        &self,
        request: &Request,
        operation: &Operation,
        deadline: Instant,
    ) -> Result<Caller, Problem> {
        let token = bearer(request).ok_or_else(Problem::unauthorized)?;
        let known = timeout_at(deadline.into(), self.look_up(token, operation)).await;
        known.unwrap_or_else(|_| Err(timed_out().detail("nothing was changed: try again")))
    }

    async fn look_up(&self, token: &str, operation: &Operation) -> Result<Caller, Problem> {
        let session = self.app.clerk.verify(token).await.map_err(|rejected| {
            self.app.metrics.token_refused(rejected.reason());
            match rejected {
                // The token may be valid: a 401 would sign the person out.
                Rejected::KeysUnavailable => {
                    Error::ClerkUnavailable { retry_after_seconds: KEYS_RETRY_SECONDS }.into()
                }
                _ => Problem::unauthorized(),
            }
        })?;
        if session.impersonated && !impersonation::allows(operation) {
            return Err(Error::Impersonated.into());
        }
        let opened = account::open(&self.app.db, session.account_id);
        let account = match db::on_behalf_of(session.account_id, opened).await {
            Err(Error::AccountErased) if operation.id == DELETE => {
                erasure::mark(&self.app.db, session.account_id).await?
            }
            opened => opened?,
        };
        if let Some(due_at) = account.deletion_due_at
            && !WHILE_PENDING.contains(&operation.id.as_str())
        {
            return Err(Error::DeletionPending { due_at }.into());
        }
        Ok(Caller { account, session })
    }

    fn count_account(
        &self,
        account: Uuid,
        operation: &Operation,
        decisions: &mut Vec<Decision>,
    ) -> Result<(), Problem> {
        decisions.push(self.limits.account.count(account));
        if LOOKUPS.contains(&operation.id.as_str()) {
            decisions.push(self.limits.search.count(account));
        }
        refuse(decisions)
    }

    fn count_address(&self, address: IpAddr, decisions: &mut Vec<Decision>) -> Result<(), Problem> {
        self.limits.address.count(address, decisions);
        refuse(decisions)
    }

    fn add_headers(&self, response: &mut Response, id: &str, decisions: &[Decision]) {
        let headers = response.headers_mut();
        let (policy, state) = limit::headers(decisions);
        let texts = [("x-request-id", id), ("ratelimit-policy", &policy), ("ratelimit", &state)];
        for (name, text) in texts {
            if let Ok(value) = HeaderValue::from_str(text)
                && !text.is_empty()
            {
                headers.insert(name, value);
            }
        }
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
        if !headers.contains_key(header::CACHE_CONTROL) {
            // A phone's URL cache would keep what it may store in a file of its own, beyond the reach of
            // whatever the app deletes. Clients that keep copies themselves still revalidate by ETag.
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if self.app.config.tls.is_some() {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
    }
}

fn timed_out() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timed_out", "It took too long")
        .header(header::RETRY_AFTER, "1")
}

/// What the server found wrong with a request before it was handed on.
fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Busy => Problem::busy(1),
        // RFC 9112, section 3.2.
        Refusal::Host => {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_host", "The Host header is not valid")
                .detail("send exactly one")
        }
    }
}

fn refuse(decisions: &[Decision]) -> Result<(), Problem> {
    match decisions.iter().filter_map(|decision| decision.retry_after).max() {
        None => Ok(()),
        Some(seconds) => Err(Problem::rate_limited(seconds)),
    }
}

/// What poem or a handler raised, as a problem.
fn problem_of(error: poem::Error) -> Problem {
    let status = error.status();
    if error.is::<Raised>() {
        return match error.downcast::<Raised>() {
            Ok(raised) => *raised.0,
            Err(_) => Problem::internal(),
        };
    }
    match status {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::UNAUTHORIZED => Problem::unauthorized(),
        // The contract was checked before, so this is something that it does not say.
        StatusCode::BAD_REQUEST => Problem::invalid_parameters(Vec::new()).detail(error.to_string()),
        status if status.is_client_error() => Problem::new(status, "bad_request", "The request is not valid"),
        _ => {
            tracing::error!(status = status.as_u16(), "unexpected error of the web layer");
            Problem::internal()
        }
    }
}

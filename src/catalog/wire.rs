//! Speaks HTTP to one source: a client that adds nothing of its own to a request, bounded in time
//! and size, through the source's gate, with few retries. What a status means the source decides.

use std::time::Duration;

use rand::Rng as _;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Request, Response, StatusCode, Url, redirect};
use tokio::time::Instant;

use super::answer::Timing;
use super::breaker::Evidence;
use super::failure::{CatalogError, Failure};
use super::fair_share::Claim;
use super::gate::{Allowance, Gate};
use super::media_id::SourceName;
use super::stats::Counters;
use crate::clock::Millis;

/// Larger answers are not read to their end, unless a wire has a bound of its own. The largest that
/// sources send are well below one MiB, and as JSON in memory an answer may take many times its size.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// No request begins when a lookup has taken this long already.
const BUDGET: Duration = Duration::from_secs(12);

/// The shortest and the longest pause that a source may ask for.
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(3600);

/// The pause after a fault in the settings, such as refused credentials.
pub(super) const FAULT_PAUSE: Duration = Duration::from_secs(300);

pub(super) struct Wire {
    source: SourceName,
    client: Client,
    pub(super) gate: Gate,
    pub(super) counters: Counters,
    retry_pause: Duration,
    max_body: usize,
}

/// A complete answer, whatever its status.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// The pause the source asks for, a second to an hour.
    pub(super) retry_after: Option<Duration>,
    pub(super) content_type: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Why a reply is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Worth another try.
    Passing,
    /// Worth another try, too, but no sign that the source is down.
    Unclear,
    /// Another try would bring the same.
    Lasting,
    /// An allowance is used up for so long.
    Limited(Duration),
    /// The source is down and says for how long.
    Away(Duration),
    /// The day's allowance is used up.
    DayLimited,
    /// Our credentials are refused.
    Refused,
}

impl Wire {
    /// `base_url` decides whether certificates are loaded: clear text, allowed on loopback only,
    /// needs none.
    pub(super) fn new(
        source: SourceName,
        base_url: &str,
        allowance: Allowance,
        share: f64,
        timing: &Timing,
    ) -> Result<Self, CatalogError> {
        let mut builder = Client::builder()
            .user_agent("OmniTrack")
            .referer(false)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(3))
            .timeout(timing.request_timeout)
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(8);
        if base_url.starts_with("http://") {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|_| CatalogError {
            source_name: source,
            reason: "cannot prepare TLS: are CA certificates installed?",
        })?;
        let gate = Gate::new(allowance, share, timing.clock.clone());
        let retry_pause = timing.retry_pause;
        Ok(Self { source, client, gate, counters: Counters::default(), retry_pause, max_body: MAX_BODY })
    }

    /// Reads no answers beyond `bytes`.
    pub(super) fn with_max_body(self, bytes: usize) -> Self {
        Self { max_body: bytes, ..self }
    }

    /// Sends `request` when `claim` has its turn, at most `1 + retries` times, until `judge` makes an answer of a reply.
    pub(super) async fn exchange<T>(
        &self,
        claim: &Claim,
        retries: u32,
        request: impl Fn() -> Request,
        judge: impl Fn(&Reply) -> Result<T, Fault>,
    ) -> Result<T, Failure> {
        let started = Instant::now();
        let mut attempt = 0;
        loop {
            let fault = match self.attempt(claim, request(), &judge).await? {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            match fault {
                Fault::Passing | Fault::Unclear => {}
                Fault::Lasting => return Err(Failure::UNAVAILABLE),
                Fault::Limited(pause) => self.gate.close(pause, true),
                Fault::Away(pause) => self.gate.close(pause, false),
                Fault::DayLimited => self.gate.close_for_the_day(),
                Fault::Refused => {
                    tracing::warn!(source = %self.source, "the source refuses our credentials");
                    self.gate.close(FAULT_PAUSE, false);
                }
            }
            if let Err(failure) = self.gate.check_open() {
                if matches!(failure, Failure::RateLimited { .. }) {
                    self.counters.rate_limited.add_one();
                }
                return Err(failure);
            }
            let pause = self.retry_pause * (1 << attempt.min(4));
            let pause = pause.mul_f64(rand::rng().random_range(0.5..1.5));
            if attempt >= retries || started.elapsed() + pause > BUDGET {
                return Err(Failure::UNAVAILABLE);
            }
            attempt += 1;
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt<T>(
        &self,
        claim: &Claim,
        request: Request,
        judge: impl Fn(&Reply) -> Result<T, Fault>,
    ) -> Result<Result<T, Fault>, Failure> {
        let pass = match self.gate.enter(claim).await {
            Ok(pass) => pass,
            Err(failure) => {
                if matches!(failure, Failure::RateLimited { .. }) {
                    self.counters.rate_limited.add_one();
                }
                return Err(failure);
            }
        };
        let (judged, evidence) = self.ask(request, judge).await;
        if pass.trial.tell(evidence) {
            self.counters.breaker_opened.add_one();
            tracing::warn!(source = %self.source, "the source fails again and again and is left alone for a while");
        }
        Ok(judged)
    }

    /// Sends one request, past the gate: for what the source's allowance does not cover.
    pub(super) async fn send_once<T>(
        &self,
        request: Request,
        judge: impl Fn(&Reply) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.ask(request, judge).await.0
    }

    async fn ask<T>(
        &self,
        request: Request,
        judge: impl Fn(&Reply) -> Result<T, Fault>,
    ) -> (Result<T, Fault>, Evidence) {
        self.counters.requests.add_one();
        let reply = self.send(request).await;
        let status = reply.as_ref().ok().map(|reply| reply.status);
        let judged = reply.and_then(|reply| {
            if !reply.status.is_success() {
                let status = reply.status.as_u16();
                tracing::debug!(source = %self.source, status, "the source answered with an error");
            }
            // A maintenance page may name its end.
            match (judge(&reply), reply.retry_after) {
                (Err(Fault::Passing), Some(pause)) => Err(Fault::Away(pause)),
                (judged, _) => judged,
            }
        });
        if judged.is_err() {
            self.counters.errors.add_one();
        }
        let evidence = evidence(status, judged.as_ref().err().copied());
        (judged, evidence)
    }

    async fn send(&self, request: Request) -> Result<Reply, Fault> {
        let mut response = self.client.execute(request).await.map_err(|error| {
            // Whether it timed out is all that is told of the error: its text holds the address.
            let passing = error.is_connect() || (error.is_request() && !error.is_timeout());
            if passing { Fault::Passing } else { Fault::Lasting }
        })?;
        let retry_after = retry_after(&response, self.gate.now());
        if response.content_length().is_some_and(|length| length > self.max_body as u64) {
            return Err(Fault::Lasting);
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| Fault::Lasting)? {
            if body.len() + chunk.len() > self.max_body {
                return Err(Fault::Lasting);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status: response.status(), retry_after, content_type, body })
    }
}

/// What an answer, or none (no `status`), shows of the source's health.
fn evidence(status: Option<StatusCode>, fault: Option<Fault>) -> Evidence {
    match (status, fault) {
        (_, None) => Evidence::Works,
        (_, Some(Fault::Unclear)) => Evidence::None,
        // Who refuses is there.
        (Some(status), _) if status.is_client_error() => Evidence::Works,
        // Well-formed, and of no use to this one lookup: it may be the title and not the source.
        (Some(status), Some(Fault::Lasting)) if status.is_success() => Evidence::None,
        _ => Evidence::Fails,
    }
}

/// The address that a source's paths are added to.
pub(super) fn base_url(source: SourceName, text: &str) -> Result<Url, CatalogError> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or(CatalogError { source_name: source, reason: "the base address is not an address" })
}

/// A header value that shows in no debug output.
pub(super) fn credential(source: SourceName, text: &str) -> Result<HeaderValue, CatalogError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| CatalogError {
        source_name: source,
        reason: "a credential has characters it cannot have",
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Seconds or a date, held to what is sensible; what is neither, or over already, says nothing.
fn retry_after(response: &Response, now: Millis) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let pause = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
            Duration::from_millis(u64::try_from(date.timestamp_millis() - now).ok()?)
        }
    };
    Some(pause.clamp(MIN_PAUSE, MAX_PAUSE))
}

impl Reply {
    /// The body as JSON; an answer that is none counts as passing, since proxies in front of the
    /// sources answer in HTML when something is wrong.
    pub(super) fn json(&self) -> Result<serde_json::Value, Fault> {
        serde_json::from_slice(&self.body).map_err(|_| Fault::Passing)
    }

    /// What any status but a success means, where the source has no meaning of its own for it.
    pub(super) fn fault(&self, default_pause: Duration) -> Fault {
        match self.status.as_u16() {
            429 => Fault::Limited(self.retry_after.unwrap_or(default_pause)),
            500.. => Fault::Passing,
            _ => Fault::Lasting,
        }
    }
}

#[cfg(test)]
#[path = "wire_test.rs"]
mod tests;

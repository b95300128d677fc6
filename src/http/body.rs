//! Reads request bodies within bounds: bytes of one body, bytes of all bodies in memory, and a least rate. What
//! can be refused by the headers alone is refused before a byte is read.

use std::hash::Hash;
use std::time::Duration;

use futures_util::StreamExt;
use poem::http::{HeaderMap, StatusCode, header};
use poem::{Body, Request};
use tokio::time::{Instant, timeout_at};

use super::problem::Problem;
use crate::admission::{Exhausted, Reservation};

/// The bounds on reading one body.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of the body.
    pub bytes: usize,
    /// In each window at least so many bytes arrive, or the body ends.
    pub window: Duration,
    pub least: usize,
}

/// Why a body is not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    TooLarge { limit: usize },
    TooSlow,
    EndedEarly,
    NoRoom(Exhausted),
}

/// Hands the pieces of a body to `take` as they arrive, each paid for by the reservation before. Pieces must be
/// copied: each keeps alive a buffer that can be far larger than the piece itself.
///
/// # Errors
/// The body is not read to its end. `take` has got a part of it.
pub async fn read<K: Copy + Eq + Hash>(
    body: Body,
    declared: Option<usize>,
    bounds: Bounds,
    reservation: &mut Reservation<K>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), Unread> {
    let too_large = Unread::TooLarge { limit: bounds.bytes };
    if let Some(declared) = declared {
        if declared > bounds.bytes {
            return Err(too_large);
        }
        reservation.fits(declared).map_err(Unread::NoRoom)?;
    }
    let (mut length, mut recent) = (0_usize, 0_usize);
    let mut end = Instant::now() + bounds.window;
    let mut pieces = body.into_bytes_stream();
    loop {
        let piece = match timeout_at(end, pieces.next()).await {
            Ok(None) => return Ok(()),
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(_))) => return Err(Unread::EndedEarly),
            Err(_) if recent < bounds.least => return Err(Unread::TooSlow),
            Err(_) => {
                (recent, end) = (0, Instant::now() + bounds.window);
                continue;
            }
        };
        if piece.len() > bounds.bytes - length {
            return Err(too_large);
        }
        reservation.grow(piece.len()).map_err(Unread::NoRoom)?;
        length += piece.len();
        recent += piece.len();
        take(&piece);
    }
}

/// Reads a body into one piece of memory.
///
/// # Errors
/// See [`read`].
pub async fn collect<K: Copy + Eq + Hash>(
    body: Body,
    declared: Option<usize>,
    bounds: Bounds,
    reservation: &mut Reservation<K>,
) -> Result<Vec<u8>, Unread> {
    // Pages that are not written to take no memory: what is declared and not sent costs nothing.
    let mut bytes = Vec::with_capacity(declared.unwrap_or_default().min(bounds.bytes));
    read(body, declared, bounds, reservation, |piece| bytes.extend_from_slice(piece)).await?;
    Ok(bytes)
}

/// The length that the request declares.
pub fn declared_length(request: &Request) -> Option<usize> {
    request.header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok())
}

/// Refuses a body that is compressed (RFC 9110, 15.5.16), since nothing here decompresses any.
///
/// # Errors
/// There is a content coding beside `identity`.
pub fn refuse_compressed(headers: &HeaderMap) -> Result<(), Problem> {
    let is_identity =
        |coding: &str| coding.trim().is_empty() || coding.trim().eq_ignore_ascii_case("identity");
    let codings = headers.get_all(header::CONTENT_ENCODING);
    if codings.iter().all(|line| line.to_str().is_ok_and(|line| line.split(',').all(is_identity))) {
        return Ok(());
    }
    let title = "The body must not be compressed";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_content_encoding", title)
        .header(header::ACCEPT_ENCODING, "identity"))
}

impl From<Unread> for Problem {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge { limit } => {
                let title = "The body is larger than allowed";
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", title)
                    .detail(format!("at most {limit} bytes"))
            }
            Unread::TooSlow => {
                let title = "The body took too long to arrive";
                Self::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", title)
                    .detail("nothing was changed: send it again")
            }
            Unread::EndedEarly => {
                Self::new(StatusCode::BAD_REQUEST, "malformed_body", "The body cannot be read")
                    .detail("the body ended early")
            }
            Unread::NoRoom(exhausted) => exhausted.into(),
        }
    }
}

impl From<Exhausted> for Problem {
    fn from(exhausted: Exhausted) -> Self {
        match exhausted {
            Exhausted::Share => Self::rate_limited(1)
                .detail("your requests under way hold as many bytes as they may: send fewer at once"),
            Exhausted::Total => Self::busy(1),
        }
    }
}

#[cfg(test)]
#[path = "body_test.rs"]
mod tests;

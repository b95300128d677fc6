//! Covers: which picture of which source, and the image hosts that they are fetched from. A picture is
//! kept only if it is of a kind, a size and a beginning that an image view may be handed; of the
//! host's answer nothing else is passed on.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use reqwest::Url;

use super::answer::Timing;
use super::cache::Value;
use super::failure::{CatalogError, Failure};
use super::fair_share::Claim;
use super::gate::Allowance;
use super::item::{CoverRef, MediaItem};
use super::media_id::{MediaId, SourceName};
use super::request::{self, PictureLookup};
use super::wire::{Fault, Reply, Wire, base_url};
use crate::config;

/// A page of 50 covers that nobody has seen may come at once; few are read at a time, which bounds what
/// they take in memory.
const ALLOWANCE: Allowance = Allowance { per_second: 30.0, burst: 60, open: 8, per_day: None };

/// Google Books was not made to be asked for many.
const GOOGLE_ALLOWANCE: Allowance = Allowance { per_second: 10.0, burst: 50, open: 4, per_day: None };

/// The largest picture, in bytes.
const MAX_PICTURE: usize = 2 * 1024 * 1024;

/// The pause after a 429 that does not say how long.
const DEFAULT_PAUSE: Duration = Duration::from_secs(10);

/// A volume that Google cannot know: what it shows for it, it shows for all that it has no cover of.
const NO_VOLUME: &str = "000000000000";

/// One picture of one source. It exists only with a name that is well-formed there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cover {
    source: SourceName,
    image: CoverRef,
}

impl Cover {
    /// The picture that `source` calls `image`, if that is a well-formed name there.
    pub fn new(source: SourceName, image: &str) -> Option<Self> {
        Some(Self { source, image: CoverRef::new(source, image)? })
    }

    /// The cover of a title.
    pub fn of(item: &MediaItem) -> Option<Self> {
        Self::new(item.id.source(), item.cover.as_ref()?.as_str())
    }

    /// The poster of a season of `series`.
    pub fn of_season(series: &MediaId, poster: Option<&CoverRef>) -> Option<Self> {
        Self::new(series.source(), poster?.as_str())
    }

    /// The other way of [`Cover::name`].
    pub fn named(source: SourceName, name: &str) -> Option<Self> {
        match source {
            SourceName::Tmdb => Self::new(source, &format!("/{name}")),
            SourceName::Igdb | SourceName::GoogleBooks => Self::new(source, name),
        }
    }

    pub fn source(&self) -> SourceName {
        self.source
    }

    /// The name as the source has it.
    pub fn as_str(&self) -> &str {
        self.image.as_str()
    }

    /// The name as one part of a path; its characters need no escape there.
    pub fn name(&self) -> &str {
        self.as_str().trim_start_matches('/')
    }
}

/// How large a picture is asked for: about 150, 300 and 600 pixels wide or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoverSize {
    Small,
    Medium,
    Large,
}

impl CoverSize {
    pub const ALL: [CoverSize; 3] = [CoverSize::Small, CoverSize::Medium, CoverSize::Large];

    pub const fn as_str(self) -> &'static str {
        match self {
            CoverSize::Small => "small",
            CoverSize::Medium => "medium",
            CoverSize::Large => "large",
        }
    }
}

/// The kinds of pictures that are handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureType {
    Jpeg,
    Png,
    Webp,
}

impl PictureType {
    pub const ALL: [PictureType; 3] = [PictureType::Jpeg, PictureType::Png, PictureType::Webp];

    pub const fn content_type(self) -> &'static str {
        match self {
            PictureType::Jpeg => "image/jpeg",
            PictureType::Png => "image/png",
            PictureType::Webp => "image/webp",
        }
    }

    /// Whether `bytes` begin as such a picture does.
    fn is_begun_by(self, bytes: &[u8]) -> bool {
        match self {
            PictureType::Jpeg => bytes.starts_with(b"\xFF\xD8\xFF"),
            PictureType::Png => bytes.starts_with(b"\x89PNG\r\n\x1A\n"),
            PictureType::Webp => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        }
    }
}

/// A picture as it came. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Picture {
    pub kind: PictureType,
    pub bytes: Bytes,
    /// Of the bytes: SHA-256, cut.
    pub digest: [u8; 16],
}

impl Picture {
    /// `None` unless the bytes are what they are said to be.
    fn new(content_type: &str, body: &[u8]) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let kind = PictureType::ALL.into_iter().find(|kind| kind.content_type() == essence)?;
        let whole = digest::digest(&digest::SHA256, body);
        let mut cut = [0; 16];
        cut.iter_mut().zip(whole.as_ref()).for_each(|(cut, byte)| *cut = *byte);
        kind.is_begun_by(body).then(|| Self { kind, bytes: Bytes::copy_from_slice(body), digest: cut })
    }
}

impl PictureLookup {
    /// The lookup that shows what the source shows for want of this picture, if it does such a thing.
    pub(super) fn blank(&self) -> Option<Self> {
        let none = Cover { source: SourceName::GoogleBooks, image: CoverRef::literal(NO_VOLUME) };
        (self.cover.source == none.source && self.cover != none)
            .then_some(Self { cover: none, ..self.clone() })
    }
}

/// The image hosts of the sources that have credentials; a source without is left out altogether.
pub(super) struct Pictures {
    tmdb: Option<Host>,
    igdb: Option<Host>,
    google_books: Option<Host>,
}

struct Host {
    wire: Wire,
    base: Url,
}

impl Pictures {
    pub(super) fn new(sources: &config::Sources, timing: &Timing) -> Result<Self, CatalogError> {
        let host = |source, base: Option<&String>, allowance| {
            let build = |base: &String| {
                let wire = Wire::new(source, base, allowance, sources.share, timing)?;
                Ok(Host { wire: wire.with_max_body(MAX_PICTURE), base: base_url(source, base)? })
            };
            base.map(build).transpose()
        };
        let tmdb = sources.tmdb.as_ref().map(|tmdb| &tmdb.image_base_url);
        let igdb = sources.igdb.as_ref().map(|igdb| &igdb.image_base_url);
        let google_books = sources.google_books.as_ref().map(|google_books| &google_books.image_base_url);
        Ok(Self {
            tmdb: host(SourceName::Tmdb, tmdb, ALLOWANCE)?,
            igdb: host(SourceName::Igdb, igdb, ALLOWANCE)?,
            google_books: host(SourceName::GoogleBooks, google_books, GOOGLE_ALLOWANCE)?,
        })
    }

    fn host(&self, source: SourceName) -> Option<&Host> {
        match source {
            SourceName::Tmdb => self.tmdb.as_ref(),
            SourceName::Igdb => self.igdb.as_ref(),
            SourceName::GoogleBooks => self.google_books.as_ref(),
        }
    }

    pub(super) fn wire(&self, source: SourceName) -> Option<&Wire> {
        self.host(source).map(|host| &host.wire)
    }

    pub(super) async fn fetch(&self, lookup: &PictureLookup, claim: &Claim) -> Result<Value, Failure> {
        let host = self.host(lookup.cover.source).ok_or(Failure::NotConfigured)?;
        let build = || request::picture(&host.base, lookup);
        if lookup.cover.as_str() == NO_VOLUME {
            // A refusal will do as well; it is not worth a second request.
            let judge = |reply: &Reply| match judge(reply) {
                Err(Fault::Lasting | Fault::Passing) => Ok(Value::NoPicture),
                judged => judged,
            };
            return host.wire.exchange(claim, 0, build, judge).await;
        }
        host.wire.exchange(claim, 1, build, judge).await
    }
}

fn judge(reply: &Reply) -> Result<Value, Fault> {
    match reply.status.as_u16() {
        200 => {
            let picture = Picture::new(reply.content_type.as_deref().unwrap_or_default(), &reply.body);
            picture.map(|picture| Value::Picture(Arc::new(picture))).ok_or(Fault::Lasting)
        }
        404 | 410 => Ok(Value::NoPicture),
        _ => Err(reply.fault(DEFAULT_PAUSE)),
    }
}

#[cfg(test)]
#[path = "picture_test.rs"]
mod tests;

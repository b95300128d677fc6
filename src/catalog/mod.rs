//! Looks titles up in TMDB, IGDB and Google Books, anonymously: a source sees a text or an id, a
//! page and a language, and nothing else. This module owns media ids, the lookups, their caches and
//! the sources' allowances. It imports nothing that knows an account: what cannot name a person
//! cannot leak one.

mod answer;
mod day_share;
mod isbn;
mod item;
mod language;
mod media_id;
mod personal_data;
mod search_text;
mod service;
mod stats;

pub use answer::{Answer, SearchAnswer, SourceState, State, Timing, Unavailable};
pub use day_share::DayShare;
pub use item::{CoverRef, Creator, ExternalIds, MAX_CREATORS, MediaItem, Role};
pub use language::Language;
pub use media_id::{Kind, MediaId, MediaIdError, SourceName};
pub use search_text::{MAX_CHARS as MAX_SEARCH_CHARS, SearchText, SearchTextError};
pub use service::{Catalog, CatalogError};
pub use stats::{SourceStats, Stats};

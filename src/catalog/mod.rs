//! Looks titles up in TMDB, IGDB and Google Books, anonymously: a source sees a text or an id, a
//! page, a language and at most the day, its image host the name of a picture and a size, and nothing
//! else. This module owns media ids, the lookups, their caches and the sources' allowances. It imports
//! nothing that knows an account: what cannot name a person
//! cannot leak one.
//!
//! A lookup's way: [`Catalog`] looks into the cache, boards a flight (one per lookup, however many
//! wait), the flight passes the source's gate and goes over its wire, the source's module makes an
//! item of the reply, and the item lands in the cache. In the gate a breaker keeps a failing source from
//! being asked in vain. What each lookup tells whom stands in words in `disclosure`.

mod address;
mod answer;
mod breaker;
mod cache;
mod chart;
mod code;
mod desk;
mod disclosure;
mod email_address;
mod failure;
mod fair_share;
mod field;
mod flight;
mod gate;
mod google_books;
mod igdb;
mod isbn;
mod item;
mod language;
mod media_id;
mod obfuscation;
mod personal_data;
mod phone_number;
mod picture;
mod plain_text;
mod request;
mod search_text;
mod season;
mod service;
mod source_text;
mod stats;
mod tmdb;
mod twitch;
mod wire;

#[cfg(test)]
mod fairness_test;
#[cfg(test)]
mod fault_test;
#[cfg(test)]
mod shape_test;
#[cfg(test)]
mod sick;
#[cfg(test)]
mod storm_test;
#[cfg(test)]
mod stub;

pub use answer::{Answer, SearchAnswer, SourceState, State, Timing, Unavailable};
pub use breaker::BreakerState;
pub use chart::{Chart, ChartAnswer};
pub use code::Code;
pub use disclosure::Disclosure;
pub use failure::CatalogError;
pub use fair_share::FairShare;
pub use item::{CoverRef, Creator, ExternalIds, MAX_PER_ROLE, MediaItem, Role, SeriesStatus};
pub use language::Language;
pub use media_id::{Kind, MediaId, MediaIdError, SourceName};
pub use picture::{Cover, CoverSize, Picture, PictureType};
pub use search_text::{MAX_CHARS as MAX_SEARCH_CHARS, SearchText, SearchTextError};
pub use season::{Episode, Season, SeasonSummary};
pub use service::{Catalog, MAX_IDS};
pub use stats::{SourceStats, Stats};

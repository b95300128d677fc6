//! One entity per table, and the values that have names of their own. Knows nothing of the service.

pub mod account;
pub mod comment;
pub mod history_event;
pub mod library_entry;
pub mod list;
pub mod list_item;
pub mod media;
pub mod media_season;
pub mod media_text;
pub mod media_wanted;
pub mod pending_episodes;
pub mod review;
pub mod tombstone;
pub mod value;
pub mod watched_episode;

//! One entity per table, and the values that have names of their own. Knows nothing of the service.

pub mod account;
pub mod clerk_deletion;
pub mod comment;
pub mod consent;
pub mod device;
pub mod export;
pub mod history_event;
pub mod idempotency_key;
pub mod import;
pub mod import_part;
pub mod library_entry;
pub mod list;
pub mod list_item;
pub mod media;
pub mod media_season;
pub mod media_text;
pub mod media_wanted;
pub mod pending_episodes;
pub mod policy_version;
pub mod push_token;
pub mod receipt;
pub mod review;
pub mod sync_mutation;
pub mod tombstone;
pub mod value;
pub mod watched_episode;

//! Synchronisation: the ordered feed of everything an account owns, and the batches of mutations that
//! its devices send. Order is the account's revision; a deleted thing is a tombstone; nothing that was
//! deleted comes back unless somebody asks for that.

mod apply;
mod current;
mod cursor;
mod events;
mod feed;
mod key;
mod merge;
mod mutation;
mod push;
mod retention;

pub use current::current;
pub use cursor::Cursor;
pub use events::{Event, Events};
pub use feed::{Change, MAX_PAGE, Page, Thing, page, read};
pub use key::{Key, Kind};
pub use mutation::{Action, Fields, Judged, Lost, Mutation, Outcome, Refusal};
pub use push::{Pushed, push};
pub use retention::forget;

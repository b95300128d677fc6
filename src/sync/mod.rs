//! Synchronisation: the ordered feed of everything an account owns, and the batches of mutations that
//! its devices send. Order is the account's revision; a deleted thing is a tombstone; nothing that was
//! deleted comes back unless somebody asks for that.

mod apply;
mod key;
mod merge;
mod mutation;
mod push;

pub use key::{Key, Kind};
pub use mutation::{Action, Fields, Judged, Lost, Mutation, Outcome, Refusal};
pub use push::{Pushed, push};

//! Synchronisation: the ordered feed of everything an account owns, and the batches of mutations that
//! its devices send. Order is the account's revision; a deleted thing is a tombstone; nothing that was
//! deleted comes back unless somebody asks for that.

mod key;

pub use key::{Key, Kind};

//! The archive: everything that is held of a person, as they take it along and bring it back. Owns its
//! format, and nothing of how it is written (`export`) or read (`import`).

pub mod format;
mod time;

pub use format::{FORMAT, VERSION};

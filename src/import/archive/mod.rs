//! Reading an archive from outside: what it is packed in ([`pack`]), its rows one after the other
//! (`read`), each held to its schema ([`crate::schema`]) before it is parsed. Every step is bounded: by bytes,
//! by rows, by the size of one row, by the faults that are listed. Nothing is written here.

mod bounded;
pub mod faults;
pub mod pack;
pub mod read;

pub use faults::Faults;
pub use pack::{Form, MAX_PACKED, Packed};
pub use read::{Counts, Row};

//! Taking things back: an archive, or what another program kept. First everything is checked and nothing
//! is written ([`checked`]); then what passed is applied by natural key, in parts ([`apply`]). Owns the
//! rules of what is taken and what is left; knows nothing of how the rows came here.

pub mod apply;
pub mod archive;
mod bounds;
pub mod checked;
pub mod convex;

pub use apply::{Fate, Tally};

//! Taking things back: an archive, or what another program kept. First everything is checked and nothing
//! is written ([`archive`], [`checked`]); then what passed is kept ([`store`]) and applied by natural key, in
//! parts ([`apply`], [`run`]). Owns the rules of what is taken and what is left; knows nothing of how the
//! bytes came here.

pub mod apply;
pub mod archive;
pub mod bounds;
pub mod check;
pub mod checked;
pub mod convex;
pub mod report;
pub mod run;
pub mod store;

pub use apply::{Fate, Tally};
pub use check::{Checked, Imports};
pub use report::Report;

//! What `omnitrack demo` and the integration tests run beside the service: a sample catalog of real
//! titles, covers drawn here, and small HTTP servers on loopback that answer like Clerk, TMDB, Twitch,
//! IGDB and Google Books. Nothing here is reached by `omnitrack serve`, and nothing here calls out.

pub mod cover;
mod run;
pub mod sample;
pub mod standin;

pub use run::run;

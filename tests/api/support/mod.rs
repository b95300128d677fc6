//! What every test stands on: databases of both engines, the service in process beside stand-ins of
//! all it talks to, personas that call it, and the contract that every answer is held to.

pub mod answer;
pub mod app;
pub mod archive;
pub mod cluster;
pub mod conform;
pub mod cursor;
pub mod database;
pub mod events;
pub mod log;
pub mod model;
pub mod operations;
pub mod persona;
pub mod process;
pub mod replica;
pub mod rows;
pub mod stranger;
pub mod usage;

/// Titles that the sample catalog has, one of each kind.
pub mod titles {
    pub const MOVIE: &str = "movie:tmdb:603";
    pub const SERIES: &str = "tv:tmdb:1399";
    pub const GAME: &str = "game:igdb:1942";
    pub const BOOK: &str = "book:google_books:zyTCAlFPjgYC";
}

/// Makes of each `async fn name(t: TestApp) { … }` two tests, `name::sqlite` and `name::postgres`.
/// `t` is mutable; tests that need no service are written as usual.
macro_rules! both {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)+) => {
        $($(#[$meta])* mod $name {
            #[allow(unused_imports)]
            use super::*;

            #[allow(unused_mut)]
            async fn story(mut $app: $crate::support::app::TestApp) $body

            #[tokio::test]
            async fn sqlite() {
                story($crate::support::app::TestApp::sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(app) = $crate::support::app::TestApp::postgres().await {
                    story(app).await;
                }
            }
        })+
    };
}
pub(crate) use both;

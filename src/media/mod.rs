//! What we know of titles, kept in tables that all accounts share: it stays when a source is away,
//! and shows beside everything that refers to a title. Nothing here says who asked.

pub mod address;
mod announce;
mod cover;
mod fair_order;
mod fill;
mod refresh;
mod schedule;
mod season;
mod store;
mod thumbhash;

pub use announce::announce;
pub use cover::{Covers, Known, Sight};
pub use fill::{Filled, Shares, Wanted, done, fill, meet_covers, queue_many, sweep};
pub use refresh::{expire, refresh};
pub use schedule::{Place, Schedule, Slot};
pub use season::{find_season, schedule};
pub use store::{
    KnownTitle, Summary, cover_of, find, is_known, items, known_among, read_summary, remember,
    remember_unknown, summaries,
};
pub(crate) use store::{summary_columns, with_summary};

use crate::catalog::{Kind, Language, MediaId};

/// The language in which a title is kept for those who read `language`: the sources of games and books
/// have but one.
pub fn language_kept(id: &MediaId, language: Language) -> Language {
    match id.kind() {
        Kind::Movie | Kind::Tv => language,
        Kind::Game | Kind::Book => Language::DEFAULT,
    }
}

/// The text that titles are sorted by: lower case, and without the leading article that libraries
/// skip. Made here so that both engines agree.
pub fn sort_title(title: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let folded: String =
        title.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect::<String>();
    let lower = folded.to_lowercase();
    let bare = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
    let bare = ["the ", "a ", "an "].iter().find_map(|article| bare.strip_prefix(article)).unwrap_or(bare);
    bare.chars().take(200).collect()
}

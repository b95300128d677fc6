//! What we know of titles, kept in tables that all accounts share: it stays when a source is away,
//! and shows beside everything that refers to a title. Nothing here says who asked.

pub mod address;
mod cover;
mod fill;
mod store;
mod thumbhash;

pub use cover::{Covers, Known, Sight};
pub use fill::{Wanted, fill, sweep};
pub use store::{Summary, cover_of, find, is_known, remember, remember_unknown, summaries};

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

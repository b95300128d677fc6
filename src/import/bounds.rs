//! How much one value may hold: the bounds that the contract gives each field. The contract's own stand as
//! literals in `http::view`; a test holds the two equal.

/// Characters of a name or a title.
pub const NAME: usize = 200;
/// Characters of a list's description.
pub const DESCRIPTION: usize = 2_000;
/// Characters of an item's note.
pub const NOTE: usize = 1_000;
/// Characters of a review.
pub const REVIEW: usize = 20_000;
/// Characters of a comment.
pub const COMMENT: usize = 5_000;
/// Characters of a language tag.
pub const LANGUAGE: usize = 35;
/// Characters of a time zone's name.
pub const TIME_ZONE: usize = 64;
/// The least and the greatest rating.
pub const RATING: (i32, i32) = (1, 100);
/// The most that progress counts, and the last page that a comment can be about.
pub const PROGRESS: i32 = 10_000_000;
/// The last season, and the last episode, that can be marked.
pub const ORDINAL: i32 = 99_999;
/// The last season, and the last episode, that a comment can be about.
pub const ANCHOR_ORDINAL: i32 = 100_000;

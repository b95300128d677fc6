//! Which of a mutation's fields are written: a pure function, because everything that two devices can
//! disagree about is decided here.

use std::collections::HashSet;

use uuid::Uuid;

use crate::clock::Millis;
use crate::db::{Author, Stamps};

/// What stands where a mutation goes.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    pub stamps: Option<&'a str>,
    pub revision: i64,
    pub updated_at: Millis,
}

impl Standing<'_> {
    /// Who wrote `field` last, and under which revision. A row from before there were stamps counts as
    /// written as a whole when it last changed.
    pub fn last_write(&self, field: &str) -> Option<(i64, Author)> {
        match self.stamps {
            Some(text) => {
                Stamps::parse(Some(text)).get(field).map(|stamp| (stamp.revision(), stamp.author()))
            }
            None => Some((self.revision, Author { made_at: self.updated_at, mutation: None })),
        }
    }
}

/// Who writes, and what they knew.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    pub author: Author,
    /// They knew of everything up to this revision,
    pub base: i64,
    /// and of these mutations, which came before in the same batch.
    pub own: &'a HashSet<Uuid>,
}

impl Writer<'_> {
    /// Whether a write of `other` under `revision` is news to this writer.
    fn is_news(&self, revision: i64, other: Author) -> bool {
        revision > self.base && !other.mutation.is_some_and(|id| self.own.contains(&id))
    }

    /// Whether this writer may write `field`: if nobody else has touched it since, or if they wrote later.
    /// Of two writes made at the same time the one with the greater id counts as later.
    pub fn wins(&self, standing: &Standing<'_>, field: &str) -> bool {
        match standing.last_write(field) {
            Some((revision, other)) => !self.is_news(revision, other) || self.author > other,
            None => true,
        }
    }

    /// Whether somebody else has written any field of this row since.
    pub fn is_behind(&self, standing: &Standing<'_>) -> bool {
        match standing.stamps {
            Some(text) => {
                let stamps = Stamps::parse(Some(text));
                stamps.iter().any(|stamp| self.is_news(stamp.revision(), stamp.author()))
            }
            None => standing.revision > self.base,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(made_at: Millis, id: u128) -> Author {
        Author { made_at, mutation: (id > 0).then(|| Uuid::from_u128(id)) }
    }

    fn wins(standing: &Standing<'_>, field: &str, base: i64, author: Author) -> bool {
        Writer { author, base, own: &HashSet::new() }.wins(standing, field)
    }

    fn stamped(field: &str, revision: i64, author: Author) -> String {
        let mut stamps = Stamps::default();
        stamps.set(field, revision, author);
        stamps.to_text().unwrap()
    }

    #[test]
    fn later_wins_where_both_have_written() {
        let text = stamped("rating", 7, author(1000, 5));
        let standing = Standing { stamps: Some(&text), revision: 9, updated_at: 5000 };
        let rating = |base, author| wins(&standing, "rating", base, author);
        assert!(rating(7, author(1, 1)), "nobody else since");
        assert!(rating(6, author(1001, 1)), "made later");
        assert!(!rating(6, author(999, 9)), "made earlier");
        assert!(rating(6, author(1000, 6)) && !rating(6, author(1000, 4)), "ties by id");
        assert!(wins(&standing, "favorite", 0, author(1, 1)), "nobody ever");
    }

    #[test]
    fn a_row_without_stamps_was_written_as_a_whole() {
        let standing = Standing { stamps: None, revision: 9, updated_at: 5000 };
        assert!(wins(&standing, "rating", 9, author(1, 1)));
        assert!(!wins(&standing, "rating", 8, author(4999, 1)));
        assert!(wins(&standing, "rating", 8, author(5000, 1)), "a call without an id gives way");
    }

    #[test]
    fn what_came_before_in_the_same_batch_is_no_news() {
        let text = stamped("rating", 7, author(1000, 5));
        let standing = Standing { stamps: Some(&text), revision: 7, updated_at: 1000 };
        let own = HashSet::from([Uuid::from_u128(5)]);
        let writer = Writer { author: author(900, 1), base: 3, own: &own };
        assert!(writer.wins(&standing, "rating") && !writer.is_behind(&standing));
        let stranger = Writer { own: &HashSet::new(), ..writer };
        assert!(!stranger.wins(&standing, "rating") && stranger.is_behind(&standing));
    }

    proptest::proptest! {
        /// Whatever the order in which two devices are heard, the same one of them ends up in the row.
        #[test]
        fn the_order_of_arrival_does_not_matter(a in (0..3i64, 1..4u128), b in (0..3i64, 1..4u128)) {
            let (one, two) = (author(a.0, a.1), author(b.0, b.1));
            proptest::prop_assume!(one != two);
            let last = |first: Author, second: Author| {
                let text = stamped("rating", 8, first);
                let standing = Standing { stamps: Some(&text), revision: 8, updated_at: 0 };
                if wins(&standing, "rating", 7, second) { second } else { first }
            };
            proptest::prop_assert_eq!(last(one, two), last(two, one));
        }
    }
}

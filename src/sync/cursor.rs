//! How far a device has read an account's feed.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::account;
use uuid::Uuid;

use crate::error::{Error, Result};

/// A place in the feed of one account, in one history of its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The history that the numbers belong to.
    pub epoch: Uuid,
    /// Everything up to this revision was read.
    pub revision: i64,
    /// The account's revision when the reading began with nothing: what was deleted up to then was never
    /// seen, so its tombstones need not be either.
    pub began_at: i64,
}

/// A mark of the account, the epoch, and the two numbers.
const LENGTH: usize = 4 + 16 + 8 + 8;

impl Cursor {
    /// Where a device that has nothing begins.
    pub fn start(epoch: Uuid, account: &account::Model) -> Self {
        Self { epoch, revision: 0, began_at: account.revision }
    }

    /// What a device hands back, judged against the account as it is now. `pointer` names the place where
    /// it stood.
    ///
    /// # Errors
    /// `invalid_cursor`: it was never one of this account. [`Error::CursorExpired`]: it belongs to another
    /// history of the database or lies ahead of this one, or tombstones that it has not read are gone.
    pub fn read(text: &str, pointer: &'static str, epoch: Uuid, account: &account::Model) -> Result<Self> {
        let Some(cursor) = Self::parse(text, account.id) else {
            return Err(Error::invalid(
                "invalid_cursor",
                pointer,
                "is not a cursor: begin again without one",
            ));
        };
        // Who began later than the account stands now may have read what has not happened in this history.
        let known = cursor.revision.max(cursor.began_at);
        if cursor.epoch == epoch && (account.horizon..=account.revision).contains(&known) {
            Ok(cursor)
        } else {
            Err(Error::CursorExpired)
        }
    }

    /// The revision from which on tombstones are of interest.
    pub fn deletions_after(&self) -> i64 {
        self.revision.max(self.began_at)
    }

    pub fn to_text(&self, account: Uuid) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(mark(account));
        bytes.extend(self.epoch.as_bytes());
        bytes.extend(self.revision.to_be_bytes());
        bytes.extend(self.began_at.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn parse(text: &str, account: Uuid) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (own, rest) = bytes.split_first_chunk::<4>()?;
        let (epoch, rest) = rest.split_first_chunk::<16>()?;
        let (revision, rest) = rest.split_first_chunk::<8>()?;
        let began_at = rest.try_into().ok()?;
        let cursor = Self {
            epoch: Uuid::from_bytes(*epoch),
            revision: i64::from_be_bytes(*revision),
            began_at: i64::from_be_bytes(began_at),
        };
        (*own == mark(account) && cursor.revision >= 0 && cursor.began_at >= 0).then_some(cursor)
    }
}

/// A phone that changes hands must not go on in the feed of the new account where the old one's ended.
fn mark(account: Uuid) -> [u8; 4] {
    let digest = digest::digest(&digest::SHA256, account.as_bytes());
    let mut mark = [0; 4];
    mark.iter_mut().zip(digest.as_ref()).for_each(|(mark, byte)| *mark = *byte);
    mark
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account(id: Uuid, revision: i64, horizon: i64) -> account::Model {
        account::Model {
            id,
            revision,
            settings_revision: 1,
            language: None,
            time_zone: "UTC".into(),
            progress_sets_status: true,
            created_at: 0,
            updated_at: 0,
            erased_at: None,
            horizon,
            stamps: None,
            receipt_id: None,
            deletion_due_at: None,
            entries: 0,
            events: 0,
            lists: 0,
            list_items: 0,
            text_bytes: 0,
        }
    }

    fn read(cursor: Cursor, epoch: Uuid, revision: i64, horizon: i64) -> Result<Cursor> {
        let account = account(Uuid::nil(), revision, horizon);
        Cursor::read(&cursor.to_text(account.id), "/query/cursor", epoch, &account)
    }

    #[test]
    fn a_cursor_is_good_while_nothing_behind_it_is_gone() {
        let epoch = Uuid::from_u128(7);
        let cursor = |revision, began_at| Cursor { epoch, revision, began_at };
        let expired = |outcome| matches!(outcome, Err(Error::CursorExpired));
        assert_eq!(read(cursor(5, 0), epoch, 9, 5).unwrap(), cursor(5, 0));
        assert!(expired(read(cursor(5, 0), epoch, 9, 6)), "tombstones it has not read are gone");
        assert!(read(cursor(5, 8), epoch, 9, 6).is_ok(), "it began with nothing after they went");
        assert!(expired(read(cursor(5, 0), epoch, 4, 0)), "ahead of the account");
        assert!(expired(read(cursor(5, 8), epoch, 7, 0)), "began ahead of the account");
        assert!(expired(read(cursor(5, 0), Uuid::from_u128(8), 9, 0)), "another history");
    }

    #[test]
    fn what_was_never_a_cursor_is_no_cursor() {
        let (own, epoch) = (account(Uuid::nil(), 9, 0), Uuid::from_u128(7));
        let good = Cursor { epoch, revision: 5, began_at: 0 };
        let others = good.to_text(Uuid::from_u128(1));
        let negative = Cursor { revision: -1, ..good }.to_text(own.id);
        let text = good.to_text(own.id);
        for text in ["", "AAAA", "ä", &text[1..], &format!("{text}AAAA"), &others, &negative] {
            let error = Cursor::read(text, "/query/cursor", epoch, &own).unwrap_err();
            assert!(matches!(error, Error::Invalid { code: "invalid_cursor", .. }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_went(id: u128, epoch: u128, revision in 0..i64::MAX, began_at in 0..i64::MAX) {
            let (id, epoch) = (Uuid::from_u128(id), Uuid::from_u128(epoch));
            let cursor = Cursor { epoch, revision, began_at };
            prop_assert_eq!(Cursor::parse(&cursor.to_text(id), id), Some(cursor));
        }

        #[test]
        fn any_text_is_survived(text: String, bytes: Vec<u8>) {
            let _ = Cursor::parse(&text, Uuid::nil());
            let _ = Cursor::parse(&URL_SAFE_NO_PAD.encode(bytes), Uuid::nil());
        }
    }
}

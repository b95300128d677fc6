//! How much an account keeps of what is bounded. The numbers stand in the account's row and change in the same
//! transaction as the rows that they count, so that no write has to count rows.

use entity::account;

use super::Change;
use crate::error::{Error, Result};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Entries,
    /// History events and watched episodes.
    Events,
    Lists,
    ListItems,
    /// Reviews, comments, names and descriptions of lists, notes of their items, in UTF-8.
    TextBytes,
}

/// What one account may keep of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub entries: u64,
    pub events: u64,
    pub lists: u64,
    pub list_items: u64,
    pub text_bytes: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            entries: 200_000,
            events: 2_000_000,
            lists: 10_000,
            list_items: 1_000_000,
            text_bytes: 256 * 1024 * 1024,
        }
    }
}

impl Quota {
    fn of(&self, what: Counted) -> u64 {
        match what {
            Counted::Entries => self.entries,
            Counted::Events => self.events,
            Counted::Lists => self.lists,
            Counted::ListItems => self.list_items,
            Counted::TextBytes => self.text_bytes,
        }
    }
}

impl Counted {
    /// In the words of a problem document: "at most 10000 lists".
    fn name(self) -> &'static str {
        match self {
            Self::Entries => "library entries",
            Self::Events => "history events and watched episodes",
            Self::Lists => "lists",
            Self::ListItems => "list items",
            Self::TextBytes => "bytes of text",
        }
    }

    fn number(self, account: &account::Model) -> i64 {
        match self {
            Self::Entries => account.entries,
            Self::Events => account.events,
            Self::Lists => account.lists,
            Self::ListItems => account.list_items,
            Self::TextBytes => account.text_bytes,
        }
    }

    fn number_mut(self, account: &mut account::Model) -> &mut i64 {
        match self {
            Self::Entries => &mut account.entries,
            Self::Events => &mut account.events,
            Self::Lists => &mut account.lists,
            Self::ListItems => &mut account.list_items,
            Self::TextBytes => &mut account.text_bytes,
        }
    }
}

/// The numbers of an account's row, in the order of [`Counted`].
pub(super) fn numbers(account: &account::Model) -> [i64; 5] {
    use Counted::{Entries, Events, ListItems, Lists, TextBytes};
    [Entries, Events, Lists, ListItems, TextBytes].map(|what| what.number(account))
}

/// The length of texts of which some may be missing.
pub fn text_bytes<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> u64 {
    texts.into_iter().flatten().map(|text| text.len() as u64).sum()
}

impl Change {
    /// How many more of these the account may keep.
    pub fn room(&self, what: Counted) -> u64 {
        let kept = u64::try_from(what.number(self.account())).unwrap_or(0);
        self.quota().of(what).saturating_sub(kept)
    }

    /// # Errors
    /// [`Error::LimitReached`] unless the account may keep so many more.
    pub fn require_room(&self, what: Counted, more: u64) -> Result<()> {
        if more > self.room(what) {
            return Err(Error::LimitReached { what: what.name(), limit: self.quota().of(what) });
        }
        Ok(())
    }

    /// Counts rows that are written.
    pub fn count_added(&mut self, what: Counted, number: u64) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let counted = what.number_mut(self.account_mut());
        *counted = counted.saturating_add(number);
    }

    /// Counts rows that are deleted, which is always possible.
    pub fn count_removed(&mut self, what: Counted, number: u64) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let counted = what.number_mut(self.account_mut());
        *counted = counted.saturating_sub(number);
    }

    /// Counts one new row.
    ///
    /// # Errors
    /// [`Error::LimitReached`] where there is no room for it.
    pub fn add_one(&mut self, what: Counted) -> Result<()> {
        self.require_room(what, 1)?;
        self.count_added(what, 1);
        Ok(())
    }

    /// Counts the text of a row that is written in place of another, or of nothing.
    ///
    /// # Errors
    /// [`Error::LimitReached`] where the new text is longer and there is no room for it.
    pub fn replace_text(&mut self, before: u64, after: u64) -> Result<()> {
        self.require_room(Counted::TextBytes, after.saturating_sub(before))?;
        self.count_removed(Counted::TextBytes, before);
        self.count_added(Counted::TextBytes, after);
        Ok(())
    }
}

//! The feed of changes on the wire.

use poem_openapi::{Enum, Object};
use serde::Serialize;

use super::account::Account;
use super::entry::LibraryEntry;
use super::episode::WatchedEpisode;
use super::list::{ListItem, MediaList};
use super::note::{Comment, HistoryEvent, Review};
use crate::sync::{self, Thing};

/// The kinds of things that an account owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ThingKind {
    Settings,
    Entry,
    Review,
    Comment,
    HistoryEvent,
    Episode,
    List,
    ListItem,
}

impl From<sync::Kind> for ThingKind {
    fn from(kind: sync::Kind) -> Self {
        match kind {
            sync::Kind::Settings => Self::Settings,
            sync::Kind::Entry => Self::Entry,
            sync::Kind::Review => Self::Review,
            sync::Kind::Comment => Self::Comment,
            sync::Kind::HistoryEvent => Self::HistoryEvent,
            sync::Kind::Episode => Self::Episode,
            sync::Kind::List => Self::List,
            sync::Kind::ListItem => Self::ListItem,
        }
    }
}

/// The last change of one thing. The field that its kind names shows it as it is now; none of them
/// does when it was deleted. The deletion of an entry or of a list is the deletion of everything that
/// hangs on it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Change {
    pub revision: i64,
    pub kind: ThingKind,
    /// What it is called among its kind: `settings`; the media id of an entry or a review;
    /// `{media id}/{id}` of a comment or a history event; `{media id}/{season}/{episode}` of an episode;
    /// the id of a list; `{list id}/{media id}` of a list item.
    pub key: String,
    pub deleted: bool,
    pub settings: Option<Account>,
    pub entry: Option<LibraryEntry>,
    pub review: Option<Review>,
    pub comment: Option<Comment>,
    pub history_event: Option<HistoryEvent>,
    pub episode: Option<WatchedEpisode>,
    pub list: Option<MediaList>,
    pub item: Option<ListItem>,
}

impl From<sync::Change> for Change {
    fn from(change: sync::Change) -> Self {
        let mut view = Self {
            revision: change.revision,
            kind: change.kind.into(),
            key: change.key,
            deleted: change.thing.is_none(),
            settings: None,
            entry: None,
            review: None,
            comment: None,
            history_event: None,
            episode: None,
            list: None,
            item: None,
        };
        match change.thing {
            Some(Thing::Settings(row)) => view.settings = Some((*row).into()),
            Some(Thing::Entry(entry)) => view.entry = Some((*entry).into()),
            Some(Thing::Review(row)) => view.review = Some(row.into()),
            Some(Thing::Comment(row)) => view.comment = Some(row.into()),
            Some(Thing::HistoryEvent(row)) => view.history_event = Some(row.into()),
            Some(Thing::Episode(row)) => view.episode = Some(row.into()),
            Some(Thing::List(list)) => view.list = Some(list.into()),
            Some(Thing::ListItem(item)) => view.item = Some((*item).into()),
            None => {}
        }
        view
    }
}

/// One page of changes, in the order of their revisions.
#[derive(Debug, Clone, Object, Serialize)]
pub struct ChangePage {
    pub changes: Vec<Change>,
    /// Where to go on: always there, to be kept until the next time.
    pub cursor: String,
    /// Whether there is more to read now.
    pub has_more: bool,
    /// The account's revision in the moment that this page shows.
    pub head: i64,
}

impl From<sync::Page> for ChangePage {
    fn from(page: sync::Page) -> Self {
        Self {
            changes: page.changes.into_iter().map(Change::from).collect(),
            cursor: page.cursor,
            has_more: page.has_more,
            head: page.head,
        }
    }
}

/// Where the account stands.
#[derive(Debug, Clone, Copy, Object, Serialize)]
pub struct SyncHead {
    /// The number of the latest change to anything that the account owns.
    pub revision: i64,
}

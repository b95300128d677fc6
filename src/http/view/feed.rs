//! The feed of changes on the wire.

use poem_openapi::Object;
use serde::Serialize;

use super::account::Account;
use super::entry::LibraryEntry;
use super::episode::WatchedEpisode;
use super::list::{ListItem, MediaList};
use super::media::Cover;
use super::note::{Comment, HistoryEvent, Review};
use super::wire_enum;
use crate::sync::{self, Thing};

wire_enum! {
    /// The kinds of things that an account owns.
    ThingKind mirrors sync::Kind { Settings, Entry, Review, Comment, HistoryEvent, Episode, List, ListItem }
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

impl Change {
    /// A change, with the cover of the title that it is about.
    pub fn new(change: sync::Change, cover: Option<Cover>) -> Self {
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
            Some(Thing::Entry(entry)) => view.entry = Some(LibraryEntry::new(*entry, cover)),
            Some(Thing::Review(row)) => view.review = Some(row.into()),
            Some(Thing::Comment(row)) => view.comment = Some(row.into()),
            Some(Thing::HistoryEvent(row)) => view.history_event = Some(row.into()),
            Some(Thing::Episode(row)) => view.episode = Some(row.into()),
            Some(Thing::List(list)) => view.list = Some(list.into()),
            Some(Thing::ListItem(item)) => view.item = Some(ListItem::new(*item, cover)),
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

/// Where the account stands.
#[derive(Debug, Clone, Copy, Object, Serialize)]
pub struct SyncHead {
    /// The number of the latest change to anything that the account owns.
    pub revision: i64,
}

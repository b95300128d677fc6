//! What can be synchronised, and how each thing is named: the words and keys of tombstones.

use std::fmt;

use entity::value::TombstoneKind;
use uuid::Uuid;

use crate::catalog::MediaId;
use crate::media::Place;

/// The kinds of things that an account owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Settings,
    Entry,
    Review,
    Comment,
    HistoryEvent,
    Episode,
    List,
    ListItem,
}

/// The name of one thing among all that an account owns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Settings,
    Entry(MediaId),
    Review(MediaId),
    Comment(MediaId, Uuid),
    HistoryEvent(MediaId, Uuid),
    Episode(MediaId, Place),
    List(Uuid),
    ListItem(Uuid, MediaId),
}

impl Key {
    /// The key that `text` is for this kind; `None` if it is none.
    pub fn parse(kind: Kind, text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let mut next = || parts.next();
        let key = match kind {
            Kind::Settings => (next()? == "settings").then_some(Self::Settings)?,
            Kind::Entry => Self::Entry(next()?.parse().ok()?),
            Kind::Review => Self::Review(next()?.parse().ok()?),
            Kind::Comment => Self::Comment(next()?.parse().ok()?, uuid(next()?)?),
            Kind::HistoryEvent => Self::HistoryEvent(next()?.parse().ok()?, uuid(next()?)?),
            Kind::Episode => {
                let (id, season, number) = (next()?.parse().ok()?, next()?, next()?);
                Self::Episode(id, Place { season: ordinal(season)?, number: ordinal(number)? })
            }
            Kind::List => Self::List(uuid(next()?)?),
            Kind::ListItem => Self::ListItem(uuid(next()?)?, next()?.parse().ok()?),
        };
        parts.next().is_none().then_some(key)
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Settings => Kind::Settings,
            Self::Entry(_) => Kind::Entry,
            Self::Review(_) => Kind::Review,
            Self::Comment(..) => Kind::Comment,
            Self::HistoryEvent(..) => Kind::HistoryEvent,
            Self::Episode(..) => Kind::Episode,
            Self::List(_) => Kind::List,
            Self::ListItem(..) => Kind::ListItem,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings => f.write_str("settings"),
            Self::Entry(id) | Self::Review(id) => write!(f, "{id}"),
            Self::Comment(id, child) | Self::HistoryEvent(id, child) => write!(f, "{id}/{child}"),
            Self::Episode(id, place) => write!(f, "{id}/{}/{}", place.season, place.number),
            Self::List(id) => write!(f, "{id}"),
            Self::ListItem(list, id) => write!(f, "{list}/{id}"),
        }
    }
}

impl From<TombstoneKind> for Kind {
    fn from(kind: TombstoneKind) -> Self {
        match kind {
            TombstoneKind::Entry => Self::Entry,
            TombstoneKind::Review => Self::Review,
            TombstoneKind::Comment => Self::Comment,
            TombstoneKind::HistoryEvent => Self::HistoryEvent,
            TombstoneKind::Episode => Self::Episode,
            TombstoneKind::List => Self::List,
            TombstoneKind::ListItem => Self::ListItem,
        }
    }
}

/// A UUID in its one canonical form, so that a thing has one name.
fn uuid(text: &str) -> Option<Uuid> {
    let id: Uuid = text.parse().ok()?;
    (id.to_string() == text).then_some(id)
}

/// A season's or an episode's number, in its one canonical form.
fn ordinal(text: &str) -> Option<i32> {
    let number: i32 = text.parse().ok()?;
    ((0..=99_999).contains(&number) && number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_name() {
        let list = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
        for (kind, text) in [
            (Kind::Settings, "settings".to_owned()),
            (Kind::Entry, "movie:tmdb:603".to_owned()),
            (Kind::Review, "book:google_books:zyTCAlFPjgYC".to_owned()),
            (Kind::Comment, format!("movie:tmdb:603/{list}")),
            (Kind::HistoryEvent, format!("movie:tmdb:603/{list}")),
            (Kind::Episode, "tv:tmdb:1399/0/12".to_owned()),
            (Kind::List, list.to_owned()),
            (Kind::ListItem, format!("{list}/game:igdb:1942")),
        ] {
            let key = Key::parse(kind, &text).unwrap();
            assert_eq!((key.to_string(), key.kind()), (text, kind));
        }
        for (kind, text) in [
            (Kind::Settings, ""),
            (Kind::Entry, "movie:tmdb:0603"),
            (Kind::Entry, "movie:tmdb:603/"),
            (Kind::Episode, "tv:tmdb:1399/01/2"),
            (Kind::Episode, "tv:tmdb:1399/+1/2"),
            (Kind::Episode, "tv:tmdb:1399/1/100000"),
            (Kind::List, "7F1F6A52-63a3-4a52-9d3c-0c4de1f7a001"),
            (Kind::List, "{7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001}"),
            (Kind::ListItem, "movie:tmdb:603/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001"),
        ] {
            assert_eq!(Key::parse(kind, text), None, "{text}");
        }
    }
}

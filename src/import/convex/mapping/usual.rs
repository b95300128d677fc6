//! What such apps usually call things: the names of tables and fields, and the words for kinds, statuses and
//! units, where the mapping says nothing.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::{
    Comments, Entries, Episodes, Field, History, ListItems, Lists, Mapping, Media, MediaTable, Of,
    ProgressFields, Reviews, SourceId, Users,
};

/// Usual words for the kinds.
pub const KINDS: [(&str, &[&str]); 4] = [
    ("movie", &["movies", "film", "films"]),
    ("tv", &["tvshow", "show", "shows", "series", "tvseries"]),
    ("game", &["games", "videogame", "videogames"]),
    ("book", &["books"]),
];

/// Usual words for the statuses. What is on hold could be either of two: the file has to say.
pub const STATUSES: [(&str, &[&str]); 4] = [
    (
        "backlog",
        &[
            "planned",
            "planning",
            "todo",
            "want",
            "wanttowatch",
            "wanttoread",
            "wanttoplay",
            "wishlist",
            "watchlist",
        ],
    ),
    ("in_progress", &["watching", "reading", "playing", "current", "started", "active"]),
    ("completed", &["complete", "done", "finished", "watched", "read", "played"]),
    ("dropped", &["drop", "abandoned", "stopped", "dnf"]),
];

/// Usual words for the units of progress.
pub const UNITS: [(&str, &[&str]); 4] = [
    ("episodes", &["episode"]),
    ("pages", &["page"]),
    ("minutes", &["minute", "min"]),
    ("percent", &["percentage", "%"]),
];

fn owner() -> Field {
    Field::of(["userId", "user", "ownerId", "owner", "clerkId", "tokenIdentifier"])
}

fn created_at() -> Field {
    Field::of(["createdAt", "_creationTime"])
}

fn updated_at() -> Field {
    Field::of(["updatedAt", "createdAt", "_creationTime"])
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            time_zone: Tz::UTC,
            without_entry: None,
            users: Some(Users::default()),
            media: Some(MediaTable::default()),
            entries: Some(Entries::default()),
            reviews: Some(Reviews::default()),
            comments: Some(Comments::default()),
            history: Some(History::default()),
            episodes: Some(Episodes::default()),
            lists: Some(Lists::default()),
            list_items: Some(ListItems::default()),
        }
    }
}

impl Default for Users {
    fn default() -> Self {
        let clerk_id = Field::of(["clerkId", "clerkUserId", "externalId", "tokenIdentifier"]);
        Self { table: "users".into(), clerk_id }
    }
}

impl Default for MediaTable {
    fn default() -> Self {
        Self { table: "media".into(), media: Media::default() }
    }
}

impl Default for Media {
    fn default() -> Self {
        let by_kind = [
            ("movie", Field::of(["tmdbId", "sourceId", "externalId"])),
            ("tv", Field::of(["tmdbId", "sourceId", "externalId"])),
            ("game", Field::of(["igdbId", "sourceId", "externalId"])),
            ("book", Field::of(["googleBooksId", "sourceId", "externalId"])),
        ];
        Self {
            id: Field::of(["mediaId", "media", "titleId", "itemId"]),
            kind: Field::of(["kind", "mediaType", "type"]),
            kinds: BTreeMap::new(),
            source_id: SourceId::ByKind(by_kind.map(|(kind, field)| (kind.to_owned(), field)).into()),
        }
    }
}

impl Default for Entries {
    fn default() -> Self {
        Self {
            table: "entries".into(),
            owner: owner(),
            media: Media::default(),
            status: Field::One("status".into()),
            statuses: BTreeMap::new(),
            without_status: None,
            rating: Field::of(["rating", "score"]),
            rating_scale: 10.0,
            favorite: Field::of(["favorite", "isFavorite", "favourite"]),
            progress: ProgressFields::default(),
            started_on: Field::of(["startedOn", "startedAt", "startDate"]),
            finished_on: Field::of(["finishedOn", "finishedAt", "completedAt", "endDate"]),
            added_at: Field::of(["addedAt", "createdAt", "_creationTime"]),
            updated_at: Field::of(["updatedAt", "addedAt", "createdAt", "_creationTime"]),
        }
    }
}

impl Default for ProgressFields {
    fn default() -> Self {
        let usual = [("movie", "minutes"), ("game", "percent"), ("book", "pages")];
        Self {
            current: Field::of(["progress.current", "progress"]),
            total: Field::of(["progress.total", "progressTotal"]),
            unit: Field::of(["progress.unit", "progressUnit"]),
            units: BTreeMap::new(),
            usual: usual.map(|(kind, unit)| (kind.to_owned(), unit.to_owned())).into(),
        }
    }
}

impl Default for Of {
    fn default() -> Self {
        Self { entry: Field::of(["entryId", "entry"]), owner: owner(), media: Media::default() }
    }
}

impl Default for Reviews {
    fn default() -> Self {
        Self {
            table: "reviews".into(),
            of: Of::default(),
            title: Field::One("title".into()),
            body: Field::of(["body", "text", "content"]),
            spoiler: Field::of(["spoiler", "hasSpoilers", "isSpoiler"]),
            created_at: created_at(),
            updated_at: updated_at(),
            optional: false,
        }
    }
}

impl Default for Comments {
    fn default() -> Self {
        Self {
            table: "comments".into(),
            of: Of::default(),
            body: Field::of(["body", "text", "content"]),
            season: Field::of(["season", "seasonNumber"]),
            episode: Field::of(["episode", "episodeNumber"]),
            page: Field::One("page".into()),
            percent: Field::One("percent".into()),
            created_at: created_at(),
            updated_at: updated_at(),
            optional: false,
        }
    }
}

impl Default for History {
    fn default() -> Self {
        Self {
            table: "history".into(),
            of: Of::default(),
            finished_on: Field::of(["finishedOn", "finishedAt", "completedAt", "date"]),
            created_at: created_at(),
            updated_at: updated_at(),
        }
    }
}

impl Default for Episodes {
    fn default() -> Self {
        Self {
            table: "episodes".into(),
            of: Of::default(),
            season: Field::of(["season", "seasonNumber"]),
            episode: Field::of(["episode", "episodeNumber"]),
            watched_on: Field::of(["watchedOn", "watchedAt"]),
            created_at: created_at(),
            updated_at: updated_at(),
        }
    }
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            table: "lists".into(),
            owner: owner(),
            name: Field::of(["name", "title"]),
            description: Field::One("description".into()),
            created_at: created_at(),
            updated_at: updated_at(),
            items: Field::of(["items", "mediaIds"]),
        }
    }
}

impl Default for ListItems {
    fn default() -> Self {
        Self {
            table: "listItems".into(),
            list: Field::of(["listId", "list"]),
            media: Media::default(),
            note: Field::of(["note", "notes"]),
            position: Field::of(["position", "order", "index"]),
            added_at: Field::of(["addedAt", "createdAt", "_creationTime"]),
            updated_at: updated_at(),
        }
    }
}

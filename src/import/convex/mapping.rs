//! Which tables of the export hold what, and under which names: read from a JSON file, with the names that
//! such apps commonly use where it says nothing. Owns the form of that file; `docs/convex.md` describes it.

mod usual;

use std::collections::BTreeMap;
use std::path::Path;

use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::report::Part;
pub use usual::{KINDS, STATUSES, UNITS};

/// The whole file. A part that is left out has its usual names; one that is `null` is not read.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// The zone in which moments fall on calendar days.
    #[serde(deserialize_with = "zone")]
    pub time_zone: Tz,
    /// The status of an entry that is made for what hangs on a title without one; without it such rows are
    /// not taken.
    pub without_entry: Option<String>,
    pub users: Option<Users>,
    pub media: Option<MediaTable>,
    pub entries: Option<Entries>,
    pub reviews: Option<Reviews>,
    pub comments: Option<Comments>,
    pub history: Option<History>,
    pub episodes: Option<Episodes>,
    pub lists: Option<Lists>,
    pub list_items: Option<ListItems>,
}

/// The table that says which Clerk user a person is.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Users {
    pub table: String,
    /// `user_…`, or a token identifier: `https://issuer|user_…`.
    pub clerk_id: Field,
}

/// The table of titles that other rows refer to.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaTable {
    pub table: String,
    pub media: Media,
}

/// How a row names a title.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Media {
    /// A document of the media table, or an id as `movie:tmdb:603`.
    pub id: Field,
    /// Otherwise what it is …
    pub kind: Field,
    /// … in other words than movie, tv, game and book, …
    pub kinds: BTreeMap<String, String>,
    /// … and what its source calls it.
    pub source_id: SourceId,
}

/// The field with the source's id: the same for all kinds, or one for each.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum SourceId {
    OfAll(Field),
    ByKind(BTreeMap<String, Field>),
}

/// A field by its name, `a.b` for one within another; of several the first that is there.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Field {
    One(String),
    FirstOf(Vec<String>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Entries {
    pub table: String,
    pub owner: Field,
    pub media: Media,
    pub status: Field,
    /// Other words for the four statuses.
    pub statuses: BTreeMap<String, String>,
    /// What stands for no status.
    pub without_status: Option<String>,
    pub rating: Field,
    /// The best rating of the app's scale; 0 is no rating.
    pub rating_scale: f64,
    pub favorite: Field,
    pub progress: ProgressFields,
    pub started_on: Field,
    pub finished_on: Field,
    pub added_at: Field,
    pub updated_at: Field,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProgressFields {
    pub current: Field,
    pub total: Field,
    pub unit: Field,
    /// Other words for the units.
    pub units: BTreeMap<String, String>,
    /// By kind, where the row does not say.
    pub usual: BTreeMap<String, String>,
}

/// How a row names the entry that it hangs on: by the entry's document, or by owner and title.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Of {
    pub entry: Field,
    pub owner: Field,
    pub media: Media,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reviews {
    pub table: String,
    pub of: Of,
    pub title: Field,
    pub body: Field,
    pub spoiler: Field,
    pub created_at: Field,
    pub updated_at: Field,
    /// Rows without a text are passed over and not reported: the table holds other things too.
    pub optional: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Comments {
    pub table: String,
    pub of: Of,
    pub body: Field,
    pub season: Field,
    pub episode: Field,
    pub page: Field,
    pub percent: Field,
    pub created_at: Field,
    pub updated_at: Field,
    pub optional: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct History {
    pub table: String,
    pub of: Of,
    /// A day, a month (`2024-05`) or a year (`2024`); nothing means that it is not known.
    pub finished_on: Field,
    pub created_at: Field,
    pub updated_at: Field,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Episodes {
    pub table: String,
    pub of: Of,
    pub season: Field,
    pub episode: Field,
    pub watched_on: Field,
    pub created_at: Field,
    pub updated_at: Field,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lists {
    pub table: String,
    pub owner: Field,
    pub name: Field,
    pub description: Field,
    pub created_at: Field,
    pub updated_at: Field,
    /// An array of titles in their order, where the list itself holds them.
    pub items: Field,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListItems {
    pub table: String,
    /// The list's document.
    pub list: Field,
    pub media: Media,
    pub note: Field,
    /// A number; without one in the order of the export.
    pub position: Field,
    pub added_at: Field,
    pub updated_at: Field,
}

impl Field {
    fn of<const N: usize>(names: [&str; N]) -> Self {
        Self::FirstOf(names.map(str::to_owned).to_vec())
    }

    /// The value in a document. `null` counts as absent.
    pub fn find<'d>(&self, document: &'d Map<String, Value>) -> Option<&'d Value> {
        let names = match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::FirstOf(names) => names.as_slice(),
        };
        names.iter().find_map(|name| at(document, name))
    }

    /// The name that it is reported under.
    pub fn name(&self) -> &str {
        match self {
            Self::One(name) => name,
            Self::FirstOf(names) => names.first().map_or("", String::as_str),
        }
    }
}

fn at<'d>(document: &'d Map<String, Value>, path: &str) -> Option<&'d Value> {
    // A field whose own name has a dot comes first.
    let found = document.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        at(document.get(first)?.as_object()?, rest)
    });
    found.filter(|value| !value.is_null())
}

impl SourceId {
    /// The field for titles of this kind.
    pub fn field(&self, kind: &str) -> Option<&Field> {
        match self {
            Self::OfAll(field) => Some(field),
            Self::ByKind(fields) => fields.get(kind),
        }
    }
}

/// What a word stands for: as the file says, else as usual. Case, blanks, hyphens and underscores make no
/// difference.
pub fn meaning(
    word: &str,
    own: &BTreeMap<String, String>,
    usual: &[(&'static str, &[&str])],
) -> Option<String> {
    let bare = bare(word);
    if let Some((_, meant)) = own.iter().find(|(name, _)| self::bare(name) == bare) {
        return Some(meant.clone());
    }
    let found = usual
        .iter()
        .find(|(name, words)| self::bare(name) == bare || words.iter().any(|word| self::bare(word) == bare));
    found.map(|(name, _)| (*name).to_owned())
}

fn bare(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// Where the mapping itself cannot be right.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MappingError(pub String);

impl Mapping {
    pub fn from_json(text: &str) -> Result<Self, MappingError> {
        let mapping: Self = serde_json::from_str(text).map_err(|error| MappingError(error.to_string()))?;
        mapping.check()?;
        Ok(mapping)
    }

    /// The mapping in a file.
    pub fn from_file(path: &Path) -> Result<Self, MappingError> {
        let named = |what: String| MappingError(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
        Self::from_json(&text).map_err(|MappingError(what)| named(what))
    }

    fn check(&self) -> Result<(), MappingError> {
        let mut statuses: Vec<&String> = self.without_entry.iter().collect();
        let mut units: Vec<&String> = Vec::new();
        let mut kinds: Vec<&String> = Vec::new();
        for media in self.media_parts() {
            kinds.extend(media.kinds.values());
            if let SourceId::ByKind(fields) = &media.source_id {
                kinds.extend(fields.keys());
            }
        }
        if let Some(entries) = &self.entries {
            statuses.extend(entries.statuses.values().chain(&entries.without_status));
            units.extend(entries.progress.units.values().chain(entries.progress.usual.values()));
            kinds.extend(entries.progress.usual.keys());
            if !(entries.rating_scale.is_finite() && entries.rating_scale > 0.0) {
                return Err(MappingError("entries.rating_scale must be above 0".into()));
            }
        }
        for (words, usual, what) in
            [(statuses, &STATUSES, "status"), (units, &UNITS, "unit"), (kinds, &KINDS, "kind")]
        {
            for word in words {
                if !usual.iter().any(|(name, _)| name == word) {
                    let names: Vec<&str> = usual.iter().map(|(name, _)| *name).collect();
                    let names = names.join(", ");
                    return Err(MappingError(format!("{word:?} is no {what}: must be one of {names}")));
                }
            }
        }
        Ok(())
    }

    /// The tables that are to be read, in an order in which what is referred to comes first.
    pub fn tables(&self) -> Vec<(Part, &str)> {
        let parts = [
            (Part::Users, self.users.as_ref().map(|part| part.table.as_str())),
            (Part::Media, self.media.as_ref().map(|part| part.table.as_str())),
            (Part::Entries, self.entries.as_ref().map(|part| part.table.as_str())),
            (Part::Reviews, self.reviews.as_ref().map(|part| part.table.as_str())),
            (Part::Comments, self.comments.as_ref().map(|part| part.table.as_str())),
            (Part::History, self.history.as_ref().map(|part| part.table.as_str())),
            (Part::Episodes, self.episodes.as_ref().map(|part| part.table.as_str())),
            (Part::Lists, self.lists.as_ref().map(|part| part.table.as_str())),
            (Part::ListItems, self.list_items.as_ref().map(|part| part.table.as_str())),
        ];
        parts.into_iter().filter_map(|(part, table)| Some((part, table?))).collect()
    }

    fn media_parts(&self) -> impl Iterator<Item = &Media> {
        let of = [
            self.reviews.as_ref().map(|part| &part.of.media),
            self.comments.as_ref().map(|part| &part.of.media),
            self.history.as_ref().map(|part| &part.of.media),
            self.episodes.as_ref().map(|part| &part.of.media),
            self.media.as_ref().map(|part| &part.media),
            self.entries.as_ref().map(|part| &part.media),
            self.list_items.as_ref().map(|part| &part.media),
        ];
        of.into_iter().flatten()
    }
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(|_| serde::de::Error::custom(format!("{name:?} is not an IANA time zone name")))
}

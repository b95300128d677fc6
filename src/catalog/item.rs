//! What a source says of one title, in our own words for things. The same type serves search hits
//! and details: what a poorer answer lacks is `None` or empty.

use serde::{Deserialize, Serialize};

use super::media_id::{MediaId, SourceName, is_volume_id};
use super::season::SeasonSummary;

/// The most creators kept of one title in one role.
pub const MAX_PER_ROLE: usize = 10;

/// One title as its source describes it, in one language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaItem {
    pub id: MediaId,
    /// Never empty.
    pub title: String,
    #[serde(default)]
    pub original_title: Option<String>,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    #[serde(default)]
    pub release_date: Option<String>,
    /// Plain text; line breaks may occur.
    #[serde(default)]
    pub overview: Option<String>,
    #[serde(default)]
    pub genres: Vec<String>,
    #[serde(default)]
    pub cover: Option<CoverRef>,
    /// At most [`MAX_PER_ROLE`] in each role.
    #[serde(default)]
    pub creators: Vec<Creator>,
    #[serde(default)]
    pub runtime_minutes: Option<u32>,
    #[serde(default)]
    pub page_count: Option<u32>,
    #[serde(default)]
    pub platforms: Vec<String>,
    #[serde(default)]
    pub season_count: Option<u32>,
    #[serde(default)]
    pub episode_count: Option<u32>,
    /// What the series' source lists, the specials (season 0) first.
    #[serde(default)]
    pub seasons: Vec<SeasonSummary>,
    #[serde(default)]
    pub series_status: Option<SeriesStatus>,
    #[serde(default)]
    pub external_ids: ExternalIds,
}

/// Somebody, or some company, that made a title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creator {
    pub name: String,
    pub role: Role,
    /// Whom an actor plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub character: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Director,
    Creator,
    Author,
    Developer,
    Publisher,
    Writer,
    Actor,
    /// A company that produced it.
    Studio,
    /// Where a series is first shown.
    Network,
}

/// How far along a series is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesStatus {
    Planned,
    InProduction,
    /// More of it is to come.
    Returning,
    Ended,
    Canceled,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Director => "director",
            Role::Creator => "creator",
            Role::Author => "author",
            Role::Developer => "developer",
            Role::Publisher => "publisher",
            Role::Writer => "writer",
            Role::Actor => "actor",
            Role::Studio => "studio",
            Role::Network => "network",
        }
    }
}

/// What other registers call the title. Each is checked for its form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExternalIds {
    pub imdb_id: Option<String>,
    pub tvdb_id: Option<String>,
    pub wikidata_id: Option<String>,
    pub isbn_10: Option<String>,
    pub isbn_13: Option<String>,
}

/// The source's own name of a picture, never an address: TMDB's path (`/abc.jpg`), IGDB's image id
/// or Google's volume id. Its characters are safe in an address of that source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CoverRef(String);

impl CoverRef {
    /// The picture that `source` calls `reference`, if that is a well-formed name there.
    pub fn new(source: SourceName, reference: &str) -> Option<Self> {
        let well_formed = match source {
            SourceName::Tmdb => is_tmdb_path(reference),
            SourceName::Igdb => is_igdb_image(reference),
            SourceName::GoogleBooks => is_volume_id(reference),
        };
        well_formed.then(|| Self(reference.to_owned()))
    }

    /// A name that stands in this program, and so holds nothing of a person.
    pub(super) fn literal(reference: &'static str) -> Self {
        Self(reference.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_tmdb_path(text: &str) -> bool {
    let Some((stem, ending)) = text.strip_prefix('/').and_then(|name| name.split_once('.')) else {
        return false;
    };
    (1..=80).contains(&stem.len())
        && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && matches!(ending, "jpg" | "jpeg" | "png" | "webp")
}

fn is_igdb_image(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

impl TryFrom<String> for CoverRef {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if is_tmdb_path(&text) || is_volume_id(&text) { Ok(Self(text)) } else { Err("not a cover reference") }
    }
}

impl From<CoverRef> for String {
    fn from(cover: CoverRef) -> Self {
        cover.0
    }
}

impl Creator {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.name.capacity() + self.character.as_ref().map_or(0, String::capacity)
    }
}

impl MediaItem {
    /// An item that has nothing yet but its name.
    pub fn new(id: MediaId, title: String) -> Self {
        Self {
            id,
            title,
            original_title: None,
            release_date: None,
            overview: None,
            genres: Vec::new(),
            cover: None,
            creators: Vec::new(),
            runtime_minutes: None,
            page_count: None,
            platforms: Vec::new(),
            season_count: None,
            episode_count: None,
            seasons: Vec::new(),
            series_status: None,
            external_ids: ExternalIds::default(),
        }
    }

    /// The year of the release date.
    pub fn year(&self) -> Option<i32> {
        self.release_date.as_deref()?.get(..4)?.parse().ok()
    }

    /// Roughly what it takes in memory, in bytes.
    pub fn weight(&self) -> usize {
        let ids = &self.external_ids;
        let optional = [
            &self.original_title,
            &self.release_date,
            &self.overview,
            &ids.imdb_id,
            &ids.tvdb_id,
            &ids.wikidata_id,
            &ids.isbn_10,
            &ids.isbn_13,
        ];
        let listed = self.genres.iter().chain(&self.platforms);
        size_of::<Self>()
            + self.id.as_str().len()
            + self.title.capacity()
            + self.cover.as_ref().map_or(0, |cover| cover.0.capacity())
            + optional.iter().filter_map(|text| text.as_ref()).map(String::capacity).sum::<usize>()
            + listed.map(|text| size_of::<String>() + text.capacity()).sum::<usize>()
            + self
                .seasons
                .iter()
                .map(|s| size_of::<SeasonSummary>() + s.title.as_ref().map_or(0, String::capacity))
                .sum::<usize>()
            + self.creators.iter().map(Creator::weight).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_are_names_and_never_addresses() {
        use SourceName::{GoogleBooks, Igdb, Tmdb};
        for (source, text) in [(Tmdb, "/aB-c_1.jpg"), (Igdb, "co1abc_2"), (GoogleBooks, "zyTCAlFPjgYC")] {
            let cover = CoverRef::new(source, text).unwrap();
            let json = serde_json::to_string(&cover).unwrap();
            assert_eq!(serde_json::from_str::<CoverRef>(&json).unwrap(), cover);
        }
        for (source, text) in [
            (Tmdb, ""),
            (Tmdb, "abc.jpg"),
            (Tmdb, "/a/b.jpg"),
            (Tmdb, "/../x.jpg"),
            (Tmdb, "/abc.svg"),
            (Tmdb, "/abc.jpg?x"),
            (Tmdb, "//evil.example/x.jpg"),
            (Igdb, "CO1"),
            (Igdb, "co1/.."),
            (Igdb, "//images.example/co1"),
            (GoogleBooks, "a&fife=w1"),
        ] {
            assert_eq!(CoverRef::new(source, text), None, "{text}");
        }
        assert!(serde_json::from_str::<CoverRef>("\"https://x\"").is_err());
    }

    #[test]
    fn an_item_survives_json_and_knows_its_year() {
        let mut item = MediaItem::new("movie:tmdb:603".parse().unwrap(), "The Matrix".into());
        assert_eq!(item.year(), None);
        let bare = item.weight();
        item.release_date = Some("1999-03-31".into());
        item.creators =
            vec![Creator { name: "Lana Wachowski".into(), role: Role::Director, character: None }];
        item.external_ids.imdb_id = Some("tt0133093".into());
        assert_eq!(item.year(), Some(1999));
        assert!(item.weight() > bare);
        let json = serde_json::to_string(&item).unwrap();
        assert_eq!(serde_json::from_str::<MediaItem>(&json).unwrap(), item);
        let least = r#"{"id":"movie:tmdb:1","title":"A","something_new":1}"#;
        assert_eq!(serde_json::from_str::<MediaItem>(least).unwrap().title, "A");
    }
}

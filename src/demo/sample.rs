//! The sample catalog: a few dozen real titles with overviews in our own words, embedded in the binary.
//! Owns the titles and what is derived from them (dates of episodes); knows no upstream's format.

use std::io;

use chrono::{Days, NaiveDate};
use serde::Deserialize;

/// All titles, in the order in which they are popular.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub movies: Vec<Movie>,
    pub series: Vec<Series>,
    pub games: Vec<Game>,
    pub books: Vec<Book>,
}

/// A German title and overview; `""` where the upstream has an empty one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Translation {
    pub title: String,
    pub overview: String,
}

/// A film of TMDB.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Movie {
    pub id: u64,
    pub imdb_id: String,
    pub title: String,
    /// Where it differs from `title`.
    pub original_title: Option<String>,
    /// ISO 639-1; English where absent.
    pub original_language: Option<String>,
    pub released: NaiveDate,
    /// Minutes; 0 while unknown.
    pub runtime: u32,
    pub directors: Vec<String>,
    pub cast: Vec<String>,
    /// Whom the cast plays, in its order, as far as it is known.
    #[serde(default)]
    pub characters: Vec<String>,
    #[serde(default)]
    pub studios: Vec<String>,
    /// TMDB's numbers.
    pub genres: Vec<u64>,
    /// 0 to 10.
    pub rating: f64,
    pub votes: u64,
    pub overview: String,
    pub german: Option<Translation>,
}

/// A series of TMDB.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    pub id: u64,
    pub imdb_id: String,
    pub tvdb_id: Option<u64>,
    /// The IMDb id of the first episode, where a look-up by it is shown.
    pub pilot_imdb_id: Option<String>,
    pub title: String,
    pub original_title: Option<String>,
    pub original_language: Option<String>,
    /// TMDB's word: `Ended`, `Returning Series`, `In Production`.
    pub status: String,
    pub creators: Vec<String>,
    pub cast: Vec<String>,
    /// Whom the cast plays, in its order, as far as it is known.
    #[serde(default)]
    pub characters: Vec<String>,
    #[serde(default)]
    pub studios: Vec<String>,
    pub network: String,
    pub genres: Vec<u64>,
    /// Of an episode.
    pub minutes: u32,
    /// Days between two episodes of a season; 0 where all come at once.
    pub pace: u64,
    /// Episodes of season 0.
    #[serde(default)]
    pub specials: u32,
    /// First day and number of episodes of the seasons from 1 on. A season that is only announced has neither.
    pub seasons: Vec<(Option<NaiveDate>, u32)>,
    pub rating: f64,
    pub votes: u64,
    pub overview: String,
    pub german: Option<Translation>,
}

/// A game of IGDB.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Game {
    pub id: u64,
    pub name: String,
    pub slug: String,
    pub released: Option<NaiveDate>,
    #[serde(default)]
    pub developers: Vec<String>,
    #[serde(default)]
    pub publishers: Vec<String>,
    /// IGDB's numbers, as for genres and themes.
    pub platforms: Vec<u64>,
    #[serde(default)]
    pub genres: Vec<u64>,
    #[serde(default)]
    pub themes: Vec<u64>,
    /// IGDB's game type; 0 is a main game.
    #[serde(default)]
    pub game_type: u64,
    /// The game of which this is an edition.
    pub version_parent: Option<u64>,
    /// The game to which this belongs.
    pub parent_game: Option<u64>,
    #[serde(default)]
    pub similar: Vec<u64>,
    /// The image id of the cover.
    pub cover: Option<String>,
    /// 0 to 100.
    pub rating: Option<f64>,
    #[serde(default)]
    pub votes: u64,
    /// How many waited for it; absent where nobody counted.
    pub hypes: Option<u64>,
    /// Ids in expanded lists that lead nowhere.
    #[serde(default)]
    pub dangling: bool,
    pub summary: String,
}

/// A volume of Google Books.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    pub id: String,
    pub title: String,
    pub subtitle: Option<String>,
    #[serde(default)]
    pub authors: Vec<String>,
    pub publisher: Option<String>,
    /// As the upstream writes it: a day, a month, a year, or odd forms such as `19??`.
    pub published: Option<String>,
    pub pages: u32,
    pub isbn_13: Option<String>,
    pub isbn_10: Option<String>,
    /// Another number, of the type OTHER.
    pub other: Option<String>,
    /// Paths, as details have them: `Fiction / Fantasy / Epic`.
    #[serde(default)]
    pub categories: Vec<String>,
    /// ISO 639-1; English where absent.
    pub language: Option<String>,
    /// 0 to 5.
    pub rating: Option<f64>,
    /// Whether the upstream has a picture.
    #[serde(default = "yes")]
    pub cover: bool,
    /// Whether the picture that it names is only the one for "image not available".
    #[serde(default)]
    pub blank: bool,
    pub description: String,
}

fn yes() -> bool {
    true
}

impl Catalog {
    /// Reads the embedded files.
    pub fn load() -> io::Result<Self> {
        Ok(Self {
            movies: serde_json::from_str(include_str!("sample/movies.json"))?,
            series: serde_json::from_str(include_str!("sample/series.json"))?,
            games: serde_json::from_str(include_str!("sample/games.json"))?,
            books: serde_json::from_str(include_str!("sample/books.json"))?,
        })
    }

    pub fn movie(&self, id: u64) -> Option<&Movie> {
        self.movies.iter().find(|movie| movie.id == id)
    }

    pub fn series(&self, id: u64) -> Option<&Series> {
        self.series.iter().find(|series| series.id == id)
    }

    pub fn book(&self, id: &str) -> Option<&Book> {
        self.books.iter().find(|book| book.id == id)
    }
}

impl Movie {
    pub fn original_title(&self) -> &str {
        self.original_title.as_ref().unwrap_or(&self.title)
    }

    pub fn original_language(&self) -> &str {
        self.original_language.as_deref().unwrap_or("en")
    }
}

impl Series {
    pub fn original_title(&self) -> &str {
        self.original_title.as_ref().unwrap_or(&self.title)
    }

    pub fn original_language(&self) -> &str {
        self.original_language.as_deref().unwrap_or("en")
    }

    /// The first day and the number of episodes of a season; `None` if there is no such season. The
    /// specials begin with the second season, or with the first where there is no second.
    pub fn season(&self, number: u32) -> Option<(Option<NaiveDate>, u32)> {
        let at = |index: usize| self.seasons.get(index).copied();
        match number {
            0 if self.specials == 0 => None,
            0 => Some((at(1).or(at(0)).and_then(|(first, _)| first), self.specials)),
            _ => at(usize::try_from(number).ok()?.checked_sub(1)?),
        }
    }

    /// The day on which an episode was first shown.
    pub fn aired(&self, season: u32, episode: u32) -> Option<NaiveDate> {
        let (first, count) = self.season(season)?;
        let nth = u64::from(episode.checked_sub(1).filter(|_| episode <= count)?);
        first?.checked_add_days(Days::new(nth * self.pace))
    }

    pub fn first_aired(&self) -> Option<NaiveDate> {
        self.aired(1, 1)
    }

    /// Season and number of the last episode shown.
    pub fn last_episode(&self) -> Option<(u32, u32)> {
        let shown = (1..).zip(&self.seasons).filter(|(_, (first, count))| first.is_some() && *count > 0);
        shown.last().map(|(season, (_, count))| (season, *count))
    }

    /// Without the specials.
    pub fn episodes(&self) -> u32 {
        self.seasons.iter().map(|(_, count)| count).sum()
    }
}

impl Game {
    /// Midnight UTC of the first release in unix seconds; before 1970 it is negative.
    pub fn released_at(&self) -> Option<i64> {
        Some(self.released?.and_hms_opt(0, 0, 0)?.and_utc().timestamp())
    }
}

impl Book {
    pub fn language(&self) -> &str {
        self.language.as_deref().unwrap_or("en")
    }
}

#[cfg(test)]
#[path = "sample_test.rs"]
mod tests;

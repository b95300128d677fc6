//! What a source says of the seasons of a series and of their episodes. Season 0 holds the specials.

use serde::{Deserialize, Serialize};

use super::item::CoverRef;

/// The most seasons kept of one series.
pub const MAX_SEASONS: usize = 300;

/// The most episodes kept of one season.
pub const MAX_EPISODES: usize = 2_000;

/// The largest number that a season or an episode can have: some are numbered by year, and the
/// longest series count their episodes through.
pub const MAX_NUMBER: u32 = 99_999;

/// A season as the details of its series list it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeasonSummary {
    pub number: u32,
    #[serde(default)]
    pub title: Option<String>,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`: when its first episode airs.
    #[serde(default)]
    pub air_date: Option<String>,
    /// None where the source knows none yet.
    #[serde(default)]
    pub episode_count: Option<u32>,
    #[serde(default)]
    pub cover: Option<CoverRef>,
}

/// A season with its episodes, in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Season {
    pub number: u32,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub overview: Option<String>,
    #[serde(default)]
    pub air_date: Option<String>,
    #[serde(default)]
    pub cover: Option<CoverRef>,
    /// By number, no number twice.
    #[serde(default)]
    pub episodes: Vec<Episode>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// The source's own id, which stays when it numbers a season anew.
    pub id: u64,
    pub number: u32,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub overview: Option<String>,
    /// A whole date, or nothing.
    #[serde(default)]
    pub air_date: Option<chrono::NaiveDate>,
    #[serde(default)]
    pub runtime_minutes: Option<u32>,
}

impl Season {
    /// A season of which nothing but its place in the list is known.
    pub fn empty(listed: &SeasonSummary) -> Self {
        Self {
            number: listed.number,
            title: listed.title.clone(),
            overview: None,
            air_date: listed.air_date.clone(),
            cover: listed.cover.clone(),
            episodes: Vec::new(),
        }
    }

    /// Whether anything that a reader would miss is not there in this language.
    pub(super) fn lacks_text(&self) -> bool {
        self.episodes.iter().any(|episode| episode.overview.is_none())
    }

    /// Takes from `other` the texts that are missing here.
    pub(super) fn fill_texts(&mut self, other: &Season) {
        fill(&mut self.title, &other.title);
        fill(&mut self.overview, &other.overview);
        for episode in &mut self.episodes {
            if let Some(same) = other.episodes.iter().find(|same| same.id == episode.id) {
                fill(&mut episode.title, &same.title);
                fill(&mut episode.overview, &same.overview);
            }
        }
    }

    /// Roughly what it takes in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        let episodes: usize = self
            .episodes
            .iter()
            .map(|episode| size_of::<Episode>() + text(&episode.title) + text(&episode.overview))
            .sum();
        size_of::<Self>() + text(&self.title) + text(&self.overview) + text(&self.air_date) + episodes
    }
}

fn fill(mine: &mut Option<String>, other: &Option<String>) {
    if mine.is_none() {
        mine.clone_from(other);
    }
}

//! Rows of TMDB's lists: films and series under one face, and people, who must be passed over.

use chrono::{Datelike as _, NaiveDate};
use serde_json::{Value, json};

use super::language::Language;
use crate::demo::sample::{Movie, Series};

#[derive(Clone, Copy)]
pub(super) enum Title<'a> {
    Movie(&'a Movie),
    Series(&'a Series),
}

impl Title<'_> {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Movie(_) => "movie",
            Self::Series(_) => "tv",
        }
    }

    pub(super) fn id(&self) -> u64 {
        match self {
            Self::Movie(movie) => movie.id,
            Self::Series(series) => series.id,
        }
    }

    pub(super) fn title(&self) -> &str {
        match self {
            Self::Movie(movie) => &movie.title,
            Self::Series(series) => &series.title,
        }
    }

    pub(super) fn imdb_id(&self) -> &str {
        match self {
            Self::Movie(movie) => &movie.imdb_id,
            Self::Series(series) => &series.imdb_id,
        }
    }

    pub(super) fn tvdb_id(&self) -> Option<u64> {
        match self {
            Self::Movie(_) => None,
            Self::Series(series) => series.tvdb_id,
        }
    }

    /// The first day in cinemas or on air.
    pub(super) fn date(&self) -> Option<NaiveDate> {
        match self {
            Self::Movie(movie) => Some(movie.released),
            Self::Series(series) => series.first_aired(),
        }
    }

    pub(super) fn year(&self) -> Option<i32> {
        self.date().map(|date| date.year())
    }

    pub(super) fn rating(&self) -> f64 {
        match self {
            Self::Movie(movie) => movie.rating,
            Self::Series(series) => series.rating,
        }
    }

    fn genres(&self) -> &[u64] {
        match self {
            Self::Movie(movie) => &movie.genres,
            Self::Series(series) => &series.genres,
        }
    }

    pub(super) fn shares(&self, genres: &[u64]) -> bool {
        self.genres().iter().any(|genre| genres.contains(genre))
    }

    /// Whether one of its titles holds the query, which is in lower case.
    pub(super) fn is_named(&self, query: &str) -> bool {
        let (original, german) = match self {
            Self::Movie(movie) => (movie.original_title(), movie.german.as_ref()),
            Self::Series(series) => (series.original_title(), series.german.as_ref()),
        };
        let has = |title: &str| title.to_lowercase().contains(query);
        has(self.title()) || has(original) || german.is_some_and(|german| has(&german.title))
    }

    /// The path of the poster; what is only announced has none.
    pub(super) fn poster(&self) -> Option<String> {
        self.date().map(|_| format!("/demo{}Poster{}.jpg", self.kind(), self.id()))
    }

    /// The row of a list of its kind.
    pub(super) fn row(&self, language: Language) -> Value {
        match self {
            Self::Movie(movie) => {
                let (title, overview) = language.text(&movie.title, &movie.overview, movie.german.as_ref());
                json!({
                    "adult": false, "backdrop_path": null, "genre_ids": movie.genres, "id": movie.id,
                    "title": title, "original_language": movie.original_language(),
                    "original_title": movie.original_title(), "overview": overview, "popularity": popularity(movie.votes),
                    "poster_path": self.poster(), "release_date": movie.released.to_string(), "softcore": false,
                    "video": false, "vote_average": number(movie.rating), "vote_count": movie.votes,
                })
            }
            Self::Series(series) => {
                let (title, overview) =
                    language.text(&series.title, &series.overview, series.german.as_ref());
                let mut row = json!({
                    "adult": false, "backdrop_path": null, "genre_ids": series.genres, "id": series.id,
                    "name": title, "original_language": series.original_language(),
                    "original_name": series.original_title(), "overview": overview,
                    "popularity": popularity(series.votes), "poster_path": self.poster(),
                    "first_air_date": date(series.first_aired()), "softcore": false,
                    "vote_average": number(series.rating), "vote_count": series.votes, "origin_country": ["US"],
                });
                // Some rows lack these two keys.
                if let Some(row) = row.as_object_mut().filter(|_| series.seasons.len() == 1) {
                    row.remove("adult");
                    row.remove("genre_ids");
                }
                row
            }
        }
    }

    /// Whoever made it, as a row of a mixed list, with what they are known for.
    pub(super) fn person(&self) -> Option<Value> {
        let names = match self {
            Self::Movie(movie) => &movie.directors,
            Self::Series(series) => &series.creators,
        };
        let mut person = person(names.first()?);
        let mut known = self.row(Language::English);
        known["media_type"] = self.kind().into();
        person["known_for"] = json!([known]);
        Some(person)
    }
}

/// A person without `known_for`, which may be absent.
pub(super) fn person(name: &str) -> Value {
    json!({
        "adult": false, "id": person_id(name), "name": name, "original_name": name, "media_type": "person",
        "popularity": 0.5, "gender": 0, "known_for_department": "", "profile_path": null,
    })
}

/// A number for a name, always the same.
pub(super) fn person_id(name: &str) -> u64 {
    name.bytes().fold(11, |sum: u64, byte| (sum * 31 + u64::from(byte)) % 4_000_000)
}

/// `""` where there is no date.
pub(super) fn date(date: Option<NaiveDate>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// Whole numbers are sent without a fraction.
pub(super) fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

fn popularity(votes: u64) -> Value {
    json!(votes as f64 / 1000.0)
}

//! What TMDB says in which language: English whole, German where the sample has it, others empty.

use serde_json::{Value, json};

use crate::demo::sample::Translation;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
    /// Any other: no title has a translation.
    Other,
}

/// Number, English name, German name; the blank at the end of one is the upstream's.
const MOVIE: [(u64, &str, &str); 19] = [
    (28, "Action", "Action"),
    (12, "Adventure", "Abenteuer"),
    (16, "Animation", "Animation"),
    (35, "Comedy", "Komödie"),
    (80, "Crime", "Krimi"),
    (99, "Documentary", "Dokumentarfilm"),
    (18, "Drama", "Drama"),
    (10751, "Family", "Familie"),
    (14, "Fantasy", "Fantasy"),
    (36, "History", "Historie "),
    (27, "Horror", "Horror"),
    (10402, "Music", "Musik"),
    (9648, "Mystery", "Mystery"),
    (10749, "Romance", "Liebesfilm"),
    (878, "Science Fiction", "Science Fiction"),
    (10770, "TV Movie", "TV-Film"),
    (53, "Thriller", "Thriller"),
    (10752, "War", "Kriegsfilm"),
    (37, "Western", "Western"),
];
const TV: [(u64, &str, &str); 16] = [
    (10759, "Action & Adventure", "Action & Adventure"),
    (16, "Animation", "Animation"),
    (35, "Comedy", "Komödie"),
    (80, "Crime", "Krimi"),
    (99, "Documentary", "Dokumentarfilm"),
    (18, "Drama", "Drama"),
    (10751, "Family", "Familie"),
    (10762, "Kids", "Kids"),
    (9648, "Mystery", "Mystery"),
    (10763, "News", "News"),
    (10764, "Reality", "Reality"),
    (10765, "Sci-Fi & Fantasy", "Sci-Fi & Fantasy"),
    (10766, "Soap", "Soap"),
    (10767, "Talk", "Talk"),
    (10768, "War & Politics", "War & Politics"),
    (37, "Western", "Western"),
];

impl Language {
    /// `language` as sent: ISO 639-1, optionally with a country; English where absent.
    pub(super) fn of(parameter: Option<&str>) -> Self {
        match parameter.unwrap_or("en-US").split('-').next() {
            Some("en") => Self::English,
            Some("de") => Self::German,
            _ => Self::Other,
        }
    }

    /// Title and overview; both empty where there is no translation.
    pub(super) fn text<'a>(
        self,
        title: &'a str,
        overview: &'a str,
        german: Option<&'a Translation>,
    ) -> (&'a str, &'a str) {
        match (self, german) {
            (Self::English, _) => (title, overview),
            (Self::German, Some(german)) => (&german.title, &german.overview),
            (Self::German, None) | (Self::Other, _) => ("", ""),
        }
    }

    /// All genres of `movie` or `tv`.
    pub(super) fn genres(self, kind: &str) -> Value {
        let table: &[_] = if kind == "movie" { &MOVIE } else { &TV };
        table
            .iter()
            .map(|(id, english, german)| {
                json!({ "id": id, "name": if self == Self::German { german } else { english } })
            })
            .collect()
    }

    /// The genres with these numbers, in that order.
    pub(super) fn some_genres(self, kind: &str, ids: &[u64]) -> Value {
        let all = self.genres(kind);
        let named = |id: &u64| all.as_array()?.iter().find(|genre| genre["id"] == *id).cloned();
        ids.iter().filter_map(named).collect()
    }
}

/// The `translations` of a title: English, and German where the sample has it.
pub(super) fn translations(key: &str, title: &str, overview: &str, german: Option<&Translation>) -> Value {
    let one = |country: &str, language: &str, name: &str, english: &str, title: &str, overview: &str| {
        json!({
            "iso_3166_1": country, "iso_639_1": language, "name": name, "english_name": english,
            "data": { key: title, "overview": overview, "homepage": "", "tagline": "" },
        })
    };
    let german = german.map(|german| one("DE", "de", "Deutsch", "German", &german.title, &german.overview));
    let all: Vec<Value> =
        std::iter::once(one("US", "en", "English", "English", title, overview)).chain(german).collect();
    json!({ "translations": all })
}

//! All that may leave this machine, and how: a [`Lookup`] is everything a source can be told, and one
//! function per source turns it into an HTTP request. Nothing else reaches an outgoing request. The
//! lookup is also what answers are kept under.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Body, Method, Request, Url};

use super::chart::{IgdbChart, TmdbChart};
use super::code::{ImdbId, Slug, TvdbId};
use super::isbn::Isbn;
use super::language::Language;
use super::media_id::{Kind, MediaId, SourceName};
use super::picture::{Cover, CoverSize};
use super::search_text::SearchText;
use super::source_text::{GoogleBooksText, IgdbText};

/// Rows asked for per page; TMDB's own page size, used for all.
pub(super) const PAGE_SIZE: u32 = 20;

/// The last page that can be asked for.
pub(super) const LAST_PAGE: u32 = 50;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One question to one source.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Lookup {
    Tmdb(TmdbLookup),
    Igdb(IgdbLookup),
    GoogleBooks(GoogleBooksLookup),
    Picture(PictureLookup),
}

impl Lookup {
    /// How many turns of its share the lookup counts as: one for each title that it names.
    pub(super) fn cost(&self) -> u64 {
        match self {
            Lookup::Igdb(IgdbLookup::Games { ids }) => ids.len() as u64,
            _ => 1,
        }
    }

    /// The details of one title.
    pub(super) fn detail(id: &MediaId, language: Language) -> Self {
        let number = id.number().unwrap_or(0);
        match id.kind() {
            Kind::Movie => Lookup::Tmdb(TmdbLookup::Movie { id: number, language }),
            Kind::Tv => Lookup::Tmdb(TmdbLookup::Tv { id: number, language }),
            Kind::Game => Lookup::game(number),
            Kind::Book => Lookup::GoogleBooks(GoogleBooksLookup::Volume { id: id.clone() }),
        }
    }

    /// One season of a series; `None` for a title that is none.
    pub(super) fn season(id: &MediaId, number: u32, language: Language) -> Option<Self> {
        let series = id.number().filter(|_| id.kind() == Kind::Tv)?;
        Some(Lookup::Tmdb(TmdbLookup::Season { series, number, language }))
    }

    /// The details of one game.
    pub(super) fn game(id: u64) -> Self {
        Lookup::Igdb(IgdbLookup::Games { ids: [id].into() })
    }

    /// A search at `source` for titles of `kinds`; `None` if nothing of the text is left that the
    /// source could be asked for.
    pub(super) fn search(
        source: SourceName,
        text: &SearchText,
        kinds: &[Kind],
        language: Language,
        page: u32,
    ) -> Option<Self> {
        match source {
            SourceName::Tmdb => {
                let scope = match (kinds.contains(&Kind::Movie), kinds.contains(&Kind::Tv)) {
                    (true, false) => TmdbScope::Movie,
                    (false, true) => TmdbScope::Tv,
                    _ => TmdbScope::Both,
                };
                Some(Lookup::Tmdb(TmdbLookup::Search { scope, text: text.clone(), page, language }))
            }
            SourceName::Igdb => Some(Lookup::Igdb(IgdbLookup::Search { text: IgdbText::new(text)?, page })),
            SourceName::GoogleBooks => {
                let text = GoogleBooksText::new(text)?;
                Some(Lookup::GoogleBooks(GoogleBooksLookup::Search { text, page }))
            }
        }
    }

    pub(super) fn source(&self) -> SourceName {
        match self {
            Lookup::Tmdb(_) => SourceName::Tmdb,
            Lookup::Igdb(_) => SourceName::Igdb,
            Lookup::GoogleBooks(_) => SourceName::GoogleBooks,
            Lookup::Picture(picture) => picture.cover.source(),
        }
    }
}

/// One cover in one size.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct PictureLookup {
    pub(super) cover: Cover,
    pub(super) size: CoverSize,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum TmdbLookup {
    Search {
        scope: TmdbScope,
        text: SearchText,
        page: u32,
        language: Language,
    },
    Movie {
        id: u64,
        language: Language,
    },
    Tv {
        id: u64,
        language: Language,
    },
    Season {
        series: u64,
        number: u32,
        language: Language,
    },
    /// The names of the genres of movies or of series.
    Genres {
        kind: Kind,
        language: Language,
    },
    /// A list of movies or of series.
    Chart {
        kind: Kind,
        chart: TmdbChart,
        page: u32,
        language: Language,
    },
    /// What another register's id stands for; only ids are taken from the answer, so no language.
    FindImdb(ImdbId),
    FindTvdb(TvdbId),
}

/// What a search at TMDB is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum TmdbScope {
    Movie,
    Tv,
    Both,
}

/// IGDB has no languages.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum IgdbLookup {
    Search {
        text: IgdbText,
        page: u32,
    },
    /// Sorted ids without repetition, at least one and at most 100.
    Games {
        ids: Arc<[u64]>,
    },
    Slug {
        slug: Slug,
    },
    Chart {
        chart: IgdbChart,
        page: u32,
    },
}

/// Google Books is asked without a language: `langRestrict` would hide the books in all others.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum GoogleBooksLookup {
    Search {
        text: GoogleBooksText,
        page: u32,
    },
    /// The id of a book.
    Volume {
        id: MediaId,
    },
    Isbn {
        isbn: Isbn,
    },
}

/// What TMDB is sent. `authorization` is the bearer token.
pub(super) fn tmdb(base: &Url, authorization: &HeaderValue, lookup: &TmdbLookup) -> Request {
    let url = match lookup {
        TmdbLookup::Search { scope, text, page, language } => {
            let scope = match scope {
                TmdbScope::Movie => "movie",
                TmdbScope::Tv => "tv",
                TmdbScope::Both => "multi",
            };
            with_query(
                address(base, &["search", scope]),
                &[
                    ("query", text.as_str()),
                    ("include_adult", "false"),
                    ("language", language.as_str()),
                    ("page", &page.to_string()),
                ],
            )
        }
        TmdbLookup::Movie { id, language } => with_query(
            address(base, &["movie", &id.to_string()]),
            &[("language", language.as_str()), ("append_to_response", "credits,external_ids")],
        ),
        // The credits of a whole series, episode by episode, are another part and can be huge.
        TmdbLookup::Tv { id, language } => with_query(
            address(base, &["tv", &id.to_string()]),
            &[("language", language.as_str()), ("append_to_response", "credits,external_ids")],
        ),
        TmdbLookup::Season { series, number, language } => with_query(
            address(base, &["tv", &series.to_string(), "season", &number.to_string()]),
            &[("language", language.as_str())],
        ),
        TmdbLookup::Genres { kind, language } => {
            with_query(address(base, &["genre", kind.as_str(), "list"]), &[("language", language.as_str())])
        }
        TmdbLookup::Chart { kind, chart, page, language } => {
            let paged = [("language", language.as_str()), ("page", &page.to_string())];
            let discover = || {
                let popular = [("include_adult", "false"), ("sort_by", "popularity.desc")];
                with_query(with_query(address(base, &["discover", kind.as_str()]), &paged), &popular)
            };
            match chart {
                TmdbChart::Trending => {
                    with_query(address(base, &["trending", kind.as_str(), "week"]), &paged)
                }
                TmdbChart::Popular => discover(),
                TmdbChart::UpcomingFrom(day) => {
                    let first =
                        if *kind == Kind::Tv { "first_air_date.gte" } else { "primary_release_date.gte" };
                    with_query(discover(), &[(first, &day.to_string())])
                }
            }
        }
        TmdbLookup::FindImdb(id) => {
            with_query(address(base, &["find", id.as_str()]), &[("external_source", "imdb_id")])
        }
        TmdbLookup::FindTvdb(id) => {
            with_query(address(base, &["find", &id.number().to_string()]), &[("external_source", "tvdb_id")])
        }
    };
    let mut request = Request::new(Method::GET, url);
    request.headers_mut().insert(ACCEPT, JSON);
    request.headers_mut().insert(AUTHORIZATION, authorization.clone());
    request
}

/// The same fields for hits and details: a search then fills the details of what it found.
const GAME_FIELDS: &str = "fields name,summary,first_release_date,cover.image_id,genres.name,platforms.name,\
     involved_companies.developer,involved_companies.publisher,involved_companies.company.name;";

/// No editions of other games and nothing erotic; the second condition alone would drop the many games
/// without themes.
const GAME_FILTER: &str = "version_parent = null & (themes = null | themes != (42))";

/// What IGDB is sent. `authorization` is Twitch's token.
pub(super) fn igdb(
    base: &Url,
    client_id: &HeaderValue,
    authorization: &HeaderValue,
    lookup: &IgdbLookup,
) -> Request {
    let query = match lookup {
        IgdbLookup::Search { text, page } => {
            let text = text.as_str();
            format!("search \"{text}\"; {GAME_FIELDS} where {GAME_FILTER}; {}", page_clause(*page))
        }
        IgdbLookup::Slug { slug } => format!("{GAME_FIELDS} where slug = \"{}\"; limit 1;", slug.as_str()),
        // What has no value would stand before or behind all that has, as the sort pleases.
        IgdbLookup::Chart { chart, page } => {
            let (key, condition) = match chart {
                IgdbChart::ReleasedBetween(from, to) => (
                    "hypes",
                    format!(
                        " & first_release_date >= {} & first_release_date < {}",
                        seconds(*from),
                        seconds(*to)
                    ),
                ),
                IgdbChart::Popular => ("total_rating_count", String::new()),
                IgdbChart::UpcomingFrom(day) => {
                    ("hypes", format!(" & first_release_date >= {}", seconds(*day)))
                }
            };
            let page = page_clause(*page);
            format!("{GAME_FIELDS} where {GAME_FILTER} & {key} != null{condition}; sort {key} desc; {page}")
        }
        IgdbLookup::Games { ids } => {
            let list: Vec<String> = ids.iter().map(u64::to_string).collect();
            format!("{GAME_FIELDS} where id = ({}); limit {};", list.join(","), ids.len())
        }
    };
    let mut request = Request::new(Method::POST, address(base, &["games"]));
    let headers = request.headers_mut();
    headers.insert(ACCEPT, JSON);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(HeaderName::from_static("client-id"), client_id.clone());
    headers.insert(AUTHORIZATION, authorization.clone());
    *request.body_mut() = Some(Body::from(query));
    request
}

fn page_clause(page: u32) -> String {
    format!("limit {PAGE_SIZE}; offset {};", page.saturating_sub(1) * PAGE_SIZE)
}

/// When a day begins, in seconds since 1970.
fn seconds(day: NaiveDate) -> i64 {
    day.and_time(NaiveTime::MIN).and_utc().timestamp()
}

/// What Twitch is sent for a token. The secret goes in the body: addresses end in logs.
pub(super) fn twitch_token(address: &Url, client_id: &str, client_secret: &str) -> Request {
    let form = format!(
        "client_id={}&client_secret={}&grant_type=client_credentials",
        utf8_percent_encode(client_id, NON_ALPHANUMERIC),
        utf8_percent_encode(client_secret, NON_ALPHANUMERIC)
    );
    let mut request = Request::new(Method::POST, address.clone());
    request.headers_mut().insert(ACCEPT, JSON);
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    *request.body_mut() = Some(Body::from(form));
    request
}

/// What Google is sent. The country is a constant: without one Google guesses from the server's
/// address and may refuse, and a person's own must not be told.
pub(super) fn google_books(base: &Url, key: &str, lookup: &GoogleBooksLookup) -> Request {
    let url = match lookup {
        GoogleBooksLookup::Search { text, page } => volumes(base, key, text.as_str(), *page),
        GoogleBooksLookup::Isbn { isbn } => volumes(base, key, &format!("isbn:{}", isbn.as_str()), 1),
        GoogleBooksLookup::Volume { id } => {
            with_query(address(base, &["volumes", id.source_id()]), &[("country", "US"), ("key", key)])
        }
    };
    let mut request = Request::new(Method::GET, url);
    request.headers_mut().insert(ACCEPT, JSON);
    request
}

/// What the source's image host is sent: no credentials, and of the names in it one was checked for
/// its form and the others are constants.
pub(super) fn picture(base: &Url, lookup: &PictureLookup) -> Request {
    let PictureLookup { cover, size } = lookup;
    let at = |small, medium, large| match size {
        CoverSize::Small => small,
        CoverSize::Medium => medium,
        CoverSize::Large => large,
    };
    let url = match cover.source() {
        SourceName::Tmdb => address(base, &[at("w154", "w342", "w780"), cover.name()]),
        SourceName::Igdb => {
            let size = at("t_cover_small_2x", "t_cover_big", "t_720p");
            address(base, &[size, &format!("{}.jpg", cover.name())])
        }
        // Other zooms than 1 may show an inner page; the width is asked for apart.
        SourceName::GoogleBooks => with_query(
            base.clone(),
            &[
                ("id", cover.name()),
                ("printsec", "frontcover"),
                ("img", "1"),
                ("zoom", "1"),
                ("fife", at("w154", "w342", "w780")),
            ],
        ),
    };
    let mut request = Request::new(Method::GET, url);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("image/jpeg, image/png, image/webp"));
    request
}

fn volumes(base: &Url, key: &str, query: &str, page: u32) -> Url {
    with_query(
        address(base, &["volumes"]),
        &[
            ("q", query),
            ("startIndex", &(page.saturating_sub(1) * PAGE_SIZE).to_string()),
            ("maxResults", &PAGE_SIZE.to_string()),
            ("printType", "books"),
            ("maxAllowedMaturityRating", "not-mature"),
            ("country", "US"),
            ("key", key),
        ],
    )
}

fn address(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    // Fails for addresses without a host only, which are refused at the start.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

fn with_query(mut url: Url, pairs: &[(&str, &str)]) -> Url {
    url.query_pairs_mut().extend_pairs(pairs);
    url
}

#[cfg(test)]
#[path = "request_test.rs"]
mod tests;

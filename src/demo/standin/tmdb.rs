//! The stand-in of TMDB v3: routes, credentials, paging, search and lists over the sample catalog, and
//! its pictures. The shapes of rows and details are in `tmdb/`.

mod detail;
mod language;
mod row;

use std::sync::Arc;

use hyper::Method;
use serde_json::{Value, json};

use self::language::Language;
use self::row::Title;
use super::TMDB_ACCESS_TOKEN;
use super::exchange::{Received, Reply};
use super::listener::{Answer, Fault};
use crate::demo::cover;
use crate::demo::sample::{Catalog, Movie, Series};

/// Rows of a page, and the last page one may ask for.
const ROWS: usize = 20;
const LAST_PAGE: usize = 500;
/// Sub-requests of one call.
const APPENDED: usize = 20;
const POSTERS: [&str; 7] = ["w92", "w154", "w185", "w342", "w500", "w780", "original"];

pub(super) struct Tmdb {
    catalog: Arc<Catalog>,
}

impl Tmdb {
    pub(super) fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog }
    }

    fn route(&self, request: &Received, path: &[&str]) -> Reply {
        let language = Language::of(request.get("language"));
        match path {
            ["configuration"] => answer(&configuration()),
            ["genre", kind @ ("movie" | "tv"), "list"] => answer(&json!({ "genres": language.genres(kind) })),
            ["search", kind @ ("movie" | "tv" | "multi")] => self.search(request, kind, language),
            ["find", id] => self.find(request, id, language),
            ["trending", kind @ ("all" | "movie" | "tv"), "day" | "week"] => {
                page(request, &self.rows(kind, language, |_| true), None)
            }
            ["discover", kind @ ("movie" | "tv")] => self.discover(request, kind, language),
            [kind @ ("movie" | "tv"), "popular" | "top_rated"] => {
                page(request, &self.rows(kind, language, |_| true), None)
            }
            [kind @ ("movie" | "tv"), "upcoming" | "now_playing" | "on_the_air" | "airing_today"] => {
                let mut titles = self.titles(kind, |_| true);
                titles.sort_by_key(|title| std::cmp::Reverse(title.date()));
                let rows: Vec<Value> = titles.iter().map(|title| title.row(language)).collect();
                page(request, &rows, None)
            }
            ["movie", id, rest @ ..] => match id.parse().ok().and_then(|id| self.catalog.movie(id)) {
                Some(movie) => self.movie(request, movie, rest, language),
                None => missing(),
            },
            ["tv", id, rest @ ..] => match id.parse().ok().and_then(|id| self.catalog.series(id)) {
                Some(series) => self.series(request, series, rest, language),
                None => missing(),
            },
            _ => missing(),
        }
    }

    fn movie(&self, request: &Received, movie: &Movie, rest: &[&str], language: Language) -> Reply {
        match rest {
            [] => with_appended(request, detail::movie(movie, language), |name| {
                self.movie_part(movie, name, language)
            }),
            rest => self.movie_part(movie, &rest.join("/"), language).map_or_else(missing, |mut part| {
                part["id"] = json!(movie.id);
                answer(&part)
            }),
        }
    }

    fn movie_part(&self, movie: &Movie, name: &str, language: Language) -> Option<Value> {
        match name {
            "recommendations" | "similar" => {
                let near = |title: &Title<'_>| title.id() != movie.id && title.shares(&movie.genres);
                Some(paged(1, &self.rows("movie", language, near)))
            }
            name => detail::movie_part(movie, name),
        }
    }

    fn series(&self, request: &Received, series: &Series, rest: &[&str], language: Language) -> Reply {
        match rest {
            [] => with_appended(request, detail::series(series, language), |name| {
                self.series_part(series, name, language)
            }),
            rest => self.series_part(series, &rest.join("/"), language).map_or_else(missing, |mut part| {
                if !matches!(rest, ["season", ..]) {
                    part["id"] = json!(series.id);
                }
                answer(&part)
            }),
        }
    }

    fn series_part(&self, series: &Series, name: &str, language: Language) -> Option<Value> {
        let parts: Vec<&str> = name.split('/').collect();
        match parts.as_slice() {
            ["recommendations" | "similar"] => {
                let near = |title: &Title<'_>| title.id() != series.id && title.shares(&series.genres);
                Some(paged(1, &self.rows("tv", language, near)))
            }
            ["season", number] => detail::season(series, number.parse().ok()?, language),
            ["season", number, "episode", episode] => {
                let (number, episode) = (number.parse().ok()?, episode.parse().ok()?);
                series.season(number).filter(|(_, count)| (1..=*count).contains(&episode))?;
                Some(detail::episode(series, number, episode, language))
            }
            _ => detail::series_part(series, name),
        }
    }

    fn titles(&self, kind: &str, keep: impl Fn(&Title<'_>) -> bool) -> Vec<Title<'_>> {
        let movies = self.catalog.movies.iter().map(Title::Movie).filter(|_| kind != "tv");
        let series = self.catalog.series.iter().map(Title::Series).filter(|_| kind != "movie");
        movies.chain(series).filter(|title| keep(title)).collect()
    }

    fn rows(&self, kind: &str, language: Language, keep: impl Fn(&Title<'_>) -> bool) -> Vec<Value> {
        let titles = self.titles(kind, keep);
        let people = if kind == "all" { titles.first().and_then(Title::person) } else { None };
        let marked = |title: &Title<'_>| {
            let mut row = title.row(language);
            row["media_type"] = title.kind().into();
            row
        };
        let mut rows: Vec<Value> = titles.iter().map(marked).collect();
        // A person among the first rows, as in every mixed list.
        people.into_iter().for_each(|person| rows.insert(rows.len().min(1), person));
        rows
    }

    fn search(&self, request: &Received, kind: &str, language: Language) -> Reply {
        let Some(query) = request.get("query").map(str::trim).filter(|query| !query.is_empty()) else {
            return refuse(422, 5, "Invalid parameters: Your request parameters are incorrect.");
        };
        let query = query.to_lowercase();
        let year = |name: &str| request.get(name).and_then(|year| year.parse::<i32>().ok());
        let years: Vec<i32> =
            ["primary_release_year", "first_air_date_year", "year"].into_iter().filter_map(year).collect();
        let keep = |title: &Title<'_>| {
            title.is_named(&query) && years.iter().all(|year| title.year() == Some(*year))
        };
        let mut rows = match kind {
            "multi" => self.rows("all", language, keep),
            kind => self.titles(kind, keep).iter().map(|title| title.row(language)).collect(),
        };
        if kind == "multi" {
            rows.extend(self.people(&query));
        }
        page(request, &rows, None)
    }

    /// People whose name holds the query, without what they are known for.
    fn people(&self, query: &str) -> Vec<Value> {
        let movies = self.catalog.movies.iter().flat_map(|movie| movie.directors.iter().chain(&movie.cast));
        let series = self.catalog.series.iter().flat_map(|series| series.creators.iter().chain(&series.cast));
        let mut names: Vec<&String> =
            movies.chain(series).filter(|name| name.to_lowercase().contains(query)).collect();
        names.sort();
        names.dedup();
        names.into_iter().map(|name| row::person(name)).collect()
    }

    fn discover(&self, request: &Received, kind: &str, language: Language) -> Reply {
        let bound = |part: &str| {
            let name = if kind == "movie" { "release_date" } else { "first_air_date" };
            let text = request
                .get(&format!("{name}.{part}"))
                .or_else(|| request.get(&format!("primary_{name}.{part}")));
            text.and_then(|text| text.parse().ok())
        };
        let (from, to) = (bound("gte"), bound("lte"));
        let mut titles = self.titles(kind, |title| {
            from.is_none_or(|from| title.date() >= Some(from))
                && to.is_none_or(|to| title.date().is_some_and(|date| date <= to))
        });
        match request.get("sort_by") {
            Some(sort) if sort.contains("date.asc") => titles.sort_by_key(Title::date),
            Some(sort) if sort.contains("date.desc") => {
                titles.sort_by_key(|title| std::cmp::Reverse(title.date()));
            }
            Some("vote_average.desc") => titles.sort_by(|a, b| b.rating().total_cmp(&a.rating())),
            _ => {}
        }
        let rows: Vec<Value> = titles.iter().map(|title| title.row(language)).collect();
        // It claims more pages than it lets one see.
        page(request, &rows, Some(LAST_PAGE + 2).filter(|_| !rows.is_empty() && from.is_none()))
    }

    fn find(&self, request: &Received, id: &str, language: Language) -> Reply {
        let of = request.get("external_source");
        let is = |title: &Title<'_>| match of {
            Some("imdb_id") => title.imdb_id() == id,
            Some("tvdb_id") => title.tvdb_id().is_some_and(|tvdb| tvdb.to_string() == id),
            _ => false,
        };
        if of.is_none() {
            return refuse(422, 5, "Invalid parameters: Your request parameters are incorrect.");
        }
        let pilots = self.catalog.series.iter().filter(|_| of == Some("imdb_id"));
        let pilots = pilots.filter(|series| series.pilot_imdb_id.as_deref() == Some(id)).map(|series| {
            let mut episode = detail::episode(series, 1, 1, language);
            episode["media_type"] = "tv_episode".into();
            episode
        });
        answer(&json!({
            "movie_results": self.rows("movie", language, is), "tv_results": self.rows("tv", language, is),
            "tv_episode_results": pilots.collect::<Value>(), "tv_season_results": [], "person_results": [],
        }))
    }

    fn image(&self, size: &str, file: &str) -> Reply {
        let titles = self
            .titles("all", |title| title.poster().is_some_and(|path| path.strip_prefix('/') == Some(file)));
        let width = match size {
            "original" => Some(1000),
            size => size.strip_prefix('w').and_then(|width| width.parse::<u32>().ok()),
        };
        match (titles.first(), width.filter(|_| POSTERS.contains(&size))) {
            // Two to three, of the English title, so that a film looks the same in every language.
            (Some(title), Some(width)) => {
                let width = width.min(720);
                Reply::png(cover::draw(title.title(), width, width * 3 / 2), "public, max-age=31919000")
            }
            _ => Reply::new(404, "text/html", "<html><body><h1>404 Not Found</h1></body></html>"),
        }
    }
}

impl Answer for Tmdb {
    fn answer(&self, request: &Received) -> Reply {
        match request.segments().as_slice() {
            ["t", "p", size, file] => self.image(size, file),
            ["3", ..] if request.bearer() != Some(TMDB_ACCESS_TOKEN) => {
                refuse(401, 7, "Invalid API key: You must be granted a valid key.")
            }
            ["3", ..] if request.method != Method::GET => {
                refuse(405, 42, "This request method is not supported for this resource.")
            }
            ["3", path @ ..] => self.route(request, path),
            _ => Reply::new(404, "text/html", "<html><body><h1>404 Not Found</h1></body></html>"),
        }
    }
}

impl Fault {
    /// 429 as TMDB sends it, with or without the seconds to wait.
    pub fn tmdb_too_many(retry_after: Option<u64>) -> Self {
        let text = "Your request count (#) is over the allowed limit of (40).";
        match retry_after {
            Some(seconds) => refuse(429, 25, text).with("retry-after", seconds.to_string()).into(),
            None => refuse(429, 25, text).into(),
        }
    }

    /// 503 while TMDB is being maintained.
    pub fn tmdb_maintenance() -> Self {
        refuse(503, 46, "The API is undergoing maintenance. Try again later.").into()
    }
}

fn answer(body: &Value) -> Reply {
    Reply::new(200, "application/json;charset=utf-8", body.to_string())
        .with("cache-control", "public, max-age=4487")
        .with(
            "etag",
            format!(
                "W/\"{}\"",
                uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, body.to_string().as_bytes()).simple()
            ),
        )
        .with("vary", "accept-encoding")
        .with("server", "openresty")
}

fn refuse(status: u16, code: u16, message: &str) -> Reply {
    let body = json!({ "status_code": code, "status_message": message, "success": false });
    Reply::new(status, "application/json;charset=utf-8", body.to_string())
}

fn missing() -> Reply {
    refuse(404, 34, "The resource you requested could not be found.")
}

/// A detail with the parts of `append_to_response`; a part that does not exist has no key.
fn with_appended(request: &Received, mut body: Value, part: impl Fn(&str) -> Option<Value>) -> Reply {
    let names: Vec<&str> = request
        .get("append_to_response")
        .unwrap_or_default()
        .split(',')
        .filter(|name| !name.is_empty())
        .collect();
    if names.len() > APPENDED {
        return refuse(
            400,
            27,
            "Too many append to response objects: The maximum number of remote calls is 20.",
        );
    }
    for name in names {
        if let Some(part) = part(name) {
            body[name] = part;
        }
    }
    answer(&body)
}

/// The page asked for; without hits there is still one page.
fn page(request: &Received, rows: &[Value], claimed: Option<usize>) -> Reply {
    let number = match request.get("page") {
        None => 1,
        Some(text) => match text.parse() {
            Ok(number) if (1..=LAST_PAGE).contains(&number) => number,
            _ => {
                let text =
                    "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer.";
                return refuse(400, 22, text);
            }
        },
    };
    let mut body = paged(number, rows);
    if let Some(pages) = claimed {
        body["total_pages"] = json!(pages);
        body["total_results"] = json!(pages * ROWS);
    }
    answer(&body)
}

fn paged(number: usize, rows: &[Value]) -> Value {
    let results: Vec<&Value> = rows.iter().skip((number - 1) * ROWS).take(ROWS).collect();
    json!({
        "page": number, "results": results,
        "total_pages": rows.len().div_ceil(ROWS).max(1), "total_results": rows.len(),
    })
}

fn configuration() -> Value {
    json!({
        "change_keys": ["overview", "title", "translations"],
        "images": {
            "base_url": "http://image.tmdb.org/t/p/", "secure_base_url": "https://image.tmdb.org/t/p/",
            "backdrop_sizes": ["w300", "w780", "w1280", "original"],
            "logo_sizes": ["w45", "w92", "w154", "w185", "w300", "w500", "original"],
            "poster_sizes": POSTERS, "profile_sizes": ["w45", "w185", "h632", "original"],
            "still_sizes": ["w92", "w185", "w300", "original"],
        },
    })
}

#[cfg(test)]
#[path = "tmdb_test.rs"]
mod tests;

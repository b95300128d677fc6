//! The stand-in of IGDB v4: games of the sample catalog, asked for in Apicalypse, and their covers.
//! Whether a token is good is Twitch's to say.

mod game;

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::Method;
use serde_json::{Value, json};

use super::TWITCH_CLIENT_ID;
use super::apicalypse::{self, Query, SyntaxError};
use super::exchange::{Received, Reply};
use super::listener::{Answer, Fault};
use super::twitch::Tokens;
use crate::demo::cover;
use crate::demo::sample::{Catalog, Game};

/// Rows of an answer without `limit`, and the most one may ask for.
const ROWS: (usize, usize) = (10, 500);
/// Sizes of images: name, width, height.
const SIZES: [(&str, u32, u32); 10] = [
    ("micro", 35, 35),
    ("thumb", 90, 90),
    ("cover_small", 90, 128),
    ("cover_big", 264, 374),
    ("logo_med", 284, 160),
    ("screenshot_med", 569, 320),
    ("screenshot_big", 889, 500),
    ("screenshot_huge", 1280, 720),
    ("720p", 508, 720),
    ("1080p", 762, 1080),
];

pub(super) struct Igdb {
    /// Every game with all references expanded, the most rated first.
    games: Vec<Value>,
    /// The names of games by image id.
    covers: BTreeMap<String, String>,
    tokens: Arc<Tokens>,
}

impl Igdb {
    pub(super) fn new(catalog: &Catalog, tokens: Arc<Tokens>) -> Self {
        let mut sorted: Vec<&Game> = catalog.games.iter().collect();
        sorted.sort_by_key(|game| std::cmp::Reverse(game.votes));
        let cover = |game: &Game| Some((game.cover.clone()?, game.name.clone()));
        Self {
            games: sorted.into_iter().map(game::expanded).collect(),
            covers: catalog.games.iter().filter_map(cover).collect(),
            tokens,
        }
    }

    fn query(&self, endpoint: &[&str], body: &[u8]) -> Reply {
        let query = match apicalypse::parse(&String::from_utf8_lossy(body)) {
            Ok(query) => query,
            Err(SyntaxError(cause)) => return refuse(400, "Syntax Error", Some(&cause)),
        };
        let limit = query.limit.unwrap_or(ROWS.0);
        if limit > ROWS.1 {
            let cause = format!("You typed in {limit} as limit but your maximum is {}", ROWS.1);
            return refuse(403, "Request limit to high", Some(&cause));
        }
        if query.search.is_some() && query.sort.is_some() {
            return refuse(400, "Syntax Error", Some("Sort and search can not be used together"));
        }
        let first = |field: &String| field.split('.').next().unwrap_or_default().to_owned();
        if let Some(field) =
            query.fields.iter().map(first).find(|f| f != "*" && !game::FIELDS.contains(&f.as_str()))
        {
            return refuse(400, "Invalid Field", Some(&format!("Invalid field '{field}'")));
        }
        let found = self.find(&query);
        match endpoint {
            ["games"] => {
                let page = found.into_iter().skip(query.offset).take(limit);
                Reply::json(200, &page.map(|game| apicalypse::project(game, &query.fields)).collect())
            }
            ["games", "count"] => Reply::json(200, &json!({ "count": found.len() })),
            _ => Reply::new(404, "text/plain", "404 Not Found"),
        }
    }

    fn find(&self, query: &Query) -> Vec<&Value> {
        let wanted: Vec<String> =
            query.search.iter().flat_map(|text| text.split_whitespace()).map(str::to_lowercase).collect();
        let named = |game: &Value| {
            let name = game["name"].as_str().unwrap_or_default().to_lowercase();
            wanted.iter().all(|word| name.contains(word))
        };
        let mut found: Vec<&Value> = self
            .games
            .iter()
            .filter(|game| query.search.is_none() || !wanted.is_empty() && named(game))
            .filter(|game| query.condition.as_ref().is_none_or(|condition| condition.holds(game)))
            .collect();
        if let Some((field, down)) = &query.sort {
            let key = |game: &Value| apicalypse::values(game, field).first().map(|value| (*value).clone());
            found.sort_by(|a, b| {
                let order = match (key(a), key(b)) {
                    (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(&b),
                    (a, b) => {
                        let number = |v: Option<Value>| v.and_then(|v| v.as_f64()).unwrap_or(f64::MIN);
                        number(a).total_cmp(&number(b))
                    }
                };
                if *down { order.reverse() } else { order }
            });
        }
        found
    }

    fn image(&self, size: &str, file: &str) -> Reply {
        let size = size.strip_prefix("t_").unwrap_or_default();
        let doubled = size.strip_suffix("_2x");
        let side = SIZES.iter().find(|(name, ..)| *name == doubled.unwrap_or(size));
        let name = file.split_once('.').and_then(|(image, _)| self.covers.get(image));
        match (side, name) {
            (Some((_, width, height)), Some(name)) => {
                let times = if doubled.is_some() { 2 } else { 1 };
                Reply::png(cover::draw(name, width * times, height * times), "public, max-age=2592000")
            }
            _ => Reply::new(404, "text/plain", "Not Found"),
        }
    }
}

impl Answer for Igdb {
    fn answer(&self, request: &Received) -> Reply {
        match (&request.method, request.segments().as_slice()) {
            (&Method::GET, ["igdb", "image", "upload", size, file]) => self.image(size, file),
            (&Method::POST, ["v4", endpoint @ ..]) => {
                let client = request.header("client-id") == Some(TWITCH_CLIENT_ID);
                if client && request.bearer().is_some_and(|token| self.tokens.is_good(token)) {
                    self.query(endpoint, &request.body)
                } else {
                    unauthorized()
                }
            }
            _ => Reply::new(404, "text/plain", "404 Not Found"),
        }
    }
}

impl Fault {
    /// 429 as IGDB sends it: an object, and no word of when to come again.
    pub fn igdb_too_many() -> Self {
        Self::json(429, &json!({ "message": "Too Many Requests" }))
    }

    /// 401 as IGDB sends it for a token that is no longer good.
    pub fn igdb_unauthorized() -> Self {
        unauthorized().into()
    }
}

fn unauthorized() -> Reply {
    let body = json!({
        "message": "Authorization Failure. Have you tried:",
        "Tip 1": "Ensure you are sending Authorization and Client-ID as headers.",
        "Tip 2": "Ensure Authorization value starts with 'Bearer ', including the space",
    });
    Reply::json(401, &body)
}

/// The array in which IGDB wraps most refusals.
fn refuse(status: u16, title: &str, cause: Option<&str>) -> Reply {
    let mut error = json!({ "title": title, "status": status });
    if let Some(cause) = cause {
        error["cause"] = cause.into();
    }
    Reply::json(status, &json!([error]))
}

#[cfg(test)]
#[path = "igdb_test.rs"]
mod tests;

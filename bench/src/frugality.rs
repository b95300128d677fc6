//! A day of searches as people make them: few texts by many, many texts by few. How often the sources
//! are asked for it, beside a service that asks for every search, and what Google's allowance of a
//! thousand calls a day makes of it. The day passes on a clock of its own, as fast as the machine can.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use omnitrack::catalog::{Catalog, FairShare, Kind, Language, SearchText, SourceName, State, Timing};
use omnitrack::config::{self, Config, Secret};
use poem::http::StatusCode;
use poem::listener::{Listener, TcpListener};
use poem::{Endpoint, Request, Response, Server};
use serde_json::{Value, json};

use crate::report::{Row, Table};
use crate::{Result, place};

/// Midnight in California, where Google's day begins.
const MIDNIGHT: i64 = 1_780_297_200_000;
const DAY: i64 = 24 * 3_600_000;

/// Google's calls a day.
const ALLOWANCE: u64 = 1_000;

const PAGE: usize = 20;

/// A text in so many finds nothing anywhere.
const BARREN: usize = 10;

/// How many searches, over how many texts.
#[derive(Clone, Copy)]
pub struct Day {
    searches: u64,
    texts: usize,
}

impl Day {
    pub const WHOLE: Self = Self { searches: 100_000, texts: 10_000 };

    /// `[searches [texts]]`.
    fn read(arguments: &[String]) -> Result<Self> {
        let number = |at: usize, default: u64| match arguments.get(at) {
            Some(text) => text.parse().map_err(|_| format!("{text} is no number")),
            None => Ok(default),
        };
        let searches = number(0, Self::WHOLE.searches)?.max(1);
        let texts = usize::try_from(number(1, Self::WHOLE.texts as u64)?)?.max(1);
        Ok(Self { searches, texts })
    }
}

/// `bench frugality [searches [texts]]`: this part alone, in any build, since it counts and does not measure.
///
/// # Errors
/// The stand-in of the sources does not start.
pub async fn print(arguments: &[String]) -> Result<()> {
    println!("\n{}", Table(rows(Day::read(arguments)?).await?));
    Ok(())
}

/// The rows of the table.
///
/// # Errors
/// The stand-in of the sources does not start.
pub async fn rows(day: Day) -> Result<Vec<Row>> {
    eprintln!("  a day of {} searches over {} texts", day.searches, day.texts);
    let free = live(day, &Kind::ALL, None).await?;
    let mut rows = Vec::new();
    for (source, name) in [
        (SourceName::Tmdb, "TMDB"),
        (SourceName::Igdb, "IGDB, sign-in included"),
        (SourceName::GoogleBooks, "Google Books without its allowance"),
    ] {
        let asked = free.requests(source);
        let measured = format!("{asked} instead of {}", day.searches);
        let what = format!("a day of {} searches: requests to {name}", day.searches);
        rows.push(Row::new(what, measured, asked as f64 / day.searches as f64));
    }
    let held = live(day, &[Kind::Book], Some(ALLOWANCE)).await?;
    let Tally { answered, stale, refused, .. } = held;
    let measured = format!(
        "{} requests; {answered} searches answered, {stale} of them with an older answer, {refused} refused",
        held.requests(SourceName::GoogleBooks)
    );
    let what = format!("the same day for books with {ALLOWANCE} calls: part that was answered");
    rows.push(Row::new(what, measured, answered as f64 / day.searches as f64));
    Ok(rows)
}

/// What came of a day.
#[derive(Default)]
struct Tally {
    /// Per source, in the order of [`SourceName::ALL`].
    requests: Vec<(SourceName, u64)>,
    /// Searches that every source answered, older answers included.
    answered: u64,
    stale: u64,
    refused: u64,
}

impl Tally {
    fn requests(&self, source: SourceName) -> u64 {
        self.requests.iter().find(|(own, _)| *own == source).map_or(0, |(_, requests)| *requests)
    }
}

/// One search after the other, evenly over the day.
async fn live(day: Day, kinds: &[Kind], allowance: Option<u64>) -> Result<Tally> {
    let base = start_sources(allowance).await?;
    let now = Arc::new(AtomicI64::new(MIDNIGHT));
    let read = now.clone();
    let timing = Timing { clock: Arc::new(move || read.load(Ordering::Relaxed)), ..Timing::default() };
    let catalog = Catalog::with_timing(&sources(&base)?, &timing)?;
    let (zipf, mut random) = (Zipf::new(day.texts), Random(0x0dd1_5ea5_e5ee_d001));
    let mut tally = Tally::default();
    for number in 0..day.searches {
        now.store(MIDNIGHT + (DAY as f64 * number as f64 / day.searches as f64) as i64, Ordering::Relaxed);
        let text = SearchText::parse(&text(zipf.draw(random.fraction())))?;
        // Somebody else each time, so that nobody's own part of the day ends.
        let answer = catalog.search(&text, kinds, Language::DEFAULT, 1, &FairShare::new()).await;
        match answer.sources.iter().all(|source| source.state == State::Ok) {
            true => tally.answered += 1,
            false => tally.refused += 1,
        }
    }
    let stats = catalog.stats();
    tally.stale = stats.sources.iter().map(|source| source.stale_served).sum();
    tally.requests = stats.sources.iter().map(|source| (source.source, source.requests)).collect();
    Ok(tally)
}

/// All sources at one address, with the default cache and without a pace: a day in a minute would
/// break every pace. What Google's day allows is held to by the stand-in.
fn sources(base: &str) -> Result<config::Sources> {
    let defaults =
        Config::read(&|name| (name == "CLERK_ISSUER").then(|| "https://clerk.invalid".to_owned()))?;
    Ok(config::Sources {
        tmdb: Some(config::Tmdb {
            access_token: Secret::new("t"),
            base_url: format!("{base}/3"),
            image_base_url: base.to_owned(),
        }),
        igdb: Some(config::Igdb {
            client_id: "c".into(),
            client_secret: Secret::new("s"),
            token_url: format!("{base}/token"),
            base_url: format!("{base}/v4"),
            image_base_url: base.to_owned(),
        }),
        google_books: Some(config::GoogleBooks {
            api_key: Secret::new("k"),
            base_url: format!("{base}/books"),
            image_base_url: base.to_owned(),
        }),
        share: 1_000_000.0,
        cache_bytes: defaults.sources.cache_bytes,
    })
}

/// The text that `rank` people in a row have before them.
fn text(rank: usize) -> String {
    format!("search for title number {rank}")
}

/// Draws ranks from 0 with the weights 1, 1/2, 1/3 and so on.
struct Zipf {
    sums: Vec<f64>,
}

impl Zipf {
    fn new(texts: usize) -> Self {
        let mut sum = 0.0;
        let add = |rank: usize| {
            sum += 1.0 / rank as f64;
            sum
        };
        Self { sums: (1..=texts).map(add).collect() }
    }

    fn draw(&self, fraction: f64) -> usize {
        let at = fraction * self.sums.last().copied().unwrap_or_default();
        self.sums.partition_point(|sum| *sum < at).min(self.sums.len().saturating_sub(1))
    }
}

/// SplitMix64: the same day on every machine.
struct Random(u64);

impl Random {
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Answers as all three sources do, with pages as heavy as theirs; Google after `allowance` calls with
/// the end of its day. It ends with the program.
async fn start_sources(allowance: Option<u64>) -> Result<String> {
    let address = place::free_address()?;
    let acceptor = TcpListener::bind(address.to_string()).into_acceptor().await?;
    let sources = Sources { books: AtomicU64::new(0), allowance };
    tokio::spawn(Server::new_with_acceptor(acceptor).run(sources));
    Ok(format!("http://{address}"))
}

struct Sources {
    books: AtomicU64,
    allowance: Option<u64>,
}

impl Endpoint for Sources {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let path = request.uri().path().to_owned();
        let asked = match path.as_str() {
            "/v4/games" => request.take_body().into_string().await?,
            _ => request.uri().query().unwrap_or_default().replace('+', " "),
        };
        let rank = asked.split("title number ").nth(1).map_or(0, number);
        let found = if rank % BARREN == BARREN - 1 { 0 } else { PAGE };
        let rows =
            |row: fn(usize) -> Value| (0..found).map(|at| row(rank * PAGE + at + 1)).collect::<Vec<_>>();
        let body = match path.as_str() {
            "/token" => json!({ "access_token": "t", "expires_in": 5_000_000 }),
            "/3/search/multi" => json!({ "page": 1, "total_pages": 2, "results": rows(movie) }),
            "/v4/games" => json!(rows(game)),
            "/books/volumes" => {
                let calls = self.books.fetch_add(1, Ordering::Relaxed) + 1;
                if self.allowance.is_some_and(|allowance| calls > allowance) {
                    let over =
                        json!({ "error": { "code": 429, "message": "Quota exceeded: Queries per day" } });
                    return Ok(answer(StatusCode::TOO_MANY_REQUESTS, &over));
                }
                json!({ "totalItems": found, "items": rows(volume) })
            }
            _ => json!({ "genres": [] }),
        };
        Ok(answer(StatusCode::OK, &body))
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    Response::builder().status(status).content_type("application/json").body(body.to_string())
}

fn number(text: &str) -> usize {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// A text of about `length` characters, as descriptions are.
fn prose(seed: usize, length: usize) -> String {
    let mut text = String::with_capacity(length + 12);
    while text.len() < length {
        let _ = write!(text, "word{} ", seed + text.len());
    }
    text
}

fn movie(id: usize) -> Value {
    json!({
        "media_type": "movie", "id": id, "title": prose(id, 20), "original_title": prose(id, 20),
        "overview": prose(id, 280), "release_date": "2001-05-06", "genre_ids": [18, 35],
        "poster_path": "/abcdefghijklmnopqrstuvwxyz0.jpg", "vote_average": 6.5,
    })
}

fn game(id: usize) -> Value {
    let company = |name: &str| json!({ "developer": true, "publisher": true, "company": { "name": name } });
    json!({
        "id": id, "name": prose(id, 20), "summary": prose(id, 450), "first_release_date": 1_000_000_000,
        "cover": { "image_id": "co1abc" }, "genres": [{ "name": "Adventure" }, { "name": "Puzzle" }],
        "platforms": [{ "name": "PC (Microsoft Windows)" }, { "name": "Nintendo Switch" }, { "name": "Xbox One" }],
        "involved_companies": [company("A House of Games"), company("Another House of Games")],
    })
}

fn volume(id: usize) -> Value {
    json!({
        "id": format!("volume{id}"),
        "volumeInfo": {
            "title": prose(id, 30), "authors": ["An Author"], "publisher": "A Publisher", "publishedDate": "2001-05-06",
            "description": prose(id, 500), "pageCount": 320, "categories": ["Fiction"],
            "industryIdentifiers": [{ "type": "ISBN_13", "identifier": "9780261103573" }],
            "imageLinks": { "thumbnail": "http://books.example/1" },
        },
    })
}

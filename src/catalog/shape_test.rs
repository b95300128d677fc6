//! Every value of a source's answer replaced by every type that JSON has, one at a time: nothing
//! crashes, and a page keeps its other rows.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use super::answer::{Answer, State};
use super::fair_share::FairShare;
use super::language::Language;
use super::media_id::{Kind, SourceName};
use super::service::Catalog;
use super::stub::{Setup, Stub, says, stats, text, token};

/// A source that answers with whatever it is given, and a catalog that asks nobody else.
struct Bench {
    source: SourceName,
    catalog: Catalog,
    answer: Arc<Mutex<Json>>,
    asked: u64,
}

impl Bench {
    async fn new(source: SourceName) -> Self {
        let answer = Arc::new(Mutex::new(Json::Null));
        let given = answer.clone();
        let stub = Stub::start(move |seen| match seen.path.as_str() {
            "/token" => token(),
            path if path.starts_with("/3/genre") => says(200, json!({"genres": []})),
            _ => says(200, given.lock().unwrap().clone()),
        })
        .await;
        let mut setup = match source {
            SourceName::Tmdb => Setup::new().tmdb(&stub),
            SourceName::Igdb => Setup::new().igdb(&stub),
            SourceName::GoogleBooks => Setup::new().google_books(&stub),
        };
        setup.sources.share = 1_000_000.0;
        Self { source, catalog: setup.catalog(), answer, asked: 0 }
    }

    /// The titles found where the source answers a search with `body`; none if that is no answer.
    async fn search(&mut self, kind: Kind, body: Json) -> Option<Vec<String>> {
        *self.answer.lock().unwrap() = body;
        self.asked += 1;
        let errors = stats(&self.catalog, self.source).errors;
        let words = text(&format!("question {}", self.asked));
        let found = self.catalog.search(&words, &[kind], Language::DEFAULT, 1, &FairShare::new()).await;
        // A crash would be neither an answer nor an error that was counted.
        let refused = stats(&self.catalog, self.source).errors > errors;
        assert_eq!(found.sources[0].state == State::Ok, !refused);
        (!refused).then(|| found.items.iter().map(|item| item.title.clone()).collect())
    }

    /// Whether a title is found where the source tells `body` of it.
    async fn detail(&mut self, kind: Kind, id: &str, body: Json) -> bool {
        *self.answer.lock().unwrap() = body;
        let errors = stats(&self.catalog, self.source).errors;
        let id = format!("{kind}:{}:{id}", self.source).parse().unwrap();
        match self.catalog.media(&id, Language::DEFAULT, &FairShare::new()).await {
            Ok(Answer::Found { .. }) => true,
            Ok(Answer::Unknown) => false,
            Err(_) => {
                assert!(stats(&self.catalog, self.source).errors > errors, "a crash");
                false
            }
        }
    }
}

/// One of each type, and those that are likely to be mistaken for another.
fn types() -> Vec<Json> {
    vec![
        Json::Null,
        json!(true),
        json!(7),
        json!(0),
        json!(-1.5),
        json!(1e300),
        json!(u64::MAX),
        json!("text"),
        json!(""),
        json!("7"),
        json!([]),
        json!([null, 1, "x", [], {}]),
        json!({}),
        json!({"id": {}, "name": [], "title": 3}),
    ]
}

/// The places of all values in `value`, itself first, as JSON pointers.
fn places(value: &Json) -> Vec<String> {
    let mut found = vec![String::new()];
    let inner: Vec<(String, &Json)> = match value {
        Json::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Json::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in inner {
        found.extend(places(value).into_iter().map(|place| format!("/{name}{place}")));
    }
    found
}

/// `value` with each of its values replaced by each type, and the place where that was done; also
/// with each left out.
fn variants(value: &Json) -> Vec<(String, Json)> {
    let mut made = Vec::new();
    for place in places(value) {
        for other in types() {
            let mut variant = value.clone();
            *variant.pointer_mut(&place).unwrap() = other;
            made.push((place.clone(), variant));
        }
        let mut without = value.clone();
        if let Some((parent, name)) = place.rsplit_once('/')
            && let Some(members) = without.pointer_mut(parent).and_then(Json::as_object_mut)
        {
            members.remove(name);
            made.push((place.clone(), without));
        }
    }
    assert!(made.len() > 50, "the walk finds what is there");
    made
}

/// Every variant of `row` stands between two good ones, which must be found.
async fn rows_are_independent(
    source: SourceName,
    kind: Kind,
    row: Json,
    good: [Json; 2],
    page: fn(Json) -> Json,
) {
    let mut bench = Bench::new(source).await;
    let [first, last] = good;
    for (place, variant) in variants(&row) {
        let found = bench.search(kind, page(json!([first, variant, last]))).await;
        let found = found.unwrap_or_else(|| panic!("{source} {place}: the page is lost"));
        for title in ["First", "Last"] {
            assert!(found.iter().any(|own| own == title), "{source} {place}: {found:?}");
        }
    }
    for (_, variant) in variants(&page(json!([first, last]))) {
        bench.search(kind, variant).await;
    }
}

/// Every variant of `body` is a title, unless what was replaced is among `essential`.
async fn fields_are_independent(
    source: SourceName,
    kind: Kind,
    id: fn(u64) -> String,
    body: Json,
    essential: &[&str],
) {
    let mut bench = Bench::new(source).await;
    for (number, (place, variant)) in (1..).zip(variants(&body)) {
        let mut variant = variant;
        // What was asked for, unless the id is what was replaced.
        if let Some(own) = variant.pointer_mut("/0/id").filter(|_| place != "/0/id") {
            *own = json!(number);
        }
        let found = bench.detail(kind, &id(number), variant).await;
        assert!(found || essential.contains(&place.as_str()), "{source} {place}: the title is lost");
    }
}

fn movie() -> Json {
    json!({
        "adult": false, "backdrop_path": "/b.jpg", "belongs_to_collection": null, "budget": 63_000_000,
        "genres": [{"id": 18, "name": "Drama"}], "homepage": "", "id": 550, "imdb_id": "tt0137523",
        "original_language": "en", "original_title": "Fight Club", "overview": "A ticking clock.",
        "popularity": 61.4, "poster_path": "/p.jpg", "release_date": "1999-10-15", "runtime": 139,
        "title": "Fight Club", "vote_average": 8.4,
        "credits": {"cast": [{"id": 819, "name": "E. N."}], "crew": [
            {"id": 7467, "job": "Director", "name": "D. F."}, {"id": 7468, "job": "Screenplay", "name": "J. U."}
        ]},
        "external_ids": {"imdb_id": "tt0137523", "wikidata_id": "Q190050", "facebook_id": null}
    })
}

fn series() -> Json {
    json!({
        "created_by": [{"id": 66633, "name": "V. G."}], "episode_run_time": [], "first_air_date": "2008-01-20",
        "genres": [{"id": 18, "name": "Drama"}], "id": 1396, "in_production": false, "name": "Breaking Bad",
        "last_episode_to_air": {"id": 62161, "runtime": 56, "season_number": 5}, "number_of_episodes": 62,
        "number_of_seasons": 5, "original_name": "Breaking Bad", "overview": "A teacher.", "poster_path": "/p.jpg",
        "seasons": [{"air_date": null, "episode_count": 9, "id": 3577, "season_number": 0}],
        "external_ids": {"imdb_id": "tt0903747", "tvdb_id": 81189, "wikidata_id": "Q1079"}
    })
}

fn game() -> Json {
    json!({
        "id": 3, "cover": {"id": 1, "image_id": "co1abc"}, "first_release_date": 677376000,
        "genres": [{"id": 8, "name": "Platform"}], "name": "Sonic", "platforms": [{"id": 29, "name": "Console"}, 6],
        "involved_companies": [
            {"id": 1, "company": {"id": 112, "name": "House"}, "developer": true, "publisher": true}
        ],
        "summary": "A hedgehog."
    })
}

fn volume() -> Json {
    json!({
        "kind": "books#volume", "id": "vol1", "etag": "e", "selfLink": "https://books.example/vol1",
        "volumeInfo": {
            "title": "Mockingbird", "subtitle": "A Novel", "authors": ["H. L."], "publisher": "House",
            "publishedDate": "1960-07-11", "description": "A town.", "pageCount": 281, "printedPageCount": 290,
            "categories": ["Fiction"], "averageRating": 4.5, "maturityRating": "NOT_MATURE",
            "industryIdentifiers": [
                {"type": "ISBN_13", "identifier": "9780261103573"}, {"type": "ISBN_10", "identifier": "0261103571"}
            ],
            "imageLinks": {"smallThumbnail": "http://books.example/1", "thumbnail": "http://books.example/2"},
            "language": "en"
        },
        "saleInfo": {"country": "US"}, "searchInfo": {"textSnippet": "A town."}
    })
}

#[tokio::test]
async fn tmdb() {
    let hit = json!({
        "adult": false, "backdrop_path": null, "genre_ids": [28, 12], "id": 36557, "media_type": "movie",
        "original_language": "en", "original_title": "Royale", "overview": "A card game.", "popularity": 5.1,
        "poster_path": "/p.jpg", "release_date": "2006-11-14", "title": "Royale", "video": false, "vote_count": 9
    });
    let good = [
        json!({"id": 1, "media_type": "movie", "title": "First"}),
        json!({"id": 2, "media_type": "tv", "name": "Last"}),
    ];
    let page = |rows| json!({"page": 1, "results": rows, "total_pages": 3, "total_results": 57});
    let id = |number: u64| number.to_string();
    rows_are_independent(
        SourceName::Tmdb,
        Kind::Movie,
        hit.clone(),
        {
            let mut good = good.clone();
            good[1] = json!({"id": 2, "title": "Last"});
            good
        },
        page,
    )
    .await;
    fields_are_independent(SourceName::Tmdb, Kind::Movie, id, movie(), &["", "/id"]).await;
    fields_are_independent(SourceName::Tmdb, Kind::Tv, id, series(), &["", "/id"]).await;
    // A search over both kinds.
    let mut bench = Bench::new(SourceName::Tmdb).await;
    for (place, variant) in variants(&hit) {
        *bench.answer.lock().unwrap() = page(json!([good[0], variant, good[1]]));
        let words = text(&format!("both {}", bench.asked));
        bench.asked += 1;
        let kinds = [Kind::Movie, Kind::Tv];
        let found = bench.catalog.search(&words, &kinds, Language::DEFAULT, 1, &FairShare::new()).await;
        let titles: Vec<_> = found.items.iter().map(|item| item.title.as_str()).collect();
        assert!(titles.contains(&"First") && titles.contains(&"Last"), "{place}: {titles:?}");
    }
}

#[tokio::test]
async fn igdb() {
    let good = [json!({"id": 1001, "name": "First"}), json!({"id": 1002, "name": "Last"})];
    rows_are_independent(SourceName::Igdb, Kind::Game, game(), good, |rows| rows).await;
    let id = |number: u64| number.to_string();
    let essential = ["", "/0", "/0/id", "/0/name"];
    fields_are_independent(SourceName::Igdb, Kind::Game, id, json!([game()]), &essential).await;
}

#[tokio::test]
async fn google_books() {
    let good = [
        json!({"id": "first", "volumeInfo": {"title": "First"}}),
        json!({"id": "last", "volumeInfo": {"title": "Last"}}),
    ];
    let page = |rows| json!({"kind": "books#volumes", "totalItems": 712, "items": rows});
    rows_are_independent(SourceName::GoogleBooks, Kind::Book, volume(), good, page).await;
    let id = |number: u64| format!("v{number}");
    let essential = ["", "/id", "/volumeInfo"];
    fields_are_independent(SourceName::GoogleBooks, Kind::Book, id, volume(), &essential).await;
}

#[tokio::test]
async fn seasons_of_tmdb() {
    let episode = json!({
        "air_date": "2008-01-27", "episode_number": 2, "id": 62086, "name": "Second", "overview": "A bag.",
        "runtime": 48, "season_number": 1, "still_path": null, "vote_average": 8.1, "crew": []
    });
    let good =
        [json!({"id": 1, "episode_number": 1, "name": "First"}), json!({"id": 3, "episode_number": 3})];
    let season = |episodes| {
        json!({
            "_id": "52", "air_date": "2008-01-20", "episodes": episodes, "id": 3572, "name": "Season 1",
            "overview": "A teacher.", "poster_path": "/s.jpg", "season_number": 1
        })
    };
    let bench = Bench::new(SourceName::Tmdb).await;
    for (number, (place, variant)) in (1..).zip(variants(&episode)) {
        *bench.answer.lock().unwrap() = season(json!([good[0], variant, good[1]]));
        let series = format!("tv:tmdb:{number}").parse().unwrap();
        let Ok(Answer::Found { item, .. }) =
            bench.catalog.season(&series, 1, Language::DEFAULT, &FairShare::new()).await
        else {
            panic!("{place}: the season is lost")
        };
        let numbers: Vec<u32> = item.episodes.iter().map(|episode| episode.number).collect();
        assert!(numbers.contains(&1) && numbers.contains(&3), "{place}: {numbers:?}");
    }
    for (number, (place, variant)) in (100_000..).zip(variants(&season(json!(good)))) {
        let errors = stats(&bench.catalog, SourceName::Tmdb).errors;
        *bench.answer.lock().unwrap() = variant;
        let series = format!("tv:tmdb:{number}").parse().unwrap();
        let answered = bench.catalog.season(&series, 1, Language::DEFAULT, &FairShare::new()).await.is_ok();
        assert!(answered || stats(&bench.catalog, SourceName::Tmdb).errors > errors, "{place}: a crash");
    }
}

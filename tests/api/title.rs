//! The title page: everything that the app shows of a title in one call, in the person's language as
//! far as there is one, and nothing in it that would make the phone call a source.

use omnitrack::demo::sample::Catalog;
use omnitrack::demo::standin::{Fault, Source};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::titles::{BOOK, GAME, MOVIE, SERIES};

/// The ids of all titles there are, as many to a list as one call takes.
fn all_ids() -> Vec<String> {
    let catalog = Catalog::load().unwrap();
    let movies = catalog.movies.iter().map(|movie| format!("movie:tmdb:{}", movie.id));
    let series = catalog.series.iter().map(|series| format!("tv:tmdb:{}", series.id));
    let games = catalog.games.iter().map(|game| format!("game:igdb:{}", game.id));
    let books = catalog.books.iter().map(|book| format!("book:google_books:{}", book.id));
    let ids: Vec<String> = movies.chain(series).chain(games).chain(books).collect();
    assert!(ids.len() > 60);
    ids.chunks(100).map(|ids| ids.join(",")).collect()
}

/// Every string in `value`, names of fields included.
fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            found.push(name);
            strings(member, found);
        }),
        _ => {}
    }
}

fn creators(title: &Value, role: &str) -> Vec<String> {
    let creators = title["creators"].as_array().unwrap().iter().filter(|creator| creator["role"] == role);
    let named = |creator: &Value| match creator.get("character") {
        Some(character) => {
            format!("{} as {}", creator["name"].as_str().unwrap(), character.as_str().unwrap())
        }
        None => creator["name"].as_str().unwrap().to_owned(),
    };
    creators.map(named).collect()
}

async fn title(t: &TestApp, id: &str) -> Value {
    t.alice.get(&format!("/v1/media/{id}")).send().await.expect(200).json()
}

both! {
    async fn people_and_companies_come_with_the_title(t: TestApp) {
        let movie = title(&t, MOVIE).await;
        assert_eq!(creators(&movie, "director"), ["Lana Wachowski", "Lilly Wachowski"]);
        assert_eq!(
            creators(&movie, "actor"),
            ["Keanu Reeves as Neo", "Laurence Fishburne as Morpheus", "Carrie-Anne Moss as Trinity"]
        );
        assert_eq!(creators(&movie, "studio"), ["Village Roadshow Pictures", "Silver Pictures"]);
        assert!(movie.get("series_status").is_none());
        let series = title(&t, SERIES).await;
        assert_eq!(creators(&series, "creator"), ["David Benioff", "D. B. Weiss"]);
        assert_eq!(creators(&series, "actor")[0], "Peter Dinklage as Tyrion Lannister");
        assert_eq!(creators(&series, "network"), ["HBO"]);
        assert_eq!(creators(&series, "studio"), ["Revolution Sun Studios"]);
        assert_eq!(series["series_status"], "ended");
        assert_eq!(title(&t, "tv:tmdb:136315").await["series_status"], "returning");
        let whom_nobody_knows = title(&t, "tv:tmdb:1396").await;
        assert_eq!(creators(&whom_nobody_knows, "actor")[2], "Anna Gunn");
        let game = title(&t, GAME).await;
        assert_eq!(creators(&game, "developer"), ["CD Projekt RED"]);
        assert_eq!(creators(&game, "publisher"), ["CD Projekt"]);
        let book = title(&t, BOOK).await;
        assert!(!creators(&book, "author").is_empty() && !creators(&book, "publisher").is_empty());
        assert_eq!(t.stand_ins.requests(Source::Tmdb).len(), 4, "one request a title");
    }

    async fn each_source_is_named_as_it_asks(t: TestApp) {
        for (id, logo, words) in [
            (MOVIE, "tmdb", "not endorsed, certified, or otherwise approved by TMDB"),
            (SERIES, "tmdb", "uses TMDB and the TMDB APIs"),
            (GAME, "igdb", "IGDB.com"),
            (BOOK, "google_books", "Google"),
        ] {
            let attribution = title(&t, id).await["attribution"].clone();
            assert_eq!(attribution["logo"], logo);
            assert!(attribution["text"].as_str().unwrap().contains(words), "{attribution}");
        }
    }

    async fn nothing_in_an_answer_leads_the_phone_to_a_source(t: TestApp) {
        let mut paths = vec!["/v1/search?q=the".to_owned(), "/v1/search?q=dune&language=fr".to_owned()];
        for ids in all_ids() {
            paths.push(format!("/v1/media?ids={ids}"));
        }
        for id in [MOVIE, SERIES, GAME, BOOK] {
            paths.push(format!("/v1/media/{id}"));
        }
        paths.extend([0, 1].map(|number| format!("/v1/media/{SERIES}/seasons/{number}")));
        for kind in ["movie", "tv", "game", "book"] {
            paths.extend(["trending", "popular", "upcoming"].map(|list| format!("/v1/discover/{kind}?list={list}")));
        }
        for query in ["isbn=9780553804577", "imdb_id=tt0959621", "tvdb_id=121361", "url=igdb.com/games/portal-2"] {
            paths.push(format!("/v1/media/lookup?{query}"));
        }
        let mut titles = 0;
        for path in paths {
            let answer = t.alice.get(&path).send().await.expect(200);
            assert!(answer.json().get("missing").is_none_or(|missing| *missing == json!([])), "{}", answer.text());
            titles += answer.json()["items"].as_array().map_or(1, Vec::len);
            let body = answer.json();
            let mut found = Vec::new();
            strings(&body, &mut found);
            for text in found {
                let lower = text.to_lowercase();
                assert!(!lower.contains("http") && !lower.contains("//"), "{path}: {text}");
            }
        }
        assert!(titles > 150, "{titles}");
    }

    async fn what_is_not_translated_is_shown_as_far_as_it_is_known(t: TestApp) {
        let text = |title: &Value, name: &str| title[name].as_str().unwrap_or_default().to_owned();
        let get = async |path: &str| t.alice.get(path).send().await.expect(200).json();
        // Its German text is empty, and a French one there is not.
        let english = get("/v1/media/movie:tmdb:496243").await;
        for language in ["de", "fr"] {
            let parasite = get(&format!("/v1/media/movie:tmdb:496243?language={language}")).await;
            assert_eq!(text(&parasite, "title"), "기생충");
            assert_eq!(parasite["overview"], english["overview"]);
        }
        let matrix = get("/v1/media/movie:tmdb:603?language=de").await;
        assert_eq!((text(&matrix, "title"), text(&matrix, "original_title")), ("Matrix".into(), "The Matrix".into()));
        assert!(text(&matrix, "overview").starts_with("Ein Programmierer"));
        let series = get("/v1/media/tv:tmdb:1429?language=sv").await;
        assert_eq!(text(&series, "title"), "進撃の巨人");
        assert!(!text(&series, "overview").is_empty());
        // Genres in the language.
        let crime = get("/v1/media/movie:tmdb:238?language=de").await;
        assert_eq!(crime["genres"], json!(["Drama", "Krimi"]));
        // Hits: titles and genres alike, and overviews that are at hand.
        let asked = || t.stand_ins.requests(Source::Tmdb).len();
        let hits = get("/v1/search?q=parasite&kind=movie&language=de").await;
        assert_eq!(text(&hits["items"][0], "title"), "기생충");
        assert_eq!(hits["items"][0]["overview"], english["overview"]);
        let before = asked();
        let hits = get("/v1/search?q=godfather&kind=movie&language=de").await;
        assert_eq!((text(&hits["items"][0], "title"), &hits["items"][0]["genres"]), ("Der Pate".into(), &crime["genres"]));
        assert_eq!(asked(), before + 1, "no request beside the search");
        let listed = get("/v1/discover/movie?list=popular&language=fr").await;
        let parasite = listed["items"].as_array().unwrap().iter().find(|item| item["id"] == "movie:tmdb:496243");
        assert_eq!(parasite.unwrap()["overview"], english["overview"]);
    }

    async fn what_was_kept_of_a_title_is_the_whole_of_it(t: TestApp) {
        let ids = [MOVIE, SERIES, GAME, BOOK];
        let mut told = Vec::new();
        for id in ids {
            t.alice.put(&format!("/v1/library/{id}"), json!({ "status": "backlog" })).send().await.expect(201);
            t.filled(id).await;
            told.push(title(&t, id).await);
        }
        let t = t.restart(|_| ()).await;
        for source in [Source::Tmdb, Source::Igdb, Source::GoogleBooks] {
            t.stand_ins.fault(source, Some(Fault::Close));
        }
        for (id, told) in ids.into_iter().zip(told) {
            assert_eq!(title(&t, id).await, told);
        }
        // Rows that were written when less was kept.
        t.sql(
            "UPDATE media SET details = '{\"original_title\":null,\"creators\":[{\"name\":\"Lana Wachowski\",\"role\":\"director\"}],\
             \"platforms\":[],\"external_ids\":{\"imdb_id\":\"tt0133093\"}}'",
        )
        .await;
        let old = title(&t, SERIES).await;
        assert_eq!(old["creators"], json!([{ "name": "Lana Wachowski", "role": "director" }]));
        assert_eq!(old["external_ids"], json!({ "imdb_id": "tt0133093" }));
        assert!(old.get("series_status").is_none());
    }
}

//! The lists that are the same for everybody.

use omnitrack::demo::standin::{Fault, Source};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::titles::{GAME, MOVIE};

fn lists_of_tmdb(t: &TestApp) -> Vec<String> {
    let targets = t.stand_ins.requests(Source::Tmdb).into_iter().map(|request| request.target);
    targets.filter(|target| target.contains("/trending/") || target.contains("/discover/")).collect()
}

both! {
    async fn a_list_shows_titles_with_the_persons_own_marks(t: TestApp) {
        let entry = json!({ "status": "completed", "rating": 80 });
        t.alice.put(&format!("/v1/library/{MOVIE}"), entry).send().await.expect(201);
        t.filled(MOVIE).await;
        let find = |items: &[Value], id: &str| items.iter().find(|item| item["id"] == id).cloned().expect(id);
        let answer = t.alice.get("/v1/discover/movie?list=trending").send().await.expect(200);
        let movie = find(&answer.items(), MOVIE);
        assert_eq!(movie["entry"], json!({ "status": "completed", "rating": 80, "favorite": false }));
        assert_eq!(movie["genres"], json!(["Action", "Science Fiction"]));
        assert_eq!(answer.json()["source"], json!({ "source": "tmdb", "state": "ok", "has_more": false }));
        let other = t.bob.get("/v1/discover/movie?list=trending").send().await.expect(200);
        assert!(find(&other.items(), MOVIE).get("entry").is_none());
        assert_eq!(lists_of_tmdb(&t).len(), 1, "the same for everybody");
        let german = t.bob.get("/v1/discover/movie?list=popular&language=de").send().await.expect(200);
        assert_eq!(find(&german.items(), MOVIE)["title"], "Matrix");
        let games = t.alice.get("/v1/discover/game?list=popular").send().await.expect(200);
        assert_eq!(find(&games.items(), GAME)["creators"][0]["name"], "CD Projekt RED");
    }

    async fn what_a_source_does_not_offer_is_said(t: TestApp) {
        for list in ["trending", "popular", "upcoming"] {
            let answer = t.alice.get(&format!("/v1/discover/book?list={list}")).send().await.expect(200);
            assert_eq!(
                answer.json(),
                json!({
                    "items": [],
                    "source": { "source": "google_books", "state": "not_offered", "has_more": false },
                })
            );
        }
        assert!(t.stand_ins.requests(Source::GoogleBooks).is_empty());
    }

    async fn a_source_that_is_away_is_said_and_made_up_for(t: TestApp) {
        let first = t.alice.get("/v1/discover/tv?list=upcoming").send().await.expect(200);
        let (tmdb, igdb) = (Fault::Close, Fault::igdb_too_many());
        t.stand_ins.fault(Source::Tmdb, Some(tmdb));
        t.stand_ins.fault(Source::Igdb, Some(igdb));
        let state = async |path: &str| t.alice.get(path).send().await.expect(200).json()["source"]["state"].clone();
        assert_eq!(state("/v1/discover/tv?list=upcoming").await, first.json()["source"]["state"]);
        assert_eq!(state("/v1/discover/tv?list=trending").await, "failed");
        assert_eq!(state("/v1/discover/game?list=trending").await, "rate_limited");
    }

    async fn a_source_gets_the_day_and_nothing_of_the_person(t: TestApp) {
        t.alice.get("/v1/discover/movie?list=upcoming&page=2").send().await.expect(200);
        let target = lists_of_tmdb(&t).remove(0);
        let (query, day) = target.split_once("&primary_release_date.gte=").expect(&target);
        assert_eq!(
            query,
            "/3/discover/movie?language=en-US&page=2&include_adult=false&sort_by=popularity.desc"
        );
        assert!(day.len() == 10 && day.parse::<chrono::NaiveDate>().is_ok(), "{day}");
    }

    async fn what_is_no_list_is_refused(t: TestApp) {
        for (path, pointer) in [
            ("/v1/discover/music?list=popular", "/path/kind"),
            ("/v1/discover/movie", "/query/list"),
            ("/v1/discover/movie?list=best", "/query/list"),
            ("/v1/discover/movie?list=popular&page=51", "/query/page"),
            ("/v1/discover/movie?list=popular&region=DE", "/query/region"),
        ] {
            let answer = t.alice.get(path).send().await.expect_problem(400, "invalid_parameter");
            assert_eq!(answer.pointers(), [pointer], "{path}");
        }
        assert!(lists_of_tmdb(&t).is_empty());
    }
}

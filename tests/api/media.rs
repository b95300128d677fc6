//! Search and titles by id, over all three sources.

use omnitrack::demo::standin::{Fault, Source};
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::both;

fn state(answer: &Answer, source: &str) -> String {
    let answer = answer.json();
    let sources = answer["sources"].as_array().expect("sources");
    let found = sources.iter().find(|report| report["source"] == source).expect("the source");
    found["state"].as_str().expect("a state").to_owned()
}

both! {
    async fn a_search_shows_all_kinds_and_the_persons_own_marks(t: TestApp) {
        t.alice.put("/v1/library/movie:tmdb:438631", json!({ "status": "completed", "rating": 80 })).send().await.expect(201);
        let answer = t.alice.get("/v1/search?q=dune").send().await.expect(200);
        let items = answer.items();
        let kinds: std::collections::BTreeSet<_> = items.iter().filter_map(|item| item["kind"].as_str()).collect();
        assert!(kinds.contains("movie") && kinds.contains("book"), "{kinds:?}");
        let movie = items.iter().find(|item| item["id"] == "movie:tmdb:438631").expect("the movie");
        assert_eq!(movie["entry"], json!({ "status": "completed", "rating": 80, "favorite": false }));
        let other = t.bob.get("/v1/search?q=Dune").send().await.expect(200);
        assert!(other.json()["items"].as_array().expect("items").iter().all(|item| item.get("entry").is_none()));
        let books = t.alice.get("/v1/search?q=dune&kind=book").send().await.expect(200);
        assert_eq!(books.json()["sources"].as_array().map(Vec::len), Some(1));
    }

    async fn one_failing_source_does_not_spoil_the_rest(t: TestApp) {
        t.stand_ins.fault(Source::Igdb, Some(Fault::Html));
        t.stand_ins.fault(Source::GoogleBooks, Some(Fault::google_day_quota()));
        let answer = t.alice.get("/v1/search?q=dune").send().await.expect(200);
        assert_eq!(state(&answer, "tmdb"), "ok");
        assert_eq!(state(&answer, "igdb"), "failed");
        assert_eq!(state(&answer, "google_books"), "rate_limited");
        assert!(!answer.json()["items"].as_array().expect("items").is_empty());
    }

    async fn a_title_is_shown_in_the_language_asked_for(t: TestApp) {
        let english = t.alice.get("/v1/media/movie:tmdb:603").send().await.expect(200);
        assert_eq!(english.json()["title"], "The Matrix");
        assert_eq!(english.json()["runtime_minutes"], 136);
        let german = t.alice.get("/v1/media/movie:tmdb:603?language=de-AT").send().await.expect(200);
        assert_ne!(german.json()["overview"], english.json()["overview"]);
        t.bob.patch("/v1/account", json!({ "language": "de" })).send().await.expect(200);
        let own = t.bob.get("/v1/media/movie:tmdb:603").send().await.expect(200);
        assert_eq!(own.json()["overview"], german.json()["overview"]);
    }

    async fn what_cannot_be_shown_is_said(t: TestApp) {
        t.alice.get("/v1/media/movie:tmdb:999999").send().await.expect(404);
        t.stand_ins.fault(Source::Igdb, Some(Fault::Close));
        let away = t.alice.get("/v1/media/game:igdb:1942").send().await.expect(503);
        assert_eq!(away.json()["code"], "source_unavailable");
        let batch = t.alice.get("/v1/media?ids=movie:tmdb:603,movie:tmdb:999999,game:igdb:1942").send().await.expect(200);
        assert_eq!(batch.json()["items"][0]["id"], "movie:tmdb:603");
        assert_eq!(
            batch.json()["missing"],
            json!([
                { "id": "movie:tmdb:999999", "reason": "unknown_to_source" },
                { "id": "game:igdb:1942", "reason": "source_unavailable" },
            ])
        );
    }

    async fn what_was_kept_is_shown_while_the_source_is_away(t: TestApp) {
        t.alice.put("/v1/library/game:igdb:1942", json!({ "status": "backlog" })).send().await.expect(201);
        t.filled("game:igdb:1942").await;
        let restarted = t.restart(|_| ()).await;
        restarted.stand_ins.fault(Source::Igdb, Some(Fault::Close));
        let kept = restarted.alice.get("/v1/media/game:igdb:1942").send().await.expect(200);
        assert!(kept.json()["title"].as_str().is_some_and(|title| title.contains("Witcher")));
        assert_eq!(kept.json()["entry"]["status"], "backlog");
    }
}

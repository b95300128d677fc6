//! Titles that people track are looked up again in time, and what the sources' terms no longer allow
//! goes.

use omnitrack::db::row;
use omnitrack::demo::standin::{Fault, Source};
use omnitrack::media;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::titles::{GAME, MOVIE, SERIES};

const OTHER: &str = "movie:tmdb:438631";
const DAY: i64 = 24 * 3_600_000;

/// A number of the title's row; none if there is no row.
async fn number(t: &TestApp, id: &str, column: &str) -> Option<i64> {
    let sql = format!("SELECT {column} FROM media WHERE id = $1");
    let found = row(t.app.db.read(), &sql, [id.into()]).await.unwrap()?;
    Some(found.try_get_by_index(0).unwrap())
}

async fn track(t: &TestApp, ids: &[&str]) {
    for id in ids {
        t.alice
            .put(&format!("/v1/library/{id}"), json!({ "status": "in_progress" }))
            .send()
            .await
            .expect(201);
    }
    for id in ids {
        t.filled(id).await;
    }
}

async fn titles(t: &TestApp) -> Vec<String> {
    let page = t.alice.get("/v1/library?sort=title&order=asc").send().await.expect(200);
    page.items().iter().map(|item| item["media"]["title"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn what_is_due_is_looked_up_again(t: TestApp) {
        track(&t, &[MOVIE, SERIES, GAME]).await;
        // A new process has no answers of the last day in its memory.
        let mut t = t.restart(|_| ()).await;
        t.stop_jobs().await;
        t.sql("UPDATE media SET refresh_at = 0, refreshed_at = 1, season_count = 1").await;
        t.sql("UPDATE media_season SET refreshed_at = 1").await;
        media::refresh(&t.app.db, &t.app.wanted).await.unwrap();
        t.start_jobs();
        for id in [MOVIE, SERIES, GAME] {
            t.filled(id).await;
            assert!(number(&t, id, "refreshed_at").await.unwrap() > 1);
            let now = omnitrack::clock::now();
            let again = number(&t, id, "refresh_at").await.unwrap();
            assert!(again > now + 15 * DAY && again < now + 75 * DAY, "{id} {}", (again - now) / DAY);
        }
        assert_eq!(row(t.app.db.read(), "SELECT season_count FROM media WHERE id = 'tv:tmdb:1399'", []).await.unwrap().unwrap().try_get_by_index::<i32>(0).unwrap(), 8);
    }

    async fn a_title_that_fails_does_not_stop_the_rest(t: TestApp) {
        track(&t, &[MOVIE, GAME]).await;
        let mut t = t.restart(|_| ()).await;
        t.stop_jobs().await;
        t.sql("UPDATE media SET refresh_at = 0, refreshed_at = 1").await;
        t.sql("INSERT INTO media (id, state, refreshed_at, refresh_at, unsettled) VALUES ('not an id', 'known', 1, 0, FALSE)").await;
        t.stand_ins.fault(Source::Igdb, Some(Fault::Close));
        media::refresh(&t.app.db, &t.app.wanted).await.unwrap();
        t.start_jobs();
        t.filled(MOVIE).await;
        assert!(number(&t, MOVIE, "refreshed_at").await.unwrap() > 1);
        assert_eq!(number(&t, GAME, "refreshed_at").await, Some(1));
        assert_eq!(number(&t, "not an id", "refreshed_at").await, None);
        // It keeps its title, and is tried again.
        let entry = t.alice.get(&format!("/v1/library/{GAME}")).send().await.expect(200).json();
        assert!(entry["media"]["title"].is_string());
        assert!(number(&t, GAME, "refresh_at").await.unwrap() > omnitrack::clock::now());
    }

    async fn what_nobody_refers_to_is_forgotten(t: TestApp) {
        track(&t, &[MOVIE, SERIES, OTHER]).await;
        t.alice.put("/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001", json!({ "name": "Kept" })).send().await.expect(201);
        t.alice.put(&format!("/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001/items/{OTHER}"), json!({})).send().await.expect(201);
        for id in [SERIES, OTHER] {
            t.alice.delete(&format!("/v1/library/{id}")).send().await.expect(204);
        }
        t.sql("UPDATE media SET refresh_at = 0").await;
        media::refresh(&t.app.db, &t.app.wanted).await.unwrap();
        let kept = [number(&t, MOVIE, "refreshed_at").await.is_some(), number(&t, SERIES, "refreshed_at").await.is_some(), number(&t, OTHER, "refreshed_at").await.is_some()];
        assert_eq!(kept, [true, false, true]);
    }

    async fn texts_go_when_their_term_ends_and_titles_stay(t: TestApp) {
        track(&t, &[MOVIE, SERIES, GAME]).await;
        let mut t = t.restart(|_| ()).await;
        t.stop_jobs().await;
        let old = omnitrack::clock::now() - 176 * DAY;
        for table in ["media", "media_text", "media_season"] {
            t.sql(&format!("UPDATE {table} SET refreshed_at = {old}")).await;
        }
        assert!(media::expire(&t.app.db).await.unwrap() > 0);
        assert_eq!(media::expire(&t.app.db).await.unwrap(), 0);
        t.stand_ins.fault(Source::Tmdb, Some(Fault::Close));
        t.stand_ins.fault(Source::Igdb, Some(Fault::Close));
        let movie = t.alice.get(&format!("/v1/media/{MOVIE}")).send().await.expect(200).json();
        assert_eq!((&movie["title"], &movie["release_date"]), (&json!("The Matrix"), &json!("1999-03-31")));
        assert_eq!((movie.get("overview"), &movie["genres"], &movie["creators"]), (None, &json!([]), &json!([])));
        t.alice.get(&format!("/v1/media/{SERIES}/seasons/1")).send().await.expect(503);
        // Others' terms are others'.
        let game = t.alice.get(&format!("/v1/media/{GAME}")).send().await.expect(200).json();
        assert!(game["overview"].is_string());
        // When an episode aired is a fact that progress is made of, and stays.
        let entry = t.alice.get(&format!("/v1/library/{SERIES}")).send().await.expect(200).json();
        assert_eq!(entry["progress"]["total"], 73);
    }

    async fn a_title_that_its_source_deletes_stays_with_the_person(t: TestApp) {
        track(&t, &[MOVIE]).await;
        let mut t = t.restart(|_| ()).await;
        t.stop_jobs().await;
        t.sql("UPDATE media SET refresh_at = 0, refreshed_at = 1").await;
        let gone = json!({ "success": false, "status_code": 34, "status_message": "gone" });
        t.stand_ins.fault(Source::Tmdb, Some(Fault::json(404, &gone)));
        media::refresh(&t.app.db, &t.app.wanted).await.unwrap();
        t.start_jobs();
        t.filled(MOVIE).await;
        let entry = t.alice.get(&format!("/v1/library/{MOVIE}")).send().await.expect(200).json();
        assert_eq!((&entry["media_state"], &entry["media"]["title"]), (&json!("unknown_to_source"), &json!("The Matrix")));
        // The term runs from when the source last spoke of it.
        assert_eq!(number(&t, MOVIE, "refreshed_at").await, Some(1));
    }

    async fn the_library_follows_the_accounts_language(t: TestApp) {
        track(&t, &["movie:tmdb:603", "movie:tmdb:155", "movie:tmdb:129"]).await;
        let english = titles(&t).await;
        t.alice.patch("/v1/account", json!({ "language": "de" })).send().await.expect(200);
        for id in ["movie:tmdb:603", "movie:tmdb:155", "movie:tmdb:129"] {
            t.filled(id).await;
        }
        let german = titles(&t).await;
        assert_ne!(english, german);
        let key: Vec<String> = german.iter().map(|title| media::sort_title(title)).collect();
        assert!(key.is_sorted(), "{german:?}");
        // A second reader of a title that is known in another language only.
        t.bob.put("/v1/library/movie:tmdb:603?language=fr", json!({ "status": "backlog" })).send().await.expect(201);
        t.filled("movie:tmdb:603").await;
        let found: Option<Value> = row(t.app.db.read(), "SELECT title FROM media_text WHERE media_id = 'movie:tmdb:603' AND language = 'fr-FR'", []).await.unwrap().map(|_| Value::Null);
        assert!(found.is_some());
    }
}

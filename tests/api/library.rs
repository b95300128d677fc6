//! Library entries: writing, reading, filters, sorts, pages, preconditions, rules of status and date.

use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::both;

const MATRIX: &str = "/v1/library/movie:tmdb:603";

fn ids(page: &Answer) -> Vec<String> {
    page.items().iter().filter_map(|item| item["media_id"].as_str().map(str::to_owned)).collect()
}

both! {
    async fn an_entry_is_made_once_and_repeating_adds_nothing(t: TestApp) {
        t.stop_jobs().await;
        let body = json!({ "status": "completed", "rating": 90, "on": "2026-03-01" });
        let first = t.alice.put(MATRIX, body.clone()).send().await.expect(201);
        assert_eq!(first.json()["finished_on"], "2026-03-01");
        let again = json!({ "status": "completed", "rating": 90, "on": "2026-03-05" });
        let second = t.alice.put(MATRIX, again.clone()).send().await.expect(200);
        assert_eq!(second.json()["revision"], first.json()["revision"]);
        assert_eq!(second.json()["finished_on"], "2026-03-01");
        let history = t.alice.get(&format!("{MATRIX}/history")).send().await.expect(200);
        assert_eq!(history.json()["items"].as_array().map(Vec::len), Some(1));
    }

    async fn a_patch_keeps_what_is_absent_and_clears_what_is_null(t: TestApp) {
        t.alice.put(MATRIX, json!({ "status": "backlog", "rating": 70, "favorite": true })).send().await.expect(201);
        let cleared = t.alice.patch(MATRIX, json!({ "rating": null })).send().await.expect(200);
        assert_eq!(cleared.json().get("rating"), None);
        assert_eq!(cleared.json()["favorite"], true);
        let replaced = t.alice.put(MATRIX, json!({ "status": "backlog" })).send().await.expect(200);
        assert_eq!(replaced.json()["favorite"], false);
        t.alice.patch("/v1/library/movie:tmdb:550", json!({ "rating": 1 })).send().await.expect(404);
    }

    async fn progress_starts_an_entry_and_the_persons_word_wins(t: TestApp) {
        let book = "/v1/library/book:google_books:B1hSG45JCX4C";
        t.alice.put(book, json!({ "status": "backlog" })).send().await.expect(201);
        let progress = json!({ "progress": { "unit": "pages", "current": 12 }, "on": "2026-02-02" });
        let moved = t.alice.patch(book, progress.clone()).send().await.expect(200);
        assert_eq!(moved.json()["status"], "in_progress");
        assert_eq!(moved.json()["status_set_by"], "progress");
        assert_eq!(moved.json()["started_on"], "2026-02-02");
        let said = t.alice.patch(book, json!({ "status": "in_progress" })).send().await.expect(200);
        assert_eq!(said.json()["status_set_by"], "person");

        t.bob.patch("/v1/account", json!({ "progress_sets_status": false })).send().await.expect(200);
        t.bob.put(book, json!({ "status": "backlog" })).send().await.expect(201);
        let kept = t.bob.patch(book, progress.clone()).send().await.expect(200);
        assert_eq!(kept.json()["status"], "backlog");
    }

    async fn progress_is_held_to_the_kind_of_title(t: TestApp) {
        let tv = "/v1/library/tv:tmdb:1396";
        t.alice.put(tv, json!({ "status": "backlog" })).send().await.expect(201);
        let derived = json!({ "progress": { "unit": "episodes", "current": 1 } });
        assert_eq!(t.alice.patch(tv, derived.clone()).send().await.expect(422).json()["code"], "progress_is_derived");
        t.alice.put(MATRIX, json!({ "status": "backlog" })).send().await.expect(201);
        let wrong = json!({ "progress": { "unit": "pages", "current": 9, "total": 3 } });
        let refused = t.alice.patch(MATRIX, wrong.clone()).send().await.expect(422);
        assert_eq!(refused.pointers(), ["/progress/current", "/progress/unit"]);
        let percent = json!({ "progress": { "unit": "percent", "current": 101 } });
        t.alice.patch(MATRIX, percent.clone()).send().await.expect(422);
    }

    async fn the_time_zone_decides_the_day_that_a_write_does_not_name(t: TestApp) {
        // These two are always a calendar day apart.
        for (persona, zone) in [(&t.alice, "Pacific/Kiritimati"), (&t.bob, "Etc/GMT+12")] {
            persona.patch("/v1/account", json!({ "time_zone": zone })).send().await.expect(200);
        }
        let body = json!({ "status": "completed" });
        let east = t.alice.put(MATRIX, body.clone()).send().await.expect(201);
        let west = t.bob.put(MATRIX, body.clone()).send().await.expect(201);
        assert_ne!(east.json()["finished_on"], west.json()["finished_on"]);
        let wrong = t.alice.patch("/v1/account", json!({ "time_zone": "Mars/Olympus" })).send().await.expect(422);
        assert_eq!(wrong.pointers(), ["/time_zone"]);
    }

    async fn preconditions_keep_one_device_from_undoing_another(t: TestApp) {
        t.stop_jobs().await;
        let made = t.alice.put(MATRIX, json!({ "status": "backlog" })).send().await.expect(201);
        let tag = made.etag();
        let changed = t.alice.patch(MATRIX, json!({ "rating": 50 })).header("If-Match", &tag).send().await.expect(200);
        let stale = t.alice.patch(MATRIX, json!({ "rating": 60 })).header("If-Match", &tag).send().await.expect(412);
        assert_eq!(stale.json()["code"], "revision_conflict");
        assert_eq!(stale.json()["current"]["rating"], 50);
        t.alice.delete(MATRIX).header("If-Match", &tag).send().await.expect(412);
        let fresh = changed.etag();
        t.alice.get(MATRIX).header("If-None-Match", &fresh).send().await.expect(304);
        t.alice.get(MATRIX).header("If-None-Match", &tag).send().await.expect(200);
        t.alice.put("/v1/library/movie:tmdb:550", json!({ "status": "backlog" })).header("If-Match", "*").send().await.expect(412);
        t.alice.delete(MATRIX).header("If-Match", &fresh).send().await.expect(204);
    }

    async fn deleting_takes_everything_and_can_be_repeated(t: TestApp) {
        let comment = format!("{MATRIX}/comments/0b7c7f4e-5d6a-4a7e-9a51-02f2b8a4d001");
        t.alice.put(MATRIX, json!({ "status": "completed" })).send().await.expect(201);
        t.alice.put(&format!("{MATRIX}/review"), json!({ "body": "Good." })).send().await.expect(201);
        t.alice.put(&comment, json!({ "body": "A note." })).send().await.expect(201);
        t.alice.delete(MATRIX).send().await.expect(204);
        t.alice.delete(MATRIX).send().await.expect(204);
        t.alice.get(MATRIX).send().await.expect(404);
        t.alice.get(&comment).send().await.expect(404);
        t.alice.get(&format!("{MATRIX}/history")).send().await.expect(404);

        let back = t.alice.put(MATRIX, json!({ "status": "completed" })).send().await.expect(201);
        t.alice.get(&format!("{MATRIX}/review")).send().await.expect(404);
        let gone = t.alice.put(&comment, json!({ "body": "Again." })).send().await.expect(410);
        assert_eq!(gone.json()["code"], "deleted");
        let history = t.alice.get(&format!("{MATRIX}/history")).send().await.expect(200);
        assert_eq!(history.json()["items"].as_array().map(Vec::len), Some(1), "{:?}", back.json());
    }

    async fn the_library_is_filtered(t: TestApp) {
        for (id, body) in [
            ("movie:tmdb:603", json!({ "status": "completed", "rating": 90, "favorite": true })),
            ("movie:tmdb:550", json!({ "status": "dropped", "rating": 40 })),
            ("game:igdb:1942", json!({ "status": "in_progress" })),
            ("book:google_books:B1hSG45JCX4C", json!({ "status": "backlog", "rating": 70 })),
        ] {
            t.alice.put(&format!("/v1/library/{id}"), body.clone()).send().await.expect(201);
            t.filled(id).await;
        }
        for (query, expected) in [
            ("kind=movie", vec!["movie:tmdb:550", "movie:tmdb:603"]),
            ("kind=game,book", vec!["book:google_books:B1hSG45JCX4C", "game:igdb:1942"]),
            ("status=completed,dropped&kind=movie", vec!["movie:tmdb:550", "movie:tmdb:603"]),
            ("favorite=true", vec!["movie:tmdb:603"]),
            ("min_rating=50", vec!["book:google_books:B1hSG45JCX4C", "movie:tmdb:603"]),
            ("max_rating=69", vec!["movie:tmdb:550"]),
            ("text=MÁTRIX", vec!["movie:tmdb:603"]),
            ("text=100%25", vec![]),
            ("updated_since=2999-01-01T00:00:00Z", vec![]),
        ] {
            let page = t.alice.get(&format!("/v1/library?{query}")).send().await.expect(200);
            let mut found = ids(&page);
            found.sort_unstable();
            assert_eq!(found, expected, "{query}");
        }
    }

    async fn every_sort_pages_through_everything_once_in_order(t: TestApp) {
        for number in 1..=23 {
            let rating = if number % 3 == 0 { Value::Null } else { json!(number % 5 + 1) };
            let status = if number % 2 == 0 { "completed" } else { "backlog" };
            let body = json!({ "status": status, "rating": rating, "on": format!("2026-01-{:02}", number % 4 + 1) });
            t.alice.put(&format!("/v1/library/movie:tmdb:{number}"), body.clone()).send().await.expect(201);
        }
        for sort in ["updated_at", "added_at", "title", "rating", "finished_on"] {
            for order in ["asc", "desc"] {
                let question = format!("/v1/library?sort={sort}&order={order}&limit=5");
                let whole = t.alice.get(&format!("/v1/library?sort={sort}&order={order}&limit=200")).send().await.expect(200);
                let expected = ids(&whole);
                assert_eq!(expected.len(), 23);
                let mut found: Vec<String> = Vec::new();
                let mut url = question.clone();
                loop {
                    let page = t.alice.get(&url).send().await.expect(200);
                    found.extend(ids(&page));
                    let Some(cursor) = page.next_cursor() else { break };
                    url = format!("{question}&cursor={cursor}");
                }
                assert_eq!(found, expected, "{sort} {order}");
                if sort == "rating" {
                    assert!(whole.items().last().is_some_and(|item| item.get("rating").is_none()), "none comes last");
                }
            }
        }
    }

    async fn a_page_stays_right_while_others_write(t: TestApp) {
        for number in 1..=6 {
            t.alice.put(&format!("/v1/library/movie:tmdb:{number}"), json!({ "status": "backlog" })).send().await.expect(201);
        }
        let first = t.alice.get("/v1/library?sort=added_at&order=asc&limit=3").send().await.expect(200);
        t.alice.delete("/v1/library/movie:tmdb:1").send().await.expect(204);
        t.alice.put("/v1/library/movie:tmdb:7", json!({ "status": "backlog" })).send().await.expect(201);
        let cursor = first.next_cursor().expect("more");
        let rest = t.alice.get(&format!("/v1/library?sort=added_at&order=asc&limit=9&cursor={cursor}")).send().await.expect(200);
        assert_eq!(ids(&rest), ["movie:tmdb:4", "movie:tmdb:5", "movie:tmdb:6", "movie:tmdb:7"]);
    }

    async fn a_title_that_was_never_met_is_filled_in_and_that_is_a_change(t: TestApp) {
        use omnitrack::demo::standin::{Fault, Source};
        t.stand_ins.fault(Source::Tmdb, Some(Fault::Close));
        let made = t.alice.put(MATRIX, json!({ "status": "backlog" })).send().await.expect(201);
        assert_eq!(made.json()["media"], Value::Null);
        t.stand_ins.fault(Source::Tmdb, None);
        t.sql("UPDATE media_wanted SET next_attempt_at = 0").await;
        t.filled("movie:tmdb:603").await;
        let filled = t.alice.get(MATRIX).send().await.expect(200).json();
        assert_eq!(filled["media"]["title"], "The Matrix");
        assert_eq!(filled["media_state"], "known");
        assert!(filled["revision"].as_i64() > made.json()["revision"].as_i64());
        // now that it is known, the next one has it at once
        let second = t.bob.put(MATRIX, json!({ "status": "backlog" })).send().await.expect(201);
        assert_eq!(second.json()["media"]["title"], "The Matrix");
    }

    async fn a_title_that_was_just_opened_is_known_to_the_write(t: TestApp) {
        t.alice.get("/v1/media/movie:tmdb:603").send().await.expect(200);
        let made = t.alice.put(MATRIX, json!({ "status": "backlog" })).send().await.expect(201);
        assert_eq!(made.json()["media"]["title"], "The Matrix");
        let list = "/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
        t.alice.put(list, json!({ "name": "Seen" })).send().await.expect(201);
        t.alice.get("/v1/media/movie:tmdb:550").send().await.expect(200);
        let item = t.alice.put(&format!("{list}/items/movie:tmdb:550"), json!({})).send().await.expect(201);
        assert_eq!(item.json()["media_state"], "known");
    }

    async fn a_title_that_its_source_does_not_know_stays_the_persons(t: TestApp) {
        let odd = "/v1/library/movie:tmdb:999999";
        t.alice.put(odd, json!({ "status": "completed", "rating": 5 })).send().await.expect(201);
        t.filled("movie:tmdb:999999").await;
        let entry = t.alice.get(odd).send().await.expect(200).json();
        assert_eq!(entry["media_state"], "unknown_to_source");
        assert_eq!(entry["media"], Value::Null);
        assert_eq!(entry["rating"], 5);
    }

    async fn many_writers_to_one_account_get_numbers_of_their_own(t: TestApp) {
        let writes = (1..=40).map(|number| {
            let (alice, path) = (t.alice.clone(), format!("/v1/library/movie:tmdb:{number}"));
            tokio::spawn(async move {
                let answer = alice.put(&path, json!({ "status": "backlog" })).send().await.expect(201);
                answer.json()["revision"].as_i64().expect("a number")
            })
        });
        let mut revisions = Vec::new();
        for write in writes.collect::<Vec<_>>() {
            revisions.push(write.await.expect("a task"));
        }
        revisions.sort_unstable();
        revisions.dedup();
        assert_eq!(revisions.len(), 40);
    }
}

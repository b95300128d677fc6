//! Reviews, comments and history.

use serde_json::{Value, json};

use crate::support::both;

const MATRIX: &str = "/v1/library/movie:tmdb:603";
const DRAGONS: &str = "/v1/library/tv:tmdb:1399";
const FIRST: &str = "0b7c7f4e-5d6a-4a7e-9a51-02f2b8a4d001";
const SECOND: &str = "0b7c7f4e-5d6a-4a7e-9a51-02f2b8a4d002";

both! {
    async fn a_review_is_written_replaced_and_deleted(t: TestApp) {
        let review = format!("{MATRIX}/review");
        t.alice.put(&review, json!({ "body": "Too early." })).send().await.expect(404);
        t.alice.put(MATRIX, json!({ "status": "completed" })).send().await.expect(201);
        let made = t.alice.put(&review, json!({ "title": "Again", "body": "Holds up.", "spoiler": true })).send().await.expect(201);
        let same = t.alice.put(&review, json!({ "title": "Again", "body": "Holds up.", "spoiler": true })).send().await.expect(200);
        assert_eq!(made.json(), same.json());
        let other = t.alice.put(&review, json!({ "body": "Holds up, mostly." })).send().await.expect(200);
        assert_eq!(other.json().get("title"), None);
        assert_eq!(other.json()["spoiler"], false);
        let tag = made.etag();
        let stale = t.alice.put(&review, json!({ "body": "Lost?" })).header("If-Match", &tag).send().await.expect(412);
        assert_eq!(stale.json()["current"]["body"], "Holds up, mostly.");
        t.alice.delete(&review).send().await.expect(204);
        t.alice.delete(&review).send().await.expect(204);
        t.alice.get(&review).send().await.expect(404);
        t.alice.put(&review, json!({ "body": "Back." })).send().await.expect(201);
    }

    async fn lengths_are_counted_in_characters(t: TestApp) {
        t.alice.put(MATRIX, json!({ "status": "completed" })).send().await.expect(201);
        let review = format!("{MATRIX}/review");
        t.alice.put(&review, json!({ "body": "é".repeat(20_000) })).send().await.expect(201);
        let long = t.alice.put(&review, json!({ "body": "é".repeat(20_001) })).send().await.expect(422);
        assert_eq!(long.pointers(), ["/body"]);
        let comment = format!("{MATRIX}/comments/{FIRST}");
        t.alice.put(&comment, json!({ "body": "x".repeat(5_001) })).send().await.expect(422);
        t.alice.put(&comment, json!({ "body": "" })).send().await.expect(422);
    }

    async fn comments_are_anchored_and_listed_oldest_first(t: TestApp) {
        t.alice.put(DRAGONS, json!({ "status": "in_progress" })).send().await.expect(201);
        let empty = t.alice.get(&format!("{DRAGONS}/comments")).send().await.expect(200);
        assert_eq!(empty.json()["items"], json!([]));
        let anchor = json!({ "kind": "episode", "season": 1, "episode": 9 });
        let made = t.alice.put(&format!("{DRAGONS}/comments/{FIRST}"), json!({ "body": "Oh no.", "anchor": anchor })).send().await.expect(201);
        assert_eq!(made.json()["anchor"], anchor);
        t.alice.put(&format!("{DRAGONS}/comments/{SECOND}"), json!({ "body": "Still.", "anchor": null })).send().await.expect(201);
        let listed = t.alice.get(&format!("{DRAGONS}/comments?limit=1")).send().await.expect(200);
        assert_eq!(listed.json()["items"][0]["id"], FIRST);
        let cursor = listed.json()["next_cursor"].as_str().expect("more").to_owned();
        let rest = t.alice.get(&format!("{DRAGONS}/comments?cursor={cursor}")).send().await.expect(200);
        assert_eq!(rest.json()["items"][0]["id"], SECOND);
        let elsewhere = t.alice.get(&format!("{MATRIX}/comments?cursor={cursor}")).send().await.expect(400);
        assert_eq!(elsewhere.json()["code"], "invalid_cursor");
    }

    async fn an_anchor_must_fit_its_kind_and_the_title(t: TestApp) {
        t.alice.put(MATRIX, json!({ "status": "completed" })).send().await.expect(201);
        let comment = format!("{MATRIX}/comments/{FIRST}");
        let put = |anchor: Value| json!({ "body": "Here.", "anchor": anchor });
        let missing = t.alice.put(&comment, put(json!({ "kind": "episode", "page": 3 }))).send().await.expect(422);
        assert_eq!(missing.pointers(), ["/anchor/episode", "/anchor/page", "/anchor/season"]);
        t.alice.put(&comment, put(json!({ "kind": "episode", "season": 1, "episode": 1 }))).send().await.expect(422);
        t.alice.put(&comment, put(json!({ "kind": "percent", "percent": 101 }))).send().await.expect(422);
        t.alice.put(&comment, put(json!({ "kind": "percent", "percent": 40 }))).send().await.expect(201);
    }

    async fn a_deleted_id_is_not_used_again(t: TestApp) {
        t.alice.put(MATRIX, json!({ "status": "completed" })).send().await.expect(201);
        for (path, body) in [
            (format!("{MATRIX}/comments/{FIRST}"), json!({ "body": "Once." })),
            (format!("{MATRIX}/history/{FIRST}"), json!({ "precision": "unknown" })),
        ] {
            t.alice.put(&path, body.clone()).send().await.expect(201);
            t.alice.delete(&path).send().await.expect(204);
            t.alice.delete(&path).send().await.expect(204);
            assert_eq!(t.alice.put(&path, body.clone()).send().await.expect(410).json()["code"], "deleted");
            // another person's ids are another space
            t.bob.put(MATRIX, json!({ "status": "completed" })).send().await;
            t.bob.put(&path, body.clone()).send().await.expect(201);
        }
    }

    async fn history_keeps_dates_as_exactly_as_they_are_known(t: TestApp) {
        t.alice.put(MATRIX, json!({ "status": "backlog" })).send().await.expect(201);
        let event = |id: u32| format!("{MATRIX}/history/0b7c7f4e-5d6a-4a7e-9a51-0000000000{id:02}");
        for (id, body, kept) in [
            (1, json!({ "finished_on": "2019-05-17", "precision": "day" }), json!("2019-05-17")),
            (2, json!({ "finished_on": "2020-05-17", "precision": "month" }), json!("2020-05-01")),
            (3, json!({ "finished_on": "2021-05-17", "precision": "year" }), json!("2021-01-01")),
            (4, json!({ "precision": "unknown" }), Value::Null),
        ] {
            let made = t.alice.put(&event(id), body.clone()).send().await.expect(201);
            assert_eq!(made.json().get("finished_on").cloned().unwrap_or_default(), kept);
            t.alice.put(&event(id), body.clone()).send().await.expect(200);
        }
        for body in [json!({ "precision": "day" }), json!({ "finished_on": "2020-01-01", "precision": "unknown" })] {
            assert_eq!(t.alice.put(&event(5), body.clone()).send().await.expect(422).pointers(), ["/finished_on"]);
        }
        let page = t.alice.get(&format!("{MATRIX}/history")).send().await.expect(200);
        let order: Vec<_> = page.items().iter().map(|e| e["precision"].clone()).collect();
        assert_eq!(order, ["year", "month", "day", "unknown"]);
    }

    async fn a_rewatch_is_a_second_event_under_an_id_the_phone_can_name(t: TestApp) {
        t.alice.put(MATRIX, json!({ "status": "completed", "on": "2020-01-01" })).send().await.expect(201);
        t.alice.patch(MATRIX, json!({ "status": "in_progress", "on": "2024-02-01" })).send().await.expect(200);
        let again = json!({ "status": "completed", "finished_on": "2024-02-03", "on": "2024-02-03" });
        t.alice.patch(MATRIX, again.clone()).send().await.expect(200);
        let namespace = uuid::uuid!("6f6d6e69-7472-5163-8b66-696e69736865");
        let page = t.alice.get(&format!("{MATRIX}/history")).send().await.expect(200);
        let ids: Vec<_> = page.items().iter().filter_map(|e| e["id"].as_str().map(str::to_owned)).collect();
        let named = ["2024-02-03", "2020-01-01"]
            .map(|day| uuid::Uuid::new_v5(&namespace, format!("movie:tmdb:603/{day}").as_bytes()).to_string());
        assert_eq!(ids, named);
    }
}

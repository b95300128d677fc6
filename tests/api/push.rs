//! Batches of mutations: merged by field, never done twice, nothing lost without a word.

use serde_json::{Value, json};

use crate::support::both;
use crate::support::cursor::cursor;
use crate::support::persona::Persona;

const MOVIE: &str = "movie:tmdb:603";
const ENTRY: &str = "/v1/library/movie:tmdb:603";
const LIST: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
const COMMENT: &str = "0b7c7f4e-5d6a-4a7e-9a51-02f2b8a4d001";

/// A mutation with an id and a time made of a small number.
fn mutation(number: u32, kind: &str, key: &str, base: i64, rest: Value) -> Value {
    let mut mutation = json!({
        "id": format!("00000000-0000-4000-8000-{number:012}"),
        "made_at": format!("2026-01-01T00:00:{:02}.000Z", number % 60),
        "kind": kind, "key": key, "base_revision": base,
    });
    mutation.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    mutation
}

async fn push(who: &Persona, mutations: &[Value]) -> Vec<Value> {
    let batch = json!({ "cursor": cursor(who).await, "mutations": mutations });
    let answer = who.post("/v1/sync", batch).send().await.expect(200);
    answer.json()["results"].as_array().unwrap().clone()
}

async fn one(who: &Persona, mutation: Value) -> Value {
    push(who, &[mutation]).await.remove(0)
}

async fn entry(who: &Persona) -> Value {
    who.get(ENTRY).send().await.expect(200).json()
}

/// The entry as two devices know it, and its revision.
async fn shared(who: &Persona) -> i64 {
    let body = json!({ "status": "in_progress", "rating": 50, "started_on": "2025-12-01" });
    who.put(ENTRY, body).send().await.expect(201).json()["revision"].as_i64().unwrap()
}

both! {
    async fn fields_that_nobody_else_touched_merge(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        let first = one(&t.alice, mutation(1, "entry", MOVIE, base, json!({ "set": { "rating": 80 } }))).await;
        assert_eq!((&first["outcome"], &first["lost"]), (&json!("applied"), &json!([])));
        let second = one(&t.alice, mutation(2, "entry", MOVIE, base, json!({ "set": { "favorite": true }, "clear": ["started_on"] }))).await;
        assert_eq!((&second["outcome"], &second["lost"]), (&json!("applied"), &json!([])));
        let now = entry(&t.alice).await;
        assert_eq!((&now["rating"], &now["favorite"], now.get("started_on")), (&json!(80), &json!(true), None));
        assert_eq!(second["revision"], now["revision"]);
    }

    async fn where_both_changed_a_field_the_later_one_wins(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        one(&t.alice, mutation(30, "entry", MOVIE, base, json!({ "set": { "rating": 80 } }))).await;
        let early = one(&t.alice, mutation(20, "entry", MOVIE, base, json!({ "set": { "rating": 20, "favorite": true } }))).await;
        assert_eq!((&early["outcome"], &early["lost"]), (&json!("applied"), &json!([{ "field": "rating" }])));
        assert_eq!((entry(&t.alice).await["rating"].clone(), entry(&t.alice).await["favorite"].clone()), (json!(80), json!(true)));
        let lost = one(&t.alice, mutation(10, "entry", MOVIE, base, json!({ "set": { "rating": 10 } }))).await;
        assert_eq!(lost["outcome"], "conflict");
        let late = one(&t.alice, mutation(40, "entry", MOVIE, base, json!({ "set": { "rating": 40 } }))).await;
        assert_eq!((&late["outcome"], &late["lost"]), (&json!("applied"), &json!([])));
        // A tie: the greater id.
        let mut tie = mutation(39, "entry", MOVIE, base, json!({ "set": { "rating": 39 } }));
        tie["made_at"] = json!("2026-01-01T00:00:40.000Z");
        assert_eq!(one(&t.alice, tie).await["outcome"], "conflict");
        // Whoever knows of the latest write overwrites it, whatever the clocks say.
        let knowing = one(&t.alice, mutation(5, "entry", MOVIE, late["revision"].as_i64().unwrap(), json!({ "set": { "rating": 5 } }))).await;
        assert_eq!(knowing["outcome"], "applied");
        assert_eq!(entry(&t.alice).await["rating"], 5);
    }

    async fn a_call_counts_as_a_device_of_now(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        t.alice.patch(ENTRY, json!({ "rating": 99 })).send().await.expect(200);
        let past = one(&t.alice, mutation(1, "entry", MOVIE, base, json!({ "set": { "rating": 1, "favorite": true } }))).await;
        assert_eq!(past["lost"], json!([{ "field": "rating" }]));
        // A clock that is ahead is cut to now, and now is later than the call.
        let mut ahead = mutation(2, "entry", MOVIE, base, json!({ "set": { "rating": 2 } }));
        ahead["made_at"] = json!("2099-01-01T00:00:00.000Z");
        assert_eq!(one(&t.alice, ahead).await["outcome"], "applied");
        let revision = t.alice.patch(ENTRY, json!({ "rating": 98 })).send().await.expect(200).json()["revision"].clone();
        assert_eq!(entry(&t.alice).await["rating"], 98);
        assert!(revision.as_i64().unwrap() > base);
    }

    async fn a_status_set_by_progress_never_beats_the_persons(t: TestApp) {
        t.stop_jobs().await;
        let base = t.alice.put(ENTRY, json!({ "status": "backlog" })).send().await.expect(201).json()["revision"].as_i64().unwrap();
        let progress = json!({ "set": { "progress": { "unit": "minutes", "current": 30 } } });
        let begun = one(&t.alice, mutation(30, "entry", MOVIE, base, progress.clone())).await;
        assert_eq!(entry(&t.alice).await["status_set_by"], "progress");
        // Said earlier than the progress, heard later: the person's word.
        let said = one(&t.alice, mutation(10, "entry", MOVIE, base, json!({ "set": { "status": "dropped" } }))).await;
        assert_eq!((&said["outcome"], &said["lost"]), (&json!("applied"), &json!([])));
        assert_eq!((&entry(&t.alice).await["status"], begun["outcome"].as_str()), (&json!("dropped"), Some("applied")));
        // Said later, heard earlier: progress made before does not move it.
        t.alice.delete(ENTRY).send().await.expect(204);
        let base = t.alice.put(ENTRY, json!({ "status": "in_progress" })).send().await.expect(201).json()["revision"].as_i64().unwrap();
        one(&t.alice, mutation(50, "entry", MOVIE, base, json!({ "set": { "status": "backlog" } }))).await;
        one(&t.alice, mutation(40, "entry", MOVIE, base, progress)).await;
        let now = entry(&t.alice).await;
        assert_eq!((&now["status"], &now["progress"]["current"]), (&json!("backlog"), &json!(30)));
    }

    async fn a_repeated_batch_changes_nothing_and_says_the_same(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        let batch = [
            mutation(1, "entry", MOVIE, base, json!({ "set": { "rating": 81 } })),
            mutation(2, "list", LIST, base, json!({ "create": true, "set": { "name": "Offline" } })),
            mutation(3, "list_item", &format!("{LIST}/{MOVIE}"), base, json!({ "create": true, "set": { "note": "First" } })),
            mutation(4, "entry", "movie:tmdb:155", base, json!({ "set": { "rating": 3 } })),
            mutation(5, "entry", MOVIE, base, json!({ "set": { "rating": 200 } })),
        ];
        let first = push(&t.alice, &batch).await;
        let outcomes: Vec<_> = first.iter().map(|result| result["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["applied", "applied", "applied", "conflict", "rejected"]);
        assert_eq!(first[4]["problem"]["errors"][0]["pointer"], "/set/rating");
        t.alice.patch(ENTRY, json!({ "rating": 10 })).send().await.expect(200);
        let before = (entry(&t.alice).await, t.alice.get("/v1/lists").send().await.expect(200).json());
        let again = push(&t.alice, &batch).await;
        for (first, again) in first.iter().zip(&again) {
            assert_eq!((&first["outcome"], &first["revision"]), (&again["outcome"], &again["revision"]));
            assert_eq!((&first["duplicate"], &again["duplicate"]), (&json!(false), &json!(true)));
            assert_eq!(first["problem"]["code"], again["problem"]["code"]);
        }
        assert_eq!((entry(&t.alice).await, t.alice.get("/v1/lists").send().await.expect(200).json()), before);
        // The ids of another person are another space.
        t.bob.put(ENTRY, json!({ "status": "backlog" })).send().await.expect(201);
        let theirs = one(&t.bob, mutation(1, "entry", MOVIE, 2, json!({ "set": { "rating": 81 } }))).await;
        assert_eq!(theirs["duplicate"], false);
    }

    async fn the_same_id_twice_in_one_batch_is_done_once(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        let same = mutation(1, "entry", MOVIE, base, json!({ "set": { "rating": 81 } }));
        let results = push(&t.alice, &[same.clone(), same]).await;
        assert_eq!((&results[0]["duplicate"], &results[1]["duplicate"]), (&json!(false), &json!(true)));
        assert_eq!(results[0]["revision"], results[1]["revision"]);
    }

    async fn all_or_nothing_is_nothing_if_one_fails(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        let before = entry(&t.alice).await;
        let good = mutation(1, "entry", MOVIE, base, json!({ "set": { "rating": 81 } }));
        let bad = mutation(2, "entry", "movie:tmdb:155", base, json!({ "set": { "rating": 3 } }));
        let batch = json!({ "cursor": cursor(&t.alice).await, "mutations": [good.clone(), bad], "all_or_nothing": true });
        let answer = t.alice.post("/v1/sync", batch).send().await.expect(200).json();
        assert_eq!(answer["results"][0]["problem"]["code"], "batch_rejected");
        assert_eq!(answer["results"][1]["outcome"], "conflict");
        assert_eq!(entry(&t.alice).await, before);
        // It is not remembered either: the device may send the good part again.
        let again = one(&t.alice, good).await;
        assert_eq!((&again["outcome"], &again["duplicate"]), (&json!("applied"), &json!(false)));
    }

    async fn deletions_give_way_to_changes_they_did_not_know(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        let comment = format!("{ENTRY}/comments/{COMMENT}");
        t.alice.put(&comment, json!({ "body": "Later." })).send().await.expect(201);
        let early = one(&t.alice, mutation(1, "entry", MOVIE, base, json!({ "delete": true }))).await;
        assert_eq!(early["outcome"], "conflict");
        let known = t.alice.get(&comment).send().await.expect(200).json()["revision"].as_i64().unwrap();
        let late = one(&t.alice, mutation(2, "entry", MOVIE, known, json!({ "delete": true }))).await;
        assert_eq!(late["outcome"], "applied");
        t.alice.get(&comment).send().await.expect(404);
        let gone = one(&t.alice, mutation(3, "entry", MOVIE, known, json!({ "delete": true }))).await;
        assert_eq!((&gone["outcome"], gone.get("revision")), (&json!("applied"), None));
        // An edit of what is gone is a conflict; only a mutation that says so makes it again.
        let edit = one(&t.alice, mutation(4, "entry", MOVIE, known, json!({ "set": { "rating": 4 } }))).await;
        assert_eq!(edit["outcome"], "conflict");
        let orphan = one(&t.alice, mutation(5, "review", MOVIE, known, json!({ "create": true, "set": { "body": "Orphan" } }))).await;
        assert_eq!(orphan["outcome"], "conflict");
        let made = one(&t.alice, mutation(6, "entry", MOVIE, known, json!({ "create": true, "set": { "rating": 6 } }))).await;
        assert_eq!(made["outcome"], "applied");
        assert_eq!((&entry(&t.alice).await["rating"], &entry(&t.alice).await["status"]), (&json!(6), &json!("backlog")));
    }

    async fn an_id_that_a_phone_chose_is_not_used_again(t: TestApp) {
        t.stop_jobs().await;
        t.alice.put(&format!("/v1/lists/{LIST}"), json!({ "name": "Once" })).send().await.expect(201);
        t.alice.delete(&format!("/v1/lists/{LIST}")).send().await.expect(204);
        let again = one(&t.alice, mutation(1, "list", LIST, 3, json!({ "create": true, "set": { "name": "Twice" } }))).await;
        assert_eq!((&again["outcome"], &again["problem"]["code"]), (&json!("rejected"), &json!("deleted")));
    }

    async fn what_was_made_in_a_batch_can_be_used_in_it(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        let item = format!("{LIST}/{MOVIE}");
        let other = format!("{LIST}/movie:tmdb:155");
        let results = push(&t.alice, &[
            mutation(9, "list", LIST, base, json!({ "create": true, "set": { "name": "Made offline" } })),
            mutation(8, "list", LIST, base, json!({ "set": { "description": "And described at an earlier time" } })),
            mutation(7, "list", LIST, base, json!({ "set": { "name": "Named again" } })),
            mutation(6, "list_item", &item, base, json!({ "create": true, "set": { "note": "One" } })),
            mutation(5, "list_item", &other, base, json!({ "create": true, "set": { "before": MOVIE } })),
            mutation(4, "comment", &format!("{MOVIE}/{COMMENT}"), base, json!({ "create": true, "set": { "body": "Offline" } })),
            mutation(3, "comment", &format!("{MOVIE}/{COMMENT}"), base, json!({ "delete": true })),
            mutation(2, "entry", "tv:tmdb:1399", base, json!({ "create": true, "set": { "status": "backlog" } })),
            mutation(1, "episode", "tv:tmdb:1399/1/1", base, json!({ "create": true, "set": { "watched_on": "2026-01-01" } })),
        ]).await;
        assert!(results.iter().all(|result| result["outcome"] == "applied"), "{results:?}");
        let list = t.alice.get(&format!("/v1/lists/{LIST}")).send().await.expect(200).json();
        assert_eq!((&list["name"], &list["item_count"]), (&json!("Named again"), &json!(2)));
        let items = t.alice.get(&format!("/v1/lists/{LIST}/items")).send().await.expect(200).items();
        assert_eq!(items[0]["media_id"], "movie:tmdb:155");
        t.alice.get(&format!("{ENTRY}/comments/{COMMENT}")).send().await.expect(404);
        let series = t.alice.get("/v1/library/tv:tmdb:1399").send().await.expect(200).json();
        assert_eq!((&series["status"], &series["status_set_by"]), (&json!("in_progress"), &json!("progress")));
    }

    async fn an_item_whose_anchor_vanished_goes_to_the_end(t: TestApp) {
        t.stop_jobs().await;
        let list = format!("/v1/lists/{LIST}");
        t.alice.put(&list, json!({ "name": "Ordered" })).send().await.expect(201);
        for id in [MOVIE, "movie:tmdb:155", "movie:tmdb:129"] {
            t.alice.put(&format!("{list}/items/{id}"), json!({})).send().await.expect(201);
        }
        let base = t.alice.get(&list).send().await.expect(200).json()["revision"].as_i64().unwrap() + 3;
        t.alice.delete(&format!("{list}/items/movie:tmdb:155")).send().await.expect(204);
        let moved = one(&t.alice, mutation(1, "list_item", &format!("{LIST}/{MOVIE}"), base, json!({ "set": { "before": "movie:tmdb:155" } }))).await;
        assert_eq!(moved["outcome"], "applied");
        let order: Vec<_> = t.alice.get(&format!("{list}/items")).send().await.expect(200).items().iter().map(|item| item["media_id"].clone()).collect();
        assert_eq!(order, ["movie:tmdb:129", MOVIE]);
    }

    async fn a_lost_text_is_given_back_whole(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        let review = |number, body: &str| mutation(number, "review", MOVIE, base, json!({ "create": true, "set": { "body": body, "spoiler": true } }));
        assert_eq!(one(&t.alice, review(20, "Written in the evening.")).await["outcome"], "applied");
        let lost = one(&t.alice, review(10, "Written in the morning.")).await;
        assert_eq!(lost["outcome"], "conflict");
        assert_eq!(lost["lost"], json!([{ "field": "body", "text": "Written in the morning." }, { "field": "spoiler" }]));
        // What is kept of a mutation is never content.
        let again = one(&t.alice, review(10, "Written in the morning.")).await;
        assert_eq!(again["lost"], json!([{ "field": "body" }, { "field": "spoiler" }]));
    }

    async fn settings_and_history_are_merged_too(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        let set = one(&t.alice, mutation(1, "settings", "settings", base, json!({ "set": { "time_zone": "Europe/Berlin" }, "clear": ["language"] }))).await;
        assert_eq!(set["outcome"], "applied");
        let wrong = one(&t.alice, mutation(2, "settings", "settings", base, json!({ "set": { "time_zone": "Nowhere" } }))).await;
        assert_eq!(wrong["problem"]["errors"][0]["pointer"], "/time_zone");
        let delete = one(&t.alice, mutation(3, "settings", "settings", base, json!({ "delete": true }))).await;
        assert_eq!(delete["outcome"], "rejected");
        let event = format!("{MOVIE}/{COMMENT}");
        let made = one(&t.alice, mutation(4, "history_event", &event, base, json!({ "create": true, "set": { "finished_on": "2019-05-17", "precision": "month" } }))).await;
        assert_eq!(made["outcome"], "applied");
        let shown = t.alice.get(&format!("{ENTRY}/history/{COMMENT}")).send().await.expect(200).json();
        assert_eq!(shown["finished_on"], "2019-05-01");
        // A date and its precision are one thing.
        let half = one(&t.alice, mutation(3, "history_event", &event, base, json!({ "set": { "precision": "year" } }))).await;
        assert_eq!(half["duplicate"], true);
        let half = one(&t.alice, mutation(2, "history_event", &event, base, json!({ "set": { "precision": "year" } }))).await;
        assert_eq!(half["duplicate"], true);
    }

    async fn bad_mutations_are_refused_one_by_one(t: TestApp) {
        t.stop_jobs().await;
        let base = shared(&t.alice).await;
        let cases = [
            (json!({ "set": { "body": "x" } }), "/set/body"),
            (json!({ "set": { "rating": 0 } }), "/set/rating"),
            (json!({ "clear": ["title"] }), "/clear"),
            (json!({ "set": { "progress": { "unit": "pages", "current": 3 } } }), "/progress/unit"),
        ];
        for (number, (rest, pointer)) in (1..).zip(cases) {
            let result = one(&t.alice, mutation(number, "entry", MOVIE, base, rest)).await;
            assert_eq!((&result["outcome"], &result["problem"]["errors"][0]["pointer"]), (&json!("rejected"), &json!(pointer)));
        }
        let key = one(&t.alice, mutation(10, "entry", "nothing", base, json!({ "set": { "rating": 1 } }))).await;
        assert_eq!(key["problem"]["errors"][0]["pointer"], "/key");
        let future = one(&t.alice, mutation(11, "entry", MOVIE, base + 100, json!({ "set": { "rating": 1 } }))).await;
        assert_eq!(future["problem"]["code"], "cursor_expired");
        let long = one(&t.alice, mutation(12, "comment", &format!("{MOVIE}/{COMMENT}"), base, json!({ "create": true, "set": { "body": "x".repeat(5001) } }))).await;
        assert_eq!(long["problem"]["errors"][0]["pointer"], "/set/body");
        let both = mutation(13, "entry", MOVIE, base, json!({ "delete": true, "set": { "rating": 1 } }));
        let batch = json!({ "cursor": cursor(&t.alice).await, "mutations": [both] });
        assert_eq!(t.alice.post("/v1/sync", batch).send().await.expect(422).pointers(), ["/mutations/0/set"]);
        let many: Vec<Value> = (0..501).map(|number| mutation(number, "entry", MOVIE, base, json!({ "set": { "rating": 1 } }))).collect();
        let batch = json!({ "cursor": cursor(&t.alice).await, "mutations": many });
        t.alice.post("/v1/sync", batch).send().await.expect(422);
        assert_eq!(entry(&t.alice).await["rating"], 50);
    }
}

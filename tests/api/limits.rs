//! What one account may keep: the numbers in its row are exact, what is beyond them is refused, deleting is
//! always possible, and a batch of mutations counts as so many requests.

use omnitrack::db::Quota;
use serde_json::{Value, json};

use crate::coverage::furnish;
use crate::support::archive;
use crate::support::both;
use crate::support::persona::Persona;
use crate::support::titles::{GAME, MOVIE, SERIES};
use crate::support::usage::expect_exact;

const FIRST: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
const SECOND: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a002";

const SMALL: Quota = Quota { entries: 2, events: 2, lists: 1, list_items: 1, text_bytes: 20 };

fn entry(id: &str) -> String {
    format!("/v1/library/{id}")
}

async fn refused(who: &Persona, path: &str, body: Value) {
    who.put(path, body).send().await.expect_problem(409, "limit_reached");
}

async fn push(who: &Persona, mutations: Value) -> Value {
    let cursor = who.get("/v1/sync?limit=1").send().await.expect(200).json()["cursor"].clone();
    let batch = json!({ "cursor": cursor, "mutations": mutations });
    who.post("/v1/sync", batch).send().await.expect(200).json()["results"].clone()
}

fn create(number: u32, kind: &str, key: &str, set: Value) -> Value {
    json!({
        "id": format!("00000000-0000-4000-8000-{number:012}"), "made_at": "2026-01-01T00:00:00.000Z",
        "kind": kind, "key": key, "base_revision": 0, "create": true, "set": set,
    })
}

both! {
    async fn usage_numbers_follow_every_kind_of_write(t: TestApp) {
        t.stop_jobs().await;
        let who = &t.alice;
        furnish(who).await;
        // Review 12, comment 8, list 14, note 7.
        assert_eq!(expect_exact(&t.app.db).await, [1, 2, 1, 1, 41]);
        let series = entry(SERIES);
        who.put(&format!("{series}/review"), json!({ "body": "Größe" })).send().await.expect(200);
        who.patch(&format!("/v1/lists/{}", crate::coverage::LIST), json!({ "description": null })).send().await.expect(200);
        who.put(&entry(MOVIE), json!({ "status": "completed" })).send().await.expect(201);
        assert_eq!(expect_exact(&t.app.db).await, [2, 3, 1, 1, 7 + 8 + 7 + 7]);
        who.delete(&format!("{series}/episodes/1/2")).send().await.expect(204);
        expect_exact(&t.app.db).await;
        who.delete(&series).send().await.expect(204);
        assert_eq!(expect_exact(&t.app.db).await, [1, 1, 1, 1, 14]);
        who.delete(&format!("/v1/lists/{}", crate::coverage::LIST)).send().await.expect(204);
        assert_eq!(expect_exact(&t.app.db).await, [1, 1, 0, 0, 0]);
        who.delete("/v1/account").send().await.expect(202);
        assert_eq!(expect_exact(&t.app.db).await, [0; 5]);
    }

    async fn writes_beyond_the_quota_are_refused_and_deletions_are_not(t: TestApp) {
        let mut t = t.restart(|config| config.quota = SMALL).await;
        t.stop_jobs().await;
        let who = &t.alice;
        for title in [MOVIE, SERIES] {
            who.put(&entry(title), json!({ "status": "backlog" })).send().await.expect(201);
        }
        refused(who, &entry(GAME), json!({ "status": "backlog" })).await;
        // Events: one completion, one mark, and no more.
        who.patch(&entry(MOVIE), json!({ "status": "completed" })).send().await.expect(200);
        who.put(&format!("{}/episodes/1/1", entry(SERIES)), json!({})).send().await.expect(201);
        refused(who, &format!("{}/episodes/1/2", entry(SERIES)), json!({})).await;
        refused(who, &format!("{}/history/{FIRST}", entry(MOVIE)), json!({ "precision": "unknown" })).await;
        who.patch(&entry(SERIES), json!({ "status": "completed" })).send().await.expect_problem(409, "limit_reached");
        // Lists and their items.
        who.put(&format!("/v1/lists/{FIRST}"), json!({ "name": "12345" })).send().await.expect(201);
        refused(who, &format!("/v1/lists/{SECOND}"), json!({ "name": "1" })).await;
        who.put(&format!("/v1/lists/{FIRST}/items/{MOVIE}"), json!({})).send().await.expect(201);
        refused(who, &format!("/v1/lists/{FIRST}/items/{GAME}"), json!({})).await;
        // Text: fifteen bytes are left.
        who.put(&format!("{}/review", entry(MOVIE)), json!({ "body": "123456789012345" })).send().await.expect(201);
        refused(who, &format!("{}/comments/{FIRST}", entry(MOVIE)), json!({ "body": "1" })).await;
        refused(who, &format!("{}/review", entry(MOVIE)), json!({ "body": "1234567890123456" })).await;
        let (list, item) = (format!("/v1/lists/{FIRST}"), format!("/v1/lists/{FIRST}/items/{MOVIE}"));
        who.patch(&list, json!({ "name": "123456" })).send().await.expect_problem(409, "limit_reached");
        who.patch(&item, json!({ "note": "1" })).send().await.expect_problem(409, "limit_reached");
        // Shorter is possible, and what became free can be used.
        who.put(&format!("{}/review", entry(MOVIE)), json!({ "body": "12345678901234" })).send().await.expect(200);
        who.patch(&item, json!({ "note": "1" })).send().await.expect(200);
        assert_eq!(expect_exact(&t.app.db).await, [2, 2, 1, 1, 20]);
        for path in [item, list, entry(MOVIE), entry(SERIES)] {
            who.delete(&path).send().await.expect(204);
        }
        assert_eq!(expect_exact(&t.app.db).await, [0; 5]);
        who.put(&entry(GAME), json!({ "status": "completed" })).send().await.expect(201);
    }

    async fn mutation_beyond_the_quota_is_rejected_alone(t: TestApp) {
        let mut t = t.restart(|config| config.quota = SMALL).await;
        t.stop_jobs().await;
        let backlog = json!({ "status": "backlog" });
        let results = push(&t.alice, json!([
            create(1, "entry", MOVIE, backlog.clone()),
            create(2, "entry", SERIES, backlog.clone()),
            create(3, "entry", GAME, backlog),
            create(4, "review", MOVIE, json!({ "body": "123456789012345678901" })),
            create(5, "list", FIRST, json!({ "name": "a list" })),
        ])).await;
        let outcome = |at: usize| (results[at]["outcome"].clone(), results[at]["code"].clone());
        for at in [0, 1, 4] {
            assert_eq!(outcome(at).0, "applied", "{results:#}");
        }
        for at in [2, 3] {
            assert_eq!(results[at]["outcome"], "rejected", "{results:#}");
            assert!(results[at].to_string().contains("limit_reached"), "{results:#}");
        }
        assert_eq!(expect_exact(&t.app.db).await, [2, 0, 1, 0, 6]);
    }

    async fn import_takes_what_there_is_room_for(t: TestApp) {
        let t = t.restart(|config| config.quota = SMALL).await;
        let titles = ["movie:tmdb:1", "movie:tmdb:2", "movie:tmdb:3"];
        let library = titles.iter().map(|id| {
            let mut entry = archive::entry(id);
            entry["comments"] = json!([archive::comment(FIRST, "12345678")]);
            entry
        });
        let file = archive::archive(library.collect(), vec![]).to_string();
        let begun = t.alice.request(poem::http::Method::POST, archive::IMPORTS).body(file, "application/json");
        let begun = begun.send().await.expect(202).json();
        let path = format!("{}/{}", archive::IMPORTS, begun["id"].as_str().unwrap());
        let done = async {
            loop {
                let import = t.alice.get(&path).send().await.expect(200).json();
                if import["state"] == "done" {
                    return import;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let done = tokio::time::timeout(std::time::Duration::from_secs(20), done).await.expect("it ends");
        assert_eq!(done["report"]["taken"]["entries"], 2, "{done:#}");
        assert_eq!(done["report"]["taken"]["comments"], 2, "{done:#}");
        assert_eq!(expect_exact(&t.app.db).await, [2, 0, 0, 0, 16]);
    }

    async fn batch_counts_as_its_mutations_in_the_rate_limit(t: TestApp) {
        // Ten at once.
        let mut t = t.restart(|config| config.limits.account = 40).await;
        t.stop_jobs().await;
        let cursor = t.alice.get("/v1/sync?limit=1").send().await.expect(200).json()["cursor"].clone();
        let mutations = |first: u32, count: u32| -> Vec<Value> {
            let one = |number: u32| create(number, "entry", &format!("movie:tmdb:{number}"), json!({ "status": "backlog" }));
            (first..first + count).map(one).collect()
        };
        let batch = |first, count| json!({ "cursor": cursor.clone(), "mutations": mutations(first, count) });
        let answer = t.alice.post("/v1/sync", batch(1, 6)).send().await.expect(200);
        assert!(answer.header("ratelimit").unwrap().contains("\"account\";r=3"), "{:?}", answer.headers);
        let refused = t.alice.post("/v1/sync", batch(10, 5)).send().await.expect_problem(429, "rate_limited");
        assert!(refused.header("retry-after").is_some());
        t.alice.get("/v1/library/movie:tmdb:10").send().await.expect(404);
    }
}

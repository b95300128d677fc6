//! Lists and their order.

use serde_json::{Value, json};

use crate::support::both;
use crate::support::persona::Persona;

const LIST: &str = "/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";

async fn order(persona: &Persona) -> Vec<u64> {
    let page = persona.get(&format!("{LIST}/items?limit=200")).send().await.expect(200);
    let number = |item: &Value| item["media_id"].as_str().and_then(|id| id.rsplit(':').next()?.parse().ok());
    page.json()["items"].as_array().expect("items").iter().filter_map(number).collect()
}

fn item(number: u64) -> String {
    format!("{LIST}/items/movie:tmdb:{number}")
}

both! {
    async fn a_list_is_made_changed_and_deleted(t: TestApp) {
        t.alice.patch(LIST, json!({ "name": "Nothing" })).send().await.expect(404);
        let made = t.alice.put(LIST, json!({ "name": "Rainy days", "description": "For them" })).send().await.expect(201);
        assert_eq!(made.json()["item_count"], 0);
        let cleared = t.alice.patch(LIST, json!({ "description": null })).send().await.expect(200);
        assert_eq!(cleared.json().get("description"), None);
        assert_eq!(cleared.json()["name"], "Rainy days");
        t.alice.put(&item(1), json!({})).send().await.expect(201);
        assert_eq!(t.alice.get(LIST).send().await.expect(200).json()["item_count"], 1);
        let all = t.alice.get("/v1/lists").send().await.expect(200);
        assert_eq!(all.json()["items"].as_array().map(Vec::len), Some(1));
        t.alice.delete(LIST).send().await.expect(204);
        t.alice.delete(LIST).send().await.expect(204);
        t.alice.get(&item(1)).send().await.expect(404);
        assert_eq!(t.alice.put(LIST, json!({ "name": "Back" })).send().await.expect(410).json()["code"], "deleted");
        t.alice.patch(LIST, json!({ "name": "Back" })).send().await.expect(404);
        t.bob.put(LIST, json!({ "name": "Mine" })).send().await.expect(201);
    }

    async fn items_go_where_they_are_put(t: TestApp) {
        t.stop_jobs().await;
        t.alice.put(LIST, json!({ "name": "Order" })).send().await.expect(201);
        for number in 1..=4 {
            t.alice.put(&item(number), json!({ "note": format!("number {number}") })).send().await.expect(201);
        }
        assert_eq!(order(&t.alice).await, [1, 2, 3, 4]);
        t.alice.patch(&item(4), json!({ "before": "movie:tmdb:1" })).send().await.expect(200);
        assert_eq!(order(&t.alice).await, [4, 1, 2, 3]);
        t.alice.patch(&item(1), json!({ "after": "movie:tmdb:3" })).send().await.expect(200);
        assert_eq!(order(&t.alice).await, [4, 2, 3, 1]);
        t.alice.put(&item(5), json!({ "after": "movie:tmdb:4" })).send().await.expect(201);
        assert_eq!(order(&t.alice).await, [4, 5, 2, 3, 1]);
        // a repeated move changes nothing; a note changed in place keeps the place
        let moved = t.alice.patch(&item(5), json!({ "after": "movie:tmdb:4" })).send().await.expect(200);
        let same = t.alice.patch(&item(5), json!({ "after": "movie:tmdb:4" })).send().await.expect(200);
        assert_eq!(moved.json()["revision"], same.json()["revision"]);
        t.alice.patch(&item(2), json!({ "note": null })).send().await.expect(200);
        assert_eq!(order(&t.alice).await, [4, 5, 2, 3, 1]);
        let missing = t.alice.put(&item(6), json!({ "before": "movie:tmdb:77" })).send().await.expect(422);
        assert_eq!(missing.json()["code"], "anchor_not_found");
        let both = json!({ "before": "movie:tmdb:1", "after": "movie:tmdb:2" });
        assert_eq!(t.alice.put(&item(6), both.clone()).send().await.expect(422).pointers(), ["/after", "/before"]);
    }

    async fn an_item_goes_between_two_that_share_a_key(t: TestApp) {
        t.alice.put(LIST, json!({ "name": "Twins" })).send().await.expect(201);
        for number in 1..=3 {
            t.alice.put(&item(number), json!({})).send().await.expect(201);
        }
        // what two phones do that picked the same place while they were apart
        t.sql("UPDATE list_item SET position = (SELECT position FROM list_item ORDER BY position LIMIT 1)").await;
        assert_eq!(order(&t.alice).await, [1, 2, 3]);
        t.alice.put(&item(9), json!({ "after": "movie:tmdb:1" })).send().await.expect(201);
        assert_eq!(order(&t.alice).await, [1, 9, 2, 3]);
        t.alice.put(&item(8), json!({ "before": "movie:tmdb:3" })).send().await.expect(201);
        assert_eq!(order(&t.alice).await, [1, 9, 2, 8, 3]);
    }

    /// The order is what a plain vector would be, whatever is put where.
    async fn moves_agree_with_a_plain_vector(t: TestApp) {
        t.alice.put(LIST, json!({ "name": "Model" })).send().await.expect(201);
        let mut model: Vec<u64> = Vec::new();
        // A small generator with a fixed seed: the same moves in every run.
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for _ in 0..120 {
            let number = next(12) + 1;
            let anchor = next(12) + 1;
            let after = next(2) == 0;
            let known = model.contains(&anchor) && anchor != number;
            let place = match (known, after) {
                (false, _) => json!({}),
                (true, true) => json!({ "after": format!("movie:tmdb:{anchor}") }),
                (true, false) => json!({ "before": format!("movie:tmdb:{anchor}") }),
            };
            t.alice.put(&item(number), place).send().await;
            if known {
                model.retain(|other| *other != number);
                let at = model.iter().position(|other| *other == anchor).expect("known") + usize::from(after);
                model.insert(at, number);
            } else if !model.contains(&number) {
                model.push(number);
            }
            assert_eq!(order(&t.alice).await, model);
        }
    }

    async fn pages_of_items_follow_the_order(t: TestApp) {
        t.alice.put(LIST, json!({ "name": "Pages" })).send().await.expect(201);
        for number in 1..=7 {
            t.alice.put(&item(number), json!({})).send().await.expect(201);
        }
        t.alice.patch(&item(7), json!({ "before": "movie:tmdb:1" })).send().await.expect(200);
        let mut found = Vec::new();
        let mut url = format!("{LIST}/items?limit=2");
        loop {
            let page = t.alice.get(&url).send().await.expect(200);
            found.extend(page.json()["items"].as_array().expect("items").iter().map(|i| i["media_id"].to_string()));
            let Some(cursor) = page.next_cursor() else { break };
            url = format!("{LIST}/items?limit=2&cursor={cursor}");
        }
        assert_eq!(found.len(), 7);
        assert_eq!(found[0], "\"movie:tmdb:7\"");
        t.alice.get("/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a002/items").send().await.expect(404);
    }
}

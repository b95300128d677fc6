//! A person takes everything along, deletes the account, and brings it to a fresh one: what they take along
//! from there is the same, but for what must differ.

use serde_json::{Value, json};

use crate::support::archive::{IMPORTS, apply_all};
use crate::support::both;
use crate::support::persona::Persona;
use crate::support::titles::{BOOK, GAME, MOVIE, SERIES};

const LIST: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";

/// What somebody does in some years.
async fn live(who: &Persona) {
    let comment = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a0";
    let writes = [
        (
            format!("/v1/library/{MOVIE}"),
            json!({ "status": "completed", "rating": 93, "favorite": true, "on": "2024-01-31" }),
        ),
        (
            format!("/v1/library/{MOVIE}/review"),
            json!({ "title": "T", "body": "It \"is\"\nwhat it is, 😀", "spoiler": true }),
        ),
        (format!("/v1/library/{MOVIE}/comments/{comment}11"), json!({ "body": "No anchor" })),
        (
            format!("/v1/library/{MOVIE}/comments/{comment}12"),
            json!({ "body": "Half", "anchor": { "kind": "percent", "percent": 50 } }),
        ),
        (
            format!("/v1/library/{MOVIE}/history/{comment}13"),
            json!({ "finished_on": "2001-06-15", "precision": "month" }),
        ),
        (format!("/v1/library/{MOVIE}/history/{comment}14"), json!({ "precision": "unknown" })),
        (format!("/v1/library/{SERIES}"), json!({ "status": "backlog" })),
        (format!("/v1/library/{SERIES}/episodes/1/1"), json!({ "watched_on": "2020-01-01" })),
        (format!("/v1/library/{SERIES}/episodes/1/2"), json!({ "watched_on": null })),
        (format!("/v1/library/{SERIES}/episodes/0/1"), json!({})),
        (
            format!("/v1/library/{SERIES}/comments/{comment}15"),
            json!({ "body": "Here", "anchor": { "kind": "episode", "season": 1, "episode": 2 } }),
        ),
        (
            format!("/v1/library/{GAME}"),
            json!({ "status": "dropped", "progress": { "unit": "minutes", "current": 90 } }),
        ),
        (
            format!("/v1/library/{BOOK}"),
            json!({ "status": "in_progress", "on": "2024-02-29", "progress": { "unit": "pages", "current": 7, "total": 300 } }),
        ),
        (
            format!("/v1/library/{BOOK}/comments/{comment}16"),
            json!({ "body": "Page", "anchor": { "kind": "page", "page": 3 } }),
        ),
        // A series that no source has answered for: what is asked of it waits.
        ("/v1/library/tv:tmdb:900000001".to_owned(), json!({ "status": "in_progress" })),
        (
            "/v1/library/tv:tmdb:900000001/episodes".to_owned(),
            json!({ "on": "2024-01-01", "watched_on": null }),
        ),
        (format!("/v1/lists/{LIST}"), json!({ "name": "Ordered", "description": "By me" })),
    ];
    for (path, body) in writes {
        let answer = who.put(&path, body).send().await;
        assert!(answer.status < 300, "{}: {}", answer.asked, answer.text());
    }
    for title in [SERIES, BOOK, MOVIE] {
        who.put(&format!("/v1/lists/{LIST}/items/{title}"), json!({ "note": title }))
            .send()
            .await
            .expect(201);
    }
    let before = json!({ "before": SERIES });
    who.put(&format!("/v1/lists/{LIST}/items/{GAME}"), before).send().await.expect(201);
    who.patch("/v1/account", json!({ "time_zone": "Europe/Berlin", "language": "de-DE" }))
        .send()
        .await
        .expect(200);
}

/// The copy that the account takes along, in a form.
async fn copy(who: &Persona, form: &str) -> Vec<u8> {
    let link = who.post("/v1/account/exports", json!({ "format": form })).send().await.expect(201).json();
    who.get(link["url"].as_str().unwrap()).send().await.expect(200).body
}

fn document(copy: &[u8]) -> Value {
    if !copy.starts_with(b"PK") {
        return serde_json::from_slice(copy).unwrap();
    }
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(copy)).unwrap();
    serde_json::from_reader(zip.by_name("archive.json").unwrap()).unwrap()
}

both! {
    async fn what_was_taken_along_comes_back(t: TestApp) {
        t.stop_jobs().await;
        live(&t.alice).await;
        let copies = [("json", copy(&t.alice, "json").await), ("zip", copy(&t.alice, "zip").await)];
        t.alice.delete("/v1/account").send().await.expect(202);
        t.alice.get("/v1/account").send().await.expect_problem(401, "account_erased");
        for (form, taken) in copies {
            let kind = format!("application/{form}");
            let fresh = t.persona(&format!("fresh_{form}"));
            let post = fresh.request(poem::http::Method::POST, IMPORTS).body(taken.clone(), &kind);
            let begun = post.send().await.expect(202).json();
            apply_all(&t.app).await;
            let done = fresh.get(&format!("{IMPORTS}/{}", begun["id"].as_str().unwrap())).send().await.json();
            assert_eq!(done["state"], "done");
            assert_eq!(done["report"]["taken"], done["report"]["archive"], "{form}");

            let (was, is) = (document(&taken), document(&copy(&fresh, form).await));
            assert!(was["library"].as_array().unwrap().len() == 5 && was["lists"][0]["items"].as_array().unwrap().len() == 4);
            assert!(was.to_string().contains("\"pending_episodes\":[{"), "something waits");
            assert_eq!(is["library"], was["library"], "{form}");
            assert_eq!(is["lists"], was["lists"], "{form}");
            for setting in ["language", "time_zone", "progress_sets_status"] {
                assert_eq!(is["account"][setting], was["account"][setting], "{form}: {setting}");
            }
            assert_ne!(is["account"]["id"], was["account"]["id"]);
        }
    }
}

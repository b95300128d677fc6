//! Archives that are taken back: what is sound comes back as it was, what is not changes nothing.

use std::time::Duration;

use omnitrack::import::{bounds, run, store};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::archive::{
    IMPORTS, Random, THEN, apply_all, archive, comment, dump, entry, exported, list, plain, take,
};
use crate::support::both;
use crate::support::operations;
use crate::support::titles::{BOOK, GAME, MOVIE, SERIES};

const LIST: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
const COMMENT: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a002";
const EVENT: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a003";

both! {
    async fn what_comes_back_is_what_was(t: TestApp) {
        t.stop_jobs().await;
        for seed in 0..6 {
            let (who, archive) = (t.persona(&format!("person{seed}")), Random::new(seed).archive());
            let done = take(&t.app, &who, &archive).await;
            assert_eq!(done["report"]["taken"], done["report"]["archive"], "seed {seed}");
            let (library, lists) = exported(&who).await;
            assert_eq!(library, plain(archive["library"].clone()), "seed {seed}");
            assert_eq!(lists, plain(archive["lists"].clone()), "seed {seed}");

            let before = kept(&t).await;
            let again = take(&t.app, &who, &archive).await;
            assert_eq!(again["report"]["left"]["entries"], again["report"]["archive"]["entries"]);
            assert_eq!(again["report"]["taken"]["entries"], 0, "seed {seed}");
            assert_eq!(kept(&t).await, before, "seed {seed}: taken twice");
        }
    }

    async fn of_two_libraries_nothing_is_lost(t: TestApp) {
        t.stop_jobs().await;
        let path = format!("/v1/library/{MOVIE}");
        t.alice.put(&path, json!({ "status": "dropped", "rating": 7 })).send().await.expect(201);
        t.alice.put(&format!("{path}/review"), json!({ "body": "here" })).send().await.expect(201);
        t.alice.put(&format!("{path}/comments/{COMMENT}"), json!({ "body": "here" })).send().await.expect(201);
        t.alice.put(&format!("/v1/lists/{LIST}"), json!({ "name": "Here" })).send().await.expect(201);
        for title in [GAME, BOOK] {
            t.alice.put(&format!("/v1/lists/{LIST}/items/{title}"), json!({})).send().await.expect(201);
        }
        let other = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a00f";
        let mut row = entry(MOVIE);
        row["rating"] = 99.into();
        row["review"] = json!({ "body": "there", "spoiler": false, "created_at": THEN, "updated_at": THEN });
        row["comments"] = json!([comment(COMMENT, "there"), comment(other, "there")]);
        let series = json!({ "season": 1, "number": 1, "created_at": THEN, "updated_at": THEN });
        let mut watched = entry(SERIES);
        watched["episodes"] = json!([series]);
        let archive = archive(vec![row, watched], vec![list(LIST, &[MOVIE, BOOK, SERIES])]);

        let done = take(&t.app, &t.alice, &archive).await;

        let entry = t.alice.get(&path).send().await.expect(200).json();
        assert_eq!((&entry["status"], &entry["rating"]), (&json!("dropped"), &json!(7)));
        assert_eq!(t.alice.get(&format!("{path}/review")).send().await.json()["body"], "here");
        let comments = t.alice.get(&format!("{path}/comments")).send().await.items();
        let bodies: Vec<&Value> = comments.iter().map(|comment| &comment["body"]).collect();
        assert_eq!(bodies, ["there", "here"]);
        let items = t.alice.get(&format!("/v1/lists/{LIST}/items")).send().await.items();
        let titles: Vec<&str> = items.iter().map(|item| item["media_id"].as_str().unwrap()).collect();
        assert_eq!(titles, [GAME, BOOK, MOVIE, SERIES]);
        assert_eq!(t.alice.get(&format!("/v1/lists/{LIST}")).send().await.json()["name"], "Here");
        let rows = done["report"]["rows"].as_array().unwrap();
        let left: Vec<&str> = rows.iter().map(|row| row["pointer"].as_str().unwrap()).collect();
        let expected =
            ["/library/0", "/library/0/review", "/library/0/comments/0", "/lists/0", "/lists/0/items/1"];
        assert_eq!(left, expected, "{done}");
        assert_eq!(done["report"]["taken"]["episodes"], 1);

        // Marks that a series lacks are taken, and shown.
        let mark = |number: i32| json!({ "season": 1, "number": number, "created_at": THEN, "updated_at": THEN });
        let mut more = self::entry(SERIES);
        more["episodes"] = json!([mark(1), mark(2)]);
        take(&t.app, &t.alice, &self::archive(vec![more], vec![])).await;
        let shown = t.alice.get(&format!("/v1/library/{SERIES}")).send().await.json();
        assert_eq!(shown["progress"]["current"], 2, "{shown}");
    }

    async fn what_was_deleted_comes_back_under_another_id(t: TestApp) {
        t.stop_jobs().await;
        let mut row = entry(MOVIE);
        row["review"] = json!({ "body": "mine", "spoiler": false, "created_at": THEN, "updated_at": THEN });
        row["comments"] = json!([comment(COMMENT, "mine")]);
        let day = omnitrack::library::history::finish_id(&MOVIE.parse().unwrap(), "2024-02-03".parse().unwrap());
        row["history"] = json!([
            { "id": EVENT, "precision": "unknown", "created_at": THEN, "updated_at": THEN },
            { "id": day, "finished_on": "2024-02-03", "precision": "day", "created_at": THEN, "updated_at": THEN },
        ]);
        let archive = archive(vec![row], vec![list(LIST, &[MOVIE])]);
        let mut lives = std::collections::BTreeSet::new();
        for round in 0..4 {
            let done = take(&t.app, &t.alice, &archive).await;
            let everything = &done["report"]["archive"];
            let settings_once = if round == 0 { 1 } else { 0 };
            for kind in ["entries", "reviews", "comments", "history_events", "lists", "list_items"] {
                assert_eq!(done["report"]["taken"][kind], everything[kind], "round {round}: {kind}: {done}");
            }
            assert!(done["report"]["taken"]["settings"].as_i64() >= Some(settings_once));
            // Once more, and nothing is doubled.
            let again = take(&t.app, &t.alice, &archive).await;
            for kind in ["entries", "reviews", "comments", "history_events", "lists", "list_items"] {
                assert_eq!(again["report"]["left"][kind], everything[kind], "round {round}: {kind}: {again}");
            }
            let path = format!("/v1/library/{MOVIE}");
            let comments = t.alice.get(&format!("{path}/comments")).send().await.items();
            assert_eq!(comments.len(), 1);
            assert!(lives.insert(comments[0]["id"].as_str().unwrap().to_owned()), "an id is used again");
            let events = t.alice.get(&format!("{path}/history")).send().await.items();
            assert_eq!(events.len(), 2);
            assert!(events.iter().any(|event| event["id"] == day.to_string()), "{events:?}");
            let lists = t.alice.get("/v1/lists").send().await.items();
            assert_eq!(lists.len(), 1);
            let list = lists[0]["id"].as_str().unwrap().to_owned();
            t.alice.delete(&path).send().await.expect(204);
            t.alice.delete(&format!("/v1/lists/{list}")).send().await.expect(204);
        }
        assert!(lives.contains(COMMENT), "the first time it has its own");
    }

    async fn a_title_that_comes_back_is_filled_in(t: TestApp) {
        let archive = archive(vec![entry(MOVIE)], vec![list(LIST, &[BOOK])]);
        let begun = t.alice.post(IMPORTS, archive).send().await.expect(202).json();
        ended(&t, begun["id"].as_str().unwrap()).await;
        t.filled(MOVIE).await;
        t.filled(BOOK).await;
        let shown = t.alice.get(&format!("/v1/library/{MOVIE}")).send().await.expect(200).json();
        assert_eq!(shown["media"]["title"], "The Matrix");
    }

    async fn calls_that_wait_for_episodes_are_done_when_they_are_known(t: TestApp) {
        let mut row = entry(SERIES);
        row["pending_episodes"] = json!([
            { "watched": true, "season": 1, "aired_by": "2025-01-01", "watched_on": "2024-02-01" },
            { "watched": false, "season": 1, "first": 3, "last": 4 },
        ]);
        // Marked after the call that takes it back: it stays.
        row["episodes"] = json!([{ "season": 1, "number": 3, "created_at": THEN, "updated_at": THEN }]);
        let archive = archive(vec![row], vec![]);
        let begun = t.alice.post(IMPORTS, archive.clone()).send().await.expect(202).json();
        ended(&t, begun["id"].as_str().unwrap()).await;
        t.filled(SERIES).await;
        t.settled(SERIES).await;
        let path = format!("/v1/library/{SERIES}/episodes?limit=200");
        let marks = |items: Vec<Value>| -> Vec<i64> {
            items.iter().map(|mark| mark["episode"].as_i64().unwrap()).collect()
        };
        let alice = marks(t.alice.get(&path).send().await.items());
        assert!(alice.contains(&1) && alice.contains(&3) && !alice.contains(&4), "{alice:?}");
        // Where the episodes are known it is done at once.
        t.stop_jobs().await;
        take(&t.app, &t.bob, &archive).await;
        assert_eq!(marks(t.bob.get(&path).send().await.items()), alice);
    }

    async fn settings_are_taken_while_they_were_never_changed(t: TestApp) {
        t.stop_jobs().await;
        let mut archive = archive(vec![], vec![]);
        archive["account"]["time_zone"] = "Asia/Tokyo".into();
        archive["account"]["language"] = "de-DE".into();
        take(&t.app, &t.alice, &archive).await;
        let account = t.alice.get("/v1/account").send().await.json();
        assert_eq!((&account["time_zone"], &account["language"]), (&json!("Asia/Tokyo"), &json!("de-DE")));
        archive["account"]["time_zone"] = "Europe/Rome".into();
        let done = take(&t.app, &t.alice, &archive).await;
        assert_eq!(t.alice.get("/v1/account").send().await.json()["time_zone"], "Asia/Tokyo");
        assert_eq!(done["report"]["left"]["settings"], 1);
    }

    async fn times_that_are_ahead_are_cut_to_now(t: TestApp) {
        t.stop_jobs().await;
        let mut row = entry(MOVIE);
        row["updated_at"] = "2999-01-01T00:00:00.000Z".into();
        take(&t.app, &t.alice, &archive(vec![row], vec![])).await;
        let shown = t.alice.get(&format!("/v1/library/{MOVIE}")).send().await.json();
        assert!(shown["updated_at"].as_str().unwrap() < "2900");
        assert_eq!(shown["added_at"], THEN);
    }

    async fn more_than_an_account_may_keep_finds_no_room(t: TestApp) {
        t.stop_jobs().await;
        let comments = |from: u128| -> Vec<Value> {
            (from..from + 600).map(|n| comment(&uuid::Uuid::from_u128(n).to_string(), "x")).collect()
        };
        let mut row = entry(MOVIE);
        row["comments"] = comments(1).into();
        take(&t.app, &t.alice, &archive(vec![row.clone()], vec![])).await;
        row["comments"] = comments(1_000).into();
        let done = take(&t.app, &t.alice, &archive(vec![row], vec![])).await;
        assert_eq!(done["report"]["taken"]["comments"], 400);
        assert_eq!(done["report"]["no_room"]["comments"], 200);
        let last = done["report"]["rows"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last, json!({ "pointer": "/library/0/comments/599", "reason": "no_room" }));
    }

    async fn a_dry_run_writes_nothing(t: TestApp) {
        t.stop_jobs().await;
        t.alice.get("/v1/account").send().await.expect(200);
        let before = dump(&t.app).await;
        let check = t.alice.post(&format!("{IMPORTS}?dry_run=true"), Random::new(3).archive()).send().await;
        let check = check.expect(200).json();
        assert_eq!((&check["valid"], &check["error_count"]), (&json!(true), &json!(0)));
        assert!(check["archive"]["entries"].as_i64().unwrap() > 0 && !check["not_taken"].as_array().unwrap().is_empty());
        assert_eq!(dump(&t.app).await, before);
    }

    async fn one_import_at_a_time(t: TestApp) {
        t.stop_jobs().await;
        let send = |key: &'static str, archive: Value| {
            t.alice.post(IMPORTS, archive).header("idempotency-key", key).send()
        };
        let archive = archive(vec![entry(MOVIE)], vec![]);
        let first = send("one", archive.clone()).await.expect(202).json();
        assert_eq!(first["duplicate"], false);
        t.alice.post(IMPORTS, archive.clone()).send().await.expect_problem(409, "limit_reached");
        // The same under the same key is the same import; another one is refused.
        let again = send("one", archive.clone()).await.expect(202).json();
        assert_eq!((&again["id"], &again["duplicate"]), (&first["id"], &json!(true)));
        send("one", self::archive(vec![entry(GAME)], vec![])).await.expect_problem(422, "idempotency_key_reused");
        // Somebody else's is another matter.
        t.bob.post(IMPORTS, archive.clone()).send().await.expect(202);
        let id = first["id"].as_str().unwrap();
        t.bob.get(&format!("{IMPORTS}/{id}")).send().await.expect_problem(404, "not_found");
        apply_all(&t.app).await;
        t.alice.post(IMPORTS, archive).send().await.expect(202);
        let page = t.alice.get(&format!("{IMPORTS}?limit=1")).send().await.expect(200);
        assert_eq!(page.items()[0]["id"], first["id"]);
        let next = format!("{IMPORTS}?cursor={}", page.next_cursor().unwrap());
        assert_eq!(t.alice.get(&next).send().await.items().len(), 1);
    }

    async fn two_instances_apply_nothing_twice(t: TestApp) {
        t.stop_jobs().await;
        let other = t.another(|_| ()).await;
        other.stop_jobs().await;
        let titles = 3_000;
        let library = (1..=titles).map(|n| entry(&format!("movie:tmdb:{n}"))).collect();
        let begun = t.alice.post(IMPORTS, archive(library, vec![])).send().await.expect(202).json();
        let id: uuid::Uuid = begun["id"].as_str().unwrap().parse().unwrap();
        let account = t.alice.get("/v1/account").send().await.json();
        let account: uuid::Uuid = account["id"].as_str().unwrap().parse().unwrap();
        let at = |app: omnitrack::app::App| async move {
            run::run(&app.db, account, id, &app.wanted).await.unwrap();
        };
        tokio::join!(at(t.app.clone()), at(other.app.clone()), at(t.app.clone()));
        // The two that lost go on where the one stopped, if it did.
        at(other.app.clone()).await;
        let done = t.alice.get(&format!("{IMPORTS}/{id}")).send().await.expect(200).json();
        assert_eq!(done["state"], "done");
        assert_eq!(done["report"]["taken"]["entries"], titles, "{}", done["report"]);
        assert_eq!(done["report"]["left"]["entries"], 0);
    }

    async fn an_import_is_taken_up_by_one(t: TestApp) {
        t.stop_jobs().await;
        t.alice.post(IMPORTS, archive(vec![entry(MOVIE)], vec![])).send().await.expect(202);
        assert!(store::claim(&t.app.db).await.unwrap().is_some());
        assert!(store::claim(&t.app.db).await.unwrap().is_none(), "somebody works on it");
        t.sql("UPDATE import SET updated_at = updated_at - 60000").await;
        assert!(store::claim(&t.app.db).await.unwrap().is_some(), "nobody does any more");
        // What cannot be applied for a day is given up.
        t.sql("UPDATE import SET updated_at = updated_at - 100000000, created_at = created_at - 100000000").await;
        assert!(store::claim(&t.app.db).await.unwrap().is_none());
        let imports = t.alice.get(IMPORTS).send().await.items();
        assert_eq!(imports[0]["state"], "failed");
        assert!(!dump(&t.app).await.iter().any(|row| row.starts_with("import_part")));
    }

    async fn an_erasure_ends_what_is_being_taken_back(t: TestApp) {
        t.stop_jobs().await;
        let library = (1..500).map(|number| entry(&format!("movie:tmdb:{number}"))).collect();
        t.alice.post(IMPORTS, archive(library, vec![])).send().await.expect(202);
        let (account, id) = store::claim(&t.app.db).await.unwrap().expect("hers");
        let (applying, erasing) = tokio::join!(
            run::run(&t.app.db, account, id, &t.app.wanted),
            t.alice.delete("/v1/account").send(),
        );
        applying.unwrap();
        erasing.expect(202);
        run::run(&t.app.db, account, id, &t.app.wanted).await.unwrap();
        assert!(store::claim(&t.app.db).await.unwrap().is_none());
        assert_eq!(crate::support::rows::of_account(&t, account).await, []);
    }

    async fn reports_go_after_a_while(t: TestApp) {
        t.stop_jobs().await;
        take(&t.app, &t.alice, &archive(vec![], vec![])).await;
        t.bob.post(IMPORTS, archive(vec![], vec![])).send().await.expect(202);
        assert_eq!(store::forget(&t.app.db, 0).await.unwrap(), 0);
        assert_eq!(store::forget(&t.app.db, i64::MAX).await.unwrap(), 1);
        assert!(t.alice.get(IMPORTS).send().await.items().is_empty());
        assert_eq!(t.bob.get(IMPORTS).send().await.items().len(), 1, "one under way stays");
    }
}

/// What is kept of people, but for the imports themselves.
async fn kept(t: &TestApp) -> Vec<String> {
    dump(&t.app).await.into_iter().filter(|row| !row.starts_with("import")).collect()
}

/// Waits until an import of alice's has ended.
async fn ended(t: &TestApp, id: &str) {
    let ended = async {
        loop {
            let import = t.alice.get(&format!("{IMPORTS}/{id}")).send().await.expect(200).json();
            if import["state"] != "applying" {
                assert_eq!(import["state"], "done", "{import}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the import ends");
}

/// What an archive is held to is what the contract holds every other write to.
#[test]
fn the_bounds_are_those_of_the_contract() {
    let bound = |schema: &str, field: &str, name: &str| {
        let property = &operations::document()["components"]["schemas"][schema]["properties"][field];
        property[name].as_u64().unwrap_or_else(|| panic!("{schema}.{field} has no {name}"))
    };
    let most = |schema, field| bound(schema, field, "maxLength") as usize;
    assert_eq!(most("MediaListWrite", "name"), bounds::NAME);
    assert_eq!(most("ReviewWrite", "title"), bounds::NAME);
    assert_eq!(most("MediaListWrite", "description"), bounds::DESCRIPTION);
    assert_eq!(most("ListItemWrite", "note"), bounds::NOTE);
    assert_eq!(most("ReviewWrite", "body"), bounds::REVIEW);
    assert_eq!(most("CommentWrite", "body"), bounds::COMMENT);
    assert_eq!(most("AccountPatch", "language"), bounds::LANGUAGE);
    assert_eq!(most("AccountPatch", "time_zone"), bounds::TIME_ZONE);
    let number = |schema, field, name| bound(schema, field, name) as i32;
    let rating = |name| number("LibraryEntryWrite", "rating", name);
    assert_eq!((rating("minimum"), rating("maximum")), bounds::RATING);
    assert_eq!(number("EntryProgress", "current", "maximum"), bounds::PROGRESS);
    assert_eq!(number("EntryProgress", "total", "maximum"), bounds::PROGRESS);
    assert_eq!(number("CommentAnchor", "page", "maximum"), bounds::PROGRESS);
    assert_eq!(number("CommentAnchor", "season", "maximum"), bounds::ANCHOR_ORDINAL);
    assert_eq!(number("CommentAnchor", "episode", "maximum"), bounds::ANCHOR_ORDINAL);
    assert_eq!(number("SeasonEpisodesWrite", "last", "maximum"), bounds::ORDINAL);
}

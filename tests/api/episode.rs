//! Watched episodes: one, a range, a season, all that aired; and what follows from them.

use omnitrack::library::episode::settle_all;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::both;
use crate::support::persona::Persona;

const SERIES: &str = "tv:tmdb:1399";
const ENTRY: &str = "/v1/library/tv:tmdb:1399";
const MARKS: &str = "/v1/library/tv:tmdb:1399/episodes";
/// Enough for the whole series.
const ALL: &str = "/v1/library/tv:tmdb:1399/episodes?limit=200";

async fn track(who: &Persona, status: &str) {
    who.put(ENTRY, json!({ "status": status })).send().await.expect(201);
}

async fn entry(who: &Persona) -> Value {
    who.get(ENTRY).send().await.expect(200).json()
}

/// Season and number of every mark.
async fn marks(who: &Persona) -> Vec<(i64, i64)> {
    let found = who.get(ALL).send().await.expect(200);
    let place = |row: Value| (row["season"].as_i64().unwrap(), row["episode"].as_i64().unwrap());
    found.items().into_iter().map(place).collect()
}

async fn revision(who: &Persona) -> i64 {
    let probe = "/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a0aa";
    let made: Answer = who.put(probe, json!({ "name": "probe" })).send().await;
    let revision = made.json()["revision"].as_i64().unwrap();
    who.delete(probe).send().await.expect(204);
    who.put(probe, json!({ "name": "probe" })).send().await.expect(410);
    revision
}

both! {
    async fn one_episode_is_marked_and_taken_back(t: TestApp) {
        let first = format!("{MARKS}/1/1");
        t.alice.put(&first, json!({})).send().await.expect(404);
        track(&t.alice, "backlog").await;
        t.filled(SERIES).await;
        let made = t.alice.put(&first, json!({ "on": "2026-03-01" })).send().await.expect(201);
        assert_eq!(made.json()["watched_on"], "2026-03-01");
        let again = t.alice.put(&first, json!({ "on": "2026-03-09" })).send().await.expect(200);
        assert_eq!((again.json(), again.etag()), (made.json(), made.etag()));
        let entry_now = entry(&t.alice).await;
        assert_eq!(entry_now["progress"], json!({ "unit": "episodes", "current": 1, "total": 73 }));
        assert_eq!((&entry_now["status"], &entry_now["status_set_by"]), (&json!("in_progress"), &json!("progress")));
        assert_eq!(entry_now["started_on"], "2026-03-01");
        assert_eq!(entry_now["next_episode"], json!({ "season": 1, "episode": 2, "air_date": "2011-04-24" }));
        assert_eq!(entry_now["caught_up"], false);
        let other = t.alice.put(&first, json!({ "watched_on": "2011-04-17" })).header("If-Match", &made.etag()).send().await.expect(200);
        t.alice.put(&first, json!({ "watched_on": null })).header("If-Match", &made.etag()).send().await.expect(412);
        assert_eq!(t.alice.get(&first).send().await.expect(200).json(), other.json());
        let unknown = t.alice.put(&first, json!({ "watched_on": null })).send().await.expect(200);
        assert_eq!(unknown.json().get("watched_on"), None);
        t.alice.delete(&first).send().await.expect(204);
        t.alice.delete(&first).send().await.expect(204);
        t.alice.get(&first).send().await.expect(404);
        assert_eq!(entry(&t.alice).await["progress"]["current"], 0);
        t.alice.put(&first, json!({})).send().await.expect(201);
    }

    async fn a_season_or_a_part_of_it_is_marked_in_one_call(t: TestApp) {
        track(&t.alice, "backlog").await;
        t.filled(SERIES).await;
        let part = json!({ "on": "2026-03-01", "first": 2, "last": 4 });
        let entry = t.alice.put(&format!("{MARKS}/1"), part.clone()).send().await.expect(200);
        assert_eq!(entry.json()["progress"]["current"], 3);
        assert_eq!(entry.json()["next_episode"]["episode"], 5);
        assert_eq!(marks(&t.alice).await, [(1, 2), (1, 3), (1, 4)]);
        let again = t.alice.put(&format!("{MARKS}/1"), json!({ "on": "2026-04-01", "first": 2, "last": 4 })).send().await.expect(200);
        assert_eq!((again.json(), again.etag()), (entry.json(), entry.etag()));
        t.alice.put(&format!("{MARKS}/1"), json!({ "on": "2026-03-01" })).send().await.expect(200);
        assert_eq!(marks(&t.alice).await.len(), 10);
        t.alice.delete(&format!("{MARKS}/1?first=3&last=9")).send().await.expect(204);
        assert_eq!(marks(&t.alice).await, [(1, 1), (1, 2), (1, 10)]);
        let wrong = t.alice.put(&format!("{MARKS}/1"), json!({ "on": "2026-03-01", "first": 4, "last": 2 })).send().await.expect(422);
        assert_eq!(wrong.json()["code"], "invalid_range");
        t.alice.delete(&format!("{MARKS}/1?first=4&last=2")).send().await.expect(400);
        t.alice.delete(&format!("{MARKS}/1")).header("If-Match", &entry.etag()).send().await.expect(412);
        t.alice.delete(&format!("{MARKS}/1")).send().await.expect(204);
        assert_eq!(marks(&t.alice).await, []);
    }

    async fn only_what_has_aired_is_swept_up(t: TestApp) {
        track(&t.alice, "in_progress").await;
        t.filled(SERIES).await;
        let at_the_time = t.alice.put(MARKS, json!({ "on": "2011-05-01" })).send().await.expect(200).json();
        assert_eq!(marks(&t.alice).await, [(1, 1), (1, 2), (1, 3)]);
        assert_eq!(at_the_time["next_episode"]["episode"], 4);
        // The same call on a later day: the same effect.
        let later = t.alice.put(MARKS, json!({ "on": "2011-05-01" })).send().await.expect(200).json();
        assert_eq!(later, at_the_time);
        let all = t.alice.put(MARKS, json!({ "on": "2026-01-01", "watched_on": null })).send().await.expect(200).json();
        assert_eq!(all["progress"], json!({ "unit": "episodes", "current": 73, "total": 73 }));
        assert_eq!((&all["caught_up"], &all["status"]), (&json!(true), &json!("in_progress")));
        assert_eq!(all.get("next_episode"), None);
        assert!(marks(&t.alice).await.iter().all(|(season, _)| *season > 0));
        t.alice.put(&format!("{MARKS}/0"), json!({ "on": "2026-01-01" })).send().await.expect(200);
        assert_eq!(entry(&t.alice).await["progress"], all["progress"]);
        assert_eq!(marks(&t.alice).await.len(), 85);
        t.alice.delete(MARKS).send().await.expect(204);
        assert!(marks(&t.alice).await.iter().all(|(season, _)| *season == 0));
    }

    async fn what_is_asked_before_the_episodes_are_known_is_done_when_they_are(t: TestApp) {
        t.stop_jobs().await;
        track(&t.alice, "backlog").await;
        t.bob.put(ENTRY, json!({ "status": "backlog" })).send().await.expect(201);
        let unknown = t.alice.put(MARKS, json!({ "on": "2012-01-01" })).send().await.expect(200).json();
        assert_eq!((&unknown["progress"]["current"], unknown["progress"].get("total")), (&json!(0), None));
        t.alice.put(MARKS, json!({ "on": "2012-01-01" })).send().await.expect(200);
        // In between some is taken back, and of that some is marked again.
        t.alice.delete(&format!("{MARKS}/1?first=3")).send().await.expect(204);
        t.alice.put(&format!("{MARKS}/1/5"), json!({ "on": "2026-03-01" })).send().await.expect(201);
        t.alice.delete(&format!("{MARKS}/1/2")).send().await.expect(204);
        t.alice.put(&format!("{MARKS}/1"), json!({ "on": "2026-03-02", "first": 7, "last": 8 })).send().await.expect(200);
        t.start_jobs();
        t.filled(SERIES).await;
        t.settled(SERIES).await;
        assert_eq!(marks(&t.alice).await, [(1, 1), (1, 5), (1, 7), (1, 8)]);
        assert_eq!(marks(&t.bob).await, []);
        assert_eq!(entry(&t.alice).await["status"], "in_progress");
        let day = |number: i64| { let path = format!("{MARKS}/1/{number}"); let alice = &t.alice; async move { alice.get(&path).send().await.expect(200).json()["watched_on"].clone() } };
        assert_eq!([day(1).await, day(5).await, day(8).await], [json!("2012-01-01"), json!("2026-03-01"), json!("2026-03-02")]);
    }

    async fn marks_follow_their_episodes_when_the_source_numbers_anew(t: TestApp) {
        track(&t.alice, "in_progress").await;
        t.filled(SERIES).await;
        t.stop_jobs().await;
        t.alice.put(&format!("{MARKS}/1"), json!({ "on": "2026-03-01", "first": 1, "last": 3 })).send().await.expect(200);
        let found = omnitrack::db::row(t.app.db.read(), "SELECT schedule FROM media WHERE id = 'tv:tmdb:1399'", []).await.unwrap().unwrap();
        let text: String = found.try_get_by_index(0).unwrap();
        let numbers: Vec<Option<i64>> = serde_json::from_str(&text).unwrap();
        // The third episode becomes the first of a season of its own, the first two change places, and
        // the fourth is taken out: what was behind it moves up.
        let moved = |four: &[Option<i64>]| -> Vec<Option<i64>> {
            let place = match (four[0].unwrap(), four[1].unwrap()) {
                (1, 1) => (1, 2),
                (1, 2) => (1, 1),
                (1, 3) => (9, 1),
                (1, 4) => return Vec::new(),
                (1, number) => (1, number - 2),
                other => other,
            };
            vec![Some(place.0), Some(place.1), four[2], four[3]]
        };
        let mut slots: Vec<Vec<Option<i64>>> = numbers.chunks(4).map(moved).filter(|slot| !slot.is_empty()).collect();
        slots.sort();
        let text = serde_json::to_string(&slots.concat()).unwrap();
        t.sql(&format!("UPDATE media SET schedule = '{text}', unsettled = TRUE WHERE id = 'tv:tmdb:1399'")).await;
        let before = entry(&t.alice).await["revision"].as_i64().unwrap();
        settle_all(&t.app.db).await.unwrap();
        assert_eq!(marks(&t.alice).await, [(1, 1), (1, 2), (9, 1)]);
        let now = entry(&t.alice).await;
        assert_eq!(now["progress"], json!({ "unit": "episodes", "current": 3, "total": 72 }));
        assert!(now["revision"].as_i64().unwrap() > before);
        // Once more changes nothing.
        t.sql("UPDATE media SET unsettled = TRUE WHERE id = 'tv:tmdb:1399'").await;
        settle_all(&t.app.db).await.unwrap();
        assert_eq!(entry(&t.alice).await, now);
    }

    async fn a_season_shows_what_is_watched(t: TestApp) {
        let season = format!("/v1/media/{SERIES}/seasons/1");
        let shown = t.alice.get(&season).send().await.expect(200).json();
        assert_eq!(shown["episodes"].as_array().map(Vec::len), Some(10));
        assert_eq!((&shown["episodes"][0]["watched"], &shown["episodes"][0]["air_date"]), (&json!(false), &json!("2011-04-17")));
        track(&t.alice, "in_progress").await;
        t.alice.put(&format!("{MARKS}/1/2"), json!({ "watched_on": "2012-03-04" })).send().await.expect(201);
        let shown = t.alice.get(&season).send().await.expect(200).json();
        assert_eq!((&shown["episodes"][1]["watched"], &shown["episodes"][1]["watched_on"]), (&json!(true), &json!("2012-03-04")));
        let other = t.bob.get(&season).send().await.expect(200).json();
        assert_eq!(other["episodes"][1]["watched"], false);
        let german = t.bob.get(&format!("{season}?language=de")).send().await.expect(200).json();
        assert_eq!((&german["title"], &german["episodes"][0]["title"]), (&json!("Staffel 1"), &json!("Folge 1")));
        // What is not translated is read in English.
        assert_eq!(german["episodes"][0]["overview"], shown["episodes"][0]["overview"]);
        t.alice.get(&format!("/v1/media/{SERIES}/seasons/77")).send().await.expect(404);
        t.alice.get("/v1/media/movie:tmdb:603/seasons/1").send().await.expect(404);
        let title = t.alice.get(&format!("/v1/media/{SERIES}")).send().await.expect(200).json();
        let specials = &title["seasons"][0];
        assert_eq!((&specials["number"], &specials["title"]), (&json!(0), &json!("Specials")));
        assert_eq!((&specials["air_date"], &specials["episode_count"]), (&json!("2012-04-01"), &json!(12)));
        assert!(specials["cover"]["small"].is_string());
        assert_eq!(title["seasons"].as_array().map(Vec::len), Some(9));
    }

    async fn a_kept_season_is_shown_while_the_source_is_away(t: TestApp) {
        track(&t.alice, "in_progress").await;
        t.filled(SERIES).await;
        let t = t.restart(|_| ()).await;
        t.stand_ins.fault(omnitrack::demo::standin::Source::Tmdb, Some(omnitrack::demo::standin::Fault::Close));
        let kept = t.alice.get(&format!("/v1/media/{SERIES}/seasons/3")).send().await.expect(200).json();
        assert_eq!(kept["episodes"].as_array().map(Vec::len), Some(10));
        let away = t.alice.get("/v1/media/tv:tmdb:1396/seasons/1").send().await.expect(503);
        assert_eq!(away.json()["code"], "source_unavailable");
    }

    async fn only_series_have_episodes(t: TestApp) {
        t.alice.put("/v1/library/movie:tmdb:603", json!({ "status": "backlog" })).send().await.expect(201);
        for (path, body) in [("1/1", json!({})), ("1", json!({ "on": "2026-03-01" }))] {
            let refused = t.alice.put(&format!("/v1/library/movie:tmdb:603/episodes/{path}"), body).send().await.expect(400);
            assert_eq!(refused.json()["code"], "not_a_series");
        }
        let none = t.alice.get("/v1/library/movie:tmdb:603/episodes").send().await.expect(200);
        assert_eq!(none.json()["items"], json!([]));
    }

    async fn an_entry_takes_its_marks_along(t: TestApp) {
        track(&t.alice, "in_progress").await;
        t.filled(SERIES).await;
        t.alice.put(MARKS, json!({ "on": "2026-03-01" })).send().await.expect(200);
        t.alice.delete(ENTRY).send().await.expect(204);
        t.alice.get(MARKS).send().await.expect(404);
        track(&t.alice, "backlog").await;
        assert_eq!(marks(&t.alice).await, []);
        assert_eq!(entry(&t.alice).await["progress"]["current"], 0);
    }

    async fn marks_are_paged(t: TestApp) {
        track(&t.alice, "in_progress").await;
        t.filled(SERIES).await;
        t.alice.put(MARKS, json!({ "on": "2026-03-01" })).send().await.expect(200);
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = t.alice.get(&format!("{MARKS}?limit=20{cursor}")).send().await.expect(200).json();
            seen.extend(page["items"].as_array().unwrap().iter().map(|row| (row["season"].as_i64(), row["episode"].as_i64())));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen.len(), 73);
        assert!(seen.is_sorted());
    }

    async fn a_call_that_changes_nothing_takes_no_number(t: TestApp) {
        track(&t.alice, "in_progress").await;
        t.filled(SERIES).await;
        t.stop_jobs().await;
        t.alice.put(MARKS, json!({ "on": "2026-03-01" })).send().await.expect(200);
        let before = revision(&t.alice).await;
        t.alice.put(MARKS, json!({ "on": "2026-03-02" })).send().await.expect(200);
        t.alice.put(&format!("{MARKS}/1"), json!({ "on": "2026-03-02" })).send().await.expect(200);
        t.alice.put(&format!("{MARKS}/1/1"), json!({})).send().await.expect(200);
        t.alice.delete(&format!("{MARKS}/7/99")).send().await.expect(204);
        let probe = t.alice.put("/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a0ab", json!({ "name": "probe" })).send().await.expect(201);
        // The deletion of the first probe took one.
        assert_eq!(probe.json()["revision"].as_i64().unwrap(), before + 2);
    }
}

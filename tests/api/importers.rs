//! The tables of a ZIP archive, as those who import them read them.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use omnitrack::archive::format::Archive;
use serde_json::json;

use crate::support::answer::Answer;
use crate::support::both;
use crate::support::titles::{BOOK, GAME, MOVIE, SERIES};

type Table = Vec<BTreeMap<String, String>>;

/// The files of a ZIP archive, the tables among them read.
fn unpack(answer: &Answer) -> (BTreeMap<String, String>, BTreeMap<String, Table>) {
    assert_eq!(answer.header("content-type"), Some("application/zip"));
    let mut zip = zip::ZipArchive::new(Cursor::new(answer.body.clone())).unwrap();
    let (mut files, mut tables) = (BTreeMap::new(), BTreeMap::new());
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let (name, mut text) = (file.name().unwrap().into_owned(), String::new());
        file.read_to_string(&mut text).unwrap();
        if name.ends_with(".csv") {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let rows: Table = reader.deserialize().map(Result::unwrap).collect();
            tables.insert(name.clone(), rows);
        }
        files.insert(name, text);
    }
    (files, tables)
}

fn with(row: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (column, value) in expected {
        assert_eq!(row[*column], *value, "{column} of {row:?}");
    }
}

both! {
    async fn the_tables_are_those_that_importers_read(t: TestApp) {
        for (media_id, status, rating) in
            [(MOVIE, "completed", 85), (SERIES, "in_progress", 74), (GAME, "dropped", 50), (BOOK, "completed", 90)]
        {
            let body = json!({ "status": status, "rating": rating, "on": "2024-05-03" });
            t.alice.put(&format!("/v1/library/{media_id}"), body).send().await.expect(201);
            t.filled(media_id).await;
        }
        t.alice.put("/v1/library/movie:tmdb:604", json!({ "status": "backlog" })).send().await.expect(201);
        for (day, precision) in [("2025-01-01", "year"), ("2023-04-05", "day")] {
            let path = format!("/v1/library/{MOVIE}/history/{}", uuid::Uuid::new_v4());
            let body = json!({ "finished_on": day, "precision": precision });
            t.alice.put(&path, body).send().await.expect(201);
        }
        for media_id in [MOVIE, BOOK] {
            let body = json!({ "body": "Good, \"very\" good\nin two lines", "spoiler": true });
            t.alice.put(&format!("/v1/library/{media_id}/review"), body).send().await.expect(201);
        }
        t.settled(SERIES).await;
        let seen = format!("/v1/library/{SERIES}/episodes/1/2");
        t.alice.put(&seen, json!({ "watched_on": "2020-03-01" })).send().await.expect(201);

        let (files, tables) = unpack(&crate::archive::copy(&t, &t.alice, "zip").await);
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        let expected = [
            "README.txt", "archive.json", "games.csv", "goodreads.csv", "letterboxd-watchlist.csv",
            "letterboxd.csv", "trakt.csv",
        ];
        assert_eq!(names, expected);
        for name in &expected[1..] {
            assert!(files["README.txt"].contains(name), "{name} is not explained");
        }
        let archive: Archive = serde_json::from_str(&files["archive.json"]).unwrap();
        assert_eq!(archive.library.len(), 5);

        let watched = &tables["letterboxd.csv"];
        let days: Vec<&str> = watched.iter().map(|row| row["WatchedDate"].as_str()).collect();
        assert_eq!(days, ["", "2023-04-05", "2024-05-03"], "one row for each time");
        with(&watched[0], &[("Rewatch", "false"), ("Rating10", ""), ("Review", "")]);
        with(&watched[1], &[("Rewatch", "true"), ("Rating10", ""), ("Review", "")]);
        with(&watched[2], &[
            ("tmdbID", "603"), ("imdbID", "tt0133093"), ("Title", "The Matrix"), ("Year", "1999"),
            ("Rating10", "9"), ("Rewatch", "true"), ("Review", "Good, \"very\" good\nin two lines"),
        ]);
        let wanted: Vec<&str> = tables["letterboxd-watchlist.csv"].iter().map(|row| row["tmdbID"].as_str()).collect();
        assert_eq!(wanted, ["604"]);

        let trakt = &tables["trakt.csv"];
        let of = |kind: &str, id: &str| -> Vec<&BTreeMap<String, String>> {
            trakt.iter().filter(|row| row["type"] == kind && row["tmdb_id"] == id).collect()
        };
        let times: Vec<&str> = of("movie", "603").iter().map(|row| row["watched_at"].as_str()).collect();
        assert_eq!(times, ["unknown", "2023-04-05T12:00:00Z", "2024-05-03T12:00:00Z"]);
        with(of("movie", "603")[2], &[("rating", "9"), ("watchlisted_at", "")]);
        assert!(!of("movie", "604")[0]["watchlisted_at"].is_empty());
        with(of("show", "1399")[0], &[("rating", "7"), ("watched_at", "")]);
        let episodes: Vec<_> = trakt.iter().filter(|row| row["type"] == "episode").collect();
        assert_eq!(episodes.len(), 1, "{trakt:?}");
        with(episodes[0], &[("watched_at", "2020-03-01T12:00:00Z"), ("rating", "")]);
        assert!(episodes[0]["tmdb_id"].parse::<u64>().is_ok());

        let book = &tables["goodreads.csv"][0];
        assert_eq!(book.len(), 24);
        with(book, &[
            ("My Rating", "5"), ("Exclusive Shelf", "read"), ("Date Read", "2024/05/03"), ("Read Count", "1"),
            ("Spoiler", "true"), ("My Review", "Good, \"very\" good\nin two lines"),
        ]);
        assert!(!book["Title"].is_empty() && !book["Author"].is_empty(), "{book:?}");
        with(&tables["games.csv"][0], &[("igdb_id", "1942"), ("status", "dropped"), ("rating", "50")]);
    }

    async fn a_title_begins_no_formula_and_a_review_is_left_alone(t: TestApp) {
        for media_id in [MOVIE, GAME, BOOK] {
            let entry = format!("/v1/library/{media_id}");
            t.alice.put(&entry, json!({ "status": "completed" })).send().await.expect(201);
            t.alice.put(&format!("{entry}/review"), json!({ "body": "=MINE()" })).send().await.expect(201);
            t.filled(media_id).await;
        }
        t.alice.put("/v1/library/movie:tmdb:604", json!({ "status": "backlog" })).send().await.expect(201);
        t.filled("movie:tmdb:604").await;
        t.stop_jobs().await;
        t.sql("UPDATE media SET title = '=1+1'").await;
        t.sql("UPDATE media_text SET title = '=1+1'").await;
        let (files, tables) = unpack(&crate::archive::copy(&t, &t.alice, "zip").await);
        let theirs = [
            ("letterboxd.csv", "Title"), ("letterboxd-watchlist.csv", "Title"), ("goodreads.csv", "Title"),
            ("games.csv", "title"),
        ];
        for (table, column) in theirs {
            assert_eq!(tables[table][0][column], "'=1+1", "{table}");
        }
        for (table, column) in [("letterboxd.csv", "Review"), ("goodreads.csv", "My Review"), ("games.csv", "review")] {
            assert_eq!(tables[table][0][column], "=MINE()", "{table}");
        }
        let archive: Archive = serde_json::from_str(&files["archive.json"]).unwrap();
        assert!(archive.library.iter().all(|entry| entry.title.as_deref() == Some("=1+1")), "it is no table");
        assert!(files["README.txt"].contains("formula"));
    }
}

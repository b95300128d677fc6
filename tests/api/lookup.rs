//! Titles by a code: an ISBN, another register's id, the address of a page.

use omnitrack::demo::standin::{Fault, Source};
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::both;
use crate::support::log;
use crate::support::persona::Persona;
use crate::support::titles::{BOOK, GAME, MOVIE, SERIES};

/// The ids of what a lookup finds. `query` is as a person has it, unescaped.
async fn find(who: &Persona, name: &str, text: &str) -> Vec<String> {
    let answer = who.get(&path(name, text)).send().await.expect(200);
    answer.items().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn path(name: &str, text: &str) -> String {
    let text = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
    format!("/v1/media/lookup?{name}={text}")
}

fn asked(t: &TestApp) -> Vec<String> {
    let sources = [Source::Tmdb, Source::Igdb, Source::GoogleBooks];
    let requests = sources.into_iter().flat_map(|source| t.stand_ins.requests(source));
    requests.map(|r| format!("{} {}", r.target, String::from_utf8_lossy(&r.body))).collect()
}

both! {
    async fn a_scanned_book_is_found_by_either_form_of_its_number(t: TestApp) {
        let found = find(&t.alice, "isbn", "978-0-553-80457-7").await;
        assert_eq!(found, [BOOK]);
        for text in
            ["9780553804577", "ISBN 0-553-80457-X", "055380457x", "9780553804577 51699", "９７８０５５３８０４５７７"]
        {
            assert_eq!(find(&t.bob, "isbn", text).await, found, "{text}");
        }
        assert_eq!(asked(&t).len(), 1, "one book is one request: {:?}", asked(&t));
        // A right number of no book is nothing, and of many books only the one is shown.
        assert!(find(&t.alice, "isbn", "979-10-90636-07-1").await.is_empty());
        for text in ["9780553804578", "4006381333931", "dune", "ISBN", "9780553804577 9780553804577"] {
            let answer = t.alice.get(&path("isbn", text)).send().await;
            assert_eq!(answer.expect_problem(422, "invalid_isbn").pointers(), ["/query/isbn"], "{text}");
        }
        assert_eq!(asked(&t).len(), 2, "what is no number is not asked for");
    }

    async fn another_registers_id_leads_to_the_title(t: TestApp) {
        t.alice.put(&format!("/v1/library/{MOVIE}"), json!({ "status": "completed" })).send().await.expect(201);
        t.filled(MOVIE).await;
        let answer = t.alice.get("/v1/media/lookup?imdb_id=tt0133093").send().await.expect(200);
        let title = t.alice.get(&format!("/v1/media/{MOVIE}")).send().await.expect(200).json();
        assert_eq!(answer.items(), [title]);
        assert_eq!(answer.items()[0]["entry"]["status"], "completed");
        assert_eq!(find(&t.bob, "tvdb_id", "121361").await, [SERIES]);
        assert_eq!(find(&t.bob, "imdb_id", "tt0944947").await, [SERIES]);
        // An episode leads to its series.
        let answer = t.alice.get("/v1/media/lookup?imdb_id=tt0959621&language=de").send().await.expect(200);
        assert_eq!((&answer.items()[0]["id"], &answer.items()[0]["kind"]), (&json!("tv:tmdb:1396"), &json!("tv")));
        assert!(answer.items()[0]["overview"].as_str().unwrap().starts_with("Ein todkranker"));
        assert!(find(&t.alice, "imdb_id", "tt9999999").await.is_empty());
        assert!(find(&t.alice, "tvdb_id", "2147483647").await.is_empty());
    }

    async fn a_pasted_address_shows_the_title(t: TestApp) {
        for (address, id) in [
            ("https://www.themoviedb.org/movie/603-the-matrix?language=de-DE", MOVIE),
            ("themoviedb.org/de/tv/1399-game-of-thrones/season/1", SERIES),
            ("https://www.igdb.com/games/the-witcher-3-wild-hunt?utm_source=x", GAME),
            ("https://books.google.de/books/about/The_Google_Story.html?id=zyTCAlFPjgYC&redir_esc=y", BOOK),
            ("https://www.google.com/books/edition/_/zyTCAlFPjgYC?gbpv=1#x", BOOK),
            ("https://m.imdb.com/title/tt0133093/?ref_=canary", MOVIE),
        ] {
            let answer = t.alice.get(&path("url", address)).send().await.expect(200);
            let title = t.alice.get(&format!("/v1/media/{id}")).send().await.expect(200).json();
            assert_eq!(answer.items(), [title], "{address}");
        }
        assert!(find(&t.alice, "url", "igdb.com/games/no-such-game").await.is_empty());
        assert!(find(&t.alice, "url", "themoviedb.org/movie/999999").await.is_empty());
    }

    async fn of_an_address_only_the_id_leaves(t: TestApp) {
        let known = "https://www.igdb.com/games/portal-2?canary=quokka&session=canary#canary";
        assert_eq!(find(&t.alice, "url", known).await, ["game:igdb:72"]);
        let before = asked(&t);
        for address in [
            "https://canary.example/movie/603",
            "https://www.themoviedb.org@canary.example/movie/603",
            "https://canary@www.themoviedb.org/movie/603",
            "https://www.themoviedb.org:8443/movie/603?canary",
            "https://www.themoviedb.org.canary.example/movie/603",
            "https://www.igdb.com/games/canary\"; fields *;",
            "https://www.themoviedb.org/person/canary",
            "canary",
            "ftp://www.themoviedb.org/movie/603",
        ] {
            let answer = t.alice.get(&path("url", address)).send().await.expect_problem(422, "unknown_address");
            assert_eq!(answer.pointers(), ["/query/url"]);
            assert!(!answer.text().contains("canary") && !answer.text().contains("quokka"), "{}", answer.text());
        }
        assert_eq!(asked(&t), before, "no source was asked");
        for place in [before.join("\n"), log::text(), t.app.metrics.encode()] {
            assert!(!place.contains("canary") && !place.contains("quokka"), "{place}");
        }
    }

    async fn exactly_one_code_is_given(t: TestApp) {
        let none = t.alice.get("/v1/media/lookup").send().await.expect_problem(422, "not_one_code");
        assert_eq!(none.pointers(), ["/query"]);
        t.alice.get("/v1/media/lookup?language=de").send().await.expect_problem(422, "not_one_code");
        let two = t.alice.get("/v1/media/lookup?tvdb_id=1&imdb_id=tt0133093").send().await;
        assert_eq!(two.expect_problem(422, "not_one_code").pointers(), ["/query/imdb_id", "/query/tvdb_id"]);
        for query in
            ["imdb_id=603", "imdb_id=nm0000206", "tvdb_id=0", "tvdb_id=2147483648", "tvdb_id=x", "isbn=", "url="]
        {
            let answer = t.alice.get(&format!("/v1/media/lookup?{query}")).send().await;
            let name = query.split('=').next().unwrap();
            assert_eq!(answer.expect_problem(400, "invalid_parameter").pointers(), [format!("/query/{name}")]);
        }
        assert!(asked(&t).is_empty());
    }

    async fn a_source_that_is_away_is_said_or_made_up_for(t: TestApp) {
        t.alice.put(&format!("/v1/library/{MOVIE}"), json!({ "status": "backlog" })).send().await.expect(201);
        t.filled(MOVIE).await;
        let t = t.restart(|_| ()).await;
        for source in [Source::Tmdb, Source::Igdb, Source::GoogleBooks] {
            t.stand_ins.fault(source, Some(Fault::Html));
        }
        for (name, text) in [
            ("isbn", "9780553804577"),
            ("imdb_id", "tt0133093"),
            ("url", "igdb.com/games/portal"),
            ("url", "themoviedb.org/tv/1399"),
        ] {
            t.alice.get(&path(name, text)).send().await.expect_problem(503, "source_unavailable");
        }
        // What was kept of a title shows as it does under its id.
        let answer = t.alice.get(&path("url", "themoviedb.org/movie/603")).send().await.expect(200);
        let title = t.alice.get(&format!("/v1/media/{MOVIE}")).send().await.expect(200).json();
        assert_eq!(answer.items(), [title]);
    }

    async fn lookups_count_on_the_limit_of_searches(t: TestApp) {
        let t = t.restart(|config| config.limits.search = 4).await;
        t.alice.get("/v1/media/lookup?imdb_id=tt9999999").send().await.expect(200);
        t.alice.get("/v1/discover/book?list=popular").send().await.expect_problem(429, "rate_limited");
        t.bob.get("/v1/discover/book?list=popular").send().await.expect(200);
        t.bob.get("/v1/media/lookup?imdb_id=tt9999999").send().await.expect_problem(429, "rate_limited");
    }
}

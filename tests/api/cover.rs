//! Covers: every address that a title shows leads to a picture, for whoever has it; nothing else does;
//! and what was once fetched is known to all.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use omnitrack::app::App;
use omnitrack::config::Config;
use omnitrack::demo::standin::{Fault, Recorded, Source};
use omnitrack::http;
use omnitrack::secret::Secrets;
use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::app::{SECRET, TestApp};
use crate::support::both;
use crate::support::persona::Persona;
use crate::support::titles::{BOOK, GAME, MOVIE, SERIES};

const LIST: &str = "/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
const SIZES: [&str; 3] = ["small", "medium", "large"];
/// A book whose picture, as Google has it, says that there is none.
const BLANK: &str = "book:google_books:vXJbDwAAQBAJ";

/// Where the cover of a title is, in one size.
fn address(title: &Value, size: &str) -> String {
    title["cover"][size].as_str().unwrap_or_else(|| panic!("no {size} cover: {title}")).to_owned()
}

async fn title(who: &Persona, id: &str) -> Value {
    who.get(&format!("/v1/media/{id}")).send().await.expect(200).json()
}

/// The sides of a PNG as its header tells them.
fn sides(picture: &Answer) -> (u32, u32) {
    assert!(picture.body.starts_with(b"\x89PNG"), "{}", picture.asked);
    let side = |at: usize| u32::from_be_bytes(picture.body[at..at + 4].try_into().unwrap());
    (side(16), side(20))
}

/// Another instance on the same database, with settings of its own and nothing in its memory.
fn instance(t: &TestApp, change: impl FnOnce(&mut Config)) -> (App, Persona) {
    let mut config = Config::clone(&t.app.config);
    change(&mut config);
    let app = App::with_db(config, t.app.db.clone()).unwrap();
    let anon = t.anon.at(http::endpoint(&app));
    (app, anon)
}

fn pictures_asked_for(t: &TestApp, source: Source) -> Vec<Recorded> {
    let is_picture = |request: &Recorded| {
        ["/t/p/", "/igdb/", "/books/content"].iter().any(|at| request.target.starts_with(at))
    };
    t.stand_ins.requests(source).into_iter().filter(is_picture).collect()
}

both! {
    async fn every_place_that_shows_a_title_shows_a_cover_that_leads_to_a_picture(t: TestApp) {
        t.alice.put(LIST, json!({ "name": "All" })).send().await.expect(201);
        for id in [MOVIE, SERIES, GAME, BOOK] {
            t.alice.put(&format!("/v1/library/{id}"), json!({ "status": "backlog" })).send().await.expect(201);
            t.alice.put(&format!("{LIST}/items/{id}"), json!({})).send().await.expect(201);
            t.filled(id).await;
        }
        let mut shown: Vec<Value> = Vec::new();
        for page in ["/v1/library", &format!("{LIST}/items")] {
            let items = t.alice.get(page).send().await.expect(200).items();
            shown.extend(items.into_iter().map(|item| item["media"].clone()));
        }
        for id in [MOVIE, SERIES, GAME, BOOK] {
            shown.push(title(&t.alice, id).await);
            for single in [format!("/v1/library/{id}"), format!("{LIST}/items/{id}")] {
                shown.push(t.alice.get(&single).send().await.expect(200).json()["media"].clone());
            }
        }
        let batch = format!("/v1/media?ids={MOVIE},{SERIES},{GAME},{BOOK}");
        shown.extend(t.alice.get(&batch).send().await.expect(200).items());
        let own: BTreeSet<String> = shown.iter().map(|title| address(title, "small")).collect();
        assert_eq!((shown.len(), own.len()), (24, 4), "wherever a title is shown, the cover is the same");
        let found = t.alice.get("/v1/search?q=dune").send().await.expect(200).items();
        assert!(found.len() >= 2);
        shown.extend(found);
        let mut seen = BTreeSet::new();
        for title in &shown {
            let widths = SIZES.map(|size| {
                let (address, anon) = (address(title, size), t.anon.clone());
                seen.insert(address.clone());
                async move { sides(&anon.get(&address).send().await.expect(200)).0 }
            });
            let [small, medium, large] = widths;
            let (small, medium, large) = (small.await, medium.await, large.await);
            assert!(small < medium && medium < large, "{small} {medium} {large}");
        }
        assert!(seen.len() >= 18);
    }

    async fn a_picture_is_inert_and_may_be_kept(t: TestApp) {
        for (id, cache_control) in [
            (MOVIE, "public, max-age=31536000, immutable"),
            (GAME, "public, max-age=31536000, immutable"),
            (BOOK, "public, max-age=2592000"),
        ] {
            let address = address(&title(&t.alice, id).await, "medium");
            let picture = t.anon.get(&address).send().await.expect(200);
            for (name, value) in [
                ("content-type", "image/png"),
                ("cache-control", cache_control),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
            ] {
                assert_eq!(picture.header(name), Some(value), "{address}: {name}");
            }
            let policy = picture.header("content-security-policy").unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
            let tag = picture.etag();
            for held in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
                let unchanged = t.anon.get(&address).header("if-none-match", &held).send().await.expect(304);
                assert_eq!((unchanged.etag(), unchanged.header("cache-control")), (tag.clone(), Some(cache_control)));
            }
            t.anon.get(&address).header("if-none-match", "\"other\"").send().await.expect(200);
            // Whoever asks gets the same, to the byte.
            assert_eq!(t.bob.get(&address).send().await.expect(200).body, picture.body);
        }
    }

    async fn nothing_leads_anywhere_but_what_was_signed(t: TestApp) {
        let (movie, game) = (title(&t.alice, MOVIE).await, title(&t.alice, GAME).await);
        let good = address(&movie, "small");
        let parts: Vec<&str> = good.split('/').collect();
        let ["", "v1", "images", source, size, image, signature] = parts[..] else { panic!("{good}") };
        let other = address(&game, "small");
        let others = other.rsplit('/').next().unwrap();
        let large = address(&movie, "large");
        let of_large = large.rsplit('/').next().unwrap();
        let at = |source: &str, size: &str, image: &str, signature: &str| {
            format!("/v1/images/{source}/{size}/{image}/{signature}")
        };
        let mut bent = signature.to_owned();
        bent.replace_range(..1, if signature.starts_with('A') { "B" } else { "A" });
        let addresses = [
            at(source, size, image, &bent),
            at(source, size, image, others),
            at(source, size, image, of_large),
            at(source, size, image, &signature[1..]),
            at(source, size, image, &format!("{signature}A")),
            at(source, size, image, &format!("{signature}%3D")),
            at(source, size, image, "%00"),
            at(source, size, image, "%FF"),
            at(source, "large", image, signature),
            at(source, "original", image, signature),
            at(source, "Small", image, signature),
            at("igdb", size, image, signature),
            // Well-formed at both sources.
            other.replace("/igdb/", "/google_books/"),
            at("google_books", size, image, signature),
            at("elsewhere", size, image, signature),
            at("evil.example", size, image, signature),
            at(source, size, "demomoviePoster604.jpg", signature),
            at(source, size, &format!("%2F{image}"), signature),
            at(source, size, "..%2F..%2F3%2Fmovie%2F603", signature),
            at(source, size, "%00", signature),
            at(source, size, "%FF", signature),
            at(source, size, &"a".repeat(3000), signature),
            at(source, size, "abc.svg", signature),
        ];
        t.anon.get(&good).send().await.expect(200);
        let before = pictures_asked_for(&t, Source::Tmdb).len();
        for address in addresses {
            let answer = t.anon.get(&address).send().await.expect_problem(404, "not_found");
            let mut problem = answer.json();
            problem["request_id"] = json!("");
            let same = json!({
                "type": "/problems/not_found", "title": "There is nothing here", "status": 404, "code": "not_found",
                "request_id": "",
            });
            assert_eq!(problem, same, "{address}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        assert_eq!(pictures_asked_for(&t, Source::Tmdb).len(), before, "no source was asked");
        assert!(pictures_asked_for(&t, Source::Igdb).is_empty());
    }

    async fn instances_share_a_secret_and_one_may_follow_another(t: TestApp) {
        let address = address(&title(&t.alice, MOVIE).await, "small");
        let with = |list: &str| {
            let secrets = Secrets::parse(list).unwrap();
            instance(&t, |config| config.secrets = Some(secrets)).1
        };
        with(SECRET).get(&address).send().await.expect(200);
        with("another secret altogether").get(&address).send().await.expect_problem(404, "not_found");
        with(&format!("another secret altogether, {SECRET}")).get(&address).send().await.expect(200);
    }

    async fn a_source_sees_the_same_request_whoever_asks(t: TestApp) {
        for id in [MOVIE, GAME, BOOK] {
            let address = address(&title(&t.alice, id).await, "large");
            let (_, other) = instance(&t, |_| ());
            let mut alice = t.alice.at(http::endpoint(&t.app)).get(&address);
            for (name, value) in [
                ("user-agent", "canary-agent"),
                ("cookie", "canary=1"),
                ("referer", "https://canary.example/"),
                ("accept-language", "xx-canary"),
                ("accept", "image/canary"),
                ("x-forwarded-for", "203.0.113.77"),
                ("range", "bytes=0-1"),
                ("traceparent", "00-c0ffee00c0ffee00c0ffee00c0ffee00-c0ffee00c0ffee00-01"),
            ] {
                alice = alice.header(name, value);
            }
            alice.send().await.expect(200);
            other.get(&address).send().await.expect(200);
        }
        for (source, of_its_own) in [(Source::Tmdb, 1), (Source::Igdb, 1), (Source::GoogleBooks, 2)] {
            let asked = pictures_asked_for(&t, source);
            assert_eq!(asked.len(), 2 * of_its_own, "{asked:?}");
            let (by_alice, by_anon) = asked.split_at(of_its_own);
            assert_eq!(by_alice, by_anon);
            for request in by_alice {
                let names: BTreeSet<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
                assert_eq!(names, BTreeSet::from(["accept", "accept-encoding", "host", "user-agent"]));
            }
        }
    }

    async fn a_thumbhash_is_known_once_somebody_has_fetched_the_picture(t: TestApp) {
        let dune = "movie:tmdb:438631";
        let shown = title(&t.alice, dune).await;
        assert!(shown["cover"].get("thumbhash").is_none(), "{shown}");
        t.anon.get(&address(&shown, "medium")).send().await.expect(200);
        assert!(title(&t.alice, dune).await["cover"].get("thumbhash").is_none(), "only the small one counts");
        t.anon.get(&address(&shown, "small")).send().await.expect(200);
        let cover = title(&t.bob, dune).await["cover"].clone();
        let thumbhash = cover["thumbhash"].as_str().expect("a thumbhash");
        assert!((20..50).contains(&thumbhash.len()), "{thumbhash}");
        let found = t.alice.get("/v1/search?q=dune&kind=movie").send().await.expect(200).items();
        assert_eq!(found.iter().find(|item| item["id"] == dune).unwrap()["cover"], cover);
        let batch = t.alice.get(&format!("/v1/media?ids={dune}")).send().await.expect(200);
        assert_eq!(batch.items()[0]["cover"], cover);
        // Another instance reads it where this one has left it.
        let (other, _) = instance(&t, |_| ());
        let there = t.alice.at(http::endpoint(&other));
        assert_eq!(title(&there, dune).await["cover"], cover);
    }

    async fn the_thumbhash_of_what_people_track_is_known_before_a_phone_asks(t: TestApp) {
        for id in [MOVIE, GAME, BOOK] {
            t.alice.put(&format!("/v1/library/{id}"), json!({ "status": "backlog" })).send().await.expect(201);
            t.alice.put(LIST, json!({ "name": "All" })).send().await;
            t.alice.put(&format!("{LIST}/items/{id}"), json!({})).send().await.expect(201);
            t.filled(id).await;
        }
        for page in ["/v1/library", &format!("{LIST}/items")] {
            for item in t.alice.get(page).send().await.expect(200).items() {
                assert!(item["media"]["cover"]["thumbhash"].is_string(), "{item}");
            }
        }
        let asked = pictures_asked_for(&t, Source::Tmdb);
        assert_eq!(asked.len(), 1, "the small one, once: {asked:?}");
    }

    async fn a_picture_that_says_there_is_none_is_no_cover(t: TestApp) {
        let shown = title(&t.alice, BLANK).await;
        let small = address(&shown, "small");
        t.anon.get(&small).send().await.expect_problem(404, "not_found");
        assert!(title(&t.alice, BLANK).await.get("cover").is_none());
        let (other, _) = instance(&t, |_| ());
        let there = t.alice.at(http::endpoint(&other));
        assert!(title(&there, BLANK).await.get("cover").is_none());
        // In the background, too.
        t.alice.put(&format!("/v1/library/{BLANK}"), json!({ "status": "backlog" })).send().await.expect(201);
        t.filled(BLANK).await;
        let entry = t.alice.get(&format!("/v1/library/{BLANK}")).send().await.expect(200).json();
        assert!(entry["media"].is_object() && entry["media"].get("cover").is_none(), "{entry}");
        // A week later it is asked for again.
        t.stop_jobs().await;
        t.sql("UPDATE cover SET seen_at = seen_at - 604800001").await;
        omnitrack::media::sweep(&t.app.db).await.unwrap();
        let (other, _) = instance(&t, |_| ());
        let there = t.alice.at(http::endpoint(&other));
        assert_eq!(address(&title(&there, BLANK).await, "small"), small);
    }

    async fn a_picture_that_is_too_large_to_decode_is_shown_without_a_thumbhash(t: TestApp) {
        let shown = title(&t.alice, MOVIE).await;
        let drawing = image::GrayImage::from_pixel(2000, 1001, image::Luma([90]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        drawing.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let bytes = bytes.into_inner();
        let headers = vec![("content-type".to_owned(), "image/png".to_owned()), ("set-cookie".to_owned(), "a=b".to_owned())];
        t.stand_ins.fault(Source::Tmdb, Some(Fault::StatusWithHeaders(200, headers, bytes.clone().into())));
        let picture = t.anon.get(&address(&shown, "small")).send().await.expect(200);
        assert_eq!(picture.body, bytes);
        assert!(picture.header("set-cookie").is_none(), "nothing else of the source's answer is passed on");
        let cover = title(&t.alice, MOVIE).await["cover"].clone();
        assert!(cover["small"].is_string() && cover.get("thumbhash").is_none(), "{cover}");
    }

    async fn while_a_source_is_away_its_pictures_are_said_to_be(t: TestApp) {
        let shown = title(&t.alice, MOVIE).await;
        for fault in [Fault::Html, Fault::EndlessBody, Fault::Close, Fault::Status(200, "image/jpeg".into(), "<html>".into())] {
            t.stand_ins.fault(Source::Tmdb, Some(fault));
            let answer = t.anon.get(&address(&shown, "small")).send().await;
            answer.expect_problem(503, "source_unavailable");
        }
        t.stand_ins.fault(Source::Tmdb, None);
        assert!(title(&t.alice, MOVIE).await["cover"].is_object(), "that is no reason to show no cover");
        let picture = t.anon.get(&address(&shown, "small")).send().await.expect(200);
        t.stand_ins.fault(Source::Tmdb, Some(Fault::Close));
        assert_eq!(t.anon.get(&address(&shown, "small")).send().await.expect(200).body, picture.body);
    }

    async fn pictures_have_a_limit_of_their_own_that_needs_no_token(t: TestApp) {
        let t = t
            .restart(|config| {
                config.limits.image = 8;
                config.limits.address = 4;
            })
            .await;
        let shown = title(&t.alice, MOVIE).await;
        let ask = || t.anon.get(&address(&shown, "small")).send();
        assert!(ask().await.expect(200).header("ratelimit-policy").unwrap().starts_with("\"image\";q=2;"));
        // What leads nowhere counts as well.
        t.anon.get("/v1/images/tmdb/small/a.jpg/b").send().await.expect(404);
        ask().await.expect_problem(429, "rate_limited");
        // A token makes no difference, and what else comes from the address is counted apart.
        t.alice.get(&address(&shown, "small")).send().await.expect_problem(429, "rate_limited");
        t.anon.get("/v1/account").send().await.expect(401);
    }

    async fn two_hundred_phones_are_one_request_and_one_thumbhash(t: TestApp) {
        let shown = title(&t.alice, MOVIE).await;
        let address = Arc::new(address(&shown, "small"));
        let mut phones = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let (anon, address) = (t.anon.clone(), address.clone());
            phones.spawn(async move { anon.get(&address).send().await.expect(200).body });
        }
        let bodies: BTreeSet<Vec<u8>> = phones.join_all().await.into_iter().collect();
        assert_eq!(bodies.len(), 1);
        assert_eq!(pictures_asked_for(&t, Source::Tmdb).len(), 1);
    }
}

#[tokio::test]
async fn on_sqlite_the_secret_is_made_beside_the_file_and_kept() {
    let t = TestApp::sqlite().await.restart(|config| config.secrets = None).await;
    let path = t.app.config.database_url.expose().trim_start_matches("sqlite://").to_owned() + ".key";
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let address = address(&title(&t.alice, MOVIE).await, "small");
    let t = t.restart(|config| config.secrets = None).await;
    t.anon.get(&address).send().await.expect(200);
    std::fs::remove_file(path).unwrap();
    let t = t.restart(|config| config.secrets = None).await;
    t.anon.get(&address).send().await.expect_problem(404, "not_found");
}

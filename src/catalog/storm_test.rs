//! Sources that fail one after another, and tokens that die: few requests are made, and the end of it
//! is noticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::answer::State;
use super::breaker::{BreakerState, RUN};
use super::fair_share::FairShare;
use super::language::Language;
use super::media_id::{Kind, SourceName};
use super::service::Catalog;
use super::sick::{Illness, Sick, with_status};
use super::stub::{Setup, Stub, says, some_games, stats, text, title, token};

fn broken() -> Illness {
    Illness::Says(with_status(500, "", "{}"))
}

/// Details of so many movies that nobody has asked for, at once.
async fn movies(catalog: &Catalog, from: usize, count: usize) -> Vec<String> {
    join_all((from..from + count).map(|id| async move { title(catalog, &format!("movie:tmdb:{id}")).await }))
        .await
}

async fn state(catalog: &Catalog, kind: Kind, words: &str) -> State {
    let answer = catalog.search(&text(words), &[kind], Language::DEFAULT, 1, &FairShare::new()).await;
    answer.sources[0].state
}

#[tokio::test]
async fn a_storm_opens_the_breaker_of_its_source_and_a_probe_closes_it() {
    let (sick, well) = (Sick::start().await, Sick::start().await);
    let setup = Setup::new().tmdb_at(&sick.url).igdb_at(&well.url).google_books_at(&well.url);
    let catalog = setup.catalog();
    sick.falls_ill(broken());
    let run = RUN as usize;
    for id in 1..10 {
        title(&catalog, &format!("movie:tmdb:{id}")).await;
    }
    assert_eq!(sick.asked(), run, "then it is left alone");
    assert_eq!(title(&catalog, "movie:tmdb:11").await, "unavailable for 5");
    let opened = stats(&catalog, SourceName::Tmdb);
    assert_eq!((opened.breaker_opened, opened.breaker), (1, BreakerState::Open));
    assert_eq!(state(&catalog, Kind::Game, "x").await, State::Ok);
    assert_eq!(state(&catalog, Kind::Book, "x").await, State::Ok);
    assert_eq!(state(&catalog, Kind::Movie, "x").await, State::Failed);

    setup.pass(Duration::from_secs(5));
    assert_eq!(stats(&catalog, SourceName::Tmdb).breaker, BreakerState::HalfOpen);
    let answers = movies(&catalog, 100, 20).await;
    assert_eq!(sick.asked(), run + 1, "one of twenty is the probe");
    assert!(answers.iter().all(|told| told.starts_with("unavailable")), "{answers:?}");
    assert_eq!(title(&catalog, "movie:tmdb:11").await, "unavailable for 10");

    sick.recovers();
    setup.pass(Duration::from_secs(9));
    assert_eq!(title(&catalog, "movie:tmdb:12").await, "unavailable for 1");
    setup.pass(Duration::from_secs(1));
    assert_eq!(title(&catalog, "movie:tmdb:12").await, "Movie");
    assert!(movies(&catalog, 200, 5).await.iter().all(|told| told == "Movie"));
    let closed = stats(&catalog, SourceName::Tmdb);
    assert_eq!((closed.breaker_opened, closed.breaker), (2, BreakerState::Closed));
}

#[tokio::test]
async fn refusals_do_not_open_it() {
    let tmdb = Stub::start(|seen| match seen.path.as_str() {
        "/3/movie/1" => says(404, json!({"success": false, "status_code": 34})),
        "/3/movie/2" => says(429, "{}").header("retry-after", "1"),
        "/3/movie/3" => says(401, "{}"),
        "/3/movie/4" => says(422, "{}"),
        // Well-formed, and not what it should be: this title may be odd, and the source in health.
        _ => says(200, json!({"id": 5})),
    })
    .await;
    let setup = Setup::new().tmdb(&tmdb);
    let catalog = setup.catalog();
    for _ in 0..=RUN {
        for id in 1..=5 {
            title(&catalog, &format!("movie:tmdb:{id}")).await;
            setup.pass(Duration::from_secs(700));
        }
    }
    assert!(tmdb.seen().len() > 5 * RUN as usize);
    let stats = stats(&catalog, SourceName::Tmdb);
    assert_eq!((stats.breaker_opened, stats.breaker), (0, BreakerState::Closed));
}

/// Google says 503 of a book that it does not know, and of any book when it is down.
#[tokio::test]
async fn unknown_books_do_not_shut_google_out() {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = down.clone();
    let google = Stub::start(move |seen| match seen.path.as_str() {
        "/b/volumes" if !is_down.load(Ordering::SeqCst) => says(200, json!({"totalItems": 0})),
        _ => says(503, json!({"error": {"code": 503, "errors": [{"reason": "backendFailed"}]}})),
    })
    .await;
    let mut setup = Setup::new().google_books(&google);
    setup.sources.share = 100.0;
    let catalog = setup.catalog();
    let unknown = |number: usize| format!("book:google_books:unknown{number}");
    for number in 0..3 * RUN as usize {
        assert_eq!(title(&catalog, &unknown(number)).await, "unavailable for 30");
    }
    assert_eq!(stats(&catalog, SourceName::GoogleBooks).breaker, BreakerState::Closed);
    assert_eq!(state(&catalog, Kind::Book, "one").await, State::Ok);

    // An outage shows in searches, books or no books.
    down.store(true, Ordering::SeqCst);
    for number in 0..RUN {
        title(&catalog, &unknown(100)).await;
        state(&catalog, Kind::Book, &format!("outage {number}")).await;
    }
    assert_eq!(stats(&catalog, SourceName::GoogleBooks).breaker, BreakerState::Open);
    // When it is over, unknown books as probes keep nobody out.
    down.store(false, Ordering::SeqCst);
    setup.pass(Duration::from_secs(5));
    for number in 200..203 {
        title(&catalog, &unknown(number)).await;
        assert_eq!(stats(&catalog, SourceName::GoogleBooks).breaker, BreakerState::HalfOpen);
    }
    assert_eq!(state(&catalog, Kind::Book, "two").await, State::Ok);
    assert_eq!(stats(&catalog, SourceName::GoogleBooks).breaker, BreakerState::Closed);
}

#[tokio::test]
async fn a_token_that_dies_is_replaced_once_for_all() {
    let minted = Arc::new(AtomicUsize::new(0));
    let dead = Arc::new(AtomicUsize::new(0));
    let (count, died) = (minted.clone(), dead.clone());
    let igdb = Stub::start(move |seen| {
        if seen.path == "/token" {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            return says(200, json!({"access_token": number.to_string(), "expires_in": 5_000_000}));
        }
        let bearer = seen.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
        match bearer.strip_prefix("Bearer ").unwrap().parse::<usize>().unwrap() > died.load(Ordering::SeqCst)
        {
            true => some_games(seen),
            false => says(401, json!({"message": "Authorization Failure."})),
        }
    })
    .await;
    let mut setup = Setup::new().igdb(&igdb);
    setup.sources.share = 100.0;
    let catalog = setup.catalog();
    assert_eq!(title(&catalog, "game:igdb:1").await, "One");
    for life in 1..=3 {
        dead.store(life, Ordering::SeqCst);
        let before = igdb.count("/v4/games");
        let games = 1000 * life..1000 * life + 50;
        let answers = join_all(games.map(|id| {
            let catalog = &catalog;
            async move { title(catalog, &format!("game:igdb:{id}")).await }
        }))
        .await;
        assert!(answers.iter().all(|told| told == "unknown"), "{answers:?}");
        assert_eq!(minted.load(Ordering::SeqCst), life + 1, "one new token serves all fifty");
        // Each asks at most twice: with the dead token and with the new one.
        assert!(igdb.count("/v4/games") - before <= 100);
    }
    let stats = stats(&catalog, SourceName::Igdb);
    assert_eq!((stats.errors, stats.breaker_opened), (0, 0));
}

#[tokio::test]
async fn a_thousand_who_wait_for_a_token_mint_one() {
    let igdb = Stub::start(|seen| if seen.path == "/token" { token() } else { says(200, "[]") }).await;
    let mut setup = Setup::new().igdb(&igdb);
    setup.sources.share = 1000.0;
    let catalog = setup.catalog();
    join_all((1..=1000).map(|id| {
        let catalog = &catalog;
        async move { title(catalog, &format!("game:igdb:{id}")).await }
    }))
    .await;
    assert_eq!((igdb.count("/token"), igdb.count("/v4/games")), (1, 1000));
}

#[tokio::test]
async fn a_sign_in_that_fails_slowly_is_not_tried_by_one_after_the_other() {
    let setup = Setup::new();
    let time = setup.time.clone();
    let igdb = Stub::start(move |_| {
        // Longer than the pause after it.
        time.fetch_add(10_000, Ordering::SeqCst);
        says(500, "down")
    })
    .await;
    let catalog = setup.igdb(&igdb).catalog();
    let answers = join_all((1..=30).map(|id| {
        let catalog = &catalog;
        async move { title(catalog, &format!("game:igdb:{id}")).await }
    }))
    .await;
    assert!(answers.iter().all(|told| told == "unavailable for 5"), "{answers:?}");
    assert_eq!(igdb.paths(), ["/token"]);
}

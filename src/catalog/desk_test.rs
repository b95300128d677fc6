use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Semaphore;

use super::*;
use crate::catalog::answer::State;
use crate::catalog::stub::{Setup, Stub, id, says, some_games, stats, text, title, token};

const EN: Language = Language::DEFAULT;
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_cold_lookups_at_once_are_one_request() {
    let hold = Arc::new(Semaphore::new(0));
    let wait = hold.clone();
    let igdb = Stub::start(move |seen| match seen.path.as_str() {
        "/token" => token(),
        _ => says(200, json!([{"id": 1, "name": "One"}])).when(&wait),
    })
    .await;
    let wait = hold.clone();
    let google =
        Stub::start(move |_| says(200, json!({"id": "a", "volumeInfo": {"title": "A"}})).when(&wait)).await;
    let wait = hold.clone();
    let tmdb = Stub::start(move |_| says(200, json!({"id": 7, "title": "Seven"})).when(&wait)).await;
    let catalog = Setup::new().tmdb(&tmdb).igdb(&igdb).google_books(&google).catalog();
    let mut callers = tokio::task::JoinSet::new();
    for media in ["movie:tmdb:7", "game:igdb:1", "book:google_books:a"] {
        for _ in 0..1000 {
            let catalog = catalog.clone();
            callers.spawn(async move { title(&catalog, media).await });
        }
    }
    // Only when all have asked is any of them answered.
    while catalog.stats().sources.iter().map(|stats| stats.cache_misses).sum::<u64>() < 3000 {
        tokio::task::yield_now().await;
    }
    hold.add_permits(Semaphore::MAX_PERMITS);
    let answers = callers.join_all().await;
    assert_eq!(answers.len(), 3000);
    assert!(answers.iter().all(|answer| ["Seven", "One", "A"].contains(&answer.as_str())));
    assert_eq!(tmdb.paths(), ["/3/movie/7"]);
    assert_eq!(igdb.paths(), ["/token", "/v4/games"]);
    assert_eq!(google.paths(), ["/b/volumes/a"]);
}

#[tokio::test]
async fn a_failed_flight_is_not_repeated_by_those_who_waited() {
    let tmdb = Stub::constant(503, "down").await;
    let catalog = Setup::new().tmdb(&tmdb).catalog();
    let callers = (0..200).map(|_| title(&catalog, "movie:tmdb:7"));
    let answers = join_all(callers).await;
    assert!(answers.iter().all(|answer| answer == "unavailable for 30"));
    // One try and two more.
    assert_eq!(tmdb.seen().len(), 3);
    assert_eq!(stats(&catalog, SourceName::Tmdb).errors, 3);
}

#[tokio::test]
async fn an_older_answer_serves_while_the_source_is_down() {
    let down = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_down = down.clone();
    let tmdb = Stub::start(move |_| match is_down.load(std::sync::atomic::Ordering::SeqCst) {
        true => says(500, "down"),
        false => says(200, json!({"id": 7, "title": "Seven"})),
    })
    .await;
    let setup = Setup::new().tmdb(&tmdb);
    let catalog = setup.catalog();
    assert_eq!(title(&catalog, "movie:tmdb:7").await, "Seven");
    down.store(true, std::sync::atomic::Ordering::SeqCst);
    setup.pass(23 * HOUR);
    assert_eq!(title(&catalog, "movie:tmdb:7").await, "Seven");
    assert_eq!(tmdb.seen().len(), 1);
    setup.pass(2 * HOUR);
    assert_eq!(title(&catalog, "movie:tmdb:7").await, "Seven (stale)");
    assert_eq!(catalog.peek(&id("movie:tmdb:7"), EN).unwrap().title, "Seven");
    assert_eq!(title(&catalog, "movie:tmdb:8").await, "unavailable for 30");
    let stats = stats(&catalog, SourceName::Tmdb);
    assert_eq!((stats.cache_hits, stats.cache_misses, stats.stale_served), (1, 3, 1));
}

#[tokio::test]
async fn what_a_source_does_not_know_is_not_asked_again_for_ten_minutes() {
    let tmdb = Stub::constant(404, json!({"success": false, "status_code": 34})).await;
    let igdb = Stub::start(|seen| if seen.path == "/token" { token() } else { says(200, "[]") }).await;
    let setup = Setup::new().tmdb(&tmdb).igdb(&igdb);
    let catalog = setup.catalog();
    for _ in 0..3 {
        assert_eq!(title(&catalog, "movie:tmdb:7").await, "unknown");
        assert_eq!(title(&catalog, "game:igdb:7").await, "unknown");
    }
    assert_eq!((tmdb.seen().len(), igdb.count("/v4/games")), (1, 1));
    assert!(catalog.peek(&id("movie:tmdb:7"), EN).is_none());
    setup.pass(Duration::from_secs(600));
    assert_eq!(title(&catalog, "movie:tmdb:7").await, "unknown");
    assert_eq!(tmdb.seen().len(), 2);
}

#[tokio::test]
async fn the_end_of_googles_day_stops_calls_until_midnight_in_california() {
    let google = Stub::constant(429, json!({"error": {"message": "Quota exceeded: Queries per day"}})).await;
    let setup = Setup::new().google_books(&google);
    let catalog = setup.catalog();
    let until_midnight = format!("unavailable for {}", 12 * 3600);
    for _ in 0..3 {
        assert_eq!(title(&catalog, "book:google_books:a").await, until_midnight);
    }
    let answer = catalog.search(&text("x"), &[Kind::Book], EN, 1, &FairShare::new()).await;
    assert_eq!(answer.sources[0].state, State::RateLimited);
    assert_eq!(google.seen().len(), 1);
    setup.pass(12 * HOUR);
    title(&catalog, "book:google_books:a").await;
    assert_eq!(google.seen().len(), 2);
}

#[tokio::test]
async fn who_has_drawn_a_tenth_of_googles_day_makes_no_more_calls() {
    let google = Stub::constant(200, json!({"id": "a", "volumeInfo": {"title": "A"}})).await;
    let mut setup = Setup::new().google_books(&google);
    setup.sources.share = 0.01;
    let catalog = setup.catalog();
    let share = FairShare::new();
    let (one, two) = (id("book:google_books:a"), id("book:google_books:b"));
    assert!(catalog.media(&one, EN, &share).await.is_ok());
    let refused = catalog.media(&two, EN, &share).await;
    assert_eq!(refused, Err(Unavailable { retry_after_seconds: 12 * 3600 }));
    // What is in the cache costs nothing.
    assert!(catalog.media(&one, EN, &share).await.is_ok());
    assert_eq!(stats(&catalog, SourceName::GoogleBooks).rate_limited, 1);
    assert_eq!(google.seen().len(), 1);
}

#[tokio::test]
async fn a_pause_that_a_source_asks_for_is_kept() {
    let tmdb = Stub::start(|_| says(429, "{}").header("retry-after", "30")).await;
    let setup = Setup::new().tmdb(&tmdb);
    let catalog = setup.catalog();
    assert_eq!(title(&catalog, "movie:tmdb:7").await, "unavailable for 30");
    setup.pass(Duration::from_secs(29));
    assert_eq!(title(&catalog, "movie:tmdb:8").await, "unavailable for 1");
    assert_eq!(tmdb.seen().len(), 1);
    setup.pass(Duration::from_secs(1));
    title(&catalog, "movie:tmdb:7").await;
    assert_eq!(tmdb.seen().len(), 2);
}

#[tokio::test]
async fn refused_credentials_are_not_tried_again_for_five_minutes() {
    let tmdb = Stub::constant(401, json!({"status_code": 7})).await;
    let igdb = Stub::constant(403, json!({"status": 403, "message": "invalid client secret"})).await;
    let setup = Setup::new().tmdb(&tmdb).igdb(&igdb);
    let catalog = setup.catalog();
    for _ in 0..3 {
        assert_eq!(title(&catalog, "movie:tmdb:7").await, "unavailable for 300");
        assert_eq!(title(&catalog, "game:igdb:7").await, "unavailable for 300");
    }
    assert_eq!((tmdb.seen().len(), igdb.paths()), (1, vec!["/token".to_owned()]));
    setup.pass(Duration::from_secs(300));
    title(&catalog, "game:igdb:7").await;
    assert_eq!(igdb.seen().len(), 2);
}

#[tokio::test]
async fn one_token_serves_all_and_is_renewed_when_refused_or_old() {
    let current = Arc::new(Semaphore::new(0));
    let minted = current.clone();
    let igdb = Stub::start(move |seen| {
        if seen.path == "/token" {
            minted.add_permits(1);
            return says(
                200,
                json!({"access_token": minted.available_permits().to_string(), "expires_in": 7200}),
            );
        }
        // The first token died early.
        match seen.headers.iter().any(|(name, value)| name == "authorization" && value == "Bearer 1") {
            true => says(401, json!({"message": "Authorization Failure."})),
            false => some_games(seen),
        }
    })
    .await;
    let setup = Setup::new().igdb(&igdb);
    let catalog = setup.catalog();
    let answers = join_all(["game:igdb:1", "game:igdb:2"].map(|media| title(&catalog, media))).await;
    assert_eq!(answers, ["One", "Two"]);
    assert_eq!(igdb.count("/token"), 2);
    // An hour before its end it is renewed.
    setup.pass(HOUR - Duration::from_secs(1));
    title(&catalog, "game:igdb:3").await;
    assert_eq!(igdb.count("/token"), 2);
    setup.pass(Duration::from_secs(1));
    title(&catalog, "game:igdb:4").await;
    assert_eq!(igdb.count("/token"), 3);
}

#[tokio::test]
async fn a_token_that_is_always_refused_is_minted_twice_and_no_more() {
    let igdb = Stub::start(|seen| if seen.path == "/token" { token() } else { says(401, "{}") }).await;
    let catalog = Setup::new().igdb(&igdb).catalog();
    title(&catalog, "game:igdb:1").await;
    assert_eq!((igdb.count("/token"), igdb.count("/v4/games")), (2, 2));
    title(&catalog, "game:igdb:1").await;
    assert_eq!(igdb.seen().len(), 4);
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_stop_the_lookup() {
    let hold = Arc::new(Semaphore::new(0));
    let wait = hold.clone();
    let tmdb = Stub::start(move |_| says(200, json!({"id": 7, "title": "Seven"})).when(&wait)).await;
    let catalog = Setup::new().tmdb(&tmdb).catalog();
    let leaving = catalog.clone();
    let caller = tokio::spawn(async move { title(&leaving, "movie:tmdb:7").await });
    while tmdb.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    caller.abort();
    hold.add_permits(9);
    while catalog.peek(&id("movie:tmdb:7"), EN).is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(tmdb.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_no_answer() {
    let tmdb = Stub::constant(200, format!("{{\"id\":7,\"title\":\"{}\"}}", "x".repeat(9 << 20))).await;
    let catalog = Setup::new().tmdb(&tmdb).catalog();
    assert_eq!(title(&catalog, "movie:tmdb:7").await, "unavailable for 30");
    assert_eq!(tmdb.seen().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Stub::constant(200, json!({"id": 7, "title": "Trap"})).await;
    let place = Setup::new().tmdb(&elsewhere).sources.tmdb.unwrap().base_url;
    let tmdb = Stub::start(move |_| says(302, "").header("location", &place)).await;
    let catalog = Setup::new().tmdb(&tmdb).catalog();
    assert_eq!(title(&catalog, "movie:tmdb:7").await, "unavailable for 30");
    assert_eq!((tmdb.seen().len(), elsewhere.seen().len()), (1, 0));
}

#[tokio::test]
async fn nothing_is_started_for_whoever_has_no_time_left() {
    let tmdb = Stub::constant(200, json!({"id": 7, "title": "Seven"})).await;
    let mut setup = Setup::new().tmdb(&tmdb);
    setup.timing.lookup_deadline = Duration::ZERO;
    let catalog = setup.catalog();
    assert_eq!(title(&catalog, "movie:tmdb:7").await, "unavailable for 5");
    assert_eq!(stats(&catalog, SourceName::Tmdb).requests, 0);
}

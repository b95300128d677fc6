//! What one share asks for holds up no other share.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;

use super::answer::{Answer, Unavailable};
use super::fair_share::FairShare;
use super::language::Language;
use super::media_id::MediaId;
use super::service::Catalog;
use super::stub::{Setup, Stub, id, says, some_games, token};

const EN: Language = Language::DEFAULT;

/// TMDB, which answers as soon as `hold` has permits.
async fn held(hold: &Arc<Semaphore>) -> Stub {
    let hold = hold.clone();
    Stub::start(move |_| says(200, json!({"id": 1, "title": "One"})).when(&hold)).await
}

fn ask(
    catalog: &Catalog,
    share: &FairShare,
    media: String,
) -> tokio::task::JoinHandle<Result<Answer, Unavailable>> {
    let (catalog, share) = (catalog.clone(), share.clone());
    tokio::spawn(async move { catalog.media(&id(&media), EN, &share).await })
}

async fn arrived(stub: &Stub, count: usize) {
    while stub.seen().len() < count {
        tokio::task::yield_now().await;
    }
}

fn place(stub: &Stub, path: &str) -> Option<usize> {
    stub.paths().iter().position(|seen| seen == path)
}

#[tokio::test]
async fn a_share_with_two_hundred_lookups_does_not_delay_anothers_first() {
    let hold = Arc::new(Semaphore::new(0));
    let tmdb = held(&hold).await;
    let catalog = Setup::new().tmdb(&tmdb).catalog();
    let (greedy, other) = (FairShare::new(), FairShare::new());
    for number in 1000..1200 {
        ask(&catalog, &greedy, format!("movie:tmdb:{number}"));
    }
    // Half of the places that the source has are open to one share.
    arrived(&tmdb, 2).await;
    let single = ask(&catalog, &other, "movie:tmdb:7".into());
    while place(&tmdb, "/3/movie/7").is_none() {
        tokio::task::yield_now().await;
    }
    // Nothing was answered yet: the other share did not wait for any answer to the first.
    assert!(place(&tmdb, "/3/movie/7").unwrap() <= 20, "{:?}", place(&tmdb, "/3/movie/7"));
    hold.add_permits(1000);
    assert!(single.await.unwrap().is_ok());
}

#[tokio::test]
async fn five_busy_shares_do_not_use_igdb_up() {
    let igdb = Stub::start(|seen| match seen.path.as_str() {
        "/token" => token(),
        _ => some_games(seen),
    })
    .await;
    let catalog = Setup::new().igdb(&igdb).catalog();
    for share in 0..5_u64 {
        let greedy = FairShare::new();
        for number in 0..30 {
            ask(&catalog, &greedy, format!("game:igdb:{}", 1000 + 100 * share + number));
        }
    }
    arrived(&igdb, 2).await;
    // It is served in the time that a request may wait, though 150 came before it.
    assert!(ask(&catalog, &FairShare::new(), "game:igdb:1".into()).await.unwrap().is_ok());
    assert!(igdb.count("/v4/games") <= 20, "{}", igdb.count("/v4/games"));
}

#[tokio::test]
async fn the_games_of_one_request_are_charged_one_by_one() {
    let games: Vec<u64> = (1..=40).collect();
    let many =
        super::request::Lookup::Igdb(super::request::IgdbLookup::Games { ids: games.as_slice().into() });
    assert_eq!(many.cost(), 40);
    assert_eq!(super::request::Lookup::game(1).cost(), 1);
}

#[tokio::test]
async fn nothing_that_leaves_says_whose_share_it_was() {
    let tmdb = Stub::constant(200, json!({"id": 7, "title": "Seven", "overview": "x"})).await;
    let mut sent = Vec::new();
    for share in [FairShare::new(), FairShare::new(), FairShare::background()] {
        let catalog = Setup::new().tmdb(&tmdb).catalog();
        let seven: MediaId = id("movie:tmdb:7");
        assert!(catalog.media(&seven, EN, &share).await.is_ok());
        let seen = tmdb.seen().pop().unwrap();
        sent.push((seen.method, seen.path, seen.query, seen.headers, seen.body));
    }
    assert!(sent.iter().all(|request| *request == sent[0]));
}

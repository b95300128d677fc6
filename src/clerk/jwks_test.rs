use std::sync::Arc;

use hyper::StatusCode;
use serde_json::json;

use super::*;
use crate::clerk::fixture::{A, B, Hand, KeyServer, T};

async fn cache(server: &KeyServer) -> (KeyCache, Hand) {
    let hand = Hand::at(T * 1000);
    let cache = KeyCache::new(&server.url(), Pace::default(), hand.clock()).expect("a client");
    (cache, hand)
}

/// Waits for the fetch under way, if there is one.
async fn settled(cache: &KeyCache) {
    let ended = cache.0.lock().ended.clone();
    ended.cancelled().await;
}

async fn finds(cache: &KeyCache, kid: &str) -> Result<(), Rejected> {
    cache.find(kid).await.map(|_| ())
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept() {
    let server = KeyServer::start(&[A.jwk("a"), B.jwk("b")]).await;
    let (cache, hand) = cache(&server).await;
    for _ in 0..20 {
        hand.forward(10_000);
        assert_eq!(finds(&cache, "a").await, Ok(()));
        assert_eq!(finds(&cache, "b").await, Ok(()));
    }
    assert_eq!(server.requests(), 1);
}

/// Asks for `count` made-up keys at once.
async fn spray(cache: &KeyCache, name: &str, count: usize) -> Vec<Result<(), Rejected>> {
    let asked: Vec<_> = (0..count)
        .map(|n| {
            let (cache, kid) = (cache.clone(), format!("{name}{n}"));
            tokio::spawn(async move { finds(&cache, &kid).await })
        })
        .collect();
    let mut found = Vec::new();
    for one in asked {
        found.push(one.await.expect("no panic"));
    }
    found
}

#[tokio::test]
async fn a_thousand_unknown_keys_at_once_share_two_fetches() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, _) = cache(&server).await;
    assert_eq!(finds(&cache, "a").await, Ok(()));
    let found = spray(&cache, "spray", 1000).await;
    assert!(found.iter().all(|one| *one == Err(Rejected::UnknownKey)));
    // One for who came first, one for all who came while it was under way.
    assert!((2..=3).contains(&server.requests()), "{}", server.requests());
    assert_eq!(finds(&cache, "a").await, Ok(()));
}

#[tokio::test]
async fn made_up_keys_cost_a_bounded_number_of_fetches_and_sign_nobody_out() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, hand) = cache(&server).await;
    assert_eq!(finds(&cache, "a").await, Ok(()));
    let mut unknown = 0;
    for n in 0..500 {
        match finds(&cache, &format!("spray{n}")).await {
            Err(Rejected::UnknownKey) => unknown += 1,
            other => assert_eq!(other, Err(Rejected::KeysUnavailable)),
        }
    }
    assert_eq!((unknown, server.requests()), (5, 6), "the budget, and nothing is called unknown beyond it");
    // A genuine key that comes while the budget is used up is not refused for good.
    server.serves(&[A.jwk("a"), B.jwk("b")]);
    assert_eq!(finds(&cache, "b").await, Err(Rejected::KeysUnavailable));
    hand.forward(11_999);
    assert_eq!(finds(&cache, "b").await, Err(Rejected::KeysUnavailable));
    hand.forward(1);
    assert_eq!(finds(&cache, "spray").await, Err(Rejected::UnknownKey));
    assert_eq!(finds(&cache, "b").await, Ok(()), "any fetch brings it");
    assert_eq!(server.requests(), 7);
}

#[tokio::test]
async fn an_absent_key_is_remembered_for_a_while() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, hand) = cache(&server).await;
    for _ in 0..10 {
        assert_eq!(finds(&cache, "b").await, Err(Rejected::UnknownKey));
    }
    assert_eq!(server.requests(), 1);
    server.serves(&[B.jwk("b")]);
    hand.forward(29_999);
    assert_eq!(finds(&cache, "b").await, Err(Rejected::UnknownKey));
    hand.forward(1);
    assert_eq!(finds(&cache, "b").await, Ok(()));
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn absent_keys_are_remembered_within_a_bound() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, _) = cache(&server).await;
    assert_eq!(finds(&cache, "a").await, Ok(()));
    spray(&cache, "spray", 2 * MAX_ABSENT).await;
    assert_eq!(cache.0.lock().absent.len(), MAX_ABSENT);
    let requests = server.requests();
    assert_eq!(finds(&cache, &"x".repeat(MAX_KID + 1)).await, Err(Rejected::UnknownKey));
    assert_eq!(server.requests(), requests, "too long to be looked up");
}

#[tokio::test]
async fn all_who_come_during_a_fetch_share_it() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    server.hold();
    let (cache, hand) = cache(&server).await;
    let come = || {
        let cache = cache.clone();
        tokio::spawn(async move { finds(&cache, "a").await })
    };
    let mut callers: Vec<_> = (0..50).map(|_| come()).collect();
    server.arrival().await;
    // However long it takes: a second one does not start beside it.
    hand.forward(60_000);
    callers.extend((0..50).map(|_| come()));
    tokio::task::yield_now().await;
    server.release();
    for caller in callers {
        assert_eq!(caller.await.expect("no panic"), Ok(()));
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_end_the_fetch_for_others() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    server.hold();
    let (cache, _) = cache(&server).await;
    let first = tokio::spawn({
        let cache = cache.clone();
        async move { finds(&cache, "a").await }
    });
    server.arrival().await;
    first.abort();
    assert!(first.await.is_err());
    server.release();
    assert_eq!(finds(&cache, "a").await, Ok(()));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_rotation_is_followed_at_once() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, _) = cache(&server).await;
    assert_eq!(finds(&cache, "a").await, Ok(()));
    // Somebody's made-up key has just used a fetch.
    assert_eq!(finds(&cache, "made-up").await, Err(Rejected::UnknownKey));
    server.serves(&[B.jwk("b")]);
    assert_eq!(finds(&cache, "b").await, Ok(()));
    assert_eq!(finds(&cache, "a").await, Err(Rejected::UnknownKey), "withdrawn");
}

#[tokio::test]
async fn a_key_set_asked_for_before_the_token_came_does_not_refuse_it() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, hand) = cache(&server).await;
    assert_eq!(finds(&cache, "a").await, Ok(()));
    server.arrival().await;
    // A renewal is under way, answered with the old keys.
    server.hold();
    hand.forward(300_000);
    assert_eq!(finds(&cache, "a").await, Ok(()));
    server.arrival().await;
    let waiting = tokio::spawn({
        let cache = cache.clone();
        async move { finds(&cache, "b").await }
    });
    tokio::task::yield_now().await;
    server.release_one();
    server.arrival().await;
    server.serves(&[B.jwk("b")]);
    server.release();
    assert_eq!(waiting.await.expect("no panic"), Ok(()));
}

#[tokio::test]
async fn a_withdrawn_key_does_not_outlive_a_day_of_outage() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, hand) = cache(&server).await;
    assert_eq!(finds(&cache, "a").await, Ok(()));
    server.answers(StatusCode::BAD_GATEWAY, "");
    hand.forward(86_399_999);
    assert_eq!(finds(&cache, "a").await, Ok(()));
    assert!(cache.ready());
    settled(&cache).await;
    hand.forward(1);
    assert_eq!(finds(&cache, "a").await, Err(Rejected::KeysUnavailable));
    assert!(!cache.ready());
    settled(&cache).await;
    server.serves(&[A.jwk("a")]);
    hand.forward(1_000);
    assert_eq!(finds(&cache, "a").await, Ok(()));
    assert!(cache.ready());
}

#[tokio::test]
async fn readiness_probes_alone_keep_the_keys_fresh() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, hand) = cache(&server).await;
    for _ in 0..1000 {
        cache.ready();
        settled(&cache).await;
        assert!(cache.ready());
        hand.forward(300_000);
    }
    assert_eq!(server.requests(), 1000);
}

#[tokio::test]
async fn old_keys_serve_while_they_are_renewed() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, hand) = cache(&server).await;
    assert_eq!(finds(&cache, "a").await, Ok(()));
    server.arrival().await;
    hand.forward(299_999);
    assert_eq!(finds(&cache, "a").await, Ok(()));
    assert!(cache.0.lock().ended.is_cancelled(), "still fresh: nothing is under way");
    server.hold();
    server.serves(&[B.jwk("b")]);
    hand.forward(1);
    assert_eq!(finds(&cache, "a").await, Ok(()), "not held up by the fetch it starts");
    server.arrival().await;
    assert_eq!(finds(&cache, "a").await, Ok(()));
    server.release();
    settled(&cache).await;
    assert_eq!(finds(&cache, "b").await, Ok(()));
    assert_eq!(server.requests(), 2);
    assert_eq!(finds(&cache, "a").await, Err(Rejected::UnknownKey));
}

#[tokio::test]
async fn an_outage_loses_no_key() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, hand) = cache(&server).await;
    assert_eq!(finds(&cache, "a").await, Ok(()));
    let huge = format!("{{\"keys\":[],\"pad\":\"{}\"}}", "x".repeat(MAX_BODY));
    let failures = [
        (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        // To itself: followed, it would be counted as a second request.
        (StatusCode::FOUND, String::new()),
        (StatusCode::OK, "<html>".into()),
        (StatusCode::OK, r#"{"keys":[]}"#.into()),
        (StatusCode::OK, huge),
    ];
    for (n, (status, body)) in failures.into_iter().enumerate() {
        server.answers(status, body);
        hand.forward(300_000);
        assert_eq!(finds(&cache, "a").await, Ok(()));
        settled(&cache).await;
        assert_eq!(server.requests(), n + 2);
        assert_eq!(finds(&cache, "a").await, Ok(()));
        assert_eq!(server.requests(), n + 2, "a failure is not tried again before 30 s");
    }
    assert_eq!(finds(&cache, "b").await, Err(Rejected::KeysUnavailable), "nobody can tell");
    server.serves(&[B.jwk("b")]);
    assert_eq!(finds(&cache, "b").await, Ok(()));
}

#[tokio::test]
async fn the_first_keys_are_tried_for_once_a_second() {
    let server = KeyServer::start(&[]).await;
    server.answers(StatusCode::BAD_GATEWAY, "");
    let (cache, hand) = cache(&server).await;
    assert_eq!(finds(&cache, "a").await, Err(Rejected::KeysUnavailable));
    hand.forward(999);
    assert_eq!(finds(&cache, "a").await, Err(Rejected::KeysUnavailable));
    assert!(!cache.ready());
    assert_eq!(server.requests(), 1);
    server.serves(&[A.jwk("a")]);
    hand.forward(1);
    assert!(!cache.ready(), "asked for in the background");
    settled(&cache).await;
    assert!(cache.ready());
    assert_eq!(finds(&cache, "a").await, Ok(()));
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn an_address_nobody_listens_at_is_an_outage() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/secret-path", listener.local_addr().expect("bound"));
    drop(listener);
    let cache = KeyCache::new(&url, Pace::default(), Hand::at(0).clock()).expect("a client");
    assert_eq!(finds(&cache, "a").await, Err(Rejected::KeysUnavailable));
    let error = cache.0.fetch().await.expect_err("refused");
    assert!(!error.to_string().contains("secret-path"), "{error}");
}

#[tokio::test]
async fn a_clock_set_back_does_not_hold_fetches_up() {
    let server = KeyServer::start(&[A.jwk("a")]).await;
    let (cache, hand) = cache(&server).await;
    assert_eq!(finds(&cache, "a").await, Ok(()));
    server.serves(&[B.jwk("b")]);
    hand.forward(-3_600_000);
    assert_eq!(finds(&cache, "b").await, Ok(()));
    assert_eq!(server.requests(), 2);
}

#[test]
fn keys_that_are_not_for_us_are_skipped() {
    let change = |kid: &str, name: &str, value: serde_json::Value| {
        let mut key = A.jwk(kid);
        key[name] = value;
        key
    };
    let mut bare = A.jwk("bare");
    bare.as_object_mut()
        .expect("an object")
        .retain(|name, _| ["kty", "kid", "n", "e"].contains(&name.as_str()));
    let set = json!({"keys": [
        change("ec", "kty", json!("EC")),
        change("enc", "use", json!("enc")),
        change("rs512", "alg", json!("RS512")),
        change("no-modulus", "n", json!(null)),
        change("no-base64", "n", json!("***")),
        change("no-id", "kid", json!(7)),
        "no key at all",
        bare,
        A.jwk("good"),
    ]});
    let keys = parse(set.to_string().as_bytes()).expect("two of them");
    let mut ids: Vec<_> = keys.keys().map(String::as_str).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["bare", "good"]);
    assert!(keys.values().all(|key| Arc::strong_count(key) == 1));
}

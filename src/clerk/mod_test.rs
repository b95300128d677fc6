use serde_json::json;
use uuid::Uuid;

use super::fixture::{A, B, Hand, KeyServer, T, claims, header, settings, with};
use super::*;

fn verifier(keys: ClerkKeys) -> (Verifier, Hand) {
    let hand = Hand::at(T * 1000);
    let verifier = Verifier::with(&settings(keys), jwks::Pace::default(), hand.clock()).expect("valid");
    (verifier, hand)
}

async fn verifies(verifier: &Verifier, token: &str) -> Result<Uuid, Rejected> {
    verifier.verify(token).await.map(|session| session.account_id)
}

#[tokio::test]
async fn a_token_is_verified_with_the_key_it_names() {
    let server = KeyServer::start(&[A.jwk("ins_a"), B.jwk("ins_b")]).await;
    let (verifier, _) = verifier(server.keys());
    let alice = Ok(account_id("user_alice"));
    assert_eq!(verifies(&verifier, &A.session("ins_a")).await, alice);
    assert_eq!(verifies(&verifier, &B.session("ins_b")).await, alice);
    assert_eq!(verifies(&verifier, &B.session("ins_a")).await, Err(Rejected::Signature));
    assert_eq!(verifies(&verifier, &A.session("ins_c")).await, Err(Rejected::UnknownKey));
    let nameless = A.sign(&with(header(""), &json!({"kid": null})), &claims());
    assert_eq!(verifies(&verifier, &nameless).await, Err(Rejected::UnknownKey));
    assert_eq!(server.requests(), 2, "one for the first key, one for the unknown one");
}

#[tokio::test]
async fn what_the_header_gives_away_costs_no_fetch() {
    let server = KeyServer::start(&[A.jwk("ins_a")]).await;
    let (verifier, _) = verifier(server.keys());
    let change = |change| A.sign(&with(header("ins_a"), &change), &claims());
    assert_eq!(verifies(&verifier, &change(json!({"alg": "HS256"}))).await, Err(Rejected::Algorithm));
    assert_eq!(verifies(&verifier, &change(json!({"typ": "at+jwt"}))).await, Err(Rejected::Type));
    assert_eq!(verifies(&verifier, "nonsense").await, Err(Rejected::Malformed));
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_token_never_says_where_its_key_is() {
    let server = KeyServer::start(&[A.jwk("ins_a")]).await;
    let elsewhere = KeyServer::start(&[B.jwk("ins_b")]).await;
    let (verifier, _) = verifier(server.keys());
    let pointing = json!({"jku": elsewhere.url(), "x5u": elsewhere.url(), "jwk": B.jwk("ins_b")});
    let token = B.sign(&with(header("ins_b"), &pointing), &with(claims(), &json!({"iss": elsewhere.url()})));
    assert!(verifies(&verifier, &token).await.is_err());
    assert_eq!(elsewhere.requests(), 0);
}

#[tokio::test]
async fn a_fixed_key_needs_no_network_and_no_key_id() {
    let (verifier, hand) = verifier(ClerkKeys::Pem(A.pem()));
    assert!(verifier.ready());
    let alice = Ok(account_id("user_alice"));
    assert_eq!(verifies(&verifier, &A.session("whatever")).await, alice);
    let nameless = A.sign(&with(header(""), &json!({"kid": null})), &claims());
    assert_eq!(verifies(&verifier, &nameless).await, alice);
    assert_eq!(verifies(&verifier, &B.session("whatever")).await, Err(Rejected::Signature));
    hand.forward(3_605_000);
    assert_eq!(verifies(&verifier, &A.session("whatever")).await, Err(Rejected::Expired));
}

#[test]
fn a_wrong_fixed_key_stops_the_start() {
    let error = Verifier::new(&settings(ClerkKeys::Pem("x".into()))).err().expect("refused");
    assert_eq!(error.to_string(), "CLERK_JWT_KEY: is not an RSA public key in PEM");
}

#[tokio::test]
async fn the_expiry_is_judged_after_the_wait_for_a_key() {
    let server = KeyServer::start(&[A.jwk("ins_a")]).await;
    server.hold();
    let (verifier, hand) = verifier(server.keys());
    let waiting = tokio::spawn({
        let verifier = verifier.clone();
        async move { verifies(&verifier, &A.session("ins_a")).await }
    });
    server.arrival().await;
    hand.forward(3_605_000);
    server.release();
    assert_eq!(waiting.await.expect("no panic"), Err(Rejected::Expired));
}

#[test]
fn every_reason_has_a_label_of_its_own() {
    use Rejected::*;
    let all = [
        TooLong,
        Malformed,
        Algorithm,
        Critical,
        Type,
        Category,
        UnknownKey,
        Signature,
        Issuer,
        Expired,
        NotYetValid,
        AuthorizedParty,
        PendingSession,
        Subject,
        SessionId,
        KeysUnavailable,
    ];
    let labels: std::collections::HashSet<_> = all.iter().map(|reason| reason.reason()).collect();
    assert_eq!(labels.len(), all.len());
}

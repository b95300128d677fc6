use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::demo::standin::tests::read;
use crate::demo::standin::{CLERK_SECRET_KEY, Fault, Source, StandIns};

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn jwks(stand_ins: &StandIns) -> JwkSet {
    let url = stand_ins.url(Source::Clerk, "/.well-known/jwks.json");
    serde_json::from_value(read(client().get(url)).await.1).unwrap()
}

/// What a verifier makes of the token with the keys published now.
async fn verify(stand_ins: &StandIns, token: &str) -> Option<Value> {
    let kid = decode_header(token).ok()?.kid?;
    let key = DecodingKey::from_jwk(jwks(stand_ins).await.find(&kid)?).ok()?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = 5;
    validation.validate_nbf = true;
    validation.set_issuer(&[stand_ins.url(Source::Clerk, "")]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    Some(decode::<Value>(token, &key, &validation).ok()?.claims)
}

async fn call(stand_ins: &StandIns, method: Method, id: &str, body: Option<Value>) -> (u16, Value) {
    let url = stand_ins.url(Source::Clerk, &format!("/v1/users/{id}"));
    let request = client().request(method, url).bearer_auth(CLERK_SECRET_KEY);
    read(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

#[tokio::test]
async fn a_token_verifies_against_the_published_keys() {
    let stand_ins = StandIns::start().unwrap();
    let token = stand_ins.token("alice", Duration::from_secs(60));
    let claims = verify(&stand_ins, &token).await.unwrap();
    assert_eq!((&claims["sub"], &claims["sid"]), (&json!("user_alice"), &json!("sess_alice")));
    assert_eq!((&claims["v"], &claims["sts"]), (&json!(2), &json!("active")));
    let seconds = |name: &str| claims[name].as_i64().unwrap();
    assert_eq!((seconds("exp") - seconds("iat"), seconds("iat") - seconds("nbf")), (60, 10));
    assert!(claims.get("azp").is_none());
    let header = stand_ins.header();
    assert_eq!((&header["kid"], &header["typ"]), (&json!("ins_demo"), &json!("JWT")));
    assert!(header["oiat"].is_number() && header["cat"] == "cl_B7d4PD111AAA");
}

#[tokio::test]
async fn odd_tokens_are_signed_as_asked_for() {
    let stand_ins = StandIns::start().unwrap();
    let mut claims = stand_ins.claims("alice", Duration::from_secs(60));
    claims["exp"] = json!(1_000_000_000);
    assert!(verify(&stand_ins, &stand_ins.token_with(&stand_ins.header(), &claims)).await.is_none());
    let unsigned = stand_ins.token_with(&json!({ "alg": "none", "typ": "JWT" }), &claims);
    assert!(unsigned.ends_with('.') && unsigned.matches('.').count() == 2);
}

#[tokio::test]
async fn a_new_key_replaces_the_old_one() {
    let stand_ins = StandIns::start().unwrap();
    let old = stand_ins.token("alice", Duration::from_secs(60));
    stand_ins.rotate_key().unwrap();
    assert!(verify(&stand_ins, &old).await.is_none());
    let new = stand_ins.token("alice", Duration::from_secs(60));
    assert!(verify(&stand_ins, &new).await.is_some());
    assert_eq!(decode_header(&new).unwrap().kid.as_deref(), Some("ins_demo_2"));
    let pem = DecodingKey::from_rsa_pem(stand_ins.public_key_pem().unwrap().as_bytes()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_required_spec_claims(&["exp"]);
    assert!(decode::<Value>(&new, &pem, &validation).is_ok());
    assert!(decode::<Value>(&old, &pem, &validation).is_err());
}

#[tokio::test]
async fn a_user_is_read_corrected_and_deleted_once() {
    let stand_ins = StandIns::start().unwrap();
    stand_ins.token("alice", Duration::from_secs(60));
    let (status, user) = call(&stand_ins, Method::GET, "user_alice", None).await;
    assert_eq!((status, &user["first_name"], &user["username"]), (200, &json!("Alice"), &Value::Null));
    assert!(user["created_at"].as_i64().unwrap() > 1_000_000_000_000);

    let (status, user) =
        call(&stand_ins, Method::PATCH, "user_alice", Some(json!({ "first_name": "", "last_name": null })))
            .await;
    assert_eq!((status, &user["first_name"], &user["last_name"]), (200, &json!(""), &Value::Null));
    assert_eq!(stand_ins.user("user_alice").unwrap()["first_name"], "");

    let (status, gone) = call(&stand_ins, Method::DELETE, "user_alice", None).await;
    assert_eq!((status, gone), (200, json!({ "object": "user", "id": "user_alice", "deleted": true })));
    // The token is still minted, but nobody comes back by it.
    stand_ins.token("alice", Duration::from_secs(60));
    for method in [Method::DELETE, Method::GET] {
        let (status, body) = call(&stand_ins, method, "user_alice", None).await;
        assert_eq!((status, &body["errors"][0]["code"]), (404, &json!("resource_not_found")));
    }
    stand_ins.put_user(json!({ "object": "user", "id": "user_alice", "email_addresses": [] }));
    assert_eq!(call(&stand_ins, Method::GET, "user_alice", None).await.0, 200);
}

#[tokio::test]
async fn refusals_have_the_envelope() {
    let stand_ins = StandIns::start().unwrap();
    stand_ins.token("alice", Duration::from_secs(60));
    let (status, body) =
        call(&stand_ins, Method::PATCH, "user_alice", Some(json!({ "email_address": "x@example.org" })))
            .await;
    assert_eq!((status, &body["errors"][0]["meta"]["param_name"]), (422, &json!("email_address")));
    assert!(body["clerk_trace_id"].is_string());
    let url = stand_ins.url(Source::Clerk, "/v1/users/user_alice");
    let (status, body) = read(client().get(&url).bearer_auth("sk_other")).await;
    assert_eq!((status, &body["errors"][0]["code"]), (401, &json!("clerk_key_invalid")));
    assert_eq!(read(client().get(&url)).await.1["errors"][0]["code"], "authorization_header_format_invalid");
    stand_ins.fault(Source::Clerk, Some(Fault::clerk_too_many(3)));
    let response = client().get(&url).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"3".parse().unwrap())
    );
    stand_ins.fault(Source::Clerk, Some(Fault::clerk_internal()));
    assert_eq!(read(client().get(&url)).await.0, 500);
}

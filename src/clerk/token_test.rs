use serde_json::{Value, json};

use super::*;
use crate::clerk::fixture::{A, B, ISSUER, SESSION, T, claims, header, with};

fn rules() -> Rules {
    Rules::new(ISSUER, &[])
}

/// What becomes of a token with these changes to a faultless one, at the instant `now`.
fn judge_at(now: Millis, header_change: &Value, claims_change: &Value) -> Result<Session, Rejected> {
    let token = A.sign(&with(header("ins_a"), header_change), &with(claims(), claims_change));
    let key = public_key(&A.pem()).expect("a key");
    key_id(&token)?;
    rules().check(&token, &key, now)
}

fn judge(header_change: &Value, claims_change: &Value) -> Result<Session, Rejected> {
    judge_at(T * 1000, header_change, claims_change)
}

#[test]
fn a_session_token_names_its_account() {
    let session = judge(&json!({}), &json!({})).expect("valid");
    assert_eq!(session.account_id, account_id("user_alice"));
    assert_eq!(session.user_id.expose(), "user_alice");
    assert_eq!(session.expires_at, (T + 3600) * 1000);
    assert!(!session.impersonated);
    assert!(!format!("{session:?}").contains("user_alice"), "the id of a person must not reach a log");
}

#[test]
fn an_account_id_is_the_head_of_the_sha256_of_the_user_id() {
    // printf user_2abc | sha256sum
    assert_eq!(account_id("user_2abc").to_string(), "9ef1275a-df8c-85cf-1bb6-144d89b02d64");
}

#[test]
fn tokens_of_every_age_and_origin_are_accepted() {
    let accepted = [
        ("old tokens have no category", json!({"cat": null, "oiat": null}), json!({})),
        ("typ is optional", json!({"typ": null}), json!({})),
        ("new headers may come", json!({"new": {"a": [1]}, "oiat": 1.5}), json!({})),
        ("version 1", json!({}), json!({"v": null, "sts": null, "fva": null, "org_id": "org_1"})),
        ("nbf and iat are optional", json!({}), json!({"nbf": null, "iat": null})),
        ("any party where none is configured", json!({}), json!({"azp": "https://anywhere.example"})),
        ("an audience of the instance's own", json!({}), json!({"aud": "whatever"})),
    ];
    for (what, header, claims) in accepted {
        let judged = judge(&header, &claims);
        assert!(judged.is_ok(), "{what}: {judged:?}");
    }
}

#[test]
fn an_impersonated_session_says_so() {
    let act = json!({"act": {"iss": "https://dashboard.clerk.com", "sub": "user_support", "sid": "sess_9"}});
    assert!(judge(&json!({}), &act).expect("valid").impersonated);
}

#[test]
fn everything_else_is_refused_though_the_signature_is_good() {
    use Rejected::*;
    let refused = [
        (json!({"alg": "none"}), json!({}), Malformed),
        (json!({"alg": null}), json!({}), Malformed),
        (json!({"alg": "HS256"}), json!({}), Algorithm),
        (json!({"alg": "RS384"}), json!({}), Algorithm),
        (json!({"alg": "PS256"}), json!({}), Algorithm),
        (json!({"alg": "ES256"}), json!({}), Algorithm),
        (json!({"crit": ["exp"]}), json!({}), Critical),
        (json!({"crit": []}), json!({}), Critical),
        (json!({"typ": "at+jwt"}), json!({}), Type),
        (json!({"typ": "application/at+jwt"}), json!({}), Type),
        (json!({"typ": "jwt"}), json!({}), Type),
        (json!({"cat": "cl_B7d4PD222AAA"}), json!({}), Category),
        (json!({"cat": "cl_B7d4PD333AAA"}), json!({}), Category),
        (json!({"cat": "cl_I7d4PD111III"}), json!({}), Category),
        (json!({"cat": [SESSION]}), json!({}), Category),
        (json!({}), json!({"iss": null}), Malformed),
        (json!({}), json!({"iss": [ISSUER]}), Malformed),
        (json!({}), json!({"iss": "https://clerk.example.com/"}), Issuer),
        (json!({}), json!({"iss": "https://clerk.example.org"}), Issuer),
        (json!({}), json!({"exp": null}), Malformed),
        (json!({}), json!({"exp": "never"}), Malformed),
        (json!({}), json!({"exp": T - 60}), Expired),
        (json!({}), json!({"exp": i64::MIN}), Expired),
        (json!({}), json!({"nbf": T + 60}), NotYetValid),
        (json!({}), json!({"nbf": i64::MAX}), NotYetValid),
        (json!({}), json!({"iat": T + 60}), NotYetValid),
        (json!({}), json!({"iat": "now"}), Malformed),
        (json!({}), json!({"sts": "pending"}), PendingSession),
        (json!({}), json!({"sub": null}), Malformed),
        (json!({}), json!({"sub": "mch_1"}), Subject),
        (json!({}), json!({"sub": ""}), Subject),
        (json!({}), json!({"sid": null}), SessionId),
        (json!({}), json!({"sid": "oat_1"}), SessionId),
    ];
    for (header, claims, reason) in refused {
        let judged = judge(&header, &claims).expect_err("refused");
        assert_eq!(judged, reason, "header {header}, claims {claims}");
    }
}

#[test]
fn the_party_must_be_listed_where_a_token_has_one_and_a_list_is_configured() {
    let key = public_key(&A.pem()).expect("a key");
    let rules = Rules::new(ISSUER, &["https://app.example".into(), "https://www.example".into()]);
    let judge = |change: Value| {
        let token = A.sign(&header("ins_a"), &with(claims(), &change));
        rules.check(&token, &key, T * 1000).map(|_| ())
    };
    assert_eq!(judge(json!({"azp": "https://www.example"})), Ok(()));
    assert_eq!(judge(json!({})), Ok(()), "a native app has none");
    for other in ["https://evil.example", "https://app.example.evil", "https://app.example/", ""] {
        assert_eq!(judge(json!({"azp": other})), Err(Rejected::AuthorizedParty), "{other}");
    }
}

#[test]
fn the_boundaries_of_time_are_clerks() {
    let at = |millis: i64, change: Value| judge_at(T * 1000 + millis, &json!({}), &change).map(|_| ());
    // Expired if exp <= now - 5 s.
    let exp = json!({"exp": T});
    assert_eq!(at(4_999, exp.clone()), Ok(()));
    assert_eq!(at(5_000, exp.clone()), Err(Rejected::Expired));
    assert_eq!(at(5_001, exp), Err(Rejected::Expired));
    // Not yet valid if nbf or iat > now + 5 s.
    for claim in ["nbf", "iat"] {
        let change = with(json!({"nbf": T - 60, "iat": T - 60, "exp": T + 60}), &json!({claim: T}));
        assert_eq!(at(-5_001, change.clone()), Err(Rejected::NotYetValid), "{claim}");
        assert_eq!(at(-5_000, change), Ok(()), "{claim}");
    }
}

#[test]
fn a_signature_of_another_key_or_of_other_text_is_refused() {
    let key = public_key(&A.pem()).expect("a key");
    let check = |token: &str| rules().check(token, &key, T * 1000).map(|_| ());
    let good = A.session("ins_a");
    assert_eq!(check(&good), Ok(()));
    assert_eq!(check(&B.session("ins_a")), Err(Rejected::Signature));

    let parts: Vec<&str> = good.split('.').collect();
    let [head, _, signature] = parts[..] else { panic!("three parts") };
    let other = A.sign(&header("ins_a"), &with(claims(), &json!({"sub": "user_mallory"})));
    let payload = other.split('.').nth(1).expect("a payload");
    assert_eq!(check(&format!("{head}.{payload}.{signature}")), Err(Rejected::Signature));
    assert_eq!(check(&format!("{head}.{payload}.")), Err(Rejected::Signature));
}

#[test]
fn a_public_key_used_as_an_hmac_secret_opens_nothing() {
    let pem = A.pem();
    let mut forged_header = jsonwebtoken::Header::new(Algorithm::HS256);
    forged_header.kid = Some("ins_a".into());
    let secret = jsonwebtoken::EncodingKey::from_secret(pem.as_bytes());
    let forged = jsonwebtoken::encode(&forged_header, &claims(), &secret).expect("signs");
    assert_eq!(key_id(&forged), Err(Rejected::Algorithm));
    let key = public_key(&pem).expect("a key");
    let judged = rules().check(&forged, &key, T * 1000).expect_err("refused");
    assert_eq!(judged, Rejected::Algorithm, "also without the look at the header");
}

#[test]
fn what_is_no_token_is_malformed() {
    for text in ["", ".", "..", "...", "a.b.c", "e30.e30.e30", "\u{1F600}.\u{1F600}.x", "Bearer x", "\0"] {
        assert_eq!(key_id(text), Err(Rejected::Malformed), "{text:?}");
    }
}

#[test]
fn the_size_is_capped_at_eight_kilobytes() {
    let padded = |letters: usize| {
        let claims = with(claims(), &json!({"custom": "x".repeat(letters)}));
        A.sign(&header("ins_a"), &claims)
    };
    let largest = (5_000..6_000).map(padded).take_while(|token| token.len() <= MAX_BYTES).last();
    assert_eq!(key_id(&largest.expect("one fits")).map(|_| ()), Ok(()));
    assert_eq!(key_id(&padded(6_000)), Err(Rejected::TooLong));
    assert_eq!(key_id(&"a".repeat(MAX_BYTES + 1)), Err(Rejected::TooLong));
}

#[test]
fn only_a_public_rsa_key_is_accepted_as_the_fixed_key() {
    assert!(public_key(&A.pem()).is_ok());
    for wrong in ["", "a key", &A.pem().replace("PUBLIC", "PRIVATE"), &A.pem()[..100]] {
        let error = public_key(wrong).expect_err("refused");
        assert_eq!(error.name, "CLERK_JWT_KEY");
        assert!(wrong.is_empty() || !error.to_string().contains(wrong));
    }
}

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::demo::standin::{CLERK_SECRET_KEY, Fault, Source, StandIns};

/// Clerk with one user, Alice, and a client of it.
struct Clerk {
    stand_ins: StandIns,
    users: Users,
    alice: Secret,
}

impl Clerk {
    fn start() -> Self {
        let stand_ins = StandIns::start().expect("stand-ins");
        stand_ins.token("alice", Duration::from_secs(60));
        let (clerk, _) = stand_ins.configure().expect("settings");
        let users = Users::new(&clerk.backend).expect("a client");
        Self { stand_ins, users, alice: Secret::new("user_alice") }
    }

    /// Begins anew with a client that has asked nothing yet.
    fn forget(&mut self) {
        let (clerk, _) = self.stand_ins.configure().expect("settings");
        self.users = Users::new(&clerk.backend).expect("a client");
    }

    fn put(&self, user: Value) {
        self.stand_ins.put_user(user);
    }

    fn fault(&self, fault: Fault) {
        self.stand_ins.fault(Source::Clerk, Some(fault));
    }

    /// What each of the three calls makes of the fault that is set.
    async fn all(&self) -> [Option<UsersError>; 3] {
        [
            self.users.get(&self.alice).await.err(),
            self.users.rename(&self.alice, Some(None), None).await.err(),
            self.users.delete(&self.alice).await.err(),
        ]
    }

    async fn get(&self) -> Profile {
        self.users.get(&self.alice).await.expect("a profile")
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn a_profile_is_what_clerk_says_now() {
    let clerk = Clerk::start();
    let profile = clerk.get().await;
    assert_eq!((profile.first_name, profile.last_name), (text("Alice"), text("Example")));
    assert_eq!((profile.username, profile.email_addresses), (None, vec!["alice@example.org".to_owned()]));
    clerk.put(json!({ "object": "user", "id": "user_alice", "first_name": "Other", "email_addresses": [] }));
    assert_eq!(clerk.get().await.first_name, text("Other"), "nothing is kept");
    let sent = clerk.stand_ins.requests(Source::Clerk);
    assert_eq!(sent.len(), 2);
    let sent = &sent[0];
    assert_eq!((sent.method.as_str(), sent.target.as_str()), ("GET", "/v1/users/user_alice"));
    assert_eq!(sent.header("authorization"), Some(format!("Bearer {CLERK_SECRET_KEY}").as_str()));
    assert_eq!(sent.header("clerk-api-version"), Some("2026-05-12"));
    assert_eq!(sent.header("referer"), None);
}

#[tokio::test]
async fn a_profile_may_lack_everything() {
    let clerk = Clerk::start();
    let address = |id: &str, text: &str| json!({ "id": id, "email_address": text, "verification": null });
    let shapes = [
        (json!({ "email_addresses": [] }), None, vec![]),
        (json!({ "first_name": "", "username": null, "email_addresses": [] }), None, vec![]),
        (
            json!({ "first_name": "Al", "primary_email_address_id": "idn_2",
                    "email_addresses": [address("idn_1", "a@x"), address("idn_2", "b@x"), address("idn_3", "c@x")] }),
            text("Al"),
            vec!["b@x", "a@x", "c@x"],
        ),
        (
            json!({ "primary_email_address_id": null, "email_addresses": [address("idn_1", "a@x")] }),
            None,
            vec!["a@x"],
        ),
    ];
    for (mut user, first_name, addresses) in shapes {
        user["id"] = "user_alice".into();
        clerk.put(user);
        let profile = clerk.get().await;
        assert_eq!(
            (profile.first_name, profile.email_addresses),
            (first_name, addresses.iter().map(ToString::to_string).collect())
        );
        assert_eq!(format!("{:?}", clerk.get().await), "[profile]");
    }
}

#[tokio::test]
async fn names_are_changed_cleared_and_left_alone() {
    let clerk = Clerk::start();
    let rename = async |first, last| {
        let profile = clerk.users.rename(&clerk.alice, first, last).await.expect("renamed");
        (profile.first_name, profile.last_name)
    };
    assert_eq!(rename(Some(text("Ada")), None).await, (text("Ada"), text("Example")));
    assert_eq!(rename(None, Some(None)).await, (text("Ada"), None));
    assert_eq!(rename(Some(None), Some(text("Byron"))).await, (None, text("Byron")));
    assert_eq!(clerk.stand_ins.user("user_alice").expect("kept")["first_name"], Value::Null);
    let bodies: Vec<Vec<u8>> =
        clerk.stand_ins.requests(Source::Clerk).into_iter().map(|sent| sent.body).collect();
    assert_eq!(bodies[0], br#"{"first_name":"Ada"}"#, "what stays is not sent");
    assert_eq!(bodies[1], br#"{"last_name":null}"#);
}

#[tokio::test]
async fn a_deleted_user_is_deleted_again_with_success() {
    let clerk = Clerk::start();
    for _ in 0..2 {
        assert_eq!(clerk.users.delete(&clerk.alice).await, Ok(()));
        assert_eq!(clerk.stand_ins.user("user_alice"), None);
    }
    assert_eq!(clerk.users.get(&clerk.alice).await.err(), Some(UsersError::NotFound));
    assert_eq!(clerk.users.rename(&clerk.alice, Some(None), None).await.err(), Some(UsersError::NotFound));
}

#[tokio::test]
async fn what_is_not_clerks_word_deletes_nobody() {
    let clerk = Clerk::start();
    let page = "<html>not here</html>";
    for fault in [
        Fault::Status(404, "text/html".into(), page.into()),
        Fault::json(404, &json!({ "errors": [{ "code": "route_not_found" }] })),
        Fault::Status(200, "text/html".into(), page.into()),
        Fault::json(200, &json!({ "object": "user", "deleted": false })),
        Fault::json(204, &json!({})),
        Fault::StatusWithHeaders(302, vec![("location".into(), "/elsewhere".into())], "".into()),
    ] {
        clerk.fault(fault);
        assert_eq!(clerk.users.delete(&clerk.alice).await, Err(UsersError::Unavailable));
    }
}

#[tokio::test]
async fn every_fault_has_its_name() {
    let mut clerk = Clerk::start();
    let limited = |seconds| UsersError::RateLimited { retry_after_seconds: seconds };
    let too_many = |header: &str| {
        Fault::StatusWithHeaders(429, vec![("retry-after".into(), header.into())], "{\"errors\":[]}".into())
    };
    let key_invalid = json!({ "errors": [{ "code": "clerk_key_invalid" }] });
    let oversized =
        json!({ "id": "user_alice", "email_addresses": [], "deleted": true, "x": "x".repeat(MAX_BODY) });
    for (fault, expected) in [
        (Fault::clerk_too_many(7), limited(Some(7))),
        (too_many("Wed, 21 Oct 2026 07:28:00 GMT"), limited(None)),
        (too_many("99999999999"), limited(Some(MAX_RETRY_AFTER))),
        (Fault::Status(429, "text/plain".into(), "".into()), limited(None)),
        (Fault::clerk_internal(), UsersError::Unavailable),
        (Fault::Html, UsersError::Unavailable),
        (Fault::Close, UsersError::Unavailable),
        (Fault::EndlessBody, UsersError::Unavailable),
        (Fault::json(200, &oversized), UsersError::Unavailable),
        (Fault::json(401, &key_invalid), UsersError::Refused),
        (Fault::json(403, &json!({ "errors": [] })), UsersError::Refused),
    ] {
        let said = format!("{fault:?}");
        clerk.fault(fault);
        // No pause and no count of the fault before.
        clerk.forget();
        let all = clerk.all().await;
        let said = &said[..said.len().min(200)];
        assert_eq!(all[0], Some(expected), "{said}");
        let later = match expected {
            // Without its length the pause has one of ours.
            UsersError::RateLimited { retry_after_seconds: None } => limited(Some(5)),
            other => other,
        };
        assert_eq!(all[1..], [Some(later); 2], "{said}");
    }
    clerk.stand_ins.fault(Source::Clerk, None);
    clerk.forget();
    assert!(clerk.users.get(&clerk.alice).await.is_ok());
}

#[tokio::test]
async fn nobody_waits_longer_than_the_time_out() {
    let clerk = Clerk::start();
    for fault in [Fault::Hang, Fault::HangAfterHeaders] {
        clerk.fault(fault);
        let begun = std::time::Instant::now();
        assert_eq!(clerk.users.delete(&clerk.alice).await, Err(UsersError::Unavailable));
        assert!(begun.elapsed() >= TIMEOUT, "it is waited for");
    }
}

#[tokio::test]
async fn a_name_that_clerk_refuses_is_named() {
    let clerk = Clerk::start();
    let refused = |fields: &[&str]| {
        let errors: Vec<Value> = fields
            .iter()
            .map(|field| json!({ "code": "form_param_invalid", "meta": { "param_name": field } }))
            .collect();
        Fault::json(422, &json!({ "errors": errors }))
    };
    for (fields, expected) in [
        (vec!["first_name"], UsersError::Invalid { first_name: true, last_name: false }),
        (vec!["last_name", "first_name"], UsersError::Invalid { first_name: true, last_name: true }),
        (vec!["external_id"], UsersError::Unavailable),
        (vec![], UsersError::Unavailable),
    ] {
        clerk.fault(refused(&fields));
        let error = clerk.users.rename(&clerk.alice, Some(text("x")), Some(text("y"))).await.err();
        assert_eq!(error, Some(expected));
    }
}

#[tokio::test]
async fn without_a_key_nothing_is_asked() {
    let clerk = Clerk::start();
    let (settings, _) = clerk.stand_ins.configure().expect("settings");
    let users = Users::new(&config::Backend { secret_key: None, ..settings.backend }).expect("a client");
    assert!(!users.is_configured() && clerk.users.is_configured());
    assert_eq!(users.get(&clerk.alice).await.err(), Some(UsersError::NotConfigured));
    assert_eq!(users.delete(&clerk.alice).await, Err(UsersError::NotConfigured));
    assert!(clerk.stand_ins.requests(Source::Clerk).is_empty());
}

#[tokio::test]
async fn an_id_stays_in_its_place() {
    let clerk = Clerk::start();
    for id in ["", "..", "sess_1", "../jwks", &format!("user_{}", "x".repeat(MAX_ID))] {
        assert_eq!(clerk.users.get(&Secret::new(id)).await.err(), Some(UsersError::NotFound));
    }
    assert!(clerk.stand_ins.requests(Source::Clerk).is_empty());
    let id = Secret::new("user_/../../jwks?x=1#é");
    assert_eq!(clerk.users.get(&id).await.err(), Some(UsersError::NotFound));
    let sent = clerk.stand_ins.requests(Source::Clerk);
    assert_eq!(sent[0].target, "/v1/users/user_%2F%2E%2E%2F%2E%2E%2Fjwks%3Fx%3D1%23%C3%A9");
}

/// An account that asks for its profile again and again asks Clerk a few times; a deletion is not held up.
#[tokio::test]
async fn three_hundred_calls_reach_clerk_a_few_times() {
    let clerk = Clerk::start();
    let calls = (0..306).map(|_| clerk.users.get(&clerk.alice));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok), "one answer serves all that ask at once");
    for _ in 0..306 {
        let _ = clerk.users.get(&clerk.alice).await;
    }
    let sent = clerk.stand_ins.requests(Source::Clerk).len();
    assert!((2..=11).contains(&sent), "{sent}");
    assert_eq!(clerk.users.delete(&clerk.alice).await, Ok(()));
}

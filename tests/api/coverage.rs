//! Walks over every operation of the contract, whatever it is: nobody gets in without a token, nobody
//! sees or touches what is another's, and what is no operation is answered as such. An operation that
//! is new fails here until this test knows how to call it.

use std::time::Duration;

use poem::http::Method;
use serde_json::{Value, json};

use crate::deletion::literal;
use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::both;
use crate::support::operations::{self, Ids, Operation, PAGES};
use crate::support::persona::Persona;
use crate::support::titles::SERIES;

pub const LIST: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a001";
const COMMENT: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a002";
const RECEIPT: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a004";
const EVENT: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a003";

const DEVICE: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a004";
const IMPORT: &str = "7f1f6a52-63a3-4a52-9d3c-0c4de1f7a005";

/// The ids of what alice has.
pub const HERS: Ids<'static> = Ids(&[
    ("media_id", SERIES),
    ("season", "1"),
    ("episode", "2"),
    ("list_id", LIST),
    ("comment_id", COMMENT),
    ("event_id", EVENT),
    ("receipt_id", RECEIPT),
    ("import_id", IMPORT),
    // Nobody has sealed this one: `export` looks at those that lead somewhere.
    ("token", "bm90IGFuIGFkZHJlc3MgdGhhdCBsZWFkcyBhbnl3aGVyZQ"),
    ("device_id", DEVICE),
    ("policy", "privacy"),
    ("source", "tmdb"),
    ("size", "small"),
    ("image", "demomoviePoster603.jpg"),
    // What a phone has kept of an address must serve for ever: this changes with no release.
    ("signature", "4331LwbYx5A8Hk6zHj1aMA"),
]);

/// All methods that a client might try.
const METHODS: [Method; 6] =
    [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS];

pub async fn call(who: &Persona, operation: &Operation) -> Answer {
    let call = who.request(operation.method.clone(), &operation.path(&HERS));
    match operation.body() {
        Some(body) => call.json(&body).send().await,
        None => call.send().await,
    }
}

/// One of everything that an account can have, under the ids above.
pub async fn furnish(who: &Persona) {
    let entry = format!("/v1/library/{SERIES}");
    let writes = [
        (entry.clone(), json!({ "status": "in_progress", "rating": 88, "favorite": true })),
        (format!("{entry}/episodes/1/2"), json!({ "watched_on": "2020-03-01" })),
        (format!("{entry}/review"), json!({ "title": "Mine", "body": "All mine", "spoiler": true })),
        (format!("{entry}/comments/{COMMENT}"), json!({ "body": "Mine too" })),
        (format!("{entry}/history/{EVENT}"), json!({ "finished_on": "2020-03-01", "precision": "month" })),
        (format!("/v1/lists/{LIST}"), json!({ "name": "My list", "description": "Of mine" })),
        (format!("/v1/lists/{LIST}/items/{SERIES}"), json!({ "note": "My note" })),
        (
            format!("/v1/account/devices/{DEVICE}"),
            json!({ "model": "Mine", "os_version": "1", "app_version": "2" }),
        ),
    ];
    for (path, body) in writes {
        who.put(&path, body).send().await.expect(201);
    }
    // Where no policy was served there is nothing to decide about.
    let accepted = json!({ "version": "1", "decision": "accepted" });
    let decided = who.put("/v1/account/consents/privacy", accepted).send().await;
    assert!([201, 404].contains(&decided.status), "{}", decided.text());
}

/// A policy that people can decide about was served before.
pub async fn serve_policy(t: &TestApp) {
    t.sql("INSERT INTO policy_version VALUES ('privacy', '1', 1) ON CONFLICT DO NOTHING").await;
}

/// Somebody was erased before, and has the receipt whose number is above.
pub async fn give_receipt(t: &TestApp) {
    let receipt = literal(t, RECEIPT.parse().unwrap());
    t.sql(&format!(
        "INSERT INTO receipt (id, reason, asked_at, erased_at, clerk) \
         VALUES ({receipt}, 'person', {now}, {now}, 'done')",
        now = omnitrack::clock::now(),
    ))
    .await;
}

/// All of that, and what the service itself names.
async fn furnish_alice(t: &TestApp) {
    furnish(&t.alice).await;
    let account = t.alice.get("/v1/account").send().await.expect(200).json();
    let ids = [&account["id"], &json!(IMPORT)].map(|id| id.as_str().unwrap().parse::<uuid::Uuid>().unwrap());
    omnitrack::db::execute(
        t.app.db.shared(),
        "INSERT INTO import (account_id, id, state, position, report, created_at, updated_at) \
         VALUES ($1, $2, 'done', 0, '{}', $3, $3)",
        ids.map(sea_orm::Value::from).into_iter().chain([omnitrack::clock::now().into()]),
    )
    .await
    .unwrap();
}

/// What somebody may not do who acts in the person's name; everything else they may.
const NOT_IN_THE_PERSONS_NAME: [&str; 13] = [
    "createExport",
    "createImport",
    "deleteAccount",
    "deleteDevice",
    "getDevice",
    "getImport",
    "listConsents",
    "listDevices",
    "listExports",
    "listImports",
    "putConsent",
    "putDevice",
    "restoreAccount",
];

/// What the one who asks has of his own.
#[derive(Debug, Clone, Copy)]
enum World {
    Nothing,
    /// The same title, and a list.
    Parents,
    /// All of it, under the very same ids.
    Twins,
}

impl World {
    const ALL: [Self; 3] = [Self::Nothing, Self::Parents, Self::Twins];

    async fn furnish(self, who: &Persona) {
        match self {
            Self::Nothing => {}
            Self::Parents => {
                let entry = format!("/v1/library/{SERIES}");
                who.put(&entry, json!({ "status": "backlog" })).send().await.expect(201);
                let list = "/v1/lists/7f1f6a52-63a3-4a52-9d3c-0c4de1f7affe";
                who.put(list, json!({ "name": "Own" })).send().await.expect(201);
            }
            Self::Twins => furnish(who).await,
        }
    }
}

/// Everything that the account can read of its own, with its entity tags.
async fn belongings(who: &Persona) -> Vec<(String, Option<String>, String)> {
    let mut found = Vec::new();
    let own = |op: &Operation| op.method == Method::GET && op.secured && op.id != "searchMedia";
    for operation in operations::all().into_iter().filter(own) {
        let operation = &operation;
        let answer = call(who, operation).await.expect(200);
        found.push((answer.asked.clone(), answer.header("etag").map(str::to_owned), answer.text()));
    }
    found
}

/// An answer without what differs by nature: the request's id, what is left of the limit, and times.
fn essence(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let headers =
        answer.headers.iter().filter(|(name, _)| !["x-request-id", "ratelimit"].contains(&name.as_str()));
    let headers = headers.map(|(name, value)| {
        let text = value.to_str().unwrap();
        // The hash of the body covers the times.
        let text = if name == "etag" { text.split('.').next().unwrap() } else { text };
        (name.to_string(), text.to_owned())
    });
    let mut body = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(answer.text()));
    blank(&mut body);
    (answer.status, headers.collect(), body)
}

fn blank(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if ["request_id", "created_at", "updated_at", "added_at", "decided_at"]
                    .contains(&name.as_str())
                {
                    *member = json!("…");
                } else {
                    blank(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blank),
        _ => {}
    }
}

both! {
    async fn nobody_gets_in_without_a_token(t: TestApp) {
        // Filling titles in would change what is compared.
        t.stop_jobs().await;
        serve_policy(&t).await;
        furnish_alice(&t).await;
        let before = belongings(&t.alice).await;
        let claims = |change: &dyn Fn(&mut Value)| {
            let mut claims = t.stand_ins.claims("alice", Duration::from_secs(3600));
            change(&mut claims);
            t.stand_ins.token_with(&t.stand_ins.header(), &claims)
        };
        let mut unsigned = t.alice.token.clone().unwrap();
        unsigned.truncate(unsigned.rfind('.').unwrap() + 1);
        let unfit = [
            "garbage".to_owned(),
            unsigned,
            claims(&|claims| claims["exp"] = json!(1_600_000_000)),
            claims(&|claims| claims["iss"] = json!("https://elsewhere.example")),
        ];
        let mut open = 0;
        for operation in operations::all() {
            if !operation.secured {
                open += 1;
                continue;
            }
            let without = call(&t.anon, &operation).await.expect_problem(401, "unauthorized");
            assert_eq!(without.header("www-authenticate"), Some("Bearer realm=\"omnitrack\""));
            for token in &unfit {
                let mut anon = t.anon.clone();
                anon.token = Some(token.clone());
                let with = call(&anon, &operation).await;
                assert_eq!(essence(&with), essence(&without), "{}", operation.id);
            }
        }
        assert_eq!(open, 3, "an operation that needs no token is a decision: count it here");
        assert_eq!(belongings(&t.alice).await, before);
    }

    async fn the_token_is_a_bearer_token_and_comes_once(t: TestApp) {
        let token = t.alice.token.clone().unwrap();
        for (header, status) in [
            (format!("Bearer {token}"), 200),
            (format!("bearer {token}"), 200),
            (format!("Basic {token}"), 401),
            (token.clone(), 401),
            ("Bearer".to_owned(), 401),
            (String::new(), 401),
        ] {
            t.anon.get("/v1/account").header("authorization", &header).send().await.expect(status);
        }
        let twice = t.alice.get("/v1/account").header("authorization", &format!("Bearer {token}"));
        twice.send().await.expect(401);
        t.anon.get(&format!("/v1/account?access_token={token}")).send().await.expect(401);
    }

    async fn anothers_ids_are_as_ids_that_never_were(t: TestApp) {
        serve_policy(&t).await;
        // What is known of titles is shared: it is known before anybody of this test asks.
        let stranger = t.persona("stranger");
        stranger
            .put(&format!("/v1/library/{SERIES}"), json!({ "status": "backlog" }))
            .send()
            .await
            .expect(201);
        t.filled(SERIES).await;
        let image = operations::all().into_iter().find(|operation| operation.id == "getImage").unwrap();
        stranger.get(&image.path(&HERS)).send().await.expect(200);

        let with_ids: Vec<Operation> =
            operations::all().into_iter().filter(|operation| operation.template.contains('{')).collect();
        assert!(with_ids.len() > 20);
        let mut expected = Vec::new();
        for world in World::ALL {
            for operation in &with_ids {
                let nobody = t.persona(&format!("before_{world:?}_{}", operation.id));
                world.furnish(&nobody).await;
                let answer = call(&nobody, operation).await;
                assert!(answer.status < 500, "{world:?}: {}: {}", operation.id, answer.text());
                expected.push(essence(&answer));
            }
        }

        furnish_alice(&t).await;
        t.filled(SERIES).await;
        let before = belongings(&t.alice).await;
        let mut expected = expected.into_iter();
        for world in World::ALL {
            for operation in &with_ids {
                let bob = t.persona(&format!("after_{world:?}_{}", operation.id));
                world.furnish(&bob).await;
                let answer = call(&bob, operation).await;
                assert_eq!(essence(&answer), expected.next().unwrap(), "{world:?}: {}", operation.id);
            }
        }
        assert_eq!(belongings(&t.alice).await, before, "alice's own are as they were");
    }

    async fn a_cursor_opens_nobody_elses_page(t: TestApp) {
        for number in 1..=3 {
            let path = format!("/v1/library/movie:tmdb:{number}");
            t.alice.put(&path, json!({ "status": "backlog" })).send().await.expect(201);
        }
        let own = format!("/v1/library/{SERIES}");
        t.bob.put(&own, json!({ "status": "backlog" })).send().await.expect(201);
        let page = t.alice.get("/v1/library?limit=1&sort=updated_at&order=asc").send().await.expect(200);
        let cursor = page.next_cursor().expect("a second page");
        let next = format!("/v1/library?limit=50&sort=updated_at&order=asc&cursor={cursor}");
        let items = t.bob.get(&next).send().await.expect(200).items();
        assert!(items.iter().all(|item| item["media_id"] == SERIES), "{items:?}");
    }

    async fn what_is_no_operation(t: TestApp) {
        for path in ["/", "/v1", "/v1/", "/v2/library", "/v1/librarys", "/v1/library/", "/admin", "/.env"] {
            for who in [&t.anon, &t.alice] {
                who.get(path).send().await.expect_problem(404, "not_found");
            }
        }
        let operations = operations::all();
        for operation in &operations {
            let known: Vec<&Method> =
                operations.iter().filter(|o| o.template == operation.template).map(|o| &o.method).collect();
            let mut allow: Vec<&str> = known.iter().map(|method| method.as_str()).collect();
            allow.extend(known.contains(&&Method::GET).then_some("HEAD"));
            allow.sort_unstable();
            for method in METHODS.iter().filter(|method| !known.contains(method)) {
                let answer = t.alice.request(method.clone(), &operation.path(&HERS)).send().await;
                let answer = answer.expect_problem(405, "method_not_allowed");
                let mut said: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
                said.sort_unstable();
                assert_eq!(said, allow, "{}", operation.template);
            }
        }
        let door = t.anon.get("/webhooks/clerk").send().await;
        assert_eq!(door.expect_problem(405, "method_not_allowed").header("allow"), Some("POST"));
        for page in PAGES {
            let answer = t.anon.request(Method::POST, page).send().await;
            assert_eq!(answer.expect_problem(405, "method_not_allowed").header("allow"), Some("GET, HEAD"));
        }
    }

    async fn what_binds_or_exposes_a_person_is_their_own_to_do(t: TestApp) {
        t.stop_jobs().await;
        serve_policy(&t).await;
        furnish_alice(&t).await;
        let support = t.impersonated("alice");
        let before = belongings(&t.alice).await;
        let (refused, allowed): (Vec<Operation>, Vec<Operation>) = operations::all()
            .into_iter()
            .filter(|operation| operation.secured)
            .partition(|operation| NOT_IN_THE_PERSONS_NAME.contains(&operation.id.as_str()));
        assert_eq!(refused.len(), NOT_IN_THE_PERSONS_NAME.len());
        for operation in &refused {
            call(&support, operation).await.expect_problem(403, "impersonated");
        }
        assert_eq!(belongings(&t.alice).await, before, "nothing was changed");
        for operation in &allowed {
            let answer = call(&support, operation).await;
            assert!(answer.status < 500 && answer.status != 403, "{}: {}", operation.id, answer.text());
        }
    }

    async fn nothing_personal_stays_in_a_phones_cache(t: TestApp) {
        serve_policy(&t).await;
        furnish_alice(&t).await;
        give_receipt(&t).await;
        let mut operations = operations::all();
        // Afterwards there is nothing left to answer with.
        operations.sort_by_key(|operation| operation.id == "deleteAccount");
        for operation in operations.iter().filter(|operation| operation.id != "getImage") {
            for who in [&t.anon, &t.alice] {
                let answer = call(who, operation).await;
                let (status, said) = (answer.status, answer.header("cache-control"));
                assert_eq!(said, Some("no-store"), "{}: {status}", operation.id);
            }
        }
    }

    async fn head_is_get_without_the_body(t: TestApp) {
        serve_policy(&t).await;
        furnish_alice(&t).await;
        t.filled(SERIES).await;
        give_receipt(&t).await;
        let get = |operation: &&Operation| operation.method == Method::GET && operation.id != "downloadExport";
        for operation in operations::all().iter().filter(get) {
            let path = operation.path(&HERS);
            let get = t.alice.get(&path).send().await.expect(200);
            let head = t.alice.request(Method::HEAD, &path).send().await.expect(200);
            assert!(head.body.is_empty(), "{path}");
            for name in ["content-type", "etag"] {
                assert_eq!(head.header(name), get.header(name), "{path}: {name}");
            }
        }
        for page in PAGES {
            t.anon.get(page).send().await.expect(200);
            let head = t.anon.request(Method::HEAD, page).send().await.expect(200);
            assert!(head.body.is_empty(), "{page}");
        }
    }
}

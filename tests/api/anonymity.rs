//! What an auditor asks: show that a source cannot tell who asks. People who have nothing in common go
//! through every operation of the contract, whatever it is. What the sources received, byte for byte as
//! it came over the connection, is the same whoever it was for, and holds nothing of anybody.

use std::collections::BTreeSet;

use omnitrack::catalog::Disclosure;
use omnitrack::demo::standin::Source;
use poem::http::Method;
use serde_json::{Value, json};

use crate::coverage::{HERS, give_receipt, serve_policy};
use crate::support::app::TestApp;
use crate::support::both;
use crate::support::cursor;
use crate::support::operations::{self, Ids, Operation, document};
use crate::support::persona::{Call, Persona};
use crate::support::stranger::{Stranger, forms};
use crate::support::titles::{BOOK, GAME, MOVIE, SERIES};

const SOURCES: [Source; 4] = [Source::Tmdb, Source::Twitch, Source::Igdb, Source::GoogleBooks];

const TITLES: [&str; 4] = [MOVIE, SERIES, GAME, BOOK];

/// What anybody may ask, beyond the one question per operation that the walk knows.
const QUESTIONS: [&str; 9] = [
    "/v1/search?q=Dune",
    "/v1/search?q=the+witcher&kind=game",
    "/v1/search?q=inauthor%3AHerbert+%22dune%22&kind=book&page=2",
    "/v1/search?q=matrix&kind=movie&language=de&page=2",
    "/v1/search?q=thrones&kind=tv&language=pt-BR",
    "/v1/media/movie:tmdb:603?language=ja",
    "/v1/media/tv:tmdb:999999",
    "/v1/media/book:google_books:unknown",
    "/v1/media?ids=movie:tmdb:27205,tv:tmdb:1396,game:igdb:1020,game:igdb:999999,book:google_books:gK98gXR8onwC",
];

/// Everything that came to the sources after `from`, byte for byte.
fn received(t: &TestApp, from: [usize; 4]) -> Vec<(Source, Vec<u8>)> {
    SOURCES
        .into_iter()
        .zip(from)
        .flat_map(|(source, from)| {
            t.stand_ins.requests(source).split_off(from).into_iter().map(move |own| (source, own.raw))
        })
        .collect()
}

fn counts(t: &TestApp) -> [usize; 4] {
    SOURCES.map(|source| t.stand_ins.requests(source).len())
}

/// A value that a query parameter of this schema takes.
fn value(schema: &Value, words: &str) -> Option<String> {
    let schema = resolve(schema);
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.last()) {
        return first.as_str().map(str::to_owned);
    }
    match schema["type"].as_str()? {
        "boolean" => Some("true".into()),
        "integer" => Some(schema["minimum"].as_i64().unwrap_or(1).to_string()),
        "array" => value(&schema["items"], words),
        "string" if schema["format"] == "date-time" => Some("2024-01-01T00:00:00.000Z".into()),
        "string" => Some(words.to_owned()),
        _ => None,
    }
}

fn resolve(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(name) => &document()["components"]["schemas"][name.rsplit('/').next().unwrap()],
        None => schema,
    }
}

/// The operation as it is meant, then with each of its optional parameters, and with each text of its
/// body made the person's own.
async fn calls(who: &Persona, stranger: &Stranger, operation: &Operation, ids: &Ids<'_>) -> Vec<Call> {
    let path = operation.path(ids);
    let mut body = operation.body();
    if let Some(cursor) = body.as_mut().and_then(|body| body.get_mut("cursor")) {
        *cursor = json!(cursor::cursor(who).await);
    }
    let call = |path: &str, body: Option<&Value>| {
        let call = stranger.send_along_once(who.request(operation.method.clone(), path), &operation.id);
        match body {
            Some(body) => call.json(body),
            None => call,
        }
    };
    let mut calls = vec![call(&path, body.as_ref())];
    for parameter in operation.spec["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let own = match name {
            "language" => Some("fr-CA".to_owned()),
            _ => value(&parameter["schema"], &stranger.words.replace(' ', "+")),
        };
        if let Some(own) = own.filter(|_| parameter["in"] == "query" && parameter["required"] != true) {
            let sign = if path.contains('?') { '&' } else { '?' };
            calls.push(call(&format!("{path}{sign}{name}={own}"), body.as_ref()));
        }
    }
    let schema = resolve(&operation.spec["requestBody"]["content"]["application/json"]["schema"]);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let property = resolve(property);
        if property["type"] == "string" && property.get("enum").is_none() && property.get("format").is_none()
        {
            let mut body = body.clone().unwrap_or_else(|| json!({}));
            body[name.as_str()] = json!(stranger.words);
            calls.push(call(&path, Some(&body)));
        }
    }
    calls
}

/// First what makes things, outer before inner; then what shows them; then what takes them away, inner
/// before outer.
fn in_order() -> Vec<Operation> {
    let mut operations = operations::all();
    operations.sort_by_key(|operation| {
        let depth = operation.template.len();
        match operation.method {
            Method::GET => (1, depth),
            Method::DELETE => (2, usize::MAX - depth),
            _ => (0, depth),
        }
    });
    operations
}

/// Goes through everything that the service can do; returns what of it was done.
async fn live(t: &TestApp, stranger: &Stranger) -> (Persona, String, BTreeSet<String>) {
    serve_policy(t).await;
    give_receipt(t).await;
    let who = stranger.sign_in(t);
    let account = stranger.send_along(who.get("/v1/account")).send().await.expect(200);
    let account = account.json()["id"].as_str().unwrap().to_owned();
    let mut done = BTreeSet::new();
    // What the service names itself, by the parameter that it is then asked for with.
    let mut named: Vec<(&str, String)> = Vec::new();
    let mut before = Method::PUT;
    for operation in in_order() {
        if operation.method == Method::GET && before != Method::GET {
            for title in TITLES {
                t.filled(title).await;
            }
            for path in QUESTIONS {
                stranger.send_along(who.get(path)).send().await;
            }
        }
        before = operation.method.clone();
        let titles = if operation.template.contains("{media_id}") { &TITLES[..] } else { &TITLES[..1] };
        for title in titles {
            let mut ids = HERS.0.to_vec();
            ids.iter_mut().filter(|(name, _)| *name == "media_id").for_each(|(_, id)| *id = title);
            for (name, id) in &mut ids {
                *id = named.iter().find(|(own, _)| own == name).map_or(id, |(_, own)| own);
            }
            for call in calls(&who, stranger, &operation, &Ids(&ids)).await {
                let answer = call.send().await;
                assert!(answer.status < 500 || answer.status == 503, "{}: {}", answer.asked, answer.text());
                if answer.status < 400 {
                    done.insert(operation.id.clone());
                }
                match (operation.id.as_str(), answer.status) {
                    ("createExport", 201) => {
                        let url = answer.json()["url"].as_str().unwrap().to_owned();
                        named.push(("token", url.rsplit('/').next().unwrap().to_owned()));
                    }
                    ("createImport", 202) => {
                        named.push(("import_id", answer.json()["id"].as_str().unwrap().to_owned()));
                    }
                    _ => {}
                }
            }
        }
    }
    (who, account, done)
}

/// The token that Twitch has given to the service differs with each sign-in of the service.
fn without_our_token(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).expect("what we send is text");
    regex::Regex::new("Bearer demo[0-9]{26}")
        .unwrap()
        .replace_all(&text, "Bearer …")
        .into_owned()
        .into_bytes()
}

fn shown(source: Source, bytes: &[u8]) -> String {
    format!("{source:?} received:\n{}", String::from_utf8_lossy(bytes))
}

/// Fails where anything of the person is in what a source received.
fn assert_nothing_of(secrets: &[String], received: &[(Source, Vec<u8>)], seed: u64) {
    for secret in secrets {
        let (exact, caseless) = forms(secret);
        for (source, bytes) in received {
            let text = String::from_utf8_lossy(bytes);
            let lower = text.to_lowercase();
            let found = exact.iter().find(|form| text.contains(form.as_str()));
            let found = found.or_else(|| caseless.iter().find(|form| lower.contains(form.as_str())));
            if let Some(form) = found {
                panic!("seed {seed}: {secret:?} is seen as {form:?}: {}", shown(*source, bytes));
            }
        }
    }
}

both! {
    async fn a_source_cannot_tell_who_asks(t: TestApp) {
        let seed = match std::env::var("OMNITRACK_TEST_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => rand::random::<u32>().into(),
        };
        println!("OMNITRACK_TEST_SEED={seed}");
        let mut first: Option<BTreeSet<(String, Vec<u8>)>> = None;
        for number in 0..2 {
            // Nothing is known yet, so that everything is asked: caches, tables, tokens, connections.
            let from = counts(&t);
            let stranger = Stranger::new(seed + number);
            let (who, account, done) = live(&t, &stranger).await;
            let left: Vec<String> =
                operations::all().into_iter().map(|own| own.id).filter(|id| !done.contains(id)).collect();
            assert!(left.is_empty(), "these were never done, so nothing is shown of them: {left:?}");
            let received = received(&t, from);
            for source in SOURCES {
                assert!(received.iter().any(|(own, _)| *own == source), "{source:?} was not asked");
            }
            assert!(received.len() > 25, "{}", received.len());

            let secrets = stranger.secrets(who.token.as_deref().unwrap(), &account);
            assert!(secrets.len() > 50 && secrets.iter().all(|secret| secret.len() >= 6), "{secrets:?}");
            assert_nothing_of(&secrets, &received, seed);

            let bytes: BTreeSet<(String, Vec<u8>)> = received
                .iter()
                .map(|(source, bytes)| (format!("{source:?}"), without_our_token(bytes)))
                .collect();
            match &first {
                None => first = Some(bytes),
                Some(first) => {
                    let differing: Vec<String> = first
                        .symmetric_difference(&bytes)
                        .map(|(source, bytes)| format!("{source}: {}", String::from_utf8_lossy(bytes)))
                        .collect();
                    assert!(differing.is_empty(), "seed {seed}: sources can tell two people apart:\n{}", differing.join("\n"));
                }
            }
            t = t.afresh().await;
        }
    }

    async fn the_page_tells_all_that_can_leave(t: TestApp) {
        let page = t.anon.get("/privacy").send().await.expect(200).text();
        for told in Disclosure::ALL {
            let row = format!("<tr><td>{}</td><td>{}</td></tr>", told.why(), told.sent());
            assert_eq!(page.matches(&row).count(), 1, "{told:?}");
        }
        assert_eq!(page.matches("<tr><td>").count(), Disclosure::ALL.len(), "and nothing else");
    }
}

/// The search for traces must find what it is there to find.
#[test]
fn a_trace_is_found_in_every_form() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let secret = "quokkalover";
    let around = ["", "x", "xy"].map(|start| STANDARD.encode(format!("{start}{secret} and more")));
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let mut traces = vec!["QuokkaLover".to_owned(), "71756F6B6B616C6F766572".to_owned(), hex];
    traces.extend(around);
    for trace in traces {
        let received = [(Source::Tmdb, format!("GET /?x={trace}y HTTP/1.1").into_bytes())];
        let found = std::panic::catch_unwind(|| assert_nothing_of(&[secret.to_owned()], &received, 0));
        assert!(found.is_err(), "{trace}");
    }
    assert_nothing_of(&[secret.to_owned()], &[(Source::Tmdb, b"GET /?x=quokka HTTP/1.1".to_vec())], 0);
}

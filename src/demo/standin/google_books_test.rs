use reqwest::Client;
use serde_json::{Value, json};

use crate::demo::standin::tests::read;
use crate::demo::standin::{Fault, GOOGLE_BOOKS_API_KEY, Source, StandIns};

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn get(stand_ins: &StandIns, path: &str, query: &[(&str, &str)]) -> (u16, Value) {
    let url = stand_ins.url(Source::GoogleBooks, &format!("/books/v1/volumes{path}"));
    let fixed = [("key", GOOGLE_BOOKS_API_KEY), ("country", "US")];
    read(client().get(url).query(&fixed).query(query)).await
}

async fn search(stand_ins: &StandIns, q: &str) -> Value {
    let (status, body) = get(stand_ins, "", &[("q", q)]).await;
    assert_eq!(status, 200, "{q}: {body}");
    body
}

fn ids(body: &Value) -> Vec<&str> {
    body["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn search_understands_words_phrases_fields_and_isbns() {
    let stand_ins = StandIns::start().unwrap();
    for (query, expected) in [
        ("google story", "zyTCAlFPjgYC"),
        ("isbn:9780553804577", "zyTCAlFPjgYC"),
        ("isbn:055380457x", "zyTCAlFPjgYC"),
        ("978-0-441-17271-9", "B1hSG45JCX4C"),
        ("intitle:dune inauthor:herbert", "B1hSG45JCX4C"),
        ("\"the left hand\"", "G4X4AwAAQBAJ"),
        ("witcher", "5mJIAgAAQBAJ"),
    ] {
        assert_eq!(ids(&search(&stand_ins, query).await), [expected], "{query}");
    }
    assert_eq!(ids(&search(&stand_ins, "tolkien").await).len(), 2);
    let nothing = json!({ "kind": "books#volumes", "totalItems": 0 });
    for query in ["isbn:9780000000002", "\"left the hand\"", "zzzz", "\"\""] {
        assert_eq!(search(&stand_ins, query).await, nothing, "{query}");
    }
    let (_, german) = get(&stand_ins, "", &[("q", "e"), ("langRestrict", "de"), ("orderBy", "newest")]).await;
    assert_eq!(ids(&german), ["vXJbDwAAQBAJ"]);
}

#[tokio::test]
async fn pages_run_dry_and_totals_are_estimates() {
    let stand_ins = StandIns::start().unwrap();
    let (_, first) = get(&stand_ins, "", &[("q", "e"), ("maxResults", "5")]).await;
    let (_, second) = get(&stand_ins, "", &[("q", "e"), ("maxResults", "5"), ("startIndex", "5")]).await;
    assert_eq!((ids(&first).len(), ids(&second).len()), (5, 5));
    assert_ne!(first["totalItems"], second["totalItems"]);
    let (_, beyond) = get(&stand_ins, "", &[("q", "e"), ("startIndex", "400")]).await;
    assert!(beyond["totalItems"].as_u64().unwrap() > 0 && beyond.get("items").is_none());
    assert_eq!(ids(&search(&stand_ins, "e").await).len(), 10);
    let (_, most) = get(&stand_ins, "", &[("q", "e"), ("maxResults", "40")]).await;
    assert!(ids(&most).len() > 10);
}

#[tokio::test]
async fn a_detail_is_richer_than_the_row_of_a_list() {
    let stand_ins = StandIns::start().unwrap();
    let list = search(&stand_ins, "isbn:9780547928227").await;
    let row = &list["items"][0]["volumeInfo"];
    let (_, detail) = get(&stand_ins, "/pD6arNyKyi8C", &[]).await;
    let info = &detail["volumeInfo"];
    assert_eq!(
        (&row["categories"], &info["categories"]),
        (&json!(["Fiction"]), &json!(["Fiction / Fantasy / Epic"]))
    );
    assert!(info["description"].as_str().unwrap().starts_with("<p>"));
    assert!(!row["description"].as_str().unwrap().contains('<'));
    assert!(row["imageLinks"].get("large").is_none() && info["imageLinks"].get("large").is_some());
    assert!(
        row["imageLinks"]["thumbnail"]
            .as_str()
            .unwrap()
            .starts_with("http://books.google.com/books/content?id=pD6")
    );
    assert!(row["previewLink"].as_str().unwrap().contains("dq=isbn%3A9780547928227"));
    assert_eq!((&info["pageCount"], &info["averageRating"]), (&json!(320), &json!(4.5)));
    let (_, whole) = get(&stand_ins, "/yl4dILkcqm4C", &[]).await;
    assert!(whole["volumeInfo"]["averageRating"].is_u64());
}

#[tokio::test]
async fn odd_volumes_lack_what_they_lack() {
    let stand_ins = StandIns::start().unwrap();
    let (_, old) = get(&stand_ins, "/s1gVAAAAYAAJ", &[]).await;
    let info = &old["volumeInfo"];
    assert_eq!((&info["publishedDate"], &info["pageCount"]), (&json!("19??"), &json!(0)));
    assert_eq!(info["industryIdentifiers"][0]["type"], "OTHER");
    assert!(info.get("imageLinks").is_none() && info.get("publisher").is_none());
    let (_, anonymous) = get(&stand_ins, "/QVVYAAAAMAAJ", &[]).await;
    assert!(anonymous["volumeInfo"].get("authors").is_none());
    assert!(anonymous["volumeInfo"].get("categories").is_none());
}

#[tokio::test]
async fn refusals_have_googles_envelope() {
    let stand_ins = StandIns::start().unwrap();
    let url = stand_ins.url(Source::GoogleBooks, "/books/v1/volumes?q=dune");
    let reason = |body: &Value| body["error"]["errors"][0]["reason"].as_str().unwrap_or_default().to_owned();
    let (status, body) = read(client().get(format!("{url}&country=US"))).await;
    assert_eq!(
        (status, body["error"]["details"][0]["metadata"]["quota_limit_value"].as_str()),
        (429, Some("0"))
    );
    let (status, body) = read(client().get(format!("{url}&key=x"))).await;
    assert_eq!((status, &body["error"]["details"][0]["reason"]), (400, &json!("API_KEY_INVALID")));
    let (status, body) = read(client().get(format!("{url}&key={GOOGLE_BOOKS_API_KEY}"))).await;
    assert_eq!((status, reason(&body).as_str()), (403, "unknownLocation"));
    let signed = client().get(format!("{url}&key={GOOGLE_BOOKS_API_KEY}&country=US")).bearer_auth("x");
    let (status, body) = read(signed).await;
    assert_eq!((status, reason(&body).as_str()), (401, "authError"));
    let (status, body) = get(&stand_ins, "", &[("q", "dune"), ("maxResults", "41")]).await;
    assert_eq!((status, &body["error"]["errors"][0]["location"]), (400, &json!("maxResults")));
    let (status, body) = get(&stand_ins, "", &[]).await;
    assert_eq!((status, reason(&body).as_str()), (400, "queryRequired"));
    let (status, body) = get(&stand_ins, "/AAAAAAAAAAAA", &[]).await;
    assert_eq!((status, reason(&body).as_str()), (503, "backendFailed"));
}

#[tokio::test]
async fn the_days_and_the_minutes_quota_differ_in_the_details_only() {
    let stand_ins = StandIns::start().unwrap();
    let mut units = Vec::new();
    for fault in [Fault::google_day_quota(), Fault::google_minute_quota()] {
        stand_ins.fault(Source::GoogleBooks, Some(fault));
        let (status, body) = get(&stand_ins, "", &[("q", "dune")]).await;
        assert_eq!((status, &body["error"]["errors"][0]["reason"]), (429, &json!("rateLimitExceeded")));
        units.push(body["error"]["details"][0]["metadata"]["quota_unit"].clone());
    }
    assert_eq!(units, ["1/d/{project}", "1/min/{project}"]);
    stand_ins.fault(Source::GoogleBooks, Some(Fault::google_backend_failed()));
    assert_eq!(get(&stand_ins, "", &[("q", "dune")]).await.0, 503);
}

#[tokio::test]
async fn a_cover_that_is_not_there_is_a_picture_all_the_same() {
    let stand_ins = StandIns::start().unwrap();
    let get = async |query: &str| {
        let url = stand_ins.url(Source::GoogleBooks, &format!("/books/content?{query}"));
        let response = client().get(url).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"image/png".parse().unwrap())
        );
        response.bytes().await.unwrap()
    };
    let cover = get("id=B1hSG45JCX4C&printsec=frontcover&img=1&zoom=1").await;
    assert_eq!(cover[16..24], [0, 0, 0, 128, 0, 0, 0, 192]);
    let blank = get("id=AAAAAAAAAAAA&printsec=frontcover&img=1&zoom=1").await;
    assert_eq!(blank, get("id=s1gVAAAAYAAJ&printsec=frontcover&img=1&zoom=1").await);
    assert_eq!(blank, get("id=vXJbDwAAQBAJ&printsec=frontcover&img=1&zoom=1").await);
    assert_ne!(blank, cover);
    assert_eq!(get("id=B1hSG45JCX4C&printsec=frontcover&img=1&fife=w600").await[16..20], [0, 0, 2, 88]);
}

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::demo::standin::tests::read;
use crate::demo::standin::{Fault, Source, StandIns, TWITCH_CLIENT_ID, TWITCH_CLIENT_SECRET};

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn sign_in(stand_ins: &StandIns, id: &str, secret: &str, grant: &str) -> RequestBuilder {
    let form = [("client_id", id), ("client_secret", secret), ("grant_type", grant)];
    client().post(stand_ins.url(Source::Twitch, "/oauth2/token")).form(&form)
}

async fn mint(stand_ins: &StandIns) -> String {
    let request = sign_in(stand_ins, TWITCH_CLIENT_ID, TWITCH_CLIENT_SECRET, "client_credentials");
    let (status, body) = read(request).await;
    assert_eq!((status, &body["token_type"]), (200, &json!("bearer")));
    assert!(body["expires_in"].as_u64().unwrap() > 4_000_000);
    body["access_token"].as_str().unwrap().to_owned()
}

async fn ask(stand_ins: &StandIns, token: &str, endpoint: &str, body: &str) -> (u16, Value) {
    let url = stand_ins.url(Source::Igdb, &format!("/v4/{endpoint}"));
    let request = client().post(url).header("client-id", TWITCH_CLIENT_ID).bearer_auth(token);
    read(request.body(body.to_owned())).await
}

fn ids(rows: &Value) -> Vec<u64> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn sign_in_counts_tokens_and_refuses_what_is_wrong() {
    let stand_ins = StandIns::start().unwrap();
    assert_ne!(mint(&stand_ins).await, mint(&stand_ins).await);
    assert_eq!(stand_ins.minted(), 2);
    let (id, secret, grant) = (TWITCH_CLIENT_ID, TWITCH_CLIENT_SECRET, "client_credentials");
    for (request, expected) in [
        (sign_in(&stand_ins, id, "x", grant), json!({ "status": 403, "message": "invalid client secret" })),
        (sign_in(&stand_ins, "x", secret, grant), json!({ "status": 400, "message": "invalid client" })),
        (sign_in(&stand_ins, id, secret, "x"), json!({ "status": 400, "message": "invalid grant type" })),
    ] {
        let (status, body) = read(request).await;
        assert_eq!((json!(status), body), (expected["status"].clone(), expected));
    }
    assert_eq!(stand_ins.minted(), 2);
}

#[tokio::test]
async fn only_the_last_tokens_live() {
    let stand_ins = StandIns::start().unwrap();
    let first = mint(&stand_ins).await;
    for _ in 0..25 {
        mint(&stand_ins).await;
    }
    assert_eq!(ask(&stand_ins, &first, "games", "fields name;").await.0, 401);
    let last = mint(&stand_ins).await;
    assert_eq!(ask(&stand_ins, &last, "games", "fields name;").await.0, 200);
    stand_ins.revoke_tokens();
    let (status, body) = ask(&stand_ins, &last, "games", "fields name;").await;
    assert!(status == 401 && body["message"].is_string() && body.get("status").is_none());
}

#[tokio::test]
async fn games_are_searched_and_fetched_by_id() {
    let stand_ins = StandIns::start().unwrap();
    let token = mint(&stand_ins).await;
    let body = r#"search "Witcher wild"; fields name,cover.image_id; where version_parent = null & game_type = 0; limit 20;"#;
    let (_, found) = ask(&stand_ins, &token, "games", body).await;
    assert_eq!(
        found,
        json!([{ "id": 1942, "name": "The Witcher 3: Wild Hunt", "cover": { "id": 101_942, "image_id": "coaarl" } }])
    );
    let (_, found) = ask(&stand_ins, &token, "games", "fields name; where id = (72,71,5); limit 500;").await;
    assert_eq!(ids(&found), [72, 71]);
    assert_eq!(ask(&stand_ins, &token, "games", r#"search "nothing at all";"#).await.1, json!([]));
    let (_, page) = ask(&stand_ins, &token, "games", "fields *; sort first_release_date asc;").await;
    assert_eq!(page.as_array().unwrap().len(), 10);
    let (_, next) =
        ask(&stand_ins, &token, "games", "fields *; sort first_release_date asc; offset 10;").await;
    assert!(!ids(&next).iter().any(|id| ids(&page).contains(id)));
    let (_, count) = ask(&stand_ins, &token, "games/count", "where id != null;").await;
    assert_eq!(count, json!({ "count": 20 }));
    // A field that is gone filters everything away without a word.
    assert_eq!(ask(&stand_ins, &token, "games", "fields name; where category = 0;").await.1, json!([]));
}

#[tokio::test]
async fn expanded_lists_mix_objects_and_ids_and_absent_keys_are_absent() {
    let stand_ins = StandIns::start().unwrap();
    let token = mint(&stand_ins).await;
    let fields = "fields platforms.name,involved_companies.company.name,involved_companies.developer,genres.name,\
                  first_release_date,total_rating,game_type.type;";
    let (_, found) = ask(&stand_ins, &token, "games", &format!("{fields} where id = 72;")).await;
    let portal = &found[0];
    let platforms = portal["platforms"].as_array().unwrap();
    assert!(platforms.iter().any(|p| p["name"] == "Mac") && platforms.contains(&json!(999_999)));
    assert_eq!(portal["involved_companies"][0], 999_999);
    assert_eq!(portal["involved_companies"][1]["company"]["name"], "Valve");
    assert_eq!(portal["first_release_date"], 1_303_084_800);
    assert_eq!(portal["game_type"]["type"], "Main Game");
    let (_, found) = ask(&stand_ins, &token, "games", &format!("{fields} where id = 306990;")).await;
    let names: std::collections::BTreeSet<&String> = found[0].as_object().unwrap().keys().collect();
    assert!(names.into_iter().eq(["game_type", "genres", "id", "platforms"]));
    let (_, old) = ask(&stand_ins, &token, "games", &format!("{fields} where id = 26845;")).await;
    assert!(old[0]["first_release_date"].as_i64().unwrap() < 0);
}

#[tokio::test]
async fn refusals_come_as_arrays_or_objects() {
    let stand_ins = StandIns::start().unwrap();
    let token = mint(&stand_ins).await;
    let (status, body) = ask(&stand_ins, &token, "games", "fields name; limit 501;").await;
    assert_eq!((status, &body[0]["title"]), (403, &json!("Request limit to high")));
    let (status, body) =
        ask(&stand_ins, &token, "games", r#"search "a"; fields *; limit 500; "; fields name;"#).await;
    assert_eq!((status, &body[0]["title"], &body[0]["status"]), (400, &json!("Syntax Error"), &json!(400)));
    let (status, body) = ask(&stand_ins, &token, "games", "fields nonsense;").await;
    assert_eq!((status, &body[0]["title"]), (400, &json!("Invalid Field")));
    assert_eq!(ask(&stand_ins, &token, "games", r#"search "a"; sort name asc;"#).await.0, 400);
    let url = stand_ins.url(Source::Igdb, "/v4/games");
    assert_eq!(read(client().post(&url).bearer_auth(&token)).await.0, 401);
    stand_ins.fault(Source::Igdb, Some(Fault::igdb_too_many()));
    let busy = client().post(&url).send().await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers().get("retry-after")), (429, None));
    assert_eq!(busy.json::<Value>().await.unwrap(), json!({ "message": "Too Many Requests" }));
    stand_ins.fault_times(Source::Igdb, Fault::igdb_unauthorized(), 1);
    assert_eq!(ask(&stand_ins, &token, "games", "fields name;").await.0, 401);
    assert_eq!(ask(&stand_ins, &token, "games", "fields name;").await.0, 200);
}

#[tokio::test]
async fn covers_come_in_the_sizes_there_are() {
    let stand_ins = StandIns::start().unwrap();
    let get =
        |path: &str| client().get(stand_ins.url(Source::Igdb, &format!("/igdb/image/upload/{path}"))).send();
    let cover = get("t_cover_big/coaarl.jpg").await.unwrap();
    assert_eq!(cover.headers()["content-type"], "image/png");
    assert!(cover.headers().contains_key("cache-control"));
    assert_eq!(cover.bytes().await.unwrap()[16..24], [0, 0, 1, 8, 0, 0, 1, 118]);
    let double = get("t_cover_big_2x/coaarl.webp").await.unwrap().bytes().await.unwrap();
    assert_eq!(double[16..20], [0, 0, 2, 16]);
    assert_eq!(get("t_enormous/coaarl.jpg").await.unwrap().status(), 404);
    assert_eq!(get("t_cover_big/unknown.jpg").await.unwrap().status(), 404);
}

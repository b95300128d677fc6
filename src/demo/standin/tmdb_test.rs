use reqwest::Client;
use serde_json::{Value, json};

use crate::demo::standin::tests::read;
use crate::demo::standin::{Fault, Source, StandIns, TMDB_ACCESS_TOKEN};

async fn get(stand_ins: &StandIns, path: &str) -> (u16, Value) {
    let client = Client::builder().no_proxy().build().unwrap();
    read(client.get(stand_ins.url(Source::Tmdb, &format!("/3/{path}"))).bearer_auth(TMDB_ACCESS_TOKEN)).await
}

async fn ok(stand_ins: &StandIns, path: &str) -> Value {
    let (status, body) = get(stand_ins, path).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

fn ids(rows: &Value) -> Vec<u64> {
    rows.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn search_finds_parts_of_titles_in_any_case() {
    let stand_ins = StandIns::start().unwrap();
    let found = ok(&stand_ins, "search/movie?query=MATRIX&page=1").await;
    assert_eq!(ids(&found["results"]), [603, 604]);
    assert_eq!((&found["total_pages"], &found["total_results"]), (&json!(1), &json!(2)));
    let row = &found["results"][0];
    assert_eq!((&row["title"], &row["release_date"]), (&json!("The Matrix"), &json!("1999-03-31")));
    assert_eq!(row["poster_path"], "/demomoviePoster603.jpg");
    assert_eq!(
        ids(&ok(&stand_ins, "search/movie?query=matrix&primary_release_year=2003").await["results"]),
        [604]
    );
    assert_eq!(ids(&ok(&stand_ins, "search/movie?query=%E5%8D%83").await["results"]), [129]);
    assert_eq!(ids(&ok(&stand_ins, "search/movie?query=der%20pate").await["results"]), [238]);
    assert_eq!(ids(&ok(&stand_ins, "search/movie?query=blade+runner").await["results"]), [78, 335_984]);
    // Encoded twice, a blank is a literal plus and finds nothing.
    assert_eq!(ids(&ok(&stand_ins, "search/movie?query=blade%2Brunner").await["results"]), [0_u64; 0]);
    assert_eq!(ids(&ok(&stand_ins, "search/tv?query=dark").await["results"]), [70_523]);
}

#[tokio::test]
async fn pages_have_the_upstreams_oddities() {
    let stand_ins = StandIns::start().unwrap();
    let none = ok(&stand_ins, "search/movie?query=zzzz").await;
    assert_eq!(none, json!({ "page": 1, "results": [], "total_pages": 1, "total_results": 0 }));
    let beyond = ok(&stand_ins, "search/movie?query=matrix&page=7").await;
    assert_eq!(
        (&beyond["page"], &beyond["results"], &beyond["total_results"]),
        (&json!(7), &json!([]), &json!(2))
    );
    for page in ["0", "501", "-1", "x"] {
        let (status, body) = get(&stand_ins, &format!("search/movie?query=matrix&page={page}")).await;
        assert_eq!((status, &body["status_code"]), (400, &json!(22)), "{page}");
    }
    assert!(ok(&stand_ins, "discover/movie").await["total_pages"].as_u64().unwrap() > 500);
    let all = ok(&stand_ins, "search/multi?query=e").await;
    assert_eq!(all["results"].as_array().unwrap().len(), 20);
    assert!(all["total_pages"].as_u64().unwrap() > 1);
}

#[tokio::test]
async fn a_mixed_search_holds_people_and_odd_rows() {
    let stand_ins = StandIns::start().unwrap();
    let rows = ok(&stand_ins, "search/multi?query=dark").await["results"].clone();
    let kinds: Vec<&str> =
        rows.as_array().unwrap().iter().map(|row| row["media_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["movie", "person", "tv"]);
    assert!(rows[1].get("title").is_none() && rows[1]["known_for"][0]["id"] == 155);
    let person = &ok(&stand_ins, "search/multi?query=ryan%20gosling").await["results"][0];
    assert!(person["media_type"] == "person" && person.get("known_for").is_none());
    let short = &ok(&stand_ins, "search/multi?query=chernobyl").await["results"][0];
    assert!(short.get("adult").is_none() && short.get("genre_ids").is_none());
    let announced = &ok(&stand_ins, "search/tv?query=harry").await["results"][0];
    assert_eq!((&announced["first_air_date"], &announced["poster_path"]), (&json!(""), &Value::Null));
}

#[tokio::test]
async fn a_detail_carries_what_is_appended() {
    let stand_ins = StandIns::start().unwrap();
    let path = "movie/550?append_to_response=credits,external_ids,translations,nonsense,recommendations";
    let movie = ok(&stand_ins, path).await;
    assert_eq!((&movie["runtime"], &movie["genres"][0]["name"]), (&json!(139), &json!("Drama")));
    assert_eq!(movie["credits"]["crew"][0]["job"], "Director");
    assert_eq!(movie["credits"]["crew"][0]["name"], "David Fincher");
    assert_eq!(movie["external_ids"]["imdb_id"], "tt0137523");
    assert_eq!(movie["translations"]["translations"][1]["iso_639_1"], "de");
    assert!(movie.get("nonsense").is_none());
    assert!(!ids(&movie["recommendations"]["results"]).contains(&550));
    let many = vec!["credits"; 21].join(",");
    let (status, body) = get(&stand_ins, &format!("movie/550?append_to_response={many}")).await;
    assert_eq!((status, &body["status_code"]), (400, &json!(27)));
    assert_eq!(ok(&stand_ins, "movie/550/external_ids").await["id"], 550);
}

#[tokio::test]
async fn other_languages_are_translated_or_empty() {
    let stand_ins = StandIns::start().unwrap();
    let german = ok(&stand_ins, "movie/238?language=de-DE").await;
    assert_eq!((&german["title"], &german["original_title"]), (&json!("Der Pate"), &json!("The Godfather")));
    assert_eq!(german["genres"][1]["name"], "Krimi");
    for path in ["movie/530915?language=de-DE", "movie/680?language=de-DE", "movie/238?language=fr-FR"] {
        let empty = ok(&stand_ins, path).await;
        assert_eq!((&empty["title"], &empty["overview"]), (&json!(""), &json!("")), "{path}");
    }
    let genres = ok(&stand_ins, "genre/movie/list?language=de").await;
    assert!(genres["genres"].as_array().unwrap().contains(&json!({ "id": 36, "name": "Historie " })));
}

#[tokio::test]
async fn a_series_has_seasons_and_episodes() {
    let stand_ins = StandIns::start().unwrap();
    let series = ok(&stand_ins, "tv/1396?append_to_response=season/1,external_ids").await;
    assert_eq!((&series["number_of_episodes"], &series["number_of_seasons"]), (&json!(62), &json!(5)));
    assert_eq!((&series["episode_run_time"], &series["next_episode_to_air"]), (&json!([]), &Value::Null));
    assert_eq!(series["last_episode_to_air"]["episode_type"], "finale");
    assert_eq!(
        (&series["seasons"][0]["season_number"], &series["seasons"][0]["episode_count"]),
        (&json!(0), &json!(9))
    );
    assert_eq!(series["created_by"][0]["name"], "Vince Gilligan");
    assert_eq!(series["external_ids"]["tvdb_id"], 81_189);
    assert_eq!(series["season/1"]["episodes"].as_array().unwrap().len(), 7);
    let season = ok(&stand_ins, "tv/1396/season/2?language=de-DE").await;
    assert_eq!((&season["name"], &season["episodes"][1]["name"]), (&json!("Staffel 2"), &json!("Folge 2")));
    assert_eq!(season["episodes"][1]["air_date"], "2009-03-15");
    let announced = ok(&stand_ins, "tv/136315/season/5").await;
    assert!(announced["air_date"].is_null() && announced.get("episodes").is_none());
    assert_eq!(ok(&stand_ins, "tv/1396/season/1/episode/7").await["runtime"], 47);
    for path in [
        "tv/1396/season/6",
        "tv/1396/season/1/episode/8",
        "tv/603",
        "movie/1396",
        "movie/0",
        "movie/x",
        "nothing",
    ] {
        let (status, body) = get(&stand_ins, path).await;
        assert_eq!((status, &body["status_code"]), (404, &json!(34)), "{path}");
    }
}

#[tokio::test]
async fn find_fills_one_of_five_lists_or_none() {
    let stand_ins = StandIns::start().unwrap();
    let found = async |id: &str, source: &str| {
        let body = ok(&stand_ins, &format!("find/{id}?external_source={source}")).await;
        let count = |name: &str| body[name].as_array().unwrap().len();
        assert_eq!(body.as_object().unwrap().len(), 5);
        [count("movie_results"), count("tv_results"), count("tv_episode_results")]
    };
    assert_eq!(found("tt0133093", "imdb_id").await, [1, 0, 0]);
    assert_eq!(found("tt0903747", "imdb_id").await, [0, 1, 0]);
    assert_eq!(found("tt0959621", "imdb_id").await, [0, 0, 1]);
    assert_eq!(found("121361", "tvdb_id").await, [0, 1, 0]);
    assert_eq!(found("tt9999999", "imdb_id").await, [0, 0, 0]);
}

#[tokio::test]
async fn lists_answer() {
    let stand_ins = StandIns::start().unwrap();
    let mixed = ok(&stand_ins, "trending/all/week").await;
    assert!(mixed["results"].as_array().unwrap().iter().any(|row| row["media_type"] == "person"));
    assert!(ids(&ok(&stand_ins, "trending/tv/day").await["results"]).contains(&1399));
    assert_eq!(ids(&ok(&stand_ins, "movie/upcoming").await["results"])[0], 1_003_598);
    let later =
        ok(&stand_ins, "discover/movie?primary_release_date.gte=2021-01-01&sort_by=primary_release_date.asc")
            .await;
    assert_eq!(ids(&later["results"]), [438_631, 1_003_598]);
    assert!(ok(&stand_ins, "configuration").await["images"]["poster_sizes"].is_array());
}

#[tokio::test]
async fn refusals_have_the_envelope() {
    let stand_ins = StandIns::start().unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let url = stand_ins.url(Source::Tmdb, "/3/movie/550");
    for request in
        [client.get(&url), client.get(&url).bearer_auth("x"), client.get(format!("{url}?api_key=x"))]
    {
        let (status, body) = read(request).await;
        assert_eq!((status, &body["status_code"], &body["success"]), (401, &json!(7), &json!(false)));
    }
    let (status, body) = read(client.post(&url).bearer_auth(TMDB_ACCESS_TOKEN)).await;
    assert_eq!((status, &body["status_code"]), (405, &json!(42)));
    let (status, body) = get(&stand_ins, "search/movie").await;
    assert_eq!((status, &body["status_code"]), (422, &json!(5)));
    stand_ins.fault(Source::Tmdb, Some(Fault::tmdb_too_many(Some(2))));
    assert_eq!(get(&stand_ins, "movie/550").await.1["status_code"], 25);
    stand_ins.fault(Source::Tmdb, Some(Fault::tmdb_maintenance()));
    assert_eq!(get(&stand_ins, "movie/550").await.0, 503);
}

#[tokio::test]
async fn posters_come_in_the_sizes_there_are() {
    let stand_ins = StandIns::start().unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let get = |path: &str| client.get(stand_ins.url(Source::Tmdb, path)).send();
    let image = get("/t/p/w342/demomoviePoster603.jpg").await.unwrap();
    assert_eq!(image.headers()["content-type"], "image/png");
    assert!(image.headers()["cache-control"].to_str().unwrap().starts_with("public"));
    assert_eq!(image.bytes().await.unwrap()[16..24], [0, 0, 1, 86, 0, 0, 2, 1]);
    assert_eq!(get("/t/p/original/demotvPoster1399.jpg").await.unwrap().status(), 200);
    assert_eq!(get("/t/p/w343/demomoviePoster603.jpg").await.unwrap().status(), 404);
    assert_eq!(get("/t/p/w342/demomoviePoster1.jpg").await.unwrap().status(), 404);
}

use serde_json::json;

use super::*;
use crate::catalog::chart::TmdbChart;
use crate::catalog::code::ImdbId;
use crate::catalog::item::{Creator, Role, SeriesStatus};
use crate::catalog::language::Language;
use crate::catalog::search_text::SearchText;
use crate::catalog::stub::reply;

const EN: Language = Language::DEFAULT;

fn no_genres(_: Kind) -> Option<Arc<Genres>> {
    None
}

fn search(scope: TmdbScope, page: u32) -> TmdbLookup {
    TmdbLookup::Search { scope, text: SearchText::parse("x").unwrap(), page, language: EN }
}

fn page(lookup: &TmdbLookup, body: Json) -> Arc<Page> {
    match judge(lookup, &reply(200, body), no_genres) {
        Ok(Value::Page(page)) => page,
        other => panic!("{other:?}"),
    }
}

fn item(lookup: &TmdbLookup, body: Json) -> Arc<MediaItem> {
    match judge(lookup, &reply(200, body), no_genres) {
        Ok(Value::Item(item)) => item,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_movie_is_read_with_its_makers() {
    let body = json!({
        "id": 77, "title": "Der stille Fluss", "original_title": "The Quiet River", "release_date": "2011-05-06",
        "overview": "Ein Fluss.", "runtime": 101, "poster_path": "/p1.jpg", "imdb_id": "tt7654321",
        "genres": [{"id": 36, "name": "Historie "}, {"id": 18, "name": "Drama"}],
        "production_companies": [{"id": 1, "name": "Film House", "logo_path": "/x.png"}, {"name": ""}, 7],
        "credits": {"cast": [
            {"name": "A. One", "character": "The Ferryman", "order": 0}, {"name": "A. Two", "character": "", "order": 1},
            {"name": null, "character": "Nobody"}, {"name": "A. One", "character": "His Twin", "order": 2},
        ], "crew": [
            {"job": "Writer", "name": "W. One"}, {"job": "Director", "name": "D. One"},
            {"job": "Screenplay", "name": "W. One"}, {"job": "Gaffer", "name": "G."}, {"job": "Director"}, 5,
        ]},
        "external_ids": {"imdb_id": "", "wikidata_id": "Q42", "facebook_id": null},
        "softcore": false
    });
    let item = item(&TmdbLookup::Movie { id: 77, language: EN }, body);
    assert_eq!(item.id.as_str(), "movie:tmdb:77");
    assert_eq!(
        (item.title.as_str(), item.original_title.as_deref()),
        ("Der stille Fluss", Some("The Quiet River"))
    );
    assert_eq!((item.release_date.as_deref(), item.year()), (Some("2011-05-06"), Some(2011)));
    assert_eq!(item.genres, ["Historie", "Drama"]);
    assert_eq!(item.runtime_minutes, Some(101));
    let creators: Vec<_> = item.creators.iter().map(|c| (c.name.as_str(), c.role)).collect();
    assert_eq!(
        creators,
        [
            ("D. One", Role::Director),
            ("W. One", Role::Writer),
            ("A. One", Role::Actor),
            ("A. Two", Role::Actor),
            ("Film House", Role::Studio),
        ]
    );
    let characters: Vec<_> =
        item.creators.iter().filter_map(|creator| creator.character.as_deref()).collect();
    assert_eq!(characters, ["The Ferryman"]);
    assert_eq!(item.external_ids.imdb_id.as_deref(), Some("tt7654321"));
    assert_eq!(item.external_ids.wikidata_id.as_deref(), Some("Q42"));
    assert_eq!(item.cover.as_ref().map(CoverRef::as_str), Some("/p1.jpg"));
}

#[test]
fn what_is_empty_null_or_absent_is_none() {
    let body = json!({
        "id": 9, "title": "", "original_title": "幽霊", "release_date": "", "overview": "", "runtime": 0,
        "poster_path": null, "genres": null, "credits": {"crew": null}, "external_ids": null, "imdb_id": null
    });
    let mut least = MediaItem::new("movie:tmdb:9".parse().unwrap(), "幽霊".into());
    least.original_title = Some("幽霊".into());
    assert_eq!(*item(&TmdbLookup::Movie { id: 9, language: EN }, body), least);
    let bare = item(&TmdbLookup::Movie { id: 9, language: EN }, json!({"id": 9, "title": "A"}));
    assert_eq!(*bare, MediaItem::new("movie:tmdb:9".parse().unwrap(), "A".into()));
}

#[test]
fn a_series_counts_its_seasons_and_takes_its_length_from_where_it_is() {
    let body = |times: Json| {
        json!({
            "id": 5, "name": "Harbour", "original_name": "Harbour", "first_air_date": "2001-01", "episode_run_time": times,
            "number_of_seasons": 3, "number_of_episodes": 30, "created_by": [{"name": "C. One"}, {"name": null}],
            "last_episode_to_air": {"runtime": 48}, "status": "Returning Series",
            "networks": [{"name": "Channel"}], "production_companies": [{"name": "Film House"}],
            "credits": {"cast": [{"name": "A. One", "character": "Captain"}]}, "external_ids": {"imdb_id": "tt0000001", "tvdb_id": 1234}
        })
    };
    let lookup = TmdbLookup::Tv { id: 5, language: EN };
    let series = item(&lookup, body(json!([])));
    assert_eq!((series.season_count, series.episode_count), (Some(3), Some(30)));
    assert_eq!(series.runtime_minutes, Some(48));
    let creators: Vec<_> = series.creators.iter().map(|c| (c.name.as_str(), c.role)).collect();
    assert_eq!(
        creators,
        [
            ("C. One", Role::Creator),
            ("A. One", Role::Actor),
            ("Channel", Role::Network),
            ("Film House", Role::Studio),
        ]
    );
    assert_eq!(series.series_status, Some(SeriesStatus::Returning));
    assert_eq!(series.external_ids.tvdb_id.as_deref(), Some("1234"));
    assert_eq!(series.release_date.as_deref(), Some("2001-01"));
    assert_eq!(item(&lookup, body(json!([0, 55]))).runtime_minutes, Some(55));
}

#[test]
fn persons_bad_rows_and_repeated_rows_do_not_spoil_a_page() {
    let body = json!({"page": 1, "total_pages": 900, "total_results": 9, "results": [
        {"media_type": "person", "id": 1, "name": "Somebody"},
        {"media_type": "tv", "id": 2, "name": "Two", "genre_ids": [18, 99, "x"], "softcore": true},
        {"media_type": "movie", "id": 2, "title": "Two"},
        {"media_type": "movie", "id": 2, "title": "Two again"},
        {"media_type": "movie", "id": 0, "title": "Zero"},
        {"media_type": "movie", "id": 4294967296_u64, "title": "Too large"},
        {"media_type": "movie", "title": "No id"},
        {"media_type": "movie", "id": 3, "title": null, "original_title": ""},
        {"media_type": "movie", "id": 4, "title": "Adult", "adult": true},
        {"media_type": "something_new", "id": 5, "title": "New"},
        null, [], "x",
        {"media_type": "movie", "id": "6", "title": "Six", "release_date": null},
    ]});
    let genres = |kind| (kind == Kind::Tv).then(|| Arc::new(Genres::from([(18, "Drama".to_owned())])));
    let Ok(Value::Page(found)) = judge(&search(TmdbScope::Both, 1), &reply(200, body), genres) else {
        panic!()
    };
    let ids: Vec<_> = found.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["tv:tmdb:2", "movie:tmdb:2", "movie:tmdb:6"]);
    assert_eq!(found.items[0].genres, ["Drama"]);
    assert!(found.has_more);
}

#[test]
fn pages_end() {
    let rows = json!([{"id": 1, "title": "A"}]);
    let movies = |number| search(TmdbScope::Movie, number);
    assert!(page(&movies(1), json!({"results": rows, "total_pages": 2})).has_more);
    assert!(!page(&movies(2), json!({"results": rows, "total_pages": 2})).has_more);
    assert!(!page(&movies(50), json!({"results": rows, "total_pages": 500})).has_more);
    // No hits still has one page, and a page past the end says how many there are.
    assert!(!page(&movies(1), json!({"results": [], "total_pages": 1})).has_more);
    assert!(!page(&movies(1), json!({"results": [], "total_pages": 5})).has_more);
    assert!(!page(&movies(1), json!({"results": rows})).has_more);
}

#[test]
fn the_status_decides_what_an_answer_is() {
    let movie = TmdbLookup::Movie { id: 1, language: EN };
    let code =
        |code: u32| json!({"success": false, "status_code": code, "status_message": "…", "failure": true});
    let outcome =
        |lookup: &TmdbLookup, status, body: String| match judge(lookup, &reply(status, body), no_genres) {
            Ok(Value::Unknown) => Ok("unknown"),
            Ok(_) => Ok("answer"),
            Err(fault) => Err(fault),
        };
    for (status, body, expected) in [
        (404, code(34).to_string(), Ok("unknown")),
        (200, code(21).to_string(), Ok("unknown")),
        (404, "<html>".into(), Err(Fault::Lasting)),
        (401, code(7).to_string(), Err(Fault::Refused)),
        (422, code(5).to_string(), Err(Fault::Lasting)),
        (429, code(25).to_string(), Err(Fault::Limited(DEFAULT_PAUSE))),
        (500, code(11).to_string(), Err(Fault::Passing)),
        (502, "<html>".into(), Err(Fault::Passing)),
        (504, String::new(), Err(Fault::Passing)),
        (302, String::new(), Err(Fault::Lasting)),
        (200, "<html>".into(), Err(Fault::Passing)),
        (200, "[]".into(), Err(Fault::Lasting)),
    ] {
        assert_eq!(outcome(&movie, status, body.clone()), expected, "{status} {body}");
    }
    let no_rows = json!({"results": {}}).to_string();
    let series = search(TmdbScope::Tv, 1);
    assert_eq!(outcome(&series, 200, no_rows), Err(Fault::Lasting));
    assert_eq!(outcome(&series, 404, code(34).to_string()), Err(Fault::Lasting));
}

#[test]
fn genre_names_are_trimmed() {
    let lookup = TmdbLookup::Genres { kind: Kind::Movie, language: EN };
    let body = json!({"genres": [{"id": 36, "name": "Historie "}, {"id": null, "name": "?"}, {"id": 7, "name": ""}]});
    let Ok(Value::Genres(names)) = judge(&lookup, &reply(200, body), no_genres) else { panic!() };
    assert_eq!(*names, Genres::from([(36, "Historie".to_owned())]));
}

#[test]
fn of_a_large_cast_the_first_ten_are_kept() {
    let actor = |number: u32| json!({"name": format!("A. {number}"), "character": format!("C. {number}")});
    let cast: Vec<Json> = (0..500).map(actor).collect();
    let body = json!({"id": 1, "title": "Crowd", "credits": {"cast": cast}});
    let creators = &item(&TmdbLookup::Movie { id: 1, language: EN }, body).creators;
    let last = Creator { name: "A. 9".into(), role: Role::Actor, character: Some("C. 9".into()) };
    assert_eq!((creators.len(), creators.last()), (10, Some(&last)));
}

#[test]
fn a_status_that_is_new_is_none() {
    let status = |status: Json| {
        let body = json!({"id": 1, "name": "A", "status": status});
        item(&TmdbLookup::Tv { id: 1, language: EN }, body).series_status
    };
    assert_eq!(status(json!("Canceled")), Some(SeriesStatus::Canceled));
    assert_eq!(status(json!("Pilot")), Some(SeriesStatus::Planned));
    for odd in [json!("Rebooted"), json!(""), json!(null), json!(3)] {
        assert_eq!(status(odd), None);
    }
}

#[test]
fn a_chart_is_read_like_the_hits_of_one_kind() {
    let chart = |kind| TmdbLookup::Chart { kind, chart: TmdbChart::Trending, page: 1, language: EN };
    let rows = json!({"page": 1, "total_pages": 500, "results": [
        {"media_type": "tv", "id": 1, "name": "One"}, {"id": 1, "name": "Again"},
        {"id": 2, "name": "Two", "adult": true}, {"id": 3}
    ]});
    let found = page(&chart(Kind::Tv), rows);
    let ids: Vec<_> = found.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!((ids, found.has_more), (vec!["tv:tmdb:1"], true));
    let movies =
        page(&chart(Kind::Movie), json!({"results": [{"id": 5, "title": "Five"}], "total_pages": 1}));
    assert_eq!((movies.items[0].id.as_str(), movies.has_more), ("movie:tmdb:5", false));
}

#[test]
fn an_id_of_another_register_leads_to_titles() {
    let lookup = TmdbLookup::FindImdb(ImdbId::parse("tt0959621").unwrap());
    let titles = |status, body: Json| match judge(&lookup, &reply(status, body), no_genres) {
        Ok(Value::Titles(ids)) => Ok(ids.iter().map(ToString::to_string).collect::<Vec<_>>()),
        Ok(other) => panic!("{other:?}"),
        Err(fault) => Err(fault),
    };
    let found = json!({
        "movie_results": [{"id": 603, "title": "M"}, {"id": 4, "adult": true}, {"id": "x"}, null],
        "person_results": [{"id": 1, "name": "P"}], "tv_results": [{"id": 1396, "name": "S"}],
        "tv_episode_results": [{"id": 62085, "show_id": 1396}, {"id": 9, "show_id": 1399}, {"id": 8}],
        "tv_season_results": [{"id": 7, "show_id": 1397}], "something_new": [{"id": 1}]
    });
    assert_eq!(
        titles(200, found),
        Ok(["movie:tmdb:603", "tv:tmdb:1396", "tv:tmdb:1397", "tv:tmdb:1399"].map(String::from).to_vec())
    );
    let nothing = json!({"movie_results": [], "tv_results": null, "tv_episode_results": {}});
    assert_eq!(titles(200, nothing), Ok(Vec::new()));
    assert_eq!(titles(404, json!({"success": false, "status_code": 34})), Ok(Vec::new()));
    assert_eq!(titles(404, json!({})), Err(Fault::Lasting));
    assert_eq!(titles(200, json!([])), Err(Fault::Lasting));
}

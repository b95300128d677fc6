use serde_json::json;

use super::*;
use crate::catalog::chart::IgdbChart;
use crate::catalog::code::Slug;
use crate::catalog::search_text::SearchText;
use crate::catalog::source_text::IgdbText;
use crate::catalog::stub::reply;

fn search(page: u32) -> IgdbLookup {
    IgdbLookup::Search { text: IgdbText::new(&SearchText::parse("x").unwrap()).unwrap(), page }
}

fn games(ids: &[u64]) -> IgdbLookup {
    IgdbLookup::Games { ids: ids.into() }
}

fn found(lookup: &IgdbLookup, body: Json) -> Vec<(u64, Option<Arc<MediaItem>>)> {
    match judge(lookup, &reply(200, body)) {
        Ok(Judged::Answer(Value::Games(games))) => games.to_vec(),
        _ => panic!("no games"),
    }
}

#[test]
fn a_game_is_read_with_mixed_references() {
    let body = json!([{
        "id": 70, "name": "Lantern ", "summary": "A light.\r\n\r\nIn the dark.", "first_release_date": -86400,
        "cover": {"id": 1, "image_id": "co7x", "url": "//images.example/t_thumb/co7x.jpg"},
        "genres": [{"id": 8, "name": "Platform"}, 12], "platforms": [6, {"id": 4, "name": "Console "}],
        "involved_companies": [
            {"id": 1, "developer": false, "publisher": true, "company": {"id": 1, "name": "Big House"}},
            {"id": 2, "developer": true, "publisher": true, "company": {"id": 2, "name": "Small House"}},
            {"id": 3, "developer": true, "company": 17},
            99,
        ],
        "category": 0
    }]);
    let (id, game) = found(&games(&[70]), body).remove(0);
    let game = game.unwrap();
    assert_eq!((id, game.id.as_str(), game.title.as_str()), (70, "game:igdb:70", "Lantern"));
    assert_eq!(game.overview.as_deref(), Some("A light.\n\nIn the dark."));
    assert_eq!(game.release_date.as_deref(), Some("1969-12-31"));
    assert_eq!(game.genres, ["Platform"]);
    assert_eq!(game.platforms, ["Console"]);
    assert_eq!(game.cover.as_ref().map(CoverRef::as_str), Some("co7x"));
    let creators: Vec<_> = game.creators.iter().map(|c| (c.name.as_str(), c.role)).collect();
    assert_eq!(
        creators,
        [("Small House", Role::Developer), ("Big House", Role::Publisher), ("Small House", Role::Publisher)]
    );
}

#[test]
fn bare_rows_and_bad_rows_are_survived() {
    let body = json!([
        {"id": 3, "name": "Three", "cover": 5, "genres": 7, "first_release_date": "soon"},
        {"id": 4}, {"name": "No id"}, null, 7, {"id": -5, "name": "Negative"}
    ]);
    let all = found(&games(&[3, 4, 9]), body);
    assert_eq!(all[0].1.as_deref(), Some(&MediaItem::new("game:igdb:3".parse().unwrap(), "Three".into())));
    assert_eq!((all[1].0, all[1].1.is_none()), (4, true));
    assert_eq!((all[2].0, all[2].1.is_none()), (9, true));
}

#[test]
fn a_full_page_has_a_next_one() {
    let rows = |count: u64| Json::Array((1..=count).map(|id| json!({"id": id, "name": "G"})).collect());
    let page = |number, count| match judge(&search(number), &reply(200, rows(count))) {
        Ok(Judged::Answer(Value::Page(page))) => (page.items.len(), page.has_more),
        _ => panic!("no page"),
    };
    assert_eq!(page(1, 20), (20, true));
    assert_eq!(page(2, 19), (19, false));
    assert_eq!(page(50, 20), (20, false));
    assert_eq!(page(1, 0), (0, false));
}

#[test]
fn the_status_decides_what_an_answer_is() {
    let outcome = |lookup: &IgdbLookup, status, body: &str| match judge(lookup, &reply(status, body)) {
        Ok(Judged::Answer(_)) => Ok("answer"),
        Ok(Judged::TokenRefused) => Ok("token"),
        Ok(Judged::TextRefused) => Ok("text"),
        Err(fault) => Err(fault),
    };
    let (text, ids) = (search(1), games(&[1]));
    let syntax = r#"[{"title":"Syntax Error","status":400,"cause":"…"}]"#;
    assert_eq!(outcome(&text, 400, syntax), Ok("text"));
    assert_eq!(outcome(&text, 406, ""), Ok("text"));
    assert_eq!(outcome(&text, 403, r#"[{"title":"Request limit to high","status":403}]"#), Ok("text"));
    assert_eq!(outcome(&ids, 400, syntax), Err(Fault::Lasting));
    assert_eq!(outcome(&ids, 403, "[]"), Err(Fault::Lasting));
    assert_eq!(outcome(&ids, 401, r#"{"message":"Authorization Failure. Have you tried:"}"#), Ok("token"));
    for lookup in [&text, &ids] {
        assert_eq!(
            outcome(lookup, 429, r#"{"message":"Too Many Requests"}"#),
            Err(Fault::Limited(DEFAULT_PAUSE))
        );
        assert_eq!(outcome(lookup, 503, "busy"), Err(Fault::Passing));
        assert_eq!(outcome(lookup, 200, r#"{"count":3}"#), Err(Fault::Lasting));
        assert_eq!(outcome(lookup, 200, "busy"), Err(Fault::Passing));
        assert_eq!(outcome(lookup, 200, "[]"), Ok("answer"));
    }
}

#[test]
fn a_slug_is_one_game_or_none_and_a_chart_a_page() {
    let slug = IgdbLookup::Slug { slug: Slug::parse("hades--1").unwrap() };
    let chart = IgdbLookup::Chart { chart: IgdbChart::Popular, page: 1 };
    let page = |lookup: &IgdbLookup, rows: u64| {
        let rows = Json::Array((1..=rows).map(|id| json!({"id": id, "name": "G"})).collect());
        match judge(lookup, &reply(200, rows)) {
            Ok(Judged::Answer(Value::Page(page))) => (page.items.len(), page.has_more),
            _ => panic!("no page"),
        }
    };
    assert_eq!((page(&slug, 1), page(&slug, 0)), ((1, false), (0, false)));
    assert_eq!((page(&chart, 20), page(&chart, 19)), ((20, true), (19, false)));
    // Odd words that its parser stumbles over name no game; in what we wrote ourselves it is a fault.
    assert!(matches!(judge(&slug, &reply(400, "[]")), Ok(Judged::TextRefused)));
    assert!(matches!(judge(&chart, &reply(400, "[]")), Err(Fault::Lasting)));
}

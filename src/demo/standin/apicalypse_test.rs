use serde_json::{Value, json};

use super::*;

fn refused(body: &str) -> String {
    parse(body).expect_err(body).0
}

fn holds(condition: &str, object: &Value) -> bool {
    parse(&format!("where {condition};")).unwrap().condition.unwrap().holds(object)
}

#[test]
fn all_clauses_are_read_in_long_and_in_short() {
    let query =
        parse(r#"search "witcher"; fields name,cover.image_id; limit 5; offset 10; where id = 1;"#).unwrap();
    assert_eq!(query.search.as_deref(), Some("witcher"));
    assert_eq!(query.fields, ["name", "cover.image_id"]);
    assert_eq!((query.limit, query.offset, query.condition.is_some()), (Some(5), 10, true));
    let query = parse("f *; x url; s total_rating desc; l 1; o 2; w id = (1,2);").unwrap();
    assert_eq!(query.fields, ["*"]);
    assert_eq!(query.sort, Some(("total_rating".into(), true)));
}

#[test]
fn escapes_keep_a_text_in_its_quotes() {
    let query = parse(r#"search "a\"; limit 500; \\"; fields name;"#).unwrap();
    assert_eq!(query.search.as_deref(), Some(r#"a"; limit 500; \"#));
    assert_eq!(query.limit, None);
}

#[test]
fn an_unescaped_quote_is_a_syntax_error() {
    assert!(refused(r#"search "a"; fields *; limit 500; "; fields name;"#).contains("quote"));
    assert!(refused(r#"search "a" b"; fields name;"#).contains("quote"));
    assert!(refused(r#"search "a" b; fields name;"#).contains("STRING"));
    assert!(refused(r#"search "a"; fields *; fields name;"#).contains("once"));
    assert!(refused("search 'Diablo';f *;l 5;").contains("'''"));
}

#[test]
fn what_is_not_closed_or_not_known_is_a_syntax_error() {
    for body in
        ["fields name", "limit many;", "where id;", "where (id = 1;", "where id = 1 id;", "drop games;", ";"]
    {
        refused(body);
    }
    refused(&format!("where {}id = 1;", "(".repeat(10_000)));
    assert!(parse("").unwrap().condition.is_none());
}

#[test]
fn conditions_compare_scalars_lists_and_ids() {
    let game = json!({
        "id": 72, "name": "Portal 2", "first_release_date": 1_303_084_800, "genres": [{ "id": 5 }, { "id": 9 }],
        "cover": { "id": 3, "image_id": "co1rs4" },
    });
    for condition in [
        "id = 72",
        "id = (71,72)",
        "id != 71",
        "first_release_date > 1000",
        "genres = (5,8)",
        "genres = [5,9]",
        "genres = {9,5}",
        "genres.id = 5",
        "version_parent = null & cover != null",
        "name ~ \"portal\"*",
        "name ~ *\"TAL\"*",
        "name = \"Portal 2\"",
        "(id = 1 | id = 72) & !(name = \"x\")",
        "themes = null | themes != (42)",
        "cover.image_id = \"co1rs4\"",
    ] {
        assert!(holds(condition, &game), "{condition}");
    }
    for condition in [
        "id = 7",
        "genres = {5}",
        "genres = [5,8]",
        "genres != (5)",
        "category = 0",
        "cover = null",
        "name ~ \"tal\"*",
        "name = \"portal 2\"",
        "first_release_date <= 1000",
        "!id = 72",
    ] {
        assert!(!holds(condition, &game), "{condition}");
    }
}

#[test]
fn a_projection_gives_ids_where_nothing_below_is_asked_for() {
    let game = json!({
        "id": 72, "name": "Portal 2", "slug": "portal-2", "cover": { "id": 3, "image_id": "co1rs4", "url": "x" },
        "platforms": [{ "id": 6, "name": "PC" }, 999_999],
    });
    let shown = |fields: &[&str]| project(&game, &fields.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(shown(&[]), json!({ "id": 72 }));
    assert_eq!(
        shown(&["name", "cover.image_id", "platforms.name", "summary"]),
        json!({
            "id": 72, "name": "Portal 2", "cover": { "id": 3, "image_id": "co1rs4" },
            "platforms": [{ "id": 6, "name": "PC" }, 999_999],
        })
    );
    assert_eq!(shown(&["*"])["cover"], 3);
    assert_eq!(shown(&["platforms"])["platforms"], json!([6, 999_999]));
    assert_eq!(shown(&["cover.*"])["cover"]["url"], "x");
}

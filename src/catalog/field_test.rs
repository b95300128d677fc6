use serde_json::json;

use super::*;

#[test]
fn dates_are_cut_to_what_is_certain() {
    for (text, date) in [
        ("1999-03-31", Some("1999-03-31")),
        ("1999-03", Some("1999-03")),
        ("1999", Some("1999")),
        ("1999*", Some("1999")),
        ("1999-13-01", Some("1999")),
        ("1999-02-30", Some("1999-02")),
        ("1999-00-00", Some("1999")),
        ("2011-02-01T00:00:00+01:00", Some("2011-02-01")),
        (" 1999 ", Some("1999")),
        ("19??", None),
        ("", None),
        ("199", None),
        ("19991", None),
        ("0000-01-01", None),
        ("c1999", None),
        ("１９９９", None),
        ("199é", None),
    ] {
        assert_eq!(parse_date(text).as_deref(), date, "{text}");
    }
    assert_eq!(day_of_seconds(&json!({"d": -86400}), "d").as_deref(), Some("1969-12-31"));
    assert_eq!(day_of_seconds(&json!({"d": 857260800}), "d").as_deref(), Some("1997-03-02"));
    assert_eq!(day_of_seconds(&json!({"d": i64::MAX}), "d"), None);
    assert_eq!(day_of_seconds(&json!({"d": "x"}), "d"), None);
}

#[test]
fn text_comes_out_clean_and_bounded() {
    let row =
        json!({"a": "  Am\u{65}\u{301}lie\u{0}\n x ", "b": "", "c": 5, "d": null, "e": "é".repeat(400)});
    assert_eq!(line(&row, "a").as_deref(), Some("Amélie x"));
    for key in ["b", "c", "d", "missing"] {
        assert_eq!(line(&row, key), None);
        assert_eq!(paragraphs(&row, key), None);
    }
    assert_eq!(line(&row, "e").unwrap().chars().count(), 300);
    let row = json!({"a": "one \r\n\r\n\r\n\u{0}two\nthree\n\n"});
    assert_eq!(paragraphs(&row, "a").as_deref(), Some("one\n\ntwo\nthree"));
}

#[test]
fn numbers_and_names_are_read_leniently() {
    let row = json!({"a": 0, "b": 7, "c": "8", "d": 9.0, "e": -1, "f": 1.5, "g": u64::MAX, "h": []});
    let read: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|key| count(&row, key)).into();
    assert_eq!(read, [None, Some(7), Some(8), Some(9), None, None, None, None]);
    let row = json!({"g": [{"id": 1, "name": "Horror "}, 12, null, {"name": ""}, {"name": "Horror"}, {"name": "War"}]});
    assert_eq!(names(&row, "g"), ["Horror", "War"]);
    assert!(names(&json!({"g": {"name": "x"}}), "g").is_empty());
    assert_eq!(numbered(&json!({"i": "tt0133093"}), "i", "tt").as_deref(), Some("tt0133093"));
    for wrong in ["", "tt", "nm0133093", "tt01/..", "tt12345678901234"] {
        assert_eq!(numbered(&json!({"i": wrong}), "i", "tt"), None, "{wrong}");
    }
}

use serde_json::json;

use super::write;

#[test]
fn what_is_written_is_read_back_unchanged() {
    let value = json!({
        "on": "off",
        "200": "2024-02-29",
        "text": ["plain words", "a: b", "a #b", "it's", "'", "", " x", "x ", "x:", "- x", "#x", "~", "1e3", "0x1"],
        "lines": "first\n\n  second: 'x'\nthird",
        "odd lines": ["a\n", "\na", "a\tb", "a\u{85}b", "\u{0}"],
        "line at once": "\u{1}\n",
        "nested": [[1, [2, { "a": [] }]], { "b": {}, "c": [{ "d": null }] }],
        "numbers": [1, -1, 1.5, true, null],
        "unicode": ["äöü", "日本", "–"],
    });
    let written = write(&value);
    let read: serde_json::Value = serde_yaml_ng::from_str(&written).unwrap();
    assert_eq!(read, value, "{written}");
}

#[test]
fn nothing_looks_like_a_truth_value_or_a_date_to_readers_of_yaml_1_1() {
    let written = write(&json!({ "on": "2024-02-29", "n": ["yes", "12:30:00", "1_000"] }));
    assert_eq!(written, "'on': '2024-02-29'\n'n':\n- 'yes'\n- '12:30:00'\n- '1_000'\n");
}

#[test]
fn a_plain_document_stays_plain() {
    let written = write(
        &json!({ "paths": { "/v1": { "get": { "tags": ["A"], "parameters": [{ "name": "q", "in": "query" }] } } } }),
    );
    let plain = "paths:\n  /v1:\n    get:\n      tags:\n      - A\n      parameters:\n      - name: q\n        in: query\n";
    assert_eq!(written, plain);
}

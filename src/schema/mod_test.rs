use serde_json::json;

use super::*;

fn schemas() -> Schemas {
    Schemas::new(json!({
        "components": { "schemas": {
            "Unit": { "type": "string", "enum": ["pages", "minutes"] },
            "Progress": {
                "type": "object",
                "required": ["unit", "current"],
                "additionalProperties": false,
                "properties": {
                    "unit": { "$ref": "#/components/schemas/Unit" },
                    "current": { "type": "integer", "format": "int32", "minimum": 0 },
                    "note": { "type": "string", "nullable": true, "minLength": 1, "maxLength": 3 },
                    "id": { "type": "string", "format": "uuid" },
                    "day": { "type": "string", "format": "date" },
                    "at": { "type": "string", "format": "date-time" },
                    "tag": { "type": "string", "pattern": "^[a-z]+$" },
                },
            },
        } },
    }))
}

fn faults(value: &Value) -> Vec<String> {
    let schema =
        json!({ "type": "array", "maxItems": 3, "items": { "$ref": "#/components/schemas/Progress" } });
    schemas()
        .check(&schema, value, "")
        .into_iter()
        .map(|fault| format!("{} {}", fault.pointer, fault.message))
        .collect()
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let value = json!([
        { "unit": "pages", "current": 1, "note": null, "id": "0b7c7f4e-5d6a-4a7e-9a51-02f2b8a4d001",
          "day": "2024-02-29", "at": "2024-02-29T10:00:00.000Z", "tag": "abc" },
        { "unit": "miles", "current": -1, "note": "", "extra/field": 1 },
        { "current": 1.5, "note": "éééé", "id": "0b7c7f4e5d6a4a7e9a5102f2b8a4d001", "day": "2023-02-29",
          "at": "yesterday", "tag": "A" },
    ]);
    assert_eq!(
        faults(&value),
        [
            "/1/unit must be one of pages, minutes",
            "/1/current must be at least 0",
            "/1/note must have at least 1 characters",
            "/1/extra~1field is not a known field",
            "/2/unit is required",
            "/2/current must be an integer",
            "/2/note must have at most 3 characters",
            "/2/id must be a UUID",
            "/2/day must be a date, YYYY-MM-DD",
            "/2/at must be a time as in RFC 3339",
            "/2/tag must match ^[a-z]+$",
        ]
    );
}

#[test]
fn a_string_is_not_a_number_and_a_number_is_not_a_string() {
    assert_eq!(faults(&json!([{ "unit": "pages", "current": "1" }])), ["/0/current must be an integer"]);
    assert_eq!(faults(&json!([{ "unit": "pages", "current": 1, "tag": 5 }])), ["/0/tag must be a string"]);
    assert_eq!(faults(&json!({})), [" must be an array"]);
    assert_eq!(faults(&json!([1, 2, 3, 4])), [" must have at most 3 items"]);
    assert_eq!(
        faults(&json!([{ "unit": "pages", "current": 3_000_000_000_i64 }])),
        ["/0/current must be at most 2147483647"]
    );
}

#[test]
fn no_value_makes_it_say_more_than_its_bound() {
    let value: Vec<Value> = (0..3)
        .map(|_| json!((0..500).map(|n| (n.to_string(), json!(n))).collect::<serde_json::Map<_, _>>()))
        .collect();
    assert_eq!(faults(&json!(value)).len(), MAX_VIOLATIONS);
}

#[test]
fn the_text_of_a_parameter_is_typed_by_its_schema() {
    let schemas = schemas();
    let number = json!({ "type": "integer", "minimum": 1 });
    let units = json!({ "type": "array", "items": { "$ref": "#/components/schemas/Unit" } });
    let count = |schema: &Value, text: &str| {
        let mut findings = Findings::default();
        schemas.check_text(schema, text, "/query/x", &mut findings);
        findings.len()
    };
    assert_eq!(count(&number, "5"), 0);
    assert_eq!(count(&number, "five"), 1);
    assert_eq!(count(&number, "0"), 1);
    assert_eq!(count(&units, "pages,minutes"), 0);
    assert_eq!(count(&units, "pages,,x"), 2);
    assert_eq!(count(&json!({ "type": "boolean" }), "true"), 0);
    assert_eq!(count(&json!({ "type": "boolean" }), "1"), 1);
    assert_eq!(count(&json!({ "type": "number" }), "0.5"), 0);
    assert_eq!(count(&json!({ "type": "string" }), "5"), 0);
    assert_eq!(count(&units, &"x,".repeat(15_000)), MAX_VIOLATIONS);
}

/// What is said of JSON text in which every field must be known.
fn text_faults(schema: &Value, text: &str) -> Result<Vec<String>, serde_json::Error> {
    let found = schemas().check_json(schema, text.as_bytes(), "")?;
    Ok(found.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.message)).collect())
}

fn progress() -> Value {
    json!({ "$ref": "#/components/schemas/Progress" })
}

#[test]
fn text_and_value_are_judged_alike() {
    let value =
        json!([{ "unit": "miles", "tag": null, "id": 5 }, 7, { "unit": "pages", "current": 1, "x": {} }]);
    let schema = json!({ "type": "array", "items": progress() });
    let found = schemas().check_closed(&schema, &value, "");
    assert_eq!(found.len(), 6, "{found:?}");
    assert_eq!(schemas().check_json(&schema, value.to_string().as_bytes(), "").unwrap(), found);
}

#[test]
fn duplicate_fields_are_refused_once_known() {
    let text = r#"{ "unit": "pages", "current": 1, "unit": "minutes", "note": {}, "unit": 5 }"#;
    assert_eq!(
        text_faults(&progress(), text).unwrap(),
        ["/unit is a duplicate", "/note must be a string", "/unit is a duplicate"]
    );
    assert_eq!(
        text_faults(&progress(), r#"{"unit":"pages","current":1,"\u0075nit":"pages"}"#).unwrap().len(),
        1
    );
}

#[test]
fn text_that_is_not_json_is_told_apart() {
    let valid = r#"{ "unit": "pages", "current": 1 }"#;
    assert!(text_faults(&progress(), valid).unwrap().is_empty());
    for end in 0..valid.len() {
        assert!(text_faults(&progress(), &valid[..end]).is_err(), "{end}");
    }
    for text in [&format!("{valid} {{}}"), "{unit: 1}", "{\"unit\": \"\u{1}\"}", "{\"unit\": 1e999}"] {
        assert!(text_faults(&progress(), text).is_err(), "{text}");
    }
    // Invalid somewhere else as well: it is still no JSON.
    assert!(text_faults(&progress(), r#"{ "unit": 5, "x": "#).is_err());
}

#[test]
fn depth_is_bounded() {
    let schemas = Schemas::new(json!({ "components": { "schemas": { "Tree": {
        "type": "array", "items": { "$ref": "#/components/schemas/Tree" },
    } } } }));
    let tree = json!({ "$ref": "#/components/schemas/Tree" });
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(schemas.check_json(&tree, nested(100).as_bytes(), "").unwrap(), []);
    assert!(schemas.check_json(&tree, nested(1_000_000).as_bytes(), "").is_err());
    // What is not looked at may be as deep as it likes.
    let found = text_faults(&progress(), &format!(r#"{{"x":{}}}"#, nested(1_000_000))).unwrap();
    assert_eq!(found, ["/unit is required", "/current is required", "/x is not a known field"]);
}

/// Counts the bytes that are read.
struct Counted<'a> {
    text: &'a [u8],
    read: usize,
}

impl std::io::Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = std::io::Read::read(&mut &self.text[self.read..], buffer)?;
        self.read += read;
        Ok(read)
    }
}

#[test]
fn reading_stops_when_the_findings_are_full() {
    let text = format!("[{}", r#"{"":0},"#.repeat(4 * 1024 * 1024 / 7));
    let mut counted = Counted { text: text.as_bytes(), read: 0 };
    let schema = json!({ "type": "array", "maxItems": 500, "items": progress() });
    let json = serde_json::Deserializer::from_reader(&mut counted);
    let found = schemas().check_reader(&schema, json, "").unwrap();
    assert_eq!(found.len(), MAX_VIOLATIONS);
    assert!(counted.read < 1024, "{} bytes read", counted.read);
}

#[test]
fn items_beyond_the_bound_are_not_looked_at() {
    let schema = json!({ "type": "array", "maxItems": 2, "items": progress() });
    let good = r#"{"unit":"pages","current":1}"#;
    let text = format!("[{good},{good}{}]", r#",{"":0}"#.repeat(100_000));
    assert_eq!(text_faults(&schema, &text).unwrap(), [" must have at most 2 items"]);
    // What is wrong beside the array is still said.
    let batch =
        json!({ "type": "object", "required": ["b"], "properties": { "a": schema, "b": progress() } });
    let text = format!(r#"{{"a":{text},"b":7}}"#);
    assert_eq!(text_faults(&batch, &text).unwrap(), ["/a must have at most 2 items", "/b must be an object"]);
    let few = json!({ "type": "array", "minItems": 2, "items": progress() });
    assert_eq!(text_faults(&few, "[5]").unwrap(), [" must have at least 2 items", "/0 must be an object"]);
}

#[test]
fn names_of_the_sender_are_cut_and_escaped() {
    let text = json!({ "x".repeat(100_000): 1, "~/": 1, "unit": "pages", "current": 1 }).to_string();
    let cut = format!("/{}… is not a known field", "x".repeat(64));
    assert_eq!(text_faults(&progress(), &text).unwrap(), [cut.as_str(), "/~0~1 is not a known field"]);
}

#[test]
fn findings_are_bounded_in_bytes_as_they_are_sent() {
    // Each letter takes six bytes as it is sent.
    let name = "\u{1}".repeat(64);
    let members: serde_json::Map<_, _> = (0..200).map(|n| (format!("{n}{name}"), json!(0))).collect();
    let found = schemas().check_closed(&progress(), &json!(members), "");
    let sent = serde_json::to_vec(&found).unwrap().len();
    assert!(found.len() > 30 && sent < 26 * 1024, "{} in {sent} bytes", found.len());
}

#[test]
fn schemas_as_schemars_derives_them_are_understood() {
    let schemas = Schemas::new(json!({
        "type": "object",
        "properties": {
            "maybe": { "type": ["integer", "null"], "format": "int32" },
            "part": { "anyOf": [{ "$ref": "#/$defs/Part" }, { "type": "null" }] },
        },
        "$defs": { "Part": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } } },
    }));
    let judge = |text: &str| {
        let found = schemas.check_json(schemas.document(), text.as_bytes(), "/row").unwrap();
        found.into_iter().map(|one| format!("{} {}", one.pointer, one.message)).collect::<Vec<_>>()
    };
    assert!(judge(r#"{"maybe":null,"part":null}"#).is_empty());
    assert!(judge(r#"{"maybe":7,"part":{"id":"x"}}"#).is_empty());
    assert_eq!(
        judge(r#"{"maybe":"x","part":{}}"#),
        ["/row/maybe must be an integer", "/row/part/id is required"]
    );
    assert_eq!(judge(r#"{"part":{"id":null}}"#), ["/row/part/id must not be null"]);
    assert_eq!(judge("null"), ["/row must not be null"]);
}

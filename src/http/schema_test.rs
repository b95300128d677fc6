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
    assert!(schemas.check_text(&number, "5", "/query/n").is_empty());
    assert_eq!(schemas.check_text(&number, "five", "/query/n").len(), 1);
    assert_eq!(schemas.check_text(&number, "0", "/query/n").len(), 1);
    assert!(schemas.check_text(&units, "pages,minutes", "/query/u").is_empty());
    assert_eq!(schemas.check_text(&units, "pages,,x", "/query/u").len(), 2);
    assert!(schemas.check_text(&json!({ "type": "boolean" }), "true", "/query/b").is_empty());
}

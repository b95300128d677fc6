use serde_json::json;

use super::*;
use crate::catalog::isbn::Isbn;
use crate::catalog::search_text::SearchText;
use crate::catalog::source_text::GoogleBooksText;
use crate::catalog::stub::reply;

fn search(page: u32) -> GoogleBooksLookup {
    let text = SearchText::parse("calls per day").unwrap();
    GoogleBooksLookup::Search { text: GoogleBooksText::new(&text).unwrap(), page }
}

fn volume() -> GoogleBooksLookup {
    GoogleBooksLookup::Volume { id: "book:google_books:vol_-1".parse().unwrap() }
}

fn page(number: u32, body: Json) -> Arc<Page> {
    match judge(&search(number), &reply(200, body)) {
        Ok(Value::Page(page)) => page,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_volume_is_read_as_plain_text_with_its_numbers() {
    let body = json!({"id": "vol_-1", "etag": "x", "volumeInfo": {
        "title": "The Long Shelf", "subtitle": "A Library", "authors": ["A. One", null, "B. Two"],
        "publisher": "Paper & Co", "publishedDate": "2004*", "pageCount": 0, "printedPageCount": 214,
        "description": "<p>Rows &amp; rows.</p><br><b>Of books</b>",
        "categories": ["Fiction / Fantasy / Epic", "Fiction / General"],
        "industryIdentifiers": [
            {"type": "ISBN_10", "identifier": "080442957x"}, {"type": "ISBN_13", "identifier": "978-0-261-10357-3"},
            {"type": "OTHER", "identifier": "XYZ:1"}, {"type": "ISSN"}, 4
        ],
        "imageLinks": {"smallThumbnail": "http://books.example/content?id=other"},
        "averageRating": 4, "previewLink": "http://books.example/?dq=calls"
    }});
    let Ok(Value::Item(item)) = judge(&volume(), &reply(200, body)) else { panic!() };
    assert_eq!((item.id.as_str(), item.title.as_str()), ("book:google_books:vol_-1", "The Long Shelf"));
    assert_eq!(item.overview.as_deref(), Some("Rows & rows.\n\nOf books"));
    assert_eq!(item.genres, ["Fiction", "Fantasy", "Epic"]);
    assert_eq!((item.release_date.as_deref(), item.page_count), (Some("2004"), Some(214)));
    assert_eq!(item.external_ids.isbn_10.as_deref(), Some("080442957X"));
    assert_eq!(item.external_ids.isbn_13.as_deref(), Some("9780261103573"));
    assert_eq!(item.cover.as_ref().map(CoverRef::as_str), Some("vol_-1"));
    let creators: Vec<_> = item.creators.iter().map(|c| (c.name.as_str(), c.role)).collect();
    assert_eq!(
        creators,
        [("A. One", Role::Author), ("B. Two", Role::Author), ("Paper & Co", Role::Publisher)]
    );
}

#[test]
fn a_list_without_items_is_empty_and_bad_rows_are_left_out() {
    let none = page(1, json!({"kind": "books#volumes", "totalItems": 0}));
    assert!(none.items.is_empty() && !none.has_more);
    let past_the_end = page(9, json!({"totalItems": 300}));
    assert!(past_the_end.items.is_empty() && !past_the_end.has_more);
    let some = page(
        1,
        json!({"totalItems": 777, "items": [
            {"id": "a", "volumeInfo": {"title": "A", "publishedDate": "19??"}}, {"id": "a", "volumeInfo": {"title": "A"}},
            {"id": "b", "volumeInfo": {}}, {"id": "c"}, {"volumeInfo": {"title": "D"}}, null,
            {"id": "../e", "volumeInfo": {"title": "E"}}, {"id": "f", "volumeInfo": {"subtitle": "F"}}
        ]}),
    );
    let titles: Vec<_> = some.items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, ["A", "F"]);
    assert_eq!(some.items[0].release_date, None);
    assert_eq!(some.items[0].cover, None);
    assert!(some.has_more);
    assert!(
        !page(1, json!({"totalItems": 1, "items": [{"id": "a", "volumeInfo": {"title": "A"}}]})).has_more
    );
}

#[test]
fn the_day_is_told_from_the_minute() {
    let day_unit = json!({"error": {"code": 429, "message": "Quota exceeded.", "errors": [{"reason": "rateLimitExceeded"}],
        "details": [{"metadata": {"quota_unit": "1/d/{project}"}}, {"links": []}]}});
    let day_name = json!({"error": {"details": [{"metadata": {"quota_limit": "defaultPerDayPerProject"}}]}});
    let day_text = json!({"error": {"message": "… limit 'Queries per day' of …"}});
    let day_old = json!({"error": {"errors": [{"reason": "dailyLimitExceeded"}]}});
    for body in [day_unit, day_name, day_text] {
        assert_eq!(judge(&search(1), &reply(429, &body)).err(), Some(Fault::DayLimited), "{body}");
    }
    assert_eq!(judge(&search(1), &reply(403, day_old)).err(), Some(Fault::DayLimited));
    let minute = Some(Fault::Limited(MINUTE_PAUSE));
    let minute_unit = json!({"error": {"message": "Quota exceeded.", "errors": [{"reason": "rateLimitExceeded",
        "location": "q=calls per day"}], "details": [{"metadata": {"quota_unit": "1/min/{project}"}}]}});
    assert_eq!(judge(&search(1), &reply(429, minute_unit)).err(), minute);
    assert_eq!(judge(&search(1), &reply(429, "busy")).err(), minute);
    let user = json!({"error": {"errors": [{"reason": "userRateLimitExceeded"}]}});
    assert_eq!(judge(&search(1), &reply(403, user)).err(), minute);
    let place = json!({"error": {"errors": [{"reason": "unknownLocation"}]}});
    assert_eq!(judge(&search(1), &reply(403, place)).err(), Some(Fault::Lasting));
}

#[test]
fn a_share_is_a_tenth_of_what_this_instance_may_call() {
    let config = config::GoogleBooks {
        api_key: Secret::new("k"),
        base_url: "http://127.0.0.1:1".into(),
        image_base_url: "http://127.0.0.1:1".into(),
    };
    let google = GoogleBooks::new(&config, 0.02, &Timing::default()).unwrap();
    let (one, other) = (FairShare::new(), FairShare::new());
    assert!(google.charge(&one).is_ok() && google.charge(&one).is_ok());
    assert!(matches!(google.charge(&one), Err(Failure::RateLimited { retry_after_seconds: 1..=90_000 })));
    assert!(google.charge(&other).is_ok());
}

#[test]
fn an_unknown_volume_is_known_to_be_unknown_only_by_404() {
    assert!(matches!(judge(&volume(), &reply(404, "{}")), Ok(Value::Unknown)));
    assert_eq!(judge(&volume(), &reply(503, "{}")).err(), Some(Fault::Unclear));
    assert_eq!(judge(&volume(), &reply(503, "<html>")).err(), Some(Fault::Passing));
    assert_eq!(judge(&search(1), &reply(503, "{}")).err(), Some(Fault::Passing));
    assert_eq!(judge(&search(1), &reply(404, "{}")).err(), Some(Fault::Lasting));
    assert_eq!(judge(&search(1), &reply(401, "{}")).err(), Some(Fault::Refused));
    assert_eq!(judge(&search(1), &reply(200, "[]")).err(), Some(Fault::Lasting));
    assert_eq!(judge(&volume(), &reply(200, r#"{"id":"vol_-1"}"#)).err(), Some(Fault::Lasting));
}

#[test]
fn of_what_an_isbn_finds_other_editions_are_left_out() {
    let lookup = GoogleBooksLookup::Isbn { isbn: Isbn::parse("0345391802").unwrap() };
    let volume = |id: &str, kind: &str, number: &str| json!({"id": id, "volumeInfo": {"title": id, "industryIdentifiers": [{"type": kind, "identifier": number}]}});
    let body = json!({"totalItems": 900, "items": [
        volume("a", "ISBN_13", "9780547928227"), volume("b", "ISBN_13", "978-0-345-39180-3"),
        volume("c", "ISBN_10", "0345391802"), volume("d", "OTHER", "9780345391803"),
        {"id": "e", "volumeInfo": {"title": "E"}}, null
    ]});
    let found = |body: Json| match judge(&lookup, &reply(200, body)) {
        Ok(Value::Page(page)) => page.items.iter().map(|item| item.title.clone()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(found(body), ["b", "c"]);
    assert!(found(json!({"kind": "books#volumes", "totalItems": 0})).is_empty());
}

use proptest::prelude::*;

use super::*;

fn parse(raw: &str) -> Result<String, SearchTextError> {
    SearchText::parse(raw).map(|text| text.as_str().to_owned())
}

#[test]
fn text_is_cleaned_and_lower_cased_with_its_accents() {
    for (raw, clean) in [
        ("  Dune\t\n Part   Two ", "dune part two"),
        ("Ame\u{301}lie", "amélie"),
        ("AMÉLIE", "amélie"),
        ("a\u{0}b\u{7}c", "abc"),
        ("ze\u{200b}ro", "zero"),
        ("千と千尋の神隠し", "千と千尋の神隠し"),
    ] {
        assert_eq!(parse(raw).as_deref(), Ok(clean), "{raw:?}");
    }
}

#[test]
fn length_is_counted_in_characters_after_cleaning() {
    assert_eq!(parse(""), Err(SearchTextError::Empty));
    assert_eq!(parse(" \u{200b}\u{0}\t "), Err(SearchTextError::Empty));
    assert!(parse(&"ä".repeat(100)).is_ok());
    assert_eq!(parse(&"ä".repeat(101)), Err(SearchTextError::TooLong));
    assert!(parse(&format!("a{}b", " ".repeat(200))).is_ok());
    assert_eq!(parse(&" ".repeat(5000)), Err(SearchTextError::TooLong));
}

/// Titles and texts that are refused are in the lists of `personal_data_test`; here is what is neither.
#[test]
fn numbers_that_are_no_telephone_numbers_pass() {
    for text in [
        "9780261103573",
        "978-0-261-10357-3",
        "978 0 261 10357 3",
        "isbn 9780261103573",
        "9780261103573 9780261103573",
        "080442957X",
        "0-8044-2957-x",
        "isbn 0261103571",
        "ISBN-10: 0-261-10357-1",
        "1914–1918",
        "1914 - 1918 1939 - 1945",
        "1939-45, 1914-18",
        "١٩١٤-١٩١٨ ١٩٣٩-١٩٤٥",
        "2001-09-11 2001-09-12",
        "11.09.2001 12.09.2001",
        "01.09.1939-08.05.1945",
        "9/11/2001-9/11/2011",
        "2001 2010 2061",
        "12345678",
        "the first 123456789 digits of pi",
        "user@home",
        "@example.com",
        "www.",
        "C++ in 2011 minutes",
        "+1 2345",
    ] {
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn a_search_text_does_not_show_in_debug_output() {
    assert!(!format!("{:?}", SearchText::parse("secret wish").unwrap()).contains("wish"));
}

proptest! {
    #[test]
    fn nothing_typed_makes_it_fail(raw in any::<String>()) {
        if let Ok(text) = SearchText::parse(&raw) {
            prop_assert!(!text.as_str().is_empty());
            prop_assert!(!text.as_str().chars().any(char::is_control));
        }
    }

    #[test]
    fn digits_and_signs_make_nothing_fail(raw in "[0-9xX+@./ ()–-]{0,60}") {
        let _ = SearchText::parse(&raw);
    }
}

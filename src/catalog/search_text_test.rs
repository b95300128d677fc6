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

#[test]
fn titles_pass() {
    for title in [
        "Startup.com",
        "11.22.63",
        "867-5309/Jenny",
        "1914-1918",
        "1914–1918",
        "1914 - 1918 1939 - 1945",
        "@midnight",
        "2001: A Space Odyssey",
        "1917",
        "24",
        "Se7en",
        "9780261103573",
        "978-0-261-10357-3",
        "080442957X",
        "isbn 0261103571",
        ".hack//G.U. Last Recode",
        "Fate/stay night",
        "Face/Off",
        "C++ in 2011 minutes",
        "1+1",
        "WWW. Wake",
        "Dr. Strangelove/Mr. Hyde",
        "user@home",
        "Follow @example.com",
        "2001-09-11 2001-09-12",
        "11.09.2001 12.09.2001",
        "20,000 Leagues Under the Sea",
        "THX 1138",
        "Steins;Gate",
    ] {
        assert!(parse(title).is_ok(), "{title}");
    }
}

#[test]
fn personal_data_is_refused() {
    for text in [
        "anna@example.com",
        "write to anna.b+c@mail.example.co.uk, please",
        "ａｎｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "anna@exam\u{200b}ple.com",
        "<anna@example.com>",
        "anna@bücher.example",
        "https://example.com",
        "HTTP://x",
        "ftp://host/file",
        "www.example.com",
        "see WWW.Example",
        "example.com/profile",
        "look at example.co.uk/u?id=1 now",
        "+49 170 1234567",
        "call +1 (555) 010-9999 today for the best of films",
        "＋４９１７０１２３４５６７",
        "0170 1234567",
        "0170/1234567",
        "(0170) 123-45-67",
        "my number 0170 1234567",
        "06 12 34 56 78",
        "٠١٧٠١٢٣٤٥٦٧",
        "9780261103574",
        "4111 1111 1111 1111",
    ] {
        assert_eq!(parse(text), Err(SearchTextError::PersonalData), "{text}");
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

use proptest::prelude::*;

use super::super::code::Code;
use super::super::media_id::{Kind, MediaId};
use super::super::search_text::{SearchText, SearchTextError};

/// Titles of movies, series, games and books, as people type them; one a line.
const TITLES: &str = include_str!("personal_data_test/titles.txt");

/// What must not leave; one a line. `\u{…}` stands for a character that cannot be seen.
const PERSONAL: &str = include_str!("personal_data_test/personal.txt");

fn lines(list: &str) -> Vec<String> {
    let lines: Vec<String> = list.lines().map(unescape).collect();
    let distinct: std::collections::BTreeSet<&String> = lines.iter().collect();
    assert_eq!(distinct.len(), lines.len(), "no line stands there twice");
    assert!(lines.iter().all(|line| !line.trim().is_empty()));
    lines
}

fn unescape(line: &str) -> String {
    let mut text = String::new();
    let mut parts = line.split("\\u{");
    text.push_str(parts.next().unwrap());
    for part in parts {
        let (code, rest) = part.split_once('}').unwrap();
        text.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        text.push_str(rest);
    }
    text
}

fn refused(texts: &[String]) -> Vec<&String> {
    texts.iter().filter(|text| SearchText::parse(text) == Err(SearchTextError::PersonalData)).collect()
}

#[test]
fn every_title_may_be_searched_for() {
    let titles = lines(TITLES);
    assert!(titles.len() >= 380, "{}", titles.len());
    assert_eq!(refused(&titles), Vec::<&String>::new());
    assert!(titles.iter().all(|title| SearchText::parse(title).is_ok()));
}

#[test]
fn nothing_personal_may_be_searched_for() {
    let texts = lines(PERSONAL);
    assert!(texts.len() >= 100, "{}", texts.len());
    let refused = refused(&texts);
    let passed: Vec<&String> = texts.iter().filter(|text| !refused.contains(text)).collect();
    assert_eq!(passed, Vec::<&String>::new());
}

/// What a person may paste of such a text into an address leaves as a slug or as the id of a volume.
#[test]
fn nothing_personal_may_be_a_slug_or_the_id_of_a_volume() {
    for id in [
        "alice-at-example-dot-com",
        "films-of-alice-at-example-dot-co-dot-uk",
        "anna-maria-schmidt-0151-23456789",
        "0151-23456789",
        "015123456789",
        "call-me-212-555-0123",
    ] {
        for address in [
            format!("https://www.igdb.com/games/{id}"),
            format!("https://books.google.com/books?id={id}"),
            format!("https://www.google.de/books/edition/Title/{}", id.replace('-', "_")),
        ] {
            assert_eq!(Code::address(&address), None, "{address}");
        }
        assert!(MediaId::new(Kind::Book, id).is_err(), "{id}");
    }
    for slug in [
        "fifa-23",
        "the-witcher-3-wild-hunt",
        "nier-replicant-ver-dot-1-dot-22474487139-dot-dot-dot",
        "meet-me-at-the-fair",
        "s-dot-t-dot-a-dot-l-dot-k-dot-e-dot-r-shadow-of-chernobyl",
        "four-at-polka-dot-lounge",
        "1942--1",
    ] {
        assert!(Code::address(&format!("https://www.igdb.com/games/{slug}")).is_some(), "{slug}");
    }
    for id in ["zyTCAlFPjgYC", "1234567890ab", "s1gVAAAAYAAJ", "_ojXNuzgHRcC", "known", "-1_a"] {
        assert_eq!(MediaId::new(Kind::Book, id).is_ok(), id != "1234567890ab", "{id}");
    }
}

/// The text with a blank behind some of its characters and others encoded, once or twice.
fn hidden(text: &str, ways: &[u8]) -> String {
    text.chars()
        .zip(ways.iter().cycle())
        .map(|(c, way)| match way {
            0 => format!("{c} "),
            1 => format!("%{:02X}", u32::from(c)),
            2 => format!("%25{:02x}", u32::from(c)),
            3 => format!("&#{};", u32::from(c)),
            4 => format!("&#x{:x};", u32::from(c)),
            5 => format!("%26%23{}%3B", u32::from(c)),
            _ => c.to_string(),
        })
        .collect()
}

proptest! {
    #[test]
    fn no_blank_entity_or_encoding_lets_an_address_pass(
        local in "[a-z]{1,6}",
        domain in "[a-z]{1,6}",
        tld in "(com|org|net|de|co\\.uk)",
        ways in proptest::collection::vec(0_u8..12, 1..20),
        before in "(|dune |films of )",
    ) {
        let text = format!("{before}{}", hidden(&format!("{local}@{domain}.{tld}"), &ways));
        if text.chars().count() <= 100 {
            prop_assert_eq!(SearchText::parse(&text).err(), Some(SearchTextError::PersonalData), "{}", text);
        }
    }

    #[test]
    fn no_spelling_of_its_signs_lets_an_address_pass(
        local in "[a-z]{1,6}",
        domain in "[a-z]{1,6}",
        tld in "(com|org|net|de)",
        at in "( at | AT |\\(at\\)| \\[at\\] |_at_|-at-| @ | \\{ at \\} |%20at%20|&nbsp;at&nbsp;)",
        dot in "( dot |\\(dot\\)| \\[dot\\] |_dot_|-dot-| DOT |\\.|%20dot%20)",
    ) {
        let text = format!("{local}{at}{domain}{dot}{tld}");
        prop_assert_eq!(SearchText::parse(&text).err(), Some(SearchTextError::PersonalData), "{}", text);
    }
}

/// A title beside something personal does not hide it.
#[test]
fn what_is_around_it_hides_no_address() {
    let titles = lines(TITLES);
    for (at, text) in lines(PERSONAL).iter().enumerate().filter(|(_, text)| text.contains('@')) {
        let title = &titles[at % titles.len()];
        for both in [format!("{title} {text}"), format!("{text} {title}"), format!("{title}, {text}!")] {
            if both.chars().count() <= 100 {
                assert_eq!(SearchText::parse(&both).err(), Some(SearchTextError::PersonalData), "{both}");
            }
        }
    }
}

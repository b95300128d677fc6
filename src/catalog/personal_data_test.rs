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
    assert!(titles.len() >= 200, "{}", titles.len());
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

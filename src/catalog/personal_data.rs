//! Recognises text that is about a person and not about a title: e-mail addresses, phone numbers
//! and web addresses. Errs on the side of letting titles through; what it refuses never leaves.

use unicode_normalization::char::is_combining_mark;

use super::isbn;

/// Whether `text`, in NFKC, holds an e-mail address, a web address or a phone number.
pub(super) fn is_in(text: &str) -> bool {
    has_email(text) || has_web_address(text) || has_international_number(text) || is_mostly_number(text)
}

/// `local@domain.tld`; "@midnight" has neither a local part nor a dot.
fn has_email(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let local = before.chars().next_back().is_some_and(|c| !c.is_whitespace() && c != '@');
        // Mail programs take the ideographic full stop for a dot, and so do some host names an underscore.
        let domain: String = after
            .chars()
            .map(|c| if c == '。' { '.' } else { c })
            .take_while(|&c| is_host_character(c) || c == '_')
            .collect();
        local && is_dotted_host(domain.trim_end_matches(['.', '-']))
    })
}

/// A scheme, `www.`, or a dotted host with a path. A bare host may be a title ("Startup.com").
fn has_web_address(text: &str) -> bool {
    text.contains("://")
        || text.split(|c: char| !is_host_character(c)).any(|word| {
            word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www.")) && word.len() > 4
        })
        || text.match_indices('/').any(|(slash, _)| {
            let before = text.get(..slash).unwrap_or_default();
            let before = without_port(before);
            let host = before.rsplit(|c: char| !is_host_character(c)).next().unwrap_or_default();
            let host = host.strip_suffix('.').unwrap_or(host);
            is_dotted_host(host) || is_ip_address(host)
        })
}

fn without_port(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((host, port)) if (2..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()) => {
            host
        }
        _ => text,
    }
}

fn is_host_character(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '.' || is_combining_mark(c)
}

/// At least two labels, none empty, the last of two or more letters.
fn is_dotted_host(host: &str) -> bool {
    let Some((names, last)) = host.rsplit_once('.') else { return false };
    let top_level =
        last.chars().count() >= 2 && last.chars().all(|c| c.is_alphabetic() || is_combining_mark(c));
    (top_level || last.starts_with("xn--")) && names.split('.').all(|label| !label.is_empty())
}

fn is_ip_address(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// `+` and 8 digits or more, with what stands between the digits of a number. Beyond 15 it is no phone
/// number, but then another number follows it.
fn has_international_number(text: &str) -> bool {
    text.match_indices('+').any(|(at, _)| {
        let run = text.get(at + 1..).unwrap_or_default();
        run.chars().take_while(|c| !c.is_alphabetic()).filter(|c| digit(*c).is_some()).count() >= 8
    })
}

/// 9 digits or more in groups, with no letter between them, that make up most of the text and are no
/// ISBN, dates or years. There is no upper bound: bank and card numbers are longer than phone numbers,
/// titles are not.
fn is_mostly_number(text: &str) -> bool {
    let spoken = text.chars().filter(|c| c.is_alphanumeric()).count();
    !is_named_isbn(text)
        && text.split(char::is_alphabetic).any(|run| {
            let groups = groups(run);
            let digits: usize = groups.iter().map(String::len).sum();
            digits >= 9 && digits * 2 > spoken && !is_harmless(&groups)
        })
}

/// An ISBN-10 reads like a phone number, unless it ends in X or is called what it is.
fn is_named_isbn(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    let bare = lower.strip_prefix("isbn").map(|rest| rest.strip_prefix("-10").unwrap_or(rest));
    match bare {
        Some(bare) => isbn::is_isbn(bare.trim_start_matches([':', '-', '.', ' '])),
        None => lower.ends_with('x') && isbn::is_isbn(&lower),
    }
}

/// The groups of digits in a run, in western digits.
fn groups(run: &str) -> Vec<String> {
    let western: String =
        run.chars().map(|c| digit(c).and_then(|d| char::from_digit(d, 10)).unwrap_or(' ')).collect();
    western.split_whitespace().map(str::to_owned).collect()
}

/// Whether the groups are nothing but ISBN-13s, dates and years, one after the other: "1914-1918",
/// "2001-09-11", "1939-45 1914-18". `reached` says up to which group that is so.
fn is_harmless(groups: &[String]) -> bool {
    let mut reached = vec![false; groups.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for at in 0..groups.len() {
        if !reached.get(at).is_some_and(|reached| *reached) {
            continue;
        }
        let rest = groups.get(at..).unwrap_or_default();
        for length in lengths(rest) {
            if let Some(end) = reached.get_mut(at + length) {
                *end = true;
            }
        }
    }
    reached.last().is_some_and(|end| *end)
}

/// How many of the first groups are a year, a range of years, a date, or an ISBN-13.
fn lengths(groups: &[String]) -> Vec<usize> {
    let mut found = Vec::new();
    let group = |at: usize| groups.get(at).map_or("", String::as_str);
    let (first, second, third) = (group(0), group(1), group(2));
    if is_year(first) {
        found.push(1);
        if second.len() == 2 {
            found.push(2);
        }
        if is_up_to(second, 12) && is_up_to(third, 31) {
            found.push(3);
        }
    }
    if is_up_to(first, 31) && is_up_to(second, 31) && is_year(third) {
        found.push(3);
    }
    let isbn =
        (1..=5).find(|&count| isbn::isbn_13(&groups.get(..count).unwrap_or_default().concat()).is_some());
    found.extend(isbn);
    found
}

fn is_year(group: &str) -> bool {
    group.len() == 4 && group.parse().is_ok_and(|year: u32| (1000..=2199).contains(&year))
}

fn is_up_to(group: &str, max: u32) -> bool {
    group.len() <= 2 && group.parse().is_ok_and(|number: u32| (1..=max).contains(&number))
}

/// Where the ten digits of each living script begin.
const ZEROS: [char; 26] = [
    '0', '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{1090}',
    '\u{17e0}', '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1b50}', '\u{1bb0}', '\u{a9d0}',
];

/// The value of a decimal digit of any script.
fn digit(c: char) -> Option<u32> {
    let from = |zero: char| u32::from(c).checked_sub(u32::from(zero)).filter(|value| *value < 10);
    ZEROS.into_iter().find_map(from)
}

#[cfg(test)]
#[path = "personal_data_test.rs"]
mod tests;

//! Recognizes telephone numbers, and other numbers too long for a title.

use super::isbn;

/// Fewer digits are no telephone number with its area code.
pub(super) const FEWEST_DIGITS: usize = 9;

/// Whether `text`, in NFKC, holds a number that may be a person's.
pub(super) fn is_in(text: &str) -> bool {
    has_international_number(text) || has_long_number(text)
}

/// `+` and 8 digits or more, with what stands between the digits of a number. Beyond 15 it is no phone
/// number, but then another number follows it.
fn has_international_number(text: &str) -> bool {
    text.match_indices('+').any(|(at, _)| {
        let run = text.get(at + 1..).unwrap_or_default();
        run.chars().take_while(|c| !c.is_alphabetic()).filter(|c| digit(*c).is_some()).count() >= 8
    })
}

/// 9 digits or more in groups, with no letter between them, that either make up most of the text or have
/// the form of a telephone number, and are no ISBN, dates, years or list of numbers. There is no upper
/// bound: bank and card numbers are longer than phone numbers, titles are not.
fn has_long_number(text: &str) -> bool {
    let spoken = text.chars().filter(|c| c.is_alphanumeric()).count();
    !is_named_isbn(text)
        && text.split(char::is_alphabetic).any(|run| {
            let groups = groups(run);
            let digits: usize = groups.iter().map(String::len).sum();
            digits >= FEWEST_DIGITS
                && (digits * 2 > spoken || has_form_of_phone_number(run, &groups, digits))
                && !is_harmless(&groups)
                && !is_list(&groups)
        })
}

/// The forms in which numbers are written beside a name, whatever the length of the name: with a trunk
/// prefix, with the area code in parentheses, or in groups of three digits and more.
fn has_form_of_phone_number(run: &str, groups: &[String], digits: usize) -> bool {
    let trunk = groups.first().is_some_and(|group| group.starts_with('0'));
    let area = run.split('(').skip(1).any(|rest| {
        let (code, rest) = rest.split_once(')').unwrap_or_default();
        let is_code = (2..=5).contains(&code.len()) && code.chars().all(|c| digit(c).is_some());
        is_code && rest.chars().any(|c| digit(c).is_some())
    });
    let counted = (10..=15).contains(&digits);
    let grouped = groups.iter().all(|group| group.len() >= 3);
    // "1 212 555 0123": the country or trunk digit alone.
    let prefixed = groups.len() >= 4 && groups.iter().skip(1).all(|group| group.len() >= 3);
    trunk || area || (counted && (grouped || prefixed))
}

/// Whether the groups are numbers in a row as titles have them and telephone numbers do not: one number
/// again and again ("90210 90210"), round thousands ("1,000,000,000"), or growing numbers of one and of
/// two digits ("4 8 15 16 23 42").
fn is_list(groups: &[String]) -> bool {
    let Some(first) = groups.first().filter(|first| !first.starts_with('0')) else { return false };
    let repeated = groups.len() >= 2 && groups.iter().all(|group| group == first);
    let thousands = groups.len() >= 2 && groups.iter().skip(1).all(|group| group == "000");
    let count = |len: usize| groups.iter().filter(|group| group.len() == len).count();
    let (short, long) = (count(1), count(2));
    let values: Vec<u32> = groups.iter().filter_map(|group| group.parse().ok()).collect();
    let growing =
        short >= 2 && long >= 2 && short + long == groups.len() && values.is_sorted_by(|a, b| a < b);
    repeated || thousands || growing
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
    // The agent's number, in the titles of collections that name their years.
    if first == "007" {
        found.push(1);
    }
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

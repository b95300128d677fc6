//! Recognises text that is about a person and not about a title: e-mail addresses, phone numbers
//! and web addresses. Errs on the side of letting titles through; what it refuses never leaves.

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
        let end = after.find(|c: char| !is_host_character(c)).unwrap_or(after.len());
        local && is_dotted_host(after.get(..end).unwrap_or_default().trim_end_matches(['.', '-']))
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
            let start = before.rfind(|c: char| !is_host_character(c));
            let skip = start.and_then(|at| before.get(at..)?.chars().next()).map_or(0, char::len_utf8);
            is_dotted_host(before.get(start.unwrap_or(0) + skip..).unwrap_or_default())
        })
}

fn is_host_character(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '.'
}

/// At least two labels, none empty, the last of two or more letters.
fn is_dotted_host(host: &str) -> bool {
    let Some((names, last)) = host.rsplit_once('.') else { return false };
    let top_level = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic);
    (top_level || last.starts_with("xn--")) && names.split('.').all(|label| !label.is_empty())
}

/// `+` and 8 to 15 digits, with blanks, hyphens, dots or parentheses between them.
fn has_international_number(text: &str) -> bool {
    text.match_indices('+').any(|(at, _)| {
        let run = text.get(at + 1..).unwrap_or_default();
        let digits =
            run.chars().take_while(|&c| is_digit(c) || is_separator(c)).filter(|&c| is_digit(c)).count();
        (8..=15).contains(&digits)
    })
}

/// A run of 9 digits or more that makes up most of the text and is no ISBN, date or range of years.
/// There is no upper bound: bank and card numbers are longer than phone numbers, titles are not.
fn is_mostly_number(text: &str) -> bool {
    let spoken = text.chars().filter(|c| c.is_alphanumeric()).count();
    number_runs(text).into_iter().any(|run| {
        let digits = run.chars().filter(|&c| is_digit(c)).count();
        digits >= 9 && digits * 2 > spoken && !isbn::is_isbn(run) && !is_all_dates(run)
    })
}

/// The longest stretches made of digits and what stands between the digits of a number, each from
/// its first digit to its last; a check digit X counts as a digit.
fn number_runs(text: &str) -> Vec<&str> {
    text.split(|c: char| !is_digit(c) && !is_separator(c) && !matches!(c, 'x' | 'X' | '/' | '+'))
        .map(|run| run.trim_matches(|c: char| !is_digit(c) && !matches!(c, 'x' | 'X')))
        .collect()
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '(' | ')' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Western digits and those that Arabic, Persian and Hindi are written with.
fn is_digit(c: char) -> bool {
    matches!(c, '0'..='9' | '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' | '\u{966}'..='\u{96f}')
}

/// Dates and years only, such as "1914-1918" or "2001-09-11 2001-09-12".
fn is_all_dates(run: &str) -> bool {
    run.split([' ', '(', ')']).filter(|word| word.chars().any(is_digit)).all(|word| {
        let parts: Vec<&str> =
            word.split(|c: char| c == '/' || is_separator(c)).filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            [year] => is_year(year),
            [from, to] => is_year(from) && is_year(to),
            [first, second, third] => {
                (is_year(first) && is_small(second, 12) && is_small(third, 31))
                    || (is_small(first, 31) && is_small(second, 31) && is_year(third))
            }
            _ => false,
        }
    })
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.parse().is_ok_and(|year: u32| (1000..=2999).contains(&year))
}

fn is_small(text: &str, max: u32) -> bool {
    text.len() <= 2 && text.parse().is_ok_and(|number: u32| (1..=max).contains(&number))
}

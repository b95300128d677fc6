//! Recognizes e-mail addresses in a text, also those written with blanks or with words for their signs.

use std::net::{Ipv4Addr, Ipv6Addr};

use unicode_normalization::char::is_combining_mark;

/// Words that stand for `@` and for a dot when an address is dictated or hidden from harvesters.
const AT_WORDS: [&str; 6] = ["@", "at", "ät", "arroba", "arobase", "собака"];
const DOT_WORDS: [&str; 6] = [".", "dot", "punkt", "punto", "ponto", "точка"];

/// Top-level domains of most addresses. Only needed where a title could have the form of an address:
/// with blanks inside the domain ("Live @ St. James") or with words ("Lunch at Polka Dot Lounge").
const COMMON_TLDS: &str = "com net org info biz edu gov mil int name pro mobi museum io ai app dev xyz online \
    site shop store blog cloud tech email mail live me tv cc co us uk ca au nz ie de at ch fr be nl lu es pt it gr \
    dk se no fi is pl cz sk hu ro bg hr si rs ua ru by ee lv lt tr il ir sa ae eg ma za ng ke in pk bd lk cn hk tw \
    jp kr sg my th vn ph id br ar cl mx pe ve eu example test invalid local";

/// Whether `text`, in NFKC, holds an e-mail address.
pub(super) fn is_in(text: &str) -> bool {
    has_sign(text)
        || has_words(text, char::is_whitespace)
        || has_words(text, is_separator)
        || has_words(text, |c| is_separator(c) && c != '.')
}

/// Whether an obfuscated word such as "aliceatexampledotcom" holds an address: for texts of single
/// letters, where nothing shows the end of a word.
pub(super) fn is_run_together(word: &str) -> bool {
    word.to_lowercase().rsplit_once("dot").is_some_and(|(head, tld)| {
        let at = head.find("at");
        is_common_tld(tld) && at.is_some_and(|at| at > 0 && at + "at".len() < head.len())
    })
}

/// `local@domain.tld` or `local@[address]`, with or without blanks. "@midnight" has no local part, and
/// "iDOLM@STER" has no dot.
fn has_sign(text: &str) -> bool {
    text.match_indices('@').any(|(at, sign)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + sign.len()..));
        let local = before.trim_end().chars().next_back().is_some_and(|c| c != '@');
        local && after.is_some_and(|after| begins_with_ip_address(after) || begins_with_domain(after))
    })
}

fn begins_with_ip_address(after: &str) -> bool {
    let after = after.trim_start();
    let literal = after.strip_prefix('[').map(str::trim_start);
    if let Some(literal) = literal {
        let literal = literal.split(']').next().unwrap_or_default().trim().to_ascii_lowercase();
        if literal.starts_with("ipv6:") || literal.parse::<Ipv6Addr>().is_ok() {
            return true;
        }
    }
    let digits: String =
        literal.unwrap_or(after).chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    digits.trim_end_matches('.').parse::<Ipv4Addr>().is_ok()
}

/// Whether the first word is a domain, or the first few are one with blanks in it.
fn begins_with_domain(after: &str) -> bool {
    let mut joined = String::new();
    for (number, word) in after.split_whitespace().enumerate() {
        // Mail programs take the ideographic full stop for a dot, and so do some host names an underscore.
        joined.extend(word.chars().map(|c| if c == '。' { '.' } else { c }));
        let end = joined.find(|c| !is_host_character(c) && c != '_').unwrap_or(joined.len());
        let host = joined.get(..end).unwrap_or_default().trim_end_matches(['.', '-']);
        if is_dotted_host(host) && (number == 0 || has_common_tld(host)) {
            return true;
        }
        if end < joined.len() {
            break;
        }
    }
    false
}

/// "alice at example dot com", "alice at example.com", "alice@example dot com".
fn has_words(text: &str, separator: impl Fn(char) -> bool) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(separator).filter(|word| !word.is_empty()).collect();
    let word = |at: usize| words.get(at).copied();
    words.iter().enumerate().any(|(at, here)| {
        let (first, mut next) = match here.split_once('@') {
            Some((local, host)) if !host.is_empty() && (at > 0 || !local.is_empty()) => (Some(host), at + 1),
            _ if at > 0 && AT_WORDS.contains(here) => (word(at + 1), at + 2),
            _ => return false,
        };
        let mut host = first.unwrap_or_default().to_owned();
        while let Some(label) = word(next + 1).filter(|_| word(next).is_some_and(|w| DOT_WORDS.contains(&w)))
        {
            host.push('.');
            host.push_str(label);
            next += 2;
        }
        let host = host.trim_end_matches(|c: char| !c.is_alphanumeric());
        host.chars().all(is_host_character) && is_dotted_host(host) && has_common_tld(host)
    })
}

fn is_separator(c: char) -> bool {
    !c.is_alphanumeric() && c != '@' && !is_combining_mark(c)
}

fn has_common_tld(host: &str) -> bool {
    host.rsplit('.').next().is_some_and(is_common_tld)
}

fn is_common_tld(label: &str) -> bool {
    label.starts_with("xn--") || COMMON_TLDS.split_whitespace().any(|tld| tld.eq_ignore_ascii_case(label))
}

pub(super) fn is_host_character(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '.' || is_combining_mark(c)
}

/// At least two labels, none empty, the last of two or more letters.
pub(super) fn is_dotted_host(host: &str) -> bool {
    let Some((names, last)) = host.rsplit_once('.') else { return false };
    let top_level =
        last.chars().count() >= 2 && last.chars().all(|c| c.is_alphabetic() || is_combining_mark(c));
    (top_level || last.starts_with("xn--")) && names.split('.').all(|label| !label.is_empty())
}

/// Whether the content of a pair of brackets stands for `@` or a dot; the sign it stands for.
pub(super) fn sign_of(word: &str) -> Option<char> {
    let word = word.trim().to_lowercase();
    let is = |words: &[&str]| words.contains(&word.as_str());
    if is(&AT_WORDS) { Some('@') } else { is(&DOT_WORDS).then_some('.') }
}

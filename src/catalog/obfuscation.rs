//! Undoes the encodings and spellings in which an address is hidden, wittingly or by a program that
//! copied it: percent-encoding, HTML entities, escapes, signs in brackets, letters with blanks between.

use unicode_normalization::UnicodeNormalization as _;

use super::email_address::sign_of;
use super::search_text::{MAX_CHARS, is_invisible};

/// The longest entity that is looked for, without `&`.
const MAX_ENTITY: usize = 10;

/// Entities by name, as far as addresses are written with them.
const ENTITIES: [(&str, char); 12] = [
    ("commat", '@'),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("plus", '+'),
    ("amp", '&'),
    ("nbsp", ' '),
    ("lowbar", '_'),
    ("hyphen", '-'),
    ("percnt", '%'),
    ("num", '#'),
    ("semi", ';'),
];

/// Returns the forms in which `text` has to be judged: as it looks, decoded as often as it can be, and
/// each of these with its signs in place of brackets and without blanks between single letters.
pub(super) fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![normal(text)];
    // Every round takes characters away, so there are no more rounds than characters.
    for _ in 0..MAX_CHARS {
        let Some(decoded) = forms.last().and_then(|last| decode(last)) else { break };
        forms.push(decoded);
    }
    // In a query a plus stands for a blank.
    let queries: Vec<_> = forms.iter().skip(1).filter(|form| form.contains('+')).collect();
    let mut further: Vec<String> = queries.into_iter().map(|form| form.replace('+', " ")).collect();
    for form in forms.iter().chain(&further).map(|form| without_brackets(form)).collect::<Vec<_>>() {
        further.extend(joined_letters(&form));
        further.push(form);
    }
    forms.append(&mut further);
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// What a text looks like: compatible characters as one, invisible ones gone.
fn normal(text: &str) -> String {
    // An enclosed "a" is a way to draw the sign.
    text.replace("a\u{20dd}", "@").nfkc().filter(|c| !is_invisible(*c)).collect()
}

/// Decodes one level of each encoding; `None` if there is nothing to decode.
fn decode(text: &str) -> Option<String> {
    let decoded = unescape(&entities(&percent(text)));
    // Compared before compatible characters become several.
    (decoded.len() < text.len()).then(|| normal(&decoded))
}

/// Decodes `%40`; bytes that are no UTF-8 become replacement characters, which are no letters.
fn percent(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Decodes `&#64;`, `&#x40;` and `&commat;`, also without the semicolon, as browsers do.
fn entities(text: &str) -> String {
    replace(text, '&', |rest| {
        let name: String =
            rest.chars().take(MAX_ENTITY).take_while(|c| *c == '#' || c.is_ascii_alphanumeric()).collect();
        let number = name.strip_prefix('#');
        let (c, len) = match number.map(|number| (number, number.strip_prefix(['x', 'X']))) {
            Some((_, Some(hex))) => code_point(hex, 16).map(|(c, len)| (c, len + 2))?,
            Some((decimal, None)) => code_point(decimal, 10).map(|(c, len)| (c, len + 1))?,
            None => {
                let (name, c) = ENTITIES.into_iter().find(|(entity, _)| name.starts_with(entity))?;
                (c, name.len())
            }
        };
        Some((c, len + usize::from(rest.get(len..).is_some_and(|rest| rest.starts_with(';')))))
    })
}

/// Decodes `\u0040`, `\u{40}` and `\x40`.
fn unescape(text: &str) -> String {
    replace(text, '\\', |rest| {
        let hex = rest.strip_prefix(['u', 'x'])?;
        match hex.strip_prefix('{') {
            Some(hex) => {
                let (c, len) = code_point(hex, 16)?;
                hex.get(len..)?.starts_with('}').then_some((c, len + 3))
            }
            None => {
                let len = if rest.starts_with('u') { 4 } else { 2 };
                code_point(hex.get(..len)?, 16).filter(|(_, read)| *read == len).map(|(c, len)| (c, len + 1))
            }
        }
    })
}

/// The character whose number `digits` begins with, and how many digits that takes.
fn code_point(digits: &str, radix: u32) -> Option<(char, usize)> {
    // As a browser reads it: digits that follow the number are part of it, as far as it is a character.
    let longest = digits.chars().take_while(|c| c.is_digit(radix)).count().min(7);
    let read =
        |len: usize| Some((char::from_u32(u32::from_str_radix(digits.get(..len)?, radix).ok()?)?, len));
    (1..=longest).rev().find_map(read)
}

/// Replaces what `decode` makes one character of, behind each `sign`; it tells the bytes that it read.
fn replace(text: &str, sign: char, decode: impl Fn(&str) -> Option<(char, usize)>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(sign) {
        replaced.push_str(before);
        match decode(after).and_then(|(c, len)| Some((c, after.get(len..)?))) {
            Some((c, behind)) => {
                replaced.push(c);
                rest = behind;
            }
            None => {
                replaced.push(sign);
                rest = after;
            }
        }
    }
    replaced.push_str(rest);
    replaced
}

/// `alice (at) example [dot] com` with its signs.
fn without_brackets(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['(', '[', '{', '<']) {
        let (before, bracket) = rest.split_at(open);
        let inner = bracket.get(1..).unwrap_or_default();
        let close = inner.find([')', ']', '}', '>']);
        let sign = close.and_then(|close| Some((sign_of(inner.get(..close)?)?, inner.get(close + 1..)?)));
        match sign {
            Some((sign, behind)) => {
                plain.push_str(before.trim_end());
                plain.push(sign);
                rest = behind.trim_start();
            }
            None => {
                plain.push_str(before);
                plain.push_str(bracket.get(..1).unwrap_or_default());
                rest = inner;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// The text with words in place of letters that have blanks between; `None` if it has no such.
fn joined_letters(text: &str) -> Option<String> {
    /// So many single letters in a row are no initials.
    const FEWEST: usize = 5;
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_single = |word: &&str| word.chars().nth(1).is_none();
    let runs = words.chunk_by(|one, other| is_single(one) && is_single(other));
    let mut joined = Vec::new();
    let mut found = false;
    for run in runs {
        let is_spaced = run.len() >= FEWEST;
        found |= is_spaced;
        joined.push(run.join(if is_spaced { "" } else { " " }));
    }
    found.then(|| joined.join(" "))
}

//! Recognises text that is about a person and not about a title: e-mail addresses, phone numbers
//! and web addresses. Errs on the side of letting titles through; what it refuses never leaves.

use super::email_address::{self, is_dotted_host, is_host_character};
use super::obfuscation;
use super::phone_number;

/// Ids of real titles are shorter than any address with words for its signs (`a_at_b_dot_io`).
const LONGEST_PLAIN_ID: usize = 12;

/// Whether `text` holds an e-mail address, a web address or a phone number: as it is, or decoded.
pub(super) fn is_in(text: &str) -> bool {
    let forms = obfuscation::forms(text);
    forms.iter().any(|form| email_address::is_in(form) || has_web_address(form) || phone_number::is_in(form))
        || forms.iter().flat_map(|form| form.split_whitespace()).any(email_address::is_run_together)
}

/// Whether a word made of letters, digits, `-` and `_`, which a source knows a title by, holds an e-mail
/// address or a phone number. Cheap for what most ids look like: ids are parsed from every row.
pub(super) fn is_in_id(id: &str) -> bool {
    let digits = id.bytes().filter(u8::is_ascii_digit).count();
    if id.len() <= LONGEST_PLAIN_ID && digits < phone_number::FEWEST_DIGITS {
        return false;
    }
    // IGDB writes a decimal point as a word.
    let parts: Vec<&str> = id.split("-dot-").collect();
    let mut text = String::with_capacity(id.len());
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            let digits = text.ends_with(|c: char| c.is_ascii_digit())
                && part.starts_with(|c: char| c.is_ascii_digit());
            text.push_str(if digits { "." } else { " dot " });
        }
        text.push_str(part);
    }
    is_in(&text.replace(['-', '_'], " "))
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

fn is_ip_address(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
#[path = "personal_data_test.rs"]
mod tests;

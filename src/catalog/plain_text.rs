//! HTML descriptions as plain text: tags go, what breaks a line breaks it, entities become what they
//! stand for. The result is text and must be escaped like any other where HTML is written.

/// Longer tags and entities are taken for text.
const MAX_TAG: usize = 300;
const MAX_ENTITY: usize = 10;

pub(super) fn from_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        rest = match tag(from) {
            Some((name, after)) => {
                if breaks_line(name) {
                    text.push('\n');
                }
                after
            }
            None => match entity(from) {
                Some((character, after)) => {
                    text.push(character);
                    after
                }
                None => {
                    let mut characters = from.chars();
                    text.extend(characters.next());
                    characters.as_str()
                }
            },
        };
    }
    text.push_str(rest);
    text
}

/// The name of the tag that `text` begins with, and what comes after it. "a < b" is no tag.
fn tag(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?;
    let end = inside.bytes().take(MAX_TAG).position(|byte| byte == b'>')?;
    let name = inside.get(..end)?.trim_start_matches('/');
    if !inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!') {
        return None;
    }
    let length = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    Some((name.get(..length)?, inside.get(end + 1..)?))
}

fn breaks_line(name: &str) -> bool {
    ["br", "p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "blockquote"]
        .iter()
        .any(|breaking| breaking.eq_ignore_ascii_case(name))
}

fn entity(text: &str) -> Option<(char, &str)> {
    let inside = text.strip_prefix('&')?;
    let end = inside.bytes().take(MAX_ENTITY).position(|byte| byte == b';')?;
    let character = match inside.get(..end)? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "hellip" => '…',
        other => {
            let number = other.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((character, inside.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_go_and_entities_are_read() {
        for (html, text) in [
            ("plain", "plain"),
            ("<p>One &amp; two</p><p>three<br/>four</p>", "\nOne & two\n\nthree\nfour\n"),
            ("<b>bold</b> and <i class=\"x\">italic</i>", "bold and italic"),
            ("it&#39;s &#x41;&quot;&nbsp;&unknown; &", "it's A\" &unknown; &"),
            ("a < b > c, i <3 you", "a < b > c, i <3 you"),
            ("<script>alert(1)</script>", "alert(1)"),
            ("<!-- no --> yes <", " yes <"),
            ("&lt;b&gt;", "<b>"),
            ("&#0;&#xd800;&#99999999;", "\u{0}&#xd800;&#99999999;"),
        ] {
            assert_eq!(from_html(html), text, "{html}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(html in "[<>&;#a-zé/ !]{0,80}") {
            prop_assert!(from_html(&html).len() <= html.len());
        }
    }
}

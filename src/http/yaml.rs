//! Writes the contract as YAML in the few forms that readers of YAML 1.1 and 1.2 understand alike. The
//! older ones, which generators still use, take a bare `on` for a truth value and a bare date for a
//! date: whatever is not plainly a word is quoted.

use serde_json::Value;

/// The document, ending with a line break.
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

/// `value` in lines of its own, each indented by `indent` blanks.
fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                out.extend(std::iter::repeat_n(' ', indent));
                out.push_str(&text(name));
                out.push(':');
                match member {
                    Value::Object(inner) if !inner.is_empty() => {
                        out.push('\n');
                        block(member, indent + 2, out);
                    }
                    Value::Array(items) if !items.is_empty() => {
                        out.push('\n');
                        block(member, indent, out);
                    }
                    Value::String(lines) if is_literal(lines) => literal(lines, indent + 2, out),
                    _ => {
                        out.push(' ');
                        block(member, 0, out);
                    }
                }
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let start = out.len() + indent;
                // An item's first line begins with the dash where its indentation would be.
                if item.is_object() || item.is_array() {
                    block(item, indent + 2, out);
                    out.replace_range(start..start + 2, "- ");
                } else {
                    out.extend(std::iter::repeat_n(' ', indent));
                    out.push_str("- ");
                    block(item, 0, out);
                }
            }
        }
        Value::String(string) => {
            out.push_str(&text(string));
            out.push('\n');
        }
        other => {
            out.push_str(&other.to_string());
            out.push('\n');
        }
    }
}

/// Several lines that stand as they are under a `|-`.
fn is_literal(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with('\n')
        && !text.contains(|c| is_odd(c) && c != '\n')
}

/// What cannot stand as it is: control characters, and what some readers take for a line break.
fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn literal(text: &str, indent: usize, out: &mut String) {
    out.push_str(" |-\n");
    for line in text.split('\n') {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// A text on one line: bare where nothing could take it for something else, else quoted.
fn text(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else if text.contains(is_odd) {
        // A JSON string is a double-quoted YAML string, once what JSON lets stand is escaped too.
        let quoted = Value::from(text).to_string();
        let escape = |c| if is_odd(c) { format!("\\u{:04x}", u32::from(c)) } else { String::from(c) };
        quoted.chars().map(escape).collect()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

fn is_plain(text: &str) -> bool {
    const RESERVED: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '$'))
        && !text.ends_with([':', ' '])
        && ![": ", " #"].iter().any(|mark| text.contains(mark))
        && !text.contains(is_odd)
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
#[path = "yaml_test.rs"]
mod tests;

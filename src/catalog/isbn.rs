//! International standard book numbers: only those whose check digit is right.

/// `text` without hyphens and blanks, if that is an ISBN-13 (978 or 979) with a right check digit.
pub(super) fn isbn_13(text: &str) -> Option<String> {
    let number = compact(text);
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits.iter().zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
    let right = number.len() == 13
        && digits.len() == 13
        && (number.starts_with("978") || number.starts_with("979"))
        && sum.is_multiple_of(10);
    right.then_some(number)
}

/// `text` without hyphens and blanks, if that is an ISBN-10 with a right check digit (0 to 9 or X).
pub(super) fn isbn_10(text: &str) -> Option<String> {
    let number = compact(text);
    let mut sum = 0;
    for (place, c) in number.chars().enumerate() {
        let digit = if place == 9 && c == 'X' { 10 } else { c.to_digit(10)? };
        sum += digit * (10 - u32::try_from(place).ok().filter(|&place| place < 10)?);
    }
    (number.len() == 10 && sum.is_multiple_of(11)).then_some(number)
}

pub(super) fn is_isbn(text: &str) -> bool {
    isbn_13(text).is_some() || isbn_10(text).is_some()
}

fn compact(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, ' ' | '-' | '\u{2010}'..='\u{2015}'))
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_right_check_digits_pass() {
        assert_eq!(isbn_13("978-0-261-10357-3").as_deref(), Some("9780261103573"));
        assert_eq!(isbn_10("0-8044-2957-x").as_deref(), Some("080442957X"));
        assert_eq!(isbn_10("0261103571").as_deref(), Some("0261103571"));
        for text in ["", "9780261103574", "4006381333931", "97802611035", "978026110357X", "97802611035730"] {
            assert_eq!(isbn_13(text), None, "{text}");
        }
        for text in ["", "0804429570", "X804429570", "08044295X0", "080442957", "080442957XX", "12345678901"]
        {
            assert_eq!(isbn_10(text), None, "{text}");
        }
    }
}

use super::*;

#[test]
fn only_right_check_digits_pass() {
    assert_eq!(isbn_13("978-0-261-10357-3").as_deref(), Some("9780261103573"));
    assert_eq!(isbn_10("0-8044-2957-x").as_deref(), Some("080442957X"));
    assert_eq!(isbn_10("0261103571").as_deref(), Some("0261103571"));
    for text in ["", "9780261103574", "4006381333931", "97802611035", "978026110357X", "97802611035730"] {
        assert_eq!(isbn_13(text), None, "{text}");
    }
    for text in ["", "0804429570", "X804429570", "08044295X0", "080442957", "080442957XX", "12345678901"] {
        assert_eq!(isbn_10(text), None, "{text}");
    }
}

#[test]
fn whatever_a_scanner_or_a_person_gives_is_one_number() {
    for text in [
        "9780345391803",
        "978-0-345-39180-3",
        " 978 0 345 39180 3 ",
        "ISBN 978-0-345-39180-3",
        "isbn:9780345391803",
        "ISBN-13: 978-0-345-39180-3",
        "ISBN13 9780345391803",
        "ISBN-10: 0-345-39180-2",
        "ISBN 0345391802",
        "ISBN9780345391803",
        "0345391802",
        "0 345 39180 2",
        "9780345391803 50799",
        "978-0-345-39180-3 12",
        "9780345391803\t50799",
        "９７８０３４５３９１８０３",
        "978\u{2011}0\u{2013}345\u{2212}39180-3",
        "978\u{a0}0345391803",
    ] {
        assert_eq!(Isbn::parse(text).as_ref().map(Isbn::as_str), Some("9780345391803"), "{text}");
    }
    for (text, number) in
        [("055380457x", "9780553804577"), ("ＩＳＢＮ ０５５３８０４５７Ｘ", "9780553804577")]
    {
        assert_eq!(Isbn::parse(text).as_ref().map(Isbn::as_str), Some(number), "{text}");
    }
    assert_eq!(Isbn::parse("979-10-90636-07-1").unwrap().as_str(), "9791090636071");
}

#[test]
fn what_is_no_number_of_a_book_is_none() {
    for text in [
        "",
        "ISBN",
        "ISBN-13",
        "9780345391804",
        "0345391803",
        "4006381333931",
        "9780345391803 507",
        "9780345391803 5079X",
        "978034539180350799",
        "0345391802 50799",
        "9780345391803 9780345391803",
        "dune",
        "978034539180З",
        "é",
        "日本語の本",
    ] {
        assert_eq!(Isbn::parse(text), None, "{text}");
    }
}

#[test]
fn a_book_is_known_by_either_form() {
    let isbn = Isbn::parse("0345391802").unwrap();
    let ids = |isbn_13: Option<&str>, isbn_10: Option<&str>| ExternalIds {
        isbn_13: isbn_13.map(str::to_owned),
        isbn_10: isbn_10.map(str::to_owned),
        ..ExternalIds::default()
    };
    assert!(isbn.is_among(&ids(Some("9780345391803"), None)));
    assert!(isbn.is_among(&ids(None, Some("0345391802"))));
    assert!(isbn.is_among(&ids(Some("9780547928227"), Some("0345391802"))));
    assert!(!isbn.is_among(&ids(Some("9780547928227"), Some("054792822X"))));
    assert!(!isbn.is_among(&ids(None, None)));
}

use proptest::prelude::*;

use super::*;

proptest! {
    /// A cursor gives back the key it was made of, to the question it was made for and to no other.
    #[test]
    fn a_cursor_holds_its_key(question in ".{0,40}", other in ".{0,40}", number: i64, text in "\\PC{0,60}") {
        let cursor = encode(&question, &(number, text.clone()));
        let read: Option<(i64, String)> = decode(&question, Some(&cursor)).expect("its own question");
        prop_assert_eq!(read, Some((number, text)));
        if question != other {
            prop_assert!(decode::<(i64, String)>(&other, Some(&cursor)).is_err());
        }
    }

    /// Whatever a client sends instead is refused, not misread.
    #[test]
    fn nonsense_is_refused(cursor in ".{0,80}") {
        prop_assert!(decode::<(i64, String)>("a question", Some(&cursor)).is_err());
    }
}

use proptest::prelude::*;

use super::*;
use crate::secret::{Purpose, Secrets};

fn cursors(secret: &str) -> Cursors {
    Cursors::new(Secrets::parse(secret).expect("long enough").signer(Purpose::Cursor))
}

const SECRET: &str = "a secret of these tests";

#[test]
fn a_forged_cursor_is_refused() {
    let cursors = cursors(SECRET);
    let good = cursors.encode("a question", &(7, "x"));
    let bytes = URL_SAFE_NO_PAD.decode(&good).expect("base64");
    // Every bit counts, in the signature and in the key.
    for at in 0..bytes.len() * 8 {
        let mut forged = bytes.clone();
        forged[at / 8] ^= 1 << (at % 8);
        let forged = URL_SAFE_NO_PAD.encode(forged);
        assert!(cursors.decode::<(i64, String)>("a question", Some(&forged)).is_err(), "bit {at}");
    }
    let elsewhere = self::cursors("the secret of another service").encode("a question", &(7, "x"));
    assert!(cursors.decode::<(i64, String)>("a question", Some(&elsewhere)).is_err());
}

#[test]
fn a_cursor_outlives_a_change_of_the_secret() {
    let before = cursors(SECRET).encode("a question", &(7, "x"));
    let both = cursors(&format!("a newer secret of these tests,{SECRET}"));
    let read: Option<(i64, String)> = both.decode("a question", Some(&before)).expect("an older secret");
    assert_eq!(read, Some((7, "x".to_owned())));
}

proptest! {
    /// A cursor gives back the key it was made of, to the question it was made for and to no other.
    #[test]
    fn a_cursor_holds_its_key(question in ".{0,40}", other in ".{0,40}", number: i64, text in "\\PC{0,60}") {
        let cursors = cursors(SECRET);
        let cursor = cursors.encode(&question, &(number, text.clone()));
        let read: Option<(i64, String)> = cursors.decode(&question, Some(&cursor)).expect("its own question");
        prop_assert_eq!(read, Some((number, text)));
        if question != other {
            prop_assert!(cursors.decode::<(i64, String)>(&other, Some(&cursor)).is_err());
        }
    }

    /// Whatever a client sends instead is refused, not misread.
    #[test]
    fn nonsense_is_refused(cursor in ".{0,80}") {
        prop_assert!(cursors(SECRET).decode::<(i64, String)>("a question", Some(&cursor)).is_err());
    }
}

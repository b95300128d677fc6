use std::os::unix::fs::PermissionsExt as _;

use super::*;

const SECRET: &str = "a secret of the tests";

fn signer(list: &str) -> Signer {
    Secrets::parse(list).expect("secrets").signer(Purpose::Cover)
}

#[test]
fn a_part_verifies_as_itself_and_as_nothing_else() {
    let signer = signer(SECRET);
    let signature = signer.sign(b"message");
    for part in 0..3 {
        assert_eq!(signature.part(part).len(), PART);
        for other in 0..4 {
            assert_eq!(signer.verifies(b"message", other, signature.part(part)), part == other);
        }
        assert!(!signer.verifies(b"massage", part, signature.part(part)));
        assert!(!signer.verifies(b"message", part, signature.part(part).get(1..).unwrap()));
    }
    // A part that is not there is not matched by nothing.
    assert!(signature.part(3).is_empty() && !signer.verifies(b"message", 0, b""));
}

#[test]
fn the_first_secret_signs_and_all_verify() {
    let (old, new) = ("the old secret of all", "the new secret of all");
    let by_old = signer(old).sign(b"m");
    assert!(signer(&format!("{new}, {old}")).verifies(b"m", 0, by_old.part(0)));
    assert!(!signer(new).verifies(b"m", 0, by_old.part(0)));
    let by_both = signer(&format!("{new},{old}")).sign(b"m");
    assert!(signer(new).verifies(b"m", 0, by_both.part(0)));
}

#[test]
fn a_purpose_has_a_key_of_its_own() {
    let plain = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA384, SECRET.as_bytes()), b"m");
    assert!(!signer(SECRET).verifies(b"m", 0, plain.as_ref().get(..PART).unwrap()));
}

#[test]
fn short_secrets_are_refused_and_none_shows() {
    for list in ["", "short", "a secret of the tests,short", "a secret of the tests,", ","] {
        assert!(matches!(Secrets::parse(list), Err(SecretError::TooShort)), "{list:?}");
    }
    for list in ["aaaaaaaaaaaaaaaaaaaaaaaa", "0101010101010101", "a secret of the tests,ababababababababab"] {
        assert!(matches!(Secrets::parse(list), Err(SecretError::Weak)), "{list:?}");
    }
    assert!(Secrets::parse("0f1e2d3c4b5a6978").is_ok());
    assert!(!format!("{:?}", Secrets::parse(SECRET).unwrap()).contains("tests"));
}

#[test]
fn a_secret_is_made_once_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("omnitrack.db.key");
    // As when several processes start on a database that is new.
    let start = std::sync::Barrier::new(8);
    let come = || {
        start.wait();
        Secrets::kept_in(&path).unwrap()
    };
    let found: Vec<Secrets> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(come)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(found.iter().all(|secrets| secrets == &found[0]));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
    assert_eq!(Secrets::kept_in(&path).unwrap(), found[0]);

    fs::write(&path, "").unwrap();
    assert!(matches!(Secrets::kept_in(&path), Err(SecretError::TooShort)));
    assert!(matches!(Secrets::kept_in(&folder.path().join("no/such")), Err(SecretError::File(_))));
}

#[test]
fn what_is_sealed_is_opened_by_every_secret_of_the_list_and_by_no_other() {
    let (old, new) = ("the old secret of all", "the new secret of all");
    let sealer = |list: &str| Secrets::parse(list).expect("secrets").sealer(Purpose::Export);
    let sealed = sealer(old).seal(b"message").expect("sealed");
    assert_ne!(sealer(old).seal(b"message").expect("sealed"), sealed, "a nonce is used once");
    for list in [old, &format!("{new},{old}"), &format!("{old},{new}")] {
        assert_eq!(sealer(list).open(&sealed).as_deref(), Some(b"message".as_slice()), "{list}");
    }
    assert_eq!(sealer(new).open(&sealed), None);
    assert_eq!(Secrets::parse(old).expect("secrets").sealer(Purpose::Cover).open(&sealed), None);
}

#[test]
fn no_byte_of_what_is_sealed_can_be_changed() {
    let sealer = Secrets::parse(SECRET).expect("secrets").sealer(Purpose::Export);
    let sealed = sealer.seal(b"message").expect("sealed");
    let bytes = URL_SAFE_NO_PAD.decode(&sealed).expect("base64");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        *changed.get_mut(at).unwrap() ^= 1;
        assert_eq!(sealer.open(&URL_SAFE_NO_PAD.encode(changed)), None, "byte {at}");
        assert_eq!(sealer.open(&URL_SAFE_NO_PAD.encode(bytes.get(..at).unwrap())), None, "{at} bytes");
    }
    assert_eq!(sealer.open("not base64!"), None);
}

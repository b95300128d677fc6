use proptest::prelude::*;

use super::*;

#[test]
fn equal_keys_leave_no_room() {
    let key = between(None, None).expect("a first key");
    assert_eq!(between(Some(&key), Some(&key)), None);
    assert_eq!(between(Some(b"not one of ours"), None), None);
}

proptest! {
    /// Wherever items are put, the bytes sort as the places say.
    #[test]
    fn keys_sort_as_they_were_placed(slots in prop::collection::vec(any::<prop::sample::Index>(), 1..200)) {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for slot in slots {
            let at = slot.index(keys.len() + 1);
            let lower = at.checked_sub(1).and_then(|index| keys.get(index)).cloned();
            let upper = keys.get(at).cloned();
            let key = between(lower.as_deref(), upper.as_deref()).expect("distinct keys leave room");
            keys.insert(at, key);
        }
        prop_assert!(keys.is_sorted_by(|a, b| a < b));
    }
}

use proptest::prelude::*;

use super::*;

/// A leaf of a table with two rows, a block between them, and something in its room.
fn leaf() -> Vec<u8> {
    let mut page = vec![0xAA; 512];
    page[..8].copy_from_slice(&[13, 0x01, 0x90, 0, 2, 0x01, 0x80, 0]);
    page[8..12].copy_from_slice(&[0x01, 0x80, 0x01, 0xC0]);
    page[0x190..0x194].copy_from_slice(&[0, 0, 0, 0x10]);
    page
}

#[test]
fn only_the_free_room_is_overwritten() {
    let before = leaf();
    let mut page = leaf();
    assert!(clean(2, &mut page));
    assert_eq!(page[..12], before[..12], "header and pointers");
    assert!(page[12..0x180].iter().all(|byte| *byte == 0), "the room");
    assert_eq!(page[0x180..0x194], before[0x180..0x194], "a row, and the link of the block");
    assert!(page[0x194..0x1A0].iter().all(|byte| *byte == 0), "the block");
    assert_eq!(page[0x1A0..], before[0x1A0..], "a row");
    assert!(!clean(2, &mut page), "once is enough");
}

#[test]
fn what_is_no_page_of_rows_is_left_alone() {
    for change in [
        // An overflow page, a kind that is none.
        (0, 0),
        (0, 12),
        // More pointers than there is room for; a row behind the end.
        (3, 0xFF),
        (5, 0x7F),
        // A block that leads back, and one behind the end.
        (0x191, 0x90),
        (0x192, 0x7F),
    ] {
        let mut page = leaf();
        page[change.0] = change.1;
        let before = page.clone();
        assert!(!clean(2, &mut page), "{change:?}");
        assert_eq!(page, before, "{change:?}");
    }
    assert!(!clean(2, &mut []));
}

proptest! {
    #[test]
    fn no_page_makes_it_stumble(number in 1_u32..3, mut page in proptest::collection::vec(any::<u8>(), 0..700), kind in 0_usize..5) {
        let header = if number == 1 { FILE_HEADER } else { 0 };
        if let Some(first) = page.get_mut(header) {
            *first = [2, 5, 10, 13, 0][kind];
        }
        let length = page.len();
        clean(number, &mut page);
        prop_assert_eq!(page.len(), length);
    }
}

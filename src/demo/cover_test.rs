use super::*;

/// Walks the chunks and checks each sum; gives the kinds and the joined image data.
fn walk(png: &[u8]) -> (Vec<String>, Vec<u8>) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let (mut kinds, mut data, mut at) = (Vec::new(), Vec::new(), 8);
    while at < png.len() {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        let body = &png[at + 4..at + 8 + length];
        assert_eq!(crc(body.iter()).to_be_bytes(), png[at + 8 + length..at + 12 + length]);
        kinds.push(String::from_utf8(body[..4].to_vec()).unwrap());
        if &body[..4] == b"IDAT" {
            data.extend(&body[4..]);
        }
        at += 12 + length;
    }
    (kinds, data)
}

#[test]
fn the_check_sum_is_the_one_of_the_png_standard() {
    // "IEND" without data has this sum in every PNG file.
    assert_eq!(crc(b"IEND".iter()), 0xAE42_6082);
}

#[test]
fn a_cover_is_a_whole_png_of_the_size_asked_for() {
    let png = draw("Blade Runner", 342, 513);
    let (kinds, data) = walk(&png);
    assert_eq!(kinds, ["IHDR", "PLTE", "IDAT", "IEND"]);
    assert_eq!(png[16..24], [0, 0, 1, 86, 0, 0, 2, 1]);
    // Header, one stored block, check sum; 86 bytes of pixels and a filter byte per row.
    assert_eq!(data.len(), 2 + 5 + 513 * 87 + 4);
    assert_eq!(data[2], 1);
}

#[test]
fn more_than_one_stored_block_is_closed_by_the_last() {
    let out = stored(&vec![7; 70_000]);
    assert_eq!((out[2], out[2 + 5 + 65_535]), (0, 1));
}

#[test]
fn sides_are_bounded() {
    assert_eq!(draw("x", 0, 0)[16..24], [0, 0, 0, 1, 0, 0, 0, 1]);
    assert_eq!(draw("x", 5000, 1)[16..20], MAX_SIDE.to_be_bytes());
}

#[test]
fn titles_look_different_and_the_same_title_looks_the_same() {
    assert_eq!(draw("Dune", 92, 138), draw("Dune", 92, 138));
    assert_ne!(draw("Dune", 92, 138), draw("Dark", 92, 138));
    assert_ne!(draw("Dune", 92, 138), blank(92, 138));
}

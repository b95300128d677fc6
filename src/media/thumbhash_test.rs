use bytes::Bytes;
use image::{ExtendedColorType, ImageEncoder as _, Rgb, RgbImage};

use super::*;
use crate::demo::cover;

fn picture(kind: PictureType, bytes: impl Into<Bytes>) -> Picture {
    Picture { kind, bytes: bytes.into(), digest: [0; 16] }
}

fn drawn(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(
        width,
        height,
        |x, y| if x + y < height { Rgb([200, 40, 40]) } else { Rgb([20, 60, 180]) },
    )
}

fn encoded(kind: PictureType, picture: &RgbImage) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::new();
    let written = match kind {
        PictureType::Jpeg => image::codecs::jpeg::JpegEncoder::new(&mut bytes).write_image(
            picture,
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
        PictureType::Png => image::codecs::png::PngEncoder::new(&mut bytes).write_image(
            picture,
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
        PictureType::Webp => image::codecs::webp::WebPEncoder::new_lossless(&mut bytes).write_image(
            picture,
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
    };
    written.unwrap();
    bytes
}

fn average(thumbhash: &str) -> (f32, f32, f32, f32) {
    let bytes = STANDARD.decode(thumbhash).unwrap();
    ::thumbhash::thumb_hash_to_average_rgba(&bytes).unwrap()
}

#[test]
fn each_kind_of_picture_gives_nearly_the_same() {
    let drawing = drawn(154, 231);
    let hashes =
        PictureType::ALL.map(|kind| of(&picture(kind, encoded(kind, &drawing))).expect("a thumbhash"));
    for hash in &hashes {
        let (red, green, blue, alpha) = average(hash);
        assert!((0.3..0.7).contains(&red) && green < 0.3 && blue > 0.3 && alpha > 0.9, "{hash}");
    }
    assert_eq!(hashes[1], hashes[2], "two kinds without loss");
    assert_ne!(hashes[0], of(&picture(PictureType::Png, cover::draw("Another", 154, 231))).unwrap());
}

#[test]
fn pictures_above_two_megapixels_are_not_decoded() {
    let kind = PictureType::Png;
    let at = encoded(kind, &drawn(2000, 1000));
    assert!(of(&picture(kind, at)).is_some());
    assert_eq!(of(&picture(kind, encoded(kind, &drawn(2000, 1001)))), None);

    // A header that promises 25 gigapixels, and nothing behind it.
    let mut bomb = encoded(kind, &drawn(1, 1));
    for at in [16, 20] {
        bomb.splice(at..at + 4, 160_000_u32.to_be_bytes());
    }
    assert_eq!(of(&picture(kind, bomb)), None);
}

#[test]
fn shapes_at_the_edge() {
    for (width, height) in [(1, 1), (1, 2000), (2000, 1), (99, 100), (101, 100)] {
        let drawing = encoded(PictureType::Png, &drawn(width, height));
        assert!(of(&picture(PictureType::Png, drawing)).is_some(), "{width} by {height}");
    }
}

#[test]
fn what_is_broken_gives_none_and_never_panics() {
    for kind in PictureType::ALL {
        let whole = encoded(kind, &drawn(40, 60));
        assert_eq!(of(&picture(kind, Vec::new())), None);
        for end in 0..whole.len() {
            let _ = of(&picture(kind, whole[..end].to_vec()));
        }
        for at in 0..whole.len().min(600) {
            let mut bent = whole.clone();
            bent[at] ^= 0x5A;
            let _ = of(&picture(kind, bent));
        }
        assert!(of(&picture(kind, whole)).is_some());
    }
    assert_eq!(of(&picture(PictureType::Jpeg, "<html></html>")), None);
}

//! A picture as a handful of bytes, to show until it is there (<https://evanw.github.io/thumbhash>).
//! What is decoded came from outside: its header is looked at before any memory is taken for it.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, ImageReader, Limits, imageops};

use crate::catalog::{Picture, PictureType};

/// Larger pictures are not decoded: a small cover has a fortieth of this.
const MAX_PIXELS: u64 = 2_000_000;
/// What a decoder may take in memory.
const MAX_ALLOC: u64 = 64 * 1024 * 1024;
/// The largest side that a thumbhash is made of.
const SIDE: u32 = 100;

/// The thumbhash of a picture in base64; `None` for one that is too large or cannot be read.
pub(super) fn of(picture: &Picture) -> Option<String> {
    let format = match picture.kind {
        PictureType::Jpeg => ImageFormat::Jpeg,
        PictureType::Png => ImageFormat::Png,
        PictureType::Webp => ImageFormat::WebP,
    };
    let reader = || {
        let mut reader = ImageReader::with_format(Cursor::new(&picture.bytes), format);
        let mut limits = Limits::default();
        limits.max_alloc = Some(MAX_ALLOC);
        reader.limits(limits);
        reader
    };
    let (width, height) = reader().into_dimensions().ok()?;
    if width == 0 || height == 0 || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return None;
    }
    let decoded = reader().decode().ok()?;
    let longest = width.max(height);
    let side = |side: u32| (side * SIDE.min(longest) / longest).max(1);
    let small = imageops::thumbnail(&decoded.to_rgba8(), side(width), side(height));
    let (width, height) = (small.width() as usize, small.height() as usize);
    Some(STANDARD.encode(thumbhash::rgba_to_thumb_hash(width, height, small.as_raw())))
}

#[cfg(test)]
#[path = "thumbhash_test.rs"]
mod tests;

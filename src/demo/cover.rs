//! Covers drawn from a title: flat colours and a few shapes, written as a small PNG. Owns the drawing
//! and the encoding; knows nothing of who serves it.

/// The largest side that is drawn, in pixels.
pub const MAX_SIDE: u32 = 1080;

/// Draws the cover of `title` as a PNG: the same bytes for the same title and size. Sides are held
/// to 1..=[`MAX_SIDE`] pixels.
pub fn draw(title: &str, width: u32, height: u32) -> Vec<u8> {
    let look = Look::of(title);
    encode(width, height, look.colours, |x, y, w, h| look.shade(x, y, w, h))
}

/// The grey picture that stands for "image not available".
pub fn blank(width: u32, height: u32) -> Vec<u8> {
    let greys = [[0xE0; 3], [0xB0; 3], [0x90; 3], [0x70; 3]];
    encode(width, height, greys, |x, y, w, h| u8::from(x * h / w.max(1) == y || x + y * w / h.max(1) == w))
}

/// What a title looks like: four colours and where the shapes lie, in thousandths of the sides.
struct Look {
    colours: [[u8; 3]; 4],
    circle: (i64, i64, i64),
    band: (i64, i64),
    stripes: Vec<u8>,
}

impl Look {
    fn of(title: &str) -> Self {
        let seed = hash(title);
        let byte = |shift: u32| (seed >> shift).to_le_bytes()[0];
        let part = |shift: u32, from: i64, span: i64| from + i64::from(byte(shift)) * span / 255;
        let [red, green, blue] = [byte(0) / 2, byte(8) / 2, byte(16) / 2];
        Self {
            colours: [
                [red, green, blue],
                [255 - green, 255 - blue, 255 - red],
                [red.saturating_add(70), green.saturating_add(70), blue.saturating_add(70)],
                [0xF4, 0xF0, 0xE6],
            ],
            circle: (part(24, 250, 500), part(32, 200, 350), part(40, 120, 200)),
            band: (part(48, 620, 120), part(56, 60, 60)),
            stripes: title.bytes().take(24).collect(),
        }
    }

    /// Which of the four colours the pixel has.
    fn shade(&self, x: u32, y: u32, width: u32, height: u32) -> u8 {
        let across = i64::from(x) * 1000 / i64::from(width.max(1));
        let down = i64::from(y) * 1000 / i64::from(height.max(1));
        let (top, depth) = self.band;
        if (top..top + depth).contains(&down) {
            // The letters as bars: as tall as the band, light where the letter is an odd number.
            let at = usize::try_from(across * 24 / 1000).unwrap_or_default();
            return if self.stripes.get(at).is_some_and(|letter| letter % 2 == 1) { 3 } else { 2 };
        }
        let (centre, middle, radius) = self.circle;
        // A cover is higher than wide, so a distance down counts half as much again.
        let (dx, dy) = (across - centre, (down - middle) * 3 / 2);
        if dx * dx + dy * dy < radius * radius {
            return 1;
        }
        u8::from(across + down > 1400) * 2
    }
}

/// FNV-1a, then mixed once more so that short titles differ in every byte.
fn hash(text: &str) -> u64 {
    let sum = text
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |sum, b| (sum ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3));
    (sum ^ (sum >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

/// A PNG with a palette of four colours, two bits per pixel, stored without compression.
fn encode(
    width: u32,
    height: u32,
    palette: [[u8; 3]; 4],
    pixel: impl Fn(u32, u32, u32, u32) -> u8,
) -> Vec<u8> {
    let (width, height) = (width.clamp(1, MAX_SIDE), height.clamp(1, MAX_SIDE));
    let mut rows = Vec::new();
    for y in 0..height {
        rows.push(0); // no filter
        for first in (0..width).step_by(4) {
            let four = (first..first + 4)
                .map(|x| if x < width { pixel(x, y, width, height) & 3 } else { 0 })
                .fold(0, |byte, shade| (byte << 2) | shade);
            rows.push(four);
        }
    }
    let mut header = Vec::from(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([2, 3, 0, 0, 0]); // depth 2, palette, no interlace
    let mut png = Vec::from(*b"\x89PNG\r\n\x1a\n");
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"PLTE", palette.as_flattened());
    chunk(&mut png, *b"IDAT", &stored(&rows));
    chunk(&mut png, *b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    png.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let sum = crc(kind.iter().chain(data));
    png.extend(kind);
    png.extend(data);
    png.extend(sum.to_be_bytes());
}

/// A zlib stream of stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = data.chunks(0xFFFF).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (low, high) = data.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    out.extend(((high << 16) | low).to_be_bytes());
    out
}

fn crc<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    !bytes.fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}

#[cfg(test)]
#[path = "cover_test.rs"]
mod tests;

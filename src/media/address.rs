//! Where covers are: `/v1/images/{source}/{size}/{image}/{signature}`, relative to the server. The
//! signature covers source, image and size and nothing else, so that an address is the same for
//! everybody, does not expire, and can be made for no picture but those that titles show.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::catalog::{Cover, CoverSize, SourceName};
use crate::secret::Signer;

/// A cover's addresses, in the order of [`CoverSize::ALL`]: one signature in three parts.
pub fn write(signer: &Signer, cover: &Cover) -> [String; 3] {
    let signature = signer.sign(message(cover).as_bytes());
    let mut number = 0;
    CoverSize::ALL.map(|size| {
        let (source, name) = (cover.source().as_str(), cover.name());
        let mut address = String::with_capacity(60 + name.len());
        for part in ["/v1/images/", source, "/", size.as_str(), "/", name, "/"] {
            address.push_str(part);
        }
        URL_SAFE_NO_PAD.encode_string(signature.part(number), &mut address);
        number += 1;
        address
    })
}

/// The picture that the parts of an address name; `None` unless it is one of ours.
pub(super) fn read(
    signer: &Signer,
    source: &str,
    size: &str,
    image: &str,
    signature: &str,
) -> Option<(Cover, CoverSize)> {
    let source: SourceName = source.parse().ok()?;
    let (part, size) = CoverSize::ALL.into_iter().enumerate().find(|(_, known)| known.as_str() == size)?;
    let cover = Cover::named(source, image)?;
    let given = URL_SAFE_NO_PAD.decode(signature).ok()?;
    signer.verifies(message(&cover).as_bytes(), part, &given).then_some((cover, size))
}

/// No name of a picture holds a slash but at its beginning, so that no two messages are alike.
fn message(cover: &Cover) -> String {
    format!("{}/{}", cover.source(), cover.name())
}

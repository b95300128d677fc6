//! The addresses of covers: `/v1/images/{source}/{size}/{image}/{signature}`, relative to the server. The
//! signature covers source, image and size and nothing else, so that an address is the same for
//! everybody, does not expire, and can be made for no picture but those that titles show.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::view::media;
use crate::app::App;
use crate::catalog::{Cover, CoverSize, SourceName};
use crate::media::Known;
use crate::secret::Signer;

/// What views need to show covers: something to sign with, and what is known of them.
pub struct Covers {
    signer: Signer,
    known: HashMap<Cover, Known>,
}

impl Covers {
    /// Looks up what is known of these covers.
    pub async fn of(app: &App, covers: impl IntoIterator<Item = Cover>) -> Self {
        Self { signer: app.cover_signer.clone(), known: app.covers.known(&app.db, covers).await }
    }

    /// The cover as answers show it; none that its source does not have.
    pub fn show(&self, cover: Option<&Cover>) -> Option<media::Cover> {
        let cover = cover?;
        let thumbhash = match self.known.get(cover) {
            Some(Known::Missing) => return None,
            Some(Known::Seen(thumbhash)) => thumbhash.as_deref().map(str::to_owned),
            Some(Known::Unseen) | None => None,
        };
        let [small, medium, large] = addresses(&self.signer, cover);
        Some(media::Cover { small, medium, large, thumbhash })
    }
}

/// Where the three sizes of a cover are: one signature in three parts.
pub fn addresses(signer: &Signer, cover: &Cover) -> [String; 3] {
    let signature = signer.sign(message(cover).as_bytes());
    let mut number = 0;
    CoverSize::ALL.map(|size| {
        let (source, name) = (cover.source().as_str(), cover.name());
        let mut address = String::with_capacity(56 + name.len());
        for part in ["/v1/images/", source, "/", size.as_str(), "/", name, "/"] {
            address.push_str(part);
        }
        URL_SAFE_NO_PAD.encode_string(signature.part(number), &mut address);
        number += 1;
        address
    })
}

/// The picture that an address of ours names; `None` for any other.
pub fn read(
    signer: &Signer,
    source: &str,
    size: &str,
    image: &str,
    signature: &str,
) -> Option<(Cover, CoverSize)> {
    let source: SourceName = source.parse().ok()?;
    let part = CoverSize::ALL.iter().position(|known| known.as_str() == size)?;
    let cover = Cover::named(source, image)?;
    let given = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let size = *CoverSize::ALL.get(part)?;
    signer.verifies(message(&cover).as_bytes(), part, &given).then_some((cover, size))
}

/// No name of a picture holds a slash but at its beginning, so that no two messages are alike.
fn message(cover: &Cover) -> String {
    format!("{}/{}", cover.source(), cover.name())
}

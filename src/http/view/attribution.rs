//! What the sources' terms ask to be shown beside their data.

use poem_openapi::{Enum, Object};
use serde::Serialize;

use crate::catalog::SourceName;

/// Whose approved logo is to be shown. The app has the pictures: none is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum AttributionLogo {
    Tmdb,
    Igdb,
    GoogleBooks,
}

/// What a source's terms ask to be shown beside its data.
#[derive(Debug, Clone, Object, Serialize)]
pub struct Attribution {
    /// The notice, word for word.
    pub text: String,
    pub logo: AttributionLogo,
}

impl Attribution {
    pub fn of(source: SourceName) -> Self {
        let (text, logo) = match source {
            SourceName::Tmdb => (
                "This product uses TMDB and the TMDB APIs but is not endorsed, certified, or otherwise approved by TMDB.",
                AttributionLogo::Tmdb,
            ),
            SourceName::Igdb => ("Game data from IGDB.com", AttributionLogo::Igdb),
            SourceName::GoogleBooks => ("Powered by Google", AttributionLogo::GoogleBooks),
        };
        Self { text: text.to_owned(), logo }
    }
}

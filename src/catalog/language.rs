//! The languages that titles can be shown in. A short fixed list, so that a rare language tag
//! cannot single a person out at a source.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A BCP 47 tag of [`Language::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language(&'static str);

/// For each language the tag that its bare name stands for comes first.
const TAGS: [Language; 36] = [
    Language("en-US"),
    Language("en-GB"),
    Language("ar-SA"),
    Language("bg-BG"),
    Language("ca-ES"),
    Language("cs-CZ"),
    Language("da-DK"),
    Language("de-DE"),
    Language("el-GR"),
    Language("es-ES"),
    Language("es-MX"),
    Language("fa-IR"),
    Language("fi-FI"),
    Language("fr-FR"),
    Language("fr-CA"),
    Language("he-IL"),
    Language("hi-IN"),
    Language("hr-HR"),
    Language("hu-HU"),
    Language("id-ID"),
    Language("it-IT"),
    Language("ja-JP"),
    Language("ko-KR"),
    Language("nb-NO"),
    Language("nl-NL"),
    Language("pl-PL"),
    Language("pt-PT"),
    Language("pt-BR"),
    Language("ro-RO"),
    Language("ru-RU"),
    Language("sv-SE"),
    Language("th-TH"),
    Language("tr-TR"),
    Language("uk-UA"),
    Language("zh-CN"),
    Language("zh-TW"),
];

impl Language {
    pub const ALL: &'static [Language] = &TAGS;
    pub const DEFAULT: Language = Language("en-US");

    /// Finds a tag, or a bare language such as `de`, whatever the case of its letters.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|tag| tag.0.eq_ignore_ascii_case(text))
            .or_else(|| Self::ALL.iter().find(|tag| tag.primary().eq_ignore_ascii_case(text)))
            .copied()
    }

    /// The tag that comes nearest to any BCP 47 tag: the same one, else the same language wherever it
    /// is spoken (`de-AT` reads `de-DE`).
    pub fn nearest(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let primary = match lower.split('-').next().unwrap_or_default() {
            "zh" if ["hant", "hk", "mo"].iter().any(|part| lower.split('-').any(|own| own == *part)) => {
                "zh-TW"
            }
            "no" | "nn" => "nb",
            "iw" => "he",
            other => other,
        };
        Self::parse(&lower).or_else(|| Self::parse(primary))
    }

    pub const fn as_str(self) -> &'static str {
        self.0
    }

    fn primary(self) -> &'static str {
        self.0.split('-').next().unwrap_or(self.0)
    }
}

impl Default for Language {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("not a supported language"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_bare_languages_are_found() {
        for (text, tag) in [
            ("en-US", "en-US"),
            ("EN-us", "en-US"),
            ("en", "en-US"),
            ("de", "de-DE"),
            ("ES", "es-ES"),
            ("pt", "pt-PT"),
            ("pt-br", "pt-BR"),
            ("zh", "zh-CN"),
        ] {
            assert_eq!(Language::parse(text).map(Language::as_str), Some(tag), "{text}");
        }
        for text in ["", "e", "de-", "de-XX", "de_DE", "deutsch", "en-US ", "*"] {
            assert_eq!(Language::parse(text), None, "{text}");
        }
        assert!(Language::ALL.contains(&Language::DEFAULT));
    }

    #[test]
    fn a_phones_language_finds_the_nearest_tag() {
        for (text, tag) in [
            ("de-AT", Some("de-DE")),
            ("en-AU", Some("en-US")),
            ("es-419", Some("es-ES")),
            ("zh-Hant-HK", Some("zh-TW")),
            ("zh-Hans-CN", Some("zh-CN")),
            ("nn-NO", Some("nb-NO")),
            ("pt-BR", Some("pt-BR")),
            ("tlh", None),
        ] {
            assert_eq!(Language::nearest(text).map(Language::as_str), tag, "{text}");
        }
    }
}

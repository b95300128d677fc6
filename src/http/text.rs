//! Types that are texts of one fixed form on the wire: times, dates, and the names that have a
//! pattern. What the form is stands in the contract; what it means is checked when it is parsed.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::catalog;
use crate::clock::{Millis, parse_date};

/// A time: RFC 3339 in UTC with milliseconds and `Z`, always in this one shape, because Swift's
/// parsers refuse a varying number of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp(pub Millis);

/// A day on the person's calendar, `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// The id of a media item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaId(pub catalog::MediaId);

/// The language to show titles in: any BCP 47 tag, as the phone has it. Titles are shown in the nearest
/// one that they are kept in, else in the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language(pub Option<catalog::Language>);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time: DateTime<Utc> = DateTime::from_timestamp_millis(self.0).unwrap_or_default();
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl FromStr for Timestamp {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| "must be a time as in RFC 3339")?;
        Ok(Self(time.timestamp_millis()))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Date {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_date(text).map(Self).ok_or("must be a date, YYYY-MM-DD")
    }
}

impl fmt::Display for MediaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MediaId {
    type Err = catalog::MediaIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.unwrap_or_default().as_str())
    }
}

impl FromStr for Language {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(catalog::Language::nearest(text)))
    }
}

/// A media id as a pattern: the three sources and the forms of their ids. Numbers end where every one
/// of so many digits still fits what the catalog and the databases keep.
const MEDIA_ID: &str =
    "^((movie|tv):tmdb:[1-9][0-9]{0,8}|game:igdb:[1-9][0-9]{0,17}|book:google_books:[A-Za-z0-9_-]{1,40})$";

macro_rules! text_type {
    ($type:ty, $name:literal, $schema:expr) => {
        impl Type for $type {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                $name.into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new($schema))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }

        impl ParseFromJSON for $type {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                match value {
                    Some(Value::String(text)) => text.parse().map_err(ParseError::custom),
                    other => Err(ParseError::expected_type(other.unwrap_or_default())),
                }
            }
        }

        impl ParseFromParameter for $type {
            fn parse_from_parameter(value: &str) -> ParseResult<Self> {
                value.parse().map_err(ParseError::custom)
            }
        }

        impl ToJSON for $type {
            fn to_json(&self) -> Option<Value> {
                Some(Value::String(self.to_string()))
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

text_type!(Timestamp, "string_date-time", MetaSchema::new_with_format("string", "date-time"));
text_type!(Date, "string_date", MetaSchema::new_with_format("string", "date"));
text_type!(
    MediaId,
    "string_media-id",
    MetaSchema {
        pattern: Some(MEDIA_ID.into()),
        max_length: Some(60),
        ..MetaSchema::new_with_format("string", "media-id")
    }
);
text_type!(
    Language,
    "string_language",
    MetaSchema {
        pattern: Some("^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$".into()),
        ..MetaSchema::new("string")
    }
);

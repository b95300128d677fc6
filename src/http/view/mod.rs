//! Wire types: what clients send (`…Write` for PUT, `…Patch` for PATCH) and what they get. Each has a
//! name of its own in the contract; the domain never sees them.

pub mod account;
pub mod attribution;
pub mod device;
pub mod discover;
pub mod entry;
pub mod episode;
pub mod export;
pub mod feed;
pub mod import;
pub mod list;
pub mod media;
pub mod note;
pub mod policy;
pub mod push;
pub mod receipt;

/// An enum of the contract that mirrors one of the database's values.
macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident mirrors $value:path { $($variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, poem_openapi::Enum, serde::Serialize)]
        #[oai(rename_all = "snake_case")]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($variant),+ }

        impl From<$value> for $name {
            fn from(value: $value) -> Self {
                match value { $(<$value>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $value {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}
pub(crate) use wire_enum;

use poem_openapi::types::MaybeUndefined;

/// A field of a patch: absent keeps, null clears.
pub(crate) fn clearable<T>(field: MaybeUndefined<T>) -> Option<Option<T>> {
    match field {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

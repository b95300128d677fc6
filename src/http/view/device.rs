//! Devices on the wire.

use entity::value;
use poem_openapi::Object;
use serde::Serialize;
use uuid::Uuid;

use super::wire_enum;
use crate::account::device as domain;
use crate::http::text::Timestamp;

wire_enum! {
    /// Which of Apple's services a push token is for.
    PushEnvironment mirrors value::PushEnvironment { Sandbox, Production }
}

/// Where a device is reached. A token belongs to one device of one account: registering it takes it from
/// any other.
#[derive(Clone, Object, Serialize)]
#[oai(deny_unknown_fields)]
pub struct PushAddress {
    /// As Apple gave it to the app.
    #[oai(validator(min_length = 1, max_length = 512, pattern = "^[!-~]*$"))]
    pub token: String,
    pub environment: PushEnvironment,
}

/// A phone or tablet that the account is used on.
#[serde_with::skip_serializing_none]
#[derive(Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct Device {
    pub id: Uuid,
    pub model: String,
    pub os_version: String,
    pub app_version: String,
    /// Absent where the device gave none, or another device has taken its token over.
    pub push: Option<PushAddress>,
    pub revision: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<domain::Device> for Device {
    fn from(domain::Device { row, push }: domain::Device) -> Self {
        Self {
            id: row.id,
            model: row.model,
            os_version: row.os_version,
            app_version: row.app_version,
            push: push.map(|push| PushAddress { token: push.token, environment: push.environment.into() }),
            revision: row.revision,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// One page of devices, oldest first.
#[serde_with::skip_serializing_none]
#[derive(Clone, Object, Serialize)]
#[oai(skip_serializing_if_is_none)]
pub struct DevicePage {
    pub items: Vec<Device>,
    /// Where to go on; absent on the last page.
    pub next_cursor: Option<String>,
}

/// What a device says of itself. Without `push` it is not reached any more.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct DeviceWrite {
    /// As the device names it, such as `iPhone17,1`.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub model: String,
    #[oai(validator(min_length = 1, max_length = 100))]
    pub os_version: String,
    #[oai(validator(min_length = 1, max_length = 100))]
    pub app_version: String,
    #[oai(nullable)]
    pub push: Option<PushAddress>,
}

impl From<DeviceWrite> for domain::Description {
    fn from(write: DeviceWrite) -> Self {
        Self {
            model: write.model,
            os_version: write.os_version,
            app_version: write.app_version,
            push: write
                .push
                .map(|push| domain::Push { token: push.token, environment: push.environment.into() }),
        }
    }
}

//! The devices of an account.

use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path, Query};
use uuid::Uuid;

use super::{Absent, Area, Common, Delete, Put, limit, refused};
use crate::account::device;
use crate::app::App;
use crate::error::Error;
use crate::http::answer::{Found, Gone, Plain, Written};
use crate::http::auth::Caller;
use crate::http::etag::expected;
use crate::http::json::Json;
use crate::http::problem::Fail;
use crate::http::view::device::{Device, DevicePage, DeviceWrite};

pub struct DeviceApi {
    pub app: App,
}

#[OpenApi(prefix_path = "/v1/account/devices", tag = "Area::Devices")]
impl DeviceApi {
    /// List devices
    ///
    /// What the account is used on, oldest first.
    #[oai(path = "/", method = "get", operation_id = "listDevices")]
    async fn list(
        &self,
        caller: Caller,
        /// Rows on a page; 50 without it.
        #[oai(name = "limit", validator(minimum(value = "1"), maximum(value = "200")))]
        page_limit: Query<Option<i32>>,
        /// `next_cursor` of the page before.
        #[oai(validator(max_length = 2000))]
        cursor: Query<Option<String>>,
    ) -> Result<Plain<DevicePage>, Fail<Common>> {
        let after = self.app.cursors.decode("devices", cursor.0.as_deref())?;
        let (devices, end) = device::list(&self.app.db, caller.id(), after, limit(page_limit.0)).await?;
        Ok(Plain(DevicePage {
            items: devices.into_iter().map(Device::from).collect(),
            next_cursor: end.map(|end| self.app.cursors.encode("devices", &end)),
        }))
    }

    /// Show a device
    ///
    /// What it said of itself last.
    #[oai(path = "/:device_id", method = "get", operation_id = "getDevice")]
    async fn get(
        &self,
        caller: Caller,
        device_id: Path<Uuid>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Result<Found<Device>, Fail<Absent>> {
        let device = device::get(&self.app.db, caller.id(), device_id.0).await?;
        let revision = device.row.revision;
        Ok(Found::new(device.into(), revision, if_none_match.0))
    }

    /// Register a device
    ///
    /// Makes it known under the UUID that it chose, or brings what is known of it up to date. Its push token is taken from any other device, of whichever account. The id of a device that was deleted may be used again.
    #[oai(path = "/:device_id", method = "put", operation_id = "putDevice")]
    async fn put(
        &self,
        caller: Caller,
        device_id: Path<Uuid>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
        body: Json<DeviceWrite>,
    ) -> Result<Written<Device>, Fail<Put>> {
        let expected = expected(if_match.0.as_deref())?;
        match device::put(&self.app.db, caller.id(), device_id.0, &expected, body.0.into()).await {
            Ok((device, created)) => {
                let revision = device.row.revision;
                Ok(Written { view: device.into(), revision, created })
            }
            Err(error) => Err(refused(error, self.current(&caller, device_id.0)).await),
        }
    }

    /// Delete a device
    ///
    /// It is forgotten with its push token. It may register again.
    #[oai(path = "/:device_id", method = "delete", operation_id = "deleteDevice")]
    async fn delete(
        &self,
        caller: Caller,
        device_id: Path<Uuid>,
        #[oai(name = "If-Match")] if_match: Header<Option<String>>,
    ) -> Result<Gone, Fail<Delete>> {
        let expected = expected(if_match.0.as_deref())?;
        match device::delete(&self.app.db, caller.id(), device_id.0, &expected).await {
            Ok(()) => Ok(Gone),
            Err(error) => Err(refused(error, self.current(&caller, device_id.0)).await),
        }
    }
}

impl DeviceApi {
    async fn current(&self, caller: &Caller, id: Uuid) -> Result<Device, Error> {
        device::get(&self.app.db, caller.id(), id).await.map(Device::from)
    }
}

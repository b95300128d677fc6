//! The phones and tablets that an account is used on, and where each is reached. A push token belongs to
//! one device of one account in all the world: whoever registers it last has it. Nothing is pushed here.

use entity::value::PushEnvironment;
use entity::{device, push_token};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryResult,
};
use uuid::Uuid;

use crate::clock::Millis;
use crate::db::{Change, Db, execute, rows};
use crate::error::{Error, Result};
use crate::expected::Expected;

/// Devices that one account may have.
pub const MAX_DEVICES: u64 = 50;

/// Where a device is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct Push {
    pub token: String,
    pub environment: PushEnvironment,
}

/// A device and where it is reached, if it said so.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    pub row: device::Model,
    pub push: Option<Push>,
}

/// What a device says of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Description {
    pub model: String,
    pub os_version: String,
    pub app_version: String,
    pub push: Option<Push>,
}

/// Where a page ended: creation time and id of its last device.
pub type Position = (Millis, Uuid);

const DEVICES: &str = "SELECT d.account_id, d.id, d.model, d.os_version, d.app_version, d.revision, \
    d.created_at, d.updated_at, p.token, p.environment FROM device d \
    LEFT JOIN push_token p ON p.account_id = d.account_id AND p.device_id = d.id WHERE d.account_id = $1";

fn decode(row: &QueryResult) -> Result<Device, DbErr> {
    let (token, environment): (Option<String>, Option<PushEnvironment>) =
        (row.try_get_by_index(8)?, row.try_get_by_index(9)?);
    Ok(Device {
        row: device::Model {
            account_id: row.try_get_by_index(0)?,
            id: row.try_get_by_index(1)?,
            model: row.try_get_by_index(2)?,
            os_version: row.try_get_by_index(3)?,
            app_version: row.try_get_by_index(4)?,
            revision: row.try_get_by_index(5)?,
            created_at: row.try_get_by_index(6)?,
            updated_at: row.try_get_by_index(7)?,
        },
        push: token.zip(environment).map(|(token, environment)| Push { token, environment }),
    })
}

/// The account's devices, oldest first.
pub async fn list(
    db: &Db,
    account: Uuid,
    after: Option<Position>,
    limit: u64,
) -> Result<(Vec<Device>, Option<Position>)> {
    let (created_at, id) = after.unwrap_or((i64::MIN, Uuid::nil()));
    let sql = format!("{DEVICES} AND (d.created_at, d.id) > ($2, $3) ORDER BY d.created_at, d.id LIMIT $4");
    let bound = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let found = rows(db.read(), &sql, [account.into(), created_at.into(), id.into(), bound.into()]).await?;
    let mut devices = found.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    let more = devices.len() as u64 > limit;
    devices.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let end = devices.last().filter(|_| more).map(|device| (device.row.created_at, device.row.id));
    Ok((devices, end))
}

pub async fn get(db: &Db, account: Uuid, id: Uuid) -> Result<Device> {
    find(db.read(), account, id).await?.ok_or(Error::NotFound)
}

async fn find(connection: &impl ConnectionTrait, account: Uuid, id: Uuid) -> Result<Option<Device>> {
    let found = rows(connection, &format!("{DEVICES} AND d.id = $2"), [account.into(), id.into()]).await?;
    Ok(found.first().map(decode).transpose()?)
}

/// Registers a device, or brings what is known of it up to date; tells it as it is then, and whether it
/// is new. The id of a device that was deleted is as good as any: it is the same phone.
pub async fn put(
    db: &Db,
    account: Uuid,
    id: Uuid,
    expected: &Expected,
    description: Description,
) -> Result<(Device, bool)> {
    let mut change = db.change(account).await?;
    let before = find(change.tx(), account, id).await?;
    expected.allows(before.as_ref().map(|device| device.row.revision))?;
    if before.is_none() {
        let own = device::Entity::find().filter(device::Column::AccountId.eq(account));
        if own.count(change.tx()).await? >= MAX_DEVICES {
            return Err(Error::LimitReached { what: "devices", limit: MAX_DEVICES });
        }
    }
    let Description { model, os_version, app_version, push } = description;
    let row = device::Model {
        account_id: account,
        id,
        model,
        os_version,
        app_version,
        revision: before.as_ref().map_or(0, |device| device.row.revision),
        created_at: before.as_ref().map_or(change.now(), |device| device.row.created_at),
        updated_at: before.as_ref().map_or(change.now(), |device| device.row.updated_at),
    };
    let mut after = Device { row, push };
    if before.as_ref() == Some(&after) {
        return Ok((after, false));
    }
    after.row.revision = change.next_revision();
    after.row.updated_at = change.now();
    let active = after.row.clone().into_active_model().reset_all();
    match &before {
        None => device::Entity::insert(active).exec_without_returning(change.tx()).await.map(drop)?,
        Some(_) => device::Entity::update(active).exec(change.tx()).await.map(drop)?,
    }
    if before.as_ref().and_then(|device| device.push.as_ref()) != after.push.as_ref() {
        register(&change, id, after.push.as_ref()).await?;
    }
    change.commit().await?;
    Ok((after, before.is_none()))
}

/// Makes `push` the one address of the device. One statement takes the token from whoever has it:
/// of two accounts that register it at once, the second waits for the first and then takes it over.
async fn register(change: &Change, id: Uuid, push: Option<&Push>) -> Result<()> {
    let account = change.account_id();
    let token = push.map_or("", |push| &push.token);
    let other = "DELETE FROM push_token WHERE account_id = $1 AND device_id = $2 AND token <> $3";
    execute(change.tx(), other, [account.into(), id.into(), token.into()]).await?;
    let Some(Push { token, environment }) = push.cloned() else { return Ok(()) };
    let row = push_token::Model {
        token,
        environment,
        account_id: account,
        device_id: id,
        registered_at: change.now(),
    };
    push_token::Entity::insert(row.into_active_model().reset_all())
        .on_conflict(taking_over())
        .exec_without_returning(change.tx())
        .await?;
    Ok(())
}

fn taking_over() -> sea_orm::sea_query::OnConflict {
    use push_token::Column::{AccountId, DeviceId, Environment, RegisteredAt, Token};
    sea_orm::sea_query::OnConflict::column(Token)
        .update_columns([Environment, AccountId, DeviceId, RegisteredAt])
        .to_owned()
}

/// Forgets a device and its push token.
pub async fn delete(db: &Db, account: Uuid, id: Uuid, expected: &Expected) -> Result<()> {
    let mut change = db.change(account).await?;
    let Some(device) = find(change.tx(), account, id).await? else { return expected.allows_absence() };
    expected.allows(Some(device.row.revision))?;
    change.next_revision();
    register(&change, id, None).await?;
    device::Entity::delete_by_id((account, id)).exec(change.tx()).await?;
    change.commit().await?;
    Ok(())
}

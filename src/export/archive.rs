//! Writes the archive: the members of its format in their order, one row after the other. The format's
//! types are taken apart as a whole: a member that is new does not build until it is written.

use entity::account;
use uuid::Uuid;

use super::cursor::{Rows, Table};
use super::json::Json;
use super::rows::{
    Comments, Consents, Deletions, Devices, Entries, Episodes, Exports, History, Imports, Keys, ListItems,
    Lists, Mutations, Pending, Reviews,
};
use super::sink::{Broken, Sink};
use crate::account::language;
use crate::archive::format::{Account, Archive, Entry, Facts, List, Profile, Records};
use crate::archive::{FORMAT, VERSION};
use crate::clock;
use crate::db::Snapshot;

/// Everything that is held of the account in that moment.
pub(super) async fn write(
    facts: &Facts,
    profile: &Profile,
    own: &account::Model,
    moment: &Snapshot,
    sink: &mut Sink,
) -> Result<(), Broken> {
    let id = own.id;
    let mut json = Json::begin(sink)?;
    let Archive {
        format,
        version,
        exported_at,
        facts,
        profile,
        account,
        devices: _,
        consents: _,
        library: _,
        lists: _,
        records: Records { deleted: _, mutations: _, exports: _, imports: _, idempotency_keys: _ },
    } = without_rows(facts, profile, own);
    json.member("format", &format)?;
    json.member("version", &version)?;
    json.member("exported_at", &exported_at)?;
    json.member("facts", &facts)?;
    json.member("profile", &profile)?;
    json.member("account", &account)?;
    all::<Devices>("devices", id, moment, &mut json).await?;
    all::<Consents>("consents", id, moment, &mut json).await?;
    library(own, moment, &mut json).await?;
    lists(own, moment, &mut json).await?;
    json.object("records")?;
    all::<Deletions>("deleted", id, moment, &mut json).await?;
    all::<Mutations>("mutations", id, moment, &mut json).await?;
    all::<Exports>("exports", id, moment, &mut json).await?;
    all::<Imports>("imports", id, moment, &mut json).await?;
    all::<Keys>("idempotency_keys", id, moment, &mut json).await?;
    json.end_object()?;
    Ok(json.finish()?)
}

fn without_rows(facts: &Facts, profile: &Profile, own: &account::Model) -> Archive {
    Archive {
        format: FORMAT.to_owned(),
        version: VERSION,
        exported_at: clock::now().into(),
        facts: facts.clone(),
        profile: profile.clone(),
        account: account(own),
        devices: Vec::new(),
        consents: Vec::new(),
        library: Vec::new(),
        lists: Vec::new(),
        records: Records {
            deleted: Vec::new(),
            mutations: Vec::new(),
            exports: Vec::new(),
            imports: Vec::new(),
            idempotency_keys: Vec::new(),
        },
    }
}

/// The account's own row. What is left out serves the work of synchronisation and deletion.
fn account(own: &account::Model) -> Account {
    let account::Model {
        id,
        revision,
        settings_revision: _,
        language,
        time_zone,
        progress_sets_status,
        created_at,
        updated_at,
        erased_at: _,
        horizon: _,
        stamps: _,
        receipt_id: _,
        deletion_due_at: _,
        entries: _,
        events: _,
        lists: _,
        list_items: _,
        text_bytes: _,
    } = own.clone();
    let (created_at, updated_at) = (created_at.into(), updated_at.into());
    Account { id, language, time_zone, progress_sets_status, revision, created_at, updated_at }
}

/// All rows of a table, as a member.
async fn all<T: Table<Row: serde::Serialize>>(
    name: &str,
    account: Uuid,
    moment: &Snapshot,
    json: &mut Json<'_>,
) -> Result<(), Broken> {
    json.array(name)?;
    let mut rows = Rows::<T>::new(account, "");
    while let Some(row) = rows.next(moment).await? {
        json.element(&row)?;
        json.pass_on().await?;
    }
    Ok(json.end_array()?)
}

async fn library(own: &account::Model, moment: &Snapshot, json: &mut Json<'_>) -> Result<(), Broken> {
    let language = language(own).as_str();
    let mut entries = Rows::<Entries>::new(own.id, language);
    let mut reviews = Rows::<Reviews>::new(own.id, language);
    let mut comments = Rows::<Comments>::new(own.id, language);
    let mut history = Rows::<History>::new(own.id, language);
    let mut episodes = Rows::<Episodes>::new(own.id, language);
    let mut pending = Rows::<Pending>::new(own.id, language);
    json.array("library")?;
    while let Some(entry) = entries.next(moment).await? {
        let Entry {
            media_id,
            title,
            release_date,
            status,
            status_set_by,
            rating,
            favorite,
            progress,
            started_on,
            finished_on,
            added_at,
            updated_at,
            review: _,
            comments: _,
            history: _,
            episodes: _,
            pending_episodes: _,
        } = &entry;
        json.object_element()?;
        json.member("media_id", media_id)?;
        json.optional("title", title.as_ref())?;
        json.optional("release_date", release_date.as_ref())?;
        json.member("status", status)?;
        json.member("status_set_by", status_set_by)?;
        json.optional("rating", rating.as_ref())?;
        json.member("favorite", favorite)?;
        json.optional("progress", progress.as_ref())?;
        json.optional("started_on", started_on.as_ref())?;
        json.optional("finished_on", finished_on.as_ref())?;
        json.member("added_at", added_at)?;
        json.member("updated_at", updated_at)?;
        if let Some((_, review)) = reviews.next_of(moment, media_id).await? {
            json.member("review", &review)?;
        }
        json.array("comments")?;
        while let Some((_, comment)) = comments.next_of(moment, media_id).await? {
            json.element(&comment)?;
            json.pass_on().await?;
        }
        json.end_array()?;
        json.array("history")?;
        while let Some((_, event)) = history.next_of(moment, media_id).await? {
            json.element(&event)?;
        }
        json.end_array()?;
        json.array("episodes")?;
        while let Some((_, episode)) = episodes.next_of(moment, media_id).await? {
            json.element(&episode)?;
            json.pass_on().await?;
        }
        json.end_array()?;
        // Few and rare: the member is left out where there are none.
        let mut waiting = Vec::new();
        while let Some((_, mark)) = pending.next_of(moment, media_id).await? {
            waiting.push(mark);
        }
        json.optional("pending_episodes", Some(&waiting).filter(|waiting| !waiting.is_empty()))?;
        json.end_object()?;
        json.pass_on().await?;
    }
    Ok(json.end_array()?)
}

async fn lists(own: &account::Model, moment: &Snapshot, json: &mut Json<'_>) -> Result<(), Broken> {
    let language = language(own).as_str();
    let mut lists = Rows::<Lists>::new(own.id, language);
    let mut items = Rows::<ListItems>::new(own.id, language);
    json.array("lists")?;
    while let Some(list) = lists.next(moment).await? {
        let List { id, name, description, created_at, updated_at, items: _ } = &list;
        json.object_element()?;
        json.member("id", id)?;
        json.member("name", name)?;
        json.optional("description", description.as_ref())?;
        json.member("created_at", created_at)?;
        json.member("updated_at", updated_at)?;
        json.array("items")?;
        while let Some((_, item)) = items.next_of(moment, id).await? {
            json.element(&item)?;
            json.pass_on().await?;
        }
        json.end_array()?;
        json.end_object()?;
        json.pass_on().await?;
    }
    Ok(json.end_array()?)
}

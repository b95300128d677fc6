//! The second pass: account by account, in transactions of some hundreds of rows. What is there stays; what
//! the person has deleted here since stays deleted, for nobody asked for it back.

use std::collections::HashSet;
use std::io::Write;
use std::time::Duration;

use entity::tombstone;
use entity::value::TombstoneKind;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::ConvexError;
use super::group::{Group, Listed, Titled};
use super::mapping::Mapping;
use super::report::{Fate, Part, Report};
use super::stage::{Family, Key, Stage};
use crate::account;
use crate::db::{Change, Db, is_busy, row};
use crate::error::Error;
use crate::import::apply::{self, Wanted};
use crate::import::checked;
use crate::library::entry::child_key;
use crate::library::episode;
use crate::list::item::item_key;

type Result<T, E = ConvexError> = std::result::Result<T, E>;

/// What one transaction takes, about: the account is locked as long as it lasts.
const ROWS_AT_ONCE: usize = 300;
const BYTES_AT_ONCE: usize = 1 << 20;

/// How often a transaction is tried again that found the database busy, and after how long.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

pub struct Applying<'a, W> {
    db: &'a Db,
    mapping: &'a Mapping,
    stage: &'a Stage,
    report: &'a mut Report<W>,
    dry: bool,
    /// Whose rows these are, and whether the person is erased.
    account: Option<(Uuid, bool)>,
    batch: Vec<Titled>,
    rows: usize,
    bytes: usize,
}

impl<'a, W: Write> Applying<'a, W> {
    pub fn new(
        db: &'a Db,
        mapping: &'a Mapping,
        stage: &'a Stage,
        report: &'a mut Report<W>,
        dry: bool,
    ) -> Self {
        Self { db, mapping, stage, report, dry, account: None, batch: Vec::new(), rows: 0, bytes: 0 }
    }

    pub async fn all(&mut self) -> Result<()> {
        let mut group: Option<Group> = None;
        let mut after: Option<Key> = None;
        loop {
            let page = self.stage.page(after.as_ref()).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for staged in page {
                match &mut group {
                    Some(group) if group.takes(&staged.key) => {
                        if let Err(staged) = group.push(staged) {
                            let part = Part::ALL.get(staged.key.part as usize).copied();
                            self.refuse(part.unwrap_or(Part::Entries), &staged.document, &no_room())?;
                        }
                    }
                    group => {
                        if let Some(done) = group.replace(Group::of(staged)) {
                            self.group(done).await?;
                        }
                    }
                }
            }
        }
        if let Some(done) = group {
            self.group(done).await?;
        }
        self.flush().await
    }

    /// One title or list, in the order of the accounts.
    async fn group(&mut self, group: Group) -> Result<()> {
        let is_same = self.account.is_some_and(|(account, _)| account == group.account);
        if !is_same
            || group.family == Family::List
            || self.rows >= ROWS_AT_ONCE
            || self.bytes >= BYTES_AT_ONCE
        {
            self.flush().await?;
        }
        if !is_same {
            let is_erased = self.is_erased(group.account).await?;
            self.account = Some((group.account, is_erased));
            let summary = &mut self.report.summary;
            *(if is_erased { &mut summary.erased_accounts } else { &mut summary.accounts }) += 1;
        }
        if self.account.is_some_and(|(_, is_erased)| is_erased) {
            for (part, _) in group.documents() {
                self.report.count(part, Fate::Erased);
            }
            return Ok(());
        }
        if group.family == Family::List {
            return match group.listed()? {
                Ok(listed) => self.list(listed).await,
                Err((documents, reasons)) => self.refuse_all(&documents, &reasons),
            };
        }
        let (rows, bytes) = (group.len(), group.bytes());
        match group.titled(self.mapping.without_entry.as_deref())? {
            Ok(titled) => {
                self.batch.push(titled);
                self.rows += rows;
                self.bytes += bytes;
                Ok(())
            }
            Err((documents, reasons)) => self.refuse_all(&documents, &reasons),
        }
    }

    /// Makes the account's row as at first sight, unless nothing is to be written.
    async fn is_erased(&self, id: Uuid) -> Result<bool> {
        if self.dry {
            let sql = "SELECT 1 FROM account WHERE id = $1 AND erased_at IS NOT NULL";
            return Ok(row(self.db.read(), sql, [id.into()]).await?.is_some());
        }
        match patiently(|| account::open(self.db, id)).await {
            Ok(_) => Ok(false),
            Err(Error::AccountErased) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Applies the titles that wait.
    async fn flush(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        (self.rows, self.bytes) = (0, 0);
        let Some((account, _)) = self.account.filter(|_| !batch.is_empty()) else { return Ok(()) };
        let counted = if self.dry {
            batch.iter().map(|titled| alike(titled, Fate::Taken)).collect()
        } else {
            match patiently(|| titles(self.db, account, &batch)).await {
                Ok(counted) => counted,
                Err(Error::AccountErased) => {
                    self.account = Some((account, true));
                    batch.iter().map(|titled| alike(titled, Fate::Erased)).collect()
                }
                Err(error) => return Err(error.into()),
            }
        };
        for (part, name, fate) in counted.into_iter().flatten() {
            self.settle(part, &name, fate)?;
        }
        Ok(())
    }

    async fn list(&mut self, listed: Listed) -> Result<()> {
        let Some((account, _)) = self.account else { return Ok(()) };
        let all = |fate: Fate| (fate, vec![fate; listed.items.len()]);
        let (list, items) = if self.dry {
            all(Fate::Taken)
        } else {
            match patiently(|| one_list(self.db, account, &listed.list)).await {
                Ok(fates) => fates,
                Err(Error::AccountErased) => {
                    self.account = Some((account, true));
                    all(Fate::Erased)
                }
                Err(error) => return Err(error.into()),
            }
        };
        self.settle(Part::Lists, &listed.document, list)?;
        for (name, fate) in listed.items.iter().zip(items) {
            self.settle(Part::ListItems, name, fate)?;
        }
        Ok(())
    }

    /// Counts a row; that there was no room for it is reported.
    fn settle(&mut self, part: Part, name: &str, fate: Fate) -> Result<()> {
        match fate {
            // It follows from another row.
            _ if name.is_empty() => Ok(()),
            Fate::Refused => self.refuse(part, name, &no_room()),
            fate => {
                self.report.count(part, fate);
                Ok(())
            }
        }
    }

    fn refuse_all(&mut self, documents: &[(Part, String)], reasons: &[String]) -> Result<()> {
        documents.iter().try_for_each(|(part, name)| self.refuse(*part, name, reasons))
    }

    fn refuse(&mut self, part: Part, name: &str, reasons: &[String]) -> Result<()> {
        let tables = self.mapping.tables();
        // An item may stand in its list.
        let part_of = if name.ends_with(']') { Part::Lists } else { part };
        let table = tables.iter().find(|(of, _)| *of == part_of).map_or("", |(_, table)| *table);
        Ok(self.report.refuse(part, table, name, reasons)?)
    }
}

fn no_room() -> [String; 1] {
    ["there are as many of these as there may be".to_owned()]
}

/// What became of each document of a title.
type Counted = Vec<(Part, String, Fate)>;

fn alike(titled: &Titled, fate: Fate) -> Counted {
    titled.documents().into_iter().map(|(part, name)| (part, name.to_owned(), fate)).collect()
}

impl From<apply::Fate> for Fate {
    fn from(fate: apply::Fate) -> Self {
        match fate {
            apply::Fate::Taken => Self::Taken,
            apply::Fate::Left => Self::There,
            apply::Fate::NoRoom => Self::Refused,
        }
    }
}

/// Titles with all that hangs on them, in one transaction.
async fn titles(db: &Db, account: Uuid, batch: &[Titled]) -> Result<Vec<Counted>, Error> {
    let mut change = db.change(account).await?;
    let gone = Gone::of_titles(&change, batch).await?;
    let mut counted = Vec::with_capacity(batch.len());
    let (mut entries, mut left) = (Vec::new(), Vec::new());
    for titled in batch {
        if gone.has(TombstoneKind::Entry, titled.entry.media_id.as_str()) {
            counted.push(alike(titled, Fate::Deleted));
            continue;
        }
        let (entry, own) = without_gone(titled, &gone);
        counted.push(own.deleted);
        entries.push(entry);
        left.push((counted.len() - 1, own.kept));
    }
    let mut wanted = Wanted::default();
    let fates = apply::entries_in(&mut change, &entries, &mut wanted).await?;
    let language = account::language(change.account());
    change.commit().await?;
    wanted.queue(db, language).await;
    for (fate, (at, kept)) in fates.into_iter().zip(left) {
        let fates = std::iter::once(fate.entry)
            .chain(fate.review)
            .chain(fate.comments)
            .chain(fate.history)
            .chain(fate.episodes);
        if let Some(counted) = counted.get_mut(at) {
            counted.extend(kept.into_iter().zip(fates).map(|((part, name), fate)| (part, name, fate.into())));
        }
    }
    Ok(counted)
}

/// The documents of a title, in the order of its fates, and those that the person has deleted.
struct Own {
    kept: Vec<(Part, String)>,
    deleted: Counted,
}

fn without_gone(titled: &Titled, gone: &Gone) -> (checked::Entry, Own) {
    let id = &titled.entry.media_id;
    let mut own = Own { kept: vec![(Part::Entries, titled.document.clone())], deleted: Vec::new() };
    let mut entry = checked::Entry {
        review: None,
        comments: Vec::new(),
        history: Vec::new(),
        episodes: Vec::new(),
        ..titled.entry.clone()
    };
    if let Some(review) = &titled.entry.review
        && own.keeps(Part::Reviews, &titled.review, gone.has(TombstoneKind::Review, id.as_str()))
    {
        entry.review = Some(review.clone());
    }
    for (row, name) in titled.entry.comments.iter().zip(&titled.comments) {
        if own.keeps(Part::Comments, name, gone.has(TombstoneKind::Comment, &child_key(id, row.id))) {
            entry.comments.push(row.clone());
        }
    }
    for (row, name) in titled.entry.history.iter().zip(&titled.history) {
        if own.keeps(Part::History, name, gone.has(TombstoneKind::HistoryEvent, &child_key(id, row.id))) {
            entry.history.push(row.clone());
        }
    }
    for (row, name) in titled.entry.episodes.iter().zip(&titled.episodes) {
        let key = episode::key(id.as_str(), row.place);
        if own.keeps(Part::Episodes, name, gone.has(TombstoneKind::Episode, &key)) {
            entry.episodes.push(row.clone());
        }
    }
    (entry, own)
}

impl Own {
    fn keeps(&mut self, part: Part, name: &str, is_gone: bool) -> bool {
        if is_gone {
            self.deleted.push((part, name.to_owned(), Fate::Deleted));
        } else {
            self.kept.push((part, name.to_owned()));
        }
        !is_gone
    }
}

/// One list with its items, in one transaction.
async fn one_list(db: &Db, account: Uuid, list: &checked::List) -> Result<(Fate, Vec<Fate>), Error> {
    let mut change = db.change(account).await?;
    let keys: Vec<String> = list.items.iter().map(|item| item_key(list.id, &item.media_id)).collect();
    let mut gone = Gone::default();
    gone.look_up(&change, TombstoneKind::List, &[list.id.to_string()]).await?;
    if gone.has(TombstoneKind::List, &list.id.to_string()) {
        return Ok((Fate::Deleted, vec![Fate::Deleted; keys.len()]));
    }
    gone.look_up(&change, TombstoneKind::ListItem, &keys).await?;
    let is_gone: Vec<bool> = keys.iter().map(|key| gone.has(TombstoneKind::ListItem, key)).collect();
    let items = list.items.iter().zip(&is_gone).filter(|(_, gone)| !**gone).map(|(item, _)| item.clone());
    let left = checked::List { items: items.collect(), ..list.clone() };
    let mut wanted = Wanted::default();
    let fates = apply::lists_in(&mut change, &[left], &mut wanted).await?;
    let language = account::language(change.account());
    change.commit().await?;
    wanted.queue(db, language).await;
    let Some(fate) = fates.into_iter().next() else { return Err(Error::NotFound) };
    let mut taken = fate.items.into_iter();
    let fate_of = |is_gone: &bool| match is_gone {
        true => Fate::Deleted,
        false => taken.next().map_or(Fate::Refused, Fate::from),
    };
    Ok((fate.list.into(), is_gone.iter().map(fate_of).collect()))
}

/// What the person has deleted.
#[derive(Default)]
struct Gone(HashSet<(TombstoneKind, String)>);

impl Gone {
    async fn of_titles(change: &Change, batch: &[Titled]) -> Result<Self, Error> {
        let mut gone = Self::default();
        let (mut titles, mut comments) = (Vec::new(), Vec::new());
        let (mut events, mut episodes) = (Vec::new(), Vec::new());
        for titled in batch {
            let id = &titled.entry.media_id;
            titles.push(id.to_string());
            comments.extend(titled.entry.comments.iter().map(|row| child_key(id, row.id)));
            events.extend(titled.entry.history.iter().map(|row| child_key(id, row.id)));
            episodes.extend(titled.entry.episodes.iter().map(|row| episode::key(id.as_str(), row.place)));
        }
        gone.look_up(change, TombstoneKind::Entry, &titles).await?;
        gone.look_up(change, TombstoneKind::Review, &titles).await?;
        gone.look_up(change, TombstoneKind::Comment, &comments).await?;
        gone.look_up(change, TombstoneKind::HistoryEvent, &events).await?;
        gone.look_up(change, TombstoneKind::Episode, &episodes).await?;
        Ok(gone)
    }

    async fn look_up(&mut self, change: &Change, kind: TombstoneKind, keys: &[String]) -> Result<(), Error> {
        for part in keys.chunks(ROWS_AT_ONCE) {
            let found: Vec<String> = tombstone::Entity::find()
                .select_only()
                .column(tombstone::Column::Key)
                .filter(tombstone::Column::AccountId.eq(change.account_id()))
                .filter(tombstone::Column::Kind.eq(kind))
                .filter(tombstone::Column::Key.is_in(part.iter().map(String::as_str)))
                .into_tuple()
                .all(change.tx())
                .await?;
            self.0.extend(found.into_iter().map(|key| (kind, key)));
        }
        Ok(())
    }

    fn has(&self, kind: TombstoneKind, key: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&(kind, key.to_owned()))
    }
}

/// Does it, and again where the database is busy: a service beside this may be writing.
async fn patiently<T, F: Future<Output = Result<T, Error>>>(mut work: impl FnMut() -> F) -> Result<T, Error> {
    for _ in 1..TRIES {
        match work().await {
            Err(Error::Busy) => {}
            Err(Error::Database(error)) if is_busy(&error) => {}
            done => return done,
        }
        tokio::time::sleep(PAUSE).await;
    }
    work().await
}

//! A batch of mutations, in order, inside one change: each is judged on its own, remembered by its
//! outcome, and never done twice.

use std::collections::{HashMap, HashSet};

use entity::sync_mutation;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::Key;
use super::apply::{Applied, apply};
use super::mutation::{Judged, Lost, Mutation, Outcome, Refusal};
use crate::account::Locale;
use crate::catalog::MediaId;
use crate::db::{Change, Db};
use crate::error::{Error, Result};

/// Rows written or looked for by one statement.
const CHUNK: usize = 200;

/// What a batch came to.
pub struct Pushed {
    /// One for each mutation, in their order.
    pub judged: Vec<Judged>,
    /// The account's revision afterwards.
    pub revision: i64,
}

/// Mutations judged in one transaction, unless all are to be applied or none: afterwards other accounts
/// have their turn to write.
const PART: usize = 25;

/// What is known of the batch so far.
#[derive(Default)]
struct Batch {
    /// Mutations of earlier batches, and those of this one that were judged.
    earlier: HashMap<Uuid, sync_mutation::Model>,
    /// Mutations first judged in this batch.
    fresh: HashSet<Uuid>,
    judged: Vec<Judged>,
}

/// Applies `mutations` in order. With `whole` either all of them are applied or none; else each that can
/// be, some at a time: cut off in between, the batch is sent again and those applied are known by their
/// ids. What was pushed before, here or at another instance, is answered as it was then. Titles that are
/// still to be looked up are added to `wanted`, also where it fails half-way.
pub async fn push(
    db: &Db,
    account: Uuid,
    locale: Locale,
    mutations: &[Mutation],
    whole: bool,
    wanted: &mut Vec<MediaId>,
) -> Result<Pushed> {
    let (part, rest) =
        if whole { (mutations, &[][..]) } else { mutations.split_at(PART.min(mutations.len())) };
    let mut batch = Batch::default();
    let mut revision = push_part(db, account, locale, part, whole, &mut batch, wanted).await?;
    for part in rest.chunks(PART) {
        revision = push_part(db, account, locale, part, whole, &mut batch, wanted).await?;
    }
    Ok(Pushed { judged: batch.judged, revision })
}

/// Judges some mutations in one transaction and adds what they came to to `batch`. Returns the account's
/// revision afterwards.
async fn push_part(
    db: &Db,
    account: Uuid,
    locale: Locale,
    mutations: &[Mutation],
    whole: bool,
    batch: &mut Batch,
    wanted: &mut Vec<MediaId>,
) -> Result<i64> {
    let mut change = db.change(account).await?;
    let head = change.account().revision - 1;
    batch.earlier.extend(remembered(&change, mutations).await?);
    let (mut rows, mut titles) = (Vec::new(), Vec::new());
    for mutation in mutations {
        if let Some(row) = batch.earlier.get(&mutation.id) {
            batch.judged.push(repeated(mutation, row));
            continue;
        }
        let (verdict, title) = judge(&mut change, locale, mutation, head, &batch.fresh).await?;
        titles.extend(title);
        let row = memory(&change, &verdict);
        batch.judged.push(verdict);
        batch.fresh.insert(mutation.id);
        batch.earlier.insert(mutation.id, row.clone());
        rows.push(row);
    }
    if whole && batch.judged.iter().any(|verdict| verdict.outcome != Outcome::Applied) {
        // Nothing is written and nothing is remembered: the device may send it again, changed.
        for verdict in batch.judged.iter_mut().filter(|verdict| batch.fresh.contains(&verdict.id)) {
            if verdict.outcome == Outcome::Applied {
                verdict.outcome = Outcome::Rejected;
                verdict.revision = None;
                verdict.refusal = Some(Refusal::Earlier("batch_rejected".into()));
            }
        }
        return Ok(head);
    }
    if !rows.is_empty() {
        for part in rows.chunks(CHUNK) {
            let active = part.iter().map(|row| row.clone().into_active_model().reset_all());
            sync_mutation::Entity::insert_many(active).exec_without_returning(change.tx()).await?;
        }
        change.keep();
    }
    let revision = change.commit().await?;
    wanted.append(&mut titles);
    Ok(revision)
}

async fn judge(
    change: &mut Change,
    locale: Locale,
    mutation: &Mutation,
    head: i64,
    own: &HashSet<Uuid>,
) -> Result<(Judged, Option<MediaId>)> {
    let key = Key::parse(mutation.kind, &mutation.key);
    let verdict = |outcome, revision, lost, refusal| Judged {
        id: mutation.id,
        outcome,
        duplicate: false,
        revision,
        lost,
        refusal,
        key: key.clone(),
    };
    let refused = |error| verdict(Outcome::Rejected, None, Vec::new(), Some(Refusal::Now(error)));
    let Some(key) = &key else {
        let error = Error::invalid("invalid_mutation", "/key", "is not a key of this kind");
        return Ok((refused(error), None));
    };
    // Below the horizon nobody knows any more what was deleted; above the head lies another database.
    if mutation.base < change.account().horizon || mutation.base > head {
        return Ok((refused(Error::CursorExpired), None));
    }
    let mark = change.savepoint().await?;
    match apply(change, key, mutation, own, locale).await {
        Ok(Applied::Done { revision, lost, wanted }) => {
            change.release().await?;
            Ok((verdict(Outcome::Applied, revision, lost, None), wanted))
        }
        Ok(Applied::Conflict { lost }) => {
            change.roll_back_to(mark).await?;
            Ok((verdict(Outcome::Conflict, None, lost, None), None))
        }
        // Not the mutation's fault: the batch is to be sent again as it is.
        Err(error @ (Error::Database(_) | Error::AccountErased | Error::Busy)) => Err(error),
        Err(error) => {
            change.roll_back_to(mark).await?;
            Ok((refused(error), None))
        }
    }
}

/// What is known of these mutations from before.
async fn remembered(change: &Change, mutations: &[Mutation]) -> Result<HashMap<Uuid, sync_mutation::Model>> {
    let mut known = HashMap::new();
    for part in mutations.chunks(CHUNK) {
        let found = sync_mutation::Entity::find()
            .filter(sync_mutation::Column::AccountId.eq(change.account_id()))
            .filter(sync_mutation::Column::Id.is_in(part.iter().map(|mutation| mutation.id)))
            .all(change.tx())
            .await?;
        known.extend(found.into_iter().map(|row| (row.id, row)));
    }
    Ok(known)
}

/// What is kept of a verdict: never content.
fn memory(change: &Change, verdict: &Judged) -> sync_mutation::Model {
    let lost: Vec<&str> = verdict.lost.iter().map(|lost| lost.field.as_str()).collect();
    sync_mutation::Model {
        account_id: change.account_id(),
        id: verdict.id,
        outcome: verdict.outcome.as_str().to_owned(),
        code: match &verdict.refusal {
            Some(Refusal::Now(error)) => Some(error.code().to_owned()),
            Some(Refusal::Earlier(code)) => Some(code.clone()),
            None => None,
        },
        lost: (!lost.is_empty()).then(|| lost.join(",")),
        revision: verdict.revision,
        applied_at: change.now(),
    }
}

fn repeated(mutation: &Mutation, row: &sync_mutation::Model) -> Judged {
    let fields = row.lost.as_deref().unwrap_or_default().split(',').filter(|field| !field.is_empty());
    Judged {
        id: mutation.id,
        outcome: Outcome::parse(&row.outcome),
        duplicate: true,
        revision: row.revision,
        lost: fields.map(|field| Lost { field: field.to_owned(), text: None }).collect(),
        refusal: row.code.clone().map(Refusal::Earlier),
        key: Key::parse(mutation.kind, &mutation.key),
    }
}

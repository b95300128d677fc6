//! Google Books. Turns its answers into ours and its errors into faults. The few calls a day that a
//! project has are the scarcest thing here.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde_json::Value as Json;

use super::answer::Timing;
use super::cache::{Page, Value};
use super::failure::{CatalogError, Failure};
use super::fair_share::{Claim, FairShare, pacific_day};
use super::field;
use super::gate::Allowance;
use super::isbn;
use super::item::{CoverRef, MediaItem, Role};
use super::media_id::{Kind, MediaId, SourceName};
use super::plain_text;
use super::request::{self, GoogleBooksLookup, LAST_PAGE, PAGE_SIZE};
use super::wire::{Fault, Reply, Wire, base_url};
use crate::config;
use crate::config::Secret;

/// 100 a minute, burst included, and 1,000 a day, per project.
const ALLOWANCE: Allowance = Allowance { per_second: 1.0, burst: 40, open: 8, per_day: Some(1000) };

/// The minute's limit is over after a minute.
const MINUTE_PAUSE: Duration = Duration::from_secs(60);

/// The part of a day's calls that one share may draw.
const SHARE_OF_DAY: u32 = 10;

pub(super) struct GoogleBooks {
    pub(super) wire: Wire,
    base: Url,
    key: Secret,
}

impl GoogleBooks {
    pub(super) fn new(
        config: &config::GoogleBooks,
        share: f64,
        timing: &Timing,
    ) -> Result<Self, CatalogError> {
        let source = SourceName::GoogleBooks;
        Ok(Self {
            wire: Wire::new(source, &config.base_url, ALLOWANCE, share, timing)?,
            base: base_url(source, &config.base_url)?,
            key: config.api_key.clone(),
        })
    }

    /// Counts one lookup against `share`; fails if it is used up for today.
    pub(super) fn charge(&self, share: &FairShare) -> Result<(), Failure> {
        let gate = &self.wire.gate;
        gate.check_open()?;
        let limit = (gate.day_limit().unwrap_or(0) / SHARE_OF_DAY).max(1);
        if share.count().take(pacific_day(gate.now()), limit) {
            return Ok(());
        }
        Err(Failure::RateLimited { retry_after_seconds: gate.seconds_left_today() })
    }

    pub(super) async fn fetch(&self, lookup: &GoogleBooksLookup, claim: &Claim) -> Result<Value, Failure> {
        // An unknown id looks like an outage: further tries would mostly be calls thrown away.
        let retries = if matches!(lookup, GoogleBooksLookup::Volume { .. }) { 1 } else { 2 };
        let build = || request::google_books(&self.base, self.key.expose(), lookup);
        self.wire.exchange(claim, retries, build, |reply| judge(lookup, reply)).await
    }
}

fn judge(lookup: &GoogleBooksLookup, reply: &Reply) -> Result<Value, Fault> {
    match reply.status.as_u16() {
        200 => parse(lookup, &reply.json()?).ok_or(Fault::Lasting),
        404 if matches!(lookup, GoogleBooksLookup::Volume { .. }) => Ok(Value::Unknown),
        401 => Err(Fault::Refused),
        // Google says so of most ids that it does not know, in its own words as in an outage. Counted
        // as a failure, one list with dead books would shut out everybody's; counted as an answer, an
        // outage would not be seen. So it says nothing: searches, and answers that are not Google's,
        // tell whether Google is there.
        503 if matches!(lookup, GoogleBooksLookup::Volume { .. }) && reply.json().is_ok() => {
            Err(Fault::Unclear)
        }
        403 | 429 => Err(limit(reply)),
        _ => Err(reply.fault(MINUTE_PAUSE)),
    }
}

/// The same reason stands for the minute's and the day's limit: what tells them apart are the unit,
/// the limit's name and the error's own message. The query, which may say "per day", is not looked at.
fn limit(reply: &Reply) -> Fault {
    let body = reply.json().unwrap_or_default();
    let error = body.get("error").unwrap_or(&Json::Null);
    let reasons = field::rows(error, "errors").iter().filter_map(|row| row.get("reason")?.as_str());
    let mut reasons = reasons.chain(error.get("reason").and_then(Json::as_str));
    let metadata = field::rows(error, "details").iter().filter_map(|detail| detail.get("metadata"));
    let mut names = metadata.flat_map(|data| {
        [data.get("quota_unit"), data.get("quota_limit")].into_iter().flatten().filter_map(Json::as_str)
    });
    let message = error.get("message").and_then(Json::as_str).unwrap_or_default().to_ascii_lowercase();
    let of_the_day = names
        .any(|name| name.starts_with("1/d") || name.to_ascii_lowercase().contains("perday"))
        || message.contains("per day")
        || reasons.clone().any(|reason| matches!(reason, "dailyLimitExceeded" | "quotaExceeded"));
    if of_the_day {
        Fault::DayLimited
    } else if reply.status == 429
        || reasons.any(|reason| matches!(reason, "rateLimitExceeded" | "userRateLimitExceeded"))
    {
        Fault::Limited(reply.retry_after.unwrap_or(MINUTE_PAUSE).max(MINUTE_PAUSE))
    } else {
        Fault::Lasting
    }
}

fn parse(lookup: &GoogleBooksLookup, body: &Json) -> Option<Value> {
    match lookup {
        GoogleBooksLookup::Volume { id } => {
            body.get("id")?;
            Some(Value::Item(Arc::new(item(id.source_id(), body)?)))
        }
        // The answer may hold other editions, or other books altogether.
        GoogleBooksLookup::Isbn { isbn } => {
            let mut items = items(body)?;
            items.retain(|item| isbn.is_among(&item.external_ids));
            Some(Value::Page(Arc::new(Page { items, has_more: false })))
        }
        GoogleBooksLookup::Search { page, .. } => {
            let (items, rows) = (items(body)?, field::rows(body, "items"));
            // The total is an estimate and can only say that a short page is not the last.
            let seen = u64::from(page.saturating_sub(1) * PAGE_SIZE) + rows.len() as u64;
            let goes_on =
                rows.len() >= PAGE_SIZE as usize || field::id(body, "totalItems").unwrap_or(0) > seen;
            let has_more = *page < LAST_PAGE && !rows.is_empty() && goes_on;
            Some(Value::Page(Arc::new(Page { items, has_more })))
        }
    }
}

/// The volumes of a list. Without hits there is no `items`, so any object will do.
fn items(body: &Json) -> Option<Vec<Arc<MediaItem>>> {
    body.as_object()?;
    let mut items: Vec<Arc<MediaItem>> = Vec::new();
    for row in field::rows(body, "items").iter().take(PAGE_SIZE as usize) {
        let item = row.get("id").and_then(Json::as_str).and_then(|id| item(id, row));
        // Later pages repeat rows, and so may one page.
        if let Some(item) = item.filter(|item| !items.iter().any(|other| other.id == item.id)) {
            items.push(Arc::new(item));
        }
    }
    Some(items)
}

/// A volume, from a list or by itself; `None` without any title.
fn item(id: &str, row: &Json) -> Option<MediaItem> {
    let volume = row.get("volumeInfo")?;
    let title = field::line(volume, "title").or_else(|| field::line(volume, "subtitle"))?;
    let mut item = MediaItem::new(MediaId::new(Kind::Book, id).ok()?, title);
    item.release_date = field::date(volume, "publishedDate");
    item.overview = volume
        .get("description")
        .and_then(Json::as_str)
        .and_then(|html| field::clean_paragraphs(&plain_text::from_html(html)));
    let categories = field::rows(volume, "categories").iter().filter_map(Json::as_str);
    // Lists say "Fiction", details "Fiction / Fantasy / General".
    let steps = categories.flat_map(|path| path.split(" / ")).filter_map(field::clean_line);
    item.genres = field::distinct(steps.filter(|step| step != "General"));
    let has_cover = volume.get("imageLinks").and_then(Json::as_object).is_some_and(|links| !links.is_empty());
    item.cover = CoverRef::new(SourceName::GoogleBooks, id).filter(|_| has_cover);
    for author in field::rows(volume, "authors") {
        field::add_creator(&mut item.creators, author.as_str().and_then(field::clean_line), Role::Author);
    }
    field::add_creator(&mut item.creators, field::line(volume, "publisher"), Role::Publisher);
    item.page_count = field::count(volume, "pageCount").or_else(|| field::count(volume, "printedPageCount"));
    for identifier in field::rows(volume, "industryIdentifiers") {
        let text = identifier.get("identifier").and_then(Json::as_str).unwrap_or_default();
        match identifier.get("type").and_then(Json::as_str) {
            Some("ISBN_10") => item.external_ids.isbn_10 = isbn::isbn_10(text),
            Some("ISBN_13") => item.external_ids.isbn_13 = isbn::isbn_13(text),
            _ => {}
        }
    }
    Some(item)
}

#[cfg(test)]
#[path = "google_books_test.rs"]
mod tests;

//! IGDB: video games. Turns its answers into ours and its errors into faults.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::Value as Json;

use super::answer::Timing;
use super::cache::{Page, Value};
use super::failure::{CatalogError, Failure};
use super::fair_share::Claim;
use super::field;
use super::gate::Allowance;
use super::item::{CoverRef, MediaItem, Role};
use super::media_id::{Kind, MediaId, SourceName};
use super::request::{self, IgdbLookup, LAST_PAGE, PAGE_SIZE};
use super::twitch::Twitch;
use super::wire::{FAULT_PAUSE, Fault, Reply, Wire, base_url, credential};
use crate::config;

/// 4 a second and 8 open, per client id. Without a burst no second sees more than 4.
const ALLOWANCE: Allowance = Allowance { per_second: 4.0, burst: 1, open: 8, per_day: None };

/// IGDB's 429 never says how long.
const DEFAULT_PAUSE: Duration = Duration::from_secs(2);

pub(super) struct Igdb {
    pub(super) wire: Wire,
    base: Url,
    client_id: HeaderValue,
    twitch: Twitch,
}

/// What IGDB made of a request.
enum Judged {
    Answer(Value),
    /// The token is not, or no longer, good.
    TokenRefused,
    /// A search whose text its parser stumbled over.
    TextRefused,
}

impl Igdb {
    pub(super) fn new(config: &config::Igdb, share: f64, timing: &Timing) -> Result<Self, CatalogError> {
        let source = SourceName::Igdb;
        Ok(Self {
            wire: Wire::new(source, &config.base_url, ALLOWANCE, share, timing)?,
            base: base_url(source, &config.base_url)?,
            client_id: credential(source, &config.client_id)?,
            twitch: Twitch::new(base_url(source, &config.token_url)?, config, timing.clock.clone()),
        })
    }

    pub(super) async fn fetch(&self, lookup: &IgdbLookup, claim: &Claim) -> Result<Value, Failure> {
        self.wire.gate.check_open()?;
        let mut authorization = self.twitch.authorization(&self.wire, None).await?;
        for last in [false, true] {
            let build = || request::igdb(&self.base, &self.client_id, &authorization, lookup);
            match self.wire.exchange(claim, 2, build, |reply| judge(lookup, reply)).await? {
                Judged::Answer(value) => return Ok(value),
                Judged::TextRefused => {
                    self.wire.counters.texts_refused.add_one();
                    return Ok(Value::Page(Arc::new(Page { items: Vec::new(), has_more: false })));
                }
                // A token can die early: one more is minted, and no third.
                Judged::TokenRefused if last => {
                    tracing::warn!("igdb refuses a new token");
                    self.wire.gate.close(FAULT_PAUSE, false);
                }
                Judged::TokenRefused => {
                    authorization = self.twitch.authorization(&self.wire, Some(&authorization)).await?;
                }
            }
        }
        Err(Failure::UNAVAILABLE)
    }
}

fn judge(lookup: &IgdbLookup, reply: &Reply) -> Result<Judged, Fault> {
    match reply.status.as_u16() {
        200 => parse(lookup, &reply.json()?).map(Judged::Answer).ok_or(Fault::Lasting),
        401 => Ok(Judged::TokenRefused),
        429 => Err(reply.fault(DEFAULT_PAUSE)),
        400..=499 if matches!(lookup, IgdbLookup::Search { .. } | IgdbLookup::Slug { .. }) => {
            Ok(Judged::TextRefused)
        }
        _ => Err(reply.fault(DEFAULT_PAUSE)),
    }
}

fn parse(lookup: &IgdbLookup, body: &Json) -> Option<Value> {
    let rows = body.as_array()?;
    let found = rows.iter().take(500).filter_map(item);
    Some(match lookup {
        IgdbLookup::Search { page, .. } | IgdbLookup::Chart { page, .. } => {
            page_of(found, *page < LAST_PAGE && rows.len() >= PAGE_SIZE as usize)
        }
        IgdbLookup::Slug { .. } => page_of(found, false),
        // The answer's order is not the list's, and the list may name what is gone.
        IgdbLookup::Games { ids } => {
            let found: Vec<_> = found.collect();
            let game = |id: &u64| found.iter().find(|(found, _)| found == id).map(|(_, item)| item.clone());
            Value::Games(Arc::new(ids.iter().map(|id| (*id, game(id))).collect()))
        }
    })
}

fn page_of(found: impl Iterator<Item = (u64, Arc<MediaItem>)>, has_more: bool) -> Value {
    let mut items: Vec<Arc<MediaItem>> = Vec::new();
    for (_, item) in found {
        if !items.iter().any(|other| other.id == item.id) {
            items.push(item);
        }
    }
    Value::Page(Arc::new(Page { items, has_more }))
}

fn item(row: &Json) -> Option<(u64, Arc<MediaItem>)> {
    let id = field::id(row, "id")?;
    let mut item = MediaItem::new(MediaId::new(Kind::Game, &id.to_string()).ok()?, field::line(row, "name")?);
    item.release_date = field::day_of_seconds(row, "first_release_date");
    item.overview = field::paragraphs(row, "summary");
    item.genres = field::names(row, "genres");
    item.platforms = field::names(row, "platforms");
    item.cover = row
        .get("cover")
        .and_then(|cover| cover.get("image_id")?.as_str())
        .and_then(|image| CoverRef::new(SourceName::Igdb, image));
    for (flag, role) in [("developer", Role::Developer), ("publisher", Role::Publisher)] {
        for involved in field::rows(row, "involved_companies") {
            if involved.get(flag) == Some(&Json::Bool(true)) {
                let name = involved.get("company").and_then(|company| field::line(company, "name"));
                field::add_creator(&mut item.creators, name, role);
            }
        }
    }
    Some((id, Arc::new(item)))
}

#[cfg(test)]
#[path = "igdb_test.rs"]
mod tests;

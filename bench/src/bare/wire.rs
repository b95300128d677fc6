//! The answers' JSON as plain structs, in the order of the contract.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use omnitrack::catalog::{self, SourceName};
use omnitrack::media::address;
use omnitrack::secret::{Purpose, Secrets, Signer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{Result, seed, service};

const PAGE_SIZE: usize = 50;

#[derive(Serialize)]
pub struct Entry {
    pub media_id: String,
    pub kind: String,
    pub status: String,
    pub status_set_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<i32>,
    pub favorite: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caught_up: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_episode: Option<Next>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<String>,
    pub revision: i64,
    #[serde(serialize_with = "time")]
    pub added_at: i64,
    #[serde(serialize_with = "time")]
    pub updated_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_state: Option<String>,
    pub media: Option<Summary>,
}

#[derive(Serialize)]
pub struct Progress {
    pub unit: String,
    pub current: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i32>,
}

#[derive(Serialize)]
pub struct Summary {
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover: Option<Cover>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_minutes: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_count: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub season_count: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episode_count: Option<i32>,
}

#[derive(Clone, Serialize)]
pub struct Cover {
    pub small: String,
    pub medium: String,
    pub large: String,
    pub thumbhash: &'static str,
}

/// What is signed once is kept in memory, as the service does it; so are thumbhashes, which are one and
/// the same here.
pub fn cover(image: Option<&str>) -> Option<Cover> {
    thread_local! {
        static SIGNED: RefCell<HashMap<String, Cover>> = RefCell::default();
    }
    let image = image?;
    SIGNED.with_borrow_mut(|signed| match signed.get(image) {
        Some(cover) => Some(cover.clone()),
        None => Some(signed.entry(image.to_owned()).or_insert(sign(image)?).clone()),
    })
}

fn sign(image: &str) -> Option<Cover> {
    static SIGNER: LazyLock<Option<Signer>> = LazyLock::new(|| {
        let secrets = Secrets::parse(&service::secret()).ok()?;
        Some(secrets.signer(Purpose::Cover))
    });
    let source = match image {
        image if image.starts_with('/') => SourceName::Tmdb,
        image if image.starts_with("co") => SourceName::Igdb,
        _ => SourceName::GoogleBooks,
    };
    let signer = SIGNER.as_ref()?;
    let [small, medium, large] = address::write(signer, &catalog::Cover::new(source, image)?);
    Some(Cover { small, medium, large, thumbhash: seed::THUMBHASH })
}

#[derive(Serialize)]
pub struct Next {
    season: i64,
    episode: i64,
    air_date: NaiveDate,
}

/// How far an account has come in a series: what is watched of what has aired, whether that is all, and
/// what is next.
pub fn follow(schedule: Option<&str>, watched: Option<&str>) -> (Progress, bool, Option<Next>) {
    let unit = || "episodes".to_owned();
    let ranges: Vec<i64> = watched.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let Some(schedule) = schedule else {
        let regular = ranges.chunks_exact(3).filter(|range| range[0] > 0);
        let current = regular.map(|range| range[2] - range[1] + 1).sum::<i64>() as i32;
        return (Progress { unit: unit(), current, total: None }, false, None);
    };
    let slots: Vec<Option<i64>> = serde_json::from_str(schedule).unwrap_or_default();
    let today = i64::from(Utc::now().date_naive().to_epoch_days());
    let (mut seen, mut aired) = (0, 0);
    let (mut left_out, mut behind, mut upcoming) = (None, None, None);
    for slot in slots.chunks_exact(4) {
        let (season, number) = (slot[0].unwrap_or(0), slot[1].unwrap_or(0));
        if season == 0 {
            continue;
        }
        let next = || slot[2].map(|day| (season, number, day));
        if ranges.chunks_exact(3).any(|range| range[0] == season && (range[1]..=range[2]).contains(&number)) {
            seen += 1;
            aired += 1;
            behind = None;
        } else if slot[2].is_some_and(|day| day <= today) {
            aired += 1;
            left_out = left_out.or_else(next);
            behind = behind.or_else(next);
        } else {
            upcoming = upcoming.or_else(next);
        }
    }
    let next = behind.or(left_out).or(upcoming).map(|(season, episode, day)| Next {
        season,
        episode,
        air_date: NaiveDate::from_epoch_days(day as i32).unwrap_or_default(),
    });
    let total = (aired > 0).then_some(aired);
    (Progress { unit: unit(), current: seen, total }, aired > 0 && seen == aired, next)
}

fn time<S: Serializer>(millis: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    let time: DateTime<Utc> = DateTime::from_timestamp_millis(*millis).unwrap_or_default();
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

pub fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    serde_json::to_writer(&mut bytes, value)?;
    Ok(bytes)
}

/// A page of [`PAGE_SIZE`] out of what may be one row more.
pub fn page(mut items: Vec<Entry>) -> Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Page {
        items: Vec<Entry>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    }
    let more = items.len() > PAGE_SIZE;
    items.truncate(PAGE_SIZE);
    let next_cursor = match items.last().filter(|_| more) {
        Some(last) => Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(last.updated_at, &last.media_id))?)),
        None => None,
    };
    json(&Page { items, next_cursor })
}

const SYNC_PAGE: usize = 1000;

/// A page of [`SYNC_PAGE`] changes out of what may be one row more.
pub fn changes(mut entries: Vec<Entry>) -> Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Change {
        revision: i64,
        kind: &'static str,
        key: String,
        deleted: bool,
        entry: Entry,
    }
    #[derive(Serialize)]
    struct Page {
        changes: Vec<Change>,
        cursor: String,
        has_more: bool,
        head: i64,
    }
    let has_more = entries.len() > SYNC_PAGE;
    entries.truncate(SYNC_PAGE);
    let head = entries.last().map_or(0, |entry| entry.revision);
    let change = |entry: Entry| {
        let (revision, key) = (entry.revision, entry.media_id.clone());
        Change { revision, kind: "entry", key, deleted: false, entry }
    };
    json(&Page {
        changes: entries.into_iter().map(change).collect(),
        cursor: head.to_string(),
        has_more,
        head,
    })
}

/// What a title shows of the account's own entry.
#[derive(Serialize)]
pub struct Mark {
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<i32>,
    pub favorite: bool,
}

/// A title as the service showed it, whatever its fields; the account's own entry apart.
struct Title(Map<String, Value>);

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    title: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Mark>,
}

/// What a cached search and a cached detail answer with, as the service answered before.
pub struct Answers {
    titles: Vec<Title>,
    sources: Value,
    detail: Title,
    pub search_ids: Vec<String>,
    pub detail_ids: Vec<String>,
}

/// The files with the service's answers.
pub const SEARCH: &str = "search.json";
pub const DETAIL: &str = "detail.json";

impl Answers {
    pub fn read(folder: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Search {
            items: Vec<Map<String, Value>>,
            sources: Value,
        }
        let search: Search = serde_json::from_slice(&std::fs::read(folder.join(SEARCH))?)?;
        let detail = Title::new(serde_json::from_slice(&std::fs::read(folder.join(DETAIL))?)?);
        let titles: Vec<Title> = search.items.into_iter().map(Title::new).collect();
        Ok(Self {
            search_ids: titles.iter().map(Title::id).collect(),
            detail_ids: vec![detail.id()],
            titles,
            sources: search.sources,
            detail,
        })
    }

    pub fn search(&self, marks: Vec<(String, Mark)>) -> Result<Vec<u8>> {
        #[derive(Serialize)]
        struct Search<'a> {
            items: Vec<Shown<'a>>,
            sources: &'a Value,
        }
        let mut marks: HashMap<String, Mark> = marks.into_iter().collect();
        let ids = self.titles.iter().zip(&self.search_ids);
        let items = ids.map(|(title, id)| Shown { title: &title.0, entry: marks.remove(id) }).collect();
        json(&Search { items, sources: &self.sources })
    }

    pub fn detail(&self, mark: Option<(String, Mark)>) -> Result<Vec<u8>> {
        json(&Shown { title: &self.detail.0, entry: mark.map(|(_, mark)| mark) })
    }
}

impl Title {
    fn new(mut title: Map<String, Value>) -> Self {
        title.shift_remove("entry");
        Self(title)
    }

    fn id(&self) -> String {
        self.0.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

//! The rows of one title, or of one list, put together as the archive has them.

use uuid::Uuid;

use super::ConvexError;
use super::report::Part;
use super::rows;
use super::stage::{Family, Key, Staged};
use crate::archive::format::{Entry, List, Timestamp};
use crate::catalog::MediaId;
use crate::import::checked;
use crate::library::MAX_PER_ENTRY;
use crate::library::episode::MAX_MARKS;
use crate::list::MAX_ITEMS;

/// Rows that belong together, as they come from the stage.
pub struct Group {
    pub account: Uuid,
    pub family: Family,
    parent: String,
    rows: Vec<Staged>,
    /// How many of the part that came last.
    last: (i32, u64),
}

/// A title with all that hangs on it, and the documents that it was made of: empty for what follows from
/// others.
pub struct Titled {
    pub entry: checked::Entry,
    pub document: String,
    pub review: String,
    pub comments: Vec<String>,
    pub history: Vec<String>,
    pub episodes: Vec<String>,
}

/// A list with its items in their order.
pub struct Listed {
    pub list: checked::List,
    pub document: String,
    pub items: Vec<String>,
}

/// What a group came to: what it is, or why none of its rows can be taken.
pub type Made<T> = Result<T, (Vec<(Part, String)>, Vec<String>)>;

impl Group {
    pub fn of(first: Staged) -> Self {
        let Key { account, family, parent, part, .. } = first.key.clone();
        Self { account, family, parent, rows: vec![first], last: (part, 1) }
    }

    /// Whether a row with this key belongs here.
    pub fn takes(&self, key: &Key) -> bool {
        key.account == self.account && key.family == self.family && key.parent == self.parent
    }

    /// Adds a row, or gives it back where there are as many as there may be.
    pub fn push(&mut self, row: Staged) -> Result<(), Staged> {
        let (part, count) = self.last;
        let count = if part == row.key.part { count } else { 0 };
        let most = match part_of(&row) {
            Some(Part::Comments | Part::History) => MAX_PER_ENTRY,
            Some(Part::Episodes) => MAX_MARKS as u64,
            Some(Part::ListItems) => MAX_ITEMS,
            _ => u64::MAX,
        };
        if count >= most {
            return Err(row);
        }
        self.last = (row.key.part, count + 1);
        self.rows.push(row);
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// How long its texts are, about.
    pub fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.content.len()).sum()
    }

    /// What each row is, and its document; none for what follows from others.
    pub fn documents(&self) -> Vec<(Part, String)> {
        let named = self.rows.iter().filter(|row| !row.document.is_empty());
        named.filter_map(|row| Some((part_of(row)?, row.document.clone()))).collect()
    }

    /// The title. Without an entry of its own it gets one in this status, if there is one to be had.
    pub fn titled(self, without_entry: Option<&str>) -> Result<Made<Titled>, ConvexError> {
        let documents = self.documents();
        let (mut entry, mut document, mut review) = (None, String::new(), String::new());
        let (mut comments, mut history, mut episodes) = (Vec::new(), Vec::new(), Vec::new());
        for row in self.rows {
            let part = part_of(&row);
            if entry.is_none() && part != Some(Part::Entries) {
                let media_id = self.parent.parse::<MediaId>().map_err(|_| ConvexError::Internal)?;
                let Some(status) = without_entry else {
                    return Ok(Err((documents, vec!["the person has no entry of the title".into()])));
                };
                let time = made_at(&row.content)?;
                entry = Some(rows::bare_entry(&media_id, status, time.clone(), time));
            }
            let Some(entry) = &mut entry else {
                entry = Some(parse::<Entry>(&row.content)?);
                document = row.document;
                continue;
            };
            match part {
                Some(Part::Reviews) => {
                    entry.review = Some(parse(&row.content)?);
                    review = row.document;
                }
                Some(Part::Comments) => {
                    entry.comments.push(parse(&row.content)?);
                    comments.push(row.document);
                }
                Some(Part::History) => {
                    entry.history.push(parse(&row.content)?);
                    history.push(row.document);
                }
                Some(Part::Episodes) => {
                    entry.episodes.push(parse(&row.content)?);
                    episodes.push(row.document);
                }
                _ => return Err(ConvexError::Internal),
            }
        }
        let entry = entry.ok_or(ConvexError::Internal)?;
        Ok(match checked::check_entry(&entry, "") {
            Ok(entry) => Ok(Titled { entry, document, review, comments, history, episodes }),
            Err(violations) => Err((documents, rows::reasons(violations))),
        })
    }

    /// The list. Items come by the place that the person gave them, then as the export has them.
    pub fn listed(mut self) -> Result<Made<Listed>, ConvexError> {
        let documents = self.documents();
        let items = self.rows.split_off(1);
        let first = self.rows.pop().filter(|row| part_of(row) == Some(Part::Lists));
        let first = first.ok_or(ConvexError::Internal)?;
        let mut list: List = parse(&first.content)?;
        let mut items: Vec<Staged> = items;
        items.sort_by(|a, b| a.place.total_cmp(&b.place).then(a.number.cmp(&b.number)));
        for item in &items {
            list.items.push(parse(&item.content)?);
        }
        Ok(match checked::check_list(&list, "") {
            Ok(list) => {
                let items = items.into_iter().map(|item| item.document).collect();
                Ok(Listed { list, document: first.document, items })
            }
            Err(violations) => Err((documents, rows::reasons(violations))),
        })
    }
}

impl Titled {
    /// Every document that it was made of.
    pub fn documents(&self) -> Vec<(Part, &str)> {
        let all = [(Part::Entries, &self.document), (Part::Reviews, &self.review)].into_iter();
        let all = all.chain(self.comments.iter().map(|name| (Part::Comments, name)));
        let all = all.chain(self.history.iter().map(|name| (Part::History, name)));
        let all = all.chain(self.episodes.iter().map(|name| (Part::Episodes, name)));
        all.filter(|(_, name)| !name.is_empty()).map(|(part, name)| (part, name.as_str())).collect()
    }
}

fn part_of(row: &Staged) -> Option<Part> {
    usize::try_from(row.key.part).ok().and_then(|part| Part::ALL.get(part)).copied()
}

fn parse<T: serde::de::DeserializeOwned>(content: &str) -> Result<T, ConvexError> {
    serde_json::from_str(content).map_err(|_| ConvexError::Internal)
}

/// When a row was made that hangs on a title.
fn made_at(content: &str) -> Result<Timestamp, ConvexError> {
    #[derive(serde::Deserialize)]
    struct Made {
        created_at: Timestamp,
    }
    Ok(parse::<Made>(content)?.created_at)
}

//! Reads tables in the order of their keys, a page at a time. Several tables in one order are read side by
//! side, so that of none more than a page is in memory.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fmt::Write as _;

use sea_orm::{DbErr, QueryResult, Value};
use uuid::Uuid;

use crate::db::{Snapshot, rows};

/// A table that is read in the order of its key.
pub(super) trait Table {
    type Row: Send;
    /// What is selected; the table is called `e`, and `$2` is the language, if there is one.
    const SELECT: &'static str;
    const IN_LANGUAGE: bool = false;
    /// The key's columns below the account.
    const KEY: &'static [&'static str];
    /// Rows of a page: fewer, where one may be long.
    const PAGE: usize = 500;

    /// The row, and its key.
    fn read(row: &QueryResult) -> Result<(Self::Row, Vec<Value>), DbErr>;
}

/// Where one stands in a table.
pub(super) struct Rows<T: Table> {
    account: Uuid,
    language: String,
    after: Option<Vec<Value>>,
    read: VecDeque<T::Row>,
    more: bool,
}

impl<T: Table> Rows<T> {
    pub fn new(account: Uuid, language: &str) -> Self {
        Self { account, language: language.to_owned(), after: None, read: VecDeque::new(), more: true }
    }

    /// The next row.
    pub async fn next(&mut self, moment: &Snapshot) -> Result<Option<T::Row>, DbErr> {
        self.fill(moment).await?;
        Ok(self.read.pop_front())
    }

    async fn fill(&mut self, moment: &Snapshot) -> Result<(), DbErr> {
        if !self.read.is_empty() || !self.more {
            return Ok(());
        }
        let (sql, values) = self.statement();
        let found = rows(moment, &sql, values).await?;
        self.more = found.len() == T::PAGE;
        for row in &found {
            let (row, key) = T::read(row)?;
            self.read.push_back(row);
            self.after = Some(key);
        }
        Ok(())
    }

    fn statement(&self) -> (String, Vec<Value>) {
        let mut values: Vec<Value> = vec![self.account.into()];
        values.extend(T::IN_LANGUAGE.then(|| self.language.as_str().into()));
        let key: Vec<String> = T::KEY.iter().map(|column| format!("e.{column}")).collect();
        let key = key.join(", ");
        let mut sql = format!("{} WHERE e.account_id = $1", T::SELECT);
        if let Some(after) = &self.after {
            let first = values.len() + 1;
            let places: Vec<String> = (first..first + after.len()).map(|n| format!("${n}")).collect();
            let _ = write!(sql, " AND ({key}) > ({})", places.join(", "));
            values.extend(after.iter().cloned());
        }
        let _ = write!(sql, " ORDER BY {key} LIMIT {}", T::PAGE);
        (sql, values)
    }
}

/// A table of what hangs on something else, in whose order it is.
pub(super) trait Below: Table {
    type Parent: ?Sized + Ord;

    fn parent(row: &Self::Row) -> &Self::Parent;
}

impl<T: Table> Rows<T> {
    /// From the titles on that come after `prefix`.
    pub fn behind(account: Uuid, language: &str, prefix: &str, rest: Vec<Value>) -> Self {
        let after = std::iter::once(Value::from(prefix)).chain(rest).collect();
        Self { after: Some(after), ..Self::new(account, language) }
    }
}

impl<T: Below> Rows<T> {
    /// The next row of a parent. Parents must be asked for in their order.
    pub async fn next_of(&mut self, moment: &Snapshot, parent: &T::Parent) -> Result<Option<T::Row>, DbErr> {
        loop {
            self.fill(moment).await?;
            match self.read.front().map(|row| T::parent(row).cmp(parent)) {
                Some(Ordering::Less) => drop(self.read.pop_front()),
                Some(Ordering::Equal) => return Ok(self.read.pop_front()),
                _ => return Ok(None),
            }
        }
    }
}

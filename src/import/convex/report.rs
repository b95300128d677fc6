//! What became of the rows: one line for each that was not taken, with its table, its `_id` and why, and
//! counts by table at the end. It never holds what a row says.

use std::fmt;
use std::io::{self, Write};

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Users,
    Media,
    Entries,
    Reviews,
    Comments,
    History,
    Episodes,
    Lists,
    ListItems,
}

impl Part {
    pub const ALL: [Self; 9] = [
        Self::Users,
        Self::Media,
        Self::Entries,
        Self::Reviews,
        Self::Comments,
        Self::History,
        Self::Episodes,
        Self::Lists,
        Self::ListItems,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Media => "media",
            Self::Entries => "entries",
            Self::Reviews => "reviews",
            Self::Comments => "comments",
            Self::History => "history",
            Self::Episodes => "episodes",
            Self::Lists => "lists",
            Self::ListItems => "list items",
        }
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is in the database now; of users and titles: it can be referred to.
    Taken,
    /// Something is there under its natural key, and stays.
    There,
    /// The person deleted it here.
    Deleted,
    /// It is an erased person's.
    Erased,
    /// The mapping says that it is none of these.
    Passed,
    /// It was not taken; a line says why.
    Refused,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub taken: u64,
    pub there: u64,
    pub deleted: u64,
    pub erased: u64,
    pub passed: u64,
    pub refused: u64,
}

/// The counts by table; of a dry run what would have been taken counts as taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    counts: [Counts; Part::ALL.len()],
    /// People with rows, erased ones left out.
    pub accounts: u64,
    /// Erased people with rows.
    pub erased_accounts: u64,
    /// Progress of series, which follows from their episodes.
    pub derived_progress: u64,
}

impl Summary {
    pub fn of(&self, part: Part) -> Counts {
        self.counts.get(part as usize).copied().unwrap_or_default()
    }

    pub fn refused(&self) -> u64 {
        self.counts.iter().map(|counts| counts.refused).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<11}{:>9}{:>9}{:>9}{:>9}{:>9}{:>11}",
            "", "taken", "there", "deleted", "erased", "passed", "not taken"
        )?;
        for part in Part::ALL {
            let Counts { taken, there, deleted, erased, passed, refused } = self.of(part);
            let name = part.name();
            writeln!(f, "{name:<11}{taken:>9}{there:>9}{deleted:>9}{erased:>9}{passed:>9}{refused:>11}")?;
        }
        writeln!(f, "accounts: {}, erased ones left out: {}", self.accounts, self.erased_accounts)?;
        writeln!(f, "progress of series left to their episodes: {}", self.derived_progress)
    }
}

/// The report under way.
pub struct Report<W> {
    out: W,
    pub summary: Summary,
}

impl<W: Write> Report<W> {
    pub fn new(out: W) -> Self {
        Self { out, summary: Summary::default() }
    }

    pub fn count(&mut self, part: Part, fate: Fate) {
        let Some(counts) = self.summary.counts.get_mut(part as usize) else { return };
        let count = match fate {
            Fate::Taken => &mut counts.taken,
            Fate::There => &mut counts.there,
            Fate::Deleted => &mut counts.deleted,
            Fate::Erased => &mut counts.erased,
            Fate::Passed => &mut counts.passed,
            Fate::Refused => &mut counts.refused,
        };
        *count += 1;
    }

    /// A row of `table` that was not taken. `name` is its `_id`, or its line where it has none.
    pub fn refuse(&mut self, part: Part, table: &str, name: &str, reasons: &[String]) -> io::Result<()> {
        self.count(part, Fate::Refused);
        writeln!(self.out, "{table} {name}: {}", reasons.join("; "))
    }

    /// Anything else that is to be known.
    pub fn note(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")
    }

    pub fn end(mut self) -> io::Result<Summary> {
        write!(self.out, "{}", self.summary)?;
        self.out.flush()?;
        Ok(self.summary)
    }
}

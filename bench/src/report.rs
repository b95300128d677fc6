//! The table.

use std::fmt;

use crate::race::Outcome;

/// A number that is held to a bar, and to an aim where there is one.
pub struct Row {
    what: String,
    measured: String,
    value: f64,
    bar: Option<Limit>,
    aim: Option<Limit>,
}

#[derive(Clone, Copy)]
pub enum Limit {
    AtLeast(f64),
    AtMost(f64),
    Exactly(f64),
}

impl Limit {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
            Self::Exactly(limit) => value == limit,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(limit) => write!(f, "≥ {limit}"),
            Self::AtMost(limit) => write!(f, "≤ {limit}"),
            Self::Exactly(limit) => write!(f, "= {limit}"),
        }
    }
}

impl Row {
    pub fn new(what: impl Into<String>, measured: impl Into<String>, value: f64) -> Self {
        Self { what: what.into(), measured: measured.into(), value, bar: None, aim: None }
    }

    /// The service's rate beside another program's; in parentheses the processor time of an answer.
    pub fn ratio(what: impl Into<String>, service: &Outcome, against: &str, other: &Outcome) -> Self {
        let side = |outcome: &Outcome| format!("{:.0}/s ({:.0} µs)", outcome.rate, outcome.processor);
        let measured = format!("{}; {against} {}", side(service), side(other));
        Self::new(what, measured, service.rate / other.rate)
    }

    #[must_use]
    pub fn bar(self, bar: Limit) -> Self {
        Self { bar: Some(bar), ..self }
    }

    #[must_use]
    pub fn aim(self, aim: Limit) -> Self {
        Self { aim: Some(aim), ..self }
    }

    /// Whether the bar is missed. A number without a bar misses none.
    pub fn is_missed(&self) -> bool {
        self.bar.is_some_and(|bar| !bar.holds(self.value))
    }
}

/// The rows as a table in Markdown.
pub struct Table(pub Vec<Row>);

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | measured | value | bar | aim | verdict |")?;
        writeln!(f, "|---|---|---:|---|---|---|")?;
        for row in &self.0 {
            let limit = |limit: Option<Limit>| limit.map(|limit| limit.to_string()).unwrap_or_default();
            let verdict = match (row.bar, row.aim) {
                (_, Some(aim)) if aim.holds(row.value) && !row.is_missed() => "aim reached",
                (Some(_), _) if row.is_missed() => "**bar missed**",
                (Some(_), _) => "bar held",
                (None, Some(_)) => "short of the aim",
                (None, None) => "",
            };
            let (what, measured, value) = (&row.what, &row.measured, row.value);
            let value = if value >= 10.0 { format!("{value:.0}") } else { format!("{value:.2}") };
            writeln!(
                f,
                "| {what} | {measured} | {value} | {} | {} | {verdict} |",
                limit(row.bar),
                limit(row.aim)
            )?;
        }
        Ok(())
    }
}

//! The lists in which sources show what many look at. They are the same for everybody: of who asks
//! nothing goes in but the language, and the day is the same everywhere.

use std::sync::Arc;

use chrono::{Days, NaiveDate};

use super::answer::SourceState;
use super::item::MediaItem;
use super::language::Language;
use super::media_id::Kind;
use super::request::{IgdbLookup, Lookup, TmdbLookup};

/// How far back a game was released that can be trending.
const RECENT: Days = Days::new(90);

/// Which of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Chart {
    /// What is talked about just now.
    Trending,
    /// What most have looked at.
    Popular,
    /// What is still to come.
    Upcoming,
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct ChartAnswer {
    pub items: Vec<Arc<MediaItem>>,
    pub source: SourceState,
}

/// A list of TMDB's. Only where it begins at a day the day is part of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum TmdbChart {
    Trending,
    Popular,
    UpcomingFrom(NaiveDate),
}

/// A list of IGDB's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum IgdbChart {
    /// Released from the first day on and before the second.
    ReleasedBetween(NaiveDate, NaiveDate),
    Popular,
    UpcomingFrom(NaiveDate),
}

impl Lookup {
    /// A page of a list as it is on `day`; `None` if the kind's source has no such lists.
    pub(super) fn chart(
        kind: Kind,
        chart: Chart,
        day: NaiveDate,
        language: Language,
        page: u32,
    ) -> Option<Self> {
        match kind {
            Kind::Movie | Kind::Tv => {
                let chart = match chart {
                    Chart::Trending => TmdbChart::Trending,
                    Chart::Popular => TmdbChart::Popular,
                    Chart::Upcoming => TmdbChart::UpcomingFrom(day),
                };
                Some(Lookup::Tmdb(TmdbLookup::Chart { kind, chart, page, language }))
            }
            Kind::Game => {
                let chart = match chart {
                    Chart::Trending => IgdbChart::ReleasedBetween(day.checked_sub_days(RECENT)?, day),
                    Chart::Popular => IgdbChart::Popular,
                    Chart::Upcoming => IgdbChart::UpcomingFrom(day),
                };
                Some(Lookup::Igdb(IgdbLookup::Chart { chart, page }))
            }
            Kind::Book => None,
        }
    }
}

#[cfg(test)]
#[path = "chart_test.rs"]
mod tests;

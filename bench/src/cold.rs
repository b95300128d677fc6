//! A thousand people ask for the same title in the same moment, and nobody has asked before.

use std::time::Duration;

use omnitrack::demo::standin::{Fault, Source, StandIns};

use crate::Result;
use crate::load::{self, Plan, Until};
use crate::service::Process;

const SOURCES: [(Source, &str); 3] =
    [(Source::Tmdb, "tmdb"), (Source::Igdb, "igdb"), (Source::GoogleBooks, "google_books")];

/// Long enough for the last of them to have asked before the first is answered.
const THINKING: Duration = Duration::from_millis(1500);

/// Sends `GET path` once with each token, all at once; tells the requests that came to each source.
pub async fn run(
    service: &Process,
    stand_ins: &StandIns,
    path: &str,
    tokens: &[String],
) -> Result<Vec<(&'static str, usize)>> {
    let requests = tokens.iter().map(|token| vec![load::get(path, token)]).collect();
    let count = |source| stand_ins.requests(source).len();
    let before = SOURCES.map(|(source, _)| count(source));
    for (source, _) in SOURCES {
        stand_ins.fault(source, Some(Fault::Slow(THINKING)));
    }
    let seen = load::round(service.address, &Plan::new(requests), Until::Once, Vec::new()).await;
    for (source, _) in SOURCES {
        stand_ins.fault(source, None);
    }
    let seen = seen?;
    if seen.latencies.len() != tokens.len() {
        return Err(format!("{} of the identical lookups were refused", seen.refused).into());
    }
    let came = SOURCES.iter().zip(before).map(|((source, name), before)| (*name, count(*source) - before));
    Ok(came.filter(|(_, requests)| *requests > 0).collect())
}

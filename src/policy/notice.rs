//! Which version of a policy holds, and which is announced: pure rules over the operator's files and what
//! was first served when. A change takes effect no sooner than fourteen days after it was first served
//! here; the version that was served before all others may take effect at once.

use super::{Policy, Version};
use crate::clock::Millis;

/// Fourteen days, in milliseconds.
pub const NOTICE: Millis = 14 * 24 * 3600 * 1000;

/// When a version was first served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    pub version: String,
    pub at: Millis,
}

/// A version and when it takes effect, as far as anybody can say now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated<'a> {
    pub version: &'a Version,
    pub takes_effect_at: Millis,
    /// None if it never was.
    pub first_served_at: Option<Millis>,
}

/// What a policy is at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand<'a> {
    pub current: Option<Dated<'a>>,
    /// The next one; later ones wait for their turn.
    pub upcoming: Option<Dated<'a>>,
}

impl<'a> Stand<'a> {
    /// Of `policy` at `now`, when the versions `served` have been served, in whatever order.
    pub fn of(policy: &'a Policy, served: &[Served], now: Millis) -> Self {
        let versions = &policy.versions;
        let first = match served.iter().min_by_key(|served| (served.at, &served.version)) {
            Some(first) => versions.iter().position(|version| version.version == first.version),
            // Nobody was served anything: what holds by the operator's word is the first. What came
            // before it never was served here.
            None => Some(versions.iter().rposition(|version| version.effective <= now).unwrap_or(0)),
        };
        let start = if served.is_empty() { first.unwrap_or(0) } else { 0 };
        let dated: Vec<Dated<'_>> = versions
            .iter()
            .enumerate()
            .skip(start)
            .map(|(place, version)| {
                let served = served.iter().find(|served| served.version == version.version);
                let first_served_at = served.map(|served| served.at);
                let takes_effect_at = match first {
                    Some(first) if first == place => version.effective,
                    _ => version.effective.max(first_served_at.unwrap_or(now).saturating_add(NOTICE)),
                };
                Dated { version, takes_effect_at, first_served_at }
            })
            .collect();
        let holds = dated.iter().rposition(|dated| dated.takes_effect_at <= now);
        let next = holds.map_or(0, |place| place + 1);
        Self {
            current: holds.and_then(|place| dated.get(place).copied()),
            upcoming: dated.get(next).copied(),
        }
    }

    /// What is shown, the one that holds first.
    pub fn shown(&self) -> impl Iterator<Item = Dated<'a>> + use<'a> {
        self.current.into_iter().chain(self.upcoming)
    }
}

#[cfg(test)]
#[path = "notice_test.rs"]
mod tests;

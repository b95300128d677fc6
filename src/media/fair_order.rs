//! The order in which wanted titles are looked up: a title's place is the time at which it would come if
//! each account's wishes came at a steady pace (virtual clock scheduling). An account's first wish has the
//! place "now", its 2,000th one far behind everybody else's first. Only the place is stored: the clocks are
//! in memory, per instance, and start anew with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use crate::catalog::SourceName;
use crate::clock::Millis;

/// Clocks that are remembered at once.
const MAX_CLOCKS: u64 = 100_000;
/// A clock that was not used for so long is forgotten.
const IDLE: Duration = Duration::from_secs(26 * 3600);
/// How far bulk wishes stand behind single ones.
const BULK_DELAY: Millis = 60_000;
/// An account's wishes up to so many steps ahead of its pace are single ones.
const BURST: Millis = 10;

/// The clocks of all accounts. Clones share them.
#[derive(Clone)]
pub(super) struct Clocks(moka::sync::Cache<Uuid, Arc<Mutex<Clock>>>);

#[derive(Debug, Default)]
struct Clock {
    single: Millis,
    bulk: Millis,
}

/// How a wish came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// By itself.
    Single,
    /// With many others.
    Bulk,
}

impl Default for Clocks {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(MAX_CLOCKS).time_to_idle(IDLE).build())
    }
}

impl Clocks {
    /// Returns the places of an account's wishes for titles of these sources, in their order, and charges
    /// the account's clock for each of them.
    pub(super) fn places(
        &self,
        account: Uuid,
        wish: Wish,
        now: Millis,
        sources: impl IntoIterator<Item = SourceName>,
    ) -> Vec<Millis> {
        let clock = self.0.get_with(account, Arc::default);
        let mut clock = clock.lock().unwrap_or_else(PoisonError::into_inner);
        let (finish, start) = match wish {
            Wish::Single => (&mut clock.single, now),
            Wish::Bulk => (&mut clock.bulk, now + BULK_DELAY),
        };
        places(finish, start, sources)
    }
}

/// The places of wishes that come together and are no account's of this instance.
pub(super) fn bulk_places(now: Millis, sources: impl IntoIterator<Item = SourceName>) -> Vec<Millis> {
    places(&mut 0, now + BULK_DELAY, sources)
}

fn places(finish: &mut Millis, start: Millis, sources: impl IntoIterator<Item = SourceName>) -> Vec<Millis> {
    let place = |source| {
        let place = start.max(*finish);
        *finish = place.saturating_add(step(source));
        place
    };
    sources.into_iter().map(place).collect()
}

/// Whether a title at this place is one of many that an account wished for.
pub(super) fn is_bulk(source: SourceName, place: Millis, now: Millis) -> bool {
    place.saturating_sub(now) > BURST * step(source)
}

/// The pace of one account's wishes. Google's day is so short that an account may have ten of its calls.
pub(super) fn step(source: SourceName) -> Millis {
    match source {
        SourceName::Tmdb | SourceName::Igdb => 1_000,
        SourceName::GoogleBooks => 24 * 3_600_000 / 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_780_340_400_000;
    const A: Uuid = Uuid::from_u128(1);
    const B: Uuid = Uuid::from_u128(2);

    fn movies(count: usize) -> Vec<SourceName> {
        vec![SourceName::Tmdb; count]
    }

    #[test]
    fn two_thousand_wishes_of_one_account_come_behind_the_first_of_another() {
        let clocks = Clocks::default();
        let many: Vec<Millis> =
            (0..2000).flat_map(|_| clocks.places(A, Wish::Single, NOW, movies(1))).collect();
        let first = clocks.places(B, Wish::Single, NOW + 1, movies(1))[0];
        assert_eq!(many.iter().filter(|place| **place <= first).count(), 1);
        let bulk = clocks.places(B, Wish::Bulk, NOW, movies(300));
        assert!(bulk[0] > first && bulk.is_sorted());
        assert_eq!(clocks.places(B, Wish::Single, NOW + 5_000, movies(1))[0], NOW + 5_000);
        assert!(clocks.places(B, Wish::Bulk, NOW, movies(1))[0] > bulk[299]);
    }

    #[test]
    fn a_pause_pays_the_debt_and_gives_no_credit() {
        let clocks = Clocks::default();
        clocks.places(A, Wish::Single, NOW, movies(10));
        let later = NOW + 3_600_000;
        assert_eq!(clocks.places(A, Wish::Single, later, movies(2)), [later, later + 1_000]);
    }

    #[test]
    fn ten_books_a_day_are_single_wishes() {
        let clocks = Clocks::default();
        let books = clocks.places(A, Wish::Single, NOW, vec![SourceName::GoogleBooks; 30]);
        let singles = books.iter().filter(|place| !is_bulk(SourceName::GoogleBooks, **place, NOW)).count();
        assert_eq!(singles, 11);
    }
}

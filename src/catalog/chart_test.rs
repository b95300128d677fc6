use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::*;
use crate::catalog::answer::{State, Timing};
use crate::catalog::fair_share::FairShare;
use crate::catalog::service::Catalog;
use crate::clock::Millis;
use crate::demo::standin::{Fault, Source, StandIns};

const EN: Language = Language::DEFAULT;
const HOUR: Duration = Duration::from_secs(3600);

/// The catalog beside the stand-ins, at a time that the test sets.
struct World {
    stand_ins: StandIns,
    catalog: Catalog,
    time: Arc<AtomicI64>,
}

impl World {
    /// It is noon on `day`.
    fn on(day: &str) -> Self {
        let noon = day.parse::<NaiveDate>().unwrap().and_hms_opt(12, 0, 0).unwrap();
        let time = Arc::new(AtomicI64::new(noon.and_utc().timestamp_millis()));
        let read = time.clone();
        let timing = Timing {
            search_deadline: Duration::from_secs(30),
            retry_pause: Duration::ZERO,
            clock: Arc::new(move || read.load(Ordering::SeqCst)),
            ..Timing::default()
        };
        let stand_ins = StandIns::start().unwrap();
        let catalog = Catalog::with_timing(&stand_ins.configure().unwrap().1, &timing).unwrap();
        Self { stand_ins, catalog, time }
    }

    fn pass(&self, span: Duration) {
        self.time.fetch_add(span.as_millis() as Millis, Ordering::SeqCst);
    }

    async fn ids(&self, kind: Kind, chart: Chart) -> Vec<String> {
        let answer = self.catalog.chart(kind, chart, EN, 1, &FairShare::new()).await;
        assert_eq!((answer.source.source, answer.source.state), (kind.source(), State::Ok));
        answer.items.iter().map(|item| item.id.to_string()).collect()
    }

    /// The requests for lists that have come to TMDB.
    fn lists(&self) -> Vec<String> {
        let requests = self.stand_ins.requests(Source::Tmdb).into_iter().map(|request| request.target);
        requests.filter(|target| target.contains("/trending/") || target.contains("/discover/")).collect()
    }
}

#[tokio::test]
async fn movies_and_series_are_listed_with_their_genres() {
    let world = World::on("2026-08-14");
    assert_eq!(world.ids(Kind::Movie, Chart::Upcoming).await, ["movie:tmdb:1003598"]);
    assert!(world.ids(Kind::Tv, Chart::Upcoming).await.is_empty());
    for chart in [Chart::Trending, Chart::Popular] {
        let answer =
            world.catalog.chart(Kind::Tv, chart, Language::parse("de").unwrap(), 1, &FairShare::new()).await;
        let thrones = answer.items.iter().find(|item| item.id.as_str() == "tv:tmdb:1399").unwrap();
        // Already the first page has them, since it stays for hours.
        assert_eq!(thrones.genres, ["Sci-Fi & Fantasy", "Drama", "Action & Adventure"]);
    }
    let second = world.catalog.chart(Kind::Movie, Chart::Popular, EN, 2, &FairShare::new()).await;
    assert!(world.lists().last().unwrap().contains("page=2"));
    assert_eq!(second.source.state, State::Ok);
}

#[tokio::test]
async fn games_are_listed_by_how_many_wait_for_them_or_rated_them() {
    let world = World::on("2023-08-11");
    // Nobody waited for what has no number, and what came out earlier than 90 days ago is no news.
    assert_eq!(world.ids(Kind::Game, Chart::Trending).await, ["game:igdb:119171"]);
    assert!(world.ids(Kind::Game, Chart::Upcoming).await.is_empty());
    let world = World::on("2023-05-12");
    assert_eq!(world.ids(Kind::Game, Chart::Upcoming).await, ["game:igdb:119171", "game:igdb:119388"]);
    assert!(world.ids(Kind::Game, Chart::Trending).await.is_empty(), "what comes out today is still to come");
    world.pass(24 * HOUR);
    assert_eq!(world.ids(Kind::Game, Chart::Upcoming).await, ["game:igdb:119171"]);
    assert_eq!(world.ids(Kind::Game, Chart::Trending).await, ["game:igdb:119388"]);
    let popular = world.ids(Kind::Game, Chart::Popular).await;
    assert_eq!(popular.first().map(String::as_str), Some("game:igdb:1942"));
    assert!(!popular.contains(&"game:igdb:22439".to_owned()), "an edition is no title of its own");
}

#[tokio::test]
async fn books_have_no_lists_and_nobody_is_asked() {
    let world = World::on("2026-08-14");
    for chart in [Chart::Trending, Chart::Popular, Chart::Upcoming] {
        let answer = world.catalog.chart(Kind::Book, chart, EN, 1, &FairShare::new()).await;
        assert_eq!((answer.items.len(), answer.source.state), (0, State::NotOffered));
    }
    assert!(world.stand_ins.requests(Source::GoogleBooks).is_empty());
}

#[tokio::test]
async fn a_list_is_asked_for_every_six_hours_and_once_more_for_a_new_day() {
    let world = World::on("2026-08-14");
    let look = async || {
        for chart in [Chart::Trending, Chart::Upcoming] {
            for _ in 0..3 {
                world.ids(Kind::Movie, chart).await;
            }
        }
        world.lists().len()
    };
    assert_eq!(look().await, 2);
    world.pass(6 * HOUR - Duration::from_millis(1));
    assert_eq!(look().await, 2);
    world.pass(Duration::from_millis(1));
    assert_eq!(look().await, 4);
    // Past midnight only what begins with today is another question.
    world.pass(6 * HOUR - Duration::from_secs(1));
    assert_eq!(look().await, 4);
    world.pass(Duration::from_secs(1));
    assert_eq!(look().await, 6);
    assert!(world.lists().last().unwrap().ends_with("primary_release_date.gte=2026-08-15"));
    world.pass(5 * HOUR);
    assert_eq!(look().await, 6);
}

#[tokio::test]
async fn yesterdays_list_serves_while_the_source_is_away() {
    let world = World::on("2026-08-14");
    let upcoming = world.ids(Kind::Movie, Chart::Upcoming).await;
    world.ids(Kind::Tv, Chart::Trending).await;
    world.stand_ins.fault(Source::Tmdb, Some(Fault::Html));
    for days in [1, 2, 3] {
        world.pass(24 * HOUR);
        assert_eq!(world.ids(Kind::Movie, Chart::Upcoming).await, upcoming, "after {days} days");
        assert!(!world.ids(Kind::Tv, Chart::Trending).await.is_empty());
    }
    let nothing = world.catalog.chart(Kind::Movie, Chart::Popular, EN, 1, &FairShare::new()).await;
    assert_eq!(
        (nothing.items.len(), nothing.source.state, nothing.source.has_more),
        (0, State::Failed, false)
    );
    // In another language, or on another page, nothing is kept either.
    let german = Language::parse("de").unwrap();
    for (language, page) in [(german, 1), (EN, 2)] {
        let answer =
            world.catalog.chart(Kind::Movie, Chart::Upcoming, language, page, &FairShare::new()).await;
        assert_eq!(answer.source.state, State::Failed);
    }
    let away = world.catalog.stats().sources.into_iter().find(|stats| stats.source.as_str() == "tmdb");
    assert_eq!(away.unwrap().stale_served, 6);
}

#[tokio::test]
async fn the_state_says_why_there_is_nothing() {
    let world = World::on("2026-08-14");
    world.stand_ins.fault(Source::Igdb, Some(Fault::igdb_too_many()));
    let state =
        async |kind| world.catalog.chart(kind, Chart::Popular, EN, 1, &FairShare::new()).await.source.state;
    assert_eq!(state(Kind::Game).await, State::RateLimited);
    let nobody = Catalog::new(&crate::config::Sources {
        tmdb: None,
        igdb: None,
        google_books: None,
        share: 1.0,
        cache_bytes: 1 << 20,
    });
    let answer = nobody.unwrap().chart(Kind::Tv, Chart::Trending, EN, 1, &FairShare::new()).await;
    assert_eq!(answer.source.state, State::NotConfigured);
}

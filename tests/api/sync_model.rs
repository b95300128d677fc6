//! Several devices, a network that drops, repeats and delays, and writes beside them through the API:
//! at the end all devices and the database are what the model says. `OMNITRACK_TEST_SEED` repeats a run,
//! `OMNITRACK_TEST_HISTORIES` makes it longer.

mod crash;
mod history;

use crash::Crashes;
use history::History;

use crate::support::app::TestApp;
use crate::support::database::Database;
use crate::support::process::Program;
use crate::support::usage;

/// How often this many histories are to be run.
fn histories(usual: u64) -> u64 {
    std::env::var("OMNITRACK_TEST_HISTORIES").map_or(usual, |text| text.parse().unwrap())
}

fn seed() -> u64 {
    let seed = match std::env::var("OMNITRACK_TEST_SEED") {
        Ok(text) => text.parse().unwrap(),
        // What landed once must not fail by chance later. Other seeds are for people.
        Err(_) => 20_261_122,
    };
    println!("OMNITRACK_TEST_SEED={seed}");
    seed
}

#[tokio::test]
async fn histories_end_as_the_model_says_on_sqlite() {
    let mut t = TestApp::sqlite().await;
    t.stop_jobs().await;
    let seed = seed();
    for number in 0..histories(2000) {
        println!("history {}", seed + number);
        let who = t.persona(&format!("device{number}"));
        History::new(seed + number, vec![who]).run().await;
    }
    usage::expect_exact(&t.app.db).await;
}

#[tokio::test]
async fn histories_end_as_the_model_says_on_two_instances() {
    let Some(mut t) = TestApp::postgres().await else { return };
    t.stop_jobs().await;
    let other = t.another(|_| ()).await;
    // Filling titles in would change what is compared.
    other.stop_jobs().await;
    let seed = seed();
    for number in 0..histories(200) {
        println!("history {}", seed + number);
        let who = t.persona(&format!("device{number}"));
        let there = other.seen_by(&who);
        History::new(seed + number, vec![who, there]).run().await;
    }
    usage::expect_exact(&t.app.db).await;
}

async fn histories_survive_kills(database: Database) {
    let mut crashes = Crashes::new(Program::start(database)).await;
    let (seed, count) = (seed(), histories(20));
    for number in 0..count {
        println!("history {}", seed + number);
        let who = crashes.persona(&format!("device{number}"));
        History::new(seed + number, vec![who]).with_crashes(&mut crashes).run().await;
    }
    let Crashes { heard, unheard, .. } = crashes;
    println!("killed before a batch: {unheard}, after it: {heard}");
    assert!(count < 20 || (heard > 0 && unheard > 0), "both ends were to be met");
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_end_as_the_model_says_in_spite_of_kills_on_sqlite() {
    histories_survive_kills(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_end_as_the_model_says_in_spite_of_kills_on_postgres() {
    let Some(database) = Database::postgres() else { return };
    histories_survive_kills(database).await;
}

//! An acknowledged write is kept. Writers of several accounts remember what was acknowledged to them, beside
//! clients that are cut off, disks that fill up, failing writes of files, lost database connections and
//! kills; afterwards a fresh process must show all of it. `OMNITRACK_TEST_SEED` repeats a run.

mod crowd;
mod cut_off_clients;
mod dropped_futures;
mod failing_writes;
mod ledger;
mod lost_connections;
mod traffic;
mod writer;

use std::time::Duration;

/// The longest wait for something that must happen. It bounds a failing run; a passing one never waits it out.
const PATIENCE: Duration = Duration::from_secs(30);

fn seed() -> u64 {
    let seed = std::env::var("OMNITRACK_TEST_SEED").map_or(20_261_125, |text| text.parse().unwrap());
    println!("OMNITRACK_TEST_SEED={seed}");
    seed
}

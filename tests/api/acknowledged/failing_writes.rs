//! Files that cannot be written any more, and then can be again: a disk that is full (ENOSPC on a small tmpfs,
//! where mounting is allowed), and a limit on the size of files (EFBIG, which SQLite reports as an I/O error).

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use super::crowd::Crowd;
use super::traffic::Traffic;
use super::writer::path;
use crate::support::database::Database;
use crate::support::process::{Launch, Program};

/// How often writes fail and succeed again.
const TIMES: usize = 4;
/// Acknowledged writes before each time.
const ACKNOWLEDGED: usize = 60;
/// Writes refused, or acknowledged all the same, until there is room again.
const REFUSED: usize = 15;

/// A file system of its own, unmounted when dropped.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "omnitrack-test"]).arg(folder.path());
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self { folder }),
            _ => None,
        }
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join("filler")
    }

    /// Takes all space but so many bytes.
    fn fill(&self, left: u64) {
        let mut filler = File::create(self.filler()).unwrap();
        let block = [0; 4096];
        while filler.write_all(&block).is_ok() {}
        let size = filler.metadata().unwrap().len();
        filler.set_len(size.saturating_sub(left)).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the program may still be about to end.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

/// Makes the program's writes fail.
enum Obstacle {
    FullDisk(SmallDisk),
    FileSize { log: PathBuf },
}

impl Obstacle {
    fn put(&self, program: &Program, random: &mut StdRng) {
        match self {
            // The write that fails shall not always be the same one.
            Self::FullDisk(disk) => disk.fill(4096 * random.random_range(0..12)),
            Self::FileSize { log } => {
                let size = fs::metadata(log).map_or(0, |log| log.len());
                limit_files(program, &(size + 4096 * random.random_range(0..12)).to_string());
            }
        }
    }

    fn remove(&self, program: &Program) {
        match self {
            Self::FullDisk(disk) => disk.free(),
            Self::FileSize { .. } => limit_files(program, "unlimited"),
        }
    }
}

/// Sets the soft limit on the size of files that the program writes.
fn limit_files(program: &Program, limit: &str) {
    let arguments = ["--pid", &program.process_id().to_string(), &format!("--fsize={limit}:unlimited")];
    let status = Command::new("prlimit").args(arguments).status();
    assert!(status.expect("prlimit of util-linux").success());
}

fn start(folder: &Path) -> Crowd {
    let settings = vec![("OMNITRACK_MIN_FREE_BYTES", "0".to_owned())];
    let launch = Launch { settings, ignores_sigxfsz: true };
    Crowd::new(Program::launch(Database::sqlite_in(folder), launch))
}

async fn writes_fail_and_succeed_again(mut crowd: Crowd, obstacle: &Obstacle, what: &str) {
    let mut random = StdRng::seed_from_u64(crowd.seed);
    let at_work = crowd.start();
    let mut went_on = true;
    for time in 0..TIMES {
        let traffic = &crowd.traffic;
        let enough = traffic.acknowledged() + ACKNOWLEDGED;
        went_on &= traffic.reaches(|traffic: &Traffic| traffic.acknowledged() >= enough).await;
        if !went_on {
            break;
        }
        obstacle.put(&crowd.program, &mut random);
        // A service that acknowledges in spite of it must not keep the test waiting.
        let (refused, acknowledged) = (traffic.refused() + REFUSED, traffic.acknowledged() + 20 * REFUSED);
        let met = |traffic: &Traffic| traffic.refused() >= refused || traffic.acknowledged() >= acknowledged;
        traffic.reaches(met).await;
        obstacle.remove(&crowd.program);
        let token = crowd.token("afterwards");
        went_on &= succeeds(traffic, &token, u32::try_from(time).unwrap() + 1).await;
    }
    let enough = crowd.traffic.acknowledged() + ACKNOWLEDGED;
    went_on &= crowd.traffic.reaches(|traffic: &Traffic| traffic.acknowledged() >= enough).await;
    crowd.kill(at_work).await;
    let findings = crowd.check().await;
    println!("{} writes refused", crowd.traffic.refused());
    findings.expect_nothing_lost(what);
    assert!(went_on, "writes succeed again when there is room, without a restart");
    assert!(crowd.traffic.refused() >= TIMES, "writes were to fail");
}

/// Whether a write is acknowledged again, after some failures perhaps.
async fn succeeds(traffic: &Traffic, token: &str, title: u32) -> bool {
    for _ in 0..200 {
        let body = json!({ "status": "backlog" });
        let reply = traffic.send(Method::PUT, &path(title), token, Some(&body)).await;
        if reply.is_some_and(|reply| reply.is_success()) {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_loses_no_acknowledged_write_on_sqlite() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: no right to mount");
        return;
    };
    let crowd = start(disk.folder.path());
    writes_fail_and_succeed_again(crowd, &Obstacle::FullDisk(disk), "disk full").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_file_writes_lose_no_acknowledged_write_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let crowd = start(folder.path());
    let log = folder.path().join("omnitrack.db-wal");
    writes_fail_and_succeed_again(crowd, &Obstacle::FileSize { log }, "writes of files fail").await;
}

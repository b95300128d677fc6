//! The program, people who write to it, and the comparison with what was acknowledged to them.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ledger::{Findings, Ledger};
use super::seed;
use super::traffic::Traffic;
use super::writer::{Leaver, Writer};
use crate::support::process::Program;

/// Accounts that are written to at the same time.
const WRITERS: u64 = 4;
/// Accounts that are erased one after the other beside them.
const LEAVERS: u64 = 40;

pub struct Crowd {
    pub program: Program,
    pub traffic: Traffic,
    pub seed: u64,
    rounds: u64,
    ledgers: Vec<Ledger>,
}

/// People at work.
pub struct AtWork {
    tasks: Vec<JoinHandle<Vec<Ledger>>>,
    pub stop: CancellationToken,
}

impl Crowd {
    pub fn new(program: Program) -> Self {
        let traffic = Traffic::new(program.address());
        Self { program, traffic, seed: seed(), rounds: 0, ledgers: Vec::new() }
    }

    pub fn token(&self, name: &str) -> String {
        self.program.stand_ins.token(name, Duration::from_secs(3600))
    }

    /// Lets new people write.
    pub fn start(&mut self) -> AtWork {
        self.rounds += 1;
        let (round, stop) = (self.rounds, CancellationToken::new());
        let ledger = |name: String| Ledger::new(&name, self.token(&name));
        let mut tasks = Vec::new();
        for number in 0..WRITERS {
            let seed = self.seed + round * WRITERS + number;
            let ledger = ledger(format!("writer{round}n{number}"));
            tasks.push(tokio::spawn(Writer::new(self.traffic.clone(), ledger, seed, stop.clone()).run()));
        }
        let people = (0..LEAVERS).map(|number| ledger(format!("leaver{round}n{number}"))).collect();
        let leaver = Leaver { traffic: self.traffic.clone(), people, stop: stop.clone() };
        tasks.push(tokio::spawn(leaver.run()));
        AtWork { tasks, stop }
    }

    /// Kills the program while people write, and starts it again.
    pub async fn kill(&mut self, at_work: AtWork) {
        self.program.kill();
        at_work.stop.cancel();
        for task in at_work.tasks {
            self.ledgers.extend(task.await.expect("a writer"));
        }
    }

    /// What a fresh process shows of everything that was acknowledged so far.
    pub async fn check(&mut self) -> Findings {
        let known = |name: &str| self.program.stand_ins.user(&format!("user_{name}")).is_some();
        // Before the start: a job of the new process may tell Clerk, too.
        let known: Vec<bool> = self.ledgers.iter().map(|ledger| known(&ledger.name)).collect();
        self.program.start_again();
        self.traffic.moved(self.program.address());
        let mut findings = Findings { wrong: self.traffic.wrong(), ..Findings::default() };
        for (ledger, known_to_clerk) in self.ledgers.iter().zip(known) {
            ledger.check(&self.traffic, known_to_clerk, &mut findings).await;
        }
        findings
    }
}

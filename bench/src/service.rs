//! The service as a child process, settings in its environment and nothing else there.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Result, place};

const START_LIMIT: Duration = Duration::from_secs(10);
/// How often readiness is asked for: finer than the numbers that are reported.
const POLL: Duration = Duration::from_micros(500);

/// In which Linux tells processor times, whatever the machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// A child process that serves HTTP; it ends with this value.
pub struct Process {
    pub address: SocketAddr,
    /// From its creation to its first ready answer.
    pub started_in: Duration,
    child: Child,
}

/// What the service signs with.
pub fn secret() -> String {
    "a key that only the measurement knows".repeat(2)
}

/// Settings that hold in every part of the run. Log lines are written as usual, to nowhere.
pub fn settings(database: &str, of_sources: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    let mut settings = of_sources.to_vec();
    settings.push(("DATABASE_URL", database.to_owned()));
    settings.push(("OMNITRACK_SECRET_KEY", secret()));
    for limit in
        ["OMNITRACK_RATE_ACCOUNT", "OMNITRACK_RATE_SEARCH", "OMNITRACK_RATE_ADDRESS", "OMNITRACK_RATE_IMAGE"]
    {
        settings.push((limit, "100000000".to_owned()));
    }
    settings
}

impl Process {
    /// Starts the service and waits until it is ready.
    pub fn serve(binary: &Path, settings: &[(&'static str, String)]) -> Result<Self> {
        let address = place::free_address()?;
        let mut command = Command::new(binary);
        command.arg("serve").env_clear().envs(settings.iter().cloned());
        command.env("OMNITRACK_LISTEN", address.to_string());
        Self::start(command, address)
    }

    /// Starts anything that answers `/readyz` with 200 on `address`.
    pub fn start(mut command: Command, address: SocketAddr) -> Result<Self> {
        let started = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut process = Self { address, started_in: Duration::ZERO, child };
        while !is_ready(address) {
            if process.child.try_wait()?.is_some() || started.elapsed() > START_LIMIT {
                return Err("a program did not start: see its message above".into());
            }
            std::thread::sleep(POLL);
        }
        process.started_in = started.elapsed();
        Ok(process)
    }

    /// Memory in use, in MiB (`VmRSS`).
    pub fn memory(&self) -> Result<f64> {
        self.status("VmRSS:")
    }

    /// The same without what is mapped from files (`RssAnon`): pages of a SQLite file that were read are
    /// the system's to take back.
    pub fn own_memory(&self) -> Result<f64> {
        self.status("RssAnon:")
    }

    fn status(&self, name: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib: f64 = line.and_then(|line| line.split_whitespace().next()).unwrap_or_default().parse()?;
        Ok(kib / 1024.0)
    }

    /// Processor time used so far, in seconds, to a hundredth.
    pub fn processor_time(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold blanks; user and system time are the 12th and 13th after it.
        let after = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        let ticks: Vec<f64> = after.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
        Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

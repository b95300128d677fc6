//! A throw-away PostgreSQL server for this test process. A guardian process makes it, runs it, and
//! removes it when its standard input ends, which the kernel sees to however this process ends.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// No durability: the cluster lives as long as one run.
const SETTINGS: [&str; 11] = [
    "listen_addresses=",
    "max_connections=500",
    "shared_buffers=64MB",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
    "jit=off",
    "log_min_messages=fatal",
];

/// `$1` the binaries, `$2` the folder; the rest are arguments of the server.
const GUARDIAN: &str = r#"
bin=$1; dir=$2; shift 2
if "$bin/initdb" -D "$dir/data" -U omnitrack -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1
then
    "$bin/postgres" -D "$dir/data" -k "$dir" "$@" >>"$dir/log" 2>&1 </dev/null &
    server=$!
    cat >/dev/null
    kill -QUIT $server
    wait $server
else
    cat "$dir/log" >&2
fi
rm -rf "$dir"
"#;

pub struct Cluster {
    folder: PathBuf,
    /// Holds the guardian's standard input.
    guardian: Child,
}

impl Cluster {
    /// Starts a server, if its binaries are found. It may take a second until it answers.
    pub fn start() -> Option<Self> {
        let binaries = binaries()?;
        let folder = tempfile::Builder::new().prefix("omnitrack-test-").tempdir().unwrap().keep();
        let mut guardian = Command::new("sh");
        guardian.args([OsStr::new("-c"), GUARDIAN.as_ref(), "guardian".as_ref()]);
        guardian.args([&binaries, &folder]);
        guardian.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        // The server refuses to run as root.
        if fs::metadata(&folder).unwrap().uid() == 0 {
            let (user, group) = ordinary_user();
            chown(&folder, Some(user), Some(group)).unwrap();
            guardian.uid(user).gid(group);
        }
        // A group of its own, so that an interrupt at the terminal does not end it before its work is done.
        guardian.process_group(0).current_dir(&folder).stdin(Stdio::piped()).stdout(Stdio::null());
        let guardian = guardian.spawn().unwrap();
        Some(Self { folder, guardian })
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        let socket = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://omnitrack@localhost/{database}?host={socket}")
    }

    /// Whether the server can still be expected to answer.
    pub fn is_running(&mut self) -> bool {
        self.guardian.try_wait().unwrap().is_none()
    }
}

/// The folder of the server's binaries: on the path, else where `pg_config` says, else the newest of
/// the usual places.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<f64>().ok();
    versions.sort_by(|a, b| number(b).partial_cmp(&number(a)).unwrap());
    folders.extend(versions.into_iter().map(|version| version.join("bin")));
    folders.into_iter().find(|folder| has_all(folder))
}

fn has_all(folder: &Path) -> bool {
    folder.is_absolute() && ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file())
}

/// User and group of `postgres`, or of `nobody` where there is none such.
fn ordinary_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(|field| field.parse().unwrap());
        numbers.next().zip(numbers.next())
    };
    find("postgres").or_else(|| find("nobody")).expect("an ordinary user")
}

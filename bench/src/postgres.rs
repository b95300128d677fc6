//! A throw-away PostgreSQL cluster with its own settings but one: it listens on loopback only. `fsync`
//! stays on. PostgreSQL does not run as root, so that a root user lends it the user `postgres`.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::{Result, place};

/// Running; ended and deleted with this value.
pub struct Cluster {
    folder: TempDir,
    binaries: PathBuf,
    user: Option<(u32, u32)>,
    port: u16,
}

impl Cluster {
    /// A new cluster, or none where the server's programs are not installed.
    pub fn start() -> Result<Option<Self>> {
        let Some(binaries) = binaries() else { return Ok(None) };
        let folder = tempfile::Builder::new().prefix("bench-postgres-").tempdir()?;
        let is_root = fs::metadata("/proc/self")?.uid() == 0;
        let user = if is_root { Some(lent_user()?) } else { None };
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid))?;
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        }
        let cluster = Self { folder, binaries, user, port: place::free_address()?.port() };
        let data = cluster.data();
        cluster
            .call("initdb", &["-D", &data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"])?;
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={}",
            cluster.port,
            cluster.folder.path().display()
        );
        cluster.call(
            "pg_ctl",
            &["-D", &data, "-w", "-t", "30", "-l", &format!("{data}.log"), "-o", &options, "start"],
        )?;
        Ok(Some(cluster))
    }

    /// The address of a database of that name, made now.
    pub fn database(&self, name: &str) -> Result<String> {
        let port = self.port.to_string();
        self.call("createdb", &["-h", "127.0.0.1", "-p", &port, "-U", "postgres", name])?;
        Ok(format!("postgres://postgres@127.0.0.1:{port}/{name}"))
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn call(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(self.binaries.join(program));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.gid(gid).uid(uid);
        }
        match command.status()?.success() {
            true => Ok(()),
            false => Err(format!("{program} failed").into()),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.call("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "-t", "30", "stop"]);
    }
}

/// Where the server's programs are: the newest of those that distributions put aside, else the path's.
fn binaries() -> Option<PathBuf> {
    let version = |folder: &PathBuf| -> u32 {
        let name = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        name.and_then(|name| name.parse().ok()).unwrap_or(0)
    };
    let versions = fs::read_dir("/usr/lib/postgresql").ok();
    let mut folders: Vec<PathBuf> =
        versions.into_iter().flatten().flatten().map(|version| version.path().join("bin")).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let has_all =
        |folder: &PathBuf| ["initdb", "pg_ctl", "createdb"].iter().all(|name| folder.join(name).is_file());
    folders.into_iter().find(has_all)
}

/// The numbers of the user `postgres`.
fn lent_user() -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    for field in fields {
        if let [name, _, uid, gid, ..] = field.as_slice()
            && *name == "postgres"
        {
            return Ok((uid.parse()?, gid.parse()?));
        }
    }
    Err("there is no user postgres to run PostgreSQL as".into())
}

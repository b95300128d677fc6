//! Where things are: the project, its release binary, free ports.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// Builds the service as it is shipped and tells where it is. This binary's own package is named too,
/// so that what both share is built once.
pub fn service() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "-p", "omnitrack", "-p", "bench", "--bin", "omnitrack"])
        .current_dir(root)
        .status()?;
    if !built.success() {
        return Err("the service does not build".into());
    }
    let own = std::env::current_exe()?;
    let binary = own.with_file_name("omnitrack");
    if own.parent().and_then(Path::file_name).is_none_or(|folder| folder != "release") {
        return Err("run it with --release: anything else measures the compiler".into());
    }
    Ok(binary)
}

/// An address of loopback that nobody listens on.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

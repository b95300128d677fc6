//! Where things are: the project, its release binary, free ports.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// Builds the service as it is shipped and tells where it is. This binary's own package is named too,
/// so that what both share is built once. For a first look, where speed does not matter, a debug build
/// of this binary takes a debug build of the service.
pub fn service(first_look: bool) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let released = own.parent().and_then(Path::file_name).is_some_and(|folder| folder == "release");
    if !released && !first_look {
        return Err("run it with --release: anything else measures the compiler".into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "-p", "omnitrack", "-p", "bench", "--bin", "omnitrack"])
        .args(released.then_some("--release"))
        .current_dir(root)
        .status()?;
    if !built.success() {
        return Err("the service does not build".into());
    }
    Ok(own.with_file_name("omnitrack"))
}

/// An address of loopback that nobody listens on.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

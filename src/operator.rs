//! What an operator does at the command line, beside a running service or before it starts. What is said
//! goes to standard output; nothing of a person is in it.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, stdout};
use std::path::Path;
use std::time::Duration;

use entity::value::{ClerkState, ErasureReason};

use crate::app::App;
use crate::config::Secret;
use crate::erasure::{self, Order, marks, wipe};

type Done = Result<(), Box<dyn Error>>;

/// How often the files are tried to be wiped, a second apart, before it is left to the service.
const ATTEMPTS: u32 = 30;

/// Erases the account of a Clerk user, here and at Clerk, and prints the receipt.
pub async fn erase(app: &App, user: &str, reason: ErasureReason) -> Done {
    if !user.starts_with("user_") {
        return Err("--user: must be Clerk's id of the person, which begins with user_".into());
    }
    let order = Order::to_clerk(Secret::new(user), reason, &app.users);
    let account = order.account();
    let receipt = erasure::erase(&app.db, order).await?;
    app.db.tell_others().await;
    let receipt = erasure::at_clerk::try_now(&app.db, &app.users, account, receipt).await?;
    println!("receipt   {}", receipt.id);
    println!("erased    yes");
    println!(
        "at Clerk  {}",
        match receipt.clerk {
            ClerkState::Done => "done",
            ClerkState::Pending => "pending: the service asks again until Clerk has confirmed",
            ClerkState::NotConfigured => "not configured: delete the user in Clerk's dashboard",
        }
    );
    println!("wiped     {}", wiped(app).await?);
    Ok(())
}

async fn wiped(app: &App) -> Result<&'static str, Box<dyn Error>> {
    for _ in 0..ATTEMPTS {
        match wipe::wipe(&app.db).await? {
            wipe::Wiped::Clean(_) => return Ok("yes"),
            wipe::Wiped::NotHere => return Ok("in the database's own time"),
            wipe::Wiped::Busy => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
    Ok("pending: the service tries again")
}

/// Prints the erasure marks.
pub async fn print_marks(app: &App) -> Done {
    let written = marks::write(&app.db, &mut BufWriter::new(stdout().lock())).await?;
    eprintln!("{written} erasure marks");
    Ok(())
}

/// Applies the erasure marks of a file to a database that was put back.
pub async fn apply_marks(app: &App, file: &Path) -> Done {
    let from = BufReader::new(File::open(file)?);
    let applied = marks::apply(&app.db, from).await?;
    println!(
        "{} accounts erased, {} were marked already; devices read everything anew",
        applied.erased, applied.marked
    );
    println!("wiped     {}", wiped(app).await?);
    Ok(())
}

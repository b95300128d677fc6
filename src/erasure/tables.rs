//! What an account has, table by table: the one list that the erasure works through and that people are
//! shown. A test holds it against the database's own list of tables with an account in them.

/// A table with rows of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// What is in it, in the words of the page for people.
    pub holds: &'static str,
}

const fn table(name: &'static str, holds: &'static str) -> Table {
    Table { name, holds }
}

/// Children before their parents. Of the account's own row a mark stays (`db::Change::erase`).
pub const TABLES: [Table; 18] = [
    table("pending_episodes", "episodes you marked that were not yet known"),
    table("watched_episode", "the episodes you have watched, with their dates"),
    table("history_event", "the history of what you finished and when"),
    table("comment", "your comments"),
    table("review", "your reviews"),
    table("library_entry", "your library: statuses, ratings, favourites, progress and dates"),
    table("list_item", "the titles in your lists, with your notes"),
    table("list", "your lists"),
    table("push_token", "the push tokens of your devices"),
    table("device", "your devices: model and versions"),
    table("consent", "what you agreed to or withdrew"),
    table("export", "the addresses of copies you asked for"),
    table("import_part", "archives that were being taken back"),
    table("import", "the reports of what you imported"),
    table("idempotency_key", "notes that keep a repeated request from being done twice"),
    table("sync_mutation", "notes on the changes that your devices sent"),
    table("tombstone", "notes on what you deleted, which other devices need to hear of"),
    table("clerk_deletion", "the order to delete you at Clerk, as soon as Clerk has confirmed it"),
];

/// Tables that outlive the erasure until their own work is done.
pub(super) const KEPT_FOR_CLERK: &str = "clerk_deletion";

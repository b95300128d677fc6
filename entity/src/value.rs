//! Values with names: the same words in the database, the code and the API.

use sea_orm::entity::prelude::*;

/// Where a person is with a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Status {
    #[sea_orm(string_value = "backlog")]
    Backlog,
    #[sea_orm(string_value = "in_progress")]
    InProgress,
    #[sea_orm(string_value = "completed")]
    Completed,
    #[sea_orm(string_value = "dropped")]
    Dropped,
}

/// Who set the status: the person's own word always wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum StatusSetBy {
    #[sea_orm(string_value = "person")]
    Person,
    #[sea_orm(string_value = "progress")]
    Progress,
}

/// What progress is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ProgressUnit {
    #[sea_orm(string_value = "episodes")]
    Episodes,
    #[sea_orm(string_value = "pages")]
    Pages,
    #[sea_orm(string_value = "minutes")]
    Minutes,
    #[sea_orm(string_value = "percent")]
    Percent,
}

/// What a comment is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum AnchorKind {
    #[sea_orm(string_value = "episode")]
    Episode,
    #[sea_orm(string_value = "page")]
    Page,
    #[sea_orm(string_value = "percent")]
    Percent,
}

/// How exactly a date is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Precision {
    #[sea_orm(string_value = "day")]
    Day,
    #[sea_orm(string_value = "month")]
    Month,
    #[sea_orm(string_value = "year")]
    Year,
    #[sea_orm(string_value = "unknown")]
    Unknown,
}

/// What a tombstone stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum TombstoneKind {
    #[sea_orm(string_value = "entry")]
    Entry,
    #[sea_orm(string_value = "review")]
    Review,
    #[sea_orm(string_value = "comment")]
    Comment,
    #[sea_orm(string_value = "history_event")]
    HistoryEvent,
    #[sea_orm(string_value = "list")]
    List,
    #[sea_orm(string_value = "list_item")]
    ListItem,
    #[sea_orm(string_value = "episode")]
    Episode,
}

/// What the source said of a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum MediaState {
    #[sea_orm(string_value = "known")]
    Known,
    #[sea_orm(string_value = "unknown_to_source")]
    UnknownToSource,
}

/// Which of Apple's services a push token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum PushEnvironment {
    #[sea_orm(string_value = "sandbox")]
    Sandbox,
    #[sea_orm(string_value = "production")]
    Production,
}

/// What a person said of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Decision {
    #[sea_orm(string_value = "accepted")]
    Accepted,
    #[sea_orm(string_value = "withdrawn")]
    Withdrawn,
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ImportState {
    #[sea_orm(string_value = "applying")]
    Applying,
    #[sea_orm(string_value = "done")]
    Done,
    /// Given up; what was applied stays.
    #[sea_orm(string_value = "failed")]
    Failed,
}

/// Who wanted an account erased, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ErasureReason {
    /// The person, in the app.
    #[sea_orm(string_value = "person")]
    Person,
    /// Clerk said that the user is gone.
    #[sea_orm(string_value = "clerk")]
    Clerk,
    /// The operator: it belonged to a child.
    #[sea_orm(string_value = "underage")]
    Underage,
    /// The operator, asked by the person.
    #[sea_orm(string_value = "request")]
    Request,
}

/// What is known of the deletion at Clerk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ClerkState {
    #[sea_orm(string_value = "pending")]
    Pending,
    #[sea_orm(string_value = "done")]
    Done,
    /// The service has no access to Clerk.
    #[sea_orm(string_value = "not_configured")]
    NotConfigured,
}

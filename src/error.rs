//! The domain's one error type. It knows nothing of HTTP; `http::problem` gives each its status.

use sea_orm::DbErr;

use crate::clock::Millis;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One thing that is wrong with an input, and where.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the body, or `/query/<name>`, `/path/<name>`, `/header/<name>`.
    pub pointer: String,
    pub message: String,
}

impl Violation {
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or belongs to somebody else: the two are never told apart.
    #[error("not found")]
    NotFound,
    /// The id belonged to something that was deleted and is not used again.
    #[error("deleted")]
    Deleted,
    /// What the writer based the write on has changed since.
    #[error("revision conflict")]
    RevisionConflict,
    /// Understood and refused: every violation at once, and the code clients switch on.
    #[error("invalid: {code}")]
    Invalid { code: &'static str, violations: Vec<Violation> },
    /// What the device knows is too old, or of another database: it must read everything anew.
    #[error("cursor expired")]
    CursorExpired,
    /// The account was erased: nothing can bring it back.
    #[error("account erased")]
    AccountErased,
    /// The account's deletion was asked for and is due then: until it is taken back, nothing else goes.
    #[error("account deletion pending")]
    DeletionPending { due_at: Millis },
    /// Somebody else acts in the person's name, who may not do this.
    #[error("impersonated")]
    Impersonated,
    /// The key was used for another request.
    #[error("idempotency key reused")]
    IdempotencyKeyReused,
    /// More than one account may keep.
    #[error("limit reached")]
    LimitReached { what: &'static str, limit: u64 },
    /// The account has as many event streams open as it may.
    #[error("too many streams")]
    TooManyStreams,
    /// The account has another upload, or another download, under way.
    #[error("too many transfers")]
    TooManyTransfers,
    /// Too much to do just now; nothing was changed.
    #[error("busy")]
    Busy,
    /// Clerk does not do what it was asked just now; nothing was changed.
    #[error("clerk unavailable")]
    ClerkUnavailable { retry_after_seconds: u64 },
    /// The service was given no access to Clerk's users.
    #[error("clerk not configured")]
    ClerkNotConfigured,
    /// No source could answer and nothing older is known.
    #[error("source unavailable")]
    SourceUnavailable { retry_after_seconds: u64 },
    /// Shown by its kind alone: the text may quote a value of the person's.
    #[error("database: {}", crate::db::error_kind(.0))]
    Database(#[from] DbErr),
}

impl From<crate::catalog::Unavailable> for Error {
    fn from(unavailable: crate::catalog::Unavailable) -> Self {
        Self::SourceUnavailable { retry_after_seconds: unavailable.retry_after_seconds }
    }
}

impl From<crate::admission::Refused> for Error {
    fn from(refused: crate::admission::Refused) -> Self {
        match refused {
            crate::admission::Refused::Owner => Self::TooManyTransfers,
            crate::admission::Refused::Busy => Self::Busy,
        }
    }
}

impl Error {
    /// The stable word that clients switch on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Deleted => "deleted",
            Self::RevisionConflict => "revision_conflict",
            Self::CursorExpired => "cursor_expired",
            Self::Invalid { code, .. } => code,
            Self::AccountErased => "account_erased",
            Self::DeletionPending { .. } => "account_deletion_pending",
            Self::Impersonated => "impersonated",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::LimitReached { .. } => "limit_reached",
            Self::TooManyStreams => "too_many_streams",
            Self::TooManyTransfers => "too_many_transfers",
            Self::Busy => "busy",
            Self::ClerkUnavailable { .. } => "clerk_unavailable",
            Self::ClerkNotConfigured => "clerk_not_configured",
            Self::SourceUnavailable { .. } => "source_unavailable",
            Self::Database(_) => "internal",
        }
    }

    /// Refuses the value at `pointer`.
    pub fn invalid(code: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { code, violations: vec![Violation::new(pointer, message)] }
    }
}

//! What a session may do in which somebody else acts in the person's name (Clerk's claim `act`), such as
//! Clerk's support desk: see and repair the library. Whatever binds the person or hands out their data is
//! refused: consents, devices, exports, imports, the deletion, and (in `account::profile`, since it depends
//! on the body) their name.

use super::contract::Operation;

/// The operations that are allowed. One that is not listed, as a new one, is refused.
const ALLOWED: [&str; 48] = [
    "deleteComment",
    "deleteHistoryEvent",
    "deleteLibraryEntry",
    "deleteList",
    "deleteListItem",
    "deleteReview",
    "deleteWatchedEpisode",
    "discoverMedia",
    "getAccount",
    "getChanges",
    "getComment",
    "getHistoryEvent",
    "getLibraryEntry",
    "getList",
    "getListItem",
    "getMedia",
    "getReview",
    "getSeason",
    "getSyncHead",
    "getWatchedEpisode",
    "listAnnouncements",
    "listComments",
    "listHistory",
    "listLibrary",
    "listListItems",
    "listLists",
    "listMedia",
    "listPolicies",
    "listWatchedEpisodes",
    "lookupMedia",
    "markAiredEpisodes",
    "markSeasonEpisodes",
    "pushChanges",
    "putComment",
    "putHistoryEvent",
    "putLibraryEntry",
    "putList",
    "putListItem",
    "putReview",
    "putWatchedEpisode",
    "searchMedia",
    "streamSyncEvents",
    "unmarkEpisodes",
    "unmarkSeasonEpisodes",
    "updateAccount",
    "updateLibraryEntry",
    "updateList",
    "updateListItem",
];

/// Returns whether an impersonated session may call the operation.
pub fn allows(operation: &Operation) -> bool {
    ALLOWED.contains(&operation.id.as_str())
}

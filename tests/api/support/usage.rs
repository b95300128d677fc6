//! The numbers of what each account keeps, compared with its rows.

use omnitrack::db::{Db, rows};

/// Every account's numbers beside what its rows come to, in the same order.
const NUMBERS: &str = "SELECT a.entries, a.events, a.lists, a.list_items, a.text_bytes, \
    (SELECT COUNT(*) FROM library_entry o WHERE o.account_id = a.id), \
    (SELECT COUNT(*) FROM history_event o WHERE o.account_id = a.id) \
        + (SELECT COUNT(*) FROM watched_episode o WHERE o.account_id = a.id), \
    (SELECT COUNT(*) FROM list o WHERE o.account_id = a.id), \
    (SELECT COUNT(*) FROM list_item o WHERE o.account_id = a.id), \
    CAST((SELECT COALESCE(SUM(octet_length(o.body) + COALESCE(octet_length(o.title), 0)), 0) \
            FROM review o WHERE o.account_id = a.id) \
        + (SELECT COALESCE(SUM(octet_length(o.body)), 0) FROM comment o WHERE o.account_id = a.id) \
        + (SELECT COALESCE(SUM(octet_length(o.name) + COALESCE(octet_length(o.description), 0)), 0) \
            FROM list o WHERE o.account_id = a.id) \
        + (SELECT COALESCE(SUM(octet_length(o.note)), 0) FROM list_item o WHERE o.account_id = a.id) \
        AS bigint) FROM account a";

/// Fails unless every account's numbers are what its rows come to; gives them summed up over all accounts.
#[track_caller]
pub fn expect_exact(db: &Db) -> impl Future<Output = [i64; 5]> {
    let caller = std::panic::Location::caller();
    let db = db.clone();
    async move {
        let mut all = [0; 5];
        for row in rows(db.shared(), NUMBERS, []).await.unwrap() {
            let number = |at: usize| row.try_get_by_index::<i64>(at).unwrap();
            let kept = [0, 1, 2, 3, 4].map(number);
            assert_eq!(kept, [5, 6, 7, 8, 9].map(number), "numbers, and rows, as compared at {caller}");
            for (sum, number) in all.iter_mut().zip(kept) {
                *sum += number;
            }
        }
        all
    }
}

use futures_util::FutureExt as _;
use uuid::Uuid;

use super::{PerAccount, current, on_behalf_of};

#[tokio::test]
async fn acquire_beyond_the_share_waits_and_other_accounts_do_not() {
    let shares = PerAccount::new(2);
    let (greedy, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let first = shares.acquire(greedy).await;
    let _second = shares.acquire(greedy).await;
    let mut third = Box::pin(shares.acquire(greedy));
    assert!((&mut third).now_or_never().is_none());
    assert!(shares.acquire(other).now_or_never().is_some());
    drop(first);
    assert!(third.now_or_never().is_some());
}

#[tokio::test]
async fn account_without_permits_or_waiters_is_not_kept() {
    let shares = PerAccount::new(1);
    let account = Uuid::from_u128(1);
    let held = shares.acquire(account).await;
    {
        let mut cancelled = Box::pin(shares.acquire(account));
        assert!((&mut cancelled).now_or_never().is_none());
    }
    assert_eq!(shares.lock().len(), 1);
    drop(held);
    assert!(shares.lock().is_empty());
}

#[tokio::test]
async fn current_is_the_account_of_the_scope_only() {
    assert_eq!(current(), None);
    let account = Uuid::from_u128(7);
    assert_eq!(on_behalf_of(account, async { current() }).await, Some(account));
    assert_eq!(current(), None);
}

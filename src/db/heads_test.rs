use futures_util::FutureExt as _;

use super::*;

const BOUNDS: Bounds = Bounds { per_account: 2, per_instance: 3 };

fn account(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

#[tokio::test]
async fn only_the_latest_news_are_told() {
    let heads = Heads::new(true);
    let mut listener = heads.listen(account(1), BOUNDS).unwrap();
    assert_eq!(listener.news().now_or_never(), None);
    for head in [5, 9, 7] {
        heads.announce(account(1), News::Head(head));
    }
    heads.announce(account(2), News::Head(100));
    assert_eq!(listener.news().now_or_never(), Some(News::Head(9)));
    assert_eq!(listener.news().now_or_never(), None);
    heads.announce(account(1), News::Head(8));
    assert_eq!(listener.news().now_or_never(), None, "older than what was told");
    let mut waiting = heads.take();
    waiting.sort_unstable();
    assert_eq!(waiting, [(account(1), News::Head(9)), (account(2), News::Head(100))]);
    assert_eq!(heads.take(), []);
}

#[tokio::test]
async fn listeners_are_bounded_and_leave_nothing_behind() {
    let heads = Heads::new(true);
    let own = [1, 1, 2].map(|number| heads.listen(account(number), BOUNDS).unwrap());
    assert_eq!(heads.listen(account(1), BOUNDS).unwrap_err(), Full::Instance);
    assert_eq!(heads.listen(account(3), BOUNDS).unwrap_err(), Full::Instance);
    let more = Bounds { per_instance: 9, ..BOUNDS };
    assert_eq!(heads.listen(account(1), more).unwrap_err(), Full::Account);
    drop(own);
    assert_eq!((heads.listeners(), heads.listened().accounts.len()), (0, 0));
}

#[tokio::test]
async fn who_is_ended_hears_it_and_others_begin_anew() {
    let heads = Heads::new(true);
    let mut old = heads.listen(account(1), BOUNDS).unwrap();
    heads.announce(account(1), News::Head(5));
    heads.end(account(1));
    assert_eq!(old.news().now_or_never(), Some(News::Ended));
    assert_eq!(old.news().now_or_never(), Some(News::Ended), "and nothing else for ever");
    let mut new = heads.listen(account(1), BOUNDS).unwrap();
    drop(old);
    heads.announce(account(1), News::Head(6));
    assert_eq!(new.news().now_or_never(), Some(News::Head(6)));
}

#[test]
fn what_waits_for_others_is_bounded() {
    let heads = Heads::new(true);
    for number in 0..MAX_WAITING as u128 + 5 {
        heads.put(account(number), News::Head(1));
    }
    heads.put(account(3), News::Ended);
    let waiting = heads.take();
    assert_eq!(waiting.len(), MAX_WAITING);
    assert!(waiting.contains(&(account(3), News::Ended)));
}

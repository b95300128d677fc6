use std::pin::pin;
use std::task::Poll;

use futures_util::{FutureExt as _, poll};

use super::*;

const LONG: Duration = Duration::from_secs(3600);

fn now(slots: &Slots<u8>, owner: u8) -> Option<Slot<u8>> {
    slots.acquire(owner, LONG).now_or_never().map(Result::unwrap)
}

#[tokio::test]
async fn owner_with_a_slot_gets_no_second_one_while_slots_are_free() {
    let slots = Slots::new(4);
    let first = now(&slots, 1).unwrap();
    assert_eq!(slots.acquire(1, Duration::ZERO).await.unwrap_err(), Refused::Owner);
    let _other = now(&slots, 2).unwrap();
    let mut second = pin!(slots.acquire(1, LONG));
    assert!(poll!(&mut second).is_pending());
    drop(first);
    assert!(matches!(poll!(&mut second), Poll::Ready(Ok(_))));
}

#[tokio::test]
async fn slots_are_granted_to_owners_by_turns() {
    let slots = Slots::new(1);
    let running = now(&slots, 1).unwrap();
    // The first two owners ask twice before the third asks once.
    let mut waiting: Vec<_> =
        [1, 1, 2, 2, 3].map(|owner| Box::pin(slots.acquire(owner, LONG))).into_iter().collect();
    for one in &mut waiting {
        assert!(poll!(one).is_pending());
    }
    let mut order = Vec::new();
    drop(running);
    while order.len() < 5 {
        let mut granted = None;
        for (index, one) in waiting.iter_mut().enumerate() {
            if let Poll::Ready(slot) = poll!(one) {
                granted = Some((index, slot.unwrap()));
                break;
            }
        }
        let (index, slot) = granted.expect("the slot is granted to somebody");
        drop(waiting.remove(index));
        order.push(slot.owner);
        drop(slot);
    }
    // Owner 1 had its turn when it began to wait, and again when the others had theirs.
    assert_eq!(order, [1, 2, 3, 1, 2]);
}

#[tokio::test]
async fn request_that_gives_up_leaves_nothing_behind() {
    let slots = Slots::new(1);
    let running = now(&slots, 1).unwrap();
    let mut second = Box::pin(slots.acquire(2, LONG));
    let mut third = Box::pin(slots.acquire(3, LONG));
    assert!(poll!(&mut second).is_pending() && poll!(&mut third).is_pending());
    // Given up while it waits, and given up between grant and take.
    drop(third);
    drop(running);
    drop(second);
    let state = lock(&slots.0);
    assert_eq!((state.free, state.running.len(), state.turns.len(), state.waiting.len()), (1, 0, 0, 0));
}

#[tokio::test]
async fn waiting_requests_are_bounded() {
    let slots = Slots::new(1);
    let _running = now(&slots, 0).unwrap();
    let mut waiting: Vec<_> =
        (0..100).map(|n| Box::pin(slots.acquire(n / MAX_WAITING_OF_OWNER as u8 + 1, LONG))).collect();
    let mut refused = Vec::new();
    for one in &mut waiting {
        if let Poll::Ready(Err(error)) = poll!(one) {
            refused.push(error);
        }
    }
    assert_eq!(refused, vec![Refused::Busy; 100 - MAX_WAITING]);
    assert_eq!(slots.acquire(1, LONG).await.unwrap_err(), Refused::Owner);
    assert_eq!(slots.acquire(200, Duration::ZERO).await.unwrap_err(), Refused::Busy);
}

#[tokio::test]
async fn others_time_out_as_busy() {
    let slots = Slots::new(1);
    let _running = now(&slots, 1).unwrap();
    assert_eq!(slots.acquire(2, Duration::ZERO).await.unwrap_err(), Refused::Busy);
    assert!(lock(&slots.0).waiting.is_empty());
}

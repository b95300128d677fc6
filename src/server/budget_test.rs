use tokio::time::timeout;

use super::*;

const STALL: Duration = Duration::from_millis(40);
const NEVER: Duration = Duration::from_secs(3600);
const STUCK: Duration = Duration::from_secs(20);

fn instance(connection: usize, address: usize, instance: usize) -> Arc<Instance> {
    let [connection, address, instance] = [connection, address, instance].map(|requests| requests * RESERVE);
    Instance::new(Limits { connection, address, instance, connections_per_address: 2 })
}

fn connect(instance: &Arc<Instance>, peer: &str) -> Option<Arc<Connection>> {
    instance.connect(peer.parse().expect("an address"))
}

#[test]
fn connections_are_counted_per_network() {
    let instance = instance(1, 1, 1);
    let first = connect(&instance, "2001:db8::1").expect("the first");
    let _second = connect(&instance, "2001:db8::2").expect("the second");
    assert!(connect(&instance, "2001:db8::3").is_none());
    let other = connect(&instance, "2001:db8:0:1::1").expect("another network");
    drop(first);
    assert!(connect(&instance, "2001:db8::3").is_some());
    drop(other);
    assert_eq!(instance.addresses.lock().expect("whole").len(), 1, "addresses without connections go");
}

#[tokio::test]
async fn request_waits_for_its_own_connection_and_for_nothing_else() {
    let instance = instance(1, 2, 3);
    let connection = connect(&instance, "192.0.2.1").expect("room");
    let held = connection.admit().await.expect("the first");
    let mut waiting = Box::pin(connection.admit());
    assert!(timeout(STALL, waiting.as_mut()).await.is_err());
    // The address has two requests now, the one that waits included.
    let neighbor = connect(&instance, "192.0.2.1").expect("room");
    assert!(neighbor.admit().await.is_none());
    let stranger = connect(&instance, "192.0.2.2").expect("room");
    let strange = stranger.admit().await.expect("the third of the instance");
    assert!(connect(&instance, "192.0.2.3").expect("room").admit().await.is_none());
    drop(held);
    let held = timeout(STUCK, waiting).await.expect("no hang").expect("its turn");
    drop((held, strange));
    assert_eq!(instance.used(), 0);
}

#[tokio::test]
async fn request_that_stops_waiting_holds_nothing() {
    let instance = instance(1, 8, 8);
    let connection = connect(&instance, "192.0.2.1").expect("room");
    let held = connection.admit().await.expect("the first");
    assert!(timeout(STALL, connection.admit()).await.is_err());
    drop(held);
    assert_eq!((instance.used(), connection.state().used), (0, 0));
}

#[test]
fn answers_count_until_they_are_sent() {
    let instance = instance(2, 3, 4);
    let connection = connect(&instance, "192.0.2.1").expect("room");
    let first = connection.try_charge(3 * RESERVE, NEVER).expect("fits");
    assert!(connection.try_charge(1, NEVER).is_none(), "the address has no more room");
    first.sent(RESERVE);
    assert_eq!(instance.used(), 2 * RESERVE);
    let forced = connection.charge(10 * RESERVE, NEVER);
    assert!(connection.try_charge(1, NEVER).is_none());
    first.sent(usize::MAX);
    first.sent(RESERVE);
    drop((first, forced));
    assert_eq!(instance.used(), 0);
    let state = connection.state();
    assert_eq!((state.used, state.unsent.len()), (0, 0));
}

#[test]
fn one_address_cannot_take_the_budget_of_the_instance() {
    let limits = Limits::by_address(256);
    assert!(limits.address <= limits.instance / 3 && limits.connection <= limits.address / 3);
}

#[tokio::test]
async fn connection_expires_by_what_is_not_taken() {
    let instance = instance(64, 64, 64);
    let connection = connect(&instance, "192.0.2.1").expect("room");
    let open = connection.open_request();
    let unsent = connection.charge(1000, STALL);
    assert_eq!(timeout(STUCK, connection.expired(STALL, NEVER)).await, Ok(Expiry::Stalled));
    drop(unsent);
    // Without anything unsent, an open request lasts as long as it likes.
    assert!(timeout(3 * STALL, connection.expired(STALL, STALL)).await.is_err());
    drop(open);
    assert_eq!(timeout(STUCK, connection.expired(NEVER, STALL)).await, Ok(Expiry::Idle));
}

#[tokio::test]
async fn progress_postpones_the_end_but_not_for_ever() {
    let instance = instance(64, 64, 64);
    let connection = connect(&instance, "192.0.2.1").expect("room");
    let _open = connection.open_request();
    let unsent = connection.charge(10 * MIN_RATE, STALL);
    let due = |connection: &Connection| {
        let state = connection.state();
        let unsent = state.unsent.values().next().expect("one");
        (unsent.progress_at + STALL, unsent.due)
    };
    let before = due(&connection);
    unsent.sent(1);
    let after = due(&connection);
    assert!(after.0 > before.0, "a byte taken is progress");
    assert_eq!(after.1, before.1, "a byte now and then does not hold the rest");
    assert!(before.1.duration_since(before.0) >= Duration::from_secs(9), "what is large may take longer");
}

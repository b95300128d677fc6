use super::*;

fn account(number: u64) -> Uuid {
    Uuid::from_u64_pair(number << 32, number)
}

/// Who is admitted, in which order.
type Order = Arc<Mutex<Vec<String>>>;

async fn wait(gate: &Arc<Gate>, order: &Order, number: u64, priority: Priority, name: &str) {
    let (gate, order, name) = (gate.clone(), order.clone(), name.to_owned());
    tokio::spawn(async move {
        let entered = gate.enter(account(number), priority).await;
        lock(&order).push(if entered.is_ok() { name } else { format!("{name} refused") });
    });
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn three_hundred_calls_of_one_account_make_few_requests() {
    let gate = Gate::new(true);
    let mut admitted = 0;
    let mut refused = None;
    for _ in 0..306 {
        match gate.enter(account(1), Priority::Interactive).await {
            Ok(_permit) => admitted += 1,
            Err(error) => refused = Some(error),
        }
    }
    assert_eq!(admitted, ACCOUNT_BURST);
    assert_eq!(refused, Some(UsersError::RateLimited { retry_after_seconds: Some(3) }));
    assert!(gate.enter(account(2), Priority::Interactive).await.is_ok(), "others are not affected");
    assert!(gate.enter(account(1), Priority::Urgent).await.is_ok(), "nor is the account's deletion");
    *lock(&gate.accounts.get(&account(1)).expect("remembered")) -= ACCOUNT_INTERVAL;
    assert!(gate.enter(account(1), Priority::Interactive).await.is_ok());
    assert!(gate.enter(account(1), Priority::Interactive).await.is_err());
}

#[tokio::test]
async fn a_deletion_passes_all_that_wait() {
    let (gate, order) = (Arc::new(Gate::new(false)), Order::default());
    let mut held = Vec::new();
    for number in 0..MAX_OPEN as u64 {
        held.push(gate.enter(account(1000 + number), Priority::Interactive).await.expect("free"));
    }
    for number in 0..3 {
        wait(&gate, &order, 1 + number, Priority::Interactive, "profile").await;
    }
    wait(&gate, &order, 9, Priority::Urgent, "deletion").await;
    drop(held);
    while lock(&order).len() < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(lock(&order)[0], "deletion", "{:?}", lock(&order).clone());
}

#[tokio::test]
async fn an_account_has_one_request_open_and_its_deletion_beside_it() {
    let (gate, order) = (Arc::new(Gate::new(true)), Order::default());
    let first = gate.enter(account(1), Priority::Interactive).await.expect("free");
    wait(&gate, &order, 1, Priority::Interactive, "second").await;
    wait(&gate, &order, 2, Priority::Interactive, "other").await;
    wait(&gate, &order, 1, Priority::Urgent, "deletion").await;
    assert_eq!(*lock(&order), ["other", "deletion"]);
    drop(first);
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert_eq!(lock(&order).last().map(String::as_str), Some("second"));
}

#[tokio::test]
async fn a_pause_that_clerk_asks_for_is_everybodys() {
    let gate = Gate::new(true);
    gate.pause(Some(30));
    gate.pause(None);
    for priority in [Priority::Interactive, Priority::Urgent] {
        let refused = gate.enter(account(1), priority).await.err();
        assert_eq!(refused, Some(UsersError::RateLimited { retry_after_seconds: Some(30) }));
    }
    *lock(&gate.paused_until) -= Duration::from_secs(30);
    assert!(gate.enter(account(1), Priority::Interactive).await.is_ok());
}

/// The burst and ten seconds of the pace are what Clerk allows in ten seconds.
#[test]
fn an_instance_stays_within_what_clerk_documents() {
    for (Rate { per_second, burst }, most) in [(PRODUCTION, 1000.0), (DEVELOPMENT, 100.0)] {
        assert!(f64::from(burst) + 10.0 * per_second <= most);
    }
}

#[tokio::test]
async fn one_reading_serves_all_that_ask_meanwhile() {
    let gate = Arc::new(Gate::new(true));
    let (go, wait) = watch::channel(false);
    let reads = Arc::new(Mutex::new(0));
    let read = || {
        let (mut wait, reads) = (wait.clone(), reads.clone());
        move || async move {
            *lock(&reads) += 1;
            let _ = wait.wait_for(|go| *go).await;
            Err(UsersError::NotFound)
        }
    };
    let first = gate.join(account(1), read());
    let leaving = gate.join(account(1), read());
    drop(leaving);
    let other = gate.join(account(2), read());
    go.send_replace(true);
    for mut outcome in [first, other] {
        let outcome = outcome.wait_for(Option::is_some).await.expect("an outcome").clone();
        assert_eq!(outcome.and_then(Result::err), Some(UsersError::NotFound));
    }
    assert_eq!(*lock(&reads), 2);
    // Nothing is kept: the next asks anew.
    assert!(lock(&gate.reading).is_empty());
    assert_eq!(gate.read_once(account(1), read()).await.err(), Some(UsersError::NotFound));
    assert_eq!(*lock(&reads), 3);
}

#[tokio::test]
async fn a_reading_that_crashes_holds_nobody() {
    let gate = Arc::new(Gate::new(true));
    let crashed = gate.read_once(account(1), || async { panic!("on purpose") }).await;
    assert_eq!(crashed.err(), Some(UsersError::Unavailable));
    assert!(gate.read_once(account(1), || async { Err(UsersError::NotFound) }).await.is_err());
    assert!(lock(&gate.reading).is_empty());
}

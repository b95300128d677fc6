use super::*;

struct Nothing;

impl Answer for Nothing {
    fn answer(&self, _: &Received) -> Reply {
        Reply::new(204, "text/plain", "")
    }
}

fn shared() -> Shared {
    Shared {
        answer: Arc::new(Nothing),
        recorded: Mutex::default(),
        arrived: watch::Sender::new(0),
        fault: Mutex::default(),
        changes: watch::Sender::new(0),
    }
}

fn request(number: usize) -> Recorded {
    Recorded {
        method: "GET".into(),
        target: format!("/{number}"),
        headers: vec![],
        body: vec![],
        raw: vec![],
    }
}

#[test]
fn the_oldest_requests_make_room() {
    let shared = shared();
    for number in 0..RECORDED + 2 {
        shared.arrive(request(number));
    }
    let recorded = lock(&shared.recorded);
    assert_eq!(recorded.len(), RECORDED);
    assert_eq!(recorded.front().unwrap().target, "/2");
    assert_eq!(*shared.arrived.borrow(), RECORDED + 2);
}

#[test]
fn a_counted_fault_ends_without_waking_what_hangs() {
    let shared = shared();
    *lock(&shared.fault) = Some(Active { fault: Fault::Hang, left: Some(1) });
    let (first, changes) = shared.arrive(request(1));
    assert!(matches!(first, Some(Fault::Hang)));
    assert!(shared.arrive(request(2)).0.is_none());
    assert!(!changes.has_changed().unwrap());
}

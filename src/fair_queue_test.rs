use super::*;

const WIDE: Limits = Limits { per_second: 1e6, burst: 1000, open: 1, open_per_lane: 8, waiting: 64 };
const LONG: Duration = Duration::from_secs(3600);

/// A queue whose one place is taken, and the order in which those behind it are served.
struct Bench {
    queue: FairQueue,
    held: Option<Permit>,
    served: Arc<Mutex<Vec<String>>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Bench {
    async fn new(limits: Limits) -> Self {
        let queue = FairQueue::new(limits);
        let turn = Arc::new(Turn::new(u64::MAX, Priority::Interactive, 1));
        let held = Some(queue.enter(turn, LONG).await.expect("a free place"));
        Self { queue, held, served: Arc::default(), tasks: Vec::new() }
    }

    async fn wait(&mut self, name: &str, lane: u64, priority: Priority, cost: u64) -> Arc<Turn> {
        let turn = Arc::new(Turn::new(lane, priority, cost));
        let (queue, served, name, waits) =
            (self.queue.clone(), self.served.clone(), name.to_owned(), turn.clone());
        self.tasks.push(tokio::spawn(async move {
            match queue.enter(waits, LONG).await {
                Ok(_permit) => lock(&served).push(name),
                Err(Busy) => lock(&served).push(format!("{name} refused")),
            }
        }));
        // Lets the task take its place in the queue.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        turn
    }

    async fn order(mut self) -> Vec<String> {
        self.held.take();
        for task in self.tasks {
            task.await.expect("served");
        }
        Arc::try_unwrap(self.served).expect("all have ended").into_inner().expect("unpoisoned")
    }
}

#[tokio::test]
async fn one_request_of_a_lane_waits_for_one_of_each_other_lane() {
    let mut bench = Bench::new(Limits { waiting: 4096, ..WIDE }).await;
    for number in 0..2000 {
        bench.wait(&format!("bulk {number}"), 1, Priority::Interactive, 1).await;
    }
    bench.wait("single", 2, Priority::Interactive, 1).await;
    let order = bench.order().await;
    assert!(order.iter().position(|name| name == "single").expect("served") <= 1, "{:?}", &order[..4]);
    assert_eq!(order.len(), 2001);
}

#[tokio::test]
async fn five_busy_lanes_leave_a_sixth_its_part() {
    let mut bench = Bench::new(Limits { waiting: 4096, ..WIDE }).await;
    for number in 0..20 {
        for lane in 1..=5 {
            bench.wait(&format!("{lane}.{number}"), lane, Priority::Interactive, 1).await;
        }
    }
    for number in 0..3 {
        bench.wait(&format!("6.{number}"), 6, Priority::Interactive, 1).await;
    }
    let order = bench.order().await;
    let at = |name: &str| order.iter().position(|served| served == name).expect("served");
    assert!(at("6.0") < 6 && at("6.1") < 12 && at("6.2") < 18, "{order:?}");
}

#[tokio::test]
async fn a_request_for_many_titles_costs_its_lane_as_many_turns() {
    let mut bench = Bench::new(WIDE).await;
    bench.wait("hundred", 1, Priority::Interactive, 100).await;
    bench.wait("then", 1, Priority::Interactive, 1).await;
    for number in 0..9 {
        bench.wait(&number.to_string(), 2, Priority::Interactive, 1).await;
    }
    let order = bench.order().await;
    assert_eq!(order.last().map(String::as_str), Some("then"), "{order:?}");
}

#[tokio::test]
async fn background_work_comes_last_and_does_not_stand_still() {
    let mut bench = Bench::new(WIDE).await;
    for number in 0..3 {
        bench.wait(&format!("background {number}"), 1, Priority::Background, 1).await;
    }
    for number in 0..20 {
        bench.wait(&number.to_string(), 2, Priority::Interactive, 1).await;
    }
    bench.wait("deletion", 3, Priority::Urgent, 1).await;
    let order = bench.order().await;
    assert_eq!(order[0], "deletion");
    let turns: Vec<usize> = (0..order.len()).filter(|at| order[*at].starts_with("background")).collect();
    assert!((5..=8).contains(&turns[0]), "{order:?}");
    assert_eq!(turns[1] - turns[0], LOWEST_EVERY as usize, "{order:?}");
}

#[tokio::test]
async fn a_request_that_is_raised_goes_to_the_front() {
    let mut bench = Bench::new(WIDE).await;
    let raised = bench.wait("raised", 1, Priority::Background, 1).await;
    for number in 0..4 {
        bench.wait(&number.to_string(), 2, Priority::Interactive, 1).await;
    }
    raised.raise(3, Priority::Interactive);
    raised.raise(4, Priority::Background);
    let order = bench.order().await;
    assert!(order[..2].contains(&"raised".to_owned()), "{order:?}");
}

#[tokio::test]
async fn a_full_queue_refuses_the_lane_that_fills_it() {
    let mut bench = Bench::new(Limits { waiting: 8, ..WIDE }).await;
    for number in 0..9 {
        bench.wait(&format!("bulk {number}"), 1, Priority::Interactive, 1).await;
    }
    assert_eq!(lock(&bench.served).as_slice(), ["bulk 8 refused"]);
    bench.wait("single", 2, Priority::Interactive, 1).await;
    assert_eq!(lock(&bench.served).as_slice(), ["bulk 8 refused", "bulk 7 refused"]);
    bench.wait("background", 3, Priority::Background, 1).await;
    assert_eq!(lock(&bench.served)[2], "background refused");
    let order = bench.order().await;
    assert!(order[3..5].contains(&"single".to_owned()), "{order:?}");
}

#[tokio::test]
async fn one_lane_has_so_many_open_and_the_others_pass_it() {
    let limits = Limits { open: 3, open_per_lane: 1, ..WIDE };
    let queue = FairQueue::new(limits);
    let enter = |lane| queue.enter(Arc::new(Turn::new(lane, Priority::Interactive, 1)), LONG);
    let first = enter(1).await.expect("free");
    let late = Arc::new(Turn::new(1, Priority::Interactive, 1));
    assert_eq!(queue.enter(late, Duration::from_millis(20)).await.err(), Some(Busy));
    let _other = enter(2).await.expect("free");
    drop(first);
    assert!(enter(1).await.is_ok());
}

#[tokio::test]
async fn turns_come_at_an_even_pace_after_the_burst() {
    let queue =
        FairQueue::new(Limits { per_second: 20.0, burst: 2, open: 100, open_per_lane: 100, waiting: 64 });
    let begun = Instant::now();
    for number in 0..5_u32 {
        let turn = Arc::new(Turn::new(1, Priority::Interactive, 1));
        queue.enter(turn, LONG).await.map(drop).expect("a turn");
        let due = Duration::from_millis(50) * number.saturating_sub(1);
        assert!(begun.elapsed() >= due, "{number}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn who_leaves_or_waits_too_long_holds_no_place() {
    let mut bench = Bench::new(WIDE).await;
    bench.wait("leaves", 1, Priority::Interactive, 1).await;
    bench.tasks.remove(0).abort();
    let late = Arc::new(Turn::new(2, Priority::Interactive, 1));
    assert_eq!(bench.queue.enter(late, Duration::from_millis(5)).await.err(), Some(Busy));
    bench.wait("stays", 3, Priority::Interactive, 1).await;
    assert_eq!(bench.queue.waiting(), 1);
    assert_eq!(bench.order().await, ["stays"]);
}

#[tokio::test]
async fn nothing_is_remembered_of_lanes_that_are_done() {
    let queue = FairQueue::new(Limits { open: 4, ..WIDE });
    for lane in 0..1000 {
        let turn = Arc::new(Turn::new(lane, Priority::Interactive, 1));
        queue.enter(turn, LONG).await.map(drop).expect("a turn");
    }
    let state = lock(&queue.0.state);
    assert!(state.lanes.len() <= 2 && state.waiting.is_empty(), "{}", state.lanes.len());
}

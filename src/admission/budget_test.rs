use super::*;

#[test]
fn owner_beyond_its_share_is_refused_and_others_are_not() {
    let budget = ByteBudget::new(100 * OVERHEAD, 40 * OVERHEAD);
    let mut first = budget.reserve(1).unwrap();
    assert_eq!(first.grow(39 * OVERHEAD), Ok(()));
    assert_eq!(first.grow(1), Err(Exhausted::Share));
    assert_eq!(budget.reserve(1).unwrap_err(), Exhausted::Share);
    let mut second = budget.reserve(2).unwrap();
    assert_eq!(second.grow(39 * OVERHEAD), Ok(()));
    let mut third = budget.reserve(3).unwrap();
    assert_eq!(third.fits(20 * OVERHEAD), Err(Exhausted::Total));
    assert_eq!(third.grow(20 * OVERHEAD), Err(Exhausted::Total));
    assert_eq!(third.grow(19 * OVERHEAD), Ok(()));
    assert_eq!(budget.used(), 100 * OVERHEAD);
    drop(first);
    assert_eq!(third.fits(20 * OVERHEAD), Ok(()));
    drop((second, third));
    assert_eq!((budget.used(), budget.held().owners.len()), (0, 0));
}

#[test]
fn empty_reservations_are_bounded_in_number() {
    let budget = ByteBudget::new(10 * OVERHEAD, 10 * OVERHEAD);
    let all: Vec<_> = (0..100).map_while(|owner| budget.reserve(owner).ok()).collect();
    assert_eq!(all.len(), 10);
}

#[test]
fn growth_that_would_overflow_is_refused() {
    let budget = ByteBudget::new(usize::MAX, usize::MAX);
    let mut one = budget.reserve(1).unwrap();
    assert_eq!(one.grow(usize::MAX), Err(Exhausted::Share));
    assert_eq!(budget.used(), OVERHEAD);
}

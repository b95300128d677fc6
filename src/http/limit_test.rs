use super::*;

#[test]
fn each_key_has_its_own_bucket_and_the_headers_tell_its_state() {
    // A quarter of a minute's worth at once: two.
    let policy: Policy<u8> = Policy::new("account", 8);
    let first = policy.count(1);
    assert_eq!(headers(&[first]), ("\"account\";q=2;w=15".into(), "\"account\";r=1;t=15".into()));
    assert_eq!(policy.count(1).retry_after, None);
    let refused = policy.count(1);
    assert!(refused.retry_after.is_some_and(|seconds| (1..=8).contains(&seconds)), "{refused:?}");
    assert_eq!(policy.count(2).retry_after, None);
}

#[test]
fn an_ipv6_network_counts_as_one() {
    let key = |text: &str| address_key(text.parse().expect("an address"));
    assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2::9"));
    assert_ne!(key("2001:db8:1:2::9"), key("2001:db8:1:3::9"));
    assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
}

#[test]
fn charge_counts_the_rest_of_a_batch_and_never_more_than_the_burst() {
    let limits = config::Limits { account: 40, search: 1, address: 1, image: 1, connections: 1 };
    let limits = Arc::new(Limits::new(&limits));
    let (account, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut decisions = vec![limits.account.count(account)];
    let charge = Charge::new(limits.clone(), account);
    assert_eq!(charge.count_as(1), Ok(()), "it was counted already");
    assert_eq!(charge.count_as(6), Ok(()));
    charge.update(&mut decisions);
    assert_eq!(headers(&decisions).1, "\"account\";r=4;t=15");
    assert!(charge.count_as(7).is_err());
    charge.update(&mut decisions);
    assert!(decisions[0].retry_after.is_some());
    limits.account.count(other);
    assert_eq!(Charge::new(limits, other).count_as(500), Ok(()));
}

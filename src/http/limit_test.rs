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

/// Counts one request of `address`; returns whether it is refused.
fn refuses(policy: &AddressPolicy, address: &str) -> bool {
    let mut decisions = Vec::new();
    policy.count(address.parse().expect("an address"), &mut decisions);
    decisions.iter().any(|decision| decision.retry_after.is_some())
}

#[test]
fn an_ipv6_network_counts_as_one() {
    // One request at once.
    let policy = AddressPolicy::new("address", "site", 4);
    assert!(!refuses(&policy, "2001:db8:1:2:3:4:5:6"));
    assert!(refuses(&policy, "2001:db8:1:2::9"));
    assert!(!refuses(&policy, "2001:db8:1:3::9"));
    assert!(!refuses(&policy, "::ffff:192.0.2.1"));
    assert!(refuses(&policy, "192.0.2.1"));
}

#[test]
fn an_ipv6_site_is_limited_over_all_its_networks() {
    // One request at once of each network, ten of the site.
    let policy = AddressPolicy::new("address", "site", 4);
    let refused = (0..100).filter(|n| refuses(&policy, &format!("2001:db8:1:{n:x}::1"))).count();
    assert!((85..=90).contains(&refused), "{refused}");
    assert!(!refuses(&policy, "2001:db8:2::1"), "another site has its own allowance");
}

#[test]
fn a_refused_client_does_not_use_up_the_allowance_of_its_site() {
    let policy = AddressPolicy::new("address", "site", 4);
    assert!((0..100).filter(|_| refuses(&policy, "2001:db8:1:1::1")).count() >= 98);
    assert!(!refuses(&policy, "2001:db8:1:2::1"));
}

#[test]
fn charge_counts_the_rest_of_a_batch_and_never_more_than_the_burst() {
    let limits = config::Limits {
        account: 40,
        search: 1,
        address: 1,
        image: 1,
        connections: 1,
        connections_per_address: 1,
        min_free_bytes: 0,
    };
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

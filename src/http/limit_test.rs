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

//! Client addresses: the form in which they are compared, and the networks that they belong to.

use std::net::{IpAddr, Ipv6Addr};

/// The IPv6 prefix that one subscriber controls in full, so that it counts as one client.
pub const SUBSCRIBER: u8 = 64;
/// The IPv6 prefix that one organization or hosting customer usually controls (RFC 6177).
pub const SITE: u8 = 48;

/// Returns the network of `prefix` bits that an IPv6 `address` belongs to. An IPv4 address, also one
/// mapped into IPv6, is returned as itself.
pub fn network(address: IpAddr, prefix: u8) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(prefix))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_keeps_the_prefix_and_clears_the_rest() {
        let of = |text: &str, prefix| network(text.parse().expect("an address"), prefix).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6", SUBSCRIBER), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2:3:4:5:6", SITE), "2001:db8:1::");
        assert_eq!(of("2001:db8::1", 128), "2001:db8::1");
        assert_eq!(of("2001:db8::1", 0), "::");
        assert_eq!(of("::ffff:192.0.2.1", SITE), "192.0.2.1");
        assert_eq!(of("192.0.2.1", SUBSCRIBER), "192.0.2.1");
    }
}

//! The address that a request is counted under.

use std::net::{IpAddr, SocketAddr};

use poem::Request;
use poem::http::HeaderMap;

/// Returns the address of the connection; behind a proxy the one that the proxy added to
/// `X-Forwarded-For`, or the proxy's own where it added none that can be read.
pub fn client_address(request: &Request, behind_proxy: bool) -> IpAddr {
    let unknown = IpAddr::from([0, 0, 0, 0]);
    let direct = request.remote_addr().as_socket_addr().map_or(unknown, SocketAddr::ip);
    let forwarded = if behind_proxy { forwarded_for(request.headers()) } else { None };
    forwarded.unwrap_or(direct)
}

/// Returns the last address of `X-Forwarded-For`: the ones before it came from the client and prove
/// nothing.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    parse(last.to_str().ok()?.rsplit(',').next()?.trim())
}

/// Parses `ip`, `ip:port`, `[v6]` and `[v6]:port`: proxies write any of them.
fn parse(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_accepts_every_form_that_proxies_write() {
        let cases = [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
        ];
        for (text, address) in cases {
            assert_eq!(parse(text).map(|found| found.to_string()).as_deref(), Some(address), "{text}");
        }
        for text in ["", "unknown", "_hidden", "[192.0.2.1]", "192.0.2.1:", "192.0.2.1:99999", "[::1", "::1]"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn forwarded_for_takes_the_last_address_of_the_last_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(forwarded_for(&headers), None);
        headers.append("x-forwarded-for", "198.51.100.1".parse().expect("a value"));
        headers.append("x-forwarded-for", "198.51.100.2, [2001:db8::1]:80".parse().expect("a value"));
        assert_eq!(forwarded_for(&headers), "2001:db8::1".parse().ok());
    }
}

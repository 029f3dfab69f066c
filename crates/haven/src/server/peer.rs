//! Who the client is, when trusted proxies stand between.
//!
//! A proxy adds its client to the right of `X-Forwarded-For` or `Forwarded` (RFC 7239).
//! So the lists are read from the right, and only as far as trusted proxies wrote them:
//! whatever stands further left, the client may have made up.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header::FORWARDED, uri::Authority};
use ipnet::IpNet;

use haven_http::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// More proxies in a row than anybody has; what stands further left is not read.
const HOPS: usize = 16;

/// What one proxy said about its client.
#[derive(Default)]
struct Hop<'a> {
    client: Option<&'a str>,
    scheme: Option<&'a str>,
    host: Option<&'a str>,
}

/// The client of a request that came over a connection from `remote`.
pub(super) fn peer(
    remote: SocketAddr,
    https: bool,
    trusted: &[IpNet],
    headers: &HeaderMap,
) -> Peer {
    let direct = Peer { address: remote, scheme_https: https, host: None };
    if !is_trusted(remote.ip(), trusted) {
        return direct;
    }
    let hops = hops(headers);
    // The first hop from the right whose client is no trusted proxy tells of the client.
    let mut told = None;
    for hop in hops {
        let client = hop.client.and_then(parse_address);
        let goes_on = client.is_some_and(|client| is_trusted(client.ip(), trusted));
        told = Some((hop, client));
        if !goes_on {
            break;
        }
    }
    let Some((hop, client)) = told else {
        return direct;
    };
    Peer {
        address: client.unwrap_or(remote),
        scheme_https: hop.scheme.map_or(https, |scheme| scheme.eq_ignore_ascii_case("https")),
        host: hop
            .host
            .filter(|host| host.parse::<Authority>().is_ok_and(|host| !host.as_str().contains('@')))
            .map(str::to_owned),
    }
}

/// Whether an address belongs to a trusted proxy.
fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|network| network.contains(&address))
}

/// What the proxies said, the nearest first.
fn hops(headers: &HeaderMap) -> Vec<Hop<'_>> {
    if headers.contains_key(FORWARDED) {
        return from_the_right(headers, &FORWARDED).into_iter().map(forwarded_element).collect();
    }
    let clients = from_the_right(headers, &X_FORWARDED_FOR);
    let schemes = from_the_right(headers, &X_FORWARDED_PROTO);
    let hosts = from_the_right(headers, &X_FORWARDED_HOST);
    let count = clients.len().max(schemes.len().min(1)).max(hosts.len().min(1));
    // Many proxies replace scheme and host instead of adding to a list: then the one
    // value they left is everybody's.
    let at = |list: &[&'_ str], index: usize| index.min(list.len().wrapping_sub(1));
    (0..count)
        .map(|index| Hop {
            client: clients.get(index).copied(),
            scheme: schemes.get(at(&schemes, index)).copied(),
            host: hosts.get(at(&hosts, index)).copied(),
        })
        .collect()
}

/// The elements of a comma-separated header, the last first.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let mut lines: Vec<&str> =
        headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("")).collect();
    lines.reverse();
    lines.iter().flat_map(|line| line.rsplit(',')).map(str::trim).take(HOPS).collect()
}

/// Reads `for=…;proto=…;host=…`.
fn forwarded_element(element: &str) -> Hop<'_> {
    let mut hop = Hop::default();
    for pair in element.split(';') {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let value = Some(value.trim().trim_matches('"'));
        match name.trim().to_ascii_lowercase().as_str() {
            "for" => hop.client = value,
            "proto" => hop.scheme = value,
            "host" => hop.host = value,
            _ => {}
        }
    }
    hop
}

/// Reads an address with or without a port; an unknown port is 0.
fn parse_address(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address);
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn peer_of(remote: &str, lines: &[(&'static str, &str)]) -> Peer {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        peer(remote.parse().unwrap(), false, &trusted, &headers)
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let lines = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https")];
        let peer = peer_of("192.0.2.1:5000", &lines);
        assert_eq!(peer.address, "192.0.2.1:5000".parse().unwrap());
        assert!(!peer.scheme_https);
        assert_eq!(peer.host, None);
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        let lines = [
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "hub.example.com:8443"),
        ];
        let peer = peer_of("10.1.1.1:5000", &lines);
        assert_eq!(peer.address, "1.2.3.4:0".parse().unwrap());
        assert!(peer.scheme_https);
        assert_eq!(peer.host.as_deref(), Some("hub.example.com:8443"));
    }

    #[test]
    fn an_ipv4_proxy_on_an_ipv6_socket_is_recognised() {
        let peer = peer_of("[::ffff:10.1.1.1]:5000", &[("x-forwarded-for", "1.2.3.4")]);
        assert_eq!(peer.address, "1.2.3.4:0".parse().unwrap());
    }

    #[test]
    fn what_the_client_made_up_is_not_believed() {
        let lines = [
            ("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.7"),
            ("x-forwarded-proto", "http, https, http"),
            ("x-forwarded-host", "evil.example, hub.example.com, inner"),
        ];
        let peer = peer_of("10.1.1.1:5000", &lines);
        assert_eq!(peer.address, "1.2.3.4:0".parse().unwrap());
        assert!(peer.scheme_https);
        assert_eq!(peer.host.as_deref(), Some("hub.example.com"));
    }

    #[test]
    fn one_scheme_and_host_count_for_a_chain_of_proxies() {
        let lines = [
            ("x-forwarded-for", "1.2.3.4, 10.0.0.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "hub.example.com"),
        ];
        let peer = peer_of("10.1.1.1:5000", &lines);
        assert!(peer.scheme_https);
        assert_eq!(peer.host.as_deref(), Some("hub.example.com"));
    }

    #[test]
    fn scheme_and_host_count_without_an_address() {
        let lines = [("x-forwarded-proto", "https"), ("x-forwarded-host", "hub.example.com")];
        let peer = peer_of("10.1.1.1:5000", &lines);
        assert_eq!(peer.address, "10.1.1.1:5000".parse().unwrap());
        assert!(peer.scheme_https);
        assert_eq!(peer.host.as_deref(), Some("hub.example.com"));
    }

    #[test]
    fn the_standard_header_goes_first() {
        let lines = [
            ("forwarded", "for=6.6.6.6, For=\"[2001:db8::1]:4711\";proto=https;host=\"hub:99\""),
            ("forwarded", "for=10.0.0.9;proto=http"),
            ("x-forwarded-for", "9.9.9.9"),
        ];
        let peer = peer_of("[fd00::1]:5000", &lines);
        assert_eq!(peer.address, "[2001:db8::1]:4711".parse().unwrap());
        assert!(peer.scheme_https);
        assert_eq!(peer.host.as_deref(), Some("hub:99"));
    }

    #[test]
    fn nonsense_leaves_the_connection() {
        let lines =
            [("forwarded", "for=unknown;host=\"a b\";proto"), ("x-forwarded-for", "9.9.9.9")];
        let peer = peer_of("10.1.1.1:5000", &lines);
        assert_eq!(peer.address, "10.1.1.1:5000".parse().unwrap());
        assert_eq!(peer.host, None);
    }
}

//! Single values, read from text. `None` means that the text is not allowed; the table
//! of keys says what is.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use url::Url;

use super::LogFormat;

/// Something that may be left out.
pub(super) fn optional<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { read(text).map(Some) }
}

/// A comma-separated list; no text is an empty list.
fn list<T>(text: &str, item: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(item).collect()
}

/// Addresses to listen on.
pub(super) fn addresses(text: &str) -> Option<Vec<SocketAddr>> {
    list(text, address)
}

/// At least one address to listen on.
pub(super) fn some_addresses(text: &str) -> Option<Vec<SocketAddr>> {
    addresses(text).filter(|addresses| !addresses.is_empty())
}

/// `address:port`, or `:port` for every address of the machine.
fn address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix(':') {
        Some(port) => Some(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port.parse().ok()?)),
        None => text.parse().ok(),
    }
}

/// Networks such as `10.0.0.0/8`; a bare address is a network of one.
pub(super) fn networks(text: &str) -> Option<Vec<IpNet>> {
    list(text, |text| {
        let network = text.parse::<IpNet>().ok();
        network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    })
}

/// `true` or `false`.
pub(super) fn truth(text: &str) -> Option<bool> {
    text.parse().ok()
}

/// A number of at least one.
pub(super) fn count<N: std::str::FromStr + From<u8> + PartialOrd>(text: &str) -> Option<N> {
    text.parse().ok().filter(|count| *count >= N::from(1))
}

/// A number from 0 to 1.
pub(super) fn ratio(text: &str) -> Option<f64> {
    text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))
}

/// A path.
pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

/// An HTTP address that names a server and nothing in it.
pub(super) fn server_url(text: &str) -> Option<Url> {
    http_url(text).filter(|url| url.path() == "/")
}

/// An HTTP address without user, query and fragment.
pub(super) fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain.then_some(url)
}

/// An address that begins with one of some schemes.
pub(super) fn with_scheme(text: &str, schemes: &[&str]) -> Option<String> {
    let (scheme, rest) = text.split_once(':')?;
    (schemes.contains(&scheme) && !rest.is_empty()).then(|| text.to_owned())
}

/// `auto`, `text` or `json`.
pub(super) fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "auto" => Some(LogFormat::Auto),
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// A level or a list of levels by module.
pub(super) fn log_level(text: &str) -> Option<String> {
    crate::log::parse_level(text).is_ok().then(|| text.to_owned()).filter(|text| !text.is_empty())
}

/// A size in bytes.
pub(super) fn size(text: &str) -> Option<u64> {
    kit::size::parse_size(text).ok().filter(|size| *size > 0)
}

/// A duration that is not nothing.
pub(super) fn duration(text: &str) -> Option<Duration> {
    kit::size::parse_duration(text).ok().filter(|duration| !duration.is_zero())
}

/// A text on one line.
pub(super) fn line(text: &str) -> Option<String> {
    let fits = !text.is_empty() && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// A password that keeps Harbor's rules, without control characters.
pub(super) fn password(text: &str) -> Option<String> {
    let has = |kind: fn(&char) -> bool| text.chars().any(|c| kind(&c));
    let fits = (8..=128).contains(&text.chars().count())
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit)
        && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn addresses_are_read_in_every_form() {
        let read = some_addresses("127.0.0.1:80, [::1]:0 , :8080").unwrap();
        let expected: Vec<SocketAddr> =
            ["127.0.0.1:80", "[::1]:0", "[::]:8080"].iter().map(|a| a.parse().unwrap()).collect();
        assert_eq!(read, expected);
        for wrong in ["", ",", "8080", "127.0.0.1", "127.0.0.1:99999", "host:80", "::1:80x"] {
            assert_eq!(some_addresses(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn networks_may_be_single_addresses() {
        let read = networks("10.0.0.0/8,::1, 192.0.2.7").unwrap();
        assert_eq!(read[1], "::1/128".parse().unwrap());
        assert_eq!(read[2], "192.0.2.7/32".parse().unwrap());
        assert_eq!(networks("").unwrap(), []);
        assert_eq!(networks("10.0.0.0/33"), None);
    }

    #[test]
    fn a_server_is_named_by_scheme_host_and_port() {
        assert!(server_url("https://hub.example.com:8443").is_some());
        for wrong in [
            "hub.example.com",
            "ftp://hub",
            "https://hub/path",
            "https://u:p@hub",
            "http://hub?x",
            "",
        ] {
            assert_eq!(server_url(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn passwords_keep_the_rules() {
        assert!(password("Harbor12345").is_some());
        for wrong in ["", "Ab34567", "ab345678", "AB345678", "Abcdefgh", "Ab345678\n"] {
            assert_eq!(password(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn counts_and_ratios_have_bounds() {
        assert_eq!(count::<u32>("1"), Some(1));
        assert_eq!(count::<u32>("0"), None);
        assert_eq!(count::<u32>("-1"), None);
        assert_eq!(ratio("0.25"), Some(0.25));
        assert_eq!(ratio("NaN"), None);
        assert_eq!(ratio("1.01"), None);
    }
}

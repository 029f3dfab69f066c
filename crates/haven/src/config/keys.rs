//! Everything that can be set, one line of the table each.

use super::{Config, value};

/// Something that can be set.
pub struct Key {
    /// Its name in the file, such as `log.level`; variable and flag follow from it.
    pub path: &'static str,
    /// The value when nobody sets it. `{data_dir}` stands for the data folder.
    pub default: &'static str,
    /// What is allowed, to end the sentence "it must be …".
    pub allowed: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What of it must not be shown.
    pub mask: Mask,
    /// Whether a short help text names it.
    pub common: bool,
    /// Reads the value's text into the configuration; `None` if it is not allowed.
    pub(super) read: fn(&mut Config, &str) -> Option<()>,
}

/// What of a value must not be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// It may be shown.
    Nothing,
    /// The password in an address.
    Password,
    /// All of it. Such a key has no flag, since everybody can read a command line.
    All,
}

impl Key {
    /// The name of its variable: `log.level` is `HAVEN_LOG_LEVEL`.
    pub fn variable(&self) -> String {
        format!("HAVEN_{}", self.path.replace('.', "_").to_uppercase())
    }

    /// The name of its flag without dashes: `log.level` is `log-level`. A secret has none.
    pub fn flag(&self) -> Option<String> {
        (self.mask != Mask::All).then(|| self.path.replace(['.', '_'], "-"))
    }

    /// Whether it is on or off.
    pub fn is_switch(&self) -> bool {
        self.allowed == SWITCH
    }

    const fn common(mut self) -> Self {
        self.common = true;
        self
    }

    const fn masked(mut self, mask: Mask) -> Self {
        self.mask = mask;
        self
    }
}

const SWITCH: &str = "true or false";
const DURATION: &str = "a duration such as 30s, 15m, 24h or 7d";
const SIZE: &str = "a size such as 64KiB or 128MiB";
const COUNT: &str = "a number of at least 1";
const ADDRESSES: &str = "address:port, or :port for every address, several separated by commas";

const fn key(
    path: &'static str,
    default: &'static str,
    allowed: &'static str,
    about: &'static str,
    read: fn(&mut Config, &str) -> Option<()>,
) -> Key {
    Key { path, default, allowed, about, mask: Mask::Nothing, common: false, read }
}

/// The table of everything that can be set.
pub static KEYS: &[Key] = &[
    key("listen", "127.0.0.1:8080", ADDRESSES, "Where to listen", |c, v| {
        value::some_addresses(v).map(|v| c.listen = v)
    })
    .common(),
    key(
        "external_url",
        "",
        "empty, or http(s)://host[:port] without a path",
        "The address that clients use, when it is not the one they send",
        |c, v| value::optional(v, value::server_url).map(|v| c.external_url = v),
    )
    .common(),
    key(
        "data_dir",
        "./data",
        "a path",
        "The data folder: database, blobs and secret key, unless they are elsewhere",
        |c, v| value::path(v).map(|v| c.data_dir = v),
    )
    .common(),
    key(
        "admin_password",
        "",
        "empty, or 8 to 128 characters with an uppercase letter, a lowercase letter and a digit",
        "The password that the user admin gets at first start; one is made up if empty",
        |c, v| value::optional(v, value::password).map(|v| c.admin_password = v.map(Into::into)),
    )
    .masked(Mask::All),
    key(
        "secret_key_file",
        "{data_dir}/secret.key",
        "a path",
        "The key that seals secrets in the database; made at first start, the same on every replica",
        |c, v| value::path(v).map(|v| c.secret_key_file = v),
    ),
    key(
        "database_url",
        "sqlite:{data_dir}/haven.db",
        "sqlite:path, or postgres://user:password@host/name",
        "The database",
        |c, v| {
            value::with_scheme(v, &["sqlite", "postgres", "postgresql"])
                .map(|v| c.database_url = v.into())
        },
    )
    .common()
    .masked(Mask::Password),
    key(
        "database.max_connections",
        "20",
        COUNT,
        "How many connections to the database may be open",
        |c, v| value::count(v).map(|v| c.database_max_connections = v),
    ),
    key(
        "database.named_statements",
        "true",
        SWITCH,
        "Keep prepared statements by name; off for PgBouncer before 1.21 in transaction mode",
        |c, v| value::truth(v).map(|v| c.database_named_statements = v),
    ),
    key(
        "storage_url",
        "file:{data_dir}/storage",
        "file:path, or s3://bucket[/prefix]",
        "Where blobs are kept",
        |c, v| value::with_scheme(v, &["file", "s3"]).map(|v| c.storage_url = v),
    )
    .common(),
    key(
        "storage.buffers",
        "64MiB",
        SIZE,
        "How much memory blobs on their way may take in all",
        |c, v| value::size(v).map(|v| c.storage_buffers = v),
    ),
    key(
        "storage.s3.endpoint",
        "",
        "empty for Amazon, or http(s)://host[:port]",
        "The S3 server",
        |c, v| value::optional(v, value::http_url).map(|v| c.s3.endpoint = v),
    ),
    key("storage.s3.region", "us-east-1", "a name", "The region of the bucket", |c, v| {
        value::line(v).map(|v| c.s3.region = v)
    }),
    key(
        "storage.s3.bucket",
        "",
        "empty, or a name",
        "The bucket, when storage_url does not name it",
        |c, v| value::optional(v, value::line).map(|v| c.s3.bucket = v.unwrap_or_default()),
    ),
    key(
        "storage.s3.prefix",
        "",
        "empty, or the beginning of every object's key",
        "The folder in the bucket, when storage_url does not name it",
        |c, v| value::optional(v, value::line).map(|v| c.s3.prefix = v.unwrap_or_default()),
    ),
    key(
        "storage.s3.access_key",
        "",
        "empty, or the id of an access key",
        "The id of the access key",
        |c, v| value::optional(v, value::line).map(|v| c.s3.access_key = v.map(Into::into)),
    )
    .masked(Mask::All),
    key("storage.s3.secret_key", "", "empty, or the access key's secret", "Its secret", |c, v| {
        value::optional(v, value::line).map(|v| c.s3.secret_key = v.map(Into::into))
    })
    .masked(Mask::All),
    key(
        "storage.s3.path_style",
        "true",
        SWITCH,
        "Put the bucket into the path rather than the host's name",
        |c, v| value::truth(v).map(|v| c.s3.path_style = v),
    ),
    key(
        "storage.s3.redirect",
        "false",
        SWITCH,
        "Send clients to the S3 server for blobs, which it must then be able to reach",
        |c, v| value::truth(v).map(|v| c.s3.redirect = v),
    ),
    key(
        "tls.certificate",
        "",
        "empty, or the path of a PEM file",
        "The certificate chain; serves HTTPS, and is read again when it changes",
        |c, v| value::optional(v, value::path).map(|v| c.tls_certificate = v),
    )
    .common(),
    key("tls.key", "", "empty, or the path of a PEM file", "The certificate's key", |c, v| {
        value::optional(v, value::path).map(|v| c.tls_key = v)
    })
    .common(),
    key(
        "tls.root_certificate",
        "",
        "empty, or the path of a PEM file",
        "The certificate of the authority that clients have to trust, for them to download",
        |c, v| value::optional(v, value::path).map(|v| c.tls_root_certificate = v),
    ),
    key(
        "trusted_proxies",
        "",
        "networks such as 10.0.0.0/8, separated by commas",
        "Proxies whose Forwarded and X-Forwarded-… headers are believed",
        |c, v| value::networks(v).map(|v| c.trusted_proxies = v),
    ),
    key(
        "log.format",
        "auto",
        "auto (text on a terminal, else json), text or json",
        "The form of log lines",
        |c, v| value::log_format(v).map(|v| c.log_format = v),
    )
    .common(),
    key(
        "log.level",
        "info",
        "error, warn, info, debug or trace, or a list such as info,db=debug",
        "How much is logged",
        |c, v| value::log_level(v).map(|v| c.log_level = v),
    )
    .common(),
    key("log.access", "true", SWITCH, "Log a line for every request", |c, v| {
        value::truth(v).map(|v| c.log_access = v)
    }),
    key(
        "metrics.listen",
        "",
        ADDRESSES,
        "Where to serve /metrics, /healthz and /readyz; nowhere if empty",
        |c, v| value::addresses(v).map(|v| c.metrics_listen = v),
    ),
    key(
        "tracing.otlp_endpoint",
        "",
        "empty, or http(s)://host[:port][/path]",
        "The OpenTelemetry collector that gets traces, by OTLP over HTTP",
        |c, v| value::optional(v, value::http_url).map(|v| c.otlp_endpoint = v),
    ),
    key(
        "tracing.sample_ratio",
        "1.0",
        "a number from 0 to 1",
        "The share of requests that are traced",
        |c, v| value::ratio(v).map(|v| c.trace_sample_ratio = v),
    ),
    key("token.lifetime", "30m", DURATION, "How long a registry token is good for", |c, v| {
        value::duration(v).map(|v| c.token_lifetime = v)
    }),
    key("uploads.max_age", "7d", DURATION, "When an unfinished upload is given up", |c, v| {
        value::duration(v).map(|v| c.uploads_max_age = v)
    }),
    key(
        "uploads.max_per_client",
        "1000",
        COUNT,
        "How many unfinished uploads one client may have",
        |c, v| value::count(v).map(|v| c.uploads_max_per_client = v),
    ),
    key("gc.window", "2h", DURATION, "How long what nothing needs any more stays", |c, v| {
        value::duration(v).map(|v| c.gc_window = v)
    }),
    key(
        "registry.allow_missing_references",
        "false",
        SWITCH,
        "Accept manifests whose blobs or manifests are missing (sparse images)",
        |c, v| value::truth(v).map(|v| c.allow_missing_references = v),
    ),
    key(
        "limits.header_size",
        "64KiB",
        "a size from 8KiB to 1MiB",
        "The largest head of a request",
        |c, v| {
            // Below this, ordinary tokens do not fit; above, every connection could hold it.
            let size = value::size(v).filter(|size| (8 << 10..=1 << 20).contains(size))?;
            c.header_size = usize::try_from(size).ok()?;
            Some(())
        },
    ),
    key(
        "limits.header_timeout",
        "20s",
        DURATION,
        "How long a client may take to send the head of a request",
        |c, v| value::duration(v).map(|v| c.header_timeout = v),
    ),
    key(
        "limits.idle_timeout",
        "2m",
        DURATION,
        "How long a connection may stay open without a request",
        |c, v| value::duration(v).map(|v| c.idle_timeout = v),
    ),
    key(
        "limits.stall_timeout",
        "60s",
        DURATION,
        "How long a client may neither send nor take anything in the middle of a body",
        |c, v| value::duration(v).map(|v| c.stall_timeout = v),
    ),
    key(
        "limits.connections",
        "10000",
        COUNT,
        "How many connections may be open; more wait",
        |c, v| value::count::<u32>(v).map(|v| c.connections = v as usize),
    ),
    key(
        "limits.http2_streams",
        "128",
        COUNT,
        "How many requests one HTTP/2 connection may have open",
        |c, v| value::count(v).map(|v| c.http2_streams = v),
    ),
    key("jobs.workers", "10", COUNT, "How many jobs this process does at a time", |c, v| {
        value::count(v).map(|v| c.job_workers = v)
    }),
    key(
        "shutdown_timeout",
        "30s",
        DURATION,
        "How long requests in flight may take to end when the server stops",
        |c, v| value::duration(v).map(|v| c.shutdown_timeout = v),
    ),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_is_its_own() {
        let variables: HashSet<_> = KEYS.iter().map(Key::variable).collect();
        assert_eq!(variables.len(), KEYS.len());
        let flags: HashSet<_> = KEYS.iter().filter_map(Key::flag).collect();
        assert_eq!(flags.len(), KEYS.iter().filter(|key| key.mask != Mask::All).count());
    }

    #[test]
    fn every_default_is_allowed() {
        let mut config = Config::default();
        for key in KEYS {
            assert!((key.read)(&mut config, key.default).is_some(), "{}", key.path);
        }
    }

    #[test]
    fn fixed_names_stay() {
        let variables: HashSet<_> = KEYS.iter().map(Key::variable).collect();
        for name in [
            "HAVEN_LISTEN",
            "HAVEN_DATA_DIR",
            "HAVEN_ADMIN_PASSWORD",
            "HAVEN_EXTERNAL_URL",
            "HAVEN_DATABASE_URL",
            "HAVEN_STORAGE_URL",
        ] {
            assert!(variables.contains(name), "{name}");
        }
    }
}

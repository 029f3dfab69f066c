//! The configuration: built-in defaults, then a TOML file, then `HAVEN_…` variables,
//! then flags.
//!
//! `keys` is the one table of everything that can be set: a line there is a key in the
//! file, a variable and a flag at once. `load` puts the layers on top of each other and
//! remembers where each value came from; `value` reads single values.

mod keys;
mod load;
mod value;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;
use kit::Secret;
use url::Url;

pub use keys::{KEYS, Key, Mask};
pub use load::{Layers, Loaded, Setting};

/// The effective configuration. What each value means stands in the table of keys.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "each field is documented once, in the table of keys")]
pub struct Config {
    pub listen: Vec<SocketAddr>,
    pub external_url: Option<Url>,
    pub data_dir: PathBuf,
    pub admin_password: Option<Secret>,
    pub secret_key_file: PathBuf,
    pub database_url: Secret,
    pub database_max_connections: u32,
    pub database_named_statements: bool,
    pub storage_url: String,
    pub storage_buffers: u64,
    pub s3: S3,
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub tls_root_certificate: Option<PathBuf>,
    pub log_format: LogFormat,
    pub log_level: String,
    pub log_access: bool,
    pub uploads_max_age: Duration,
    pub uploads_max_per_client: u32,
    pub gc_window: Duration,
    pub token_lifetime: Duration,
    pub allow_missing_references: bool,
    pub trusted_proxies: Vec<IpNet>,
    pub metrics_listen: Vec<SocketAddr>,
    pub otlp_endpoint: Option<Url>,
    pub trace_sample_ratio: f64,
    pub header_size: usize,
    pub header_timeout: Duration,
    pub idle_timeout: Duration,
    pub stall_timeout: Duration,
    pub connections: usize,
    pub http2_streams: u32,
    /// How many jobs are done at a time.
    pub job_workers: u32,
    pub shutdown_timeout: Duration,
}

/// An S3-compatible store, as far as keys of their own name it.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "each field is documented once, in the table of keys")]
pub struct S3 {
    pub endpoint: Option<Url>,
    pub region: String,
    pub bucket: String,
    pub prefix: String,
    pub access_key: Option<Secret>,
    pub secret_key: Option<Secret>,
    pub path_style: bool,
    pub redirect: bool,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// Text for a person.
    Text,
    /// JSON for a program.
    Json,
}

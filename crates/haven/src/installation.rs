//! From the configuration to an opened installation: database, store, key, context.

use std::path::{Path, PathBuf};

use blobs::{Place, S3Place, Store};
use db::{Db, Engine};
use domain::{Context, FirstStart, Settings};
use kit::{Clock, Error, Kind, Result, Seal, metrics::Metrics};

use crate::{config::Config, data_dir::DataDir};

/// The variable that sets what else administrators set by the API: Harbor's name for it.
const OVERWRITE: &str = "CONFIG_OVERWRITE_JSON";

/// An opened installation.
pub struct Installation {
    /// What every verb is given.
    pub context: Context,
    /// What only a first start makes.
    pub first_start: FirstStart,
}

/// Opens the database, brings it to this version's schema, and opens the rest.
///
/// # Errors
/// When a part cannot be had or does not fit; says which.
pub async fn open(config: &Config, metrics: &Metrics) -> Result<Installation> {
    let db = open_database(config, metrics).await?;
    db.migrate(&db::migrations()).await?;
    let installation = open_on(db, config, metrics).await?;
    if let Ok(json) = std::env::var(OVERWRITE) {
        domain::configurations::overwrite(&installation.context, &json).await?;
    }
    Ok(installation)
}

/// Opens an installation whose database has this version's schema already.
///
/// # Errors
/// As [`open`], and Precondition when the schema is another.
pub async fn open_migrated(config: &Config) -> Result<Installation> {
    let metrics = Metrics::default();
    let db = open_database(config, &metrics).await?;
    let (found, needed) = (db.schema_version().await?, db::migrations().latest());
    if found < needed {
        return Err(Error::new(
            Kind::Precondition,
            format!(
                "the database has schema {found} and this version needs {needed}: \
                 run `haven migrate` or `haven serve` first"
            ),
        ));
    }
    // Changes nothing any more, and refuses a database that is newer than this program.
    db.migrate(&db::migrations()).await?;
    open_on(db, config, &metrics).await
}

async fn open_on(db: Db, config: &Config, metrics: &Metrics) -> Result<Installation> {
    let buffers = usize::try_from(config.storage_buffers).unwrap_or(usize::MAX);
    let options = blobs::Options { buffers, metrics: metrics.clone(), ..Default::default() };
    let blobs = Store::open(&place(config)?, &options).await?;
    let key_file = config.secret_key_file.clone();
    let seal = tokio::task::spawn_blocking(move || Seal::open_or_create_key(&key_file))
        .await
        .map_err(Error::internal)??;
    let settings = Settings {
        token_lifetime: config.token_lifetime,
        upload_max_age: config.uploads_max_age,
        uploads_per_caller: config.uploads_max_per_client,
        gc_window: config.gc_window,
        allow_missing_references: config.allow_missing_references,
        configuration_is_fixed: std::env::var_os(OVERWRITE).is_some(),
    };
    let password = config.admin_password.clone();
    let (context, first_start) =
        Context::open(db, blobs, Clock::System, seal, settings, metrics.clone(), password).await?;
    Ok(Installation { context, first_start })
}

/// Opens the database as it is.
///
/// # Errors
/// When it cannot be reached.
pub async fn open_database(config: &Config, metrics: &Metrics) -> Result<Db> {
    let options = db::Options {
        max_connections: config.database_max_connections,
        named_statements: config.database_named_statements,
        metrics: metrics.clone(),
        ..Default::default()
    };
    Db::open(config.database_url.reveal(), &options).await
}

/// Takes the data folder for a deed that must not happen beside a server on SQLite,
/// which hears of no changes but its own. Servers on PostgreSQL do.
///
/// # Errors
/// When a server has it.
pub fn take_from_servers(config: &Config, db: &Db) -> Result<Option<DataDir>> {
    match db.engine() {
        Engine::Sqlite => DataDir::take(&config.data_dir).map(Some),
        Engine::Postgres => Ok(None),
    }
}

/// Tells a person what only a first start knows.
pub fn tell(first_start: &FirstStart) {
    if let Some(password) = &first_start.admin_password {
        println!("the user admin was made, with the password {}", password.reveal());
    }
}

/// Where blobs are kept.
fn place(config: &Config) -> Result<Place> {
    let url = &config.storage_url;
    if let Some(path) = url.strip_prefix("file:") {
        return Ok(Place::Files { root: local_path(path) });
    }
    let wrong = |message: &str| Error::invalid(message.to_owned());
    let named = url.strip_prefix("s3:").unwrap_or(url).trim_start_matches('/');
    let (bucket, prefix) = named.split_once('/').unwrap_or((named, ""));
    let bucket = one_of("bucket", bucket, &config.s3.bucket)?;
    if bucket.is_empty() {
        return Err(wrong("storage_url names no bucket, and storage.s3.bucket is not set"));
    }
    let prefix = one_of("prefix", prefix.trim_matches('/'), config.s3.prefix.trim_matches('/'))?;
    let (Some(access_key), Some(secret_key)) = (&config.s3.access_key, &config.s3.secret_key)
    else {
        return Err(wrong("an S3 store needs storage.s3.access_key and storage.s3.secret_key"));
    };
    Ok(Place::S3(S3Place {
        endpoint: config.s3.endpoint.clone(),
        region: config.s3.region.clone(),
        bucket,
        prefix,
        access_key: access_key.reveal().to_owned(),
        secret_key: secret_key.clone(),
        path_style: config.s3.path_style,
        redirect: config.s3.redirect,
    }))
}

/// The path of `file:path` or `file:///path`.
fn local_path(path: &str) -> PathBuf {
    Path::new(path.strip_prefix("//").unwrap_or(path)).to_owned()
}

/// What the URL or the key says; both may say the same.
fn one_of(what: &str, in_url: &str, in_key: &str) -> Result<String> {
    match (in_url, in_key) {
        ("", one) | (one, "") => Ok(one.to_owned()),
        (url, key) if url == key => Ok(url.to_owned()),
        (url, key) => Err(Error::invalid(format!(
            "storage_url says {what} {url} and storage.s3.{what} says {key}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn s3(url: &str, bucket: &str, prefix: &str) -> Result<(String, String)> {
        let mut config = Config { storage_url: url.to_owned(), ..Default::default() };
        config.s3.bucket = bucket.to_owned();
        config.s3.prefix = prefix.to_owned();
        config.s3.access_key = Some("id".into());
        config.s3.secret_key = Some("secret".into());
        match place(&config)? {
            Place::S3(place) => Ok((place.bucket, place.prefix)),
            Place::Files { .. } => panic!("{url} is S3"),
        }
    }

    #[test]
    fn a_bucket_is_named_by_the_url_or_by_keys() {
        let expected = ("blobs".to_owned(), "some/folder".to_owned());
        assert_eq!(s3("s3://blobs/some/folder/", "", "").unwrap(), expected);
        assert_eq!(s3("s3://blobs", "", "/some/folder").unwrap(), expected);
        assert_eq!(s3("s3://", "blobs", "some/folder").unwrap(), expected);
        assert_eq!(s3("s3://blobs", "blobs", "some/folder").unwrap(), expected);
        assert!(s3("s3://blobs", "others", "").is_err());
        assert!(s3("s3://", "", "").is_err());
    }

    #[test]
    fn a_folder_is_named_by_a_path_or_a_url() {
        for (url, expected) in [("file:./a", "./a"), ("file:/a/b", "/a/b"), ("file:///a/b", "/a/b")]
        {
            let config = Config { storage_url: url.to_owned(), ..Default::default() };
            let Place::Files { root } = place(&config).unwrap() else {
                panic!("{url} is a folder")
            };
            assert_eq!(root, Path::new(expected));
        }
    }
}

//! `haven serve`: everything wired together, until a signal says stop.

use std::{net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use domain::{Context, FirstStart};
use haven_http::{App, State};
use kit::{Error, Result, metrics::Metrics};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::MissedTickBehavior,
};

use crate::{
    access::AccessLog,
    config::Config,
    data_dir::DataDir,
    installation::{self, Installation},
    log, log_form, memory,
    metrics::{self, HttpMetrics, Learning, Look, Pages, Readiness},
    server::{self, Certificate, Limits, Listeners, Shared},
    traces::{Spans, TraceExport},
};

/// How often old uploads are looked for, at the most and at the least.
const SHORTEST_ROUND: Duration = Duration::from_secs(1);
const LONGEST_ROUND: Duration = Duration::from_secs(10 * 60);

/// How often the audit log is written and sealed.
const AUDIT_ROUND: Duration = Duration::from_secs(1);

/// How often it is written what was pulled.
const PULLS_ROUND: Duration = Duration::from_secs(1);

/// How often it is added up what projects use.
const QUOTAS_ROUND: Duration = Duration::from_secs(1);

/// How often some of the accounts of people from elsewhere are asked about.
const ACCOUNTS_ROUND: Duration = Duration::from_secs(60);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When something that serving needs is not to be had; says what.
pub async fn run(config: Config) -> Result<ExitCode> {
    let form = log_form(config.log_format);
    let (export, layer) = match &config.otlp_endpoint {
        Some(collector) => {
            let (export, layer) = TraceExport::start(collector, config.trace_sample_ratio)?;
            (Some(export), Some(layer))
        }
        None => (None, None),
    };
    let (lines, _lines_end) = log::start(form, &config.log_level, layer)?;
    allow_many_files();
    let _data_dir = DataDir::take(&config.data_dir)?;

    // First everything that an operator may have got wrong: what a first start makes and
    // tells, it tells once.
    let listeners = Listeners::bind(&config.listen)?;
    let metrics_listeners = Listeners::bind(&config.metrics_listen)?;
    let certificate = match (&config.tls_certificate, &config.tls_key) {
        (Some(chain), Some(key)) => Some(Certificate::open(chain, key)?),
        _ => None,
    };
    let tls = certificate.as_ref().map(Certificate::acceptor).transpose()?;

    let metrics = Metrics::default();
    let Installation { context, first_start } = installation::open(&config, &metrics).await?;
    let context = Arc::new(context);
    let application = App::new(State {
        domain: context.clone(),
        external_url: config.external_url.clone(),
        root_certificate: root_certificate(&config)?,
        version: env!("CARGO_PKG_VERSION"),
    });
    let (http_metrics, look) = (Arc::new(HttpMetrics::default()), Look::default());
    let jobs = (&context.jobs, &look);
    let registry = metrics::registry(http_metrics.clone(), metrics, lines.clone(), jobs);
    let pages = Pages::new(registry, learning(context.clone(), look), readiness(context.clone()));
    let https = tls.is_some();

    memory::give_back();

    let mut stop = Stop::listen_for()?;
    let (say_stop, stopping) = watch::channel(false);
    // Now that everything is ready, clients may come.
    let (addresses, metrics_addresses) = (listeners.addresses(), metrics_listeners.addresses());
    let listeners = listeners.open()?;
    let shared = Shared {
        application,
        limits: limits(&config),
        trusted_proxies: config.trusted_proxies.clone(),
        metrics: Some(http_metrics),
        access: config.log_access.then(|| AccessLog::new(lines, form)),
        spans: export.as_ref().map(|_| Spans::default()),
    };
    let serving =
        server::serve(listeners, tls, Arc::new(shared), stopping.clone(), config.shutdown_timeout);
    let serving = tokio::spawn(serving);
    serve_pages(pages, metrics_listeners, &config, stopping)?;
    if let Some(certificate) = certificate {
        tokio::spawn(certificate.follow());
    }
    let keeping_house = tokio::spawn(keep_house(context.clone()));
    let keeping_audit = tokio::spawn(keep_audit(context.clone()));
    let keeping_accounts = tokio::spawn(keep_accounts(context.clone()));
    let keeping_pulls = tokio::spawn(keep_pulls(context.clone()));
    let keeping_quotas = tokio::spawn(keep_quotas(context.clone()));
    let (stop_jobs, jobs_stop) = watch::channel(false);
    let hearing = tokio::spawn(domain::work::hear(context.clone(), jobs_stop.clone()));
    let working = domain::work::serve(context.clone(), config.job_workers, jobs_stop);
    let working = tokio::spawn(working);
    announce(&config, &addresses, &metrics_addresses, https, &first_start);

    stop.come().await;
    tracing::info!("stopping: no new requests, those in flight may end");
    let _ = say_stop.send(true);
    let _ = stop_jobs.send(true);
    tokio::select! {
        cut = serving => match cut {
            Ok(0) => tracing::info!("stopped"),
            Ok(cut) => tracing::warn!(connections = cut, "stopped; some requests had to be cut"),
            Err(error) => return Err(Error::internal(error)),
        },
        () = stop.come() => tracing::warn!("stopped at once, because asked twice"),
    }
    if let Err(error) = tokio::try_join!(working, hearing) {
        tracing::error!(%error, "jobs could not be given back");
    }
    keeping_house.abort();
    keeping_audit.abort();
    keeping_accounts.abort();
    keeping_pulls.abort();
    if let Err(error) = domain::artifacts::write_pulls(&context).await {
        tracing::error!(%error, "what was pulled last could not be marked");
    }
    keeping_quotas.abort();
    if let Err(error) = domain::audit::finish(&context).await {
        tracing::error!(%error, "the last pulls could not be audited");
    }
    if let Err(error) = domain::events::write_pulls(&context).await {
        tracing::error!(%error, "the last pulls could not be told of");
    }
    context.db.close().await;
    if let Some(export) = export {
        export.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// The certificate that clients may download, if there is one.
fn root_certificate(config: &Config) -> Result<Option<bytes::Bytes>> {
    let Some(path) = &config.tls_root_certificate else { return Ok(None) };
    let read = std::fs::read(path).map_err(|error| {
        let path = path.display();
        Error::invalid(format!("tls.root_certificate: {path} cannot be read: {error}"))
    })?;
    Ok(Some(read.into()))
}

/// How jobs stand, the database knows.
fn learning(context: Arc<Context>, look: Look) -> Learning {
    Arc::new(move || {
        let (context, look) = (context.clone(), look.clone());
        Box::pin(async move { look.again(&context).await })
    })
}

/// Requests can be served while the database answers and the store is there.
fn readiness(context: Arc<Context>) -> Readiness {
    Arc::new(move || {
        let context = context.clone();
        Box::pin(async move {
            context.db.ping().await?;
            context.blobs.check().await
        })
    })
}

/// Gives up uploads that nobody finished and removes sessions that have ended, again and
/// again.
async fn keep_house(context: Arc<Context>) {
    let often_enough = context.settings.upload_max_age / 10;
    let mut rounds = tokio::time::interval(often_enough.clamp(SHORTEST_ROUND, LONGEST_ROUND));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        match domain::uploads::purge(&context).await {
            Ok(0) => {}
            Ok(uploads) => tracing::info!(uploads, "gave up uploads that nobody finished"),
            Err(error) => tracing::warn!(%error, "old uploads could not be given up"),
        }
        if let Err(error) = domain::sessions::sweep(&context).await {
            tracing::warn!(%error, "old sessions could not be removed");
        }
    }
}

/// Asks again and again whether the accounts of people from elsewhere are still there.
async fn keep_accounts(context: Arc<Context>) {
    let mut rounds = tokio::time::interval(ACCOUNTS_ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        if let Err(error) = domain::sources::keep(&context).await {
            tracing::warn!(%error, "the accounts of users could not be asked about");
        }
    }
}

/// Writes and seals the audit log, every second. A failure is told when it begins and when
/// it ends, not every second.
async fn keep_audit(context: Arc<Context>) {
    let mut rounds = tokio::time::interval(AUDIT_ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut fails = false;
    loop {
        rounds.tick().await;
        match domain::audit::keep(&context).await {
            Ok(()) if fails => tracing::info!("the audit log is written and sealed again"),
            Ok(()) => {}
            Err(error) if !fails => {
                tracing::warn!(%error, "the audit log cannot be written and sealed");
                fails = true;
                continue;
            }
            Err(_) => continue,
        }
        fails = false;
    }
}

/// Writes every second what was pulled. A failure is told when it begins and when it ends.
async fn keep_pulls(context: Arc<Context>) {
    let mut rounds = tokio::time::interval(PULLS_ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut fails = false;
    loop {
        rounds.tick().await;
        let written = domain::artifacts::write_pulls(&context).await;
        match &written {
            Ok(()) if fails => tracing::info!("what is pulled is marked again"),
            Err(error) if !fails => tracing::warn!(%error, "what is pulled cannot be marked"),
            Ok(()) | Err(_) => {}
        }
        fails = written.is_err();
    }
}

/// Adds up what projects use, every second. A failure is told when it begins.
async fn keep_quotas(context: Arc<Context>) {
    let mut rounds = tokio::time::interval(QUOTAS_ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut fails = false;
    loop {
        rounds.tick().await;
        let done = domain::quotas::fold(&context).await;
        if let Err(error) = &done
            && !fails
        {
            tracing::warn!(%error, "what projects use cannot be added up");
        }
        fails = done.is_err();
    }
}

/// Serves the pages for Prometheus and for probes, if they are wanted.
fn serve_pages(
    pages: Pages,
    listeners: Listeners,
    config: &Config,
    stopping: watch::Receiver<bool>,
) -> Result<()> {
    let listeners = listeners.open()?;
    let shared = Shared {
        application: pages,
        limits: limits(config),
        trusted_proxies: Vec::new(),
        metrics: None,
        access: None,
        spans: None,
    };
    tokio::spawn(server::serve(
        listeners,
        None,
        Arc::new(shared),
        stopping,
        config.shutdown_timeout,
    ));
    Ok(())
}

fn limits(config: &Config) -> Limits {
    Limits {
        header_size: config.header_size,
        header_timeout: config.header_timeout,
        idle_timeout: config.idle_timeout,
        stall_timeout: config.stall_timeout,
        connections: config.connections,
        streams: config.http2_streams,
    }
}

/// Lets the process open as many files as the system allows it: every connection and
/// every blob that is read is one.
fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

/// The signals that say stop.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen_for() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(Error::internal)?,
            interrupt: signal(SignalKind::interrupt()).map_err(Error::internal)?,
        })
    }

    /// Waits for the next one.
    async fn come(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Tells a person on standard output where to go.
fn announce(
    config: &Config,
    addresses: &[SocketAddr],
    metrics: &[SocketAddr],
    https: bool,
    first_start: &FirstStart,
) {
    let scheme = if https { "https" } else { "http" };
    let mut text = format!("Haven {} serves on", env!("CARGO_PKG_VERSION"));
    for address in addresses {
        text += &format!(" {scheme}://{}", reachable(*address));
    }
    if let Some(url) = &config.external_url {
        text += &format!("\n  clients use   {}", url.as_str().trim_end_matches('/'));
    }
    text += "\n  admin user    admin";
    if let Some(password) = &first_start.admin_password {
        text += &format!("\n  password      {}  (made now, shown this once)", password.reveal());
    }
    for address in metrics {
        text += &format!("\n  metrics       http://{}/metrics", reachable(*address));
    }
    // Written in one piece, so that nobody who reads it gets a part.
    text.push('\n');
    print!("{text}");
}

/// An address that can be called: a server on every address answers on its own.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => ([127, 0, 0, 1], v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            (std::net::Ipv6Addr::LOCALHOST, v6.port()).into()
        }
        address => address,
    }
}

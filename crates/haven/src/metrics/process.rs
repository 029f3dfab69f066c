//! The process itself, read from `/proc` when somebody looks.

use std::fs;

use prometheus_client::registry::Registry;

use super::Read;

/// Shows memory, processor time and files under the names that Prometheus's own
/// clients use.
pub(super) fn register(registry: &mut Registry) {
    registry.register(
        "process_cpu_seconds",
        "Processor time used, in seconds",
        Read::counter(|| stat().map_or(0.0, |stat| stat.cpu_seconds)),
    );
    registry.register(
        "process_resident_memory_bytes",
        "Memory held, in bytes",
        Read::gauge(|| stat().map_or(0, |stat| stat.resident_bytes)),
    );
    registry.register(
        "process_virtual_memory_bytes",
        "Address space used, in bytes",
        Read::gauge(|| stat().map_or(0, |stat| stat.virtual_bytes)),
    );
    registry.register(
        "process_threads",
        "Threads",
        Read::gauge(|| stat().map_or(0, |stat| stat.threads)),
    );
    registry.register("process_open_fds", "Open files", Read::gauge(open_files));
    registry.register("process_max_fds", "Files that may be open", Read::gauge(open_files_limit));
    registry.register(
        "process_start_time_seconds",
        "When the process began, in seconds since the Unix epoch",
        Read::gauge(|| started_at().unwrap_or(0.0)),
    );
}

/// What `/proc/self/stat` says; its fields are in proc_pid_stat(5).
struct Stat {
    cpu_seconds: f64,
    threads: i64,
    started_after_boot: f64,
    virtual_bytes: i64,
    resident_bytes: i64,
}

fn stat() -> Option<Stat> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may hold anything.
    let (_, fields) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    // The first field after the name is number 3.
    let field = |number: usize| fields.get(number - 3)?.parse::<i64>().ok();
    let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
    Some(Stat {
        cpu_seconds: (field(14)? + field(15)?) as f64 / ticks_per_second,
        threads: field(20)?,
        started_after_boot: field(22)? as f64 / ticks_per_second,
        virtual_bytes: field(23)?,
        resident_bytes: field(24)?.saturating_mul(rustix::param::page_size() as i64),
    })
}

fn started_at() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let booted_at = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(booted_at.trim().parse::<f64>().ok()? + stat()?.started_after_boot)
}

fn open_files() -> i64 {
    // The folder that is being read is open, too.
    fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as i64 - 1)
}

fn open_files_limit() -> i64 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_process_is_seen_as_it_is() {
        let stat = stat().unwrap();
        assert!(stat.resident_bytes > 1024 * 1024);
        assert!(stat.virtual_bytes > stat.resident_bytes);
        assert!(stat.threads >= 1);
        assert!(open_files() >= 3);
        assert!(open_files_limit() >= open_files());
        let now = kit::Clock::System.now().seconds() as f64;
        let started_at = started_at().unwrap();
        assert!(started_at <= now + 2.0 && started_at > now - 3600.0);
    }
}

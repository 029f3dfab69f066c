//! The figures as a table for people and as JSON for programs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Outcome;
use crate::compare::Result as Measured;
use crate::kinds::Figure;
use crate::load::Run;
use crate::memory::Peak;
use crate::statistics::Spread;

const BEGIN: &str = "<!-- figures: begin -->";
const END: &str = "<!-- figures: end -->";

/// Everything one session found.
#[derive(Default)]
pub struct Report {
    /// Requests beside docker-registry.
    pub lines: Vec<Line>,
    /// What was left out and why.
    pub notes: Vec<String>,
    /// From start to ready, and the time allowed.
    pub ready: Option<(Duration, Duration)>,
    facts: Facts,
    huge: Vec<Comparison>,
    memory: Vec<MemoryLine>,
    api: Vec<ApiLine>,
}

/// Where and when a session ran.
#[derive(Default)]
pub struct Facts {
    lines: Vec<(&'static str, String)>,
}

impl Facts {
    /// Asks the machine; what it does not tell is left out.
    pub fn gather(folder: &Path) -> Facts {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let model = first_field("/proc/cpuinfo", "model name").unwrap_or_default();
        let memory = first_field("/proc/meminfo", "MemTotal").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let folder = folder.to_string_lossy();
        let facts = [
            ("date", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
            ("commit", output("git", &["rev-parse", "--short", "HEAD"])),
            ("processor", format!("{model}, {cores} cores")),
            ("memory", memory),
            ("kernel", kernel.trim().to_owned()),
            ("file system", output("stat", &["-f", "-c", "%T", &folder])),
        ];
        Facts { lines: facts.into_iter().filter(|(_, value)| !value.is_empty()).collect() }
    }
}

fn first_field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

/// One kind of request on Haven and on docker-registry.
pub struct Line {
    /// The kind and its limits.
    pub figure: Figure,
    /// Haven's runs.
    pub haven: Measured,
    /// docker-registry's runs.
    pub peer: Measured,
    /// Runs of the bare receiver, for pushes.
    pub floor: Option<Measured>,
}

impl Line {
    fn share(&self) -> Spread {
        self.haven.share_of(&self.peer)
    }

    fn within_limit(&self) -> bool {
        self.share().median <= self.figure.limit
            && self.figure.median.is_none_or(|most| self.haven.p50 <= most)
    }

    fn within_aim(&self) -> bool {
        self.haven.cpu_per_request() <= self.figure.aim
    }

    /// The line in short, for whoever watches.
    pub fn brief(&self) -> String {
        let share = self.share();
        format!(
            "docker-registry {:.0} µs, Haven {:.1} µs, ratio {:.4} ({:.4} to {:.4}), at most {}: {}",
            self.peer.cpu_per_request(),
            self.haven.cpu_per_request(),
            share.median,
            share.least,
            share.most,
            self.figure.limit,
            if self.within_limit() { "reached" } else { "not reached" },
        )
    }

    fn row(&self) -> String {
        let share = self.share();
        format!(
            "| {} | {} | {} | {} | {:.3} ({:.3}–{:.3}) | {} | {} | {} | {} | {} / {} | {} / {} | {:.0} | {:.0} |\n",
            self.figure.title,
            microseconds(self.peer.cpu_per_request()),
            microseconds(self.haven.cpu_per_request()),
            self.floor
                .as_ref()
                .map_or(String::new(), |floor| microseconds(floor.cpu_per_request())),
            share.median,
            share.least,
            share.most,
            marked(self.figure.limit, self.within_limit()),
            self.figure.zot,
            microseconds(self.figure.aim),
            mark(self.within_aim()),
            milliseconds(self.peer.p50),
            milliseconds(self.peer.p99),
            milliseconds(self.haven.p50),
            milliseconds(self.haven.p99),
            self.peer.rate,
            self.haven.rate,
        )
    }

    fn json(&self) -> Value {
        let share = self.share();
        json!({
            "name": self.figure.name,
            "limit": self.figure.limit,
            "aim_us": self.figure.aim,
            "ratio": { "median": share.median, "least": share.least, "most": share.most },
            "within_limit": self.within_limit(),
            "within_aim": self.within_aim(),
            "haven": measured_json(&self.haven),
            "docker_registry": measured_json(&self.peer),
            "bare_receiver": self.floor.as_ref().map(measured_json),
        })
    }
}

fn measured_json(measured: &Measured) -> Value {
    json!({
        "server": measured.server,
        "cpu_us": measured.cpu,
        "p50_us": measured.p50,
        "p99_us": measured.p99,
        "requests_per_second": measured.rate,
    })
}

/// CPU per GiB of Haven beside something that does nothing else.
pub struct Comparison {
    title: &'static str,
    peer_name: &'static str,
    /// CPU seconds per GiB.
    haven: f64,
    peer: f64,
    share: Spread,
    mark: Mark,
}

/// What a transfer's CPU is held to, as a multiple of the peer's.
#[derive(Debug, Clone, Copy)]
pub enum Mark {
    /// Decides whether the session succeeds.
    Limit(f64),
    /// For orientation.
    Aim(f64),
}

impl Comparison {
    /// `size` is that of one request, in GiB.
    pub fn new(
        title: &'static str,
        haven: &Measured,
        peer: &Measured,
        size: f64,
        mark: Mark,
    ) -> Comparison {
        let per_gib = |measured: &Measured| measured.cpu_per_request() / 1e6 / size;
        Comparison {
            title,
            peer_name: peer.server,
            haven: per_gib(haven),
            peer: per_gib(peer),
            share: haven.share_of(peer),
            mark,
        }
    }

    fn reached(&self) -> bool {
        match self.mark {
            Mark::Limit(limit) => self.share.median <= limit,
            Mark::Aim(_) => true,
        }
    }

    fn row(&self) -> String {
        let held_to = match self.mark {
            Mark::Limit(limit) => format!("at most {}", marked(limit, self.share.median <= limit)),
            Mark::Aim(aim) => format!("aim {}", marked(aim, self.share.median <= aim)),
        };
        format!(
            "| {} | {} | {:.3} | {:.3} | {:.2} ({:.2}–{:.2}) | {held_to} |\n",
            self.title,
            self.peer_name,
            self.peer,
            self.haven,
            self.share.median,
            self.share.least,
            self.share.most,
        )
    }

    fn json(&self) -> Value {
        let (Mark::Limit(multiple) | Mark::Aim(multiple)) = self.mark;
        json!({
            "title": self.title,
            "beside": self.peer_name,
            "held_to": multiple,
            "binding": matches!(self.mark, Mark::Limit(_)),
            "peer_cpu_s_per_gib": self.peer,
            "haven_cpu_s_per_gib": self.haven,
            "ratio": { "median": self.share.median, "least": self.share.least, "most": self.share.most },
        })
    }
}

/// Resident memory in one situation.
pub struct MemoryLine {
    title: String,
    bytes: u64,
    limit: u64,
    detail: String,
}

impl MemoryLine {
    /// Memory of a server with nothing to do.
    pub fn idle(place: &str, bytes: u64, limit: u64) -> MemoryLine {
        MemoryLine { title: format!("idle, {place}"), bytes, limit, detail: String::new() }
    }

    /// The highest memory while something was done.
    pub fn meanwhile(what: String, place: &str, bytes: u64, limit: u64) -> MemoryLine {
        MemoryLine { title: format!("{what}, {place}"), bytes, limit, detail: String::new() }
    }

    /// The highest memory under many transfers.
    pub fn busy(place: &str, what: &str, peak: Peak, limit: u64) -> MemoryLine {
        MemoryLine {
            title: format!("{} {what} of 100 MB at once, {place}", peak.at_once),
            bytes: peak.bytes,
            limit,
            detail: format!("{:.1} GB moved, {} finished", peak.moved as f64 / 1e9, peak.finished),
        }
    }

    fn reached(&self) -> bool {
        self.bytes <= self.limit
    }

    fn row(&self) -> String {
        format!(
            "| {} | {:.0} | {} | {} |\n",
            self.title,
            self.bytes as f64 / 1e6,
            marked(self.limit as f64 / 1e6, self.reached()),
            self.detail,
        )
    }
}

/// One request of the API or of `/service/token` on one database.
pub struct ApiLine {
    title: String,
    database: &'static str,
    /// The server's CPU per request, and two latencies, in microseconds.
    cpu: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    rate: f64,
    limit: ApiLimit,
}

/// What a request is held to, in microseconds.
#[derive(Debug, Clone, Copy)]
enum ApiLimit {
    Cpu(f64),
    P95(f64),
    P99(f64),
}

impl ApiLine {
    /// A request that is held to its CPU.
    pub fn cpu(title: String, database: &'static str, run: &Run, limit: f64) -> ApiLine {
        Self::new(title, database, run, ApiLimit::Cpu(limit))
    }

    /// A request that is held to its 95th percentile.
    pub fn p95(title: String, database: &'static str, run: &Run, limit: f64) -> ApiLine {
        Self::new(title, database, run, ApiLimit::P95(limit))
    }

    /// A request that is held to its 99th percentile.
    pub fn p99(title: String, database: &'static str, run: &Run, limit: f64) -> ApiLine {
        Self::new(title, database, run, ApiLimit::P99(limit))
    }

    fn new(title: String, database: &'static str, run: &Run, limit: ApiLimit) -> ApiLine {
        ApiLine {
            title,
            database,
            cpu: run.cpu_per_request(),
            p50: run.latency(0.5),
            p95: run.latency(0.95),
            p99: run.latency(0.99),
            rate: run.rate(),
            limit,
        }
    }

    fn reached(&self) -> bool {
        match self.limit {
            ApiLimit::Cpu(limit) => self.cpu <= limit,
            ApiLimit::P95(limit) => self.p95 <= limit,
            ApiLimit::P99(limit) => self.p99 <= limit,
        }
    }

    fn row(&self) -> String {
        let held_to = match self.limit {
            ApiLimit::Cpu(limit) => format!("CPU {}", microseconds(limit)),
            ApiLimit::P95(limit) => {
                format!("p95 {}, was {}", milliseconds(limit), milliseconds(self.p95))
            }
            ApiLimit::P99(limit) => format!("p99 {}", milliseconds(limit)),
        };
        format!(
            "| {} | {} | {} | {} / {} | {:.0} | {held_to} {} |\n",
            self.title,
            self.database,
            microseconds(self.cpu),
            milliseconds(self.p50),
            milliseconds(self.p99),
            self.rate,
            mark(self.reached()),
        )
    }

    fn json(&self) -> Value {
        let (held_to, limit) = match self.limit {
            ApiLimit::Cpu(limit) => ("cpu", limit),
            ApiLimit::P95(limit) => ("p95", limit),
            ApiLimit::P99(limit) => ("p99", limit),
        };
        json!({
            "title": self.title,
            "database": self.database,
            "cpu_us": self.cpu,
            "p50_us": self.p50,
            "p95_us": self.p95,
            "p99_us": self.p99,
            "requests_per_second": self.rate,
            "held_to": held_to,
            "limit_us": limit,
            "reached": self.reached(),
        })
    }
}

impl Report {
    /// A report that holds no figures yet.
    pub fn new(facts: Facts) -> Report {
        Report { facts, ..Report::default() }
    }

    /// Adds a comparison of big transfers and tells whoever watches.
    pub fn add_huge(&mut self, comparison: Comparison) {
        eprint!("  {}", comparison.row());
        self.huge.push(comparison);
    }

    /// Adds a memory figure and tells whoever watches.
    pub fn add_memory(&mut self, line: MemoryLine) {
        eprint!("  {}", line.row());
        self.memory.push(line);
    }

    /// Adds a figure of the API and tells whoever watches.
    pub fn add_api(&mut self, line: ApiLine) {
        eprint!("  {}", line.row());
        self.api.push(line);
    }

    /// Whether every limit is kept. The aims in microseconds depend on the machine and do not count.
    pub fn reached(&self) -> bool {
        self.lines.iter().all(Line::within_limit)
            && self.huge.iter().all(Comparison::reached)
            && self.memory.iter().all(MemoryLine::reached)
            && self.api.iter().all(ApiLine::reached)
            && self.ready.is_none_or(|(time, limit)| time <= limit)
    }

    /// Prints the table and writes it where it is wanted.
    pub fn publish(&self, json: Option<&Path>, readme: Option<&Path>) -> Outcome<()> {
        let table = self.markdown();
        println!("{table}");
        if let Some(file) = json {
            fs::write(file, format!("{:#}\n", self.json()))
                .map_err(|error| format!("{}: {error}", file.display()))?;
        }
        if let Some(file) = readme {
            let explain = |error| format!("{}: {error}", file.display());
            let text = fs::read_to_string(file).map_err(explain)?;
            let replaced = replace_between_markers(&text, &table)
                .ok_or_else(|| format!("{} has no {BEGIN} and {END}", file.display()))?;
            fs::write(file, replaced).map_err(explain)?;
        }
        Ok(())
    }

    fn markdown(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.facts.lines {
            let _ = writeln!(text, "- {name}: {value}");
        }
        if !self.lines.is_empty() {
            text.push_str(
                "\nDR is docker-registry. CPU is the server's, per request, user and system; latencies are p50 / p99.\n\n\
                 | request | DR, CPU | Haven, CPU | bare receiver, CPU | Haven / DR (lowest–highest) | at most | zot / DR | aim | aim kept | DR, latency | Haven, latency | DR, requests/s | Haven, requests/s |\n\
                 |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
            );
            self.lines.iter().for_each(|line| text.push_str(&line.row()));
        }
        if !self.huge.is_empty() {
            text.push_str(
                "\n| transfer | beside | its CPU, s/GiB | Haven, CPU, s/GiB | ratio (lowest–highest) | held to |\n|---|---|---|---|---|---|\n",
            );
            self.huge.iter().for_each(|line| text.push_str(&line.row()));
        }
        if !self.memory.is_empty() {
            text.push_str("\n| resident memory | MB | at most | |\n|---|---|---|---|\n");
            self.memory.iter().for_each(|line| text.push_str(&line.row()));
        }
        if !self.api.is_empty() {
            text.push_str(
                "\n| request | database | CPU | p50 / p99 | requests/s | at most |\n|---|---|---|---|---|---|\n",
            );
            self.api.iter().for_each(|line| text.push_str(&line.row()));
        }
        if let Some((time, limit)) = self.ready {
            let _ = writeln!(
                text,
                "\nFrom start to the first answer on an existing data folder: {:.0} ms (at most {} ms {}).",
                time.as_secs_f64() * 1e3,
                limit.as_millis(),
                mark(time <= limit),
            );
        }
        for note in &self.notes {
            let _ = writeln!(text, "\n{note}");
        }
        text
    }

    fn json(&self) -> Value {
        json!({
            "facts": self.facts.lines.iter().map(|(name, value)| ((*name).to_owned(), json!(value)))
                .collect::<serde_json::Map<_, _>>(),
            "requests": self.lines.iter().map(Line::json).collect::<Vec<_>>(),
            "transfers": self.huge.iter().map(Comparison::json).collect::<Vec<_>>(),
            "memory": self.memory.iter().map(|line| json!({
                "title": line.title, "bytes": line.bytes, "limit": line.limit, "detail": line.detail,
            })).collect::<Vec<_>>(),
            "api": self.api.iter().map(ApiLine::json).collect::<Vec<_>>(),
            "ready_ms": self.ready.map(|(time, _)| time.as_secs_f64() * 1e3),
            "notes": self.notes,
        })
    }
}

fn replace_between_markers(text: &str, table: &str) -> Option<String> {
    let begin = text.find(BEGIN)? + BEGIN.len();
    let end = begin + text[begin..].find(END)?;
    Some(format!("{}\n{}\n{}", &text[..begin], table.trim_end(), &text[end..]))
}

fn marked(limit: f64, reached: bool) -> String {
    format!("{limit} {}", mark(reached))
}

fn mark(reached: bool) -> &'static str {
    if reached { "✓" } else { "✗" }
}

fn microseconds(value: f64) -> String {
    if value < 100.0 { format!("{value:.1} µs") } else { format!("{value:.0} µs") }
}

fn milliseconds(microseconds: f64) -> String {
    format!("{:.2} ms", microseconds / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_replaces_only_what_lies_between_its_markers() {
        let text = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let expected = format!("before\n{BEGIN}\nnew\n{END}\nafter\n");
        assert_eq!(replace_between_markers(&text, "new\n"), Some(expected));
        assert_eq!(replace_between_markers("no markers", "new"), None);
    }
}

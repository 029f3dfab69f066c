//! Where a server's time goes under one kind of request.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::kinds::Figure;
use crate::load::{Bound, drive};
use crate::process::{Running, raise_open_files};
use crate::registry::Material;
use crate::servers::{self, Store};
use crate::session::Scratch;
use crate::warm;

/// Pages made ready for a server that is pushed to, in bytes.
const WARMED: u64 = 3 * 1024 * 1024 * 1024;

/// What to load, for how long, and what to look with.
pub struct Settings {
    /// The kind of request.
    pub figure: Figure,
    /// Length of the load, in seconds.
    pub seconds: u64,
    /// The tool that looks.
    pub tool: Tool,
    /// The haven to look at.
    pub binary: PathBuf,
    /// Where it keeps its data; the profile is left here too.
    pub folder: PathBuf,
}

/// A tool to look with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Samples of the running functions with their callers, in `perf.data`.
    Perf,
    /// Exact instruction counts per function, slow.
    Callgrind,
    /// System calls and their counts.
    Strace,
    /// Only the CPU per request.
    None,
}

impl Tool {
    /// The tool of that name.
    pub fn parse(name: &str) -> Outcome<Tool> {
        match name {
            "perf" => Ok(Tool::Perf),
            "callgrind" => Ok(Tool::Callgrind),
            "strace" => Ok(Tool::Strace),
            "none" => Ok(Tool::None),
            _ => Err(format!("{name} is no tool: perf, callgrind, strace, none")),
        }
    }
}

/// Loads Haven with one kind of request while the tool looks, and prints what it saw.
pub fn run(settings: &Settings) -> Outcome<bool> {
    raise_open_files()?;
    let scratch = Scratch::new(&settings.folder)?;
    let folder = settings.folder.canonicalize().map_err(|error| format!("the folder: {error}"))?;
    let result =
        folder.join(format!("{}.{:?}", settings.figure.name, settings.tool).to_lowercase());
    let under = match settings.tool {
        Tool::Callgrind => {
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=no"]
                .map(str::to_owned)
                .into_iter()
                .chain([format!("--callgrind-out-file={}", result.display())])
                .collect()
        }
        _ => Vec::new(),
    };
    let server = servers::haven(&settings.binary, &scratch.join("haven"), &Store::Files, &under)?;
    let fixtures = Material::new().push_to(&server.registry()?)?;
    let registry = server.registry()?;
    let work = || settings.figure.kind.work(&registry, &fixtures);
    let load = |seconds| {
        let bound = Bound { time: Duration::from_secs(seconds), least: 1, most: u64::MAX };
        drive(server.address, server.pid(), 8, bound, &work)
    };
    load(1)?;
    if settings.figure.kind.pushed(&fixtures).is_some() {
        warm::pages(&scratch.join(""), WARMED)?;
    }

    let pid = server.pid().to_string();
    let looking = match settings.tool {
        Tool::Perf => Some((
            "perf",
            vec![
                "record",
                "-F",
                "1999",
                "-e",
                "cpu-clock",
                "--call-graph",
                "dwarf,16384",
                "-p",
                &pid,
            ],
        )),
        Tool::Strace => Some(("strace", vec!["-f", "-c", "-p", &pid])),
        Tool::Callgrind => {
            tell_callgrind("--instr=on", &pid)?;
            None
        }
        Tool::None => None,
    };
    let log = folder.join("tool.log");
    let watcher = looking
        .map(|(tool, arguments)| {
            let mut command = Command::new(tool);
            command.args(arguments).arg("-o").arg(&result);
            Running::start(tool, &mut command, &log)
        })
        .transpose()?;
    let run = load(settings.seconds)?;
    if let Some(mut watcher) = watcher {
        watcher.stop();
    }
    if settings.tool == Tool::Callgrind {
        tell_callgrind("--instr=off", &pid)?;
        tell_callgrind("--dump", &pid)?;
    }
    server.stop();
    println!(
        "{}: {} requests, {:.1} µs of CPU each",
        settings.figure.title,
        run.requests,
        run.cpu_per_request()
    );
    match settings.tool {
        Tool::Perf => print_of(
            "perf",
            &["report", "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.4", "-i"],
            &result,
        )?,
        Tool::Callgrind => println!(
            "requests under callgrind: {}; callgrind_annotate {}*",
            run.requests,
            result.display()
        ),
        Tool::Strace => println!("{}", fs::read_to_string(&result).unwrap_or_default()),
        Tool::None => {}
    }
    Ok(true)
}

fn tell_callgrind(order: &str, pid: &str) -> Outcome<()> {
    let status = Command::new("callgrind_control")
        .args([order, pid])
        .status()
        .map_err(|error| format!("callgrind_control: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("callgrind_control {order}: {status}")) }
}

fn print_of(program: &str, arguments: &[&str], file: &std::path::Path) -> Outcome<()> {
    let output = Command::new(program)
        .args(arguments)
        .arg(file)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    println!("{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

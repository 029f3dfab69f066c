//! The configuration reference in `docs/` tells what `haven config keys` tells: no key is
//! missing there, none is left over, and no default is stale.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, process::Command};

/// The table stands between these lines.
const BEGIN: &str = "<!-- keys: begin -->";
const END: &str = "<!-- keys: end -->";

/// What the binary says of a key.
struct Key {
    /// Its names and its default: the first cells of its row, the same in every language.
    names: String,
    /// What it is for and what is allowed.
    about: String,
}

/// What the binary says of every key, in its order.
fn keys() -> Vec<Key> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_haven")).args(["config", "keys"]).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().split("\n\n").map(key).collect()
}

/// Reads a block such as this one; a secret has no flag, and may come from a file:
///
/// ```text
/// log.level
///     How much is logged: error, warn, info, debug or trace.
///     default: info
///     variable: HAVEN_LOG_LEVEL
///     flag: --log-level
/// ```
fn key(block: &str) -> Key {
    let mut lines = block.lines().map(str::trim);
    let path = lines.next().unwrap();
    let about = lines.next().unwrap().to_owned();
    let (mut default, mut variable, mut flag) = (None, None, None);
    for line in lines {
        match line.split_once(": ").unwrap() {
            ("default", "none") => {}
            ("default", value) => default = Some(value),
            ("variable", name) => variable = Some(name),
            ("flag", name) => flag = Some(name),
            (other, _) => panic!("{path} has a line about its {other}"),
        }
    }
    let variable = variable.unwrap().replace(", or ", "`, `");
    let variable = variable.trim_end_matches(" for a file that holds it");
    let code = |cell: Option<&str>| cell.map_or("–".to_owned(), |text| format!("`{text}`"));
    let names = format!("| `{path}` | `{variable}` | {} | {} | ", code(flag), code(default));
    Key { names, about }
}

/// The rows of the table in a page of `docs/`.
fn rows(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(BEGIN).unwrap();
    let (table, _) = rest.split_once(END).unwrap();
    // Below the heading and the line under it.
    table.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect()
}

#[test]
fn the_english_page_says_what_the_binary_says() {
    let expected: Vec<String> =
        keys().iter().map(|key| format!("{}{} |", key.names, key.about)).collect();
    let found = rows("en/configuration.md");
    assert!(found == expected, "the rows have to be:\n{}", expected.join("\n"));
}

#[test]
fn the_chinese_page_names_the_same_keys() {
    let keys = keys();
    let found = rows("zh-CN/configuration.md");
    for (row, key) in found.iter().zip(&keys) {
        assert!(row.starts_with(&key.names), "{row}\nhas to begin with\n{}", key.names);
    }
    assert_eq!(found.len(), keys.len(), "every key has its row");
}

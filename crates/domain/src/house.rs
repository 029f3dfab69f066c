//! The rules of the house, held by reading its sources: who may call whom, and that
//! every statement is one that both databases understand.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::testing::both;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The rooms in the order in which `lib.rs` lists them.
fn rooms() -> Vec<String> {
    let lib = fs::read_to_string(sources().join("lib.rs")).unwrap();
    let (_, listed) = lib.split_once("pub mod rights;").unwrap();
    let listed = listed.split("#[cfg(test)]").next().unwrap();
    let named = |line: &str| {
        let name = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?;
        Some(name.strip_suffix(';')?.to_owned())
    };
    std::iter::once("rights".to_owned()).chain(listed.lines().filter_map(named)).collect()
}

#[test]
fn a_room_calls_only_rooms_above_it() {
    let rooms = rooms();
    assert!(rooms.len() > 8, "{rooms:?}");
    let mut wrong = Vec::new();
    for (position, room) in rooms.iter().enumerate() {
        for file in files_below(&sources().join(room)) {
            if file.to_string_lossy().ends_with("tests.rs") {
                continue;
            }
            let text: String =
                fs::read_to_string(&file).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
            for below in &rooms[position + 1..] {
                let path = format!("crate::{below}");
                let in_braces = text
                    .split_once("use crate::{")
                    .and_then(|(_, rest)| rest.split_once("};"))
                    .is_some_and(|(used, _)| {
                        used.split([',', '{', ' '])
                            .any(|word| word == below || word.starts_with(&format!("{below}::")))
                    });
                if text.contains(&format!("{path}::"))
                    || text.contains(&format!("{path};"))
                    || in_braces
                {
                    wrong.push(format!("{} calls {below}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The statements of a file by name: its constants of text.
fn statements(file: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(file).unwrap();
    let mut found = BTreeMap::new();
    for constant in text.split("const ").skip(1) {
        let Some((name, rest)) = constant.split_once(": &str =") else { continue };
        let text = text_of(rest);
        if !text.is_empty() {
            found.insert(name.to_owned(), text);
        }
    }
    found
}

/// The text that a constant is: one text, or several put together, some of them the condition
/// that all rooms share.
fn text_of(mut rest: &str) -> String {
    let (mut text, mut user) = (String::new(), None);
    while let Some(at) = rest.find(['"', ';']).filter(|at| rest[*at..].starts_with('"')) {
        let (before, literal) = (&rest[..at], &rest[at + 1..]);
        let end = literal
            .char_indices()
            .find(|(at, c)| *c == '"' && !literal[..*at].ends_with('\\'))
            .map(|(at, _)| at)
            .unwrap();
        let read = literal[..end].replace("\\\"", "\"").replace("\\\n", "");
        match user.take() {
            None if before.contains("seen!(") => user = Some(read),
            None => text.push_str(&read),
            Some(user) => {
                let seen = crate::projects::seen!("{user}", "{robot}");
                text.push_str(&seen.replace("{user}", &user).replace("{robot}", &read));
            }
        }
        rest = &literal[end + 1..];
    }
    text
}

/// Fragments around a list become a statement with one value in it, and the beginning of
/// an insertion one with one row.
fn whole(statements: &BTreeMap<String, String>) -> Vec<String> {
    let mut whole = Vec::new();
    for (name, text) in statements {
        if let Some(stem) = name.strip_suffix("_BEFORE") {
            let after = &statements[&format!("{stem}_AFTER")];
            let highest = (1..20).rev().find(|n| {
                let placeholder = format!("${n}");
                text.contains(&placeholder) || after.contains(&placeholder)
            });
            whole.push(format!("{text}${}{after}", highest.unwrap_or(0) + 1));
        } else if name.ends_with("_ROWS") {
            let columns = text.split_once('(').unwrap().1.split_once(')').unwrap().0;
            let row: Vec<String> =
                columns.split(',').enumerate().map(|(n, _)| format!("${}", n + 1)).collect();
            whole.push(format!("{text}({})", row.join(", ")));
        } else if text.trim_start().starts_with("FROM ") {
            whole.push(format!("SELECT 1 {text}"));
        } else if name.ends_with("_SHOWN") {
            whole.push(format!("{text}1)"));
        } else if !name.ends_with("_AFTER") && !name.ends_with("_COLUMNS") {
            whole.push(text.clone());
        }
    }
    whole
}

#[tokio::test]
async fn both_databases_understand_every_statement() {
    let files: Vec<PathBuf> = files_below(&sources())
        .into_iter()
        .filter(|path| path.file_name().unwrap().to_str().unwrap().ends_with("sql.rs"))
        .collect();
    let statements: Vec<String> = files.iter().flat_map(|file| whole(&statements(file))).collect();
    assert!(files.len() >= 7 && statements.len() > 60, "{} of {files:?}", statements.len());
    for place in both().await {
        let db = place.db().await;
        for statement in &statements {
            if let Err(error) = db.check(statement).await {
                panic!("{:?}: {error}: {:?}\n{statement}", db.engine(), error.source);
            }
        }
    }
}

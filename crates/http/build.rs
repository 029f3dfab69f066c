//! Lists what the portal's build left in `web/dist/site`, if it was built, for `site.rs` to embed.
//!
//! The portal is built by npm, and whoever works on the server need not have it: without a
//! built portal there is nothing to embed, and a page says how to build it.

use std::{
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hasher as _},
    io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = here.join("../../web/dist");
    // The folder is always there, what is in it only once it was built.
    println!("cargo::rerun-if-changed={}", here.join("build.rs").display());
    println!("cargo::rerun-if-changed={}", dist.display());
    let dist = dist.join("site");
    let mut names = Vec::new();
    if dist.join("index.html").is_file() {
        gather(&dist, &dist, &mut names)?;
    }
    names.sort();
    let mut table = String::from("&[\n");
    for name in names.iter().filter(|name| !is_packed(name)) {
        let plain = include(&dist, name);
        let packed = |suffix: &str| {
            let packed = format!("{name}.{suffix}");
            match names.contains(&packed) {
                true => format!("Some({})", include(&dist, &packed)),
                false => "None".to_owned(),
            }
        };
        let (brotli, gzip) = (packed("br"), packed("gz"));
        let tag = tag(&fs::read(dist.join(name))?);
        writeln!(
            table,
            "    File {{ path: {name:?}, tag: {tag:?}, plain: {plain}, brotli: {brotli}, gzip: {gzip} }},"
        )
        .map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("portal_files.rs"), table)
}

/// The path of every file below a folder, as an address has it.
fn gather(root: &Path, folder: &Path, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(root, &path, names)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            names.push(name.replace('\\', "/"));
        }
    }
    Ok(())
}

/// Stands for a content: another content has another.
fn tag(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    format!("{:016x}", hasher.finish())
}

fn is_packed(name: &str) -> bool {
    name.ends_with(".br") || name.ends_with(".gz")
}

fn include(dist: &Path, name: &str) -> String {
    format!("include_bytes!({:?})", dist.join(name))
}

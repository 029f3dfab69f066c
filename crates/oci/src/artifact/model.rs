//! What is in a model (CNCF's model specification): its documents and its files.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Descriptor, Manifest};

/// Where in the model the content of a layer lies.
const PATH: &str = "org.cncf.model.filepath";

/// A document as a tar, and as it is.
const DOCUMENT: &str = "application/vnd.cncf.model.doc.v1.tar";
const RAW_DOCUMENT: &str = "application/vnd.cncf.model.doc.v1.raw";

/// How deep folders are shown.
const DEEPEST: usize = 32;

/// The layer with a document of a model, such as `README.md`, under one of some names; and
/// whether it is a tar.
pub fn document<'m>(manifest: &'m Manifest, names: &[&str]) -> Option<(&'m Descriptor, bool)> {
    let named = |layer: &&Descriptor| {
        [DOCUMENT, RAW_DOCUMENT].contains(&layer.media_type.as_str())
            && layer.annotations.get(PATH).is_some_and(|path| names.contains(&path.as_str()))
    };
    let layer = manifest.layers.iter().find(named)?;
    Some((layer, layer.media_type == DOCUMENT))
}

/// A file or folder of a model.
#[derive(Debug, Serialize)]
struct Node {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "is_zero")]
    size: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Node>,
}

fn is_zero(size: &u64) -> bool {
    *size == 0
}

/// A folder on its way; a file is one without anything in it.
#[derive(Default)]
struct Folder {
    is_folder: bool,
    size: u64,
    children: BTreeMap<String, Folder>,
}

/// The files of a model as its layers name them, as a JSON list: folders first, by name.
pub fn files(manifest: &Manifest) -> String {
    let mut root = Folder::default();
    for layer in &manifest.layers {
        if let Some(path) = layer.annotations.get(PATH) {
            root.add(path, layer.size);
        }
    }
    serde_json::to_string(&root.into_nodes()).unwrap_or_else(|_| "[]".to_owned())
}

impl Folder {
    fn add(&mut self, path: &str, size: u64) {
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => _ = parts.pop(),
                part => parts.push(part),
            }
        }
        if parts.is_empty() || parts.len() > DEEPEST {
            return;
        }
        let mut node = self;
        for part in &parts {
            node.is_folder = true;
            node = node.children.entry((*part).to_owned()).or_default();
        }
        node.is_folder |= path.ends_with('/');
        node.size = size;
    }

    fn into_nodes(self) -> Vec<Node> {
        let mut nodes: Vec<Node> = self
            .children
            .into_iter()
            .map(|(name, node)| Node {
                name,
                kind: if node.is_folder { "directory" } else { "file" },
                size: if node.is_folder { 0 } else { node.size },
                children: node.into_nodes(),
            })
            .collect();
        nodes.sort_by_key(|node| node.kind != "directory");
        nodes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;
    use crate::media_type;

    fn model(paths: &[(&str, &str)]) -> Manifest {
        let digest = format!("sha256:{}", "0".repeat(64));
        let layers: Vec<Value> = paths
            .iter()
            .map(|(media_type, path)| {
                json!({"mediaType": media_type, "digest": digest, "size": 7,
                    "annotations": {PATH: path}})
            })
            .collect();
        let text = json!({"schemaVersion": 2, "layers": layers,
            "config": {"mediaType": "a/b", "digest": digest, "size": 1}});
        Manifest::parse(text.to_string().as_bytes(), Some(media_type::OCI_MANIFEST)).unwrap()
    }

    #[test]
    fn documents_are_found_by_name() {
        let model = model(&[("a/b", "README.md"), (RAW_DOCUMENT, "LICENSE"), (DOCUMENT, "README")]);
        let (readme, is_tar) = document(&model, &["README", "README.md"]).unwrap();
        assert_eq!((readme.media_type.as_str(), is_tar), (DOCUMENT, true));
        assert!(!document(&model, &["LICENSE", "LICENSE.txt"]).unwrap().1);
        assert!(document(&model, &["none"]).is_none());
    }

    #[test]
    fn files_make_a_tree() {
        let deep = "x/".repeat(DEEPEST + 1);
        let paths = ["b.bin", "a/../a/./c", "a/b/d", "empty/", "/", &deep, "b.bin/under"];
        let paths: Vec<(&str, &str)> = paths.iter().map(|path| ("a/b", *path)).collect();
        let found: Value = serde_json::from_str(&files(&model(&paths[..5]))).unwrap();
        let file = |name: &str| json!({"name": name, "type": "file", "size": 7});
        let expected = json!([
            {"name": "a", "type": "directory", "children": [
                {"name": "b", "type": "directory", "children": [file("d")]}, file("c")]},
            {"name": "empty", "type": "directory"},
            file("b.bin"),
        ]);
        assert_eq!(found, expected);
        // What is a file for one layer and a folder for another is a folder.
        let odd: Value = serde_json::from_str(&files(&model(&paths))).unwrap();
        assert!(odd.as_array().unwrap().iter().all(|node| node["type"] == "directory"));
    }
}

//! The OpenAPI document.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::server::sqlite;

#[tokio::test]
async fn the_document_is_where_clients_look_for_it() {
    let server = sqlite().await;
    let document = server.get("", "/api/v2.0/openapi.json").await;
    assert_eq!(document.status, 200);
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.json()["paths"]["/api/v2.0/users"]["get"]["operationId"], "listUsers");
    for other in ["/swagger.json", "/api/v2.0/swagger.json"] {
        assert_eq!(server.get("", other).await.body, document.body);
    }
}

/// The document from which the portal's client is made. It is kept beside the portal, whose
/// build comes before that of the binary; `make openapi` writes it anew.
#[tokio::test]
async fn the_portals_document_is_this_one() {
    let mut document = sqlite().await.get("", "/api/v2.0/openapi.json").await.json();
    document["info"]["version"] = "0".into();
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/openapi.json");
    if std::env::var_os("HAVEN_WRITE_OPENAPI").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(kept == text, "web/openapi.json is not the document of today: make openapi");
}

/// What Harbor's API has, from its own description of it: tag, method, path, id,
/// parameters, body, success and refusals of each operation.
const OPERATIONS: &str = include_str!("../reference/operations.tsv");

/// The fields of Harbor's models: model, field, type.
const MODELS: &str = include_str!("../reference/models.tsv");

/// What of it is not there yet. This list only shrinks: what is there must leave it.
const MISSING: &str = include_str!("../reference/missing.txt");

#[tokio::test]
async fn the_document_has_what_harbors_has_but_for_a_list_that_shrinks() {
    let document = sqlite().await.get("", "/api/v2.0/openapi.json").await.json();
    let reference = Reference { document: &document };
    let found: BTreeSet<String> =
        reference.missing_operations().chain(reference.missing_fields()).collect();
    let listed: BTreeSet<String> = MISSING.lines().map(str::to_owned).collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let there: Vec<_> = listed.difference(&found).collect();
    println!("{} of Harbor's facts are not there yet", found.len());
    assert!(new.is_empty(), "lacks what is not listed in missing.txt: {new:#?}");
    assert!(there.is_empty(), "is there, and still listed in missing.txt: {there:#?}");
}

struct Reference<'d> {
    document: &'d Value,
}

impl Reference<'_> {
    fn missing_operations(&self) -> impl Iterator<Item = String> {
        OPERATIONS.lines().skip(1).flat_map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [tag, method, path, id, parameters, body, success, refusals] = columns[..] else {
                panic!("eight columns: {line}");
            };
            let path = format!("/api/v2.0{path}");
            let operation = &self.document["paths"][&path][method.to_lowercase()];
            if operation["operationId"] != id || operation["tags"][0] != tag {
                return vec![format!("{tag} {id}")];
            }
            let wanted = parameters.split("; ").filter_map(|text| {
                // A default may hold semicolons of its own: what follows is no parameter.
                let mut parts = text.split(':');
                let (name, place, kind) = (parts.next()?, parts.next()?, parts.next()?);
                let there = operation["parameters"].as_array().into_iter().flatten().any(|own| {
                    own["name"] == name
                        && own["in"] == place
                        && own["required"].as_bool().unwrap_or(false) == text.ends_with(":required")
                        && self.type_of(&own["schema"]) == plain(kind)
                });
                (!there).then(|| format!("parameter {name}"))
            });
            let body = body.trim_end_matches(":required");
            let own = &operation["requestBody"]["content"]["application/json"]["schema"];
            let no_body = match body.strip_prefix("object{") {
                // One without a name of its own: its fields are what it is.
                Some(fields) => !self.has_fields(own, fields.trim_end_matches('}')),
                None => !body.is_empty() && self.type_of(own) != plain(body),
            };
            // Of two, the second is what Harbor answers.
            let success = success.rsplit("; ").next().unwrap();
            let (status, model) = success.split_once('=').unwrap_or((success, ""));
            let status = status.split('[').next().unwrap();
            let own = &operation["responses"][status];
            let schema = own["content"].as_object().and_then(|content| content.values().next());
            let own_model =
                schema.map_or(String::new(), |content| self.type_of(&content["schema"]));
            let model = plain(model.split('[').next().unwrap());
            let file = model == "file" && own_model == "string";
            let no_success = own.is_null() || (own_model != model && !file);
            let headers = success.split_once('[').map_or("", |(_, names)| names);
            let headers = headers.trim_end_matches(']').split(',').filter(|name| {
                !name.is_empty() && *name != "Content-Type" && own["headers"][name].is_null()
            });
            let refusals = refusals
                .split(',')
                .filter(|status| !status.is_empty() && operation["responses"][status].is_null());
            wanted
                .chain(no_body.then(|| format!("body {body}")))
                .chain(no_success.then(|| format!("success {success}")))
                .chain(headers.map(|name| format!("header {name}")))
                .chain(refusals.map(|status| format!("refusal {status}")))
                .map(|what| format!("{tag} {id}: {what}"))
                .collect()
        })
    }

    /// Whether a schema has all of some fields, whatever they are.
    fn has_fields(&self, schema: &Value, fields: &str) -> bool {
        let own = &self.document["components"]["schemas"][self.type_of(schema)]["properties"];
        fields.split(',').all(|field| !own[field].is_null())
    }

    fn missing_fields(&self) -> impl Iterator<Item = String> {
        MODELS.lines().skip(1).filter_map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [model, field, kind] = columns[..] else { panic!("three columns: {line}") };
            if field == "(self)" {
                return None;
            }
            let own = &self.document["components"]["schemas"][model];
            if own.is_null() {
                return Some(format!("model {model}"));
            }
            let field = field.trim_matches('\'');
            let parts = own["allOf"].as_array().into_iter().flatten();
            let there = parts.chain([own]).any(|part| {
                let own = &part["properties"][field];
                !own.is_null() && self.type_of(own) == plain(kind)
            });
            (!there).then(|| format!("model {model}.{field} {}", plain(kind)))
        })
    }

    /// A schema in the words of the reference, without the formats of numbers.
    fn type_of(&self, schema: &Value) -> String {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            let own = &self.document["components"]["schemas"][name];
            return if own["properties"].is_null() && own["allOf"].is_null() {
                self.type_of(own)
            } else {
                name.to_owned()
            };
        }
        let choices = schema["oneOf"].as_array().into_iter().flatten();
        if let Some(choice) = choices.into_iter().find(|choice| choice["type"] != "null") {
            return self.type_of(choice);
        }
        let kinds = schema["type"].as_array().into_iter().flatten().find(|kind| **kind != "null");
        match kinds.unwrap_or(&schema["type"]).as_str() {
            Some("array") => format!("array<{}>", self.type_of(&schema["items"])),
            Some("string") if schema["format"] == "date-time" => "string(date-time)".to_owned(),
            Some("object") if !schema["additionalProperties"].is_null() => {
                format!("map<string,{}>", self.type_of(&schema["additionalProperties"]))
            }
            Some(kind) => kind.to_owned(),
            None if schema.as_object().is_some_and(|schema| schema.is_empty()) => "any".to_owned(),
            None => String::new(),
        }
    }
}

/// A type of the reference, as [`Reference::type_of`] writes it.
fn plain(kind: &str) -> String {
    for before in ["array<", "map<string,"] {
        if let Some(items) = kind.strip_prefix(before).and_then(|rest| rest.strip_suffix('>')) {
            return format!("{before}{}>", plain(items));
        }
    }
    // A model that is only another name of a type.
    let itself = format!("{kind}\t(self)\t");
    if let Some(of) = MODELS.lines().find_map(|line| line.strip_prefix(&itself)) {
        return plain(of);
    }
    if kind == "string(date-time)" {
        return kind.to_owned();
    }
    kind.split(['(', '=', '{']).next().unwrap_or_default().to_owned()
}

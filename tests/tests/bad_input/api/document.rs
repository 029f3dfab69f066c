//! What the served OpenAPI document tells of each operation.

use serde_json::{Map, Value, json};

/// How deep a body is made up.
const DEPTH: usize = 5;

/// An operation of the document.
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub parameters: Vec<Parameter>,
    /// A body of every field, if it takes one.
    pub body: Option<Value>,
}

/// A parameter of an operation.
#[derive(Clone)]
pub struct Parameter {
    pub name: String,
    pub place: String,
    pub required: bool,
}

impl Operation {
    /// Whether it is meant to change something.
    pub fn changes(&self) -> bool {
        !["GET", "HEAD"].contains(&self.method.as_str())
    }
}

/// The operations of a document, in its order.
pub fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            found.push(Operation {
                id: text(&operation["operationId"]),
                method: method.to_uppercase(),
                path: path.clone(),
                parameters: parameters
                    .map(|parameter| Parameter {
                        name: text(&parameter["name"]),
                        place: text(&parameter["in"]),
                        required: parameter["required"] == true,
                    })
                    .collect(),
                body: (!operation["requestBody"].is_null())
                    .then(|| example(document, "", schema, 0)),
            });
        }
    }
    found
}

/// A value as a schema wants it; `name` is the field's.
fn example(document: &Value, name: &str, schema: &Value, depth: usize) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = &document["components"]["schemas"][reference.rsplit('/').next().unwrap()];
        return example(document, name, schema, depth);
    }
    if let Some(known) = known(name) {
        return known;
    }
    for parts in ["allOf", "oneOf", "anyOf"] {
        let mut whole = Map::new();
        for part in schema[parts].as_array().into_iter().flatten() {
            match example(document, name, part, depth) {
                Value::Object(fields) => whole.extend(fields),
                Value::Null => {}
                other => return other,
            }
        }
        if !whole.is_empty() {
            return Value::Object(whole);
        }
    }
    let kinds = schema["type"].as_array().into_iter().flatten().find(|kind| **kind != "null");
    match kinds.unwrap_or(&schema["type"]).as_str() {
        _ if depth > DEPTH => Value::Null,
        Some("object") => {
            let mut fields = Map::new();
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                fields.insert(name.clone(), example(document, name, schema, depth + 1));
            }
            if fields.is_empty() && schema["additionalProperties"].is_object() {
                let value = example(document, "", &schema["additionalProperties"], depth + 1);
                fields.insert("public".to_owned(), value);
            }
            Value::Object(fields)
        }
        Some("array") => json!([example(document, name, &schema["items"], depth + 1)]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(false),
        Some("string") if schema["format"] == "date-time" => json!("2030-01-01T00:00:00.000Z"),
        Some("string") => json!("x"),
        _ => Value::Null,
    }
}

/// A value for a field whose schema does not tell what is accepted. `<…>` is filled in when
/// it is sent.
fn known(name: &str) -> Option<Value> {
    Some(match name {
        "username" | "realname" | "comment" | "description" => json!("<unique>"),
        "name" | "project_name" | "group_name" => json!("<unique>"),
        "email" => json!("<unique>@example.org"),
        "password" | "new_password" | "secret" => json!("Correct1Horse"),
        // Never right: who asks keeps its password.
        "old_password" => json!("Wrong1Horse"),
        "metadata" => json!({"public": "false"}),
        "registry_id" => json!(null),
        "storage_limit" | "duration" => json!(-1),
        "level" | "kind" => json!("project"),
        "namespace" => json!("<project>"),
        "access" => json!([{"resource": "repository", "action": "pull", "effect": "allow"}]),
        "ldap_url" => json!("ldap://127.0.0.1:1"),
        "url" | "endpoint" | "issuer" => json!("http://127.0.0.1:1"),
        "ldap_group_dn" => json!("cn=x,dc=example,dc=org"),
        "group_type" => json!(1),
        "read_only" => json!(false),
        _ => return None,
    })
}

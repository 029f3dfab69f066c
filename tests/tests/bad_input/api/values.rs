//! Values that nobody should send.

use serde_json::{Value, json};
use std::sync::LazyLock;

/// Texts that mean something to some part of some server.
pub fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        " ",
        "\0",
        "a\0b",
        "\u{202e}nimda",
        "ａｄｍｉｎ",
        "admin\u{200b}",
        "İıſK",
        "e\u{301}\u{301}\u{301}",
        "\u{1f1e6}\u{1f600}",
        "\u{ffff}\u{10ffff}",
        "' OR '1'='1' --",
        "\"; DROP TABLE users; --",
        "1); DELETE FROM users; --",
        "$1",
        "%' ESCAPE '",
        "*)(uid=*))(|(uid=*",
        "*",
        "\\2a\\",
        "cn=x,dc=\\",
        "../../../etc/passwd",
        "..",
        "%00",
        "%",
        "%25252e",
        "${jndi:ldap://127.0.0.1/x}",
        "{{7*7}}",
        "<script>alert(1)</script>",
        "a\r\nSet-Cookie: sid=x",
        "//127.0.0.1/\\@example.org",
        "file:///etc/passwd",
        "ldap://[::1",
        "http://127.0.0.1:1/?#@",
        "-1",
        "0",
        "1.5",
        "1e400",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "NaN",
        "null",
        "true",
        "maybe",
        "x=",
        "=x",
        "name=~",
        "name=[1~",
        "name={a b",
        "name=(a b)",
        "name=\"",
        "creation_time=[2020-99-99T00:00:00~]",
        "id=[99999999999999999999~x]",
        "-,,-id,+name",
        "robot$",
        "robot$+",
        "tokenreview$x",
        "(?:a{1000}){1000}",
        "[a-",
        "**/{a,{b,{c",
    ]
    .iter()
    .map(|text| (*text).to_owned())
    .collect();
    texts.extend(["a".repeat(256), "a".repeat(3000), "é".repeat(200)]);
    texts
}

/// Values of JSON that belong into no field.
pub static VALUES: LazyLock<Vec<Value>> = LazyLock::new(values);

fn values() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(2_147_483_648_i64),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1.5),
        json!(1e308),
        json!(""),
        json!([]),
        json!({}),
        json!([null]),
        json!([[]]),
        json!([{}]),
        json!(["a", 1, {}]),
        json!({"": null}),
        json!({"a": {"b": {}}}),
        nested(100),
        json!(vec!["a"; 2000]),
        json!("a".repeat(70_000)),
    ];
    values.extend(texts().into_iter().map(Value::String));
    values
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

/// Whole bodies that are no JSON, or none that anybody wants.
pub fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "null",
        "true",
        "0",
        "\"x\"",
        "[]",
        "[{}]",
        "{",
        "}",
        "{}",
        "{} {}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"\":1}",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\":1e999}",
        "\u{feff}{}",
        "a=b",
        "{\"\\ud800\":1}",
        "<x/>",
        "NaN",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    bodies.push(b"{\"name\":\"\xff\xfe\"}".to_vec());
    bodies.push(b"\xff\xfe{\0}\0".to_vec());
    bodies.push("[".repeat(100_000).into_bytes());
    bodies.push("{\"a\":".repeat(50_000).into_bytes());
    bodies.push(format!("{{\"name\":\"{}\"}}", "a".repeat(1_200_000)).into_bytes());
    let many: Vec<String> = (0..20_000).map(|i| format!("\"f{i}\":{i}")).collect();
    bodies.push(format!("{{{}}}", many.join(",")).into_bytes());
    bodies
}

/// Media types that a body of JSON does not have.
pub const MEDIA_TYPES: &[&str] = &[
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/json; charset=utf-16",
    "application/",
    "x",
];

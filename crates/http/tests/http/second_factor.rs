//! The second factor, as the portal and clients meet it.

use aws_lc_rs::hmac;
use domain::testing::{PASSWORD, START, add_user};
use serde_json::{Value, json};

use crate::{
    browser::Browser,
    server::{Server, basic, both, sqlite},
};

const PATH: &str = "/api/haven/v1/users/current/totp";

/// What a phone shows for a secret in base32, so many steps from now (RFC 6238).
fn code(secret: &str, later: i64) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String =
        secret.chars().map(|c| format!("{:05b}", ALPHABET.find(c).unwrap())).collect();
    let byte = |bits: &[u8]| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap();
    let key: Vec<u8> = bits.as_bytes().chunks_exact(8).map(byte).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let step = START.seconds() / 30 + later;
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let number = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap());
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

async fn ask(browser: &mut Browser<'_>, method: &str, path: &str, body: Value) -> Value {
    let answer = browser.send(method, path, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

/// Turns a user's second factor on; gives the phone's secret and the recovery codes.
async fn turn_on(server: &Server, name: &str) -> (String, Vec<String>) {
    let mut browser = Browser::new(server);
    browser.log_in(name, PASSWORD).await;
    let enrolled = ask(&mut browser, "POST", PATH, json!({"password": PASSWORD})).await;
    let secret = enrolled["secret"].as_str().unwrap().to_owned();
    let uri = enrolled["uri"].as_str().unwrap();
    let start = format!("otpauth://totp/Haven%20registry%2Eexample%2Eorg:{name}?secret={secret}&");
    assert!(uri.starts_with(&start), "{uri}");
    let confirmed = ask(&mut browser, "PUT", PATH, json!({"code": code(&secret, -1)})).await;
    let codes = confirmed["recovery_codes"].as_array().unwrap();
    (secret, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

async fn log_in(server: &Server, name: &str, code: Option<&str>) -> (u16, String) {
    let mut browser = Browser::new(server);
    let code = code.map_or_else(String::new, |code| format!("&totp={code}"));
    let answer = browser.log_in(name, &format!("{PASSWORD}{code}")).await;
    assert_eq!(browser.user().await.is_some(), answer.status == 200);
    let told = if answer.status == 200 { String::new() } else { answer.code().1 };
    (answer.status.as_u16(), told)
}

#[tokio::test]
async fn the_portal_asks_for_a_code_and_takes_it_once() {
    for server in both().await {
        add_user(&server.domain, "alice").await;
        let (secret, codes) = turn_on(&server, "alice").await;
        let needed = (401, "TOTP_REQUIRED".to_owned());
        assert_eq!(log_in(&server, "alice", None).await, needed);
        assert_eq!(log_in(&server, "alice", Some("")).await, needed);
        assert_eq!(log_in(&server, "alice", Some(&code(&secret, -1))).await, needed, "used");
        assert_eq!(log_in(&server, "alice", Some(&code(&secret, 0))).await, (200, String::new()));
        assert_eq!(log_in(&server, "alice", Some(&code(&secret, 0))).await, needed, "replayed");
        assert_eq!(log_in(&server, "alice", Some(&codes[0])).await, (200, String::new()));
        assert_eq!(log_in(&server, "alice", Some(&codes[0])).await, needed);
        // Neither docker nor the API take the password any more.
        let shown = basic("alice", PASSWORD);
        let refused = server.get_as(&shown, "/service/token?service=harbor-registry").await;
        assert_eq!(refused.status, 401);
        assert!(refused.body.contains("personal access token"), "{}", refused.body);
        assert_eq!(server.get_as(&shown, "/v2/").await.status, 401);
        assert_eq!(server.get_as(&shown, "/api/v2.0/users/current").await.status, 401);
    }
}

#[tokio::test]
async fn it_is_managed_with_password_and_codes() {
    for server in both().await {
        let alice = add_user(&server.domain, "alice").await.user_id().unwrap();
        let mut browser = Browser::new(&server);
        browser.log_in("alice", PASSWORD).await;
        let status = ask(&mut browser, "GET", PATH, Value::Null).await;
        assert_eq!(status, json!({"enabled": false, "recovery_codes": 0}));
        for wrong in [json!({}), json!({"password": "Wrong12345"}), json!({"password": null})] {
            let refused = browser.send("POST", PATH, &wrong.to_string()).await;
            assert_eq!(refused.code(), (403, "FORBIDDEN".into()), "{wrong}");
        }
        let early = browser.send("PUT", PATH, &json!({"code": "123456"}).to_string()).await;
        assert_eq!(early.code(), (412, "PRECONDITION".into()));
        let (secret, codes) = turn_on(&server, "alice").await;
        // The session that was open stays.
        let status = ask(&mut browser, "GET", PATH, Value::Null).await;
        assert_eq!((&status["enabled"], &status["recovery_codes"]), (&json!(true), &json!(10)));
        let again = browser.send("POST", PATH, &json!({"password": PASSWORD}).to_string()).await;
        assert_eq!(again.code(), (409, "CONFLICT".into()));
        let renewal = format!("{PATH}/recovery_codes");
        let renewed = ask(&mut browser, "POST", &renewal, json!({"code": codes[0]})).await;
        assert_ne!(renewed["recovery_codes"][0], codes[0].as_str());
        let off = format!("{PATH}/disable");
        for wrong in ["", "000", codes[1].as_str(), "x\u{0}", &"9".repeat(5000)] {
            let refused = browser.send("POST", &off, &json!({"code": wrong}).to_string()).await;
            assert_eq!(refused.code(), (403, "FORBIDDEN".into()), "{wrong}");
        }
        ask(&mut browser, "POST", &off, json!({"code": code(&secret, 1)})).await;
        assert_eq!(log_in(&server, "alice", None).await, (200, String::new()));

        turn_on(&server, "alice").await;
        let reset = format!("/api/haven/v1/users/{alice}/totp");
        assert_eq!(server.ask("", "DELETE", &reset, "").await.status, 401);
        add_user(&server.domain, "bob").await;
        assert_eq!(server.ask("bob", "DELETE", &reset, "").await.status, 403);
        assert_eq!(server.ask("admin", "DELETE", &reset, "").await.status, 200);
        assert_eq!(log_in(&server, "alice", None).await, (200, String::new()));
    }
}

#[tokio::test]
async fn guessing_is_slowed_and_told_when_to_come_back() {
    let server = sqlite().await;
    add_user(&server.domain, "alice").await;
    let mut open = Browser::new(&server);
    open.log_in("alice", PASSWORD).await;
    let mut guesser = Browser::new(&server);
    guesser.address = "198.51.100.1:9";
    for n in 0..5 {
        assert_eq!(guesser.log_in("alice", &format!("Wrong12345{n}")).await.status, 401);
    }
    let refused = guesser.log_in("alice", PASSWORD).await;
    assert_eq!(refused.code(), (429, "TOO_MANY_REQUEST".into()));
    assert_eq!(refused.header("retry-after"), "1");
    // The session that is open, and the same user from elsewhere, are not held up.
    assert_eq!(open.user().await.as_deref(), Some("alice"));
    assert_eq!(server.get("alice", "/v2/").await.status, 200);
    let token = server.get("alice", "/service/token?service=harbor-registry").await;
    assert_eq!(token.status, 200);
}

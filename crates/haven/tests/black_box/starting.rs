//! What a start needs and refuses, and what operators do beside it.

use db::args;
use rustix::process::Signal;

use crate::fixture::{Home, PASSWORD, exists, haven, haven_told, refused, told};

#[tokio::test]
async fn only_the_first_start_tells_the_password_that_it_made() {
    let home = Home::new();
    let server = home.serve(&[("HAVEN_ADMIN_PASSWORD", "")]);
    let output = server.output.lock().unwrap().clone();
    assert!(output.contains("admin user    admin\n"), "{output}");
    let line = output.lines().find_map(|line| line.trim().strip_prefix("password "));
    let password = line.unwrap().split_whitespace().next().unwrap().to_owned();
    assert_eq!(server.sign_in(&password).await, 200);
    assert!(!server.stop().contains(&password));

    let server = home.serve(&[("HAVEN_ADMIN_PASSWORD", "")]);
    assert!(!server.output.lock().unwrap().contains("password"));
    assert_eq!(server.sign_in(&password).await, 200);
}

#[tokio::test]
async fn a_password_that_was_given_is_not_told() {
    let home = Home::new();
    let server = home.serve(&[]);
    assert_eq!(server.sign_in(PASSWORD).await, 200);
    assert_eq!(server.sign_in("Another-1").await, 401);
    assert!(!server.output.lock().unwrap().contains(PASSWORD));
    assert!(!server.stop().contains(PASSWORD));
}

#[test]
fn a_data_folder_has_one_server() {
    let home = Home::new();
    let mut server = home.serve(&[]);
    let message = home.serve_in_vain(&[]);
    assert!(message.contains("is in use by another haven (process "), "{message}");
    server.signal(Signal::KILL);
    server.ended();
    // A server that was killed leaves nothing that stands in the way.
    home.serve(&[]).stop();
}

#[test]
fn a_data_folder_must_be_to_be_had() {
    let home = Home::new();
    let file = home.file("no-folder", "");
    let message = home.serve_in_vain(&[("HAVEN_DATA_DIR", &format!("{file}/data"))]);
    assert!(message.contains("cannot make the data folder"), "{message}");
}

#[test]
fn an_address_must_be_free() {
    let (first, second) = (Home::new(), Home::new());
    let server = first.serve(&[]);
    let address = server.address.to_string();
    let message = second.serve_in_vain(&[("HAVEN_LISTEN", &address)]);
    assert!(message.contains(&format!("cannot listen on {address}")), "{message}");
    // Nothing was made: the password of a first start would never be seen.
    assert!(!exists(&second.data().join("haven.db")));
}

#[test]
fn a_key_must_fit_the_database() {
    let home = Home::new();
    home.serve(&[]).stop();
    std::fs::remove_file(home.data().join("secret.key")).unwrap();
    let message = home.serve_in_vain(&[]);
    assert!(message.contains("the secret key does not fit this database"), "{message}");
}

#[test]
fn a_store_must_be_there() {
    let home = Home::new();
    let file = home.file("no-folder", "");
    let message = home.serve_in_vain(&[("HAVEN_STORAGE_URL", &format!("file:{file}"))]);
    assert!(message.contains("no-folder"), "{message}");
    let message = home.serve_in_vain(&[("HAVEN_STORAGE_URL", "s3://bucket")]);
    assert!(message.contains("storage.s3.access_key"), "{message}");
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let home = Home::new();
    home.serve(&[]).stop();
    let url = format!("sqlite:{}/haven.db", home.data_text());
    let db = db::Db::open(&url, &db::Options::default()).await.unwrap();
    db.write(|tx| {
        Box::pin(async move {
            let sql = "INSERT INTO schema_migrations (number, name, checksum, serves) \
                       VALUES (9999, 'of the future', '', 9999)";
            tx.execute(sql, args![]).await
        })
    })
    .await
    .unwrap();
    db.close().await;
    let data = home.data_text();
    let variables = [("HAVEN_DATA_DIR", data.as_str())];
    let refusals = [
        home.serve_in_vain(&[]),
        refused(&haven(&["verify"], &variables), 1),
        refused(&haven(&["migrate"], &variables), 1),
    ];
    for message in refusals {
        assert!(message.contains("the database is newer than this program"), "{message}");
    }
}

#[test]
fn a_database_is_migrated_once_and_verified() {
    let home = Home::new();
    let data = home.data_text();
    let variables = [("HAVEN_DATA_DIR", data.as_str()), ("HAVEN_ADMIN_PASSWORD", PASSWORD)];
    std::fs::create_dir(home.data()).unwrap();
    let message = refused(&haven(&["verify"], &variables), 1);
    assert!(message.contains("run `haven migrate`"), "{message}");
    let message = told(&haven(&["migrate"], &variables));
    assert!(message.contains("went from schema 0 to "), "{message}");
    assert!(told(&haven(&["migrate"], &variables)).contains("is up to date"));
    let message = told(&haven(&["verify"], &variables));
    assert!(message.contains("0 blobs (0 B) and 0 manifests checked: 0 problems"), "{message}");
}

#[tokio::test]
async fn the_admin_gets_a_new_password_while_nobody_serves() {
    let home = Home::new();
    let data = home.data_text();
    let variables = [("HAVEN_DATA_DIR", data.as_str())];
    let server = home.serve(&[]);
    let reset = &["admin", "reset-password"];
    let message = refused(&haven_told("Another-1\n", reset, &variables), 1);
    assert!(message.contains("is in use"), "{message}");
    server.stop();

    told(&haven_told("Another-1\n", reset, &variables));
    let server = home.serve(&[]);
    assert_eq!(server.sign_in("Another-1").await, 200);
    assert_eq!(server.sign_in(PASSWORD).await, 401);
    server.stop();

    let message = told(&haven(reset, &variables));
    let made_up = message.trim().rsplit(' ').next().unwrap();
    assert_eq!(home.serve(&[]).sign_in(made_up).await, 200);
    refused(&haven_told("short\n", reset, &variables), 1);
}

#[tokio::test]
async fn the_signing_key_is_rotated_while_nobody_serves() {
    let home = Home::new();
    let data = home.data_text();
    let variables = [("HAVEN_DATA_DIR", data.as_str())];
    let server = home.serve(&[]);
    let token = server.token().await;
    refused(&haven(&["admin", "rotate-key"], &variables), 1);
    server.stop();
    told(&haven(&["admin", "rotate-key"], &variables));

    // What the old key signed stays good, and what comes now names another key.
    let server = home.serve(&[]);
    let status = |token: String| {
        let request = reqwest::Client::new().get(server.url("/v2/")).bearer_auth(token);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(status(token.clone()).await, 200);
    let new = server.token().await;
    assert_ne!(token.split('.').next(), new.split('.').next());
    assert_eq!(status(new).await, 200);
}

//! Clients that flood, dawdle, or do not speak HTTP at all.

use crate::{Scene, assert_refusal};
use haven_tests::{
    Blob, Server, Settings, eventually, on_each_setup,
    raw::{self, Raw},
};
use std::time::Duration;

#[tokio::test]
async fn floods_of_headers_are_refused() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let huge = format!("X-Huge: {}", "x".repeat(200_000));
        let many: Vec<String> = (0..5000).map(|n| format!("X-{n}: y")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for lines in [&[huge.as_str()][..], &many] {
            if let Some(answer) = scene.ask("GET", "/v2/", lines, b"").await {
                assert!([400, 431].contains(&answer.status), "{}", answer.head);
            }
        }
        let long = format!("/v2/{}", "a/".repeat(100_000));
        if let Some(answer) = scene.ask("GET", &long, &[], b"").await {
            assert!([400, 414, 431].contains(&answer.status), "{}", answer.head);
        }
        // Large, and still reasonable: a cloud's password of a few kilobytes.
        let large = format!("X-Large: {}", "x".repeat(6000));
        let answer = scene.ask("GET", "/v2/", &[&large], b"").await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.head);
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_not_http_is_hung_up_on() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        for bytes in [
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
            b"\x00\x00\x00\x00\x00\x00\x00\x00\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET /v2/\r\n\r\n",
            b"GET /v2/ HTTP/9.9\r\n\r\n",
            b"GET /v2/ HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
            b"GET /v2/ HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
            b"GET  /v2/  HTTP/1.1\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage instead of frames",
            b"\r\n\r\n\r\n\r\nnonsense\r\n\r\n",
        ] {
            let mut connection = Raw::connect(scene.host()).await;
            connection.send(bytes).await;
            connection.end().await;
            connection.hung_up().await;
        }
        // An old client, and one that speaks to a proxy.
        let authorization = scene.authorization();
        for head in [
            format!("GET /v2/ HTTP/1.0\r\nAuthorization: {authorization}\r\n\r\n"),
            format!(
                "GET {}/v2/ HTTP/1.1\r\nHost: {}\r\nAuthorization: {authorization}\r\n\r\n",
                server.url,
                scene.host()
            ),
        ] {
            let answer = raw::exchange(scene.host(), &head).await.unwrap();
            assert_eq!(answer.status, 200, "{head}");
        }
        scene.assert_unharmed().await;
    })
    .await;
}

#[tokio::test]
async fn a_body_that_nobody_wanted_does_not_cost_the_connection() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let mut connection = Raw::connect(scene.host()).await;
        let host = format!("Host: {}", scene.host());
        let length = 300_000;
        // Refused before any of the body is looked at, by the API and by the registry.
        for (method, path) in [
            ("POST", "/api/v2.0/users"),
            ("PUT", "/v2/library/app/manifests/latest"),
            ("GET", "/api/v2.0/nothing"),
        ] {
            let head =
                format!("{method} {path} HTTP/1.1\r\n{host}\r\nContent-Length: {length}\r\n\r\n");
            connection.send(head).await;
            connection.send(vec![b'x'; length]).await;
            let answer = connection.answer().await.unwrap();
            assert_refusal(path, &answer);
            connection.send(scene.head("GET", "/v2/", &[])).await;
            let answer = connection.answer().await.expect(path);
            assert_eq!(answer.status, 200, "{}", answer.head);
        }
    })
    .await;
}

#[tokio::test]
async fn requests_sent_in_one_go_are_answered_in_turn() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let mut connection = Raw::connect(scene.host()).await;
        let one = scene.head("GET", "/v2/", &[]);
        let two = scene.head("GET", &scene.repository.path("manifests/none"), &[]);
        connection.send(format!("{one}{two}{one}")).await;
        assert_eq!(connection.answer().await.unwrap().status, 200);
        let answer = connection.answer().await.unwrap();
        assert_refusal("the second", &answer);
        assert_eq!(connection.answer().await.unwrap().status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_asks_before_sending_is_told() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let blob = Blob::random(1000);
        let location = scene.repository.begin().await;
        let put = haven_tests::repository::with_digest(&location, &blob.digest);
        let mut connection = Raw::connect(scene.host()).await;
        let lines = ["Content-Length: 1000", "Expect: 100-continue"];
        connection.send(scene.head("PUT", &put, &lines)).await;
        assert_eq!(connection.answer().await.unwrap().status, 100);
        connection.send(&blob.bytes).await;
        assert_eq!(connection.answer().await.unwrap().status, 201);
        // Who may not push is told before sending anything.
        let mut connection = Raw::connect(scene.host()).await;
        let head = format!("PUT {put} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n", scene.host());
        connection.send(head).await;
        assert_eq!(connection.answer().await.unwrap().status, 401);
    })
    .await;
}

/// Short limits, so that the test need not wait long for what it is about.
fn impatient(settings: Settings) -> Settings {
    settings
        .with("HAVEN_LIMITS_HEADER_TIMEOUT", "1s")
        .with("HAVEN_LIMITS_STALL_TIMEOUT", "1s")
        .with("HAVEN_LIMITS_IDLE_TIMEOUT", "1s")
}

#[tokio::test]
async fn slow_clients_are_cut_off_and_hold_up_nobody() {
    for settings in [Settings::appliance(), Settings::cluster()] {
        let server = Server::start(&impatient(settings)).await;
        let scene = Scene::on(&server).await;
        let mut dawdlers = Vec::new();
        for n in 0..200 {
            let mut connection = Raw::connect(scene.host()).await;
            match n % 4 {
                // Says nothing at all.
                0 => {}
                // Stops in the middle of the head.
                1 => {
                    connection.send("GET /v2/ HTTP/1.1\r\nHost: a\r\nX-Slow").await;
                }
                // Stops in the middle of a body.
                2 => {
                    let location = scene.repository.begin().await;
                    let lines = ["Content-Length: 1000000"];
                    connection.send(scene.head("PATCH", &location, &lines)).await;
                    connection.send([0; 1000]).await;
                }
                // Asks and then says no more.
                _ => {
                    connection.send(scene.head("GET", "/v2/", &[])).await;
                    assert_eq!(connection.answer().await.unwrap().status, 200);
                }
            }
            dawdlers.push(connection);
        }
        scene.assert_unharmed().await;
        for mut connection in dawdlers {
            connection.hung_up().await;
        }
        scene.assert_unharmed().await;
    }
}

#[tokio::test]
async fn a_reader_that_stops_reading_is_cut_off() {
    for settings in [Settings::appliance(), Settings::cluster()] {
        let server = Server::start(&impatient(settings)).await;
        let scene = Scene::on(&server).await;
        // More than the sockets' buffers hold.
        let blob = Blob::random(40_000_000);
        scene.repository.upload(&blob).await;
        let path = scene.repository.path(&format!("blobs/{}", blob.digest));
        let mut connection = Raw::connect(scene.host()).await;
        connection.send(scene.head("GET", &path, &[])).await;
        scene.assert_unharmed().await;
        // The line in the log comes at the end of an answer, whatever the end.
        let line = format!("blobs/{}", blob.digest);
        eventually("the answer is given up", Duration::from_secs(20), async || {
            server.log().lines().any(|logged| logged.contains(&line) && logged.contains("GET"))
        })
        .await;
        // Only what was buffered still comes; the rest never does.
        assert!(connection.answer().await.is_none(), "the whole blob came");
        scene.assert_unharmed().await;
    }
}

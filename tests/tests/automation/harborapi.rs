//! `harborapi`, a client of Harbor's API from PyPI, as `program.py` uses it.

use haven_tests::{on_each_setup, server::ADMIN_PASSWORD, tool::Home};

#[tokio::test]
async fn the_python_client_works_as_with_harbor() {
    on_each_setup(async |server| {
        let home = Home::new();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/automation/program.py");
        let url = format!("{}/api/v2.0", server.url);
        let said = home.run("harborapi-python", &[program, &url, ADMIN_PASSWORD]).await.ok();
        assert!(said.trim_end().ends_with("all is well"), "{said}");
    })
    .await;
}

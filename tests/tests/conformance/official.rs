//! The specification's own conformance program, asked as the 1.1 release and as
//! the development version, on both setups.
//!
//! `tests/tools` builds the program, from the `conformance` folder of the OCI
//! distribution-spec at the commit that is named there.

use haven_tests::{
    Role, Server, Settings,
    tool::{self, Output},
};
use std::{path::Path, process::Command, time::Duration};
use tempfile::TempDir;

#[tokio::test]
async fn the_program_of_the_specification_passes() {
    let program = tool::find("oci-conformance");
    for (name, settings) in
        [("SQLite and files", Settings::appliance()), ("PostgreSQL and S3", Settings::cluster())]
    {
        let server = Server::start(&settings).await;
        for version in ["1.1", "dev"] {
            let output = run(&program, &server, version).await;
            println!("{name}, version {version}:\n{}", summary(&output));
            assert_clean(&output);
        }
    }
}

async fn run(program: &Path, server: &Server, version: &str) -> Output {
    let project = server.admin.project(false).await;
    let user = project.member(Role::ProjectAdmin).await;
    let results = TempDir::new().unwrap();
    let mut command = Command::new(program);
    command
        .current_dir(results.path())
        .env("OCI_VERSION", version)
        .env("OCI_REGISTRY", server.anonymous.host())
        .env("OCI_TLS", "disabled")
        .env("OCI_REPO1", format!("{}/repo1", project.name))
        .env("OCI_REPO2", format!("{}/repo2", project.name))
        .env("OCI_USERNAME", user.name())
        .env("OCI_PASSWORD", user.password())
        .env("OCI_RESULTS_DIR", results.path());
    tool::run(command, Duration::from_secs(300)).await
}

fn assert_clean(output: &Output) {
    for kind in ["Skip", "FAIL", "Error"] {
        assert_eq!(count(output, kind), 0, "{kind}: {}", output.describe());
    }
    // Far more rows than this are there: an empty run is no pass.
    assert!(count(output, "Pass") > 500, "{}", output.describe());
    assert_eq!(output.code, Some(0), "{}", output.describe());
}

/// The number in a line like `  Pass..........:   1003` of the totals.
fn count(output: &Output, kind: &str) -> u64 {
    let line =
        output.stdout.lines().find(|line| line.trim_start().starts_with(&format!("{kind}..")));
    let number = line.and_then(|line| line.rsplit(':').next()?.trim().parse().ok());
    number.unwrap_or_else(|| panic!("no total of {kind} in {}", output.describe()))
}

fn summary(output: &Output) -> &str {
    let start = output.stdout.find("OCI Conformance Result");
    &output.stdout[start.unwrap_or(0)..]
}

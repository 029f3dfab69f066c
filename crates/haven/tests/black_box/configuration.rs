//! Layers, refusals, and the commands that show them.

use crate::fixture::{Home, haven, refused, told};

#[test]
fn flags_go_before_variables_before_the_file_before_defaults() {
    let home = Home::new();
    let file = home.file(
        "haven.toml",
        "shutdown_timeout = \"1s\"\n[log]\nlevel = \"warn\"\n[token]\nlifetime = \"5m\"\n",
    );
    let variables = [
        ("HAVEN_CONFIG", file.as_str()),
        ("HAVEN_LOG_LEVEL", "debug"),
        ("HAVEN_TOKEN_LIFETIME", "6m"),
    ];
    let shown = told(&haven(&["config", "--token-lifetime", "7m"], &variables));
    let line = |key: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{key} = ")));
        line.unwrap_or_else(|| panic!("{key} is missing in\n{shown}"))
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    assert_eq!(line("token.lifetime"), ["token.lifetime", "=", "\"7m\"", "#", "--token-lifetime"]);
    assert_eq!(line("log.level"), ["log.level", "=", "\"debug\"", "#", "HAVEN_LOG_LEVEL"]);
    assert_eq!(line("shutdown_timeout"), ["shutdown_timeout", "=", "\"1s\"", "#", &file]);
    assert_eq!(line("listen"), ["listen", "=", "\"127.0.0.1:8080\"", "#", "default"]);
}

#[test]
fn what_is_shown_is_a_file_that_can_be_read() {
    let home = Home::new();
    let variables = [("HAVEN_LOG_LEVEL", "debug"), ("HAVEN_LIMITS_CONNECTIONS", "77")];
    let shown = told(&haven(&["config"], &variables));
    let file = home.file("haven.toml", &shown);
    let again = told(&haven(&["config", "--config", &file], &[]));
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  #").next().unwrap().trim().to_owned()).collect()
    };
    assert_eq!(values(&again), values(&shown));
}

#[test]
fn secrets_are_not_shown() {
    let variables = [
        ("HAVEN_ADMIN_PASSWORD", "Very-Secret-1"),
        ("HAVEN_DATABASE_URL", "postgres://haven:Very-Secret-2@db/haven"),
        ("HAVEN_STORAGE_S3_ACCESS_KEY", "Very-Secret-3"),
        ("HAVEN_STORAGE_S3_SECRET_KEY", "Very-Secret-4"),
    ];
    let shown = told(&haven(&["config"], &variables));
    assert!(!shown.contains("Very-Secret"), "{shown}");
    assert!(shown.contains("postgres://haven:********@db/haven"), "{shown}");
}

#[test]
fn mistakes_are_refused_by_name_before_anything_is_done() {
    let home = Home::new();
    let data = home.data_text();
    let file = home.file("haven.toml", "lisen = \"127.0.0.1:1\"\n");
    let variables = [
        ("HAVEN_CONFIG", file.as_str()),
        ("HAVEN_DATA_DIR", data.as_str()),
        ("HAVEN_TOKEN_LIFETIME", "soon"),
        ("HAVEN_LISTN", "127.0.0.1:1"),
    ];
    for arguments in [&["serve"][..], &["config", "check"]] {
        let message = refused(&haven(arguments, &variables), 2);
        assert!(message.contains("unknown key lisen in"), "{message}");
        assert!(message.contains("unknown variable HAVEN_LISTN"), "{message}");
        assert!(
            message.contains("token.lifetime (from HAVEN_TOKEN_LIFETIME) cannot be \"soon\""),
            "{message}"
        );
        assert!(message.contains("a duration such as"), "{message}");
    }
    assert!(!crate::fixture::exists(&home.data()));
    let message = refused(&haven(&["--config", "/nowhere/haven.toml"], &[]), 2);
    assert!(message.contains("cannot read /nowhere/haven.toml"), "{message}");
}

#[test]
fn a_configuration_can_be_checked() {
    assert_eq!(told(&haven(&["config", "check"], &[])), "the configuration is valid\n");
    let keys = told(&haven(&["config", "keys"], &[]));
    for name in ["HAVEN_LISTEN", "HAVEN_ADMIN_PASSWORD_FILE", "--storage-s3-redirect"] {
        assert!(keys.contains(name), "{name} is missing in\n{keys}");
    }
}

#[test]
fn the_binary_explains_itself() {
    let version = told(&haven(&["--version"], &[]));
    assert_eq!(version.trim(), format!("haven {}", env!("CARGO_PKG_VERSION")));
    let help = told(&haven(&["--help"], &[]));
    for word in ["serve", "migrate", "verify", "admin", "--trusted-proxies"] {
        assert!(help.contains(word), "{word} is missing in\n{help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(told(&haven(&["completions", shell], &[])).contains("haven"));
    }
    refused(&haven(&["serve", "--no-such-flag"], &[]), 2);
}

//! The layers on top of each other, and where each value came from.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use kit::{Error, Result};

use super::{Config, KEYS, Key, Mask};

/// The file that is read when none is named and it is there.
const USUAL_FILE: &str = "/etc/haven/haven.toml";

/// The variable that names another file.
const FILE_VARIABLE: &str = "HAVEN_CONFIG";

/// Variables that begin like ours and are not: of Kubernetes and docker links, which
/// make them up for a service called `haven`, and of the project's own tests.
const FOREIGN: &[&str] =
    &["HAVEN_PORT", "HAVEN_PORT_*", "HAVEN_SERVICE_*", "HAVEN_TEST_*", "HAVEN_BIN", "HAVEN_TOOLS"];

/// The largest file that is read for a single secret, in bytes.
const LARGEST_SECRET: u64 = 64 * 1024;

/// What the configuration is made of, besides the defaults.
#[derive(Debug, Default)]
pub struct Layers {
    /// The file named by a flag.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: Vec<(OsString, OsString)>,
    /// Values of flags, by the key's path.
    pub flags: Vec<(&'static str, String)>,
}

/// The effective configuration and where it came from.
pub struct Loaded {
    /// The values, read.
    pub config: Config,
    /// The values, as they were written, in the table's order.
    pub settings: Vec<Setting>,
}

/// One value and where it came from.
#[derive(Clone)]
pub struct Setting {
    /// What is set.
    pub key: &'static Key,
    /// To what.
    pub text: String,
    /// By whom.
    pub origin: Origin,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The file.
    File(PathBuf),
    /// A variable.
    Variable(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

impl Layers {
    /// Puts the layers together.
    ///
    /// # Errors
    /// Names everything that is wrong: unknown keys and variables, values that are not
    /// allowed and what is, keys that do not go together.
    pub fn load(self) -> Result<Loaded> {
        let mut loading = Loading::default();
        loading.take_file(self.file, &self.variables);
        loading.take_variables(self.variables);
        for (path, text) in self.flags {
            let flag = path.replace(['.', '_'], "-");
            loading.set(path, text, Origin::Flag(flag));
        }
        loading.finish()
    }
}

#[derive(Default)]
struct Loading {
    /// The highest layer's value for each key that was set.
    set: BTreeMap<&'static str, (String, Origin)>,
    wrong: Vec<String>,
}

impl Loading {
    fn set(&mut self, path: &'static str, text: String, origin: Origin) {
        self.set.insert(path, (text, origin));
    }

    fn take_file(&mut self, named: Option<PathBuf>, variables: &[(OsString, OsString)]) {
        let by_variable = || {
            let (_, path) = variables.iter().find(|(name, _)| name == FILE_VARIABLE)?;
            (!path.is_empty()).then(|| PathBuf::from(path))
        };
        let named = named.or_else(by_variable);
        let path = named.clone().unwrap_or_else(|| USUAL_FILE.into());
        match fs::read_to_string(&path) {
            Ok(text) => self.take_toml(&path, &text),
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.wrong.push(format!("cannot read {}: {error}", path.display())),
        }
    }

    fn take_toml(&mut self, file: &Path, text: &str) {
        match text.parse::<toml::Table>() {
            Ok(table) => self.take_table(file, "", &table),
            Err(error) => {
                self.wrong.push(format!("{} is not TOML: {error}", file.display()));
            }
        }
    }

    fn take_table(&mut self, file: &Path, above: &str, table: &toml::Table) {
        for (name, value) in table {
            let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
            let key = KEYS.iter().find(|key| key.path == path);
            match (key, value) {
                (Some(key), value) => match plain_text(value) {
                    Some(text) => self.set(key.path, text, Origin::File(file.to_owned())),
                    None => self.wrong.push(not_allowed(key, &value.to_string(), file.display())),
                },
                (None, toml::Value::Table(table)) if has_keys_below(&path) => {
                    self.take_table(file, &path, table);
                }
                (None, _) => self.wrong.push(format!(
                    "unknown key {path} in {}; known are: {}",
                    file.display(),
                    known_beside(above)
                )),
            }
        }
    }

    fn take_variables(&mut self, variables: Vec<(OsString, OsString)>) {
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with("HAVEN_")) else {
                continue;
            };
            if name == FILE_VARIABLE || is_foreign(name) {
                continue;
            }
            let Some(text) = value.to_str() else {
                self.wrong.push(format!("{name} is not UTF-8 text"));
                continue;
            };
            if let Some(key) = KEYS.iter().find(|key| key.variable() == name) {
                self.set_by_variable(key, name, text.to_owned());
            } else if let Some(key) = key_of_secret_file(name) {
                match read_secret(Path::new(text)) {
                    Ok(secret) => self.set_by_variable(key, name, secret),
                    Err(error) => {
                        self.wrong.push(format!("{name}: cannot read {text}: {error}"));
                    }
                }
            } else {
                self.wrong.push(format!(
                    "unknown variable {name}; `haven config keys` lists what is known"
                ));
            }
        }
    }

    fn set_by_variable(&mut self, key: &'static Key, name: &str, text: String) {
        if let Some((_, Origin::Variable(other))) = self.set.get(key.path) {
            self.wrong.push(format!("{other} and {name} are both set; one of them must go"));
            return;
        }
        self.set(key.path, text, Origin::Variable(name.to_owned()));
    }

    fn finish(mut self) -> Result<Loaded> {
        let mut config = Config::default();
        let data_dir = KEYS.iter().find(|key| key.path == "data_dir");
        let data_dir = match (self.set.get("data_dir"), data_dir) {
            (Some((text, _)), _) => text.clone(),
            (None, key) => key.map_or("", |key| key.default).to_owned(),
        };
        let settings: Vec<Setting> = KEYS
            .iter()
            .map(|key| {
                let (text, origin) = self.set.remove(key.path).unwrap_or_else(|| {
                    (key.default.replace("{data_dir}", &data_dir), Origin::Default)
                });
                Setting { key, text, origin }
            })
            .collect();
        for setting in &settings {
            if (setting.key.read)(&mut config, &setting.text).is_none() {
                let shown = setting.shown();
                self.wrong.push(not_allowed(setting.key, &format!("{shown:?}"), &setting.origin));
            }
        }
        self.wrong.extend(config.contradictions());
        if self.wrong.is_empty() {
            return Ok(Loaded { config, settings });
        }
        Err(Error::invalid(self.wrong.join("\n")))
    }
}

impl Setting {
    /// The value, with what must not be shown masked.
    pub fn shown(&self) -> String {
        const MASKED: &str = "********";
        match self.key.mask {
            Mask::All if !self.text.is_empty() => MASKED.to_owned(),
            Mask::Nothing | Mask::All => self.text.clone(),
            Mask::Password => match self.text.split_once("://") {
                Some((scheme, rest)) => match rest.rsplit_once('@') {
                    Some((user, host)) => {
                        let user = user.split_once(':').map_or(user, |(user, _)| user);
                        format!("{scheme}://{user}:{MASKED}@{host}")
                    }
                    None => self.text.clone(),
                },
                None => self.text.clone(),
            },
        }
    }
}

impl Config {
    /// Keys that do not go together.
    fn contradictions(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            wrong.push("tls.certificate and tls.key must be set together".to_owned());
        }
        if self.s3.access_key.is_some() != self.s3.secret_key.is_some() {
            wrong.push(
                "storage.s3.access_key and storage.s3.secret_key must be set together".to_owned(),
            );
        }
        wrong
    }
}

fn not_allowed(key: &Key, shown: &str, origin: impl fmt::Display) -> String {
    format!("{} (from {origin}) cannot be {shown}: it must be {}", key.path, key.allowed)
}

/// The text of a TOML value, as a variable would hold it.
fn plain_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<_>> =
                items.iter().map(|item| item.as_str().filter(|text| !text.contains(','))).collect();
            items.map(|items| items.join(","))
        }
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

fn has_keys_below(path: &str) -> bool {
    KEYS.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// The names that a table may hold.
fn known_beside(above: &str) -> String {
    let prefix = if above.is_empty() { String::new() } else { format!("{above}.") };
    let mut names: Vec<&str> = KEYS
        .iter()
        .filter_map(|key| key.path.strip_prefix(&prefix))
        .map(|rest| rest.split('.').next().unwrap_or(rest))
        .collect();
    names.dedup();
    names.join(", ")
}

/// The secret that a variable such as `HAVEN_ADMIN_PASSWORD_FILE` names a file for.
fn key_of_secret_file(name: &str) -> Option<&'static Key> {
    let name = name.strip_suffix("_FILE")?;
    KEYS.iter().find(|key| key.mask != Mask::Nothing && key.variable() == name)
}

fn read_secret(file: &Path) -> io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    fs::File::open(file)?.take(LARGEST_SECRET).read_to_string(&mut text)?;
    // Editors and `echo` end a file with a line feed that is no part of the secret.
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn is_foreign(name: &str) -> bool {
    FOREIGN.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == *pattern,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn load(
        toml: &str,
        variables: &[(&str, &str)],
        flags: &[(&'static str, &str)],
    ) -> Result<Loaded> {
        let mut loading = Loading::default();
        loading.take_toml(Path::new("haven.toml"), toml);
        let os = |text: &str| OsString::from(text);
        loading
            .take_variables(variables.iter().map(|(name, value)| (os(name), os(value))).collect());
        for (path, text) in flags {
            loading.set(path, (*text).to_owned(), Origin::Flag((*path).to_owned()));
        }
        loading.finish()
    }

    fn refused(toml: &str, variables: &[(&str, &str)]) -> String {
        load(toml, variables, &[]).err().unwrap().to_string()
    }

    fn origin_of<'a>(loaded: &'a Loaded, path: &str) -> &'a Origin {
        &loaded.settings.iter().find(|setting| setting.key.path == path).unwrap().origin
    }

    #[test]
    fn a_higher_layer_wins() {
        let toml = "[log]\nlevel = \"warn\"\nformat = \"json\"\naccess = false\n";
        let variables = [("HAVEN_LOG_LEVEL", "debug"), ("HAVEN_LOG_FORMAT", "text")];
        let loaded = load(toml, &variables, &[("log.level", "trace")]).unwrap();
        assert_eq!(loaded.config.log_level, "trace");
        assert_eq!(origin_of(&loaded, "log.level"), &Origin::Flag("log.level".to_owned()));
        assert_eq!(loaded.config.log_format, super::super::LogFormat::Text);
        assert!(!loaded.config.log_access);
        assert_eq!(origin_of(&loaded, "log.access"), &Origin::File("haven.toml".into()));
        assert_eq!(origin_of(&loaded, "listen"), &Origin::Default);
    }

    #[test]
    fn defaults_lie_in_the_data_folder() {
        let loaded = load("data_dir = \"/srv/haven\"", &[], &[]).unwrap();
        assert_eq!(loaded.config.database_url.reveal(), "sqlite:/srv/haven/haven.db");
        assert_eq!(loaded.config.storage_url, "file:/srv/haven/storage");
        assert_eq!(loaded.config.secret_key_file, Path::new("/srv/haven/secret.key"));
    }

    #[test]
    fn lists_are_toml_arrays_or_texts() {
        let loaded =
            load("listen = [\"127.0.0.1:1\", \":2\"]\ntrusted_proxies = \"10.0.0.0/8\"", &[], &[]);
        let config = loaded.unwrap().config;
        assert_eq!(config.listen.len(), 2);
        assert_eq!(config.trusted_proxies.len(), 1);
    }

    #[test]
    fn unknown_keys_are_named_with_their_neighbours() {
        let message = refused("[log]\nlevle = \"warn\"\n", &[]);
        assert!(message.contains("unknown key log.levle in haven.toml"), "{message}");
        assert!(message.contains("format, level, access"), "{message}");
        assert!(refused("[nothing]\nx = 1\n", &[]).contains("unknown key nothing"));
    }

    #[test]
    fn unknown_variables_are_refused_and_foreign_ones_are_not() {
        assert!(refused("", &[("HAVEN_LOG_LEVLE", "warn")]).contains("HAVEN_LOG_LEVLE"));
        let foreign = [
            ("HAVEN_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("HAVEN_SERVICE_HOST", "10.0.0.1"),
            ("PATH", "/bin"),
        ];
        assert!(load("", &foreign, &[]).is_ok());
    }

    #[test]
    fn wrong_values_are_named_with_what_is_allowed() {
        let message = refused(
            "storage.s3.redirect = \"maybe\"\nlog.level = 1979-05-27",
            &[("HAVEN_LISTEN", "8080"), ("HAVEN_ADMIN_PASSWORD", "short")],
        );
        for part in [
            "storage.s3.redirect (from haven.toml) cannot be \"maybe\": it must be true or false",
            "log.level (from haven.toml) cannot be 1979-05-27",
            "listen (from HAVEN_LISTEN) cannot be \"8080\": it must be address:port",
            "admin_password (from HAVEN_ADMIN_PASSWORD) cannot be \"********\": it must be",
        ] {
            assert!(message.contains(part), "{part}\nis missing in\n{message}");
        }
        assert!(!message.contains("short"));
    }

    #[test]
    fn keys_that_belong_together_are_asked_for() {
        assert!(refused("tls.key = \"key.pem\"", &[]).contains("tls.certificate and tls.key"));
    }

    #[test]
    fn passwords_are_masked() {
        let variables = [
            ("HAVEN_DATABASE_URL", "postgres://haven:p@ss:word@db/haven"),
            ("HAVEN_ADMIN_PASSWORD", "Str0ngEnough"),
        ];
        let loaded = load("", &variables, &[]).unwrap();
        let shown: Vec<String> = loaded.settings.iter().map(Setting::shown).collect();
        assert!(shown.contains(&"postgres://haven:********@db/haven".to_owned()));
        assert!(!shown.iter().any(|text| text.contains("word") || text.contains("Str0ng")));
    }

    #[test]
    fn a_secret_may_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        fs::write(&file, "Str0ngEnough\n").unwrap();
        let file = file.to_str().unwrap();
        let loaded = load("", &[("HAVEN_ADMIN_PASSWORD_FILE", file)], &[]).unwrap();
        assert_eq!(loaded.config.admin_password.unwrap().reveal(), "Str0ngEnough");
        let both = [("HAVEN_ADMIN_PASSWORD_FILE", file), ("HAVEN_ADMIN_PASSWORD", "Another1")];
        assert!(refused("", &both).contains("are both set"));
        assert!(refused("", &[("HAVEN_LISTEN_FILE", file)]).contains("unknown variable"));
    }
}

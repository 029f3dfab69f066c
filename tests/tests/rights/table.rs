//! The tables: who may what, which operation needs what, and what waits.

use haven_tests::Role;
use std::{collections::BTreeMap, fmt};

/// Harbor's table of who may what.
const RBAC: &str = include_str!("../../../crates/domain/src/access/tests/rbac.tsv");

/// The operations that are served: method, path, need, answer, body. In a path
/// `{name:value}` is the document's `{name}` and what stands there in the test.
const OPERATIONS: &str = include_str!("operations.tsv");

/// Rights whose operations are not served: scope, resource, action, method, path; `-` for
/// both where Harbor itself has no operation that asks for the right.
const WAITING: &str = include_str!("waiting.tsv");

/// A right, of a project or of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    pub scope: &'static str,
    pub resource: &'static str,
    pub action: &'static str,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.scope, self.resource, self.action)
    }
}

impl Right {
    fn parse(text: &'static str) -> Option<Right> {
        let mut parts = text.split(':');
        let (scope, resource, action) = (parts.next()?, parts.next()?, parts.next()?);
        ["project", "system"].contains(&scope).then_some(Right { scope, resource, action })
    }

    /// The right as a robot is given it: what concerns the project itself is called
    /// `project` there.
    pub fn of_robot(self) -> Right {
        let own = self.scope == "project" && self.resource == "(self)";
        Right { resource: if own { "project" } else { self.resource }, ..self }
    }
}

/// Who has a right.
#[derive(Clone, Debug)]
pub struct Rule {
    roles: Vec<Role>,
    /// Everybody, in public projects.
    pub public: bool,
    /// Robots may be given it.
    pub robot: bool,
}

impl Rule {
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// The roles, in the order of the table's columns.
pub const ROLES: [Role; 5] =
    [Role::ProjectAdmin, Role::Maintainer, Role::Developer, Role::Guest, Role::LimitedGuest];

/// Harbor's table.
pub fn rules() -> BTreeMap<Right, Rule> {
    let lines = RBAC.lines().filter(|line| !line.starts_with('#') && !line.starts_with("scope\t"));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let yes = |column: usize| fields.get(column).is_some_and(|field| *field == "y");
            let right = Right { scope: fields[0], resource: fields[1], action: fields[2] };
            let rule = match right.scope {
                "project" => Rule {
                    roles: (0..5).filter(|i| yes(3 + i)).map(|i| ROLES[i]).collect(),
                    public: yes(8),
                    robot: yes(9),
                },
                _ => Rule { roles: Vec::new(), public: false, robot: yes(4) },
            };
            (right, rule)
        })
        .collect()
}

/// What an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// That it is known who asks.
    Known,
    /// That a user asks, whoever it is.
    User,
    /// That somebody asks who administers a project.
    Administrator,
    /// That a sysadmin asks.
    Sysadmin,
    /// That nobody outside asks.
    Never,
    /// A right.
    Right(Right),
}

/// An operation, and how it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub method: &'static str,
    pub path: &'static str,
    pub need: Need,
    answer: &'static str,
    pub body: &'static str,
}

impl Operation {
    /// Whether a status is what those who may are answered.
    pub fn is_answer(&self, status: u16) -> bool {
        self.answer.split(',').any(|own| own.parse() == Ok(status))
    }

    /// The path as it stands in the document.
    pub fn template(&self) -> String {
        let mut template = String::new();
        let path = self.path.split('?').next().unwrap();
        for (i, part) in path.split('{').enumerate() {
            let Some((name, rest)) = part.split_once('}').filter(|_| i > 0) else {
                template.push_str(part);
                continue;
            };
            template.push_str(&format!("{{{}}}{rest}", name.split(':').next().unwrap()));
        }
        template
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// The operations that are tried.
pub fn operations() -> Vec<Operation> {
    let lines = OPERATIONS.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [method, path, need, answer] = fields[..4] else { panic!("four columns: {line}") };
            let need = match need {
                "nothing" => Need::Nothing,
                "known" => Need::Known,
                "user" => Need::User,
                "administrator" => Need::Administrator,
                "sysadmin" => Need::Sysadmin,
                "never" => Need::Never,
                right => Need::Right(Right::parse(right).unwrap_or_else(|| panic!("{line}"))),
            };
            Operation { method, path, need, answer, body: fields.get(4).unwrap_or(&"") }
        })
        .collect()
}

/// A right that waits for an operation.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub right: Right,
    pub method: &'static str,
    pub path: &'static str,
}

/// What waits.
pub fn waiting() -> Vec<Waiting> {
    let lines = WAITING.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [scope, resource, action, method, path] = fields[..] else {
                panic!("five columns: {line}");
            };
            Waiting { right: Right { scope, resource, action }, method, path }
        })
        .collect()
}

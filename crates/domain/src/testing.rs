//! For tests, here and on the floor above: installations of a test's own, on both
//! engines, and what most tests need in them.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use db::{Db, args};
pub use identity::testing as outside;
use kit::{
    Clock, Seal, Secret, Selection, Time,
    query::{Filter, Sort},
};
use tempfile::TempDir;

use crate::{
    Context, FirstStart, Settings,
    access::{self, Action, Allowed, Caller, Resource, Right},
    groups::{self, External, GroupKind, NewGroup},
    immutability::{self, NewRule, Scopes, Selector},
    projects::{self, GivenRole, MemberRef, Metadata, NewMember, NewProject, ProjectRef, Role},
    quotas,
    rights::Patterns,
    robots::{self, NewRobot, RequestedAccess, RequestedPermission},
    settings,
    users::{self, NewUser},
};

/// How long a test waits for something that is to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// The password of the user `admin`, and of every user that [`add_user`] makes.
pub const PASSWORD: &str = "Harbor12345";

/// When the clock of a test starts.
pub const START: Time = Time(1_800_000_000_000_000);

/// A place for one installation, which goes with the test.
pub struct Place {
    /// The database.
    pub url: String,
    /// Where files are kept: the store, and the key.
    pub folder: TempDir,
    database: Option<&'static str>,
}

/// A place with SQLite.
pub fn sqlite() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/haven.db", folder.path().display());
    Place { url, folder, database: None }
}

/// A place with a database of its own on the PostgreSQL server of the tests. Without a
/// server there is nothing to prove, so its absence fails.
pub async fn postgres() -> Place {
    let name = format!("haven_domain_{}", kit::unique_id().simple());
    let admin = server().await;
    let create: &'static str = format!("CREATE DATABASE {name}").leak();
    // The template is locked while another test copies it.
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = admin.all(create, args![]).await {
        assert!(Instant::now() < deadline, "{error}: {:?}", error.source);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    admin.close().await;
    let url = server_url();
    let (base, _) = url.rsplit_once('/').unwrap();
    let folder = tempfile::tempdir().unwrap();
    Place { url: format!("{base}/{name}"), folder, database: Some(name.leak()) }
}

/// A place with each engine.
pub async fn both() -> [Place; 2] {
    [sqlite(), postgres().await]
}

fn server_url() -> String {
    std::env::var("HAVEN_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("HAVEN_TEST_POSTGRES_URL must name a PostgreSQL server (see tests/services)")
    })
}

async fn server() -> Db {
    let options = db::Options { max_connections: 1, ..db::Options::default() };
    Db::open(&server_url(), &options).await.unwrap()
}

impl Place {
    /// The migrated database.
    pub async fn db(&self) -> Db {
        let options = db::Options { max_connections: 8, ..db::Options::default() };
        let db = Db::open(&self.url, &options).await.unwrap();
        db.migrate(&db::migrations()).await.unwrap();
        db
    }

    /// Opens the installation; each call is another replica.
    pub async fn open(&self) -> Context {
        self.open_with(Clock::manual(START)).await
    }

    /// Opens the installation with a clock.
    pub async fn open_with(&self, clock: Clock) -> Context {
        let password = Some(Secret::from(PASSWORD));
        self.try_open(clock, self.seal(), password).await.unwrap().0
    }

    /// Opens the installation, which may fail.
    ///
    /// # Errors
    /// Those of [`Context::open`].
    pub async fn try_open(
        &self,
        clock: Clock,
        seal: Seal,
        password: Option<Secret>,
    ) -> kit::Result<(Context, FirstStart)> {
        let root = self.folder.path().join("storage");
        let store = blobs::Place::Files { root };
        let blobs = blobs::Store::open(&store, &blobs::Options::default()).await.unwrap();
        let (settings, metrics) = (Settings::default(), kit::metrics::Metrics::default());
        Context::open(self.db().await, blobs, clock, seal, settings, metrics, password).await
    }

    /// Whether several replicas may serve from it.
    pub fn is_shared(&self) -> bool {
        self.database.is_some()
    }

    /// The installation's seal.
    pub fn seal(&self) -> Seal {
        Seal::open_or_create_key(&self.folder.path().join("secret.key")).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(name) = self.database.take() else { return };
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let drop: &'static str = format!("DROP DATABASE {name} WITH (FORCE)").leak();
                let admin = server().await;
                let _best_effort = admin.all(drop, args![]).await;
                admin.close().await;
            });
        });
        let _best_effort = dropping.join();
    }
}

/// Asks again until something is so.
pub async fn eventually(is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it did not come to be");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The caller that is the user `admin`.
pub async fn admin(context: &Context) -> Caller {
    Caller::user(&users::find(context, users::ADMIN).await.unwrap().unwrap())
}

/// Makes a user with [`PASSWORD`] whose hash is admin's, so that nothing is hashed.
pub async fn add_user(context: &Context, username: &str) -> Caller {
    const INSERT: &str =
        "INSERT INTO users (username, email, password_hash, created_at, updated_at)
        SELECT $1, $2, password_hash, $3, $3 FROM users WHERE id = 1";
    let args = args![username, format!("{username}@example.org"), context.clock.now()];
    context
        .db
        .write(move |tx| {
            let args = args.clone();
            Box::pin(async move { tx.execute(INSERT, args).await })
        })
        .await
        .unwrap();
    Caller::user(&users::find_by_name(context, username).await.unwrap().unwrap())
}

/// Makes a robot of the system that may do something in all projects, in Harbor's words, and
/// gives its name and secret.
pub async fn add_robot(context: &Context, name: &str, may: &[(&str, &str)]) -> (String, Secret) {
    let by = admin(context).await;
    let allowed = access::on_robots(context, &by, None, Action::Create).await.unwrap();
    let access = |(resource, action): &(&str, &str)| RequestedAccess {
        resource: (*resource).to_owned(),
        action: (*action).to_owned(),
        effect: String::new(),
    };
    let requested = RequestedPermission {
        kind: "project".to_owned(),
        namespace: "*".to_owned(),
        access: may.iter().map(access).collect(),
    };
    let given = access::give(context, &by, &allowed, &[requested]).await.unwrap();
    let new = NewRobot {
        name: name.to_owned(),
        description: String::new(),
        duration: -1,
        disabled: false,
        visible: true,
        secret: None,
    };
    let created = robots::create(context, &allowed, new, given).await.unwrap();
    (created.name, created.secret)
}

/// What a client asks of a list by a `q` and a `sort`.
pub fn selection(q: &str, sort: &str) -> Selection {
    let (filter, sort) = (Filter::parse(q).unwrap(), Sort::parse(sort).unwrap());
    Selection { filter, sort, ..Selection::default() }
}

/// A user to be made, with everything as it should be.
pub fn new_user(username: &str) -> NewUser {
    NewUser {
        username: username.to_owned(),
        email: format!("{username}@example.org"),
        realname: "A User".to_owned(),
        comment: String::new(),
        password: PASSWORD.to_owned(),
    }
}

/// Makes a project that belongs to `admin`, and gives its number.
pub async fn add_project(context: &Context, name: &str, public: bool) -> i64 {
    let creator = access::creator(context, &admin(context).await).await.unwrap();
    let metadata = Metadata::public(public);
    let new = NewProject { name: name.to_owned(), metadata, ..NewProject::default() };
    projects::create(context, &creator, new).await.unwrap()
}

/// Makes a robot of the system, or of a project, that has rights such as `repository:pull`
/// there and nowhere else. Gives it as a caller, and the secret that it logs in with.
pub async fn robot_of(
    context: &Context,
    project: Option<&str>,
    name: &str,
    rights: &[&str],
) -> (Caller, Secret) {
    let right = |right: &&str| {
        let (resource, action) = right.split_once(':').unwrap();
        let (resource, action) = (resource.to_owned(), action.to_owned());
        RequestedAccess { resource, action, effect: String::new() }
    };
    let permission = RequestedPermission {
        kind: project.map_or("system", |_| "project").to_owned(),
        namespace: project.unwrap_or("/").to_owned(),
        access: rights.iter().map(right).collect(),
    };
    let admin = admin(context).await;
    let level = project.map(ProjectRef::Name);
    let allowed = access::on_robots(context, &admin, level, Action::Create).await.unwrap();
    let given = access::give(context, &admin, &allowed, &[permission]).await.unwrap();
    let new = NewRobot {
        name: name.to_owned(),
        description: String::new(),
        duration: -1,
        disabled: false,
        visible: true,
        secret: None,
    };
    let made = robots::create(context, &allowed, new, given).await.unwrap();
    let robot = robots::verify(context, &made.name, made.secret.reveal()).await.unwrap();
    (Caller::robot(&robot.unwrap()), made.secret)
}

/// Makes a user a member of a project, and gives the member's number.
pub async fn join(context: &Context, project: &str, user: &Caller, role: Role) -> i64 {
    let who = MemberRef::User(user.user_id().unwrap());
    add_member(context, project, who, role.id(), None).await.unwrap()
}

/// Makes somebody a member of a project with any role, perhaps for some repositories only.
///
/// # Errors
/// Those of [`projects::add_member`].
pub async fn add_member(
    context: &Context,
    project: &str,
    who: MemberRef,
    role_id: i64,
    repositories: Option<&[&str]>,
) -> kit::Result<i64> {
    let allowed = allowed(context, project, Right::new(Resource::Member, Action::Create)).await;
    let role = given(context, &allowed, role_id).await;
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let repositories = repositories.map(|list| Patterns::parse(&texts(list)).unwrap());
    projects::add_member(context, &allowed, NewMember { who, repositories }, role).await
}

/// The proof that `admin` may give somebody a role in a project.
pub async fn given(context: &Context, allowed: &Allowed, role_id: i64) -> GivenRole {
    let project_id = allowed.project().id;
    access::give_role(context, &admin(context).await, project_id, role_id).await.unwrap()
}

/// Makes a group that only its name tells apart, and gives its number.
pub async fn add_group(context: &Context, name: &str) -> i64 {
    let right = Right::new(Resource::UserGroup, Action::Create);
    let allowed = access::on_system(context, &admin(context).await, right).await.unwrap();
    let new = NewGroup { name: name.to_owned(), kind: GroupKind::Oidc, dn: None };
    groups::create(context, &allowed, new).await.unwrap()
}

/// Somebody signs in, and is in some groups that only their names tell apart.
pub async fn sign_in(context: &Context, user: &Caller, groups: &[&str]) {
    let found: Vec<External> =
        groups.iter().map(|name| External { name: (*name).to_owned(), dn: None }).collect();
    let user_id = user.user_id().unwrap();
    groups::at_sign_in(context, user_id, GroupKind::Oidc, &found).await.unwrap();
}

/// The proof that `admin` may do something in a project.
pub async fn allowed(context: &Context, project: &str, right: Right) -> Allowed {
    let admin = admin(context).await;
    access::on_project(context, &admin, ProjectRef::Name(project), right).await.unwrap()
}

/// Gives an artifact more tags, `t0` and so on, at once.
pub async fn add_tags(context: &Context, artifact_id: i64, count: i64) {
    context
        .db
        .write(move |tx| {
            Box::pin(async move {
                let tags = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n \
                            WHERE i + 1 < CAST($2 AS BIGINT)) \
                            INSERT INTO tags (repository_id, artifact_id, name, pushed_at) \
                            SELECT a.repository_id, a.id, 't' || n.i, a.pushed_at + n.i \
                            FROM artifacts AS a, n WHERE a.id = $1";
                tx.execute(tags, args![artifact_id, count]).await
            })
        })
        .await
        .unwrap();
}

/// Makes a setting what a text says.
pub async fn set(context: &Context, key: settings::Key, text: &str) {
    let value = settings::Value::wanted(key, text).unwrap();
    let change = settings::Change::of(&[(key, value)], &context.seal);
    let caches = context.caches.clone();
    let done = context.db.write(move |tx| {
        let (change, caches) = (change.clone(), caches.clone());
        Box::pin(async move { change.store(tx, &caches).await })
    });
    done.await.unwrap();
}

/// Sets how many bytes a project may store; -1 for any number.
pub async fn set_limit(context: &Context, project_id: i64, bytes: i64) {
    let right = Right::new(Resource::Quota, Action::Update);
    let allowed = access::on_system(context, &admin(context).await, right).await.unwrap();
    quotas::update(context, &allowed, project_id, bytes).await.unwrap();
}

/// Makes tags of repositories of a project immutable, by their patterns.
pub async fn keep_immutable(context: &Context, project: &str, repositories: &str, tags: &str) {
    let selector = |decoration: &str, pattern: &str| Selector {
        kind: "doublestar".to_owned(),
        decoration: decoration.to_owned(),
        pattern: pattern.to_owned(),
        extras: String::new(),
    };
    let repositories = vec![selector("repoMatches", repositories)];
    let rule = NewRule {
        tag_selectors: vec![selector("matches", tags)],
        scope_selectors: Scopes::from([("repository".to_owned(), repositories)]),
        ..NewRule::default()
    };
    let right = Right::new(Resource::ImmutableTag, Action::Create);
    let allowed = allowed(context, project, right).await;
    immutability::create(context, &allowed, rule).await.unwrap();
}

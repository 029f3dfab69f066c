//! What a source says, when somebody signs in, of the groups that they are in.

use std::collections::{BTreeMap, BTreeSet};

use db::{Args, Sql, Tx, args};
use kit::{Error, Result, Subject, Time};

use super::{Group, GroupKind, LONGEST_NAME, is_dn, is_name, key, read_group, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    cache::Pair,
    context::Caches,
    rights::Who,
    users::{self, is_hidden},
};

/// The most groups that somebody may be in; those beyond do not count.
const MOST: usize = 1000;

/// How many projects are named to the caches when somebody's groups change; of more, they
/// forget all.
const MOST_NAMED: i64 = 256;

/// A group as its source knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// Its name.
    pub name: String,
    /// Its distinguished name, if it is one of LDAP.
    pub dn: Option<String>,
}

/// By what groups of a kind are told apart, and what they are.
type Keyed = BTreeMap<String, External>;

/// Stores in which groups of a kind a user is, and in no others: groups that are not known
/// are made. What cannot be a group (a name that is empty or too long, one of LDAP without
/// a distinguished name) does not count. Writes only what changed.
///
/// # Errors
/// NotFound when the user is no more.
pub async fn at_sign_in(
    context: &Context,
    user_id: i64,
    kind: GroupKind,
    found: &[External],
) -> Result<()> {
    let wanted = keyed(kind, found);
    let rows = context.db.all(sql::OF_USER, args![user_id, kind.id()]).await?;
    let known: BTreeSet<String> = rows
        .iter()
        .map(|row| read_group(row).map(|group| key_of(&group)))
        .collect::<Result<_>>()?;
    if known.iter().eq(wanted.keys()) {
        return Ok(());
    }
    let (now, caches) = (context.clock.now(), context.caches.clone());
    context
        .db
        .write(move |tx| {
            let (wanted, caches) = (wanted.clone(), caches.clone());
            Box::pin(async move {
                // Two that sign in as the same user take turns.
                users::lock(tx, user_id).await?.ok_or_else(|| {
                    Error::not_found(Subject::User, format!("user {user_id} not found"))
                })?;
                let wanted = resolve(tx, kind, &wanted, now).await?;
                let rows = tx.all(sql::OF_USER, args![user_id, kind.id()]).await?;
                let known = rows.iter().map(|row| row.get(0)).collect::<Result<BTreeSet<i64>>>()?;
                store(tx, &caches, user_id, &known, &wanted).await
            })
        })
        .await
}

/// A group that a source knows, which is made if it is not known here. Gives it as it is
/// here.
///
/// # Errors
/// Invalid when it cannot be one.
pub async fn onboard(
    context: &Context,
    by: &Who,
    kind: GroupKind,
    external: &External,
) -> Result<Group> {
    let one = match kind {
        GroupKind::Ldap => keyed(kind, std::slice::from_ref(external)).pop_first(),
        // Somebody may have typed it: it is what it is, or nothing.
        GroupKind::Http | GroupKind::Oidc => {
            is_name(&external.name).then(|| (external.name.clone(), external.clone()))
        }
    };
    let (key, external) =
        one.ok_or_else(|| Error::invalid("this cannot be a user group").about(Subject::UserGroup))?;
    let known = match kind {
        GroupKind::Ldap => context.db.one(sql::BY_DN, args![&key]).await?,
        GroupKind::Http | GroupKind::Oidc => {
            context.db.one(sql::BY_NAME, args![kind.id(), &key]).await?
        }
    };
    if let Some(known) = known {
        return read_group(&known);
    }
    let audit = audit::by(context, by).await?;
    let id = context
        .db
        .write(move |tx| {
            let (key, external, audit) = (key.clone(), external.clone(), audit.clone());
            Box::pin(async move {
                let id = make(tx, kind, &key, &external, audit.now()).await?;
                audit.record(tx, Entry::new(Event::CreateUserGroup, external.name)).await?;
                Ok(id)
            })
        })
        .await?;
    let made = match id {
        Some(id) => super::find(context, id).await?,
        None => None,
    };
    made.ok_or_else(|| Error::conflict("another user group has its name").about(Subject::UserGroup))
}

/// The groups that can be groups, each once.
fn keyed(kind: GroupKind, found: &[External]) -> Keyed {
    let mut keyed = Keyed::new();
    let mut left_out = 0;
    for group in found {
        let name: String = group.name.trim().chars().filter(|c| !is_hidden(*c)).collect();
        let dn = group.dn.as_deref().map(str::trim).filter(|dn| is_dn(dn));
        let (key, external) = match (kind, dn) {
            (GroupKind::Ldap, Some(dn)) => {
                let name = if is_name(&name) { name } else { short(dn) };
                (key(dn), External { name, dn: Some(dn.to_owned()) })
            }
            (GroupKind::Http | GroupKind::Oidc, _) if is_name(&name) => {
                (name.clone(), External { name, dn: None })
            }
            _ => {
                left_out += 1;
                continue;
            }
        };
        if keyed.len() < MOST || keyed.contains_key(&key) {
            keyed.insert(key, external);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        tracing::warn!(left_out, "groups of somebody who signs in do not count");
    }
    keyed
}

/// What a group is told apart by.
fn key_of(group: &Group) -> String {
    group.dn.as_deref().map_or_else(|| group.name.clone(), key)
}

/// The numbers of groups, which are made where there are none.
async fn resolve(tx: &mut Tx, kind: GroupKind, wanted: &Keyed, now: Time) -> Result<BTreeSet<i64>> {
    let (before, after) = match kind {
        GroupKind::Ldap => (sql::BY_DNS_BEFORE, sql::BY_DNS_AFTER),
        GroupKind::Http | GroupKind::Oidc => (sql::BY_NAMES_BEFORE, sql::BY_NAMES_AFTER),
    };
    let mut args = args![kind.id()];
    args.extend(wanted.keys().cloned());
    let mut ids = BTreeMap::new();
    for row in tx.all(Sql::list(before, wanted.len(), after), args).await? {
        let group = read_group(&row)?;
        ids.insert(key_of(&group), group.id);
    }
    for (key, external) in
        wanted.iter().filter(|(key, _)| !ids.contains_key(*key)).collect::<Vec<_>>()
    {
        if let Some(id) = make(tx, kind, key, external, now).await? {
            ids.insert(key.clone(), id);
        }
    }
    Ok(ids.into_values().collect())
}

/// Makes a group that was not there a moment ago. One of LDAP whose name another has is
/// called by its distinguished name, as Harbor does; none if another has that too.
async fn make(
    tx: &mut Tx,
    kind: GroupKind,
    key: &str,
    external: &External,
    now: Time,
) -> Result<Option<i64>> {
    let dn = external.dn.as_deref();
    let mut names = vec![external.name.clone()];
    names.extend(dn.map(short));
    for name in names {
        let row = args![name, kind.id(), dn, dn.map(|_| key), now];
        if let Some(made) = tx.one(sql::INSERT_NEW, row).await? {
            return made.get(0).map(Some);
        }
        // Somebody who signed in at the same time made it.
        let there = match dn {
            Some(_) => tx.one(sql::BY_DN, args![key]).await?,
            None => tx.one(sql::BY_NAME, args![kind.id(), key]).await?,
        };
        if let Some(there) = there {
            return there.get(0).map(Some);
        }
    }
    tracing::warn!(name = external.name, "a group has no name of its own and does not count");
    Ok(None)
}

/// Stores that a user is in some groups and no longer in others.
async fn store(
    tx: &mut Tx,
    caches: &Caches,
    user_id: i64,
    known: &BTreeSet<i64>,
    wanted: &BTreeSet<i64>,
) -> Result<()> {
    let changed: Vec<i64> = known.symmetric_difference(wanted).copied().collect();
    // Locked first: one that becomes a member of a project at this moment is then seen
    // here, or its project's caches forget everything once this is done.
    let mut args = Args::new();
    args.extend(changed.iter().copied());
    let locked = Sql::list(sql::LOCK_BEFORE, changed.len(), sql::LOCK_AFTER);
    let locked = tx.all(locked, args).await?;
    let there = locked.iter().map(|row| row.get(0)).collect::<Result<BTreeSet<i64>>>()?;

    let mut of_groups = args![MOST_NAMED];
    of_groups.extend(changed.iter().copied());
    let projects = Sql::list(sql::PROJECTS_BEFORE, changed.len(), sql::PROJECTS_AFTER);
    let projects = tx.all(projects, of_groups).await?;
    if projects.len() < usize::try_from(MOST_NAMED).unwrap_or(0) {
        for row in projects {
            caches.roles.changes(tx, &Pair(row.get(0)?, user_id));
        }
    } else {
        caches.roles.all_change(tx);
    }

    let left: Vec<i64> = known.difference(wanted).copied().collect();
    let mut args = args![user_id];
    args.extend(left.iter().copied());
    tx.execute(Sql::list(sql::LEAVE_BEFORE, left.len(), sql::LEAVE_AFTER), args).await?;
    // One that was deleted at this moment is not there to be in.
    for id in wanted.difference(known).filter(|id| there.contains(id)) {
        tx.execute(sql::JOIN, args![user_id, *id]).await?;
    }
    Ok(())
}

/// A distinguished name as it can be a name.
fn short(dn: &str) -> String {
    let short: String = dn.chars().filter(|c| !is_hidden(*c)).take(LONGEST_NAME).collect();
    short.trim().to_owned()
}

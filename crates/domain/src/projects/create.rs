//! Making a project.

use db::{Tx, args};
use kit::{Error, Kind, Result, Subject, Time};

use super::{Metadata, Role, TOTAL, sql};
use crate::{
    Context, allowlists,
    audit::{self, Entry, Event},
    cache::Pair,
    events::{self, Happened},
    rights::Who,
    settings::{self, Key},
    users::ADMIN,
};

/// The number of the project `library`, which exists from the first start.
const LIBRARY: i64 = 1;

/// The longest name, in characters.
const LONGEST: usize = 255;

/// Proof that somebody may make projects, and who they will belong to.
#[derive(Clone, Debug)]
pub struct Creator {
    by: Who,
    owner_id: i64,
    decides: bool,
}

impl Creator {
    /// The proof, for `access` to give. `decides` is for who may say more of a project than
    /// others.
    pub(crate) fn decided(by: &Who, owner_id: i64, decides: bool) -> Self {
        Self { by: by.clone(), owner_id, decides }
    }

    /// Whether the creator may say what others get from the settings, and may make projects
    /// that are a proxy of another registry.
    pub fn decides(&self) -> bool {
        self.decides
    }
}

/// A project to be made.
#[derive(Clone, Debug, Default)]
pub struct NewProject {
    /// Its name.
    pub name: String,
    /// Whether it is public, and what else is set.
    pub metadata: Metadata,
    /// The CVEs that do not count in it.
    pub allowlist: Option<allowlists::Change>,
    /// How much it may store, in bytes, -1 for no limit; counts only if the creator decides.
    /// Else it is what the settings say at this moment.
    pub storage_limit: Option<i64>,
}

/// Makes a project for somebody, who becomes its administrator. Gives its number.
///
/// # Errors
/// Invalid when the name or the allowlist break Harbor's rules; Conflict when the name is
/// taken.
pub async fn create(context: &Context, creator: &Creator, new: NewProject) -> Result<i64> {
    if !is_name(&new.name) {
        return Err(Error::invalid(
            "a project's name has 1 to 255 characters: lower-case letters and digits, \
             with single '.', '_' or '-' between them",
        )
        .about(Subject::Project));
    }
    if let Some(allowlist) = &new.allowlist {
        allowlist.check()?;
    }
    let name = new.name.clone();
    let audit = audit::by(context, &creator.by).await?;
    let limit = limit(context, creator, &new).await?;
    let (owner_id, now, caches) = (creator.owner_id, context.clock.now(), context.caches.clone());
    let made = context
        .db
        .write(move |tx| {
            let (new, caches, audit) = (new.clone(), caches.clone(), audit.clone());
            Box::pin(async move {
                let public = new.metadata.public.unwrap_or(false);
                let args = args![&new.name, owner_id, public, now, limit];
                let row = tx.one(sql::INSERT, args).await?;
                let id = row.ok_or_else(|| Error::internal("a new project has no id"))?.get(0)?;
                new.metadata.store(tx, id).await?;
                if let Some(allowlist) = &new.allowlist {
                    allowlist.store(tx, id, now).await?;
                }
                add_admin(tx, id, owner_id, now).await?;
                caches.projects.changes(tx, &new.name);
                caches.project_total.changes(tx, &TOTAL);
                caches.roles.changes(tx, &Pair(id, owner_id));
                let entry = Entry::new(Event::CreateProject, &new.name).in_project(id);
                audit.record(tx, entry).await?;
                let created = events::Event::ProjectCreated { name: new.name };
                events::record(tx, &Happened::by(&audit, created).in_project(id)).await?;
                Ok(id)
            })
        })
        .await;
    made.map_err(|error| match error.kind {
        Kind::Conflict => Error::conflict(format!("The project named {name} already exists"))
            .about(Subject::Project),
        _ => error,
    })
}

/// How much a new project may store. While there are no quotas it is not limited.
async fn limit(context: &Context, creator: &Creator, new: &NewProject) -> Result<i64> {
    let configuration = settings::current(context).await?;
    if !configuration.flag(Key::QuotaPerProjectEnable) {
        return Ok(-1);
    }
    let asked = new.storage_limit.filter(|limit| creator.decides && *limit != 0);
    Ok(asked.unwrap_or_else(|| configuration.number(Key::StoragePerProject)))
}

/// Makes the project `library`, if there is none. The caller holds a lock, and has made
/// the user `admin`.
pub(crate) async fn first(tx: &mut Tx, now: Time) -> Result<()> {
    let made = tx.execute(sql::INSERT_FIRST, args![LIBRARY, "library", ADMIN, now]).await?;
    if made == 1 {
        add_admin(tx, LIBRARY, ADMIN, now).await?;
    }
    Ok(())
}

/// Makes the owner of a new project its administrator.
async fn add_admin(tx: &mut Tx, project_id: i64, user_id: i64, now: Time) -> Result<()> {
    let everything: Option<String> = None;
    let args = args![project_id, "u", user_id, Role::ProjectAdmin.id(), now, everything];
    tx.one(sql::INSERT_MEMBER, args).await.map(drop)
}

/// Whether a text is a project's name: words of letters and digits, with one dot,
/// underscore or hyphen between two of them.
pub(crate) fn is_name(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.len() <= LONGEST && text.split(['.', '_', '-']).all(is_word)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_harbors() {
        for good in ["a", "0", "a.b_c-d", &"a".repeat(255)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "A", "a--b", "a.-b", "-a", "a-", "a/b", "a b", "é", &"a".repeat(256)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}

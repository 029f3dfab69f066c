//! What is set for a project: Harbor's metadata, which are texts.

use std::collections::BTreeMap;

use db::{Tx, args};
use kit::{Error, Result, Subject};

use super::{Allowed, sql};
use crate::{
    Context,
    audit::{self, Entry, Event},
    rights::{Action, Resource, Right},
};

/// The metadata of a project, as far as given.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// Whether everybody may pull.
    pub public: Option<bool>,
    /// Everything else, by Harbor's names.
    pub others: BTreeMap<String, String>,
}

/// What a value may be.
enum Values {
    TrueOrFalse,
    Severity,
    Number,
    DoublestarOrRegex,
    Text,
}

/// Every name but `public`, and what its value may be.
fn values(name: &str) -> Option<Values> {
    Some(match name {
        "enable_content_trust"
        | "enable_content_trust_cosign"
        | "prevent_vul"
        | "auto_scan"
        | "auto_sbom_generation"
        | "reuse_sys_cve_allowlist"
        | "proxy_referrer_api"
        | "proxy_cache_local_on_not_found" => Values::TrueOrFalse,
        "severity" => Values::Severity,
        "proxy_speed_kb" | "max_upstream_conn" => Values::Number,
        "proxy_cache_filter_kind" => Values::DoublestarOrRegex,
        "proxy_cache_filter_pattern" => Values::Text,
        _ => return None,
    })
}

impl Metadata {
    /// Whether all names are known and all values are what they may be.
    pub(super) fn check(&self) -> Result<()> {
        for (name, value) in &self.others {
            let fits = match values(name) {
                Some(Values::TrueOrFalse) => matches!(value.as_str(), "true" | "false"),
                Some(Values::Severity) => {
                    matches!(value.as_str(), "none" | "low" | "medium" | "high" | "critical")
                }
                Some(Values::Number) => value.parse::<i32>().is_ok_and(|number| number >= -1),
                Some(Values::DoublestarOrRegex) => matches!(value.as_str(), "doublestar" | "regex"),
                Some(Values::Text) => value.len() <= 1024,
                None => false,
            };
            if !fits {
                let message = format!("the metadata {name:?} is not known or has a wrong value");
                return Err(Error::invalid(message).about(Subject::Project));
            }
        }
        Ok(())
    }

    /// Stores all but `public`, which is a column of the project. At most a dozen rows.
    pub(super) async fn store(&self, tx: &mut Tx, project_id: i64) -> Result<()> {
        for (name, value) in &self.others {
            tx.execute(sql::SET_METADATA, args![project_id, name, value]).await?;
        }
        Ok(())
    }
}

/// Sets metadata of a project; those that are not given stay.
///
/// # Errors
/// Invalid when a name is not known or a value not allowed.
pub async fn update(context: &Context, allowed: &Allowed, metadata: Metadata) -> Result<()> {
    allowed.require(Right::new(Resource::Itself, Action::Update))?;
    metadata.check()?;
    let (project, now) = (allowed.project().clone(), context.clock.now());
    let (caches, audit) = (context.caches.clone(), audit::by(context, allowed.by()).await?);
    context
        .db
        .write(move |tx| {
            let (metadata, project) = (metadata.clone(), project.clone());
            let (caches, audit) = (caches.clone(), audit.clone());
            Box::pin(async move {
                let args = args![project.id, metadata.public, now];
                if tx.execute(sql::UPDATE, args).await? == 0 {
                    let message = format!("project {} not found", project.name);
                    return Err(Error::not_found(Subject::Project, message));
                }
                metadata.store(tx, project.id).await?;
                caches.projects.changes(tx, &project.name.to_string());
                let entry = Entry::new(Event::UpdateProject, &*project.name).in_project(project.id);
                audit.record(tx, entry).await
            })
        })
        .await
}

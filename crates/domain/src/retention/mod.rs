//! Retention: which artifacts of a project stay, and that the others go.
//!
//! Owns the tables `retention_policies`, `retention_runs` and `retention_findings`. A project
//! has one policy of up to fifteen rules; what one rule keeps stays (`evaluate`, which reads
//! nothing and writes nothing). A run looks at each repository that a rule is about by a task
//! of its own (`run`). Promises:
//! - A repository that no rule is about is not touched.
//! - What is immutable, and what an index that stays lists, stays. What belongs to an artifact,
//!   such as its signatures, is never judged by itself: it stays and goes with the artifact.
//! - What was pushed or tagged since it was judged stays until the next run.
//! - A run goes by the policy as it was when the run began. A dry run deletes nothing.
//! - What was decided about each artifact, and by which rules, is kept as long as the run is
//!   ([`findings`]). A policy's runs go with it.

mod change;
mod evaluate;
mod findings;
mod policy;
mod run;
mod runs;
mod show;
mod sql;
mod table;
mod tell;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use change::sweep;
pub use change::{begin, create, delete, stop, update};
pub use evaluate::Outcome;
pub use findings::Finding;
pub use policy::{Frame, NewPolicy, Policy, Rule};
pub(crate) use run::run;
pub use runs::{Found, Run, Wanted, findings, run_of, runs};
pub use show::{executions, known, log, policy_of, projects_of, tasks};
pub use template::{TEMPLATES, TemplateInfo};

//! What people write about a repository.

use db::args;
use kit::{Error, Result, Subject};
use oci::RepositoryName;

use crate::{
    Context,
    audit::{self, Entry, Event},
    projects::Allowed,
    rights::{Action, Resource, Right},
};

use super::sql;

/// The longest description, in bytes, as it is sent.
const LONGEST: usize = 64 * 1024;

/// Writes something about a repository. What HTML would take for its own is kept escaped, as
/// Harbor does.
///
/// # Errors
/// NotFound; Invalid for a text that is too long.
pub async fn describe(
    context: &Context,
    allowed: &Allowed,
    name: &RepositoryName,
    description: &str,
) -> Result<()> {
    allowed.require(Right::new(Resource::Repository, Action::Update))?;
    let repository = super::allowed(context, allowed, name).await?;
    if description.len() > LONGEST {
        return Err(Error::invalid(format!("a description has at most {LONGEST} bytes")));
    }
    if description.contains('\0') {
        return Err(Error::invalid("a description holds no NUL"));
    }
    let audit = audit::by(context, allowed.by()).await?;
    let (name, text) = (name.clone(), escaped(description));
    context
        .db
        .write(move |tx| {
            let (audit, name, text) = (audit.clone(), name.clone(), text.clone());
            let (id, project_id) = (repository.id, repository.project_id);
            Box::pin(async move {
                if tx.execute(sql::DESCRIBE, args![id, text, audit.now()]).await? == 0 {
                    let message = format!("repository {name} not found");
                    return Err(Error::not_found(Subject::Repository, message));
                }
                let entry = Entry::new(Event::UpdateRepository, name.as_str());
                audit.record(tx, entry.in_project(project_id)).await
            })
        })
        .await
}

/// A text in which nothing means anything to HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_means_something_to_html_is_escaped_once() {
        assert_eq!(escaped("plain äöü 中文\n"), "plain äöü 中文\n");
        assert_eq!(escaped(r#"<a href="x">&amp;'"#), "&lt;a href=&#34;x&#34;&gt;&amp;amp;&#39;");
    }
}

//! From which sources users are, for those who look at them.

use std::collections::HashMap;

use db::{Args, Sql};
use kit::Result;

use super::{every, sql};
use crate::Context;

/// The names of the sources that users are from, by the numbers of users; who is only known
/// here is not among them.
///
/// # Errors
/// None but the database's.
pub async fn origins(context: &Context, users: &[i64]) -> Result<HashMap<i64, Vec<String>>> {
    let mut args = Args::new();
    args.extend(users.iter().copied());
    let listed = Sql::list(sql::SOURCES_OF_BEFORE, users.len(), sql::SOURCES_OF_AFTER);
    let rows = context.db.all(listed, args).await?;
    // In the order in which sources are asked.
    let sources = every(context).await?;
    let mut origins: HashMap<i64, Vec<String>> = HashMap::new();
    for source in &sources {
        for row in &rows {
            let (user, id): (i64, i64) = (row.get(0)?, row.get(1)?);
            if id == source.id {
                origins.entry(user).or_default().push(source.name.clone());
            }
        }
    }
    Ok(origins)
}

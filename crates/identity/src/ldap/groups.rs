//! Groups: which there are, and in which somebody is, through other groups too.

use std::collections::{HashSet, VecDeque};

use super::{
    Grouping, Membership, Person, Scope, Settings, bound,
    connection::Connection,
    filter::Filter,
    message::{Entry, Search},
};
use crate::{Failure, Result};

/// The most groups that a search gives, and that somebody may be in.
const MOST_GROUPS: usize = 1000;

/// The most steps from group to group, whatever the settings say.
const DEEPEST: u32 = 10;

/// A group of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The distinguished name.
    pub dn: String,
    /// The name for people.
    pub name: String,
    /// Whether the filter for groups holds for it.
    pub(super) counts: bool,
}

/// Groups by a part of their name; all of them by an empty one, up to 1,000.
///
/// # Errors
/// All that is about the connection and the settings.
pub async fn find_groups(settings: &Settings, name: &str) -> Result<Vec<Group>> {
    let grouping = grouping(settings)?;
    let attribute = grouping.name_attribute();
    let named = match name {
        "" => Filter::Present(attribute.to_owned()),
        name => Filter::contains(attribute, name),
    };
    let filter = Filter::All(vec![Filter::parse(&grouping.filter)?, named]);
    let mut connection = bound(settings).await?;
    let found = below_base(&mut connection, settings, grouping, &filter).await?;
    connection.close().await;
    Ok(found)
}

/// A group by its distinguished name; none if there is no such entry, or it is no group.
///
/// # Errors
/// BadDn when it is no distinguished name; all that is about the connection and the settings.
pub async fn find_group(settings: &Settings, dn: &str) -> Result<Option<Group>> {
    if !looks_like_a_dn(dn) {
        return Err(Failure::BadDn);
    }
    let grouping = grouping(settings)?;
    let mut connection = bound(settings).await?;
    let found = read(&mut connection, settings, grouping, dn).await?;
    connection.close().await;
    Ok(found.map(|(group, _)| group).filter(|group| group.counts))
}

/// The groups that somebody is in. Those for which the filter does not hold are among them,
/// marked so, as the administrators' may be one of them.
pub(super) async fn of(
    connection: &mut Connection,
    settings: &Settings,
    grouping: &Grouping,
    person: &Person,
    entry: &Entry,
) -> Result<Vec<Group>> {
    match &grouping.membership {
        Membership::OfPerson(attribute) => {
            let named = entry.values(attribute.trim()).map(str::to_owned).collect();
            upwards(connection, settings, grouping, attribute.trim(), named).await
        }
        Membership::OfGroup(attribute) => {
            let attribute = attribute.trim();
            let value = match attribute.eq_ignore_ascii_case("memberUid") {
                true => &person.username,
                false => &person.dn,
            };
            downwards(connection, settings, grouping, attribute, value).await
        }
    }
}

/// Follows an attribute that names the groups of an entry, from group to group.
async fn upwards(
    connection: &mut Connection,
    settings: &Settings,
    grouping: &Grouping,
    attribute: &str,
    named: Vec<String>,
) -> Result<Vec<Group>> {
    let nesting = grouping.nesting.min(DEEPEST);
    let mut seen = HashSet::new();
    let mut waiting: VecDeque<(String, u32)> = named.into_iter().map(|dn| (dn, 0)).collect();
    let mut groups = Vec::new();
    while let Some((dn, depth)) = waiting.pop_front() {
        if groups.len() == MOST_GROUPS || !seen.insert(normal(&dn)) {
            continue;
        }
        // A group that we may not see counts for nothing, and stops nobody from signing in.
        let Some((group, entry)) = read(connection, settings, grouping, &dn).await? else {
            continue;
        };
        if depth < nesting {
            let above = entry.values(attribute).map(|dn| (dn.to_owned(), depth + 1));
            waiting.extend(above.take(MOST_GROUPS));
        }
        groups.push(group);
    }
    Ok(groups)
}

/// Searches for groups that name a member, and then for those that name these groups.
async fn downwards(
    connection: &mut Connection,
    settings: &Settings,
    grouping: &Grouping,
    attribute: &str,
    value: &str,
) -> Result<Vec<Group>> {
    let mut seen = HashSet::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut members = vec![value.to_owned()];
    for _ in 0..=grouping.nesting.min(DEEPEST) {
        if members.is_empty() || groups.len() >= MOST_GROUPS {
            break;
        }
        // One question for all of a level.
        let names = members.iter().take(MOST_GROUPS);
        let named = Filter::Any(names.map(|dn| Filter::equal(attribute, dn)).collect());
        let found = below_base(connection, settings, grouping, &named).await?;
        let new: Vec<Group> =
            found.into_iter().filter(|group| seen.insert(normal(&group.dn))).collect();
        members = new.iter().map(|group| group.dn.clone()).collect();
        groups.extend(new);
    }
    let counted = Filter::parse(&grouping.filter)?;
    if counted == Filter::everything() {
        return Ok(groups);
    }
    // Which of them the filter holds for, only the directory can say.
    let all = Filter::All(vec![counted, Filter::Present(grouping.name_attribute().to_owned())]);
    let counting: HashSet<String> = below_base(connection, settings, grouping, &all)
        .await?
        .iter()
        .map(|group| normal(&group.dn))
        .collect();
    for group in &mut groups {
        group.counts = counting.contains(&normal(&group.dn));
    }
    Ok(groups)
}

/// Searches below the base of groups.
async fn below_base(
    connection: &mut Connection,
    settings: &Settings,
    grouping: &Grouping,
    filter: &Filter,
) -> Result<Vec<Group>> {
    let attribute = grouping.name_attribute();
    let search = Search {
        base: grouping.base_dn.trim(),
        scope: grouping.scope,
        filter,
        attributes: &[attribute],
        most: u32::try_from(MOST_GROUPS).unwrap_or(u32::MAX),
        seconds: settings.seconds(),
    };
    let found = connection.search(&search).await?;
    Ok(found.iter().map(|entry| group(entry, attribute, true)).collect())
}

/// Reads one group by its distinguished name, and whether the filter for groups holds for it;
/// with its entry, which names the groups that it is in.
async fn read(
    connection: &mut Connection,
    settings: &Settings,
    grouping: &Grouping,
    dn: &str,
) -> Result<Option<(Group, Entry)>> {
    let attribute = grouping.name_attribute();
    let mut attributes = vec![attribute];
    if let Membership::OfPerson(above) = &grouping.membership {
        attributes.push(above.trim());
    }
    let counted = Filter::parse(&grouping.filter)?;
    for (filter, counts) in [(&counted, true), (&Filter::everything(), false)] {
        let search = Search {
            base: dn,
            scope: Scope::Base,
            filter,
            attributes: &attributes,
            most: 1,
            seconds: settings.seconds(),
        };
        match connection.search(&search).await {
            Ok(found) => {
                if let Some(entry) = found.into_iter().next() {
                    return Ok(Some((group(&entry, attribute, counts), entry)));
                }
            }
            Err(Failure::NoSuchBase(_) | Failure::BadDn) => return Ok(None),
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}

fn group(entry: &Entry, attribute: &str, counts: bool) -> Group {
    let name = entry.first(attribute).unwrap_or(&entry.dn).to_owned();
    Group { dn: entry.dn.clone(), name, counts }
}

fn grouping(settings: &Settings) -> Result<&Grouping> {
    let missing = || Failure::Misconfigured("LDAP groups are not configured".to_owned());
    settings.grouping.as_ref().ok_or_else(missing)
}

/// A distinguished name as it is compared: without regard to case and to spaces around what
/// separates its parts.
pub fn normal(dn: &str) -> String {
    let mut normal = String::with_capacity(dn.len());
    let mut spaces = 0;
    let mut escaped = false;
    let mut between = true;
    for character in dn.chars().flat_map(char::to_lowercase) {
        if character == ' ' && !escaped {
            spaces += usize::from(!between);
            continue;
        }
        between = !escaped && matches!(character, ',' | ';' | '=' | '+');
        if !between {
            normal.extend(std::iter::repeat_n(' ', spaces));
        }
        spaces = 0;
        escaped = character == '\\' && !escaped;
        normal.push(character);
    }
    normal
}

/// Whether a text has the form of a distinguished name: parts with an equals sign each.
pub fn looks_like_a_dn(dn: &str) -> bool {
    dn.len() <= 4096
        && !dn.contains('\0')
        && dn.split_once('=').is_some_and(|(attribute, rest)| {
            let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ' ');
            !attribute.trim().is_empty() && attribute.chars().all(fine) && !rest.trim().is_empty()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_directories_do() {
        let same = ["cn=Admins,dc=example,dc=org", "CN=admins, dc = Example ,DC=org"];
        assert_eq!(normal(same[0]), normal(same[1]));
        assert_ne!(normal("cn=a b,dc=x"), normal("cn=ab,dc=x"));
        for (left, right) in
            [("cn=a\\,b", "cn=a,b"), ("cn=a\\, b", "cn=a\\,b"), ("cn=a\\ ,b=c", "cn=a,b=c")]
        {
            assert_ne!(normal(left), normal(right));
        }
    }

    #[test]
    fn a_name_has_an_attribute() {
        for good in ["cn=a", "cn=a,dc=example", "2.5.4.3=a", "CN = a"] {
            assert!(looks_like_a_dn(good), "{good}");
        }
        for bad in ["", "a", "=a", "cn=", "a(b)=c", "cn=a\0"] {
            assert!(!looks_like_a_dn(bad), "{bad}");
        }
    }
}

//! People and groups who become members of projects before anybody of them has signed in.

use kit::Result;

use super::{known_group, known_person};
use crate::{
    Context,
    groups::{self, External, GroupKind},
    projects::MemberRef,
    rights::Who,
    users,
};

/// Who is meant: whom nobody here knows is looked for in the sources, and taken in.
///
/// # Errors
/// As [`known_person`] and [`known_group`].
pub async fn member(context: &Context, by: &Who, who: MemberRef) -> Result<MemberRef> {
    match who {
        MemberRef::UserName(name) if !name.contains('\0') => {
            if users::find_by_name(context, &name).await?.is_some() {
                return Ok(MemberRef::UserName(name));
            }
            let found = known_person(context, &name).await?;
            Ok(found.map_or(MemberRef::UserName(name), MemberRef::User))
        }
        MemberRef::GroupDn(dn) => {
            if let Some(group) = groups::find_by_dn(context, &dn).await? {
                return Ok(MemberRef::Group(group.id));
            }
            let Some(found) = known_group(context, &dn).await? else {
                return Ok(MemberRef::GroupDn(dn));
            };
            let external = External { name: found.name, dn: Some(found.dn) };
            let group = groups::onboard(context, by, GroupKind::Ldap, &external).await?;
            Ok(MemberRef::Group(group.id))
        }
        known => Ok(known),
    }
}

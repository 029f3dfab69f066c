//! Icons: pictures of our own for what is known, by the digests under which Harbor's clients
//! ask for them, and pictures that artifacts of other kinds bring.

use bytes::Bytes;
use db::args;
use kit::{Error, Result, Subject};
use oci::{Digest, RepositoryName, artifact::icon_type};

use super::{
    content::{LARGEST_ICON, blob},
    details_sql as sql,
};
use crate::{Context, access::Sight};

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icon {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub content: Bytes,
}

/// What an artifact or accessory is shown by.
struct Known {
    /// Its name in Harbor's API.
    name: &'static str,
    /// The digest of its icon.
    digest: &'static str,
    /// What is drawn, on a field of 24 by 24.
    path: &'static str,
}

const fn known(name: &'static str, digest: &'static str, path: &'static str) -> Known {
    Known { name, digest, path }
}

const KINDS: [Known; 6] = [
    known(
        "IMAGE",
        "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06",
        "M12 3 22 8 12 13 2 8ZM2 12 12 17 22 12M2 16 12 21 22 16",
    ),
    known(
        "CHART",
        "sha256:61cf3a178ff0f75bf08a25d96b75cf7355dc197749a9f128ed3ef34b0df05518",
        "M12 7A5 5 0 1 1 12 17 5 5 0 1 1 12 7ZM12 2V7M12 17V22M2 12H7M17 12H22M5 5 8.5 8.5M15.5 15.5 19 19M5 19 8.5 15.5M15.5 8.5 19 5",
    ),
    known(
        "CNAB",
        "sha256:089bdda265c14d8686111402c8ad629e8177a1ceb7dcd0f7f39b6480f623b3bd",
        "M3 8 12 3 21 8V17L12 22 3 17ZM3 8 12 13 21 8M12 13V22M7 5.5 16.5 10.5V14",
    ),
    known(
        "WASM",
        "sha256:badd7693bcaf115be202748241dd0ea6ee3b0524bfab9ac22d1e1c43721afec6",
        "M3 3H9A3 3 0 0 0 15 3H21V21H3ZM6 11 8 18 10 11 12 18 14 11M15 18 17 11 19 18M15.8 15.5H18.2",
    ),
    known(
        "CNAI",
        "sha256:1e1e5c5fdaf0931ec8655e835d1182f723a0c322a6760211622e1270f0193717",
        "M12 10A2 2 0 1 1 12 14 2 2 0 1 1 12 10ZM4 3.5A1.5 1.5 0 1 1 4 6.5 1.5 1.5 0 1 1 4 3.5ZM20 3.5A1.5 1.5 0 1 1 20 6.5 1.5 1.5 0 1 1 20 3.5ZM4 17.5A1.5 1.5 0 1 1 4 20.5 1.5 1.5 0 1 1 4 17.5ZM20 17.5A1.5 1.5 0 1 1 20 20.5 1.5 1.5 0 1 1 20 17.5ZM5 6 10.5 10.5M19 6 13.5 10.5M5 18 10.5 13.5M19 18 13.5 13.5",
    ),
    known("SBOM", SBOM, LIST),
];

const ACCESSORIES: [Known; 4] = [
    known(
        "signature.cosign",
        "sha256:20401d5b3a0f6dbc607c8d732eb08471af4ae6b19811a4efce8c6a724aed2882",
        "M12 2 20 5V11C20 16 16.5 20 12 22 7.5 20 4 16 4 11V5ZM8 12 11 15 16.5 8.5",
    ),
    known(
        "signature.notation",
        "sha256:3ac706e102bbe9362b400aa162df58135d35e66b9c3bee2165de92022d25fe34",
        "M4 20 5 15 16 4 20 8 9 19ZM14 6 18 10M4 22H20",
    ),
    known(
        "accelerator.nydus",
        "sha256:dfcb6617cd9c144358dc1b305b87bbe34f0b619f1e329116e6aee2e41f2e34cf",
        "M13 2 5 13H11L10 22 19 10H13Z",
    ),
    known("sbom.harbor", SBOM, LIST),
];

const SBOM: &str = "sha256:c19f80c357cd7e90d2a01b9ae3e2eb62ce447a2662bb590a19177d72d550bdae";
const LIST: &str = "M5 2H19V22H5ZM8 7H9M11 7H16M8 12H9M11 12H16M8 17H9M11 17H16";

const OTHER: Known = known(
    "",
    "sha256:da834479c923584f4cbcdecc0dac61f32bef1d51e8aae598cf16bd154efab49f",
    "M3 8 12 3 21 8V17L12 22 3 17ZM3 8 12 13 21 8M12 13V22",
);

/// How many artifacts with the same icon are looked at for one that the caller sees.
const TRIED: i64 = 100;

/// The digest of the icon of a kind of artifacts.
pub(super) fn of_kind(kind: &str) -> &'static str {
    KINDS.iter().find(|known| known.name == kind).unwrap_or(&OTHER).digest
}

/// The digest of the icon of a kind of accessories; empty where there is none.
pub(super) fn of_accessory(kind: &str) -> &'static str {
    ACCESSORIES.iter().find(|known| known.name == kind).map_or("", |known| known.digest)
}

/// The picture of a digest: one of the house's, or one that an artifact brings which somebody
/// sees.
///
/// # Errors
/// NotFound for any other.
pub async fn icon(context: &Context, sight: &Sight, digest: &Digest) -> Result<Icon> {
    let digest_text = digest.to_string();
    let mut ours = KINDS.iter().chain(&ACCESSORIES).chain([&OTHER]);
    if let Some(known) = ours.find(|known| known.digest == digest_text) {
        return Ok(draw(known.path));
    }
    let missing = || Error::not_found(Subject::Request, format!("the icon {digest} not found"));
    let repository = seen_with(context, sight, &digest_text).await?.ok_or_else(missing)?;
    let content = blob(context, &repository, digest, LARGEST_ICON).await?.ok_or_else(missing)?;
    let media_type = icon_type(&content).ok_or_else(missing)?;
    Ok(Icon { media_type, content })
}

/// A repository that somebody sees with an artifact that has an icon.
async fn seen_with(
    context: &Context,
    sight: &Sight,
    digest: &str,
) -> Result<Option<RepositoryName>> {
    let view = sight.view();
    let args = args![digest, view.is_everything(), view.user_id(), view.robot_id(), TRIED];
    for row in context.db.all(sql::WITH_ICON, args).await? {
        let name: String = row.get(0)?;
        let rest = name.split_once('/').map_or("", |(_, rest)| rest);
        if sight.is_whole() || sight.covers(row.get(1)?, row.get(2)?, rest) {
            return name.parse().map(Some).map_err(Error::internal);
        }
    }
    Ok(None)
}

fn draw(path: &str) -> Icon {
    let picture = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50" viewBox="0 0 24 24" fill="none" stroke="#3a5a78" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"><path d="{path}"/></svg>"##
    );
    Icon { media_type: "image/svg+xml", content: Bytes::from(picture) }
}

//! Icons: pictures of our own for what is known, by the digests under which Harbor's clients
//! ask for them, and pictures that artifacts of other kinds bring.

/// What an artifact or accessory is shown by.
struct Known {
    /// Its name in Harbor's API.
    name: &'static str,
    /// The digest of its icon.
    digest: &'static str,
}

const fn known(name: &'static str, digest: &'static str) -> Known {
    Known { name, digest }
}

const KINDS: [Known; 6] = [
    known("IMAGE", "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06"),
    known("CHART", "sha256:61cf3a178ff0f75bf08a25d96b75cf7355dc197749a9f128ed3ef34b0df05518"),
    known("CNAB", "sha256:089bdda265c14d8686111402c8ad629e8177a1ceb7dcd0f7f39b6480f623b3bd"),
    known("WASM", "sha256:badd7693bcaf115be202748241dd0ea6ee3b0524bfab9ac22d1e1c43721afec6"),
    known("CNAI", "sha256:1e1e5c5fdaf0931ec8655e835d1182f723a0c322a6760211622e1270f0193717"),
    known("SBOM", SBOM),
];

const ACCESSORIES: [Known; 4] = [
    known(
        "signature.cosign",
        "sha256:20401d5b3a0f6dbc607c8d732eb08471af4ae6b19811a4efce8c6a724aed2882",
    ),
    known(
        "signature.notation",
        "sha256:3ac706e102bbe9362b400aa162df58135d35e66b9c3bee2165de92022d25fe34",
    ),
    known(
        "accelerator.nydus",
        "sha256:dfcb6617cd9c144358dc1b305b87bbe34f0b619f1e329116e6aee2e41f2e34cf",
    ),
    known("sbom.harbor", SBOM),
];

const SBOM: &str = "sha256:c19f80c357cd7e90d2a01b9ae3e2eb62ce447a2662bb590a19177d72d550bdae";
const OTHER: &str = "sha256:da834479c923584f4cbcdecc0dac61f32bef1d51e8aae598cf16bd154efab49f";

/// The digest of the icon of a kind of artifacts.
pub(super) fn of_kind(kind: &str) -> &'static str {
    KINDS.iter().find(|known| known.name == kind).map_or(OTHER, |known| known.digest)
}

/// The digest of the icon of a kind of accessories; empty where there is none.
pub(super) fn of_accessory(kind: &str) -> &'static str {
    ACCESSORIES.iter().find(|known| known.name == kind).map_or("", |known| known.digest)
}

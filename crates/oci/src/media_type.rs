//! The media types that mean something to a registry, and what they mean.
//!
//! Any other media type is welcome as well: it is stored and served without a meaning.

/// OCI image manifest (image-spec `manifest.md`).
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index (image-spec `image-index.md`); also what the referrers API answers.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The content `{}`, for a descriptor that has to be there but says nothing.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The artifact manifest of the image-spec's 1.1 release candidates, dropped before 1.1.
/// Old releases of oras and notation wrote it.
pub const OCI_ARTIFACT_MANIFEST: &str = "application/vnd.oci.artifact.manifest.v1+json";

/// Docker image manifest, version 2, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker manifest list: an index by another name.
pub const DOCKER_MANIFEST_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker image configuration.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Docker manifest, version 2, schema 1: obsolete and refused.
pub const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
/// Docker manifest, version 2, schema 1, signed: obsolete and refused.
pub const DOCKER_SCHEMA1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// Configuration of a Helm chart.
pub const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
/// A Helm chart, as a gzipped tar.
pub const HELM_CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The provenance file of a Helm chart.
pub const HELM_PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// Layer of a cosign signature that is found by its tag.
pub const COSIGN_SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Artifact type of a cosign signature that names its subject.
pub const COSIGN_SIGNATURE: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
/// Artifact type of a sigstore bundle, which cosign writes since version 3.
pub const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Artifact type of a notation signature.
pub const NOTATION_SIGNATURE: &str = "application/vnd.cncf.notary.signature";
/// Artifact type of an SBOM that Harbor made.
pub const HARBOR_SBOM: &str = "application/vnd.goharbor.harbor.sbom.v1";
/// Configuration of BuildKit's cache. Its index lists layers where manifests are expected.
pub const BUILDKIT_CACHE_CONFIG: &str = "application/vnd.buildkit.cacheconfig.v0";

/// What a blob is served as: the registry does not know what is in it.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// Whether it is a manifest with a configuration and layers.
pub fn is_image(media_type: &str) -> bool {
    matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
}

/// Whether it is a list of manifests.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_MANIFEST_LIST)
}

/// Whether it is Docker's schema 1, signed or not.
pub fn is_schema1(media_type: &str) -> bool {
    matches!(media_type, DOCKER_SCHEMA1 | DOCKER_SCHEMA1_SIGNED)
}

/// Whether layers of this type may be kept elsewhere: Docker's foreign and OCI's
/// non-distributable layers, in any compression or encryption.
pub fn is_foreign_layer(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
        || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
}

/// The media type in a `Content-Type` header, without its parameters.
/// None unless it is well formed (RFC 6838, section 4.2), hence safe to send back in a header.
pub fn parse(header: &str) -> Option<&str> {
    let media_type = header.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
    let (kind, subtype) = media_type.split_once('/')?;
    (is_restricted_name(kind) && is_restricted_name(subtype)).then_some(media_type)
}

fn is_restricted_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    text.len() <= 127
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_left_out() {
        for header in [
            OCI_MANIFEST.to_owned(),
            format!("{OCI_MANIFEST}; charset=utf-8"),
            format!(" {OCI_MANIFEST}\t;"),
            format!("{OCI_MANIFEST};a=\"/;\""),
        ] {
            assert_eq!(parse(&header), Some(OCI_MANIFEST), "{header:?}");
        }
    }

    #[test]
    fn what_is_no_media_type_is_refused() {
        let too_long = format!("a/{}", "b".repeat(128));
        for header in [
            "",
            ";",
            "a",
            "a/",
            "/b",
            "a/b/c",
            "a/b c",
            "a/b\r\nX: y",
            "a/é",
            "-a/b",
            "*/*",
            &too_long,
        ] {
            assert_eq!(parse(header), None, "{header:?}");
        }
    }

    #[test]
    fn layers_kept_elsewhere_are_known_in_every_form() {
        for layer in [
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd+encrypted",
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        ] {
            assert!(is_foreign_layer(layer), "{layer}");
        }
        assert!(!is_foreign_layer("application/vnd.oci.image.layer.v1.tar+gzip"));
        assert!(!is_foreign_layer("application/vnd.docker.image.rootfs.diff.tar.gzip"));
    }
}

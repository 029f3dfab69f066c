//! What makes an artifact an accessory of another one.

use crate::{Algorithm, Digest, Manifest, Tag, media_type};

/// What an accessory is to its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessoryKind {
    /// A signature that cosign made.
    CosignSignature,
    /// A signature that notation made.
    NotationSignature,
    /// A form of the image that nydus starts sooner.
    Nydus,
    /// A bill of materials that Harbor made.
    Sbom,
    /// Anything else that names a subject.
    Other,
}

/// The annotation on the last layer of a nydus image.
const NYDUS_BOOTSTRAP: &str = "containerd.io/snapshot/nydus-bootstrap";

impl AccessoryKind {
    /// Its name in Harbor's API.
    pub fn name(self) -> &'static str {
        match self {
            Self::CosignSignature => "signature.cosign",
            Self::NotationSignature => "signature.notation",
            Self::Nydus => "accelerator.nydus",
            Self::Sbom => "sbom.harbor",
            Self::Other => "subject.accessory",
        }
    }

    /// What a manifest is an accessory of, and what to it: the subject that it names, and
    /// the one that cosign's tag names (`sha256-<hex>.sig`). At most one for each subject.
    pub fn of(manifest: &Manifest, tag: Option<&Tag>) -> Vec<(Self, Digest)> {
        let mut found = Vec::new();
        if let Some(subject) = tag.and_then(signed_by_tag)
            && manifest.layers.iter().any(|l| l.media_type == media_type::COSIGN_SIMPLE_SIGNING)
        {
            found.push((Self::CosignSignature, subject));
        }
        if let Some(subject) = &manifest.subject
            && !found.iter().any(|(_, other)| *other == subject.digest)
        {
            found.push((Self::by_type(manifest), subject.digest));
        }
        found
    }

    fn by_type(manifest: &Manifest) -> Self {
        match manifest.artifact_type.as_deref() {
            Some(media_type::COSIGN_SIGNATURE | media_type::SIGSTORE_BUNDLE) => {
                Self::CosignSignature
            }
            Some(media_type::NOTATION_SIGNATURE) => Self::NotationSignature,
            Some(media_type::HARBOR_SBOM) => Self::Sbom,
            Some(media_type::OCI_CONFIG | media_type::DOCKER_CONFIG) if is_nydus(manifest) => {
                Self::Nydus
            }
            _ => Self::Other,
        }
    }
}

fn is_nydus(manifest: &Manifest) -> bool {
    manifest.layers.last().is_some_and(|layer| layer.annotations.contains_key(NYDUS_BOOTSTRAP))
}

/// The digest in a tag of cosign's for a signature.
fn signed_by_tag(tag: &Tag) -> Option<Digest> {
    let hex = tag.as_str().strip_prefix("sha256-")?.strip_suffix(".sig")?;
    let digest: Digest = format!("sha256:{hex}").parse().ok()?;
    (digest.algorithm() == Algorithm::Sha256).then_some(digest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn digest(of: &str) -> Digest {
        Digest::of(Algorithm::Sha256, of.as_bytes())
    }

    fn descriptor(media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": digest("x"), "size": 1})
    }

    fn manifest(mut fields: Value) -> Manifest {
        fields["schemaVersion"] = json!(2);
        if fields["config"].is_null() {
            fields["config"] = descriptor(media_type::OCI_CONFIG);
        }
        Manifest::parse(fields.to_string().as_bytes(), Some(media_type::OCI_MANIFEST)).unwrap()
    }

    fn subject() -> Value {
        json!({"mediaType": media_type::OCI_MANIFEST, "digest": digest("subject"), "size": 1})
    }

    #[test]
    fn a_subject_makes_an_accessory() {
        let of = |fields: Value| {
            let mut fields = fields;
            fields["subject"] = subject();
            match AccessoryKind::of(&manifest(fields), None).as_slice() {
                [(kind, of)] if *of == digest("subject") => kind.name(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(of(json!({})), "subject.accessory");
        for (of_type, kind) in [
            (media_type::COSIGN_SIGNATURE, "signature.cosign"),
            (media_type::SIGSTORE_BUNDLE, "signature.cosign"),
            (media_type::NOTATION_SIGNATURE, "signature.notation"),
            (media_type::HARBOR_SBOM, "sbom.harbor"),
            ("application/vnd.acme", "subject.accessory"),
        ] {
            assert_eq!(of(json!({"artifactType": of_type})), kind);
            assert_eq!(of(json!({"config": descriptor(of_type)})), kind);
        }
        let mut last = descriptor("application/vnd.oci.image.layer.v1.tar");
        last["annotations"] = json!({NYDUS_BOOTSTRAP: "true"});
        assert_eq!(of(json!({"layers": [descriptor("a/b"), last]})), "accelerator.nydus");
        assert_eq!(of(json!({"layers": [last, descriptor("a/b")]})), "subject.accessory");
    }

    #[test]
    fn cosigns_tag_makes_an_accessory_of_what_was_signed() {
        let tag = |subject: &Digest| -> Tag {
            format!("sha256-{}.sig", subject.to_string().split_once(':').unwrap().1)
                .parse()
                .unwrap()
        };
        let signature =
            manifest(json!({"layers": [descriptor(media_type::COSIGN_SIMPLE_SIGNING)]}));
        let signed = digest("signed");
        let expected = vec![(AccessoryKind::CosignSignature, signed)];
        assert_eq!(AccessoryKind::of(&signature, Some(&tag(&signed))), expected);
        assert_eq!(AccessoryKind::of(&signature, None), []);
        for other in ["latest", "sha256-12.sig", &tag(&signed).as_str().replace(".sig", ".att")] {
            assert_eq!(AccessoryKind::of(&signature, Some(&other.parse().unwrap())), []);
        }
        assert_eq!(AccessoryKind::of(&manifest(json!({})), Some(&tag(&signed))), []);
        // Both ways at once, as cosign does it for registries that know both.
        let both = manifest(json!({"subject": subject(),
            "layers": [descriptor(media_type::COSIGN_SIMPLE_SIGNING)]}));
        let one = vec![(AccessoryKind::CosignSignature, digest("subject"))];
        assert_eq!(AccessoryKind::of(&both, Some(&tag(&digest("subject")))), one);
        assert_eq!(AccessoryKind::of(&both, Some(&tag(&signed))).len(), 2);
    }
}

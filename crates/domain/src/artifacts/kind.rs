//! What kind of thing an artifact is, in Harbor's words.

use oci::media_type;

/// The kind of an artifact, such as `IMAGE` or `CHART`, by the media types of its manifest
/// and configuration and by its artifact type. `UNKNOWN` if nothing tells.
pub fn kind(manifest: &str, config: Option<&str>, artifact_type: Option<&str>) -> String {
    if media_type::is_index(manifest) {
        return "IMAGE".to_owned();
    }
    let named = [config, artifact_type].into_iter().flatten().find_map(known_or_named);
    named.unwrap_or_else(|| "UNKNOWN".to_owned())
}

/// The kind that a media type stands for, by a table or else by its own words.
fn known_or_named(media_type: &str) -> Option<String> {
    let known = match media_type {
        "application/vnd.oci.image.config.v1+json"
        | "application/vnd.docker.container.image.v1+json" => "IMAGE",
        "application/vnd.cncf.helm.config.v1+json" => "CHART",
        "application/vnd.cnab.manifest.v1" | "application/vnd.cnab.config.v1+json" => "CNAB",
        "application/vnd.cncf.model.config.v1+json" => "CNAI",
        "application/vnd.goharbor.harbor.sbom.v1" => "SBOM",
        _ => return named(media_type),
    };
    Some(known.to_owned())
}

/// The word before `config` in `application/vnd.<org>.<word>.config…`, in capitals.
fn named(media_type: &str) -> Option<String> {
    let rest = media_type.strip_prefix("application/vnd.")?;
    let (before, _) = rest.split_once(".config")?;
    let (_, word) = before.rsplit_once('.')?;
    (!word.is_empty()).then(|| word.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::kind;

    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

    #[test]
    fn kinds_have_harbors_names() {
        let of_config = |config| kind(MANIFEST, Some(config), None);
        assert_eq!(of_config("application/vnd.oci.image.config.v1+json"), "IMAGE");
        assert_eq!(of_config("application/vnd.docker.container.image.v1+json"), "IMAGE");
        assert_eq!(of_config("application/vnd.cncf.helm.config.v1+json"), "CHART");
        assert_eq!(of_config("application/vnd.acme.rocket.config.v1+json"), "ROCKET");
        assert_eq!(of_config("application/vnd.oci.empty.v1+json"), "UNKNOWN");
        assert_eq!(of_config("text/plain"), "UNKNOWN");
        assert_eq!(kind("application/vnd.oci.image.index.v1+json", None, None), "IMAGE");
        assert_eq!(kind(MANIFEST, None, Some("application/vnd.acme.rocket.config")), "ROCKET");
    }
}

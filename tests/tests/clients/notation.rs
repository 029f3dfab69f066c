//! notation: signatures by a certificate, found by the referrers of what is signed.

use crate::{NO_RIGHT, Scene, WRONG_LOGIN, assert_whole};
use haven_tests::{
    Client, Image, on_each_setup,
    tool::{Home, Output},
};
use serde_json::json;

/// Of what kind a signature of the Notary Project is.
const SIGNATURE: &str = "application/vnd.cncf.notary.signature";

async fn notation(home: &Home, user: &Client, password: &str, arguments: &[&str]) -> Output {
    let own = ["--insecure-registry", "--username", user.name(), "--password", password];
    home.run("notation", &[arguments, &own[..]].concat()).await
}

/// Has this home trust the certificate of that name, and no other.
async fn trust(home: &Home, certificate: &str) {
    let policy = json!({
        "version": "1.0",
        "trustPolicies": [{
            "name": "all",
            "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"},
            "trustStores": [format!("ca:{certificate}")],
            "trustedIdentities": ["*"],
        }],
    });
    home.write("policy.json", policy.to_string());
    home.run("notation", &["policy", "import", "--force", "policy.json"]).await.ok();
}

#[tokio::test]
async fn notation_signs_and_verifies() {
    on_each_setup(async |server| {
        let scene = Scene::on(server).await;
        let image = Image::random(&[1000]);
        let repository = scene.repository("app");
        repository.push("1", &image).await;
        let name = format!("{}@{}", scene.reference("app"), image.manifest.digest);
        let home = Home::new();
        for certificate in ["signer", "other"] {
            home.run("notation", &["certificate", "generate-test", certificate]).await.ok();
        }
        trust(&home, "signer").await;
        let (developer, guest) = (&scene.developer, &scene.guest);
        let sign = async |user: &Client, password: &str, format: &str| {
            let arguments = [
                "sign",
                "--key",
                "signer",
                "--force-referrers-tag=false",
                "--signature-format",
                format,
                &name,
            ];
            notation(&home, user, password, &arguments).await
        };
        let verify =
            async |user: &Client| notation(&home, user, user.password(), &["verify", &name]).await;

        sign(developer, "Wrong1Password", "jws").await.refused(WRONG_LOGIN);
        verify(developer).await.refused(&["no signature is associated"]);
        for format in ["jws", "cose"] {
            sign(developer, developer.password(), format).await.ok();
        }
        let verified = verify(developer).await.ok();
        assert!(verified.contains(&image.manifest.digest), "{verified}");
        let listed = notation(&home, developer, developer.password(), &["list", &name]).await.ok();
        let referrers = repository.referrers(&image.manifest.digest, "").await;
        let referrers = referrers.expect(200).json();
        let signatures = referrers["manifests"].as_array().unwrap();
        assert_eq!(signatures.len(), 2, "{referrers}");
        for signature in signatures {
            assert_eq!(signature["artifactType"], SIGNATURE);
            let digest = signature["digest"].as_str().unwrap();
            assert!(listed.contains(digest), "{digest} is not in {listed}");
            assert_eq!(assert_whole(&repository, digest).await, digest);
        }
        // The signatures refer to the image; no tag was needed, and the image is as it was.
        assert_eq!(repository.tags().await, ["1"]);
        assert_eq!(assert_whole(&repository, "1").await, image.manifest.digest);

        // In the API they are accessories of the image.
        let artifacts = scene.artifacts("app").await;
        assert_eq!(artifacts.len(), 1, "{artifacts:#?}");
        let accessories = artifacts[0]["accessories"].as_array().unwrap();
        assert_eq!(accessories.len(), 2);
        assert!(accessories.iter().all(|accessory| accessory["type"] == "signature.notation"));

        // A guest may verify and not sign; who trusts somebody else does not trust this.
        verify(guest).await.ok();
        sign(guest, guest.password(), "jws").await.refused(NO_RIGHT);
        trust(&home, "other").await;
        verify(developer).await.refused(&["signature verification failed"]);
    })
    .await;
}

//! The formats of the OCI distribution and image specifications: what a registry's clients
//! send and receive, parsed strictly and without any input or output of its own.

pub mod artifact;
mod descriptor;
mod digest;
mod endpoint;
mod error_code;
mod manifest;
pub mod media_type;
mod name;
pub mod range;
mod reference;
mod scope;

pub use descriptor::{Descriptor, Platform};
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use endpoint::{Endpoint, EndpointError};
pub use error_code::ErrorCode;
pub use manifest::{DEEPEST_MANIFEST, LONGEST_MANIFEST, Manifest, ManifestError, ManifestKind};
pub use name::{NameError, RepositoryName};
pub use reference::{Reference, ReferenceError, Tag, TagError};
pub use scope::{Scope, ScopeError};

//! The formats of the OCI distribution and image specifications: what a registry's clients
//! send and receive, parsed strictly and without any input or output of its own.

mod digest;
mod name;
mod reference;

pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use name::{NameError, RepositoryName};
pub use reference::{Reference, ReferenceError, Tag, TagError};

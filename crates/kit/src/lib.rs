//! Small shared tools without any knowledge of the product.

mod clock;
mod error;
mod id;
pub mod metrics;
mod paging;
mod pattern;
pub mod query;
mod seal;
mod secret;
mod selector;
pub mod size;
mod version;

pub use clock::{Clock, Time};
pub use error::{Detail, Error, Kind, Result, Subject};
pub use id::{request_id, unique_id};
pub use paging::{Keyset, Page};
pub use pattern::Pattern;
pub use query::Selection;
pub use seal::Seal;
pub use secret::{Secret, constant_time_eq, random_bytes, random_password, random_token};
pub use selector::Selector;
pub use version::{Version, Versions};

//! Small shared tools without any knowledge of the product.

mod clock;
mod error;

pub use clock::{Clock, Time};
pub use error::{Detail, Error, Kind, Result, Subject};

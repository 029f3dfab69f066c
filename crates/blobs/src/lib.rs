//! The blob store: bytes by their digest, in local files or in an object store.
//!
//! The store only holds bytes. What exists is said by the rows of the database, which name the
//! [`Key`] of each blob; whatever lies here without a row is garbage to be swept.
//!
//! - Reading: [`Store::read`] gives a [`Reader`], a response body.
//! - Writing: [`Store::begin`] makes the state of an [`Upload`]; [`Store::resume`] makes a
//!   [`Writer`] of it, for one chunk; [`Writer::pause`] gives the state to keep until the next
//!   one, [`Writer::finish`] makes it a blob.
//! - Keeping house: [`Store::delete`], [`Store::list`], [`Store::sweep_uploads`].
//!
//! Memory for bytes on their way is one bounded pool (`pool.rs`), however many clients there
//! are. No call here blocks its thread on the disk.

mod batch;
mod error;
mod files;
mod key;
mod mapped;
mod objects;
mod place;
mod pool;
mod reader;
mod room;
mod store;
mod upload;
mod writer;

pub use key::Key;
pub use mapped::Unread;
pub use place::{Options, Place, S3Place};
pub use reader::Reader;
pub use room::FreeSpace;
pub use store::{Entry, Store, Volume};
pub use upload::Upload;
pub use writer::{Stored, Writer};

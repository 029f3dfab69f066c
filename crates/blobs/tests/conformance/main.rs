//! One suite for every backend of the blob store: what each of them promises, tried on the
//! real thing. Local files need nothing; S3 needs a server, named by `HAVEN_TEST_S3_ENDPOINT`,
//! `_BUCKET`, `_REGION`, `_ACCESS_KEY` and `_SECRET_KEY`.

#![allow(clippy::unwrap_used)]

mod backend;
mod keeping;
mod reading;
mod wire;
mod writing;

mod files;
mod s3;

/// Makes a module with one test for each promise, for one backend.
macro_rules! keeps_every_promise {
    ($backend:expr; $($part:ident :: { $($promise:ident),* $(,)? })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let backend = $backend;
                crate::$part::$promise(&backend).await;
                backend.clear().await;
            }
        )*)*
    };
}

/// The list of all promises, in one place for all backends.
macro_rules! every_promise {
    ($backend:expr) => {
        crate::keeps_every_promise! {
            $backend;
            writing::{
                a_blob_is_read_as_it_was_written,
                no_byte_is_a_blob_too,
                an_upload_survives_its_process,
                many_chunks_of_odd_sizes_make_one_blob,
                what_was_not_acknowledged_is_cut_off,
                a_writer_that_is_dropped_changes_nothing,
                a_late_writer_reaches_nobody,
                a_wrong_digest_discards_the_upload,
                another_algorithm_than_announced_is_hashed_again,
                an_unknown_hash_state_is_hashed_again,
                the_same_blob_from_many_at_once,
                single_bytes_make_a_blob,
                a_small_pool_serves_many,
                an_aborted_upload_is_gone,
                the_state_of_another_store_is_refused,
            }
            reading::{
                every_range_is_exact,
                a_range_outside_is_refused,
                a_missing_blob_is_not_found,
                a_blob_too_short_for_its_row_is_not_found,
                a_reader_keeps_what_it_opened,
            }
            keeping::{
                deleted_blobs_are_gone,
                every_blob_is_listed_once,
                the_sweep_takes_what_nobody_knows,
                a_store_answers_for_its_health,
            }
        }
    };
}

use every_promise;
use keeps_every_promise;

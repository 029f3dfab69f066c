//! Memory that the start needs and serving does not.

/// Gives back to the system what the start has freed: the description of the API alone takes a
/// dozen megabytes while it is written, in pieces between others that stay, and the allocator
/// would keep them all.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it may be called at any time, from any thread, and touches nothing in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

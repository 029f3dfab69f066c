//! Names that nobody has to hand out.

use uuid::Uuid;

/// A unique id. Later ones sort after earlier ones of the same process, so that rows which are
/// inserted together lie together.
pub fn unique_id() -> Uuid {
    Uuid::now_v7()
}

/// The id of a request that came without one.
pub fn request_id() -> String {
    unique_id().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_ascend() {
        let ids: Vec<Uuid> = (0..1000).map(|_| unique_id()).collect();
        assert!(ids.is_sorted_by(|earlier, later| earlier < later));
        assert_ne!(request_id(), request_id());
    }
}

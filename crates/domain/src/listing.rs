//! What the lists of all rooms have in common.

use kit::Page;

/// One page of a list, and how long the whole list is.
#[derive(Clone, Debug, Default)]
pub struct Listing<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// How many items there are on all pages.
    pub total: i64,
}

/// How many items a page has, for `LIMIT`.
pub(crate) fn limit(page: Page) -> i64 {
    i64::try_from(page.page_size).unwrap_or(i64::MAX)
}

/// How many items come before a page, for `OFFSET`.
pub(crate) fn offset(page: Page) -> i64 {
    i64::try_from(page.offset()).unwrap_or(i64::MAX)
}

/// A pattern for `lower(column) LIKE … ESCAPE '\'` that finds texts which contain
/// another, in whatever case. Only ASCII is folded, as both engines do.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::containing;

    #[test]
    fn wildcards_of_the_text_stand_for_themselves() {
        assert_eq!(containing("A_b%c\\"), "%a\\_b\\%c\\\\%");
    }
}

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::Kind;

fn exact(text: &str) -> Pattern {
    Pattern::Exact(text.to_owned())
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn range(min: &str, max: &str) -> Pattern {
    let bound = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Pattern::Range(bound(min), bound(max))
}

fn pattern(value: &str) -> Pattern {
    Filter::parse(&format!("k={value}")).unwrap().0.remove(0).pattern
}

#[test]
fn every_form_of_a_value_is_read() {
    for (value, expected) in [
        ("v", exact("v")),
        ("a=b", exact("a=b")),
        ("\"a\"", exact("a")),
        ("'a'", exact("a")),
        ("\\~a", exact("~a")),
        ("\\\"a\"", exact("\"a\"")),
        ("\\", exact("")),
        ("12", exact("12")),
        ("~v", Pattern::Fuzzy("v".into())),
        ("~~v", Pattern::Fuzzy("~v".into())),
        ("~\"v", Pattern::Fuzzy("\"v".into())),
        ("[1~2]", range("1", "2")),
        ("[~2]", range("", "2")),
        ("[ 1 ~ ]", range("1", "")),
        ("['2020-01-01T00:00:00'~]", range("2020-01-01T00:00:00", "")),
        ("{a}", Pattern::Or(texts(&["a"]))),
        ("{a b  'c'}", Pattern::Or(texts(&["a", "b", "c"]))),
        ("{}", Pattern::Or(Vec::new())),
        ("(a b)", Pattern::And(texts(&["a", "b"]))),
        ("ä{", exact("ä{")),
    ] {
        assert_eq!(pattern(value), expected, "{value}");
    }
}

#[test]
fn what_is_no_term_is_refused_in_harbors_words() {
    let pair = r#"the query string must contain "=" and the key/value cannot be empty"#;
    for (q, message) in [
        ("a", pair),
        ("=", pair),
        ("a=", pair),
        ("=b", pair),
        (",", pair),
        ("a=b,", pair),
        ("a=~", "invalid query string value: ~: fuzzy match value"),
        ("a=[", "invalid query string value: [: range must start"),
        ("a=[]", "invalid query string value: []: range must start"),
        ("a=[1~2~3]", "invalid query string value: [1~2~3]: range must start"),
        ("a=[~]", "invalid query string value: [~]: min and max"),
        ("a=[1~2", "invalid query string value: [1~2: range must start"),
        ("a={b", "invalid query string value: {b: or list"),
        ("a=(b", "invalid query string value: (b: and list"),
        ("a={b)", "invalid query string value: {b): or list"),
    ] {
        let error = Filter::parse(q).unwrap_err();
        assert_eq!(error.kind, Kind::Invalid, "{q}");
        assert!(error.message.starts_with(message), "{q}: {}", error.message);
    }
}

#[test]
fn terms_are_read_in_order_and_the_last_of_a_key_counts() {
    let filter = Filter::parse("a=1,b=~2,a=3").unwrap();
    let keys: Vec<&str> = filter.terms().iter().map(|term| term.key.as_str()).collect();
    assert_eq!(keys, ["b", "a"]);
    assert_eq!(filter.terms()[1].pattern, exact("3"));
    assert_eq!(Filter::parse("").unwrap(), Filter::default());
}

#[test]
fn a_second_encoding_is_undone() {
    let decoded = Filter::parse("Level=project,ProjectID=1").unwrap();
    for q in ["Level%3Dproject%2CProjectID%3D1", "Level=project%2cProjectID=1"] {
        assert_eq!(Filter::parse(q).unwrap(), decoded, "{q}");
    }
    assert_eq!(Filter::parse("k%3D{a+b}").unwrap().0[0].pattern, Pattern::Or(texts(&["a", "b"])));
    // What is no encoding stands for itself.
    assert_eq!(pattern("a+b"), exact("a+b"));
    assert_eq!(pattern("50%"), exact("50%"));
    assert_eq!(pattern("50%zz"), exact("50%zz"));
    assert_eq!(pattern("%ff"), exact("%ff"));
}

#[test]
fn length_and_number_are_bounded() {
    let long = format!("k={}", "a".repeat(LONGEST));
    let terms: Vec<String> = (0..=MOST_TERMS).map(|n| format!("k{n}=v")).collect();
    let values = format!("k={{{}}}", "v ".repeat(MOST_VALUES + 1));
    for q in [long, terms.join(","), values] {
        assert_eq!(Filter::parse(&q).unwrap_err().kind, Kind::Invalid);
    }
    assert!(Filter::parse(&terms[1..].join(",")).is_ok());
    assert!(Sort::parse(&"a,".repeat(MOST_TERMS)).is_err());
}

#[test]
fn values_are_what_a_field_needs() {
    assert_eq!(number("-12").unwrap(), -12);
    assert!(flag("true").unwrap() && !flag("0").unwrap());
    assert_eq!(moment("1970-01-01T00:00:01").unwrap(), Time(1_000_000));
    assert_eq!(moment("1970-01-01T01:00:01+01:00").unwrap(), Time(1_000_000));
    assert_eq!(moment("1970-01-02").unwrap(), Time(86_400_000_000));
    for wrong in ["", "x", "1.5", "99999999999999999999", "2020-13-01T00:00:00", "--1", "０"] {
        assert_eq!(number(wrong).unwrap_err().kind, Kind::Invalid, "{wrong}");
        assert_eq!(flag(wrong).unwrap_err().kind, Kind::Invalid, "{wrong}");
        assert_eq!(moment(wrong).unwrap_err().kind, Kind::Invalid, "{wrong}");
    }
}

#[test]
fn sorts_are_keys_with_a_direction() {
    let sort = Sort::parse("name,-creation_time,").unwrap();
    let keys: Vec<_> = sort.keys().collect();
    assert_eq!(keys, [("name", Direction::Ascending), ("creation_time", Direction::Descending)]);
    assert_eq!(Sort::parse("").unwrap(), Sort::default());
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_read_is_bounded(q in "\\PC{0,200}", sort in "\\PC{0,60}") {
        if let Ok(filter) = Filter::parse(&q) {
            prop_assert!(filter.terms().len() <= MOST_TERMS);
            prop_assert!(filter.terms().iter().all(|term| !term.key.is_empty()));
        }
        let _ = Sort::parse(&sort);
        let _ = (number(&q), flag(&q), moment(&q));
    }

    #[test]
    fn what_looks_like_a_filter_is_read_or_refused(q in "([a-z]{1,3}=?[~\\[\\]{}()\\\\\"' a-z0-9%,]{0,12},?){0,5}") {
        let _ = Filter::parse(&q);
    }

    #[test]
    fn any_text_can_be_asked_for_exactly(text in "[^,%]{1,20}") {
        let filter = Filter::parse(&format!("k=\\{text}")).unwrap();
        prop_assert_eq!(&filter.terms()[0].pattern, &Pattern::Exact(text));
    }

    #[test]
    fn encoding_twice_changes_nothing(key in "[a-zA-Z_]{1,8}", value in "[^,%+]{1,20}") {
        let q = format!("{key}=\\{value}");
        let twice = percent_encoding::utf8_percent_encode(&q, percent_encoding::NON_ALPHANUMERIC);
        prop_assert_eq!(Filter::parse(&twice.to_string()).unwrap(), Filter::parse(&q).unwrap());
    }
}

#[test]
fn fields_are_named_in_snake_or_camel_case() {
    let filter = Filter::parse("ProjectID=1,level=project").unwrap();
    assert_eq!(filter.of("project_id"), Some(&Pattern::Exact("1".to_owned())));
    assert_eq!(filter.of("level"), Some(&Pattern::Exact("project".to_owned())));
    assert_eq!(filter.of("project"), None);
    assert!(names_field("op_time", "op_time") && names_field("OpTime", "op_time"));
    assert!(!names_field("op_times", "op_time") && !names_field("", "op_time"));
}

//! Nothing is left out: every operation of the document is tried, and every right of
//! Harbor's table is needed by one of them or waits.

use crate::table::{Need, Right, operations, rules, waiting};
use haven_tests::{Server, Settings};
use std::collections::BTreeSet;

#[tokio::test]
async fn every_operation_and_every_right_is_tried_but_for_a_list_that_shrinks() {
    let server = Server::start(&Settings::appliance()).await;
    let document = server.anonymous.get("/api/v2.0/openapi.json").await.expect(200).json();
    let served: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let tried: BTreeSet<(String, String)> = operations()
        .iter()
        .filter(|operation| operation.path.starts_with("/api/"))
        .map(|operation| (operation.method.to_owned(), operation.template()))
        .collect();
    let untried: Vec<_> = served.difference(&tried).collect();
    assert!(untried.is_empty(), "served, and without a line in operations.tsv: {untried:#?}");
    let gone: Vec<_> = tried.difference(&served).collect();
    assert!(gone.is_empty(), "in operations.tsv, and not served: {gone:#?}");

    let waiting = waiting();
    for waits in &waiting {
        let operation = (waits.method.to_owned(), waits.path.to_owned());
        let message = "is served: its right belongs into operations.tsv";
        assert!(!served.contains(&operation), "{} {} {message}", waits.method, waits.path);
    }
    let waiting: BTreeSet<Right> = waiting.iter().map(|waits| waits.right).collect();
    let needed: BTreeSet<Right> = operations()
        .iter()
        .filter_map(|operation| match operation.need {
            Need::Right(right) => Some(right),
            _ => None,
        })
        // What robots are given under another name is the same right.
        .flat_map(|right| [right, right.of_robot()])
        .collect();
    let all: BTreeSet<Right> = rules().into_keys().collect();
    let unknown: Vec<_> = needed.union(&waiting).filter(|right| !all.contains(right)).collect();
    assert!(unknown.is_empty(), "not in Harbor's table: {unknown:?}");
    let both: Vec<_> = needed.intersection(&waiting).collect();
    assert!(both.is_empty(), "tried, and still listed in waiting.tsv: {both:?}");
    let neither: Vec<_> =
        all.iter().filter(|right| !needed.contains(right) && !waiting.contains(right)).collect();
    assert!(neither.is_empty(), "neither tried nor waiting: {neither:?}");
    println!("{} rights are tried over HTTP, {} wait", all.len() - waiting.len(), waiting.len());
}

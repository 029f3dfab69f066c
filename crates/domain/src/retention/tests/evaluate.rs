//! The decision by itself.

use std::collections::HashSet;

use kit::Time;
use oci::{Algorithm, Digest};
use proptest::prelude::*;

use super::super::{
    Outcome, Rule,
    evaluate::{Facts, Verdict, evaluate},
    policy::tests::{policy, rule},
};
use crate::immutability::Selector;

const DAY: i64 = 24 * 3600 * 1_000_000;
const NOW: Time = Time(20_000 * DAY);

fn artifact(id: i64, tags: &[&str], pushed_days_ago: i64) -> Facts {
    Facts {
        id,
        digest: Digest::of(Algorithm::Sha256, &id.to_be_bytes()),
        tags: tags.iter().map(|tag| (*tag).into()).collect(),
        pushed_at: Time(NOW.0 - pushed_days_ago * DAY),
        pulled_at: None,
        created_at: Time(NOW.0 - pushed_days_ago * DAY),
        is_signed: false,
        parents: Vec::new(),
    }
}

fn judge(rules: &[Rule], artifacts: &[Facts]) -> Vec<Verdict> {
    let ready = policy(rules.iter().cloned()).ready().unwrap();
    let is_immutable = |artifact: &Facts| artifact.tags.iter().any(|tag| tag.starts_with("fixed"));
    evaluate(&ready, artifacts, NOW, is_immutable)
}

/// The numbers of those that stay.
fn staying(rules: &[Rule], artifacts: &[Facts]) -> Vec<i64> {
    let verdicts = judge(rules, artifacts);
    let stay = |(_, verdict): &(&Facts, &Verdict)| verdict.outcome != Outcome::Delete;
    let mut ids: Vec<i64> =
        artifacts.iter().zip(&verdicts).filter(stay).map(|(artifact, _)| artifact.id).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn each_template_keeps_what_it_says() {
    let mut artifacts = [
        artifact(1, &["v1.0.0"], 40),
        artifact(2, &["v1.0.1", "old"], 30),
        artifact(3, &["v1.0.2"], 20),
        artifact(4, &["v1.1.0-rc.1"], 10),
        artifact(5, &["v1.1.0", "latest"], 5),
        artifact(6, &[], 1),
    ];
    artifacts[0].pulled_at = Some(Time(NOW.0 - DAY));
    artifacts[2].pulled_at = Some(Time(NOW.0 - 8 * DAY));
    artifacts[1].is_signed = true;
    for (template, number, tags, expected) in [
        ("always", 0, "**", &[1, 2, 3, 4, 5, 6][..]),
        ("always", 0, "v*", &[1, 2, 3, 4, 5, 6]),
        ("always", 0, "nothing", &[6]),
        ("latestPushedK", 2, "**", &[5, 6]),
        ("latestPushedK", 0, "**", &[]),
        ("latestPushedK", 100, "v1.0.*", &[1, 2, 3, 6]),
        ("latestPulledN", 1, "**", &[1]),
        ("latestPulledN", 3, "**", &[1, 3, 6]),
        ("nDaysSinceLastPush", 10, "**", &[4, 5, 6]),
        ("nDaysSinceLastPush", 0, "**", &[]),
        ("nDaysSinceLastPull", 7, "**", &[1]),
        ("nDaysSinceLastPull", 8, "**", &[1, 3]),
        ("nDaysSinceLastPull", 20_190_904, "**", &[1, 3]),
        ("latestVersionsPerMinor", 1, "**", &[3, 5]),
        ("latestVersionsPerMinor", 2, "**", &[2, 3, 4, 5]),
        ("latestVersionsPerMinor", 2, "v1.0.*", &[2, 3]),
        ("signed", 0, "**", &[2]),
    ] {
        let found = staying(&[rule(template, number, tags)], &artifacts);
        assert_eq!(found, expected, "{template} {number} {tags}");
    }
}

#[test]
fn selectors_of_a_rule_are_all_to_mean_an_artifact_and_one_rule_is_enough() {
    let artifacts = [artifact(1, &["v1"], 1), artifact(2, &["v2"], 2), artifact(3, &[], 3)];
    let without = |pattern: &str| Selector {
        kind: "doublestar".to_owned(),
        decoration: "excludes".to_owned(),
        pattern: pattern.to_owned(),
        extras: "{\"untagged\":true}".to_owned(),
    };
    let mut both = rule("always", 0, "v*");
    both.tag_selectors.push(without("v2"));
    assert_eq!(staying(&[both.clone()], &artifacts), [1]);
    // What contradicts itself keeps nothing, and another rule keeps it all the same.
    let mut contradiction = rule("always", 0, "v1");
    contradiction.tag_selectors.push(without("v1"));
    assert_eq!(staying(&[contradiction.clone()], &artifacts), [] as [i64; 0]);
    assert_eq!(staying(&[contradiction, both], &artifacts), [1]);
}

#[test]
fn what_is_immutable_or_in_use_stays_and_it_is_told_why() {
    let mut artifacts = [
        artifact(1, &["index"], 1),
        artifact(2, &["part"], 2),
        artifact(3, &["fixed"], 3),
        artifact(4, &["old-index"], 4),
        artifact(5, &["old-part"], 5),
        artifact(6, &["hidden"], 6),
    ];
    artifacts[1].parents = vec![1];
    artifacts[4].parents = vec![4];
    // Its index is part of another one, which lists do not show.
    artifacts[5].parents = vec![99];
    let verdicts = judge(&[rule("always", 0, "index")], &artifacts);
    let outcomes: Vec<Outcome> = verdicts.iter().map(|verdict| verdict.outcome).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Retain,
            Outcome::InUse,
            Outcome::Immutable,
            Outcome::Delete,
            Outcome::Delete,
            Outcome::InUse,
        ]
    );
    assert_eq!((verdicts[0].kept, verdicts[0].meant), (1, 1));
    assert_eq!((verdicts[1].kept, verdicts[1].meant), (0, 0));
    let passed_over = judge(&[rule("latestPushedK", 1, "**")], &artifacts)[3];
    assert_eq!((passed_over.kept, passed_over.meant), (0, 1));
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let templates = prop::sample::select(vec![
        "latestPushedK",
        "latestPulledN",
        "nDaysSinceLastPush",
        "nDaysSinceLastPull",
        "always",
        "latestVersionsPerMinor",
        "signed",
    ]);
    let patterns = prop::sample::select(vec!["**", "v*", "{v1,fixed}*", "?2*", "none"]);
    (templates, 0_i64..6, patterns, any::<bool>()).prop_map(|(template, number, tags, untagged)| {
        let mut rule = rule(template, number, tags);
        rule.tag_selectors[0].extras = format!("{{\"untagged\":{untagged}}}");
        rule
    })
}

prop_compose! {
    fn any_artifacts()(
        of in prop::collection::vec(
            (
                prop::collection::vec("(v[12](\\.[0-3]){0,2}|fixed|x)", 0..3),
                0_i64..8,
                prop::option::of(0_i64..8),
                any::<bool>(),
                prop::collection::vec(0_i64..14, 0..2),
            ),
            0..12,
        )
    ) -> Vec<Facts> {
        let mut artifacts = Vec::new();
        for (id, (tags, pushed, pulled, is_signed, parents)) in (0..).zip(of) {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            let mut artifact = artifact(id, &tags, pushed);
            artifact.pulled_at = pulled.map(|days| Time(NOW.0 - days * DAY));
            artifact.is_signed = is_signed;
            artifact.parents = parents;
            artifacts.push(artifact);
        }
        artifacts
    }
}

proptest! {
    #[test]
    fn the_promises_hold(
        rules in prop::collection::vec(any_rule(), 0..5),
        one_more in any_rule(),
        artifacts in any_artifacts(),
    ) {
        let verdicts = judge(&rules, &artifacts);
        let of = |id: i64| artifacts.iter().position(|artifact| artifact.id == id);
        for (verdict, artifact) in verdicts.iter().zip(&artifacts) {
            prop_assert_eq!(verdict.kept & !verdict.meant, 0, "a rule keeps what it means");
            prop_assert_eq!(verdict.kept != 0, verdict.outcome == Outcome::Retain);
            if verdict.outcome == Outcome::Delete {
                prop_assert!(!artifact.tags.iter().any(|tag| &**tag == "fixed"));
                for parent in &artifact.parents {
                    let gone = of(*parent).is_some_and(|at| verdicts[at].outcome == Outcome::Delete);
                    prop_assert!(gone, "no index that stays loses a part");
                }
            }
        }
        // Of each rule by itself: how many it keeps of what it means.
        for rule in &rules {
            let verdicts = judge(std::slice::from_ref(rule), &artifacts);
            let meant = verdicts.iter().filter(|verdict| verdict.meant != 0).count();
            let kept = verdicts.iter().filter(|verdict| verdict.kept != 0).count();
            let number = rule.params.values().next().and_then(serde_json::Value::as_i64).unwrap();
            match rule.template.as_str() {
                "always" => prop_assert_eq!(kept, meant),
                "latestPushedK" | "latestPulledN" => {
                    prop_assert_eq!(kept, meant.min(usize::try_from(number).unwrap()));
                }
                _ => prop_assert!(kept <= meant),
            }
            if rule.template == "latestPushedK" {
                let pushed = |is_kept: bool| {
                    let those = verdicts.iter().zip(&artifacts);
                    let those = those.filter(move |(verdict, _)| {
                        verdict.meant != 0 && (verdict.kept != 0) == is_kept
                    });
                    those.map(|(_, artifact)| artifact.pushed_at)
                };
                if let (Some(oldest), Some(newest)) = (pushed(true).min(), pushed(false).max()) {
                    prop_assert!(oldest >= newest);
                }
            }
        }
        // One rule more never takes anything away.
        let before: HashSet<i64> = staying(&rules, &artifacts).into_iter().collect();
        let more: Vec<Rule> = rules.iter().cloned().chain([one_more]).collect();
        let after: HashSet<i64> = staying(&more, &artifacts).into_iter().collect();
        prop_assert!(before.is_subset(&after));
        // The order in which artifacts come does not matter.
        let mut reversed = artifacts.clone();
        reversed.reverse();
        prop_assert_eq!(staying(&rules, &reversed), staying(&rules, &artifacts));
    }
}

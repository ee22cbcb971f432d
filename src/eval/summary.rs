//! Tables of what was measured.

use super::edit::{self, EditRecord};
use super::{Line, Record, SubjectKind, wilson};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Colours that must lie on the right part.
const PART_COLORS: [&str; 3] = ["beard_color", "hair_color", "skin"];

/// Right and all.
pub(super) type Count = (usize, usize);

pub(super) fn add(count: &mut Count, right: bool) {
    count.0 += usize::from(right);
    count.1 += 1;
}

pub(super) fn cell((right, count): Count) -> String {
    wilson(right, count).map_or_else(
        || "-".to_owned(),
        |i| {
            let percent = |share: f64| 100.0 * share;
            let (share, low, high) = (percent(i.share), percent(i.low), percent(i.high));
            format!("{share:.0} % ({low:.0}-{high:.0}), {right}/{count}")
        },
    )
}

/// A page of Markdown: accuracy by kind of subject, by attribute and by stratum, faces, and
/// how much seeds differ; then what edits changed and what they kept.
#[must_use]
pub fn summarise(lines: &[Line]) -> String {
    let mut kinds: BTreeMap<SubjectKind, Vec<&Record>> = BTreeMap::new();
    let mut edits: BTreeMap<SubjectKind, Vec<&EditRecord>> = BTreeMap::new();
    for line in lines {
        match line {
            Line::Subject(record) => kinds.entry(record.kind).or_default().push(record),
            Line::Edit(record) => edits.entry(record.kind).or_default().push(record),
        }
    }
    let mut page = String::from("# What the heads show\n\nShares with 95 % Wilson intervals.\n");
    for (kind, records) in kinds {
        let name = match kind {
            SubjectKind::Samples => "Samples of the diffusion model (mean head's control)",
            SubjectKind::Instant => "Instant heads",
            SubjectKind::Head => "Distilled heads",
            SubjectKind::Project => "Projects",
        };
        section(&mut page, name, &records);
    }
    for (kind, records) in edits {
        edit::section(&mut page, kind, &records);
    }
    page
}

fn section(page: &mut String, name: &str, records: &[&Record]) {
    let (mut all, mut colors, mut front, mut back) = ((0, 0), (0, 0), (0, 0), (0, 0));
    let mut attributes: BTreeMap<&str, Count> = BTreeMap::new();
    let mut strata: BTreeMap<&str, Count> = BTreeMap::new();
    for record in records {
        for claim in &record.verdict.claims {
            add(&mut all, claim.right);
            add(attributes.entry(&claim.attribute).or_default(), claim.right);
            add(strata.entry(&record.stratum).or_default(), claim.right);
            if PART_COLORS.contains(&claim.attribute.as_str()) {
                add(&mut colors, claim.right);
            }
        }
        front = (front.0 + record.verdict.front.1, front.1 + record.verdict.front.0);
        back = (back.0 + record.verdict.back.1, back.1 + record.verdict.back.0);
    }
    let mean = |counts: &BTreeMap<&str, Count>| {
        let shares = counts.values().map(|(right, count)| *right as f64 / *count as f64);
        100.0 * shares.sum::<f64>() / counts.len().max(1) as f64
    };
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "\n## {name}\n\n{} subjects. Claims {}; mean over attributes {:.0} %. Colours of skin, hair \
         and beard {}. Front views with a face {}, back views without {}.{}\n\n| attribute | right |\n|---|---|\n",
        records.len(),
        cell(all),
        mean(&attributes),
        cell(colors),
        cell(front),
        cell(back),
        diversity(records).map_or_else(String::new, |d| format!(
            " Two seeds of one prompt differ in {:.0} % of the attributes that it leaves open.",
            100.0 * d
        )),
    );
    for (attribute, count) in &attributes {
        let _ = writeln!(page, "| {attribute} | {} |", cell(*count));
    }
    let _ = write!(page, "\n| stratum | right |\n|---|---|\n");
    for (stratum, count) in &strata {
        let _ = writeln!(page, "| {stratum} | {} |", cell(*count));
    }
    page.push('\n');
    for record in records {
        for claim in record.verdict.claims.iter().filter(|claim| !claim.right) {
            let wanted: Vec<String> = claim.wanted.iter().map(ToString::to_string).collect();
            let _ = writeln!(
                page,
                "- \"{}\" (seed {}): {} is {}, not {}",
                record.prompt,
                record.seed,
                claim.attribute,
                claim.found,
                wanted.join(" or "),
            );
        }
    }
}

/// The share of attributes without a claim in which two seeds of a prompt differ, over all
/// pairs; `None` without pairs.
fn diversity(records: &[&Record]) -> Option<f64> {
    let (mut differ, mut count) = (0_usize, 0_usize);
    for (i, a) in records.iter().enumerate() {
        for b in records[..i].iter().filter(|b| b.prompt == a.prompt) {
            for (name, value) in &a.verdict.seen {
                if a.verdict.claims.iter().all(|claim| claim.attribute != *name) {
                    differ += usize::from(b.verdict.seen.get(name) != Some(value));
                    count += 1;
                }
            }
        }
    }
    (count > 0).then(|| differ as f64 / count as f64)
}

#[cfg(test)]
mod tests {
    use super::super::judge::{ClaimVerdict, Verdict};
    use super::*;
    use serde_json::{Map, Value, json};

    fn record(seed: u64, skin: &str) -> Record {
        let seen = Map::from_iter(
            [("skin", json!(skin)), ("hair", json!(seed))].map(|(k, v)| (k.to_owned(), v)),
        );
        let claims = vec![ClaimVerdict {
            attribute: "skin".into(),
            wanted: vec![json!("green")],
            found: json!(skin),
            right: skin == "green",
        }];
        Record {
            kind: SubjectKind::Instant,
            prompt: "a green man".into(),
            stratum: "skin".into(),
            seed,
            model: "embedded".into(),
            verdict: Verdict { claims, front: (4, 4), back: (3, 2), seen },
            seconds: 1.0,
        }
    }

    #[test]
    fn counts_claims_faces_and_differences() {
        let records = [record(0, "green"), record(1, "blue")];
        let page = summarise(&records.clone().map(|record| Line::Subject(Box::new(record))));
        assert!(page.contains("## Instant heads"), "{page}");
        assert!(page.contains("| skin | 50 % (9-91), 1/2 |"), "{page}");
        assert!(page.contains("Front views with a face 100 % (68-100), 8/8"), "{page}");
        assert!(page.contains("back views without 67 %"), "{page}");
        assert!(page.contains("differ in 100 %"), "{page}");
        assert!(
            page.contains("- \"a green man\" (seed 1): skin is \"blue\", not \"green\""),
            "{page}"
        );
        let seen: Option<&Value> = records[0].verdict.seen.get("skin");
        assert_eq!(seen, Some(&json!("green")));
    }
}

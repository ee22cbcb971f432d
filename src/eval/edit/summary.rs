//! Tables of measured edits.

use super::sweep::{Sweep, rises};
use super::{EditKey, EditRecord};
use crate::eval::SubjectKind;
use crate::eval::summary::{Count, add, cell};
use crate::pipeline::EditRegion;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What is counted over some edits.
#[derive(Debug, Default)]
struct Tally {
    asked: Count,
    understood: Count,
    claims: Count,
    others: Count,
    /// Edits of which all other attributes stayed.
    whole: Count,
    front: Count,
    back: Count,
    albedo: Vec<f64>,
    mean: Vec<f64>,
    p95: Vec<f64>,
    outside_albedo: Vec<f64>,
    outside_p95: Vec<f64>,
}

impl Tally {
    fn of<'a>(records: impl IntoIterator<Item = &'a EditRecord>) -> Self {
        let mut tally = Self::default();
        for record in records {
            tally.push(record);
        }
        tally
    }

    fn push(&mut self, record: &EditRecord) {
        if record.failed.is_some() {
            for _ in &record.asked {
                add(&mut self.asked, false);
            }
            return;
        }
        let verdict = &record.verdict;
        for asked in &verdict.asked {
            add(&mut self.asked, asked.claim.right);
        }
        for (attribute, values) in &record.asked {
            let set = record.changed.get(attribute);
            add(&mut self.understood, set.is_some_and(|value| values.contains(value)));
        }
        for claim in verdict.claims.iter().filter(|claim| claim.held_before != Some(false)) {
            add(&mut self.claims, claim.claim.right);
        }
        let mut counted = verdict.others.iter().filter(|other| other.counts()).peekable();
        if counted.peek().is_some() {
            let mut all = true;
            for other in counted {
                add(&mut self.others, other.stayed());
                all &= other.stayed();
            }
            add(&mut self.whole, all);
        }
        for (count, (views, right)) in
            [(&mut self.front, verdict.front), (&mut self.back, verdict.back)]
        {
            *count = (count.0 + right, count.1 + views);
        }
        if let Some(distances) = record.whole {
            self.albedo.push(distances.albedo);
            self.mean.push(distances.surface_mean);
            self.p95.push(distances.surface_p95);
        }
        if let Some(distances) = record.outside {
            self.outside_albedo.push(distances.albedo);
            self.outside_p95.push(distances.surface_p95);
        }
    }

    /// Cells of a table, as [`HEADINGS`] calls them.
    fn row(&self) -> String {
        let cells = [self.asked, self.claims, self.others, self.whole].map(cell);
        let medians = [&self.albedo, &self.mean, &self.p95].map(|values| median_cell(values));
        format!("{} | {}", cells.join(" | "), medians.join(" | "))
    }
}

const HEADINGS: &str = "as asked | prompt's claims | other attributes | edits that kept all of them \
                        | colours, 0-255 | surface, mm | 95 %, mm |\n|---|---|---|---|---|---|---|---|";

fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let low = values.len().checked_sub(1)? / 2;
    Some(0.5 * (values[low] + values[middle]))
}

fn median_cell(values: &[f64]) -> String {
    median(values).map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
}

/// Appends everything about the edits of one kind of subject.
pub(in crate::eval) fn section(page: &mut String, kind: SubjectKind, records: &[&EditRecord]) {
    let mut edits: BTreeMap<EditKey<'_>, Vec<&EditRecord>> = BTreeMap::new();
    for record in records {
        let same = edits.entry(record.key()).or_default();
        // What failed may have been tried again.
        same.retain(|earlier| earlier.strength != record.strength);
        same.push(record);
    }
    let records: Vec<&EditRecord> = edits.values().flatten().copied().collect();
    // Each edit counts once, at its full strength.
    let full: Vec<&EditRecord> = edits
        .values()
        .filter_map(|some| some.iter().copied().max_by(|a, b| a.strength.total_cmp(&b.strength)))
        .collect();
    overview(page, kind, &full);
    by_attribute(page, &full);
    moved(page, &full);
    strengths(page, edits.values().map(Vec::as_slice));
    misses(page, &full);
    sheets(page, &records);
}

fn overview(page: &mut String, kind: SubjectKind, full: &[&EditRecord]) {
    let name = match kind {
        SubjectKind::Instant => "Edits of the studio's persons (instant heads before and after)",
        SubjectKind::Project => "Edits in projects",
        SubjectKind::Samples | SubjectKind::Head => "Edits of distilled heads",
    };
    let tally = Tally::of(full.iter().copied());
    let failed = full.iter().filter(|record| record.failed.is_some()).count();
    let alone = full.iter().filter(|record| record.whole.is_none()).count() - failed;
    // Of a project, what was asked for is what was understood.
    let understood = match kind {
        SubjectKind::Project => String::new(),
        _ => format!(" (the reader of instructions understood it in {})", cell(tally.understood)),
    };
    let mut sentences = vec![
        format!("{} edits.", full.len()),
        format!("What was asked for is seen in {}{understood}.", cell(tally.asked)),
    ];
    if failed > 0 {
        sentences.push(format!("{failed} could not be made, and count as not seen."));
    }
    if alone + failed < full.len() {
        sentences.extend([
            format!(
                "Claims of the prompt that held before and that the edit leaves alone hold in {}.",
                cell(tally.claims)
            ),
            format!(
                "Other attributes that were read with certainty before are read the same in {}; \
                 edits that kept all of them {}.",
                cell(tally.others),
                cell(tally.whole)
            ),
            format!(
                "Medians of the distance before to after: colours {} of 255, surface {} mm (95 % \
                 within {} mm).",
                median_cell(&tally.albedo),
                median_cell(&tally.mean),
                median_cell(&tally.p95)
            ),
        ]);
    }
    if !tally.outside_albedo.is_empty() {
        sentences.push(format!(
            "Outside of the region of the {} edits that have one: colours {}, surface 95 % within \
             {} mm.",
            tally.outside_albedo.len(),
            median_cell(&tally.outside_albedo),
            median_cell(&tally.outside_p95),
        ));
    }
    if alone > 0 {
        sentences.push(format!(
            "Of {alone} the head before is not at hand: only the result was judged, and all claims \
             of its prompt that the edit leaves alone count ({}).",
            cell(tally.claims)
        ));
    }
    sentences.push(format!(
        "Front views with a face {}, back views without {}.",
        cell(tally.front),
        cell(tally.back)
    ));
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## {name}\n\n{}", sentences.join(" "));
    page.push('\n');
}

fn by_attribute(page: &mut String, full: &[&EditRecord]) {
    let mut attributes: BTreeMap<&str, Vec<&EditRecord>> = BTreeMap::new();
    for record in full {
        for attribute in record.asked.keys() {
            attributes.entry(attribute).or_default().push(record);
        }
    }
    let _ = writeln!(page, "\n| edited | {HEADINGS}");
    for (attribute, records) in attributes {
        let mut tally = Tally::of(records.iter().copied());
        // An edit may ask for several attributes; a row is about one.
        tally.asked = (0, 0);
        for record in records {
            let own = record.verdict.asked.iter().find(|own| own.claim.attribute == attribute);
            if own.is_some() || record.failed.is_some() {
                add(&mut tally.asked, own.is_some_and(|own| own.claim.right));
            }
        }
        let _ = writeln!(page, "| {attribute} | {} |", tally.row());
    }
}

/// Which attributes changed though nobody asked.
fn moved(page: &mut String, full: &[&EditRecord]) {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for other in full.iter().flat_map(|record| &record.verdict.others) {
        if other.counts() {
            add(counts.entry(&other.attribute).or_default(), other.stayed());
        }
    }
    if counts.is_empty() {
        return;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, (stayed, all))| std::cmp::Reverse(all - stayed));
    let _ = write!(page, "\n| not edited | read the same |\n|---|---|\n");
    for (attribute, count) in counts {
        let _ = writeln!(page, "| {attribute} | {} |", cell(count));
    }
}

fn strengths<'a>(page: &mut String, edits: impl Iterator<Item = &'a [&'a EditRecord]>) {
    let swept: Vec<(&[&EditRecord], Sweep)> =
        edits.filter_map(|records| Some((records, Sweep::of(records)?))).collect();
    if swept.is_empty() {
        return;
    }
    let records: Vec<&EditRecord> =
        swept.iter().flat_map(|(records, _)| *records).copied().collect();
    let sweeps: Vec<&Sweep> = swept.iter().map(|(_, sweep)| sweep).collect();
    let mut strengths: Vec<f64> = records.iter().map(|record| record.strength).collect();
    strengths.sort_unstable_by(f64::total_cmp);
    strengths.dedup();
    let _ = writeln!(page, "\n| strength | {HEADINGS}");
    for strength in strengths {
        let own = records.iter().copied().filter(|record| record.strength == strength);
        let _ = writeln!(page, "| {strength} | {} |", Tally::of(own).row());
    }
    let _ = write!(
        page,
        "\nOf {} edits at several strengths, from 0 up:\n\n\
         | with strength | never falls | Spearman, median |\n|---|---|---|\n",
        sweeps.len()
    );
    let mut line = |name: &str, values: &dyn Fn(&Sweep) -> &[f64]| {
        let rising = sweeps.iter().filter(|sweep| rises(values(sweep))).count();
        let correlations: Vec<f64> =
            sweeps.iter().filter_map(|sweep| sweep.correlation(values(sweep))).collect();
        let _ = writeln!(
            page,
            "| {name} | {} | {} |",
            cell((rising, sweeps.len())),
            median_cell(&correlations)
        );
    };
    line("odds of what was asked for", &|sweep| &sweep.odds);
    line("distance of colours", &|sweep| &sweep.albedo);
    line("distance of the surface", &|sweep| &sweep.surface);
}

/// Where an edit was kept to, as a part of a sentence.
fn region(record: &EditRecord) -> String {
    match record.region {
        EditRegion::All => String::new(),
        region => format!(", region {}", region.name()),
    }
}

fn misses(page: &mut String, full: &[&EditRecord]) {
    page.push('\n');
    for record in full {
        let subject = || {
            let EditRecord { prompt, seed, instruction, .. } = record;
            format!("- \"{prompt}\" (seed {seed}), \"{instruction}\"{}", region(record))
        };
        if let Some(why) = &record.failed {
            let _ = writeln!(page, "{} could not be made: {why}", subject());
        }
        let verdict = &record.verdict;
        for asked in verdict.asked.iter().filter(|asked| !asked.claim.right) {
            let wanted: Vec<String> = asked.claim.wanted.iter().map(ToString::to_string).collect();
            let understood = match record.changed.get(&asked.claim.attribute) {
                Some(value) if asked.claim.wanted.contains(value) => "",
                _ => " (not understood)",
            };
            let (name, found) = (&asked.claim.attribute, &asked.claim.found);
            let (subject, wanted) = (subject(), wanted.join(" or "));
            let _ = writeln!(page, "{subject}: {name} is {found}, not {wanted}{understood}");
        }
        let lost: Vec<String> = verdict
            .others
            .iter()
            .filter(|other| other.counts() && !other.stayed())
            .map(|other| format!("{} {} to {}", other.attribute, other.before, other.after))
            .collect();
        if !lost.is_empty() {
            let _ = writeln!(page, "{} also changed {}", subject(), lost.join(", "));
        }
    }
}

fn sheets(page: &mut String, records: &[&EditRecord]) {
    let mut listed = records.iter().filter_map(|record| Some((record, record.sheet.as_ref()?)));
    let Some(first) = listed.next() else { return };
    let _ = write!(page, "\nBefore (above) and after:\n\n");
    for (record, sheet) in std::iter::once(first).chain(listed) {
        let right = record.verdict.asked.iter().all(|asked| asked.claim.right);
        let _ = writeln!(
            page,
            "- [{}]({sheet}): \"{}\", seed {}{}, strength {}{}",
            record.instruction,
            record.prompt,
            record.seed,
            region(record),
            record.strength,
            if right { "" } else { "; missed" }
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::{Asked, EditVerdict, Other, PromptClaim};
    use super::*;
    use crate::eval::ClaimVerdict;
    use crate::eval::edit::Distances;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn record(strength: f64, skin: &str, odds: f32, albedo: f64) -> EditRecord {
        let claim = |attribute: &str, wanted: &str, found: &str| ClaimVerdict {
            attribute: attribute.into(),
            wanted: vec![json!(wanted)],
            found: json!(found),
            right: wanted == found,
        };
        let other = |attribute: &str, after: &str, certainty| Other {
            attribute: attribute.into(),
            before: json!("a"),
            after: json!(after),
            certainty,
        };
        let held = |held_before| PromptClaim { claim: claim("hair", "bald", "long"), held_before };
        EditRecord {
            kind: SubjectKind::Head,
            prompt: "a man".into(),
            instruction: "green skin".into(),
            seed: 0,
            region: EditRegion::All,
            strength,
            model: "embedded".into(),
            asked: BTreeMap::from([("skin".to_owned(), vec![json!("green")])]),
            changed: BTreeMap::from([("skin".to_owned(), json!("green"))]),
            verdict: EditVerdict {
                asked: vec![Asked {
                    claim: claim("skin", "green", skin),
                    before: Some(json!("pale")),
                    odds: Some(odds),
                    odds_before: Some(-5.0),
                }],
                claims: vec![held(Some(true)), held(Some(false))],
                others: vec![
                    other("age", "a", 5.0),
                    other("nose", "b", 5.0),
                    other("jaw", "b", 0.1),
                ],
                front: (6, 6),
                back: (3, 2),
            },
            whole: Some(Distances { albedo, surface_mean: 0.1, surface_p95: 0.5 }),
            outside: None,
            sheet: Some("sheets/x.png".into()),
            failed: None,
            seconds: 1.0,
        }
    }

    #[test]
    fn counts_what_changed_and_what_stayed() {
        let records = [record(1.0, "pale", 1.0, 9.0), record(0.5, "green", 2.0, 4.0)];
        let mut page = String::new();
        section(&mut page, SubjectKind::Head, &records.iter().collect::<Vec<_>>());
        for part in [
            "## Edits of distilled heads\n\n1 edits. What was asked for is seen in 0 % (0-79), 0/1",
            "understood it in 100 % (21-100), 1/1",
            "leaves alone hold in 0 % (0-79), 0/1",
            "are read the same in 50 % (9-91), 1/2; edits that kept all of them 0 %",
            "colours 9.00 of 255, surface 0.10 mm (95 % within 0.50 mm)",
            "back views without 67 % (21-94), 2/3",
            "| skin | 0 % (0-79), 0/1 |",
            "| nose | 0 % (0-79), 0/1 |\n| age | 100 %",
            "| 0.5 | 100 % (21-100), 1/1 |",
            "| odds of what was asked for | 0 % (0-79), 0/1 | 0.50 |",
            "| distance of colours | 100 % (21-100), 1/1 | 1.00 |",
            "- \"a man\" (seed 0), \"green skin\": skin is \"pale\", not \"green\"\n",
            "also changed nose \"a\" to \"b\"",
            "- [green skin](sheets/x.png): \"a man\", seed 0, strength 1; missed",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }

    #[test]
    fn regions_are_named_and_one_strength_is_no_sweep() {
        let mut kept = record(1.0, "pale", 1.0, 9.0);
        kept.region = EditRegion::Face;
        kept.outside = Some(Distances { albedo: 0.25, surface_mean: 0.0, surface_p95: 0.0 });
        let records = [record(1.0, "green", 3.0, 9.0), record(0.5, "green", 2.0, 4.0), kept];
        let mut page = String::new();
        section(&mut page, SubjectKind::Head, &records.iter().collect::<Vec<_>>());
        for part in [
            "2 edits.",
            "region of the 1 edits that have one: colours 0.25",
            "| 1 | 100 % (21-100), 1/1 |",
            "\"green skin\", region face: skin is \"pale\"",
            "seed 0, region face, strength 1; missed",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }

    #[test]
    fn of_a_result_alone_it_says_so() {
        let mut alone = record(1.0, "green", 1.0, 1.0);
        alone.kind = SubjectKind::Project;
        alone.whole = None;
        alone.verdict.others.clear();
        alone.verdict.claims.truncate(1);
        alone.verdict.claims[0].held_before = None;
        let mut page = String::new();
        section(&mut page, SubjectKind::Project, &[&alone]);
        assert!(page.contains("Of 1 the head before is not at hand"), "{page}");
        assert!(page.contains("leaves alone count (0 % (0-79), 0/1)"), "{page}");
        assert!(!page.contains("Medians"), "{page}");
        assert!(!page.contains("| strength |") && !page.contains("| not edited |"), "{page}");
    }

    #[test]
    fn what_failed_counts_until_it_was_made() {
        let made = record(1.0, "green", 1.0, 1.0);
        let mut failed = record(1.0, "green", 1.0, 1.0);
        failed.verdict = EditVerdict::default();
        failed.whole = None;
        failed.failed = Some("no surface".into());
        let page = |records: &[&EditRecord]| {
            let mut page = String::new();
            section(&mut page, SubjectKind::Head, records);
            page
        };
        let once = page(&[&failed]);
        assert!(once.contains("seen in 0 % (0-79), 0/1"), "{once}");
        assert!(once.contains("1 could not be made, and count as not seen."), "{once}");
        assert!(once.contains("\"green skin\" could not be made: no surface"), "{once}");
        assert!(once.contains("| skin | 0 % (0-79), 0/1 | -"), "{once}");
        let again = page(&[&failed, &made]);
        assert!(again.contains("1 edits. What was asked for is seen in 100 %"), "{again}");
        assert!(!again.contains("no surface"), "{again}");
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}

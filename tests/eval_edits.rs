//! `headsculpt eval` on edits: lists of them, and projects that were edited.

#![allow(clippy::unwrap_used)]

mod program;

use program::{done, run};
use serde_json::{Value, json};
use std::path::Path;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_list_of_edits_is_measured_and_added_to() {
    let dir = tempfile::tempdir().unwrap();
    let (list, out) = (dir.path().join("edits.jsonl"), dir.path().join("out"));
    let edit = |instruction: &str, attribute: &str, value: &str| {
        let prompt = "a young woman with long blond hair";
        let (values, claims) = ([value], json!({"hair": ["long", "wavy"], "male": [false]}));
        json!({"prompt": prompt, "claims": claims, "instruction": instruction,
               "attribute": attribute, "values": values})
        .to_string()
            + "\n"
    };
    let first = edit("dye the hair green", "hair_color", "green");
    std::fs::write(&list, &first).unwrap();
    let run = |more: &[&str]| {
        let (list, out) = (list.to_str().unwrap(), out.to_str().unwrap());
        let base = ["eval", "--edits", list, "--of", "instant", "-o", out, "--json"];
        run(&[&base[..], more].concat())
    };
    let said = lines(&done(&run(&[])));
    assert_eq!(said[0]["event"], "edited");
    let record = &said[0]["record"];
    assert_eq!(record["verdict"]["asked"][0]["right"], true, "{record}");
    assert_eq!(record["verdict"]["claims"].as_array().unwrap().len(), 2, "{record}");
    assert_eq!(record["verdict"]["back"], json!([3, 3]), "{record}");
    assert!(record["whole"]["albedo"].as_f64().unwrap() > 5.0, "{record}");
    let sheet = image::open(out.join(record["sheet"].as_str().unwrap())).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (8 * 256, 2 * 256));

    // Results are not overwritten by accident, and what is known is not made again.
    assert_eq!(run(&[]).status.code(), Some(2));
    let results = || std::fs::read_to_string(out.join("results.jsonl")).unwrap();
    let before = results();
    std::fs::write(&list, first + &edit("add round glasses", "glasses", "round")).unwrap();
    assert_eq!(lines(&done(&run(&["--resume"]))).len(), 1);
    assert!(results().starts_with(&before));
    assert_eq!(results().lines().count(), 2);
    let summary = std::fs::read_to_string(out.join("summary.md")).unwrap();
    assert!(summary.contains("2 edits. What was asked for is seen in 100 %"), "{summary}");
    assert!(summary.contains("](sheets/instant-"), "{summary}");
}

/// Makes an instant head, and in another folder a project whose log says that the first one was
/// edited into `second`'s.
fn edited_project(first: &Path, second: &str, edited: &Path) {
    let make = |prompt: &str, folder: &Path| {
        let folder = folder.to_str().unwrap();
        let more = ["--preset", "instant", "--seed", "3", "--quiet", "-o", folder];
        done(&run(&[&["generate", prompt], &more[..]].concat()));
    };
    make("a young woman with long blond hair", first);
    make(second, edited);
    let log = |folder: &Path| folder.join("avatar.headsculpt/operations.jsonl");
    let mut text = std::fs::read_to_string(log(first)).unwrap();
    let finish = lines(&text)[1]["operation"].clone();
    let edit = json!({"kind": "edit", "instruction": "dye the hair green", "strength": 1.0,
                      "steps": 1, "seed": 3, "changed": {"hair_color": "green"}});
    for (id, parent, operation) in [(3, 1, edit), (4, 3, finish)] {
        let entry = json!({"schema": 2, "id": id, "parent": parent, "operation": operation});
        text += &(entry.to_string() + "\n");
    }
    std::fs::write(log(edited), text).unwrap();
    // The files of the only version are those of the edited one now.
    let versions = edited.join("avatar.headsculpt/versions");
    std::fs::rename(versions.join("1.json"), versions.join("3.json")).unwrap();
}

#[test]
fn an_edited_project_is_compared_with_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (first, edited, out) = (at("first"), at("edited"), at("out"));
    edited_project(&first, "a young woman with long green hair", &edited);
    let [first, edited, out] = [&first, &edited, &out].map(|path| path.to_str().unwrap());

    let both = lines(&done(&run(&["eval", edited, first, "--json", "-o", out])));
    assert_eq!(both.len(), 2);
    assert_eq!(both[0]["instruction"], "dye the hair green");
    let verdict = &both[0]["verdict"];
    assert_eq!(verdict["asked"][0]["right"], true, "{verdict}");
    assert_eq!(verdict["asked"][0]["before"], "blond", "{verdict}");
    assert!(!verdict["others"].as_array().unwrap().is_empty());
    assert!(both[0]["whole"]["surface_p95"].is_f64());
    // The other one was not edited.
    assert!(both[1]["verdict"]["seen"].is_object());
    assert!(Path::new(out).join(both[0]["sheet"].as_str().unwrap()).is_file());
    let summary = std::fs::read_to_string(Path::new(out).join("summary.md")).unwrap();
    assert!(summary.contains("## Edits in projects\n\n1 edits."), "{summary}");

    // Without the head before, only the result can be judged, and that is said.
    let alone = lines(&done(&run(&["eval", edited, "--json"])));
    assert_eq!(alone[0]["verdict"]["asked"][0]["right"], true);
    assert_eq!((&alone[0]["whole"], &alone[0]["sheet"]), (&Value::Null, &Value::Null));
    let said = done(&run(&["eval", edited]));
    assert!(said.contains("Of 1 the head before is not at hand"), "{said}");
}

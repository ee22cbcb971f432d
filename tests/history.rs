//! `headsculpt history`: undo, redo, jumps and branches bring back the same bytes.

#![allow(clippy::unwrap_used)]

mod program;

use program::run;
use serde_json::Value;
use std::path::Path;

fn done(arguments: &[&str]) -> String {
    program::done(&run(arguments))
}

fn refused(arguments: &[&str], word: &str) {
    let output = run(arguments);
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {sentence}");
    assert!(sentence.contains(word), "{arguments:?}: {sentence}");
    assert_eq!(sentence.trim().lines().count(), 1, "{sentence}");
}

/// Everything that people see of a head.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    ["avatar.glb", "turntable.png", "preview.webp", "report.json"]
        .map(|name| std::fs::read(folder.join(name)).unwrap())
        .to_vec()
}

#[test]
fn versions_come_back_to_the_last_byte() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    // Heads without any optimisation, and small edits of them.
    let preset = at("small.toml");
    let text = "extends = \"instant\"\n[fine]\nsize = 32\ncells = 48\n\
                [fine.texture]\nbase_resolution = 24\nfinest_resolution = 64\nlog2_table = 16\n\
                [edit]\nsteps = 1\n[mesh]\ngrid = 96\ntexture = 256\ntriangles = 4000\n";
    std::fs::write(&preset, text).unwrap();
    let head = at("head");
    let folder = Path::new(&head);
    done(&["generate", "a bald man", "--preset", &preset, "-o", &head, "--quiet"]);
    let first = files(folder);
    refused(&["history", &head, "--undo"], "nothing to undo");
    refused(&["history", &head, "--redo"], "nothing to redo");

    done(&["edit", &head, "give him a red beard", "--quiet"]);
    let beard = files(folder);
    assert_ne!(first[0], beard[0]);
    done(&["history", &head, "--undo", "--quiet"]);
    assert!(first == files(folder), "undo");
    // The head of before moves its face again.
    let pictures = at("pictures");
    let open = ["render", &head, "-o", &pictures, "--views", "1", "--size", "64", "--quiet"];
    done(&open);
    let view = || std::fs::read(Path::new(&pictures).join("view_000.png")).unwrap();
    let shut = view();
    done(&[&open[..], &["--expression", "jawOpen=1,eyeBlinkLeft=0.5"]].concat());
    assert_ne!(shut, view());
    refused(&[&open[..], &["--expression", "jaw=1"]].concat(), "jawOpen");
    refused(&[&open[..], &["--expression", "jawOpen=2"]].concat(), "0..1");

    done(&["history", &head, "--redo", "--quiet"]);
    assert!(beard == files(folder), "redo");
    refused(&[&open[..], &["--expression", "jawOpen=1"]].concat(), "no morph targets");

    // A branch from the first head; the same edit there gives the same bytes as here.
    done(&["history", &head, "--branch", "bearded", "--quiet"]);
    done(&["history", &head, "--goto", "1", "--quiet"]);
    done(&["edit", &head, "give him green skin", "--quiet"]);
    let green = files(folder);
    done(&["history", &head, "--undo", "--quiet"]);
    done(&["edit", &head, "give him a red beard", "--quiet"]);
    assert_eq!(beard[0], files(folder)[0], "an edit again on another branch");

    let said = done(&["history", &head, "--goto", "bearded", "--json"]);
    assert!(beard == files(folder), "goto by name");
    let versions: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|value: &Value| value["version"].is_u64())
        .collect();
    let tree: Vec<_> =
        versions.iter().map(|v| (v["version"].clone(), v["parent"].clone())).collect();
    assert_eq!(
        tree,
        [
            (1.into(), Value::Null),
            (3.into(), 1.into()),
            (9.into(), 1.into()),
            (12.into(), 1.into())
        ]
    );
    let current: Vec<_> = versions.iter().filter(|v| v["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!((&current[0]["name"], &current[0]["version"]), (&"bearded".into(), &3.into()));
    assert_eq!(versions[2]["instruction"], "give him green skin");

    // All of it again, elsewhere.
    let again = at("again");
    let said = done(&["history", &head, "--replay", &again, "--json"]);
    assert!(!said.contains("other bytes"), "{said}");
    assert!(files(Path::new(&again))[0] == beard[0], "replay");
    refused(&["history", &head, "--replay", &again], "already holds");

    // A process that died between the choice and the files: the next one catches up.
    let log = folder.join("avatar.headsculpt/operations.jsonl");
    let lines = std::fs::read_to_string(&log).unwrap();
    let id = lines.lines().count() + 1;
    let select = format!(
        "{{\"schema\":2,\"id\":{id},\"parent\":3,\"operation\":{{\"kind\":\"select\",\"version\":9}}}}\n"
    );
    std::fs::write(&log, lines.clone() + &select).unwrap();
    done(&["history", &head, "--goto", "9", "--quiet"]);
    assert!(green == files(folder), "caught up");
    assert_eq!(std::fs::read_to_string(&log).unwrap(), lines + &select);

    // An edited copy has all of it.
    let copy = at("copy");
    done(&["edit", &head, "make him older", "-o", &copy, "--quiet"]);
    done(&["history", &copy, "--goto", "bearded", "--quiet"]);
    assert!(beard == files(Path::new(&copy)), "a copy's other branch");
    assert!(green == files(folder), "the original stays");

    let shown = done(&["history", &head]);
    assert!(shown.contains("* ") && shown.contains("[bearded]"), "{shown}");
    refused(&["history", &head, "--goto", "99"], "99");
    refused(&["history", &head, "--goto", "2"], "'2'");
    refused(&["history", &head, "--branch", "7"], "number");
    refused(&["history", &head, "--branch", " "], "--branch");
    refused(&["history", &head, "--undo", "--redo"], "--redo");
    refused(&["history", &at("nowhere")], "nowhere");
}

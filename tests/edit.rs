//! `headsculpt edit`: what it changes, what it leaves alone, and what it refuses.

#![allow(clippy::unwrap_used)]

mod program;

use program::{done, headsculpt, run};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

fn glb(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("avatar.glb")).unwrap()
}

fn log(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("avatar.headsculpt/operations.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn edits_follow_one_another_and_strength_zero_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    // As users run it, only smaller.
    let preset = at("small.toml");
    let text = "extends = \"quick\"\n[field.grid]\nfinest_resolution = 48\nlog2_table = 18\n\
                [fine]\nsteps = 1\nsize = 32\ncells = 48\n\
                [fine.texture]\nbase_resolution = 24\nfinest_resolution = 64\nlog2_table = 16\n\
                [edit]\nsteps = 1\n[mesh]\ngrid = 96\ntexture = 256\ntriangles = 4000\n";
    std::fs::write(&preset, text).unwrap();
    let head = at("head");
    let prompt = "a bald man with a brown beard";
    done(&run(&["generate", prompt, "--preset", &preset, "-o", &head, "--quiet"]));
    let folder = Path::new(&head);
    let (first, entries) = (glb(folder), log(folder));

    done(&run(&["edit", &head, "make him older", "--strength", "0", "--quiet"]));
    assert_eq!(first, glb(folder));
    assert_eq!(entries, log(folder));

    let same = at("same");
    let none = ["edit", &head, "make him older", "--strength", "0", "-o", &same, "--quiet"];
    done(&run(&none));
    assert_eq!((first.clone(), entries), (glb(Path::new(&same)), log(Path::new(&same))));

    // A copy is edited, the original stays; the same edit gives the same bytes.
    let (copy, again) = (at("copy"), at("again"));
    for to in [&copy, &again] {
        done(&run(&["edit", &head, "make his beard green", "-o", to, "--quiet"]));
    }
    assert_eq!(first, glb(folder));
    assert_eq!(glb(Path::new(&copy)), glb(Path::new(&again)));
    assert_ne!(first, glb(Path::new(&copy)));
    let entries = log(Path::new(&copy));
    let operation = &entries[2]["operation"];
    assert_eq!(operation["kind"], "edit");
    assert_eq!(operation["changed"]["beard_color"], "green");
    assert_eq!(entries[3]["operation"]["kind"], "finish");

    // What was not made of face units is exported as it was written, too.
    for from in [&head, &copy] {
        let to = at("exported.glb");
        done(&run(&["export", from, "-o", &to, "--quiet"]));
        assert_eq!(std::fs::read(to).unwrap(), glb(Path::new(from)));
    }

    // The second edit knows of the first.
    done(&run(&["edit", &copy, "shave off his beard", "--json"]));
    let entries = log(Path::new(&copy));
    assert_eq!(entries.len(), 6);
    assert_eq!(entries[4]["operation"]["changed"]["beard"], "none");
    let twice = run(&["edit", &copy, "shave off his beard", "--json"]);
    done(&twice);
    let said = String::from_utf8(twice.stdout).unwrap();
    assert!(said.contains("nothing that the embedded model knows"), "{said}");

    // Every state on the way stays, without what only steps need.
    let checkpoints = Path::new(&copy).join("avatar.headsculpt/checkpoints");
    for name in ["fine-000001", "edit-000003", "edit-000005", "edit-000007"] {
        let text = std::fs::read_to_string(checkpoints.join(name).with_extension("json")).unwrap();
        assert!(text.contains("\"parameters\"") && !text.contains("adam"), "{text}");
    }

    // An edited head has nothing to resume.
    let resumed = run(&["generate", "--resume", &copy]);
    assert_eq!(resumed.status.code(), Some(2));
    let sentence = String::from_utf8(resumed.stderr).unwrap();
    assert!(sentence.contains("was edited"), "{sentence}");

    // What is refused leaves no copy either.
    let nothing = at("nothing");
    for (arguments, word) in [
        (vec!["edit", &head, "make him older", "--strength", "1.5"], "--strength"),
        (vec!["edit", &head, "make him older", "--strength", "nan"], "--strength"),
        (vec!["edit", &head, "make him older", "--steps", "-1"], "--steps"),
        (vec!["edit", &head, " "], "instruction"),
        (vec!["edit", &head, " ", "-o", &nothing], "instruction"),
        (vec!["edit", &head, "make him older", "--strength", "2", "-o", &nothing], "--strength"),
        (vec!["edit", &at("nowhere"), "make him older"], "nowhere"),
        (vec!["edit", &head, "make him older", "-o", &copy], "copy"),
    ] {
        let output = run(&arguments);
        let sentence = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {sentence}");
        assert!(sentence.contains(word), "{arguments:?}: {sentence}");
        assert_eq!(sentence.trim().lines().count(), 1, "{sentence}");
        assert!(!Path::new(&nothing).exists(), "{arguments:?}");
    }
    assert_eq!(first, glb(folder));
}

#[test]
fn an_edit_of_a_region_that_was_killed_goes_on_to_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    // A head without any optimisation, and a checkpoint after every step.
    let preset = at("small.toml");
    let text = "extends = \"instant\"\n[coarse]\ncheckpoint_seconds = 0.0\n\
                [fine]\nsize = 32\ncells = 48\n\
                [fine.texture]\nbase_resolution = 24\nfinest_resolution = 64\nlog2_table = 16\n\
                [edit]\nsteps = 3\n[mesh]\ngrid = 96\ntexture = 256\ntriangles = 4000\n";
    std::fs::write(&preset, text).unwrap();
    let head = at("head");
    done(&run(&["generate", "a bald man", "--preset", &preset, "-o", &head, "--quiet"]));
    let edit = |to: &str| {
        let mut command = headsculpt([
            "edit",
            &head,
            "give him a red beard",
            "--region",
            "jaw",
            "--json",
            "-o",
            to,
        ]);
        command.stdout(Stdio::piped());
        command
    };
    let (whole, killed) = (at("whole"), at("killed"));
    done(&edit(&whole).output().unwrap());
    let operation = &log(Path::new(&whole))[2]["operation"];
    assert_eq!((&operation["kind"], &operation["region"]), (&"edit".into(), &"jaw".into()));

    let event = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    // Before its first step, and after one.
    for checkpoints in [1, 2] {
        let mut child = edit(&killed).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..checkpoints {
            let saved = lines.any(|line| event(&line.unwrap())["event"] == "checkpoint");
            assert!(saved, "the edit ended before it could be killed");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!Path::new(&killed).join("avatar.glb").exists());
    }
    let again = edit(&killed).output().unwrap();
    done(&again);
    let said = String::from_utf8(again.stdout).unwrap();
    let stage = said.lines().map(event).find(|e| e["stage"] == "edit").unwrap();
    assert!(stage["done"].as_u64().unwrap() >= 1, "{stage}");
    assert_eq!(glb(Path::new(&whole)), glb(Path::new(&killed)));
    assert!(!Path::new(&killed).join("avatar.headsculpt/editing").exists());

    let unknown = run(&["edit", &head, "make him older", "--region", "knee"]);
    assert_eq!(unknown.status.code(), Some(2));
    let sentence = String::from_utf8(unknown.stderr).unwrap();
    assert!(sentence.contains("--region"), "{sentence}");
}

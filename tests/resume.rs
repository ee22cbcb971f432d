//! The same seed gives the same bytes, also when the run was killed in the middle.

#![allow(clippy::unwrap_used)]

mod program;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Steps of the coarse stage, and of the fine one after it.
const STEPS: u64 = 4;
const FINE_STEPS: u64 = 3;

/// A checkpoint after every step; everything else as users run it, only smaller.
fn small_preset(dir: &Path, steps: u64) -> String {
    let path = dir.join("small.toml");
    let text = format!(
        "extends = \"quick\"\n[views]\nsize = 32\n[coarse]\nsteps = {steps}\ncheckpoint_seconds = 0.0\n\
         [field.grid]\nfinest_resolution = 48\nlog2_table = 18\n\
         [fine]\nsteps = {FINE_STEPS}\nsize = 32\ncells = 32\n\
         [fine.texture]\nbase_resolution = 24\nfinest_resolution = 64\nlog2_table = 16\n\
         [mesh]\ngrid = 64\ntexture = 256\ntriangles = 4000\n"
    );
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn generate(arguments: &[&str]) -> Command {
    let mut command = program::headsculpt(["generate"]);
    command.args(arguments).arg("--json").stdout(Stdio::piped());
    command
}

/// The manifests of a project's checkpoints, in order.
fn manifests(folder: &Path) -> Vec<(String, serde_json::Value)> {
    let checkpoints = folder.join("avatar.headsculpt/checkpoints");
    let paths = std::fs::read_dir(checkpoints).unwrap().map(|entry| entry.unwrap().path());
    let mut manifests: Vec<_> = paths
        .filter(|path| path.is_file())
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), text)
        })
        .map(|(name, text)| (name, serde_json::from_str(&text).unwrap()))
        .collect();
    manifests.sort_by(|(a, _), (b, _)| a.cmp(b));
    manifests
}

fn glb(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("avatar.glb")).unwrap()
}

/// The kinds of the operations in a project's log.
fn kinds(folder: &Path) -> Vec<String> {
    std::fs::read_to_string(folder.join("avatar.headsculpt/operations.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|entry| entry["operation"]["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_killed_run_resumes_to_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let preset = &small_preset(dir.path(), STEPS);
    let whole = dir.path().join("whole");
    let start = |out: &Path| {
        let mut command = generate(&["a bald man with green skin", "--preset", preset]);
        command.args(["--seed", "5", "-o"]).arg(out);
        command
    };

    let status = start(&whole).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());

    // In the coarse stage and in the fine one.
    let killed = |name: &str, after: u64, stage: &str| {
        let folder = dir.path().join(name);
        let mut child = start(&folder).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut checkpoints = 0;
        for line in lines {
            let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            checkpoints += u64::from(event["event"] == "checkpoint");
            if checkpoints == after {
                break;
            }
        }
        assert_eq!(checkpoints, after, "the run ended before it could be killed");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!folder.join("avatar.glb").exists());

        // Reopening needs no arguments but the folder.
        let output = generate(&["--resume", folder.to_str().unwrap()]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let events = String::from_utf8(output.stdout).unwrap();
        let mut events = events.lines().map(|line| serde_json::from_str(line).unwrap());
        let resumed: serde_json::Value =
            events.find(|e: &serde_json::Value| e["event"] == "stage").unwrap();
        assert_eq!(resumed["stage"], stage, "{resumed}");
        assert!(resumed["done"].as_u64().unwrap() >= 1, "{resumed}");
        assert_eq!(glb(&whole), glb(&folder), "{name}");
        assert_eq!(kinds(&folder), ["generate", "resume", "finish"]);
    };
    killed("early", STEPS / 2, "coarse");
    // A checkpoint after each step.
    killed("late", STEPS + 1, "fine");

    // A finished avatar is never overwritten by a new one.
    let output = start(&whole).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let report = std::fs::read_to_string(whole.join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    for field in [
        "schema",
        "prompt",
        "negative",
        "seed",
        "preset",
        "model",
        "version",
        "device",
        "backend",
        "total_seconds",
        "peak_rss_mb",
        "warnings",
    ] {
        assert!(report.get(field).is_some(), "report.json lacks {field}");
    }
    assert_eq!(report["stages"][0]["name"], "coarse");
    assert_eq!(report["stages"][1]["name"], "fine");
    assert!(report["mesh"]["triangles"].as_u64().unwrap() > 100);

    // Of a finished run the last state is left, without what only steps need.
    let left = manifests(&whole);
    let [(name, last)] = left.as_slice() else { panic!("{left:?}") };
    assert_eq!(*name, format!("fine-{FINE_STEPS:06}.json"));
    let arrays: Vec<_> = last["arrays"].as_object().unwrap().keys().collect();
    assert!(!arrays.iter().any(|array| array.contains("adam")), "{arrays:?}");

    // Killed after the last step, before the files: nothing of the optimisation is repeated.
    let finished = glb(&whole);
    let project = whole.join("avatar.headsculpt");
    std::fs::remove_file(whole.join("avatar.glb")).unwrap();
    std::fs::remove_file(project.join("exported")).unwrap();
    std::fs::remove_dir_all(project.join("versions")).unwrap();
    let log = project.join("operations.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let begun: Vec<&str> = text.lines().filter(|line| !line.contains("finish")).collect();
    std::fs::write(&log, begun.join("\n") + "\n").unwrap();
    let output = generate(&["--resume", whole.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let events = String::from_utf8(output.stdout).unwrap();
    let steps = events.lines().filter(|line| line.contains("\"step\""));
    assert_eq!(steps.filter(|line| !line.contains("\"mesh\"")).count(), 0, "{events}");
    assert_eq!(finished, glb(&whole));
    assert_eq!(manifests(&whole), left);
    assert_eq!(kinds(&whole), ["generate", "resume", "finish"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_the_state_and_says_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("head");
    let preset = small_preset(dir.path(), 100_000);
    let mut child = generate(&["a bald man", "--preset", &preset])
        .arg("-o")
        .arg(&folder)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is = |line: &str, event: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["event"] == event
    };
    assert!(lines.any(|line| is(&line.unwrap(), "checkpoint")), "the run ended by itself");
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let last = lines.map(|line| line.unwrap()).last().unwrap();
    assert!(last.contains("\"cancelled\""), "{last}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("--resume"), "{stderr}");
    let left = manifests(&folder);
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|(_, manifest)| manifest["pinned"] == false), "{left:?}");
}

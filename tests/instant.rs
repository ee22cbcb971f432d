//! The preset `instant`: a head that moves its face, in seconds, as the prompt says; and what
//! `eval` makes of it.

#![allow(clippy::unwrap_used)]

mod program;

use program::run;
use std::path::Path;
use std::process::Output;

fn instant(prompt: &str, seed: &str, folder: &Path) -> Output {
    let out = folder.to_str().unwrap();
    run(&["generate", prompt, "--preset", "instant", "--seed", seed, "-o", out, "--json"])
}

#[test]
fn a_sentence_becomes_a_head_with_face_units() {
    let dir = tempfile::tempdir().unwrap();
    let (first, again) = (dir.path().join("first"), dir.path().join("again"));
    let prompt = "a smiling Napoleon with a red beard";
    let output = instant(prompt, "4", &first);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The word that the studio does not know is named, with what would know it.
    let warned = said.lines().any(|line| {
        line.contains("\"warning\"")
            && line.contains("Napoleon")
            && line.contains("Stable Diffusion")
    });
    assert!(warned, "{said}");
    for file in
        ["turntable.png", "preview.webp", "report.json", "avatar.headsculpt/versions/1.json"]
    {
        assert!(first.join(file).is_file(), "{file}");
    }
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(first.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["stages"][0]["name"], "instant");
    let described = report["completed_prompt"].as_str().unwrap();
    assert!(
        ["smil", "happy", "cheerful"].iter().any(|word| described.contains(word)),
        "{described}"
    );
    let bytes = std::fs::read(first.join("avatar.glb")).unwrap();
    let file = gltf::Gltf::from_slice(&bytes).unwrap();
    let mesh = file.meshes().next().unwrap();
    let extras: serde_json::Value =
        serde_json::from_str(mesh.extras().as_ref().unwrap().get()).unwrap();
    let names: Vec<&str> =
        extras["targetNames"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(names.len(), 52);
    let weight =
        |name: &str| mesh.weights().unwrap()[names.iter().position(|n| *n == name).unwrap()];
    assert!(weight("mouthSmileLeft") > 0.5 && weight("jawOpen") == 0.0);

    assert!(instant(prompt, "4", &again).status.success());
    assert!(
        bytes == std::fs::read(again.join("avatar.glb")).unwrap(),
        "the same seed, other bytes"
    );
    let other = dir.path().join("other");
    assert!(instant(prompt, "5", &other).status.success());
    assert!(bytes != std::fs::read(other.join("avatar.glb")).unwrap());

    // The finished project can be judged, and drawn.
    let out = first.to_str().unwrap();
    let judged = run(&["eval", out, "--json"]);
    let record: serde_json::Value = serde_json::from_slice(&judged.stdout).unwrap();
    let claims = record["verdict"]["claims"].as_array().unwrap();
    assert!(claims.iter().any(|claim| claim["attribute"] == "beard"), "{record}");
    assert_eq!(record["verdict"]["front"][0], 6);
}

#[test]
fn measuring_accumulates_and_refuses_what_it_cannot_read() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("prompts.jsonl");
    let line = |prompt: &str, claims: &str| {
        format!("{{\"stratum\": \"a\", \"prompt\": \"{prompt}\", \"claims\": {claims}}}\n")
    };
    let one = line("a bald man with green skin", "{\"skin\": [\"green\"], \"hair\": [\"bald\"]}");
    std::fs::write(&list, &one).unwrap();
    let out = dir.path().join("out");
    let run = |more: &[&str]| {
        let (list, out) = (list.to_str().unwrap(), out.to_str().unwrap());
        let base = ["eval", "--prompts", list, "--of", "instant", "-o", out, "--quiet"];
        run(&[&base[..], more].concat())
    };
    assert!(run(&[]).status.success());
    let results = || std::fs::read_to_string(out.join("results.jsonl")).unwrap();
    assert_eq!(results().lines().count(), 1);
    // Results are not overwritten by accident, and what is known is not made again.
    assert_eq!(run(&[]).status.code(), Some(2));
    let two = line("a woman with blue hair", "{\"hair_color\": [\"blue\"]}");
    std::fs::write(&list, one.clone() + &two).unwrap();
    let before = results();
    assert!(run(&["--resume"]).status.success());
    assert!(results().starts_with(&before));
    assert_eq!(results().lines().count(), 2);
    let summary = std::fs::read_to_string(out.join("summary.md")).unwrap();
    assert!(summary.contains("| skin | 100 %"), "{summary}");

    std::fs::write(&list, one + "{\"prompt\": 3}\n").unwrap();
    let refused = run(&["--resume"]);
    assert_eq!(refused.status.code(), Some(2));
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("prompts.jsonl: line 2"), "{error}");
}

//! Bad input gets one clear sentence, exit code 2, and nothing is written.

#![allow(clippy::unwrap_used)]

mod program;

use program::copy;
use std::path::{Path, PathBuf};
use std::process::Output;

fn headsculpt(dir: &Path, arguments: &[&str]) -> Output {
    program::headsculpt(arguments)
        .current_dir(dir)
        .env("XDG_CACHE_HOME", dir.join("cache"))
        .output()
        .unwrap()
}

/// A copy of a small real checkpoint that a case may damage.
fn checkpoint(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/diffusion/pixel_space");
    let target = dir.join("checkpoint");
    copy(&source, &target);
    target
}

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";

fn damage(dir: &Path, kind: &str) {
    let unet = dir.join(UNET);
    let bytes = std::fs::read(&unet).unwrap();
    match kind {
        "missing" => std::fs::remove_file(&unet).unwrap(),
        "truncated" => std::fs::write(&unet, &bytes[..bytes.len() / 2]).unwrap(),
        "oversized" => {
            let mut bytes = bytes;
            bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
            std::fs::write(&unet, bytes).unwrap();
        }
        "shape" => {
            let config = dir.join("unet/config.json");
            let text = std::fs::read_to_string(&config).unwrap();
            let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
            value["in_channels"] = 7.into();
            std::fs::write(&config, value.to_string()).unwrap();
        }
        "json" => std::fs::write(dir.join("unet/config.json"), "{ \"a\": ").unwrap(),
        _ => unreachable!(),
    }
}

#[test]
fn every_kind_of_bad_input_is_one_sentence_and_exit_code_2() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path();
    let bad_preset = dir.join("bad.toml");
    std::fs::write(&bad_preset, "extends = \"quick\"\n[coarse]\nstepz = 3\n").unwrap();
    let bad_preset = bad_preset.to_str().unwrap();
    let file = dir.join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let under_file = file.join("out");
    let under_file = under_file.to_str().unwrap();
    let prompt = "a bald man";
    let edits = |name: &str, line: &str| {
        let good = r#"{"prompt": "a man", "instruction": "make him old", "attribute": "age", "values": ["old"]}"#;
        let path = dir.join(name);
        std::fs::write(&path, format!("{good}\n{line}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good_edits = edits("edits.jsonl", "");
    let torn_edits = edits("torn.jsonl", "{\"prompt\": ");
    let teal =
        r#"{"prompt": "a man", "instruction": "x", "attribute": "skin", "values": ["teal"]}"#;
    let teal_edits = edits("teal.jsonl", teal);

    let mut cases: Vec<(Vec<String>, &str)> = [
        (vec!["generate", ""], "prompt"),
        (vec!["generate", "   "], "prompt"),
        (vec!["generate", prompt, "--preset", "nonsense"], "nonsense"),
        (vec!["generate", prompt, "--preset", bad_preset], "stepz"),
        (vec!["generate", prompt, "--model", "no/such/model"], "no/such/model"),
        (vec!["generate", prompt, "--seed", "x"], "--seed"),
        (vec!["generate", prompt, "--seed", "-1"], "--seed"),
        (vec!["generate", prompt, "--size", "-5"], "--size"),
        (vec!["generate", prompt, "--guidance-scale", "-3"], "--guidance-scale"),
        (vec!["generate", prompt, "--coarse-steps", "-1"], "--coarse-steps"),
        (vec!["generate", prompt, "--fine-steps", "-1"], "--fine-steps"),
        (vec!["edit", "no-such-head", "make him older"], "no-such-head"),
        (vec!["generate", prompt, "--guidance-scale", "nan"], "--guidance-scale"),
        (vec!["generate", prompt, "--guidance-scale", "inf"], "--guidance-scale"),
        (vec!["generate", prompt, "--size", "3"], "--size"),
        (vec!["generate", prompt, "--preset", "standard", "--coarse-steps", "0"], "--coarse-steps"),
        (vec!["generate", prompt, "--guidance", "magic"], "--guidance"),
        (vec!["generate", prompt, "-o", under_file], under_file),
        (vec!["generate", "--resume", "nowhere"], "nowhere"),
        (vec!["generate"], "PROMPT"),
        (vec!["generate", prompt, "--wat"], "--wat"),
        (vec!["render", "nowhere", "-o", "views"], "nowhere"),
        (vec!["render", "nowhere", "-o", "views", "--size", "1"], "--size"),
        (vec!["eval", "nowhere"], "nowhere"),
        (vec!["eval"], "PROJECTS"),
        (vec!["eval", "--edits", "nowhere.jsonl"], "nowhere.jsonl"),
        (vec!["eval", "--edits", &torn_edits], "torn.jsonl: line 2"),
        (vec!["eval", "--edits", &teal_edits], "teal.jsonl: line 2: `values`"),
        (vec!["eval", "--edits", &good_edits, "--strengths", "0.5,2"], "--strengths"),
        (vec!["eval", "--edits", &good_edits, "--strengths", "0"], "--strengths"),
        (vec!["eval", "--edits", &good_edits, "--strengths", "nan"], "--strengths"),
        (vec!["eval", "--edits", &good_edits, "--of", "samples"], "--of"),
        (vec!["eval", "nowhere", "--edits", &good_edits], "--edits"),
        (vec!["models", "verify", "no/such/model"], "no/such/model"),
        (vec!["models", "verify", "embedded", "--reference", "no.safetensors"], "no.safetensors"),
    ]
    .into_iter()
    .map(|(arguments, word)| (arguments.into_iter().map(str::to_owned).collect(), word))
    .collect();
    for (kind, word) in [
        ("missing", "diffusion_pytorch_model"),
        ("truncated", "diffusion_pytorch_model"),
        ("oversized", "diffusion_pytorch_model"),
        ("shape", "conv_in.weight"),
        ("json", "config.json"),
    ] {
        let model = checkpoint(&dir.join(kind));
        damage(&model, kind);
        let model = model.to_str().unwrap().to_owned();
        let generate = ["generate", prompt, "--model", &model].map(str::to_owned).to_vec();
        cases.push((generate, word));
        cases.push((["models", "verify", &model].map(str::to_owned).to_vec(), word));
    }

    let mut failures = Vec::new();
    for (i, (arguments, word)) in cases.iter().enumerate() {
        let place = dir.join(format!("case-{i}"));
        std::fs::create_dir(&place).unwrap();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = headsculpt(&place, &arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let left: Vec<_> = std::fs::read_dir(&place)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != "cache")
            .collect();
        let good = output.status.code() == Some(2)
            && stderr.lines().count() == 1
            && stderr.contains(word)
            && left.is_empty();
        if !good {
            failures.push(format!("{arguments:?}: {:?} {stderr:?} {left:?}", output.status));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_machine_without_an_adapter_is_told_what_to_install() {
    let dir = tempfile::tempdir().unwrap();
    let output = program::headsculpt(["generate", "a bald man"])
        .current_dir(dir.path())
        // No driver manifests: the Vulkan loader finds nothing.
        .env("VK_DRIVER_FILES", "/nonexistent.json")
        .env("VK_ICD_FILENAMES", "/nonexistent.json")
        .env("WGPU_BACKEND", "vulkan")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("mesa-vulkan-drivers"), "{stderr}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn help_and_version_are_not_errors() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["generate", "--help"], &["--version"]] {
        let output = headsculpt(dir.path(), arguments);
        assert!(output.status.success(), "{arguments:?}");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_display_the_window_says_so() {
    for arguments in [&[][..], &["gui"]] {
        let mut command = program::headsculpt(arguments);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let sentence = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{sentence}");
        assert!(sentence.contains("no display") && sentence.contains("--help"), "{sentence}");
        assert_eq!(sentence.trim().lines().count(), 1, "{sentence}");
    }
}

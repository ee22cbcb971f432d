//! `headsculpt models`: which there are, names for checkpoint folders, and what is refused.

#![allow(clippy::unwrap_used)]

mod program;

use program::{copy, done};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Runs with a data folder of its own, from another folder than the project's.
fn headsculpt(place: &Path, arguments: &[&str]) -> Output {
    program::headsculpt(arguments)
        .current_dir(place)
        .env("HEADSCULPT_DATA", place.join("data"))
        .output()
        .unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/diffusion").join(name)
}

/// What `models list --json` says, by the models' names.
fn listed(place: &Path) -> Vec<(String, Value)> {
    let said = done(&headsculpt(place, &["models", "list", "--json"]));
    let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (line["model"].as_str().unwrap().to_owned(), line)).collect()
}

#[test]
fn a_checkpoint_is_added_used_by_its_name_and_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path();
    let states = |place: &Path| -> Vec<String> {
        listed(place).iter().map(|(_, l)| l["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(place), ["embedded", "missing", "missing", "missing", "missing", "missing"]);
    let model = place.join("my checkpoints/sd like");
    copy(&fixture("sd_like"), &model);
    let folder = model.canonicalize().unwrap();

    // The folder's own name has a space: it needs another.
    let refused = headsculpt(place, &["models", "add", "my checkpoints/sd like"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--name"));
    let add = ["models", "add", "my checkpoints/sd like", "--name", "mine"];
    let said = done(&headsculpt(place, &add));
    assert!(said.contains("--model mine") && said.contains("takes no part"), "{said}");
    done(&headsculpt(place, &add));
    assert_eq!(states(place), ["embedded", "added", "missing", "missing", "missing"]);
    let (_, mine) = listed(place).into_iter().find(|(name, _)| name == "mine").unwrap();
    assert_eq!(Path::new(mine["folder"].as_str().unwrap()), folder);
    assert!(mine["bytes"].as_u64().unwrap() > 1000);
    let human = done(&headsculpt(place, &["models", "list"]));
    for word in ["embedded", "MIT or Apache-2.0", "mine", "controlnet-mediapipe-face", "OpenRAIL"] {
        assert!(human.contains(word), "{human}");
    }
    assert!(done(&headsculpt(place, &["models", "list", "--quiet"])).is_empty());

    // The name is as good as the folder, and a project remembers the folder.
    let said = done(&headsculpt(place, &["models", "verify", "mine"]));
    assert!(said.contains("unet"), "{said}");
    let prompt = "a bald man";
    let make = ["generate", prompt, "--preset", "instant", "--model", "mine", "-o", "head", "-v"];
    done(&headsculpt(place, &make));
    let log = place.join("head/avatar.headsculpt/operations.jsonl");
    let log = std::fs::read_to_string(log).unwrap();
    let first: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    let stored = first["operation"]["config"]["model"].as_str().unwrap();
    assert_eq!(Path::new(stored), folder);

    // A folder here that has the name of an added model is meant by its path.
    copy(&fixture("pixel_space"), &place.join("mine"));
    let of_name = done(&headsculpt(place, &["models", "verify", "mine"]));
    let of_path = done(&headsculpt(place, &["models", "verify", "./mine"]));
    assert!(of_name.contains("vae") && !of_path.contains("vae"), "{of_name} {of_path}");

    let said = done(&headsculpt(place, &["models", "remove", "mine"]));
    assert!(said.contains("stay in") && folder.join("unet").is_dir(), "{said}");
    assert_eq!(states(place).len(), 6);
    // The project does not need the name.
    done(&headsculpt(place, &["export", "head", "-o", "x.glb"]));
}

#[test]
fn what_cannot_be_a_model_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path();
    let fixture = |name: &str| fixture(name).to_str().unwrap().to_owned();
    let good = fixture("sd_like");
    let gone = place.join("gone");
    copy(&PathBuf::from(&good), &gone);
    done(&headsculpt(place, &["models", "add", "gone"]));
    std::fs::remove_dir_all(&gone).unwrap();
    done(&headsculpt(place, &["models", "add", &good, "--name", "taken"]));
    let pickled = place.join("pickled");
    copy(&PathBuf::from(&good), &pickled);
    let weights = pickled.join("unet/diffusion_pytorch_model");
    std::fs::rename(weights.with_extension("safetensors"), weights.with_extension("bin")).unwrap();
    let pickled = pickled.to_str().unwrap();
    std::fs::write(place.join("model.safetensors"), "weights").unwrap();
    let registry = std::fs::read(place.join("data/models.json")).unwrap();
    let control = format!("{good}/controlnet");
    let other = fixture("pixel_space");
    for (arguments, word) in [
        (vec!["models", "add", "nowhere"], "nowhere does not exist"),
        (vec!["models", "add", "model.safetensors"], "only folders in the diffusers layout"),
        (vec!["models", "add", &control], "a ControlNet alone"),
        (vec!["models", "add", pickled], "pickled weights"),
        (vec!["models", "add", &good, "--name", "embedded"], "'embedded'"),
        (vec!["models", "add", &good, "--name", "a/b"], "'a/b'"),
        (vec!["models", "add", &other, "--name", "taken"], "'taken' already belongs to"),
        (vec!["models", "add"], "DIR"),
        (vec!["models", "remove", "nobody"], "'nobody'"),
        (vec!["models", "remove", "embedded"], "'embedded'"),
        (vec!["models", "verify", "nobody"], "no model 'nobody'"),
        (vec!["models", "verify", "gone"], "models remove gone"),
        (vec!["generate", "a man", "--model", "gone"], "models remove gone"),
        (vec!["generate", "a man", "--model", "nobody"], "no model 'nobody'"),
        (vec!["models", "pull", "x"], "pull"),
    ] {
        let output = headsculpt(place, &arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.lines().count() == 1 && stderr.contains(word), "{arguments:?}: {stderr}");
    }
    assert_eq!(std::fs::read(place.join("data/models.json")).unwrap(), registry);
    // A model whose folder is gone is still listed, with what is wrong.
    let (_, line) = listed(place).into_iter().find(|(name, _)| name == "gone").unwrap();
    assert_eq!(line["state"], "broken");
    done(&headsculpt(place, &["models", "remove", "gone"]));

    std::fs::write(place.join("data/models.json"), "{").unwrap();
    for arguments in [&["models", "list"][..], &["models", "verify", "taken"]] {
        let output = headsculpt(place, arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("models.json is not valid"));
    }
    // What needs no names works all the same.
    let path = format!("{good}/");
    done(&headsculpt(place, &["models", "verify", &path]));
}

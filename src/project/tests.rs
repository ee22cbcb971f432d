//! What the checkpoint store keeps, mends, refuses and forgets.

use super::{Checkpoint, CheckpointStore, Keep, Operation, Project, ProjectError};
use crate::config::GenerationConfig;
use rand::{Rng, SeedableRng, rngs::StdRng};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// An array that all checkpoints here share.
const SHARED: usize = 1 << 20;

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(seed).fill(&mut bytes[..]);
    bytes
}

fn at(stage: &str, step: u64) -> Checkpoint {
    Checkpoint {
        stage: stage.into(),
        step,
        fingerprint: "f".into(),
        arrays: BTreeMap::from([
            ("shared".to_owned(), noise(0, SHARED)),
            ("own".to_owned(), noise(step + 1, 1000)),
            ("empty".to_owned(), Vec::new()),
        ]),
    }
}

fn store(dir: &Path) -> CheckpointStore {
    CheckpointStore::new(dir.to_path_buf())
}

/// Writes a checkpoint as schema 1 had it.
fn write_single_file(dir: &Path, checkpoint: &Checkpoint, schema: u32) -> PathBuf {
    let view = |bytes| TensorView::new(Dtype::U8, vec![<[u8]>::len(bytes)], bytes).unwrap();
    let views = checkpoint.arrays.iter().map(|(name, bytes)| (name.clone(), view(bytes)));
    let header = HashMap::from([
        ("schema".to_owned(), schema.to_string()),
        ("stage".to_owned(), checkpoint.stage.clone()),
        ("step".to_owned(), checkpoint.step.to_string()),
        ("fingerprint".to_owned(), checkpoint.fingerprint.clone()),
    ]);
    let path = dir.join(format!("{}-{:06}.safetensors", checkpoint.stage, checkpoint.step));
    std::fs::write(&path, safetensors::serialize(views, Some(header)).unwrap()).unwrap();
    path
}

/// The checkpoints in a folder by name, in order.
fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.path().is_file());
    let mut names: Vec<_> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn manifest(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Where an array of a checkpoint lies.
fn object(dir: &Path, name: &str, array: &str) -> PathBuf {
    let hash = manifest(&dir.join(name))["arrays"][array]["sha256"].as_str().unwrap().to_owned();
    dir.join("objects").join(hash)
}

/// Bytes of all files in a folder and below.
fn size(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { size(&path) } else { path.metadata().unwrap().len() })
        .sum()
}

#[test]
fn equal_arrays_are_stored_once_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    assert!(store.newest().unwrap().is_none());
    store.save(&at("fine", 1), Keep::Rolling).unwrap();
    let path = store.save(&at("fine", 2), Keep::Rolling).unwrap();
    assert_eq!(path, dir.path().join("fine-000002.json"));
    // The shared one, the empty one, and an own one each.
    assert_eq!(names(&dir.path().join("objects")).len(), 4);
    for step in [1, 2] {
        assert_eq!(store.find("fine", step).unwrap().unwrap(), at("fine", step));
    }
    assert!(store.find("fine", 3).unwrap().is_none());
    assert!(store.find("coarse", 1).unwrap().is_none());
}

#[test]
fn a_running_stage_keeps_two_and_finished_ones_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let objects = || names(&dir.path().join("objects")).len();
    for step in [8, 9, 10, 100] {
        store.save(&at("coarse", step), Keep::Rolling).unwrap();
    }
    assert_eq!(names(dir.path()), ["coarse-000010.json", "coarse-000100.json"]);
    assert_eq!(objects(), 4);
    store.save(&at("fine", 1), Keep::Rolling).unwrap();
    assert_eq!(names(dir.path()), ["coarse-000100.json", "fine-000001.json"]);
    store.save(&at("fine", 2), Keep::Pinned).unwrap();
    assert_eq!(names(dir.path()), ["fine-000002.json"]);
    assert_eq!(objects(), 3);
    for step in 1..=4 {
        store.save(&at("edit", step), Keep::Pinned).unwrap();
    }
    let pinned = ["edit-000001.json", "edit-000002.json", "edit-000003.json", "edit-000004.json"];
    assert_eq!(names(dir.path()), [&pinned[..], &["fine-000002.json"]].concat());
    assert_eq!(store.find("edit", 2).unwrap().unwrap(), at("edit", 2));
    assert_eq!(store.find("fine", 2).unwrap().unwrap(), at("fine", 2));
}

#[test]
fn falls_back_from_every_kind_of_damage() {
    type Damage = fn(&Path);
    type Change = fn(&mut Value);
    let edited = |path: &Path, change: Change| {
        let mut value = manifest(path);
        change(&mut value);
        std::fs::write(path, value.to_string()).unwrap();
    };
    let cut = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    };
    let kinds: &[(&str, &str, Damage)] = &[
        ("an object is missing", "own", |path| std::fs::remove_file(path).unwrap()),
        ("an object is empty", "own", |path| std::fs::write(path, "").unwrap()),
        ("an object is another one", "own", |path| {
            std::fs::write(path, super::packing::pack(&[7; 1000])).unwrap();
        }),
        ("an object has other bytes", "own", |path| {
            let mut bytes = std::fs::read(path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            std::fs::write(path, bytes).unwrap();
        }),
        ("an object is longer", "own", |path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, [bytes, vec![0; 2000]].concat()).unwrap();
        }),
        ("an object is a folder", "own", |path| {
            std::fs::remove_file(path).unwrap();
            std::fs::create_dir(path).unwrap();
        }),
        #[cfg(unix)]
        ("an object is a link", "own", |path| {
            let away = path.with_extension("away");
            std::fs::rename(path, &away).unwrap();
            std::os::unix::fs::symlink(&away, path).unwrap();
        }),
        ("the manifest is empty", "", |path| std::fs::write(path, "").unwrap()),
        ("the manifest is no JSON", "", |path| std::fs::write(path, [0xff; 40]).unwrap()),
        ("the manifest is deep", "", |path| std::fs::write(path, "[".repeat(100_000)).unwrap()),
        ("the manifest is huge", "", |path| {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(path, text + &" ".repeat(2 << 20)).unwrap();
        }),
    ];
    let hostile: &[(&str, Change)] = &[
        ("newer", |m| m["schema"] = json!(3)),
        ("far newer", |m| m["schema"] = json!(u64::MAX)),
        ("older than manifests", |m| m["schema"] = json!(1)),
        ("without a schema", |m| m["schema"] = Value::Null),
        ("another stage", |m| m["stage"] = json!("fine")),
        ("another step", |m| m["step"] = json!(3)),
        ("an unknown key", |m| m["more"] = json!(1)),
        ("a path", |m| m["arrays"]["own"]["sha256"] = json!("../coarse-000001.json")),
        ("an absolute path", |m| m["arrays"]["own"]["sha256"] = json!("/etc/hostname")),
        ("a short hash", |m| m["arrays"]["own"]["sha256"] = json!("ab")),
        ("capitals", |m| m["arrays"]["own"]["sha256"] = json!("AB".repeat(32))),
        ("nothing stored", |m| m["arrays"]["own"]["sha256"] = json!("ab".repeat(32))),
        ("another's contents", |m| {
            m["arrays"]["own"]["sha256"] = m["arrays"]["shared"]["sha256"].clone();
        }),
        ("too short", |m| m["arrays"]["own"]["bytes"] = json!(999)),
        ("too long", |m| m["arrays"]["own"]["bytes"] = json!(1001)),
        ("far too long", |m| m["arrays"]["own"]["bytes"] = json!(7_u64 << 30)),
        ("above the limit", |m| m["arrays"]["own"]["bytes"] = json!(9_u64 << 30)),
        ("wrapping", |m| {
            for name in ["own", "shared"] {
                m["arrays"][name]["bytes"] = json!(u64::MAX);
            }
        }),
        ("negative", |m| m["arrays"]["own"]["bytes"] = json!(-1)),
    ];

    let mut failures = Vec::new();
    let mut check = |kind: &str, damage: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        store.save(&at("coarse", 1), Keep::Rolling).unwrap();
        store.save(&at("coarse", 2), Keep::Rolling).unwrap();
        damage(dir.path());
        match store.newest() {
            Ok(Some((found, damaged))) if found == at("coarse", 1) => {
                if damaged.len() != 1 || !damaged[0].contains("coarse-000002") {
                    failures.push(format!("{kind}: {damaged:?}"));
                }
            }
            other => failures.push(format!("{kind}: {:?}", other.map(|_| ()))),
        }
        // What is damaged does not keep a run from going on, nor its remains for ever.
        for step in 3..=4 {
            store.save(&at("coarse", step), Keep::Rolling).unwrap();
        }
        let (newest, damaged) = store.newest().unwrap().unwrap();
        if newest != at("coarse", 4) || !damaged.is_empty() {
            failures.push(format!("{kind}: cannot go on, {damaged:?}"));
        }
    };
    let newest = "coarse-000002.json";
    for (kind, array, damage) in kinds {
        check(kind, &|dir| {
            let path = if array.is_empty() { dir.join(newest) } else { object(dir, newest, array) };
            damage(&path);
        });
    }
    for (kind, change) in hostile {
        check(kind, &|dir| edited(&dir.join(newest), *change));
    }
    check("an object is cut", &|dir| cut(&object(dir, newest, "own")));
    check("the manifest is cut", &|dir| cut(&dir.join(newest)));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_damaged_array_is_named_and_mended_by_the_next_save() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    store.save(&at("fine", 1), Keep::Rolling).unwrap();
    let shared = object(dir.path(), "fine-000001.json", "shared");
    std::fs::write(&shared, "damaged").unwrap();
    let error = store.newest().unwrap_err().to_string();
    let hash = shared.file_name().unwrap().to_str().unwrap();
    assert!(error.contains("fine-000001.json") && error.contains("'shared'"), "{error}");
    assert!(error.contains(hash), "{error}");
    store.save(&at("fine", 2), Keep::Rolling).unwrap();
    for step in [1, 2] {
        assert_eq!(store.find("fine", step).unwrap().unwrap(), at("fine", step));
    }
}

#[test]
fn what_a_crash_leaves_is_swept_by_the_next_save() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let objects = dir.path().join("objects");
    store.save(&at("fine", 1), Keep::Pinned).unwrap();
    // Before the manifest was there, while a file was written, and before the sweep.
    let orphan = objects.join("ab".repeat(32));
    let cut = [objects.join(".writing-x"), dir.path().join(".writing-y")];
    for path in cut.iter().chain([&orphan]) {
        std::fs::write(path, "left").unwrap();
    }
    store.save(&at("edit", 1), Keep::Pinned).unwrap();
    std::fs::remove_file(dir.path().join("edit-000001.json")).unwrap();
    assert_eq!(store.newest().unwrap().unwrap().0, at("fine", 1));
    store.save(&at("edit", 5), Keep::Pinned).unwrap();
    assert_eq!(names(dir.path()), ["edit-000005.json", "fine-000001.json"]);
    assert_eq!(names(&objects).len(), 4);
}

#[test]
fn what_a_newer_program_wrote_stays_with_its_arrays() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let path = store.save(&at("fine", 1), Keep::Rolling).unwrap();
    let own = object(dir.path(), "fine-000001.json", "own");
    let mut newer = manifest(&path);
    newer["schema"] = json!(3);
    std::fs::write(&path, newer.to_string()).unwrap();
    let error = store.find("fine", 1).unwrap_err();
    assert!(matches!(error, ProjectError::TooNew { found: 3, known: 2, .. }), "{error}");
    for step in 1..=3 {
        store.save(&at("edit", step), Keep::Pinned).unwrap();
    }
    assert!(path.exists() && own.exists());
}

#[test]
fn the_single_files_of_schema_1_are_read_and_outlive_edits() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    for step in [13, 16] {
        write_single_file(dir.path(), &at("fine", step), 1);
    }
    assert_eq!(store.newest().unwrap().unwrap(), (at("fine", 16), Vec::new()));
    store.save(&at("edit", 1), Keep::Pinned).unwrap();
    store.save(&at("edit", 2), Keep::Pinned).unwrap();
    assert_eq!(
        names(dir.path()),
        ["edit-000001.json", "edit-000002.json", "fine-000016.safetensors"]
    );
    assert_eq!(store.find("fine", 16).unwrap().unwrap(), at("fine", 16));

    // A run that goes on replaces them.
    let dir = tempfile::tempdir().unwrap();
    let store = CheckpointStore::new(dir.path().to_path_buf());
    for step in [13, 16] {
        write_single_file(dir.path(), &at("fine", step), 1);
    }
    store.save(&at("fine", 17), Keep::Rolling).unwrap();
    assert_eq!(names(dir.path()), ["fine-000016.safetensors", "fine-000017.json"]);
    store.save(&at("fine", 17), Keep::Pinned).unwrap();
    assert_eq!(names(dir.path()), ["fine-000017.json"]);

    let path = write_single_file(dir.path(), &at("fine", 18), 99);
    let error = store.find("fine", 18).unwrap_err();
    assert!(matches!(error, ProjectError::TooNew { found: 99, .. }), "{error}");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let (newest, damaged) = store.newest().unwrap().unwrap();
    assert_eq!(newest, at("fine", 17));
    assert!(damaged[0].contains("fine-000018"), "{damaged:?}");
}

#[test]
fn edits_grow_a_project_by_what_they_change() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    store.save(&at("fine", 16), Keep::Pinned).unwrap();
    let first = size(dir.path());
    for step in 1..=10 {
        store.save(&at("edit", step), Keep::Pinned).unwrap();
    }
    let grown = size(dir.path()) - first;
    // Ten own arrays of a thousand bytes that do not shrink, and ten manifests.
    assert!((10_000..22_000).contains(&grown), "{grown} bytes, after {first}");
}

#[test]
fn a_copy_of_a_project_has_all_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let first = Operation::Generate {
        config: Box::new(GenerationConfig::preset("quick").unwrap()),
        version: "0".into(),
        device: "test".into(),
    };
    let (original, copy) = (dir.path().join("original"), dir.path().join("copy"));
    let project = Project::create(&original, first).unwrap();
    let folder = project.root().join("checkpoints");
    write_single_file(&folder, &at("fine", 16), 1);
    project.checkpoints().save(&at("edit", 1), Keep::Pinned).unwrap();
    project.checkpoints().save(&at("edit", 2), Keep::Pinned).unwrap();
    std::fs::write(folder.join("objects/.writing-x"), "left").unwrap();
    project.copy_to(&copy).unwrap();
    let copied = Project::open(&copy).unwrap();
    assert_eq!(copied.entries(), project.entries());
    for (stage, step) in [("fine", 16), ("edit", 1), ("edit", 2)] {
        let found = copied.checkpoints().find(stage, step).unwrap();
        assert_eq!(found.unwrap(), at(stage, step));
    }
    assert!(!copied.root().join("checkpoints/objects/.writing-x").exists());
}

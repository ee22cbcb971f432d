//! Projects that somebody made to do harm, or that a disk damaged: one sentence, exit code 2,
//! and nothing outside is read or written.

#![allow(clippy::unwrap_used)]

mod program;

use headsculpt::config::GenerationConfig;
use headsculpt::geometry::mesh::sphere;
use headsculpt::geometry::{MorphMesh, MorphTarget, TexturedMesh};
use headsculpt::pipeline::EditRegion;
use headsculpt::project::{Checkpoint, Keep, Operation, PROJECT_DIR, Project, VersionStore};
use program::{BINARY, quiet_driver};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a command may take to refuse something on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A project of a generation and an edit, with everything that a real one has, in little.
fn project(output: &Path) -> PathBuf {
    let mut config = GenerationConfig::preset("instant").unwrap();
    config.prompt = "a bald man".into();
    let first =
        Operation::Generate { config: Box::new(config), version: "0".into(), device: "d".into() };
    let mut project = Project::create(output, first).unwrap();
    let head = head();
    project.save_avatar(1, &head).unwrap();
    project.save_records(1, b"no picture", b"{}").unwrap();
    project.finish(&head.rest).unwrap();
    let arrays = BTreeMap::from([("parameters".to_owned(), vec![1; 64])]);
    let (stage, fingerprint) = ("edit".to_owned(), "f".to_owned());
    let checkpoint = Checkpoint { stage, step: 3, fingerprint, arrays };
    project.checkpoints().save(&checkpoint, Keep::Pinned).unwrap();
    project.save_avatar(3, &head).unwrap();
    project.append(edit("make him older")).unwrap();
    project.finish(&head.rest).unwrap();
    project.mark_exported().unwrap();
    std::fs::write(output.join("avatar.glb"), "not asked for").unwrap();
    project.root().to_path_buf()
}

fn edit(instruction: &str) -> Operation {
    Operation::Edit {
        instruction: instruction.into(),
        region: EditRegion::All,
        strength: 1.0,
        steps: 1,
        seed: 0,
        changed: BTreeMap::new(),
    }
}

fn head() -> MorphMesh {
    let mesh = sphere(glam::Vec3::ZERO, 0.5, 4, 5);
    let count = mesh.positions.len();
    let normals = mesh.positions.iter().map(|p| p.normalize()).collect();
    let albedo = image::RgbaImage::from_pixel(2, 2, image::Rgba([9, 8, 7, 255]));
    let rest = TexturedMesh { mesh, normals, uvs: vec![glam::Vec2::splat(0.5); count], albedo };
    let (vertices, deltas) = (vec![0, 2], vec![glam::Vec3::X; 2]);
    let target = MorphTarget { name: "jawOpen".into(), vertices, deltas };
    MorphMesh { rest, targets: vec![target], weights: vec![0.0] }
}

/// What is asked of a project.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ask {
    History,
    Undo,
    Export,
    Edit,
    Resume,
}

impl Ask {
    fn command(self, folder: &Path) -> Vec<String> {
        let folder = folder.to_str().unwrap();
        let words = match self {
            Self::History => vec!["history", folder],
            Self::Undo => vec!["history", folder, "--undo"],
            Self::Export => vec!["export", folder, "--format", "ply"],
            Self::Edit => vec!["edit", folder, "make him older", "--quiet"],
            Self::Resume => vec!["generate", "--resume", folder, "--quiet"],
        };
        words.into_iter().map(str::to_owned).collect()
    }
}

/// Every file and link below a folder, with its contents.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(contents(&entry.path()));
        } else {
            found.insert(entry.path(), std::fs::read(entry.path()).unwrap_or_default());
        }
    }
    found
}

type Spoil = Box<dyn Fn(&Path)>;

/// One way to spoil a project: what it is called, what is asked then, a word of the refusal.
struct Case(String, Ask, &'static str, Spoil);

fn case(
    name: impl Into<String>,
    ask: Ask,
    word: &'static str,
    spoil: impl Fn(&Path) + 'static,
) -> Case {
    Case(name.into(), ask, word, Box::new(spoil))
}

fn rewrite(path: &Path, change: impl Fn(&mut Value)) {
    let mut value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(path, value.to_string()).unwrap();
}

/// Changes a line of the log.
fn rewrite_line(root: &Path, line: usize, change: impl Fn(&mut Value)) {
    let log = root.join("operations.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    change(&mut lines[line - 1]);
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
}

fn append(root: &Path, bytes: &[u8]) {
    let log = root.join("operations.jsonl");
    let text = [&std::fs::read(&log).unwrap(), bytes].concat();
    std::fs::write(log, text).unwrap();
}

fn put(root: &Path, name: &str, bytes: &[u8]) {
    VersionStore::new(root.join("versions")).put(3, &[(name, bytes)]).unwrap();
}

fn get(root: &Path, name: &str) -> Vec<u8> {
    VersionStore::new(root.join("versions")).get(3, name).unwrap().unwrap()
}

/// Changes a tensor of a version's file.
fn spoil_tensor(root: &Path, file: &str, name: &str, change: impl Fn(&mut Vec<u8>)) {
    let bytes = get(root, file);
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let metadata: Option<HashMap<String, String>> = header.metadata().clone();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut arrays: Vec<(String, Dtype, Vec<u8>)> = tensors
        .iter()
        .map(|(name, view)| (name.to_owned(), view.dtype(), view.data().to_vec()))
        .collect();
    for (_, _, array) in arrays.iter_mut().filter(|(found, ..)| found == name) {
        change(array);
    }
    let views = arrays.iter().map(|(name, dtype, array)| {
        (name.clone(), TensorView::new(*dtype, vec![array.len() / 4], array).unwrap())
    });
    put(root, file, &safetensors::serialize(views, metadata).unwrap());
}

// Like the other changes, which may shorten it.
#[allow(clippy::ptr_arg)]
fn nan(array: &mut Vec<u8>) {
    array[..4].copy_from_slice(&f32::NAN.to_le_bytes());
}

/// A safetensors file with this header and nothing behind it.
fn bare(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()
}

fn logs() -> Vec<Case> {
    use Ask::{Edit, History, Resume};
    let entry = |id: u64, operation: &Value| {
        json!({"schema": 2, "id": id, "parent": 3, "operation": operation}).to_string() + "\n"
    };
    let appended = |name: &str, word: &'static str, bytes: Vec<u8>| {
        case(name, History, word, move |root| append(root, &bytes))
    };
    let select = |version: Value| entry(5, &json!({"kind": "select", "version": version}));
    let mut cases = vec![
        case("a log of a terabyte", History, "too long", |root| {
            let log = std::fs::OpenOptions::new().write(true).open(root.join("operations.jsonl"));
            log.unwrap().set_len(1 << 40).unwrap();
        }),
        case("an empty log", History, "is empty", |root| {
            std::fs::write(root.join("operations.jsonl"), "").unwrap();
        }),
        case("a log that is a folder", History, "operations.jsonl", |root| {
            std::fs::remove_file(root.join("operations.jsonl")).unwrap();
            std::fs::create_dir(root.join("operations.jsonl")).unwrap();
        }),
        case("too many entries", History, "line 100001", |root| {
            let line = |id| {
                format!(
                    "{{\"schema\":2,\"id\":{id},\"parent\":3,\"operation\":{{\"kind\":\"select\",\"version\":3}}}}\n"
                )
            };
            append(root, (5..=100_001).map(line).collect::<String>().as_bytes());
        }),
        appended(
            "a line of megabytes",
            "line 5",
            [&b"[0"[..], &b",0".repeat(3 << 20), b"]\n"].concat(),
        ),
        appended("deep JSON", "line 5", ["[".repeat(1 << 20).as_bytes(), b"\n"].concat()),
        appended("deep JSON in a field", "line 5", {
            let deep = "[".repeat(1 << 20);
            format!("{{\"schema\":2,\"id\":5,\"parent\":3,\"operation\":{deep}\n").into_bytes()
        }),
        appended("no UTF-8", "line 5", b"{\"schema\":2,\"id\":5,\"\xff\xfe\":0}\n".to_vec()),
        appended("zeros", "line 5", [&[0; 1 << 16][..], b"\n"].concat()),
        appended("a schema beyond 32 bits", "newer", b"{\"schema\": 4294967298}\n".to_vec()),
        appended("a negative schema", "line 5", b"{\"schema\": -1}\n".to_vec()),
        appended("no schema", "line 5", b"{}\n".to_vec()),
        appended(
            "another version",
            "no version 18446744073709551615",
            select(json!(u64::MAX)).into(),
        ),
        appended("half a version", "line 5", select(json!(1.5)).into()),
        appended(
            "an unknown operation",
            "line 5",
            entry(5, &json!({"kind": "\u{1b}[2J\nformat"})).into(),
        ),
        appended("an infinite rate", "line 5", {
            let change = json!({"what": "rates", "factor": 1e300});
            entry(5, &json!({"kind": "steer", "stage": "fine", "step": 0, "change": change})).into()
        }),
    ];
    let huge: [(&str, Value); 12] = [
        ("/coarse/steps", json!(u64::MAX)),
        ("/coarse/checkpoint_seconds", json!(1e300)),
        ("/edit/steps", json!(u64::MAX)),
        ("/edit/strength", json!(1e300)),
        ("/field/grid/finest_resolution", json!(1_000_000_000)),
        ("/field/grid/log2_table", json!(31)),
        ("/fine/cells", json!(u32::MAX)),
        ("/fine/size", json!(4_000_000_000_u32)),
        ("/fine/texture/finest_resolution", json!(1_000_000_000)),
        ("/mesh/texture", json!(4_000_000_000_u32)),
        ("/mesh/grid", json!(u64::MAX)),
        ("/views/count", json!(u64::MAX)),
    ];
    for ask in [Edit, Resume] {
        for (pointer, value) in huge.clone() {
            let name = format!("settings with {pointer} = {value}, {ask:?}");
            cases.push(case(name, ask, "operations.jsonl", move |root| {
                rewrite_line(root, 1, |entry| {
                    *entry["operation"]["config"].pointer_mut(pointer).unwrap() = value.clone();
                });
            }));
        }
        cases.push(case(format!("a model that is nowhere, {ask:?}"), ask, "no/such", |root| {
            // A checkpoint that edits need is a small one that fits nothing.
            rewrite_line(root, 1, |e| e["operation"]["config"]["model"] = "/no/such/model".into());
        }));
    }
    cases
}

fn files() -> Vec<Case> {
    use Ask::{Edit, Export, Undo};
    let put = |name: &str, word: &'static str, file: &'static str, bytes: Vec<u8>| {
        case(name, Export, word, move |root| put(root, file, &bytes))
    };
    let tensor = |file: &'static str, name: &'static str, what: &str, change: fn(&mut Vec<u8>)| {
        case(format!("{file}: {name} {what}"), Export, file, move |root| {
            spoil_tensor(root, file, name, change);
        })
    };
    let manifest = |name: &str, ask: Ask, word: &'static str, change: fn(&mut Value)| {
        case(name, ask, word, move |root| rewrite(&root.join("versions/3.json"), change))
    };
    let (mesh, motion) = ("mesh.safetensors", "motion.safetensors");
    let mut wide = Vec::new();
    let strip = image::RgbImage::new(9000, 1);
    strip.write_to(&mut std::io::Cursor::new(&mut wide), image::ImageFormat::Png).unwrap();
    let absurd =
        r#"{"positions":{"dtype":"F32","shape":[4611686018427387904,3],"data_offsets":[0,0]}}"#;
    let overlong =
        r#"{"positions":{"dtype":"F32","shape":[1000000000,3],"data_offsets":[0,12000000000]}}"#;
    vec![
        tensor(mesh, "positions", "not a number", nan),
        tensor(mesh, "positions", "far away", |a| a[..4].copy_from_slice(&1e30_f32.to_le_bytes())),
        tensor(mesh, "normals", "not a number", nan),
        tensor(mesh, "uvs", "not a number", nan),
        tensor(mesh, "uvs", "too few", |a| a.truncate(8)),
        tensor(mesh, "triangles", "out of range", |a| a[..4].fill(0xff)),
        tensor(mesh, "triangles", "none", Vec::clear),
        tensor(mesh, "positions", "none", Vec::clear),
        tensor(motion, "weights", "not a number", nan),
        tensor(motion, "weights", "none", Vec::clear),
        tensor(motion, "ends", "beyond everything", |a| a.fill(0xff)),
        tensor(motion, "ends", "too many", |a| *a = [2_u32, 1, 0].map(u32::to_le_bytes).concat()),
        tensor(motion, "vertices", "out of range", |a| a[..4].fill(0xff)),
        tensor(motion, "deltas", "not a number", nan),
        tensor(motion, "deltas", "too few", |a| a.truncate(8)),
        put("a mesh of nothing", mesh, mesh, Vec::new()),
        put("a mesh with a header of 2^64 bytes", mesh, mesh, vec![0xff; 64]),
        put("a mesh of an absurd shape", mesh, mesh, bare(absurd)),
        put("a mesh longer than its file", mesh, mesh, bare(overlong)),
        put("a mesh with a deep header", mesh, mesh, bare(&"[".repeat(1 << 20))),
        put("a motion that is not one", motion, motion, b"nonsense".to_vec()),
        put("a texture too wide", "albedo.png", "albedo.png", wide),
        put("a texture that is none", "albedo.png", "albedo.png", b"\x89PNG\r\n\x1a\n".to_vec()),
        manifest("a path for a hash", Export, "3.json", |m| {
            m["files"]["albedo.png"]["sha256"] = "../../../outside/secret".into();
        }),
        manifest("an absolute path for a hash", Export, "3.json", |m| {
            m["files"]["albedo.png"]["sha256"] = "/etc/passwd".into();
        }),
        manifest("a file of 2^64 bytes", Export, "too long", |m| {
            m["files"]["albedo.png"]["bytes"] = u64::MAX.into();
        }),
        manifest("a file said to be long", Export, "too short", |m| {
            m["files"]["albedo.png"]["bytes"] = (1_u64 << 28).into();
        }),
        manifest("a file of another length", Export, "3.json", |m| {
            m["files"]["mesh.safetensors"]["bytes"] = 7.into();
        }),
        manifest("a schema of tomorrow", Export, "newer", |m| m["schema"] = 2.into()),
        manifest("a manifest of another kind", Export, "3.json", |m| *m = json!([1, 2])),
        case("a long manifest", Export, "too long", |root| {
            std::fs::write(root.join("versions/3.json"), " ".repeat(1 << 20)).unwrap();
        }),
        case("a deep manifest", Undo, "1.json", |root| {
            std::fs::write(root.join("versions/1.json"), "[".repeat(60_000)).unwrap();
        }),
        case("a checkpoint with a path for a hash", Edit, "edit-000003.json", |root| {
            rewrite(&root.join("checkpoints/edit-000003.json"), |m| {
                m["arrays"]["parameters"]["sha256"] = "../../../../outside/secret".into();
            });
        }),
        case("a checkpoint of 2^64 bytes", Edit, "too large", |root| {
            rewrite(&root.join("checkpoints/edit-000003.json"), |m| {
                m["arrays"]["parameters"]["bytes"] = u64::MAX.into();
            });
        }),
        case("a checkpoint that fits nothing", Edit, "does not fit", |_| {}),
    ]
}

#[cfg(unix)]
fn links() -> Vec<Case> {
    use std::os::unix::fs::symlink;
    let places = [
        "operations.jsonl",
        "lock",
        "exported",
        "versions",
        "versions/objects",
        "versions/3.json",
        "checkpoints",
        "checkpoints/objects",
        "checkpoints/edit-000003.json",
        "editing",
        "mesh.safetensors",
    ];
    let mut cases = Vec::new();
    for place in places {
        for ask in [Ask::History, Ask::Edit] {
            // What was there lies outside, and a link in its place.
            cases.push(case(
                format!("{place} is a link, {ask:?}"),
                ask,
                "is a link",
                move |root| {
                    let (from, to) = (root.join(place), root.join("../../outside/moved"));
                    if from.exists() {
                        std::fs::rename(&from, &to).unwrap();
                    } else {
                        std::fs::create_dir(&to).unwrap();
                    }
                    symlink(to.canonicalize().unwrap(), &from).unwrap();
                },
            ));
        }
    }
    cases.push(case("a link to nothing", Ask::Edit, "is a link", |root| {
        std::fs::remove_file(root.join("lock")).unwrap();
        symlink(root.join("../../outside/new"), root.join("lock")).unwrap();
    }));
    cases.push(case("the project is a link", Ask::Edit, "is a link", |root| {
        let to = root.ancestors().nth(2).unwrap().join("outside/moved");
        std::fs::rename(root, &to).unwrap();
        symlink(&to, root).unwrap();
    }));
    for place in ["lock", "exported", "versions/3.json", "operations.jsonl"] {
        cases.push(case(
            format!("{place} is a pipe"),
            Ask::History,
            "neither a file",
            move |root| {
                let path = root.join(place);
                std::fs::remove_file(&path).unwrap();
                assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            },
        ));
    }
    cases
}

#[cfg(not(unix))]
fn links() -> Vec<Case> {
    Vec::new()
}

/// Runs a command with little memory; what it said, if it ended in time.
fn asked(arguments: &[String]) -> (Option<i32>, String) {
    let mut command = if cfg!(target_os = "linux") {
        let mut command = quiet_driver("sh");
        // 4 GiB of addresses: drivers and threads take some without using them.
        command.args(["-c", "ulimit -v 4194304; exec \"$0\" \"$@\"", BINARY]);
        command
    } else {
        quiet_driver(BINARY)
    };
    let out = tempfile::NamedTempFile::new().unwrap();
    let mut child = command
        .args(arguments)
        .stdout(std::process::Stdio::null())
        .stderr(out.reopen().unwrap())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    (code, std::fs::read_to_string(out.path()).unwrap().trim().to_owned())
}

#[test]
fn every_hostile_project_is_refused_with_one_sentence() {
    let mut failures = Vec::new();
    for Case(name, ask, word, spoil) in logs().into_iter().chain(files()).chain(links()) {
        let dir = tempfile::tempdir().unwrap();
        let (output, outside) = (dir.path().join("head"), dir.path().join("outside"));
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("secret"), "secret").unwrap();
        let root = project(&output);
        spoil(&root);
        let before = contents(&outside);
        let (code, said) = asked(&ask.command(&output));
        let is_refused = code == Some(2) && said.contains(word) && said.lines().count() == 1;
        let is_clean = !said.contains("secret") && !said.contains('\u{1b}');
        if !(is_refused && is_clean) {
            failures
                .push(format!("{name}: {code:?} {:?}", said.chars().take(400).collect::<String>()));
        }
        if contents(&outside) != before {
            failures.push(format!("{name}: something outside changed"));
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// Numbers of settings that are fine however large.
const FREE: [&str; 4] =
    ["/seed", "/coarse/snapshot_every", "/coarse/normal_steps", "/fine/normal_steps"];

/// The pointers to all numbers in a value.
fn numbers(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Number(_) => vec![at.to_owned()],
        Value::Array(list) => {
            list.iter().enumerate().flat_map(|(i, v)| numbers(v, &format!("{at}/{i}"))).collect()
        }
        Value::Object(map) => {
            map.iter().flat_map(|(key, v)| numbers(v, &format!("{at}/{key}"))).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn no_number_of_the_settings_is_taken_on_trust() {
    let mut failures = Vec::new();
    for preset in ["instant", "quick", "standard", "headsculpt"] {
        let config =
            GenerationConfig { prompt: "a".into(), ..GenerationConfig::preset(preset).unwrap() };
        let whole = serde_json::to_value(&config).unwrap();
        for pointer in numbers(&whole, "") {
            for value in
                [json!(1e300), json!(-1e300), json!(u64::MAX), json!(i64::MIN), json!(1e12)]
            {
                let mut spoiled = whole.clone();
                *spoiled.pointer_mut(&pointer).unwrap() = value.clone();
                let Ok(config) = serde_json::from_value::<GenerationConfig>(spoiled) else {
                    continue;
                };
                let verdict = std::panic::catch_unwind(|| config.validate().is_err());
                let is_free = FREE.contains(&pointer.as_str()) && verdict.is_ok();
                if !verdict.unwrap_or(false) && !is_free {
                    failures.push(format!("{preset}: {pointer} = {value}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A log of as many branches as it may have opens in a moment, and so it is shown.
#[test]
fn a_long_history_takes_time_in_proportion() {
    let dir = tempfile::tempdir().unwrap();
    let root = project(dir.path());
    let mut lines = String::new();
    let mut id = 5;
    let mut current = 3;
    // Pairs of children: a deep tree of branches.
    while id < 99_000 {
        for (parent, version) in [(current, None), (id, Some(current)), (current, None)] {
            let operation = match version {
                Some(version) => json!({"kind": "select", "version": version}),
                None => serde_json::to_value(edit("x")).unwrap(),
            };
            let entry = json!({"schema": 2, "id": id, "parent": parent, "operation": operation});
            lines += &(entry.to_string() + "\n");
            id += 1;
        }
        // The first of the three was an edit, the second went back, the third is the other child.
        current = id - 1;
    }
    append(&root, lines.as_bytes());
    let started = Instant::now();
    let project = Project::open(dir.path()).unwrap();
    let rows = project.history().tree();
    assert!(rows.len() > 60_000);
    assert_eq!(rows.last().unwrap().1, rows.iter().map(|(_, depth)| *depth).max().unwrap());
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    drop(project);
    assert_eq!(asked(&Ask::History.command(dir.path())).0, Some(0));
}

/// A line that was torn in the middle of a letter is dropped like any other.
#[test]
fn a_log_torn_within_a_letter_opens() {
    let dir = tempfile::tempdir().unwrap();
    let root = project(dir.path());
    append(&root, b"{\"schema\":2,\"id\":5,\"instruction\":\"\xc3");
    let project = Project::open(dir.path()).unwrap();
    assert_eq!((project.entries().len(), project.repairs().len()), (4, 1));
}

/// Neither does a new project follow links that lie where it shall be.
#[cfg(unix)]
#[test]
fn a_new_project_does_not_follow_links() {
    let dir = tempfile::tempdir().unwrap();
    let (output, outside) = (dir.path().join("head"), dir.path().join("outside"));
    std::fs::create_dir_all(output.join(PROJECT_DIR)).unwrap();
    std::fs::create_dir(&outside).unwrap();
    let link = output.join(PROJECT_DIR).join("operations.jsonl");
    std::os::unix::fs::symlink(outside.join("new"), link).unwrap();
    let new = ["generate", "a man", "-o", output.to_str().unwrap()].map(str::to_owned);
    let (code, said) = asked(&new);
    assert_eq!((code, said.contains("is a link")), (Some(2), true), "{said}");
    assert!(contents(&outside).is_empty());
}

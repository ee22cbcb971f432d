//! What goes wrong around the program: it is killed, the disk is full or read-only, folders go
//! away, files are damaged. A project is never lost, and what is done again comes out the same.
//!
//! `HEADSCULPT_KILLS=50` kills more often than the usual dozen times.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod program;

use program::{BINARY, copy, headsculpt, quiet_driver};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// As users run it, only smaller: one view of two steps a stage, a checkpoint before each.
const PRESET: &str = "extends = \"quick\"\n\
    [views]\nsize = 32\ncount = 1\nclose_ups = { count = 0, frame_height = 0.9, azimuth = 30.0 }\n\
    [coarse]\nsteps = 2\ninner_steps = 1\ncheckpoint_seconds = 0.0\n\
    [field.grid]\nfinest_resolution = 48\nlog2_table = 18\n\
    [fine]\nsteps = 2\ninner_steps = 1\nsize = 32\ncells = 32\n\
    [fine.texture]\nbase_resolution = 24\nfinest_resolution = 64\nlog2_table = 16\n\
    [edit]\nsteps = 2\n[mesh]\ngrid = 64\ntexture = 256\ntriangles = 4000\n";
const INSTRUCTION: &str = "give him a red beard";

/// The preset's file: one for all tests, for its name stands in every GLB.
fn preset() -> &'static Path {
    static WRITTEN: OnceLock<PathBuf> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        // A static is never dropped: a folder of the build, not one for temporary files.
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults.toml");
        std::fs::write(&path, PRESET).unwrap();
        path
    })
}

/// The folder of a test.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn generate(folder: &Path) -> Vec<String> {
    let (preset, folder) = (preset().to_str().unwrap(), folder.to_str().unwrap());
    let words = ["generate", "a bald man", "--preset", preset, "--seed", "5", "--json", "-o"];
    words.into_iter().chain([folder]).map(str::to_owned).collect()
}

/// Heads that nobody disturbed; all tests look at the same ones.
struct Undisturbed {
    /// A finished head.
    whole: PathBuf,
    /// Its edit.
    edited: PathBuf,
    /// Events of a job that makes the one, and the other.
    events: [usize; 2],
}

fn undisturbed() -> &'static Undisturbed {
    static MADE: OnceLock<Undisturbed> = OnceLock::new();
    MADE.get_or_init(|| {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults");
        let [whole, edited] = ["whole", "edited"].map(|name| kept.join(name));
        let _ = std::fs::remove_dir_all(&kept);
        std::fs::create_dir_all(&kept).unwrap();
        let generated = done(&generate(&whole));
        copy(&whole, &edited);
        let changed = done(&edit(&edited));
        Undisturbed { whole, edited, events: [events(&generated), events(&changed)] }
    })
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn resume(folder: &Path) -> Vec<String> {
    words(&["generate", "--resume", folder.to_str().unwrap(), "--json"])
}

fn edit(folder: &Path) -> Vec<String> {
    words(&["edit", folder.to_str().unwrap(), INSTRUCTION, "--json"])
}

fn goto(folder: &Path, version: &str) -> Vec<String> {
    words(&["history", folder.to_str().unwrap(), "--goto", version, "--json"])
}

fn done(arguments: &[String]) -> Output {
    let output = headsculpt(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    output
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// One sentence and an exit code other than success: 1 or 2 and nothing else.
fn failed(output: &Output) -> String {
    let sentence = said(output);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{:?}: {sentence}", output.status);
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    assert!(!sentence.contains("panicked") && !sentence.contains("bug"), "{sentence}");
    sentence
}

fn glb(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("avatar.glb")).unwrap()
}

/// The kinds of the operations in a project's log; `None` without a log.
fn kinds(folder: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(folder.join("avatar.headsculpt/operations.jsonl")).ok()?;
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let kind = |line: &str| {
        let entry: Value = serde_json::from_str(line).unwrap();
        entry["operation"]["kind"].as_str().unwrap().to_owned()
    };
    Some(whole.map(kind).collect())
}

fn is_finished(folder: &Path, after: &str) -> bool {
    kinds(folder).is_some_and(|kinds| {
        let begun = kinds.iter().rposition(|kind| kind == after);
        begun.is_some_and(|begun| kinds[begun..].iter().any(|kind| kind == "finish"))
    })
}

/// What the kills of one kind of job did.
#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    /// From the last saved state, or the start of the process, to each kill.
    redone: Vec<f64>,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.redone.len().max(1) as f64;
        let mean = self.redone.iter().sum::<f64>() / count;
        let most = self.redone.iter().copied().fold(0.0, f64::max);
        write!(
            f,
            "{} kills, to be done again {mean:.1} s on average, {most:.1} s at most",
            self.kills
        )
    }
}

/// Runs a command and kills it some time after one of its events, counted from 0 for its
/// start; whether it was killed before it ended by itself.
fn kill(arguments: &[String], event: usize, later: Duration, tally: &mut Tally) -> bool {
    let mut child =
        headsculpt(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut saved = Instant::now();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..event {
        let Some(Ok(line)) = lines.next() else { break };
        if line.contains("\"checkpoint\"") {
            saved = Instant::now();
        }
    }
    std::thread::sleep(later);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    if status.code().is_none() {
        tally.kills += 1;
        tally.redone.push(saved.elapsed().as_secs_f64());
        return true;
    }
    assert!(status.success(), "{arguments:?}: {status}");
    false
}

/// How often each kind of job is killed.
fn kills(usual: u32) -> u32 {
    let asked: Option<u32> = std::env::var("HEADSCULPT_KILLS").ok().and_then(|n| n.parse().ok());
    asked.map_or(usual, |all| (all * usual).div_ceil(12))
}

/// Kills in a row that one project has to bear.
const IN_A_ROW: u32 = 3;

/// A job that is killed again and again, and begun again in between.
struct Victim<'a> {
    /// Makes the folder as it is before the job.
    fresh: &'a dyn Fn(&Path),
    /// What goes on with the job in this folder; `None` if it has ended.
    again: &'a dyn Fn(&Path) -> Option<Vec<String>>,
    /// The GLB of a job that nobody disturbed.
    expected: &'a [u8],
    /// Events of such a job.
    events: usize,
    kills: u32,
}

impl Victim<'_> {
    fn run(&self, place: &Place, name: &str, rng: &mut StdRng) -> Tally {
        let mut tally = Tally::default();
        for round in 0.. {
            if tally.kills >= self.kills {
                break;
            }
            let folder = place.at(&format!("{name}-{round}"));
            (self.fresh)(&folder);
            let before = tally.kills;
            while tally.kills < (before + IN_A_ROW).min(self.kills) {
                let Some(command) = (self.again)(&folder) else { break };
                let (event, later) = (rng.random_range(0..=self.events), rng.random_range(0..500));
                if !kill(&command, event, Duration::from_millis(later), &mut tally) {
                    break;
                }
                // Whatever the moment, the project opens.
                if kinds(&folder).is_some() {
                    done(&words(&["history", folder.to_str().unwrap()]));
                }
            }
            if let Some(command) = (self.again)(&folder) {
                done(&command);
            }
            assert!(glb(&folder) == self.expected, "{}: other bytes", folder.display());
            let left = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name());
            let litter: Vec<_> =
                left.filter(|name| name.to_string_lossy().starts_with(".writing")).collect();
            assert!(litter.is_empty(), "{litter:?}");
            std::fs::remove_dir_all(&folder).unwrap();
        }
        println!("{name}: {tally}");
        tally
    }
}

fn events(output: &Output) -> usize {
    String::from_utf8_lossy(&output.stdout).lines().count()
}

#[test]
fn kills_at_any_moment_lose_nothing() {
    let place = Place::new();
    let mut rng = StdRng::seed_from_u64(1);
    let Undisturbed { whole, edited, events } = undisturbed();
    let (first, beard) = (glb(whole), glb(edited));
    let generate = Victim {
        fresh: &|_| {},
        again: &|folder| match kinds(folder) {
            None => Some(generate(folder)),
            Some(_) if is_finished(folder, "generate") => None,
            Some(_) => Some(resume(folder)),
        },
        expected: &first,
        events: events[0],
        kills: kills(4),
    };
    generate.run(&place, "generate", &mut rng);

    let edits = Victim {
        fresh: &|folder| copy(whole, folder),
        again: &|folder| (!is_finished(folder, "edit")).then(|| edit(folder)),
        expected: &beard,
        events: events[1],
        kills: kills(2),
    };
    edits.run(&place, "edit", &mut rng);

    // Back to the first head; the project has the choice, and then the files.
    let there = |folder: &Path| {
        let noted = std::fs::read_to_string(folder.join("avatar.headsculpt/exported"));
        noted.is_ok_and(|noted| noted == "1")
    };
    let moves = Victim {
        fresh: &|folder| copy(edited, folder),
        again: &|folder| (!there(folder)).then(|| goto(folder, "1")),
        expected: &first,
        events: 3,
        kills: kills(6),
    };
    moves.run(&place, "history", &mut rng);
}

/// An edit into a copy that was killed goes on by the same command, whatever there is already.
#[test]
fn a_killed_edit_of_a_copy_goes_on_by_the_same_command() {
    let place = Place::new();
    let Undisturbed { whole: head, edited, .. } = undisturbed();
    let into = |name: &str| {
        let mut command = edit(head);
        command.extend(["-o".into(), place.at(name).to_str().unwrap().into()]);
        command
    };
    // As if it had been killed between the log and the files, and before the log.
    let torn = place.at("torn");
    copy(edited, &torn);
    let log = torn.join("avatar.headsculpt/operations.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (count, file) in [(3, "exported"), (2, "versions/3.json")] {
        std::fs::write(&log, lines[..count].concat()).unwrap();
        std::fs::remove_file(torn.join("avatar.headsculpt").join(file)).unwrap();
        std::fs::remove_file(torn.join("avatar.glb")).unwrap();
        done(&into("torn"));
        assert!(glb(&torn) == glb(edited), "{file}");
        assert_eq!(kinds(&torn), kinds(edited), "{file}");
    }
    // What was finished is not edited twice.
    assert_eq!(headsculpt(into("torn")).output().unwrap().status.code(), Some(2));
}

/// Runs with files of at most so many bytes: what a full disk does to large ones.
fn cramped(arguments: &[String], bytes: u64) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
    quiet_driver("sh").args(["-c", &script, BINARY]).args(arguments).output().unwrap()
}

#[test]
fn a_full_disk_is_one_sentence_and_loses_nothing() {
    let place = Place::new();
    let expected = glb(&undisturbed().whole);
    let folder = place.at("cramped");
    // No room for the log, for the first state, for later ones.
    for bytes in [512, 8 << 10, 256 << 10] {
        let command = match kinds(&folder) {
            None => generate(&folder),
            Some(_) => resume(&folder),
        };
        let output = cramped(&command, bytes);
        if output.status.success() {
            continue;
        }
        let sentence = failed(&output);
        assert!(sentence.contains("cannot write"), "{sentence}");
        if kinds(&folder).is_some() {
            done(&words(&["history", folder.to_str().unwrap()]));
        }
    }
    assert!(!is_finished(&folder, "generate"));
    done(&resume(&folder));
    assert!(glb(&folder) == expected);

    // A move whose files do not fit, then one that has room.
    let output = cramped(&words(&["history", folder.to_str().unwrap(), "--branch", "n"]), 512);
    failed(&output);
    done(&words(&["history", folder.to_str().unwrap()]));
    assert!(glb(&folder) == expected);
}

#[test]
fn a_project_that_goes_away_does_not_come_back_in_part() {
    let place = Place::new();
    let folder = place.at("head");
    let mut child = headsculpt(generate(&folder))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("\"checkpoint\"")));
    std::fs::remove_dir_all(&folder).or_else(|_| std::fs::remove_dir_all(&folder)).unwrap();
    lines.for_each(drop);
    let output = child.wait_with_output().unwrap();
    let sentence = failed(&output);
    assert!(sentence.contains("head"), "{sentence}");
    assert!(!folder.exists(), "{:?}", std::fs::read_dir(&folder).unwrap().collect::<Vec<_>>());
}

/// Makes everything below a folder read-only, or writable again.
fn set_writable(path: &Path, writable: bool) {
    use std::os::unix::fs::PermissionsExt;
    let is_dir = path.is_dir();
    let mode = if writable { 0o644 } else { 0o444 } | if is_dir { 0o111 } else { 0 };
    if writable {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    if is_dir {
        for entry in std::fs::read_dir(path).unwrap() {
            set_writable(&entry.unwrap().path(), writable);
        }
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_project_is_shown_but_not_changed() {
    let place = Place::new();
    let instant = words(&[
        "generate",
        "a bald man",
        "--preset",
        "instant",
        "--quiet",
        "-o",
        place.at("head").to_str().unwrap(),
    ]);
    done(&instant);
    let folder = place.at("head");
    let before = glb(&folder);
    set_writable(&folder, false);
    done(&words(&["history", folder.to_str().unwrap()]));
    let inside = folder.join("new");
    let sentence = failed(&headsculpt(generate(&inside)).output().unwrap());
    assert!(sentence.contains("new"), "{sentence}");
    // The superuser writes wherever it likes.
    if std::fs::write(folder.join("try"), "").is_err() {
        for command in [edit(&folder), goto(&folder, "1"), resume(&folder)] {
            let sentence = failed(&headsculpt(&command).output().unwrap());
            assert!(sentence.contains("cannot write"), "{sentence}");
        }
    }
    set_writable(&folder, true);
    assert!(glb(&folder) == before);
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_used() {
    let place = Place::new();
    let folder = place.at("damaged");
    let mut child = headsculpt(generate(&folder)).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let checkpoints = lines.map(Result::unwrap).filter(|line| line.contains("\"checkpoint\""));
    assert_eq!(checkpoints.take(2).count(), 2);
    child.kill().unwrap();
    child.wait().unwrap();
    let checkpoints = folder.join("avatar.headsculpt/checkpoints");
    let mut manifests: Vec<PathBuf> = std::fs::read_dir(&checkpoints)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    manifests.sort();
    assert!(manifests.len() >= 2, "{manifests:?}");
    let newest = manifests.last().unwrap();
    let read =
        |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let hash =
        |path: &Path| read(path)["arrays"]["adam.steps"]["sha256"].as_str().unwrap().to_owned();
    assert_ne!(hash(newest), hash(&manifests[manifests.len() - 2]));
    std::fs::write(checkpoints.join("objects").join(hash(newest)), "damaged").unwrap();

    let output = done(&resume(&folder));
    let events = String::from_utf8(output.stdout).unwrap();
    let name = newest.file_name().unwrap().to_str().unwrap();
    let warning = events.lines().find(|line| line.contains("\"warning\"") && line.contains(name));
    assert!(warning.is_some_and(|line| line.contains("the checkpoint before it")), "{events}");
    assert!(glb(&undisturbed().whole) == glb(&folder));
}

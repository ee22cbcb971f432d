//! The window used as a person would: by labels, keys and the pointer.

use super::{Face, Options, Preferences, Window};
use crate::config::GenerationConfig;
use crate::pipeline::EditRegion;
use crate::project::{PROJECT_DIR, Project};
use crate::session::{self, EditJob, Event, GenerateJob, Job, Outcome};
use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longer than any job here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

fn window(projects: &Path, open: Option<PathBuf>) -> Harness<'static, Window> {
    preferring(Preferences::default(), projects, open)
}

fn preferring(
    preferences: Preferences,
    projects: &Path,
    open: Option<PathBuf>,
) -> Harness<'static, Window> {
    let options = Options { open, projects: Some(projects.to_path_buf()) };
    Harness::builder()
        .with_size(egui::vec2(1100.0, 760.0))
        .wgpu()
        .build_eframe(move |cc| Window::new(cc, preferences, options))
}

/// Runs a job as the command line does: nobody watches.
fn run(job: impl Job) {
    let session = session::spawn(job).unwrap();
    let last = std::iter::from_fn(|| session.events.recv().ok()).last();
    assert!(matches!(last, Some(Event::Finished(Outcome::Completed(_)))), "{last:?}");
}

/// Draws frames until something holds.
fn wait(
    harness: &mut Harness<'static, Window>,
    what: &str,
    mut holds: impl FnMut(&Window) -> bool,
) {
    let started = Instant::now();
    loop {
        harness.step();
        if holds(harness.state()) {
            // What the last frame has changed is seen in the next.
            harness.run_steps(3);
            return;
        }
        let log: Vec<_> = harness.state().log().lines().map(|(_, text)| text.to_owned()).collect();
        assert!(started.elapsed() < PATIENCE, "{what}: {log:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn idle(harness: &mut Harness<'static, Window>, what: &str) {
    wait(harness, what, |window| window.work().is_none());
}

fn problems(window: &Window) -> Vec<String> {
    use super::panels::log::Level;
    let bad = window.log().lines().filter(|(level, _)| *level == Level::Error);
    bad.map(|(_, text)| text.to_owned()).collect()
}

/// Where pictures of the tests go, if somebody wants to look at them.
fn picture(harness: &mut Harness<'static, Window>, name: &str) {
    let Ok(folder) = std::env::var("HEADSCULPT_PICTURES") else { return };
    let image = harness.render().unwrap();
    image.save(Path::new(&folder).join(name).with_extension("png")).unwrap();
}

#[test]
fn an_example_becomes_a_head_that_moves_and_is_exported() {
    let dir = tempfile::tempdir().unwrap();
    let mut harness = window(dir.path(), None);
    harness.run_steps(2);
    picture(&mut harness, "empty");
    let example = super::panels::empty::EXAMPLES[1];
    harness.get_by_label(example).click();
    harness.step();
    assert!(harness.state().work().is_some(), "{:?}", problems(harness.state()));
    idle(&mut harness, "an instant head");
    assert_eq!(problems(harness.state()), Vec::<String>::new());
    let document = harness.state().document().unwrap();
    assert!(document.head().is_some());
    assert_eq!(document.config().prompt, example);
    let folder = document.folder().to_path_buf();
    assert!(folder.starts_with(dir.path()) && folder.join("avatar.glb").is_file());
    assert!(harness.state().viewport().content().after.is_some());
    picture(&mut harness, "instant");

    // An idle window draws the head no more than once.
    let renders = harness.state().viewport().render_count();
    harness.run_steps(5);
    assert_eq!(harness.state().viewport().render_count(), renders);

    harness.get_by_label("Expression").click();
    harness.run_steps(2);
    harness.get_by_label("surprised").click();
    harness.run_steps(3);
    assert!(harness.state().viewport().render_count() > renders, "the face has not moved");
    picture(&mut harness, "expression");
    harness.get_by_label("Blink and talk").click();
    let before = harness.state().viewport().render_count();
    harness.run_steps(10);
    assert!(harness.state().viewport().render_count() > before + 3, "the face does not play");
    harness.get_by_label("Stop moving").click();

    harness.get_all_by_label("Export").next().unwrap().click();
    harness.run_steps(2);
    harness.get_by_label("OBJ").click();
    harness.run_steps(2);
    picture(&mut harness, "export");
    harness.get_all_by_label("Export").last().unwrap().click();
    harness.step();
    idle(&mut harness, "the export");
    assert_eq!(problems(harness.state()), Vec::<String>::new());
    for file in ["avatar.obj", "avatar.mtl"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
}

/// A small preset, so that edits take seconds.
fn small_head(dir: &Path) -> PathBuf {
    let preset = dir.join("small.toml");
    let text = "extends = \"instant\"\n[fine]\nsize = 32\ncells = 48\n\
                [fine.texture]\nbase_resolution = 24\nfinest_resolution = 64\nlog2_table = 16\n\
                [edit]\nsteps = 1\n[mesh]\ngrid = 96\ntexture = 256\ntriangles = 4000\n";
    std::fs::write(&preset, text).unwrap();
    let mut config = GenerationConfig::preset(preset.to_str().unwrap()).unwrap();
    config.prompt = "a bald man".into();
    let folder = dir.join("head");
    run(GenerateJob::New { folder: folder.clone(), config: Box::new(config) });
    folder
}

#[test]
fn a_person_edits_goes_back_branches_and_compares() {
    let dir = tempfile::tempdir().unwrap();
    let folder = small_head(dir.path());
    // The same edit as the command line makes it.
    let copy = dir.path().join("copy");
    run(EditJob {
        folder: folder.clone(),
        copy: Some(copy.clone()),
        instruction: "give him a red beard".into(),
        region: EditRegion::All,
        strength: Some(1.0),
        steps: None,
        seed: None,
    });
    let mut harness = window(dir.path(), Some(folder.clone()));
    harness.run_steps(3);
    let glb = || std::fs::read(folder.join("avatar.glb")).unwrap();
    let first = glb();

    let edit = |harness: &mut Harness<'static, Window>, instruction: &str| {
        harness.get_by_label("Instruction").focus();
        harness.step();
        harness.get_by_label("Instruction").type_text(instruction);
        harness.step();
        harness.get_by_label("Apply edit").click();
        harness.step();
        assert!(harness.state().work().is_some(), "{:?}", problems(harness.state()));
        idle(harness, instruction);
        assert_eq!(problems(harness.state()), Vec::<String>::new());
    };
    edit(&mut harness, "give him a red beard");
    let shown = |harness: &Harness<'static, Window>| harness.state().document().unwrap().shown();
    assert_eq!(shown(&harness), 3);
    let beard = glb();
    assert_ne!(first, beard);
    let same = std::fs::read(copy.join("avatar.glb")).unwrap();
    assert!(beard == same, "the window has made another head than the command line");
    picture(&mut harness, "edited");

    // Before and after in one view.
    let renders = harness.state().viewport().render_count();
    harness.get_by_label("Compare").click();
    harness.run_steps(3);
    assert!(harness.state().viewport().settings.compare);
    assert!(harness.state().viewport().render_count() > renders);
    picture(&mut harness, "compare");
    harness.get_by_label("Compare").click();
    harness.run_steps(2);

    // Undo by the keyboard: seen at once, written down by a job.
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Z);
    harness.step();
    assert_eq!(shown(&harness), 1);
    idle(&mut harness, "undo");
    assert!(first == glb(), "undo");
    harness.get_by_label("Redo").click();
    harness.step();
    idle(&mut harness, "redo");
    assert!(beard == glb(), "redo");

    // A branch from the first head, by clicking on it in the tree.
    harness.get_by_label_contains("Version 1:").click();
    harness.step();
    idle(&mut harness, "goto");
    edit(&mut harness, "give him green skin");
    let project = Project::open_read_only(&folder).unwrap();
    let parents: Vec<_> = project.history().versions().iter().map(|v| v.parent).collect();
    assert_eq!(parents, [None, Some(1), Some(1)]);
    drop(project);
    picture(&mut harness, "branched");
    harness.get_by_label_contains("Version 3:").click();
    harness.step();
    idle(&mut harness, "the other branch");
    assert!(beard == glb(), "the other branch");
}

#[test]
fn a_stopped_run_is_offered_again_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut harness = window(dir.path(), None);
    harness.run_steps(2);
    harness.get_by_label("Prompt").focus();
    harness.step();
    harness.get_by_label("Prompt").type_text("a bald man with green skin");
    harness.step();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Enter);
    wait(&mut harness, "the first steps", |window| {
        window.work().is_some_and(|work| work.progress.stage == "fine" && work.progress.step >= 1)
    });
    picture(&mut harness, "generating");
    harness.get_by_label("Steer").click();
    harness.run_steps(3);
    // Prompt, what to avoid, pull, learning rates, view weights.
    harness.get_all_by_label("Set").nth(3).unwrap().click();
    wait(&mut harness, "a change is in force", |window| {
        window.log().lines().any(|(_, text)| text.contains("learning rates are 1 times"))
    });
    // Paused, nothing goes on.
    harness.get_by_label("Pause").click();
    harness.step();
    assert!(harness.state().work().unwrap().is_paused());
    harness.get_by_label("Stop").click();
    harness.step();
    idle(&mut harness, "stopped");
    assert_eq!(problems(harness.state()), Vec::<String>::new());
    let document = harness.state().document().unwrap();
    assert!(!document.is_finished());
    let project = Project::open_read_only(document.folder()).unwrap();
    assert_eq!(project.steerings().count(), 1);
    drop(project);
    harness.get_by_label("Continue").click();
    wait(&mut harness, "it goes on", |window| {
        window.work().is_some_and(|work| work.progress.step >= 2)
    });
    harness.get_by_label("Stop").click();
    idle(&mut harness, "stopped again");
}

#[test]
fn a_lost_device_takes_nothing_along() {
    let dir = tempfile::tempdir().unwrap();
    let face = Face::default();
    let show = |face: &Face| {
        let (face, options) =
            (face.clone(), Options { open: None, projects: Some(dir.path().to_path_buf()) });
        let builder = Harness::builder().with_size(egui::vec2(1100.0, 760.0)).wgpu();
        let mut device = None;
        let harness = builder.build_eframe(|cc| {
            device = cc.wgpu_render_state.as_ref().map(|state| state.device.clone());
            let preferences = Preferences { preset: "instant".into(), ..Preferences::default() };
            face.open(cc, |cc| Window::new(cc, preferences, options));
            face
        });
        (harness, device.unwrap())
    };
    let (mut first, device) = show(&face);
    first.run_steps(2);
    first.get_by_label("Prompt").focus();
    first.step();
    first.get_by_label("Prompt").type_text("a bald man");
    first.step();
    first.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Enter);
    first.run_steps(2);
    assert!(face.window().as_ref().unwrap().work().is_some(), "nothing was begun");
    device.destroy();
    let _ = device.poll(wgpu::PollType::Poll);
    first.run_steps(3);
    assert!(face.window().as_ref().unwrap().loss().is_some(), "nobody noticed");
    drop(first);

    // The head that was in the making is finished in the next window, and seen there.
    let (mut second, _) = show(&face);
    let started = Instant::now();
    while face.window().as_ref().unwrap().work().is_some() {
        assert!(started.elapsed() < PATIENCE);
        second.step();
        std::thread::sleep(Duration::from_millis(20));
    }
    second.run_steps(3);
    let window = face.window();
    let window = window.as_ref().unwrap();
    assert!(window.loss().is_none());
    assert_eq!(problems(window), Vec::<String>::new());
    assert!(window.log().lines().any(|(_, text)| text.contains("device was lost")));
    assert!(window.document().is_some_and(super::Document::is_finished));
    assert!(window.viewport().failure().is_none() && window.viewport().render_count() > 0);
}

#[test]
fn what_cannot_be_done_is_said_and_nothing_breaks() {
    let dir = tempfile::tempdir().unwrap();
    // A project that is none, one that is broken, one of the future.
    let broken = dir.path().join("broken").join(PROJECT_DIR);
    std::fs::create_dir_all(&broken).unwrap();
    for (text, word) in [("nonsense\n", "line 1"), ("{\"schema\":99}\n", "newer"), ("", "empty")] {
        std::fs::write(broken.join("operations.jsonl"), text).unwrap();
        let harness = window(dir.path(), Some(dir.path().join("broken")));
        let said = problems(harness.state());
        assert!(said.len() == 1 && said[0].contains(word), "{said:?}");
        assert!(harness.state().document().is_none());
    }
    let mut harness = window(dir.path(), Some(dir.path().join("nowhere")));
    assert!(problems(harness.state())[0].contains("holds no HeadSculpt project"));
    harness.run_steps(2);
    picture(&mut harness, "error");
    // An empty prompt is refused beside the button.
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Enter);
    harness.run_steps(3);
    assert!(harness.state().work().is_none());
    assert!(harness.query_by_label_contains("say what the head should look like").is_some());
    // Small windows still show everything that is needed.
    harness.set_size(egui::vec2(1024.0, 700.0));
    harness.run_steps(3);
    for label in ["Generate", "Apply edit", "History"] {
        assert!(harness.query_all_by_label(label).next().is_some(), "{label}");
    }
}

#[test]
fn several_seeds_are_made_to_pick_from() {
    let dir = tempfile::tempdir().unwrap();
    let preferences = Preferences { preset: "instant".into(), ..Preferences::default() };
    let mut harness = preferring(preferences, dir.path(), None);
    harness.run_steps(2);
    harness.get_by_label("Prompt").focus();
    harness.step();
    harness.get_by_label("Prompt").type_text("a woman with a blue cap");
    harness.step();
    harness.get_by_label("Heads").set_value_accesskit(2.0);
    harness.run_steps(2);
    harness.get_by_label("Generate 2 heads").click();
    harness.step();
    let seed = |window: &Window| window.document().map(|document| document.config().seed);
    wait(&mut harness, "both heads", |window| window.work().is_none() && seed(window) == Some(1));
    assert_eq!(problems(harness.state()), Vec::<String>::new());
    picture(&mut harness, "candidates");
    harness.get_by_label("Seed 0").click();
    harness.run_steps(3);
    assert_eq!(seed(harness.state()), Some(0));
    harness.get_by_label("Done").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("Seed 1").is_none());
}

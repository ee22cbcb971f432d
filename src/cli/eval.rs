//! `headsculpt eval`: does a head show what its prompt says, and what an edit asked for?

use super::{Failure, Output};
use crate::config::GenerationConfig;
use crate::eval::{self, EvalError, Line, Plan, SubjectKind, Tick, edit, summarise};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The folder for results where nobody says.
const FOLDER: &str = "eval";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Finished projects, or the output folders that hold them; of an edited one, give the
    /// project before the edit too
    #[arg(required_unless_present_any = ["prompts", "edits"], conflicts_with_all = ["prompts", "edits"])]
    projects: Vec<PathBuf>,
    /// A list of prompts with claims, one JSON object a line
    /// (assets/eval/prompts.jsonl has a hundred)
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// A list of edits with what must be seen after them, one JSON object a line
    /// (assets/eval/edits.jsonl has forty)
    #[arg(long, value_name = "FILE")]
    edits: Option<PathBuf>,
    /// What to make of each prompt, and to edit
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["samples", "instant", "head"])]
    of: Vec<SubjectKind>,
    /// How many of the prompts, evenly over their strata, and of the edits, evenly over their
    /// attributes; 0 takes all
    #[arg(long, value_name = "N", default_value_t = 20)]
    count: usize,
    /// Seeds of each prompt
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Settings of samples and distilled heads
    #[arg(long, value_name = "NAME|FILE.toml", default_value = "quick")]
    preset: String,
    /// Strengths of each edit, above 0 and up to 1 [default: the preset's]
    #[arg(
        long,
        value_name = "W,..",
        value_delimiter = ',',
        allow_negative_numbers = true,
        requires = "edits"
    )]
    strengths: Vec<f64>,
    /// Keep the states of edited heads, so that they can be edited further
    #[arg(long, requires = "edits")]
    keep: bool,
    /// Keep the results that are there and add to them
    #[arg(long)]
    resume: bool,
    /// Folder for results, summary, sheets and heads [default: eval for lists, none for projects]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        if self.prompts.is_some() || self.edits.is_some() {
            measure(&self.plan()?, output)
        } else {
            self.judge(output)
        }
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let mut prompts = Vec::new();
        if let Some(path) = &self.prompts {
            prompts = eval::read(path).map_err(Failure::input)?;
        }
        let mut edits = Vec::new();
        if let Some(path) = &self.edits {
            edits = edit::list::read(path).map_err(Failure::input)?;
        }
        if self.count > 0 {
            prompts = eval::stratified(&prompts, self.count);
            edits = edit::list::evenly(&edits, self.count);
        }
        if let Some(bad) = self.strengths.iter().find(|w| !(**w > 0.0 && **w <= 1.0)) {
            return Err(Failure::Input(format!("--strengths: {bad} is not above 0 and up to 1")));
        }
        let mut kinds = self.of.clone();
        kinds.sort_unstable();
        kinds.dedup();
        if prompts.is_empty() && kinds == [SubjectKind::Samples] {
            return Err(Failure::Input(
                "--of: samples cannot be edited, only instant and head".into(),
            ));
        }
        Ok(Plan {
            prompts,
            edits,
            strengths: self.strengths.clone(),
            kinds,
            seeds: self.seeds,
            config: GenerationConfig::preset(&self.preset).map_err(Failure::input)?,
            folder: self.output.clone().unwrap_or_else(|| FOLDER.into()),
            resume: self.resume,
            keep: self.keep,
        })
    }

    /// Judges finished projects.
    fn judge(&self, output: Output) -> Result<(), Failure> {
        let folder = self.output.as_deref();
        let lines = eval::projects(&self.projects, folder, self.resume, |line| {
            if output == Output::Json {
                println!("{}", json!(line));
            }
        })
        .map_err(failure)?;
        if output == Output::Human {
            print!("{}", summarise(&lines));
        }
        Ok(())
    }
}

/// Measures lists.
fn measure(plan: &Plan, output: Output) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let handler = ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = handler {
        tracing::warn!("an interrupt will end this at once: {error}");
    }
    let mut bar = Bar::new(output);
    let lines = eval::run(plan, |tick| {
        bar.show(&tick);
        !stop.load(Ordering::Relaxed)
    })
    .map_err(failure)?;
    bar.finish();
    if stop.load(Ordering::Relaxed) {
        let folder = plan.folder.display();
        return Err(Failure::Cancelled(format!(
            "cancelled; {} results are in {folder}, go on with --resume",
            lines.len()
        )));
    }
    if output == Output::Human {
        println!("{}", plan.folder.join("summary.md").display());
    }
    Ok(())
}

fn failure(error: EvalError) -> Failure {
    if error.is_input() { Failure::input(error) } else { Failure::Broken(error.into()) }
}

/// Progress as a bar, or as JSON lines.
struct Bar {
    output: Output,
    bar: Option<ProgressBar>,
}

impl Bar {
    fn new(output: Output) -> Self {
        Self { output, bar: None }
    }

    fn show(&mut self, tick: &Tick<'_>) {
        match self.output {
            Output::Quiet => {}
            Output::Json => {
                let event = match tick.line {
                    Line::Subject(_) => "judged",
                    Line::Edit(_) => "edited",
                };
                println!(
                    "{}",
                    json!({
                        "event": event, "done": tick.done, "total": tick.total,
                        "eta_seconds": tick.eta_seconds, "record": tick.line,
                    })
                );
            }
            Output::Human => {
                let bar = self.bar.get_or_insert_with(|| {
                    let bar = ProgressBar::new(tick.total as u64);
                    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}")
                    {
                        bar.set_style(style);
                    }
                    bar
                });
                bar.set_position(tick.done as u64);
                if let Some(seconds) = tick.eta_seconds {
                    let left = Duration::from_secs(seconds.round().max(0.0) as u64);
                    bar.set_message(format!("{} left", HumanDuration(left)));
                }
            }
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

//! `headsculpt eval`: does a head show what its prompt says?

use super::{Failure, Output};
use crate::config::GenerationConfig;
use crate::eval::{
    self, Claims, EvalError, Judge, Plan, Record, Subject, SubjectKind, Tick, summarise,
};
use crate::project::Project;
use crate::session::person::{self, Person};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Finished projects, or the output folders that hold them
    #[arg(required_unless_present = "prompts", conflicts_with = "prompts")]
    projects: Vec<PathBuf>,
    /// A list of prompts with claims, one JSON object a line
    /// (assets/eval/prompts.jsonl has a hundred)
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// What to make of each prompt
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["samples", "instant", "head"])]
    of: Vec<SubjectKind>,
    /// How many of the prompts, evenly over their strata; 0 takes all
    #[arg(long, value_name = "N", default_value_t = 20)]
    count: usize,
    /// Seeds of each prompt
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Settings of samples and distilled heads
    #[arg(long, value_name = "NAME|FILE.toml", default_value = "quick")]
    preset: String,
    /// Keep the results that are there and add to them
    #[arg(long)]
    resume: bool,
    /// Folder for results, summary and distilled heads
    #[arg(short, long, value_name = "DIR", default_value = "eval")]
    output: PathBuf,
}

impl Arguments {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        match &self.prompts {
            Some(prompts) => self.measure(prompts, output),
            None => judge(&self.projects, output),
        }
    }

    fn measure(&self, prompts: &Path, output: Output) -> Result<(), Failure> {
        let mut list = eval::read(prompts).map_err(Failure::input)?;
        if self.count > 0 {
            list = eval::stratified(&list, self.count);
        }
        let mut kinds = self.of.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let config = GenerationConfig::preset(&self.preset).map_err(Failure::input)?;
        let plan = Plan {
            prompts: list,
            kinds,
            seeds: self.seeds,
            config,
            folder: self.output.clone(),
            resume: self.resume,
        };
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
        let records = eval::run(&plan, |tick| {
            bar.show(&tick);
            !stop.load(Ordering::Relaxed)
        })
        .map_err(failure)?;
        bar.finish();
        if stop.load(Ordering::Relaxed) {
            let folder = plan.folder.display();
            return Err(Failure::Cancelled(format!(
                "cancelled; {} results are in {folder}, go on with --resume",
                records.len()
            )));
        }
        if output == Output::Human {
            println!("{}", plan.folder.join("summary.md").display());
        }
        Ok(())
    }
}

fn failure(error: EvalError) -> Failure {
    if error.is_input() { Failure::input(error) } else { Failure::Broken(error.into()) }
}

/// Judges finished projects by what the attribute readers find in their prompts.
fn judge(projects: &[PathBuf], output: Output) -> Result<(), Failure> {
    let mut records = Vec::new();
    for folder in projects {
        let started = Instant::now();
        let project = Project::open_read_only(folder).map_err(Failure::input)?;
        let config = project.generation().map_err(Failure::input)?.clone();
        let measure = || -> Result<Record, EvalError> {
            let person = Person::of(&config)?;
            let said = person::said(&person.reader, &config.prompt)
                .map_err(crate::session::SessionError::from)?;
            let claims: Claims =
                said.into_iter().map(|(name, value)| (name, vec![value])).collect();
            let pictures = Subject::new(&config, folder)?.of_project(folder)?;
            Ok(Record {
                kind: SubjectKind::Project,
                prompt: config.prompt.clone(),
                stratum: config.preset.clone(),
                seed: config.seed,
                model: config.model.clone(),
                verdict: Judge::load()?.verdict(&pictures, &claims)?,
                seconds: started.elapsed().as_secs_f64(),
            })
        };
        let record = measure().map_err(failure)?;
        if output == Output::Json {
            println!("{}", json!(record));
        }
        records.push(record);
    }
    if output == Output::Human {
        print!("{}", summarise(&records));
    }
    Ok(())
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
            Output::Json => println!(
                "{}",
                json!({
                    "event": "judged", "done": tick.done, "total": tick.total,
                    "eta_seconds": tick.eta_seconds, "record": tick.record,
                })
            ),
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

//! How far distillation is from its ceiling: the coarse loop of a preset with the ideal denoiser
//! in the model's place, judged as `headsculpt eval` judges heads.
//!
//! ```text
//! cargo run --example ideal_gap -- --prompts assets/eval/prompts.jsonl --count 12
//! ```
//!
//! For each prompt it prints how many claims two heads fulfil: the one that the field starts
//! as, and the one that the ideal denoiser makes of it. Compare
//! with `headsculpt eval --of head` on the same list and seed.

use anyhow::Result;
use clap::Parser;
use headsculpt::batch::View;
use headsculpt::config::GenerationConfig;
use headsculpt::eval::{self, Lens};
use headsculpt::guidance::{ControlRequest, GuidanceError, IdealDenoiser, ScoreDistillation};
use headsculpt::pipeline::coarse::StartHead;
use headsculpt::pipeline::{CoarseStage, Stage, extract};
use headsculpt::render::GpuContext;
use headsculpt::render::studio::{Studio, StudioHead, StudioSample};
use headsculpt::rng;
use headsculpt::session::person::Person;
use std::path::PathBuf;

/// Measures the ceiling of a preset's loop.
#[derive(Debug, Parser)]
struct Arguments {
    /// A list of prompts with claims.
    #[arg(long)]
    prompts: PathBuf,
    /// How many of them, evenly over the strata; 0 takes all.
    #[arg(long, default_value_t = 12)]
    count: usize,
    /// The preset.
    #[arg(long, default_value = "quick")]
    preset: String,
    /// Steps of the coarse stage, whose loop this is.
    #[arg(long, default_value_t = 24)]
    steps: u64,
    /// People in the bank, the one that the field starts as among them.
    #[arg(long, default_value_t = 8)]
    people: u64,
}

/// The person and others with the same look.
fn bank(person: &StudioSample, people: u64) -> Result<Vec<StudioHead>> {
    (0..people)
        .map(|index| {
            let mut stream = rng::stream(person.seed, "ideal", index, "shape");
            let other = StudioSample::with_look(person.look, &mut stream);
            let one = if index == 0 { person } else { &other };
            Ok(StudioHead::new(&one.params, &one.look, one.seed)?)
        })
        .collect()
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut list = eval::read(&arguments.prompts)?;
    if arguments.count > 0 {
        list = eval::stratified(&list, arguments.count);
    }
    let gpu = GpuContext::new()?;
    let lens = Lens::new(&gpu)?;
    let mut totals = [0; 3];
    for item in &list {
        let mut config = GenerationConfig::preset(&arguments.preset)?;
        config.prompt.clone_from(&item.prompt);
        config.coarse.steps = arguments.steps;
        let person = Person::of(&config)?;
        let heads = bank(&person.sample, arguments.people)?;
        let mut studio = Studio::new(&gpu)?;
        let draw = move |views: &[View]| {
            let drawn = heads.iter().map(|head| studio.render(head, views));
            drawn.collect::<Result<_, _>>().map_err(|e| GuidanceError::Pictures(e.to_string()))
        };
        let ideal = IdealDenoiser::new(Box::new(draw));
        let guidance = ScoreDistillation::new(ideal, config.guidance.clone(), config.seed);
        let start = StartHead::person(&person.sample)?;
        let settings = config.coarse_settings();
        let mut stage =
            CoarseStage::new(&gpu, settings, guidance, ControlRequest::default(), start)?;
        let right = |stage: &mut CoarseStage<_>| -> Result<usize> {
            let avatar = extract::extract(stage.field(), &config.mesh)?;
            let verdict = lens.head(&avatar.textured, &item.claims)?;
            Ok(verdict.claims.iter().filter(|claim| claim.right).count())
        };
        let before = right(&mut stage)?;
        for _ in 0..config.coarse.steps {
            stage.step()?;
        }
        let found = [before, right(&mut stage)?, item.claims.len()];
        println!("{}: {} of {} at the start, {} after", item.prompt, found[0], found[2], found[1]);
        for (total, n) in totals.iter_mut().zip(found) {
            *total += n;
        }
    }
    let [before, after, all] = totals;
    println!("all: {before} of {all} claims at the start, {after} with the ideal denoiser");
    Ok(())
}

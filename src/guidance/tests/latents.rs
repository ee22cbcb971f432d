//! Normals and opacity in the place of latents.

use super::{CPU, gap, like_stable_diffusion, pictures, recorded, values, views};
use crate::batch::ControlKind;
use crate::diffusion::images;
use crate::guidance::distillation::normal;
use crate::guidance::{
    Condition, ControlImages, Denoiser, DiffusionDenoiser, DistillationConfig, Guidance, Rule,
    ScoreDistillation, StepId, TimestepSchedule,
};
use std::sync::Arc;

const SCALE: f64 = 3.0;
const AT: StepId = StepId { stage: "test", step: 2, steps: 8 };

fn denoiser() -> DiffusionDenoiser {
    DiffusionDenoiser::new(like_stable_diffusion(false), "a man", "", 1.0).unwrap()
}

fn controls(size: usize) -> ControlImages {
    ControlImages::from([(ControlKind::Landmarks, pictures(size, 3, 7))])
}

fn config(rule: Rule) -> DistillationConfig {
    let half = [0.5, 0.5];
    DistillationConfig {
        rule,
        scale: Some(SCALE),
        timesteps: TimestepSchedule { first: half, last: half },
        ddim_steps: 2,
        inversion_steps: 2,
        coarser_than: 0.0,
    }
}

#[test]
fn four_channels_are_latents_that_nothing_encodes() {
    let mut by_hand = denoiser();
    assert!(by_hand.takes_latents());
    let (channels, height, width) = like_stable_diffusion(false).latent_shape();
    assert_eq!((channels, height), (4, width));
    let shown = pictures(height, 4, 1);
    let controls = controls(32);
    let views = views(height as u32);
    let mut guidance = ScoreDistillation::new(denoiser(), config(Rule::Sds), 5);
    assert!(guidance.takes_latents());
    let found = guidance.image_gradient(&views, &shown, &controls, AT).unwrap();
    assert_eq!((found.gradient.channels, found.gradient.height), (4, height));
    assert!(found.target.is_none());

    by_hand.begin(&views, &controls).unwrap();
    let latent = images::to_tensor(&shown, &CPU).unwrap();
    let noise = normal(&latent, &mut crate::rng::stream(5, AT.stage, AT.step, "noise")).unwrap();
    let t = found.timestep;
    let schedule = by_hand.schedule();
    let noised = schedule.add_noise(&latent, &noise, &[t as f64]).unwrap();
    let raw = by_hand.predict(&noised, t, &[Condition::Prompt, Condition::Unconditional]).unwrap();
    let eps = |k: usize| values(&schedule.denoise(&raw[k], &noised, &[t as f64]).unwrap().eps);
    let (prompt, nothing, noise) = (eps(0), eps(1), values(&noise));
    let alpha_bar = schedule.alpha_bar(t as f64);
    let weight = alpha_bar.sqrt() * (1.0 - alpha_bar) / 2.0;
    let wanted: Vec<f64> = (0..noise.len())
        .map(|i| weight * (nothing[i] + SCALE * (prompt[i] - nothing[i]) - noise[i]))
        .collect();
    let gradient = values(&images::to_tensor(&found.gradient, &CPU).unwrap());
    let error = gap(&gradient, &wanted);
    assert!(error < 1e-4, "{error}");
}

#[test]
fn views_of_another_size_are_resized_both_ways() {
    let denoiser = denoiser();
    let (_, height, _) = like_stable_diffusion(false).latent_shape();
    let mut rng = crate::rng::stream(1, "test", 0, "posterior");
    let small = images::to_tensor(&pictures(height / 2, 4, 1), &CPU).unwrap();
    let encoded = denoiser.encode(&small, &mut rng).unwrap();
    assert_eq!(encoded.latent.dims()[2], height);
    let cotangent = normal(&encoded.latent, &mut rng).unwrap();
    let back = (encoded.vjp)(&cotangent).unwrap();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let forth = dot(&values(&encoded.latent), &values(&cotangent));
    let back = dot(&values(&small), &values(&back));
    assert!((forth - back).abs() < 1e-4 * forth.abs().max(1.0), "{forth} {back}");
}

#[test]
fn the_x0_rule_pulls_latents_to_a_clean_latent() {
    let (_, height, _) = like_stable_diffusion(false).latent_shape();
    let shown = pictures(height, 4, 1);
    let views = views(height as u32);
    let mut guidance = ScoreDistillation::new(denoiser(), config(Rule::X0), 5);
    let found = guidance.image_gradient(&views, &shown, &controls(32), AT).unwrap();
    // The loss is a mean over everything, the gradient that of a sum over two views.
    let gradient = &found.gradient.data;
    let squares: f64 = gradient.iter().map(|g| f64::from(*g).powi(2)).sum();
    assert!((squares / gradient.len() as f64 - f64::from(found.loss)).abs() < 1e-4 * squares);
    assert!(found.target.is_none() && found.loss > 0.0);
}

#[test]
fn a_model_of_pixels_takes_pictures_alone() {
    let model = recorded("pixel_space");
    let pixels = DiffusionDenoiser::new(Arc::clone(&model), "a man", "", 1.0).unwrap();
    assert!(!pixels.takes_latents());
}

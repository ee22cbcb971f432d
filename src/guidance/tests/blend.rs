//! An edit's gradients against the same algebra written out in f64, every text evaluated
//! by itself.

use super::{CPU, Calls, Recorder, gap, pictures, recorded, values, views};
use crate::batch::{ControlKind, ImageBatch};
use crate::diffusion::{ControlInput, DiffusionModel, images};
use crate::guidance::distillation::normal;
use crate::guidance::{
    Condition, ControlImages, DiffusionDenoiser, DistillationConfig, Guidance, ImageGradient, Rule,
    ScoreDistillation, StepId, TimestepSchedule,
};
use candle_core::Tensor;
use std::sync::Arc;

const SCALE: f64 = 2.5;
const SEED: u64 = 9;
const AT: StepId = StepId { stage: "edit", step: 3, steps: 10 };
const T: f64 = 500.0;

fn controls() -> ControlImages {
    ControlImages::from([
        (ControlKind::Dense, pictures(16, 16, 1)),
        (ControlKind::Reference, pictures(16, 3, 2)),
    ])
}

fn render() -> ImageBatch {
    pictures(16, 3, 3)
}

/// One step of an edit, and what it asked of the network.
fn step(rule: Rule, strength: f64) -> (ImageGradient, Vec<Vec<Condition>>) {
    let model = recorded("pixel_space");
    let inner = DiffusionDenoiser::for_edit(model, "a man", "make him old", "ugly", 1.0).unwrap();
    let calls = Calls::default();
    let recorder = Recorder { inner, calls: Calls::clone(&calls) };
    let half = [T / 1000.0; 2];
    let config = DistillationConfig {
        rule,
        scale: Some(SCALE),
        timesteps: TimestepSchedule { first: half, last: half },
        ddim_steps: 2,
        inversion_steps: 2,
        coarser_than: 0.0,
    };
    let mut guidance = ScoreDistillation::new(recorder, config, SEED).for_edit(strength).unwrap();
    let found = guidance.image_gradient(&views(16), &render(), &controls(), AT).unwrap();
    assert_eq!(found.timestep, T as usize);
    (found, calls.take())
}

/// The same by hand.
struct ByHand {
    model: Arc<DiffusionModel>,
    strength: f64,
}

impl ByHand {
    fn new(strength: f64) -> Self {
        Self { model: recorded("pixel_space"), strength }
    }

    fn alpha_bar(&self, t: f64) -> f64 {
        self.model.schedule().alpha_bar(t)
    }

    /// The raw prediction for a text of each view.
    fn raw(&self, noised: &[f64], t: f64, texts: [&str; 2]) -> Vec<f64> {
        let picture = |kind| images::to_tensor(&controls()[&kind], &CPU).unwrap();
        let (dense, reference) = (picture(ControlKind::Dense), picture(ControlKind::Reference));
        let nets = [
            ControlInput { name: "controlnet", image: &dense, scales: &[1.0] },
            ControlInput { name: "controlnet_1", image: &reference, scales: &[1.0] },
        ];
        let text = self.model.encode_text(&texts.map(str::to_owned)).unwrap();
        values(&self.model.predict(&self.latents(noised), &[t], &text, &nets).unwrap())
    }

    /// `u + s ((1 - w) (y - u) + w (i - u))` of clean latents.
    fn guided(&self, noised: &[f64], t: f64) -> Vec<f64> {
        let y = self.raw(noised, t, ["a man, front view of head", "a man, back view of head"]);
        let u = self.raw(noised, t, ["ugly"; 2]);
        let i = self.raw(noised, t, ["make him old"; 2]);
        let w = self.strength;
        let mix = |k: usize| u[k] + SCALE * ((1.0 - w) * (y[k] - u[k]) + w * (i[k] - u[k]));
        (0..u.len()).map(mix).collect()
    }

    fn noise_in(&self, noised: &[f64], clean: &[f64], t: f64) -> Vec<f64> {
        let bar = self.alpha_bar(t);
        let pairs = noised.iter().zip(clean);
        pairs.map(|(z, x)| (z - bar.sqrt() * x) / (1.0 - bar).sqrt()).collect()
    }

    fn add_noise(&self, clean: &[f64], noise: &[f64], t: f64) -> Vec<f64> {
        let bar = self.alpha_bar(t);
        let pairs = clean.iter().zip(noise);
        pairs.map(|(x, e)| bar.sqrt() * x + (1.0 - bar).sqrt() * e).collect()
    }

    fn latents(&self, values: &[f64]) -> Tensor {
        let (channels, height, width) = self.model.latent_shape();
        let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
        Tensor::from_vec(values, (2, channels, height, width), &CPU).unwrap()
    }

    /// The render's latents and the noise of the step.
    fn start(&self) -> (Vec<f64>, Vec<f64>) {
        let pixels = images::to_tensor(&render(), &CPU).unwrap();
        let latent = self.model.encode_image(&pixels).unwrap().latent().clone();
        let mut stream = crate::rng::stream(SEED, AT.stage, AT.step, "noise");
        let noise = normal(&latent, &mut stream).unwrap();
        (values(&latent), values(&noise))
    }

    fn sds(&self) -> Vec<f64> {
        let (latent, noise) = self.start();
        let noised = self.add_noise(&latent, &noise, T);
        let predicted = self.noise_in(&noised, &self.guided(&noised, T), T);
        let bar = self.alpha_bar(T);
        let weight = bar.sqrt() * (1.0 - bar) / 2.0;
        let cotangent: Vec<f64> =
            predicted.iter().zip(&noise).map(|(e, n)| weight * (e - n)).collect();
        let pixels = images::to_tensor(&render(), &CPU).unwrap();
        let encoded = self.model.encode_image(&pixels).unwrap();
        in_rows(&encoded.image_vjp(&self.latents(&cotangent)).unwrap())
    }

    /// The target of two DDIM steps, from 500 to 75 to nothing.
    fn target(&self) -> Vec<f64> {
        let (latent, noise) = self.start();
        let mut noised = self.add_noise(&latent, &noise, T);
        let mut clean = Vec::new();
        for (t, next) in [(T, 75.0), (75.0, 0.0)] {
            clean = self.guided(&noised, t).iter().map(|x| x.clamp(-1.0, 1.0)).collect();
            let noise = self.noise_in(&noised, &clean, t);
            noised = self.add_noise(&clean, &noise, next);
        }
        in_rows(&self.model.decode(&self.latents(&clean)).unwrap())
    }
}

/// The values of images in the order of an image batch.
fn in_rows(tensor: &Tensor) -> Vec<f64> {
    images::to_images(tensor).unwrap().data.into_iter().map(f64::from).collect()
}

fn wide(images: &ImageBatch) -> Vec<f64> {
    images.data.iter().map(|v| f64::from(*v)).collect()
}

#[test]
fn the_paper_s_rule_is_the_combination_by_hand() {
    for strength in [0.0, 0.35, 1.0] {
        let (found, _) = step(Rule::Sds, strength);
        let error = gap(&wide(&found.gradient), &ByHand::new(strength).sds());
        assert!(error < 1e-4, "{strength}: {error}");
    }
    assert!(gap(&ByHand::new(0.0).sds(), &ByHand::new(1.0).sds()) > 1e-2, "the test tells nothing");
}

#[test]
fn the_target_is_the_combination_by_hand() {
    for strength in [0.0, 0.35, 1.0] {
        let (found, _) = step(Rule::X0, strength);
        let target = ByHand::new(strength).target();
        let error = gap(&wide(&found.target.unwrap()), &target);
        assert!(error < 1e-4, "{strength}: {error}");
        // Two views share the gradient of the squared distance.
        let away: Vec<f64> = wide(&render()).iter().zip(&target).map(|(x, t)| x - t).collect();
        let error = gap(&wide(&found.gradient), &away);
        assert!(error < 1e-4, "{strength}: {error}");
    }
    let targets = [0.0, 1.0].map(|strength| ByHand::new(strength).target());
    assert!(gap(&targets[0], &targets[1]) > 1e-2, "the test tells nothing");
}

#[test]
fn an_edit_takes_three_evaluations_at_once() {
    let three = [Condition::Prompt, Condition::Unconditional, Condition::Instruction];
    assert_eq!(step(Rule::Sds, 0.5).1, [three]);
    // One call a DDIM step.
    assert_eq!(step(Rule::X0, 0.5).1, [three, three]);
}

#[test]
fn every_rule_s_gradient_blends_the_description_s_and_the_instruction_s() {
    // SDI's noise and its z_t depend on the blend themselves.
    for rule in [Rule::Sds, Rule::Ssd, Rule::Csd, Rule::Nfsd] {
        let [description, blend, instruction] =
            [0.0, 0.25, 1.0].map(|strength| wide(&step(rule, strength).0.gradient));
        let expected: Vec<f64> =
            description.iter().zip(&instruction).map(|(y, i)| 0.75 * y + 0.25 * i).collect();
        assert!(gap(&blend, &expected) < 1e-4, "{rule:?}");
        assert!(gap(&description, &instruction) > 1e-3, "{rule:?}");
    }
}

//! Edits of checkpoints: who takes part, and what is refused.

use super::{
    CPU, gap, inside, like_stable_diffusion, load, pictures, recorded, values, view, views,
};
use crate::batch::{ControlKind, ViewRegion};
use crate::diffusion::DiffusionModel;
use crate::guidance::distillation::normal;
use crate::guidance::{
    Condition, ControlImages, ControlRequest, Denoiser, DiffusionDenoiser, GuidanceError, edit,
};
use candle_core::Tensor;
use std::sync::Arc;

const BOTH: [Condition; 2] = [Condition::Prompt, Condition::Unconditional];

fn editor(model: &Arc<DiffusionModel>) -> DiffusionDenoiser {
    DiffusionDenoiser::for_edit(Arc::clone(model), "a man", "make him old", "", 1.0).unwrap()
}

/// Noise in the place of two latents.
fn noised(model: &DiffusionModel) -> Tensor {
    let (channels, height, width) = model.latent_shape();
    let like = Tensor::zeros((2, channels, height, width), candle_core::DType::F32, &CPU).unwrap();
    normal(&like, &mut crate::rng::stream(4, "test", 0, "noised")).unwrap()
}

#[test]
fn the_reference_picture_belongs_to_edits_alone() {
    let model = recorded("pixel_space");
    let dense = ControlImages::from([(ControlKind::Dense, pictures(16, 16, 1))]);
    let with = |seed| {
        let mut controls = dense.clone();
        controls.insert(ControlKind::Reference, pictures(16, 3, seed));
        controls
    };
    let predict = |denoiser: &mut DiffusionDenoiser, controls: &ControlImages| {
        denoiser.begin(&views(16), controls).unwrap();
        values(&denoiser.predict(&noised(&model), 600, &BOTH).unwrap()[0])
    };
    let mut plain = DiffusionDenoiser::new(Arc::clone(&model), "a man", "", 1.0).unwrap();
    assert_eq!(plain.controls().kinds, [ControlKind::Dense]);
    let alone = predict(&mut plain, &dense);
    assert_eq!(predict(&mut plain, &with(2)), alone);
    let unknown = plain.predict(&noised(&model), 600, &[Condition::Instruction]);
    assert!(matches!(unknown, Err(GuidanceError::NoInstruction)));

    let mut edits = editor(&model);
    assert_eq!(edits.controls().kinds, [ControlKind::Dense, ControlKind::Reference]);
    let first = predict(&mut edits, &with(2));
    assert!(gap(&first, &alone) > 1e-3);
    assert!(gap(&first, &predict(&mut edits, &with(3))) > 1e-3);
    // Any size will do: one of the same colours everywhere resizes to itself.
    let mut controls = with(2);
    let mut grey = |size| {
        let picture = crate::batch::ImageBatch::filled(2, size, size, 3, 0.3);
        controls.insert(ControlKind::Reference, picture);
        predict(&mut edits, &controls)
    };
    assert!(gap(&grey(40), &grey(16)) < 1e-5);
    let missing = edits.begin(&views(16), &dense).unwrap_err();
    assert!(matches!(missing, GuidanceError::MissingControl(ControlKind::Reference)));
}

#[test]
fn a_checkpoint_that_cannot_see_the_head_cannot_edit() {
    for model in [recorded("sd_like"), like_stable_diffusion(false)] {
        let error = DiffusionDenoiser::for_edit(model, "a man", "make him old", "", 1.0).err();
        assert!(matches!(error, Some(GuidanceError::NoReferenceNet)));
        let sentence = error.unwrap().to_string();
        assert!(sentence.contains("no ControlNet for reference pictures"), "{sentence}");
        assert!(!sentence.contains('\n') && !sentence.contains(". "), "{sentence}");
    }
}

#[test]
fn back_views_keep_the_reference_and_leave_out_landmarks() {
    let model = like_stable_diffusion(true);
    let mut denoiser = editor(&model);
    assert_eq!(denoiser.controls().kinds, [ControlKind::Landmarks, ControlKind::Reference]);
    let mut predict = |landmarks, reference| {
        let controls = ControlImages::from([
            (ControlKind::Landmarks, pictures(32, 3, landmarks)),
            (ControlKind::Reference, pictures(32, 3, reference)),
        ]);
        denoiser.begin(&views(16), &controls).unwrap();
        let latents = noised(&model);
        let predictions = edit::predict(&denoiser, &latents, 600, &BOTH, 0.5).unwrap();
        [0, 1].map(|view| values(&predictions[0].get(view).unwrap()))
    };
    let [front, back] = predict(1, 2);
    let [other_front, same_back] = predict(3, 2);
    assert!(gap(&front, &other_front) > 1e-4);
    assert_eq!(back, same_back);
    let [other_front, other_back] = predict(1, 3);
    assert!(gap(&front, &other_front) > 1e-4 && gap(&back, &other_back) > 1e-4);
}

#[test]
fn strengths_blend_the_two_texts() {
    let embedded = load(&inside("assets/models/embedded"));
    for (model, kind, channels) in [
        (recorded("pixel_space"), ControlKind::Dense, 16),
        (like_stable_diffusion(true), ControlKind::Landmarks, 3),
        (embedded, ControlKind::Dense, 16),
    ] {
        let mut denoiser = editor(&model);
        let ControlRequest { size, .. } = denoiser.controls();
        let controls = ControlImages::from([
            (kind, pictures(size as usize, channels, 1)),
            (ControlKind::Reference, pictures(model.image_size(), 3, 2)),
        ]);
        denoiser.begin(&views(size), &controls).unwrap();
        let latents = noised(&model);
        let asked = [Condition::Prompt, Condition::Unconditional, Condition::Instruction];
        let all = denoiser.predict(&latents, 700, &asked).unwrap();
        let [description, free, instruction] = [0, 1, 2].map(|i| values(&all[i]));
        assert!(gap(&description, &instruction) > 1e-3, "the texts must matter");
        for strength in [0.0, 0.3, 1.0] {
            let found = edit::predict(&denoiser, &latents, 700, &BOTH, strength).unwrap();
            let expected: Vec<f64> = description
                .iter()
                .zip(&instruction)
                .map(|(y, i)| (1.0 - strength) * y + strength * i)
                .collect();
            assert!(gap(&values(&found[0]), &expected) < 1e-5, "{strength}");
            assert!(gap(&values(&found[1]), &free) < 1e-5, "{strength}");
        }
    }
}

#[test]
fn drawn_maps_keep_the_size_they_have_in_generation() {
    let model = load(&inside("assets/models/embedded"));
    let plain = DiffusionDenoiser::new(Arc::clone(&model), "a man", "", 1.0).unwrap();
    assert_eq!(plain.controls(), ControlRequest { kinds: vec![ControlKind::Dense], size: 64 });
    assert_eq!(editor(&model).controls().size, 64);
    assert_eq!(model.control_size("controlnet_reference"), Some(128));
}

#[test]
fn instructions_have_no_view_words() {
    let model = recorded("pixel_space");
    let mut denoiser = editor(&model);
    let controls = ControlImages::from([
        (ControlKind::Dense, pictures(16, 16, 1)),
        (ControlKind::Reference, pictures(16, 3, 2)),
    ]);
    let latents = noised(&model);
    let mut predict = |regions: [ViewRegion; 2]| {
        denoiser.begin(&regions.map(|region| view(region, 16)), &controls).unwrap();
        let asked = [Condition::Instruction, Condition::Prompt];
        let predictions = denoiser.predict(&latents, 600, &asked).unwrap();
        [0, 1].map(|i| values(&predictions[i]))
    };
    let [instruction, description] = predict([ViewRegion::Front, ViewRegion::Back]);
    let [same, other] = predict([ViewRegion::Left, ViewRegion::Front]);
    assert_eq!(instruction, same);
    assert_ne!(description, other);
}

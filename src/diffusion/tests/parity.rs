use super::{fixture, noise, relative, values};
use crate::batch::ControlKind;
use crate::diffusion::weights::WeightFile;
use crate::diffusion::{
    AttributeClassifier, ControlInput, DiffusionModel, InstructionReader, PromptReader, images,
    verify,
};
use candle_core::{Device, Tensor};

const CPU: Device = Device::Cpu;

fn check(name: &str, expected: &[&str]) {
    let folder = fixture(name);
    let report = verify(&folder, Some(&folder.join("reference.safetensors")), &CPU).unwrap();
    let names: Vec<&str> = report.comparisons.iter().map(|c| c.tensor.as_str()).collect();
    assert_eq!(names, expected, "{name}");
    for c in &report.comparisons {
        println!("{name} {} {:.2e}", c.tensor, c.relative_error);
        let limit = if c.tensor == "image_grad" { 1e-3 } else { 1e-4 };
        assert!(c.relative_error <= limit, "{name}: {c:?}");
    }
    assert_eq!(report.warnings, Vec::<String>::new());
}

const CONTROLLED: [&str; 3] = ["text_embedding", "noise_pred", "noise_pred_controlled"];
const ENCODED: [&str; 2] = ["latent_mean", "image_grad"];

#[test]
fn stable_diffusion_like_folder() {
    check("sd_like", &[&CONTROLLED[..], &ENCODED].concat());
}

#[test]
fn odd_channels_and_sizes() {
    check("odd_channels", &[&CONTROLLED[..], &ENCODED].concat());
}

#[test]
fn pixel_space_with_pooled_text() {
    check("pixel_space", &CONTROLLED);
}

#[test]
fn lists_of_layers_and_no_middle() {
    check("asymmetric", &CONTROLLED[..2]);
}

fn load(name: &str, file: &str) -> (DiffusionModel, WeightFile) {
    let folder = fixture(name);
    (DiffusionModel::load(&folder, &CPU).unwrap(), WeightFile::open(&folder.join(file)).unwrap())
}

fn tokens(file: &WeightFile) -> Vec<Vec<u32>> {
    let ids = file.integers("tokens").unwrap();
    ids.chunks(77).map(|row| row.iter().map(|&id| id as u32).collect()).collect()
}

#[test]
fn decoder_deviation_and_timesteps_per_sample() {
    let (model, extra) = load("sd_like", "extra.safetensors");
    let (_, reference) = load("sd_like", "reference.safetensors");
    let tensor = |file: &WeightFile, name: &str| file.tensor(name, &CPU).unwrap();
    let decoded = model.decode(&tensor(&extra, "decode_latent")).unwrap();
    assert!(relative(&decoded, &tensor(&extra, "decoded")) < 1e-4);
    let image = tensor(&reference, "image");
    let encoded = model.encode_image(&image).unwrap();
    assert!(relative(encoded.std().unwrap(), &tensor(&extra, "latent_std")) < 1e-4);
    let text = model.encode_tokens(&tokens(&reference)).unwrap();
    let steps: Vec<f64> = values(&tensor(&extra, "timesteps")).iter().map(|&t| t.into()).collect();
    let ours = model.predict(&tensor(&reference, "latent"), &steps, &text, &[]).unwrap();
    assert!(relative(&ours, &tensor(&extra, "noise_pred")) < 1e-4);
}

#[test]
fn two_control_nets_with_scales_and_region_text() {
    let (model, extra) = load("pixel_space", "extra.safetensors");
    let (_, reference) = load("pixel_space", "reference.safetensors");
    let tensor = |file: &WeightFile, name: &str| file.tensor(name, &CPU).unwrap();
    let kinds: Vec<_> = model.controls().collect();
    assert_eq!(
        kinds,
        [("controlnet", Some(ControlKind::Dense)), ("controlnet_1", Some(ControlKind::Reference))]
    );
    assert_eq!(model.control_channels("controlnet"), Some(24));
    let text = model.encode_tokens(&tokens(&reference)).unwrap();
    let (dense, picture) = (tensor(&extra, "control16"), tensor(&extra, "picture"));
    let controls = [
        ControlInput { name: "controlnet", image: &dense, scales: &[0.75] },
        ControlInput { name: "controlnet_1", image: &picture, scales: &[0.5] },
    ];
    let latent = tensor(&reference, "latent");
    let ours = model.predict(&latent, &[750.0], &text, &controls).unwrap();
    assert!(relative(&ours, &tensor(&extra, "both")) < 1e-4);
    let alone = model.predict(&latent, &[750.0], &text, &[]).unwrap();
    assert!(relative(&alone, &tensor(&extra, "both")) > 1e-2, "the controls must matter");
    // A scale for each sample: what one sample gets does not reach the other.
    let each = [ControlInput { scales: &[0.0, 0.75], ..controls[0] }];
    let one = [controls[0]];
    let mixed = model.predict(&latent, &[750.0], &text, &each).unwrap();
    let whole = model.predict(&latent, &[750.0], &text, &one).unwrap();
    let row = |x: &candle_core::Tensor, i: usize| x.get(i).unwrap();
    assert!(relative(&row(&mixed, 0), &row(&alone, 0)) < 1e-5);
    assert!(relative(&row(&mixed, 1), &row(&whole, 1)) < 1e-5);
    let three = [ControlInput { scales: &[1.0; 3], ..controls[0] }];
    assert!(model.predict(&latent, &[750.0], &text, &three).is_err());
    let unknown = [ControlInput { name: "controlnet_9", ..controls[0] }];
    let error = model.predict(&latent, &[750.0], &text, &unknown).unwrap_err().to_string();
    assert!(error.contains("`controlnet_9`"), "{error}");
    // A picture is no dense map: nothing is padded for it.
    let narrow = picture.narrow(1, 0, 2).unwrap();
    let wrong = [ControlInput { name: "controlnet_1", image: &narrow, scales: &[1.0] }];
    assert!(model.predict(&latent, &[750.0], &text, &wrong).is_err());
}

#[test]
fn attribute_readers() {
    let (_, extra) = load("pixel_space", "extra.safetensors");
    let reader = PromptReader::load(&fixture("pixel_space"), &CPU).unwrap().unwrap();
    let expected = extra.tensor("odds", &CPU).unwrap();
    for (row, prompt) in
        ["a bald man with green skin", "a smiling young woman, round glasses"].iter().enumerate()
    {
        let found = reader.read(prompt).unwrap();
        let names: Vec<&str> = found.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["male", "material"]);
        assert_eq!(found[1].values[0].0, serde_json::Value::Null);
        let ours: Vec<f32> = found.iter().flat_map(|a| a.values.iter().map(|v| v.1)).collect();
        let ours = Tensor::new(ours, &CPU).unwrap();
        assert!(relative(&ours, &expected.get(row).unwrap()) < 1e-4);
        let best = found[1].likeliest().unwrap();
        assert_eq!(found[1].of(best.0), Some(best.1));
    }
    assert!(PromptReader::load(&fixture("sd_like"), &CPU).unwrap().is_none());
}

#[test]
fn instruction_reader() {
    #[derive(serde::Deserialize)]
    struct Case {
        instruction: String,
        before: serde_json::Map<String, serde_json::Value>,
    }
    let folder = fixture("instructions");
    let reader = InstructionReader::load(&folder, &CPU).unwrap();
    let cases: Vec<Case> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("cases.json")).unwrap()).unwrap();
    let reference = WeightFile::open(&folder.join("reference.safetensors")).unwrap();
    let expected = reference.tensor("odds", &CPU).unwrap();
    assert_eq!(cases.len(), expected.dims()[0]);
    for (row, case) in cases.iter().enumerate() {
        let found = reader.read(&case.instruction, &case.before).unwrap();
        let names: Vec<&str> = found.iter().map(|change| change.odds.name.as_str()).collect();
        assert_eq!(names, ["hair", "male", "material"]);
        let changes = found.iter().map(|change| change.probability);
        let odds = found.iter().flat_map(|change| change.odds.values.iter().map(|v| v.1));
        let ours = Tensor::new(changes.chain(odds).collect::<Vec<f32>>(), &CPU).unwrap();
        let gap = relative(&ours, &expected.get(row).unwrap());
        assert!(gap < 1e-5, "{}: {gap}", case.instruction);
        for change in &found {
            assert_eq!(change.value().is_some(), change.probability > 0.5);
        }
    }
    // Who somebody is before matters, and so do the words.
    let read = |text: &str, row: usize| reader.read(text, &cases[row].before).unwrap();
    assert_ne!(read("give her long hair", 0), read("give her long hair", 1));
    assert_ne!(read("give her long hair", 0), read("give her hair", 0));
    assert_eq!(read("give her a strange hair", 0), read("Give her a PURPLE hair!", 0));
    assert_eq!(reader.ignored_words("make Anna's hair longer"), ["Anna", "longer"]);
}

#[test]
fn pixel_space_round_trip_and_adjoint() {
    let (model, extra) = load("pixel_space", "extra.safetensors");
    let image = extra.tensor("image", &CPU).unwrap();
    let encoded = model.encode_image(&image).unwrap();
    assert!(relative(encoded.latent(), &extra.tensor("pixels", &CPU).unwrap()) < 1e-6);
    assert!(relative(&model.decode(encoded.latent()).unwrap(), &image) < 1e-6);
    let g = noise(encoded.latent().dims(), 1);
    let grad = encoded.image_vjp(&g).unwrap();
    let dot =
        |a: &Tensor, b: &Tensor| (a * b).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
    // Linear up to a constant: <g, encode(x) - encode(0)> = <vjp(g), x>.
    let zero = model.encode_image(&image.zeros_like().unwrap()).unwrap();
    let left = dot(&g, &(encoded.latent() - zero.latent()).unwrap());
    assert!((left - dot(&grad, &image)).abs() < 1e-3);
    assert_eq!(model.latent_shape(), (12, 8, 8));
}

#[test]
fn encoder_gradient_matches_finite_differences() {
    for name in ["sd_like", "odd_channels"] {
        let model = DiffusionModel::load(&fixture(name), &CPU).unwrap();
        let image = ((noise(&[2, 3, 12, 8], 5) * 0.4).unwrap() + 0.5).unwrap();
        let encoded = model.encode_image(&image).unwrap();
        let (g, n) = (noise(encoded.latent().dims(), 6), noise(encoded.latent().dims(), 7));
        let grad = values(&encoded.sample_vjp(&g, &n).unwrap());
        let objective = |x: &Tensor| -> f64 {
            let z = values(&model.encode_image(x).unwrap().sample(&n).unwrap());
            z.iter().zip(values(&g)).map(|(z, g)| f64::from(*z) * f64::from(g)).sum()
        };
        for seed in 10..14 {
            let d = noise(image.dims(), seed);
            let h = 2e-3;
            let up = objective(&(&image + (&d * h).unwrap()).unwrap());
            let down = objective(&(&image - (&d * h).unwrap()).unwrap());
            let numeric = (up - down) / (2.0 * h);
            let analytic: f64 =
                grad.iter().zip(values(&d)).map(|(a, b)| f64::from(*a) * f64::from(b)).sum();
            let size: f64 = grad.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            assert!(
                (numeric - analytic).abs() < 5e-3 * size,
                "{name}: {numeric} against {analytic}, norm {size}"
            );
        }
    }
}

#[test]
fn wrong_inputs_are_refused_with_a_sentence() {
    let (model, reference) = load("sd_like", "reference.safetensors");
    let latent = reference.tensor("latent", &CPU).unwrap();
    let text = model.encode_tokens(&tokens(&reference)).unwrap();
    let three = latent.narrow(1, 0, 3).unwrap();
    for (result, part) in [
        (model.predict(&three, &[1.0], &text, &[]), "3 channels"),
        (model.predict(&latent, &[1.0, 2.0, 3.0], &text, &[]), "timesteps"),
        (model.predict(&latent, &[f64::NAN], &text, &[]), "finite timesteps"),
        (model.predict(&latent.narrow(0, 0, 1).unwrap(), &[1.0], &text, &[]), "1 samples"),
        (model.decode(&three), "3 channels"),
        (
            model.encode_image(&noise(&[1, 3, 9, 8], 1)).map(|e| e.latent().clone()),
            "multiples of 2",
        ),
        (model.encode_tokens(&[vec![60_000; 77]]).map(|e| e.hidden), "60000"),
        (model.encode_text(&[]).map(|e| e.hidden), "tokens"),
    ] {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(part), "{error} should contain {part}");
    }
}

#[test]
fn results_do_not_change_from_run_to_run() {
    let (model, reference) = load("sd_like", "reference.safetensors");
    let latent = reference.tensor("latent", &CPU).unwrap();
    let text = model.encode_tokens(&tokens(&reference)).unwrap();
    let run = || values(&model.predict(&latent, &[500.0], &text, &[]).unwrap());
    assert_eq!(run(), run());
}

#[test]
fn the_attribute_classifier_agrees_with_its_training() {
    let root = fixture("");
    let classifier = AttributeClassifier::load(&root, "classifier").unwrap();
    let file = WeightFile::open(&root.join("classifier/reference.safetensors")).unwrap();
    let pictures = images::to_images(&file.tensor("pictures", &CPU).unwrap()).unwrap();
    let found = classifier.read(&pictures).unwrap();
    let names: Vec<&str> = found[0].iter().map(|odds| odds.name.as_str()).collect();
    assert_eq!(names, ["hair", "male", "material"]);
    let odds = |read: &[crate::diffusion::AttributeOdds]| -> Vec<f32> {
        read.iter().flat_map(|a| a.values.iter().map(|v| v.1)).collect()
    };
    let ours: Vec<Vec<f32>> = found.iter().map(|read| odds(read)).collect();
    let ours = Tensor::new(ours, &CPU).unwrap();
    let error = relative(&ours, &file.tensor("odds", &CPU).unwrap());
    assert!(error < 1e-4, "{error}");
    assert_eq!(odds(&classifier.prior()), [0.5, 0.3, 0.2, 0.4, 0.6, 0.9, 0.1]);
}

//! Checks a checkpoint: loads every network, runs each once, and compares with tensors
//! that the reference library recorded.

use super::clip::TextEmbedding;
use super::model::{ControlInput, DiffusionModel};
use super::prompt_reader::PromptReader;
use super::weights::WeightFile;
use super::{CheckpointError, DiffusionError, Result};
use candle_core::{Device, Tensor};
use std::path::Path;

/// How far one tensor is from the reference.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Comparison {
    /// The tensor's name in the reference file.
    pub tensor: String,
    /// `max |a - b| / max |b|`.
    pub relative_error: f64,
    /// `max |a - b|`.
    pub max_abs_error: f64,
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct VerifyReport {
    /// The networks that ran, with the shape of what they gave.
    pub ran: Vec<(String, Vec<usize>)>,
    /// Differences from the reference file, in a fixed order.
    pub comparisons: Vec<Comparison>,
    /// The model's warnings.
    pub warnings: Vec<String>,
}

/// Loads a folder and runs every network once on a small input; with a `reference` file also compares
/// every output tensor that the file holds.
///
/// # Errors
/// If something does not load, run, or give finite numbers, or the reference's inputs do not fit.
pub fn verify(folder: &Path, reference: Option<&Path>, device: &Device) -> Result<VerifyReport> {
    let model = DiffusionModel::load(folder, device)?;
    let mut report =
        VerifyReport { warnings: model.warnings().to_vec(), ..VerifyReport::default() };
    run_once(folder, &model, &mut report)?;
    if let Some(path) = reference {
        let compared = compare(&model, &WeightFile::open(path)?, &mut report.comparisons);
        compared.map_err(|error| match error {
            // The model itself ran: what does not fit is in the file.
            DiffusionError::Input(problem) => {
                CheckpointError::Mismatch { path: path.to_owned(), problem }.into()
            }
            other => other,
        })?;
    }
    Ok(report)
}

fn finite(name: &str, x: &Tensor) -> Result<Vec<f32>> {
    let values = x.flatten_all()?.to_vec1::<f32>()?;
    if values.iter().all(|v| v.is_finite()) {
        return Ok(values);
    }
    Err(DiffusionError::Input(format!("`{name}` gives values that are not finite")))
}

fn run_once(folder: &Path, model: &DiffusionModel, report: &mut VerifyReport) -> Result<()> {
    let mut note = |name: &str, x: &Tensor| -> Result<()> {
        finite(name, x)?;
        report.ran.push((name.to_owned(), x.dims().to_vec()));
        Ok(())
    };
    let text = model.encode_text(&["a head".to_owned()])?;
    note("text_encoder", &text.hidden)?;
    if let Some(reader) = PromptReader::load(folder, model.device())? {
        let found = reader.read("a head")?;
        let odds: Vec<f32> = found.iter().flat_map(|a| a.values.iter().map(|v| v.1)).collect();
        note("attributes", &Tensor::new(odds, model.device())?)?;
    }
    // The smallest image that every level can halve, at least twice as large at the end.
    let side = (2 * model.latents().factor()) << (model.levels() - 1);
    let image = (Tensor::ones((1, 3, side, side), candle_core::DType::F32, model.device())? * 0.5)?;
    let encoded = model.encode_image(&image)?;
    let latent = encoded.latent().clone();
    if matches!(model.latents(), super::latent::LatentSpace::Autoencoder(_)) {
        note("vae encoder", &latent)?;
        note("vae encoder gradient", &encoded.image_vjp(&latent.ones_like()?)?)?;
        note("vae decoder", &model.decode(&latent)?)?;
    }
    let middle = [(model.schedule().timesteps() / 2) as f64];
    note("unet", &model.predict(&latent, &middle, &text, &[])?)?;
    let names: Vec<(String, usize, usize)> = model
        .controls()
        .filter_map(|(name, _)| {
            let pixels = model.control_size(name)? * side / model.image_size();
            Some((name.to_owned(), model.control_channels(name)?, pixels))
        })
        .collect();
    for (name, channels, side) in names {
        let image =
            Tensor::zeros((1, channels, side, side), candle_core::DType::F32, model.device())?;
        let control = ControlInput { name: &name, image: &image, scales: &[1.0] };
        note(&name, &model.predict(&latent, &middle, &text, &[control])?)?;
    }
    Ok(())
}

fn compare(model: &DiffusionModel, file: &WeightFile, out: &mut Vec<Comparison>) -> Result<()> {
    let device = model.device();
    let tensor = |name: &str| -> Result<Option<Tensor>> {
        file.has(name).then(|| file.tensor(name, device)).transpose()
    };
    let mut check = |name: &str, ours: &Tensor| -> Result<()> {
        let Some(theirs) = tensor(name)? else { return Ok(()) };
        if ours.dims() != theirs.dims() {
            return Err(DiffusionError::Input(format!(
                "`{name}` has shape {:?}, the reference has {:?}",
                ours.dims(),
                theirs.dims()
            )));
        }
        out.push(difference(name, &finite(name, ours)?, &theirs.flatten_all()?.to_vec1::<f32>()?));
        Ok(())
    };
    let text = if file.has("tokens") { Some(encode_tokens(model, file)?) } else { None };
    if let Some(text) = &text {
        check("text_embedding", &text.hidden)?;
    }
    if let (Some(text), Some(latent), Some(timesteps)) =
        (&text, tensor("latent")?, timesteps(file)?)
    {
        if file.has("noise_pred") {
            check("noise_pred", &model.run(&latent, &timesteps, text, &[], false)?)?;
        }
        if let (true, Some(image)) = (file.has("noise_pred_controlled"), tensor("control_image")?) {
            let control = ControlInput { name: "controlnet", image: &image, scales: &[1.0] };
            check(
                "noise_pred_controlled",
                &model.run(&latent, &timesteps, text, &[control], false)?,
            )?;
        }
    }
    if let Some(image) = tensor("image")? {
        let encoded = model.encode_image(&image)?;
        check("latent_mean", encoded.latent())?;
        if let (true, Some(cotangent)) = (file.has("image_grad"), tensor("latent_cotangent")?) {
            check("image_grad", &encoded.image_vjp(&cotangent)?)?;
        }
    }
    if out.is_empty() {
        return Err(DiffusionError::Input(
            "the reference file holds none of the tensors that are compared".into(),
        ));
    }
    Ok(())
}

/// The reference's `timestep`, of either kind of number.
fn timesteps(file: &WeightFile) -> Result<Option<Vec<f64>>> {
    if !file.has("timestep") {
        return Ok(None);
    }
    let whole = file.integers("timestep").map(|v| v.iter().map(|&t| t as f64).collect());
    let found = whole
        .or_else(|_| file.values("timestep").map(|v| v.iter().map(|&t| f64::from(t)).collect()));
    Ok(Some(found?))
}

fn encode_tokens(model: &DiffusionModel, file: &WeightFile) -> Result<TextEmbedding> {
    let (values, shape) = (file.integers("tokens")?, file.shape("tokens").unwrap_or_default());
    let bad = || DiffusionError::Input("the reference's `tokens` must be rows of token ids".into());
    let &[_, length] = shape else { return Err(bad()) };
    if length == 0 {
        return Err(bad());
    }
    let ids: Vec<u32> =
        values.iter().map(|&v| u32::try_from(v).map_err(|_| bad())).collect::<Result<_>>()?;
    model.encode_tokens(&ids.chunks(length).map(<[u32]>::to_vec).collect::<Vec<_>>())
}

fn difference(name: &str, ours: &[f32], theirs: &[f32]) -> Comparison {
    let gap = ours.iter().zip(theirs).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
    let top = theirs.iter().map(|b| f64::from(b.abs())).fold(0.0, f64::max);
    // An all-zero reference gives a huge, but finite number.
    let relative_error = gap / top.max(1e-30);
    Comparison { tensor: name.to_owned(), relative_error, max_abs_error: gap }
}

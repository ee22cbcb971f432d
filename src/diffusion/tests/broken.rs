//! Broken folders: each is refused with one sentence that names the file.

use super::{copy, fixture};
use crate::diffusion::{DiffusionModel, InstructionReader, PromptReader};
use candle_core::Device;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Loads a copy of a fixture after `damage`, model and attribute readers, and returns the
/// complaint.
fn complaint(name: &str, damage: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture(name), folder.path());
    damage(folder.path());
    let read = |_| PromptReader::load(folder.path(), &Device::Cpu);
    let error = DiffusionModel::load(folder.path(), &Device::Cpu)
        .and_then(read)
        .err()
        .expect("it must be refused")
        .to_string();
    assert!(!error.contains('\n') && !error.contains(". "), "not one sentence: {error}");
    error
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(path, value.to_string()).unwrap();
}

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";

/// Rewrites one tensor entry of a safetensors header, keeping the header's length.
fn patch_header(path: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn missing_files() {
    let gone = DiffusionModel::load(&PathBuf::from("/no/such/model"), &Device::Cpu).err().unwrap();
    assert_eq!(gone.to_string(), "/no/such/model does not exist");
    for part in [
        "unet/config.json",
        UNET,
        "text_encoder",
        "text_encoder/model.safetensors",
        "tokenizer",
        "tokenizer/vocab.json",
        "tokenizer/merges.txt",
        "vae/config.json",
        "controlnet/config.json",
        "scheduler/scheduler_config.json",
    ] {
        let error = complaint("sd_like", |folder| {
            let path = folder.join(part);
            if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
                .unwrap();
        });
        assert!(error.ends_with(&format!("{part} does not exist")), "{error}");
    }
    let error = complaint("sd_like", |folder| std::fs::remove_dir_all(folder.join("vae")).unwrap());
    assert!(error.contains("has no `vae` folder, and 4 channels are no blocks"), "{error}");
    let error =
        complaint("pixel_space", |f| std::fs::remove_dir_all(f.join("region_text")).unwrap());
    assert!(error.ends_with("region_text does not exist"), "{error}");
}

#[test]
fn broken_json() {
    for file in [
        "unet/config.json",
        "text_encoder/config.json",
        "model_index.json",
        "tokenizer/vocab.json",
        "tokenizer/tokenizer_config.json",
        "scheduler/scheduler_config.json",
    ] {
        let error =
            complaint("sd_like", |folder| std::fs::write(folder.join(file), "{\"a\": ").unwrap());
        assert!(error.contains(&format!("{file} is not valid JSON")), "{error}");
    }
    let error = complaint("pixel_space", |f| {
        std::fs::write(f.join("headsculpt.json"), "{\"controls\": 3}").unwrap();
    });
    assert!(error.contains("headsculpt.json is not valid JSON"), "{error}");
    let error = complaint("odd_channels", |f| {
        std::fs::write(f.join("tokenizer/tokenizer.json"), "[").unwrap();
    });
    assert!(error.contains("tokenizer.json is not valid JSON"), "{error}");
    let error = complaint("odd_channels", |f| {
        std::fs::write(f.join("tokenizer/tokenizer.json"), "{}").unwrap();
    });
    assert!(error.contains("tokenizer.json does not make a tokenizer"), "{error}");
}

#[test]
fn unsupported_or_absurd_fields() {
    let cases: [(&str, &str, &str, Value); 24] = [
        ("sd_like", "unet/config.json", "_class_name", json!("UNet2DModel")),
        ("sd_like", "unet/config.json", "addition_embed_type", json!("text_time")),
        (
            "sd_like",
            "unet/config.json",
            "down_block_types",
            json!(["AttnDownBlock2D", "DownBlock2D"]),
        ),
        ("sd_like", "unet/config.json", "up_block_types", json!(["UpBlock2D"])),
        ("sd_like", "unet/config.json", "norm_num_groups", json!(24)),
        ("sd_like", "unet/config.json", "block_out_channels", json!([])),
        ("sd_like", "unet/config.json", "block_out_channels", json!([32, -1])),
        ("sd_like", "unet/config.json", "in_channels", json!(1e9)),
        ("sd_like", "unet/config.json", "attention_head_dim", json!(64)),
        ("sd_like", "unet/config.json", "norm_eps", json!("small")),
        ("sd_like", "unet/config.json", "act_fn", json!("mish")),
        ("sd_like", "unet/config.json", "mid_block_type", json!("UNetMidBlock2DSimpleCrossAttn")),
        ("sd_like", "unet/config.json", "only_cross_attention", json!(true)),
        ("sd_like", "controlnet/config.json", "_class_name", json!("ControlNetXSAdapter")),
        ("sd_like", "vae/config.json", "_class_name", json!("AsymmetricAutoencoderKL")),
        ("sd_like", "vae/config.json", "scaling_factor", json!(0)),
        ("sd_like", "text_encoder/config.json", "hidden_act", json!("relu")),
        ("sd_like", "text_encoder/config.json", "architectures", json!(["T5EncoderModel"])),
        ("sd_like", "scheduler/scheduler_config.json", "prediction_type", json!("flow_prediction")),
        ("sd_like", "scheduler/scheduler_config.json", "beta_schedule", json!("sigmoid")),
        ("pixel_space", "region_text/config.json", "masks", json!(["all"])),
        ("pixel_space", "headsculpt.json", "pixel_unshuffle", json!(3)),
        ("pixel_space", "attributes/config.json", "attributes", json!([{"name": 3}])),
        (
            "pixel_space",
            "attributes/config.json",
            "attributes",
            json!([{"name": "male", "values": [true]}]),
        ),
    ];
    for (name, file, field, value) in cases {
        let error = complaint(name, |folder| edit(&folder.join(file), |v| v[field] = value));
        assert!(error.contains(file) && error.contains(&format!("`{field}`")), "{error}");
    }
}

#[test]
fn what_a_pixel_space_folder_leaves_out_is_read_from_the_networks() {
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture("pixel_space"), folder.path());
    std::fs::remove_file(folder.path().join("headsculpt.json")).unwrap();
    let model = DiffusionModel::load(folder.path(), &Device::Cpu).unwrap();
    assert_eq!((model.latents().channels(), model.latents().factor()), (12, 2));
    assert_eq!(model.latent_shape().0, 12);
    assert_eq!(model.guidance_scale(), 7.5);
}

#[test]
fn parts_that_do_not_fit_each_other() {
    let error = complaint("pixel_space", |f| {
        edit(&f.join("headsculpt.json"), |v| v["pixel_unshuffle"] = json!(4));
    });
    assert!(
        error.contains("unet: maps 12 to 12 channels, but this folder's latents have 48"),
        "{error}"
    );
    let error = complaint("pixel_space", |f| {
        edit(&f.join("headsculpt.json"), |v| v["region_text"] = json!({"control": "controlnet_1"}));
    });
    assert!(error.contains("region_text: needs 24 channels"), "{error}");
    let error = complaint("pixel_space", |f| {
        edit(&f.join("headsculpt.json"), |v| v["controls"] = json!({"controlnet_7": "dense"}));
    });
    assert!(error.contains("`controls` names `controlnet_7`"), "{error}");
    let error = complaint("sd_like", |f| {
        edit(&f.join("tokenizer/special_tokens_map.json"), |v| v["pad_token"] = json!("<pad>"));
    });
    assert!(error.contains("`<pad>` is not in the vocabulary"), "{error}");
    let error = complaint("sd_like", |f| {
        edit(&f.join("tokenizer/vocab.json"), |v| v["<|endoftext|>"] = json!(9_000));
    });
    assert!(error.contains("id 9000"), "{error}");
}

#[test]
fn broken_weights() {
    let error = complaint("sd_like", |f| {
        edit(&f.join("unet/config.json"), |v| v["cross_attention_dim"] = json!(48));
    });
    assert!(
        error.contains(UNET) && error.contains("to_k.weight` has shape [32, 32] where [32, 48]"),
        "{error}"
    );
    let error = complaint("sd_like", |f| {
        edit(&f.join("unet/config.json"), |v| v["layers_per_block"] = json!(2));
    });
    assert!(error.contains("is missing") && error.contains("resnets."), "{error}");
    for (keep, part) in [
        (0, "shorter than 8"),
        (5, "shorter than 8"),
        (100, "but only 92 follow"),
        (200_000, "cut short"),
    ] {
        let error = complaint("sd_like", |f| {
            let bytes = std::fs::read(f.join(UNET)).unwrap();
            std::fs::write(f.join(UNET), &bytes[..keep]).unwrap();
        });
        assert!(error.contains(UNET) && error.contains(part), "{error}");
    }
    for (length, part) in [(u64::MAX, "more than 100000000"), (50_000_000, "but only")] {
        let error = complaint("sd_like", |f| {
            let mut bytes = std::fs::read(f.join(UNET)).unwrap();
            bytes[..8].copy_from_slice(&length.to_le_bytes());
            std::fs::write(f.join(UNET), bytes).unwrap();
        });
        assert!(error.contains(UNET) && error.contains(part), "{error}");
    }
    let error = complaint("sd_like", |f| patch_header(&f.join(UNET), "\"F16\"", "\"F32\""));
    assert!(error.contains(UNET) && error.contains("its shape needs"), "{error}");
    let error = complaint("sd_like", |f| patch_header(&f.join(UNET), "\"F16\"", "\"I16\""));
    assert!(error.contains("has the element type I16"), "{error}");
    let error = complaint("sd_like", |f| {
        let path = f.join(UNET);
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 2;
        bytes[last..].copy_from_slice(&half::f16::NAN.to_le_bytes());
        std::fs::write(path, bytes).unwrap();
    });
    assert!(error.contains(UNET) && error.contains("not finite"), "{error}");
    let error = complaint("sd_like", |f| {
        std::fs::write(
            f.join(UNET),
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        )
        .unwrap();
    });
    assert!(error.contains(UNET) && error.contains("its header claims"), "{error}");
}

/// Loads a copy of the reader of instructions after `damage`, and returns the complaint.
fn unread(damage: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture("instructions"), folder.path());
    damage(folder.path());
    let error = InstructionReader::load(folder.path(), &Device::Cpu).err();
    let error = error.expect("it must be refused").to_string();
    assert!(!error.contains('\n') && !error.contains(". "), "not one sentence: {error}");
    error
}

#[test]
fn readers_of_instructions() {
    let config = |f: &Path| f.join("instructions/config.json");
    for (field, value, problem) in [
        ("_class_name", json!("AttributeReaders"), "AttributeReaders"),
        ("attributes", json!([{"name": "hair", "values": ["bald"]}]), "needs two or more values"),
        ("hidden", json!(13), "shape"),
        ("width", json!(17), "shape"),
    ] {
        let error = unread(|f| edit(&config(f), |c| c[field] = value));
        assert!(error.contains(problem), "{field}: {error}");
    }
    for field in ["instructions", "words"] {
        let error = unread(|f| {
            edit(&f.join("headsculpt.json"), |c| _ = c.as_object_mut().unwrap().remove(field));
        });
        assert!(error.contains(field) && error.contains("no reader of instructions"), "{error}");
    }
    for file in ["words.txt", "instructions/model.safetensors", "tokenizer/vocab.json"] {
        let error = unread(|f| std::fs::remove_file(f.join(file)).unwrap());
        assert!(error.ends_with(&format!("{file} does not exist")), "{error}");
    }
    let error =
        unread(|f| edit(&f.join("text_encoder/config.json"), |c| c["vocab_size"] = json!(9)));
    assert!(error.contains("shape"), "{error}");
}

"""Writes the model as a diffusers-layout folder with f16 weights, samples and a model card.

Also a command: `python export.py --run RUN --out FOLDER` exports the EMA weights of a training run.
"""

import argparse
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

from networks import GUIDANCE, IMAGE_SIZE, SCHEDULER, UNSHUFFLE, Embedded


NETWORKS = ("unet", "controlnet", "controlnet_reference")
CONTROLS = {"controlnet": "dense", "controlnet_reference": "reference"}


def half(tensors, prefix=""):
    return {prefix + n: t.detach().to("cpu", torch.float16).contiguous() for n, t in tensors.items() if t.is_floating_point()}


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def replace_folder(new, target):
    """Puts a finished folder in the place of an older one: at no moment is a half-written one visible."""
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    old = target.with_name(target.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        os.rename(target, old)
    os.rename(new, target)
    shutil.rmtree(old, ignore_errors=True)


def network_config(network):
    """A diffusers network's own config.json as a dictionary, without private entries."""
    config = json.loads(network.to_json_string())
    return {k: v for k, v in config.items() if k != "_name_or_path"}


def load_folder(model, folder, vocabulary):
    """Gives a model the weights of an exported folder of the same size; words are matched by their spelling.

    vocabulary: token -> index of the model's own tokenizer, which may know other words than the folder's.
    """
    text = CLIPTextModel.from_pretrained(folder / "text_encoder")
    weights = {n: t.float() for n, t in text.state_dict().items()}
    name = next(n for n in weights if n.endswith("token_embedding.weight"))
    theirs = json.loads((folder / "tokenizer/vocab.json").read_text(encoding="utf-8"))
    table = next(p for n, p in model.text_encoder.named_parameters() if n.endswith("token_embedding.weight")).detach().clone()
    known = [(index, theirs[token]) for token, index in vocabulary.items() if token in theirs]
    mine, old = (torch.tensor(column) for column in zip(*known))
    table[mine] = weights[name][old].to(table)
    model.text_encoder.load_state_dict(weights | {name: table})
    for name in (*NETWORKS, "region_text"):
        file = "model" if name == "region_text" else "diffusion_pytorch_model"
        if (folder / name).exists():
            weights = load_file(folder / name / f"{file}.safetensors")
            getattr(model, name).load_state_dict({n: t.float() for n, t in weights.items()})


def samples_seen(folder):
    """What an exported model's card says it has seen, runs that it started from included."""
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    found = [re.search(pattern, card) for pattern in (r"Samples seen: (\d+)", r"that had seen (\d+) samples")]
    return sum(int(match.group(1)) for match in found if match)


def write_text_encoder(text, folder):
    """A CLIP text encoder as transformers and the crate read it."""
    config = json.loads(text.config.to_json_string(use_diff=False))
    keep = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings", "vocab_size", "hidden_act", "layer_norm_eps", "projection_dim"]
    keep += ["bos_token_id", "eos_token_id", "pad_token_id", "attention_dropout", "initializer_factor", "initializer_range"]
    folder.mkdir()
    write_json(folder / "config.json", {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", **{k: config[k] for k in keep}})
    # The names of Stable Diffusion's checkpoints; newer libraries drop the prefix when they load.
    names = half(text.state_dict())
    names = {n if n.startswith("text_model.") else f"text_model.{n}": t for n, t in names.items()}
    save_file(names, folder / "model.safetensors", {"format": "pt"})


def write_reader(reading, tokenizer, words, target, report, name="attributes"):
    """Readers with their text encoder as a folder of their own; `name` is the readers' part."""
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=target.name + ".new", dir=target.parent))
    os.chmod(folder, 0o755)
    shutil.copytree(tokenizer, folder / "tokenizer")
    shutil.copyfile(words, folder / "words.txt")
    (folder / name).mkdir()
    write_json(folder / name / "config.json", reading.readers.config())
    save_file(half(reading.readers.weights()), folder / name / "model.safetensors", {"format": "pt"})
    write_text_encoder(reading.text_encoder, folder / "text_encoder")
    write_json(folder / "headsculpt.json", {name: name, "words": "words.txt"})
    write_json(folder / "report.json", report)
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)
    replace_folder(folder, target)


def write_folder(model, tokenizer, target, card=None, samples=None, edits=True):
    """model: with the weights to ship; tokenizer: its folder; samples: path of a sheet (optional); edits: it learnt them."""
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=target.name + ".new", dir=target.parent))
    os.chmod(folder, 0o755)
    shutil.copytree(tokenizer, folder / "tokenizer")
    networks = NETWORKS if edits else NETWORKS[:-1]
    for name in (*networks, "region_text", "scheduler"):
        (folder / name).mkdir()
    write_text_encoder(model.text_encoder, folder / "text_encoder")
    for name in networks:
        network = getattr(model, name)
        write_json(folder / name / "config.json", network_config(network))
        save_file(half(network.state_dict()), folder / name / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    write_json(folder / "region_text/config.json", model.region_text.config())
    save_file(half(model.region_text.state_dict()), folder / "region_text/model.safetensors", {"format": "pt"})
    write_json(folder / "scheduler/scheduler_config.json", SCHEDULER)
    settings = {"image_size": IMAGE_SIZE, "pixel_unshuffle": UNSHUFFLE, "guidance_scale": GUIDANCE, "controls": {n: k for n, k in CONTROLS.items() if n in networks}, "region_text": "region_text"}
    write_json(folder / "headsculpt.json", settings)
    index = {
        "_class_name": "StableDiffusionControlNetPipeline",
        "controlnet": ["diffusers", "ControlNetModel"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
    }
    write_json(folder / "model_index.json", index)
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)
    if card is not None:
        (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    if samples is not None and Path(samples).exists():
        Image.open(samples).convert("RGB").save(folder / "samples.webp", quality=88)
    replace_folder(folder, target)


def weight_megabytes(model):
    parts = (model.text_encoder, model.unet, model.controlnet, model.controlnet_reference, model.region_text)
    return sum(p.numel() for part in parts for p in part.parameters()) * 2 / 1e6


def model_card(model, progress, notes=()):
    """The card from what the run measured: `progress` is the run's progress.json, `notes` are more lines about the training."""
    count = lambda part: f"{sum(p.numel() for p in part.parameters()) / 1e6:.2f} M"
    evals = progress["evaluations"]
    last = evals[-1] if evals else {"errors": {}, "gap": {}}
    lines = [
        "# Embedded model",
        "",
        "A small Stable Diffusion of synthetic heads in the diffusers folder layout, trained from scratch by `tools/train_embedded` on",
        "captioned renders of the CC0 head prior by this project's own studio. No photograph and no third-party checkpoint went into it. It guides",
        "the distillation of a 3D head; it is not meant to make pictures for show, and it knows only the words of the studio's captions.",
        "",
        "Licence: MIT or Apache-2.0, as the program that carries it.",
        "",
        "| part | parameters |",
        "|---|---|",
        f"| text encoder ({model.text_encoder.config.num_hidden_layers} layers, width {model.text_encoder.config.hidden_size}, {model.text_encoder.config.vocab_size} tokens) | {count(model.text_encoder)} |",
        f"| UNet {tuple(model.unet.config.block_out_channels)}, pixels unshuffled by {UNSHUFFLE}, predicts the clean image | {count(model.unet)} |",
        f"| ControlNet, 16 dense channels + 16 from the region-text binder | {count(model.controlnet)} |",
        f"| ControlNet that reads the picture before an edit | {count(model.controlnet_reference)} |",
        f"| region-text binder | {count(model.region_text)} |",
        f"| all weights at f16 | {weight_megabytes(model):.1f} MB |",
        "",
        "## Training",
        "",
        f"- Data: {progress['images']} images of {IMAGE_SIZE}x{IMAGE_SIZE} in {progress['shards']} training shards at the end of the run; "
        f"{progress['held_out_images']} images of other heads held out.",
        f"- Of each batch {progress['edits']:.0%} were edits: an instruction or a description, over the picture before. {progress['soften']:.0%} of the noised pictures were blurred or tinted first, to become sharp.",
        f"- Samples seen: {progress['samples']} (batch {progress['batch']}, that of the last part, on each of {progress['workers']} worker{'s' if progress['workers'] > 1 else ''}), {progress['steps']} steps, seed {progress['seed']}.",
        *([f"- Started from the weights of a model that had seen {progress['earlier_samples']} samples."] if progress.get("earlier_samples") else []),
        f"- Text first: {progress['text_samples']} captions against region colours and attributes, no pictures.",
        f"- Time: {progress['seconds'] / 60:.1f} minutes of training on {progress['hardware']}; {progress['samples'] / max(progress['seconds'], 1):.1f} samples a second over the run.",
        *[f"- {note}" for note in notes],
        f"- Loss over the last {progress['loss_window']} steps: {progress['loss']:.4f} (weighted; not comparable between weightings).",
        "",
        "Held-out error (mean squared, pixels in [-1,1]) and *text gap*, the error with another head's caption minus the error with the right one, by noise level:",
        "",
    ]
    levels = list(last["errors"])
    lines.append("| samples | " + " | ".join(f"error {v}" for v in levels) + " | " + " | ".join(f"gap {v}" for v in last["gap"]) + " | skin / hair / both right |")
    lines.append("|---" * (2 + len(levels) + len(last["gap"])) + "|")
    shown = evals if len(evals) <= 14 else [evals[round(k * (len(evals) - 1) / 13)] for k in range(14)]
    for e in shown:
        cells = [str(e["samples"])] + [f"{v:.4f}" for v in e["errors"].values()] + [f"{v:.4f}" for v in e["gap"].values()] + [" / ".join(map(str, e["gate"]))]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        f'The last column counts, over up to 16 pairs of "X skin and short Y hair" sampled at guidance {GUIDANCE:g} on one control, how often the named colour is the nearest of the',
        "studio's palette on the face, on the scalp, and both; neighbouring names such as pale and fair count as equal.",
    ]
    if last.get("gate_lines"):
        lines.append("Wrong at the end: " + "; ".join(last["gate_lines"]) + ".")
    lines += ["", f"Samples (`samples.webp`): DDIM, 12 steps, guidance {GUIDANCE:g}, four views of one neutral head's control each.", "", "![samples](samples.webp)", ""]
    return "\n".join(lines)


def load_run(run, ema=True):
    """(model, progress) of a training run's folder."""
    run = Path(run)
    progress = json.loads((run / "state/progress.json").read_text(encoding="utf-8"))
    vocabulary = json.loads((run / "tokenizer/vocab.json").read_text(encoding="utf-8"))
    model = Embedded(len(vocabulary), progress["size"])
    stored = load_file(run / "state" / ("ema.safetensors" if ema else "weights.safetensors"))
    model.load_state_dict({n: t.float() for n, t in stored.items()})
    return model.eval(), progress


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--note", action="append", default=[], help="a sentence about the training for the card; may be repeated")
    options = parser.parse_args()
    model, progress = load_run(options.run)
    write_folder(model, Path(options.run) / "tokenizer", options.out, model_card(model, progress, options.note), Path(options.run) / "samples.png")
    print(f"{options.out}: {weight_megabytes(model):.1f} MB of weights")

"""Records what the reference libraries compute for an exported folder, for `headsculpt models verify --reference`.

    python export_reference.py FOLDER reference.safetensors

Runs transformers and diffusers on the folder's files in f32 and writes `tokens`, `latent`, `timestep`, `control_image`
(whose last channels are what the region-text binder paints for these tokens), `text_embedding`, `class_labels` (pooled
text), `noise_pred` (no ControlNet) and `noise_pred_controlled` (scale 1). The inputs are random but smooth, from a seed.
"""

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import ControlNetModel, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTokenizer

from dataset import CONTROL_CHANNELS
from networks import RegionText

PROMPTS = ["a smiling old woman with green skin and long white hair, front view of head", "a statue of an xylophonist"]


def load_binder(folder):
    """The binder of an exported folder in f32."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    binder = RegionText(config["text_dim"], config["regions"], config["query_dim"], config["heads"], config["channels"])
    binder.load_state_dict({n: t.float() for n, t in load_file(folder / "model.safetensors").items()})
    return binder


@torch.no_grad()
def record(folder, length, seed):
    """All tensors of the reference as a dictionary."""
    folder = Path(folder)
    kind = {"torch_dtype": torch.float32}
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    text = CLIPTextModel.from_pretrained(folder / "text_encoder").float().eval()
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", **kind).eval()
    controlnet = ControlNetModel.from_pretrained(folder / "controlnet", **kind).eval()
    binder = load_binder(folder / "region_text")
    generator = torch.Generator().manual_seed(seed)
    # The hint's layers halve the control image down to the latent.
    size = unet.config.sample_size << (len(controlnet.config.conditioning_embedding_out_channels) - 1)
    count = len(PROMPTS)
    tokens = torch.tensor(tokenizer(PROMPTS, padding="max_length", truncation=True, max_length=length)["input_ids"])
    latent = torch.randn((count, unet.config.in_channels, unet.config.sample_size, unet.config.sample_size), generator=generator)
    rough = torch.rand((count, CONTROL_CHANNELS, size // 8, size // 8), generator=generator)
    dense = F.interpolate(rough, size=(size, size), mode="bilinear", align_corners=False)
    read = text(input_ids=tokens)
    hidden, pooled = read.last_hidden_state, read.pooler_output
    control = binder.paint(dense, binder(hidden))
    time = torch.tensor([601])
    plain = unet(latent, time, hidden, class_labels=pooled).sample
    down, middle = controlnet(latent, time, hidden, control, return_dict=False)
    controlled = unet(latent, time, hidden, class_labels=pooled, down_block_additional_residuals=down, mid_block_additional_residual=middle).sample
    tensors = {"tokens": tokens, "latent": latent, "timestep": time.float(), "control_image": control, "text_embedding": hidden}
    tensors |= {"class_labels": pooled, "noise_pred": plain, "noise_pred_controlled": controlled}
    return {n: t.contiguous() for n, t in tensors.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("reference")
    parser.add_argument("--length", type=int, default=77, help="tokens of a sentence")
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    tensors = record(options.folder, options.length, options.seed)
    save_file(tensors, options.reference)
    for name, tensor in tensors.items():
        print(f"{name} {tuple(tensor.shape)} {tensor.dtype}")

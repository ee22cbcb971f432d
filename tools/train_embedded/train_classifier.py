"""Trains the attribute classifier: a small network that says from one picture which look it shows.

    python train_classifier.py --data HELD_OUT_DATA --out FOLDER --minutes 30

It judges samples and renders of distilled heads, so it never sees what the embedded model was trained on: HELD_OUT_DATA
comes from `render_dataset --held-out`. Pictures are softened and tinted at random, as distilled heads are. Besides the
look it learns `frontal`: whether the picture looks at a face. Writes config.json, model.safetensors (f16) and report.json.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from dataset import Shard
from fit import fit
from networks import Readers
from precision import has_fast_bfloat16, mixed
from sentences import attribute_values, labels

# Channels, kernels and strides of the convolutions; 128 pixels become 8 x 8.
LAYERS = [(32, 4, 2), (64, 3, 2), (96, 3, 1), (128, 3, 2), (160, 3, 1), (192, 3, 2), (256, 3, 1)]
HIDDEN, SIDE = 256, 128
FRONT, BEHIND = 50, 115  # degrees: nearer to the front there is a face, farther there is none


class Classifier(nn.Module):
    """Pictures (B,3,128,128) in [-1,1] -> list of logits, one an attribute."""

    def __init__(self, attributes):
        super().__init__()
        self.convs, self.norms, width = nn.ModuleList(), nn.ModuleList(), 3
        for channels, kernel, stride in LAYERS:
            self.convs.append(nn.Conv2d(width, channels, kernel, stride, 1, bias=False))
            self.norms.append(nn.BatchNorm2d(channels))
            width = channels
        self.hidden = nn.Linear(2 * width, HIDDEN)
        self.readers = Readers(HIDDEN, attributes)

    def features(self, x):
        for conv, norm in zip(self.convs, self.norms):
            x = F.silu(norm(conv(x)))
        # Where on the picture something is depends on the framing: only whether it is there counts.
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return F.dropout(F.silu(self.hidden(pooled)), 0.2, self.training)

    def forward(self, x):
        return self.readers(self.features(x))

    def config(self):
        values = self.readers.config()["attributes"]
        return {
            "_class_name": "AttributeClassifier",
            "image_size": SIDE,
            "channels": [channels for channels, _, _ in LAYERS],
            "kernels": [kernel for _, kernel, _ in LAYERS],
            "strides": [stride for _, _, stride in LAYERS],
            "hidden": HIDDEN,
            "attributes": values,
        }

    def weights(self):
        # The normalisations know their statistics by now: they become part of the convolutions.
        named = {}
        for k, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            named |= {f"convs.{k}.weight": conv.weight * scale[:, None, None, None], f"convs.{k}.bias": norm.bias - norm.running_mean * scale}
        named |= {"hidden.weight": self.hidden.weight, "hidden.bias": self.hidden.bias}
        named |= {f"readers.{n}": t for n, t in self.readers.weights().items()}
        return named


def with_face(row, azimuth):
    """The row with the attribute `frontal`; between front and back it stays open."""
    turn = abs((azimuth + 180) % 360 - 180)
    face = True if turn < FRONT else False if turn > BEHIND else 0.0
    return {"attributes": row["attributes"] | {"frontal": face}}


def visible(attributes, table, azimuths):
    """Drops labels that a picture cannot show: what lies on the face, seen from behind."""
    names = list(attributes)
    on_face = [k for k, n in enumerate(names) if n in ("expression", "eyes", "eye_size", "nose", "lips", "mouth", "brows", "brow_color", "face_paint", "red_lips", "glasses", "glasses_color", "cheeks", "chin")]
    behind = np.abs((azimuths + 180) % 360 - 180) > 100
    table[np.ix_(behind, on_face)] = -1
    return table


def soften(x, generator):
    """Random blur, tint, noise, framing and mirroring of (B,3,H,W)."""
    draw = lambda *shape: torch.rand(shape, generator=generator, device=x.device)
    if draw(1).item() < 0.6:  # renders of distilled heads are soft
        low = F.interpolate(x, scale_factor=0.3 + 0.7 * draw(1).item(), mode="bilinear", antialias=True)
        x = F.interpolate(low, size=x.shape[-2:], mode="bilinear", align_corners=False)
    x = x * (0.95 + 0.10 * draw(len(x), 3, 1, 1)) + 0.04 * (draw(len(x), 3, 1, 1) - 0.5)
    x = x + 0.04 * draw(len(x), 1, 1, 1) * torch.randn(x.shape, generator=generator, device=x.device)
    zoom, shift, turn = 0.85 + 0.35 * draw(len(x)), 0.3 * (draw(len(x), 2) - 0.5), 0.3 * (draw(len(x)) - 0.5)
    upright = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], 1).view(-1, 2, 2)
    place = torch.cat([upright * zoom[:, None, None], shift[:, :, None]], 2)
    x = F.grid_sample(x, F.affine_grid(place, x.shape, align_corners=False), padding_mode="border", align_corners=False)
    mirrored = draw(len(x)) < 0.5
    return torch.where(mirrored[:, None, None, None], x.flip(3), x)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--test", type=int, default=2000, help="pictures kept for measuring, from the end")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    shards = [Shard(path, (None, None)) for path in sorted(Path(options.data).glob("shard_*.safetensors"))]
    rows = [with_face(row, azimuth) for s in shards for row, azimuth in zip(s.rows, s.view[:, 0])]
    azimuths = np.concatenate([s.view[:, 0] for s in shards])
    attributes = attribute_values(rows)
    table = visible(attributes, labels(rows, attributes), azimuths)
    pictures = torch.from_numpy(np.concatenate([s.image for s in shards])).to(options.device)
    wanted = torch.from_numpy(table).to(options.device)
    count = len(pictures) - options.test
    if count < options.test:
        raise SystemExit(f"{options.data}: too few pictures, {len(pictures)}")
    model = Classifier(attributes).to(options.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.02, foreach=True)
    to_input = lambda picks: pictures[picks].permute(0, 3, 1, 2).float() / 127.5 - 1
    bf16 = has_fast_bfloat16(options.device)
    generator = torch.Generator(options.device).manual_seed(options.seed)

    def loss():
        picks = torch.randint(count, (options.batch,), generator=generator, device=options.device)
        with mixed(options.device, bf16):
            features = model.features(soften(to_input(picks), generator).contiguous(memory_format=torch.channels_last))
        return model.readers.entropy(features, wanted[picks])

    seen, minutes = fit(model, optimizer, options.minutes, loss, options.batch, options.rate, 200, "pictures")
    model.eval()
    right = {name: [0, 0] for name in attributes}
    with torch.no_grad():
        for at in range(count, len(pictures), 200):
            picks = torch.arange(at, min(at + 200, len(pictures)), device=options.device)
            for (name, tally), out, truth in zip(right.items(), model(to_input(picks)), wanted[picks].T):
                known = truth >= 0
                tally[0] += int((out.argmax(1) == truth)[known].sum())
                tally[1] += int(known.sum())
    accuracy = {name: r / max(n, 1) for name, (r, n) in right.items()}
    report = {"pictures": count, "seen": seen, "minutes": minutes, "accuracy": float(np.mean(list(accuracy.values()))), "by_attribute": accuracy}
    print(json.dumps(report, indent=1))
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    prior = [np.bincount(column[column >= 0], minlength=len(values)) + 1.0 for column, values in zip(table.T, attributes.values())]
    weights = {n: t.detach().to(torch.float16).contiguous() for n, t in model.weights().items()}
    weights["prior"] = torch.from_numpy(np.concatenate([p / p.sum() for p in prior])).float()
    partial = out / "model.part"
    save_file(weights, partial)
    os.replace(partial, out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(model.config(), indent=2) + "\n", encoding="utf-8")
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

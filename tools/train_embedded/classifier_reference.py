"""Records what the attribute classifier says of random pictures, for the crate's parity test.

    python classifier_reference.py --out ../../tests/fixtures/diffusion

Writes a small random classifier in the exported layout, and its answers.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from train_classifier import Classifier


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.manual_seed(3)
    import train_classifier

    train_classifier.LAYERS = [(6, 4, 2), (8, 3, 1), (10, 3, 2), (12, 3, 2), (14, 3, 2)]
    train_classifier.HIDDEN = 16
    model = Classifier({"hair": ["bald", "long", "short"], "male": ["False", "True"], "material": ["None", "gold"]})
    with torch.no_grad():
        for norm in model.norms:
            norm.running_mean.uniform_(-0.3, 0.3)
            norm.running_var.uniform_(0.5, 1.5)
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.3, 0.3)
        model.eval()
        folder = Path(options.out) / "classifier"
        folder.mkdir(parents=True, exist_ok=True)
        pictures = torch.rand(3, 3, 64, 64)
        odds = torch.cat([out.softmax(1) for out in model(pictures * 2 - 1)], 1)
        prior = torch.tensor([0.5, 0.3, 0.2, 0.4, 0.6, 0.9, 0.1])
        weights = {n: t.detach().contiguous() for n, t in model.weights().items()} | {"prior": prior}
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(model.config(), indent=2) + "\n", encoding="utf-8")
    save_file({"pictures": pictures, "odds": odds.contiguous()}, folder / "reference.safetensors")


if __name__ == "__main__":
    main()

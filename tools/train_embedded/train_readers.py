"""Trains the attribute readers: a small text tower that says which look a sentence describes.

    python train_readers.py --data DATA --run RUN --minutes 20 --export ../../assets/models/reader

DATA holds `sentences.jsonl` (render_dataset --sentences N); RUN receives
a tokenizer. The labels of
all attributes count whether or not a sentence mentions them, so a reader gives the probability of each value given the
words: near one for what is said, the people's own spread for what is left open. They are a folder of
their own, with the tokenizer and the list of words that occur in the sentences.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from transformers import CLIPTextModel

from captions import Captioner
from export import write_reader
from fit import fit
from networks import Readers, text_config
from precision import has_fast_bfloat16, mixed
from sentences import attribute_values, labels, read, shuffled
from vocabulary import Words, ensure

WIDTH, LAYERS = 128, 2


class Reading(torch.nn.Module):
    """The text tower with its readers."""

    def __init__(self, vocabulary, attributes):
        super().__init__()
        self.text_encoder = CLIPTextModel(text_config(vocabulary, WIDTH, LAYERS))
        for name, value in self.text_encoder.named_parameters():
            if "embedding" in name:
                torch.nn.init.normal_(value, std=0.5 if "token" in name else 0.1)
        self.readers = Readers(WIDTH, attributes)

    def forward(self, tokens):
        """tokens (B,L) -> list of logits, one an attribute."""
        return self.readers(self.pooled(tokens))

    def pooled(self, tokens):
        """tokens (B,L) -> the state at the first end of sentence (B,width)."""
        return self.text_encoder(input_ids=tokens).pooler_output


def cut(tokens, end):
    """Drops the padding that all rows share; rows keep their end of sentence."""
    longest = int((tokens == end).int().argmax(1).max()) + 1
    return tokens[:, :longest]


def sentence(row, captioner, rng):
    text = captioner.sentence(row, rng, captioner.filler)
    if rng.random() < 0.2:
        text = shuffled(text, rng)
    return "" if rng.random() < 0.04 else text


class Measure:
    """Accuracy on held-out people: of what a sentence says, and of everything."""

    def __init__(self, rows, attributes, words, end):
        rng = np.random.default_rng(7)
        captioner = Captioner(view_words=0, filler=0)
        self.full = cut(words([row["captions"][-1] for row in rows]), end)
        self.shuffled = cut(words([shuffled(row["captions"][-1], rng) for row in rows]), end)
        self.brief = cut(words([captioner.sentence(row, rng) for row in rows]), end)
        self.labels = torch.from_numpy(labels(rows, attributes))
        self.names = list(attributes)

    @torch.no_grad()
    def __call__(self, model):
        """(accuracy by attribute on full captions, its mean in another order, entropy of brief ones)."""
        found = lambda tokens: [torch.cat(parts) for parts in zip(*[model(tokens[k : k + 250]) for k in range(0, len(tokens), 250)])]
        right = lambda logits: [(out.argmax(1) == self.labels[:, k])[self.labels[:, k] >= 0].float().mean().item() for k, out in enumerate(logits)]
        full = right(found(self.full))
        entropy = [torch.nn.functional.cross_entropy(out.float(), self.labels[:, k], ignore_index=-1).item() for k, out in enumerate(found(self.brief))]
        return dict(zip(self.names, full)), float(np.mean(right(found(self.shuffled)))), float(np.mean(entropy))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--export", required=True, help="folder that receives the readers (replaced as a whole)")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--held-out", type=int, default=4000, help="people kept for measuring")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    run = Path(options.run)
    rows = read(options.data)
    if len(rows) <= 2 * options.held_out:
        raise SystemExit(f"{options.data}: too few sentences, {len(rows)}; make them with render_dataset --sentences 300000")
    ensure(run / "tokenizer", options.data)
    words = Words(run / "tokenizer")
    end = len(words) - 1
    attributes = attribute_values(rows)
    model = Reading(len(words), attributes).to(options.device)
    held, rows = rows[: options.held_out], rows[options.held_out :]
    measure, table = Measure(held, attributes, words, end), labels(rows, attributes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01, foreach=True)
    captioner = Captioner(view_words=0.3, full=0.4)
    bf16 = has_fast_bfloat16(options.device)
    rng = np.random.default_rng(options.seed)

    def loss():
        picks = rng.integers(0, len(rows), options.batch)
        tokens = cut(words([sentence(rows[i], captioner, rng) for i in picks]), end).to(options.device)
        wanted = torch.from_numpy(table[picks]).to(options.device)
        with mixed(options.device, bf16):
            pooled = model.pooled(tokens)
        return model.readers.entropy(pooled, wanted)

    seen, minutes = fit(model, optimizer, options.minutes, loss, options.batch, options.rate, 500, "sentences")
    model.eval()
    by_attribute, other_order, entropy = measure(model.to("cpu"))
    report = {
        "sentences": seen,
        "minutes": minutes,
        "accuracy": float(np.mean(list(by_attribute.values()))),
        "accuracy_in_another_order": other_order,
        "entropy_of_brief_ones": entropy,
        "by_attribute": by_attribute,
    }
    print(json.dumps(report, indent=1))
    write_reader(model, run / "tokenizer", run / "words.txt", options.export, report)


if __name__ == "__main__":
    main()

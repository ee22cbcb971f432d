"""Trains the reader of instructions: from a person's look and an instruction, what changes and to what.

    python train_instructions.py --data DATA --held-out HELD --run RUN --minutes 20 --export ../../assets/models/instructions

DATA and HELD hold `instructions.jsonl` (render_dataset --instructions N, the second with --held-out); RUN receives a tokenizer.
A text tower reads the words, and a few layers put together what they say and the look before. For each attribute
they give the probability that it changes, and the odds of its new value. Words that mean nothing change nothing: those that
were not taught are all the same to the reader.
"""

import argparse
import json
import re
import shutil
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import CLIPTextModel

import vocabulary
from export import write_reader
from fit import fit
from instructions import UNKNOWN, Noise, attribute_values, known, read, tables, taught, words_of
from networks import text_config
from precision import has_fast_bfloat16, mixed

WIDTH, LAYERS, HIDDEN = 128, 2, 256
# What links clauses that ask for several things at once.
LINK = re.compile(r", | and | then ")


class InstructionReaders(torch.nn.Module):
    """What the words ask for, given the look before: hidden layers over the pooled text and one learned vector a value."""

    def __init__(self, width, attributes, hidden=HIDDEN):
        super().__init__()
        self.attributes = attributes  # name -> list of values, as text
        sizes = [len(values) for values in attributes.values()]
        self.sizes, self.hidden = sizes, hidden
        self.register_buffer("starts", torch.tensor([0, *np.cumsum(sizes)[:-1].tolist()]), persistent=False)
        self.look = torch.nn.Embedding(sum(sizes), hidden)
        torch.nn.init.normal_(self.look.weight, std=0.1)
        self.text = torch.nn.Linear(width, hidden)
        self.mix = torch.nn.Linear(hidden, hidden)
        self.changes = torch.nn.Linear(hidden, len(sizes))
        self.values = torch.nn.Linear(hidden, sum(sizes))

    def forward(self, pooled, before):
        """pooled (B,width), before (B,attributes) indices, -1 unknown -> logits of a change (B,attributes), of all values (B,values)."""
        seen = self.look((before.clamp(min=0) + self.starts)) * (before >= 0).unsqueeze(-1)
        state = F.silu(self.text(pooled) + seen.sum(1))
        state = state + F.silu(self.mix(state))
        return self.changes(state), self.values(state)

    def after(self, changes, values, before):
        """The look after: the likeliest new value wherever a change is likelier than none."""
        best = torch.stack([own.argmax(1) for own in values.split(self.sizes, 1)], 1)
        return torch.where(changes > 0, best, before)

    def config(self):
        native = {"True": True, "False": False, "None": None}
        return {
            "_class_name": "InstructionReaders",
            "width": self.text.in_features,
            "hidden": self.hidden,
            "unknown": UNKNOWN,
            "attributes": [{"name": n, "values": [native.get(x, x) for x in v]} for n, v in self.attributes.items()],
        }

    def weights(self):
        return self.state_dict()


class Reading(torch.nn.Module):
    """The text tower with its readers."""

    def __init__(self, vocabulary, attributes, width=WIDTH, layers=LAYERS, hidden=HIDDEN):
        super().__init__()
        self.text_encoder = CLIPTextModel(text_config(vocabulary, width, layers))
        for name, value in self.text_encoder.named_parameters():
            if "embedding" in name:
                torch.nn.init.normal_(value, std=0.5 if "token" in name else 0.1)
        self.readers = InstructionReaders(width, attributes, hidden)

    def forward(self, tokens, before):
        return self.readers(self.text_encoder(input_ids=tokens).pooler_output, before)

    def loss(self, tokens, before, after, bf16=False):
        """Cross-entropy of what changes, and of the new values of what does, a row."""
        with mixed("cpu", bf16):
            pooled = self.text_encoder(input_ids=tokens).pooler_output
        changes, values = self.readers(pooled.float(), before)
        changed = before != after
        whether = F.binary_cross_entropy_with_logits(changes, changed.float(), reduction="sum")
        own = values.split(self.readers.sizes, 1)
        wanted = torch.where(changed, after, -1)
        some = [k for k in range(len(own)) if changed[:, k].any()]
        which = [F.cross_entropy(own[k], wanted[:, k], ignore_index=-1, reduction="sum") for k in some]
        return (whether + sum(which)) / len(before)


class Samples:
    """Instructions with the looks before and after, for steps and for measuring."""

    def __init__(self, rows, attributes, lexicon, words):
        self.texts = [known(words_of(row["instruction"]), lexicon) for row in rows]
        # A sentence's tokens are those of its words: looked up once.
        frame = words.tokenizer("")["input_ids"]
        self.pieces = {word: words.tokenizer(word)["input_ids"][1:-1] for word in [*lexicon, UNKNOWN]}
        self.start, self.end, self.longest = frame[0], frame[-1], words.length
        self.before, self.after = map(torch.from_numpy, tables(rows, attributes))
        self.meaningful = torch.tensor([row["attribute"] is not None for row in rows])
        self.linked = torch.tensor([bool(LINK.search(row["instruction"])) for row in rows])

    def tokens(self, texts):
        """The token ids of sentences of known words, padded to the longest."""
        rows = [[piece for word in text.split() for piece in self.pieces[word]][: self.longest - 2] for text in texts]
        length = max(map(len, rows)) + 2
        return torch.tensor([[self.start, *row, *[self.end] * (length - 1 - len(row))] for row in rows])

    def batch(self, picks, texts):
        return self.tokens(texts), self.before[picks].long(), self.after[picks].long()

    def batches(self, size, noise, rng, several=16):
        """Random batches for ever, each of sentences of about the same length: little of a batch is padding."""
        while True:
            picks = rng.integers(0, len(self.texts), several * size)
            texts = [noise(self.texts[i], rng) for i in picks]
            order = np.argsort([text.count(" ") for text in texts], kind="stable")
            for k in rng.permutation(several):
                own = order[k * size : (k + 1) * size]
                yield self.batch(picks[own], [texts[i] for i in own])

    @torch.no_grad()
    def measure(self, model, noise=None):
        """The share of looks that are right as a whole, and more."""
        rng, found = np.random.default_rng(7), []
        for start in range(0, len(self.texts), 500):
            picks = list(range(start, min(start + 500, len(self.texts))))
            texts = [self.texts[i] if noise is None else noise(self.texts[i], rng) for i in picks]
            tokens, before, _ = self.batch(picks, texts)
            found.append(model.readers.after(*model(tokens, before), before))
        found, before, after = torch.cat(found), self.before.long(), self.after.long()
        right = found == after
        asked = before != after
        names = list(model.readers.attributes)
        share = lambda rows: rows.float().mean().item() if rows.numel() else None
        return {
            "looks": share(right.all(1)),
            "looks_of_one_clause": share(right.all(1)[~self.linked]),
            "looks_of_several": share(right.all(1)[self.linked]),
            "looks_that_change": share(right.all(1)[asked.any(1)]),
            "looks_that_stay": share(right.all(1)[~asked.any(1) & self.meaningful]),
            "nonsense_that_changes_nothing": share(right.all(1)[~self.meaningful]),
            "attributes": share(right),
            "false_changes_per_instruction": ((found != before) & ~asked).sum().item() / len(found),
            "changes_by_attribute": {name: share(right[:, k][asked[:, k]]) for k, name in enumerate(names)},
        }, right


def start_from(model, folder):
    """Gives a model the weights of an exported reader; returns the report of its training."""
    single = lambda path: {name: value.float() for name, value in load_file(path).items()}
    own = model.text_encoder.state_dict()
    text = single(folder / "text_encoder/model.safetensors")
    model.text_encoder.load_state_dict({n if n in own else n.removeprefix("text_model."): v for n, v in text.items()})
    model.readers.load_state_dict(single(folder / "instructions/model.safetensors"))
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--held-out", required=True, help="folder with instructions that are for measuring only")
    parser.add_argument("--run", required=True)
    parser.add_argument("--export", required=True, help="folder that receives the reader (replaced as a whole)")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=160)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--init", help="exported reader whose training goes on")
    parser.add_argument("--show", type=int, default=0, help="list this many held-out instructions that are read wrong")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    run = Path(options.run)
    rows, held_rows = read(options.data), read(options.held_out)
    attributes, lexicon = attribute_values(rows), taught(rows)
    run.mkdir(parents=True, exist_ok=True)
    (run / "words.txt").write_text("".join(f"{word}\n" for word in lexicon), encoding="utf-8")
    lexicon = set(lexicon)
    if options.init:
        if (Path(options.init) / "words.txt").read_text(encoding="utf-8").split() != sorted(lexicon):
            raise SystemExit(f"{options.init}: it was taught other words than those of the data")
        shutil.copytree(Path(options.init) / "tokenizer", run / "tokenizer", dirs_exist_ok=True)
    else:
        # The rarest words count: every one of them is a token.
        texts = [" ".join([*sorted(lexicon), UNKNOWN])] * 20
        vocabulary.write(run / "tokenizer", *vocabulary.train(texts, lists=False))
    words = vocabulary.Words(run / "tokenizer")
    samples, held = Samples(rows, attributes, lexicon, words), Samples(held_rows, attributes, lexicon, words)
    model = Reading(len(words), attributes)
    print(f"{len(rows)} instructions, {len(lexicon)} words, {len(words)} tokens, {sum(p.numel() for p in model.parameters())} parameters", flush=True)
    rows.clear()  # gigabytes that nobody needs any more
    earlier = start_from(model, Path(options.init)) if options.init else {"instructions": 0, "minutes": 0}
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01, foreach=True)
    bf16 = has_fast_bfloat16("cpu")
    batches = samples.batches(options.batch, Noise(), np.random.default_rng(options.seed))
    loss = lambda: model.loss(*next(batches), bf16)
    seen, minutes = fit(model, optimizer, options.minutes, loss, options.batch, options.rate, 250, "instructions")
    model.eval()
    report, right = held.measure(model)
    noisy, _ = held.measure(model, Noise(1, 0.3))
    report = {"instructions": earlier["instructions"] + seen, "minutes": earlier["minutes"] + minutes, **report, "looks_with_strange_words": noisy["looks"]}
    for k in (~right.all(1)).nonzero()[: options.show, 0].tolist():
        wrong = [name for name, fine in zip(attributes, right[k].tolist()) if not fine]
        print(held_rows[k]["instruction"], "|", wrong, {n: held_rows[k]["before"][n] for n in wrong}, held_rows[k]["after"])
    print(json.dumps(report, indent=1))
    write_reader(model, run / "tokenizer", run / "words.txt", options.export, report, "instructions")


if __name__ == "__main__":
    main()

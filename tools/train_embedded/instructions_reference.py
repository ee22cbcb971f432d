"""Records what the reader of instructions says with random weights, for the crate's parity test.

    python instructions_reference.py --out ../../tests/fixtures/diffusion

Writes a small random reader in the exported layout, and its answers.
"""

import argparse
import json
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

import vocabulary
from export import write_reader
from instructions import known, words_of
from train_instructions import Reading

ATTRIBUTES = {"hair": ["bald", "long", "short"], "male": ["False", "True"], "material": ["None", "gold"]}
LEXICON = ["a", "give", "hair", "her", "him", "into", "long", "make", "man", "o'clock", "the", "turn"]
# The instruction, and the look before: None stands for an attribute that nobody tells.
CASES = [
    ("give her long hair", {"hair": "short", "male": False, "material": None}),
    ("Turn the man\u2019s  hair into GOLD, please!", {"hair": "bald", "male": True, "material": "gold"}),
    ("", {"male": True, "hat": "cap"}),
    ("make him cat-like", {}),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.manual_seed(5)
    with tempfile.TemporaryDirectory() as run:
        run = Path(run)
        (run / "words.txt").write_text("".join(f"{word}\n" for word in LEXICON), encoding="utf-8")
        vocabulary.write(run / "tokenizer", *vocabulary.train([" ".join([*LEXICON, "something"])] * 20, lists=False))
        words = vocabulary.Words(run / "tokenizer")
        model = Reading(len(words), ATTRIBUTES, width=16, layers=2, hidden=12).eval()
        with torch.no_grad():
            for value in model.readers.parameters():
                value.normal_(std=0.5)
            # As f16 holds them.
            for value in model.parameters():
                value.copy_(value.half().float())
            answers = [answer(model, words, *case) for case in CASES]
        folder = Path(options.out) / "instructions"
        write_reader(model, run / "tokenizer", run / "words.txt", folder, {}, "instructions")
    (folder / "report.json").unlink()
    save_file({"odds": torch.stack(answers)}, folder / "reference.safetensors")
    cases = [{"instruction": text, "before": before} for text, before in CASES]
    (folder / "cases.json").write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")


def answer(model, words, text, look):
    """The probabilities of changes, then those of all values."""
    tokens = words([known(words_of(text), set(LEXICON))])
    index = lambda name, values: values.index(str(look[name])) if name in look else -1
    before = torch.tensor([[index(name, values) for name, values in ATTRIBUTES.items()]])
    changes, values = model(tokens, before)
    odds = [own.softmax(1) for own in values.split(model.readers.sizes, 1)]
    return torch.cat([changes.sigmoid(), *odds], 1)[0]


if __name__ == "__main__":
    main()

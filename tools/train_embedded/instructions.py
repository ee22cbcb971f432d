"""Instructions about people who are not drawn, for the reader of instructions."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np

NAME = "instructions.jsonl"
# Every word that was not taught becomes this one: what it is does not matter.
UNKNOWN = "something"
BETWEEN = re.compile(r"(?:[^\w']|_)+")


def read(folder):
    """The rows of a folder's instructions."""
    path = Path(folder) / NAME
    if not path.exists():
        raise SystemExit(f"{path} is missing; make it with render_dataset --instructions 500000")
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def words_of(text):
    """A text's words as the crate takes them: lower case, without an owner's 's."""
    found = BETWEEN.split(text.lower().replace("\u2019", "'"))
    return [word for part in found if (word := part.removesuffix("'s").strip("'"))]


def taught(rows, least=20):
    """The words of what means something, in alphabetical order."""
    counts = Counter(word for row in rows if row["attribute"] is not None for word in words_of(row["instruction"]))
    return sorted(word for word, count in counts.items() if count >= least)


def known(words, lexicon):
    """A sentence of the words with UNKNOWN for those that are not in the lexicon."""
    return " ".join(word if word in lexicon else UNKNOWN for word in words)


def attribute_values(rows):
    """Attributes with their values, as text."""
    seen = {}
    for row in rows:
        for name, value in [*row["before"].items(), *row["after"].items()]:
            seen.setdefault(name, set()).add(str(value))
    return {name: sorted(values) for name, values in sorted(seen.items())}


def tables(rows, attributes):
    """(N, attributes) indices of the values before and after."""
    places = [(name, {value: k for k, value in enumerate(values)}) for name, values in attributes.items()]
    before = np.array([[index[str(row["before"][name])] for name, index in places] for row in rows], np.int16)
    after = before.copy()
    for k, row in enumerate(rows):
        for a, (name, index) in enumerate(places):
            if name in row["after"]:
                after[k, a] = index[str(row["after"][name])]
    return before.reshape(len(rows), -1), after.reshape(len(rows), -1)


class Noise:
    """Strange words in an instruction, and small ones that are left out: neither may matter."""

    SMALL = {"the", "a", "an", "him", "her", "his", "it", "its", "their", "them", "please", "now"}

    def __init__(self, insert=0.15, leave_out=0.1):
        self.insert, self.leave_out = insert, leave_out

    def __call__(self, text, rng):
        words = text.split()
        if rng.random() < self.leave_out:
            words = [word for word in words if word not in self.SMALL or rng.random() < 0.5]
        if rng.random() < self.insert:
            for _ in range(rng.integers(1, 3)):
                words.insert(rng.integers(len(words) + 1), UNKNOWN)
        return " ".join(words)

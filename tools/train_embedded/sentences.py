"""Sentences about people who are not drawn, for what reads text alone."""

import json
import re
from pathlib import Path

import numpy as np

SEPARATORS = re.compile(r", | and | with | who has | wearing | who wears ")
NAME = "sentences.jsonl"


def attribute_values(rows):
    """Attributes with few values, by name, as text."""
    seen = {}
    for row in rows:
        for name, value in row["attributes"].items():
            if value is None or isinstance(value, (str, bool)):
                seen.setdefault(name, set()).add(str(value))
    return {name: sorted(values) for name, values in sorted(seen.items()) if 2 <= len(values) <= 40}


# Attributes that mean nothing while another one has a certain value.
IDLE = [("beard_color", "beard", "none"), ("hat_color", "hat", "none"), ("glasses_color", "glasses", "none"), ("hair_color", "hair", "bald"), ("hair_tips", "hair", "bald")]
# Attributes that a statue's material covers.
COVERED = ("skin", "hair_color", "hair_tips", "beard_color", "brow_color", "eyes", "hat_color", "glasses_color", "red_lips", "face_paint", "ethnicity")


def meaning(attributes):
    """The attributes of a row without those that mean nothing: the colour of a hat that is not there."""
    idle = {name for name, owner, value in IDLE if str(attributes.get(owner)) == value}
    if attributes.get("material") is not None:
        idle.update(COVERED)
    return {name: value for name, value in attributes.items() if name not in idle}


def labels(rows, attributes):
    """(N, attributes) indices of the rows' attribute values, -1 where unknown or meaningless."""
    index = [(name, {v: k for k, v in enumerate(values)}) for name, values in attributes.items()]
    table = [[places.get(str(known.get(name, "")), -1) for name, places in index] for known in map(lambda row: meaning(row["attributes"]), rows)]
    return np.array(table, np.int64).reshape(len(rows), len(index))


def read(folder):
    """The rows of a folder's sentences, and whether there are any."""
    path = Path(folder) / NAME
    if not path.exists():
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def shuffled(text, rng):
    """The phrases of a sentence in another order with other links: readers must not lean on the grammar's."""
    parts = [part for part in SEPARATORS.split(text) if part]
    rng.shuffle(parts)
    link = lambda: [", ", " and ", " with ", ", "][rng.integers(4)]
    return "".join(part if k == 0 else link() + part for k, part in enumerate(parts))

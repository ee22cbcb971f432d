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


def labels(rows, attributes):
    """(N, attributes) indices of the rows' attribute values, -1 where unknown."""
    index = [(name, {v: k for k, v in enumerate(values)}) for name, values in attributes.items()]
    table = [[places.get(str(row["attributes"].get(name, "")), -1) for name, places in index] for row in rows]
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

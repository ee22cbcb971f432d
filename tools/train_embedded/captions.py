"""Turns a row of the dataset into the sentence that one training step sees."""

from pathlib import Path

WORDS = Path(__file__).with_name("words.txt")

# Ways to begin a description that say nothing about the head.
OPENINGS = ["a photo of", "a portrait of", "a picture of", "a render of", "a 3d render of", "a close-up of", "the head of", "a photo of the head of", "a detailed portrait of"]

# The words of the crate's `ViewRegion`.
VIEWS = ["front", "side", "back"]


def word_lists():
    """The vocabulary's word list: (words about heads, neutral words)."""
    lists = {}
    section = None
    for line in WORDS.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("#"):
            section = lists.setdefault(line.split()[1], [])
        elif line:
            section.extend(line.split())
    return lists["head"], lists["neutral"]


class Captioner:
    """Draws a caption: one of a row's wordings, often with view words, sometimes with words to be ignored.

    The last wording of a row mentions everything; completed prompts look like it, so it comes oftener than the others.
    """

    def __init__(self, view_words=0.85, filler=0.12, dropout=0.1, full=0.35):
        self.view_words, self.filler, self.dropout, self.full = view_words, filler, dropout, full
        self.neutral = word_lists()[1]

    def training(self, row, rng):
        if rng.random() < self.dropout:
            return ""
        return self.sentence(row, rng, self.filler)

    def sentence(self, row, rng, filler=0.0):
        captions = row["captions"]
        text = captions[-1] if rng.random() < self.full else captions[rng.integers(len(captions))]
        if rng.random() < filler:
            text = self.with_filler(text, rng)
        if rng.random() < self.view_words:
            # People who are not drawn are not seen from anywhere.
            view = row.get("view_words") or f"{VIEWS[rng.integers(len(VIEWS))]} view of head"
            text = f"{text}, {view}"
        return text

    def instruction(self, row, rng):
        """What changed the row's person; view words are rare, people do not write them."""
        if rng.random() < self.dropout:
            return ""
        text = row["instruction"]
        return f"{text}, {row['view_words']}" if rng.random() < 0.3 else text

    def with_filler(self, text, rng):
        """Unknown words must not break a prompt, so some captions carry words that mean nothing here."""
        if rng.random() < 0.4:
            return f"{OPENINGS[rng.integers(len(OPENINGS))]} {text}"
        words = text.split()
        for _ in range(rng.integers(1, 3)):
            word = self.neutral[rng.integers(len(self.neutral))]
            if rng.random() < 0.3:  # letters in another order: pieces of words that no list knows
                word = "".join(rng.permutation(list(word)))
            words.insert(0 if rng.random() < 0.5 else len(words), word)
        return " ".join(words)

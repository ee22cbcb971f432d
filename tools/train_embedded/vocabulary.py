"""Builds the CLIP byte-pair tokenizer of the embedded model from its word list and the captions.

Same conventions as the tokenizer of Stable Diffusion 1.x: lower case, byte-level symbols, `</w>` ends a word,
`<|startoftext|>` and `<|endoftext|>` frame the sentence, `<|endoftext|>` also pads. Merging goes on until every word of
the corpus is a single token; anything else falls apart into pieces, at worst bytes.
"""

import argparse
import itertools
import json
import re
from collections import Counter
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

import sentences
from captions import OPENINGS, word_lists

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_LENGTH = 64
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
LIMIT = 2500


def byte_symbols():
    """The printable characters that stand for the 256 bytes, in GPT-2's order."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("\u00a1"), ord("\u00ac") + 1), *range(ord("\u00ae"), ord("\u00ff") + 1)]
    symbols = [chr(b) for b in plain]
    return symbols + [chr(256 + k) for k in range(256 - len(plain))]


def train(texts, lists=True):
    """Returns (vocabulary, merges) for an iterable of sentences plus, if asked, the word list."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PATTERN), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    head, neutral = word_lists() if lists else ([], [])
    counts = {}
    for sentence in itertools.chain(texts, OPENINGS if lists else []):
        for word in re.findall(r"[a-z]+", sentence.lower()):
            counts[word] = counts.get(word, 0) + 1
    for words, floor in ((head, 8), (neutral, 4)):
        for entry in words:
            for word in re.findall(r"[a-z]+", entry.lower()):
                counts[word] = max(counts.get(word, 0), floor)
    # A word's weight grows slowly with its count, so that rare words become tokens too; a stray word does not.
    corpus = (word for word in sorted(counts) if counts[word] >= 3 for _ in range(min(counts[word], 64)))
    trainer = trainers.BpeTrainer(vocab_size=8000, min_frequency=3, end_of_word_suffix="</w>", show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in json.loads(tokenizer.to_str())["model"]["merges"]]
    symbols = byte_symbols()
    tokens = symbols + [s + "</w>" for s in symbols] + [a + b for a, b in merges] + [START, END]
    vocabulary = {}
    for token in tokens:
        vocabulary.setdefault(token, len(vocabulary))
    if len(vocabulary) > LIMIT:
        raise ValueError(f"the vocabulary has {len(vocabulary)} entries, more than {LIMIT}: shorten words.txt")
    return vocabulary, merges


def write(folder, vocabulary, merges):
    """Writes the four files that transformers and the crate read."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    config = {
        "add_prefix_space": False,
        "bos_token": START,
        "do_lower_case": True,
        "eos_token": END,
        "errors": "replace",
        "model_max_length": MAX_LENGTH,
        "pad_token": END,
        "tokenizer_class": "CLIPTokenizer",
        "unk_token": END,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n", encoding="utf-8")


class Words:
    """Fast sentence -> ids of fixed length, through transformers' CLIPTokenizer on the exported files."""

    def __init__(self, folder):
        from transformers import CLIPTokenizer

        self.tokenizer = CLIPTokenizer.from_pretrained(str(folder))
        self.length = self.tokenizer.model_max_length

    def __len__(self):
        return len(self.tokenizer)

    def __call__(self, texts):
        import torch

        encoded = self.tokenizer(list(texts), padding="max_length", truncation=True, max_length=self.length)
        return torch.tensor(encoded["input_ids"])


def captions_of(data):
    """Every caption, instruction and view word of the shards and the sentences in a folder."""
    for path in sorted(Path(data).glob("shard_*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue  # the last line of a file that is being written
            yield from row["captions"]
            yield row["view_words"]
            if "instruction" in row:
                yield row["instruction"]
    for row in sentences.read(data):
        yield from row["captions"]


def ensure(folder, data):
    """Makes the tokenizer of a run from the sentences at hand, unless it has one."""
    if not (Path(folder) / "vocab.json").exists():
        write(folder, *train(captions_of(data)))
    words = Path(folder).parent / "words.txt"
    if not words.exists():
        words.write_text("".join(f"{word}\n" for word in taught(captions_of(data))), encoding="utf-8")


def taught(texts, least=20):
    """The words that occur often enough to have been learned, in alphabetical order."""
    counts = Counter(word for text in texts for word in re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower()))
    return sorted(word for word, count in counts.items() if count >= least)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="folder with shards")
    parser.add_argument("--out", required=True, help="tokenizer folder to write")
    options = parser.parse_args()
    vocabulary, merges = train(captions_of(options.data))
    write(options.out, vocabulary, merges)
    print(f"{len(vocabulary)} tokens, {len(merges)} merges")

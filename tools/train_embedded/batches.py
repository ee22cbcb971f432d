"""What training steps see: rows of the data set with a sentence each, some of them as edits of another picture."""

import os

import numpy as np
import torch

from dataset import flip, gather
from sentences import labels

# Of the rows that are edits: instructions, descriptions of what comes out; the rest stay as they are.
INSTRUCTED, DESCRIBED = 0.6, 0.2


def labels_of(shard, attributes):
    """(N, attributes) indices of a shard's attribute values, -1 where unknown; kept on the shard."""
    if not hasattr(shard, "labels"):
        shard.labels = labels(shard.rows, attributes)
    return shard.labels


class Plans:
    """Which rows and sentences a step sees: a function of (seed, rank, number of the step)."""

    def __init__(self, shards, words, captioner, options, rank):
        self.shards, self.words, self.captioner, self.options, self.rank = shards, words, captioner, options, rank

    def __call__(self, number):
        """rows (B), references (R) whose pictures the first R rows are edits of, tokens (B,L), told (B): describes all."""
        rng = np.random.default_rng([self.options.seed, self.rank, number])
        size = self.options.batch
        edited = self.shards.draw_edited(rng, int(round(self.options.edits * size)))
        rows = np.concatenate([edited, self.shards.draw(rng, size - len(edited))])
        pairs, references = self.shards.pairs(rows), []
        sentences, told = [], np.ones(size, bool)
        for k, (shard, i) in enumerate(pairs):
            if k >= len(edited):
                sentences.append(self.captioner.training(shard.rows[i], rng))
                continue
            before = rows[k] - i + int(shard.before[i])
            references.append(before)
            kind = rng.random()
            if kind < INSTRUCTED:
                sentences.append(self.captioner.instruction(shard.rows[i], rng))
                told[k] = False
            elif kind < INSTRUCTED + DESCRIBED:
                sentences.append(self.captioner.training(shard.rows[i], rng))
            else:
                rows[k] = before
                sentences.append(self.captioner.training(shard.rows[int(shard.before[i])], rng))
        return {
            "rows": torch.from_numpy(rows),
            "references": torch.tensor(references, dtype=torch.int64),
            "tokens": self.words(sentences),
            "told": torch.from_numpy(told),
            "mirrored": torch.from_numpy(rng.random(size) < 0.5),
            "noise_seed": int(rng.integers(1 << 62)),
        }


class Endless(torch.utils.data.IterableDataset):
    """The plans from a number on, shared out among processes."""

    def __init__(self, plans, start):
        self.plans, self.start = plans, start

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        number = self.start + first
        while True:
            yield self.plans(number)
            number += step


class OnDisk:
    """The rows' pictures and labels, read from the shards as they are asked for."""

    def __init__(self, shards, attributes):
        self.shards, self.attributes = shards, attributes

    def pictures(self, rows):
        image, control = gather(self.shards.pairs(rows.numpy()))
        return torch.from_numpy(image), torch.from_numpy(control)

    def targets(self, rows):
        """colours (B,R,3), visible (B,R), labels (B,A)."""
        pairs = self.shards.pairs(rows.numpy())
        stack = lambda parts: torch.from_numpy(np.stack(list(parts)))
        return stack(s.colours[i] for s, i in pairs), stack(s.visible[i] for s, i in pairs), stack(labels_of(s, self.attributes)[i] for s, i in pairs)


class Resident:
    """All pictures and labels in a GPU's memory."""

    def __init__(self, shards, attributes, device):
        self.device = device
        training = list(shards.training)
        put = lambda arrays: self.stack(arrays, sum(map(len, training)))
        self.image, self.control = put([s.image for s in training]), put([s.control for s in training])
        self.colours, self.visible = put([s.colours for s in training]), put([s.visible for s in training])
        self.labels = put([labels_of(s, attributes) for s in training])

    def stack(self, arrays, count):
        first = torch.from_numpy(np.array(arrays[0][:1]))
        whole = torch.empty((count, *first.shape[1:]), dtype=first.dtype, device=self.device)
        at = 0
        for array in arrays:
            whole[at : at + len(array)] = torch.from_numpy(np.array(array)).to(self.device)
            at += len(array)
        return whole

    def pictures(self, rows):
        rows = rows.to(self.device)
        return self.image[rows], self.control[rows]

    def targets(self, rows):
        rows = rows.to(self.device)
        return self.colours[rows], self.visible[rows], self.labels[rows]


class Batches:
    """Training batches on the device. For a GPU, processes draw ahead and the pictures lie in its memory."""

    def __init__(self, plans, attributes, device, start):
        self.plans, self.device, self.number, self.stream = plans, device, start, None
        if device.startswith("cuda"):
            os.environ["TOKENIZERS_PARALLELISM"] = "false"
            self.source = Resident(plans.shards, attributes, device)
            workers = max(1, min(8, (os.cpu_count() or 2) - 2))
            self.stream = iter(torch.utils.data.DataLoader(Endless(plans, start), batch_size=None, num_workers=workers, prefetch_factor=8, multiprocessing_context="fork"))
        else:
            self.source = OnDisk(plans.shards, attributes)

    def next(self):
        plan = next(self.stream) if self.stream is not None else self.plans(self.number)
        self.number += 1
        image, control = self.source.pictures(plan["rows"])
        which = plan["mirrored"].to(image.device)
        image, control = flip(image, control, which)
        reference = image[:0]
        if count := len(plan["references"]):
            reference = flip(self.source.pictures(plan["references"])[0], control[:count], which[:count])[0]
        colours, visible, table = self.source.targets(plan["rows"])
        # An instruction says little of the whole.
        told = plan["told"].to(visible.device)
        visible, table = visible * told[:, None], torch.where(told[:, None], table, -1)
        batch = {"image": image, "control": control, "reference": reference, "tokens": plan["tokens"], "colours": colours, "visible": visible, "labels": table}
        return {k: v.to(self.device, non_blocking=True) for k, v in batch.items()} | {"noise_seed": plan["noise_seed"]}

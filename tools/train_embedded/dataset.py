"""Reads the shards that the studio writes.

A shard is `shard_NNNNN.safetensors` with `image` u8 (N,H,W,3), `control` u8 (N,16,h,w) in the order of the crate's
`DENSE_CHANNELS`, `view` f32 (N,4) = azimuth, elevation (degrees), radius, vertical field of view (degrees), `flat` u8 (N),
`mean` u8 (N), 1 where the control shows the mean head, and `before` i32 (N): the row that shows the same view before an
edit, or -1; next to it `shard_NNNNN.jsonl` with one object a row: `head`, `captions` (several wordings), `view_words`,
`attributes`, and `instruction` if the row shows the person after an edit.

Arrays are mapped, not copied: all workers of one machine share the page cache. A folder may grow while it is read;
a shard counts once both of its files are complete. The last heads of the first shard are held out: whole heads, so that
no head is on both sides.
"""

import json
import struct
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

DTYPES = {"U8": np.uint8, "F32": np.float32, "I64": np.int64, "I32": np.int32, "F16": np.float16}

# Channels of the dense control image.
SILHOUETTE, SHADE = 6, 7
SCALP, BROWS, EYES, NOSE, LIPS, JAW, EARS = 9, 10, 11, 12, 13, 14, 15
CONTROL_CHANNELS = 16
MASKS = ["all", "inside", "outside", "scalp", "brows", "eyes", "nose", "lips", "jaw", "ears"]
REGION_AREA = 0.004  # a region smaller than this share of the picture says nothing about its colour


def open_safetensors(path):
    """Maps every tensor of a file; raises ValueError while the file is still being written."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(8)
        if len(head) < 8:
            raise ValueError(f"{path.name}: no header yet")
        length = struct.unpack("<Q", head)[0]
        if length > min(size, 1 << 20):
            raise ValueError(f"{path.name}: header of {length} bytes")
        entries = json.loads(file.read(length))
    tensors = {}
    for name, entry in entries.items():
        if name == "__metadata__":
            continue
        start, stop = entry["data_offsets"]
        if 8 + length + stop > size:
            raise ValueError(f"{path.name}: tensor {name} ends after the file")
        tensors[name] = np.memmap(path, DTYPES[entry["dtype"]], "r", 8 + length + start, tuple(entry["shape"]))
    return tensors


def region_masks(control):
    """(..., 16, H, W) in [0,1] -> (..., 10, H, W), the order of MASKS. Works on arrays and tensors alike."""
    inside = control[..., SILHOUETTE : SILHOUETTE + 1, :, :]
    parts = [inside * 0 + 1, inside, 1 - inside, control[..., SCALP : EARS + 1, :, :]]
    if isinstance(control, np.ndarray):
        return np.concatenate(parts, -3)
    return torch.cat(parts, -3)


def reduce_to(image, side):
    """(N,H,W,3) -> (N,side,side,3): means of blocks."""
    count, height, width, colours = image.shape
    if width == side:
        return image
    block = width // side
    return image.reshape(count, side, block, side, block, colours).mean((2, 4))


def colours_of(path):
    """`region_colours` of a whole shard, in pieces that fit into a processor's cache."""
    arrays = open_safetensors(path)
    image, control = arrays["image"], arrays["control"]
    pieces = [region_colours(image[i : i + 64], control[i : i + 64]) for i in range(0, len(image), 64)]
    return tuple(np.concatenate(part) for part in zip(*pieces))


def colours_if_complete(path):
    """`colours_of` a shard, or None while it is still being written."""
    try:
        return colours_of(path)
    except (ValueError, OSError, KeyError):
        return None


def region_colours(image, control):
    """Mean colour of each region without light, and whether it is large enough to count.

    image (N,H,W,3), a multiple of the control's size, and control (N,16,h,w), u8 -> colours (N,10,3), about [0,1], and counts (N,10) in {0,1}. Light is divided
    out by the control's shade. "Inside" means what no smaller region covers; "outside" means what differs from the
    background beyond the silhouette: hair, hats, beards.
    """
    image = reduce_to(image.astype(np.float32) / 255, control.shape[-1])
    full, control = control, np.zeros(control.shape[:1] + (CONTROL_CHANNELS,) + control.shape[2:], np.float32)
    control[:, SILHOUETTE:] = full[:, SILHOUETTE:].astype(np.float32) / 255
    masks = region_masks(control)
    masks[:, 1] *= 1 - np.minimum(masks[:, 3:].max(1), 1)
    # The control's background is grey, the picture's may be tinted: the upper corners show it.
    corners = np.concatenate([image[:, :3, :3], image[:, :3, -3:]], 2)
    background = np.median(corners.reshape(len(image), -1, 3), 1)
    drawn = np.abs(image - background[:, None, None]).max(-1) > 0.08
    masks[:, 2] *= drawn
    rows, regions = masks.shape[:2]
    masks = masks.reshape(rows, regions, -1)
    light = np.where(control[:, SILHOUETTE] > 0.5, control[:, SHADE], 1).reshape(rows, -1, 1)
    area = masks.sum(2)
    lit = (masks @ light)[..., 0]
    colours = masks @ image.reshape(rows, -1, 3) / np.maximum(lit, 1e-6)[..., None]
    visible = (area / masks.shape[2] > REGION_AREA) & (lit > 0.3 * area)
    visible[:, 0] = False  # the whole picture is mostly background
    return np.clip(colours, 0, 1.2).astype(np.float32), visible.astype(np.float32)


class Shard:
    """The rows of one complete shard, or some of them: mapped arrays, parsed rows, region colours.

    colours: what `colours_of` says, if it is known; (None, None) for readers that need none.
    """

    def __init__(self, path, colours=None):
        arrays = open_safetensors(path)
        self.path = path
        self.image, self.control = arrays["image"], arrays["control"]
        self.view = np.array(arrays["view"])
        self.flat = np.array(arrays["flat"])
        self.mean = np.array(arrays["mean"]) if "mean" in arrays else np.zeros(len(self.flat), np.uint8)
        self.before = np.array(arrays["before"]) if "before" in arrays else np.full(len(self.flat), -1, np.int32)
        with open(path.with_suffix(".jsonl"), encoding="utf-8") as file:
            self.rows = [json.loads(line) for line in file if line.strip()]
        if not (len(self.rows) == len(self.image) == len(self.control) == len(self.view)):
            raise ValueError(f"{path.name}: {len(self.rows)} captions for {len(self.image)} images")
        self.colours, self.visible = colours or colours_of(path)

    def __len__(self):
        return len(self.rows)

    def part(self, start, stop):
        """The rows of whole heads from `start` to `stop`, as another shard over the same maps."""
        other = copy(self)
        for name in ("image", "control", "view", "flat", "mean", "before", "rows", "colours", "visible"):
            setattr(other, name, getattr(self, name)[start:stop])
        other.before = np.where(other.before >= 0, other.before - start, -1)
        return other

    def heads(self):
        """A number a row that changes from head to head."""
        return np.array([row["head"] for row in self.rows])


class Shards:
    """A growing folder of shards; `held_out` heads at the end of the first one are kept for validation."""

    def __init__(self, folder, held_out=40, processes=1):
        self.folder, self.held_out, self.processes = Path(folder), held_out, processes
        self.training, self.validation, self.known, self.pending = [], [], {}, {}
        self.edited = np.zeros(0, np.int64)
        self.rescan()

    def rescan(self):
        """Adds shards that are complete by now, reloads those that were replaced; returns how many.

        The first shard in order is always read first: which heads are held out must not depend on the moment.
        """
        added = 0
        found = [(path, path.stat().st_mtime_ns) for path in sorted(self.folder.glob("shard_*.safetensors"))]
        found = [(path, stamp) for path, stamp in found if self.known.get(path.name) != stamp]
        colours = {}
        if self.processes > 1:
            with ProcessPoolExecutor(self.processes, get_context("spawn")) as pool:
                colours = dict(zip((path for path, _ in found), pool.map(colours_if_complete, (path for path, _ in found))))
        for path, stamp in found:
            try:
                shard = Shard(path, colours.get(path))
            except (ValueError, OSError, KeyError) as error:
                self.pending[path.name] = str(error)
                if not self.validation:
                    break
                continue
            self.pending.pop(path.name, None)
            self.known[path.name] = stamp
            if not self.validation or self.validation[0].path == path:
                names, first = np.unique(shard.heads(), return_index=True)
                cut = int(np.sort(first)[-min(self.held_out, len(names) // 2)])
                self.validation = [shard.part(cut, len(shard))]
                shard = shard.part(0, cut)
            self.training = [s for s in self.training if s.path != path] + [shard]
            added += 1
        if added:
            starts = np.cumsum([0, *(len(s) for s in self.training)])
            self.edited = np.concatenate([start + np.flatnonzero(s.before >= 0) for start, s in zip(starts, self.training)])
        return added

    @property
    def shards(self):
        return self.validation + self.training

    def count(self):
        return sum(len(s) for s in self.training)

    def draw(self, rng, size):
        """`size` random training rows, every image equally likely. Rows count through all training shards in order."""
        return rng.integers(0, self.count(), size)

    def draw_edited(self, rng, size):
        """`size` random training rows that show a person after an edit; none if there are none."""
        return self.edited[rng.integers(0, len(self.edited), size)] if len(self.edited) else self.edited

    def pairs(self, rows):
        """Training rows as (shard, index in it) pairs."""
        training = list(self.training)
        ends = np.cumsum([len(s) for s in training])
        where = np.searchsorted(ends, rows, side="right")
        return [(training[w], int(row - (ends[w] - len(training[w])))) for w, row in zip(where, rows)]


def gather(pairs):
    """Stacks (shard, index) pairs: image (B,H,W,3) u8, control (B,16,h,w) u8."""
    return np.stack([s.image[i] for s, i in pairs]), np.stack([s.control[i] for s, i in pairs])


def flip(image, control, which):
    """Mirrors the rows of two tensors chosen by a boolean one: x of normals and of canonical positions change sign."""
    image, control = torch.where(which[:, None, None, None], image.flip(2), image), torch.where(which[:, None, None, None], control.flip(3), control)
    signed = torch.zeros(CONTROL_CHANNELS, dtype=torch.bool, device=control.device)
    signed[[0, 3]] = True
    return image, torch.where((which[:, None] & signed)[:, :, None, None], 255 - control, control)


def evenly(shards, count):
    """`count` (shard, index) pairs spread over the given shards."""
    pairs = [(s, i) for s in shards for i in range(len(s))]
    return [pairs[int(k)] for k in np.linspace(0, len(pairs) - 1, min(count, len(pairs)))]

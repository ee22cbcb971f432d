"""Seven joints that follow identity, and skin weights folded from the default rig's 163 bones."""

import numpy as np

from mpfb import VERTICES

JOINTS = ["root", "neck1", "neck2", "head", "jaw", "eye_L", "eye_R"]
PARENTS = [-1, 0, 1, 2, 3, 3, 3]
HEAD = 3

# Base-mesh vertices whose mean is the joint: cubes of eight helper vertices, or two skin vertices.
ANCHORS = [
    range(14534, 14542),  # root: below the neck's first joint, see `joints`
    range(14534, 14542),
    [226, 17824],
    range(14070, 14078),
    range(14590, 14598),
    range(13606, 13614),
    range(13614, 13622),
]
ROOT_DROP = 0.5  # dm from the neck's first joint down to the root


def joints(vertices):
    """(7, 3) joint positions of a (19158, 3) vertex array."""
    places = np.array([vertices[list(anchor)].mean(0) for anchor in ANCHORS])
    places[0, 1] -= ROOT_DROP
    places[:5, 0] = 0  # the middle of the body; one anchor pair is off by a hair
    return places


def joint_offsets(target):
    """How a morph target moves the joints."""
    moved = np.array([target[list(anchor)].mean(0) for anchor in ANCHORS])
    return moved


def skin_weights(source, mix):
    """(kept vertices, 7), rows sum to 1."""
    rig = source.json("rigs/standard/rig.default.json")
    bones = source.json("rigs/standard/weights.default.json")
    assert bones["license"] == "CC0"
    direct = {"neck01": 1, "neck02": 1, "neck03": 2, "head": 3, "jaw": 4, "eye.L": 5, "eye.R": 6}

    def joint_of(bone):
        while bone:
            if bone in direct:
                return direct[bone]
            bone = rig[bone]["parent"]
        return 0

    dense = np.zeros((VERTICES, len(JOINTS)))
    for bone, pairs in bones["weights"].items():
        column = joint_of(bone)
        for vertex, weight in pairs:
            dense[int(vertex), column] += weight
    dense = mix @ dense
    return dense / dense.sum(1, keepdims=True)

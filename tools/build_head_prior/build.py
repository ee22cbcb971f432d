"""Builds assets/head/head.safetensors from the CC0 MakeHuman / MPFB2 data. See README.md.

usage: python build.py DATA OUT      DATA holds mpfb2/ and faceunits01/
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

import atlas
import bust as bust_module
import landmarks
import morphs as morph_module
import regions
import skeleton
from mpfb import Source

SMALLEST_OFFSET = 2e-4  # dm: 20 micrometres; smaller morph offsets are dropped

LICENCES = {
    "data": "CC0-1.0: MakeHuman / MPFB2 base mesh, targets, rig, weights, textures; face units by Mika Suominen (CC0-1.0)",
    "mediapipe468": "landmark topology of the MediaPipe canonical face model, Apache-2.0",
}


def mean_weights(names):
    """Macro weights of the default head: equal ethnicities, middle gender, a young adult, average build."""
    rows = []
    for name in names:
        cells = name.split("-")
        if cells[0] == "universal":
            average = cells[3:] == ["averagemuscle", "averageweight"]
            rows.append(0.5 if cells[2] == "young" and average else 0.0)
        else:
            rows.append(0.5 / 3 if cells[2] == "young" else 0.0)
    return np.array(rows)


def pack(morphs):
    """Sparse targets: for each a scale, vertex numbers (u16) and offsets (i16 x 3)."""
    offsets, index, values, scales, worst = [0], [], [], [], 0.0
    for morph in morphs:
        moved = np.flatnonzero(np.abs(morph.vertices).max(1) > SMALLEST_OFFSET)
        scale = np.float32(np.abs(morph.vertices).max() / 32767)
        quantised = np.round(morph.vertices[moved] / scale).astype(np.int16)
        worst = max(worst, np.abs(quantised * scale - morph.vertices[moved]).max())
        index.append(moved.astype(np.uint16))
        values.append(quantised)
        scales.append(scale)
        offsets.append(offsets[-1] + len(moved))
    print(f"{len(morphs)} targets, {offsets[-1]} sparse offsets, quantisation error {worst * 1e5:.2f} um")
    return {
        "target_offsets": np.array(offsets, np.uint32),
        "target_vertices": np.concatenate(index),
        "target_deltas": np.concatenate(values),
        "target_scales": np.array(scales, np.float32),
        "target_joints": np.stack([m.joints for m in morphs]).astype(np.float32),
    }


def main(data, out):
    source = Source(data)
    base = source.base_mesh()
    bust = bust_module.cut(source)
    origin = skeleton.joints(base.vertices)[skeleton.HEAD]
    vertices = bust.mix @ base.vertices - origin
    flip = np.array([-1.0, 1.0, 1.0])
    print(f"base mesh is symmetric to {np.abs(vertices[bust.mirror] * flip - vertices).max():.2e} dm")
    vertices = (vertices + vertices[bust.mirror] * flip) / 2
    joints = skeleton.joints(base.vertices) - origin
    joints = (joints + joints[[0, 1, 2, 3, 4, 6, 5]] * flip) / 2

    morphs = morph_module.collect(source, bust)
    macros = [m for m in morphs if m.kind == "macro"]
    weights = mean_weights([m.name for m in macros])
    mean = vertices + sum(w * m.vertices for w, m in zip(weights, macros) if w > 0)
    sliders = morph_module.sliders(source, morphs)

    hidden = regions.island_share(bust, mean, "mouth") + regions.island_share(bust, mean, "socket_left")
    hidden = (hidden + regions.island_share(bust, mean, "socket_right")) > 0.99
    tables = landmarks.place(bust, mean, hidden)
    ibug = (mean[tables[0][0]] * tables[0][1][..., None]).sum(1)
    mask = regions.masks(source, bust, mean, ibug)

    skin = mean[bust.part == 0]
    crown, chin = skin[:, 1].max(), ibug[8, 1]
    head = skin[skin[:, 1] > chin]
    centre = [0.0, (crown + chin) / 2, (head[:, 2].min() + head[:, 2].max()) / 2]
    units_per_dm = 0.70 / (crown - chin)

    skin_weights = skeleton.skin_weights(source, bust.mix)
    skin_weights = (skin_weights + skin_weights[bust.mirror][:, [0, 1, 2, 3, 4, 6, 5]]) / 2
    tensors = {
        "vertices": vertices.astype(np.float32),
        "joints": joints.astype(np.float32),
        "quads": bust.quads.astype(np.uint16),
        "uv_quads": bust.uv_quads.astype(np.uint16),
        "uvs": atlas.repack(bust, mean).astype(np.float32),
        "quad_part": bust.quad_part.astype(np.uint8),
        "mirror": bust.mirror.astype(np.uint16),
        "skin_weights": np.round(skin_weights * 255).astype(np.uint8),
        "regions": np.round(mask * 255).astype(np.uint8),
        "quad_zone": regions.zones(bust, mean).astype(np.uint8),
        "ibug68_vertices": tables[0][0].astype(np.uint16),
        "ibug68_weights": tables[0][1].astype(np.float32),
        "mediapipe468_vertices": tables[1][0].astype(np.uint16),
        "mediapipe468_weights": tables[1][1].astype(np.float32),
        **pack(morphs),
    }
    header = {
        "version": 1,
        "units": "decimetres from the head joint; +y up, +z out of the face, +x the subject's left",
        "parts": bust_module.PARTS,
        "joints": skeleton.JOINTS,
        "joint_parents": skeleton.PARENTS,
        "regions": regions.REGIONS,
        "zones": regions.ZONES,
        "targets": [{"kind": m.kind, "name": m.name, "section": m.section} for m in morphs],
        "sliders": sliders,
        "centre_dm": [round(float(c), 7) for c in centre],
        "units_per_dm": round(float(units_per_dm), 7),
        "licences": LICENCES,
    }
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, out,
              metadata={"head": json.dumps(header, separators=(",", ":"))})
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB; {len(vertices)} vertices, {len(bust.quads)} quads, "
          f"{len(sliders)} sliders, centre {header['centre_dm']} dm, {units_per_dm:.5f} units a dm")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])

"""Cuts the bust out of the body: which quads stay, and each kept vertex as a fixed mix of two old ones.

The cut is a super-ellipse in the front view. Quads that straddle it stay; their outer vertices slide along
an edge onto the curve, so the rim is smooth. Because a slid vertex is a fixed linear mix of two base
vertices, the same matrix carries positions, morph targets and skin weights.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from mpfb import VERTICES

PARTS = ["skin", "eye_left", "eye_right", "lash_left", "lash_right", "teeth_upper", "teeth_lower", "tongue", "hair_helper"]
GROUPS = ["body", "helper-l-eye", "helper-r-eye", "helper-l-eyelashes", "helper-r-eyelashes",
          "helper-upper-teeth", "helper-lower-teeth", "helper-tongue", "helper-hair"]

HALF_WIDTH = 1.50  # dm
SHOULDER_TOP = 6.15  # dm above the base mesh's origin; below it the curve closes
DEPTH = 1.52  # dm from there to the lowest point


@dataclass
class Bust:
    old: np.ndarray  # kept base-mesh vertex ids
    mix: csr_matrix  # (kept, 19158)
    quads: np.ndarray
    uv_quads: np.ndarray
    uvs: np.ndarray
    quad_part: np.ndarray
    part: np.ndarray  # per vertex
    mirror: np.ndarray
    new: np.ndarray  # base-mesh id -> kept id or -1


def curve(points):
    """Positive inside the bust."""
    down = np.clip(SHOULDER_TOP - points[..., 1], 0, None) / DEPTH
    return 1 - (np.abs(points[..., 0]) / HALF_WIDTH) ** 4 - down**4


def components(edges, count):
    ones = np.ones(len(edges))
    return connected_components(coo_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(count, count)), directed=False)


def edges_of(quads):
    return np.stack([quads, np.roll(quads, -1, axis=1)], -1).reshape(-1, 2)


def crossing(outside, inside):
    """Fraction of the way from outside to inside at which the curve is met."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if curve(outside + middle * (inside - outside)) > 0:
            high = middle
        else:
            low = middle
    return min(high, 0.95)


def cut(source):
    mesh = source.base_mesh()
    mirror = source.mirror()
    part_of = np.full(VERTICES, -1)
    for number, group in enumerate(GROUPS):
        first, last = source.group_ranges()[group]
        part_of[first : last + 1] = number
    points = mesh.vertices
    inside = (part_of == 0) & (curve(points) > 0) & (points[:, 1] > 4.0) & (np.abs(points[:, 0]) < 1.6)

    quad_part = part_of[mesh.quads[:, 0]]
    keep = np.where(quad_part == 0, inside[mesh.quads].any(1), quad_part > 0)
    # Hands hang inside the curve's range too: keep only the piece that holds most vertices.
    _, label = components(edges_of(mesh.quads[keep & (quad_part == 0)]), VERTICES)
    body = mesh.quads[keep & (quad_part == 0)]
    main = np.bincount(label[body.ravel()]).argmax()
    keep &= (quad_part != 0) | (label[mesh.quads[:, 0]] == main)
    quads, uv_quads, quad_part = mesh.quads[keep], mesh.uv_quads[keep], quad_part[keep]

    # Candidates for every outer vertex: prefer edges over diagonals, then the shortest slide. The choice is
    # made on the left half and mirrored, or ties would be broken differently on the two sides.
    best = {}
    for quad in quads[quad_part == 0]:
        for k, outer in enumerate(quad):
            if inside[outer]:
                continue
            for step, penalty in ((1, 0), (3, 0), (2, 10)):
                inner = quad[(k + step) % 4]
                if not inside[inner]:
                    continue
                t = crossing(points[outer], points[inner])
                rank = (penalty + round(t, 9), int(inner))
                if outer not in best or rank < best[outer][0]:
                    best[outer] = (rank, inner, t)
    slides = {}
    for outer, (_, inner, t) in best.items():
        if mirror[outer] == outer:  # the middle line stays in the middle
            slides[outer] = ((inner, t / 2), (mirror[inner], t / 2))
        elif points[outer, 0] > 0:
            slides[outer] = ((inner, t),)
            slides[mirror[outer]] = ((mirror[inner], t),)
    assert set(slides) == set(best), "the rim is not mirror symmetric"

    old = np.unique(quads)
    new = np.full(VERTICES, -1)
    new[old] = np.arange(len(old))
    rows, columns, values = list(range(len(old))), list(old), np.ones(len(old)).tolist()
    for outer, ends in slides.items():
        for inner, t in ends:
            values[new[outer]] -= t
            rows.append(new[outer])
            columns.append(inner)
            values.append(t)
    mix = csr_matrix((values, (rows, columns)), shape=(len(old), VERTICES))

    # Texture coordinates slide too, within the quad that holds both ends.
    uvs = mesh.uvs.copy()
    for quad, uv_quad in zip(quads, uv_quads):
        for k, outer in enumerate(quad):
            for inner, t in slides.get(outer, ()):
                at = np.flatnonzero(quad == inner)
                if len(at):
                    t = t * len(slides[outer])
                    uvs[uv_quad[k]] = (1 - t) * mesh.uvs[uv_quad[k]] + t * mesh.uvs[uv_quad[at[0]]]
    used = np.unique(uv_quads)
    renumber = np.full(len(mesh.uvs), -1)
    renumber[used] = np.arange(len(used))
    bust = Bust(old, mix, new[quads], renumber[uv_quads], uvs[used], quad_part, part_of[old], new[mirror[old]], new)
    match_diagonals(bust, (mix @ points)[:, 0])
    return bust


def match_diagonals(bust, x):
    """Rotates quads of the right half so that splitting along corners 0-2 is mirror symmetric."""
    where = {frozenset(q): i for i, q in enumerate(bust.quads.tolist())}
    for i, quad in enumerate(bust.quads.tolist()):
        image = bust.mirror[quad]
        j = where[frozenset(image.tolist())]
        if x[quad].mean() <= 0 or i == j:
            continue
        wanted = image[[0, 3, 2, 1]]
        turn = bust.quads[j].tolist().index(wanted[0])
        bust.quads[j] = np.roll(bust.quads[j], -turn)
        bust.uv_quads[j] = np.roll(bust.uv_quads[j], -turn)
        assert (bust.quads[j] == wanted).all(), "mirrored quads disagree"

"""Places the 68 iBUG and 468 MediaPipe landmarks on the bust's own triangles."""

import json
from pathlib import Path

import numpy as np

# Mirror image of each iBUG landmark.
IBUG_MIRROR = (list(range(16, -1, -1)) + list(range(26, 16, -1)) + [27, 28, 29, 30, 35, 34, 33, 32, 31]
               + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
               + [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65])


def triangles_of(quads):
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1).reshape(-1, 3)


def closest_on_triangles(point, a, b, c):
    """Barycentric coordinates (n, 3) of the closest point of each triangle, and squared distances."""
    ab, ac, ap = b - a, c - a, point - a
    d00, d01, d11 = (ab * ab).sum(1), (ab * ac).sum(1), (ac * ac).sum(1)
    d20, d21 = (ap * ab).sum(1), (ap * ac).sum(1)
    determinant = np.maximum(d00 * d11 - d01 * d01, 1e-30)
    v, w = (d11 * d20 - d01 * d21) / determinant, (d00 * d21 - d01 * d20) / determinant
    candidates = [np.stack([1 - v - w, v, w], 1)]
    candidates[0][(candidates[0] < 0).any(1)] = np.nan  # outside: an edge is closer
    for one, other in ((0, 1), (1, 2), (2, 0)):
        p, q = (a, b, c)[one], (a, b, c)[other]
        edge = q - p
        t = np.clip(((point - p) * edge).sum(1) / np.maximum((edge * edge).sum(1), 1e-30), 0, 1)
        row = np.zeros((len(a), 3))
        row[:, one], row[:, other] = 1 - t, t
        candidates.append(row)
    all_rows = np.stack(candidates)
    feet = all_rows[..., :1] * a + all_rows[..., 1:2] * b + all_rows[..., 2:] * c
    squared = ((feet - point) ** 2).sum(-1)
    squared = np.where(np.isnan(squared), np.inf, squared)
    pick = squared.argmin(0)
    lanes = np.arange(len(a))
    return all_rows[pick, lanes], squared[pick, lanes]


def place(bust, points, hidden):
    """Two tables (vertices (n, 3), weights (n, 3)) for the 68 and the 468 points.

    `hidden` marks vertices of the mouth cavity and the eye sockets, where no landmark may land. Pairs are
    computed on one side and mirrored, so that they are exactly symmetric.
    """
    seeds = json.loads((Path(__file__).parent / "landmarks.json").read_text())
    triangles = triangles_of(bust.quads[bust.quad_part == 0])
    triangles = triangles[~hidden[triangles].any(1)]
    a, b, c = (points[triangles[:, k]] for k in range(3))
    tables = []
    for name in ("ibug68", "mediapipe468"):
        targets = []
        for row in seeds[name]:
            ids = bust.new[[vertex for vertex, _ in row]]
            assert (ids >= 0).all()
            targets.append(sum(points[i] * w for i, (_, w) in zip(ids, row)))
        targets = np.array(targets)
        if name == "ibug68":
            image = np.array(IBUG_MIRROR)
        else:
            image = np.array([((targets - p * [-1, 1, 1]) ** 2).sum(1).argmin() for p in targets])
        assert (image[image] == np.arange(len(targets))).all(), "landmarks do not pair up"
        vertices, weights = np.zeros((len(targets), 3), int), np.zeros((len(targets), 3))
        worst = 0.0
        for i, point in enumerate(targets):
            if point[0] < -1e-6 and image[i] != i:
                continue
            if image[i] == i:
                point = point * [0, 1, 1]
            rows, squared = closest_on_triangles(point, a, b, c)
            best = squared.argmin()
            vertices[i], weights[i] = triangles[best], rows[best]
            vertices[image[i]], weights[image[i]] = (
                (bust.mirror[triangles[best]], rows[best]) if image[i] != i else (vertices[i], weights[i])
            )
            worst = max(worst, squared[best] ** 0.5)
        print(f"{name}: moved onto the surface by at most {worst:.4f} dm")
        tables.append((vertices, weights))
    return tables

"""Soft masks (0..1 a vertex) of the named regions, from painted textures and from places on the mean head.

Coordinates in the rules are decimetres from the head joint on the mean head.
"""

import numpy as np

from atlas import islands, named_islands

REGIONS = ["face", "scalp", "brows", "eyes", "nose", "lips", "inner_mouth", "jaw", "ears", "neck", "chest"]

ZONES = ["outer", "mouth", "socket_left", "socket_right"]


def ramp(low, high, x):
    """Smooth step from 0 at `low` to 1 at `high` (either may be the larger)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def painted(source, bust, name):
    """A texture's value at each skin vertex: bilinear, averaged over the vertex's uvs."""
    image = source.texture(name)
    h, w = image.shape
    x = np.clip(bust.uvs[:, 0] * w - 0.5, 0, w - 1.001)
    y = np.clip((1 - bust.uvs[:, 1]) * h - 0.5, 0, h - 1.001)
    i, j, fx, fy = x.astype(int), y.astype(int), x % 1, y % 1
    value = (image[j, i] * (1 - fx) + image[j, i + 1] * fx) * (1 - fy)
    value += (image[j + 1, i] * (1 - fx) + image[j + 1, i + 1] * fx) * fy
    total, count = np.zeros(len(bust.old)), np.zeros(len(bust.old))
    np.add.at(total, bust.quads.ravel(), value[bust.uv_quads.ravel()])
    np.add.at(count, bust.quads.ravel(), 1)
    return total / count * (bust.part == 0)


def island_share(bust, points, name):
    """The share of each vertex's quads that lie in a texture island: 1 inside, about 1/2 on its seam."""
    _, _, of_quad = islands(bust)
    member = (of_quad == named_islands(bust, points)[name]).astype(float)
    total, count = np.zeros(len(bust.old)), np.zeros(len(bust.old))
    np.add.at(total, bust.quads.ravel(), np.repeat(member, 4))
    np.add.at(count, bust.quads.ravel(), 1)
    return total / count


def zones(bust, points):
    """What each quad lines: 0 the outer skin and the other parts, or the number of a cavity in ZONES."""
    _, _, of_quad = islands(bust)
    known = named_islands(bust, points)
    return sum(number * (of_quad == known[name]) for number, name in enumerate(ZONES) if number)


def hair_edge(points):
    """Height of the hairline as a function of the direction around the head."""
    turn = np.degrees(np.abs(np.arctan2(points[:, 0], points[:, 2] - 0.25)))
    return np.interp(
        turn,
        [0, 20, 38, 52, 64, 76, 84, 92, 118, 132, 155, 180],
        [1.10, 1.12, 1.10, 0.88, 0.62, 0.30, 0.12, 0.42, 0.36, -0.02, -0.22, -0.26],
    )


def polyline_distance(points, line):
    """Distance in the xy plane to a polyline, and the place along it (0..1)."""
    best, along = np.full(len(points), 9.0), np.zeros(len(points))
    for k, (p, q) in enumerate(zip(line[:-1], line[1:])):
        t = np.clip(((points - p) @ (q - p)) / ((q - p) @ (q - p)), 0, 1)
        d = np.linalg.norm(points - p - t[:, None] * (q - p), axis=1)
        closer = d < best
        best[closer], along[closer] = d[closer], (k + t[closer]) / (len(line) - 1)
    return best, along


def masks(source, bust, points, ibug):
    """(11, kept) masks in the order of REGIONS; `ibug` are the 68 landmarks of the mean head."""
    part = bust.part
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    skin = part == 0
    lids = painted(source, bust, "mpfb_eyelids.jpg")
    ears = painted(source, bust, "mpfb_ears.jpg")
    lips = painted(source, bust, "mpfb_lips.jpg")
    front = painted(source, bust, "mpfb_face.jpg")
    mouth = island_share(bust, points, "mouth")
    sockets = island_share(bust, points, "socket_left") + island_share(bust, points, "socket_right")
    outer = skin * (1 - np.clip(mouth + sockets, 0, 1))

    m = {}
    m["inner_mouth"] = np.clip(mouth * skin + np.isin(part, [5, 6, 7]), 0, 1)
    m["eyes"] = np.clip(np.maximum(lids, sockets) * skin + np.isin(part, [1, 2, 3, 4]), 0, 1)
    m["lips"] = lips * (1 - m["inner_mouth"])
    m["ears"] = ears

    flat = np.stack([-x, y], 1)  # folded onto the subject's right
    distance, along = polyline_distance(flat, ibug[17:22, :2])
    half = 0.055 * np.interp(along, [0, 0.35, 0.8, 1], [0.35, 0.8, 1.0, 0.8])
    m["brows"] = ramp(half * 1.6, half * 0.8, distance) * (z > 0.4) * outer * (1 - lids)

    nasion, base, tip = ibug[27], ibug[33], ibug[30]
    width = np.interp(y, [base[1], tip[1], nasion[1]], [0.20, 0.20, 0.09])
    m["nose"] = (ramp(width + 0.04, width - 0.02, x) * ramp(base[1] - 0.06, base[1] + 0.0, y)
                 * ramp(nasion[1] + 0.08, nasion[1] - 0.02, y) * (z > 0.6) * outer)

    m["scalp"] = ramp(-0.06, 0.06, y - hair_edge(points)) * outer * (1 - ears)
    m["face"] = front * outer * (1 - m["scalp"])

    upper = np.interp(x, [0, 0.14, 0.26, 0.36, 0.48, 0.58, 0.66], [-0.10, -0.10, -0.20, -0.24, -0.16, 0.02, 0.28])
    lower = np.interp(z, [0.0, 0.3, 0.55, 0.9], [-0.42, -0.55, -0.74, -0.9])
    m["jaw"] = (ramp(-0.03, 0.05, upper - y) * ramp(-0.03, 0.08, y - lower) * ramp(0.12, 0.3, z)
                * (1 - m["nose"]) * (1 - lips) * (1 - ears) * outer)

    under = np.interp(z, [-0.7, -0.2, 0.3, 0.6, 0.95], [-0.28, -0.34, -0.50, -0.72, -0.86])
    collar = np.interp(z, [-0.7, -0.2, 0.4, 0.9], [-1.00, -1.10, -1.45, -1.55]) + 0.55 * np.clip(x - 0.45, 0, None)
    below = ramp(0.05, -0.05, y - under)
    torso = ramp(0.08, -0.08, y - collar)
    m["neck"] = below * (1 - torso) * outer * (1 - ears)
    m["chest"] = below * torso * outer
    stack = np.stack([m[name] for name in REGIONS])
    return np.clip((stack + stack[:, bust.mirror]) / 2, 0, 1)

"""Repacks the texture islands of the bust so that the head fills most of the atlas."""

import numpy as np

from bust import components, edges_of

MARGIN = 0.008


def islands(bust):
    """Island number of every uv, and of every quad."""
    count, label = components(edges_of(bust.uv_quads), len(bust.uvs))
    return count, label, label[bust.uv_quads[:, 0]]


def named_islands(bust, points):
    """Finds the islands by size and place: {'head', 'chest', 'mouth', 'socket_left', 'socket_right'}."""
    count, _, of_quad = islands(bust)
    sizes = [((bust.quad_part == 0) & (of_quad == i)).sum() for i in range(count)]
    order = np.argsort(sizes)[::-1]
    head, chest, mouth, one, two = (int(i) for i in order[:5])
    x = [points[bust.quads[of_quad == i]][..., 0].mean() for i in (one, two)]
    left, right = (one, two) if x[0] > x[1] else (two, one)
    return {"head": head, "chest": chest, "mouth": mouth, "socket_left": left, "socket_right": right}


def repack(bust, points):
    """New (n, 2) uvs in 0..1, v upwards, islands turned but never mirrored or sheared."""
    count, label, of_quad = islands(bust)
    known = named_islands(bust, points)
    new = np.zeros_like(bust.uvs)

    def place(island, x, y, width, turned=False):
        member = label == island
        uv = bust.uvs[member]
        if turned:  # a quarter turn clockwise puts the face upright
            uv = np.stack([uv[:, 1], -uv[:, 0]], 1)
        low = uv.min(0)
        scale = width / (uv[:, 0].max() - low[0])
        new[member] = (uv - low) * scale + [x, y]
        return (uv[:, 1].max() - low[1]) * scale

    height = place(known["head"], MARGIN, 0.0, 1 - 2 * MARGIN, turned=True)
    new[label == known["head"]] += [0, 1 - MARGIN - height]
    place(known["chest"], MARGIN, MARGIN, 0.60)

    widths = {1: 0.045, 2: 0.045, 3: 0.065, 4: 0.065, 5: 0.09, 6: 0.09, 7: 0.04, 8: 0.010}
    rest = [(known["mouth"], 0.17), (known["socket_left"], 0.075), (known["socket_right"], 0.075)]
    for island in range(count):
        if island not in known.values():
            part = bust.quad_part[of_quad == island][0]
            rest.append((island, 0.02 if part == 0 else widths[int(part)]))
    left, right, top = 0.60 + 2 * MARGIN, 1 - MARGIN, 1 - height - 2 * MARGIN
    x, y, shelf = left, MARGIN, 0.0
    for island, width in rest:
        if x + width > right:
            x, y, shelf = left, y + shelf + MARGIN, 0.0
        shelf = max(shelf, place(island, x, y, width))
        x += width + MARGIN
    assert y + shelf <= top, f"the small islands need {y + shelf:.3f} of {top:.3f}"
    assert new.min() >= 0 and new.max() <= 1
    return new

"""A plain PyTorch rasteriser on the CPU, timed on the same picture as `headsculpt bench --filter rasteriser`.

    python benches/raster_torch.py [--threads N]

One view of 512 x 512 pixels of a sphere of about 100,000 grey triangles, with interpolated normals and Lambertian light;
then the gradient of the picture to the vertices. Candidates are the pixels in each triangle's box, the nearest of a
pixel's wins by a scattered minimum, everything after it is autograd's. Unlike HeadSculpt's it has no antialiased
silhouettes, so that nothing moves an outline: it does less.
"""

import argparse
import math
import statistics
import time

import torch

SIZE, COLUMNS, ROWS, RUNS = 512, 224, 224, 5


def sphere():
    rows, columns = torch.meshgrid(torch.arange(1, ROWS), torch.arange(COLUMNS), indexing="ij")
    polar, around = math.pi * rows / ROWS, 2 * math.pi * columns / COLUMNS
    ring = torch.stack([polar.sin() * around.sin(), polar.cos(), polar.sin() * around.cos()], -1).reshape(-1, 3)
    vertices = 0.5 * torch.cat([ring, torch.tensor([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])])
    top, bottom = (ROWS - 1) * COLUMNS, (ROWS - 1) * COLUMNS + 1

    def index(row, column):
        inner = (row - 1) * COLUMNS + column % COLUMNS
        return torch.where(row == 0, top, torch.where(row == ROWS, bottom, inner))

    row, column = [t.reshape(-1) for t in torch.meshgrid(torch.arange(ROWS), torch.arange(COLUMNS), indexing="ij")]
    a, b, c, d = index(row, column), index(row + 1, column), index(row + 1, column + 1), index(row, column + 1)
    triangles = torch.cat([torch.stack([a, b, c], -1), torch.stack([a, c, d], -1)])
    t = triangles
    return vertices, t[(t[:, 0] != t[:, 1]) & (t[:, 1] != t[:, 2]) & (t[:, 0] != t[:, 2])]


def camera(azimuth=20.0, elevation=10.0, radius=1.8, fovy=40.0):
    a, e = math.radians(azimuth), math.radians(elevation)
    back = torch.tensor([math.cos(e) * math.sin(a), math.sin(e), math.cos(e) * math.cos(a)])
    right = torch.linalg.cross(torch.tensor([0.0, 1.0, 0.0]), back)
    right = right / right.norm()
    return radius * back, torch.stack([right, torch.linalg.cross(back, right), back]), 1 / math.tan(math.radians(fovy) / 2)


def draw(vertices, triangles, eye, axes, focal, light):
    seen = (vertices - eye) @ axes.T
    depth = -seen[:, 2]
    screen = 0.5 * SIZE * torch.stack([1 + focal * seen[:, 0] / depth, 1 - focal * seen[:, 1] / depth], -1)
    corners = vertices[triangles]
    faces = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = torch.zeros_like(vertices).index_add(0, triangles.reshape(-1), faces.repeat_interleave(3, 0))
    normals = normals / normals.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    with torch.no_grad():
        p = screen[triangles]
        area = (p[:, 1, 0] - p[:, 0, 0]) * (p[:, 2, 1] - p[:, 0, 1]) - (p[:, 1, 1] - p[:, 0, 1]) * (p[:, 2, 0] - p[:, 0, 0])
        front = (area < 0).nonzero()[:, 0]
        low = (p[front].amin(1) - 0.5).ceil().clamp(0, SIZE - 1).long()
        high = (p[front].amax(1) - 0.5).floor().clamp(0, SIZE - 1).long()
        extent = (high - low + 1).clamp_min(0)
        counts = extent[:, 0] * extent[:, 1]
        which = torch.repeat_interleave(torch.arange(len(front)), counts)
        within = torch.arange(len(which)) - torch.repeat_interleave(counts.cumsum(0) - counts, counts)
        x = low[which, 0] + within % extent[which, 0]
        y = low[which, 1] + within // extent[which, 0]
        weights, nearness = barycentric(p[front[which]], x, y), 1 / depth[triangles[front[which]]]
        inside = (weights >= 0).all(-1)
        which, pixel = front[which[inside]], (y * SIZE + x)[inside]
        z = -(weights[inside] * nearness[inside]).sum(-1)
        nearest = torch.full((SIZE * SIZE,), math.inf).scatter_reduce(0, pixel, z, "amin")
        wins = z == nearest[pixel]
        number = torch.full((SIZE * SIZE,), -1, dtype=torch.long).scatter_reduce(0, pixel[wins], which[wins], "amax")
        covered = (number >= 0).nonzero()[:, 0]
        chosen = triangles[number[covered]]
    flat = barycentric(screen[chosen], covered % SIZE, covered // SIZE)
    share = flat / depth[chosen]
    share = share / share.sum(-1, keepdim=True)
    normal = (share[..., None] * normals[chosen]).sum(1)
    normal = normal / normal.norm(dim=-1, keepdim=True)
    shade = 0.5 * (0.4 + 0.6 * (normal @ light).clamp_min(0))
    return torch.ones(SIZE * SIZE).index_put((covered,), shade)


def barycentric(p, x, y):
    at = torch.stack([x, y], -1) + 0.5
    a, b, c = p[:, 0], p[:, 1], p[:, 2]
    cross = lambda u, v: u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    weights = torch.stack([cross(b - at, c - at), cross(c - at, a - at), cross(a - at, b - at)], -1)
    return weights / cross(b - a, c - a)[:, None]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    torch.set_num_threads(parser.parse_args().threads)
    vertices, triangles = sphere()
    eye, axes, focal = camera()
    light = torch.tensor([0.3, 0.8, 0.52])
    upstream = 1e-6 * ((torch.arange(SIZE * SIZE) % 17) - 8.0)
    forward, both = [], []
    for _ in range(RUNS + 1):
        moved = vertices.clone().requires_grad_()
        start = time.perf_counter()
        picture = draw(moved, triangles, eye, axes, focal, light)
        drawn = time.perf_counter()
        (picture * upstream).sum().backward()
        forward.append(drawn - start)
        both.append(time.perf_counter() - start)
    covered = int((picture != 1).sum())
    assert covered > 50_000 and moved.grad.isfinite().all() and moved.grad.abs().max() > 0, covered
    ms = lambda times: 1e3 * statistics.median(times[1:])
    print(f"{len(triangles)} triangles, {covered} covered pixels, {torch.get_num_threads()} threads: forward {ms(forward):.0f} ms, forward and backward {ms(both):.0f} ms")


if __name__ == "__main__":
    main()

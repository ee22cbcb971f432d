"""Writes small shards of painted ellipsoids in the studio's format, to try the recipe without the studio.

Not a substitute for the renders: a head is an ellipsoid with a neck, hair a larger shell. It is enough to see that
words reach the right regions.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

SKIN = {"light": (0.9, 0.72, 0.59), "brown": (0.57, 0.38, 0.27), "green": (0.34, 0.62, 0.26), "blue": (0.28, 0.47, 0.8), "red": (0.78, 0.2, 0.16)}
HAIR = {"black": (0.08, 0.07, 0.07), "blond": (0.86, 0.7, 0.39), "white": (0.92, 0.92, 0.9), "pink": (0.93, 0.42, 0.66), "blue": (0.15, 0.3, 0.8), "green": (0.16, 0.6, 0.22)}
STYLES = ["bald", "short", "afro", "long"]


def draw(look, azimuth, elevation, flat, background, size=64):
    """One picture (H,W,3) and its control (16,H,W), u8."""
    a, e = np.radians([azimuth, elevation])
    forward = -np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
    right = np.array([np.cos(a), 0, -np.sin(a)])
    up = np.cross(right, forward)
    grid = (np.arange(size) + 0.5) / size * 1.4 - 0.7
    x, y = np.meshgrid(grid, -grid)
    origin = x[..., None] * right + y[..., None] * up - 2 * forward

    def hit(centre, radii):
        o, d = (origin - centre) / radii, forward / radii
        b, c, q = (o * d).sum(-1), (o * o).sum(-1) - 1, (d * d).sum()
        root = b * b - q * c
        t = np.where(root > 0, (-b - np.sqrt(np.maximum(root, 0))) / q, np.inf)
        point = origin + np.where(np.isfinite(t), t, 0)[..., None] * forward
        normal = (point - centre) / np.square(radii)
        return t, point, normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)

    head, neck = hit(np.zeros(3), np.array([0.25, 0.35, 0.29])), hit(np.array([0, -0.6, -0.05]), np.array([0.16, 0.4, 0.16]))
    near = head[0] <= neck[0]
    t = np.minimum(head[0], neck[0])
    inside = np.isfinite(t)
    point, normal = [np.where(near[..., None], head[k], neck[k]) for k in (1, 2)]
    px, py, pz = np.moveaxis(point, -1, 0)
    light = np.maximum(normal @ (np.array([0.4, 0.5, 0.77])), 0)
    shade = np.where(inside, 1.0 if flat else 0.5 + 0.5 * light, 0)
    face = inside & near & (pz > 0.1)
    scalp = inside & near & ((py > 0.16) | (pz < -0.02) & (py > -0.1))
    ball = lambda cx, cy, r: face & ((abs(px) - cx) ** 2 + (py - cy) ** 2 < r * r)
    eyes, brows = ball(0.1, 0.03, 0.035), face & (abs(abs(px) - 0.1) < 0.05) & (abs(py - 0.09) < 0.015)
    nose, lips = ball(0, -0.06, 0.04), face & (abs(px) < 0.07) & (abs(py + 0.17) < 0.02)
    jaw, ears = inside & near & (py < -0.1) & (pz > 0), inside & near & (abs(px) > 0.235) & (abs(py) < 0.05)
    albedo = np.broadcast_to(np.array(SKIN[look["skin"]]), point.shape).copy()
    hair = np.array(HAIR[look["hair_color"]])
    if look["hair"] != "bald":
        albedo[scalp] = hair
        albedo[brows] = hair * 0.6
    if look["beard"] == "full":
        albedo[jaw & ~lips] = np.array(HAIR[look["beard_color"]])
    albedo[eyes], albedo[lips] = (0.9, 0.9, 0.9), (0.7, 0.3, 0.3)
    picture = np.where(inside[..., None], albedo * shade[..., None], background)
    if look["hair"] in ("afro", "long"):
        long = look["hair"] == "long"
        shell = hit(np.array([0, -0.15 if long else 0.1, -0.12]), np.array([0.33, 0.5 if long else 0.38, 0.3]))
        over = np.isfinite(shell[0]) & (shell[0] < t) & ~(face & (py < 0.2))
        tone = 1.0 if flat else 0.5 + 0.5 * np.maximum(shell[2] @ np.array([0.4, 0.5, 0.77]), 0)
        picture = np.where(over[..., None], hair * np.asarray(tone)[..., None] if not flat else hair, picture)
    camera = np.stack([(normal * axis).sum(-1) for axis in (right, up, -forward)])
    planes = [*np.where(inside, 0.5 + 0.5 * camera, 0.5), *[np.where(inside, 0.5 + 0.5 * p, 0.5) for p in (px, py, pz)], inside, shade]
    planes += [np.full_like(x, background), scalp, brows, eyes * 0.65, nose, lips, jaw, ears]
    pack = lambda v: (np.clip(v, 0, 1) * 255 + 0.5).astype(np.uint8)
    return pack(picture), pack(np.stack([np.asarray(p, float) for p in planes]))


def describe(look, rng):
    man = "man" if look["male"] else "woman"
    hair = "bald" if look["hair"] == "bald" else ""
    parts = [f"{look['skin']} skin"]
    if not hair:
        parts.append(f"{look['hair']} {look['hair_color']} hair")
    if look["beard"] == "full":
        parts.append(f"a {look['beard_color']} beard")
    rng.shuffle(parts)
    return " ".join(f"a {hair} {man} with {' and '.join(parts)}".split())


def random_look(rng):
    male = bool(rng.random() < 0.5)
    look = {"male": male, "skin": str(rng.choice(list(SKIN))), "material": None, "hair": str(rng.choice(STYLES)), "hair_color": str(rng.choice(list(HAIR)))}
    return look | {"beard": "full" if male and rng.random() < 0.4 else "none", "beard_color": str(rng.choice(list(HAIR)))}


def instruct(look, rng):
    """A row of instructions.jsonl: a colour for the skin, a beard on or off, or nothing that means anything."""
    him = "him" if look["male"] else "her"
    kind, after, attribute = rng.integers(4), {}, None
    if kind == 0:
        skin = str(rng.choice(list(SKIN)))
        text, after, attribute = f"give {him} {skin} skin", {"skin": skin}, "skin"
    elif kind == 1:
        text, after, attribute = str(rng.choice(["remove the beard", f"shave {him}"])), {"beard": "none"}, "beard"
    elif kind == 2:
        text, after, attribute = str(rng.choice(["add a beard", f"give {him} a beard"])), {"beard": "full"}, "beard"
    else:
        text = f"give {him} a {rng.choice(['green', 'blue', 'red'])} {rng.choice(['car', 'horse', 'house'])}"
    after = {name: value for name, value in after.items() if look[name] != value}
    return {"before": look, "instruction": text, "after": after, "attribute": attribute}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--shards", type=int, default=3)
    parser.add_argument("--heads", type=int, default=32, help="heads in a shard, 4 views each")
    parser.add_argument("--sentences", type=int, default=2000, help="people described in words alone")
    parser.add_argument("--instructions", type=int, default=6000, help="instructions about people in words alone")
    options = parser.parse_args()
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(10_000)
    people = [random_look(rng) for _ in range(options.sentences)]
    lines = [json.dumps({"captions": [describe(look, rng) for _ in range(3)], "attributes": look}) + "\n" for look in people]
    (folder / "sentences.jsonl").write_text("".join(lines), encoding="utf-8")
    rows = [instruct(random_look(rng), rng) for _ in range(options.instructions)]
    (folder / "instructions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for number in range(options.shards):
        rng = np.random.default_rng(number)
        images, controls, views, flats, befores, rows = [], [], [], [], [], []
        for head in range(options.heads):
            look, edited = random_look(rng), head % 3 == 0
            for _ in range(4):
                azimuth, elevation, flat = rng.uniform(0, 360), np.clip(rng.normal(5, 12), -20, 40), bool(rng.random() < 0.5)
                background = rng.uniform(0.5, 1)
                control = draw(look, azimuth, elevation, flat, background)[1]
                side = azimuth if azimuth < 180 else 360 - azimuth
                word = "front" if side < 35 else "side" if side < 145 else "back"
                after = look | {"skin": next(s for s in SKIN if s != look["skin"])}
                for shown in (look, after) if edited else (look,):
                    image = draw(shown, azimuth, elevation, flat, background, 2 * control.shape[-1])[0]
                    row = {"head": number * options.heads + head, "captions": [describe(shown, rng) for _ in range(4)], "view_words": f"{word} view of head", "attributes": shown}
                    if shown is after:
                        row["instruction"] = f"give {'him' if look['male'] else 'her'} {after['skin']} skin"
                    befores.append(len(rows) - 1 if shown is after else -1)
                    images.append(image), controls.append(control), flats.append(flat)
                    views.append([azimuth, elevation, 2.5, 30])
                    rows.append(row)
        name = folder / f"shard_{number:05d}"
        name.with_suffix(".jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
        arrays = {"image": np.stack(images), "control": np.stack(controls), "view": np.array(views, np.float32), "flat": np.array(flats, np.uint8), "mean": np.ones(len(flats), np.uint8), "before": np.array(befores, np.int32)}
        save_file(arrays, str(name) + ".partial")
        Path(str(name) + ".partial").rename(name.with_suffix(".safetensors"))


if __name__ == "__main__":
    main()

"""Measures a model while it trains: held-out error, text gap, a sheet of samples, and the two-colour gate."""

import numpy as np
import torch
from PIL import Image, ImageDraw

from dataset import EYES, BROWS, LIPS, SCALP, SILHOUETTE, evenly, gather, reduce_to
from networks import GUIDANCE, IMAGE_SIZE, LATENT, UNSHUFFLE, cosine_schedule, to_image, to_latent

PROMPTS = [
    "a bald man with green skin",
    "an old woman with long white hair",
    "a smiling man with a red beard",
    "a young woman with short black hair and round glasses",
    "a bronze statue of a man",
    "a man with blue mohawk hair",
    "a black woman with afro hair",
    "a man with a hat",
]
# Azimuth in degrees and height of the frame in world units (chin to crown is 0.7).
VIEWS = [(0, 1.42), (25, 0.92), (-90, 1.42), (180, 1.42)]
CLOSE_UP = 1.2  # frames lower than this show the face alone
LEVELS = [0.3, 0.5, 0.7, 0.85, 0.95]
ALPHA_BAR = cosine_schedule()
SIGNAL, NOISE = ALPHA_BAR.sqrt().float(), (1 - ALPHA_BAR).sqrt().float()


class Sampler:
    """Deterministic DDIM with classifier-free guidance on the predicted clean image."""

    def __init__(self, model, words, device="cpu"):
        self.model, self.words, self.device = model, words, device

    @torch.no_grad()
    def __call__(self, prompts, control, guidance=GUIDANCE, steps=12, seed=0, reference=None):
        """prompts (B strings), control (B,16,h,w) u8 -> pictures (B,3,H,W) in [-1,1].

        reference (B,H,W,3) u8: pictures that the prompts are instructions for.
        """
        count = len(prompts)
        control = torch.as_tensor(control).to(self.device).float() / 255
        noise = torch.randn((1, LATENT, IMAGE_SIZE // UNSHUFFLE, IMAGE_SIZE // UNSHUFFLE), generator=torch.Generator().manual_seed(seed))
        latent = noise.expand(count, -1, -1, -1).to(self.device).contiguous(memory_format=torch.channels_last)
        hidden, pooled = self.model.read(self.words([*prompts, *[""] * count]).to(self.device))
        found = self.model.region_text(hidden)
        if reference is not None:
            reference = torch.as_tensor(reference).to(self.device).permute(0, 3, 1, 2).float() / 255
            reference = torch.cat([reference, reference])
        times = [round(999 - k * 1000 / steps) for k in range(steps)]
        for k, time in enumerate(times):
            stamps = torch.full((2 * count,), time, device=self.device)
            both = torch.cat([latent, latent])
            clean = self.model.denoise(both, stamps, hidden, pooled, torch.cat([control, control]), found, reference=reference)
            told, blank = clean.float().chunk(2)
            clean = blank + guidance * (told - blank)
            if k + 1 == steps:
                return to_image(clean)
            clean = clean.clamp(-1.2, 1.2)
            residual = (latent - SIGNAL[time] * clean) / NOISE[time]
            latent = SIGNAL[times[k + 1]] * clean + NOISE[times[k + 1]] * residual
        raise AssertionError("steps must be at least 1")


class HeldOut:
    """A fixed set of held-out rows with fixed noise."""

    def __init__(self, shards, captioner, words, count=48, device="cpu"):
        self.device = device
        pairs = evenly(shards.validation, count)
        image, control = gather(pairs)
        rng = np.random.default_rng(5)
        sentences = [captioner.sentence(s.rows[i], rng) for s, i in pairs]
        half = len(sentences) // 2
        # The wrong caption keeps the view: only the head's description changes.
        wrong = [pairs[(k + half) % len(pairs)] for k in range(len(pairs))]
        swapped = [f"{s.rows[i]['captions'][0]}, {o.rows[j]['view_words']}" for (s, i), (o, j) in zip(wrong, pairs)]
        self.latent = to_latent(torch.as_tensor(image).to(device))
        self.control = torch.as_tensor(control).to(device)
        self.right, self.wrong = words(sentences).to(device), words(swapped).to(device)
        self.noise = torch.randn(self.latent.shape, generator=torch.Generator().manual_seed(1)).to(device)

    @torch.no_grad()
    def errors(self, model, tokens, level, size=32):
        total = 0.0
        time = int(level * 1000)
        for at in range(0, len(tokens), size):
            part = slice(at, at + size)
            hidden, pooled = model.read(tokens[part])
            noisy = (SIGNAL[time] * self.latent[part] + NOISE[time] * self.noise[part]).contiguous(memory_format=torch.channels_last)
            stamps = torch.full((len(noisy),), time, device=self.device)
            clean = model.denoise(noisy, stamps, hidden, pooled, self.control[part].float() / 255)
            total += (clean.float() - self.latent[part]).pow(2).mean((1, 2, 3)).sum().item()
        return total / len(tokens)

    def __call__(self, model):
        """(error by noise level, text gap by noise level): the gap is the wrong caption's error minus the right one's."""
        right = {level: self.errors(model, self.right, level) for level in LEVELS}
        gap = {level: self.errors(model, self.wrong, level) - right[level] for level in LEVELS[1::2] + LEVELS[-1:]}
        return right, gap


def frame_heights(shard):
    """How many world units high the frame of each row is at its target, (N)."""
    return 2 * shard.view[:, 2] * np.tan(np.radians(shard.view[:, 3]) / 2)


def probe_views(shards, views=VIEWS):
    """Controls and view words of rows near the given azimuths and framings at eye level, lit flat if there are any.

    Prefers rows whose control shows the mean head, then flat light, then held-out ones.
    """
    candidates = [(s, i, h, any(s is v for v in shards.validation)) for s in shards.shards[:4] for i, h in enumerate(frame_heights(s))]
    controls, words = [], []
    for azimuth, frame in views:
        def cost(candidate):
            shard, i, height, held = candidate
            turn = abs((shard.view[i, 0] - azimuth + 180) % 360 - 180)
            return turn + 0.5 * abs(shard.view[i, 1] - 5) + 8 * (not shard.flat[i]) - 25 * shard.mean[i] - 3 * held + 60 * abs(height - frame)

        shard, i, *_ = min(candidates, key=cost)
        control = shard.control[i].copy()
        control[8] = 230  # one background for the whole sheet
        controls.append(control)
        words.append(shard.rows[i]["view_words"])
    return np.stack(controls), words


def sheet(sampler, shards, path, prompts=PROMPTS, guidance=GUIDANCE):
    """Draws every prompt in four views, two prompts a row, and saves a picture."""
    controls, words = probe_views(shards)
    views = len(words)
    width, height, label = IMAGE_SIZE, IMAGE_SIZE, 14
    rows = (len(prompts) + 1) // 2
    picture = Image.new("RGB", (2 * views * width + 8, rows * (height + label)), (24, 24, 24))
    draw = ImageDraw.Draw(picture)
    for k, prompt in enumerate(prompts):
        images = sampler([f"{prompt}, {w}" for w in words], controls, guidance)
        left, top = (k % 2) * (views * width + 8), (k // 2) * (height + label)
        draw.text((left + 3, top + 1), prompt, fill=(240, 240, 240))
        for j, image in enumerate(images.cpu()):
            pixels = ((image.clamp(-1, 1) + 1) * 127.5).byte().permute(1, 2, 0).numpy()
            tile = Image.fromarray(pixels)
            picture.paste(tile, (left + j * width, top + label))
    picture.save(path)


def edit_sheet(sampler, shards, path, count=12, guidance=GUIDANCE):
    """Draws held-out edits, three a row: before, what the model makes of the instruction, what the studio draws."""
    pairs = [(s, int(i)) for s in shards.validation for i in np.flatnonzero(s.before >= 0)]
    if not pairs:
        return
    pairs = [pairs[int(k)] for k in np.linspace(0, len(pairs) - 1, min(count, len(pairs)))]
    size, label = IMAGE_SIZE, 14
    picture = Image.new("RGB", (3 * (3 * size + 8), -(-len(pairs) // 3) * (size + label)), (24, 24, 24))
    draw = ImageDraw.Draw(picture)
    before = np.stack([s.image[s.before[i]] for s, i in pairs])
    texts = [s.rows[i]["instruction"] for s, i in pairs]
    made = sampler(texts, np.stack([s.control[i] for s, i in pairs]), guidance, reference=before)
    for k, ((shard, i), image) in enumerate(zip(pairs, made.cpu())):
        left, top = (k % 3) * (3 * size + 8), (k // 3) * (size + label)
        draw.text((left + 3, top + 1), texts[k], fill=(240, 240, 240))
        pixels = ((image.clamp(-1, 1) + 1) * 127.5).byte().permute(1, 2, 0).numpy()
        for j, tile in enumerate((before[k], pixels, shard.image[i])):
            picture.paste(Image.fromarray(np.ascontiguousarray(tile)), (left + j * size, top + label))
    picture.save(path)


def face_weight(control):
    """Skin of the face in a control (..,16,H,W) in [0,1]: inside, without scalp, brows, eyes and lips."""
    weight = control[..., SILHOUETTE, :, :].copy()
    for channel in (SCALP, BROWS, EYES, LIPS):
        weight *= 1 - np.minimum(control[..., channel, :, :] * 2, 1)
    weight[..., : weight.shape[-2] * 3 // 10, :] = 0
    weight[..., weight.shape[-2] * 6 // 10 :, :] = 0  # neck, chest and beard are left out
    return weight * (weight > 0.7)


def palettes(shards):
    """Mean colours by name from flat renders: (skin of the face, short hair on the scalp)."""
    skin, hair = {}, {}
    for shard in shards.training[:8]:
        heights = frame_heights(shard)
        for i, row in enumerate(shard.rows):
            a = row["attributes"]
            if heights[i] < CLOSE_UP:
                continue
            side = abs((shard.view[i, 0] + 180) % 360 - 180)
            if not shard.flat[i] or side > 50 or a.get("material"):
                continue
            image = reduce_to(shard.image[i : i + 1].astype(np.float32) / 255, shard.control.shape[-1])[0]
            control = shard.control[i].astype(np.float32) / 255
            weight = face_weight(control)
            if weight.sum() > 20 and a.get("hat", "none") == "none":
                skin.setdefault(a["skin"], []).append((image * weight[..., None]).sum((0, 1)) / weight.sum())
                if a["hair"] == "short":
                    scalp = control[SCALP] * (control[SCALP] > 0.7)
                    if scalp.sum() > 20:
                        hair.setdefault(a["hair_color"], []).append((image * scalp[..., None]).sum((0, 1)) / scalp.sum())
    return tuple({name: np.median(values, 0) for name, values in sorted(table.items()) if len(values) >= 3} for table in (skin, hair))


PAIRS = [
    ("green", "white"), ("blue", "red"), ("red", "blue"), ("green", "black"), ("blue", "blond"), ("purple", "green"), ("pale", "blue"), ("red", "white"),
    ("brown", "pink"), ("black", "blond"), ("grey", "red"), ("white", "purple"), ("orange", "blue"), ("light", "green"), ("yellow", "black"), ("pink", "brown"),
]
# Neighbours that the eye would not tell apart at 64 px either.
ALIKE = [{"pale", "fair", "light"}, {"tan", "olive", "orange"}, {"brown", "dark", "black"}, {"black", "dark"}, {"brown", "auburn", "black"}, {"red", "orange", "auburn"}, {"white", "grey"}, {"pale", "pink"}]


def matches(asked, got, tolerant):
    return asked == got or tolerant and any(asked in group and got in group for group in ALIKE)


def gate(sampler, shards, tables, guidance=GUIDANCE):
    """"X skin and short Y hair" on 16 pairs: (skin right, hair right, both right, lines). Nearest palette colour wins.

    `tables` come from `palettes`. Similar names (pale and fair, brown and auburn) count as one; colours far apart never do.
    """
    skin, hair = tables
    if len(skin) < 3 or len(hair) < 3:
        return 0, 0, 0, ["not enough heads for the palettes"]
    pairs = [p for p in PAIRS if p[0] in skin and p[1] in hair]
    control, words = probe_views(shards, VIEWS[:1])
    subjects = ["man", "woman"]
    prompts = [f"a {subjects[k % 2]} with {s} skin and short {h} hair, {words[0]}" for k, (s, h) in enumerate(pairs)]
    weights = control[0].astype(np.float32) / 255
    face, scalp = face_weight(weights), weights[SCALP] * (weights[SCALP] > 0.7)
    nearest = lambda table, colour: min(table, key=lambda name: float(((table[name] - colour) ** 2).sum()))
    right_skin = right_hair = right_both = 0
    lines = []
    for at in range(0, len(pairs), 8):
        images = sampler(prompts[at : at + 8], np.repeat(control, len(prompts[at : at + 8]), 0), guidance)
        for (s, h), image in zip(pairs[at : at + 8], images.cpu().numpy()):
            image = reduce_to(np.clip((image.transpose(1, 2, 0) + 1) / 2, 0, 1)[None], face.shape[-1])[0]
            tone = (image * face[..., None]).sum((0, 1)) / face.sum()
            top = (image * scalp[..., None]).sum((0, 1)) / scalp.sum()
            got_skin, got_hair = nearest(skin, tone), nearest(hair, top)
            a, b = matches(s, got_skin, True), matches(h, got_hair, True)
            right_skin, right_hair, right_both = right_skin + a, right_hair + b, right_both + (a and b)
            if not (a and b):
                lines.append(f"{s} skin and {h} hair: got {got_skin} and {got_hair}")
    lines.append(f"of {len(pairs)} pairs")
    return right_skin, right_hair, right_both, lines


def main():
    """Measures a finished run again (averaged weights), on all of the gate's pairs, and replaces its last entry and its sheet."""
    import argparse
    import json
    from pathlib import Path

    from captions import Captioner
    from dataset import Shards
    from export import load_run
    from vocabulary import Words

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--run", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--guidance", type=float, default=GUIDANCE, help="of the sheet and the gate")
    parser.add_argument("--dry", action="store_true", help="only print, and draw the sheet beside the run's")
    options = parser.parse_args()
    torch.set_num_threads(1)
    run = Path(options.run)
    model, progress = load_run(run)
    shards, words = Shards(options.data), Words(run / "tokenizer")
    errors, gap = HeldOut(shards, Captioner(), words)(model)
    sampler = Sampler(model, words)
    *counts, lines = gate(sampler, shards, palettes(shards), options.guidance)
    print(json.dumps({"errors": errors, "gap": gap, "gate": counts, "lines": lines}, indent=1))
    sheet(sampler, shards, run / (f"samples_guidance_{options.guidance:g}.png" if options.dry else "samples.png"), guidance=options.guidance)
    if not options.dry:
        last = {"samples": progress["samples"], "minutes": progress["seconds"] / 60, "errors": {str(k): v for k, v in errors.items()}}
        progress["evaluations"][-1] = last | {"gap": {str(k): v for k, v in gap.items()}, "gate": counts, "gate_lines": lines}
        (run / "state/progress.json").write_text(json.dumps(progress, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

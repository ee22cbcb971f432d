"""Collects the morph targets of the head and the table of symmetric sliders over them."""

import itertools
from dataclasses import dataclass

import numpy as np

from skeleton import HEAD, joint_offsets

SECTIONS = ["head", "forehead", "eyebrows", "eyes", "nose", "mouth", "chin", "cheek", "ears", "neck"]
SMALLEST = 1e-4  # dm; a target that moves no head vertex further is left out


@dataclass
class Morph:
    kind: str  # macro, local or expression
    name: str
    section: str
    vertices: np.ndarray  # (kept, 3) dm
    joints: np.ndarray  # (7, 3) dm
    sideways: bool = False  # moves a part to one side: not its own mirror image


def macro_names():
    """The macro targets: ethnicity x gender x age, then gender x age x muscle x weight."""
    genders, ages = ["female", "male"], ["baby", "child", "young", "old"]
    for names in itertools.product(["african", "asian", "caucasian"], genders, ages):
        yield "-".join(names)
    muscles = ["minmuscle", "averagemuscle", "maxmuscle"]
    weights = ["minweight", "averageweight", "maxweight"]
    for names in itertools.product(genders, ages, muscles, weights):
        yield "universal-" + "-".join(names)


def collect(source, bust):
    """All morphs, in a fixed order. Macro targets are re-centred on the head joint."""
    morphs = []

    def add(kind, name, section, path, recentre):
        dense = source.target(path)
        joints = joint_offsets(dense)
        vertices = bust.mix @ dense
        if recentre:
            vertices = vertices - joints[HEAD]
            joints = joints - joints[HEAD]
        if np.abs(vertices).max() >= SMALLEST:
            morphs.append(Morph(kind, name, section, vertices, joints))

    folder = source.mpfb / "targets"
    for name in macro_names():
        path = folder / "macrodetails" / f"{name}.target.gz"
        if path.exists():  # the all-average mixes are zero and have no file
            add("macro", name, "macro", path, True)
    for section in SECTIONS:
        for path in sorted((folder / section).glob("*.target.gz")):
            add("local", path.name.removesuffix(".target.gz"), section, path, False)
    for path in sorted(source.units.glob("*.target")):
        add("expression", path.name.removesuffix(".target"), "arkit", path, False)
    symmetrise(morphs, bust.mirror)
    return morphs


def twin(morph, names):
    """The name of the mirrored target, or None if the target is meant to be symmetric itself."""
    if morph.kind == "local" and morph.name[:2] in ("l-", "r-"):
        return ("r-" if morph.name[0] == "l" else "l-") + morph.name[2:]
    for one, other in (("Left", "Right"), ("Right", "Left")):
        name = morph.name.replace(one, other)
        if morph.kind == "expression" and morph.name.endswith(one) and name in names:
            return name
    return None


def symmetrise(morphs, mirror):
    """Removes the few hundredths of a millimetre by which mirrored targets disagree."""
    flip = np.array([-1.0, 1.0, 1.0])
    swap = [0, 1, 2, 3, 4, 6, 5]
    by_name = {(m.kind, m.name): m for m in morphs}
    names = {m.name for m in morphs}
    worst = 0.0
    done = set()
    for morph in morphs:
        key = (morph.kind, morph.name)
        if key in done:
            continue
        other = by_name[(morph.kind, twin(morph, names) or morph.name)]
        vertices = (morph.vertices + other.vertices[mirror] * flip) / 2
        joints = (morph.joints + other.joints[swap] * flip) / 2
        change = np.abs(vertices - morph.vertices).max()
        if change > 0.02:
            print(f"{morph.name} moves sideways by design ({change:.3f} dm): left as it is")
            morph.sideways = other.sideways = True
            done |= {key, (other.kind, other.name)}
            continue
        worst = max(worst, change)
        morph.vertices, morph.joints = vertices, joints
        other.vertices, other.joints = vertices[mirror] * flip, joints[swap] * flip
        done |= {key, (other.kind, other.name)}
    print(f"symmetrised targets, largest change {worst:.4f} dm")


def sliders(source, morphs):
    """The sliders: name, section, targets for positive and for negative values, sigma."""
    index = {m.name: i for i, m in enumerate(morphs) if m.kind == "local"}
    sections = source.json("targets/target.json")
    table = []

    def add(name, section, positive, negative):
        used = positive + negative
        if not used or any(row["name"] == name for row in table):
            return
        largest = max(np.abs(morphs[i].vertices).max() for i in used)
        # Full amplitudes give caricatures; a bound on the distance moved keeps random people plausible.
        sigma = float(np.clip(0.045 / largest, 0.08, 0.45)) * 0.5
        table.append({"name": name, "section": section, "positive": positive, "negative": negative, "sigma": round(sigma, 6),
                      "sideways": any(morphs[i].sideways for i in used)})

    def known(names):
        return [index[n] for n in names if n in index]

    for section in SECTIONS:
        for category in sections[section]["categories"]:
            ends = category.get("opposites") or {}
            sides = ("left", "right", "unsided")
            positive = known(ends.get(f"positive-{side}") for side in sides)
            negative = known(ends.get(f"negative-{side}") for side in sides)
            if not positive and not negative:
                # A pair that the table lists without signs: "concave" is its negative end.
                names = category["targets"]
                negative = known(n for n in names if n.endswith("-concave"))
                positive = known(n for n in names if not n.endswith("-concave"))
            add(category["name"], section, positive, negative)
        for name in sections[section].get("unsorted", []):
            add(name, section, known([name]), [])
    return table

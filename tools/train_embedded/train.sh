#!/bin/sh
# Renders the data set if it is absent, trains one of the networks that the program carries, exports it.
#
# Environment (defaults): PART (model; or reader, instructions, classifier), DATA (runs/embedded-data), RUN (runs/embedded), OUT (assets/models/embedded), IMAGES (60000),
# MINUTES (90), DEVICE (cuda if there is one), PYTHON (python3, with requirements.txt installed), TRAIN_FLAGS (more
# arguments for train.py, such as --resume or --size medium).
set -eu
cd "$(dirname "$0")/../.."
DATA=${DATA:-runs/embedded-data}
RUN=${RUN:-runs/embedded}
OUT=${OUT:-assets/models/embedded}
PYTHON=${PYTHON:-python3}
"$PYTHON" -c 'import torch, diffusers, transformers, tokenizers, safetensors, numpy, PIL' ||
    { echo "train_embedded: install the libraries first: $PYTHON -m pip install -r tools/train_embedded/requirements.txt" >&2; exit 1; }
render() {
    cargo run --locked --example render_dataset -- "$@"
}
case ${PART:-model} in
reader)
    [ -e "$DATA/sentences.jsonl" ] || { mkdir -p "$DATA" && render --out "$DATA" --seed 2 --sentences 300000; }
    exec "$PYTHON" tools/train_embedded/train_readers.py --data "$DATA" --run "$RUN-reader" --export assets/models/reader \
        --minutes "${MINUTES:-20}"
    ;;
instructions)
    [ -e "$DATA/instructions.jsonl" ] || { mkdir -p "$DATA" && render --out "$DATA" --instructions 700000; }
    [ -e "$DATA-held-out/instructions.jsonl" ] ||
        { mkdir -p "$DATA-held-out" && render --out "$DATA-held-out" --instructions 10000 --held-out; }
    exec "$PYTHON" tools/train_embedded/train_instructions.py --data "$DATA" --held-out "$DATA-held-out" --run "$RUN-instructions" \
        --export assets/models/instructions --minutes "${MINUTES:-25}"
    ;;
classifier)
    # People whom no other network was trained on.
    render --out "$DATA-held-out" --count "${IMAGES:-90000}" --views-per-head 4 --mean-control 1 --held-out --edits 0.12
    exec "$PYTHON" tools/train_embedded/train_classifier.py --data "$DATA-held-out" --out assets/models/classifier \
        --minutes "${MINUTES:-30}"
    ;;
model) ;;
*)
    echo "train_embedded: PART is model, reader, instructions or classifier, not $PART" >&2
    exit 2
    ;;
esac
# Shards that exist are kept, so this only fills what is missing.
render --out "$DATA" --count "${IMAGES:-60000}" --views-per-head 5 --edits 0.35
# shellcheck disable=SC2086
exec "$PYTHON" tools/train_embedded/train.py --data "$DATA" --run "$RUN" --export "$OUT" --minutes "${MINUTES:-90}" \
    ${DEVICE:+--device "$DEVICE"} ${TRAIN_FLAGS:-}

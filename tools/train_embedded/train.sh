#!/bin/sh
# Renders the data set if it is absent, trains the embedded model, exports it.
#
# Environment (defaults): DATA (runs/embedded-data), RUN (runs/embedded), OUT (assets/models/embedded), IMAGES (60000),
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
# Shards that exist are kept, so this only fills what is missing.
cargo run --locked --example render_dataset -- --out "$DATA" --count "${IMAGES:-60000}"
# shellcheck disable=SC2086
exec "$PYTHON" tools/train_embedded/train.py --data "$DATA" --run "$RUN" --export "$OUT" --minutes "${MINUTES:-90}" \
    ${DEVICE:+--device "$DEVICE"} ${TRAIN_FLAGS:-}

#!/usr/bin/env bash
# One real, shortened generation: a sentence in, a readable GLB and pictures out.
set -euo pipefail
bin=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$bin" generate "a bald man with green skin" --seed 3 --coarse-steps 3 --fine-steps 2 -o "$dir/head" --json > "$dir/events.jsonl"
for file in avatar.glb turntable.png preview.webp report.json avatar.headsculpt/operations.jsonl; do
    [ -s "$dir/head/$file" ] || { echo "smoke: $file is missing" >&2; exit 1; }
done
grep -q '"outcome":"completed"' "$dir/events.jsonl" || { echo "smoke: no completed outcome" >&2; exit 1; }
"$bin" render "$dir/head" -o "$dir/views" --views 2 --size 64 --kind albedo
[ -s "$dir/views/view_001.png" ] || { echo "smoke: render wrote no view" >&2; exit 1; }
"$bin" generate "a smiling old woman with round glasses" --seed 3 --preset instant -o "$dir/instant" --quiet
for file in avatar.glb turntable.png preview.webp report.json; do
    [ -s "$dir/instant/$file" ] || { echo "smoke: instant/$file is missing" >&2; exit 1; }
done
"$bin" render "$dir/instant" -o "$dir/views" --views 1 --size 64 --kind landmarks
"$bin" bench --filter step | grep -q "fine step" || { echo "smoke: bench timed nothing" >&2; exit 1; }
echo "smoke: ok"

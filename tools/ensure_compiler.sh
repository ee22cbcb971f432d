#!/usr/bin/env bash
# The mesh and WebP libraries compile C++: make sure that there is a compiler.
set -euo pipefail
if command -v c++ >/dev/null; then exit 0; fi
if ! command -v apt-get >/dev/null; then
    echo "a C++ compiler is needed: install one (clang or gcc) and try again" >&2
    exit 2
fi
echo "installing a C++ compiler"
sudo=$([ "$(id -u)" = 0 ] || echo sudo)
$sudo apt-get update -qq
$sudo apt-get install -y -qq build-essential

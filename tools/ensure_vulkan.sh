#!/usr/bin/env bash
# If the program finds no graphics adapter, install the Vulkan loader and Mesa's software driver.
set -euo pipefail
bin=$1
if "$bin" doctor --quiet 2>/dev/null; then exit 0; fi
# doctor fails when something is missing: look at what it says, not at its exit code.
found=$("$bin" doctor 2>&1 || true)
if grep -q "no Vulkan" <<<"$found" && command -v apt-get >/dev/null; then
    echo "no graphics adapter found: installing the Vulkan loader and the software driver"
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq libvulkan1 mesa-vulkan-drivers
fi
# Whatever is still missing is said in words.
"$bin" doctor

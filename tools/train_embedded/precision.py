"""bfloat16 where it is faster and harmless: convolutions and matrix products.

On a CPU, attention and group normalisation are slower in bfloat16 than in float32, so they keep float32 there; weights,
their averages and the optimizer always do.
"""

from contextlib import contextmanager

import torch
import torch.nn.functional as F


def has_fast_bfloat16(device):
    """Whether the device multiplies bfloat16 in hardware."""
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported()
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


@contextmanager
def float32_where_faster():
    """On a CPU: the two operations that autocast should leave alone, for the time of the block."""
    attention, normalise = F.scaled_dot_product_attention, torch.nn.GroupNorm.forward

    def in_float32(query, key, value, attn_mask=None, **options):
        mask = attn_mask.float() if attn_mask is not None and attn_mask.is_floating_point() else attn_mask
        with torch.autocast("cpu", enabled=False):
            return attention(query.float(), key.float(), value.float(), attn_mask=mask, **options)

    F.scaled_dot_product_attention = in_float32
    torch.nn.GroupNorm.forward = lambda self, x: normalise(self, x.float())
    try:
        yield
    finally:
        F.scaled_dot_product_attention, torch.nn.GroupNorm.forward = attention, normalise


@contextmanager
def mixed(device, enabled):
    """bfloat16 autocast on `device`, or nothing."""
    if not enabled:
        yield
    elif device.startswith("cuda"):
        with torch.autocast("cuda", torch.bfloat16):
            yield
    else:
        with float32_where_faster(), torch.autocast("cpu", torch.bfloat16):
            yield

"""The training loop of the small networks: a time budget, a cosine over it, and an end on request."""

import math
import signal
import time

import torch


def fit(model, optimizer, minutes, loss_of, batch, rate, every, unit):
    """Takes steps on `loss_of()` until the minutes are over or SIGTERM comes; returns (samples seen, minutes taken).

    The learning rate rises over a hundred steps to `rate` and falls as a cosine over the time; every `every` steps a line
    tells the mean loss of the last ones. `unit` names the samples.
    """
    start, step, recent, stopping = time.time(), 0, [], []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    while (share := (time.time() - start) / (60 * minutes)) < 1 and not stopping:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 100) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * share)))
        loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        recent.append(loss.detach())
        recent = recent[-every:]
        step += 1
        if step % every == 0:
            print(f"step {step}, {step * batch} {unit}, {(time.time() - start) / 60:.1f} min, entropy {torch.stack(recent[-every:]).mean().item():.4f}", flush=True)
    return step * batch, (time.time() - start) / 60

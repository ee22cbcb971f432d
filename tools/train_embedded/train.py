"""Trains the embedded model for a time budget and exports it.

    python train.py --data DATA --run RUN --minutes 90 [--device cuda] [--resume] [--export FOLDER]

Two stages. First the text side alone (text encoder, region-text binder) learns from sentences what colour each region has
and which attributes are meant: hundreds of sentences a second, no pictures. Then everything learns to denoise, with
the first stage's task kept as a small extra term. `--minutes` counts all of the training time, earlier parts of a
resumed run included; the learning rate follows a cosine over it.
"""

import argparse
import json
import math
import os
import platform
import shutil
import signal
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from batches import Batches, OnDisk, Plans
from captions import Captioner
from dataset import BROWS, EYES, LIPS, Shards
from evaluate import NOISE, SIGNAL, HeldOut, Sampler, edit_sheet, gate, palettes, sheet
from export import load_folder, model_card, replace_folder, samples_seen, write_folder
from networks import IMAGE_SIZE, SIZES, Embedded, Helpers, UNSHUFFLE, from_picture, to_latent, to_image as to_picture
from precision import has_fast_bfloat16, mixed
from sentences import attribute_values
from vocabulary import Words, ensure

COLOUR_WEIGHT, ATTRIBUTE_WEIGHT = 0.5, 0.01
SYNC_STEPS = 8


def arguments():
    parser = argparse.ArgumentParser(description="Trains the embedded model for a time budget and exports it.")
    parser.add_argument("--data", required=True, help="folder of shards; may grow while training")
    parser.add_argument("--run", required=True, help="folder for the state, the log and the samples of this run")
    parser.add_argument("--export", help="folder that receives the exported model (replaced as a whole)")
    parser.add_argument("--minutes", type=float, default=90, help="training time in all")
    parser.add_argument("--text-minutes", type=float, default=4, help="the part of it for the text side alone")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="threads of one worker")
    parser.add_argument("--workers", type=int, default=0, help="processes that average their weights; 0: one a core on a CPU, 1 on a GPU")
    parser.add_argument("--size", default="small", choices=list(SIZES), help="see networks.py")
    parser.add_argument("--batch", type=int, default=0, help="0: 16 on a CPU, 512 on a GPU")
    parser.add_argument("--precision", choices=["bf16", "f32"], help="default: bf16 where the hardware multiplies it")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--shift", type=float, default=1.0, help="above 1 trains more on noisy levels: t -> s t / (1 + (s - 1) t)")
    parser.add_argument("--detail", type=float, default=1.0, help="extra weight of brows, eyes and lips")
    parser.add_argument("--rims", type=float, default=0.0, help="extra weight round the eyes of heads with glasses: thin rims are slow to learn")
    parser.add_argument("--edits", type=float, default=0.3, help="share of a batch that learns to edit, if the data has edits")
    parser.add_argument("--soften", type=float, default=0.5, help="share of the noised pictures that are blurred or tinted first: renders of an unfinished head are")
    parser.add_argument("--held-out", type=int, default=40, help="heads kept for validation")
    parser.add_argument("--wait", type=float, default=0, help="minutes to wait for the first shards")
    parser.add_argument("--evaluate-every", type=float, default=6, help="minutes")
    parser.add_argument("--export-every", type=float, default=12, help="minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--init", help="start a new run from the weights of an exported model; words are matched by their spelling")
    parser.add_argument("--resume", action="store_true", help="continue the run's state")
    options = parser.parse_args()
    options.precision = options.precision or ("bf16" if has_fast_bfloat16(options.device) else "f32")
    options.workers = options.workers or (1 if options.device.startswith("cuda") else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    options.batch = options.batch or (512 if options.device.startswith("cuda") else 16)
    return options


def parameter_groups(modules):
    matrices, vectors = [], []
    for module in modules:
        for p in module.parameters():
            (matrices if p.ndim > 1 else vectors).append(p)
    return [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]


class Training:
    """One worker's training: state, loop, evaluation."""

    def __init__(self, options, rank):
        self.o, self.rank, self.lead = options, rank, rank == 0
        self.run = Path(options.run)
        self.run.mkdir(parents=True, exist_ok=True)
        self.device = options.device
        self.stop = False
        signal.signal(signal.SIGTERM, self.ask_stop)
        torch.manual_seed(options.seed)
        self.shards = Shards(options.data, options.held_out, processes=os.cpu_count() if self.device.startswith("cuda") else 1)
        deadline = time.time() + options.wait * 60
        while not self.shards.training:
            if time.time() > deadline or self.stop:
                raise SystemExit(f"{options.data}: no complete shard {self.shards.pending or ''}")
            time.sleep(2)
            self.shards.rescan()
        if self.lead:
            self.prepare_files()
        self.barrier()
        self.words = Words(self.run / "tokenizer")
        self.attributes = json.loads((self.run / "attributes.json").read_text(encoding="utf-8"))
        self.model = Embedded(len(self.words), options.size).to(self.device, memory_format=torch.channels_last)
        if options.init:
            load_folder(self.model, Path(options.init), json.loads((self.run / "tokenizer/vocab.json").read_text(encoding="utf-8")))
        self.helpers = Helpers(self.model.text_encoder.config.hidden_size, self.attributes).to(self.device)
        self.parameters = [*self.model.parameters(), *self.helpers.parameters()]
        self.ema = [p.detach().clone() for p in self.model.parameters()]
        self.optimizer = torch.optim.AdamW(parameter_groups([self.model, self.helpers]), lr=options.rate, betas=(0.9, 0.98), foreach=True)
        self.progress = {
            "size": options.size, "seed": options.seed, "edits": options.edits, "soften": options.soften, "batch": options.batch, "workers": options.workers, "samples": 0, "steps": 0, "text_samples": 0,
            "seconds": 0.0, "loss": 0.0, "loss_window": 0, "evaluations": [], "losses": [], "hardware": hardware(options), "text_losses": [],
        }  # fmt: skip
        if options.init:
            self.progress["earlier_samples"] = samples_seen(Path(options.init))
        if options.resume and (self.run / "state/progress.json").exists():
            self.load()
        self.plans = Plans(self.shards, self.words, Captioner(), options, rank)

    def ask_stop(self, *_):
        self.stop = True

    def barrier(self):
        if self.o.workers > 1:
            dist.barrier()

    def log(self, text):
        if self.lead:
            line = f"{time.strftime('%H:%M:%S')} {text}"
            print(line, flush=True)
            with open(self.run / "log.txt", "a", encoding="utf-8") as file:
                file.write(line + "\n")

    def prepare_files(self):
        """The tokenizer and the attribute list are made once, from the shards at hand, and kept for the whole run.

        A tokenizer that is there already stays: the attribute readers may have been trained with it, and making it
        again may number its tokens differently.
        """
        if not self.o.resume:
            shutil.rmtree(self.run / "state", ignore_errors=True)
            for name in ("attributes.json", "log.txt"):
                (self.run / name).unlink(missing_ok=True)
        ensure(self.run / "tokenizer", self.o.data)
        if not (self.run / "attributes.json").exists():
            (self.run / "attributes.json").write_text(json.dumps(attribute_values(row for shard in self.shards.shards[:16] for row in shard.rows)), encoding="utf-8")

    # State on disk. Weights and their average are f16, the optimizer's moments bf16 (their range matters more than
    # their digits): every file of the small model stays under 16 MB.

    def save(self):
        folder = Path(tempfile.mkdtemp(prefix="state.new", dir=self.run))
        names = [n for n, _ in self.model.named_parameters()]
        pack = lambda values, kind: {n: v.detach().to("cpu", kind).contiguous() for n, v in zip(names, values)}
        save_file(pack(self.model.parameters(), torch.float16), folder / "weights.safetensors")
        save_file(pack(self.ema, torch.float16), folder / "ema.safetensors")
        save_file({n: t.detach().cpu().contiguous() for n, t in self.helpers.state_dict().items()}, folder / "helpers.safetensors")
        moments = [self.optimizer.state.get(p, {}) for p in self.model.parameters()]
        for key in ("exp_avg", "exp_avg_sq"):
            if all(key in m for m in moments):
                save_file(pack([m[key] for m in moments], torch.bfloat16), folder / f"{key}.safetensors")
        (folder / "progress.json").write_text(json.dumps(self.progress, indent=1) + "\n", encoding="utf-8")
        replace_folder(folder, self.run / "state")

    def load(self):
        folder = self.run / "state"
        self.progress = json.loads((folder / "progress.json").read_text(encoding="utf-8"))
        self.progress.update(batch=self.o.batch, workers=self.o.workers, hardware=hardware(self.o))
        self.model.load_state_dict({n: t.float() for n, t in load_file(folder / "weights.safetensors").items()})
        self.helpers.load_state_dict(load_file(folder / "helpers.safetensors"))
        stored = load_file(folder / "ema.safetensors")
        for (name, _), kept in zip(self.model.named_parameters(), self.ema):
            kept.copy_(stored[name].float())
        if (folder / "exp_avg_sq.safetensors").exists():
            first, second = load_file(folder / "exp_avg.safetensors"), load_file(folder / "exp_avg_sq.safetensors")
            steps = float(self.progress["steps"])
            for name, p in self.model.named_parameters():
                like = lambda t: torch.empty_like(p, dtype=torch.float32).copy_(t)
                self.optimizer.state[p] = {"step": torch.tensor(steps), "exp_avg": like(first[name]), "exp_avg_sq": like(second[name])}
        self.log(f"resumed at {self.progress['samples']} samples, {self.progress['seconds'] / 60:.1f} minutes")

    # Stage one.

    def train_text(self):
        """The text encoder, the binder and the helpers alone, on captions with region colours and attributes."""
        model, budget = self.model, self.o.text_minutes * 60
        modules = [model.text_encoder, model.region_text, self.helpers]
        optimizer = torch.optim.AdamW(parameter_groups(modules), lr=self.o.rate, betas=(0.9, 0.98), foreach=True)
        parameters = [p for m in modules for p in m.parameters()]
        start, number, size, recent, share = time.time(), 0, 128, [], 0.0
        while True:
            if number % SYNC_STEPS == 0:
                elapsed, ending = self.agree(time.time() - start)
                share = elapsed / budget
                if share >= 1 or ending:
                    break
            for group in optimizer.param_groups:
                group["lr"] = self.o.rate * min(1, (number + 1) / 50) * (0.05 + 0.95 * (0.5 + 0.5 * math.cos(math.pi * share)))
            batch = {k: v.to(self.device) for k, v in self.described(number, size).items()}
            hidden, pooled = model.read(batch["tokens"])
            colour, words = self.helpers.loss(model.region_text.layers(model.region_text(hidden)), pooled, batch["colours"], batch["visible"], batch["labels"])
            (10 * colour + words).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            recent.append((colour.item(), words.item()))
            number += 1
            if self.o.workers > 1 and number % SYNC_STEPS == 0:
                self.average(parameters)
            if number % 40 == 0:
                colour, words = np.mean(recent[-40:], 0)
                seen = number * size * self.o.workers
                self.progress["text_losses"].append([seen, float(colour), float(words)])
                self.log(f"text {seen} captions, colour error {colour:.5f}, attribute entropy {words:.4f}, {seen / (time.time() - start):.0f}/s")
        self.progress["text_samples"] += number * size * self.o.workers
        self.progress["seconds"] += elapsed

    def described(self, number, size):
        """Captions of random rows with what they say of colours and attributes."""
        rng = np.random.default_rng([self.o.seed, self.rank, number])
        rows = self.shards.draw(rng, size)
        sentences = [self.plans.captioner.training(s.rows[i], rng) for s, i in self.shards.pairs(rows)]
        targets = OnDisk(self.shards, self.attributes).targets(torch.from_numpy(rows))
        return {"tokens": self.words(sentences), **dict(zip(("colours", "visible", "labels"), targets))}

    # Stage two.

    def softened(self, latent, draw, generator):
        """Pictures as an unfinished head shows them: some blurred, some tinted. What they should become stays sharp."""
        picture = to_picture(latent)
        chosen, depth = draw() < self.o.soften, draw()
        half = F.interpolate(F.interpolate(picture, size=IMAGE_SIZE // 2, mode="area"), size=IMAGE_SIZE, mode="bilinear")
        third = F.interpolate(F.interpolate(picture, size=IMAGE_SIZE // 3, mode="bilinear", antialias=True), size=IMAGE_SIZE, mode="bilinear")
        grow = lambda v: v[:, None, None, None]
        blurred = torch.where(grow(depth) < 0.6, half, torch.where(grow(depth) < 0.8, third, picture))
        tint = 0.06 * torch.randn(len(picture), 3, 1, 1, generator=generator, device=picture.device)
        blurred = blurred + tint * grow((draw() < 0.4).float())
        return from_picture(torch.where(grow(chosen), blurred, picture))

    def loss(self, batch):
        o, device = self.o, self.device
        generator = torch.Generator(device).manual_seed(batch["noise_seed"])
        draw = lambda: torch.rand(o.batch, generator=generator, device=device)
        latent, control = to_latent(batch["image"]), batch["control"].float() / 255
        # A quarter of the steps near pure noise, where the words decide; few below the levels that distillation asks for.
        t = torch.where(draw() < 0.25, 0.85 + 0.15 * draw(), torch.where(draw() < 0.08, 0.02 + 0.2 * draw(), 0.2 + 0.8 * draw()))
        t = o.shift * t / (1 + (o.shift - 1) * t)
        stamps = (t * 1000).long().clamp(0, 999)
        signal_, noise_ = SIGNAL.to(device)[stamps], NOISE.to(device)[stamps]
        grow = lambda v: v[:, None, None, None]
        noise = torch.randn(latent.shape, generator=generator, device=device)
        seen = self.softened(latent, draw, generator) if o.soften > 0 else latent
        reference = to_latent(batch["reference"])
        if o.soften > 0 and len(reference):
            reference = self.softened(reference, lambda: draw()[: len(reference)], generator)
        noisy = (grow(signal_) * seen + grow(noise_) * noise).contiguous(memory_format=torch.channels_last)
        blank = draw()
        keep_control, keep_residuals = (blank > 0.03).float(), ((blank < 0.03) | (blank > 0.05)).float()
        with mixed(device, o.precision == "bf16"):
            hidden, pooled = self.model.read(batch["tokens"])
            found = self.model.region_text(hidden)
            reference = (to_picture(reference) + 1) / 2
            clean = self.model.denoise(noisy, stamps, hidden, pooled, control, found, keep_control, keep_residuals, reference)
        weight = grow((1 / (noise_.square() + 1e-4)).clamp(max=5))
        fine = 1 + o.detail * control[:, [BROWS, EYES, LIPS]].amax(1, keepdim=True).gt(0.2).float()
        if o.rims > 0:
            names = list(self.attributes)
            none = self.attributes["glasses"].index("none")
            wearing = (batch["labels"][:, names.index("glasses")] != none).float()
            around = F.max_pool2d(control[:, [EYES]].gt(0.2).float(), 15, 1, 7)
            fine = fine + o.rims * grow(wearing) * around
        fine = F.pixel_unshuffle(F.interpolate(fine, size=IMAGE_SIZE), UNSHUFFLE).repeat(1, 3, 1, 1)
        picture = (weight * fine * (clean.float() - latent).square()).mean()
        colour, words = self.helpers.loss(self.model.region_text.layers(found), pooled, batch["colours"], batch["visible"], batch["labels"])
        return picture, picture + COLOUR_WEIGHT * colour + ATTRIBUTE_WEIGHT * words

    def average(self, parameters):
        """Workers agree on the mean of their weights."""
        flat = torch.cat([p.data.flatten() for p in parameters])
        dist.all_reduce(flat)
        flat /= self.o.workers
        at = 0
        for p in parameters:
            p.data.copy_(flat[at : at + p.numel()].view(p.shape))
            at += p.numel()

    def agree(self, elapsed):
        """The lead's clock and wish to stop, so that all workers leave in the same step."""
        if self.o.workers == 1:
            return elapsed, self.stop
        word = torch.tensor([elapsed, float(self.stop)], dtype=torch.float64)
        dist.broadcast(word, 0)
        return word[0].item(), bool(word[1].item())

    def train(self):
        o, progress = self.o, self.progress
        if progress["steps"] == 0 and o.text_minutes > 0:
            self.train_text()
            self.ema = [p.detach().clone() for p in self.model.parameters()]
        # Two stages of the batches' random streams never share a number.
        batches = Batches(self.plans, self.attributes, self.device, 1_000_000 + progress["steps"])
        held = HeldOut(self.shards, Captioner(), self.words, device=self.device) if self.lead else None
        self.tables = palettes(self.shards) if self.lead else None
        count = sum(p.numel() for p in self.model.parameters()) / 1e6
        self.log(f"{count:.2f} M parameters, {self.shards.count()} images, {len(self.words)} tokens, attributes {list(self.attributes)}")
        budget, before = o.minutes * 60, progress["seconds"]
        start = scan = time.time()
        paused = 0.0  # evaluation is not training time
        next_eval = next_export = before
        next_eval += min(7, o.evaluate_every) * 60
        next_export += o.export_every * 60
        recent, mark, elapsed, first = [], (time.time(), progress["samples"]), before, progress["steps"]
        while True:
            step = progress["steps"]
            if step % SYNC_STEPS == 0 or o.workers == 1:
                elapsed, ending = self.agree(before + time.time() - start - paused)
                if elapsed >= budget or ending:
                    break
            share = min(elapsed / budget, 1)
            rate = o.rate * min(1, (step - first + 1) / 150) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * share)))
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            picture, total = self.loss(batches.next())
            total.backward()
            torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad()
            step += 1
            progress["steps"], progress["samples"] = step, progress["samples"] + o.batch * o.workers
            if o.workers > 1 and step % SYNC_STEPS == 0:
                self.average(self.parameters)
            if self.lead:
                decay = min(0.995 + 0.004 * share, (1 + step) / (10 + step))
                torch._foreach_lerp_(self.ema, [p.data for p in self.model.parameters()], 1 - decay)
                recent.append(picture.detach())
                if step % 50 == 0:
                    recent = recent[-400:]
                    progress.update(loss=float(torch.stack(recent).mean()), loss_window=len(recent), seconds=elapsed)
                    progress["losses"].append([progress["samples"], float(torch.stack(recent[-50:]).mean())])
                    now = time.time()
                    pace = (progress["samples"] - mark[1]) / (now - mark[0])
                    mark = (now, progress["samples"])
                    self.log(f"step {step}, {progress['samples']} samples, {elapsed / 60:.1f} min, loss {progress['losses'][-1][1]:.4f}, rate {rate:.1e}, {pace:.1f}/s")
                if elapsed >= next_eval:
                    pause = time.time()
                    export = elapsed >= next_export
                    self.evaluate(held, elapsed, export)
                    next_eval = elapsed + o.evaluate_every * 60
                    next_export = elapsed + o.export_every * 60 if export else next_export
                    paused += time.time() - pause
                    mark = (mark[0] + time.time() - pause, mark[1])
            # A GPU holds the pictures that were there when it began.
            if time.time() - scan > 45 and not self.device.startswith("cuda"):
                scan = time.time()
                if added := self.shards.rescan():
                    self.log(f"{added} new shards, {self.shards.count()} images")
        progress["seconds"] = elapsed
        if self.lead:
            self.evaluate(held, elapsed, True)
        self.barrier()

    def evaluate(self, held, elapsed, export):
        """Measures the averaged weights, saves the state, draws the sheet; exports if asked."""
        start, progress = time.time(), self.progress
        own = [p.data.clone() for p in self.model.parameters()]
        for p, kept in zip(self.model.parameters(), self.ema):
            p.data.copy_(kept)
        self.model.eval()
        errors, gap = held(self.model)
        sampler = Sampler(self.model, self.words, self.device)
        skin, hair, both, lines = gate(sampler, self.shards, self.tables)
        progress["evaluations"].append({"samples": progress["samples"], "minutes": elapsed / 60, "errors": errors, "gap": gap, "gate": [skin, hair, both], "gate_lines": lines})
        progress.update(seconds=elapsed, images=self.shards.count(), shards=len(self.shards.training), held_out_images=sum(len(s) for s in self.shards.validation))
        sheet(sampler, self.shards, self.run / "samples.png")
        edit_sheet(sampler, self.shards, self.run / "edits.png")
        shutil.copyfile(self.run / "samples.png", self.run / f"samples_{progress['samples']:08d}.png")
        show = lambda table: " ".join(f"{k}:{v:.4f}" for k, v in table.items())
        self.log(f"EVAL {progress['samples']} error {show(errors)} | text gap {show(gap)} | gate skin {skin} hair {hair} both {both} | {time.time() - start:.0f} s")
        for line in lines:
            self.log(f"  gate: {line}")
        if export and self.o.export:
            write_folder(self.model, self.run / "tokenizer", self.o.export, model_card(self.model, progress), self.run / "samples.png", len(self.shards.edited) > 0)
            self.log(f"exported to {self.o.export}")
        for p, kept in zip(self.model.parameters(), own):
            p.data.copy_(kept)
        self.model.train()
        self.save()


def hardware(options):
    if options.device.startswith("cuda"):
        return f"1 {torch.cuda.get_device_name()}"
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        name = lines[0] if lines else name
    return f"{options.workers * options.threads} CPU thread{'s' if options.workers * options.threads > 1 else ''} ({name}, {os.cpu_count()} cores, shared with other work)"


def worker(rank, options, meeting):
    torch.set_num_threads(options.threads)
    if options.workers > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=options.workers, timeout=timedelta(hours=3))
    Training(options, rank).train()
    if options.workers > 1:
        dist.destroy_process_group()


def main():
    options = arguments()
    if options.workers == 1:
        worker(0, options, None)
        return
    with tempfile.TemporaryDirectory() as folder:
        context = torch.multiprocessing.get_context("spawn")
        processes = [context.Process(target=worker, args=(rank, options, f"{folder}/meeting")) for rank in range(options.workers)]
        # The lead hears the wish to stop and passes it on; before it listens, everything simply ends.
        signal.signal(signal.SIGTERM, lambda *_: [p.terminate() for p in processes[:1] if p.is_alive()])
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        if any(process.exitcode for process in processes):
            raise SystemExit("a worker failed; see above")


if __name__ == "__main__":
    main()

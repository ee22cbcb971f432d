"""Small random diffusion checkpoints and what the reference libraries answer on them.

Writes `tests/fixtures/diffusion/<name>/` folders in the diffusers layout (weights in f16, so that
f32 values read back are exactly those the reference ran with), each with a `reference.safetensors`
in the format of `headsculpt models verify --reference`, and three JSON files with tokenizer ids and
noise schedule values. Everything is seeded; run it from the repository root:

    python tools/diffusion_fixtures/make.py

Written with torch 2.x, diffusers 0.42, transformers 5, tokenizers 0.22.
"""

import json
import math
import shutil
from collections import Counter
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    DDPMScheduler,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

OUT = Path("tests/fixtures/diffusion")
LENGTH = 77
START, END = "<|startoftext|>", "<|endoftext|>"

CORPUS = """
a bald man with green skin and a short red beard, an old woman with long white hair and round glasses
a smiling young woman with short black hair, a bronze statue of a man wearing a hat, a marble head
side view of head, front view of head, back view of head, blue eyes, brown eyebrows, freckles, afro, mohawk
don't isn't they're we've I'm he'll she'd it's 1234567890 naive cafe resume! hello, world... (well) [yes] #1
""".strip()

TRICKY = [
    "",
    " ",
    "a bald man with green skin",
    "A  Bald\tMAN\n with   GREEN skin",
    "don't they're I'll we've he'd I'm it's",
    "1234 5.6 7,8 x2y3",
    "hello!!! (world)... [yes] #hashtag @me $5 100%",
    "caf\u00e9 cafe\u0301 na\u00efve \u00fcber",
    "\u4f60\u597d \u4e16\u754c, \u043f\u0440\u0438\u0432\u0435\u0442 \u0645\u0631\u062d\u0628\u0627",
    "smile \U0001f600 and \U0001f469\u200d\U0001f9b1 hair",
    "zero\u200bwidth and nbsp\u00a0here and em\u2014dash",
    "a <|endoftext|> in the middle",
    "<|startoftext|>start<|endoftext|>",
    "loud <|EndOfText|> end",
    "supercalifragilisticexpialidocious xyzzyqwv",
    "under_score-and-hyphen/slash\\back",
    "\u0130stanbul \u00df \u01c5",
    "quote's 'single' \"double\" `tick`",
    "word " * 100,
]


def randomise(module: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Random weights with no zero layers and no unit norms, rounded to f16."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                is_scale = "norm" in name and name.endswith("weight")
                value = 1.0 + 0.2 * noise if is_scale else 0.1 * noise
            elif "embedding" in name and "time" not in name and parameter.dim() == 2 and "class" not in name:
                value = 0.3 * noise
            else:
                fan_in = parameter[0].numel()
                value = noise / math.sqrt(fan_in)
            parameter.copy_(value.half().float())
    return module.eval()


def save(module, folder: Path):
    module.half().save_pretrained(folder)
    module.float()


def rename(path: Path, rule):
    tensors = load_file(path)
    save_file({rule(k): v.contiguous() for k, v in tensors.items()}, path, metadata={"format": "pt"})


def clip_bpe(merge_count: int):
    """A byte-level BPE like CLIP's, learned from a few sentences. (The library's own trainer breaks
    ties differently from run to run, hence this small one: most frequent pair, then alphabetical.)"""
    normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    splitter = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    words = [word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(CORPUS))]
    words = [list(word[:-1]) + [word[-1] + "</w>"] for word in words]
    learned = []
    while len(learned) < merge_count:
        counts = Counter(pair for word in words for pair in zip(word, word[1:]))
        if not counts:
            break
        pair = min(counts, key=lambda p: (-counts[p], p))
        learned.append(list(pair))
        for word in words:
            i = 0
            while i + 1 < len(word):
                if (word[i], word[i + 1]) == pair:
                    word[i : i + 2] = ["".join(pair)]
                i += 1
    # CLIP's order: bytes, bytes with the end-of-word mark, merges, two special tokens.
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = alphabet + [c + "</w>" for c in alphabet] + ["".join(m) for m in learned]
    pieces = list(dict.fromkeys(pieces)) + [START, END]
    return {piece: i for i, piece in enumerate(pieces)}, learned


def write_vocab_and_merges(folder: Path, vocab, merges, config, special):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(m) for m in merges) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1))
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=1))


def text_model(vocab_size, seed, **overrides):
    config = dict(
        vocab_size=vocab_size,
        max_position_embeddings=LENGTH,
        bos_token_id=vocab_size - 2,
        eos_token_id=vocab_size - 1,
        pad_token_id=vocab_size - 1,
    )
    config.update(overrides)
    return randomise(CLIPTextModel(CLIPTextConfig(**config)), seed)


def ids(tokenizer, texts):
    out = tokenizer(texts, padding="max_length", truncation=True, max_length=tokenizer.model_max_length)
    return torch.tensor(out["input_ids"], dtype=torch.int64)


class RegionText(torch.nn.Module):
    """Reference of the region text binder (see src/diffusion/region_text.rs)."""

    MASKS = ["all", "inside", "outside", "scalp", "brows", "eyes", "nose", "lips", "jaw", "ears"]

    def __init__(self, text_dim, query_dim, heads, channels, control_offset):
        super().__init__()
        regions = len(self.MASKS)
        self.config = {
            "_class_name": "RegionText",
            "regions": regions,
            "text_dim": text_dim,
            "query_dim": query_dim,
            "heads": heads,
            "channels": channels,
            "control_offset": control_offset,
            "masks": self.MASKS,
        }
        self.queries = torch.nn.Parameter(torch.zeros(regions, query_dim))
        self.to_k = torch.nn.Linear(text_dim, query_dim, bias=False)
        self.to_v = torch.nn.Linear(text_dim, query_dim, bias=False)
        self.to_out = torch.nn.ModuleList([torch.nn.Linear(query_dim, channels)])

    def forward(self, hidden, control):
        batch, length, _ = hidden.shape
        heads = self.config["heads"]
        size = self.config["query_dim"] // heads
        q = self.queries.view(-1, heads, size).permute(1, 0, 2)[None]
        k = self.to_k(hidden).view(batch, length, heads, size).permute(0, 2, 1, 3)
        v = self.to_v(hidden).view(batch, length, heads, size).permute(0, 2, 1, 3)
        weights = (q @ k.transpose(2, 3) / math.sqrt(size)).softmax(-1)
        values = self.to_out[0]((weights @ v).permute(0, 2, 1, 3).reshape(batch, -1, heads * size))
        mask = control[:, 6]
        planes = [torch.ones_like(mask), mask, 1 - mask] + [control[:, 9 + i] for i in range(7)]
        painted = torch.einsum("brhw,brc->bchw", torch.stack(planes, 1), values)
        out = control.clone()
        first = self.config["control_offset"]
        out[:, first : first + painted.shape[1]] += painted
        return out


def record(folder, tokens, text, unet, controlnet, vae, latent, timestep, control_image, image, seed):
    """Runs the libraries and writes the tensors that `models verify --reference` compares."""
    generator = torch.Generator().manual_seed(seed)
    encoded = text(tokens)
    hidden, pooled = encoded.last_hidden_state, encoded.pooler_output
    labels = pooled if unet.config.class_embed_type == "projection" else None
    out = {"tokens": tokens, "text_embedding": hidden, "latent": latent, "timestep": timestep}
    with torch.no_grad():
        out["noise_pred"] = unet(latent, timestep, hidden, class_labels=labels).sample
        if controlnet is not None:
            out["control_image"] = control_image
            down, mid = controlnet(latent, timestep, hidden, control_image, class_labels=labels, return_dict=False)
            out["noise_pred_controlled"] = unet(
                latent,
                timestep,
                hidden,
                class_labels=labels,
                down_block_additional_residuals=down,
                mid_block_additional_residual=mid,
            ).sample
    if vae is not None:
        leaf = image.clone().requires_grad_(True)
        mean = vae.encode(2 * leaf - 1).latent_dist.mean * vae.config.scaling_factor
        cotangent = torch.randn(mean.shape, generator=generator)
        (gradient,) = torch.autograd.grad((mean * cotangent).sum(), leaf)
        out.update(image=image, latent_mean=mean, latent_cotangent=cotangent, image_grad=gradient)
    out = {k: v.detach().contiguous() for k, v in out.items()}
    save_file(out, folder / "reference.safetensors")
    return hidden.detach(), pooled.detach(), labels


def uniform(shape, seed):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def normal(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def sd_like():
    """Stable Diffusion 1.x in small: 32 groups, quick_gelu, epsilon, scaled_linear, old VAE key names."""
    folder = OUT / "sd_like"
    vocab, merges = clip_bpe(90)
    special = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
    wrapped = {k: {"content": v, "lstrip": False, "normalized": True} for k, v in special.items()}
    config = {"model_max_length": LENGTH, "tokenizer_class": "CLIPTokenizer", **wrapped}
    write_vocab_and_merges(folder / "tokenizer", vocab, merges, config, special)
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    text = text_model(
        len(vocab), 1, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        hidden_act="quick_gelu", projection_dim=32,
    )
    shared = dict(
        in_channels=4, block_out_channels=(32, 32), layers_per_block=1, cross_attention_dim=32,
        attention_head_dim=4, norm_num_groups=32, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    )
    unet = randomise(
        UNet2DConditionModel(
            sample_size=16, out_channels=4, up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), **shared
        ), 2,
    )
    controlnet = randomise(
        ControlNetModel(conditioning_channels=3, conditioning_embedding_out_channels=(8, 16), **shared), 3
    )
    vae = randomise(
        AutoencoderKL(
            block_out_channels=(32, 32), layers_per_block=1, latent_channels=4, norm_num_groups=32,
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
            scaling_factor=0.18215, sample_size=32,
        ), 4,
    )
    save(text, folder / "text_encoder")
    save(unet, folder / "unet")
    save(controlnet, folder / "controlnet")
    save(vae, folder / "vae")
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def rule(key):
        for new, name in old.items():
            key = key.replace(f"attentions.0.{new}.", f"attentions.0.{name}.")
        return key

    rename(folder / "vae/diffusion_pytorch_model.safetensors", rule)
    (folder / "scheduler").mkdir(exist_ok=True)
    scheduler = {
        "_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012,
        "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "skip_prk_steps": True,
        "steps_offset": 1, "set_alpha_to_one": False, "trained_betas": None,
    }
    (folder / "scheduler/scheduler_config.json").write_text(json.dumps(scheduler, indent=1))
    index = {
        "_class_name": "StableDiffusionPipeline", "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
        "safety_checker": [None, None], "feature_extractor": [None, None],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=1))
    tokens = ids(tokenizer, ["a bald man with green skin", ""])
    record(
        folder, tokens, text, unet, controlnet, vae, normal((2, 4, 16, 16), 10), torch.tensor([981.0]),
        uniform((2, 3, 32, 32), 11), uniform((1, 3, 32, 32), 12), 13,
    )
    latent = normal((1, 4, 16, 16), 14)
    with torch.no_grad():
        image = vae.decode(latent / vae.config.scaling_factor).sample / 2 + 0.5
        leaf = uniform((1, 3, 32, 32), 12)
        std = vae.encode(2 * leaf - 1).latent_dist.std * vae.config.scaling_factor
        steps = torch.tensor([3.0, 700.0])
        hidden = text(tokens).last_hidden_state
        per_sample = unet(normal((2, 4, 16, 16), 10), steps, hidden).sample
    extra = {"decode_latent": latent, "decoded": image, "latent_std": std, "timesteps": steps, "noise_pred": per_sample}
    save_file({k: v.contiguous() for k, v in extra.items()}, folder / "extra.safetensors")
    return tokenizer


def odd_channels():
    """Channels that are no multiples of 32, 8 groups, gelu, v prediction, linear projections, odd sizes.

    The level that never attends names more heads than it has channels, and the ControlNet shrinks its image twice as
    far as the autoencoder does: both are legal in the reference.
    """
    folder = OUT / "odd_channels"
    vocab, merges = clip_bpe(140)
    tokenizer = CLIPTokenizer(
        vocab=vocab, merges=[tuple(m) for m in merges], model_max_length=LENGTH, pad_token="!",
    )
    tokenizer.save_pretrained(folder / "tokenizer")
    text = text_model(
        len(vocab), 21, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=6,
        hidden_act="gelu", projection_dim=48, pad_token_id=vocab["!"],
    )
    shared = dict(
        in_channels=6, block_out_channels=(16, 40), layers_per_block=2, cross_attention_dim=48,
        attention_head_dim=(24, 5), norm_num_groups=8, use_linear_projection=True,
        transformer_layers_per_block=(1, 2), flip_sin_to_cos=False, freq_shift=1, norm_eps=1e-6,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
    )
    unet = randomise(
        UNet2DConditionModel(
            sample_size=12, out_channels=6,
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), **shared,
        ), 22,
    )
    controlnet = randomise(
        ControlNetModel(conditioning_channels=5, conditioning_embedding_out_channels=(8, 12, 20), **shared), 23
    )
    vae = randomise(
        AutoencoderKL(
            block_out_channels=(16, 24), layers_per_block=1, latent_channels=6, norm_num_groups=8,
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
            scaling_factor=0.7, sample_size=24, use_quant_conv=False, use_post_quant_conv=False,
        ), 24,
    )
    save(text, folder / "text_encoder")
    save(unet, folder / "unet")
    save(controlnet, folder / "controlnet")
    save(vae, folder / "vae")
    rename(folder / "text_encoder/model.safetensors", lambda key: f"text_model.{key}")
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type="v_prediction",
        rescale_betas_zero_snr=True, clip_sample=False,
    )
    scheduler.save_pretrained(folder / "scheduler")
    tokens = ids(tokenizer, ["an old woman with long white hair", "side view of head, round glasses"])
    record(
        folder, tokens, text, unet, controlnet, vae, normal((2, 6, 9, 7), 30), torch.tensor([412.0]),
        uniform((2, 5, 36, 28), 31), uniform((1, 3, 18, 14), 32), 33,
    )
    return tokenizer


def pixel_space():
    """The embedded model in small: pixel space, pooled text, sample prediction, two ControlNets, region text."""
    folder = OUT / "pixel_space"
    words = sorted(set("".join(c if c.isalnum() else " " for c in CORPUS.lower()).split()))
    pieces = ["<pad>", START, END, "<unk>"] + [",", "."] + [w for w in words if not w.isdigit()]
    vocab = {p: i for i, p in enumerate(pieces)}
    backend = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    (folder / "tokenizer").mkdir(parents=True)
    backend.save(str(folder / "tokenizer/tokenizer.json"))
    config = {
        "model_max_length": LENGTH, "bos_token": START, "eos_token": END, "pad_token": "<pad>", "unk_token": "<unk>",
    }
    (folder / "tokenizer/tokenizer_config.json").write_text(json.dumps(config, indent=1))

    def encode(texts):
        rows = []
        for value in texts:
            row = [1] + backend.encode(value, add_special_tokens=False).ids[: LENGTH - 2] + [2]
            rows.append(row + [0] * (LENGTH - len(row)))
        return torch.tensor(rows, dtype=torch.int64)

    # An end token of 2 would make transformers take its legacy rule (largest id); both rules are
    # covered: this fixture keeps 2, the others have the token's true id.
    text = text_model(
        len(vocab), 41, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        hidden_act="quick_gelu", projection_dim=32, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )
    shared = dict(
        in_channels=12, block_out_channels=(16, 24, 32), layers_per_block=1, cross_attention_dim=32,
        attention_head_dim=4, norm_num_groups=8, class_embed_type="projection",
        projection_class_embeddings_input_dim=32,
    )
    attention = ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D")
    unet = randomise(
        UNet2DConditionModel(
            sample_size=8, out_channels=12, down_block_types=attention,
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), **shared,
        ), 42,
    )
    dense = randomise(
        ControlNetModel(
            conditioning_channels=24, conditioning_embedding_out_channels=(8, 16), down_block_types=attention, **shared
        ), 43,
    )
    reference = randomise(
        ControlNetModel(
            conditioning_channels=3, conditioning_embedding_out_channels=(8, 12),
            down_block_types=("DownBlock2D",) * 3, mid_block_type="UNetMidBlock2D", **shared,
        ), 44,
    )
    binder = randomise(RegionText(32, 24, 4, 8, 16), 45)
    save(text, folder / "text_encoder")
    save(unet, folder / "unet")
    save(dense, folder / "controlnet")
    save(reference, folder / "controlnet_1")
    (folder / "region_text").mkdir()
    (folder / "region_text/config.json").write_text(json.dumps(binder.config, indent=1))
    save_file({k: v.half() for k, v in binder.state_dict().items()}, folder / "region_text/model.safetensors")
    readers = torch.nn.Linear(32, 5)
    readers.load_state_dict({"weight": normal((5, 32), 57).half().float(), "bias": normal((5,), 58).half().float()})
    lists = [{"name": "male", "values": [False, True]}, {"name": "material", "values": [None, "bronze", "gold"]}]
    (folder / "attributes").mkdir()
    config = {"_class_name": "AttributeReaders", "width": 32, "attributes": lists}
    (folder / "attributes/config.json").write_text(json.dumps(config, indent=1))
    save_file({k: v.half() for k, v in readers.state_dict().items()}, folder / "attributes/model.safetensors")
    scheduler = DDPMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="sample", clip_sample=False)
    scheduler.save_pretrained(folder / "scheduler")
    manifest = {
        "image_size": 16, "pixel_unshuffle": 2, "guidance_scale": 3.0,
        "controls": {"controlnet": "dense", "controlnet_1": "reference"}, "region_text": "region_text", "attributes": "attributes",
    }
    (folder / "headsculpt.json").write_text(json.dumps(manifest, indent=1))
    tokens = encode(["a bald man with green skin", "a smiling young woman, round glasses"])
    latent, steps = normal((2, 12, 8, 8), 50), torch.tensor([750.0])
    hidden, _, labels = record(
        folder, tokens, text, unet, dense, None, latent, steps, uniform((2, 24, 16, 16), 51), None, 53,
    )
    control16, picture = uniform((2, 16, 16, 16), 54), uniform((2, 3, 16, 16), 55)
    with torch.no_grad():
        padded = torch.cat([control16, torch.zeros(2, 8, 16, 16)], 1)
        bound = binder(hidden, padded)
        down, mid = dense(latent, steps, hidden, bound, conditioning_scale=0.75, class_labels=labels, return_dict=False)
        down1, mid1 = reference(
            latent, steps, hidden, picture, conditioning_scale=0.5, class_labels=labels, return_dict=False
        )
        both = unet(
            latent, steps, hidden, class_labels=labels,
            down_block_additional_residuals=[a + b for a, b in zip(down, down1)],
            mid_block_additional_residual=mid + mid1,
        ).sample
        image = uniform((2, 3, 16, 16), 56)
        pixels = torch.nn.functional.pixel_unshuffle(2 * image - 1, 2)
    with torch.no_grad():
        odds = torch.cat([part.softmax(1) for part in readers(labels).split([2, 3], 1)], 1)
    extra = {
        "odds": odds, "control16": control16, "picture": picture, "bound": bound, "both": both, "image": image, "pixels": pixels,
    }
    save_file({k: v.contiguous() for k, v in extra.items()}, folder / "extra.safetensors")
    tricky = [
        {"text": t, "ids": row} for t, row in zip(TRICKY, encode(TRICKY).tolist())
    ]
    return tricky


def asymmetric():
    """A list of layers per block, no middle block, no ControlNet, no VAE, no unshuffling."""
    folder = OUT / "asymmetric"
    shutil.copytree(OUT / "pixel_space/tokenizer", folder / "tokenizer")
    shutil.copytree(OUT / "pixel_space/text_encoder", folder / "text_encoder")
    text = CLIPTextModel.from_pretrained(folder / "text_encoder").float().eval()
    unet = randomise(
        UNet2DConditionModel(
            sample_size=8, in_channels=3, out_channels=3, block_out_channels=(8, 12), layers_per_block=[1, 2],
            cross_attention_dim=32, attention_head_dim=(2, 3), norm_num_groups=4, mid_block_type=None,
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), mid_block_scale_factor=1.5,
        ), 62,
    )
    save(unet, folder / "unet")
    DDPMScheduler(beta_schedule="linear").save_pretrained(folder / "scheduler")
    manifest = {"image_size": 8, "pixel_unshuffle": 1, "guidance_scale": 2.0, "controls": {}, "region_text": None}
    (folder / "headsculpt.json").write_text(json.dumps(manifest, indent=1))
    tokens = torch.zeros(1, LENGTH, dtype=torch.int64)
    tokens[0, :4] = torch.tensor([1, 9, 10, 2])
    record(folder, tokens, text, unet, None, None, normal((1, 3, 8, 8), 70), torch.tensor([5.0]), None, None, 73)


def schedules():
    rows = []
    for options in [
        dict(beta_schedule="linear", beta_start=1e-4, beta_end=0.02),
        dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012),
        dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, rescale_betas_zero_snr=True),
        dict(beta_schedule="squaredcos_cap_v2"),
        dict(beta_schedule="squaredcos_cap_v2", num_train_timesteps=300),
        dict(trained_betas=[0.1, 0.2, 0.3, 0.4]),
    ]:
        scheduler = DDPMScheduler(**options)
        count = len(scheduler.alphas_cumprod)
        picks = sorted({0, 1, 2, count // 4, count // 2, 3 * count // 4, count - 2, count - 1})
        values = [float(scheduler.alphas_cumprod[t]) for t in picks]
        options.setdefault("num_train_timesteps", 1000)
        rows.append({"config": options, "timesteps": picks, "alphas_cumprod": values})
    steps = []
    for kind in ["epsilon", "v_prediction", "sample"]:
        scheduler = DDIMScheduler(
            beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, prediction_type=kind,
            clip_sample=False, set_alpha_to_one=False,
        )
        scheduler.set_timesteps(10)
        z, prediction = normal((1, 2, 2, 2), 80), normal((1, 2, 2, 2), 81)
        out = scheduler.step(prediction, 700, z)
        noisy = scheduler.add_noise(z, prediction, torch.tensor([700]))
        steps.append(
            {
                "prediction_type": kind, "timestep": 700, "previous": 600, "sample": z.flatten().tolist(),
                "prediction": prediction.flatten().tolist(), "prev_sample": out.prev_sample.flatten().tolist(),
                "x0": out.pred_original_sample.flatten().tolist(), "noisy": noisy.flatten().tolist(),
            }
        )
    (OUT / "schedules.json").write_text(json.dumps({"schedules": rows, "ddim_steps": steps}))


def main():
    if OUT.exists():
        shutil.rmtree(OUT)
    torch.set_num_threads(1)
    tricky = {}
    for name, build in [("sd_like", sd_like), ("odd_channels", odd_channels)]:
        tokenizer = build()
        tricky[name] = [{"text": t, "ids": row} for t, row in zip(TRICKY, ids(tokenizer, TRICKY).tolist())]
    tricky["pixel_space"] = pixel_space()
    asymmetric()
    schedules()
    (OUT / "tokens.json").write_text(json.dumps(tricky))


if __name__ == "__main__":
    main()

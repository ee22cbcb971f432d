"""The networks of the embedded model: CLIP text, UNet, ControlNet and the binder of words to regions."""

import math

import torch
import torch.nn.functional as F
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from dataset import CONTROL_CHANNELS, MASKS, region_masks

IMAGE_SIZE, UNSHUFFLE = 128, 4
GUIDANCE = 3.0  # the scale that the exported folder names, and that the measures use
LATENT = 3 * UNSHUFFLE**2
BIND_CHANNELS = 16

# The program runs them on a CPU: a "small" prediction costs 2.4 billion operations. The deepest level keeps a wide view at
# 4x4 for little work.
SIZES = {
    "tiny": {"channels": (16, 24, 32, 48), "attention": (False, False, True, False), "width": 64, "layers": 1},
    "small": {"channels": (64, 96, 128, 160), "attention": (False, False, True, False), "width": 128, "layers": 2},
    "medium": {"channels": (64, 128, 192, 224), "attention": (False, False, True, True), "width": 192, "layers": 3},
}


class RegionText(nn.Module):
    """Queries, one a region, attend to the words of the prompt; what each finds is painted over its region.

    Softmax runs over all tokens, padding included, with scale 1/sqrt(head width). The result, `channels` planes, is
    appended to the dense control image.
    """

    def __init__(self, text_dim, regions=len(MASKS), query_dim=64, heads=4, channels=BIND_CHANNELS):
        super().__init__()
        self.heads = heads
        self.queries = nn.Parameter(torch.randn(regions, query_dim))
        self.to_k = nn.Linear(text_dim, query_dim, bias=False)
        self.to_v = nn.Linear(text_dim, query_dim, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(query_dim, channels)])

    def forward(self, hidden):
        """hidden (B,L,text_dim) -> (B,regions,channels)."""
        batch, length, _ = hidden.shape
        regions, width = self.queries.shape
        head = width // self.heads
        q = self.queries.view(regions, self.heads, head).transpose(0, 1)
        k = self.to_k(hidden).view(batch, length, self.heads, head).transpose(1, 2)
        v = self.to_v(hidden).view(batch, length, self.heads, head).transpose(1, 2)
        weights = (q @ k.transpose(-1, -2) / math.sqrt(head)).softmax(-1)
        found = (weights @ v).transpose(1, 2).reshape(batch, regions, width)
        return self.to_out[0](found)

    def paint(self, control, found):
        """Dense control (B,16,H,W) and (B,regions,channels) -> control image of 32 channels."""
        planes = torch.einsum("brhw,brc->bchw", region_masks(control), found)
        return torch.cat([control, planes], 1)

    def layers(self, found):
        """What the sum of the planes is on each region's own pixels: all + inside (or outside) + the region."""
        whole, inside = found[:, :1], found[:, 1:2]
        return torch.cat([whole, whole + inside, whole + found[:, 2:3], whole + inside + found[:, 3:]], 1)

    def config(self):
        regions, width = self.queries.shape
        return {
            "_class_name": "RegionText",
            "regions": regions,
            "text_dim": self.to_k.in_features,
            "query_dim": width,
            "heads": self.heads,
            "channels": self.to_out[0].out_features,
            "control_offset": CONTROL_CHANNELS,
            "masks": MASKS,
        }


def text_config(vocabulary, width, layers):
    """vocabulary: number of tokens; the last two are the start and the end of a sentence."""
    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        max_position_embeddings=77,
        projection_dim=width,
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
        pad_token_id=vocabulary - 1,
    )


def fresh_controlnet_outputs(controlnet):
    """ControlNets are usually grown on a trained UNet and start at zero; trained jointly they must speak from the start."""
    for layer in [*controlnet.controlnet_down_blocks, controlnet.controlnet_mid_block]:
        nn.init.normal_(layer.weight, std=0.5 / math.sqrt(layer.weight.shape[1]))
        nn.init.zeros_(layer.bias)
    controlnet.controlnet_cond_embedding.conv_out.reset_parameters()


class Embedded(nn.Module):
    """The whole model. Pictures are (B,3,128,128) in [-1,1], unshuffled by four into the UNet's latent (B,48,32,32).

    `controlnet` reads the dense control image at twice the latent's size; `controlnet_reference` reads the picture before an
    edit.
    """

    def __init__(self, vocabulary, size="small"):
        super().__init__()
        plan = SIZES[size]
        width, channels = plan["width"], plan["channels"]
        down = tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in plan["attention"])
        up = tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in reversed(plan["attention"]))
        common = {
            "in_channels": LATENT,
            "block_out_channels": channels,
            "layers_per_block": 1,
            "cross_attention_dim": width,
            "attention_head_dim": 4,  # diffusers' old name for the number of heads
            "norm_num_groups": 8,
        }
        self.text_encoder = CLIPTextModel(text_config(vocabulary, width, plan["layers"]))
        self.unet = UNet2DConditionModel(
            sample_size=IMAGE_SIZE // UNSHUFFLE,
            out_channels=LATENT,
            down_block_types=down,
            up_block_types=up,
            class_embed_type="projection",
            projection_class_embeddings_input_dim=width,
            **common,
        )
        # No attention in the ControlNet: the binder has already put the words where they belong.
        self.controlnet = ControlNetModel(
            conditioning_channels=CONTROL_CHANNELS + BIND_CHANNELS,
            conditioning_embedding_out_channels=(16, 32),
            down_block_types=("DownBlock2D",) * len(channels),
            mid_block_type="UNetMidBlock2D",
            **common,
        )
        self.controlnet_reference = ControlNetModel(
            conditioning_channels=3,
            conditioning_embedding_out_channels=(16, 32, 64),
            down_block_types=("DownBlock2D",) * len(channels),
            mid_block_type="UNetMidBlock2D",
            **common,
        )
        self.region_text = RegionText(width)
        self.initialise()

    def initialise(self):
        embeddings = {n: p for n, p in self.text_encoder.named_parameters() if "embedding" in n}
        for name, value in embeddings.items():
            nn.init.normal_(value, std=0.5 if "token" in name else 0.1)
        for controlnet in (self.controlnet, self.controlnet_reference):
            fresh_controlnet_outputs(controlnet)
        for module in [*self.unet.modules(), *self.controlnet.modules(), *self.controlnet_reference.modules()]:
            if type(module).__name__ == "ResnetBlock2D":
                nn.init.zeros_(module.conv2.weight)
                nn.init.zeros_(module.conv2.bias)
        nn.init.zeros_(self.unet.conv_out.weight)
        nn.init.zeros_(self.unet.conv_out.bias)

    def read(self, tokens):
        """tokens (B,L) -> hidden states (B,L,width), pooled state (B,width) at the first end of sentence."""
        output = self.text_encoder(input_ids=tokens)
        return output.last_hidden_state, output.pooler_output

    def denoise(self, latent, timesteps, hidden, pooled, control, found=None, keep_control=None, keep_residuals=None, reference=None):
        """The predicted clean latent (B,48,32,32).

        keep_control and keep_residuals (B) in {0,1} blank the control image and the ControlNet's outputs of single rows.
        reference (R,3,128,128) in [0,1], R <= B: pictures that the first R rows are edits of.
        """
        found = self.region_text(hidden) if found is None else found
        image = self.region_text.paint(control, found)
        if keep_control is not None:
            image = image * keep_control[:, None, None, None]
        image = image.contiguous(memory_format=torch.channels_last)
        down, middle = self.controlnet(latent, timesteps, hidden, image, return_dict=False)
        if keep_residuals is not None:
            keep = keep_residuals[:, None, None, None]
            down, middle = [d * keep for d in down], middle * keep
        if reference is not None and len(reference):
            rows = slice(0, len(reference))
            reference = reference.contiguous(memory_format=torch.channels_last)
            more, deepest = self.controlnet_reference(latent[rows], timesteps[rows], hidden[rows], reference, return_dict=False)
            down = [torch.cat([d[rows] + m, d[len(m) :]]) for d, m in zip(down, more)]
            middle = torch.cat([middle[rows] + deepest, middle[len(deepest) :]])
        return self.unet(
            latent,
            timesteps,
            hidden,
            class_labels=pooled,
            down_block_additional_residuals=tuple(down),
            mid_block_additional_residual=middle,
            return_dict=False,
        )[0]


class Readers(nn.Module):
    """One linear layer an attribute over a pooled text state."""

    def __init__(self, width, attributes):
        super().__init__()
        self.attributes = attributes  # name -> list of values, as text
        self.layers = nn.ModuleList([nn.Linear(width, len(values)) for values in attributes.values()])

    def forward(self, pooled):
        """pooled (B,width) -> list of logits (B,values), one an attribute."""
        return [layer(pooled) for layer in self.layers]

    def entropy(self, pooled, labels):
        """Mean cross-entropy; labels (B,attributes), -1 unknown."""
        known = (labels >= 0).any(0).nonzero()[:, 0].tolist()
        if not known:
            return pooled.new_zeros(())
        logits = self(pooled.float())
        return torch.stack([F.cross_entropy(logits[k].float(), labels[:, k], ignore_index=-1) for k in known]).mean()

    def config(self):
        """What the exported folder says of the readers; the order is that of their weights' rows."""
        native = {"True": True, "False": False, "None": None}
        return {
            "_class_name": "AttributeReaders",
            "width": self.layers[0].in_features,
            "attributes": [{"name": n, "values": [native.get(x, x) for x in v]} for n, v in self.attributes.items()],
        }

    def weights(self):
        """All readers as one linear layer: weight (values of all attributes, width) and bias."""
        return {"weight": torch.cat([r.weight for r in self.layers]), "bias": torch.cat([r.bias for r in self.layers])}


class Helpers(nn.Module):
    """What teaches the text side: the binder's first three planes are a draft of the colours, pooled text names attributes.

    Both teach the text side what words mean directly, which the picture's loss alone does slowly. Not exported: the
    program reads prompts with a tower of its own (train_readers.py).
    """

    def __init__(self, width, attributes):
        super().__init__()
        self.readers = Readers(width, attributes)

    def loss(self, draft, pooled, colours, visible, labels):
        """Colour error and attribute cross-entropy: draft (B,R,3+), colours (B,R,3), visible (B,R), labels (B,A), -1 unknown."""
        error = (draft[..., :3].float() - colours).square().mean(-1)
        colour = (error * visible).sum() / visible.sum().clamp(min=1)
        return colour, self.readers.entropy(pooled, labels)


def to_latent(images):
    """u8 (B,H,W,3) -> (B,48,H/4,W/4) in [-1,1]."""
    return from_picture(images.permute(0, 3, 1, 2).float() / 127.5 - 1)


def from_picture(pictures):
    """(B,3,H,W) -> (B,48,H/4,W/4)."""
    return F.pixel_unshuffle(pictures, UNSHUFFLE).contiguous(memory_format=torch.channels_last)


def to_image(latent):
    """(B,48,h,w) -> (B,3,4h,4w), about [-1,1]."""
    return F.pixel_shuffle(latent.float(), UNSHUFFLE)


def cosine_schedule(steps=1000):
    """diffusers' squaredcos_cap_v2: cumulative products of alpha, f64."""
    bar = lambda t: math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
    alphas = [1 - min(1 - bar((k + 1) / steps) / bar(k / steps), 0.999) for k in range(steps)]
    return torch.tensor(alphas, dtype=torch.float64).cumprod(0)


SCHEDULER = {
    "_class_name": "DDIMScheduler",
    "beta_end": 0.02,
    "beta_schedule": "squaredcos_cap_v2",
    "beta_start": 0.0001,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "sample",
    "rescale_betas_zero_snr": False,
    "set_alpha_to_one": True,
    "steps_offset": 0,
    "thresholding": False,
    "timestep_spacing": "trailing",
}

"""What a checkpoint's tensors tell about its networks: configurations from names and shapes alone.

Everything that shapes a network is read from its tensors. What leaves no trace there - attention heads, what the
network predicts, scale factor, how many times a map is halved - comes from the configuration beside the checkpoint or
from the table of known models (`zoo.py`). Names are matched against those a network of ours has; nothing is looked up
by a name from a file.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import ModelFileError
from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.conditioners.classes import ClassConfig
from engine.ldm.conditioners.spatial import RescalerConfig
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetConfig

Shapes = Mapping[str, tuple[int, ...]]

DEFAULT_RESOLUTION = 256  # pixels: what the zoo's autoencoders are configured for; only places attention
DEFAULT_DIM_HEAD = 64  # of the text transformer: x-transformers' default, used by every model of the zoo


def infer_unet(shapes: Shapes) -> UNetConfig:
    """Read a U-Net's configuration, but for its attention heads (both left None), from the shapes of its tensors.

    Args:
        shapes: name -> shape, names as below `model.diffusion_model.`.

    Raises:
        ModelFileError: these are not the tensors of such a U-Net.
    """
    width, in_channels = _shape(shapes, "input_blocks.0.0.weight", "a U-Net")[:2]
    outputs = _count(shapes, "output_blocks.{}.0.in_layers.0.weight")
    convolutions = [i for i in range(outputs) if any(f"output_blocks.{i}.{j}.conv.weight" in shapes for j in (1, 2))]
    updown = [i for i in range(outputs) if any(f"output_blocks.{i}.{j}.in_layers.0.weight" in shapes for j in (1, 2))]
    inputs = {name.split(".")[1] for name in shapes if name.startswith("input_blocks.")}
    # Averaging leaves no tensors: between two levels a number is left out.
    averaged = [i for i in range(outputs) if str(i) not in inputs]
    levels = 1 + (len(convolutions) or len(updown) or len(averaged))
    if outputs == 0 or outputs % levels:
        raise ModelFileError(f"{outputs} output blocks do not make {levels} levels; this U-Net is of an unknown kind")
    per_level = outputs // levels
    firsts = [1 + level * per_level for level in range(levels)]  # the first input block of each level
    mult = tuple(_shape(shapes, f"input_blocks.{i}.0.out_layers.3.weight", "a U-Net")[0] // width for i in firsts)
    embedding = _shape(shapes, "input_blocks.1.0.emb_layers.1.weight", "a U-Net")
    attending = [level for level, i in enumerate(firsts) if f"input_blocks.{i}.1.norm.weight" in shapes]
    to_k = "middle_block.1.transformer_blocks.0.attn2.to_k.weight"
    context_dim = _shape(shapes, to_k, "a U-Net")[1] if to_k in shapes else None
    label = shapes.get("label_emb.weight")
    vector = "label_emb.0.0.weight"
    return UNetConfig(
        in_channels=in_channels,
        out_channels=_shape(shapes, "out.2.weight", "a U-Net")[0],
        model_channels=width,
        channel_mult=mult,
        num_res_blocks=per_level - 1,
        attention_resolutions=tuple(2**level for level in attending),
        context_dim=context_dim,
        transformer_depth=_depths(shapes, firsts) if context_dim is not None else 1,
        use_linear_in_transformer=len(shapes.get("middle_block.1.proj_in.weight", ())) == 2,
        use_scale_shift_norm=embedding[0] == 2 * mult[0] * width,
        resblock_updown=bool(updown),
        conv_resample=not averaged,
        num_classes=label[0] if label else None,
        adm_in_channels=_shape(shapes, vector, "a U-Net")[1] if vector in shapes else None,
    )


def _depths(shapes: Shapes, firsts: list[int]) -> int | tuple[int, ...]:
    """Transformer blocks of each level; one number where they agree. The last level counts the middle block's."""
    pattern = ".1.transformer_blocks.{}.norm1.weight"
    depths = [_count(shapes, f"input_blocks.{i}{pattern}") for i in firsts]
    depths[-1] = _count(shapes, f"middle_block{pattern}")
    used = {depth for depth in depths if depth}
    return used.pop() if len(used) == 1 else tuple(depths)


def infer_autoencoder(shapes: Shapes) -> AutoencoderConfig:
    """Read an autoencoder's configuration from the shapes of its tensors, names as below `first_stage_model.`.

    The resolution is not in the tensors; it is taken as 256 pixels and attention placed accordingly, which builds the
    same network.

    Raises:
        ModelFileError: these are not the tensors of such an autoencoder.
    """
    ch, in_channels = _shape(shapes, "encoder.conv_in.weight", "an autoencoder")[:2]
    levels = _count(shapes, "encoder.down.{}.block.0.norm1.weight")
    outs = [_shape(shapes, f"encoder.down.{i}.block.0.conv1.weight", "an autoencoder")[0] for i in range(levels)]
    codebook = shapes.get("quantize.embedding.weight")
    z_channels = _shape(shapes, "decoder.conv_in.weight", "an autoencoder")[1]
    return AutoencoderConfig(
        ch=ch,
        ch_mult=tuple(out // ch for out in outs),
        num_res_blocks=_count(shapes, "encoder.down.0.block.{}.norm1.weight"),
        z_channels=z_channels,
        embed_dim=_shape(shapes, "post_quant_conv.weight", "an autoencoder")[1],
        in_channels=in_channels,
        out_ch=_shape(shapes, "decoder.conv_out.weight", "an autoencoder")[0],
        resolution=DEFAULT_RESOLUTION,
        attn_resolutions=tuple(
            DEFAULT_RESOLUTION // 2**i for i in range(levels) if f"encoder.down.{i}.attn.0.norm.weight" in shapes
        ),
        mid_attention="encoder.mid.attn_1.norm.weight" in shapes,
        n_embed=codebook[0] if codebook else None,
    )


def infer_text_transformer(shapes: Shapes) -> TextTransformerConfig:
    """Read a text transformer's configuration, names as below `cond_stage_model.transformer.`; heads of 64 are assumed.

    Raises:
        ModelFileError: these are not the tensors of such a transformer.
    """
    kind = "a text transformer"
    vocab_size, dim = _shape(shapes, "token_emb.weight", kind)[:2]
    inner = _shape(shapes, "attn_layers.layers.0.1.to_q.weight", kind)[0]
    return TextTransformerConfig(
        dim=dim,
        depth=_count(shapes, "attn_layers.layers.{}.0.weight") // 2,
        vocab_size=vocab_size,
        max_seq_len=_shape(shapes, "pos_emb.emb.weight", kind)[0],
        heads=max(inner // DEFAULT_DIM_HEAD, 1),
        dim_head=min(inner, DEFAULT_DIM_HEAD),
        logits="to_logits.weight" in shapes,
    )


def infer_class_embedder(shapes: Shapes) -> ClassConfig:
    """Read a class embedder's configuration from `embedding.weight`."""
    n_classes, embed_dim = _shape(shapes, "embedding.weight", "a class embedder")[:2]
    return ClassConfig(embed_dim, n_classes)


def infer_rescaler(shapes: Shapes, n_stages: int) -> RescalerConfig:
    """Read a rescaler's channels from `channel_mapper.weight`; how often it halves is not in the tensors."""
    out_channels, in_channels = _shape(shapes, "channel_mapper.weight", "a rescaler")[:2]
    return RescalerConfig(n_stages, in_channels, out_channels, bias="channel_mapper.bias" in shapes)


def _shape(shapes: Shapes, name: str, kind: str) -> tuple[int, ...]:
    """The shape of a weight of two or more dimensions that `kind` cannot be without."""
    shape = shapes.get(name)
    if shape is None:
        raise ModelFileError(f"there is no tensor {name!r}, so this is not {kind}")
    if len(shape) < 2 or 0 in shape:
        raise ModelFileError(f"tensor {name!r} has shape {list(shape)}, which no weight of {kind} has")
    return shape


def _count(shapes: Shapes, pattern: str) -> int:
    """How many numbers from 0 on, put into the pattern, are names of tensors."""
    count = 0
    while pattern.format(count) in shapes:
        count += 1
    return count

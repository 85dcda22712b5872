"""Token numbers to conditioning, for models whose vocabulary is not at hand or is no text."""

from __future__ import annotations

from engine.errors import InputProblem
from engine.models.handles import TextEncoder
from engine.models.manager import ModelManager
from engine.node import Context, Multiline, node
from engine.values import Conditioning, ConditioningPart


@node(category="advanced/conditioning", title="Encode Tokens", lane="device")
def EncodeTokens(clip: TextEncoder, ctx: Context, tokens: Multiline = "101, 102") -> Conditioning:
    """Give a text encoder the numbers of its tokens, made elsewhere.

    Args:
        clip: The encoder of the model that will sample.
        tokens: Numbers with commas or spaces between them; a line for each picture of the batch, equally long. They are
            taken as they are: begin, end and padding belong to them.
    """
    import torch

    try:
        rows = [[int(each) for each in line.replace(",", " ").split()] for line in tokens.splitlines() if line.strip()]
    except ValueError as error:
        raise InputProblem(f"tokens are whole numbers: {error}; separate them by commas or spaces", "tokens") from error
    lengths = sorted({len(row) for row in rows})
    if len(lengths) != 1:
        what = f"lines of {' and '.join(map(str, lengths))} numbers" if lengths else "no numbers"
        raise InputProblem(f"tokens has {what}; give one line for each picture, equally long", "tokens")
    manager = ctx.service(ModelManager)
    with manager.use(clip) as encoder:
        most, longest = encoder.config.vocab_size - 1, encoder.config.max_seq_len
        wrong = next((token for row in rows for token in row if not 0 <= token <= most), None)
        if wrong is not None:
            raise InputProblem(f"{wrong} is no token of this encoder, which knows 0 to {most}", "tokens")
        if lengths[0] > longest:
            raise InputProblem(f"this encoder takes {longest} tokens a picture, given are {lengths[0]}", "tokens")
        context = encoder(torch.tensor(rows, device=manager.device.torch_device))
    return Conditioning((ConditioningPart(context=context.cpu()),))

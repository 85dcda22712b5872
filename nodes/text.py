"""Words to conditioning."""

from __future__ import annotations

from engine.models.handles import TextEncoder
from engine.models.manager import ModelManager
from engine.node import Context, Prompt, node
from engine.values import Conditioning, ConditioningPart


@node(category="conditioning", title="Encode Text", lane="device", aliases=("CLIPTextEncode",))
def EncodeText(text: Prompt, clip: TextEncoder, ctx: Context) -> Conditioning:
    """Turn words into conditioning that guides a sampler.

    Args:
        text: What to make. Empty words make the unconditional conditioning that classifier-free guidance needs.
        clip: The text encoder of the model that will sample.
    """
    context = ctx.service(ModelManager).run(clip, lambda encoder: encoder.encode([text]))
    return Conditioning((ConditioningPart(context=context.cpu()),))

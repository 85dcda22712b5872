"""Boxes to conditioning, for layout-to-image models."""

from __future__ import annotations

from engine.errors import InputProblem
from engine.models.handles import TextEncoder
from engine.models.manager import ModelManager
from engine.node import Boxes, Context, node
from engine.node.names import nearest
from engine.values import Conditioning, ConditioningPart


@node(category="conditioning", title="Encode Layout", lane="device")
def EncodeLayout(clip: TextEncoder, ctx: Context, boxes: Boxes = ()) -> Conditioning:
    """Tell a layout model what is to be where.

    The paper's sec. 4.3.1: a box is three tokens, what it is and two corners, which a transformer reads.

    Args:
        clip: The layout model's own transformer.
        boxes: What is to be where; each label is a category of the model, or its number. None means anything, which
            guidance leads away from.
    """
    import torch

    from engine.ldm.conditioners.layout import Box
    from engine.ldm.layouts import read_layouts

    manager = ctx.service(ModelManager)
    with manager.use(clip) as network:
        layouts = read_layouts(clip.weights.open(), network.config)
        most = layouts.tokenizer.max_objects
        if len(boxes) > most:
            raise InputProblem(f"there are {len(boxes)} boxes, this model reads {most}; take some away", "boxes")
        wanted: list[Box] = []
        for number, each in enumerate(boxes, start=1):
            category = layouts.category(each["label"])
            if category is None:
                close = nearest(each["label"], layouts.names) or layouts.names[:4]
                known = f"did you mean {' or '.join(close)}?" if close else "it knows numbers only"
                raise InputProblem(f"box {number}: this model knows no {each['label']!r}; {known}", "boxes")
            x, y, width, height = each["box"]
            wanted.append(Box(category, (x, y, width, height)))
        tokens = layouts.tokenizer.encode(wanted)[None].to(manager.device.torch_device)
        with torch.inference_mode():
            context = network(tokens).float().cpu()
    return Conditioning((ConditioningPart(context=context.clone()),))

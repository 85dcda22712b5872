"""Words to conditioning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from engine.errors import NoSuchFile
from engine.models.handles import TextEncoder
from engine.models.manager import ModelManager
from engine.node import Context, Folders, Prompt, node
from engine.values import Conditioning, ConditioningPart

if TYPE_CHECKING:
    from pathlib import Path


def _learned_words(literals: Mapping[str, JsonValue], folders: Folders) -> JsonValue:
    """What changes when a file of a learned word does; all of them count where the text comes from another node."""
    from blake3 import blake3

    from engine.ldm.text.mentions import embedding_names

    text = literals.get("text")
    if isinstance(text, str):
        return {name: blake3(_place(folders, name).read_bytes()).hexdigest() for name in embedding_names(text)}
    stats = ((name, folders.resolve("embeddings", name).stat()) for name in folders.list("embeddings"))
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]


@node(
    category="conditioning",
    title="Encode Text",
    lane="device",
    aliases=("CLIPTextEncode",),
    fingerprint=_learned_words,
)
def EncodeText(text: Prompt, clip: TextEncoder, ctx: Context) -> Conditioning:
    """Turn words into conditioning that guides a sampler.

    Args:
        text: What to make. Empty words make the unconditional conditioning that classifier-free guidance needs.
            `embedding:NAME` is a word that was learned, from models/embeddings.
        clip: The text encoder of the model that will sample.
    """
    from engine.ldm.text.embeddings import read_embedding
    from engine.ldm.text.mentions import embedding_names
    from engine.ldm.weights import open_model

    files = {name: open_model(_place(ctx.folders, name)) for name in embedding_names(text)}
    context = ctx.service(ModelManager).run(
        clip,
        lambda encoder: encoder.encode(
            [text], {name: read_embedding(file, encoder.config.dim) for name, file in files.items()}
        ),
    )
    return Conditioning((ConditioningPart(context=context.cpu()),))


def _place(folders: Folders, name: str) -> Path:
    """The file of a learned word; its ending may be left out.

    Raises:
        NoSuchFile: there is none.
    """
    try:
        return folders.resolve("embeddings", name if name.endswith(".safetensors") else f"{name}.safetensors")
    except NoSuchFile as error:
        raise NoSuchFile(f"the prompt mentions embedding:{name}. {error}") from error

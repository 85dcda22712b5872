"""Ready-made vectors to conditioning, for retrieval-augmented diffusion and whatever else is told by vectors."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.errors import InputProblem
from engine.node import Context, File, node
from engine.values import Conditioning, ConditioningPart

VectorFile = Annotated[str, File("input")]
Neighbours = Annotated[int, Field(ge=0, le=1000)]


@node(category="conditioning/retrieval", title="Load Vectors")
def LoadVectors(vectors: VectorFile, ctx: Context, normalise: bool = False) -> Conditioning:
    """Read vectors that a model is to be told: CLIP's of a text or of pictures, made by another program.

    Retrieval-augmented models (Blattmann et al. 2022, arXiv:2204.11824) take CLIP's vector of the text and those of
    similar pictures. For "no condition" they take zeros: Conditioning Zero Out.

    Args:
        vectors: A .safetensors file in the input folder. Its arrays are [D], [N, D] or [B, N, D] of one width D and
            are lined up along N in the order of their names.
        normalise: Scale each vector to length 1, as the original does with CLIP's.
    """
    from engine.ldm.conditioners.vectors import normalised, read_vectors

    context = read_vectors(ctx.folders.resolve("input", vectors))
    return Conditioning((ConditioningPart(context=normalised(context) if normalise else context),))


@node(category="conditioning/retrieval", title="Add Neighbours")
def AddNeighbours(
    conditioning: Conditioning, database: VectorFile, ctx: Context, count: Neighbours = 10
) -> Conditioning:
    """Look up what lies nearest to a vector in a database, and tell the model of it, too.

    The search compares directions (dot products of vectors scaled to length 1), exactly, in the whole database.

    Args:
        conditioning: From Load Vectors; its first vector is what is looked for.
        database: A file of vectors as for Load Vectors; of the original's databases only the array `embedding`.
        count: How many neighbours; the published models were trained with up to 20.
    """
    from engine.ldm.conditioners.vectors import read_vectors, with_neighbours

    known = read_vectors(ctx.folders.resolve("input", database), "embedding")
    parts = list[ConditioningPart]()
    for part in conditioning.parts:
        if part.context is None or part.context.shape[-1] != known.shape[-1]:
            width = None if part.context is None else part.context.shape[-1]
            raise InputProblem(
                f"the conditioning's vectors are {width} wide, the database's {known.shape[-1]}; use one network for "
                "both",
                "database",
            )
        parts.append(ConditioningPart(context=with_neighbours(part.context, known[0], count)))
    return Conditioning(tuple(parts))

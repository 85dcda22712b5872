"""Learned words: vectors from a file that stand in a prompt where `embedding:NAME` is written, as in ComfyUI.

Source: Gal et al. 2022 (arXiv:2208.01618), sec. 3.2 ("textual inversion").
"""

from __future__ import annotations

from torch import Tensor

from engine.errors import ModelFileError
from engine.ldm.weights import ModelFile

KEY = "emb_params"
"""What the vectors are called in a file, as other programs write it for models with one text encoder."""


def read_embedding(file: ModelFile, width: int) -> Tensor:
    """The vectors of a learned word, [k, D].

    Args:
        width: D of the text encoder that is to read them.

    Raises:
        ModelFileError: the file holds something else, or vectors for another text encoder.
    """
    names = [KEY] if KEY in file.header.tensors else list(file.header.tensors)
    vectors = file.tensor(names[0]) if len(names) == 1 else None
    if vectors is not None and vectors.ndim == 1:
        vectors = vectors[None]
    if vectors is None or vectors.ndim != 2 or not vectors.is_floating_point() or not len(vectors):
        raise ModelFileError(f"{file.path} holds no learned word: one table of vectors is wanted, called {KEY!r}")
    if vectors.shape[1] != width:
        raise ModelFileError(
            f"{file.path} holds vectors {vectors.shape[1]} wide, this text encoder's are {width}; use the model that "
            "the word was learned for"
        )
    return vectors.float()

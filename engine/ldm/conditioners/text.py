"""Captions (or box tokens) to a context for cross-attention."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from engine.errors import InputProblem
from engine.ldm.text.tokenizer import BertTokenizer
from engine.ldm.text.transformer import TextTransformerConfig, TransformerWrapper


class BERTEmbedder(nn.Module):
    """A BERT tokenizer and the transformer that is trained with the U-Net; without tokenizer it takes ids only.

    Source: `BERTEmbedder` of CompVis/latent-diffusion, ldm/modules/encoders/modules.py.
    """

    def __init__(self, config: TextTransformerConfig, tokenizer: BertTokenizer | None = None) -> None:
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        self.transformer = TransformerWrapper(config)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: [B, T] integers in [0, vocab_size), T <= max_seq_len. Returns a context [B, T, D]."""
        return self.transformer(tokens)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Tokenize and embed B texts: [B, max_seq_len, D].

        Raises:
            InputProblem: this embedder was made without a tokenizer.
        """
        if self.tokenizer is None:
            raise InputProblem("this text encoder has no vocabulary; give the vocab.txt it was trained with")
        return self(self.tokenizer(texts).to(self.transformer.token_emb.weight.device))

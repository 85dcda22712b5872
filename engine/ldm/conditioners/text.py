"""Captions (or box tokens) to a context for cross-attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from engine.errors import InputProblem
from engine.ldm.text.mentions import split_mentions
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

    def encode(self, texts: Sequence[str], learned: Mapping[str, Tensor] | None = None) -> Tensor:
        """Tokenize and embed B texts: [B, max_seq_len, D].

        Args:
            learned: Vectors [k, D] of the words that texts mention as `embedding:NAME`, by name.

        Raises:
            InputProblem: this embedder was made without a tokenizer.
        """
        if self.tokenizer is None:
            raise InputProblem("this text encoder has no vocabulary; give the vocab.txt it was trained with")
        device = self.transformer.token_emb.weight.device
        if not learned:
            return self(self.tokenizer(texts).to(device))
        return self.transformer.attend(torch.stack([self._words(text, learned, self.tokenizer) for text in texts]))

    def _words(self, text: str, learned: Mapping[str, Tensor], tokenizer: BertTokenizer) -> Tensor:
        """The vectors of the words of one text, [max_seq_len, D], with those of learned words in their places."""
        table = self.transformer.token_emb.weight
        ids: list[int] = []
        vectors: dict[int, Tensor] = {}
        for words, name in split_mentions(text):
            ids += tokenizer.pieces(words)
            for vector in () if name is None else learned[name]:
                vectors[len(ids) + 1] = vector  # [CLS] comes before
                ids.append(0)
        rows = list(self.transformer.token_emb(torch.tensor(tokenizer.framed(ids), device=table.device)))
        for place, vector in vectors.items():
            if place < len(rows) - 1:  # the rest is cut, as other words are; the last place is [SEP]'s
                rows[place] = vector.to(rows[place])
        return torch.stack(rows)

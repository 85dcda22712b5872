"""The text transformer tau_theta: token ids to a context for cross-attention.

Attribute names are the checkpoint keys (below `cond_stage_model.transformer.`).

Source: Rombach et al. 2022 (arXiv:2112.10752), sec. 3.3 and appendix E.2.1: an unmasked pre-norm transformer with
learned positions, trained from scratch with the U-Net. Layout of x-transformers, as in CompVis/latent-diffusion.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from engine.ldm.attention import multi_head_attention


@dataclass(frozen=True)
class TextTransformerConfig:
    """`dim` is the width of the context; the attention's inner width is heads * dim_head whatever `dim` is.

    `logits` keeps the original's output projection, which no LDM uses, so that its checkpoints load and save unchanged.
    """

    dim: int
    depth: int
    vocab_size: int = 30522
    max_seq_len: int = 77
    heads: int = 8
    dim_head: int = 64
    logits: bool = True


class Attention(nn.Module):
    def __init__(self, dim: int, heads: int, dim_head: int) -> None:
        super().__init__()
        inner = heads * dim_head
        self.heads = heads
        self.to_q = nn.Linear(dim, inner, bias=False)
        self.to_k = nn.Linear(dim, inner, bias=False)
        self.to_v = nn.Linear(dim, inner, bias=False)
        self.to_out = nn.Linear(inner, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.to_out(multi_head_attention(self.to_q(x), self.to_k(x), self.to_v(x), self.heads))


class FeedForward(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU()), nn.Identity(), nn.Linear(4 * dim, dim)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class AttentionLayers(nn.Module):
    """Alternating attention and feed-forward, each `[norm, layer]`, each added to its input."""

    def __init__(self, config: TextTransformerConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for _ in range(config.depth):
            attention = Attention(config.dim, config.heads, config.dim_head)
            self.layers.append(nn.ModuleList([nn.LayerNorm(config.dim), attention]))
            self.layers.append(nn.ModuleList([nn.LayerNorm(config.dim), FeedForward(config.dim)]))

    def forward(self, x: Tensor) -> Tensor:
        for pair in self.layers:
            norm, layer = pair.children()
            x = x + layer(norm(x))
        return x


class PositionalEmbedding(nn.Module):
    def __init__(self, max_seq_len: int, dim: int) -> None:
        super().__init__()
        self.emb = nn.Embedding(max_seq_len, dim)
        nn.init.normal_(self.emb.weight, std=0.02)

    def forward(self, length: int) -> Tensor:
        return self.emb.weight[:length]  # [T, D]


class TransformerWrapper(nn.Module):
    """tau_theta: [B, T] token ids -> [B, T, D] embeddings. Padding is not masked, as in the original."""

    def __init__(self, config: TextTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.token_emb = nn.Embedding(config.vocab_size, config.dim)
        nn.init.normal_(self.token_emb.weight, std=0.02)
        self.pos_emb = PositionalEmbedding(config.max_seq_len, config.dim)
        self.attn_layers = AttentionLayers(config)
        self.norm = nn.LayerNorm(config.dim)
        if config.logits:
            self.to_logits = nn.Linear(config.dim, config.vocab_size)

    def forward(self, tokens: Tensor) -> Tensor:
        """Embed.

        Args:
            tokens: [B, T] integers in [0, vocab_size), T <= max_seq_len.

        Returns:
            [B, T, D].

        Raises:
            ValueError: The sequence is too long.
        """
        if tokens.shape[1] > self.config.max_seq_len:
            raise ValueError(f"{tokens.shape[1]} tokens given, this text encoder takes {self.config.max_seq_len}")
        return self.attend(self.token_emb(tokens))

    def attend(self, words: Tensor) -> Tensor:
        """Relate words to each other: [B, T, D] vectors of single words -> [B, T, D] embeddings."""
        return self.norm(self.attn_layers(words + self.pos_emb(words.shape[1])))

# pyright: basic
"""BERT tokenizer: text to WordPiece ids, from a vocabulary file or from a small vocabulary of our own.

The text encoder of the original text-to-image model reads bert-base-uncased ids: lower-cased, accents stripped, split
at blanks and punctuation, each word cut into the longest pieces of the vocabulary ("##" marks a piece that continues a
word), [CLS] before, [SEP] after, truncated and padded to 77. No attention mask is used.

Source: Devlin et al. 2018 (arXiv:1810.04805), sec. 3 and its reference tokenizer; length 77: `BERTTokenizer` of
CompVis/latent-diffusion, ldm/modules/encoders/modules.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from torch import Tensor

from engine.errors import FileProblem

MAX_LENGTH = 77
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LONGEST_PIECE = 8


class BertTokenizer:
    """Turn texts into id arrays of one length.

    Args:
        vocabulary: The tokens, id = position; must contain the five special tokens.
        max_length: Ids per text, special tokens included.
    """

    def __init__(self, vocabulary: Sequence[str], max_length: int = MAX_LENGTH) -> None:
        ids = {token: i for i, token in enumerate(vocabulary)}
        missing = [token for token in SPECIAL_TOKENS if token not in ids]
        if missing:
            raise FileProblem(
                f"the vocabulary of {len(ids)} tokens lacks {', '.join(missing)}; "
                "give a BERT vocabulary (vocab.txt, one token a line)"
            )
        if max_length < 2:
            raise ValueError(f"max_length is {max_length}, but [CLS] and [SEP] alone take 2")
        self.vocabulary = tuple(vocabulary)
        self.max_length = max_length
        self._tokenizer = _tokenizer(ids)
        self._tokenizer.post_processor = TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
        )
        self._tokenizer.enable_truncation(max_length)
        self._tokenizer.enable_padding(length=max_length, pad_id=ids["[PAD]"], pad_token="[PAD]")

    @classmethod
    def from_file(cls, path: str | Path, max_length: int = MAX_LENGTH) -> BertTokenizer:
        """Read a `vocab.txt`: UTF-8, one token a line.

        Raises:
            FileProblem: the file is missing, unreadable or no vocabulary.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FileProblem(f"cannot read the vocabulary {path}: {error}") from error
        try:
            return cls(parse_vocabulary(text), max_length)
        except FileProblem as error:
            raise FileProblem(f"{path}: {error}") from error

    def __call__(self, texts: str | Sequence[str]) -> Tensor:
        """Return ids [B, max_length] int64; one text is a batch of one; "" gives [CLS], [SEP], padding."""
        batch = [texts] if isinstance(texts, str) else texts
        return torch.tensor([self.ids(text) for text in batch], dtype=torch.int64).reshape(len(batch), self.max_length)

    def ids(self, text: str) -> list[int]:
        """Return the `max_length` ids of one text."""
        return self._tokenizer.encode(text).ids

    def pieces(self, text: str) -> list[int]:
        """Return the ids of a text alone: without [CLS], [SEP] and padding, at most `max_length`."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return [id for id, real in zip(encoding.ids, encoding.attention_mask, strict=True) if real]

    def framed(self, pieces: Sequence[int]) -> list[int]:
        """Return `max_length` ids: [CLS], as many of the pieces as fit, [SEP], padding."""
        start, end, padding = (self.vocabulary.index(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
        ids = [start, *pieces[: self.max_length - 2], end]
        return ids + [padding] * (self.max_length - len(ids))

    def count(self, text: str) -> int:
        """Return how many ids the text takes with [CLS] and [SEP], before truncation: more than `max_length` is cut."""
        words = self._tokenizer.encode(text, add_special_tokens=False)
        return 2 + sum(sum(part.attention_mask) for part in (words, *words.overflowing))

    def tokens(self, text: str) -> list[str]:
        """Return the pieces of one text without special tokens, to show how it is read."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return [token for token, real in zip(encoding.tokens, encoding.attention_mask, strict=True) if real]


def parse_vocabulary(text: str) -> list[str]:
    """Split a `vocab.txt` (or the same text kept in a checkpoint's metadata) into its tokens."""
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")


def train_vocabulary(captions: Iterable[str], size: int, whole_words: int = 2) -> list[str]:
    """Make a small WordPiece vocabulary from captions, laid out as BERT's: [PAD], [UNK], [CLS], [SEP], [MASK] first.

    Words seen at least `whole_words` times stay whole as far as `size` allows, the most frequent first: a small model
    learns a word faster than its pieces. Pieces that save the most characters fill the rest, so that an unseen word is
    still read. The same captions give the same vocabulary.

    Args:
        captions: The training captions.
        size: Largest number of tokens.
        whole_words: How often a word must occur to be kept whole.
    """
    words = Counter(word for caption in captions for word in _words(caption))
    characters = sorted({character for word in words for character in word})
    alphabet = [*SPECIAL_TOKENS, *characters, *(f"##{character}" for character in characters)]
    if len(alphabet) > size:
        raise ValueError(f"{len(characters)} different characters need {len(alphabet)} tokens, more than {size}")
    ranked = sorted(words, key=lambda word: (-words[word], word))
    frequent = [word for word in ranked if words[word] >= whole_words]
    return list(dict.fromkeys([*alphabet, *frequent, *_pieces(words)]))[:size]


def _tokenizer(ids: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return tokenizer


def _words(text: str) -> list[str]:
    normalised = BertNormalizer(lowercase=True).normalize_str(text)
    return [word for word, _ in BertPreTokenizer().pre_tokenize_str(normalised)]


def _pieces(words: Counter[str]) -> list[str]:
    """Rank the substrings of the words by the characters they save: (length - 1) x occurrences.

    The library's own trainer breaks ties differently from run to run, and a vocabulary has to be the same again.
    """
    saved: Counter[str] = Counter()
    for word, count in words.items():
        for start in range(len(word)):
            for end in range(start + 2, min(start + LONGEST_PIECE, len(word)) + 1):
                piece = word[start:end] if start == 0 else f"##{word[start:end]}"
                saved[piece] += (end - start - 1) * count
    return sorted(saved, key=lambda piece: (-saved[piece], piece))

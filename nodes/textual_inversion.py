"""Textual inversion: learn a word for something that a model has no word for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from engine.errors import InputProblem
from engine.models.handles import VAE, Model, TextEncoder
from engine.models.manager import ModelManager
from engine.node import Context, Fraction, Multiline, Seed, node
from engine.values import Image, TrainingSet
from nodes.fine_tuning import SAMPLES, Subject
from nodes.training_run import Count, LearningRate, Live, Rows, how_trained, loss_curve, state_file

if TYPE_CHECKING:
    from torch import Tensor

    from engine.ldm.conditioners.text import BERTEmbedder


class TrainedWord(NamedTuple):
    word: str
    loss_curve: Image


@node(category="training", title="Train Textual Inversion", output=True, lane="device")
def TrainTextualInversion(
    model: Model,
    clip: TextEncoder,
    training_set: TrainingSet,
    vae: VAE,
    ctx: Context,
    name: str = "my-word",
    vectors: Annotated[int, Field(ge=1, le=64)] = 2,
    initial_word: str = "",
    prompts: Multiline = "{word}",
    steps: Count = 300,
    batch_size: Rows = 8,
    learning_rate: LearningRate = 5e-3,
    ema_decay: Fraction = 0.99,
    sample_every: Annotated[int, Field(ge=0, le=1_000_000)] = 100,
    seed: Seed = 0,
    yield_to_others: bool = False,
) -> TrainedWord:
    """Learn a word for what a few pictures show; the model itself stays as it is. Stop and run again to go on.

    Write `embedding:NAME` in a prompt to use it.

    Args:
        model: The model that is to understand the word.
        clip: Its text encoder.
        training_set: Latents and captions, from Encode Pictures: some pictures of one thing, or of one style.
        vae: The autoencoder that made the latents, for the sheets of samples.
        name: The word, and the file's name in models/embeddings.
        vectors: As how many words it counts in a prompt; more can say more, and leave less room.
        initial_word: A word that says roughly what it is, to begin from; empty begins by chance.
        prompts: What the pictures are called while it learns, one on each line: {word} is the word, {caption} the
            picture's caption. "{caption}, {word}" learns a style, "{word}" a thing.
        steps: Batches to learn from.
        batch_size: Latents in a batch.
        learning_rate: Highest rate of Adam; it rises at first and falls along a cosine.
        ema_decay: How slowly the averaged vectors, which are saved, follow.
        sample_every: Steps between sheets of samples in the output folder; 0 makes none.
        seed: Of the beginning, order and noise.
        yield_to_others: Stop when other jobs wait, and go on after them.

    Returns:
        word: What to write in a prompt.
        loss_curve: The loss by step.
    """
    import torch

    from engine.ldm.text.embeddings import KEY
    from engine.ldm.training.conditions import LearnedWord, WordConditions
    from engine.ldm.training.loop import FitSettings
    from engine.ldm.training.stages import Latents, sample_conditions, train_diffusion
    from engine.ldm.weights import save_model

    if not re.fullmatch(r"[\w/-]+", name):
        raise InputProblem(f"a word in a prompt has no blanks or points, {name!r} has; use letters, - and _", "name")
    asked = [line.strip() for line in prompts.splitlines() if line.strip()]
    if not asked or not all("{word}" in line for line in asked):
        raise InputProblem("each line of prompts has to mention {word}", "prompts")
    device = ctx.service(ModelManager).device
    subject = Subject.of(model, clip, vae, training_set, device.name)
    assert subject.encoder is not None
    word = LearnedWord(_beginning(subject.encoder, initial_word, vectors, seed))
    captions = [texts[0] for texts in training_set.captions]
    conditions = WordConditions(subject.encoder, word, name, captions, asked)
    shown = [asked[row % len(asked)].replace("{caption}", captions[row % len(captions)]) for row in range(SAMPLES)]

    def samples() -> Tensor:
        with torch.no_grad():
            wanted, nothing = conditions.ask(shown), conditions.ask([""] * SAMPLES)
        return sample_conditions(subject.whole, SAMPLES, wanted, nothing)

    live = Live(ctx, yield_to_others)
    settings = FitSettings(steps, batch_size, learning_rate, seed, min(20, steps), 0.1, ema_decay=ema_decay)
    history = train_diffusion(
        subject.whole,
        Latents(training_set.mean, training_set.std),
        conditions,
        settings,
        state_file(ctx, f"{name}/word"),
        live.report,
        device.torch_device,
        lambda step, _: live.samples(name, step, samples()),
        sample_every or steps + 1,
        part=word,
    )
    path = ctx.folders.place("embeddings", f"{name}.safetensors")
    save_model(path, {KEY: word.vectors.detach()}, how_trained(settings, history))
    return TrainedWord(f"embedding:{name}", loss_curve(history))


def _beginning(encoder: BERTEmbedder, initial_word: str, vectors: int, seed: int) -> Tensor:
    """The vectors to begin with, [vectors, D]: those of a word's pieces over and over, or as spread as all words."""
    import torch

    table = encoder.transformer.token_emb.weight.detach()
    if encoder.tokenizer is None:
        raise InputProblem("this text encoder has no vocabulary, so it reads no words", "clip")
    pieces = encoder.tokenizer.pieces(initial_word)
    if pieces:
        return table[torch.tensor([pieces[row % len(pieces)] for row in range(vectors)])]
    noise = torch.randn(vectors, table.shape[1], generator=torch.Generator().manual_seed(seed))
    return table.mean(dim=0) + table.std(dim=0) * noise

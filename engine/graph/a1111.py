"""The settings that A1111's web UI and its kin write into a picture, as a graph that makes such a picture.

The text: the prompt, a line `Negative prompt: ...` (each may go on over more lines), and a last line of settings,
`Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x768, ...`, whose values may be quoted. What has no place
in the graph is reported. The picture will be like the one it came from and not the same: that program draws its noise
in another way.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from pydantic import JsonValue

from engine.errors import Problem
from engine.graph.wording import shorten
from engine.graph.workflow import FORMAT

NEGATIVE = "Negative prompt:"
LEAST_SETTINGS = 3
"""A last line with fewer settings is taken for words of the prompt."""
# Names may have spaces and digits, "Schedule type" or "ControlNet 0"; a quoted value may hold commas and colons.
SETTING = re.compile(r'\s*([A-Za-z][\w \-/]*):\s*("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')
LORA = re.compile(r"<(?:lora|lyco):([^:<>]+)(?::([-+.\d]+))?[^<>]*>")
SIZE = re.compile(r"(\d+)\s*x\s*(\d+)")

SAMPLERS = {
    "euler": "euler",
    "euler a": "euler_ancestral",
    "heun": "heun",
    "lms": "lms",
    "dpm2": "dpm_2",
    "dpm2 a": "dpm_2_ancestral",
    "dpm++ 2s a": "dpmpp_2s_ancestral",
    "dpm++ 2m": "dpmpp_2m",
    "ddim": "ddim",
    "plms": "plms",
}
SCHEDULES = {
    "automatic": "normal",
    "uniform": "normal",
    "normal": "normal",
    "karras": "karras",
    "exponential": "exponential",
    "sgm uniform": "sgm_uniform",
    "simple": "simple",
    "ddim": "ddim_uniform",
    "beta": "beta",
    "kl optimal": "kl_optimal",
}
SILENT = frozenset(
    {"model hash", "vae hash", "lora hashes", "ti hashes", "hashes", "version", "batch size", "batch pos", "app"}
)
"""Settings that say what was there, and change no picture."""


def read_parameters(text: str) -> tuple[dict[str, JsonValue], list[Problem]]:
    """A document for what a picture says of its making, and what of it was not taken over."""
    prompt, negative, settings = _split(text)
    reader = _Reader({name.lower(): value for name, value in settings.items()}, dict(settings))
    return reader.document(prompt, negative), reader.problems


def _split(text: str) -> tuple[str, str, dict[str, str]]:
    """The prompt, the negative prompt and the settings."""
    lines = text.replace("\r\n", "\n").strip().split("\n")
    found = SETTING.findall(lines[-1])
    settings = {name.strip(): _unquoted(value.strip()) for name, value in found}
    if len(settings) >= LEAST_SETTINGS or "Steps" in settings:
        lines.pop()
    else:
        settings = {}
    words = "\n".join(lines)
    prompt, _, negative = words.partition(NEGATIVE) if words.startswith(NEGATIVE) else words.partition(f"\n{NEGATIVE}")
    return prompt.strip(), negative.strip(), settings


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value.strip('"')


@dataclass(slots=True)
class _Reader:
    """Puts settings into a graph.

    Args:
        settings: by name in small letters; what was taken over is taken out.
        names: as they were written.
    """

    settings: dict[str, str]
    names: dict[str, str]
    problems: list[Problem] = field(default_factory=list[Problem])

    def document(self, prompt: str, negative: str) -> dict[str, JsonValue]:
        nodes: dict[str, JsonValue] = {"model": _node("LoadCheckpoint", ckpt_name=self._checkpoint())}
        model = clip = "model"
        for index, (name, strength) in enumerate(self._loras(prompt), 1):
            id = f"lora_{index}"
            nodes[id] = _node(
                "LoraLoader",
                model={"from": f"{model}.model"},
                clip={"from": f"{clip}.clip"},
                lora_name=f"{name}.safetensors",
                strength_model=strength,
                strength_clip=strength,
            )
            model = clip = id
        self._doubt_prompts(prompt, negative)
        width, height = self._size()
        nodes |= {
            "prompt": _node("EncodeText", "Prompt", clip={"from": f"{clip}.clip"}, text=LORA.sub("", prompt).strip()),
            "negative": _node("EncodeText", "Negative prompt", clip={"from": f"{clip}.clip"}, text=negative),
            "canvas": _node("EmptyLatent", vae={"from": "model.vae"}, width=width, height=height),
            "sampler": _node(
                "KSampler",
                model={"from": f"{model}.model"},
                positive={"from": "prompt.conditioning"},
                negative={"from": "negative.conditioning"},
                latent_image={"from": "canvas.latent"},
                **self._sampling(),
            ),
            "develop": _node("VAEDecode", samples={"from": "sampler.latent"}, vae={"from": "model.vae"}),
            "save": _node("SaveImage", images={"from": "develop.image"}),
        }
        for name, value in self.settings.items():
            if name not in SILENT and value:
                written = next((each for each in self.names if each.lower() == name), name)
                self._doubt(f"'{shorten(written)}: {shorten(value)}' was not taken over.")
        return {"darkroom": FORMAT, "nodes": nodes}

    def _checkpoint(self) -> str:
        name = self.settings.pop("model", "")
        if not name:
            self._doubt("The picture does not say which model made it.", "model", "ckpt_name", "choose one")
        return f"{name}.safetensors" if name else ""

    def _loras(self, prompt: str) -> list[tuple[str, float]]:
        return [(name, _number(strength, 1.0)) for name, strength in LORA.findall(prompt)]

    def _size(self) -> tuple[int, int]:
        match = SIZE.fullmatch(self.settings.pop("size", "").strip())
        if match is None:
            return 512, 512
        sizes = int(match[1]), int(match[2])
        # The graph's pictures are measured in eighths, as those of that program's are in the latent.
        whole = tuple(min(max(round(size / 8) * 8, 16), 16384) for size in sizes)
        if whole != sizes:
            self._doubt(f"The size {match[0]} became {whole[0]}x{whole[1]}.", "canvas")
        return whole[0], whole[1]

    def _sampling(self) -> dict[str, JsonValue]:
        name = self.settings.pop("sampler", "Euler")
        schedule = self.settings.pop("schedule type", "")
        sampler = name.lower()
        for word in ("karras", "exponential"):  # older versions named both in one
            if sampler.endswith(f" {word}"):
                sampler, schedule = sampler.removesuffix(f" {word}"), schedule or word
        if sampler not in SAMPLERS:
            self._doubt(f"There is no sampler '{shorten(name)}' here; euler stands for it.", "sampler", "sampler_name")
        if schedule and schedule.lower() not in SCHEDULES:
            self._doubt(
                f"There is no schedule '{shorten(schedule)}' here; normal stands for it.", "sampler", "scheduler"
            )
        return {
            "seed": min(int(_number(self.settings.pop("seed", ""), 0, whole=True)), 2**64 - 1),
            "steps": int(min(max(_number(self.settings.pop("steps", ""), 20), 1), 10_000)),
            "cfg": min(max(_number(self.settings.pop("cfg scale", ""), 7.0), 0.0), 100.0),
            "sampler_name": SAMPLERS.get(sampler, "euler"),
            "scheduler": SCHEDULES.get(schedule.lower() or "normal", "normal"),
        }

    def _doubt_prompts(self, prompt: str, negative: str) -> None:
        """Say what of the prompts' own language means nothing here."""
        for node, words in (("prompt", LORA.sub("", prompt)), ("negative", negative)):
            if re.search(r"(?<!\\)\[[^\[\]]*\]", words):
                self._doubt("Square brackets in the prompt are only words here.", node, "text", "use (words:0.9)")
            if re.search(r"\b(BREAK|AND)\b", words):
                self._doubt("'BREAK' and 'AND' in the prompt are only words here.", node, "text", "combine two prompts")

    def _doubt(self, message: str, node: str | None = None, input: str | None = None, fix: str | None = None) -> None:
        self.problems.append(Problem("not_taken_over", message, node, input, fix=fix))


def _node(kind: str, title: str | None = None, /, **inputs: JsonValue) -> dict[str, JsonValue]:
    return {"type": kind, **({"title": title} if title else {}), "inputs": dict(inputs)}


def _number(text: str, otherwise: float, *, whole: bool = False) -> float | int:
    """A finite number of at least 0 if it is to be whole, for a seed beyond what a float can hold."""
    try:
        if whole:
            return max(int(text[:20]), 0)
        value = float(text)
    except ValueError:
        return int(otherwise) if whole else otherwise
    return value if abs(value) < 1e9 else otherwise

"""The user's folders, and the one function that turns a name in a workflow into a file.

Nothing outside a folder's roots is read or written: not by `..`, absolute names, links, or device names.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from engine.errors import FileProblem, NoSuchFile
from engine.node.files import write_new
from engine.node.names import nearest, safe_parts

MODEL_KEYS = (
    "checkpoints",
    "configs",
    "loras",
    "vae",
    "text_encoders",
    "diffusion_models",
    "clip_vision",
    "style_models",
    "embeddings",
    "diffusers",
    "vae_approx",
    "controlnet",
    "gligen",
    "upscale_models",
    "latent_upscale_models",
    "hypernetworks",
    "photomaker",
    "classifiers",
    "model_patches",
    "audio_encoders",
)
"""Folders under `models/`; ComfyUI's names, so that an existing collection can be used as it is."""
RENAMED = {"unet": "diffusion_models", "clip": "text_encoders", "t2i_adapter": "controlnet"}
"""Old names of model folders, in workflows and on disks."""
MODEL_SUFFIXES = {".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".bin", ".pth", ".pkl"}
ANNOTATED = re.compile(r"^(.*) \[(input|output|temp)\]$", re.DOTALL)
TOKEN = re.compile(r"%(width|height|year|month|day|hour|minute|second|batch_num|date:[^%/\\]{1,40})%")
DATE_FIELDS = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}

PROJECT = Path(__file__).resolve().parents[2]
EMBEDDED_MODELS = PROJECT / "models"
"""The models that ship with the project; always searched, after the user's own."""
EXAMPLE_PICTURES = PROJECT / "workflows" / "pictures"
"""Pictures of the shipped workflows; what is not in the user's input folder is looked for here."""


class Saves(Protocol):
    """Remembers where files were saved, so that what is saved in a second attempt takes the place of the first."""

    def save(self, data: bytes, owner: str, slot: str, choose: Callable[[], Path]) -> Path:
        """Write a new file, as `Folders.save` does, or find the one that an earlier attempt wrote.

        Args:
            owner: content key of the node that saves.
            slot: which of its files this is: equal for the same call in another attempt.
            choose: gives the next free name.

        Raises:
            FileProblem: the disk refuses.
        """
        ...


def _no_folders() -> Mapping[str, tuple[Path, ...]]:
    return {}


@dataclass(frozen=True)
class Folders:
    """Where the user's files are.

    `models` are roots that each hold folders by key (`checkpoints`, `vae`, ...); `extra` adds or extends single keys
    with folders that are searched before them, `extra_after` with such that are searched last; `plugins` hold plugins;
    `examples` are read where `input` has no file of a name; `user` holds what the server must not lose: the queue,
    saved workflows, settings.
    Folders are created when something is written into them, not before.
    """

    input: Path
    output: Path
    temp: Path
    cache: Path
    user: Path
    models: tuple[Path, ...] = ()
    plugins: tuple[Path, ...] = ()
    extra: Mapping[str, tuple[Path, ...]] = field(default_factory=_no_folders)
    extra_after: Mapping[str, tuple[Path, ...]] = field(default_factory=_no_folders)
    examples: tuple[Path, ...] = ()
    _saves: tuple[Saves, str] | None = field(default=None, compare=False, repr=False)
    """What remembers saved files, and for whom."""
    _last: dict[Path, int] = field(default_factory=dict[Path, int], compare=False, repr=False)
    """Counter last handed out by output prefix, so that two threads never get the same file."""
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    @classmethod
    def under(cls, base: Path) -> Folders:
        """All folders below one, plus the embedded models and example pictures."""
        return cls(
            base / "input",
            base / "output",
            base / "temp",
            base / "cache",
            base / "user",
            models=tuple(dict.fromkeys((base / "models", EMBEDDED_MODELS))),
            plugins=(base / "plugins",),
            examples=(EXAMPLE_PICTURES,),
        )

    @classmethod
    def default(cls) -> Folders:
        """The user's folders: under `$DARKROOM_HOME`, else the checkout, else the user's data directory.

        `extra_model_paths.yaml` there adds model folders that lie elsewhere; see `extra_paths`.

        Raises:
            FileProblem: that file is damaged.
        """
        from engine.node.extra_paths import with_extra_paths

        chosen = os.environ.get("DARKROOM_HOME")
        if chosen:
            home = Path(chosen).expanduser().absolute()
            return with_extra_paths(cls.under(home), home)
        import platformdirs  # 30 ms that a program with folders of its own need not spend

        home = PROJECT if (PROJECT / "pyproject.toml").is_file() else platformdirs.user_data_path("darkroom")
        return with_extra_paths(replace(cls.under(home), cache=platformdirs.user_cache_path("darkroom")), home)

    def with_output(self, output: Path) -> Folders:
        """The same folders with pictures saved elsewhere."""
        return replace(self, output=output.absolute(), _last={}, _lock=threading.Lock())

    def saving(self, saves: Saves, owner: str) -> Folders:
        """The same folders, as the node with the content key `owner` sees them in a job that may be run again."""
        return replace(self, _saves=(saves, owner))

    # ------------------------------------------------------------------------------------------------------ reading

    def roots(self, folder: str) -> tuple[Path, ...]:
        """Where the names of a folder are looked up, first match first.

        Raises:
            FileProblem: there is no such folder.
        """
        single = {"input": (self.input, *self.examples), "output": (self.output,), "temp": (self.temp,)}
        if folder in single:
            return single[folder]
        key = RENAMED.get(folder, folder)
        if key not in MODEL_KEYS and key not in self.extra and key not in self.extra_after:
            known = dict.fromkeys((*single, *MODEL_KEYS, *self.extra, *self.extra_after))
            raise FileProblem(f"there is no folder {folder!r}; the folders are {', '.join(known)}")
        spellings = [key, *(old for old, new in RENAMED.items() if new == key)] if key in MODEL_KEYS else []
        below = [root / spelling for root in self.models for spelling in spellings]
        return tuple(dict.fromkeys((*self.extra.get(key, ()), *below, *self.extra_after.get(key, ()))))

    def resolve(self, folder: str, name: str, kind: Literal["file", "folder"] = "file") -> Path:
        """The file that a workflow means by `name` in `folder`.

        Args:
            folder: a key: `input`, `output`, `temp`, `checkpoints`, `vae`, ...
            name: relative, with `/` between folders; `x.png [output]` looks in another folder of the user's.
            kind: what must be there.

        Raises:
            NoSuchFile: nothing of that name (says the nearest names and where it looked).
            FileProblem: there is no such folder, that is no name, or it leads outside.
        """
        annotated = ANNOTATED.match(name) if folder in ("input", "output", "temp") else None
        if annotated:
            name, folder = annotated[1], annotated[2]
        parts = safe_parts(name, folder)
        for root in self.roots(folder):
            candidate = root.joinpath(*parts)
            try:
                found = candidate.resolve(strict=True)
            except (OSError, RuntimeError):  # missing, a loop of links, or not allowed to look
                continue
            if not found.is_relative_to(root.resolve()):
                raise FileProblem(f"{folder}: {name!r} is a link that leads out of {root}; put the file itself there")
            if kind == "file" and found.is_dir():
                raise FileProblem(f"{folder}: {name!r} is a folder; choose a file in it")
            if not (found.is_file() if kind == "file" else found.is_dir()):
                raise FileProblem(f"{folder}: {name!r} is not a {kind}; choose a {kind}")
            return found
        raise NoSuchFile(self._not_found(folder, name))

    def _not_found(self, folder: str, name: str) -> str:
        names = self.list(folder)
        close = nearest(name, names)
        if close:
            advice = f"did you mean {' or '.join(close)}?"
        elif names:
            advice = f"there are {', '.join(names[:4])}{f' and {len(names) - 4:,} more' if len(names) > 4 else ''}"
        else:
            advice = "the folder is empty; put the file there"
        looked = " and ".join(str(root) for root in self.roots(folder))
        return f"{folder}: there is no {name!r} (looked in {looked}); {advice}"

    def list(self, folder: str) -> list[str]:
        """The names a user may choose from in a folder, sorted; hidden files and links that lead outside are left out.

        Raises:
            FileProblem: there is no such folder.
        """
        only_models = RENAMED.get(folder, folder) in MODEL_KEYS and folder not in ("configs", "diffusers")
        names = {
            name
            for root in self.roots(folder)
            for name in _walk(root)
            if not only_models or Path(name).suffix.lower() in MODEL_SUFFIXES
        }
        return sorted(names, key=lambda name: (name.lower(), name))

    # ------------------------------------------------------------------------------------------------------ writing

    def place(self, folder: str, name: str) -> Path:
        """Where a file of the user's that is written whole, such as a trained model, goes; it may exist.

        Args:
            folder: a key: `output`, `checkpoints`, `vae`, ...
            name: relative, with `/` between folders.

        Raises:
            FileProblem: there is no such folder, or the name leads out of it.
        """
        root = self.roots(folder)[0]
        path = root.joinpath(*safe_parts(name, folder))
        if not path.parent.resolve().is_relative_to(root.resolve()):
            raise FileProblem(f"{folder}: {name!r} is a link that leads out of {root}; choose another name")
        return path

    def next_output(
        self,
        prefix: str,
        suffix: str = ".png",
        *,
        width: int = 0,
        height: int = 0,
        batch: int = 0,
        folder: Literal["output", "temp"] = "output",
    ) -> Path:
        """The next free `<prefix>_<counter>_<suffix>`; its folder exists, the file does not. Never the same twice.

        Args:
            prefix: may hold folders, and tokens: %width% %height% %year% %month% %day% %hour% %minute% %second%
                %batch_num% %date:yyyy-MM-dd%.
            batch: index of the picture in its batch.

        Raises:
            FileProblem: the prefix leads out of the folder, or the folder cannot be made.
        """
        root = self.output if folder == "output" else self.temp
        parts = safe_parts(_filled(prefix, width, height, batch), "filename_prefix")
        directory, stem = root.joinpath(*parts[:-1]), parts[-1]
        try:
            directory.mkdir(parents=True, exist_ok=True)
            inside = directory.resolve().is_relative_to(root.resolve())
        except OSError as error:
            raise FileProblem(f"cannot make the folder {directory}: {error.strerror or error}") from error
        if not inside:
            raise FileProblem(f"filename_prefix: {prefix!r} is a link that leads out of {root}; choose another prefix")
        key = directory / stem
        with self._lock:
            counter = max(self._last.get(key, 0), _highest(directory, stem)) + 1
            self._last[key] = counter
        return directory / f"{stem}_{counter:05d}_{suffix}"

    def save(
        self,
        data: bytes,
        prefix: str,
        suffix: str = ".png",
        *,
        width: int = 0,
        height: int = 0,
        batch: int = 0,
        folder: Literal["output", "temp"] = "output",
    ) -> Path:
        """Write a new file under the next free name: all of it or nothing, and never over a file of another process.

        Raises:
            FileProblem: the prefix leads out of the folder, or the disk refuses.
        """

        def choose() -> Path:
            return self.next_output(prefix, suffix, width=width, height=height, batch=batch, folder=folder)

        if self._saves is not None and folder == "output":
            saves, owner = self._saves
            return saves.save(data, owner, f"{prefix}|{batch}|{suffix}", choose)
        while True:
            path = choose()
            if write_new(path, data, durable=folder == "output"):
                return path


def _walk(root: Path) -> Iterator[str]:
    inside = root.resolve()
    for directory, folders, files in os.walk(root):
        folders[:] = [each for each in folders if not each.startswith(".")]
        for file in files:
            path = Path(directory, file)
            real = Path(os.path.realpath(path)) if path.is_symlink() else path
            if not file.startswith(".") and path.is_file() and (real is path or real.is_relative_to(inside)):
                yield path.relative_to(root).as_posix()


def _highest(directory: Path, stem: str) -> int:
    numbered = re.compile(re.escape(stem) + r"_(\d+)_")
    found = (numbered.match(entry.name) for entry in os.scandir(directory))
    return max((int(match[1]) for match in found if match), default=0)


def _filled(prefix: str, width: int, height: int, batch: int) -> str:
    now = datetime.now()
    values = {
        "width": str(width),
        "height": str(height),
        "batch_num": str(batch),
        **{name: f"{getattr(now, name):02d}" for name in ("month", "day", "hour", "minute", "second")},
        "year": str(now.year),
    }

    def value(token: re.Match[str]) -> str:
        name = token[1]
        if name.startswith("date:"):
            return re.sub("yyyy|yy|MM|dd|hh|mm|ss", lambda part: now.strftime(DATE_FIELDS[part[0]]), name[5:])
        return values[name]

    return TOKEN.sub(value, prefix)

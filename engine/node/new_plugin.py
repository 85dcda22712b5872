"""Write a new plugin: a worked example with a real node, a README and a test, to be changed into something else."""

from __future__ import annotations

import importlib.util
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from string import Template

from engine.errors import FileProblem, InputProblem

NODE = Template('''\
"""$title: a Darkroom plugin."""

from __future__ import annotations

from engine.node import Fraction, Seed, node
from engine.values import Image


@node(category="image/effects")
def $node(image: Image, amount: Fraction = 0.15, seed: Seed = 0) -> Image:
    """Add film grain, strongest in the mid-tones as on real film.

    Args:
        image: The picture to put grain on.
        amount: How strong the grain is; 0 leaves the picture as it is.
        seed: Which grain; the same seed always gives the same.

    Returns:
        The picture with grain.
    """
    import torch  # here and not at the top, so that listing the node does not wait for torch

    pixels = image.pixels  # [B, H, W, C] in [0, 1]; C is 3, or 4 with transparency
    colours, alpha = pixels[..., :3], pixels[..., 3:]
    noise = torch.randn(pixels.shape[:3], generator=torch.Generator().manual_seed(seed))  # [B, H, W]
    grain = noise.unsqueeze(-1).to(pixels.device)  # [B, H, W, 1]: one grain for all colours
    strength = 4 * colours * (1 - colours)  # 1 in the mid-tones, 0 in black and white
    grained = (colours + amount * strength * grain).clamp(0, 1)
    return Image(torch.cat([grained, alpha], dim=-1))  # a new value: nodes never change what they are given
''')

TEST = Template('''\
"""A node is a function, so its test calls it."""

import torch

from engine.values import Image

from . import $node

GREY = Image(torch.full((1, 8, 8, 3), 0.5))


def test_the_same_seed_gives_the_same_grain() -> None:
    assert torch.equal($node(GREY, seed=1).pixels, $node(GREY, seed=1).pixels)
    assert not torch.equal($node(GREY, seed=1).pixels, $node(GREY, seed=2).pixels)


def test_black_and_white_stay_clean() -> None:
    picture = Image(torch.tensor([0.0, 1.0]).reshape(1, 1, 2, 1).expand(1, 1, 2, 3))
    assert torch.equal($node(picture, amount=1.0).pixels, picture.pixels)


def test_no_amount_changes_nothing() -> None:
    assert torch.equal($node(GREY, amount=0.0).pixels, GREY.pixels)
''')

README = Template("""\
# $title

A plugin for Darkroom. Its node `$node` adds film grain to a picture; change it into what you need.

- `__init__.py` holds the node. Its signature is its inputs and outputs, its docstring the help in the editor.
  Other modules in this folder may hold more nodes.
- `test_$name.py` is its test: `python -m pytest $name`, run in the folder above.
- `darkroom nodes $node` shows what Darkroom makes of it. A plugin that cannot be loaded is listed by
  `darkroom nodes`, with the reason.
""")


def new_plugin(name: str, directory: Path, is_taken: Callable[[str], bool]) -> Path:
    """Write the example plugin `name` into a plugin directory, all of it or nothing.

    Args:
        name: lower case letters, digits and `_`; the node is called the same in PascalCase.
        directory: the user's plugin directory; made if there is none.
        is_taken: whether there is a node of a name already.

    Returns:
        The new folder.

    Raises:
        InputProblem: the name is no good, or taken.
        FileProblem: there is such a folder already, or the place cannot be written.
    """
    node = _node_name(name, is_taken)
    target = directory / name
    if target.exists() or target.is_symlink() or target.with_suffix(".py").exists():
        raise FileProblem(f"there is a plugin {name!r} in {directory} already; choose another name")
    values = {"name": name, "node": node, "title": name.replace("_", " ").capitalize()}
    files = {"__init__.py": NODE, f"test_{name}.py": TEST, "README.md": README}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=directory) as temporary:
            made = Path(temporary, name)
            made.mkdir()
            for file, template in files.items():
                (made / file).write_text(template.substitute(values), encoding="utf-8")
            shutil.move(made, target)
    except OSError as error:
        raise FileProblem(f"cannot write the plugin {target}: {error.strerror or error}") from error
    return target


def _node_name(name: str, is_taken: Callable[[str], bool]) -> str:
    """Check the plugin's name, and make the node's of it."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name):
        word = re.sub(r"\W+|_+", "_", name.lower(), flags=re.ASCII).strip("_0123456789")[:50]
        advice = f"try {word}" if word else "try film_grain"
        raise InputProblem(f"{name!r} cannot name a plugin: use lower case letters, digits and _, at most 50; {advice}")
    if importlib.util.find_spec(name) is not None:
        raise InputProblem(f"{name!r} is the name of an installed Python module; try {name}_nodes")
    node = "".join(word.capitalize() for word in name.split("_"))
    if is_taken(node):
        raise InputProblem(f"there is a node {node} already; try my_{name}")
    return node

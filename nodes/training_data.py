"""What models learn from: folders of pictures, and their latents, encoded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, JsonValue

from engine.models.handles import VAE
from engine.models.manager import ModelManager
from engine.node import Context, Folders, Seed, node
from engine.values import TrainingSet
from nodes.training_run import Count

if TYPE_CHECKING:
    from engine.ldm.training.pictures import PictureSet

Side = Annotated[int, Field(ge=8, le=2048, multiple_of=8)]


@dataclass(frozen=True)
class Pictures:
    """A folder of captioned pictures and how to read it; holds no pixels."""

    port: ClassVar[str] = "PICTURES"
    folder: str
    size: int
    groups: tuple[str, ...]

    def load(self) -> PictureSet:
        """Decode the pictures.

        Raises:
            FileProblem: one cannot be decoded.
        """
        from pathlib import Path

        from engine.ldm.training.pictures import load_pictures

        return load_pictures(Path(self.folder), self.size, self.groups)


def _folder_content(literals: Mapping[str, JsonValue], folders: Folders) -> JsonValue:
    """What changes when a picture or caption of the folder does: names, sizes and times of its files."""
    folder = folders.resolve("input", str(literals["folder"]), kind="folder")
    stats = ((file.name, file.stat()) for file in sorted(folder.iterdir()))
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]


@node(category="training", title="Load Pictures", fingerprint=_folder_content)
def LoadPictures(folder: str, ctx: Context, size: Side = 64, groups: str = "") -> Pictures:
    """Choose a folder of captioned pictures to train on.

    Args:
        folder: A folder inside the input folder. Captions are read from its captions.jsonl, or from a .txt beside each
            picture, or from the file names.
        size: Side of the square that every picture is cropped and resized to, in pixels.
        groups: Names of groups to take, with commas between; empty takes all.
    """
    from engine.ldm.training.pictures import list_pictures

    path = ctx.folders.resolve("input", folder, kind="folder")
    chosen = tuple(name.strip() for name in groups.split(",") if name.strip())
    list_pictures(path, chosen)  # says at once what is wrong with the folder
    return Pictures(str(path), size, chosen)


@node(category="training", title="Encode Pictures", lane="device")
def EncodePictures(pictures: Pictures, vae: VAE, ctx: Context, keep_pixels: bool = False) -> TrainingSet:
    """Encode a whole data set once, so that training a model on it never decodes a picture again.

    Args:
        pictures: What to encode.
        vae: The autoencoder whose latents the model will learn.
        keep_pixels: Keep the pictures, too, for models that are told of a small picture, a hole or a colour map.
    """
    from engine.ldm.training.stages import encode_pictures

    loaded = pictures.load()
    mean, std = ctx.service(ModelManager).run(vae, lambda network: encode_pictures(loaded, network))
    captions = tuple((picture.caption, *picture.keywords) for picture in loaded.pictures)
    groups = tuple(picture.group for picture in loaded.pictures)
    return TrainingSet(mean, std, captions, groups, loaded.pixels if keep_pixels else None)


@node(category="training", title="Encode Scenes", lane="device")
def EncodeScenes(pictures: Pictures, vae: VAE, ctx: Context, count: Count = 4000, seed: Seed = 0) -> TrainingSet:
    """Lay pictures with transparent ground on white, up to four to a scene, and encode the scenes with their boxes.

    Args:
        pictures: What to lay; their size is that of the scenes.
        vae: The autoencoder whose latents the model will learn.
        count: How many scenes.
        seed: Chooses what lies where.
    """
    from pathlib import Path

    from engine.ldm.training.pictures import PictureSet, list_pictures
    from engine.ldm.training.scenes import compose_scenes
    from engine.ldm.training.stages import encode_pictures

    things = list_pictures(Path(pictures.folder), pictures.groups)
    scenes = compose_scenes(things, count, pictures.size, seed)
    loaded = PictureSet(tuple(things[boxes[0].category] for boxes in scenes.boxes), scenes.pixels)
    mean, std = ctx.service(ModelManager).run(vae, lambda network: encode_pictures(loaded, network))
    names = tuple(thing.caption for thing in things)
    boxes = tuple(tuple((box.category, *box.rectangle) for box in scene) for scene in scenes.boxes)
    captions = tuple((", ".join(names[box[0]] for box in scene),) for scene in boxes)
    return TrainingSet(mean, std, captions, ("",) * count, boxes=boxes, categories=names)

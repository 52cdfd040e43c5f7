"""Named data sets and folders of images, as tensors in memory.

The table of the named sets stands below. `vae_core.datasets.idx` finds and fetches those published as idx
files, `vae_core.datasets.archived_sets` reads those kept as an archive, `vae_core.datasets.folders` reads folders.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from vae_core.datasets.archived_sets import load_dsprites, load_emoji, load_faces, load_quickdraw
from vae_core.datasets.folders import load_folder
from vae_core.datasets.idx import IdxSet, load_idx_set
from vae_core.datasets.labelled import LabelledImages, Split, seeded_random, share_of
from vae_core.datasets.own_sets import OwnSet, find_own_set
from vae_core.errors import DatasetError
from vae_core.images.preparation_options import Preparation

__all__ = [
    "DATASETS",
    "DATASET_NAMES",
    "DatasetInfo",
    "LabelledImages",
    "Split",
    "find_dataset",
    "load_dataset",
    "load_splits",
]


LONGEST_SHOWN = 80  # characters of a name in a message


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a named data set before it is loaded.

    Attributes:
        name: What `load_dataset` and the command line call it.
        title: What people call it.
        image_shape: (channel, height, width), in pixels.
        preparation: How a picture from outside comes to look like one of the set.
        licence: Under which the pictures are given.
        citation: Of the source.
        classes: Whether labels say what a picture shows, so that a classifier can learn them.
        label_title: What the labels are of.
        load: reads splits at once; the second argument is the data folder, if one was asked for.
        shows_people: whether the pictures are photographs of people, none of which is shown beside a model.
        comes_along: whether the pictures are installed with the program.
        published: where the set is fetched from when no archive of it is at hand; None of one that is not fetched.
    """

    name: str
    title: str
    image_shape: tuple[int, int, int]
    preparation: Preparation
    licence: str
    citation: str
    classes: bool
    label_title: str
    load: Callable[[Sequence[Split], Path | None], dict[Split, LabelledImages]] = field(repr=False)
    shows_people: bool = False
    comes_along: bool = False
    published: IdxSet | None = None


def find_dataset(text: str) -> str | Path:
    """What a person means who names a data set: the id of one, or a folder of images.

    Args:
        text: id of a named set or of the owner's registry, or the path of a folder.

    Raises:
        DatasetError: It is neither, or both an id and another folder.
    """
    if text in DATASETS:
        return text
    own = find_own_set(text)
    named = os.path.expanduser(text)  # noqa: PTH111 - Path's own raises where a name is too long or no user is known
    if not os.path.isdir(named):  # noqa: PTH112 - the same
        if own is None:
            raise _unknown(text, "or a folder of images")
        return text
    folder = Path(named)
    if own is not None and os.sep not in text and folder.resolve() != Path(own.folder):
        raise DatasetError(
            f"{text!r} is the id of {own.folder}, and a folder here as well; for that give .{os.sep}{text}."
        )
    return folder


def load_dataset(
    dataset: str | Path,
    split: Split,
    *,
    data_dir: Path | None = None,
    image_shape: tuple[int, int, int] | None = None,
    preparation: Preparation | None = None,
) -> LabelledImages:
    """Load one split of a data set.

    Every call gives the same images in the same order. A folder's pictures are labelled by the
    subfolder they lie in (at any depth), those directly in the folder by its own name. Each one's
    content decides its split: about 80% are for train, 10% for validation and 10% for test, at
    least one each. Hidden files and links that lead outside are passed over; unreadable pictures
    are logged.

    Args:
        dataset: id of a data set, as a model names it: one of `DATASET_NAMES`, or one of the owner's
            registry. A folder of pictures is given as a `Path`: no text from a file is ever one.
        split: which part.
        data_dir: Folder that may hold ``NAME.npz``; by default that in ``VAE_DATA_DIR``.
        image_shape: (channel, height, width) in pixels, to which a folder's pictures are
            brought. A named set has its own, which this may only repeat.
        preparation: How a folder's pictures are prepared. Those of a named set already are.

    Raises:
        DatasetError: The set is unknown, missing or damaged, or a folder has fewer than 3
            readable pictures.
        DownloadError: The set could not be fetched whole; nothing half fetched is kept.
        InputError: `image_shape` is none that a picture can be brought to.
    """
    return load_splits(dataset, [split], data_dir=data_dir, image_shape=image_shape, preparation=preparation)[split]


def load_splits(
    dataset: str | Path,
    splits: Sequence[Split],
    *,
    data_dir: Path | None = None,
    image_shape: tuple[int, int, int] | None = None,
    preparation: Preparation | None = None,
) -> dict[Split, LabelledImages]:
    """Load several splits at once: what they have in common is read once.

    Arguments and errors are those of `load_dataset`.
    """
    info = DATASETS.get(dataset) if isinstance(dataset, str) else None
    if info is None:
        return _load_folder(_own_folder(dataset), splits, image_shape, preparation)
    if image_shape not in (None, info.image_shape):
        raise DatasetError(
            f"{dataset} has pictures of shape {info.image_shape}, got image_shape {image_shape}; omit it."
        )
    return info.load(splits, data_dir)


def _own_folder(dataset: str | Path) -> OwnSet:
    """The folder that an id of the owner's stands for, or that is given."""
    if isinstance(dataset, Path):
        return OwnSet(str(dataset))
    found = find_own_set(dataset)
    if found is None:
        raise _unknown(dataset, "or a folder of images that --dataset FOLDER has made known on this machine")
    if not Path(found.folder).is_dir():
        raise DatasetError(
            f"the folder {found.folder} of the data set {dataset!r} must exist; give --dataset FOLDER "
            f"--dataset-id {dataset} to say where it is now."
        )
    return found


def _unknown(text: str, others: str) -> DatasetError:
    received = repr(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...")
    return DatasetError(f"the data set must be one of {', '.join(DATASET_NAMES)}, {others}, got {received}.")


def _load_folder(
    own: OwnSet,
    splits: Sequence[Split],
    image_shape: tuple[int, int, int] | None,
    preparation: Preparation | None,
) -> dict[Split, LabelledImages]:
    root = Path(own.folder)
    if not root.is_dir():
        raise DatasetError(f"the folder of images must exist, got {root}.")
    if image_shape is None or preparation is None:
        raise DatasetError(
            f"the folder {root} needs image_shape (channel, height, width) and preparation, "
            f"got {image_shape} and {preparation}."
        )
    return load_folder(root, splits, image_shape=image_shape, preparation=preparation, rule=own.split_rule)


def _load_digits(splits: Sequence[Split], _data_dir: Path | None) -> dict[Split, LabelledImages]:
    from sklearn.datasets import load_digits  # takes a second; the names of the data sets must come at once

    values, labels = load_digits(return_X_y=True)
    return {split: _digits_of(split, values, labels) for split in splits}


def _digits_of(split: Split, values: np.ndarray, labels: np.ndarray) -> LabelledImages:
    rows = _stratified_rows(labels, split)
    grey = np.rint(values[rows].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    images = np.stack([np.asarray(Image.fromarray(digit).resize((28, 28), Image.Resampling.BICUBIC)) for digit in grey])
    return LabelledImages(
        images=torch.from_numpy(images[:, None]),  # [image, 1, 28, 28]
        labels=torch.from_numpy(labels[rows].astype(np.int64)),
        label_names=tuple("0123456789"),
    )


def _stratified_rows(labels: np.ndarray, split: Split) -> np.ndarray:
    """60% of each label's rows for train, 20% for validation, 20% for test; ascending."""
    random = seeded_random()
    shuffled = (random.permutation(np.flatnonzero(labels == label)).tolist() for label in np.unique(labels))
    return np.array(sorted(row for rows in shuffled for row in share_of(split, rows, one_in=5)))


MNIST = IdxSet(
    name="mnist",
    url="https://ossci-datasets.s3.amazonaws.com/mnist/",
    url_variable="VAE_MNIST_URL",
    image_size=(28, 28),
    label_names=tuple("0123456789"),
    validation_count=5_000,
    md5={
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
)

FASHION_MNIST = IdxSet(
    name="fashion_mnist",
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    url_variable="VAE_FASHION_MNIST_URL",
    image_size=(28, 28),
    label_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    validation_count=5_000,
    md5={
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
)

# Another data set is a way to load it above and a row here.
DATASETS: dict[str, DatasetInfo] = {
    info.name: info
    for info in (
        DatasetInfo(
            name="mnist",
            title="MNIST handwritten digits",
            image_shape=(1, 28, 28),
            preparation=Preparation(fit="pad", background="white", invert="auto", centre=True),
            licence="none stated by the authors; commonly given as CC BY-SA 3.0",
            citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
            "recognition. Proceedings of the IEEE 86(11), 1998",
            classes=True,
            label_title="Digit",
            load=partial(load_idx_set, MNIST),
            published=MNIST,
        ),
        DatasetInfo(
            name="digits",
            title="Optical recognition of handwritten digits (8x8, enlarged)",
            image_shape=(1, 28, 28),
            # Not centred by mass: the strokes of these digits fill the whole height.
            preparation=Preparation(fit="pad", background="white", invert="auto"),
            licence="CC BY 4.0",
            citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI Machine Learning "
            "Repository, 1998, doi:10.24432/C50P49",
            classes=True,
            label_title="Digit",
            load=_load_digits,
            comes_along=True,
        ),
        DatasetInfo(
            name="fashion_mnist",
            title="Fashion-MNIST, garments",
            image_shape=(1, 28, 28),
            preparation=Preparation(fit="pad", background="white", invert="auto"),
            licence="MIT, (c) 2017 Zalando SE",
            citation="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine "
            "learning algorithms. arXiv:1708.07747, 2017",
            classes=True,
            label_title="Garment",
            load=partial(load_idx_set, FASHION_MNIST),
            published=FASHION_MNIST,
        ),
        DatasetInfo(
            name="quickdraw",
            title="Quick, Draw! sketches of eight things",
            image_shape=(1, 28, 28),
            preparation=Preparation(fit="pad", background="white", invert="auto"),
            licence="CC BY 4.0, Google",
            citation="D. Ha, D. Eck: A neural representation of sketch drawings. arXiv:1704.03477, 2017",
            classes=True,
            label_title="Thing drawn",
            load=load_quickdraw,
        ),
        DatasetInfo(
            name="emoji_noto",
            title="Noto Emoji, one picture for all skin tones",
            image_shape=(3, 64, 64),
            preparation=Preparation(fit="pad", background="white"),
            licence="Apache 2.0 (images, per its README) and OFL 1.1 (its licence file), (c) Google",
            citation="Google: Noto Emoji, googlefonts/noto-emoji b3e3051",
            classes=False,
            label_title="Group",
            load=load_emoji,
        ),
        DatasetInfo(
            name="faces",
            title="FairFace, adult faces scaled to 64x64",
            image_shape=(3, 64, 64),
            preparation=Preparation(fit="crop", background="white"),
            licence="CC BY 4.0 as stated by FairFace's authors",
            citation="K. Karkkainen, J. Joo: FairFace: face attribute dataset for balanced race, gender, and age for "
            "bias measurement and mitigation. WACV 2021, arXiv:1908.04913",
            classes=False,
            label_title="Perceived age",
            load=load_faces,
            shows_people=True,
        ),
        DatasetInfo(
            name="dsprites",
            title="dSprites, shapes drawn from five known factors",
            image_shape=(1, 64, 64),
            preparation=Preparation(fit="pad", background="white", invert="auto"),
            licence="Apache 2.0",
            citation="L. Matthey, I. Higgins, D. Hassabis, A. Lerchner: dSprites: disentanglement testing sprites "
            "dataset, 2017",
            classes=True,
            label_title="Shape",
            load=load_dsprites,
        ),
    )
}
DATASET_NAMES: tuple[str, ...] = tuple(DATASETS)

"""The visitor's code, view of the map and interpolation ends: their first values, and what pages report, checked."""

from typing import Any

import numpy as np

from app.draws import Source, draw_code
from app.state import Code, End, Session, View
from app.typical import class_members
from vae_core.groups import VALUES
from vae_core.inference import LoadedModel
from vae_core.latent import Path
from vae_core.reference import Reference

__all__ = [
    "current_code",
    "current_ends",
    "current_view",
    "projections",
    "random_end",
    "take_code",
    "take_path",
    "take_view",
]

DRAWN: dict[Source, str] = {"prior": "a draw from N(0, I)", "data": "a draw like the data"}
KINDS: tuple[Path, ...] = ("linear", "spherical")
LARGEST_FLOAT = float(np.finfo(np.float32).max)


def projections(loaded: LoadedModel) -> list[str]:
    """The maps that a model offers, the one shown first at the head; a plane needs no projection."""
    return ["axes"] if loaded.config.latent_dim <= 2 else ["umap", "pca", "axes"]


def current_code(memory: Session, loaded: LoadedModel) -> Code:
    """The sliders' code; at first that of the held-out image that is reconstructed most typically."""
    if loaded.name not in memory.codes:
        reference = loaded.need_reference()
        held_out = np.flatnonzero(reference.held_out)
        nats = reference.reconstruction[held_out]
        typical = np.abs(nats - np.median(nats)).argmin()
        memory.codes[loaded.name] = reference.means[held_out[typical]].copy()
    return memory.codes[loaded.name]


def current_view(memory: Session, loaded: LoadedModel) -> View:
    """How the map is shown."""
    last = max(0, min(1, loaded.config.latent_dim - 1))
    return memory.views.setdefault(loaded.name, View(projections(loaded)[0], y=last))


def current_ends(memory: Session, loaded: LoadedModel) -> dict[str, End]:
    """The ends of the interpolation, "start" and "end"; at first typical members of two classes."""
    ends, reference = memory.ends.setdefault(loaded.name, {}), loaded.need_reference()
    if len(ends) < 2:
        for which, end in _first_ends(reference).items():
            ends.setdefault(which, end)
    return ends


def random_end(loaded: LoadedModel, source: Source) -> End:
    """A draw from N(0, I) or from the mixture fitted to the codes of training images."""
    return End(DRAWN[source], draw_code(loaded, source))


def take_code(loaded: LoadedModel, values: Any) -> Code | None:
    """A code that the page reports; None for what is no code of this model's (it may have been switched meanwhile)."""
    if not isinstance(values, list) or len(values) != loaded.config.latent_dim:
        return None
    if not all(isinstance(value, int | float) and abs(value) <= LARGEST_FLOAT for value in values):  # false for NaN
        return None
    return np.asarray(values, np.float32)


def take_view(memory: Session, loaded: LoadedModel, value: Any) -> None:
    """Keep the view of the map that the page reports, when it is one of this model's."""
    dimensions = range(loaded.config.latent_dim)
    values = [name for name in VALUES if name != "kl" or loaded.config.variational]
    colours = ("label", *values, *map(str, dimensions))
    match value:
        case {"projection": projection, "x": int(x), "y": int(y), "colour": colour} if (
            projection in projections(loaded) and x in dimensions and y in dimensions and colour in colours
        ):
            memory.views[loaded.name] = View(projection, x, y, colour)


def take_path(memory: Session, value: Any) -> None:
    """Keep the kind of path that the page reports; it offers those that need no graph."""
    if value in KINDS:
        memory.path = value


def _first_ends(reference: Reference) -> dict[str, End]:
    """Typical members of two classes; of a single class a typical one and the one that lies farthest from it."""
    classes = np.unique(reference.labels)
    first, last = int(classes[len(classes) // 3]), int(classes[-1])
    members = class_members(reference, first)
    start = End(f"a typical {reference.label_names[first]}", members[0].copy())
    if first == last:
        return {"start": start, "end": End(f"an unusual {reference.label_names[last]}", members[-1].copy())}
    end = End(f"a typical {reference.label_names[last]}", class_members(reference, last)[0].copy())
    return {"start": start, "end": end}

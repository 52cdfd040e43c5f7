"""The visitor's code and view of the map: their first values, and what pages report, checked."""

from typing import Any

import numpy as np

from app.session.state import Code, Session, View
from vae_core.latent.codes import FLOAT32_MAX
from vae_core.reference.groups import VALUES
from vae_core.store.opening import StoredModel

__all__ = ["current_code", "current_view", "projections", "take_code", "take_view"]


def projections(loaded: StoredModel) -> list[str]:
    """The maps that a model offers, the one shown first at the head; a plane needs no projection."""
    return ["axes"] if loaded.spec.latent_dim <= 2 else ["umap", "pca", "axes"]


def current_code(memory: Session, loaded: StoredModel) -> Code:
    """The sliders' code; at first that of the held-out image that is reconstructed most typically."""
    if loaded.name not in memory.codes:
        reference = loaded.need_reference()
        held_out = np.flatnonzero(reference.held_out)
        nats = reference.reconstruction[held_out]
        typical = np.abs(nats - np.median(nats)).argmin()
        memory.codes[loaded.name] = reference.means[held_out[typical]].copy()
    return memory.codes[loaded.name]


def current_view(memory: Session, loaded: StoredModel) -> View:
    """How the map is shown."""
    last = max(0, min(1, loaded.spec.latent_dim - 1))
    return memory.views.setdefault(loaded.name, View(projections(loaded)[0], y=last))


def take_code(loaded: StoredModel, values: Any) -> Code | None:
    """A code that the page reports; None for what is no code of this model's (it may have been switched meanwhile)."""
    if not isinstance(values, list) or len(values) != loaded.spec.latent_dim:
        return None
    if not all(isinstance(value, int | float) and abs(value) <= FLOAT32_MAX for value in values):  # false for NaN
        return None
    return np.asarray(values, np.float32)


def take_view(memory: Session, loaded: StoredModel, value: Any) -> bool:
    """Keep the view of the map that the page reports, when it is one of this model's; says whether it was."""
    dimensions = range(loaded.spec.latent_dim)
    values = [name for name in VALUES if name != "kl" or loaded.spec.variational]
    colours = ("label", *values, *map(str, dimensions))
    match value:
        case {"projection": projection, "x": int(x), "y": int(y), "colour": colour} if (
            projection in projections(loaded) and x in dimensions and y in dimensions and colour in colours
        ):
            memory.views[loaded.name] = View(projection, x, y, colour)
            return True
    return False

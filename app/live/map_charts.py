"""Maps as Plotly figures in JSON: read from a request's query, drawn once a model and view."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from app.charts.maps import MapColour, map_chart, plain_text
from app.live.answers import latent_map
from app.live.asset_files import CODE_VERSION
from app.wire.protocol import ProjectionKind
from vae_core.errors import InputError
from vae_core.inference.memo import once_a_model, reference_values
from vae_core.reference.groups import VALUES
from vae_core.reference.reference_set import Reference
from vae_core.store.opening import StoredModel

__all__ = ["MapView", "map_json", "maps_version", "reference_in"]

LABEL = "label"
STORED = {kind.name.lower(): kind for kind in (ProjectionKind.UMAP, ProjectionKind.PCA, ProjectionKind.AXES)}


def maps_version(loaded: StoredModel) -> str:
    """What stands in the addresses of a model's maps: it changes with the reference set and with how maps are drawn."""
    return f"{loaded.reference_digest}-{CODE_VERSION}"


def reference_in(version: str) -> str:
    """The reference set's digest in what stands in an address; empty where there is none."""
    return version.rpartition("-")[0]


@dataclass(frozen=True)
class MapView:
    """Which map is shown and how it is coloured.

    Attributes:
        projection: The kind of map.
        axes: The two dimensions of an AXES map, from 0.
        colour: ``"label"``, one of `vae_core.reference.groups.VALUES`, or a dimension as a number from 0.
    """

    projection: ProjectionKind
    axes: tuple[int, int]
    colour: str

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read a view from a request's query.

        Raises:
            InputError: A part is missing or no number, or there is no such kind of map.
        """
        try:
            projection, axes, colour = query["projection"], (int(query["x"]), int(query["y"])), query["colour"]
        except (KeyError, ValueError) as error:
            raise InputError(
                f"a map is asked for by projection, x, y and colour; {error} is missing or wrong"
            ) from error
        if projection not in STORED:  # one that was fitted anew the page draws itself
            raise InputError(f"projection must be one of {', '.join(STORED)}, got {projection[:20]!r}.")
        return cls(STORED[projection], axes, colour)


@once_a_model(16)
def map_json(loaded: StoredModel, view: MapView) -> bytes:
    """The map as a Plotly figure in JSON.

    Raises:
        InputError: The model has no such dimension, or is a plain autoencoder, which has no KL.
        ModelError: The model has no reference set.
    """
    reference = loaded.need_reference()
    if min(view.axes) < 0 or max(view.axes) >= reference.latent_dim:
        raise InputError(f"{loaded.name} has dimensions 0 to {reference.latent_dim - 1}, got {view.axes}.")
    placed_by = latent_map(loaded, view.projection, view.axes)
    umap = view.projection == ProjectionKind.UMAP
    places = reference.umap_places if umap else placed_by.project(reference.means)
    colour = _colour(loaded, view.colour)
    axes = (_dimension_title(reference, view.axes[0]), _dimension_title(reference, view.axes[1]))
    titles = {ProjectionKind.UMAP: None, ProjectionKind.PCA: ("PC 1", "PC 2"), ProjectionKind.AXES: axes}
    held_out = None if reference.held_out.all() else reference.held_out
    titled = titles[view.projection]
    figure = map_chart(places, colour, axis_titles=titled, names=reference.label_names, held_out=held_out)
    text: str = figure.to_json()
    return text.encode()


def _dimension_title(reference: Reference, dimension: int) -> str:
    name = plain_text(reference.dimension_names[dimension])
    return f"Dimension {dimension + 1}" + (f" · {name}" if name else "")


def _colour(loaded: StoredModel, colour: str) -> MapColour:
    reference = loaded.need_reference()
    if colour == LABEL:
        return MapColour(reference.labels, categories=reference.label_names)
    if colour in VALUES:
        return MapColour(reference_values(loaded, colour), title=_value_title(loaded, colour))
    if colour not in map(str, range(reference.latent_dim)):
        raise InputError(
            f"colour must be {', '.join(map(repr, VALUES))}, 'label' or a dimension from 0 to "
            f"{reference.latent_dim - 1}, got {colour!r}."
        )
    return MapColour(reference_values(loaded, colour), title=_dimension_title(reference, int(colour)))


def _value_title(loaded: StoredModel, what: str) -> str:
    """What a value is, with its unit."""
    compared = "posterior deviations" if loaded.spec.variational else "units of z"  # see `comparison_scale`
    titles = {
        "kl": "KL, nats",
        "reconstruction": "Reconstruction term, nats",
        "norm": "Norm of the code, units of z",
        "density": "Log density of the codes, nats",
        "distance": f"Distance to the nearest codes, {compared}",
    }
    return titles[what]

"""Groups of reference images as files: tables for spreadsheets, arrays for numpy."""

import csv
import io
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from vae_core.errors import InputError
from vae_core.reference.groups import Group, checked_group
from vae_core.reference.reference_set import Reference

__all__ = ["Places", "group_to_csv", "group_to_npz"]

Places = Mapping[str, Float[np.ndarray, "_ 2"]]  # of all reference images on each map, by the map's name

# What makes a spreadsheet take a text for a formula at its start: OWASP, "CSV Injection".
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def group_to_csv(reference: Reference, group: Group, places: Places) -> bytes:
    """The group as a table that spreadsheets open: RFC 4180, in UTF-8 with the mark by which Excel knows it.

    Columns: index, label, held_out (true or false), z1 and on, NAME_x and NAME_y for each map. Numbers have the
    digits that bring them back exactly. A label that would become a formula gets an apostrophe before it.

    Args:
        reference: The reference set.
        group: Of its members.
        places: Where all reference images lie on each map, [image, 2], by the map's name.

    Raises:
        InputError: The group does not fit the reference set, or a map's name or shape is wrong.
    """
    rows = _checked_export(reference, group, places)
    numbers = [each[rows].astype(str) for each in (reference.means, *places.values())]  # shortest that round-trip
    header = [
        "index",
        "label",
        "held_out",
        *(f"z{dimension + 1}" for dimension in range(reference.latent_dim)),
    ]  # as pages count
    header += [f"{name}_{axis}" for name in places for axis in "xy"]
    labels = [_defused(reference.label_names[label]) for label in reference.labels[rows]]
    flags = np.where(reference.held_out[rows], "true", "false")
    text = io.StringIO(newline="")
    table = zip(rows.tolist(), labels, flags, np.concatenate(numbers, axis=1).tolist(), strict=True)
    csv.writer(text).writerows([header, *([*each, *digits] for *each, digits in table)])
    return text.getvalue().encode("utf-8-sig")


def group_to_npz(reference: Reference, group: Group, places: Places) -> bytes:
    """The same for numpy, without pickles; labels stand as they are.

    Arrays: name, index, label, held_out [member], codes [member, latent], NAME_places [member, 2] for each map.

    Raises:
        InputError: The group does not fit the reference set, or a map's name or shape is wrong.
    """
    rows = _checked_export(reference, group, places)
    file = io.BytesIO()
    np.savez(  # codes hardly compress, and deflating takes longer than all else
        file,
        allow_pickle=False,
        name=np.array(group.name),
        index=rows,
        label=np.array(reference.label_names)[reference.labels[rows]],
        held_out=reference.held_out[rows],
        codes=reference.means[rows],
        **{f"{name}_places": each[rows] for name, each in places.items()},
    )
    return file.getvalue()


def _checked_export(reference: Reference, group: Group, places: Places) -> Int[np.ndarray, " m"]:
    for name, each in places.items():
        if not (name.isidentifier() and name.isascii()) or each.shape != (len(reference), 2):
            raise InputError(
                f"a map needs a name of plain letters, digits and _ and {len(reference):,} places of 2 coordinates, "
                f"got {name!r} with {list(each.shape)}."
            )
    return checked_group(reference, group.name, group.indices).indices


def _defused(label: str) -> str:
    return f"'{label}" if label.startswith(FORMULA_STARTS) else label

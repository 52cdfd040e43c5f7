"""Members of a reference set that stand for their class."""

import numpy as np
from jaxtyping import Float, Int

from vae_core.latent.neighbours import distances_between
from vae_core.reference.reference_set import Reference

__all__ = ["class_members", "distant_classes", "spread_codes"]

SEARCHED = 500  # members of a class among which its core is looked for
NEIGHBOURS = 15  # that lie near it
COMPARED = 12  # classes among which the most distant two are looked for


def class_members(reference: Reference, label: int) -> Float[np.ndarray, "n d"]:
    """Means of a class's members from its core outwards, [member, latent].

    The core is the member with the nearest neighbours of its own class. The mean of a class would not do: on a
    plane a class may lie around another, and the member nearest to its mean looks like that one.
    """
    members = reference.means[reference.labels == label]
    compared = members * reference.scale
    some = compared[:: -(-len(members) // SEARCHED)]
    count = min(NEIGHBOURS, len(some) - 1)
    near = np.partition(distances_between(some, some), count, axis=1)[:, : count + 1]
    core = some[near.mean(axis=1).argmin()]
    outwards: np.ndarray = members[distances_between(compared, core[None])[:, 0].argsort(kind="stable")]
    return outwards


def distant_classes(reference: Reference) -> tuple[int, int]:
    """The two classes whose cores lie farthest apart, in posterior deviations, the lower one first.

    Of many classes evenly chosen ones are compared; of a single class both are that one.
    """
    present = np.unique(reference.labels)
    some = present[np.linspace(0, len(present) - 1, min(COMPARED, len(present))).astype(int)]
    cores = np.stack([class_members(reference, int(label))[0] for label in some]) * reference.scale
    distances = distances_between(cores, cores)
    first, last = np.unravel_index(distances.argmax(), distances.shape)
    return int(some[first]), int(some[last])


def spread_codes(reference: Reference, count: int) -> Float[np.ndarray, "n d"]:
    """Codes of members of evenly chosen classes, [count, latent].

    Each class gives its core first; where it gives several, the others lie farther and farther out, up to the half
    way: those near the core all look alike.
    """
    present = np.unique(reference.labels)
    turns = np.linspace(0, len(present), count, endpoint=False).astype(int)  # which class gives each picture
    codes = []
    for turn, shares in zip(*np.unique(turns, return_counts=True), strict=True):
        members = class_members(reference, int(present[turn]))
        codes.append(members[_steps(len(members), int(shares))])
    return np.concatenate(codes)


def _steps(members: int, count: int) -> Int[np.ndarray, " n"]:
    return np.linspace(0, (members - 1) // 2, count).astype(int)

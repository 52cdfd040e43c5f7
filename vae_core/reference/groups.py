"""Groups of reference images: how they are chosen, and what they have in common."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from vae_core.errors import InputError
from vae_core.latent.names import check_name
from vae_core.models.posterior import Posterior
from vae_core.reference.reference_set import Reference

__all__ = [
    "VALUES",
    "Group",
    "GroupSummary",
    "checked_group",
    "describe",
    "members_by_label",
    "members_by_range",
    "representatives",
    "values_of",
]


@dataclass(frozen=True, eq=False)
class Group:
    """Members of a reference set under a name; `checked_group` makes one.

    Attributes:
        name: What a person calls it.
        indices: Of its members in the reference set, ascending, each one once, [member].
    """

    name: str
    indices: Int[np.ndarray, " m"]


@dataclass(frozen=True, eq=False)
class GroupSummary:
    """What a group's members have in common.

    Attributes:
        count: Members.
        labels: Members of each class that is present, the most frequent first.
        mean: Of their codes, float32 [latent].
        kl: Mean of their KL in nats; None for a plain autoencoder.
        reconstruction: Mean of -log p(x|z) in nats.
        fill_ins: Members that are training images, which fill up a small reference set.
        spread: Root mean square distance of the codes to their mean, in units of z.
    """

    count: int
    labels: dict[str, int]
    mean: Float[np.ndarray, " d"]
    kl: float | None
    reconstruction: float
    fill_ins: int
    spread: float


def values_of(reference: Reference, what: str | int) -> Float[np.ndarray, " n"]:
    """One number for each reference image, float64 [image]: what a map is coloured by and a range chosen of.

    Args:
        reference: The reference set.
        what: One of `VALUES` or a dimension, from 0. ``"kl"``: summed over dimensions, nats; ``"reconstruction"``:
            -log p(x|z), nats; ``"norm"`` of the code; ``"density"``: log density of the codes' mixture, nats;
            ``"distance"`` to the nearest other references, as the trust cue counts it.

    Raises:
        InputError: There is no such value, or it is the KL of a plain autoencoder.
    """
    if isinstance(what, str):
        if what not in VALUES:
            raise InputError(f"a value must be one of {', '.join(VALUES)} or a dimension's number, got {what!r}.")
        return VALUES[what](reference).astype(np.float64)
    if not 0 <= what < reference.latent_dim:
        raise InputError(f"a dimension must be from 0 to {reference.latent_dim - 1} for this model, got {what}.")
    return reference.means[:, what].astype(np.float64)


def members_by_label(reference: Reference, label: int) -> Int[np.ndarray, " m"]:
    """Indices of a class's images, ascending, [member].

    Raises:
        InputError: The reference set has no class of that index.
    """
    if not 0 <= label < len(reference.label_names):
        raise InputError(f"a label must be from 0 to {len(reference.label_names) - 1} for this model, got {label}.")
    return np.flatnonzero(reference.labels == label)


def members_by_range(values: Float[np.ndarray, " n"], low: float, high: float) -> Int[np.ndarray, " m"]:
    """Indices of the values from `low` to `high`, both included, ascending, [member].

    Raises:
        InputError: `low` is above `high`, or one of them is not a number.
    """
    if not low <= high:
        raise InputError(f"a range goes from its lower end to its upper one, got {low} to {high}; swap them.")
    return np.flatnonzero((values >= low) & (values <= high))


def checked_group(reference: Reference, name: str, indices: Sequence[object] | np.ndarray) -> Group:
    """A group of what came from outside: its name without spaces around, its indices sorted, each one once.

    Raises:
        InputError: The name breaks the rule of `vae_core.latent.names`; or there is no index,
            or one that is no whole number or not in the reference set.
    """
    name = name.strip()
    check_name(name, "a group")
    members = _checked_indices(reference, indices)
    members.setflags(write=False)
    return Group(name, members)


def describe(reference: Reference, indices: Int[np.ndarray, " m"]) -> GroupSummary:
    """What the images of these indices have in common.

    Raises:
        InputError: There is no index, or one that is not in the reference set.
    """
    members = _checked_indices(reference, indices)
    codes = reference.means[members].astype(np.float64)
    mean = codes.mean(axis=0)
    names = Counter(reference.label_names[label] for label in reference.labels[members])
    return GroupSummary(
        count=len(members),
        labels=dict(sorted(names.items(), key=lambda each: (-each[1], each[0]))),
        mean=mean.astype(np.float32),
        kl=float(_kl(reference, members).mean()) if reference.is_variational else None,
        reconstruction=float(reference.reconstruction[members].mean(dtype=np.float64)),
        fill_ins=int(np.count_nonzero(~reference.held_out[members])),
        spread=float(np.sqrt(np.square(codes - mean).sum(axis=1).mean())),
    )


def representatives(
    reference: Reference, indices: Int[np.ndarray, " m"], count: int, *, seed: int = 0
) -> Int[np.ndarray, " k"]:
    """Indices of members that show what a group consists of, each one once, [min(count, member)].

    In order: by class, and in each class by distance to its mean in the group. One member is drawn from each of
    `count` equal stretches of that order: so classes, the typical and the odd keep the shares that they have.
    Farthest points would show the odd alone, and one member of each k-means cell would lose the shares.

    Args:
        reference: The reference set.
        indices: The group's.
        count: How many to show; all are, when there are no more.
        seed: Of the draws: another one shows others.

    Raises:
        InputError: `count` is below 1, there is no index, or one that is not in the reference set.
    """
    if count < 1:
        raise InputError(f"at least 1 member of a group is shown, got a count of {count}.")
    members = _by_class_outwards(reference, _checked_indices(reference, indices))
    if count >= len(members):
        return members
    bounds = np.linspace(0, len(members), count + 1).astype(int)  # each stretch holds at least one
    return members[np.random.default_rng(seed).integers(bounds[:-1], bounds[1:])]


def _kl(reference: Reference, rows: np.ndarray | slice = slice(None)) -> Float[np.ndarray, " m"]:
    if not reference.is_variational:
        raise InputError("a plain autoencoder has no KL; choose another value, such as norm or density.")
    posterior = Posterior(torch.from_numpy(reference.means[rows]), torch.from_numpy(reference.logvars[rows]))
    kl: np.ndarray = posterior.kl().sum(dim=1).numpy()
    return kl


def _distance(reference: Reference) -> Float[np.ndarray, " n"]:
    return reference.neighbours.mean_distance(reference.means, exclude=1)


# What values_of() knows by name; "distance" takes a second for 10,000 images, "density" half of one.
VALUES: dict[str, Callable[[Reference], np.ndarray]] = {
    "kl": _kl,
    "reconstruction": lambda reference: reference.reconstruction,
    "norm": lambda reference: np.linalg.norm(reference.means.astype(np.float64), axis=1),
    "density": lambda reference: reference.mixture.log_prob(reference.means),
    "distance": _distance,
}


def _checked_indices(reference: Reference, indices: Sequence[object] | np.ndarray) -> Int[np.ndarray, " m"]:
    try:
        given = np.asarray(indices)
    except ValueError:  # lists of several lengths
        given = np.empty(0)
    if given.dtype.kind == "f" and (np.abs(given) < 2**53).all() and (given == np.rint(given)).all():
        given = given.astype(np.int64)  # JSON does not tell 3.0 from 3
    if given.ndim != 1 or given.dtype.kind not in "iu" or not given.size:
        raise InputError(f"a group needs a list of whole numbers, at least 1, got {str(indices)[:40]}; choose members.")
    low, high = given.min(), given.max()
    if low < 0 or high >= len(reference):
        raise InputError(
            f"members of this model's groups are from 0 to {len(reference) - 1}, got {low} to {high}; choose others."
        )
    return np.unique(given).astype(np.int64)


def _by_class_outwards(reference: Reference, members: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
    """Members ordered by class and in each by the distance to its mean, in the unit that codes are compared in."""
    members = members[np.argsort(reference.labels[members], kind="stable")]
    labels, codes = reference.labels[members], reference.means[members] * reference.scale
    _, starts, sizes = np.unique(labels, return_index=True, return_counts=True)
    means = np.add.reduceat(codes, starts) / sizes[:, None]  # [class, latent]
    distances = np.square(codes - np.repeat(means, sizes, axis=0)).sum(axis=1)
    ordered: np.ndarray = members[np.lexsort((distances, labels))]
    return ordered

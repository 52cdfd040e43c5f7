"""Named directions in latent space: each gets a slider of its own, and can be applied to any code.

A direction comes from two groups of codes, a principal component or an axis. Directions add, as word vectors do
(Mikolov et al. 2013, arXiv:1301.3781), and as codes of pictures do (White 2016, arXiv:1609.04468).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32
from pydantic.dataclasses import dataclass
from scipy.linalg import orth

from vae_core.errors import InputError
from vae_core.latent.codes import Vector, check_finite, check_same_dimensions
from vae_core.latent.components import principal_components, upright
from vae_core.latent.names import check_name
from vae_core.latent.separation import Separation, Share, check_groups, mean_code, measure_separation
from vae_core.runtime.strict_json import CAMEL

__all__ = [
    "Direction",
    "Kind",
    "arithmetic",
    "axis_direction",
    "difference",
    "orthogonalise",
    "principal_directions",
]

Kind = Literal["groups", "component", "axis"]

EPSILON = float(np.finfo(np.float32).eps)  # what a code's values are known to, relative to the largest
NOTHING_LEFT = 1e-4  # of a direction's length; a thousand times what rounding leaves


@dataclass(frozen=True, eq=False, config=CAMEL)
class Direction:
    """A named vector in latent space.

    Attributes:
        name: What a person calls it; see `vae_core.latent.names`.
        vector: One step, float32 [latent]: of groups from A's mean to B's, of a principal component one standard
            deviation of the codes along it, of an axis 1.
        kind: Origin of the vector.
        separation: Separation of the two groups; None for other kinds and where `why_no_separation` tells why.
        variance_share: Share of the compared variance that a principal component has; None for other kinds.

    Raises:
        InputError: The name breaks its rule, or the vector is zero or not finite.
    """

    name: str
    vector: Vector
    kind: Kind
    separation: Separation | None = None
    variance_share: Share | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "a direction")
        check_finite(f"the direction {self.name!r}", self.vector, (None,), remedy="choose other codes")
        if not self.vector.any():
            raise InputError(f"the direction {self.name!r} must not be zero; choose other codes.")

    def apply(self, z: Float[np.ndarray, "... e"], amount: float) -> Float32[np.ndarray, "... e"]:
        """Codes moved along the direction, z + amount * vector, [latent] or [code, latent] as z is.

        Args:
            z: Codes, [latent] or [code, latent].
            amount: Steps; negative ones go the other way.

        Raises:
            InputError: z has another number of dimensions than the direction, or the result is not finite.
        """
        self._check_dimensions(z)
        with np.errstate(over="ignore", invalid="ignore"):
            moved = z + np.float64(amount) * self.vector
        return _as_float32(moved, f"a code moved {amount} steps along {self.name!r}")

    def overlaps(self) -> Float32[np.ndarray, " d"]:
        """The cosine of the angle with each axis, [latent], from -1 to 1; their squares sum to 1."""
        cosines: np.ndarray = self._exact / np.linalg.norm(self._exact)
        return cosines.astype(np.float32)

    def project(self, codes: Float[np.ndarray, "n e"]) -> Float32[np.ndarray, " n"]:
        """How many steps along the direction each code lies from the origin, [code]: v.z / |v|^2, by least squares.

        Raises:
            InputError: The codes have another number of dimensions than the direction, or a result is not finite.
        """
        self._check_dimensions(codes)
        steps = codes.astype(np.float64) @ self._exact / np.square(self._exact).sum()
        return _as_float32(steps, f"a place along {self.name!r}")

    @property
    def _exact(self) -> Float[np.ndarray, " d"]:
        return self.vector.astype(np.float64)  # squares of single precision would leave its range

    def _check_dimensions(self, codes: Float[np.ndarray, "... e"]) -> None:
        check_same_dimensions(f"codes and the direction {self.name!r}", codes, self.vector)


def difference(
    name: str, codes_a: Float[np.ndarray, "n d"], codes_b: Float[np.ndarray, "m e"], *, seed: int = 0
) -> Direction:
    """The direction from the mean of group A to that of group B, with their held-out separation.

    Args:
        name: Name of the slider.
        codes_a: [code, latent].
        codes_b: [code, latent].
        seed: Seed of the folds.

    Raises:
        InputError: A group is empty or not finite, their dimensions differ, or their means coincide.
    """
    check_groups(codes_a, codes_b)
    step = mean_code(codes_b) - mean_code(codes_a)
    if np.abs(step).max() <= EPSILON * max(np.abs(codes_a).max(), np.abs(codes_b).max()):
        raise InputError("a direction needs two groups with different means, got means that coincide; choose others.")
    vector = _as_float32(step, f"the direction {name!r}")
    return Direction(name, vector, "groups", measure_separation(codes_a, codes_b, seed=seed))


def principal_directions(
    codes: Float[np.ndarray, "n d"], count: int, *, scale: Float[np.ndarray, " d"] | None = None
) -> list[Direction]:
    """The leading principal components of codes, largest variance first.

    A component is `upright`, as on the map: its largest entry is positive. Standard deviations and
    shares of the variance are those of these codes themselves, with n in the denominator.

    A VAE's codes vary by about 1 along every dimension that it uses, so that their plain components point anywhere:
    on 128 dimensions of faces the first changed pictures less than a random direction did. Counted in posterior
    deviations they point to where the model spends its precision, and pictures change.

    Args:
        codes: The reference set's means, [code, latent].
        count: Number of components, at most one a dimension.
        scale: What a step along each dimension counts for where variances are compared, as `Reference.scale`; 1 each
            unless given.

    Raises:
        InputError: There are no codes, they are not finite, or they vary along fewer than `count` directions.
    """
    check_finite("the codes of principal components", codes, (None, None), fewest=1)
    weights = np.ones(codes.shape[1]) if scale is None else scale.astype(np.float64)
    exact = codes.astype(np.float64) * weights
    found = principal_components(exact, codes.shape[1])
    rounding = EPSILON * np.abs(exact).max() * math.sqrt(codes.shape[1])  # what equal codes may differ by
    varied = int((np.sqrt(found.variances) > rounding).sum())
    if not 1 <= count <= varied:
        raise InputError(
            f"these codes vary along {varied} directions: at least 1 and at most as many principal components can be "
            f"asked for, got {count}."
        )
    shares = found.variances / found.variances.sum()
    units = found.axes[:count] / weights  # [component, latent], of z itself
    units = upright(units / np.linalg.norm(units, axis=1, keepdims=True))
    deviations = ((exact - found.mean) / weights @ units.T).std(axis=0)[:, None]
    vectors = _as_float32(deviations * units, "a principal component")
    return [
        Direction(f"component {index + 1}", vectors[index], "component", variance_share=float(shares[index]))
        for index in range(count)
    ]


def axis_direction(index: int, latent_dim: int, name: str = "") -> Direction:
    """One dimension of z as a direction, a step of 1.

    Args:
        index: Number of the dimension, from 0.
        latent_dim: Dimensions of z.
        name: Name of the slider; "z1" for the first dimension and so on when empty.

    Raises:
        InputError: There is no such dimension.
    """
    if not 0 <= index < latent_dim:
        raise InputError(f"dimensions of z go from 0 to {latent_dim - 1}, got {index}.")
    return Direction(name or f"z{index + 1}", np.eye(latent_dim, dtype=np.float32)[index], "axis")


def arithmetic(
    a: Float[np.ndarray, "... d"], b: Float[np.ndarray, "... e"], c: Float[np.ndarray, "... f"]
) -> Float32[np.ndarray, " d"]:
    """A - B + C, [latent]: "smiling women - women + men"; of a group [code, latent] the mean counts.

    Single pictures carry much else along, means of a few do not: Radford et al. 2016 (arXiv:1511.06434), section 6.3.2.

    Raises:
        InputError: A group is empty, dimensions differ, or the result is not finite.
    """
    if not (a.size and b.size and c.size):
        raise InputError(f"A - B + C needs a code for each, got groups of {[len(term) for term in (a, b, c)]}.")
    check_same_dimensions("A and B", a, b)
    check_same_dimensions("A and C", a, c)
    first, second, third = (mean_code(np.atleast_2d(term)) for term in (a, b, c))
    return _as_float32(first - second + third, "A - B + C")


def orthogonalise(direction: Direction, against: Sequence[Direction], *, name: str = "") -> Direction:
    """The direction without the part along others: moving along it changes no code's place along those.

    "Smile" no longer changes "age": conditional manipulation in InterFaceGAN (Shen et al. 2020, arXiv:1907.10786).
    A step of what is left is a shorter one, and the groups' separation is no longer its own.

    Args:
        direction: Direction of which the rest is kept.
        against: Directions along which no code's place may change.
        name: Name of the result; the direction's own when empty.

    Raises:
        InputError: Dimensions differ, or the direction is made of the others, so that nothing is left.
    """
    if not against:
        return replace(direction, name=name or direction.name)
    for other in against:
        check_same_dimensions(f"{direction.name!r} and {other.name!r}", direction.vector, other.vector)
    vector = direction._exact
    basis = orth(np.stack([other.overlaps() for other in against], axis=1).astype(np.float64), EPSILON)  # [latent, k]
    rest = vector - basis @ (basis.T @ vector)
    if np.linalg.norm(rest) <= NOTHING_LEFT * np.linalg.norm(vector):
        others = ", ".join(repr(other.name) for other in against)
        raise InputError(f"nothing is left of {direction.name!r} without the part along {others}; take away fewer.")
    rest = _as_float32(rest, f"the rest of {direction.name!r}")
    return Direction(name or direction.name, rest, direction.kind)


def _as_float32(values: Float[np.ndarray, "... d"], what: str) -> Float32[np.ndarray, "... d"]:
    check_finite(what, values, remedy="use smaller values")
    single: np.ndarray = values.astype(np.float32)
    return single

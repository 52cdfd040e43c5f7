"""Paths between two codes through places where data lies.

The reference codes become a graph in which each is joined to its nearest neighbours (Tenenbaum, de Silva and Langford
2000, Science 290:2319), and a path is a shortest one through it. An edge costs its length to a power above one, so that
many short hops are cheaper than a long one and paths keep to where codes lie densely: Bijral, Ratliff and Srebro 2011,
arXiv:1202.3702; Hwang, Damelin and Hero 2016, arXiv:1202.0045, give what such paths come to with many points. For codes
of generative models: Chen et al. 2019, arXiv:1812.08284, who weigh the edges by the decoder instead.
"""

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from vae_core.errors import InputError
from vae_core.latent.codes import check_finite
from vae_core.latent.neighbours import NeighbourIndex

__all__ = ["NEIGHBOURS", "POWER", "CodeGraph", "along", "build_graph", "locate"]

NEIGHBOURS = 10  # that each code is joined to
POWER = 2.0  # of an edge's length; with 1 a straight hop would never cost more than a way round
SHORTEST = 1e-50  # what a length that rounds to 0 counts as: a sparse graph drops edges of 0


@dataclass(frozen=True, eq=False)
class CodeGraph:
    """Reference codes joined to their nearest neighbours; every code can be reached from every other.

    Attributes:
        codes: The nodes, each code once, [node, latent].
        scale: What a step of 1 along each dimension counts for where codes are compared, [latent].
        neighbours: Number of nearest codes that each code is joined to at the least.
        power: Power of an edge's scaled length, which makes the edge's weight.
        edges: Symmetric weights, [node, node].
        bridges: Edges added because neighbours alone left the graph in pieces: one fewer than there were pieces.
    """

    codes: Float[np.ndarray, "n d"]
    scale: Float[np.ndarray, " d"]
    neighbours: int
    power: float
    edges: csr_array
    bridges: int

    def path(self, start: Float[np.ndarray, " d"], end: Float[np.ndarray, " d"]) -> Float[np.ndarray, "m d"]:
        """The cheapest way from `start` over nodes to `end`, both included, float32 [waypoint, latent].

        An end is joined to its nearest nodes, and to the other end when that lies no farther than those. No two
        waypoints in a row are the same: an end that is a node counts once, and a path to itself is one waypoint.

        Raises:
            InputError: An end has another size than the nodes, or is not finite.
        """
        ends = np.stack([_checked(code, self.codes.shape[1]) for code in (start, end)])  # [2, latent]
        nearest, distances = self._nodes.nearest(ends, self.neighbours)  # [2, link]
        hop = np.linalg.norm(np.diff(self._nodes.scaled(ends), axis=0))
        between, cost = self._shortest(nearest, np.maximum(distances, SHORTEST) ** self.power)
        if hop <= distances.max() and hop**self.power <= cost:
            between = []
        waypoints = np.concatenate([ends[:1], self.codes[between], ends[1:]]).astype(np.float32)
        moves = np.any(waypoints[1:] != waypoints[:-1], axis=1)
        kept: np.ndarray = waypoints[np.concatenate([[True], moves])]
        return kept

    def distance_to_data(self, codes: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Scaled distance of each code to the nearest node, [code]; in posterior deviations with a model's scale."""
        distances: np.ndarray = self._nodes.nearest(codes, 1)[1][:, 0]
        return distances

    @functools.cached_property
    def _nodes(self) -> NeighbourIndex:
        return NeighbourIndex(self.codes, self.scale)

    def _shortest(self, links: Int[np.ndarray, "2 k"], weights: Float[np.ndarray, "2 k"]) -> tuple[list[int], float]:
        """The nodes from one end to the other, and what the way costs."""
        start = len(self.codes)  # the number of a node of its own, with edges that lead away from it
        costs, before = dijkstra(_with_row(self.edges, links[0], weights[0]), indices=start, return_predecessors=True)
        last = (costs[links[1]] + weights[1]).argmin()
        nodes, node = [], int(links[1, last])
        while node != start:
            nodes.append(node)
            node = int(before[node])
        return nodes[::-1], float(costs[links[1, last]] + weights[1, last])


def build_graph(
    codes: Float[np.ndarray, "n d"],
    scale: Float[np.ndarray, " e"],
    neighbours: int = NEIGHBOURS,
    *,
    power: float = POWER,
) -> CodeGraph:
    """Join codes that are among each other's nearest, either way; pieces are joined by their shortest bridges.

    10,000 codes of 16 dimensions take a third of a second of one core, of 128 dimensions under a second.

    Args:
        codes: Codes of a reference set; one that occurs more than once becomes one node.
        scale: What a step of 1 along each dimension counts for, such as a reference set's.
        neighbours: Number of nearest codes that each code is joined to.
        power: Power of an edge's scaled length; the higher, the more a path keeps to dense places.

    Raises:
        InputError: There are fewer than two different codes, a value is not finite, the scale has another size than
            the codes, or neighbours or power are below 1.
    """
    _check_graph(codes, scale, neighbours, power)
    _, first = np.unique(codes, axis=0, return_index=True)
    codes = codes[np.sort(first)].astype(np.float32)
    if len(codes) < 2:
        raise InputError(f"a graph joins at least 2 different codes, got {len(codes)}.")
    lengths = _neighbour_lengths(NeighbourIndex(codes, scale), min(neighbours, len(codes) - 1))
    bridges = _bridges(codes, scale, lengths)
    edges = _symmetric(lengths + bridges)
    edges.data **= power
    return CodeGraph(codes, scale, neighbours, power, edges, bridges.nnz)


def along(waypoints: Float[np.ndarray, "m d"], frames: int, scale: Float[np.ndarray, " d"]) -> Float[np.ndarray, "n d"]:
    """Codes at even steps along straight lines from waypoint to waypoint, float32 [frames, latent].

    Steps are even in the scaled distance, measured along the lines: across a corner two frames lie nearer to each other
    than that. The first and the last waypoint are hit exactly.

    Raises:
        InputError: There are fewer than two frames.
    """
    if frames < 2:
        raise InputError(f"a path has at least 2 frames, got {frames}.")
    return locate(waypoints, np.linspace(0, 1, frames), scale)


def locate(
    waypoints: Float[np.ndarray, "m d"], shares: Float[np.ndarray, " n"], scale: Float[np.ndarray, " d"]
) -> Float[np.ndarray, "n d"]:
    """Codes after the given shares of the way along `waypoints`, float32 [share, latent].

    Args:
        waypoints: At least one, [waypoint, latent].
        shares: Shares of the way's scaled length, in [0, 1].
        scale: What a step of 1 along each dimension counts for.
    """
    exact = waypoints.astype(np.float64)
    lengths = np.linalg.norm(np.diff(exact, axis=0) * scale, axis=1)
    reached = np.concatenate([[0], lengths.cumsum()])  # [waypoint]
    codes = [np.interp(shares * reached[-1], reached, dimension) for dimension in exact.T]
    return np.stack(codes, axis=1).astype(np.float32)


def _checked(code: Float[np.ndarray, " e"], latent: int) -> Float[np.ndarray, " d"]:
    check_finite("an end of a path", code, (latent,))
    return code


def _check_graph(
    codes: Float[np.ndarray, "n d"], scale: Float[np.ndarray, " e"], neighbours: int, power: float
) -> None:
    check_finite("codes", codes, (None, None))
    check_finite("the scale", scale, codes.shape[1:])
    if neighbours < 1:
        raise InputError(f"neighbours must be at least 1, got {neighbours}.")
    if power < 1:
        raise InputError(f"power must be at least 1, got {power}.")


def _neighbour_lengths(nodes: NeighbourIndex, neighbours: int) -> csr_array:
    """Distances of each code to its nearest others, [code, code]."""
    count = len(nodes)
    nearest, lengths = nodes.nearest(nodes.codes, neighbours + 1)  # with the code itself among them
    others = nearest != np.arange(count)[:, None]
    others[:, -1] &= ~others.all(axis=1)  # of a code that rounding keeps out of its own nearest the last one goes
    rows = np.repeat(np.arange(count), neighbours)
    edges = (np.maximum(lengths[others], SHORTEST), (rows, nearest[others]))
    return csr_array(edges, shape=(count, count))


def _bridges(codes: Float[np.ndarray, "n d"], scale: Float[np.ndarray, " d"], lengths: csr_array) -> csr_array:
    """Lengths of the edges that make the graph one piece, [code, code].

    The smallest piece is joined to the nearest code of any other until one is left. The shortest edge that leaves a
    piece belongs to a minimum spanning tree (Prim 1957), so no choice of bridges is shorter in all.
    """
    count, piece = connected_components(lengths, directed=False)
    bridges = []
    for _ in range(count - 1):
        labels, sizes = np.unique(piece, return_counts=True)
        is_inside = piece == labels[sizes.argmin()]
        inside, outside = np.flatnonzero(is_inside), np.flatnonzero(~is_inside)
        nearest, distances = NeighbourIndex(codes[outside], scale).nearest(codes[inside], 1)
        shortest = distances[:, 0].argmin()
        target = outside[nearest[shortest, 0]]
        bridges.append((inside[shortest], target, max(distances[shortest, 0], SHORTEST)))
        piece[inside] = piece[target]
    starts, ends, values = (list(column) for column in zip(*bridges, strict=True)) if bridges else ([], [], [])
    return csr_array((np.array(values, np.float64), (starts, ends)), shape=lengths.shape)


def _symmetric(edges: csr_array) -> csr_array:
    return csr_array(edges.maximum(edges.T))


def _with_row(edges: csr_array, columns: Int[np.ndarray, " k"], weights: Float[np.ndarray, " k"]) -> csr_array:
    """The graph with one more node, from which edges lead to `columns`."""
    count = edges.shape[0] + 1
    data = np.concatenate([edges.data, weights])
    indices = np.concatenate([edges.indices, columns])
    return csr_array((data, indices, np.append(edges.indptr, len(data))), shape=(count, count))

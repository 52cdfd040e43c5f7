"""The graph of each model's reference codes that paths through the data follow: built once, when first asked for."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from vae_core.inference.loaded import LoadedModel
from vae_core.latent.graph import CodeGraph, build_graph

__all__ = ["data_graph"]

MAX_GRAPHS = 32  # models; each takes some megabytes


@dataclass
class _Slot:
    """Where a model's graph is put; who holds the lock builds it, and the others wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    graph: CodeGraph | None = None


_slots: OrderedDict[str, _Slot] = OrderedDict()  # by digest, the one used last at the end
_choosing = threading.Lock()


def data_graph(loaded: LoadedModel) -> CodeGraph:
    """The model's graph; the first call builds it in seconds, for those as well who ask meanwhile.

    Raises:
        ModelError: The model has no reference set.
        InputError: All its reference codes are the same.
    """
    reference = loaded.need_reference()
    with _choosing:
        slot = _slots.setdefault(loaded.digest, _Slot())
        _slots.move_to_end(loaded.digest)
        while len(_slots) > MAX_GRAPHS:
            _slots.popitem(last=False)
    with slot.lock:
        if slot.graph is None:
            slot.graph = build_graph(reference.means, reference.scale)
        return slot.graph

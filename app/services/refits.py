"""Maps that visitors had fitted anew, for as long as the server remembers them: by number, the newest few."""

import secrets
import threading
from collections import OrderedDict

import numpy as np
from jaxtyping import Float

from app.wire.protocol import RefitId
from vae_core.errors import GoneError
from vae_core.projection.projections import NeighbourMap
from vae_core.store.opening import StoredModel

__all__ = ["MAX_MAPS", "Refits", "refits"]

# Maps of the whole process, one for everybody in a class room. One of 10,000 codes holds a third of a megabyte: where
# the codes lie. The codes themselves are the model's.
MAX_MAPS = 40


class Refits:
    """All maps that were fitted anew."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        # Each with the digest of the reference set that it is of; the newest comes last.
        self._maps: OrderedDict[RefitId, tuple[str, NeighbourMap]] = OrderedDict()

    def keep(self, loaded: StoredModel, places: Float[np.ndarray, "n 2"]) -> RefitId:
        """Keep a map of the model's reference codes and give the number by which it is found.

        Args:
            loaded: The model.
            places: Places of the model's reference codes, [reference, 2]; passing the same array again returns the
                number that it already has.
        """
        refitted = NeighbourMap(loaded.need_reference().neighbours, places)
        with self._changing:
            for number, (_, known) in self._maps.items():
                if known.places is places:
                    return number
            number = next(free for free in iter(_random_number, None) if free not in self._maps)
            self._maps[number] = (loaded.reference_digest, refitted)
            while len(self._maps) > MAX_MAPS:
                self._maps.popitem(last=False)
        return number

    def find(self, loaded: StoredModel, number: RefitId) -> NeighbourMap:
        """The map of that number.

        Raises:
            GoneError: It is not remembered any more, or belongs to another model.
        """
        with self._changing:
            digest, refitted = self._maps.get(number, ("", None))
            if refitted is None or digest != loaded.reference_digest:
                raise GoneError(f"map {number} of {loaded.name} is gone; fit it again")
            self._maps.move_to_end(number)  # what is looked at stays longest
        return refitted


def _random_number() -> RefitId:
    return RefitId(secrets.randbelow(RefitId.LARGEST) + 1)


_REFITS = Refits()


def refits() -> Refits:
    """The process's one memory of refitted maps."""
    return _REFITS

"""Which stored models are the collection's own: the texts and published figures of a preset are of no other's."""

from dataclasses import replace

from vae_core.models.config import ModelConfig
from vae_core.store.presets import PRESETS, Preset

__all__ = ["preset_of"]


def preset_of(name: str, config: ModelConfig | None) -> Preset | None:
    """The preset that a stored model was made by; None where only its name, or not even that, is one's.

    Args:
        name: Of the stored model.
        config: Its configuration; None where that is not known. Network and training count: how pictures from
            outside are prepared may be another.
    """
    preset = PRESETS.get(name)
    if preset is None or config is None:
        return None
    return preset if replace(config, preparation=preset.config.preparation) == preset.config else None

"""Which browser modules are mounted, and with which version of them a page is given its data."""

from app.components import explore, interpolate, model_picker, mounting, reconstruct_map
from app.live.asset_files import page_assets
from tests.app.pages import open_page, sent
from tests.contracts import check_contract
from vae_core.store.opening import StoredModel

COMPONENTS = (explore, interpolate, model_picker, reconstruct_map)  # each registers itself where it is imported


def test_the_mounted_modules_are_those_of_the_contract() -> None:
    assert len(mounting.MOUNTED) == len(COMPONENTS)
    check_contract("components", sorted(mounting.MOUNTED.values()))


def test_every_page_is_told_the_version_of_the_modules(tiny: StoredModel) -> None:
    assert sent(open_page("explore", model="tiny"))["assets"] == page_assets().version()

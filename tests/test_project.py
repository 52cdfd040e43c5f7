"""What the project says of itself: commands, files, pins and public names."""

import importlib
import json
import pkgutil
import re
import shutil
import tomllib
import typing
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import Float
from packaging.requirements import Requirement

import app
import vae_core
from vae_core.cli.options import parse
from vae_core.runtime.locations import LOCATIONS
from vae_core.store.stored_models import check_not_shipped
from vae_core.store.summary import markdown_table

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ["README.md", "docs/ARCHITECTURE.md"]
FOLDERS = "app|benchmarks|docs|pretrained|tests|vae_core"
# Streamlit runs these as scripts; importing them would be a page run without a browser.
SCRIPTS = ("app.main", "app.views.")
CODE = [ROOT / name for name in ("app", "vae_core", "tests", "benchmarks", "docs")]
TEXTS = {".py", ".js", ".css", ".md", ".toml", ".txt", ".json", ".svg"}
# A folder of the machine on which something was written, or a package index that only it can reach.
ELSEWHERE = re.compile(r"(?<![\w.])/(?:work|home|root)/|index-url|trusted-host")


IMPORT = re.compile(r"^from ((?:app|vae_core)\.[\w.]+) import (?:(\w[\w, ]*)|\(([^)]*)\))$", re.MULTILINE)


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def modules() -> list[str]:
    found = [
        module.name
        for package in (app, vae_core)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return [name for name in found if not name.startswith(SCRIPTS)]


def requirements(text: str) -> dict[str, Requirement]:
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return {requirement.name: requirement for requirement in found}


# -- documents -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_command_in_a_document_is_a_target(document: str):
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", read(document), re.MULTILINE))
    assert named <= targets
    assert document != "README.md" or {"run", "test", "serve"} <= named


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_named_in_a_document_exists(document: str):
    named = set(re.findall(rf"(?<![\w/.])(?:{FOLDERS})/[\w./-]*", read(document)))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path.rstrip(".")).exists()] == []


def test_every_command_line_in_the_readme_is_understood():
    commands = re.findall(r"^python -m vae_core (.*)$", read("README.md"), re.MULTILINE)
    assert {command.split()[0] for command in commands} == {"models", "train", "train-all", "evaluate", "places"}
    for command in commands:
        parse(command.split())  # exits when it does not understand


def test_what_the_readmes_commands_train_is_stored_outside_the_checkout(own_places: Path):
    commands = [
        line.split() for line in re.findall(r"^python -m vae_core (train .*)$", read("README.md"), re.MULTILINE)
    ]
    assert commands
    for options in map(parse, commands):
        check_not_shipped(options.name, options.models_dir)  # refuses a name of the collection
        for folder in (options.models_dir, options.run_dir):
            assert folder.is_relative_to(own_places)
            assert not folder.resolve().is_relative_to(ROOT)


def test_the_readme_names_every_place_and_its_variable():
    rows = {}
    for line in read("README.md").splitlines():
        if line.count("|") == 5:
            name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            rows[name] = cells
    for place in LOCATIONS:
        variable, folder, purpose = rows[place.name]
        assert variable.strip("`") == (place.variable or "-")
        assert folder.strip("`") == place.default.strip("`")
        assert purpose == place.purpose


def test_python_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    [code] = re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL)
    shutil.copy(ROOT / "app/examples/digit-3.png", tmp_path / "digit.png")
    monkeypatch.chdir(tmp_path)
    made: dict[str, Any] = {}
    exec(code, made)  # noqa: S102 - our own
    assert list(made["reconstruction"].shape) == [1, 1, 28, 28], "as the comment beside it says"
    error = (made["reconstruction"] - made["image"]).abs().mean()
    assert error < 0.6 * made["image"].mean(), "much nearer than a black picture"


# -- code ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", modules())
def test_a_module_has_every_name_that_it_offers(name: str):
    module = importlib.import_module(name)
    offered = getattr(module, "__all__", [])
    assert [each for each in offered if not hasattr(module, each)] == []


def holds_arrays(kind: Any) -> bool:
    """Whether values of a type hold arrays that comparing would compare: element by element, and then raise."""
    if isinstance(kind, type) and (issubclass(kind, np.ndarray | torch.Tensor) or hasattr(kind, "dtypes")):
        return True  # jaxtyping's types say their dtypes
    return any(map(holds_arrays, typing.get_args(kind)))


def test_what_holds_arrays_is_compared_and_hashed_as_the_thing_that_it_is():
    """A dataclass of equal arrays would raise at ==, and a frozen one at hash() as well."""
    found = (each for name in modules() for each in vars(importlib.import_module(name)).values())
    classes = {each for each in found if isinstance(each, type) and is_dataclass(each)}
    compared = [each for each in classes if each.__dataclass_params__.eq]
    assert len(compared) > 20
    wrong = [
        f"{each.__module__}.{each.__name__}.{field.name}"
        for each in compared
        for field in fields(each)
        if field.compare and holds_arrays(field.type)
    ]
    assert wrong == []
    assert holds_arrays(Float[np.ndarray, "n"])
    assert holds_arrays(dict[str, Float[torch.Tensor, "n"] | None])
    assert not holds_arrays(tuple[int, ...])


@pytest.mark.parametrize("package", ["app", "vae_core", "benchmarks"])
def test_what_one_module_takes_from_another_is_offered(package: str):
    taken = [
        (module, name.strip())
        for path in (ROOT / package).rglob("*.py")
        for module, one, many in IMPORT.findall(path.read_text("utf-8"))
        for name in (one or many).split(",")
        if name.strip()
    ]
    assert taken
    for module, name in taken:
        offered = getattr(importlib.import_module(module), "__all__", [name])
        assert name in offered, f"{module} does not offer {name}"


def test_no_file_names_a_folder_of_the_machine_it_was_written_on():
    paths = [*ROOT.iterdir(), ROOT / ".ci" / "run", *(path for folder in CODE for path in folder.rglob("*"))]
    files = [path for path in paths if path.suffix in TEXTS or path.name in ("Makefile", "run")]
    files.remove(Path(__file__).resolve())
    assert len(files) > 50
    assert [str(path.relative_to(ROOT)) for path in files if ELSEWHERE.search(path.read_text("utf-8"))] == []


# -- pins ----------------------------------------------------------------------------------------------------------


def test_pins_are_exact_and_agree_with_the_package():
    pins = requirements(read("requirements.txt"))
    declared = requirements("\n".join(tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]))
    assert str(declared["torch"].specifier) == str(pins["torch"].specifier)
    for name, pin in {**pins, **requirements(read("requirements-dev.txt"))}.items():
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), f"{name} is not pinned"
    for name, bounds in declared.items():
        version = str(pins[name].specifier).removeprefix("==")
        assert bounds.specifier.contains(version), f"{name}=={version} is outside {bounds}"


def test_what_checks_the_browsers_code_is_pinned_without_addresses():
    wanted = json.loads(read("package.json"))
    assert wanted["private"]
    assert "dependencies" not in wanted, "what is served needs none"
    lock = json.loads(read("package-lock.json"))["packages"]
    for name, version in wanted["devDependencies"].items():
        assert re.fullmatch(r"[\d.]+", version), f"{name} is not pinned"
        assert lock[f"node_modules/{name}"]["version"] == version
    assert [path for path, package in lock.items() if path and not package.get("integrity")] == []
    assert [path for path, package in lock.items() if "resolved" in package] == []


def test_the_readmes_table_of_models_says_what_evaluate_measured():
    assert markdown_table() in read("README.md"), "python -m vae_core models --markdown prints it"


def test_the_readmes_measured_figures_are_those_of_the_benchmarks():
    section = read("README.md").split("## Measured")[1].split("##")[0]
    figures = re.findall(r"\*\*([\d.,]+)", section)
    assert figures
    assert [
        figure
        for figure in figures
        if not re.search(rf"(?<![\d.]){re.escape(figure)}(?![\d.])", read("docs/MEASURED.md"))
    ] == []

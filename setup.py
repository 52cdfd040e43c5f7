"""Packages of the wheel: those of the project, and the shipped models, which lie beside them, inside the core."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["app*", "vae_core*"]), "vae_core.pretrained"],
    package_dir={"vae_core.pretrained": "pretrained"},
)

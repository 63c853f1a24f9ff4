"""Maps the folders of the project to the package ``parfocal``."""

from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
ROOMS = {"core": "parfocal", "cp_plugins": "parfocal.cp_plugins", "fiji_bridge": "parfocal.fiji_bridge"}
ROOMS["models"] = "parfocal.models"


def packages():
    """Find every folder with an ``__init__.py`` below the mapped folders."""
    for folder, package in ROOMS.items():
        for init in sorted((ROOT / folder).rglob("__init__.py")):
            yield ".".join([package, *init.parent.relative_to(ROOT / folder).parts])


setup(
    package_dir={package: folder for folder, package in ROOMS.items()},
    packages=list(packages()),
    package_data={
        "parfocal.models": ["**/*"],
        "parfocal.labels": ["page.html"],
        "parfocal.report.screen": ["*.html", "*.css", "*.js"],
        "parfocal.fiji_bridge.scripts": ["*.groovy"],
    },
)

"""Entry points that no deployment names: start scripts of package.json files, and the commands of Dockerfiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from auditor.code.model import EntryPoint
from auditor.infra import environment as environments
from auditor.infra.model import Environment
from auditor.infra.reading import Reading
from auditor.infra.tree import join
from auditor.model import FilePlace

_STARTS = re.compile(
    r"(start|serve|server|workers?|queues?|processors?|consumers?|jobs?|cron|scheduler|daemon|prod(uction)?)([:_.-].*)?$"
)
_NOT_STARTS = re.compile(
    r"dev|debug|watch|test|lint|build|local|migrat|seed|clean|format|docker|type|e2e|docs|storybook"
)


def of_packages(reading: Reading) -> Iterator[EntryPoint]:
    """What the start scripts of every package run; `start:dev` and its kind are no way to start in production."""
    for folder in reading.packages.folders():
        name = PurePosixPath(folder).name or PurePosixPath(reading.root).name
        for script, (_, line) in reading.packages.scripts(folder).items():
            if _STARTS.match(script) and not _NOT_STARTS.search(script):
                place = FilePlace(join(folder, "package.json"), line)
                yield from reading.entries(name, ("npm", "run", script), place, context=folder)


def of_images(reading: Reading) -> Iterator[EntryPoint]:
    """What the Dockerfiles run that are not for development; the build context is the file's folder or the tree's root."""
    for path in reading.tree.named("dockerfile", "dockerfile.*", "*.dockerfile", "containerfile"):
        if environments.of_path(path) in (Environment.DEVELOPMENT, Environment.TEST):
            continue
        image = reading.shipped(path)
        if image is not None and image.command:
            folder = join(str(PurePosixPath(path).parent), "")
            name = PurePosixPath(folder).name or PurePosixPath(reading.root).name
            own = reading.entries(name, image.command, image.place, image=image, context=folder)
            yield from own or reading.entries(name, image.command, image.place, image=image, context="")

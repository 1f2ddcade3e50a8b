"""Entry points that no deployment names: start scripts of package.json files, and the commands of Dockerfiles."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from auditor.code.model import EntryPoint
from auditor.infra import environment as environments
from auditor.infra.model import Deployment, Environment, UnitKind
from auditor.infra.reading import Reading
from auditor.infra.text import heap_flag, size
from auditor.infra.tree import join
from auditor.model import FilePlace

_STARTS = re.compile(
    r"(start|serve|server|workers?|queues?|processors?|consumers?|jobs?|cron|scheduler|daemon|prod(uction)?)([:_.-].*)?$"
)
_DEVELOPS = re.compile(r"(start:)?dev(:(server|api|workers?|queues?|watch))?$")
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


def of_development(reading: Reading, known: Collection[str]) -> Iterator[EntryPoint]:
    """What the development scripts of packages run that nothing else starts, beside packages that something does.

    `known` are the entry points so far, by absolute path. A monorepo that says how one of its apps starts does not say that
    the others never do.
    """
    folders = reading.packages.folders() if known else []
    for folder in folders:
        inside = reading.tree.absolute(folder) + "/"
        deeper = tuple(
            reading.tree.absolute(f) + "/" for f in folders if f != folder and f.startswith(join(folder, ""))
        )
        if any(path.startswith(inside) and not path.startswith(deeper) for path in known):
            continue
        name = PurePosixPath(folder).name or PurePosixPath(reading.root).name
        for script, (_, line) in reading.packages.scripts(folder).items():
            if _DEVELOPS.match(script):
                place = FilePlace(join(folder, "package.json"), line)
                found = reading.entries(name, ("npm", "run", script), place, context=folder)
                yield from (e for e in found if e.path.startswith(inside) and not e.path.startswith(deeper))


def images(reading: Reading, used: set[str]) -> Iterator[Deployment]:
    """Dockerfiles that no deployment uses, as units of which only the image is known."""
    for path in reading.tree.named("dockerfile", "dockerfile.*", "*.dockerfile", "containerfile"):
        image = reading.shipped(path)
        told = environments.of_path(path)
        if path in used or image is None or not image.command or told in (Environment.DEVELOPMENT, Environment.TEST):
            continue
        folder = join(str(PurePosixPath(path).parent), "")
        name = PurePosixPath(folder).name or reading.tree.name()
        entries = [
            e
            for context in dict.fromkeys((folder, ""))
            for e in reading.entries(name, image.command, image.place, image=image, context=context, env=image.env)
        ]
        heap = heap_flag(image.env, image.command, image.place)
        yield Deployment(
            kind=UnitKind.DOCKERFILE, name=name, environment=told, place=image.place, root=reading.root, context=folder,
            dockerfile=image, command=image.command, command_place=image.place, entries=tuple(entries[:1] or entries), env=image.env,
            heap=heap, heap_bytes=size(heap.value + "m") if heap else None,
            health=(image.healthcheck,) if image.healthcheck else (),
        )  # fmt: skip

"""What the readers of one tree share: the files, images, packages, conf files, and the follower of commands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from auditor.code.model import EntryPoint
from auditor.infra import dockerfile
from auditor.infra.entry import Resolver, Start
from auditor.infra.images import is_backing, repository
from auditor.infra.model import Image, Note, Setting
from auditor.infra.packages import Packages
from auditor.infra.tree import Tree, join
from auditor.model import FilePlace


@dataclass(slots=True)
class Reading:
    """The state of reading one tree."""

    tree: Tree
    confs: dict[str, Mapping[str, Setting]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    builds: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Dockerfile and target of images that scripts build, by the last part of their names."""
    packages: Packages = field(init=False)
    resolver: Resolver = field(init=False)
    _images: dict[str, dict[str, Image]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.packages = Packages(self.tree)
        self.resolver = Resolver(self.tree, self.packages)

    @property
    def root(self) -> str:
        """The tree's folder."""
        return str(self.tree.root)

    def image(self, path: str, target: str = "") -> Image | None:
        """A Dockerfile's stage; None where there is no such file or stage."""
        if path not in self._images:
            text = self.tree.text(path)
            self._images[path] = dockerfile.read(text, path) if text else {}
        return self._images[path].get(target.lower())

    def image_of(self, image: str, *names: str) -> Image | None:
        """The Dockerfile that an image name is built from, by its folder's or its own name; None when none fits.

        The tree's only Dockerfile stands for images that are named like the repository or one of its packages.
        """
        if not image or is_backing(image):
            return None
        last = repository(image).rpartition("/")[2]
        for name in (last, *names):
            if name in self.builds:
                return self.image(*self.builds[name])
        files = self.tree.named("dockerfile", "dockerfile.*", "*.dockerfile", "containerfile")
        for file in (f for f in files if not f.endswith(".dockerignore")):
            path = PurePosixPath(file)
            own = {path.parent.name.lower(), *path.name.lower().split(".")} - {"dockerfile", ""}
            if own & {last, *names} or any(last.endswith(f"-{o}") for o in own):
                return self.shipped(file)
        plain = [f for f in files if PurePosixPath(f).name == "Dockerfile"]
        main = [f for f in plain if str(PurePosixPath(f).parent) in (".", "docker", ".docker", "deploy", "build")]
        chosen = plain if len(plain) == 1 else main
        if not self._bears_name_of(last):
            return None
        return self.shipped(chosen[0]) if len(chosen) == 1 else None

    def _bears_name_of(self, image: str) -> bool:
        """Whether an image is named like the repository or one of its packages: others are somebody else's."""
        plain = re.sub(r"[^a-z0-9]", "", image.lower())
        names = [self.tree.name(), *self.packages.names()]
        own = {re.sub(r"[^a-z0-9]", "", n.rpartition("/")[2].lower()) for n in names}
        return any(n == plain or (min(len(n), len(plain)) > 3 and (n in plain or plain in n)) for n in own if n)

    def shipped(self, file: str) -> Image | None:
        """The stage that a registry's image is most likely built from: the last that is not for development."""
        last = self.image(file)
        if last is None or not re.search("dev|test|debug", last.stage):
            return last
        named = [s for n, s in self._images[file].items() if n and not n.isdigit()]
        return next((s for s in reversed(named) if not re.search("dev|test|debug|dep|build", s.stage)), last)

    def lines(self, path: str, first: int, last: int) -> tuple[tuple[str, int], ...]:
        """Raw lines of a file with their numbers."""
        text = self.tree.text(path).splitlines()
        return tuple((text[n - 1], n) for n in range(max(first, 1), min(last, len(text)) + 1))

    def entries(
        self,
        service: str,
        command: tuple[str, ...],
        place: FilePlace,
        *,
        image: Image | None = None,
        context: str | None = None,
        env: Mapping[str, Setting] | None = None,
    ) -> tuple[EntryPoint, ...]:
        """The source files that a unit's command starts."""
        folders = [*self._workdir(image, context or ""), context or "", join(str(PurePosixPath(place.path).parent), "")]
        if image is not None:
            folders.append(join(str(PurePosixPath(image.path).parent), ""))
            folders += [f for s, _ in image.copies if (f := self._package_of(join(context or "", s)))]
        folders += self._named(service)
        start = Start(
            service,
            place,
            tuple(dict.fromkeys(folders)),
            image,
            context or "",
            {n: s.value for n, s in (env or {}).items()},
        )
        return self.resolver.follow(command, start)

    def _workdir(self, image: Image | None, context: str) -> list[str]:
        """Folders whose package.json is copied into the image's working folder."""
        found = []
        for source, target in image.copies if image is not None else ():
            path = PurePosixPath(source)
            if path.name in ("package.json", "package*.json") and image is not None:
                inside = "/" + join("", target.removesuffix("/package.json"))
                if inside == ("/" + join("", image.workdir)):
                    found.append(join(context, str(path.parent)))
        return list(reversed(found))

    def _package_of(self, path: str) -> str:
        """The nearest folder with a package.json at or above a path of the tree; empty for the tree's root."""
        for folder in (PurePosixPath(path), *PurePosixPath(path).parents):
            if join(str(folder), "package.json") in self.tree.known:
                return join(str(folder), "")
        return ""

    def _named(self, service: str) -> list[str]:
        """Folders of workspace packages that bear the unit's name."""
        return [f for f in self.packages.folders() if f.rpartition("/")[2] == service]

"""Values from outside of the program: npm packages, Node's builtins, globals, JSON files."""

from __future__ import annotations

import re

from auditor.code.evaluation.values import Array, External, LibraryClass, Literal, Object, Unknown, Value, Where

LIBRARIES = {
    "bullmq": "bullmq",
    "bull": "bull",
    "@taskforcesh/bullmq-pro": "bullmq-pro",
    "bullmq-pro": "bullmq-pro",
    "@nestjs/bullmq": "@nestjs/bullmq",
    "@nestjs/bull": "@nestjs/bull",
    "@nestjs/bull-shared": "@nestjs/bull",
}
_DEFAULTS = {"bull": "Queue", "bullmq": "*", "bullmq-pro": "*"}
_PRO = {
    "QueuePro": "Queue",
    "WorkerPro": "Worker",
    "JobPro": "Job",
    "QueueEventsPro": "QueueEvents",
    "FlowProducerPro": "FlowProducer",
}
PRISMA = "@prisma/client"
_GENERATED_PRISMA = re.compile(
    r"[.@~#].*/(?:generated/[\w./-]*prisma|[\w-]*prisma[\w-]*/(?:generated|client|\.client))\b[\w./-]*"
)
"""Prisma's client, generated into the repository's own folders and, as a rule, not committed."""

ARGUMENTS_MATTER = frozenset(
    (
        "global", "crypto", "object-hash", "md5", "sha.js", "hash.js", "crypto-js", "xxhash", "murmurhash", "date-fns", "dayjs", "moment", "luxon",
        "lodash", "lodash-es", "slugify", "buffer", "uuid", "ulid", "nanoid", "moment-timezone", "date-fns-tz", "js-sha256", "ohash", "deepmerge",
        "node-object-hash", "ramda", "radash", "rfdc", "ms", "@lukeed/ms", "parse-duration", "timestring", "lodash.merge", "defu", "lodash.defaults",
        "zod", "envalid", "joi", "@hapi/joi", "valibot", "yup", "superstruct", "@sinclair/typebox", "env-var", "@t3-oss/env-core", "@t3-oss/env-nextjs",
        "@t3-oss/env-nuxt", "znv", "config", "@nestjs/config", "nestjs-config", "convict", "nconf", "rc", "fastify-plugin", "p-memoize", "mem",
        "express-async-handler", "lodash.once", "ioredis", "redis", "bullmq", "bull", "bullmq-pro", "@nestjs/bullmq", "@nestjs/bull", "path", "url",
        "express", "koa", "@itgorillaz/configify", "perf_hooks", "process", "fs", "fs-extra",
    )
)  # fmt: skip
"""Packages whose results depend on arguments in a way that matters here; those of others are not looked at."""

MAKES = ("create", "extend", "client", "connect", "apiConnect", "make", "init")
"""Beginnings of functions that make a client (`axios.create`, `createTransport`, `mailgun.client`): its options are kept, as
a constructor's are, and looked at when somebody asks for its timeout."""


SERIALIZES = ("encode", "stringify", "serialize", "pack")
"""Beginnings of functions that make text or bytes of a value: what they are given is kept, since it is what the result holds."""
KEPT = (*MAKES, *SERIALIZES)


def package_of(spec: str) -> str:
    """The npm package of a specifier: `@scope/name/sub` is `@scope/name`."""
    spec = spec.removeprefix("node:")
    if _GENERATED_PRISMA.fullmatch(spec):
        return PRISMA
    parts = spec.split("/")
    return "/".join(parts[:2]) if spec.startswith("@") else parts[0]


def imported(spec: str, name: str) -> Value:
    """What a package that is not in the repository exports as `name`."""
    package = package_of(spec)
    library = LIBRARIES.get(package)
    if library is not None:
        if name in ("default", "*", "="):
            return LibraryClass(library, _DEFAULTS.get(library, "*"))
        return LibraryClass(library, _PRO.get(name, name))
    if package in ("dotenv", "dotenv-safe") and name in ("default", "*", "="):
        return External(package)
    whole = name in ("default", "*", "=")
    if whole and spec.startswith("lodash/"):
        return External(package, spec.partition("/")[2].removesuffix(".js"))
    return External(package, "" if whole else name)


def library_member(library: str, name: str, member: str) -> Value | None:
    """`Bull.Queue`, `bullmq.Worker`: a member of a library's namespace; None where it is none."""
    if member == "default":
        return LibraryClass(library, _DEFAULTS.get(library, "*"))
    if name == "*" or (library == "bull" and name == "Queue" and member in ("Queue", "Job")):
        return LibraryClass(library, _PRO.get(member, member))
    return None


def global_value(name: str, where: Where) -> Value:
    """A name that nothing in the program binds."""
    match name:
        case "NaN" | "Infinity":
            return Literal(float(name.lower().replace("infinity", "inf")), where)
        case "__dirname" | "__filename":
            return Literal("." if name == "__dirname" else "./file", where)
    return External("global", name, where=where)


def json_value(data: object, where: Where) -> Value:
    """Plain JSON data."""
    match data:
        case None | bool() | int() | float() | str():
            return Literal(data, where)
        case list():
            return Array(tuple(json_value(item, where) for item in data), where=where)
        case dict():
            return Object({str(key): json_value(value, where) for key, value in data.items()}, where=where)
    return Unknown("a JSON file that can't be read")


_VOLATILE_PACKAGES = frozenset(
    [
        "uuid",
        "nanoid",
        "cuid",
        "@paralleldrive/cuid2",
        "cuid2",
        "ulid",
        "ulidx",
        "shortid",
        "uniqid",
        "short-uuid",
        "ksuid",
        "xid",
        "hyperid",
        "@lukeed/uuid",
        "bson-objectid",
        "ksuid-node",
    ]
)
_VOLATILE = frozenset(
    (
        "Date.now", "Math.random", "crypto.randomUUID", "crypto.randomBytes", "crypto.randomInt", "performance.now", "process.hrtime",
        "process.hrtime.bigint", "crypto.getRandomValues",
    )
)  # fmt: skip


def is_volatile(value: Value) -> bool:
    """Whether a value of an outside source differs at each run: clock, random, unique id."""
    if isinstance(value, Unknown):
        return value.volatile
    if not isinstance(value, External):
        return False
    path = value.path.replace("()", "")
    if value.package in _VOLATILE_PACKAGES:
        return "()" in value.path and not any(part in path for part in ("v5", "v3", "validate", "customAlphabet"))
    if value.package in ("global", "crypto", "perf_hooks", "process", "global."):
        head = path if value.package == "global" else f"{value.package}.{path}"
        return "()" in value.path and any(head == name or head.startswith(f"{name}.") for name in _VOLATILE | {"Date"})
    if value.package in ("mongodb", "mongoose", "bson"):
        return "()" in value.path and path.split(".")[-1].startswith("ObjectI")
    if value.package in ("moment", "dayjs", "luxon", "moment-timezone"):
        return (value.path.startswith("()") and not value.arguments) or path.startswith("DateTime.now")
    return value.package in ("@faker-js/faker", "faker")

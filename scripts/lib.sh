# shellcheck shell=bash
# Shared by the scripts of this folder: where the project is, how they talk, how they fail.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=

# Bold where somebody looks: on a terminal, and in a CI log.
step() { if [ -t 2 ] || [ -n "${CI:-}" ]; then printf '\033[1m== %s\033[0m\n' "$*"; else printf '== %s\n' "$*"; fi >&2; }
note() { printf '   %s\n' "$*" >&2; }

me() { id -un 2>/dev/null || id -u; } # a container's user may have no name

# stop CODE WHAT [LINE...]: one clear message, then exit. Codes are those of docs/exit-codes.md.
stop() {
    local code=$1
    shift
    printf 'hilgate: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '    %s\n' "$@" >&2
    exit "$code"
}

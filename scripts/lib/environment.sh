# Sourced by the scripts: makes .venv, asks for nothing, and does nothing where it is made already.
# Works on a bare machine with Python 3.11 to 3.13 and a package index.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
VENV="${MEETSCRIBE_VENV:-$ROOT/.venv}"
export PIP_DISABLE_PIP_VERSION_CHECK=1

tell() { echo "$(basename "$0"): $*" >&2; }

# Print the first Python that is new enough and starts.
find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    tell "Python 3.11, 3.12 or 3.13 is needed; install it (Debian: apt-get install python3 python3-venv)"
    return 3
}

venv_works() { [ "$("$VENV/bin/python" -c 'import sys; print(sys.prefix)' 2>/dev/null)" = "$VENV" ]; }

make_venv() {
    local python
    venv_works && return
    python="$(find_python)" || return
    tell "making an environment in $VENV"
    rm -rf "$VENV"
    if ! "$python" -m venv "$VENV" >&2; then
        rm -rf "$VENV"
        tell "$python cannot make environments; install its venv module (Debian: apt-get install python3-venv)"
        return 3
    fi
}

pip_install() { "$VENV/bin/python" -m pip install --quiet -c "$ROOT/constraints.txt" "$@" >&2; }

# torch first: without a GPU the CPU build, a tenth of the size, where torch's own index can be reached.
install_torch() {
    "$VENV/bin/python" -c 'import torch' 2>/dev/null && return
    local pin uv
    pin="$(grep '^torch==' "$ROOT/constraints.txt")"
    if ! command -v nvidia-smi >/dev/null; then
        uv="$(command -v uv || true)"
        if [ -z "$uv" ] && timeout 60 "$VENV/bin/python" -m pip install --quiet uv >/dev/null 2>&1; then
            uv="$VENV/bin/uv"
        fi
        if [ -n "$uv" ] && UV_HTTP_TIMEOUT=10 UV_HTTP_RETRIES=0 timeout 180 \
            "$uv" pip install --quiet --python "$VENV/bin/python" --torch-backend=cpu "$pin" >/dev/null 2>&1; then
            return
        fi
    fi
    tell "installing $pin"
    pip_install "$pin"
}

# prepare NAME EXTRAS [OPTIONAL]: an environment with the package and its extras; an optional extra may fail.
prepare() {
    local stamp sum wanted optional="${3:-}"
    stamp="$VENV/.installed-$1"
    sum="$(cat "$ROOT/pyproject.toml" "$ROOT/constraints.txt" | cksum)"
    wanted="$sum $2 $optional"
    make_venv || return
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    [ -z "$2$optional" ] && cat "$VENV"/.installed-* 2>/dev/null | grep -qF "$sum " && return
    install_torch || return
    tell "installing meetscribe${2:+[$2]}"
    pip_install -e "$ROOT${2:+[$2]}" || return
    if [ -n "$optional" ] && ! pip_install -e "$ROOT[$optional]"; then
        tell "the extra '$optional' could not be installed (it needs a C++ compiler); its tests are skipped"
    fi
    echo "$wanted" > "$stamp"
}

# Sourced by examples/plate/run, tests/run and .ci/run: finds or gets uv, Python and Java, and makes the two environments.
#   .venv-cp   Python 3.9 with CellProfiler          make_environment .venv-cp 3.9 EXTRA ...
#   .venv      a current Python                      make_environment .venv current EXTRA ...

find_uv() {
    if command -v uv >/dev/null; then UV=$(command -v uv); return; fi
    if [ ! -x .venv-uv/bin/uv ]; then
        echo "Getting uv (the installer) into .venv-uv"
        python3 -m venv .venv-uv && .venv-uv/bin/python -m pip install --quiet uv || {
            echo "uv could not be installed: see https://docs.astral.sh/uv/getting-started/installation/" >&2; exit 1; }
    fi
    UV=$PWD/.venv-uv/bin/uv
}

# Prints a Python that runs: named by the user, on the path, or known to pyenv alone; else the version, for uv to fetch.
find_python() {
    local version candidate
    for version in "$@"; do
        for candidate in "$(command -v "python$version")" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
            if [ -n "$candidate" ] && "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null
            then echo "$candidate"; return; fi
        done
    done
    echo "$1"
}

find_java() {
    if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then return; fi
    local java
    java=$(command -v java) || { echo "CellProfiler and ImageJ need Java: install a JDK (Debian: default-jdk; macOS: brew install openjdk)" >&2; exit 1; }
    # The launcher's own word, since `java` may be a link or a stub.
    JAVA_HOME=$("$java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.home = //p')
    export JAVA_HOME
}

make_environment() {
    local folder=$1 version=$2 python extra arguments=()
    shift 2
    find_uv
    if [ "$version" = 3.9 ]; then find_java; python=$(find_python 3.9); else python=$(find_python 3.11 3.12 3.13); fi
    for extra in "$@"; do
        if [ "$extra" = test ]; then arguments+=(--group benchmark --group bioimageio-test --group microscope-test --group dev); else arguments+=(--extra "$extra"); fi
    done
    [ -d "$folder" ] || echo "Making the environment $folder (a few minutes the first time)"
    # --inexact: the example leaves alone what the tests have installed into the same folder.
    UV_PROJECT_ENVIRONMENT=$folder "$UV" sync --quiet --frozen --inexact --no-default-groups --python "$python" "${arguments[@]}"
}

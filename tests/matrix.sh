#!/usr/bin/env bash
# The tests on every Python from 3.10 on, with the lowest versions that pyproject.toml allows and with
# the newest, on the kernels of other processors, on one thread and on two.
#
#     tests/matrix.sh              all of it, an hour and a half on two cores
#     tests/matrix.sh --quick      what CI runs: all that may differ at once, and of the tests those
#                                  that may differ by it (the lowest versions on the oldest Python,
#                                  an old processor, every sum and function a last place away)
#     tests/matrix.sh --list       the Pythons that are found
#     tests/matrix.sh --lowest     the lowest versions, as a file of constraints for pip
#
# It says what it could not find, and fails where a test does, or where nothing could be run. The
# output is kept in .venv-matrix/.
set -uo pipefail
cd "$(dirname "$0")/.."
work=.venv-matrix
failures=0 ran=0
tests="-n 2"

lowest() {
    grep -oE '"[A-Za-z0-9._-]+(\[[a-z,]+\])?>=[0-9.]+"' pyproject.toml |
        sed -E 's/"//g; s/\[[^]]*\]//; s/>=/==/' | sort -u
}

# One line for each minor version, its last patch, from old to new: "3.10 /path/to/python".
pythons() {
    local every='import sys; v = sys.version_info
if v >= (3, 10): print(v[1], v[2], sys.executable)'
    {
        ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python
        type -ap python3 $(seq -f 'python3.%g' 10 40)
    } 2> /dev/null | while read -r path; do "$path" -c "$every" 2> /dev/null; done |
        sort -n -k 1,1 -k 2,2 |
        awk '{ last[$1] = $3; end = $1 }
             END { for (minor = 10; minor <= end; minor++) print "3." minor, last[minor] }'
}

# environment NAME PYTHON [PIP'S ARGUMENTS]
environment() {
    local name=$1 python=$2
    shift 2
    if ! { "$python" -m venv "$work/$name" &&
        "$work/$name/bin/pip" install --quiet --only-binary :all: "$@" -e '.[test]'; } \
        > "$work/$name.txt" 2>&1; then
        echo "$name: could not be installed: $(grep -m 1 ERROR "$work/$name.txt")"
        return 1
    fi
}

# run NAME PYTHON KERNEL THREADS; the kernel "own" is the machine's. It fails where there is no such.
run() {
    local name="$1, kernel $3, $4 thread(s)" python=$2
    export OPENBLAS_CORETYPE=$3 OPENBLAS_NUM_THREADS=$4 OMP_NUM_THREADS=$4
    [ "$3" = own ] && unset OPENBLAS_CORETYPE
    local kernel
    kernel=$("$python" -c '
import ctypes
from minisam.threads import openblas
name = openblas("get_corename")
if name is not None:
    name.restype = ctypes.c_char_p
    print(name().decode())' 2>&1)
    if [ "$3" != own ] && [ "$3" != "$kernel" ]; then
        echo "$name: not found, NumPy has ${kernel:-no OpenBLAS}"
        return 1
    fi
    # The same examples in every environment, and few of them.
    HYPOTHESIS_PROFILE=fast "$python" -m pytest -q --hypothesis-seed=0 $tests > "$work/$name.txt" 2>&1
    local status=$?
    ran=$((ran + 1))
    echo "$name: $(tail -n 1 "$work/$name.txt")"
    if [ $status -ne 0 ]; then
        failures=$((failures + 1))
        grep -E '^(FAILED|ERROR)' "$work/$name.txt" || tail -n 20 "$work/$name.txt"
    fi
}

quick() {
    local version python kernel
    read -r version python < <(pythons | awk 'NF == 2')
    for other in adapters anatomy backends benchmarks cli course experiments jitter oracle pictures \
        sweeps variants vectors nn/kernels/test_memory.py \
        test_{architecture,docs,docstrings,hollow,kinds,lesson,tutorials}.py; do
        tests="$tests --ignore tests/$other"
    done
    tests="$tests --deselect tests/specification/test_specification.py::test_bounds"
    environment "$version lowest" "$python" --constraint "$work/lowest.txt" || return
    export PYTHONPATH=$PWD/tests/jitter
    for kernel in Nehalem own; do
        run "$version lowest, jittered" "$work/$version lowest/bin/python" $kernel 1 && return
    done
}

everything() {
    local oldest newest version python which
    oldest=$(pythons | awk 'NF == 2 { print $1; exit }')
    newest=$(pythons | tail -n 1 | cut -d ' ' -f 1)
    while read -r version python; do
        if [ -z "$python" ]; then
            echo "$version: not found"
            continue
        fi
        for which in lowest newest; do
            local name="$version $which" constraint=()
            [ $which = lowest ] && constraint=(--constraint "$work/lowest.txt")
            environment "$name" "$python" ${constraint[@]+"${constraint[@]}"} || continue
            run "$name" "$work/$name/bin/python" own 1
            # Kernels and threads are NumPy's: they are tried on its lowest and on its newest version.
            case "$name" in "$oldest lowest" | "$newest newest") ;; *) continue ;; esac
            run "$name" "$work/$name/bin/python" own 2
            for kernel in Nehalem Haswell; do
                for threads in 1 2; do
                    run "$name" "$work/$name/bin/python" $kernel $threads
                done
            done
        done
    done < <(pythons)
}

case "${1:-}" in
--list) pythons | awk '{ print $1 ": " (NF == 2 ? $2 : "not found") }'; exit 0 ;;
--lowest) lowest; exit ;;
esac
rm -rf "$work" && mkdir "$work" && lowest > "$work/lowest.txt"
if [ "${1:-}" = --quick ]; then quick; else everything; fi
[ "$ran" -gt 0 ] || { echo "nothing could be run" && failures=1; }
echo "$failures failed"
[ "$failures" -eq 0 ]

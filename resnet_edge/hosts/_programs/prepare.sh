# Makes the environment of a host. Arguments: its place below the home, a name of its own for this making, the
# Python to make it with, the number of wheels to install, these as DIGEST/FILE with pip's first, then DIGEST/FILE of
# those that come. On stdin: a tar with them, and environment.json; it stays open as long as the other machine
# waits for this one. Whoever looks sees the old environment, or the new one.
set -eu
export LC_ALL=C # what programs complain of is read by the other machine
place=$HOME/$1 own=$2 python=$3 count=$4
shift 4
parent=${place%/*} name=${place##*/}
wheels=${XDG_CACHE_HOME:-$HOME/.cache}/resnet-edge/host-wheels
new=$parent/$name.$own.$$
arriving=$wheels/.arriving.$$
child= watcher= main=$$

say() { printf 'resnet-edge:%s\n' "$*"; }
end() {
    trap - EXIT TERM HUP INT PIPE
    if [ -n "$child" ]; then kill "$child" 2>/dev/null || :; fi
    if [ -n "$watcher" ]; then kill "$watcher" 2>/dev/null || :; fi
    rm -rf "$arriving" "$parent/.$name.$$"
    if [ "$(readlink "$place" 2>/dev/null)" != "${new##*/}" ]; then rm -rf "$new"; fi
}
# All that this connection started, also what began in this very moment; then `end`.
broken() {
    trap '' TERM HUP INT PIPE
    kill -TERM 0
    sleep 1 # what was only just forked still has the traps of this shell, and loses a signal
    kill -TERM 0
    end
    kill -KILL 0 # this shell too: nobody waits for its answer any more
}
trap end EXIT
trap broken TERM HUP INT PIPE
# In the background and waited for: a signal is heeded at once.
run() {
    "$@" </dev/null >&2 &
    child=$!
    wait "$child"
    child=
}
# What a making that was cut off left: its process is gone. The environment in use stays.
sweep() {
    for left in "$parent/$name".*.*[0-9] "$wheels"/.arriving.*[0-9]; do
        if [ -e "$left" ] && ! kill -0 "${left##*.}" 2>/dev/null &&
            [ "$(readlink "$place" 2>/dev/null)" != "${left##*/}" ]; then rm -rf "$left"; fi
    done
}

mkdir -p "$parent" "$arriving"
sweep
say step copy
exec 3<&0
tar -x -o -f - -C "$arriving" <&3
# Where the other machine goes away, this ends too.
(
    cat <&3
    kill -TERM "$main"
) >/dev/null 2>&1 &
watcher=$!
install=
while [ "$count" -gt 0 ]; do
    install="$install $1"
    count=$((count - 1))
    shift
done
for wheel; do
    digest=${wheel%%/*}
    actual=$(sha256sum "$arriving/$wheel")
    if [ "${actual%% *}" != "$digest" ]; then
        echo "$wheel arrived damaged" >&2
        exit 1
    fi
    mkdir -p "$wheels/$digest"
    mv -f "$arriving/$wheel" "$wheels/$wheel"
done

say step install
run "$python" -I -m venv --without-pip "$new"
cd "$wheels"
# Digests and names of wheels have no spaces.
set -- $install
pip=$wheels/$1/pip
shift
run "$new/bin/python" -I "$pip" install --quiet --no-index --no-deps --no-compile --no-cache-dir \
    --disable-pip-version-check --no-warn-script-location "$@"
run "$new/bin/python" -I -c 'import msgspec, numpy, resnet_edge'
mv "$arriving/environment.json" "$new/environment.json"

old=$(readlink "$place" 2>/dev/null || :)
ln -s "${new##*/}" "$parent/.$name.$$"
mv -T -f "$parent/.$name.$$" "$place"
if [ -n "$old" ] && [ "$old" != "${new##*/}" ]; then rm -rf "${parent:?}/$old"; fi
# Wheels of before.
for kept in "$wheels"/*; do
    case " $install " in *" ${kept##*/}/"*) ;; *) rm -rf "$kept" ;; esac
done
say done

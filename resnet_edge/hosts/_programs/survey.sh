# What is on this machine, for `host prepare`. Arguments: a program that tells of the Python that runs it, the
# environment's place below the home. Each line of ours begins with its mark; others may print what they like.
say() { printf 'resnet-edge:%s\n' "$*"; }
program=$1 environment=$2
wheels=${XDG_CACHE_HOME:-$HOME/.cache}/resnet-edge/host-wheels
say system "$(uname -s)"
say machine "$(uname -m)"
say time "$(date +%s)"
say free "$(df -Pk "$HOME" 2>/dev/null | awk 'NR == 2 { print $4 }')"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/resnet-edge taken=0
# As remove.sh would free.
for path in "$HOME/$environment" "$HOME/$environment".*.*[0-9] "$cache/host-wheels" "$cache/host" "$cache/runs"; do
    if [ -e "$path" ]; then
        size=$(du -skP "$path" 2>/dev/null | cut -f1)
        taken=$((taken + ${size:-0}))
    fi
done
say taken "$taken"
if [ -d "$HOME" ] && [ -w "$HOME" ]; then say writable yes; fi

# Where programs of the user's own are, which is not on the PATH of a session without a terminal.
PATH=$PATH:$HOME/.local/bin
seen=:
IFS=:
for folder in $PATH; do
    unset IFS
    case $seen in *":$folder:"*) continue ;; esac
    seen=$seen$folder:
    for python in "$folder"/python3 "$folder"/python3.[0-9] "$folder"/python3.[0-9][0-9]; do
        if [ -x "$python" ]; then
            facts=$("$python" -I -B -c "$program" </dev/null 2>/dev/null) && say python "$python" "$facts"
        fi
    done
done

if [ -f "$HOME/$environment/environment.json" ]; then
    say environment "$(tr -d '\n' <"$HOME/$environment/environment.json")"
    # A system that was upgraded has another Python under the same name, which knows nothing of the packages.
    if "$HOME/$environment/bin/python" -I -B -c 'import msgspec, resnet_edge' </dev/null >/dev/null 2>&1; then
        say starts yes
    fi
fi
for wheel in "$wheels"/*/*.whl; do
    if [ -f "$wheel" ]; then
        wheel=${wheel%/*}
        say kept "${wheel##*/}"
    fi
done
say end

# Removes the environment of a host, and the files that were brought for it. Argument: its place below the home.
set -eu
export LC_ALL=C
place=$HOME/$1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/resnet-edge
set -- "$place" "$place".*.*[0-9] "$cache/host-wheels" "$cache/host" "$cache/runs"
freed=0
for path; do
    if [ -e "$path" ] || [ -L "$path" ]; then
        # What a link leads to counts with its own name.
        size=$(du -skP "$path" | cut -f1)
        freed=$((freed + size))
        rm -rf "$path"
    fi
done
for folder in "${place%/*}" "$cache"; do rmdir "$folder" 2>/dev/null || :; done
printf 'resnet-edge:freed %s\n' "$freed"

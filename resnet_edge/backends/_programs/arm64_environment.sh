#!/bin/sh
# Makes the environment of the arm64 backends: qemu, a Debian for aarch64 as small as Python allows, and wheels.
# Arguments: the Python whose pip fetches the wheels, the folder. Needs apt-get and dpkg-deb, and neither root
# nor a change to the system: apt gets a state of its own, with nothing installed in it.
set -eu
python=$1 folder=$2
requirements=$(dirname "$0")/arm64_requirements.txt
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "apt-get and dpkg-deb are not here: the environment is made from Debian's packages, on Debian" >&2
    exit 1
fi
host=$(dpkg --print-architecture)
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
chmod 755 "$state" # apt downloads as a user of its own where it is run as root
# What an older version had is not to lie beside, and what is cut short here is not to pass for whole.
rm -rf "$folder/packages" "$folder/sysroot"
mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$folder/bin" "$folder/sysroot"
: >"$state/status"

apt() {
    apt-get --quiet=2 --option APT::Architecture=arm64 \
        --option APT::Architectures::=arm64 --option "APT::Architectures::=$host" \
        --option "Dir::State=$state" --option "Dir::State::status=$state/status" \
        --option "Dir::Cache=$state/cache" --option Acquire::Languages=none "$@"
}
apt update
apt install --yes --no-install-recommends --download-only python3-minimal libpython3-stdlib libstdc++6 libgomp1
for package in "$state"/cache/archives/*.deb; do
    dpkg-deb --extract "$package" "$folder/sysroot"
done
rm -rf "$folder/sysroot/usr/share"
# From Debian 13 on, base-files brings this link, and no package that is needed here.
[ -e "$folder/sysroot/lib" ] || ln -s usr/lib "$folder/sysroot/lib"

# From Debian 13 on, qemu-user is the one that is linked statically, and qemu-user-static has links to it.
for name in qemu-user-static qemu-user; do
    apt install --yes --no-install-recommends --download-only "$name:$host"
    # It has an emulator for each processor that there is, 200 MB.
    dpkg-deb --fsys-tarfile "$state/cache/archives/$name"_*"_$host.deb" |
        tar -x -C "$state" --wildcards './usr/bin/qemu-aarch64*' './usr/bin/qemu-x86_64*'
    emulator=$(find "$state/usr/bin" -type f -name 'qemu-aarch64*' ! -name '*_be*')
    if [ -n "$emulator" ]; then break; fi
done
cp "$emulator" "$folder/bin/qemu-aarch64"
# For processors without VNNI (benchmarks/overflow.py, tests/overflow).
cp "$(find "$state/usr/bin" -type f -name 'qemu-x86_64*')" "$folder/bin/qemu-x86_64"

# The processor that _arm64_environment.py has emulated. qemu 7.2, Debian 12's, shows the host's instead, and
# onnxruntime, which looks for ARM's lines in it, ends with SIGSEGV. qemu 10, Debian 13's, has lines of its own
# (https://github.com/qemu/qemu/blob/master/linux-user/arm/target_proc.h): this can go with Debian 12.
mkdir -p "$folder/sysroot/proc"
cat >"$folder/sysroot/proc/cpuinfo" <<'PROCESSOR'
processor	: 0
BogoMIPS	: 100.00
Features	: fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x4
CPU part	: 0xd0b
CPU revision	: 1

PROCESSOR

# Last: by the wheels it is known that all is there.
version=$(readlink "$folder/sysroot/usr/bin/python3")
"$python" -m pip install --quiet --no-deps --only-binary=:all: --target "$folder/packages" \
    --python-version "${version#python}" --implementation cp \
    --platform manylinux_2_31_aarch64 --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
    --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 --requirement "$requirements"

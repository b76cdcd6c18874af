# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script here shares: messages in Kbuild's style, and where things
# lie. To be sourced.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # the rest is for those who source this
BUILD=$TOP/build
# shellcheck disable=SC2034
SELFTESTS=$TOP/tools/testing/selftests/drivers/virtio-iommu
APT_LISTS=/var/lib/apt/lists

# stderr, because a script's stdout is its result
say()
{
	printf '  %-7s %s\n' "$1" "$2" >&2
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Print the calling script's opening comment, which is its manual.
show_help()
{
	sed -n '3,/^[^#]/ { /^#/ { s/^# \{0,1\}//; p } }' "$0"
}

# Run a command; its output only where it fails or was asked for.
quietly()
{
	local log rc=0

	if [ -n "${V:-}" ] && [ "$V" != 0 ]; then
		"$@" >&2
		return
	fi
	log=$(mktemp)
	"$@" >"$log" 2>&1 || rc=$?
	if [ "$rc" -ne 0 ]; then
		tail -n 30 "$log" >&2
	fi
	rm -f "$log"
	return "$rc"
}

# The architecture of a kernel that is named as the scripts here name them.
kernel_arch()
{
	case $1 in
	6.1|6.12|6.12-debug|7.3|7.3-builtin|*-deb13) echo amd64 ;;
	6.1-arm64|6.12-arm64|6.12-arm64-16k) echo arm64 ;;
	linux-headers-*-amd64) echo amd64 ;;
	linux-headers-*-arm64|linux-headers-*-arm64-16k) echo arm64 ;;
	*)		return 1 ;;
	esac
}

need_root()
{
	[ "$(id -u)" -eq 0 ] || die "$1: run this as root"
}

apt_update()
{
	[ -w "$APT_LISTS" ] || need_root "apt's package lists must be updated"
	say UPDATE "package lists"
	quietly apt-get -q update
}

# private_apt NAME ARCH [SUITE...]: have apt know another architecture or other suites
# of Debian, with a state of its own below build/apt/NAME, so that the machine's stays
# what it is. Without a suite, those of the machine. It knows the machine's architecture
# as well, whose programs run here.
private_apt()
{
	local state=$BUILD/apt/$1 arch=$2 mirror suite

	shift 2
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	if [ $# -gt 0 ]; then
		mirror=$(debian_mirror bookworm)
		for suite; do
			echo "deb $mirror $suite main"
		done >"$state/sources.new"
	fi
	APT_LISTS=$state/lists
	export APT_CONFIG=$state/conf
	cat >"$APT_CONFIG" <<-END
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; "amd64"; };
		APT::Sandbox::User "root";
		Dir::State "$state";
		Dir::State::status "/dev/null";
		Dir::Cache "$state";
	END
	if [ $# -gt 0 ]; then
		mv "$state/sources.new" "$state/sources"
		cat >>"$APT_CONFIG" <<-END
			Dir::Etc::sourcelist "$state/sources";
			Dir::Etc::sourceparts "/dev/null";
		END
	fi
	if [ /var/lib/apt/lists -nt "$APT_LISTS" ] || [ -z "$(ls "$APT_LISTS"/*_Packages* 2>/dev/null)" ]; then
		apt_update
		touch "$APT_LISTS"
	fi
}

# apt_field FIELD PACKAGE: of its newest version, as apt sees it
apt_field()
{
	apt-cache show --no-all-versions "$2" 2>/dev/null | sed -n "s/^$1: //p"
}

# download PACKAGES CACHE: "NAME VERSION" a line, those that are not in that folder; the
# array debs is their files
download()
{
	local pkg ver files=() absent=() cache=$2

	mkdir -p "$cache"
	while read -r pkg ver; do
		[ -n "$pkg" ] || continue
		# apt names the file this way, an epoch's colon escaped
		files+=("$cache/${pkg%:*}_${ver//:/%3a}_")
		ls "${files[-1]}"*.deb >/dev/null 2>&1 || absent+=("$pkg=$ver")
	done <<<"$1"
	if [ ${#absent[@]} -gt 0 ]; then
		say FETCH "${absent[0]/=/ }$([ ${#absent[@]} -eq 1 ] || echo ", ${#absent[@]} packages")"
		(cd "$cache" && quietly apt-get -q -o APT::Sandbox::User=root \
			download "${absent[@]}") || return 1
	fi
	debs=()
	for pkg in "${files[@]}"; do
		debs+=("$(ls "$pkg"*.deb)")
	done
}

# The mirror that apt has for a suite of Debian 12's.
debian_mirror()
{
	local mirror

	# shellcheck disable=SC2016 # for apt to expand
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' |
		awk -v suite="$1" '$2 == suite { print $1; exit }')
	[ -n "$mirror" ] || die "$1 is not among apt's sources: this needs Debian 12"
	echo "$mirror"
}

# in_root ROOT CACHE COMMAND...: in an installed system, with a folder for apt's packages.
# What is mounted for it is gone with it.
in_root()
{
	# shellcheck disable=SC2016 # for the other shell
	unshare --mount --pid --fork env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -ec '
		mount -t proc proc "$0/proc"
		mount --bind "$1" "$0/var/cache/apt/archives"
		exec chroot "$0" "${@:2}"' "$@"
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Debian packages, in a Debian that is installed on a disk behind the IOMMU: Debian 12
# with its 6.1, and then a second kernel; Debian 13 with its 6.12. They are installed,
# upgraded, removed and installed again; after that what was installed boots, with a host
# that lets nothing pass that no driver attached.

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# inside COMMAND...: the installed system
inside()
{
	in_root "$root" "$base.debs" "$@"
}

apt()
{
	inside apt-get -qy "$@"
}

# package VERSION: both of that version, $built, in $out
package()
{
	local tree=$work/tree

	rm -rf "$tree"
	mkdir -p "$tree"
	cp -r "$TOP"/{Documentation,Kbuild,compat,debian,dkms.conf,drivers,scripts,tools} "$tree/"
	sed -i "1 s/(.*)/($1)/" "$tree/debian/changelog"
	sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$1\"/" "$tree/dkms.conf"
	sed -i "s/^\(#define VIOMMU_VERSION\t\).*/\1\"$1\"/" "$tree/drivers/iommu/virtio/main.c"
	built=$1 out=$work/deb-$1
	"$tree/scripts/build-deb" "$out" >/dev/null
}

# As an operator does it.
install_packages()
{
	local debs

	rm -f "$root"/root/*.deb
	cp "$out"/*.deb "$root/root/"
	readarray -t debs < <(cd "$root" && printf '/%s\n' root/*.deb)
	apt install "${debs[@]}" linux-headers-amd64
}

releases()
{
	ls "$root/lib/modules"
}

# The virtio-iommu modules in a kernel's initramfs, compressed or not.
initramfs_modules()
{
	inside lsinitramfs "/boot/initrd.img-$1" | grep -o 'lib/modules/.*/virtio-iommu\.ko' || :
}

# Every kernel has the module of this version, signed with DKMS's key, and its initramfs
# has it too. in_place VERSION
in_place()
{
	local release file seen

	[ "$(ls -d "$root"/usr/src/virtio-iommu-*)" = "$root/usr/src/virtio-iommu-$1" ] ||
		{ ls -d "$root"/usr/src/virtio-iommu-*; return 1; }
	for release in $(releases); do
		file=$(cd "$root" && find "lib/modules/$release/updates" -name '*.ko*')
		[[ $file =~ ^[^[:space:]]*/dkms/virtio-iommu\.ko(\.[a-z]+)?$ ]] ||
			{ echo "$release: updates/ has: $file"; return 1; }
		seen=$(inside modinfo -k "$release" -F version virtio_iommu)
		[ "$seen" = "$1" ] || { echo "$release: version $seen"; return 1; }
		seen=$(inside modinfo -k "$release" -F signer virtio_iommu)
		[[ $seen = *DKMS* ]] || { echo "$release: signed by: $seen"; return 1; }
		seen=$(initramfs_modules "$release")
		[ "$seen" = "${file%.ko*}.ko" ] || { echo "$release: the initramfs has: $seen"; return 1; }
	done
}

# No kernel has the module, and its initramfs has what the kernel itself has.
gone()
{
	local release seen stock

	for release in $(releases); do
		seen=$(find "$root/lib/modules/$release" -path '*/updates/*')
		[ -z "$seen" ] || { echo "left: $seen"; return 1; }
		stock=$(cd "$root" && find "lib/modules/$release/kernel/drivers/iommu" -name 'virtio-iommu.ko*')
		[[ $release != 6.12.* || -n $stock ]] || { echo "$release has no stock driver"; return 1; }
		seen=$(initramfs_modules "$release")
		[ -z "$seen" ] || [ "$seen" = "${stock%.ko*}.ko" ] || { echo "in the initramfs: $seen"; return 1; }
	done
	seen=$(inside find /usr/src /usr/share/initramfs-tools /var/lib/dkms /usr/lib/dracut \
		/etc/kernel /usr/bin /usr/share/man -name '*virtio-iommu*' -o -name '*viommu*')
	[ -z "$seen" ] || { echo "left: $seen"; return 1; }
}

# What the guests find there, beside the package.
prepare()
{
	rm -rf "$work"
	mkdir -p "$work"
	cp -a "$base" "$root"
	cp -r "$HERE/guest" "$root/guest"
	ln -s /bin/busybox "$root/usr/local/bin/nc"
	ln -s /bin/busybox "$root/usr/local/bin/ip"
	echo "LABEL=root / ext4 defaults 0 1" >"$root/etc/fstab"
	# what takes time, and nobody looks at
	echo COMPRESSLEVEL=1 >"$root/etc/initramfs-tools/conf.d/fast"
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/fast"
	cat >"$root/etc/systemd/system/viommu-test.service" <<-END
		[Unit]
		After=multi-user.target
		[Service]
		ExecStart=sh -eu /guest/debian
		StandardOutput=journal+console
		StandardError=journal+console
		[Install]
		WantedBy=multi-user.target
	END
	inside systemctl enable viommu-test
}

# The disk's image, for all boots until the next change.
make_disk()
{
	rm -f "$work/root.img"
	truncate -s 3G "$work/root.img"
	mke2fs -q -t ext4 -L root -E root_owner=0:0 -d "$root" "$work/root.img"
}

# root_mounted DIR: from the disk behind the IOMMU
root_mounted()
{
	local bdf

	said "$1" "root /dev/vd[a-z] ext4" || return 1
	bdf=$(sed -n 's/^disk root //p' "$1/report")
	devices "$1" | grep -q "^pci $bdf .* virtio_blk [0-9]" ||
		{ echo "the root disk $bdf has no group"; return 1; }
}

# Its verdict, and what only an installed system has.
doctor_content()
{
	said "$1" "doctor 0" "finding OK driver" "finding OK initramfs" "finding OK module-file" \
		"finding OK protected" || { grep '^finding' "$1/report"; return 1; }
	! grep '^finding BAD' "$1/report"
}

# boots NAME RELEASE VERSION
boots()
{
	local name=$1 release=$2 version=$3 disk dir=$work/$1

	mkdir -p "$work/boot-$name"
	ln -sf "$root/boot/vmlinuz-$release" "$work/boot-$name/vmlinuz"
	ln -sf "$root/boot/initrd.img-$release" "$work/boot-$name/initrd.img"
	ln -sf "$work/root.img" "$work/boot-$name/root.img"
	name="$suite, $name"
	check "$name: boots" guest "$dir" -b "$work/boot-$1" -i boot-bypass=off -t 400 \
		-a "net.ifnames=0" debian
	check "$name: this kernel and this driver" said "$dir" "kernel ${release//+/\\+}" "version $version"
	check "$name: the root file system is on the disk" root_mounted "$dir"
	check "$name: no unit failed" said "$dir" "state running"
	check "$name: groups" have_groups "$dir"
	check "$name: domains" have_type "$dir" DMA-FQ
	check "$name: viommu doctor finds all well" doctor_content "$dir"
	for disk in vblk0 nvme0 nvme1; do
		check "$name: $disk's data" data_intact "$dir" $disk
	done
	check "$name: TCP" net_intact "$dir"
	check "$name: translated" all_translated "$dir"
	check "$name: no faults" no_faults "$dir"
}
boot_checks=13

first_of()
{
	for release in $(releases); do
		[[ $release != $1.* ]] || echo "$release"
	done
}

planned=0
for kernel in $KERNELS; do
	case $kernel in
	6.1)	planned=$((planned + 10 + 2 * boot_checks)) ;;
	6.12)	planned=$((planned + 7 + boot_checks)) ;;
	esac
done
version=$(sed -n '1 s/.*(\(.*\)).*/\1/p' "$TOP/debian/changelog")
ktap_begin $planned
if [ "$(id -u)" -ne 0 ]; then
	skip "$planned" "a Debian is installed by root"
	KERNELS=
fi
for kernel in $KERNELS; do
	case $kernel in
	6.1)	suite=bookworm ;;
	6.12)	suite=trixie ;;
	*)	continue ;;
	esac
	base=$("$TOP/scripts/fetch-debian" "$suite")
	work=$RUNS/$suite root=$RUNS/$suite/root dir=''
	quietly prepare

	package "$version"
	check "$suite: lintian" lintian --allow-root --pedantic --fail-on error,warning "$out"/*.changes
	check "$suite: install" install_packages
	check "$suite: the module is in its place" in_place "$version"
	quietly make_disk
	boots install "$(first_of "$kernel")" "$version"
	dir=''

	if [ "$suite" = bookworm ]; then
		# the headers come after the initramfs
		check "$suite: a second kernel" apt install linux-image-6.12-amd64
		check "$suite: its headers" apt install linux-headers-6.12-amd64
		check "$suite: the module is in its place, twice" in_place "$version"
		package "$version.1"
		check "$suite: upgrade" install_packages
		check "$suite: the new module is in its place" in_place "$built"
		quietly make_disk
		boots second "$(first_of 6.12)" "$built"
		dir=''
	fi

	check "$suite: purge" apt purge virtio-iommu-dkms viommu-tools
	check "$suite: nothing is left" gone
	if [ "$suite" = trixie ]; then
		check "$suite: install again" install_packages
		check "$suite: the module is in its place again" in_place "$built"
	fi
	rm -rf "$root" "$work/root.img" "$work/tree"
done
ktap_end

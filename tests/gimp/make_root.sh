#!/bin/bash
# make_root.sh SUITE FOLDER: a small Debian with a real GIMP 3 in FOLDER, for the tests.
# SUITE is trixie (GIMP 3.0) or forky (GIMP 3.2). Run as root; needs unshare and, if missing, installs debootstrap.
# It takes packages from the mirror that this machine's own apt is set up with. The folder appears only when it is
# whole, and every mount lies in a private namespace, so `rm -rf FOLDER` is safe at any time.
set -euo pipefail
suite=$1 folder=$(realpath -m "$2") part=$(realpath -m "$2").part log=$(realpath -m "$2").log

if [ -z "${IN_NAMESPACE:-}" ]; then
  exec 7<"$0" && flock 7 # two suites may be made at once, and apt waits for nobody
  command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap; } >/dev/null
  exec 7<&-
  exec env IN_NAMESPACE=1 unshare --mount --propagation private "$0" "$@"
fi
[ ! -e "$folder" ] || exit 0
mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9 # two test runs may want it at once
[ ! -e "$folder" ] || exit 0
rm -rf "$part"
say() { echo "$suite: $* ($SECONDS s)"; }
trap 'tail -n 20 "$log" >&2' ERR

mirror=$(apt-get indextargets --format '$(CREATED_BY) $(REPO_URI)' | awk '$1 == "Packages" && $2 ~ /\/debian\/?$/ {print $2; exit}')
[ -n "$mirror" ] || { echo "apt on this machine names no Debian mirror" >&2; exit 1; }
script=/usr/share/debootstrap/scripts/$suite
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
debootstrap --variant=minbase "$suite" "$part" "$mirror" "$script" >"$log" 2>&1
say "base system"

cat >"$part/etc/dpkg/dpkg.cfg.d/lean" <<'END'
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
END
printf '#!/bin/sh\nexit 101\n' >"$part/usr/sbin/policy-rc.d" && chmod +x "$part/usr/sbin/policy-rc.d"
echo "deb $mirror $suite main" >"$part/etc/apt/sources.list"
apt-config dump | grep '^Acquire::' >"$part/etc/apt/apt.conf.d/99acquire" || true # proxies and the like
cp -L /etc/resolv.conf /etc/hosts "$part/etc/" 2>/dev/null || true
for m in proc sys dev; do mount --rbind /$m "$part/$m"; done
inside() { chroot "$part" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@" >>"$log" 2>&1; }
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends gimp gir1.2-gimp-3.0 python3-gi python3-gi-cairo locales \
  xvfb openbox xdotool x11-utils imagemagick fonts-dejavu-core fonts-droid-fallback fonts-nanum adwaita-icon-theme
for l in ko_KR ja_JP zh_CN; do inside localedef -i $l -f UTF-8 $l.UTF-8; done
inside apt-get clean
rm -rf "$part"/var/lib/apt/lists/* "$part/etc/apt/sources.list" "$part/etc/apt/apt.conf.d/99acquire"
chroot "$part" gimp-console --version >"$part/gimp-version" 2>/dev/null
for m in dev sys proc; do umount -l "$part/$m"; done
mv "$part" "$folder"
rm -f "$log"
say "$(cat "$folder/gimp-version"), $(du -xsh "$folder" | cut -f1)"

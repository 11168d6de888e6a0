/**
 * Scripts of a guest that begin it. All are run by the busybox that comes with them, whatever else
 * the image has.
 */

/**
 * The first process: what a kernel leaves to it, a network, and then what goes on: the image's own
 * init where the image is Debian and has one, else busybox's.
 */
export const initScript: string = String.raw`#!/.polyvisor/busybox sh
box=/.polyvisor/busybox
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=linux
$box mkdir -p /proc /sys /dev /run /tmp /root
$box mount -t proc proc /proc
$box mount -t sysfs sysfs /sys
$box mount -t devtmpfs dev /dev
# The kernel found no console where there was no /dev.
exec <>/dev/console >&0 2>&0
$box mkdir -p /dev/pts /dev/shm
$box ln -s /proc/self/fd /dev/fd
$box ln -s fd/0 /dev/stdin
$box ln -s fd/1 /dev/stdout
$box ln -s fd/2 /dev/stderr
$box mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
$box mount -t tmpfs -o mode=1777 shm /dev/shm
$box mount -t tmpfs -o mode=755 run /run
# Modules of the devices that are there, by their numbers: each takes a while to load.
loaded=' '
for each in /sys/bus/virtio/devices/*/device; do
  [ -e "$each" ] || continue
  read -r device <"$each"
  device=$((device))
  case $loaded in *" $device "*) continue ;; esac
  loaded="$loaded$device "
  for module in /.polyvisor/modules/$device/*.ko; do
    [ ! -e "$module" ] || $box insmod "$module"
  done
done

[ -e /sbin/modprobe ] || echo /.polyvisor/modprobe >/proc/sys/kernel/modprobe

$box ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
  $box ip link set eth0 up
  # In the background if nobody answers soon.
  $box udhcpc -b -i eth0 -t 3 -T 1 -A 5 -s /.polyvisor/network </dev/null >/dev/null 2>&1
fi

# Packages were unpacked only: their scripts are programs of the guest. None is to start a service.
if [ -e /.polyvisor/first-start ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  $box chmod 755 /usr/sbin/policy-rc.d
  DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true \
    /usr/bin/dpkg --configure -a --force-confdef --force-confold </dev/null &&
    $box rm -f /.polyvisor/first-start
  $box rm -f /usr/sbin/policy-rc.d
fi
# Who makes an image wants no more than that.
case $(cat /proc/cmdline) in
  *polyvisor.prepare*)
    $box sync
    $box poweroff -f
    ;;
esac
[ ! -e /.polyvisor/own-init ] || exec /sbin/init

$box hostname polyvisor
[ -e /bin/sh ] || { $box mkdir -p /bin && $box --install -s /bin; }
for name in poweroff reboot halt; do
  [ -e /sbin/$name ] || [ -e /bin/$name ] || $box ln -s $box /bin/$name
done
# What busybox's init keeps alive: the agent, where there is a host to talk to, and a shell at the
# console. It reads no other file than /etc/inittab.
{
  [ ! -e /dev/hvc0 ] || echo ::respawn:/.polyvisor/agent
  echo ::respawn:/.polyvisor/console
  echo ::ctrlaltdel:/.polyvisor/busybox reboot
} >/run/inittab
[ -e /etc/inittab ] || { $box mkdir -p /etc && : >/etc/inittab; }
$box mount --bind /run/inittab /etc/inittab
exec $box init
`;

/** A shell at the console, as the leader of its session and with control over jobs. */
export const consoleScript: string = String.raw`#!/.polyvisor/busybox sh
. /.polyvisor/environment
export PS1='# '
exec /.polyvisor/busybox cttyhack /bin/sh -i
`;

/** What udhcpc runs when it has an address, a new one, or none any more. */
export const networkScript: string = String.raw`#!/.polyvisor/busybox sh
box=/.polyvisor/busybox
case $1 in
  deconfig)
    $box ip addr flush dev "$interface"
    $box ip link set "$interface" up
    ;;
  bound | renew)
    $box ip addr flush dev "$interface"
    $box ip addr add "$ip/$mask" dev "$interface"
    for each in $router; do $box ip route add default via "$each" dev "$interface"; done
    {
      [ -z "$domain" ] || echo "search $domain"
      for each in $dns; do echo "nameserver $each"; done
    } >/etc/resolv.conf
    ;;
esac
`;

/** What the kernel runs for modules that it lacks, in a guest without such a program: `modprobe -q -- fs-ext4`. */
export const modprobeScript: string = String.raw`#!/.polyvisor/busybox sh
for name; do :; done
# One module is for all three.
case $name in fs-ext[23]) name=fs-ext4 ;; esac
for module in /.polyvisor/modules/$name/*.ko; do
  [ ! -e "$module" ] || /.polyvisor/busybox insmod "$module"
done
`;

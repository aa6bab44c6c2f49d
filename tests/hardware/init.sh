#!/bin/busybox sh
# The first process of the guest: it loads the drivers, then carries out what the host asks over virtio's serial
# port; an emulated UART loses characters.
# Question: a line of the seconds that a command may take, and the command. Answer: a line of its exit status, and its
# output. Command and output are in base64.
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
ip link set lo up
for module in /modules/*.ko; do insmod "$module"; done
export PATH=/usr/bin:/bin PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1

exec 3<>"$(echo /dev/vport*)"
echo ready >&3
while read -r seconds command <&3; do
    command=$(echo "$command" | base64 -d)
    timeout -s KILL "$seconds" sh -c "$command" >/tmp/output 2>&1 </dev/null 3<&-
    echo "$? $(base64 -w 0 /tmp/output)" >&3
done

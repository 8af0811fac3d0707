#!/usr/bin/bash
# Tests of nocloud-init, in a directory that stands for the machine. Programs that need its accounts only write down how
# they were called.
#   test-nocloud-init.sh <directory with nocloud-init and cloud-config.awk>
set -uo pipefail
program=$1/nocloud-init
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export NOCLOUD_INIT_LIBRARY=$1 NOCLOUD_INIT_ROOT=$work/root PATH=$work/bin:$PATH
seed=$work/root/var/lib/cloud/seed/nocloud
failed=0

# expect <what> <expected> <actual>
expect() {
    test "$2" = "$3" && return
    printf 'FAILED: %s\n--- expected\n%s\n--- actual\n%s\n' "$1" "$2" "$3"
    failed=1
}

# machine: a new one, user-data from standard input
machine() {
    rm -rf "$work/root" "$work/calls"
    mkdir -p "$seed" "$work/root/etc"
    printf 'root:x:0:0::/root:/bin/bash\n' > "$work/root/etc/passwd"
    printf 'root:x:0:\nwheel:x:10:\n' > "$work/root/etc/group"
    printf 'instance-id: one\nlocal-hostname: seeded\n' > "$seed/meta-data"
    cat > "$seed/user-data"
}

configure() {
    "$program" configure > "$work/out" 2>&1
    status=$?
}

mkdir -p "$work/bin"
for name in useradd usermod groupadd chown; do
    cat > "$work/bin/$name" <<'STUB'
#!/usr/bin/bash
echo "${0##*/} $*" | sed "s,$NOCLOUD_INIT_ROOT,,g" >> "$NOCLOUD_INIT_ROOT/../calls"
test "${0##*/}" != useradd || echo "${!#}:x:1000:1000::/home/${!#}:/bin/bash" >> "$NOCLOUD_INIT_ROOT/etc/passwd"
STUB
    chmod +x "$work/bin/$name"
done

machine <<'END'
#cloud-config
fqdn: box.example.net   # a comment
ssh_authorized_keys: ["ssh-ed25519 AAAA root@x"]
users:
- default
- name: ann
  gecos: "Ann \"A\" Example"
  groups: wheel, video
  sudo: ALL=(ALL) NOPASSWD:ALL
  ssh_authorized_keys:
  - ssh-ed25519 BBBB ann@x
  - ssh-ed25519 CCCC ann@y
- name: bob
  lock_passwd: false
  passwd: $6$salt$digest
  sudo: false
write_files:
  - path: /etc/motd
    permissions: '0640'
    content: |
      one: two

        # three\n
  - path: /etc/motd
    append: true
    encoding: b64
    content: Zm91cgo=
runcmd:
  - echo "$HOME" > /dev/null; exit 3
  - [touch, "two words"]
  - |
    touch three
    touch four
growpart:
  mode: off
END
configure
expect 'status' 0 $status
expect 'messages' "nocloud-init: first start of the instance one
nocloud-init: users: \"default\" is ignored" "$(cat "$work/out")"
expect 'host name' box "$(cat "$work/root/etc/hostname")"
expect 'hosts' '127.0.1.1 box.example.net box' "$(cat "$work/root/etc/hosts")"
expect 'calls' 'chown root:0 /root/.ssh /root/.ssh/authorized_keys
groupadd video
useradd --create-home --comment Ann "A" Example --shell /bin/bash --groups wheel,video ann
usermod --lock ann
chown ann:1000 /home/ann/.ssh /home/ann/.ssh/authorized_keys
useradd --create-home --shell /bin/bash --password $6$salt$digest bob' "$(cat "$work/calls")"
expect 'keys' 'ssh-ed25519 BBBB ann@x
ssh-ed25519 CCCC ann@y' "$(cat "$work/root/home/ann/.ssh/authorized_keys")"
expect 'modes' '600 700' "$(stat -c %a "$work/root/home/ann/.ssh/authorized_keys" "$work/root/home/ann/.ssh" | xargs)"
expect 'rules' '90-nocloud-init-ann 440 ann ALL=(ALL) NOPASSWD:ALL' \
    "$(cd "$work/root/etc/sudoers.d" && ls) $(stat -c %a "$work/root/etc/sudoers.d/"*) $(cat "$work/root/etc/sudoers.d/"*)"
expect 'file' $'one: two\n\n  # three\\n\nfour\n640' "$(cat "$work/root/etc/motd" && stat -c %a "$work/root/etc/motd")"
(mkdir "$work/commands" && cd "$work/commands" && "$program" run > ../out 2>&1)
expect 'status of commands' 1 $?
expect 'files of commands' $'four\nthree\ntwo words' "$(ls "$work/commands")"
expect 'messages of commands' 'nocloud-init: error: runcmd[0] ended with 3' "$(cat "$work/out")"

: > "$work/calls"
configure
expect 'second start' "0 " "$status $(cat "$work/out" "$work/calls")"
test ! -e "$work/root/var/lib/nocloud-init/commands"
expect 'no commands at the second start' 0 $?
printf 'instance-id: two\n' > "$seed/meta-data"
configure
expect 'another instance' "0 nocloud-init: first start of the instance two" "$status $(head -n 1 "$work/out")"
expect 'users of another instance' 0 "$(grep -c useradd "$work/calls")"

machine <<'END'
#!/bin/sh
touch script
END
configure
(cd "$work/commands" && rm -f ./* && "$program" run)
expect 'script' 'seeded script' "$(cat "$work/root/etc/hostname") $(ls "$work/commands")"

machine <<'END'
#cloud-config
hostname: "not a name"
package_update: true
users:
- name: ann
  colour: red
END
configure
expect 'errors and warnings' "1 nocloud-init: first start of the instance one
nocloud-init: error: \"not a name\" is no host name
nocloud-init: warning: package_update of user-data is not understood and ignored
nocloud-init: warning: users[0].colour of user-data is not understood and ignored" "$status $(cat "$work/out")"

# What is not understood ends with the number of its line, and nothing is done.
while IFS='|' read -r text line what; do
    printf -v text '%b' "#cloud-config\nhostname: box\n$text\n"
    machine <<< "$text"
    configure
    expect "$text" "1 $seed/user-data:$line: $what" "$status $(head -n 1 "$work/out")"
    test ! -e "$work/root/etc/hostname"
    expect "nothing of $text" 0 $?
done <<'END'
a: {b: c}|3|a value that begins with { is not understood
a: >|3|a value that begins with > is not understood
a: *b|3|a value that begins with * is not understood
a: b: c|3|a value with ": " needs quotes
a: "b|3|a quote is not closed on its line
a: "b" c|3|unexpected " c" after a value
a: "\\x41"|3|the escape \x is not understood
a: [b, c|3|a list lacks "," or "]"
a: [b, [c]]|3|in [...] only plain values are understood
a:\n\t- b|4|a tab in the indentation
a:\n   b: c\n  d: e|5|the indentation belongs to nothing above
a: b\n  c|4|this is neither "key: value" nor "- value"
a: b\na: c|4|"a" is there twice
a: b\n---\nc: d|4|more than one document
END

# networks: network-config is standard input; prints all files
networks() {
    machine <<< '#cloud-config'
    mkdir -p "$work/root/usr/lib/systemd" "$work/root/etc/systemd/network"
    touch "$work/root/usr/lib/systemd/systemd-networkd" "$work/root/etc/systemd/network/05-nocloud-init-old.network"
    cat > "$seed/network-config"
    configure
    (cd "$work/root/etc/systemd/network" && for file in *; do test ! -e "$file" || { echo "# $file"; cat "$file"; }; done)
}

expect 'devices' '# 05-nocloud-init-first.network
[Match]
MACAddress=52:54:00:12:34:56

[Link]
MTUBytes=1400
RequiredForOnline=no

[Network]
DHCP=ipv4
Address=192.0.2.7/24
Address=2001:db8::7/64
DNS=192.0.2.1
Domains=example.net

[Route]
Gateway=192.0.2.1

[Route]
Destination=198.51.100.0/24
Gateway=192.0.2.2
Metric=50

# 05-nocloud-init-second0.network
[Match]
Name=second0

[Network]
DHCP=yes' "$(networks <<'END'
network:
  version: 2
  renderer: networkd
  ethernets:
    first:
      match:
        macaddress: "52:54:00:12:34:56"
      mtu: 1400
      optional: true
      dhcp4: yes
      dhcp6: false
      addresses: [192.0.2.7/24, "2001:db8::7/64"]
      nameservers:
        addresses: [192.0.2.1]
        search: [example.net]
      routes:
        - to: default
          via: 192.0.2.1
        - to: 198.51.100.0/24
          via: 192.0.2.2
          metric: 50
    second0:
      dhcp4: true
      dhcp6: true
END
)"
expect 'messages of devices' 'nocloud-init: first start of the instance one' "$(cat "$work/out")"

expect 'devices of version 1' '# 05-nocloud-init-eth0.network
[Match]
MACAddress=52:54:00:12:34:56

[Network]
Address=192.0.2.7/20
Gateway=192.0.2.1
DNS=192.0.2.3
DHCP=ipv6
DNS=192.0.2.2
Domains=example.net' "$(networks <<'END'
version: 1
config:
  - type: physical
    name: eth0
    mac_address: "52:54:00:12:34:56"
    subnets:
      - type: static
        address: 192.0.2.7
        netmask: 255.255.240.0
        gateway: 192.0.2.1
        dns_nameservers: [192.0.2.3]
      - type: dhcp6
  - type: nameserver
    address: 192.0.2.2
    search: [example.net]
END
)"

expect 'networks that are not understood' '' "$(networks <<< 'version: 3')"
expect 'message of a version' 'nocloud-init: error: network-config: the version "3" is not understood' "$(grep error "$work/out")"
expect 'address with a line' '# 05-nocloud-init-e.network
[Match]
Name=e' "$(networks <<< $'version: 2\nethernets:\n  e:\n    colour: red\n    addresses: ["192.0.2.7/24\\nDHCP=yes"]')"
expect 'messages of an address' 'nocloud-init: first start of the instance one
nocloud-init: error: network-config: "192.0.2.7/24
DHCP=yes" is no Address
nocloud-init: warning: ethernets.e.colour of network-config is not understood and ignored' "$(cat "$work/out")"
expect 'broken networks' '' "$(networks <<< 'ethernets: {e: f}' | grep -v old)"
expect 'message of broken networks' "nocloud-init: error: network-config is not understood; nothing of it is done" "$(grep error "$work/out")"

machine <<< 'hostname: box'
configure
expect 'unknown kind' '1 nocloud-init: error: user-data begins neither with #cloud-config nor with #!' "$status $(cat "$work/out")"
: > "$seed/meta-data"
configure
expect 'no instance' '1 nocloud-init: error: meta-data has no instance-id' "$status $(cat "$work/out")"
rm -r "$seed"
configure
expect 'no seed' '0 ' "$status $(cat "$work/out")"

exit $failed

# What both labs stand on: nodes rp01 … on one machine that really are apart, and rpctl from where they are driven. Each is
# a network, mount and UTS namespace, a node also a process namespace: killed at its first process, it is gone as a whole,
# as by a power cut. Traffic between nodes crosses a bridge (10.77.0.0/24, which nobody else can see) and interfaces that
# tc can slow. Nothing has a name outside the lab's folder, so that several labs stand side by side.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

lab_cannot() { echo "cannot: $*" >&2; exit 77; }

lab_needs() {
  local program missing=()
  for program in "$@"; do command -v "$program" >/dev/null || missing+=("$program"); done
  [ ${#missing[@]} = 0 ] || lab_cannot "not found in PATH: ${missing[*]}"
  local why
  why=$(unshare --net --uts --mount --pid --fork mount -t tmpfs none /mnt 2>&1) ||
    lab_cannot "there are no namespaces to be had here: $why"
}

lab_node() { printf 'rp%02d' "$1"; }
lab_nodes() { cat "$LAB/nodes"; }
lab_pid() { cat "$LAB/pids/$1" 2>/dev/null || { echo "there is no $1 in this lab" >&2; exit 2; }; }

# Everything that runs in the lab carries this variable, by which `down` finds it.
lab_marked() { env RACKPROOF_LAB_MEMBER="$LAB" "$@"; }

# With LAB_EXEC=exec in place of this process, so that a signal to it is one to what runs there.
lab_in() {
  local node=$1 pid
  shift
  pid=$(lab_pid "$node")
  # Into a process namespace one gets as a child only; rpctl has none, so that signals reach what runs there.
  local process=(--pid)
  [ "$node" != rpctl ] || process=()
  ${LAB_EXEC:-} env RACKPROOF_LAB_MEMBER="$LAB" \
    nsenter --target "$pid" --mount --uts --net "${process[@]}" --wdns="$PWD" "$@"
}

# The private /tmp of a node hides what lies below the machine's; the tree and its build stay in sight.
lab_hide_tmp() {
  local kept number=0
  for kept in "${LAB_SHOWN[@]}"; do
    [[ $kept != /tmp/* ]] || { number=$((number + 1)); mkdir -p "$LAB/shown/$number"; mount --bind "$kept" "$LAB/shown/$number"; }
  done
  mount -t tmpfs -o size=256m,mode=1777 tmpfs /tmp
  number=0
  for kept in "${LAB_SHOWN[@]}"; do
    [[ $kept != /tmp/* ]] || { number=$((number + 1)); mkdir -p "$kept"; mount --bind "$LAB/shown/$number" "$kept"; }
  done
}

# The first process of a node: it reaps, and does nothing else.
lab_first_process() {
  hostname "$1"
  mount --bind "$LAB/hosts" /etc/hosts
  if [ "$1" != rpctl ]; then
    lab_hide_tmp
    mount -t tmpfs none /sys/fs/cgroup
  fi
  : > "$LAB/ready.$1"
  while :; do sleep 3600 & wait $!; done
}

lab_start_node() {
  local node=$1 process=(--pid --fork --kill-child --mount-proc)
  [ "$node" != rpctl ] || process=()
  # Not by lab_marked: it is this process's number that is asked for.
  env RACKPROOF_LAB_MEMBER="$LAB" setsid unshare --net --uts --mount "${process[@]}" bash "$0" first-process "$LAB" "$node" \
    </dev/null >"$LAB/log/$node.first" 2>&1 &
  local outer=$!
  for _ in $(seq 500); do [ ! -e "$LAB/ready.$node" ] || break; sleep 0.01; done
  [ -e "$LAB/ready.$node" ] || { cat "$LAB/log/$node.first" >&2; return 1; }
  if [ "$node" = rpctl ]; then echo "$outer"; else pgrep -P "$outer"; fi > "$LAB/pids/$node"
  # What follows must not meet the machine's own network.
  [ "$(readlink "/proc/$(lab_pid "$node")/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

lab_begin() {
  local count=$1 i
  LAB=$(mktemp -d /var/tmp/rackproof-lab.XXXXXX)
  trap 'echo "the lab did not come up" >&2; tail -n 5 "$LAB"/log/* >&2 || true; lab_down' EXIT
  chmod 755 "$LAB"
  mkdir "$LAB"/{etc,log,pids,run,state}
  { echo "127.0.0.1 localhost"; echo "10.77.0.254 rpctl"; } > "$LAB/hosts"
  for i in $(seq "$count"); do echo "10.77.0.$i $(lab_node "$i")" >> "$LAB/hosts"; lab_node "$i" && echo; done > "$LAB/nodes"
  lab_start_node rpctl
  local starting=()
  for i in $(seq "$count"); do lab_start_node "$(lab_node "$i")" & starting+=($!); done
  for i in "${starting[@]}"; do wait "$i"; done
  lab_connect "$count"
}

lab_connect() {
  local count=$1 i node
  {
    echo "link set lo up"
    echo "link add br0 type bridge"
    echo "addr add 10.77.0.254/24 dev br0"
    echo "link set br0 up"
    for i in $(seq "$count"); do
      node=$(lab_node "$i")
      echo "link add v$i type veth peer name eth0 netns $(lab_pid "$node")"
      echo "link set v$i master br0 up"
    done
  } | lab_in rpctl ip -batch -
  for i in $(seq "$count"); do
    printf '%s\n' "link set lo up" "addr add 10.77.0.$i/24 dev eth0" "link set eth0 up" | lab_in "$(lab_node "$i")" ip -batch -
  done
}

# Said to the caller when the lab stands.
lab_done() { trap - EXIT; echo "$LAB"; }

# slow NODE RATE [out|in|both]: what it sends, what it receives, as seen from the node.
lab_slow() {
  local node=$1 rate=$2 way=${3:-both} shape=(rate "$2" burst 64kb latency 50ms)
  [ "$way" = in ] || lab_in "$node" tc qdisc replace dev eth0 root tbf "${shape[@]}"
  [ "$way" = out ] || lab_in rpctl tc qdisc replace dev "v$((10#${node#rp}))" root tbf "${shape[@]}"
}

lab_heal() {
  lab_in "$1" tc qdisc del dev eth0 root 2>/dev/null || true
  lab_in rpctl tc qdisc del dev "v$((10#${1#rp}))" root 2>/dev/null || true
}

# Every process of a node, as this machine numbers them.
lab_members() {
  local own pid
  own=$(readlink "/proc/$(lab_pid "$1")/ns/pid")
  for pid in /proc/[0-9]*; do
    [ "$(readlink "$pid/ns/pid" 2>/dev/null)" != "$own" ] || echo "${pid#/proc/}"
  done
}

lab_down() {
  local pid again
  case ${LAB:-} in /var/tmp/rackproof-lab.*) ;; *) echo "RACKPROOF_LAB names no lab" >&2; exit 2 ;; esac
  for again in 1 2 3; do
    for pid in /proc/[0-9]*; do
      if grep -qzxF "RACKPROOF_LAB_MEMBER=$LAB" "$pid/environ" 2>/dev/null; then
        kill -9 "${pid#/proc/}" 2>/dev/null || true
        again=more
      fi
    done
    [ "$again" = more ] || break
    sleep 0.1
  done
  rm -rf "$LAB"
}

# What both scripts can do; `lab_up COUNT` is theirs.
lab_main() {
  local folder
  folder=$(cd "$(dirname "$0")/../.." && pwd)
  LAB_SHOWN=("${RACKPROOF_SOURCE:-$folder}" "${RACKPROOF_BUILD:-$folder/build}")
  LAB=${RACKPROOF_LAB:-}
  local what=${1:-}
  shift || true
  case $what in
    up) lab_up "${1:-4}" ;;
    first-process) LAB=$1; lab_first_process "$2" ;;
    down) lab_down ;;
    in | slow | heal | kill | freeze | thaw)
      [ -d "$LAB" ] || { echo "RACKPROOF_LAB names no lab: it is what '$0 up' printed" >&2; exit 2; }
      case $what in
        in) LAB_EXEC=exec lab_run "$@" ;;
        slow) lab_slow "$@" ;;
        heal) lab_heal "$@" ;;
        kill) kill -9 "$(lab_pid "$1")" ;;
        freeze) kill -STOP $(lab_members "$1") ;;
        thaw) kill -CONT $(lab_members "$1") ;;
      esac ;;
    *)
      sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
      exit 2 ;;
  esac
}

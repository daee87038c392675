# Two subnets and a router between them; sourced after lab.sh.
# shellcheck shell=bash

# second_subnet HOST...: these hosts move to a second Ethernet, as 10.99.1.(10+i). Broadcasts stay where they are; the
# router, the .1 of both, forwards the rest.
second_subnet() {
    local id host
    id=$(cat "$LAB/id")
    ip netns exec "$id-sw" sh -ec '
        ip link add br1 type bridge stp_state 0 forward_delay 0 mcast_snooping 0
        ip link set br1 type bridge ageing_time 0
        ip link set br1 up
        ip addr add 10.99.0.1/24 dev br0
        ip addr add 10.99.1.1/24 dev br1
        echo 1 >/proc/sys/net/ipv4/ip_forward'
    for host in $(seq "$(cat "$LAB/nodes")"); do
        case " $* " in
            *" $host "*)
                ip netns exec "$id-sw" ip link set "p$host" master br1
                ip netns exec "$id-$host" ip addr flush dev eth0
                ip netns exec "$id-$host" ip addr add "10.99.1.$((10 + host))/24" broadcast 10.99.1.255 dev eth0
                ip netns exec "$id-$host" ip route add default via 10.99.1.1
                ;;
            *) ip netns exec "$id-$host" ip route add default via 10.99.0.1 ;;
        esac
    done
}

#!/usr/bin/env python3
"""Compares `mailslot decode --json` with tshark, field by field.

usage: tshark.py [--mailslot PROGRAM] [--verbose] CAPTURE-OR-DIRECTORY...

Every field that both programs show of a frame is compared. Prints the number of frames, the fields compared and
those that differ; differences that are known faults of tshark (KNOWN, each with the section of the
specification) are counted and named, anything else is printed and makes the exit status 1. Exit status 77: tshark
or mailslot is not there. Python 3.9 or newer, its standard library only.

To add a layer: describe its fields in LAYERS.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# --- what is compared ------------------------------------------------------------------------------------------


def number(text):
    """Numbers as tshark shows them: decimal, or hexadecimal with 0x."""
    return int(text, 0)


def text(value):
    return value


def seconds(text):
    """A time that tshark shows in milliseconds and mailslot in seconds, as on the wire."""
    return int(text) / 1000


def hex_bytes(text):
    return text.replace(":", "")


def name(value):
    """Control characters in NetBIOS names are \\x01, but in some versions of tshark <01>; padding is not shown."""
    value = re.sub("<([0-9A-F]{2})>(?=.*<[0-9a-f]{2}>)", lambda m: "\\x" + m[1].lower(), value)
    return re.sub(r"(\\x00)+(?=<[0-9a-f]{2}>)", "", value)


MSG_TYPES = {
    16: "direct_unique", 17: "direct_group", 18: "broadcast", 19: "error", 20: "query_request",
    21: "positive_query_response", 22: "negative_query_response",
}

COMMANDS = {
    1: "HostAnnouncement", 2: "AnnouncementRequest", 8: "RequestElection", 9: "GetBackupListRequest",
    10: "GetBackupListResponse", 11: "BecomeBackup", 12: "DomainAnnouncement", 13: "MasterAnnouncement",
    14: "ResetStateRequest", 15: "LocalMasterAnnouncement",
}


def msg_type(value):
    return MSG_TYPES.get(int(value), "0x%02x" % int(value))


def command(value):
    return COMMANDS.get(number(value), "0x%02x" % number(value))


# Key of mailslot, key of tshark, how to read what tshark shows. `[]` behind the first: all values, as a list.
NBDGM = [
    ("msg_type", "nbdgm.type", msg_type),
    ("flags", "nbdgm.flags", number),
    ("dgm_id", "nbdgm.dgram_id", number),
    ("source_ip", "nbdgm.src.ip", text),
    ("source_port", "nbdgm.src.port", number),
    ("dgm_length", "nbdgm.dgram_len", number),
    ("packet_offset", "nbdgm.pkt_offset", number),
    ("error_code", "nbdgm.error_code", number),
    ("source_name", "nbdgm.source_name", name),
    ("destination_name", "nbdgm.destination_name", name),
]

# tshark's mailslot.size is the transaction's ByteCount; the size of the message is its DataCount.
MAILSLOT = [
    ("name", "mailslot.name", text),
    ("class", "mailslot.class", number),
    ("priority", "mailslot.priority", number),
    ("size", "smb.dc", number),
    ("data", "data.data", hex_bytes),
]

VERSION = [
    ("os_version_major", "browser.os_major", number),
    ("os_version_minor", "browser.os_minor", number),
    ("browser_config_version_major", "browser.os_major", number),
    ("browser_config_version_minor", "browser.os_minor", number),
]

BROWSER = VERSION + [
    ("command", "browser.command", command),
    ("update_count", "browser.update_count", number),
    ("periodicity", "browser.period", number),
    ("server_name", "browser.server", text),
    ("machine_group", "browser.server", text),
    ("server_type", "browser.server_type", number),
    ("browser_version_major", "browser.proto_major", number),
    ("browser_version_minor", "browser.proto_minor", number),
    ("signature", "browser.sig", number),
    ("comment", "browser.comment", text),
    ("local_master_browser_name", "browser.mb_server", text),
    ("reserved", "browser.unused", number),
    ("response_name", "browser.response_computer_name", text),
    ("version", "browser.election.version", number),
    ("criteria", "browser.election.criteria", number),
    ("criteria_roles", "browser.election.desire", number),
    ("criteria_os", "browser.election.os", number),
    ("criteria_browser_version_major", "browser.proto_major", number),
    ("criteria_browser_version_minor", "browser.proto_minor", number),
    ("uptime", "browser.uptime", number),
    ("requested_count", "browser.backup.count", number),
    ("backup_server_count", "browser.backup.count", number),
    ("token", "browser.backup.token", number),
    ("backup_server_list[]", "browser.backup.server", text),
    ("browser_to_promote", "browser.browser_to_promote", text),
    ("master_browser_server_name", "browser.mb_server", text),
    ("options", "browser.reset_cmd", number),
]

LANMAN = VERSION + [
    ("command", "browser.command", command),
    ("server_type", "browser.server_type", number),
    ("interval", "browser.period", seconds),
    ("server_name", "browser.server", text),
    ("comment", "browser.comment", text),
    ("response_name", "browser.response_computer_name", text),
    ("update_count", "browser.update_count", number),
    ("periodicity", "browser.period", number),
    ("browser_version_major", "browser.proto_major", number),
    ("browser_version_minor", "browser.proto_minor", number),
    ("signature", "browser.sig", number),
]

OPCODES = {
    0: "query", 5: "registration", 6: "release", 7: "wack", 8: "refresh", 9: "refresh_alternate",
    15: "multihomed_registration",
}
RCODES = {
    0: "none", 1: "fmt_err", 2: "srv_err", 3: "nam_err", 4: "imp_err", 5: "rfs_err", 6: "act_err", 7: "cft_err",
}
RR_TYPES = {1: "a", 2: "ns", 10: "null", 32: "nb", 33: "nbstat"}
COMMANDS_SMB = {
    0x25: "TRANSACTION", 0x26: "TRANSACTION_SECONDARY", 0x71: "TREE_DISCONNECT", 0x72: "NEGOTIATE",
    0x73: "SESSION_SETUP_ANDX", 0x74: "LOGOFF_ANDX", 0x75: "TREE_CONNECT_ANDX", 0xd0: "SEND_MESSAGE",
    0xd5: "SEND_START_MB_MESSAGE", 0xd6: "SEND_END_MB_MESSAGE", 0xd7: "SEND_TEXT_MB_MESSAGE",
}
NBSS_TYPES = {
    0: "message", 0x81: "request", 0x82: "positive_response", 0x83: "negative_response",
    0x84: "retarget_response", 0x85: "keepalive",
}
FUNCTIONS = {0: "NetShareEnum", 0x68: "NetServerEnum2", 0xd7: "NetServerEnum3"}


def named(names, form):
    return lambda value: names.get(number(value), form % number(value))


def boolean(value):
    return number(value) != 0


def rr_name(value):
    """A name without what tshark says of it behind."""
    return re.sub(" +(?=<[0-9a-f]{2}>)", "", name(re.sub(r" \([^()]*\)$", "", value)))


NBNS = [
    ("name_trn_id", "nbns.id", number),
    ("flags", "nbns.flags", number),
    ("response", "nbns.flags.response", boolean),
    ("opcode", "nbns.flags.opcode", named(OPCODES, "0x%x")),
    ("rcode", "nbns.flags.rcode", named(RCODES, "0x%x")),
    ("qdcount", "nbns.count.queries", number),
    ("ancount", "nbns.count.answers", number),
    ("nscount", "nbns.count.auth_rr", number),
    ("arcount", "nbns.count.add_rr", number),
]

QUESTION = [
    ("question_name", "nbns.name", rr_name),
    ("question_type", "nbns.type", named(RR_TYPES, "0x%04x")),
    ("question_class", "nbns.class", number),
]

RECORD = [
    ("rr_name", "nbns.name", rr_name),
    ("rr_type", "nbns.type", named(RR_TYPES, "0x%04x")),
    ("rr_class", "nbns.class", number),
    ("ttl", "nbns.ttl", number),
    ("rdlength", "nbns.data_length", number),
    ("addr_entries.nb_flags[]", "nbns.nb_flags", number),
    ("addr_entries.nb_address[]", "nbns.addr", text),
    ("num_names", "nbns.number_of_names", number),
    ("names.name_flags[]", "nbns.name_flags", number),
    ("unit_id", "nbns.unit_id", hex_bytes),
]

NBSS = [
    ("type", "nbss.type", named(NBSS_TYPES, "0x%02x")),
    ("length", "nbss.length", number),
    ("called_name", "nbss.called_name", rr_name),
    ("calling_name", "nbss.calling_name", rr_name),
    ("error_code", "nbss.error_code", number),
]

SMB = [
    ("command", "smb.cmd", named(COMMANDS_SMB, "0x%02x")),
    ("status", "smb.nt_status", number),
    ("flags", "smb.flags", number),
    ("flags2", "smb.flags2", number),
    ("tid", "smb.tid", number),
    ("uid", "smb.uid", number),
    ("mid", "smb.mid", number),
    ("path", "smb.path", text),
    ("service", "smb.service", text),
    ("native_os", "smb.native_os", text),
    ("native_lan_man", "smb.native_lanman", text),
    ("account_name", "smb.account", text),
    ("primary_domain", "smb.primary_domain", text),
    ("dialects[]", "smb.dialect.name", text),
    ("total_parameter_count", "smb.tpc", number),
    ("total_data_count", "smb.tdc", number),
    ("timeout", "smb.timeout", number),
    ("name", "smb.trans_name", text),
    ("security_blob", "smb.security_blob", hex_bytes),
]

RAP = [
    ("function", "lanman.function_code", named(FUNCTIONS, "0x%04x")),
    ("param_desc", "lanman.param_desc", text),
    ("data_desc", "lanman.ret_desc", text),
    ("level", "lanman.level", number),
    ("receive_buffer_size", "lanman.recv_buf_len", number),
    ("server_type", "browser.server_type", number),
    ("domain", "lanman.enumeration_domain", text),
    ("status", "lanman.status", number),
    ("converter", "lanman.convert", number),
    ("entry_count", "lanman.entry_count", number),
    ("available", "lanman.available_count", number),
    ("servers.name[]", "lanman.server.name", text),
    ("servers.comment[]", "lanman.server.comment", text),
    ("shares.name[]", "lanman.share.name", text),
]

def compressed(value):
    """tshark's name of the empty name."""
    return "" if value == "<Root>" else value


NETLOGON = [
    ("opcode", "smb_netlogon.command", number),
    ("request_count", "smb_netlogon.request_count", number),
    ("computer_name", "smb_netlogon.computer_name", text),
    ("unicode_computer_name", "smb_netlogon.unicode_computer_name", text),
    ("unicode_user_name", "smb_netlogon.user_name", text),
    ("user_name", "smb_netlogon.user_name", compressed),
    ("mailslot_name", "smb_netlogon.mailslot_name", text),
    ("allowable_account_control_bits", "smb_netlogon.flags", number),
    ("domain_sid", "nt.sid", lambda value: value.split(" ")[0]),
    ("primary_dc_name", "smb_netlogon.pdc_name", text),
    ("unicode_primary_dc_name", "smb_netlogon.unicode_pdc_name", text),
    ("unicode_domain_name", "smb_netlogon.domain_name", text),
    ("unicode_logon_server", "smb_netlogon.server_name", text),
    ("dns_forest_name", "smb_netlogon.forest_dns_name", compressed),
    ("dns_domain_name", "smb_netlogon.domain_dns_name", compressed),
    ("dns_host_name", "smb_netlogon.server_dns_name", compressed),
    ("netbios_domain_name", "smb_netlogon.domain_name", compressed),
    ("netbios_computer_name", "smb_netlogon.server_name", compressed),
    ("dc_site_name", "smb_netlogon.server_site_name", compressed),
    ("client_site_name", "smb_netlogon.client_site_name", compressed),
    ("dc_sock_addr.ip", "smb_netlogon.server_ip", text),
    ("nt_version", "smb_netlogon.nt_version", number),
    ("lm_nt_token", "smb_netlogon.lmnt_token", number),
    ("lm20_token", "smb_netlogon.lm_token", number),
]

# Key of the layer's object in mailslot's JSON, the protocols of tshark it is spread over (nothing is compared
# without the first), its fields.
LAYERS = [
    ("nbdgm", ["nbdgm"], NBDGM),
    ("mailslot", ["smb", "mailslot", "data"], MAILSLOT),
    ("browser", ["browser"], BROWSER),
    ("lanman", ["browser"], LANMAN),
    ("netlogon", ["smb_netlogon"], NETLOGON),
    ("nbns", ["nbns"], NBNS),
    ("nbns.question", ["nbns/Queries"], QUESTION),
    ("nbns.answer", ["nbns/Answers"], RECORD),
    ("nbns.authority", ["nbns/Authoritative nameservers"], RECORD),
    ("nbns.additional", ["nbns/Additional records"], RECORD),
    ("nbss", ["nbss"], NBSS),
    ("smb", ["smb"], SMB),
    ("rap", ["lanman"], RAP),
]

# Flags that tshark shows one by one: key of mailslot, tshark's prefix, name of mailslot by name of tshark.
FLAGS = [
    ("server_types", "browser.server_type.", {
        "workstation": "WORKSTATION", "server": "SERVER", "sql": "SQLSERVER", "domain_controller": "DOMAIN_CTRL",
        "backup_controller": "DOMAIN_BAKCTRL", "time": "TIME_SOURCE", "apple": "AFP", "novell": "NOVELL",
        "member": "DOMAIN_MEMBER", "print": "PRINTQ", "dialin": "DIALIN", "xenix": "XENIX", "ntw": "NT",
        "wfw": "WFW", "nts": "SERVER_NT", "browser.potential": "POTENTIAL_BROWSER",
        "browser.backup": "BACKUP_BROWSER", "browser.master": "MASTER_BROWSER",
        "browser.domain_master": "DOMAIN_MASTER", "osf": "OSF", "vms": "VMS", "w95": "WINDOWS", "dfs": "DFS",
        "local": "LOCAL_LIST_ONLY", "domainenum": "DOMAIN_ENUM",
    }),
    ("criteria_role_names", "browser.election.desire.", {
        # The same bits under other names than those of MS-BRWS 2.2.3.
        "backup": "BACKUP", "standby": "DOMAIN_CONTROLLER", "master": "MASTER", "domain_master": "PREFERRED",
        "wins": "NBNS", "nt": "PDC",
    }),
]

# --- where tshark is wrong -------------------------------------------------------------------------------------

# Name, section of the specification, whether a difference is this fault:
# (mailslot's object, key with its layer, value of mailslot, value of tshark).
KNOWN = []


def known(section):
    def add(function):
        KNOWN.append((function.__name__, section, function))
        return function
    return add

def as_ascii(theirs):
    """A pattern of what tshark shows: bytes above 0x7f are a replacement character or <e0>."""
    pieces = re.split("\ufffd|<[89a-fA-F][0-9a-fA-F]>(?!$|\\.)|\\\\x[89a-f][0-9a-f]", theirs)
    return r"(\\x..|.)".join(map(re.escape, pieces))


@known("MS-BRWS 2.2, MS-MAIL 2.2.1, MS-NBTE 2.2.1: strings are OEM characters")
def strings_read_as_ascii(_, key, ours, theirs):
    return isinstance(theirs, str) and re.fullmatch(as_ascii(theirs), ours) is not None


@known("RFC 1002 4.1: labels are counted, a NUL in one does not end it")
def scope_ends_at_a_nul(_, key, ours, theirs):
    return key.startswith("nbdgm.") and re.match(as_ascii(theirs) + r"\\x00", ours) is not None


@known("RFC 1002 4.1: a name has at most 255 bytes; Samba takes 272, tshark does not show their end")
def names_of_more_than_255_bytes(_, key, ours, __):
    return key.endswith("_name") and len(ours) > 230


@known("MS-BRWS 2.2.2: Samba writes two bytes in front of the name")
def announcement_request_of_samba_without_its_name(ours, key, _, theirs):
    return key == "browser.response_name" and theirs == "" and ours["mailslot"]["data"].startswith("020100")

# What a frame must hold to be compared.
UNITS = {"nbdgm", "nbns", "nbss"}

# --- running both ----------------------------------------------------------------------------------------------


def flatten(tree, leaves):
    """All leaves of tshark's tree: key to list of values."""
    for key, value in tree.items():
        for value in value if isinstance(value, list) else [value]:
            if isinstance(value, dict):
                flatten(value, leaves)
            else:
                leaves[key].append(value)
    return leaves


FILTER = "udp.port == 138 || udp.port == 137 || ((tcp.port == 139 || tcp.port == 445) && nbss)"


def tshark(program, path, home):
    args = [program, "-n", "-r", path, "-T", "json", "--no-duplicate-keys", "-Y", FILTER,
            "-J", "frame icmp nbdgm nbns nbss smb mailslot browser lanman smb_netlogon data"]
    environment = dict(os.environ, WIRESHARK_CONFIG_DIR=home, HOME=home)
    output = subprocess.run(args, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    frames = {}
    # What tshark cannot show as UTF-8 it writes as it is.
    for packet in json.loads(output.stdout.decode(errors="replace") or "[]", strict=False):
        layers = packet["_source"]["layers"]
        frames[int(layers["frame"]["frame.number"])] = layers
    return frames


def mailslot(program, path):
    args = [program, "decode", "--json", path]
    output = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if output.returncode not in (0, 1):
        sys.exit("%s: %s" % (path, output.stderr.decode()))
    return [json.loads(line) for line in output.stdout.splitlines()]


def at(tree, path):
    """What stands there; of a list, of each of its members."""
    for place, key in enumerate(path):
        if isinstance(tree, list):
            return [at(member, path[place:]) for member in tree]
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def pairs(ours, theirs):
    """Key, value of mailslot, value of tshark, for every field that both have."""
    for layer, protocols, fields in LAYERS:
        shown = at(ours, layer.split("."))
        leaves = collections.defaultdict(list)
        for protocol in protocols:
            # A second SMB or data in one frame would be a list.
            found = at(theirs, protocol.split("/"))
            if isinstance(found, dict):
                flatten(found, leaves)
        if not isinstance(shown, dict) or at(theirs, protocols[0].split("/")) is None:
            continue
        if layer == "mailslot" and "nbss" in theirs:
            # Fields of the other transactions of the frame would be among those found.
            continue
        for key, their_key, read in fields:
            many = key.endswith("[]")
            key = key.removesuffix("[]") if many else key
            our_value = at(shown, key.split("."))
            if our_value is not None and their_key in leaves:
                values = [read(value) for value in leaves[their_key]]
                # tshark repeats in front what it knows of the TID.
                one = values[-1] if their_key == "smb.path" else values[0]
                yield layer + "." + key, our_value, values if many else one
        for key, prefix, names in FLAGS:
            if key in shown and any(their_key.startswith(prefix) for their_key in leaves):
                theirs_set = {ours for their, ours in names.items() if leaves.get(prefix + their) == ["1"]}
                ours_set = set(shown[key]) & set(names.values())
                yield layer + "." + key, sorted(ours_set), sorted(theirs_set)


def compare(path, options, home):
    result = collections.Counter()
    differences = []
    theirs = tshark(options.tshark, path, home)
    shown = mailslot(options.mailslot, path)
    frames = collections.Counter(ours["frame"] for ours in shown)
    # Which of several packets of a frame is which of tshark's cannot be told.
    several = {frame for frame, count in frames.items() if count > 1}
    for ours in shown:
        if ours["frame"] in several or "tcp" in ours and "nbss" not in ours:
            result["session packets not compared: several in a frame, or no packet"] += 1
            theirs.pop(ours["frame"], None)
            continue
        other = theirs.pop(ours["frame"], None)
        if other is None or not UNITS & set(other):
            kind = "damaged" if "error" in ours else "sound"
            result["%s frames only mailslot shows" % kind] += 1
            continue
        result["frames"] += 1
        for key, our_value, their_value in pairs(ours, other):
            result["fields compared"] += 1
            if our_value == their_value:
                continue
            fault = next((k for k in KNOWN if k[2](ours, key, our_value, their_value)), None)
            if fault:
                result["fault of tshark: %s (%s)" % (fault[0], fault[1])] += 1
            else:
                result["differing"] += 1
            if options.verbose or not fault:
                why = " (%s)" % fault[0] if fault else ""
                differences.append("%s: frame %d: %s is %s, tshark says %s%s" % (
                    os.path.basename(path), ours["frame"], key, json.dumps(our_value), json.dumps(their_value), why))
    for number, layers in theirs.items():
        # mailslot does not look into what an ICMP message quotes.
        if UNITS & set(layers) and "icmp" not in layers and number not in several:
            result["differing"] += 1
            differences.append("%s: frame %d: only tshark shows it" % (os.path.basename(path), number))
    return result, differences


def built():
    """The program as cargo builds it, the newest first."""
    found = [os.path.join(ROOT, "target", profile, "mailslot") for profile in ("release", "debug")]
    return max(filter(os.path.exists, found), key=os.path.getmtime, default=shutil.which("mailslot"))


def captures(paths):
    for path in paths:
        if os.path.isdir(path):
            names = sorted(os.listdir(path))
            yield from (os.path.join(path, name) for name in names if re.search(r"\.(pcap|pcapng|cap)$", name))
        else:
            yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mailslot", default=built(), help="the program [default: as built here]")
    parser.add_argument("--tshark", default=shutil.which("tshark"))
    parser.add_argument("--verbose", action="store_true", help="print known faults one by one, too")
    parser.add_argument("captures", nargs="+", metavar="CAPTURE-OR-DIRECTORY")
    options = parser.parse_args()
    for program in ("tshark", "mailslot"):
        if not getattr(options, program):
            print("SKIPPED: %s is not installed" % program, file=sys.stderr)
            return SKIPPED
    total = collections.Counter()
    with tempfile.TemporaryDirectory() as home, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        files = list(captures(options.captures))
        for result, differences in pool.map(lambda path: compare(path, options, home), files):
            total += result
            for difference in differences:
                print(difference)
    version = subprocess.run([options.tshark, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             check=False).stdout.decode().splitlines()
    print("compared with %s" % (version[0] if version else options.tshark))
    print("%8d files" % len(files))
    for key in ("frames", "fields compared", "differing"):
        print("%8d %s" % (total.pop(key, 0) if key != "differing" else total[key], key))
    for key, count in sorted(total.items()):
        if key != "differing":
            print("%8d %s" % (count, key))
    return 1 if total["differing"] else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The example `conninfo` reads connection strings as a real libpq does.

    conninfo.py LIBPQ PROGRAM

Four comparisons, each on random strings made of pieces that matter, of a fixed seed (SEED) and number (COUNT):

* texts: what a URI, or keywords and values, set, or that there is an error (PQconninfoParse);
* sources: what service files, the environment and defaults add (PQconndefaults);
* servers: whether the settings go together, and which servers are tried in which order (PQconnectStart on Unix sockets
  that do not exist), and which password of a file is taken (PQpass);
* numbers: which numbers are numbers (PQconnectdb).
"""
import ctypes
import os
import random
import re
import subprocess
import sys
import tempfile

LIBPQ, PROGRAM = sys.argv[1:]
COUNT = int(os.environ.get("COUNT", "8000"))
RANDOM = random.Random(int(os.environ.get("SEED", "1")))


class Option(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")] + [
        ("dispsize", ctypes.c_int)
    ]


pq = ctypes.CDLL(LIBPQ)
pq.PQconninfoParse.restype = pq.PQconndefaults.restype = ctypes.POINTER(Option)
pq.PQconninfoFree.argtypes = [ctypes.POINTER(Option)]
pq.PQconnectStart.restype = pq.PQconnectdb.restype = ctypes.c_void_p
for function in (pq.PQerrorMessage, pq.PQpass, pq.PQfinish):
    function.argtypes = [ctypes.c_void_p]
    function.restype = ctypes.c_char_p

failures = 0


def differ(what, text, libpq, ours):
    global failures
    failures += 1
    if failures <= 20:
        print(f"{what} differ: {text!r}\n  libpq {libpq}\n  ours  {ours}")


def options(pointer):
    """The array as a dictionary of what is set, or None."""
    if not pointer:
        return None
    values, i = {}, 0
    while pointer[i].keyword is not None:
        if pointer[i].val is not None:
            values[pointer[i].keyword.decode()] = pointer[i].val
        i += 1
    pq.PQconninfoFree(pointer)
    return values


def unescape(text):
    simple = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}
    return re.sub(
        rb"\\(x[0-9a-f]{2}|.)",
        lambda m: bytes([int(m[1][1:], 16)]) if m[1].startswith(b"x") else simple.get(m[1], m[1]),
        text,
        flags=re.S,
    )


def settings(line):
    """The program's line as the same kind of dictionary."""
    if line.startswith(b"error: "):
        return None
    pairs = re.findall(rb"(\w+)='((?:[^'\\]|\\.)*)'", line)
    return {keyword.decode(): unescape(value) for keyword, value in pairs}


def ours(arguments, environment=None):
    """The program's blocks of lines: one for each text."""
    run = subprocess.run([PROGRAM, "--secrets", *arguments], capture_output=True, env=environment, check=True)
    blocks = []
    for line in run.stdout.splitlines():
        if line.startswith(b"  "):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


# --- texts

def keywords():
    pointer, names, i = pq.PQconndefaults(), [], 0
    while pointer[i].keyword is not None:
        names.append((pointer[i].keyword, pointer[i].envvar, pointer[i].compiled))
        i += 1
    pq.PQconninfoFree(pointer)
    return names


KEYWORDS = keywords()
NAMES = [name for name, _, _ in KEYWORDS]
PIECES = [
    *(b":", b"/", b"?", b"@", b",", b"[", b"]", b"=", b"&", b"%", b" ", b"'", b"\\", b"#", b"\t", b"\n", b"\v", b"\f"),
    *(b"a", b"host", b"1", b"5432", b"::1", b"%20", b"%2F", b"%00", b"%ff", b"%4", b"%zz", b"%C3%b6", b"\xc3\xb6"),
    *(b"\xff", b"ssl=true", b"ssl=false", b"requiressl=1", b"requiressl=0", b"&&", b"//", b"postgres://", b"''", b"0"),
]


def some(choices, most):
    return b"".join(RANDOM.choice(choices) for _ in range(RANDOM.randrange(most + 1)))


def piece():
    return RANDOM.choice(NAMES) if RANDOM.random() < 0.2 else RANDOM.choice(PIECES)


def noise(most):
    return b"".join(piece() for _ in range(RANDOM.randrange(most + 1)))


def uri():
    simple = [b"a", b"host", b"%41", b"x.y", b"1", b"%2f"]
    text = RANDOM.choice([b"postgres://", b"postgresql://"])
    if RANDOM.random() < 0.5:
        text += some(simple, 2) + RANDOM.choice([b"", b":", b":" + some(simple, 2)]) + b"@"
    for _ in range(RANDOM.choice([0, 1, 1, 1, 2, 3])):
        text += RANDOM.choice([some(simple, 2), b"[::1]", b"[fe80::%25a]"]) + RANDOM.choice([b"", b":", b":1", b":a"])
        text += RANDOM.choice([b"", b"", b","])
    text += RANDOM.choice([b"", b"/", b"/" + some(simple, 2)])
    if RANDOM.random() < 0.5:
        values = [some(simple + [b" ", b"%20"], 2) for _ in range(RANDOM.randrange(4))]
        text += b"?" + b"&".join(RANDOM.choice(NAMES) + b"=" + value for value in values)
    return text


def pairs():
    words = []
    for _ in range(RANDOM.randrange(5)):
        value = some([b"a", b"1", b"\\'", b"\\\\", b"\\ ", b"%20", b",", b"="], 3)
        if RANDOM.random() < 0.4:
            value = b"'" + value + some([b" ", b"a", b"\\'"], 2) + b"'"
        words.append(RANDOM.choice(NAMES + [b"requiressl"]) + RANDOM.choice([b"=", b" = ", b"= ", b"\t="]) + value)
    return RANDOM.choice([b" ", b"  ", b"\n", b""]).join(words)


def mutated(text):
    for _ in range(RANDOM.choice([0, 0, 1, 1, 2])):
        at = RANDOM.randrange(len(text) + 1)
        end = at + RANDOM.choice([0, 0, 1, 3])
        text = text[:at] + RANDOM.choice([b"", piece()]) + text[end:]
    return text


def texts():
    makers = [uri, pairs, lambda: mutated(uri()), lambda: mutated(pairs()), lambda: noise(6)]
    makers.append(lambda: RANDOM.choice([b"postgres://", b"postgresql://"]) + noise(6))
    made = [RANDOM.choice(makers)() for _ in range(COUNT)]
    # What the program would take for its own options.
    made = [text for text in made if not text.startswith(b"--")]
    valid = 0
    for start in range(0, len(made), 500):
        some_of_them = made[start : start + 500]
        for text, (line, *_) in zip(some_of_them, ours(["--text", *some_of_them]), strict=True):
            theirs = options(pq.PQconninfoParse(text, None))
            valid += theirs is not None
            if settings(line) != theirs:
                differ("texts", text, theirs, line)
    print(f"texts: {len(made)} compared, {valid} of them valid")
    enough(valid, len(made))


def enough(valid, count):
    """A comparison in which nearly all is an error, or nearly nothing, shows little."""
    if not count / 5 < valid < count:
        sys.exit(f"only {valid} of {count} are valid: the generator is broken")


# --- sources

def clean(folder):
    """An environment in which nothing is set."""
    for _, variable, _ in KEYWORDS:
        if variable:
            os.environ.pop(variable.decode(), None)
    for variable in ("PGREQUIRESSL", "PGSERVICEFILE", "PGSYSCONFDIR"):
        os.environ.pop(variable, None)
    os.environ.update(HOME=folder, USER="login", PGSYSCONFDIR=folder)


def service_file():
    lines = []
    for _ in range(RANDOM.randrange(1, 10)):
        choice = RANDOM.random()
        if choice < 0.3:
            lines.append(RANDOM.choice([b"[one]", b"[two]", b"[one", b"[one]x", b" [one] ", b"[oneb]", b"[ one]"]))
        elif choice < 0.9:
            value = some([b"a", b"1", b" ", b"'", b"\\", b"#", b"=", b",", b"%20"], 3)
            space = RANDOM.choice([b"", b"", b" ", b"\t"])
            lines.append(space + RANDOM.choice(NAMES[1:]) + b"=" + value + space)
        else:
            rare = [b"", b"# host=a", b"  ", b"\v", b"nothing=1", b"service=two", b"host", b"host =a"]
            lines.append(RANDOM.choice(rare))
    return RANDOM.choice([b"\n", b"\n", b"\r\n"]).join(lines) + RANDOM.choice([b"", b"\n"])


def sources(folder):
    count, with_service = COUNT // 8, 0
    for _ in range(count):
        clean(folder)
        for _, variable, _ in RANDOM.sample(KEYWORDS, 4):
            if variable and variable != b"PGSERVICE":
                os.environ[variable.decode()] = RANDOM.choice(["", "a", "system", "1", "a b"])
        if RANDOM.random() < 0.2:
            os.environ["PGREQUIRESSL"] = RANDOM.choice(["", "0", "1", "10"])
        for name in ("own.conf", "pg_service.conf"):
            with open(f"{folder}/{name}", "wb") as file:
                file.write(service_file())
        os.environ["PGSERVICEFILE"] = f"{folder}/own.conf"
        if RANDOM.random() < 0.7:
            os.environ["PGSERVICE"] = RANDOM.choice(["one", "two"])
        # What is wrong with a service file, PQconndefaults does not say.
        connection = pq.PQconnectStart(b"host=/nowhere user=a sslmode=prefer")
        wrong = re.search(rb"service file|definition of service", pq.PQerrorMessage(connection))
        pq.PQfinish(connection)
        theirs = None if wrong else options(pq.PQconndefaults())
        if theirs is not None:
            with_service += "PGSERVICE" in os.environ
            # What counts if nothing is set is checked below, once.
            for keyword, _, compiled in KEYWORDS:
                if theirs.get(keyword.decode()) == compiled:
                    theirs.pop(keyword.decode(), None)
        ((line, *_),) = ours(["--sources", b""])
        mine = settings(line)
        if mine is not None:
            for keyword, _, compiled in KEYWORDS:
                if mine.get(keyword.decode()) == compiled:
                    mine.pop(keyword.decode(), None)
            mine.pop("user", None)
            if mine.get("sslrootcert") == b"system" and "sslmode" not in mine and theirs and "sslmode" in theirs:
                # Settings keep what has been set; what follows from it is for `options`.
                mine["sslmode"] = b"verify-full"
        if theirs is not None:
            theirs.pop("user", None)
        if mine != theirs:
            with open(f"{folder}/own.conf", "rb") as own, open(f"{folder}/pg_service.conf", "rb") as shared:
                variables = {name: value for name, value in os.environ.items() if name.startswith("PG")}
                differ("sources", (own.read(), shared.read(), variables), theirs, line)
    print(f"sources: {count} compared, {with_service} of them with a section of a service file")
    enough(with_service, count)


# --- servers

VALUES = {
    b"sslmode": b"disable allow prefer require verify-ca verify-full Prefer",
    b"sslnegotiation": b"postgres direct d",
    b"gssencmode": b"disable prefer require maybe",
    b"channel_binding": b"disable prefer require no",
    b"sslcertmode": b"disable allow require 1",
    b"target_session_attrs": b"any read-write read-only primary standby prefer-standby master",
    b"load_balance_hosts": b"disable on",
    b"min_protocol_version": b"3.0 3.2 latest 3.1",
    b"max_protocol_version": b"3.0 3.2 latest 3",
    b"ssl_min_protocol_version": b"TLSv1 TLSv1.1 tlsv1.2 TLSv1.3 SSLv3",
    b"ssl_max_protocol_version": b"TLSv1 TLSv1.1 TLSV1.2 TLSv1.3 1.2",
    b"sslrootcert": b"system x",
}


def passfile():
    fields = [b"*", b"/tmp", b"/x", b"localhost", b"5432", b"1", b"a", b"b", b"\\a", b"a\\:b", b"", b"**", b"::1"]
    fields += [b"127.0.0.1"] + [b"*"] * len(fields)
    lines = []
    for _ in range(RANDOM.randrange(8)):
        line = b":".join(RANDOM.choice(fields) for _ in range(RANDOM.choice([3, 4, 4, 4])))
        line += RANDOM.choice([b":", b":", b":", b""]) + some([b"p", b"q", b"\\:", b"\\\\", b"\\", b":", b" "], 4)
        lines.append(RANDOM.choice([b"", b"", b"", b"#", b" "]) + line)
    return RANDOM.choice([b"\n", b"\n", b"\r\n"]).join(lines) + RANDOM.choice([b"", b"\n", b"\r"])


def server_text():
    count = RANDOM.choice([0, 1, 1, 2, 3])
    words = []
    if count:
        names = b",".join(RANDOM.choice([b"/x", b"/y", b"", b"/tmp", b"/x/z"]) for _ in range(count))
        words.append(b"host='" + names + b"'")
    if RANDOM.random() < 0.1:
        words.append(b"hostaddr=" + b",".join(b"127.0.0.1" for _ in range(RANDOM.choice([1, count + 1, 2]))))
    if RANDOM.random() < 0.6:
        ports = RANDOM.choice([0, 1, count, count, count + 1])
        ports = b",".join(RANDOM.choice([b"1", b"", b"5432", b"65535", b" 7"]) for _ in range(ports))
        words.append(b"port='" + ports + b"'")
    for keyword in RANDOM.sample(sorted(VALUES), RANDOM.choice([0, 0, 1, 2])):
        words.append(keyword + b"=" + RANDOM.choice(VALUES[keyword].split() + [b"''"]))
    words.append(b"user=" + RANDOM.choice([b"a", b"b", b"'a:b'"]))
    words.append(b"dbname=" + RANDOM.choice([b"a", b"b", b"''"]))
    return b" ".join(words)


def servers(folder):
    count, valid, found = COUNT // 4, 0, 0
    for _ in range(count):
        clean(folder)
        with open(f"{folder}/.pgpass", "wb") as file:
            file.write(passfile())
        os.chmod(f"{folder}/.pgpass", 0o600)
        text = server_text()
        (block,) = ours([text])
        connection = pq.PQconnectStart(text)
        said = pq.PQerrorMessage(connection)
        # Of the last server that has been tried.
        password = pq.PQpass(connection)
        pq.PQfinish(connection)
        if not said.startswith(b"connection to server"):
            if not block[0].startswith(b"error: "):
                differ("servers", text, said, block)
            continue
        valid += 1
        found += bool(password)
        tried = re.findall(rb'connection to server (?:on socket "(.*?)"|at "(.*?)", port +(\d+)) failed', said)
        pattern = rb"  name='(.*)' address='(.*)' port=(\d+) [a-z]+ password(?:=no|='(.*)')$"
        shown = [re.match(pattern, line) for line in block[1:]]
        mine = []
        for server in shown:
            name, address, port, _ = server.groups()
            mine.append((b"", address, port) if address else (name + b"/.s.PGSQL." + port, b"", b""))
        # A connection over TCP is still being made, and the next has not been tried.
        over_tcp = tried and tried[-1][1]
        same = mine[: len(tried)] == tried if over_tcp else mine == tried != []
        last = shown[len(tried) - 1] if same else None
        if not same or unescape(last.group(4) or b"") != password:
            with open(f"{folder}/.pgpass", "rb") as file:
                differ("servers", (text, file.read()), (tried, password), block)
    print(f"servers: {count} compared, {valid} of them valid, {found} with a password of the file")
    enough(valid, count)
    enough(found, count // 4)


# --- numbers

def numbers(folder):
    clean(folder)
    checked = [b"connect_timeout", b"keepalives", b"keepalives_idle", b"keepalives_interval", b"keepalives_count"]
    checked += [b"tcp_user_timeout", b"port"]
    values = [b"", b" ", b"1", b" 1", b"1 ", b"\t1\v", b"+1", b"-1", b"- 1", b"0", b"00", b"0x1", b"1a", b"a", b"1.0"]
    values += [b"--1", b"+-1", b"2147483647", b"2147483648", b"-2147483648", b"-2147483649", b"65535", b"65536"]
    values.append(b"99999999999999999999")
    count = 0
    for keyword in checked:
        for value in values:
            text = keyword + b"='" + value + b"' hostaddr=127.0.0.1 user=a"
            text += b"" if keyword == b"port" else b" port=1"
            connection = pq.PQconnectdb(text)
            refused = re.search(rb"invalid (integer value|port number)", pq.PQerrorMessage(connection))
            pq.PQfinish(connection)
            (block,) = ours([text])
            count += 1
            if bool(refused) != block[0].startswith(b"error: "):
                differ("numbers", text, refused, block)
    print(f"numbers: {count} compared")


# The table itself, against ours in the example's own words.
def table():
    lines = subprocess.run([PROGRAM, "--keywords"], capture_output=True, check=True).stdout.splitlines()
    theirs = [b" ".join([k, e or b"-", b"-" if c is None else b"'" + c + b"'"]) for k, e, c in KEYWORDS]
    # This libpq may be built without GSSAPI; and one default is not in its table.
    for keyword, theirs_says, ours_says in [("gssencmode", "'disable'", "'prefer'"), ("sslcertmode", "-", "'allow'")]:
        line = f"{keyword} PG{keyword.upper()} "
        theirs = [(line + ours_says).encode() if said == (line + theirs_says).encode() else said for said in theirs]
    if lines != theirs:
        differ("keywords", "", [t for t in theirs if t not in lines], [line for line in lines if line not in theirs])
    print(f"keywords: {len(theirs)} compared")


with tempfile.TemporaryDirectory() as folder:
    clean(folder)
    print(f"libpq {pq.PQlibVersion() / 10000:.4f}")
    table()
    texts()
    sources(folder)
    servers(folder)
    numbers(folder)
if failures:
    sys.exit(f"{failures} differences")

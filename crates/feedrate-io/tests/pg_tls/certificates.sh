#!/usr/bin/env bash
# Makes the certificates of `end_point.rs`, and `hashes.txt` of what OpenSSL says: `NAME DIGEST HASH` a line.
# They are never used for a connection, so it does not matter that they expire.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/certificates"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

exec >hashes.txt
# make NAME DIGEST KEY-OPTION...: signed as the options say; DIGEST is what RFC 5929 makes of it.
make() {
    local name=$1 digest=$2
    shift 2
    openssl req -x509 -nodes -keyout "$tmp/key" -subj "/CN=$name" -days 1 -outform der -out "$name.der" "$@" 2>/dev/null
    [ "$digest" = none ] || echo "$name $digest $(openssl dgst "-$digest" -r "$name.der" | cut -d' ' -f1)"
}

rsa=(-newkey rsa:1024)
p256=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
openssl dsaparam -out "$tmp/dsa" 1024 2>/dev/null
make rsa-md5 sha256 "${rsa[@]}" -md5
make rsa-sha1 sha256 "${rsa[@]}" -sha1
make rsa-sha224 sha224 "${rsa[@]}" -sha224
make rsa-sha256 sha256 "${rsa[@]}" -sha256
make rsa-sha384 sha384 "${rsa[@]}" -sha384
make rsa-sha512 sha512 "${rsa[@]}" -sha512
make pss-sha1 sha256 "${rsa[@]}" -sha1 -sigopt rsa_padding_mode:pss
make pss-sha256 sha256 "${rsa[@]}" -sha256 -sigopt rsa_padding_mode:pss
make pss-sha384 sha384 "${rsa[@]}" -sha384 -sigopt rsa_padding_mode:pss
make pss-sha512 sha512 "${rsa[@]}" -sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32
make ecdsa-sha1 sha256 "${p256[@]}" -sha1
make ecdsa-sha224 sha224 "${p256[@]}" -sha224
make ecdsa-sha256 sha256 "${p256[@]}" -sha256
make ecdsa-sha384 sha384 "${p256[@]}" -sha384
make ecdsa-sha512 sha512 "${p256[@]}" -sha512
make dsa-sha256 sha256 -newkey "dsa:$tmp/dsa" -sha256
make ecdsa-sha3-256 none "${p256[@]}" -sha3-256
make ed25519 none -newkey ed25519
make ed448 none -newkey ed448

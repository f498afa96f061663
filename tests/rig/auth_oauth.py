#!/usr/bin/env python3
"""Logs in with a bearer token through libpq 18, whose hook for tokens only programs can set.

    auth_oauth.py LIBPQ PORT USER TOKEN     prints the row of `select 1`, or the connection's error
"""
import ctypes
import sys


class Request(ctypes.Structure):
    """PGoauthBearerRequest of libpq-fe.h."""

    _fields_ = [("configuration", ctypes.c_char_p), ("scope", ctypes.c_char_p), ("async_", ctypes.c_void_p),
                ("cleanup", ctypes.c_void_p), ("token", ctypes.c_char_p), ("user", ctypes.c_void_p)]


HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Request))
CLEANUP = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
BEARER_TOKEN = 1

cleanup = CLEANUP(lambda _connection, _request: None)


def main():
    path, port, user, token = sys.argv[1:]
    token = token.encode()
    libpq = ctypes.CDLL(path)
    for name, result in [("PQconnectdb", ctypes.c_void_p), ("PQerrorMessage", ctypes.c_char_p),
                         ("PQexec", ctypes.c_void_p), ("PQgetvalue", ctypes.c_char_p)]:
        getattr(libpq, name).restype = result

    def hook(kind, _connection, request):
        if kind != BEARER_TOKEN:
            return 0
        print(f"asked: {request[0].configuration.decode()} {request[0].scope.decode()}")
        request[0].token = token
        request[0].cleanup = ctypes.cast(cleanup, ctypes.c_void_p)
        return 1

    hook = HOOK(hook)
    libpq.PQsetAuthDataHook(hook)
    where = f"host=127.0.0.1 port={port} user={user} dbname=x sslmode=disable require_auth=oauth connect_timeout=10 " \
            "oauth_issuer=https://localhost:1 oauth_client_id=test"
    connection = ctypes.c_void_p(libpq.PQconnectdb(where.encode()))
    if libpq.PQstatus(connection) != 0:
        print(libpq.PQerrorMessage(connection).decode().strip())
        return 1
    result = ctypes.c_void_p(libpq.PQexec(connection, b"select 1"))
    print(f"row: {libpq.PQgetvalue(result, 0, 0).decode()}")
    return 0


sys.exit(main())
